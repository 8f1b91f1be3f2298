#include "workflow/routes/index_move.h"

#include "base/log.h"
#include "cluster/reindex_api.h"

#define ANSWER_MAX MIB(16)
#define BODY_MAX MIB(4)

/* METHOD /<name><rest>, which may be repeated. */
static int ask(struct cluster *cluster, const char *method, struct str name, const char *rest,
	       struct str body, struct arena *mem, int *status, struct json **answer,
	       struct err *err)
{
	cleanup(buf_release) struct buf path = BUF_INIT(LIMIT_PATH);

	buf_append_byte(&path, '/');
	http_append_encoded(&path, name);
	buf_append_str(&path, str_from(rest));
	if (buf_check(&path, "a path", err) < 0)
		return -(int)err->kind;
	return cluster_request(cluster, method, buf_cstr(&path), body, true, mem, status, answer,
			       err);
}

static int fail(const char *what, struct str index, int status, const struct json *answer,
		struct arena *mem, struct err *err)
{
	return err_set(err, ERR_HTTP, "index '" STR_FMT "': %s: " STR_FMT, STR_ARG(index), what,
		       STR_ARG(cluster_error_reason(answer, status, mem)));
}

static int is_there(struct cluster *cluster, struct str name, bool *there, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(ANSWER_MAX);
	struct json *answer = NULL;
	int status;

	if (ask(cluster, "GET", name, "/_settings", STR_NONE, &mem, &status, &answer, err) < 0)
		return -(int)err->kind;
	*there = status == 200;
	return status == 200 || status == 404 ? 0
					      : fail("its cluster does not say whether it is there",
						     name, status, answer, &mem, err);
}

int index_move_check_free(struct cluster *target, struct str name, struct err *err)
{
	bool there;

	if (is_there(target, name, &there, err) < 0)
		return -(int)err->kind;
	if (!there)
		return 0;
	return err_set(err, ERR_BLOCKED,
		       "the target has an index or alias '" STR_FMT
		       "' already; delete it, or move under another name with --rename " STR_FMT
		       "=NAME",
		       STR_ARG(name), STR_ARG(name));
}

/* Writes of the source's index are blocked now. */
static int is_blocked(const struct index_move *move, struct str index, bool *blocked,
		      struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(ANSWER_MAX);
	struct json *answer = NULL;
	int status;

	if (ask(move->source, "GET", index, "/_settings", STR_NONE, &mem, &status, &answer, err) <
	    0)
		return -(int)err->kind;
	if (status != 200)
		return fail("the source does not tell its settings", index, status, answer, &mem,
			    err);
	*blocked = false;
	json_each (entry, answer)
		*blocked |= json_bool_or(
			json_path(entry, "settings", "index", "blocks", "write", NULL), false);
	return 0;
}

/* From 7.9 on a request of its own waits for writes that are on their way. */
static bool has_block_request(const struct cluster_version *version)
{
	return version->flavour == CLUSTER_OPENSEARCH || version->major > 7 ||
	       (version->major == 7 && version->minor >= 9);
}

int index_move_block(const struct index_move *move, struct str index, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(ANSWER_MAX);
	struct json *answer = NULL;
	bool known, found = false;
	int status = 0;

	move_record_is_blocked(move->record, index, &known);
	if (!known && (is_blocked(move, index, &found, err) < 0 ||
		       move_record_block(move->record, index, found, err) < 0))
		return -(int)err->kind;
	if (has_block_request(cluster_version(move->source)) &&
	    ask(move->source, "PUT", index, "/_block/write", STR_NONE, &mem, &status, &answer,
		err) < 0)
		return -(int)err->kind;
	if (status == 200)
		return 0;
	if (ask(move->source, "PUT", index, "/_settings", STR("{\"index.blocks.write\":true}"),
		&mem, &status, &answer, err) < 0)
		return -(int)err->kind;
	return status == 200 ? 0
			     : fail("writes to it are not blocked on the source", index, status,
				    answer, &mem, err);
}

