#include "cli/transfer_session.h"

#include "backfill/coordinator_memory.h"
#include "base/log.h"
#include "base/state_dir.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define MAX_LEASE_MS (INT64_C(24) * 3600 * 1000)

/* FNV-1a: the same run gets the same name again. */
#define HASH_START UINT64_C(0xcbf29ce484222325)
static uint64_t hash(uint64_t h, struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		h = (h ^ (unsigned char)text.ptr[i]) * 0x100000001b3;
	return (h ^ 0xff) * 0x100000001b3; /* an end that no text has */
}

static uint64_t hash_selection(const struct session_of *of, size_t *count)
{
	uint64_t h = HASH_START;

	*count = 0;
	for (size_t i = 0; i < of->snapshot->index_count; i++) {
		if (!index_filter_accepts(of->filter, of->snapshot->indices[i].name))
			continue;
		h = hash(h, of->snapshot->indices[i].name);
		++*count;
	}
	return h;
}

/* 0: all keep their names. */
static uint64_t hash_renames(const struct session_of *of)
{
	uint64_t h = HASH_START;
	bool renamed = false;

	for (size_t i = 0; i < of->snapshot->index_count; i++) {
		if (!index_filter_accepts(of->filter, of->snapshot->indices[i].name))
			continue;
		renamed |= !str_eq(of->target_names[i], of->snapshot->indices[i].name);
		h = hash(h, of->target_names[i]);
	}
	return renamed ? h : 0;
}

static const char *session_name(const struct session_of *of, struct arena *mem)
{
	const struct transfer_fields *fields = of->request->transfer;
	uint64_t h = HASH_START;
	size_t count;

	if (fields->session_name && *fields->session_name)
		return fields->session_name;
	h = hash(h, str_from(of->request->repository->repo_uri));
	h = hash(h, of->snapshot->summary.uuid);
	h = hash(h, str_from(of->target_name));
	if (of->request->query)
		h = hash(h, str_from(of->request->query));
	if (of->previous)
		h = hash(hash(h, of->previous->summary.uuid),
			 str_from(delta_mode_name(of->delta_mode)));
	h ^= hash_renames(of);
	/* Runs that move other indices are other sessions. */
	if (fields->index_allowlist.count > 0)
		h = (h ^ hash_selection(of, &count)) * 0x100000001b3;
	return arena_printf(mem, "%016" PRIx64, h).ptr;
}

/* Documents that one configuration made do not go with those of another. */
static const char *transformer_text(const struct session_of *of, struct arena *mem)
{
	if (!of->transformer.ptr)
		return "";
	return arena_printf(mem, ", transformed (%08" PRIx32 ")",
			    (uint32_t)hash(HASH_START, of->transformer))
		.ptr;
}

/* What changed since one snapshot is not what changed since another. */
static const char *delta_text(const struct session_of *of, struct arena *mem)
{
	if (!of->previous)
		return "";
	return arena_printf(mem, ", %s since snapshot '" STR_FMT "' (" STR_FMT ")",
			    delta_mode_name(of->delta_mode), STR_ARG(of->previous->summary.name),
			    STR_ARG(of->previous->summary.uuid))
		.ptr;
}

/* Documents of one query are not those of another. */
static const char *query_text(const struct session_of *of, struct arena *mem)
{
	if (!of->request->query)
		return "";
	return arena_printf(mem, ", queried (%08" PRIx32 ")",
			    (uint32_t)hash(HASH_START, str_from(of->request->query)))
		.ptr;
}

/* Nor go documents into an index and then on into another. */
static const char *renames_text(const struct session_of *of, struct arena *mem)
{
	uint64_t h = hash_renames(of);

	return h ? arena_printf(mem, ", renamed (%08" PRIx32 ")", (uint32_t)(h ^ h >> 32)).ptr : "";
}

static struct str make_fingerprint(const struct session_of *of, struct arena *mem)
{
	const struct transfer_fields *fields = of->request->transfer;
	const struct snapshot_summary *summary = &of->snapshot->summary;
	size_t count;
	uint64_t selection = hash_selection(of, &count);
	const char *transformer = transformer_text(of, mem);
	const char *delta = delta_text(of, mem);
	const char *query = query_text(of, mem);
	const char *renames = renames_text(of, mem);

	if (!transformer || !delta || !query || !renames)
		return STR_NONE;
	return arena_printf(mem,
			    "%zu indices (%08" PRIx32 ") of snapshot '" STR_FMT "' (" STR_FMT
			    ") in '%s' to '%s', op-type %s%s%s%s%s%s%s%s%s%s",
			    count, (uint32_t)(selection ^ selection >> 32), STR_ARG(summary->name),
			    STR_ARG(summary->uuid), of->request->repository->repo_uri,
			    of->target_name, fields->op_type,
			    fields->source_versions ? ", source versions" : "",
			    strcmp(fields->generated_ids, "always") == 0 ? ", ids made anew" : "",
			    transformer, delta, query, renames, fields->digest ? ", digests" : "",
			    fields->sourceless ? ", sources rebuilt" : "",
			    fields->recovery_source ? ", recovery sources" : "");
}

