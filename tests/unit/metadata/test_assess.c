#include "metadata/assess.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* What plants a change, and what comes near and does not. */
struct plant {
	const char *id, *from, *to;
	enum metadata_kind kind; /* METADATA_KINDS: `planted` and `plain` are lines of requests */
	const char *name, *plain_name; /* of the item; plain_name NULL: the same */
	const char *planted, *plain;   /* the item's source */
};

#define INDEX METADATA_INDEX, "books", NULL
#define LEGACY METADATA_LEGACY_TEMPLATE, "books", NULL
#define SETTINGS METADATA_CLUSTER_SETTINGS, "persistent", NULL
#define REQUEST METADATA_KINDS, NULL, NULL
#define FIELD(text) "{'mappings':{'t':{'properties':{" text "}}}}"
#define BARE_FIELD(text) "{'mappings':{'properties':{" text "}}}"
#define ROOT(text) "{'mappings':{'t':{" text "}}}"
#define SETTING(text) "{'settings':{" text "}}"
#define ANALYSIS(text) "{'settings':{'analysis':{" text "}}}"
#define SEARCH(text) "{'method':'POST','path':'/books/_search','body':" text "}"
#define D255                                                                                      \
	"123456789012345678901234567890123456789012345678901234567890123456789012345678901234567" \
	"890123456789012345678901234567890123456789012345678901234567890123456789012345678901234" \
	"567890123456789012345678901234567890123456789012345678901234567890123456789012345"
#define MUST(query) "{'bool':{'must':" query "}}"
#define MUST5(query) MUST(MUST(MUST(MUST(MUST(query)))))
#define MUST20(query) MUST5(MUST5(MUST5(MUST5(query))))
#define PROPERTIES "'properties':{'a':{'type':'keyword'}}"

