/* Records of many files: a folder of .protocap files, as --trace-directory and the Java proxy write
 * them, or the objects below a prefix of an object store, of any form. */
#include "traffic/packed_bytes.h"
#include "traffic/record_source_internal.h"

#include "store/directory_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LISTING_MAX MIB(512)

struct object {
	struct str name; /* in the store */
	uint64_t size;
	struct str sequence; /* those of one sequence come by number */
	uint64_t number;
};

struct object_source {
	struct record_source source;
	struct blob_store *store;
	struct arena mem; /* of the names */
	struct object *objects;
	size_t count, next;
	bool grows;                 /* sizes may be old by now */
	struct record_source *open; /* gives the records of the object before `next` */
	uint64_t records;
};

/* <connection id>_<number>.protocap; others are each a sequence of its own. */
static bool parse_name(struct object *object)
{
	struct str name = object->name, stem;
	size_t bar;

	object->sequence = name;
	object->number = 0;
	if (!str_ends(name, STR(".protocap")))
		return false;
	stem = str_of(name.ptr, name.len - strlen(".protocap"));
	for (bar = stem.len; bar > 0 && stem.ptr[bar - 1] != '_'; bar--)
		;
	object->sequence = bar > 0 ? str_of(stem.ptr, bar - 1) : stem;
	if (bar == 0 || !str_to_u64(str_from_offset(stem, bar), &object->number))
		object->number = 0;
	return true;
}

static int by_sequence_and_number(const void *a, const void *b)
{
	const struct object *first = a, *second = b;
	int order = str_cmp(first->sequence, second->sequence);

	if (order != 0)
		return order;
	return (first->number > second->number) - (first->number < second->number);
}

/* Opens the next one; one that is empty, as those that stand for folders, has no records. */
static int open_next(struct object_source *s, struct err *err)
{
	const struct object *object = &s->objects[s->next++];
	cleanup(buf_release) struct buf name = BUF_INIT(LIMIT_PATH * 2);
	struct bytes_source *bytes;
	int rc;

	if (object->size == 0)
		return 0;
	buf_printf(&name, "%s/" STR_FMT, s->source.name, STR_ARG(object->name));
	if ((rc = buf_check(&name, "the name of an object", err)) < 0)
		return rc;
	rc = s->grows ? blob_store_source(s->store, object->name, &bytes, err)
		      : blob_store_source_sized(s->store, object->name, object->size, &bytes, err);
	if (rc < 0)
		return rc;
	return packed_source_open(packed_bytes_of_source(bytes, buf_cstr(&name)), buf_cstr(&name),
				  true, &s->open, err);
}

static int object_next(struct record_source *source, int timeout_ms, struct record_item *out,
		       struct err *err)
{
	struct object_source *s = (struct object_source *)source;
	int got = RECORD_SOURCE_END;

	while (got == RECORD_SOURCE_END) {
		if (!s->open && s->next == s->count)
			return RECORD_SOURCE_END;
		if (!s->open)
			got = open_next(s, err);
		else if ((got = record_source_next(s->open, timeout_ms, out, err)) ==
			 RECORD_SOURCE_END)
			record_source_close(take(s->open));
	}
	/* Of an object that cannot be unpacked at all, too, what is behind it is read. */
	out->position.offset = got > 0 || err->kind == ERR_FORMAT ? s->records++ : RECORD_NOWHERE;
	return got;
}

static void object_close(struct record_source *source)
{
	struct object_source *s = (struct object_source *)source;

	record_source_close(s->open);
	blob_store_close(s->store);
	arena_release(&s->mem);
	free(s->objects);
	free(source->name);
	free(s);
}

static const struct record_source_ops object_ops = {.next = object_next, .close = object_close};

static struct object_source *source_new(const char *name)
{
	struct object_source *s = mem_zalloc(sizeof(*s));

	s->source.ops = &object_ops;
	s->source.name = mem_strdup(name);
	s->mem = ARENA_INIT(LISTING_MAX);
	return s;
}

static void take_listing(struct object_source *s, const struct blob_listing *listing,
			 bool protocap_only)
{
	s->objects = mem_zalloc((listing->count + 1) * sizeof(*s->objects));
	for (size_t i = 0; i < listing->count; i++) {
		struct object object = {.name = listing->blobs[i].name,
					.size = listing->blobs[i].size};

		if (parse_name(&object) || !protocap_only)
			s->objects[s->count++] = object;
	}
	qsort(s->objects, s->count, sizeof(*s->objects), by_sequence_and_number);
}

int trace_folder_open(const char *path, struct record_source **out, struct err *err)
{
	struct object_source *s = source_new(path);
	struct blob_listing listing = {0};
	int failed = directory_store_open(path, path, &s->store, err);

	s->grows = true;
	if (failed == 0)
		failed = blob_store_list(s->store, STR(""), &s->mem, &listing, err);
	if (failed == 0)
		take_listing(s, &listing, true);
	if (failed == 0 && s->count == 0)
		failed = err_set(err, ERR_NOT_FOUND, "there is no .protocap file in '%s'", path);
	if (failed < 0)
		object_close(&s->source);
	else
		*out = &s->source;
	return failed;
}

/* --- Object stores --- */

/* Takes the URI for that of one object. 1; 0: it is none, or the store does not say. */
static int open_one(struct object_source *s, const char *uri,
		    const struct blob_store_options *options, struct err *err)
{
	const char *slash = strrchr(uri, '/');
	struct bytes_source *bytes = NULL;
	struct blob_listing listing;
	struct blob_info blob;
	int got;

	if (slash[1] == '\0' || slash[-1] == '/')
		return 0;
	s->source.name[slash - uri] = '\0';
	blob.name = arena_str(&s->mem, str_from(slash + 1));
	got = blob_store_open_with(s->source.name, options, &s->store, err);
	if (got == 0)
		got = blob_store_source(s->store, blob.name, &bytes, err);
	if (got < 0) {
		bool may_be_prefix = err->kind == ERR_NOT_FOUND || err->kind == ERR_AUTH ||
				     err->kind == ERR_USAGE || err->kind == ERR_HTTP;

		blob_store_close(take(s->store));
		memcpy(s->source.name, uri, strlen(uri) + 1);
		return may_be_prefix ? 0 : got;
	}
	blob.size = bytes->size;
	bytes_source_close(bytes);
	listing = (struct blob_listing){&blob, 1};
	take_listing(s, &listing, false);
	return 1;
}

static int open_prefix(struct object_source *s, const char *uri,
		       const struct blob_store_options *options, struct err *err)
{
	struct blob_listing listing = {0};

	if (blob_store_open_with(uri, options, &s->store, err) < 0 ||
	    blob_store_list_below(s->store, STR(""), &s->mem, &listing, err) < 0)
		return -(int)err->kind;
	take_listing(s, &listing, false);
	if (s->count == 0)
		return err_set(err, ERR_NOT_FOUND,
			       "there is nothing at '%s': name one object, or the prefix that "
			       "objects with records lie below",
			       uri);
	return 0;
}

int object_source_open(const char *uri, const struct blob_store_options *options,
		       struct record_source **out, struct err *err)
{
	struct object_source *s = source_new(uri);
	int got = open_one(s, uri, options, err);

	if (got == 0)
		got = open_prefix(s, uri, options, err);
	if (got < 0)
		object_close(&s->source);
	else
		*out = &s->source;
	return MIN(got, 0);
}
