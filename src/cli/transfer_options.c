#include "cli/sourceless_options.h"
#include "cli/transfer.h"

#define DOCUMENTS(member) OPT_FIELD(struct transfer_fields, member), .category = "Documents"
#define WORK(member) OPT_FIELD(struct work_fields, member), .category = "Work"
#define INDICES(member) OPT_FIELD(struct create_fields, member), .category = "Rules"

const struct opt transfer_options[] = {
	{.name = "index-allowlist",
	 .env = "RFS_INDEX_ALLOWLIST",
	 .type = OPT_LIST,
	 DOCUMENTS(index_allowlist),
	 .metavar = "NAME|regex:PATTERN",
	 .help = "Indices to move: names, or regex: and a POSIX extended regular expression for "
		 "the whole name (\\d and (?:…) are understood). Without it, all but system and "
		 "tool indices such as those that start with a dot."},
	{.name = "rename",
	 .type = OPT_LIST,
	 DOCUMENTS(renames),
	 .metavar = "FROM=TO",
	 .help = "The index FROM is called TO on the target. FROM is a name, or regex: and a "
		 "pattern for the whole name, whose groups TO takes up as $1."},
	{.name = "allow-partial-snapshot",
	 .type = OPT_BOOL,
	 DOCUMENTS(allow_partial_snapshot),
	 .help = "Take a snapshot of state PARTIAL for what it holds."},
	{.name = "documents-per-bulk-request",
	 .env = "RFS_DOCUMENTS_PER_BULK_REQUEST",
	 .type = OPT_INT,
	 DOCUMENTS(documents_per_bulk),
	 .fallback = "2147483647",
	 .min = 1,
	 .max = INT32_MAX,
	 .help = "Documents in a bulk request, at most."},
	{.name = "documents-size-per-bulk-request",
	 .env = "RFS_DOCUMENTS_SIZE_PER_BULK_REQUEST",
	 .type = OPT_BYTES,
	 DOCUMENTS(bytes_per_bulk),
	 .fallback = "10MiB",
	 .min = 1,
	 .max = INT32_MAX,
	 .help = "Bytes of a bulk request before compression, at most; a larger document goes "
		 "alone."},
	{.name = "max-connections",
	 .env = "RFS_MAX_CONNECTIONS",
	 .type = OPT_INT,
	 DOCUMENTS(max_connections),
	 .fallback = "10",
	 .min = 1,
	 .max = 1000,
	 .help = "Bulk requests in flight at once, each on a connection of its own."},
	{.name = "max-memory",
	 .type = OPT_BYTES,
	 DOCUMENTS(max_memory),
	 .fallback = "96MiB",
	 .min = 1 << 20,
	 .max = (int64_t)1 << 40,
	 .help = "Bytes for bulks that wait or are in flight."},
	{.name = "readers",
	 .type = OPT_INT,
	 DOCUMENTS(readers),
	 .min = 1,
	 .max = 256,
	 .help = "Threads that read shards; without it one for each processor, and one more where "
		 "the snapshot is in an object store."},
	{.name = "read-ahead-memory",
	 .type = OPT_BYTES,
	 DOCUMENTS(read_ahead_memory),
	 .min = 1,
	 .max = (int64_t)1 << 40,
	 .help = "Bytes for what is read ahead out of an object store, of all readers together; "
		 "without it 16MiB for each, and 256MiB at most."},
	{.name = "format",
	 .type = OPT_CHOICE,
	 DOCUMENTS(format),
	 .choices = "bulk|ndjson|elasticdump",
	 .fallback = "bulk",
	 .help = "What the files of a dir: or file: target hold: bulk bodies; documents alone, "
		 "without their ids; or what elasticdump writes and reads."},
	{.name = "compress",
	 .type = OPT_CHOICE,
	 DOCUMENTS(compress),
	 .choices = "none|gzip|zstd",
	 .fallback = "none",
	 .help = "How the files of a dir: target are compressed."},
	{.name = "session-name",
	 .env = "RFS_SESSION_NAME",
	 .type = OPT_STRING,
	 DOCUMENTS(session_name),
	 .metavar = "NAME",
	 .help = "Letters, digits and '-': under this name work and failed documents are kept, and "
		 "taken up again. Without it, "
		 "a hash of source, snapshot, target and the indices selected."},
	{.name = "op-type",
	 .type = OPT_CHOICE,
	 DOCUMENTS(op_type),
	 .choices = "index|create",
	 .fallback = "index",
	 .help = "create: documents that are there already stay as they are."},
	{.name = "source-versions",
	 .type = OPT_BOOL,
	 DOCUMENTS(source_versions),
	 .help = "Send documents with the versions they have in the snapshot: what is newer on the "
		 "target stays, and is counted as superseded. For targets that live traffic "
		 "writes to meanwhile."},
	{.name = "enable-sourceless-migrations",
	 .type = OPT_BOOL,
	 DOCUMENTS(sourceless),
	 .help = "Rebuild the documents of indices that store no _source, a part of it or a "
		 "synthetic one, from doc values and stored fields. Not all comes back: the report "
		 "names each field."},
	SOURCELESS_OPTIONS(DOCUMENTS),
	{.name = "server-generated-ids",
	 .env = "RFS_SERVER_GENERATED_IDS",
	 .type = OPT_CHOICE,
	 DOCUMENTS(generated_ids),
	 .choices = "auto|always|never",
	 .fallback = "auto",
	 .help = "always: the target makes the ids, and what is sent twice is there twice. auto: "
		 "where the target is a Serverless collection of a type that takes no others."},
	{.name = "digest",
	 .type = OPT_BOOL,
	 DOCUMENTS(digest),
	 .help = "Take digests of what is read, so that `verify --digest-from` need not read the "
		 "snapshot again. Below --state-dir, in digests/SESSION."},
	{.name = "progress",
	 .type = OPT_CHOICE,
	 DOCUMENTS(progress),
	 .choices = "auto|always|never",
	 .fallback = "auto",
	 .help = "A bar on standard error: auto draws it on a terminal and logs a line every ten "
		 "seconds elsewhere; always prints it line by line elsewhere."},
	{0},
};