static const struct plant plants[] = {
	{"B201", "ES 1.7", "OS 2.19", INDEX,
	 "{'mappings':{'t':{'properties':{'a':{'type':'string'}}},"
	 "'u':{'properties':{'a':{'type':'long'}}}}}",
	 "{'mappings':{'t':{'properties':{'a':{'type':'long'}}},"
	 "'u':{'properties':{'a':{'type':'long'}}}}}"},
	{"B202", "ES 1.7", "OS 2.19", INDEX, FIELD("'a.b':{'type':'long'}"),
	 FIELD("'a':{'properties':{'b':{'type':'long'}}}")},
	{"B203", "ES 1.7", "OS 2.19", INDEX, ROOT("'_analyzer':{'path':'x'}"), ROOT(PROPERTIES)},
	{"B203", "ES 1.7", "OS 2.19", INDEX, ROOT("'_id':{'path':'x'}"), ROOT("'_id':{}")},
	{"B204", "ES 1.7", "OS 2.19", INDEX, FIELD("'a':{'type':'string','index_analyzer':'x'}"),
	 FIELD("'a':{'type':'string','analyzer':'x','search_analyzer':'y'}")},
	{"B205", "ES 1.7", "OS 2.19", INDEX, FIELD("'a':{'type':'date'}"),
	 FIELD("'a':{'type':'date','format':'yyyy'}")},
	{"B206", "ES 1.7", "OS 2.19", INDEX, "{'mappings':{'.dot':{" PROPERTIES "}}}",
	 "{'mappings':{'dot':{" PROPERTIES "}}}"},
	{"B206", "ES 1.7", "OS 2.19", INDEX, "{'mappings':{'x" D255 "':{" PROPERTIES "}}}",
	 "{'mappings':{'" D255 "':{" PROPERTIES "}}}"},
	{"B501", "ES 2.4", "OS 2.19", INDEX, FIELD("'a':{'type':'string'}"),
	 FIELD("'a':{'type':'long'}")},
	{"B502", "ES 2.4", "OS 2.19", INDEX, FIELD("'a':{'type':'long','index':'not_analyzed'}"),
	 FIELD("'a':{'type':'long','index':false}")},
	{"B502", "ES 2.4", "OS 2.19", INDEX, FIELD("'a':{'type':'long','precision_step':4}"),
	 FIELD("'a':{'type':'long','index':'true'}")},
	{"B503", "ES 2.4", "OS 2.19", INDEX, SETTING("'translog':{'flush_threshold_ops':'5'}"),
	 SETTING("'translog':{'flush_threshold_size':'5mb'}")},
	{"B503", "ES 2.4", "OS 2.19", INDEX, SETTING("'refresh_interval':'1.5h'"),
	 SETTING("'refresh_interval':'90m'")},
	{"B504", "ES 2.4", "OS 2.19", INDEX, "{'warmers':{'w':{'source':{'query':{}}}}}",
	 "{'warmers':{}}"},
	{"B504", "ES 2.4", "OS 2.19", INDEX, ANALYSIS("'analyzer':{'default_index':{'type':'x'}}"),
	 ANALYSIS("'analyzer':{'default':{'type':'simple'}}")},
	{"B505", "ES 2.4", "OS 2.19", INDEX, FIELD("'a':{'type':'string','similarity':'default'}"),
	 FIELD("'a':{'type':'string','similarity':'BM25'}")},
	{"B506", "ES 2.4", "OS 2.19", METADATA_INDEX, "-books", "books-", "{}", "{}"},
	{"B506", "ES 2.4", "OS 2.19", LEGACY, "{'aliases':{'a':{'index-routing':'1'}}}",
	 "{'aliases':{'a':{'index_routing':'1'}}}"},
	{"B507", "ES 2.4", "OS 2.19", INDEX, ROOT("'_ttl':{'enabled':true}"), ROOT(PROPERTIES)},
	{"B601", "ES 5.6", "OS 2.19", INDEX,
	 "{'mappings':{'t':{" PROPERTIES "},'u':{" PROPERTIES "}}}",
	 "{'mappings':{'t':{" PROPERTIES "},'_default_':{}}}"},
	{"B602", "ES 5.6", "OS 2.19", INDEX, ROOT("'_all':{'enabled':false}"), ROOT(PROPERTIES)},
	{"B602", "ES 5.6", "OS 2.19", INDEX, FIELD("'a':{'type':'text','include_in_all':false}"),
	 FIELD("'a':{'type':'text'}")},
	{"B603", "ES 5.6", "OS 2.19", LEGACY, "{'template':'a*'}", "{'index_patterns':['a*']}"},
	{"B604", "ES 5.6", "OS 2.19", INDEX, SETTING("'shadow_replicas':'true'"),
	 SETTING("'number_of_replicas':'1'")},
	{"B605", "ES 5.6", "OS 2.19", INDEX, ROOT("'_parent':{'type':'p'}"), ROOT(PROPERTIES)},
	{"B606", "ES 5.6", "OS 2.19", REQUEST,
	 "{'method':'PUT','path':'/a/_doc/1','headers':{'Host':'x'},'body':{'a':1}}",
	 "{'method':'PUT','path':'/a/_doc/1','headers':{'content-type':'application/json'},"
	 "'body':{'a':1}}"},
	{"B607", "ES 5.6", "OS 2.19", INDEX,
	 ROOT("'dynamic_templates':[{'d':{'match_mapping_type':'short','mapping':{}}}]"),
	 ROOT("'dynamic_templates':[{'d':{'match_mapping_type':'string','mapping':{}}}]")},
	{"B701", "ES 6.8", "OS 2.19", INDEX, ROOT(PROPERTIES),
	 "{'mappings':{'_doc':{" PROPERTIES "}}}"},
	{"B702", "ES 6.8", "OS 2.19", INDEX,
	 ANALYSIS("'tokenizer':{'n':{'type':'ngram','min_gram':'2','max_gram':'6'}}"),
	 ANALYSIS("'tokenizer':{'n':{'type':'ngram','min_gram':'2','max_gram':'3'}}")},
	{"B703", "ES 6.8", "OS 2.19", INDEX,
	 ANALYSIS("'analyzer':{'a':{'tokenizer':'standard','filter':['standard']}}"),
	 ANALYSIS("'analyzer':{'a':{'tokenizer':'standard','filter':['lowercase']}}")},
	{"B703", "ES 6.8", "OS 2.19", INDEX,
	 ANALYSIS("'filter':{'f':{'type':'delimited_payload_filter'}}"),
	 ANALYSIS("'filter':{'f':{'type':'delimited_payload'}}")},
	{"B703", "ES 6.8", "OS 2.19", INDEX,
	 FIELD("'a':{'type':'text','search_analyzer':'standard_html_strip'}"),
	 FIELD("'a':{'type':'text','search_analyzer':'standard'}")},
	{"B704", "ES 6.8", "OS 2.19", INDEX, FIELD("'a':{'type':'text','similarity':'classic'}"),
	 FIELD("'a':{'type':'text','similarity':'BM25'}")},
	{"B705", "ES 6.8", "OS 2.19", INDEX, FIELD("'a':{'type':'nested'}"),
	 FIELD("'a':{'type':'object'}")},
	{"B706", "ES 6.8", "OS 2.19", INDEX, FIELD("'a':{'type':'date','format':'YYYY-MM'}"),
	 FIELD("'a':{'type':'date','format':'yyyy-MM'}")},
	{"B707", "ES 6.8", "OS 2.19", INDEX, FIELD("'a':{'type':'geo_shape'}"),
	 FIELD("'a':{'type':'geo_point'}")},
	{"B708", "ES 6.8", "OS 2.19", METADATA_INDEX, "a:b", "a-b", "{}", "{}"},
	{"B709", "ES 6.8", "OS 2.19", INDEX, ROOT("'_routing':{'required':true}"),
	 ROOT("'_routing':{'required':false}")},
	{"B709", "ES 6.8", "OS 2.19", INDEX, "{'aliases':{'a':{'search_routing':'1'}}}",
	 "{'aliases':{'a':{}}}"},
	{"B710", "ES 5.6", "OS 2.19", INDEX, SETTING("'mapper':{'dynamic':'false'}"),
	 SETTING("'number_of_replicas':'1'")},
	{"B711", "ES 6.8", "OS 2.19", INDEX, FIELD("'a':{'type':'long','index_options':'docs'}"),
	 FIELD("'a':{'type':'text','index_options':'docs'}")},
	{"B712", "ES 6.8", "OS 2.19", LEGACY, "{'index_patterns':['a*']}",
	 SETTING("'number_of_shards':'2'")},
	{"B713", "ES 6.8", "OS 2.19", INDEX, "{'settings':{}}",
	 SETTING("'soft_deletes':{'enabled':'false'}")},
	{"B714", "ES 7.8", "ES 8.15", METADATA_INDEX_TEMPLATE, "books", NULL,
	 "{'index_patterns':['logs-books-*']}", "{'index_patterns':['logs_books-*']}"},
	{"B801", "ES 7.10", "ES 8.15", REQUEST, "GET /books/book/_search", "GET /books/_doc/1"},
	{"B801", "ES 7.10", "ES 8.15", REQUEST,
	 "{'method':'POST','path':'/_bulk',"
	 "'body':'{\"index\":{\"_index\":\"a\",\"_type\":\"b\"}}\\n{\"x\":1}\\n'}",
	 "{'method':'POST','path':'/"
	 "_bulk','body':'{\"index\":{\"_index\":\"a\"}}\\n{\"x\":1}\\n'}"},
	{"B802", "ES 7.10", "ES 8.15", INDEX, ANALYSIS("'analyzer':{'a':{'tokenizer':'nGram'}}"),
	 ANALYSIS("'analyzer':{'a':{'tokenizer':'ngram'}}")},
	{"B803", "ES 7.10", "ES 8.15", INDEX, BARE_FIELD("'a':{'type':'text','boost':2}"),
	 BARE_FIELD("'a':{'type':'text'}")},
	{"B803", "ES 7.10", "ES 8.15", INDEX,
	 BARE_FIELD("'a':{'type':'text','fields':{'b':{'type':'text',"
		    "'fields':{'c':{'type':'keyword'}}}}}"),
	 BARE_FIELD("'a':{'type':'text','fields':{'b':{'type':'text'}}}")},
	{"B803", "ES 7.10", "ES 8.15", INDEX, BARE_FIELD("'a':{'type':'geo_shape','tree':'x'}"),
	 BARE_FIELD("'a':{'type':'geo_shape'}")},
	{"B803", "ES 7.10", "ES 8.15", INDEX, "{'mappings':{'_field_names':{'enabled':false}}}",
	 "{'mappings':{}}"},
	{"B804", "ES 7.10", "ES 8.15", INDEX, SETTING("'soft_deletes':{'enabled':'false'}"),
	 SETTING("'number_of_replicas':'1'")},
	{"B805", "ES 5.6", "ES 8.15", LEGACY, "{'template':'a*'}", "{'index_patterns':['a*']}"},
	{"B805", "ES 7.10", "ES 8.15", INDEX,
	 BARE_FIELD("'a':{'type':'completion','contexts':[1,2,3,4,5,6,7,8,9,10,11]}"),
	 BARE_FIELD("'a':{'type':'completion','contexts':[1,2,3,4,5,6,7,8,9,10]}")},
	{"B806", "ES 7.10", "ES 8.15", INDEX, SETTING("'version':{'created':'6082399'}"),
	 SETTING("'version':{'created':'7100299'}")},
	{"B807", "ES 7.10", "ES 8.15", METADATA_LIFECYCLE_POLICY, "p", NULL,
	 "{'policy':{'phases':{'cold':{'actions':{'freeze':{}}}}}}",
	 "{'policy':{'phases':{'cold':{'actions':{'readonly':{}}}}}}"},
	{"B901", "ES 8.15", "ES 9.0", INDEX,
	 ANALYSIS("'filter':{'f':{'type':'stemmer','language':'german2'}}"),
	 ANALYSIS("'filter':{'f':{'type':'stemmer','language':'german'}}")},
	{"BF01", "ES 7.10", "OS 2.19", INDEX, BARE_FIELD("'a':{'type':'flattened'}"),
	 BARE_FIELD("'a':{'type':'keyword'}")},
	{"BF01", "ES 7.10", "OS 2.19", METADATA_PIPELINE, "p", NULL,
	 "{'processors':[{'enrich':{}}]}", "{'processors':[{'set':{}}]}"},
	{"BF01", "ES 7.10", "OS 2.19", REQUEST, "GET /_ilm/policy", "GET /_cluster/health"},
	{"BF02", "ES 7.17", "OS 2.19", INDEX, "{}", NULL},
	{"BF03", "ES 7.17", "OS 2.19", METADATA_INDEX_TEMPLATE, "t", NULL,
	 "{'index_patterns':['a'],'allow_auto_create':true}", "{'index_patterns':['a']}"},
	{"BF04", "ES 7.17", "OS 2.19", REQUEST,
	 "{'method':'GET','path':'/','headers':{'User-Agent':'elasticsearch-py/7.17.0'}}",
	 "{'method':'GET','path':'/','headers':{'User-Agent':'elasticsearch-py/7.13.0'}}"},
	{"BO21", "OS 1.3", "OS 2.19", REQUEST, "PUT /books/_mapping/book", "PUT /books/_mapping"},
	{"BO22", "OS 1.3", "OS 2.19", REQUEST, "GET /_cluster/health?master_timeout=1s",
	 "GET /_cluster/health?timeout=1s"},
	{"BO22", "OS 1.3", "OS 2.19", SETTINGS, "{'reindex.remote.whitelist':'a:9200'}",
	 "{'reindex.remote.allowlist':'a:9200'}"},
	{"BO23", "OS 1.3", "OS 2.19", METADATA_INDEX, ".opendistro-alerting-config", "books", "{}",
	 "{}"},
	{"BO24", "OS 1.3", "OS 2.19", REQUEST,
	 SEARCH("{'query':{'wildcard':{'a':{'value':'x*','case_insensitive':true}}}}"),
	 SEARCH("{'query':{'wildcard':{'a':{'value':'x*'}}}}")},
	{"BO31", "OS 2.19", "OS 3.1", INDEX,
	 BARE_FIELD("'a':{'type':'knn_vector','dimension':4,'method':{'name':'hnsw',"
		    "'engine':'nmslib'}}"),
	 BARE_FIELD("'a':{'type':'knn_vector','dimension':4,'method':{'name':'hnsw',"
		    "'engine':'faiss'}}")},
	{"BO31", "OS 2.19", "OS 3.1", SETTINGS, "{'knn.plugin.enabled':'true'}", "{'a':'true'}"},
	{"BO32", "OS 2.19", "OS 3.1", INDEX,
	 SETTING("'store':{'hybrid':{'mmap':{'extensions':[]}}}"),
	 SETTING("'number_of_replicas':'1'")},
	{"BO33", "OS 2.19", "OS 3.1", METADATA_INDEX, ".kibana_1", ".ds-logs-000001", "{}", "{}"},
	{"BO34", "OS 2.19", "OS 3.1", REQUEST, "GET /a/_doc/x" D255 D255 "xx",
	 "GET /a/_doc/x" D255 D255},
	{"BO34", "OS 2.19", "OS 3.1", REQUEST, SEARCH("{'query':" MUST20(MUST("{}")) "}"),
	 SEARCH("{'query':" MUST20("{}") "}")},
	{"BO35", "OS 2.19", "OS 3.1", REQUEST, "POST /_opendistro/_sql", "POST /_plugins/_sql"},
	{"BQ01", "ES 2.4", "OS 2.19", REQUEST,
	 SEARCH("{'query':{'filtered':{'filter':{'term':{'a':1}}}}}"),
	 SEARCH("{'query':{'term':{'filtered':{'value':1}}}}")},
	{"BQ01", "ES 2.4", "OS 2.19", INDEX,
	 "{'aliases':{'a':{'filter':{'filtered':{'query':{'match_all':{}}}}}}}",
	 "{'aliases':{'a':{'filter':{'term':{'a':1}}}}}"},
	{"BQ01", "ES 2.4", "OS 2.19", METADATA_SCRIPT, "s", NULL,
	 "{'script':{'lang':'mustache','source':'{\"query\":{\"filtered\":{{#a}}{}{{/a}}}}'}}",
	 "{'script':{'lang':'painless','source':'{\"query\":{\"filtered\":{}}}'}}"},
	{"BQ02", "ES 2.4", "OS 2.19", REQUEST,
	 SEARCH("{'query':{'bool':{'filter':{'and':[{'term':{'a':1}}]}}}}"),
	 SEARCH("{'query':{'match':{'a':{'query':'x','operator':'and'}}}}")},
	{"BQ03", "ES 2.4", "OS 2.19", REQUEST, SEARCH("{'query':{'missing':{'field':'a'}}}"),
	 SEARCH("{'aggs':{'missing':{'missing':{'field':'a'}}}}")},
	{"BQ04", "ES 2.4", "OS 2.19", REQUEST, SEARCH("{'fields':['a']}"),
	 SEARCH("{'query':{'multi_match':{'query':'x','fields':['a']}}}")},
	{"BQ05", "ES 1.7", "OS 2.19", REQUEST, SEARCH("{'facets':{'a':{}}}"),
	 SEARCH("{'aggs':{'facets':{'terms':{'field':'a'}}}}")},
	{"BQ06", "ES 2.4", "OS 2.19", REQUEST, "GET /a/_search?search_type=count",
	 "GET /a/_search?search_type=dfs_query_then_fetch"},
	{"BQ07", "ES 1.7", "OS 2.19", REQUEST, SEARCH("{'query':{'fuzzy_like_this':{}}}"),
	 SEARCH("{'query':{'more_like_this':{}}}")},
	{"BQ08", "ES 5.6", "OS 2.19", REQUEST, SEARCH("{'query':{'indices':{'query':{}}}}"),
	 SEARCH("{'query':{'terms':{'indices':['a']}}}")},
	{"BQ09", "ES 5.6", "OS 2.19", REQUEST, SEARCH("{'query':{'match':{'_all':'x'}}}"),
	 SEARCH("{'query':{'match_all':{}}}")},
	{"BQ10", "ES 7.10", "ES 8.15", REQUEST, SEARCH("{'query':{'type':{'value':'x'}}}"),
	 SEARCH("{'query':{'term':{'type':{'value':'x'}}}}")},
	{"BQ11", "ES 2.4", "OS 2.19", REQUEST, "POST /a/_optimize", "POST /a/_forcemerge"},
	{"BQ12", "ES 5.6", "OS 2.19", REQUEST, "POST /a/_suggest", "POST /a/_search"},
	{"BQ13", "ES 2.4", "OS 2.19", INDEX, "{'mappings':{'.percolator':{" PROPERTIES "}}}",
	 ROOT(PROPERTIES)},
	{"BQ14", "ES 5.6", "OS 2.19", INDEX, FIELD("'q':{'type':'percolator'}"),
	 FIELD("'q':{'type':'keyword'}")},
	{"BX01", "OS 3.1", "OS 2.19", INDEX, "{}", NULL},
	{"BX02", "ES 8.15", "OS 2.19", INDEX, BARE_FIELD("'a':{'type':'dense_vector','dims':1536}"),
	 BARE_FIELD("'a':{'type':'dense_vector','dims':768}")},
	{"BX03", "ES 6.8", "OS 2.19", INDEX,
	 "{'settings':{'mapping':{'total_fields':{'limit':'1'}}},'mappings':{'t':{'properties':"
	 "{'a':{'type':'long'},'b':{'type':'long'}}}}}",
	 "{'settings':{'mapping':{'total_fields':{'limit':'2'}}},'mappings':{'t':{'properties':"
	 "{'a':{'type':'long'},'b':{'type':'long'}}}}}"},
	{"BX04", "OS 1.3", "OS 2.19", INDEX, SETTING("'blocks':{'write':'true'}"),
	 SETTING("'number_of_replicas':'1'")},
	{"BX05", "OS 2.19", "ES 8.15", INDEX, SETTING("'codec':'zstd'"),
	 SETTING("'codec':'best_compression'")},
};

