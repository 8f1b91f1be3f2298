#include "cli/transfer_session.h"

#include "backfill/coordinator_memory.h"
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

static struct str make_fingerprint(const struct session_of *of, struct arena *mem)
{
	const struct transfer_fields *fields = of->request->transfer;
	const struct snapshot_summary *summary = &of->snapshot->summary;
	size_t count;
	uint64_t selection = hash_selection(of, &count);
	const char *transformer = transformer_text(of, mem);

	if (!transformer)
		return STR_NONE;
	return arena_printf(
		mem,
		"%zu indices (%08" PRIx32 ") of snapshot '" STR_FMT "' (" STR_FMT
		") in '%s' to '%s', op-type %s%s%s%s",
		count, (uint32_t)(selection ^ selection >> 32), STR_ARG(summary->name),
		STR_ARG(summary->uuid), of->request->repository->repo_uri, of->target_name,
		fields->op_type, fields->source_versions ? ", source versions" : "",
		strcmp(fields->generated_ids, "always") == 0 ? ", ids made anew" : "", transformer);
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

static int open_coordinator(struct transfer_session *session, const struct session_of *of,
			    struct arena *mem, struct err *err)
{
	const char *host = of->request->work->coordinator_host;
	const char *name = of->request->transfer->session_name;

	/* Files are not taken up again, and what is only measured is nobody's work, unless it is
	 * given a name. */
	session->lasts = of->kind == TARGET_CLUSTER || (of->kind == TARGET_NULL && name && *name);
	if (!session->lasts) {
		session->coordinator =
			coordinator_memory_new((int32_t)of->request->work->max_failures);
		return 0;
	}
	if (strcmp(host, "local") != 0)
		return err_set(err, ERR_UNSUPPORTED, "--coordinator-host %s", host);
	return open_local(session, of, mem, err);
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

int transfer_session_open(struct transfer_session *session, const struct session_of *of,
			  struct arena *mem, struct err *err)
{
	*session = (struct transfer_session){.name = session_name(of, mem),
					     .fingerprint = make_fingerprint(of, mem)};
	if (mem->failed)
		return arena_fail(mem, "the session", err);
	if (state_dir_path(of->request->general->state_dir, mem, &session->state_dir, err) < 0 ||
	    open_coordinator(session, of, mem, err) < 0)
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