static int lift_block(const struct index_move *move, struct str index, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(ANSWER_MAX);
	const struct cluster_version *version = cluster_version(move->source);
	bool old = version->flavour == CLUSTER_ELASTICSEARCH && version->major < 6;
	struct json *answer = NULL;
	int status;

	if (ask(move->source, "PUT", index, "/_settings",
		old ? STR("{\"index.blocks.write\":false}") : STR("{\"index.blocks.write\":null}"),
		&mem, &status, &answer, err) < 0)
		return -(int)err->kind;
	return status == 200 ? 0
			     : fail("its write block is not lifted on the source", index, status,
				    answer, &mem, err);
}

/* Names of the indices that have the alias. ERR_BLOCKED: an index is called so. */
static int holders(const struct index_move *move, struct str alias, struct arena *mem,
		   struct json **out, struct err *err)
{
	struct json *answer = NULL;
	int status;

	*out = json_new(mem, JSON_ARRAY);
	if (ask(move->target, "GET", alias, "/_alias", STR_NONE, mem, &status, &answer, err) < 0)
		return -(int)err->kind;
	if (status == 404)
		return 0;
	if (status != 200)
		return fail("the target does not tell its aliases", alias, status, answer, mem,
			    err);
	json_each (entry, answer) {
		if (str_eq(entry->key, alias))
			return err_set(err, ERR_BLOCKED,
				       "--swap-alias '" STR_FMT "': the target has an index of "
				       "that name; an alias cannot be called as an index is",
				       STR_ARG(alias));
		json_append(*out, json_new_string(mem, entry->key));
	}
	return mem->failed ? arena_fail(mem, "the aliases", err) : 0;
}

/* Whether an index of the target is one that is moved behind the same alias. */
static bool is_moved(const struct move_record *record, struct str target, struct str alias)
{
	const struct json *before;

	json_each (entry, record->indices)
		if (str_eq(move_record_target(record, entry->key), target) &&
		    str_eq(move_record_alias_of(record, entry->key, &before), alias))
			return true;
	return false;
}

static void add_action(struct buf *body, const char *verb, struct str index, struct str alias)
{
	if (!str_ends(buf_str(body), STR("[")))
		buf_append_byte(body, ',');
	buf_printf(body, "{\"%s\":{\"index\":", verb);
	json_write_string(body, index);
	buf_append_str(body, STR(",\"alias\":"));
	json_write_string(body, alias);
	buf_append_str(body, STR("}}"));
}

static int change_aliases(const struct index_move *move, struct str index, struct buf *body,
			  struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(ANSWER_MAX);
	struct json *answer = NULL;
	int status;

	buf_append_str(body, STR("]}"));
	if (buf_check(body, "the aliases", err) < 0 ||
	    cluster_request(move->target, "POST", "/_aliases", buf_str(body), true, &mem, &status,
			    &answer, err) < 0)
		return -(int)err->kind;
	return status == 200 ? 0
			     : fail("its alias is not changed on the target", index, status, answer,
				    &mem, err);
}

int index_move_swap(const struct index_move *move, struct str index, struct str alias,
		    struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(ANSWER_MAX);
	cleanup(buf_release) struct buf body = BUF_INIT(BODY_MAX);
	struct str target = move_record_target(move->record, index), was;
	const struct json *before;
	struct json *now, *others = json_new(&mem, JSON_ARRAY);

	if (holders(move, alias, &mem, &now, err) < 0)
		return -(int)err->kind;
	json_each (holder, now)
		if (!str_eq(holder->text, target) && !is_moved(move->record, holder->text, alias))
			json_append(others, json_new_string(&mem, holder->text));
	was = move_record_alias_of(move->record, index, &before);
	if (!was.ptr && move_record_alias(move->record, index, alias, others, err) < 0)
		return -(int)err->kind;
	buf_append_str(&body, STR("{\"actions\":["));
	json_each (holder, others)
		add_action(&body, "remove", holder->text, alias);
	add_action(&body, "add", target, alias);
	return change_aliases(move, index, &body, err);
}