/* Not by an item's source alone; each has a test of its own. */
static const char *const elsewhere[] = {"BX06", "BX07", "BX08"};

static struct arena mem = ARENA_INIT(MIB(16));

static struct cluster_version version(const char *text)
{
	struct cluster_version parsed;

	assert_int_equal(assess_parse_version(text, &parsed, NULL), 0);
	return parsed;
}

/* With ' for ": tables are to be read. Escaped ones inside strings stay. */
static struct str quoted(const char *text)
{
	char *copy = arena_alloc(&mem, 2 * strlen(text) + 1), *to = copy;
	bool inside = false;

	for (; *text; text++) {
		if (*text == '"' && inside)
			*to++ = '\\';
		inside ^= *text == '\'';
		*to++ = *text == '\'' ? '"' : *text;
	}
	*to = '\0';
	return str_from(copy);
}

static struct json *parsed(const char *text)
{
	struct json *value;

	assert_int_equal(json_parse(quoted(text), &mem, &value, NULL), 0);
	return value;
}

static struct metadata_item *add(struct metadata_set *set, enum metadata_kind kind,
				 const char *name, const char *source)
{
	struct metadata_item *item =
		metadata_set_add(set, kind, str_from(name), json_copy(&set->mem, parsed(source)));

	item->typed = (kind == METADATA_INDEX || kind == METADATA_LEGACY_TEMPLATE) &&
		      set->version.flavour == CLUSTER_ELASTICSEARCH && set->version.major < 7;
	return item;
}