const struct opt work_options[] = {
	{.name = "restart",
	 .type = OPT_BOOL,
	 WORK(restart),
	 .help = "Forget what earlier runs of the session did, and begin anew."},
	{.name = "one-item",
	 .type = OPT_BOOL,
	 WORK(one_item),
	 .help = "Do one work item and end. Exit codes then: 0 it is done, 2 its lease was lost, 3 "
		 "no work is left, 4 others have all that is left, 5 it cannot be read, 1 else."},
	{.name = "max-range-size",
	 .type = OPT_BYTES,
	 WORK(range_bytes),
	 .fallback = "64MiB",
	 .min = 1,
	 .max = (int64_t)1 << 50,
	 .help = "Bytes of stored fields above which a shard is divided into ranges of about that "
		 "size, for many workers to share."},
	{.name = "grace",
	 .type = OPT_DURATION,
	 WORK(grace_ms),
	 .fallback = "10s",
	 .max = INT32_MAX,
	 .help = "How long bulks in flight may take after a signal to end."},
	{.name = "initial-lease-duration",
	 .env = "RFS_INITIAL_LEASE_DURATION",
	 .type = OPT_DURATION,
	 WORK(lease_ms),
	 .fallback = "1m",
	 .min = 1000,
	 .max = INT32_MAX,
	 .help = "How long a worker that is not heard of keeps its work. Renewed while it works; "
		 "doubled for an item whose lease was lost without progress."},
	{.name = "max-lease-failures",
	 .type = OPT_INT,
	 WORK(max_failures),
	 .fallback = "5",
	 .min = 1,
	 .max = 1000,
	 .help = "Work that failed so often without progress is put aside with its reason."},
	{0},
};

const struct opt create_options[] = {
	{.name = "indices-only",
	 .type = OPT_BOOL,
	 INDICES(indices_only),
	 .help = "Create indices and their aliases alone: no templates, policies, pipelines, "
		 "scripts and data streams."},
	{0},
};

/* Documents would have to follow their types into several indices. */
int create_fields_check(const struct create_fields *fields, struct err *err)
{
	if (!fields || strcmp(fields->creation.multi_type, "SPLIT") != 0)
		return 0;
	return err_set(
		err, ERR_USAGE,
		"--multi-type-behavior SPLIT: migrate sends documents to the index they come "
		"from; create the indices with `shardlift metadata migrate "
		"--multi-type-behavior SPLIT`, then route the documents by type with "
		"`shardlift backfill --doc-transformer-config` "
		"(docs/transform-providers.md)");
}
