#include "cli/version.h"

const char shardlift_version[] = SHARDLIFT_VERSION;
