/* Whether a target may, can and will reindex from a source: asked before anything is written. */
#include "base/clock.h"
#include "base/log.h"
#include "workflow/routes/reindex_allowlist.h"
#include "workflow/routes/remote_reindex.h"

#include <inttypes.h>
#include <time.h>

#define ANSWER_MAX MIB(16)
#define ADVICE_MAX KIB(64)
#define POLL_S 2

static bool tells_of(struct str reason, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (reason.ptr && memmem(reason.ptr, reason.len, words[i], strlen(words[i])))
			return true;
	return false;
}

/* Why the target's own way to the source ends. Answers have many lines: the first says it. */
static int say_refused(const struct remote_reindex_options *options, struct str reason,
		       struct err *err)
{
	static const char *const tls[] = {"s_s_l_", "ssl_", "PKIX", "certificate"};
	static const char *const reach[] = {"connect_exception",       "unknown_host",
					    "socket_timeout",          "connect_timeout",
					    "no_route_to_host",        "connection_closed",
					    "Connection reset by peer"};
	static const char *const login[] = {"HTTP/1.1 401", "HTTP/1.1 403", "security_exception"};
	const char *newline = reason.ptr ? memchr(reason.ptr, '\n', reason.len) : NULL;

	if (newline)
		reason.len = (size_t)(newline - reason.ptr);
	reason.len = MIN(reason.len, (size_t)400);
	if (tells_of(reason, tls, COUNT_OF(tls)))
		return err_set(err, ERR_UNREACHABLE,
			       "the target does not trust '" STR_FMT "': " STR_FMT
			       "; set reindex.ssl.certificate_authorities on its nodes, or "
			       "use --mode pull",
			       STR_ARG(options->address), STR_ARG(reason));
	if (tells_of(reason, login, COUNT_OF(login)))
		return err_set(err, ERR_AUTH,
			       "the source does not let the target in: " STR_FMT
			       "; check --source-username, --source-password and the user's roles",
			       STR_ARG(reason));
	if (tells_of(reason, reach, COUNT_OF(reach)))
		return err_set(
			err, ERR_UNREACHABLE,
			"the target cannot reach '" STR_FMT "': " STR_FMT
			"; open the way from the target to the source, name it as the target "
			"sees it with --remote-host, or use --mode pull",
			STR_ARG(options->address), STR_ARG(reason));
	return err_set(err, ERR_HTTP, "the target cannot reindex from '" STR_FMT "': " STR_FMT,
		       STR_ARG(options->address), STR_ARG(reason));
}

static int log_advice(const struct remote_reindex_options *options, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(ANSWER_MAX);
	cleanup(buf_release) struct buf text = BUF_INIT(ADVICE_MAX);
	const struct json *patterns;
	struct str line, rest;

	if (reindex_allowlist_read(options->target, &mem, &patterns, err) < 0)
		return -(int)err->kind;
	reindex_allowlist_advice(cluster_version(options->target), patterns, options->address,
				 options->tls, &text);
	if (buf_check(&text, "the allowlist", err) < 0)
		return -(int)err->kind;
	for (rest = buf_str(&text); str_split(rest, '\n', &line, &rest);)
		log_warn("copy", STR_FMT, STR_ARG(line));
	return 0;
}

static int say_not_allowed(const struct remote_reindex_options *options, struct err *err)
{
	return err_set(
		err, ERR_BLOCKED,
		"'" STR_FMT "' is not in %s of the target: set it as told above and run the "
		"same command again (--wait-for-allowlist 15m waits for the restart), or use "
		"--mode pull",
		STR_ARG(options->address),
		reindex_allowlist_name(cluster_version(options->target)));
}

enum probe { PROBE_TAKEN, PROBE_NOT_ALLOWED, PROBE_AWAY };

/* While nodes restart they do not answer: that is no end of the wait. */
static int probe(const struct remote_reindex_options *options, struct str index, bool waiting,
		 enum probe *out, struct err *err)
{
	const struct reindex_request request = {
		.from = index, .to = index, .remote = options->remote};
	cleanup(arena_release) struct arena mem = ARENA_INIT(ANSWER_MAX);
	struct str refusal;
	int rc = reindex_probe(options->target, &request, &mem, &refusal, err);

	*out = PROBE_TAKEN;
	if (waiting && (rc == -ERR_UNREACHABLE || rc == -ERR_TIMEOUT || rc == -ERR_HTTP)) {
		*out = PROBE_AWAY;
		return 0;
	}
	if (rc < 0)
		return err_wrap(err, "the target's _reindex");
	if (!refusal.ptr)
		return 0;
	if (!reindex_is_refused(refusal))
		return say_refused(options, refusal, err);
	*out = PROBE_NOT_ALLOWED;
	return 0;
}

/* A pause that a signal ends within a second. */
static int pause_between(const atomic_bool *cancel, struct err *err)
{
	const struct timespec second = {.tv_sec = 1};

	for (int i = 0; i < POLL_S; i++) {
		if (atomic_load(cancel))
			return err_set(err, ERR_CANCELLED, "interrupted");
		nanosleep(&second, NULL);
	}
	return 0;
}

static int wait_for_allowlist(const struct remote_reindex_options *options, struct str index,
			      const atomic_bool *cancel, struct err *err)
{
	int64_t until = clock_monotonic_ms() + options->allowlist_wait_ms;
	enum probe outcome = PROBE_NOT_ALLOWED;

	log_info("copy", "waiting for the target to accept '" STR_FMT "', for %" PRId64 " s",
		 STR_ARG(options->address), options->allowlist_wait_ms / 1000);
	while (outcome != PROBE_TAKEN) {
		if (clock_monotonic_ms() >= until)
			return say_not_allowed(options, err);
		if (pause_between(cancel, err) < 0 ||
		    probe(options, index, true, &outcome, err) < 0)
			return -(int)err->kind;
	}
	return 0;
}

static int look_at_allowlist(const struct remote_reindex_options *options, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(ANSWER_MAX);
	const struct json *patterns;

	if (reindex_allowlist_read(options->target, &mem, &patterns, err) < 0)
		return -(int)err->kind;
	if (!patterns)
		log_info("copy", "what the target's allowlist holds cannot be seen by this user");
	json_each (pattern, patterns)
		if (reindex_pattern_accepts(json_string(pattern), options->address))
			return 0;
	if (!patterns)
		return 0;
	return log_advice(options, err) < 0 ? -(int)err->kind : say_not_allowed(options, err);
}

int remote_reindex_check(const struct remote_reindex_options *options, struct str index, bool plan,
			 const atomic_bool *cancel, struct err *err)
{
	const char *why = options->remote ? reindex_cannot(cluster_version(options->source),
							   cluster_version(options->target))
					  : NULL;
	enum probe outcome;

	if (why)
		return err_set(err, ERR_UNSUPPORTED,
			       "%s cannot reindex from %s: %s; use --mode pull",
			       cluster_version_text(options->target),
			       cluster_version_text(options->source), why);
	if (!options->remote)
		return 0;
	if (plan)
		return look_at_allowlist(options, err);
	if (probe(options, index, false, &outcome, err) < 0)
		return -(int)err->kind;
	if (outcome == PROBE_TAKEN)
		return 0;
	if (log_advice(options, err) < 0)
		return -(int)err->kind;
	return options->allowlist_wait_ms > 0 ? wait_for_allowlist(options, index, cancel, err)
					      : say_not_allowed(options, err);
}