static struct coordinator_options options_of(const struct transfer_session *session,
					     const struct session_of *of)
{
	const struct work_fields *work = of->request->work;

	return (struct coordinator_options){
		.session = session->name,
		.lease_ms = work->lease_ms,
		.max_lease_ms = MAX(MAX_LEASE_MS, work->lease_ms),
		.max_failures = (int32_t)work->max_failures,
	};
}

/* A session that somebody works on cannot be begun anew. */
static int check_idle(struct coordinator *c, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(2048));
	struct work_status *rows;
	size_t count;
	int rc = c->ops->list(c, &mem, &rows, &count, err);

	if (rc == -ERR_NOT_FOUND)
		return 0;
	for (size_t i = 0; rc == 0 && i < count; i++)
		if (rows[i].state == WORK_LEASED)
			return err_set(
				err, ERR_USAGE,
				"--restart: worker '" STR_FMT
				"' is at work in this session; stop it first, or wait %" PRId64
				" s until its lease has ended",
				STR_ARG(rows[i].worker), rows[i].lease_left_ms / 1000 + 1);
	return rc;
}

static int remove_file(const char *path, struct err *err)
{
	if (unlink(path) == 0 || errno == ENOENT)
		return 0;
	return err_set_errno(err, ERR_IO, errno, "--restart: cannot remove '%s'", path);
}

static int remove_local(const struct transfer_session *session, struct arena *mem, struct err *err)
{
	static const char *const ends[] = {"", "-wal", "-shm"};

	for (size_t i = 0; i < COUNT_OF(ends); i++) {
		struct str path = arena_printf(mem, "%s/work/%s.db%s", session->state_dir,
					       session->name, ends[i]);

		if (!path.ptr)
			return arena_fail(mem, "--state-dir", err);
		if (remove_file(path.ptr, err) < 0)
			return -(int)err->kind;
	}
	return 0;
}

static int open_local(struct transfer_session *session, const struct session_of *of,
		      struct arena *mem, struct err *err)
{
	struct coordinator_options options = options_of(session, of);
	int rc = coordinator_local_open(session->state_dir, &options, &session->coordinator, err);

	if (rc < 0 || !of->request->work->restart)
		return rc;
	rc = check_idle(session->coordinator, err);
	session->coordinator->ops->close(session->coordinator);
	session->coordinator = NULL;
	if (rc == 0)
		rc = remove_local(session, mem, err);
	if (rc == 0)
		rc = coordinator_local_open(session->state_dir, &options, &session->coordinator,
					    err);
	return rc;
}

static int connect_coordinator(const struct session_of *of, struct cluster **out, struct err *err)
{
	return coordinator_connect(&of->request->work->coordinator, of->request->target,
				   of->cluster, out, err);
}

/* Deletes the session's index; one that is not there is as well. */
static int remove_index(struct cluster *cluster, const char *session, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	struct str path =
		arena_printf(&mem, "/.migrations_working_state%s%s", *session ? "_" : "", session);
	struct json *answer;
	int status;

	if (cluster_request(cluster, "DELETE", path.ptr, STR_NONE, true, &mem, &status, &answer,
			    err) < 0)
		return -(int)err->kind;
	if (status == 200 || status == 404)
		return 0;
	return err_set(err, ERR_HTTP, "--restart: index '%s' is not deleted: " STR_FMT,
		       path.ptr + 1, STR_ARG(cluster_error_reason(answer, status, &mem)));
}

/* The workers of the Java tool have no name for a session that is given none. */
static const char *index_session(const struct transfer_session *session,
				 const struct session_of *of)
{
	const char *name = of->request->transfer->session_name;
	bool java = strcmp(of->request->work->coordinator.compat, "java") == 0;

	return java && !(name && *name) ? "" : session->name;
}

static int open_index(struct transfer_session *session, const struct session_of *of,
		      struct err *err)
{
	const struct work_fields *work = of->request->work;
	struct coordinator_options options = options_of(session, of);
	bool java = strcmp(work->coordinator.compat, "java") == 0;
	struct cluster *cluster;
	int rc = connect_coordinator(of, &cluster, err);

	options.session = index_session(session, of);
	if (rc < 0)
		return rc;
	return coordinator_cluster_open(cluster, java ? COORDINATOR_JAVA : COORDINATOR_OWN,
					&options, &session->coordinator, err);
}

