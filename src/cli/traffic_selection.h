/* The records that a command looks at: where they are, and which of them. */
#ifndef CLI_TRAFFIC_SELECTION_H
#define CLI_TRAFFIC_SELECTION_H

#include "cli/common_options.h"
#include "cli/kafka_options.h"

#include "base/opt.h"
#include "traffic/record_source.h"

struct traffic_selection_fields {
	int64_t start_offset, end_offset;
	const char *start_time, *end_time;
	struct kafka_fields kafka;       /* of kafka_options, and */
	struct blob_store_options store; /* of store_options: parts of their own */
};
extern const struct opt traffic_selection_options[];

struct traffic_selection {
	struct record_source *source;
	bool is_kafka;                      /* offsets count in each partition */
	int64_t start_offset, end_offset;   /* end 0: none */
	int64_t start_time_ms, end_time_ms; /* INT64_MIN, INT64_MAX: none */
};

/* The first argument, or NULL. */
static inline const char *traffic_place(const struct opt_result *parsed)
{
	return parsed->positional_count > 0 ? parsed->positionals[0] : NULL;
}
/* `path`: see record_source_open; NULL: the topic that fields->kafka tells. ERR_USAGE: neither or
 * both are given. */
int traffic_selection_open(struct traffic_selection *out, const char *path,
			   const struct traffic_selection_fields *fields, struct err *err);
void traffic_selection_close(struct traffic_selection *selection);
/* 1 with the next record; *readable: the view is filled, else *reason says why not. 0 at the end.
 */
int traffic_selection_next(struct traffic_selection *selection, struct record_item *item,
			   struct record_view *view, bool *readable, struct err *reason,
			   struct err *err);

#endif
