#include "workflow/routes/reindex_tasks.h"

#include "base/small_file.h"

#define FILE_MAX MIB(16)

static int read_file(struct reindex_tasks *tasks, struct str of, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(FILE_MAX);
	int rc = small_file_read(tasks->path, &text, err);
	struct str was;

	if (rc <= 0)
		return rc;
	rc = json_parse(arena_str(&tasks->mem, buf_str(&text)), &tasks->mem, &tasks->root, err);
	if (rc < 0)
		return err_wrap(err, "'%s' (--restart begins anew)", tasks->path);
	was = json_text_or(json_get(tasks->root, "of"), STR("something else"));
	if (!str_eq(was, of))
		return err_set(err, ERR_USAGE,
			       "the session was begun for " STR_FMT "; --restart begins anew, "
			       "--session-name names another one",
			       STR_ARG(was));
	tasks->resumed = true;
	return 0;
}

int reindex_tasks_open(const char *path, struct str of, struct reindex_tasks *out, struct err *err)
{
	int rc;

	*out = (struct reindex_tasks){.path = path, .mem = ARENA_INIT(8 * FILE_MAX)};
	out->root = json_new(&out->mem, JSON_OBJECT);
	rc = read_file(out, of, err);
	if (rc < 0) {
		reindex_tasks_release(out);
		return rc;
	}
	out->indices = json_get(out->root, "indices");
	if (!out->indices || out->indices->type != JSON_OBJECT) {
		out->indices = json_new(&out->mem, JSON_OBJECT);
		json_set(out->root, STR("of"),
			 json_new_string(&out->mem, arena_str(&out->mem, of)));
		json_set(out->root, STR("indices"), out->indices);
	}
	if (!out->mem.failed)
		return 0;
	rc = arena_fail(&out->mem, "the tasks of the session", err);
	reindex_tasks_release(out);
	return rc;
}

void reindex_tasks_release(struct reindex_tasks *tasks)
{
	arena_release(&tasks->mem);
	*tasks = (struct reindex_tasks){0};
}

static int keep(struct reindex_tasks *tasks, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(FILE_MAX);

	if (tasks->mem.failed)
		return arena_fail(&tasks->mem, "the tasks of the session", err);
	json_write(&text, tasks->root);
	if (buf_check(&text, "the tasks of the session", err) < 0)
		return -(int)err->kind;
	return small_file_replace(tasks->path, buf_str(&text), err);
}

static struct json *put(struct reindex_tasks *tasks, struct str index)
{
	struct json *entry = json_new(&tasks->mem, JSON_OBJECT);

	json_set(tasks->indices, arena_str(&tasks->mem, index), entry);
	return entry;
}

int reindex_tasks_begin(struct reindex_tasks *tasks, struct str index, struct err *err)
{
	json_set(put(tasks, index), STR("begun"), json_new_bool(&tasks->mem, true));
	return keep(tasks, err);
}

int reindex_tasks_started(struct reindex_tasks *tasks, struct str index, struct str task,
			  struct err *err)
{
	json_set(put(tasks, index), STR("task"),
		 json_new_string(&tasks->mem, arena_str(&tasks->mem, task)));
	return keep(tasks, err);
}

int reindex_tasks_finish(struct reindex_tasks *tasks, struct str index,
			 const struct reindex_done *done, struct err *err)
{
	struct json *entry = put(tasks, index);

	json_set(entry, STR("documents"), json_new_i64(&tasks->mem, (int64_t)done->documents));
	json_set(entry, STR("sent"), json_new_i64(&tasks->mem, (int64_t)done->sent));
	json_set(entry, STR("superseded"), json_new_i64(&tasks->mem, (int64_t)done->superseded));
	return keep(tasks, err);
}

int reindex_tasks_forget(struct reindex_tasks *tasks, struct str index, struct err *err)
{
	return json_remove(tasks->indices, index) ? keep(tasks, err) : 0;
}

struct str reindex_tasks_id(const struct reindex_tasks *tasks, struct str index)
{
	return json_string(json_get(json_get_str(tasks->indices, index), "task"));
}

bool reindex_tasks_may_run(const struct reindex_tasks *tasks, struct str index)
{
	return json_get(json_get_str(tasks->indices, index), "begun") != NULL;
}

bool reindex_tasks_is_done(const struct reindex_tasks *tasks, struct str index,
			   struct reindex_done *out)
{
	const struct json *entry = json_get_str(tasks->indices, index);
	int64_t documents = json_i64_or(json_get(entry, "documents"), -1);

	if (documents < 0)
		return false;
	*out = (struct reindex_done){
		.documents = (uint64_t)documents,
		.sent = (uint64_t)MAX(json_i64_or(json_get(entry, "sent"), 0), INT64_C(0)),
		.superseded =
			(uint64_t)MAX(json_i64_or(json_get(entry, "superseded"), 0), INT64_C(0)),
	};
	return true;
}
