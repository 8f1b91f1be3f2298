#include "metadata/rules_internal.h"

const struct rule rules_of_mapping_roots[] = {{0}};
