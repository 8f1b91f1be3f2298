/* Within src/traffic. */
#ifndef TRAFFIC_RECORD_SOURCE_INTERNAL_H
#define TRAFFIC_RECORD_SOURCE_INTERNAL_H

#include "traffic/record_source.h"

/* A folder of <connection id>_<number>.protocap, by connection and number. ERR_NOT_FOUND: it holds
 * none. */
int trace_folder_open(const char *path, struct record_source **out, struct err *err);

#endif
