#include "backfill/failed_documents_pending.h"

#include "base/limits.h"

#include <stdlib.h>

#define KEYS_PER_PASS 500000

/* One call of failed_documents_visit. */
struct visit {
	const struct failed_filter *filter;
	const struct failed_visitor *visitor;
	struct failed_documents_files files;
	uint64_t *lines; /* of each file, as first counted: the visit knows no others */
	uint64_t total;  /* records and ledger entries */
	uint64_t passes, pass;
	struct digest_table settled; /* records of this pass that are in a ledger */
	struct digest_table latest;  /* documents of this pass, and where their last record is */
	struct arena mem;            /* of one record */
	bool first_round;            /* problems are told once */
};

/* A record of this pass on its way through a round. */
struct found {
	struct failed_record record;
	struct retried_entry ids;
	size_t file;
	uint64_t line;
};

static void release(struct visit *v)
{
	failed_documents_files_release(&v->files);
	digest_table_release(&v->settled);
	digest_table_release(&v->latest);
	arena_release(&v->mem);
	free(v->lines);
}

static void tell(struct visit *v, bool damaged, const char *what)
{
	if (v->visitor->tell)
		v->visitor->tell(v->visitor->user, damaged, what);
}

static void tell_line(struct visit *v, size_t file, uint64_t line, const struct err *reason)
{
	struct err what;

	err_set(&what, ERR_FORMAT, "'%s', line %llu: %s", v->files.files[file].path.ptr,
		(unsigned long long)line + 1, reason->message);
	tell(v, true, what.message);
}

static void readerp(struct failed_documents_reader **reader)
{
	failed_documents_reader_close(*reader);
}

static void tell_cut(struct visit *v, size_t file)
{
	struct err what;

	err_set(&what, ERR_FORMAT,
		"'%s' ends in the middle of a record: its writer was killed, or is still at work",
		v->files.files[file].path.ptr);
	tell(v, false, what.message);
}

static int count_lines_of(struct visit *v, size_t file, struct err *err)
{
	cleanup(readerp) struct failed_documents_reader *reader = NULL;
	int rc = failed_documents_reader_open(v->files.files[file].path.ptr, &reader, err);
	struct str line;

	while (rc >= 0 && (rc = failed_documents_reader_next(reader, &line, err)) > 0)
		v->lines[file]++;
	if (rc == -ERR_FORMAT) {
		tell(v, true, err->message);
		rc = 0;
	} else if (rc == 0 && failed_documents_reader_is_cut(reader)) {
		tell_cut(v, file);
	}
	v->total += v->lines[file];
	return rc;
}

static void count_entry(void *user, const struct retried_entry *entry)
{
	(void)entry;
	((struct visit *)user)->total++;
}

/* Calls `take` for the ledger of each home. */
static int read_ledgers(struct visit *v, void (*take)(void *, const struct retried_entry *),
			struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < v->files.count; i++)
		if (i == 0 || !str_eq(v->files.files[i].home, v->files.files[i - 1].home))
			rc = retried_ledger_read(v->files.files[i].home.ptr, take, v, err);
	return rc;
}

static bool in_pass(const struct visit *v, struct id128 document)
{
	return document.high % v->passes == v->pass;
}

static void settle(void *user, const struct retried_entry *entry)
{
	struct visit *v = user;
	bool added;

	if (in_pass(v, entry->document))
		digest_table_add(&v->settled, entry->record, &added);
}

/* 1: *out is an unsettled record of this pass; 0: it is none of ours. */
static int read_record(struct visit *v, struct str line, struct found *out, struct err *err)
{
	const struct failed_filter *filter = v->filter;
	int rc;

	arena_reset(&v->mem);
	rc = failed_record_read(line, &v->mem, &out->record, err);
	if (rc < 0)
		return rc;
	if (filter->index && !str_is(out->record.target_index, filter->index))
		return 0;
	out->ids.record = id128_of(line);
	out->ids.document = out->record.id.ptr
				    ? id128_of_pair(out->record.target_index, out->record.id)
				    : out->ids.record;
	return in_pass(v, out->ids.document) && !digest_table_find(&v->settled, out->ids.record);
}

