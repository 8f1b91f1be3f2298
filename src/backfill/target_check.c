#include "backfill/target_check.h"

#include "backfill/mapping_compare.h"
#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>

#define ANSWER_MAX MIB(64)
#define FIELDS_NAMED 5
/* The server waits so long for a better health before it answers. */
#define HEALTH_PATH                                                        \
	"/_cluster/health?level=indices&wait_for_status=yellow&timeout=1s" \
	"&filter_path=status,indices.*.status"

struct check {
	struct cluster *cluster;
	const struct snapshot *snapshot;
	const struct backfill_index *indices;
	const bool *created;
	size_t count;
	const struct target_check_options *options;
	const atomic_bool *cancel;
};

static void tell(const struct check *check, const char *line)
{
	if (check->options->tell)
		check->options->tell(check->options->user, line);
}

/* A request whose refusal is no reason to stop: 0 with *status 0 then. */
static int ask(const struct check *check, const char *path, struct arena *mem, int *status,
	       struct json **answer, struct err *err)
{
	struct err refused = {0};
	int failed = cluster_request(check->cluster, "GET", path, STR_NONE, true, mem, status,
				     answer, &refused);

	if (failed == -ERR_AUTH) {
		*status = 0;
		return 0;
	}
	if (failed < 0 && err)
		*err = refused;
	return failed;
}

static int check_missing(const struct check *check, struct str name, struct err *err)
{
	if (check->options->allow_missing)
		return 0;
	return err_set(err, ERR_BLOCKED,
		       "index '" STR_FMT
		       "' is not on the target; create it there (`shardlift migrate` does), or "
		       "pass --allow-missing-indexes true to let the target make it by its "
		       "templates and defaults",
		       STR_ARG(name));
}

/* Blocks that somebody set, and that do not go away by themselves. */
static int check_blocks(struct str name, const struct json *settings, struct err *err)
{
	static const char *const blocks[] = {"index.blocks.write", "index.blocks.read_only"};

	if (json_bool_or(json_get(settings, "index.verified_before_close"), false))
		return err_set(err, ERR_BLOCKED,
			       "index '" STR_FMT
			       "' is closed on the target; open it there (POST /" STR_FMT "/_open)",
			       STR_ARG(name), STR_ARG(name));
	for (size_t i = 0; i < COUNT_OF(blocks); i++)
		if (json_bool_or(json_get(settings, blocks[i]), false))
			return err_set(err, ERR_BLOCKED,
				       "index '" STR_FMT "' takes no writes on the target: %s is "
				       "true; lift it (PUT /" STR_FMT "/_settings {\"%s\": null})",
				       STR_ARG(name), blocks[i], STR_ARG(name), blocks[i]);
	return 0;
}

static void tell_missing(const struct check *check, struct str name, const struct json *source,
			 const struct json *there)
{
	cleanup(buf_release) struct buf fields = BUF_INIT(KIB(8)), line = BUF_INIT(KIB(16));
	const struct cluster_version *version = cluster_version(check->cluster);
	size_t found;

	/* Its mappings have types, which rules and transforms choose. */
	if (version->flavour == CLUSTER_ELASTICSEARCH && version->major < 7)
		return;
	found = mapping_missing(source, there, FIELDS_NAMED, &fields);
	if (found == 0)
		return;
	buf_printf(
		&line,
		"index '" STR_FMT "' has no mapping for %zu of its fields on the target: " STR_FMT
		"%s; they are mapped as the target guesses, or not at all: put the mapping there, "
		"or create the index anew",
		STR_ARG(name), found, STR_ARG(buf_str(&fields)), found > FIELDS_NAMED ? ", …" : "");
	tell(check, buf_cstr(&line));
}

static void compare(const struct check *check, const struct backfill_index *index,
		    const struct json *there)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_METADATA_ARENA);
	cleanup(buf_release) struct buf fields = BUF_INIT(KIB(8));
	cleanup(buf_release) struct buf line = BUF_INIT(KIB(16));
	struct index_metadata metadata = {0};
	size_t found;

	if (snapshot_index_metadata(check->snapshot, index->source, &mem, &metadata, NULL) < 0)
		return; /* whoever reads it says so */
	found = mapping_compare(metadata.mappings, json_get(there, "mappings"), FIELDS_NAMED,
				&fields);
	if (found > 0) {
		buf_printf(
			&line,
			"index '" STR_FMT "' maps %zu of its fields otherwise on the target than "
			"in the snapshot: " STR_FMT
			"%s; documents that do not fit will fail and be kept: create it anew with "
			"the snapshot's mapping if that is not meant",
			STR_ARG(index->target_name), found, STR_ARG(buf_str(&fields)),
			found > FIELDS_NAMED ? ", …" : "");
		tell(check, buf_cstr(&line));
	}
	tell_missing(check, index->target_name, metadata.mappings, json_get(there, "mappings"));
}