/* Puts the alias where it was; an index that has gone since does not get it. */
static int swap_back(const struct index_move *move, struct str index, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(ANSWER_MAX);
	cleanup(buf_release) struct buf body = BUF_INIT(BODY_MAX);
	struct str target = move_record_target(move->record, index);
	const struct json *before;
	struct str alias = move_record_alias_of(move->record, index, &before);
	struct json *now;
	bool there;

	if (!alias.ptr)
		return 0;
	if (holders(move, alias, &mem, &now, err) < 0)
		return -(int)err->kind;
	buf_append_str(&body, STR("{\"actions\":["));
	json_each (holder, before) {
		if (is_there(move->target, holder->text, &there, err) < 0)
			return -(int)err->kind;
		if (there)
			add_action(&body, "add", holder->text, alias);
		else
			log_warn("move",
				 "'" STR_FMT "' is not on the target any more: it does "
				 "not get its alias '" STR_FMT "' back",
				 STR_ARG(holder->text), STR_ARG(alias));
	}
	json_each (holder, now)
		if (str_eq(holder->text, target))
			add_action(&body, "remove", target, alias);
	return str_ends(buf_str(&body), STR("[")) ? 0 : change_aliases(move, index, &body, err);
}

static int delete_index(struct cluster *cluster, struct str index, const char *where,
			struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(ANSWER_MAX);
	struct json *answer = NULL;
	int status;

	if (ask(cluster, "DELETE", index, "", STR_NONE, &mem, &status, &answer, err) < 0)
		return -(int)err->kind;
	if (status == 200 || status == 404)
		return 0;
	return err_set(err, ERR_HTTP, "index '" STR_FMT "' is not deleted on the %s: " STR_FMT,
		       STR_ARG(index), where, STR_ARG(cluster_error_reason(answer, status, &mem)));
}

int index_move_delete_source(const struct index_move *move, struct str index, struct err *err)
{
	struct str target = move_record_target(move->record, index);
	bool blocked, moved, there;

	if (is_there(move->target, target, &moved, err) < 0 ||
	    is_there(move->source, index, &there, err) < 0)
		return -(int)err->kind;
	if (!moved)
		return err_set(err, ERR_BLOCKED,
			       "index '" STR_FMT
			       "' is not deleted on the source: the target has no "
			       "'" STR_FMT "' any more",
			       STR_ARG(index), STR_ARG(target));
	/* Otherwise an earlier run that was killed has deleted it. */
	if (there) {
		if (is_blocked(move, index, &blocked, err) < 0)
			return -(int)err->kind;
		if (!blocked)
			return err_set(err, ERR_BLOCKED,
				       "index '" STR_FMT "' is not deleted on the source: somebody "
				       "lifted its write block, and may have written to it",
				       STR_ARG(index));
		if (delete_index(move->source, index, "source", err) < 0)
			return -(int)err->kind;
	}
	return move_record_step(move->record, index, MOVE_DELETED, err);
}

int index_move_back_out(const struct index_move *move, struct str index,
			struct created_indices *ours, bool *kept, struct err *err)
{
	enum move_step step = move_record_step_of(move->record, index);
	struct str target = move_record_target(move->record, index);
	bool known, there, made = created_indices_has(ours, target);

	*kept = made && move_record_may_be_told(move->record, index);
	if (step == MOVE_DELETED)
		return err_set(err, ERR_BLOCKED,
			       "index '" STR_FMT "' cannot be taken back: it is deleted on the "
			       "source; move it the other way round",
			       STR_ARG(index));
	if (is_there(move->source, index, &there, err) < 0)
		return -(int)err->kind;
	if (!there && made)
		return err_set(err, ERR_BLOCKED,
			       "index '" STR_FMT "' cannot be taken back: the source does not have "
			       "it any more, '" STR_FMT "' on the target may be all there is",
			       STR_ARG(index), STR_ARG(target));
	if (move_record_back_out(move->record, index, err) < 0 || swap_back(move, index, err) < 0)
		return -(int)err->kind;
	/* A task that goes on would make the index anew. */
	if (made && !*kept &&
	    (reindex_stop(move->target, index, target, err) < 0 ||
	     delete_index(move->target, target, "target", err) < 0))
		return -(int)err->kind;
	if (there && move_record_is_blocked(move->record, index, &known) &&
	    lift_block(move, index, err) < 0)
		return -(int)err->kind;
	return move_record_forget(move->record, index, err);
}
