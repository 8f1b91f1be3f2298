/* Vectors: dense_vector and knn_vector. */
#include "metadata/rules_internal.h"

static const struct {
	const char *similarity, *space;
} spaces[] = {
	{"l2_norm", "l2"},
	{"cosine", "cosinesimil"},
	{"dot_product", "innerproduct"},
	{"max_inner_product", "innerproduct"},
};

/* Elasticsearch 8 compares by cosine where nothing else is said. */
static const char *space_of(struct str similarity)
{
	for (size_t i = 0; i < COUNT_OF(spaces); i++)
		if (str_is(similarity, spaces[i].similarity))
			return spaces[i].space;
	return "cosinesimil";
}

/* Settings of the body that the field is in: index.knn must be on for its graph. */
static void switch_knn_on(struct rule_scope *scope)
{
	struct json *body = scope->item->result;
	struct json *content = json_get(body, "template") ? json_get(body, "template") : body;
	struct json *settings = json_get(content, "settings");

	if (!settings) {
		settings = json_new(&scope->set->mem, JSON_OBJECT);
		json_set(content, STR("settings"), settings);
	}
	if (!settings_get(settings, "knn"))
		settings_set(settings, "knn", json_new_bool(&scope->set->mem, true),
			     &scope->set->mem);
}

static struct json *method_of(struct rule_scope *scope, const struct json *definition)
{
	struct arena *mem = &scope->set->mem;
	const struct json *options = json_get(definition, "index_options");
	struct json *method = json_new(mem, JSON_OBJECT), *parameters = json_new(mem, JSON_OBJECT);
	struct json *m = json_get(options, "m"), *ef = json_get(options, "ef_construction");
	bool serverless = scope->options->target.serverless;
	bool bits = str_is(json_string(json_get(definition, "element_type")), "bit");

	json_set(method, STR("name"), json_new_string(mem, STR("hnsw")));
	json_set(method, STR("engine"),
		 json_new_string(mem, serverless || bits ? STR("faiss") : STR("lucene")));
	json_set(method, STR("space_type"),
		 json_new_string(mem, bits ? STR("hamming")
					   : str_from(space_of(json_string(
						     json_get(definition, "similarity"))))));
	if (m)
		json_set(parameters, STR("m"), json_copy(mem, m));
	if (ef)
		json_set(parameters, STR("ef_construction"), json_copy(mem, ef));
	if (parameters->first)
		json_set(method, STR("parameters"), parameters);
	return method;
}

static bool dense_to_knn(struct rule_scope *scope, struct str name, struct json *definition)
{
	struct arena *mem = &scope->set->mem;
	struct str element = json_string(json_get(definition, "element_type"));
	bool indexed = json_bool_or(json_get(definition, "index"), scope->set->version.major >= 8);
	struct json *dims, *method;

	(void)name;
	if (!field_has_type(definition, "dense_vector"))
		return false;
	dims = json_get(definition, "dims");
	if (!dims) {
		rule_block(scope, "dense-vector",
			   "dense_vector at " STR_FMT " says no dims, which knn_vector needs",
			   STR_ARG(scope->path));
		return true;
	}
	dims = json_copy(mem, dims);
	method = indexed ? method_of(scope, definition) : NULL;
	while (definition->first)
		json_remove(definition, definition->first->key);
	field_set_type(scope, definition, "knn_vector");
	json_set(definition, STR("dimension"), dims);
	if (str_is(element, "byte"))
		json_set(definition, STR("data_type"), json_new_string(mem, STR("byte")));
	else if (str_is(element, "bit"))
		json_set(definition, STR("data_type"), json_new_string(mem, STR("binary")));
	if (method) {
		json_set(definition, STR("method"), method);
		switch_knn_on(scope);
	}
	rule_note(scope, "dense-vector", NOTE_WARN, "dense_vector is knn_vector%s",
		  method ? "" : " without a graph: it is searched exactly");
	return true;
}

/* nmslib is gone with OpenSearch 3. */
static bool nmslib_to_faiss(struct rule_scope *scope, struct str name, struct json *definition)
{
	struct json *method = json_get(definition, "method");

	(void)name;
	if (!field_has_type(definition, "knn_vector") ||
	    !str_is(json_string(json_get(method, "engine")), "nmslib"))
		return false;
	json_set(method, STR("engine"), json_new_string(&scope->set->mem, STR("faiss")));
	rule_note(scope, "nmslib", NOTE_CHANGE, "engine nmslib is faiss");
	return true;
}

/* index.knn.algo_param.* and index.knn.space_type said for the whole index what a field's method
 * says now. */
