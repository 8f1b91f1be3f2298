/* Queries made of values that documents of the source hold. */
#include "verify/queries.h"

#define READ_PER_PART 500 /* documents, out of which some are chosen */
#define QUERIES_A_DOCUMENT 3
#define KEYWORD_MAX 128 /* longer ones may be ignored by the mapping */
#define MATCH_BYTES 60

struct sampling {
	struct verify_query_list *list;
	const struct verify_pair *pair;
	const struct json *properties; /* of the target's mapping */
	struct str id;
	size_t made, most; /* of this document */
	uint64_t turn;     /* which fields are taken: others for each document */
};

static const char *const exact_types[] = {"keyword", "boolean", "ip",  "long",
					  "integer", "short",   "byte"};
/* Not scaled_float: its range query rounds otherwise than its values. */
static const char *const range_types[] = {"long",   "integer", "short",      "byte",
					  "double", "float",   "half_float", "date"};

static bool is_one_of(struct str type, const char *const *types, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_is(type, types[i]))
			return true;
	return false;
}

static void add(struct sampling *s, const struct buf *query)
{
	if (query->failed)
		return;
	s->made++;
	verify_queries_add(s->list,
			   &(struct verify_query){s->pair->source_index, s->pair->target_index,
						  buf_str(query), s->id});
}

static void add_leaf(struct sampling *s, struct str field, const char *kind,
		     const struct json *value)
{
	cleanup(buf_release) struct buf query = BUF_INIT(KIB(64));

	buf_printf(&query, "{\"%s\":{", kind);
	json_write_string(&query, field);
	buf_append_byte(&query, ':');
	if (strcmp(kind, "range") == 0) {
		buf_append_str(&query, STR("{\"gte\":"));
		json_write(&query, value);
		buf_append_str(&query, STR(",\"lte\":"));
		json_write(&query, value);
		buf_append_byte(&query, '}');
	} else {
		json_write(&query, value);
	}
	buf_append_str(&query, STR("}}"));
	add(s, &query);
}

/* Its first words: ASCII letters and digits, which every analyzer takes for such. */
static void add_match(struct sampling *s, struct str field, struct str text)
{
	cleanup(buf_release) struct buf query = BUF_INIT(KIB(64));
	struct str words = STR_NONE;
	size_t end = 0;

	while (end < text.len && end < MATCH_BYTES &&
	       ((text.ptr[end] >= 'a' && text.ptr[end] <= 'z') ||
		(text.ptr[end] >= '0' && text.ptr[end] <= '9') || text.ptr[end] == ' '))
		end++;
	words = str_of(text.ptr, end);
	while (end < text.len && words.len > 0 && words.ptr[words.len - 1] != ' ')
		words.len--; /* the last one was cut */
	words = str_trim(words);
	if (words.len < 3)
		return;
	buf_append_str(&query, STR("{\"match\":{"));
	json_write_string(&query, field);
	buf_append_str(&query, STR(":{\"operator\":\"and\",\"query\":"));
	json_write_string(&query, words);
	buf_append_str(&query, STR("}}}"));
	add(s, &query);
}

static bool is_searchable(const struct json *definition)
{
	return json_bool_or(json_get(definition, "index"), true) &&
	       json_bool_or(json_get(definition, "enabled"), true) &&
	       !json_bool_or(json_get(definition, "ignore_malformed"), false) &&
	       !json_get(definition, "normalizer") && !json_get(definition, "ignore_above");
}

/* Whether the field holds exactly this value: others are coerced, or refused in a query. */
static bool fits(struct str type, const struct json *value)
{
	static const char *const whole[] = {"long", "integer", "short", "byte"};
	static const char *const broken[] = {"double", "float", "half_float"};

	if (is_one_of(type, whole, COUNT_OF(whole)))
		return value->type == JSON_NUMBER && json_i64_or(value, INT64_MIN) != INT64_MIN;
	if (is_one_of(type, broken, COUNT_OF(broken)))
		return value->type == JSON_NUMBER;
	if (str_is(type, "boolean"))
		return value->type == JSON_TRUE || value->type == JSON_FALSE;
	return value->type == JSON_STRING;
}

/* An analyzer of its own may drop the words: then nobody would find them. */
static bool is_plain_text(struct str type, const struct json *definition)
{
	return str_is(type, "text") && !json_get(definition, "analyzer") &&
	       !json_get(definition, "search_analyzer");
}