static const struct assess_finding *finding_of(const struct assessment *a, const char *id)
{
	for (size_t i = 0; i < a->finding_count; i++)
		if (strcmp(a->findings[i].change->id, id) == 0)
			return &a->findings[i];
	fail_msg("no change %s", id);
	return NULL;
}

static void start(struct assessment *a, struct metadata_set *set, const char *to,
		  enum multi_type_mode multi_type)
{
	const struct rule_options options = {
		.target = version(to), .replicas = -1, .multi_type = multi_type};
	struct err err = {0};

	if (assess_metadata(a, set, &options, &err) < 0)
		fail_msg("%s", err.message);
}

static size_t touched(const struct plant *plant, const char *to, const char *name, const char *text)
{
	cleanup(metadata_set_release) struct metadata_set set;
	cleanup(assessment_release) struct assessment a = {0};
	struct err err = {0};

	metadata_set_init(&set);
	set.version = version(plant->from);
	if (plant->kind != METADATA_KINDS && text)
		add(&set, plant->kind, name, text);
	start(&a, &set, to, MULTI_TYPE_UNION);
	if (plant->kind == METADATA_KINDS &&
	    (assess_request_line(&a, quoted(text), &err) < 0 || assess_request_end(&a, &err) < 0))
		fail_msg("%s", err.message);
	return finding_of(&a, plant->id)->total;
}

