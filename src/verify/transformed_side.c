#include "verify/transformed_side.h"

#include "verify/passes.h"
#include "verify/transformed_documents.h"

#include <pthread.h>
#include <stdlib.h>

#define INDICES_MAX 100000 /* that documents are sent to; more is a script gone wrong */

/* From one source index to one target index. */
struct route {
	size_t source, made;
};

struct transformed_side {
	struct verify_side base, planner;
	struct verify_side *inner;
	struct verify_transform_options options;
	pthread_mutex_t lock; /* of all below, while planning */
	struct arena mem;
	struct verify_index *sources;
	size_t source_count;
	struct str *names; /* that documents of each source come in with */
	struct verify_made_index *made;
	size_t made_count, made_capacity;
	struct route *routes;
	size_t route_count, route_capacity;
	struct verify_transformed_counts counts;
};

static struct transformed_side *side_of(struct verify_side *side)
{
	return (struct transformed_side *)side;
}

static struct transformed_side *side_of_planner(struct verify_side *planner)
{
	return (struct transformed_side *)((char *)planner -
					   offsetof(struct transformed_side, planner));
}

static struct verify_made_index *find_made(const struct transformed_side *side, struct str name)
{
	for (size_t i = 0; i < side->made_count; i++)
		if (str_eq(side->made[i].name, name))
			return &side->made[i];
	return NULL;
}

static int add_made(struct transformed_side *side, struct str name, struct verify_made_index **out,
		    struct err *err)
{
	if (side->made_count == INDICES_MAX)
		return err_set(err, ERR_LIMIT,
			       "the transformers send documents to more than %d indices; "
			       "--index-allowlist compares a part of them",
			       INDICES_MAX);
	if (side->made_count == side->made_capacity) {
		side->made_capacity = MAX(side->made_capacity * 2, (size_t)16);
		side->made = mem_realloc(side->made, side->made_capacity * sizeof(*side->made));
	}
	*out = &side->made[side->made_count];
	**out = (struct verify_made_index){.name = arena_str(&side->mem, name)};
	if (!(*out)->name.ptr)
		return arena_fail(&side->mem, "the names of target indices", err);
	side->made_count++;
	return 0;
}

static void add_route(struct transformed_side *side, size_t source, size_t made)
{
	for (size_t i = 0; i < side->route_count; i++)
		if (side->routes[i].source == source && side->routes[i].made == made)
			return;
	if (side->route_count == side->route_capacity) {
		side->route_capacity = MAX(side->route_capacity * 2, (size_t)16);
		side->routes =
			mem_realloc(side->routes, side->route_capacity * sizeof(*side->routes));
	}
	side->routes[side->route_count++] = (struct route){source, made};
}

/* Planning: where documents of a source index go. */

struct tally {
	struct transformed_side *side;
	size_t source;
	size_t last; /* of side->made, plus 1: where the document before went */
};

static int tally_document(struct tally *tally, struct str index, struct err *err)
{
	struct transformed_side *side = tally->side;
	struct verify_made_index *made;
	int rc = 0;

	pthread_mutex_lock(&side->lock);
	if (tally->last && str_eq(side->made[tally->last - 1].name, index)) {
		side->made[tally->last - 1].documents++;
		pthread_mutex_unlock(&side->lock);
		return 0;
	}
	made = find_made(side, index);
	if (!made)
		rc = add_made(side, index, &made, err);
	if (rc == 0) {
		made->documents++;
		tally->last = (size_t)(made - side->made) + 1;
		add_route(side, tally->source, tally->last - 1);
	}
	pthread_mutex_unlock(&side->lock);
	return rc;
}

/* The documents of one source index, each told to the plan as it passes. */
struct planned_documents {
	struct document_source base;
	struct document_source *made;
	struct tally tally;
};

static int planned_next(struct document_source *source, struct document *out, struct err *err)
{
	struct planned_documents *planned = (struct planned_documents *)source;
	int rc = document_source_next(planned->made, out, err);

	source->total_bytes = planned->made->total_bytes;
	if (rc == 1 &&
	    tally_document(&planned->tally, transformed_documents_index(planned->made), err) < 0)
		return -(int)err->kind;
	return rc;
}

