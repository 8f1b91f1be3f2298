#include "workflow/pods/pods_internal.h"

#include "base/limits.h"
#include "base/small_file.h"
#include "workflow/plan_spec.h"

#include <ctype.h>

#define TASK_MAX MIB(8)
#define NAME_MAX_LENGTH 46
#define LABEL_MAX_LENGTH 63
#define SUM_LENGTH 8

/* In place; true: something is not what it was. Of small names the first '.' becomes '-' for
 * nothing: what stands before it, the tag of a step, has no '-'. */
static bool replace_bytes(char *p, size_t len, bool small)
{
	bool changed = false;
	size_t dots = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)p[i];

		if (small && isupper(c)) {
			p[i] = (char)tolower(c);
			changed = true;
		} else if (!isalnum(c) && c != '-' && (small || !strchr("._", c))) {
			p[i] = '-';
			changed |= c != '.' || ++dots > 1;
		}
	}
	return changed;
}

/* The text itself where it fits, else its beginning and a checksum of the whole. */
static struct str fit(struct str text, size_t most, bool small, struct arena *mem)
{
	struct str copy = arena_str(mem, text), sum;
	bool changed;

	if (!copy.ptr)
		return copy;
	changed = replace_bytes((char *)(uintptr_t)copy.ptr, copy.len, small);
	if (!changed && text.len <= most)
		return copy;
	sum = plan_checksum(json_new_string(mem, text), mem);
	if (!sum.ptr)
		return STR_NONE;
	copy.len = MIN(copy.len, most - SUM_LENGTH - 1);
	return arena_printf(mem, STR_FMT "-%.*s", STR_ARG(copy), SUM_LENGTH, sum.ptr);
}

struct str pods_object_name(struct str text, struct arena *mem)
{
	return fit(text, NAME_MAX_LENGTH, true, mem);
}

struct str pods_label_value(struct str text, struct arena *mem)
{
	return fit(text, LABEL_MAX_LENGTH, false, mem);
}

static enum pods_kind kind_of(struct str text)
{
	return str_is(text, "workers")   ? PODS_WORKERS
	       : str_is(text, "lasting") ? PODS_LASTING
					 : PODS_JOB;
}

int pods_task_read(const char *path, struct arena *mem, struct pods_task *out, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(TASK_MAX);
	struct json *spec;
	int rc = small_file_read(path, &text, err);

	if (rc == 0)
		return err_set(err, ERR_USAGE, "there is no task in '%s'", path);
	if (rc < 0 || json_parse(arena_str(mem, buf_str(&text)), mem, &spec, err) < 0)
		return err_wrap(err, "the task in '%s'", path);
	*out = (struct pods_task){
		.kind = kind_of(json_string(json_get(spec, "kind"))),
		.name = json_string(json_get(spec, "name")),
		.replicas = json_i64_or(json_get(spec, "replicas"), 1),
		.spec = spec,
		.mark = json_string(json_get(spec, "mark")),
		.note = arena_str(mem, json_string(json_get(spec, "note"))).ptr,
		.status = arena_str(mem, json_string(json_get(spec, "status"))).ptr,
	};
	out->name = arena_str(mem, out->name);
	if (out->name.len == 0 || !json_get(spec, "argv") || out->mark.len == 0 || mem->failed)
		return err_set(err, ERR_USAGE, "'%s' is no task: name, argv and mark are needed",
			       path);
	return 0;
}