static void what_is_planted_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(plants); i++)
		if (touched(&plants[i], plants[i].to, plants[i].name, plants[i].planted) == 0)
			fail_msg("%s is not found in %s %s", plants[i].id,
				 plants[i].name ? plants[i].name : "", plants[i].planted);
}

static void what_is_not_planted_is_not_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(plants); i++) {
		const struct plant *plant = &plants[i];
		const char *name = plant->plain_name ? plant->plain_name : plant->name;

		if (plant->plain && touched(plant, plant->to, name, plant->plain) != 0)
			fail_msg("%s is found in %s", plant->id, plant->plain);
	}
}

static void a_change_that_is_not_between_the_versions_is_not_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(plants); i++) {
		const struct plant *plant = &plants[i];

		if (strcmp(plant->id, "BX02") != 0 && strcmp(plant->id, "BX03") != 0 &&
		    strcmp(plant->id, "BX04") != 0 &&
		    touched(plant, plant->from, plant->name, plant->planted) != 0)
			fail_msg("%s is found from %s to %s", plant->id, plant->from, plant->from);
	}
}

static void every_change_is_planted(void **state)
{
	size_t count;
	const struct assess_change *changes = assess_changes(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		bool known = false;

		for (size_t j = 0; j < COUNT_OF(plants); j++)
			known |= strcmp(plants[j].id, changes[i].id) == 0;
		for (size_t j = 0; j < COUNT_OF(elsewhere); j++)
			known |= strcmp(elsewhere[j], changes[i].id) == 0;
		if (!known)
			fail_msg("%s is planted nowhere", changes[i].id);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(changes[j].id, changes[i].id);
		assert_true(changes[i].title[0] && changes[i].tool[0] && changes[i].user[0]);
	}
}

