#include "workflow/routes/move_record.h"

#include "base/small_file.h"
#include "base/state_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#define FILE_MAX MIB(16)

static const char *const step_names[] = {
	[MOVE_NONE] = "none",         [MOVE_BEGUN] = "begun",     [MOVE_COPIED] = "copied",
	[MOVE_VERIFIED] = "verified", [MOVE_SWAPPED] = "swapped", [MOVE_CUT_OVER] = "cut over",
	[MOVE_DELETED] = "deleted",
};

const char *move_step_name(enum move_step step)
{
	return step_names[step];
}

/* Beside the file, which is replaced with each step and so cannot be locked itself. */
static int take_lock(struct move_record *record, struct err *err)
{
	struct str path = arena_printf(&record->mem, "%s.lock", record->path);
	struct str folder = arena_str(&record->mem, str_from(record->path));
	cleanup(buf_release) struct buf parent = BUF_INIT(KIB(64));

	if (record->mem.failed)
		return arena_fail(&record->mem, "--state-dir", err);
	while (folder.len > 0 && folder.ptr[folder.len - 1] != '/')
		folder.len--;
	buf_append_str(&parent, folder);
	if (buf_check(&parent, "--state-dir", err) < 0 ||
	    directory_make(buf_cstr(&parent), err) < 0)
		return -(int)err->kind;
	record->lock = open(path.ptr, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (record->lock < 0)
		return err_set_errno(err, ERR_IO, errno, "'%s'", path.ptr);
	if (flock(record->lock, LOCK_EX | LOCK_NB) == 0)
		return 0;
	return err_set(err, ERR_USAGE,
		       "another process moves indices between these clusters ('%s' is locked); "
		       "wait until it has ended",
		       path.ptr);
}

static int read_file(struct move_record *record, struct str of, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(FILE_MAX);
	int rc = small_file_read(record->path, &text, err);
	struct str was;

	if (rc <= 0)
		return rc;
	rc = json_parse(arena_str(&record->mem, buf_str(&text)), &record->mem, &record->root, err);
	if (rc < 0)
		return err_wrap(err, "'%s'", record->path);
	was = json_text_or(json_get(record->root, "of"), STR("something else"));
	if (str_eq(was, of))
		return 0;
	return err_set(err, ERR_USAGE, "'%s' is of " STR_FMT "; give another --state-dir",
		       record->path, STR_ARG(was));
}

int move_record_open(const char *path, struct str of, bool lock, struct move_record *out,
		     struct err *err)
{
	*out = (struct move_record){.path = path, .mem = ARENA_INIT(8 * FILE_MAX), .lock = -1};
	out->root = json_new(&out->mem, JSON_OBJECT);
	if ((lock && take_lock(out, err) < 0) || read_file(out, of, err) < 0) {
		move_record_release(out);
		return -(int)err->kind;
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
	move_record_release(out);
	return err_set(err, ERR_LIMIT, "'%s' is too large", path);
}

void move_record_release(struct move_record *record)
{
	if (record->path && record->lock >= 0)
		close(record->lock);
	arena_release(&record->mem);
	*record = (struct move_record){.lock = -1};
}

static int keep(struct move_record *record, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(FILE_MAX);

	if (record->mem.failed)
		return arena_fail(&record->mem, "the record of moved indices", err);
	json_write(&text, record->root);
	if (buf_check(&text, "the record of moved indices", err) < 0)
		return -(int)err->kind;
	return small_file_replace(record->path, buf_str(&text), err);
}

static struct json *text_of(struct move_record *record, struct str text)
{
	return json_new_string(&record->mem, arena_str(&record->mem, text));
}

int64_t move_record_new_group(struct move_record *record)
{
	int64_t group = json_i64_or(json_get(record->root, "groups"), 0) + 1;

	json_set(record->root, STR("groups"), json_new_i64(&record->mem, group));
	return group;
}

int move_record_add(struct move_record *record, struct str index, struct str target, int64_t group,
		    struct err *err)
{
	struct json *entry = json_new(&record->mem, JSON_OBJECT);

	json_set(entry, STR("target"), text_of(record, target));
	json_set(entry, STR("group"), json_new_i64(&record->mem, group));
	json_set(record->indices, arena_str(&record->mem, index), entry);
	return move_record_step(record, index, MOVE_BEGUN, err);
}

int move_record_step(struct move_record *record, struct str index, enum move_step step,
		     struct err *err)
{
	json_set(json_get_str(record->indices, index), STR("step"),
		 text_of(record, str_from(move_step_name(step))));
	return keep(record, err);
}

int move_record_block(struct move_record *record, struct str index, bool found, struct err *err)
{
	json_set(json_get_str(record->indices, index), STR("block"),
		 text_of(record, found ? STR("found") : STR("put")));
	return keep(record, err);
}

int move_record_alias(struct move_record *record, struct str index, struct str alias,
		      const struct json *before, struct err *err)
{
	struct json *entry = json_new(&record->mem, JSON_OBJECT);

	json_set(entry, STR("name"), text_of(record, alias));
	json_set(entry, STR("before"), json_copy(&record->mem, before));
	json_set(json_get_str(record->indices, index), STR("alias"), entry);
	return keep(record, err);
}

int move_record_tell(struct move_record *record, struct str index, struct err *err)
{
	json_set(json_get_str(record->indices, index), STR("told"),
		 json_new_bool(&record->mem, true));
	return keep(record, err);
}

bool move_record_may_be_told(const struct move_record *record, struct str index)
{
	return move_record_step_of(record, index) >= MOVE_CUT_OVER ||
	       json_get(json_get_str(record->indices, index), "told");
}

int move_record_back_out(struct move_record *record, struct str index, struct err *err)
{
	json_set(json_get_str(record->indices, index), STR("back-out"),
		 json_new_bool(&record->mem, true));
	return keep(record, err);
}

bool move_record_is_backing_out(const struct move_record *record, struct str index)
{
	return json_get(json_get_str(record->indices, index), "back-out") != NULL;
}

int move_record_forget(struct move_record *record, struct str index, struct err *err)
{
	return json_remove(record->indices, index) ? keep(record, err) : 0;
}

enum move_step move_record_step_of(const struct move_record *record, struct str index)
{
	struct str name = json_string(json_get(json_get_str(record->indices, index), "step"));

	for (size_t i = 0; i < COUNT_OF(step_names); i++)
		if (str_is(name, step_names[i]))
			return (enum move_step)i;
	return MOVE_NONE;
}

struct str move_record_target(const struct move_record *record, struct str index)
{
	return json_string(json_get(json_get_str(record->indices, index), "target"));
}

int64_t move_record_group(const struct move_record *record, struct str index)
{
	return json_i64_or(json_get(json_get_str(record->indices, index), "group"), 0);
}

bool move_record_is_blocked(const struct move_record *record, struct str index, bool *known)
{
	const struct json *block = json_get(json_get_str(record->indices, index), "block");

	*known = block != NULL;
	return str_is(json_string(block), "put");
}

struct str move_record_alias_of(const struct move_record *record, struct str index,
				const struct json **before)
{
	const struct json *alias = json_get(json_get_str(record->indices, index), "alias");

	*before = json_get(alias, "before");
	return json_string(json_get(alias, "name"));
}