static void sample_scalar(struct sampling *s, struct str field, const struct json *definition,
			  const struct json *value)
{
	struct str type = json_string(json_get(definition, "type"));
	size_t length = value->type == JSON_STRING ? value->text.len : 1;

	if (!is_searchable(definition) || length == 0 || !fits(type, value))
		return;
	if (is_plain_text(type, definition))
		add_match(s, field, value->text);
	else if (is_one_of(type, exact_types, COUNT_OF(exact_types)) && length <= KEYWORD_MAX &&
		 s->turn % 2 == 0)
		add_leaf(s, field, "term", value);
	else if (is_one_of(type, range_types, COUNT_OF(range_types)) &&
		 !(str_is(type, "date") && json_get(definition, "format")))
		add_leaf(s, field, "range", value);
}

static void sample_object(struct sampling *s, struct buf *path, const struct json *properties,
			  const struct json *object)
{
	json_each (member, object) {
		const struct json *definition = json_get_str(properties, member->key);
		const struct json *value = member->type == JSON_ARRAY ? member->first : member;
		size_t length = path->len;

		if (!definition || !value || s->made >= s->most)
			continue;
		if (path->len > 0)
			buf_append_byte(path, '.');
		buf_append_str(path, member->key);
		if (value->type == JSON_OBJECT &&
		    !str_is(json_string(json_get(definition, "type")), "nested"))
			sample_object(s, path, json_get(definition, "properties"), value);
		else if (value->type != JSON_OBJECT && value->type != JSON_ARRAY &&
			 (s->turn++ + s->id.len) % 2 == 0)
			sample_scalar(s, buf_str(path), definition, value);
		path->len = length;
	}
}

static void sample_document(struct sampling *s, const struct document *document)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_SOURCE_ARENA);
	cleanup(buf_release) struct buf path = BUF_INIT(KIB(64));
	struct json *source;

	if (!document->source.ptr || document->problem || document->id.len == 0 ||
	    json_parse(document->source, &mem, &source, NULL) < 0)
		return;
	s->id = document->id;
	s->made = 0;
	sample_object(s, &path, s->properties, source);
}

static uint64_t rank(struct str id)
{
	return bytes_hash(id).high;
}

/* Of the first documents of a part, those whose ids come first by their hash: one of `step`. */
static int sample_part(struct sampling *s, struct verify_side *source,
		       const struct verify_index *index, size_t part, size_t until,
		       const atomic_bool *cancel, struct err *err)
{
	struct document_source *documents = NULL;
	struct document document;
	int rc = source->ops->open(source, index, part, &documents, err);

	for (size_t i = 0; rc == 0 && i < READ_PER_PART && s->list->count < until; i++) {
		if (atomic_load(cancel))
			rc = err_set(err, ERR_CANCELLED, "interrupted");
		else if ((rc = document_source_next(documents, &document, err)) <= 0)
			break;
		else if (i < READ_PER_PART / 10 || rank(document.id) % 8 == 0)
			sample_document(s, &document);
		rc = MIN(rc, 0);
	}
	document_source_close(documents);
	return rc;
}

/* The properties of an index's mapping, of any version. */
static const struct json *properties_of(const struct json *answer)
{
	json_each (index, answer) {
		const struct json *mappings = json_get(index, "mappings");

		if (json_get(mappings, "properties"))
			return json_get(mappings, "properties");
		json_each (type, mappings)
			if (json_get(type, "properties"))
				return json_get(type, "properties");
	}
	return NULL;
}

static int read_properties(struct cluster *target, struct str index, struct arena *mem,
			   const struct json **out, struct err *err)
{
	cleanup(buf_release) struct buf path = BUF_INIT(LIMIT_PATH);
	struct json *answer = NULL;
	int status, rc;

	buf_append_byte(&path, '/');
	http_append_encoded(&path, index);
	buf_append_str(&path, STR("/_mapping"));
	rc = cluster_request(target, "GET", buf_cstr(&path), STR_NONE, true, mem, &status, &answer,
			     err);
	*out = rc == 0 && status == 200 ? properties_of(answer) : NULL;
	return rc;
}

int verify_queries_sample(struct verify_query_list *list, struct verify_side *source,
			  struct cluster *target, const struct verify_pair *pair, size_t wanted,
			  const atomic_bool *cancel, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_METADATA_ARENA);
	struct sampling s = {.list = list, .pair = pair, .most = QUERIES_A_DOCUMENT};
	struct verify_index index = {.name = pair->source_index};
	size_t before = list->count;
	int rc = source->ops->look(source, &index, err);

	if (rc == 0)
		rc = read_properties(target, pair->target_index, &mem, &s.properties, err);
	if (rc < 0 || !s.properties)
		return rc == -ERR_NOT_FOUND ? 0 : rc;
	for (size_t part = 0; rc == 0 && part < index.parts; part++)
		rc = sample_part(&s, source, &index, part,
				 before + wanted * (part + 1) / index.parts, cancel, err);
	if (rc == 0 && list->mem.failed)
		rc = arena_fail(&list->mem, "the queries", err);
	return rc;
}
