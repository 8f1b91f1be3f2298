#include "backfill/coordinator_local_internal.h"

/* Values of state are those of enum work_state. `divided`: a range that divide made. `lease`: how
 * many there were. `progressed`: since the lease was taken. `deaths`: of processes, without
 * progress. */
const struct database_kind local_database_kind = {
	.noun = "the work items",
	.other_place = "give another --state-dir or --session-name",
	.lost = "the documents are then sent anew",
	.application_id = 0x53684c77, /* "ShLw" */
	.version = 1,
	.tables = "CREATE TABLE session (fingerprint TEXT NOT NULL) STRICT;"
		  "CREATE TABLE work_items ("
		  "  id INTEGER PRIMARY KEY,"
		  "  index_name TEXT NOT NULL,"
		  "  shard INTEGER NOT NULL,"
		  "  first_doc INTEGER NOT NULL,"
		  "  end_doc INTEGER NOT NULL,"
		  "  bytes INTEGER NOT NULL,"
		  "  divided INTEGER NOT NULL DEFAULT 0,"
		  "  state INTEGER NOT NULL DEFAULT 0,"
		  "  next_doc INTEGER NOT NULL,"
		  "  documents INTEGER NOT NULL DEFAULT 0,"
		  "  sent INTEGER NOT NULL DEFAULT 0,"
		  "  failed INTEGER NOT NULL DEFAULT 0,"
		  "  superseded INTEGER NOT NULL DEFAULT 0,"
		  "  source_bytes INTEGER NOT NULL DEFAULT 0,"
		  "  pipeline_state TEXT,"
		  "  lease INTEGER NOT NULL DEFAULT 0,"
		  "  lease_ms INTEGER NOT NULL DEFAULT 0,"
		  "  lease_until_ms INTEGER NOT NULL DEFAULT 0,"
		  "  progressed INTEGER NOT NULL DEFAULT 0,"
		  "  exponent INTEGER NOT NULL DEFAULT 0,"
		  "  failures INTEGER NOT NULL DEFAULT 0,"
		  "  deaths INTEGER NOT NULL DEFAULT 0,"
		  "  free_at_ms INTEGER NOT NULL DEFAULT 0,"
		  "  reason TEXT,"
		  "  worker TEXT,"
		  "  holder TEXT,"
		  "  boot_id TEXT,"
		  "  pid_namespace INTEGER,"
		  "  pid INTEGER,"
		  "  start_ticks INTEGER,"
		  "  UNIQUE (index_name, shard, first_doc)"
		  ") STRICT;"
		  "CREATE INDEX next_item ON work_items (state, bytes DESC, index_name, shard, "
		  "first_doc);",
};
