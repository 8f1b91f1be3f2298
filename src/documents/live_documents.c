#include "documents/live_documents.h"

#include "documents/live_internal.h"

#include <stdlib.h>

#define PAGE_BYTES MIB(8)
#define PAGE_DOCUMENTS 1000
#define SEARCH_MAX MIB(1) /* path and body of a request */
#define ID_MAX MIB(1)     /* of a scroll: grows with the shards */
#define UNPACKED 4        /* a document's JSON, at most guessed, beside what the index takes */

struct live_documents {
	struct document_source source;
	struct live_cursor cursor;
	struct live_page page;
	bool page_open;
	uint64_t bytes_read;
	int64_t documents, sequence;
	char *index, *query;
};

/* A page of too many large documents would be more than anybody has room for. */
static void size_pages(struct live_cursor *cursor, uint64_t documents, uint64_t bytes)
{
	int64_t most = cursor->options.page_documents, fitting = most;

	if (documents > 0 && bytes > 0)
		fitting = cursor->options.page_bytes /
			  MAX((int64_t)(bytes / documents) * UNPACKED, 1);
	cursor->size = MAX(MIN(fitting, most), 1);
}

/* Searches after a sequence number may change their size from page to page. */
static void resize_pages(struct live_cursor *cursor, const struct live_page *page)
{
	int64_t each;

	if (page->count == 0)
		return;
	each = (int64_t)(page->source_bytes / page->count) + 200;
	cursor->size =
		MAX(MIN(cursor->options.page_bytes / each, cursor->options.page_documents), 1);
}

static void start(struct live_documents *live)
{
	uint64_t documents, bytes;

	live_cursor_measure(&live->cursor, &documents, &bytes);
	size_pages(&live->cursor, documents, bytes);
	live->source.total_bytes = bytes / (uint64_t)MAX(live->cursor.options.slices, 1);
}

/* 1: a page with hits is open; 0: the end. */
static int open_page(struct live_documents *live, struct err *err)
{
	bool scan_start = !live->cursor.started && live->cursor.mode == LIVE_SCROLL &&
			  cluster_version(live->cursor.cluster)->flavour == CLUSTER_ELASTICSEARCH &&
			  cluster_version(live->cursor.cluster)->major < 2;
	struct str answer;
	int rc;

	if (!live->cursor.started)
		start(live);
	rc = live_cursor_fetch(&live->cursor, &answer, err);
	if (rc == 1 && scan_start) /* a scan's first answer has no hits */
		rc = live_cursor_fetch(&live->cursor, &answer, err);
	if (rc <= 0)
		return rc;
	live_page_start(&live->page, answer);
	live->page_open = true;
	return 1;
}

static int end_page(struct live_documents *live)
{
	live->page_open = false;
	live->cursor.next_sequence = live->sequence;
	if (live->page.count == 0)
		live->cursor.ended = true;
	else if (live->cursor.mode == LIVE_SEQUENCE)
		resize_pages(&live->cursor, &live->page);
	return !live->cursor.ended;
}

static int live_next(struct document_source *source, struct document *out, struct err *err)
{
	struct live_documents *live = (struct live_documents *)source;
	int64_t sequence;
	int rc;

	while (!live->cursor.ended) {
		rc = live->page_open ? 1 : open_page(live, err);
		if (rc <= 0)
			return rc;
		rc = live_page_next(&live->page, out, &sequence, err);
		if (rc < 0)
			return err_wrap(err, "index '" STR_FMT "'",
					STR_ARG(live->cursor.options.index));
		if (rc == 0) {
			end_page(live);
			continue;
		}
		if (live->cursor.mode == LIVE_SEQUENCE && sequence < 0)
			return err_set(err, ERR_UNSUPPORTED,
				       "documents of index '" STR_FMT
				       "' have no _seq_no: it was made "
				       "by a version that knew none; it is read by scroll",
				       STR_ARG(live->cursor.options.index));
		live->sequence = sequence;
		live->bytes_read += out->source.len;
		out->doc = live->documents++;
		return 1;
	}
	return 0;
}

static uint64_t live_position(const struct document_source *source)
{
	const struct live_documents *live = (const struct live_documents *)source;

	return live->cursor.ended ? source->total_bytes
				  : MIN(live->bytes_read, source->total_bytes);
}

static void live_close(struct document_source *source)
{
	struct live_documents *live = (struct live_documents *)source;

	live_cursor_close(&live->cursor);
	arena_release(&live->page.mem);
	buf_release(&live->cursor.id);
	buf_release(&live->cursor.path);
	buf_release(&live->cursor.body);
	free(live->index);
	free(live->query);
	free(live);
}

static const struct document_source_ops live_ops = {
	.next = live_next,
	.position = live_position,
	.close = live_close,
};

int64_t live_documents_sequence(const struct document_source *source)
{
	return ((const struct live_documents *)source)->sequence;
}

int live_documents_open(struct cluster *cluster, const struct live_documents_options *options,
			struct document_source **out, struct err *err)
{
	struct live_documents *live;
	struct live_cursor *cursor;

	if (options->by_sequence && !live_documents_has_sequence(cluster_version(cluster)))
		return err_set(err, ERR_UNSUPPORTED, "%s has no _seq_no to sort by",
			       cluster_version_text(cluster));
	if (options->by_sequence && options->shard < 0)
		return err_set(err, ERR_USAGE,
			       "sequence numbers are of one shard: index '" STR_FMT
			       "' is read shard by shard in their order",
			       STR_ARG(options->index));
	if (options->or_scroll && options->after_sequence >= 0)
		return err_set(err, ERR_USAGE, "a scroll cannot begin after a sequence number");
	live = mem_zalloc(sizeof(*live));
	cursor = &live->cursor;
	live->source.ops = &live_ops;
	live->index = str_dup(options->index);
	live->query = options->query.ptr ? str_dup(options->query) : NULL;
	live->sequence = options->by_sequence ? options->after_sequence : -1;
	cursor->cluster = cluster;
	cursor->options = *options;
	cursor->options.index = str_from(live->index);
	cursor->options.query = str_from(live->query);
	cursor->options.page_bytes =
		options->page_bytes ? options->page_bytes : (int64_t)PAGE_BYTES;
	cursor->options.page_documents =
		options->page_documents ? options->page_documents : PAGE_DOCUMENTS;
	cursor->mode = options->by_sequence ? LIVE_SEQUENCE : LIVE_SCROLL;
	cursor->next_sequence = live->sequence;
	cursor->id = BUF_INIT(ID_MAX);
	cursor->path = cursor->body = BUF_INIT(SEARCH_MAX);
	*out = &live->source;
	return 0;
}
