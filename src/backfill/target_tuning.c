#include "backfill/target_tuning.h"

#include "backfill/tuning_file.h"

#include <stdio.h>
#include <stdlib.h>

#define ANSWER_MAX MIB(16)
#define REPLICAS STR("number_of_replicas")
#define FLAT_REFRESH "index.refresh_interval"
#define FLAT_REPLICAS "index.number_of_replicas"
#define FLAT_EXPAND "index.auto_expand_replicas"
#define FLAT_DELETES "index.gc_deletes"
#define KEPT_DELETES "30d"

struct target_tuning {
	struct cluster *cluster;
	struct tuning_place place;
	struct tuning_report *report; /* of the call under way */
	struct tuning_file file;
};

static struct json *saved_indices(struct target_tuning *tuning)
{
	return json_get(tuning->file.root, "indices");
}

/* One request about an index's settings. 0 with *status 0: it is not allowed, and the report says
 * so. `body` STR_NONE: asks. */
static int ask(struct target_tuning *tuning, struct str index, struct str body, struct arena *mem,
	       int *status, struct json **answer, struct err *err)
{
	cleanup(buf_release) struct buf path = BUF_INIT(LIMIT_PATH);
	struct err refused = {0};
	int failed;

	buf_append_byte(&path, '/');
	http_append_encoded(&path, index);
	buf_append_str(&path,
		       body.ptr ? STR("/_settings")
				: STR("/_settings/" FLAT_REFRESH "," FLAT_REPLICAS "," FLAT_EXPAND
				      "," FLAT_DELETES "?flat_settings=true"));
	*status = 0;
	if ((failed = buf_check(&path, "name of an index", err)) < 0)
		return failed;
	failed = cluster_request(tuning->cluster, body.ptr ? "PUT" : "GET", buf_cstr(&path), body,
				 true, mem, status, answer, &refused);
	if (failed == -ERR_AUTH) {
		*status = 0;
		snprintf(tuning->report->reason, sizeof(tuning->report->reason), "%.*s",
			 (int)sizeof(tuning->report->reason) - 1, refused.message);
		return 0;
	}
	if (failed < 0 && err)
		*err = refused;
	return failed;
}

static void note_reason(struct target_tuning *tuning, struct str index, struct str reason)
{
	snprintf(tuning->report->reason, sizeof(tuning->report->reason),
		 "index '" STR_FMT "': %.*s", STR_ARG(index), (int)MIN(reason.len, (size_t)300),
		 reason.ptr ? reason.ptr : "");
}

/* The settings of the one index that `name` stands for, and its own name. NULL in *settings: there
 * is none, or several, or it is not allowed; the report says which. */
static int look(struct target_tuning *tuning, struct str name, struct arena *mem,
		const struct json **settings, struct str *own_name, bool *gone, struct err *err)
{
	struct json *answer = NULL;
	int status, failed;

	*settings = NULL;
	*gone = false;
	failed = ask(tuning, name, STR_NONE, mem, &status, &answer, err);
	if (failed < 0 || status == 0)
		return failed;
	*gone = status == 404;
	if (status != 200) {
		note_reason(tuning, name, cluster_error_reason(answer, status, mem));
	} else if (!answer || answer->type != JSON_OBJECT || answer->count != 1) {
		note_reason(tuning, name, STR("the name stands for several indices"));
	} else {
		*settings = json_get(answer->first, "settings");
		*own_name = answer->first->key;
		if (!*settings)
			*settings = answer->first;
	}
	return 0;
}

/* What another session saved of this index, which it found untouched; NULL: nothing. */
static const struct json *saved_elsewhere(struct target_tuning *tuning, struct str index,
					  const char *setting, struct arena *mem)
{
	struct str *sessions;
	size_t count;

	if (tuning_file_sessions(tuning->place.state_dir, mem, &sessions, &count, NULL) < 0)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		struct json *root = NULL, *found;

		if (str_is(sessions[i], tuning->place.session) ||
		    tuning_file_peek(tuning->place.state_dir, sessions[i].ptr, mem, &root, NULL) <
			    0 ||
		    !str_is(json_string(json_get(root, "target")), tuning->place.target))
			continue;
		found = json_get(json_get_str(json_get(root, "indices"), index), setting);
		if (found)
			return found;
	}
	return NULL;
}