static void what_the_rules_refuse_blocks(void **state)
{
	cleanup(metadata_set_release) struct metadata_set set;
	cleanup(assessment_release) struct assessment a = {0};

	(void)state;
	metadata_set_init(&set);
	set.version = version("ES 6.8");
	add(&set, METADATA_INDEX, "fine", ROOT(PROPERTIES));
	add(&set, METADATA_INDEX, "blocked", ROOT(PROPERTIES))->outcome = OUTCOME_BLOCKED;
	start(&a, &set, "OS 2.19", MULTI_TYPE_UNION);
	assert_int_equal(finding_of(&a, "BX06")->total, 1);
	assert_string_equal(finding_of(&a, "BX06")->touches[0].where.ptr, "index 'blocked'");
	assert_int_equal(assess_count(&a, ASSESS_BLOCK), 1);
}

static void what_could_not_be_read_and_is_not_stored_is_told(void **state)
{
	cleanup(metadata_set_release) struct metadata_set set;
	cleanup(assessment_release) struct assessment a = {0};

	(void)state;
	metadata_set_init(&set);
	set.version = version("ES 7.10");
	set.unreadable = mem_zalloc(sizeof(*set.unreadable));
	set.unreadable[0] = (struct metadata_unreadable){METADATA_SECURITY, STR("forbidden")};
	set.unreadable_count = 1;
	add(&set, METADATA_INDEX, "whole", "{}");
	add(&set, METADATA_INDEX, "partial", "{}")->partial_source = true;
	start(&a, &set, "OS 2.19", MULTI_TYPE_UNION);
	assert_int_equal(finding_of(&a, "BX07")->total, 1);
	assert_int_equal(finding_of(&a, "BX08")->total, 1);
	assert_string_equal(finding_of(&a, "BX08")->touches[0].where.ptr, "index 'partial'");
}