static int open_cluster(struct transfer_session *session, const struct session_of *of,
			struct err *err)
{
	struct cluster *cluster;
	int rc = open_index(session, of, err);

	if (rc < 0 || !of->request->work->restart)
		return rc;
	rc = check_idle(session->coordinator, err);
	session->coordinator->ops->close(session->coordinator);
	session->coordinator = NULL;
	if (rc == 0)
		rc = connect_coordinator(of, &cluster, err);
	if (rc < 0)
		return rc;
	rc = remove_index(cluster, index_session(session, of), err);
	cluster_close(cluster);
	return rc < 0 ? rc : open_index(session, of, err);
}

static bool is_local(const struct session_of *of)
{
	const char *host = of->request->work->coordinator.host;

	if (strcmp(host, "target") != 0 || !of->cluster ||
	    !cluster_version(of->cluster)->serverless)
		return strcmp(host, "local") == 0;
	log_warn("backfill", "the target is Serverless and keeps no work items: they are kept on "
			     "this host, for its own processes");
	return true;
}

static int open_coordinator(struct transfer_session *session, const struct session_of *of,
			    struct arena *mem, struct err *err)
{
	const struct work_fields *work = of->request->work;
	const char *name = of->request->transfer->session_name;

	/* What is only measured is nobody's work, unless it is given a name. */
	session->lasts = of->kind == TARGET_CLUSTER || of->keeps_places ||
			 (of->kind == TARGET_NULL && name && *name);
	if (of->once)
		session->lasts = false;
	if (!session->lasts) {
		session->coordinator = coordinator_memory_new((int32_t)work->max_failures);
		return 0;
	}
	if (is_local(of) && strcmp(work->coordinator.compat, "java") == 0)
		return err_set(err, ERR_USAGE,
			       "--coordinator-compat java needs --coordinator-host, target or a "
			       "URL: no worker of the Java tool reads the files of this host");
	return is_local(of) ? open_local(session, of, mem, err) : open_cluster(session, of, err);
}

static int open_created(struct transfer_session *session, const struct session_of *of,
			struct arena *mem, struct err *err)
{
	struct str path;

	if (!of->request->create || of->kind != TARGET_CLUSTER)
		return 0;
	path = arena_printf(mem, "%s/work", session->state_dir);
	if (!path.ptr)
		return arena_fail(mem, "--state-dir", err);
	if (directory_make(path.ptr, err) < 0)
		return -(int)err->kind;
	path = arena_printf(mem, "%s/work/%s.indices", session->state_dir, session->name);
	if (!path.ptr)
		return arena_fail(mem, "--state-dir", err);
	return created_indices_open(path.ptr, &session->ours, err);
}

/* A folder that is new holds nothing of what a session has acknowledged. */
static int check_folder(const struct transfer_session *session, const struct session_of *of,
			struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(2048));
	struct coordinator *c = session->coordinator;
	struct work_status *rows;
	size_t count = 0;
	int rc;

	if (!of->keeps_places || of->begun)
		return 0;
	rc = c->ops->list(c, &mem, &rows, &count, err);
	if (rc == -ERR_NOT_FOUND)
		return 0;
	if (rc < 0)
		return rc;
	while (count > 0 && rows[count - 1].progress.documents == 0)
		count--;
	if (count == 0)
		return 0;
	return err_set(err, ERR_USAGE,
		       "session '%s' has begun, and nothing of it is in '%s': pass --restart to "
		       "begin anew",
		       session->name, of->target_name);
}

int transfer_session_open(struct transfer_session *session, const struct session_of *of,
			  struct arena *mem, struct err *err)
{
	*session = (struct transfer_session){.name = session_name(of, mem),
					     .fingerprint = make_fingerprint(of, mem)};
	if (mem->failed)
		return arena_fail(mem, "the session", err);
	if (of->begun && of->request->work->restart)
		return err_set(err, ERR_USAGE, "--restart: empty '%s' first, and run it again",
			       of->target_name);
	if (state_dir_path(of->request->general->state_dir, mem, &session->state_dir, err) < 0 ||
	    open_coordinator(session, of, mem, err) < 0 || check_folder(session, of, err) < 0)
		return -(int)err->kind;
	return open_created(session, of, mem, err);
}

void transfer_session_release(struct transfer_session *session)
{
	created_indices_close(session->ours);
	if (session->coordinator)
		session->coordinator->ops->close(session->coordinator);
	*session = (struct transfer_session){0};
}

const char *digest_folder_of(const char *state_dir, const char *session, struct arena *mem)
{
	return arena_printf(mem, "%s/digests/%s", state_dir, session).ptr;
}