static struct json *copy_or_null(struct arena *mem, const struct json *value)
{
	return value ? json_copy(mem, value) : json_new(mem, JSON_NULL);
}

/* A setting as it is to be again. What a crashed run saved stays while the target has what tuning
 * made of it; a value that somebody set since takes its place. */
static void save_setting(struct target_tuning *tuning, struct json *saved, const char *name,
			 const struct json *now, const char *tuned, struct str index,
			 struct arena *mem)
{
	struct arena *kept = &tuning->file.mem;

	if (!str_is(json_text_or(now, STR_NONE), tuned)) {
		json_set(saved, str_from(name), copy_or_null(kept, now));
	} else if (!json_get(saved, name)) {
		now = saved_elsewhere(tuning, index, name, mem);
		if (now)
			json_set(saved, str_from(name), json_copy(kept, now));
	}
}

static void save_replicas(struct target_tuning *tuning, struct json *saved,
			  const struct json *settings, bool created)
{
	struct str now = json_text_or(json_get(settings, FLAT_REPLICAS), STR_NONE);
	struct str expand = json_text_or(json_get(settings, FLAT_EXPAND), STR("false"));
	struct arena *kept = &tuning->file.mem;

	if (!created && !json_get_str(saved, REPLICAS))
		return;
	if (str_is(expand, "false") && now.len && !str_is(now, "0"))
		json_set(saved, REPLICAS, json_new_string(kept, arena_str(kept, now)));
}

static int save(struct target_tuning *tuning, const struct tuned_index *index, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(ANSWER_MAX);
	const struct json *settings;
	struct json *saved, *fresh = NULL;
	struct str own_name;
	bool gone;
	int failed = look(tuning, index->name, &mem, &settings, &own_name, &gone, err);

	if (failed < 0)
		return failed;
	if (!settings) {
		tuning->report->left_alone++;
		return 0;
	}
	saved = json_get_str(saved_indices(tuning), own_name);
	if (!saved)
		saved = fresh = json_new(&tuning->file.mem, JSON_OBJECT);
	if (index->keep_deletes) {
		save_setting(tuning, saved, "gc_deletes", json_get(settings, FLAT_DELETES),
			     KEPT_DELETES, own_name, &mem);
	} else {
		save_setting(tuning, saved, "refresh_interval", json_get(settings, FLAT_REFRESH),
			     "-1", own_name, &mem);
		save_replicas(tuning, saved, settings, index->created);
	}
	if (fresh && fresh->count > 0)
		json_set(saved_indices(tuning), arena_str(&tuning->file.mem, own_name), fresh);
	return tuning->file.mem.failed ? arena_fail(&tuning->file.mem, "saved settings", err) : 0;
}

static int put(struct target_tuning *tuning, struct str index, struct json *settings,
	       struct arena *mem, bool *done, struct err *err)
{
	cleanup(buf_release) struct buf body = BUF_INIT(MIB(1));
	struct json *answer = NULL;
	int status, failed;

	json_write(&body, settings);
	if ((failed = buf_check(&body, "settings", err)) < 0)
		return failed;
	failed = ask(tuning, index, buf_str(&body), mem, &status, &answer, err);
	*done = failed == 0 && (status == 200 || status == 404);
	if (failed == 0 && !*done && status != 0)
		note_reason(tuning, index, cluster_error_reason(answer, status, mem));
	return failed;
}

static int tune(struct target_tuning *tuning, const struct json *saved, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(ANSWER_MAX);
	struct json *settings = json_new(&mem, JSON_OBJECT);
	bool done = false;
	int failed;

	if (json_get(saved, "refresh_interval"))
		json_set(settings, STR(FLAT_REFRESH), json_new_string(&mem, STR("-1")));
	if (json_get(saved, "number_of_replicas"))
		json_set(settings, STR(FLAT_REPLICAS), json_new_string(&mem, STR("0")));
	if (json_get(saved, "gc_deletes"))
		json_set(settings, STR(FLAT_DELETES), json_new_string(&mem, STR(KEPT_DELETES)));
	failed = put(tuning, saved->key, settings, &mem, &done, err);
	if (done)
		tuning->report->tuned++;
	else
		tuning->report->left_alone++;
	return failed;
}

