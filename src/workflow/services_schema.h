/* The shape of services.yaml. */
#ifndef WORKFLOW_SERVICES_SCHEMA_H
#define WORKFLOW_SERVICES_SCHEMA_H

#include "workflow/schema.h"

extern const struct schema services_schema;

#endif