static bool lift_parameters(struct rule_scope *scope, struct str name, struct json *definition)
{
	struct arena *mem = &scope->set->mem;
	struct json *body = scope->item->result;
	const struct json *content = json_get(body, "template") ? json_get(body, "template") : body;
	const struct json *settings = json_get(content, "settings");
	const struct json *space = settings_get(settings, "knn.space_type");
	const struct json *m = settings_get(settings, "knn.algo_param.m");
	const struct json *ef = settings_get(settings, "knn.algo_param.ef_construction");
	struct json *method, *parameters;

	(void)name;
	if (!field_has_type(definition, "knn_vector") || json_get(definition, "method") ||
	    (!space && !m && !ef))
		return false;
	method = json_new(mem, JSON_OBJECT);
	parameters = json_new(mem, JSON_OBJECT);
	json_set(method, STR("name"), json_new_string(mem, STR("hnsw")));
	json_set(method, STR("engine"), json_new_string(mem, STR("faiss")));
	json_set(method, STR("space_type"),
		 json_new_string(mem, space ? json_string(space) : STR("l2")));
	if (json_i64_or(m, 0) > 0)
		json_set(parameters, STR("m"), json_new_i64(mem, json_i64_or(m, 0)));
	if (json_i64_or(ef, 0) > 0)
		json_set(parameters, STR("ef_construction"), json_new_i64(mem, json_i64_or(ef, 0)));
	json_set(method, STR("parameters"), parameters);
	json_set(definition, STR("method"), method);
	rule_note(scope, "knn-index-parameters", NOTE_CHANGE,
		  "the method says what settings of the index said");
	return true;
}

static void set_text(struct rule_scope *scope, struct json *object, const char *name,
		     const char *text)
{
	json_set(object, str_from(name), json_new_string(&scope->set->mem, str_from(text)));
}

static struct json *member_of(struct rule_scope *scope, struct json *object, const char *name)
{
	struct json *member = json_get(object, name);

	if (member && member->type == JSON_OBJECT)
		return member;
	member = json_new(&scope->set->mem, JSON_OBJECT);
	json_set(object, str_from(name), member);
	return member;
}

/* Serverless quantises to half floats, and not by products. */
static void plain_encoder(struct rule_scope *scope, struct json *parameters)
{
	struct json *encoder = json_get(parameters, "encoder");

	if (!str_is(json_string(json_get(encoder, "name")), "sq")) {
		json_remove(parameters, STR("encoder"));
		return;
	}
	json_remove(encoder, STR("parameters"));
	set_text(scope, member_of(scope, encoder, "parameters"), "type", "fp16");
}

static void say_default(struct rule_scope *scope, struct json *parameters, const char *name,
			int64_t value)
{
	if (!json_get(parameters, name))
		json_set(parameters, str_from(name), json_new_i64(&scope->set->mem, value));
}

/* Serverless knows graphs of faiss alone. */
static bool serverless_vector(struct rule_scope *scope, struct str name, struct json *definition)
{
	struct json *method = json_get(definition, "method"), *parameters;
	struct str space;

	(void)name;
	if (!scope->options->target.serverless || !field_has_type(definition, "knn_vector"))
		return false;
	json_remove(definition, STR("model_id"));
	if (!json_get(definition, "dimension")) {
		rule_block(scope, "serverless-vector",
			   "knn_vector at " STR_FMT
			   " takes its dimension from a model, which Serverless does not have: say "
			   "the dimension",
			   STR_ARG(scope->path));
		return true;
	}
	if (!method)
		return false;
	space = json_string(json_get(method, "space_type"));
	set_text(scope, method, "name", "hnsw");
	set_text(scope, method, "engine", "faiss");
	if (str_is(space, "l1") || str_is(space, "linf"))
		set_text(scope, method, "space_type", "l2");
	parameters = member_of(scope, method, "parameters");
	plain_encoder(scope, parameters);
	say_default(scope, parameters, "m", 16);
	say_default(scope, parameters, "ef_construction", 100);
	rule_note(scope, "serverless-vector", NOTE_CHANGE,
		  "the method is hnsw of faiss, which is all that Serverless has");
	return true;
}

const struct rule rules_of_vectors[] = {
	{"dense-vector", NULL, RULE_FIELD, ANY_ELASTICSEARCH, ANY_OPENSEARCH,
	 "dense_vector is knn_vector", dense_to_knn},
	{"nmslib", NULL, RULE_FIELD, ANY_OPENSEARCH, OS_FROM(3000),
	 "nmslib is gone with OpenSearch 3", nmslib_to_faiss},
	{"knn-index-parameters", NULL, RULE_FIELD, ANY_VERSION, ANY_OPENSEARCH,
	 "k-NN parameters of the index become the fields' own", lift_parameters},
	{"serverless-vector", NULL, RULE_FIELD, ANY_VERSION, ANY_OPENSEARCH,
	 "Serverless has vectors of faiss alone", serverless_vector},
	{0},
};
