#include "backfill/coordinator_local_internal.h"

#include <stdio.h>

struct work_item local_read_item(const struct database_statement *statement, int column)
{
	return (struct work_item){
		.index = database_text(statement, column),
		.shard = (int32_t)database_int(statement, column + 1),
		.first_doc = database_int(statement, column + 2),
		.end_doc = database_int(statement, column + 3),
		.bytes = (uint64_t)database_int(statement, column + 4),
	};
}

struct work_progress local_read_progress(const struct database_statement *statement, int column)
{
	return (struct work_progress){
		.next_doc = database_int(statement, column),
		.documents = (uint64_t)database_int(statement, column + 1),
		.sent = (uint64_t)database_int(statement, column + 2),
		.failed = (uint64_t)database_int(statement, column + 3),
		.superseded = (uint64_t)database_int(statement, column + 4),
		.source_bytes = (uint64_t)database_int(statement, column + 5),
		.state = database_text(statement, column + 6),
	};
}

struct process_identity local_read_process(const struct database_statement *statement, int column)
{
	struct process_identity process = {
		.pid_namespace = (uint64_t)database_int(statement, column + 1),
		.pid = database_int(statement, column + 2),
		.start_ticks = (uint64_t)database_int(statement, column + 3),
	};

	snprintf(process.boot_id, sizeof(process.boot_id), STR_FMT,
		 STR_ARG(database_text(statement, column)));
	return process;
}

void local_bind_item(struct database_statement *statement, const struct work_item *item)
{
	database_bind_text(statement, item->index);
	database_bind_int(statement, item->shard);
	database_bind_int(statement, item->first_doc);
	database_bind_int(statement, item->end_doc);
	database_bind_int(statement, (int64_t)MIN(item->bytes, (uint64_t)INT64_MAX));
}