/* A setting goes back where it still is what tuning made of it. */
static void put_back(struct json *into, const struct json *now, const struct json *old,
		     const char *flat_name, const char *tuned, struct arena *mem)
{
	if (old && str_is(json_text_or(json_get(now, flat_name), STR_NONE), tuned))
		json_set(into, str_from(flat_name), json_copy(mem, old));
}

/* *done: nothing of this index is left to be put back. */
static int restore(struct target_tuning *tuning, const struct json *saved, bool *done,
		   struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(ANSWER_MAX);
	struct json *settings = json_new(&mem, JSON_OBJECT);
	const struct json *now;
	struct str own_name;
	int failed = look(tuning, saved->key, &mem, &now, &own_name, done, err);

	if (failed < 0 || !now)
		return failed;
	put_back(settings, now, json_get(saved, "refresh_interval"), FLAT_REFRESH, "-1", &mem);
	put_back(settings, now, json_get(saved, "number_of_replicas"), FLAT_REPLICAS, "0", &mem);
	put_back(settings, now, json_get(saved, "gc_deletes"), FLAT_DELETES, KEPT_DELETES, &mem);
	if (mem.failed)
		return arena_fail(&mem, "settings of an index", err);
	*done = settings->count == 0;
	if (*done)
		return 0;
	failed = put(tuning, saved->key, settings, &mem, done, err);
	tuning->report->restored += *done;
	return failed;
}

/* In their order; those that are done leave the file, which is written in any case. */
static int restore_all(struct target_tuning *tuning, struct err *err)
{
	struct json *indices = saved_indices(tuning), *next;
	int failed = 0, unwritten;

	for (struct json *index = indices->first; index && failed == 0; index = next) {
		bool done = false;

		next = index->next;
		failed = restore(tuning, index, &done, err);
		if (done)
			json_remove(indices, index->key);
	}
	tuning->report->kept = indices->count;
	unwritten = tuning_file_write(&tuning->file, failed < 0 ? NULL : err);
	return failed < 0 ? failed : unwritten;
}

void target_tuning_abandon(struct target_tuning *tuning)
{
	if (!tuning)
		return;
	tuning_file_release(&tuning->file);
	free(tuning);
}

static void free_tuningp(struct target_tuning **tuning)
{
	target_tuning_abandon(*tuning);
}

/* Takes over what another host saved, where this one has nothing of the kind. */
static int take_shared(struct target_tuning *tuning, struct err *err)
{
	const struct tuning_share *share = tuning->place.share;
	struct arena *mem = &tuning->file.mem;
	struct json *shared, *indices = saved_indices(tuning);

	if (!share || !share->saved.ptr)
		return 0;
	/* The tree borrows what it was parsed from. */
	if (json_parse(arena_str(mem, share->saved), mem, &shared, err) < 0)
		return err_wrap(err, "settings saved by another host");
	if (!json_get(tuning->file.root, "target"))
		json_set(tuning->file.root, STR("target"),
			 copy_or_null(mem, json_get(shared, "target")));
	json_each (index, json_get(shared, "indices"))
		if (!json_get_str(indices, index->key))
			json_set(indices, index->key, json_copy(mem, index));
	return mem->failed ? arena_fail(mem, "saved settings", err) : 0;
}

/* What is on disk, for the session's other hosts. */
static int publish(struct target_tuning *tuning, struct err *err)
{
	const struct tuning_share *share = tuning->place.share;
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(64));

	if (!share)
		return 0;
	json_write(&text, tuning->file.root);
	if (buf_check(&text, "saved settings", err) < 0)
		return -(int)err->kind;
	return share->publish(share->user, buf_str(&text), err);
}

static int open_tuning(struct cluster *cluster, const struct tuning_place *place,
		       struct tuning_report *report, struct target_tuning **out, struct err *err)
{
	struct target_tuning *tuning = *out = mem_zalloc(sizeof(*tuning));
	struct str target;
	int failed;

