/* Searches asked of both sides. */
#include "cli/verify_internal.h"

#include "base/small_file.h"
#include "verify/queries.h"

#define QUERIES_FILE_MAX MIB(64)

bool verify_wants_queries(const struct verifying *v)
{
	return v->parts[VERIFY_QUERIES] && (v->fields->queries || v->fields->generated_queries > 0);
}

static struct str target_name(const void *user, struct str index)
{
	const struct verifying *v = user;

	return verify_renamed(v, index);
}

static int read_file(struct verifying *v, struct verify_query_list *list, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(QUERIES_FILE_MAX);
	int rc = small_file_read(v->fields->queries, &text, err);

	if (rc < 0)
		return rc;
	if (rc == 0)
		return err_set(err, ERR_IO, "--queries: there is no file '%s'", v->fields->queries);
	return verify_queries_read(list, buf_str(&text), target_name, v, err);
}

static int generate(struct verifying *v, struct verify_query_list *list, const atomic_bool *cancel,
		    struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < v->pair_count; i++)
		rc = verify_queries_sample(list, v->sides[0], v->clusters[1], &v->pairs[i],
					   (size_t)v->fields->generated_queries, cancel, err);
	return rc;
}

/* What was written last can be found. */
static int refresh(struct verifying *v, struct err *err)
{
	for (size_t i = 0; i < v->pair_count; i++) {
		struct verify_index index = {.name = v->pairs[i].target_index};
		int rc = v->sides[1]->ops->look(v->sides[1], &index, err);

		if (rc < 0 && rc != -ERR_NOT_FOUND)
			return rc;
	}
	return 0;
}

static const char *why_not(const struct verifying *v)
{
	if (!v->clusters[1])
		return "the target is no cluster";
	if (v->transformer.ptr)
		return "the transformers say what documents become";
	if (v->fields->without_ids && !v->clusters[0])
		return "the target made its own ids";
	return NULL;
}

int verify_queries(struct verifying *v, const atomic_bool *cancel, struct verify_findings *out,
		   const char **skipped, struct err *err)
{
	struct verify_query_list list;
	int rc = 0;

	*skipped = why_not(v);
	if (*skipped)
		return 0;
	verify_queries_init(&list);
	if (v->fields->queries)
		rc = read_file(v, &list, err);
	if (rc == 0)
		rc = refresh(v, err);
	if (rc == 0 && v->fields->generated_queries > 0)
		rc = generate(v, &list, cancel, err);
	if (rc == 0)
		rc = verify_queries_compare(&list, v->clusters[0], v->clusters[1], cancel, out,
					    err);
	verify_queries_release(&list);
	return rc;
}