static uint64_t planned_position(const struct document_source *source)
{
	return document_source_position(((const struct planned_documents *)source)->made);
}

static void add_counts(struct transformed_side *side, const struct document_source *made)
{
	const struct verify_transformed_counts *counts = transformed_documents_counts(made);

	pthread_mutex_lock(&side->lock);
	side->counts.failed += counts->failed;
	side->counts.dropped += counts->dropped;
	side->counts.deletes += counts->deletes;
	pthread_mutex_unlock(&side->lock);
}

static void planned_close(struct document_source *source)
{
	struct planned_documents *planned = (struct planned_documents *)source;

	add_counts(planned->tally.side, planned->made);
	document_source_close(planned->made);
	free(planned);
}

static int open_transformed(struct transformed_side *side, size_t source, size_t part,
			    struct str only, struct document_source **out, struct err *err)
{
	const struct verify_index *index = &side->sources[source];
	struct document_source *documents;
	int rc = side->inner->ops->open(side->inner, index, part, &documents, err);

	if (rc < 0)
		return rc;
	return transformed_documents_open(documents, &side->options, side->names[source],
					  index->only_type, only, out, err);
}

static int plan_part(struct verify_side *planner, const struct verify_index *index, size_t part,
		     struct document_source **out, struct err *err)
{
	static const struct document_source_ops ops = {planned_next, planned_position,
						       planned_close};
	struct transformed_side *side = side_of_planner(planner);
	struct planned_documents *planned;
	struct document_source *made;
	size_t source = 0;
	int rc;

	while (!str_eq(side->sources[source].name, index->name))
		source++;
	rc = open_transformed(side, source, part, STR_NONE, &made, err);
	if (rc < 0)
		return rc;
	planned = mem_zalloc(sizeof(*planned));
	*planned =
		(struct planned_documents){.base = {.ops = &ops, .total_bytes = made->total_bytes},
					   .made = made,
					   .tally = {.side = side, .source = source}};
	*out = &planned->base;
	return 0;
}

static void pass_over(void *user, int side, const struct document *document,
		      const struct document_hash *hash)
{
	(void)user, (void)side, (void)document, (void)hash;
}

static int plan_index(struct transformed_side *side, size_t source,
		      const struct verify_options *options, struct verify_progress *progress,
		      const atomic_bool *cancel, struct err *err)
{
	const struct pass_visitor visitor = {.document = pass_over};
	struct verify_index *index = &side->sources[source];
	struct verify_options whole = *options;
	struct pass pass = {.sides = {&side->planner, &side->planner},
			    .options = &whole,
			    .progress = progress,
			    .cancel = cancel};
	int rc = side->inner->ops->look(side->inner, index, err);

	if (rc < 0)
		return rc;
	whole.sample = 1;
	pass.indices[0] = *index;
	return pass_run(&pass, &visitor, err);
}

static int by_name(const void *a, const void *b)
{
	return str_cmp(((const struct verify_made_index *)a)->name,
		       ((const struct verify_made_index *)b)->name);
}

/* "a, b" of what leads to an index. */
static int name_sources(struct transformed_side *side, struct verify_made_index *made,
			struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(1));
	size_t position = (size_t)(made - side->made);

	for (size_t source = 0; source < side->source_count; source++)
		for (size_t i = 0; i < side->route_count; i++) {
			if (side->routes[i].source != source || side->routes[i].made != position)
				continue;
			if (text.len)
				buf_append_str(&text, STR(", "));
			buf_append_str(&text, side->sources[source].name);
		}
	if (buf_check(&text, "the names of source indices", err) < 0)
		return -(int)err->kind;
	made->sources = arena_str(&side->mem, buf_str(&text));
	return made->sources.ptr ? 0 : arena_fail(&side->mem, "the names of source indices", err);
}