	*report = (struct tuning_report){0};
	*tuning = (struct target_tuning){.cluster = cluster, .place = *place, .report = report};
	if ((failed = tuning_file_open(&tuning->file, place->state_dir, place->session, err)) < 0 ||
	    (failed = take_shared(tuning, err)) < 0)
		return failed;
	target = json_string(json_get(tuning->file.root, "target"));
	if (!target.len || str_is(target, place->target))
		return 0;
	return err_set(err, ERR_USAGE,
		       "session '%s' left settings to put back on " STR_FMT
		       ", which is not %s; `shardlift restore-settings --target-host " STR_FMT
		       "` puts them back",
		       place->session, STR_ARG(target), place->target, STR_ARG(target));
}

static int change(struct target_tuning *tuning, const struct tuned_index *indices, size_t count,
		  struct err *err)
{
	int failed = 0;

	json_set(tuning->file.root, STR("target"),
		 json_new_string(&tuning->file.mem, str_from(tuning->place.target)));
	for (size_t i = 0; i < count && failed == 0; i++)
		failed = save(tuning, &indices[i], err);
	if (failed == 0)
		failed = tuning_file_write(&tuning->file, err);
	if (failed == 0)
		failed = publish(tuning, err);
	for (struct json *index = saved_indices(tuning)->first; index && failed == 0;
	     index = index->next)
		failed = tune(tuning, index, err);
	return failed < 0 ? failed : tuning_file_share(&tuning->file, err);
}

int target_tuning_begin(struct cluster *cluster, const struct tuning_place *place,
			const struct tuned_index *indices, size_t count, struct target_tuning **out,
			struct tuning_report *report, struct err *err)
{
	cleanup(free_tuningp) struct target_tuning *tuning = NULL;
	int failed;

	*out = NULL;
	*report = (struct tuning_report){0};
	if (cluster_version(cluster)->serverless)
		return 0;
	if ((failed = open_tuning(cluster, place, report, &tuning, err)) < 0 ||
	    (failed = change(tuning, indices, count, err)) < 0)
		return failed;
	*out = take(tuning);
	return 0;
}

int target_tuning_add(struct target_tuning *tuning, const struct tuned_index *indices, size_t count,
		      struct tuning_report *report, struct err *err)
{
	int failed = 0;

	*report = (struct tuning_report){0};
	tuning->report = report;
	for (size_t i = 0; i < count && failed == 0; i++)
		failed = save(tuning, &indices[i], err);
	if (failed == 0)
		failed = tuning_file_write(&tuning->file, err);
	for (size_t i = 0; i < count && failed == 0; i++) {
		struct json *saved = json_get_str(saved_indices(tuning), indices[i].name);

		if (saved)
			failed = tune(tuning, saved, err);
	}
	return failed;
}

int target_tuning_end(struct target_tuning *tuning, struct tuning_report *report, struct err *err)
{
	int last;

	*report = (struct tuning_report){0};
	if (!tuning)
		return 0;
	tuning->report = report;
	last = tuning_file_leave(&tuning->file, err);
	report->busy = last == 0;
	if (last > 0)
		last = restore_all(tuning, err);
	target_tuning_abandon(tuning);
	return MIN(last, 0);
}

int target_tuning_restore(struct cluster *cluster, const struct tuning_place *place,
			  struct tuning_report *report, struct err *err)
{
	cleanup(free_tuningp) struct target_tuning *tuning = NULL;
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_METADATA_ARENA);
	struct json *left = NULL;
	int alone;

	*report = (struct tuning_report){0};
	alone = tuning_file_peek(place->state_dir, place->session, &mem, &left, err);
	if (alone < 0 || (!left && !(place->share && place->share->saved.ptr)))
		return alone;
	if ((alone = open_tuning(cluster, place, report, &tuning, err)) < 0 ||
	    (alone = tuning_file_write(&tuning->file, err)) < 0)
		return alone;
	alone = tuning_file_leave(&tuning->file, err);
	report->busy = alone == 0;
	return alone > 0 ? restore_all(tuning, err) : alone;
}