/* Calls `visit` for each unsettled record of this pass until one does not return 0. */
static int each_of(struct visit *v, size_t file,
		   int (*visit)(struct visit *, const struct found *, struct err *),
		   struct err *err)
{
	cleanup(readerp) struct failed_documents_reader *reader = NULL;
	struct found found = {.file = file};
	int rc = failed_documents_reader_open(v->files.files[file].path.ptr, &reader, err);
	struct str line;

	for (; rc == 0 && found.line < v->lines[file]; found.line++) {
		int read = failed_documents_reader_next(reader, &line, err);

		if (read <= 0)
			return read;
		read = read_record(v, line, &found, err);
		if (read < 0 && v->first_round)
			tell_line(v, file, found.line, err);
		if (read > 0)
			rc = visit(v, &found, err);
	}
	return rc;
}

static int each(struct visit *v, int (*visit)(struct visit *, const struct found *, struct err *),
		struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < v->files.count; i++)
		rc = each_of(v, i, visit, err);
	return rc;
}

/* A time as a number that orders like it: 2026-11-21T10:24:00.123Z as 20261121102400123. */
static int64_t order_of(struct str timestamp)
{
	int64_t order = 0;
	int digits = 0;

	for (size_t i = 0; i < timestamp.len && digits < 17; i++)
		if (timestamp.ptr[i] >= '0' && timestamp.ptr[i] <= '9') {
			order = order * 10 + (timestamp.ptr[i] - '0');
			digits++;
		}
	for (; digits < 17; digits++)
		order *= 10;
	return order;
}

static int note_latest(struct visit *v, const struct found *found, struct err *err)
{
	int64_t time = order_of(found->record.timestamp);
	bool added;
	struct digest_entry *entry = digest_table_add(&v->latest, found->ids.document, &added);

	(void)err;
	if (!added && time < entry->time)
		return 0;
	entry->time = time;
	entry->file = found->file;
	entry->line = found->line;
	return 0;
}

static int hand_over(struct visit *v, const struct found *found, struct err *err)
{
	const struct digest_entry *entry = digest_table_find(&v->latest, found->ids.document);
	const char *type = v->filter->type;
	struct failed_pending pending = {.record = &found->record,
					 .ids = found->ids,
					 .home = v->files.files[found->file].home};

	if (!entry)
		BUG("a record was not there when documents were told apart");
	pending.repeated = entry->file != found->file || entry->line != found->line;
	if (!pending.repeated && type && !str_is(found->record.failure_type, type))
		return 0;
	return v->visitor->visit(v->visitor->user, &pending, err);
}

static int run_pass(struct visit *v, struct err *err)
{
	int rc;

	digest_table_clear(&v->settled);
	digest_table_clear(&v->latest);
	rc = read_ledgers(v, settle, err);
	v->first_round = v->pass == 0;
	if (rc == 0)
		rc = each(v, note_latest, err);
	v->first_round = false;
	return rc == 0 ? each(v, hand_over, err) : rc;
}

int failed_documents_visit(const struct failed_filter *filter, const struct failed_visitor *visitor,
			   struct err *err)
{
	uint64_t keys = filter->keys_per_pass ? filter->keys_per_pass : KEYS_PER_PASS;
	cleanup(release) struct visit v = {
		.filter = filter, .visitor = visitor, .mem = ARENA_INIT(LIMIT_SOURCE_ARENA)};
	int rc = failed_documents_find(filter->folder, filter->session, &v.files, err);

	if (rc < 0)
		return rc;
	v.lines = mem_zalloc(MAX(v.files.count, (size_t)1) * sizeof(*v.lines));
	for (size_t i = 0; rc == 0 && i < v.files.count; i++)
		rc = count_lines_of(&v, i, err);
	if (rc == 0)
		rc = read_ledgers(&v, count_entry, err);
	v.passes = v.total / keys + 1;
	for (; rc == 0 && v.pass < v.passes; v.pass++)
		rc = run_pass(&v, err);
	return MIN(rc, 0);
}