static int take_sources(struct transformed_side *side, const struct verify_pair *pairs,
			size_t count, struct err *err)
{
	side->sources = arena_zalloc(&side->mem, count + 1, sizeof(*side->sources));
	side->names = arena_zalloc(&side->mem, count + 1, sizeof(*side->names));
	if (!side->sources || !side->names)
		return arena_fail(&side->mem, "the indices", err);
	side->source_count = count;
	for (size_t i = 0; i < count; i++) {
		side->sources[i].name = pairs[i].source_index;
		side->names[i] = pairs[i].target_index;
	}
	return 0;
}

int verify_transformed_plan(struct verify_side *base, const struct verify_pair *pairs, size_t count,
			    const struct verify_options *options, struct verify_progress *progress,
			    const atomic_bool *cancel, const struct verify_made_index **made,
			    size_t *made_count, struct verify_transformed_counts *counts,
			    struct err *err)
{
	struct transformed_side *side = side_of(base);
	struct verify_made_index *sorted;

	if (take_sources(side, pairs, count, err) < 0)
		return -(int)err->kind;
	for (size_t i = 0; i < count; i++)
		if (plan_index(side, i, options, progress, cancel, err) < 0)
			return -(int)err->kind;
	for (size_t i = 0; i < side->made_count; i++)
		if (name_sources(side, &side->made[i], err) < 0)
			return -(int)err->kind;
	sorted = arena_zalloc(&side->mem, side->made_count + 1, sizeof(*sorted));
	if (!sorted)
		return arena_fail(&side->mem, "the indices", err);
	if (side->made_count > 0)
		memcpy(sorted, side->made, side->made_count * sizeof(*sorted));
	qsort(sorted, side->made_count, sizeof(*sorted), by_name);
	*made = sorted;
	*made_count = side->made_count;
	*counts = side->counts;
	return 0;
}

/* The side itself. */

static int look(struct verify_side *base, struct verify_index *index, struct err *err)
{
	struct transformed_side *side = side_of(base);
	const struct verify_made_index *made = find_made(side, index->name);

	if (!made)
		return err_set(err, ERR_NOT_FOUND, "no document of %s goes to index '" STR_FMT "'",
			       base->what, STR_ARG(index->name));
	index->parts = 0;
	index->documents = made->documents;
	index->counted = false;
	for (size_t i = 0; i < side->route_count; i++) {
		const struct verify_index *source = &side->sources[side->routes[i].source];

		if (side->routes[i].made != (size_t)(made - side->made))
			continue;
		index->parts += source->parts;
		index->state.identity += source->state.identity;
		index->state.writes += source->state.writes;
	}
	return 0;
}

static int open_part(struct verify_side *base, const struct verify_index *index, size_t part,
		     struct document_source **out, struct err *err)
{
	struct transformed_side *side = side_of(base);
	size_t made = (size_t)(find_made(side, index->name) - side->made);

	for (size_t i = 0; i < side->route_count; i++) {
		size_t source = side->routes[i].source;

		if (side->routes[i].made != made)
			continue;
		if (part < side->sources[source].parts)
			return open_transformed(side, source, part, index->name, out, err);
		part -= side->sources[source].parts;
	}
	BUG("a part of an index that has fewer");
}

static int list(struct verify_side *base, struct arena *mem, struct str **names, size_t *count,
		struct err *err)
{
	struct verify_side *inner = side_of(base)->inner;

	return inner->ops->list(inner, mem, names, count, err);
}

static void close_side(struct verify_side *base)
{
	struct transformed_side *side = side_of(base);

	arena_release(&side->mem);
	free(side->made);
	free(side->routes);
	pthread_mutex_destroy(&side->lock);
	free(side);
}

struct verify_side *verify_side_transformed(struct verify_side *inner,
					    const struct verify_transform_options *options)
{
	static const struct verify_side_ops ops = {look, open_part, list, NULL, close_side};
	static const struct verify_side_ops planner_ops = {.open = plan_part};
	struct transformed_side *side = mem_zalloc(sizeof(*side));

	side->base = (struct verify_side){&ops, inner->what};
	side->planner = (struct verify_side){&planner_ops, inner->what};
	side->inner = inner;
	side->options = *options;
	side->mem = ARENA_INIT(LIMIT_METADATA_ARENA);
	pthread_mutex_init(&side->lock, NULL);
	return &side->base;
}
