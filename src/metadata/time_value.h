/* Durations as Elasticsearch and OpenSearch write them: "30d", "12h", "5m", "60s", "500ms",
 * "100micros", "10nanos", "0". Source: core/TimeValue.parseTimeValue of both. */
#ifndef METADATA_TIME_VALUE_H
#define METADATA_TIME_VALUE_H

#include "base/arena.h"

#define MS_PER_DAY INT64_C(86400000)

/* False for what is no duration, or more milliseconds than fit. */
bool time_value_parse(struct str text, int64_t *ms);
/* In the largest unit that needs no fraction. ptr NULL at the ceiling. */
struct str time_value_text(int64_t ms, struct arena *mem);

#endif