static void types_in_conflict_block_unless_they_are_split(void **state)
{
	static const enum multi_type_mode modes[] = {MULTI_TYPE_UNION, MULTI_TYPE_SPLIT};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(modes); i++) {
		cleanup(metadata_set_release) struct metadata_set set;
		cleanup(assessment_release) struct assessment a = {0};

		metadata_set_init(&set);
		set.version = version("ES 1.7");
		add(&set, METADATA_INDEX, "books", plants[0].planted);
		start(&a, &set, "OS 2.19", modes[i]);
		assert_int_equal(finding_of(&a, "B201")->severity,
				 modes[i] == MULTI_TYPE_SPLIT ? ASSESS_FIX : ASSESS_BLOCK);
		assert_int_equal(finding_of(&a, "BX06")->total, 0);
	}
}

static void touches_are_counted_beyond_those_kept(void **state)
{
	cleanup(metadata_set_release) struct metadata_set set;
	cleanup(assessment_release) struct assessment a = {0};
	const size_t many = ASSESS_TOUCHES_MAX + 20;

	(void)state;
	metadata_set_init(&set);
	set.version = version("ES 6.8");
	for (size_t i = 0; i < many; i++)
		add(&set, METADATA_INDEX, arena_printf(&mem, "i%zu", i).ptr,
		    FIELD("'a':{'type':'nested'}"));
	start(&a, &set, "OS 2.19", MULTI_TYPE_UNION);
	assert_int_equal(finding_of(&a, "B705")->total, many);
	assert_int_equal(finding_of(&a, "B705")->kept, ASSESS_TOUCHES_MAX);
}

static void clients_are_told_of_types_that_change(void **state)
{
	cleanup(metadata_set_release) struct metadata_set set;
	cleanup(assessment_release) struct assessment a = {0};

	(void)state;
	metadata_set_init(&set);
	set.version = version("ES 2.4");
	add(&set, METADATA_INDEX, "books",
	    FIELD("'a':{'type':'string'},'b':{'properties':{'c':{'type':'long'}}}"));
	start(&a, &set, "OS 2.19", MULTI_TYPE_UNION);
	assert_int_equal(a.client_change_count, 1);
	assert_string_equal(a.client_changes[0].ptr,
			    "index 'books': field a is text instead of string");
}