static int check_index(const struct check *check, size_t i, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(ANSWER_MAX);
	cleanup(buf_release) struct buf path = BUF_INIT(LIMIT_PATH);
	const struct backfill_index *index = &check->indices[i];
	struct json *answer = NULL;
	int status, failed;

	buf_append_byte(&path, '/');
	http_append_encoded(&path, index->target_name);
	buf_append_str(&path, STR("?flat_settings=true"));
	if ((failed = buf_check(&path, "name of an index", err)) < 0 ||
	    (failed = ask(check, buf_cstr(&path), &mem, &status, &answer, err)) < 0)
		return failed;
	if (status == 404)
		return check_missing(check, index->target_name, err);
	/* A name for several indices (alias, data stream) is left to the target. */
	if (status != 200 || !answer || answer->type != JSON_OBJECT || answer->count != 1)
		return 0;
	failed = check_blocks(index->target_name, json_get(answer->first, "settings"), err);
	if (failed == 0 && !(check->created && check->created[i]))
		compare(check, index, answer->first);
	return failed;
}

/* Of the indices of the run; ptr NULL: none. */
static struct str find_red(const struct check *check, const struct json *health)
{
	for (size_t i = 0; i < check->count; i++) {
		struct str name = check->indices[i].target_name;
		const struct json *index = json_get_str(json_get(health, "indices"), name);

		if (str_is(json_string(json_get(index, "status")), "red"))
			return name;
	}
	return STR_NONE;
}

static int give_up(const struct check *check, struct str red, struct err *err)
{
	return err_set(err, ERR_TIMEOUT,
		       "index '" STR_FMT "' is still red on the target after %" PRId64
		       " s: a primary shard has no node (GET /_cluster/allocation/explain says "
		       "why); mend it and run the same command again, or wait longer with "
		       "--target-pause-time",
		       STR_ARG(red), check->options->wait_ms / 1000);
}

static void tell_red(const struct check *check, struct str red)
{
	cleanup(buf_release) struct buf line = BUF_INIT(KIB(4));

	buf_printf(&line,
		   "index '" STR_FMT "' is red on the target: waiting up to %" PRId64
		   " s for its primary shards (GET /_cluster/allocation/explain says what is "
		   "amiss)",
		   STR_ARG(red), check->options->wait_ms / 1000);
	tell(check, buf_cstr(&line));
}

/* Indices just made are red for a moment: the first look that finds one says nothing. */
static int wait_while_red(const struct check *check, struct err *err)
{
	int64_t began_ms = clock_monotonic_ms();

	for (unsigned looks = 1;; looks++) {
		cleanup(arena_release) struct arena mem = ARENA_INIT(ANSWER_MAX);
		struct json *health = NULL;
		struct str red;
		int status, failed;

		if (atomic_load(check->cancel))
			return err_set(err, ERR_CANCELLED, "interrupted while the target is red");
		failed = ask(check, HEALTH_PATH, &mem, &status, &health, err);
		if (failed < 0)
			return failed;
		red = status == 200 || status == 408 ? find_red(check, health) : STR_NONE;
		if (!red.ptr)
			return 0;
		if (clock_monotonic_ms() - began_ms >= check->options->wait_ms)
			return give_up(check, red, err);
		if (looks == 2)
			tell_red(check, red);
	}
}

int target_check(struct cluster *cluster, const struct snapshot *snapshot,
		 const struct backfill_index *indices, const bool *created, size_t count,
		 const struct target_check_options *options, const atomic_bool *cancel,
		 struct err *err)
{
	const struct check check = {cluster, snapshot, indices, created, count, options, cancel};
	int failed = 0;

	for (size_t i = 0; i < count && failed == 0; i++) {
		if (atomic_load(cancel))
			return err_set(err, ERR_CANCELLED, "interrupted; nothing was sent yet");
		failed = check_index(&check, i, err);
	}
	if (failed == 0 && !cluster_version(cluster)->serverless)
		failed = wait_while_red(&check, err);
	return failed;
}
