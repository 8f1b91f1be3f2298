/* Durations as Elasticsearch and OpenSearch write them: "30d", "12h", "5m", "60s", "500ms",
 * "100micros", "10nanos", "0". Source: core/TimeValue.parseTimeValue of both. */
#ifndef METADATA_TIME_VALUE_H
#define METADATA_TIME_VALUE_H

#include "base/arena.h"

#define MS_PER_DAY INT64_C(86400000)

/* False for what is no duration, or more milliseconds than fit. */
bool time_value_parse(struct str text, int64_t *ms);
/* Weeks and fractions alone, "2w" and "1.5h", which Elasticsearch 1 to 4 took and no later version
 * does; parts of a millisecond are cut off. False for all else. */
bool time_value_parse_early(struct str text, int64_t *ms);
/* In the largest unit that needs no fraction. ptr NULL at the ceiling. */
struct str time_value_text(int64_t ms, struct arena *mem);

#endif