static void requests_come_in_several_spellings(void **state)
{
	static const char *const lines[] = {
		"# a comment",
		"GET /books/_search",
		"{",
		"  \"query\": {\"filtered\": {}}",
		"}",
		"1.2.3.4 - - [1/Jan] \"POST /b/_search HTTP/1.1\" 200 5 \"-\" \"curl/8\"",
		"1.2.3.4 - - [1/Jan] \"POST /b/_search HTTP/1.1\" 200 5 \"-\" \"curl/8\"",
		"{\"query\":{\"and\":[]}}",
		"{\"sourceRequest\":{\"Method\":\"GET\",\"Request-URI\":\"/c/_search\",\"payload\":"
		"{\"inlinedJsonBody\":{\"query\":{\"missing\":{\"field\":\"a\"}}}}}}",
		"nonsense",
	};
	cleanup(metadata_set_release) struct metadata_set set;
	cleanup(assessment_release) struct assessment a = {0};

	(void)state;
	metadata_set_init(&set);
	set.version = version("ES 2.4");
	start(&a, &set, "OS 2.19", MULTI_TYPE_UNION);
	for (size_t i = 0; i < COUNT_OF(lines); i++)
		assert_int_equal(assess_request_line(&a, str_from(lines[i]), NULL), 0);
	assert_int_equal(assess_request_end(&a, NULL), 0);
	assert_int_equal(a.requests, 4);
	assert_int_equal(a.unread_lines, 1);
	assert_string_equal(finding_of(&a, "BQ01")->touches[0].where.ptr,
			    "request GET /books/_search");
	assert_string_equal(finding_of(&a, "BQ02")->touches[0].where.ptr,
			    "request POST /b/_search");
	assert_string_equal(finding_of(&a, "BQ03")->touches[0].where.ptr, "request GET /c/_search");
	assert_int_equal(a.agent_count, 1);
	assert_string_equal(a.agents[0].name.ptr, "curl/8");
	assert_int_equal(a.agents[0].requests, 2);
}

static void a_body_without_an_end_has_a_limit(void **state)
{
	cleanup(metadata_set_release) struct metadata_set set;
	cleanup(assessment_release) struct assessment a = {0};
	struct str line = quoted("{'a':[");
	struct err err = {0};
	int rc = 0;

	(void)state;
	metadata_set_init(&set);
	set.version = version("ES 2.4");
	start(&a, &set, "OS 2.19", MULTI_TYPE_UNION);
	a.pending.limit = KIB(1);
	for (size_t i = 0; rc == 0 && i < KIB(1); i++)
		rc = assess_request_line(&a, line, &err);
	assert_int_equal(rc, -ERR_LIMIT);
}

static void versions_are_read_in_any_spelling(void **state)
{
	static const struct {
		const char *text;
		struct cluster_version expected;
	} spellings[] = {
		{"OS 2.19", {CLUSTER_OPENSEARCH, 2, 19, 0, false, false}},
		{"elasticsearch_8.x", {CLUSTER_ELASTICSEARCH, 8, 0, 0, false, false}},
		{"ES7_10_2", {CLUSTER_ELASTICSEARCH, 7, 10, 2, false, false}},
		{"OpenSearch v3", {CLUSTER_OPENSEARCH, 3, 0, 0, false, false}},
		{"AOSS", {CLUSTER_OPENSEARCH, 2, 0, 0, true, false}},
	};
	static const char *const wrong[] = {"",       "2.19",       "OS",   "OS x",
					    "SOLR 9", "ES 8.1.2.3", "OS 2."};
	struct cluster_version out;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(spellings); i++) {
		out = version(spellings[i].text);
		assert_int_equal(out.flavour, spellings[i].expected.flavour);
		assert_int_equal(out.major, spellings[i].expected.major);
		assert_int_equal(out.minor, spellings[i].expected.minor);
		assert_int_equal(out.patch, spellings[i].expected.patch);
		assert_int_equal(out.serverless, spellings[i].expected.serverless);
	}
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		assert_int_equal(assess_parse_version(wrong[i], &out, NULL), -ERR_USAGE);
}

static int release(void **state)
{
	(void)state;
	arena_release(&mem);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_planted_is_found),
		cmocka_unit_test(what_is_not_planted_is_not_found),
		cmocka_unit_test(a_change_that_is_not_between_the_versions_is_not_found),
		cmocka_unit_test(every_change_is_planted),
		cmocka_unit_test(what_the_rules_refuse_blocks),
		cmocka_unit_test(what_could_not_be_read_and_is_not_stored_is_told),
		cmocka_unit_test(types_in_conflict_block_unless_they_are_split),
		cmocka_unit_test(touches_are_counted_beyond_those_kept),
		cmocka_unit_test(clients_are_told_of_types_that_change),
		cmocka_unit_test(requests_come_in_several_spellings),
		cmocka_unit_test(a_body_without_an_end_has_a_limit),
		cmocka_unit_test(versions_are_read_in_any_spelling),
	};

	return cmocka_run_group_tests(tests, NULL, release);
}
