#include "transform_fixture.h"

#define ROUTES(more)                                                         \
	"{'TypeMappingSanitizationTransformerProvider':{'sourceProperties':" \
	"{'version':{'major':5,'minor':6}}" more "}}"

/* activity is split, merged is merged, gone is dropped; all else keeps its name. */
static const char routes[] = ROUTES(",'staticMappings':{'activity':{'user':'users','post':'posts'},"
				    "'merged':{'a':'all','b':'all'},'gone':{}}");

static void assert_uri(const char *configuration, const char *method, const char *uri,
		       const char *becomes)
{
	char in[400], out[400];

	snprintf(in, sizeof(in), "{'method':'%s','URI':'%s','protocol':'HTTP/1.1','headers':{}}",
		 method, uri);
	snprintf(out, sizeof(out), "{'method':'%s','URI':'%s','protocol':'HTTP/1.1','headers':{}}",
		 becomes ? method : "GET", becomes ? becomes : "/");
	assert_becomes(TRANSFORM_REQUEST, configuration, in, out);
}

/* Elasticsearch 7.17, "Removal of mapping types": each typed path and the one without. */
static void typed_paths_become_typeless_ones(void **state)
{
	static const struct {
		const char *methods[3], *typed, *typeless;
	} table[] = {
		{{"PUT", "POST"}, "/i/t/1", "/i/_doc/1"},
		{{"GET", "HEAD", "DELETE"}, "/i/t/1", "/i/_doc/1"},
		{{"POST"}, "/i/t", "/i/_doc"},
		{{"HEAD"}, "/i/t", "/i"},
		{{"PUT", "POST"}, "/i/t/1/_create", "/i/_create/1"},
		{{"POST"}, "/i/t/1/_update", "/i/_update/1"},
		{{"GET", "HEAD"}, "/i/t/1/_source", "/i/_source/1"},
		{{"GET", "POST"}, "/i/t/1/_explain", "/i/_explain/1"},
		{{"GET", "POST"}, "/i/t/1/_termvectors", "/i/_termvectors/1"},
		{{"GET", "POST"}, "/i/t/_termvectors", "/i/_termvectors"},
		{{"GET", "POST"}, "/i/t/_search", "/i/_search"},
		{{"GET", "POST"}, "/i/t/_search/template", "/i/_search/template"},
		{{"GET", "POST"}, "/i/t/_count", "/i/_count"},
		{{"GET", "POST"}, "/i/t/_validate/query", "/i/_validate/query"},
		{{"POST"}, "/i/t/_delete_by_query", "/i/_delete_by_query"},
		{{"POST"}, "/i/t/_update_by_query", "/i/_update_by_query"},
		{{"GET"}, "/i/t/_mapping", "/i/_mapping"},
		{{"GET", "HEAD"}, "/i/_mapping/t", "/i/_mapping"},
		{{"GET"}, "/i/_mapping/t/field/a.b", "/i/_mapping/field/a.b"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(table); i++)
		for (size_t m = 0; m < 3 && table[i].methods[m]; m++)
			assert_uri(routes, table[i].methods[m], table[i].typed, table[i].typeless);
}

static void names_lists_and_escapes_are_routed(void **state)
{
	static const struct {
		const char *method, *uri, *becomes;
	} cases[] = {
		{"PUT", "/activity/user/1", "/users/_doc/1"},
		{"GET", "/activity/post/a%2Fb", "/posts/_doc/a%2Fb"},
		{"GET", "/%61ctivity/p%6fst/1", "/posts/_doc/1"},
		{"PUT", "/activity/user/1?refresh=true&routing=x",
		 "/users/_doc/1?refresh=true&routing=x"},
		{"GET", "/activity/user/_search?q=a%20b&size=1", "/users/_search?q=a%20b&size=1"},
		{"GET", "/activity/user,post/_search", "/users,posts/_search"},
		{"GET", "/merged/a,b/_search", "/all/_search"},
		{"GET", "/activity,i/user/_search", "/users,i/_search"},
		{"GET", "/activity/user,like/_count", "/users/_count"},
		{"GET", "/act*/user/_search", "/users,act*/_search"},
		{"GET", "/_all/t/_search", "/_all/_search"},
		{"GET", "/b%C3%BCcher/t/1", "/b%C3%BCcher/_doc/1"},
		/* Types that are dropped: a request that does nothing. */
		{"PUT", "/activity/like/1", NULL},
		{"GET", "/activity/like/_search", NULL},
		{"POST", "/gone/t", NULL},
		{"DELETE", "/gone/t/1", NULL},
		/* 7.x has no types: they count as _doc. */
		{"PUT", "/i/_doc/1", "/i/_doc/1"},
		{"PUT", "/i/_create/1", "/i/_create/1"},
		{"POST", "/i/_update/1", "/i/_update/1"},
		{"GET", "/gone/_source/1", NULL},
		/* include_type_name is no parameter any more. */
		{"GET", "/i/_mapping/t?include_type_name=true&pretty", "/i/_mapping?pretty"},
		{"PUT", "/i/t/1?include_type_name=true", "/i/_doc/1"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_uri(routes, cases[i].method, cases[i].uri, cases[i].becomes);
}

static void untyped_requests_of_a_split_index_go_to_all_its_parts(void **state)
{
	static const struct {
		const char *method, *uri, *becomes;
	} cases[] = {
		{"GET", "/activity/_search?q=x", "/users,posts/_search?q=x"},
		{"POST", "/activity/_refresh", "/users,posts/_refresh"},
		{"GET", "/activity,i/_count", "/users,posts,i/_count"},
		{"DELETE", "/activity", "/users,posts"},
		{"GET", "/merged", "/all"},
		{"GET", "/gone/_settings", NULL},
		{"PUT", "/activity/_alias/a%20b", "/users,posts/_alias/a%20b"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_uri(routes, cases[i].method, cases[i].uri, cases[i].becomes);
}

static void reserved_segments_are_neither_index_nor_type(void **state)
{
	static const struct {
		const char *method, *uri;
	} cases[] = {
		{"PUT", "/_template/foo"},
		{"PUT", "/_snapshot/r/s"},
		{"POST", "/_snapshot/r/s/_restore"},
		{"GET", "/_cluster/health"},
		{"GET", "/_cat/indices/i"},
		{"GET", "/_search"},
		{"POST", "/_search/scroll"},
		{"PUT", "/_ingest/pipeline/p"},
		{"GET", "/i/_settings/x"},
		{"PUT", "/i/_alias/a"},
		{"GET", "/"},
		{"GET", "/i/_stats"},
		{"PUT", "/-x/t/1"},
		{"PUT", "/+x/t/1"},
		{"PUT", "/i/-t/1"},
		{"PUT", "/i//1"},
		{"PUT", "/../t/1"},
		{"PUT", "/i/t/%zz"},
		{"PUT", "i/t/1"},
		{"PUT", "/i/t/1/2/3/4/5/6/7/8/9"},
		{"PATCH", "/i/t/1"},
		{"GET", "/_all/_search"},
		{"PUT", "/i/t/1%"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_uri(routes, cases[i].method, cases[i].uri, cases[i].uri);
}

static void what_nothing_typeless_does_is_refused(void **state)
{
	(void)state;
	assert_message_error(TRANSFORM_REQUEST, routes, "{'method':'DELETE','URI':'/i/t/_mapping'}",
			     "nothing without types does what DELETE /i/t/_mapping does for type "
			     "'t'; leave the request out");
	assert_message_error(TRANSFORM_REQUEST, routes,
			     "{'method':'GET','URI':'/i/t/1/_percolate'}",
			     "for type 't'; leave the request out");
	assert_message_error(TRANSFORM_REQUEST, routes, "{'URI':'/i/t/1'}",
			     "the request has no method or no URI, by which it is routed");
}

#define LINES(uri, lines) \
	"{'method':'POST','URI':'" uri "','payload':{'inlinedJsonSequenceBodies':" lines "}}"

static void bulk_actions_are_routed_each(void **state)
{
	(void)state;
	assert_becomes(
		TRANSFORM_REQUEST, routes,
		LINES("/_bulk?pipeline=p",
		      "[{'index':{'_index':'activity','_type':'user','_id':'1'}},{'n':1.10},"
		      "{'index':{'_index':'activity','_type':'like','_id':'2'}},{'dropped':1},"
		      "{'delete':{'_index':'activity','_type':'post','_id':'3'}},"
		      "{'delete':{'_index':'gone','_type':'t','_id':'4'}},"
		      "{'update':{'_index':'other','_type':'t','_id':'5'}},{'doc':{}}]"),
		LINES("/_bulk?pipeline=p", "[{'index':{'_index':'users','_id':'1'}},{'n':1.10},"
					   "{'delete':{'_index':'posts','_id':'3'}},"
					   "{'update':{'_index':'other','_id':'5'}},{'doc':{}}]"));
	/* Index and type of the path are those of an action that names none. */
	assert_becomes(
		TRANSFORM_REQUEST, routes,
		LINES("/activity/user/_bulk",
		      "[{'index':{}},{'a':1},{'create':{'_type':'post','_id':'2'}},{'a':2},"
		      "{'index':{'_index':'activity','_type':'user'}},{'a':3}]"),
		LINES("/users/_bulk",
		      "[{'index':{}},{'a':1},{'create':{'_id':'2','_index':'posts'}},{'a':2},"
		      "{'index':{}},{'a':3}]"));
	assert_becomes(TRANSFORM_REQUEST, routes,
		       LINES("/activity/_bulk", "[{'index':{'_type':'user'}},{'a':1}]"),
		       LINES("/_bulk", "[{'index':{'_index':'users'}},{'a':1}]"));
	/* One line alone is read as one value. */
	assert_becomes(TRANSFORM_REQUEST, routes,
		       "{'method':'POST','URI':'/activity/user/_bulk','payload':{"
		       "'inlinedJsonBody':{'delete':{'_id':'1'}}}}",
		       LINES("/users/_bulk", "[{'delete':{'_id':'1'}}]"));
}

static void a_bulk_of_nothing_but_dropped_types_does_nothing(void **state)
{
	(void)state;
	assert_becomes(TRANSFORM_REQUEST, routes,
		       "{'method':'POST','URI':'/_bulk','headers':{'host':['h'],"
		       "'content-type':['application/x-ndjson'],'content-length':['9']},"
		       "'payload':{'inlinedJsonSequenceBodies':["
		       "{'index':{'_index':'gone','_type':'t'}},{'a':1}]}}",
		       "{'method':'GET','URI':'/','headers':{'host':['h']}}");
}

static void broken_bulk_bodies_are_errors(void **state)
{
	(void)state;
	assert_message_error(TRANSFORM_REQUEST, routes,
			     "{'method':'POST','URI':'/_bulk','payload':{'inlinedTextBody':'x'}}",
			     "the body of the _bulk request is no newline-delimited JSON, by which "
			     "its types are routed");
	assert_message_error(TRANSFORM_REQUEST, routes, LINES("/_bulk", "[{'a':1},{'b':2}]"),
			     "the body of the _bulk request has a line that is no action where one "
			     "must be");
	assert_message_error(TRANSFORM_REQUEST, routes, LINES("/_bulk", "[{'delete':{'_id':'1'}}]"),
			     "neither the path nor the body names the index of a document");
}

static void searches_of_a_multi_search_are_routed_each(void **state)
{
	(void)state;
	assert_becomes(
		TRANSFORM_REQUEST, routes,
		LINES("/_msearch", "[{'index':'activity','type':'user'},{'size':1},"
				   "{'index':['activity','i'],'type':['user','post']},{'size':2},"
				   "{'index':'gone','type':'t'},{'size':3},{},{'size':4}]"),
		LINES("/_msearch", "[{'index':'users'},{'size':1},"
				   "{'index':['users','posts','i']},{'size':2},{},{'size':4}]"));
	assert_becomes(
		TRANSFORM_REQUEST, routes,
		LINES("/activity/user/_msearch", "[{},{'size':1},{'type':'post'},{'size':2}]"),
		LINES("/users/_msearch", "[{},{'size':1},{'index':'posts'},{'size':2}]"));
}

#define BODY(method, uri, body) \
	"{'method':'" method "','URI':'" uri "','payload':{'inlinedJsonBody':" body "}}"

static void documents_of_a_multi_get_are_routed_each(void **state)
{
	(void)state;
	assert_becomes(TRANSFORM_REQUEST, routes,
		       BODY("POST", "/_mget",
			    "{'docs':[{'_index':'activity','_type':'user','_id':'1'},"
			    "{'_index':'gone','_type':'t','_id':'2'}]}"),
		       BODY("POST", "/_mget", "{'docs':[{'_index':'users','_id':'1'}]}"));
	assert_becomes(TRANSFORM_REQUEST, routes,
		       BODY("GET", "/activity/post/_mget", "{'ids':['1','2']}"),
		       BODY("GET", "/posts/_mget", "{'ids':['1','2']}"));
	assert_becomes(
		TRANSFORM_REQUEST, routes,
		BODY("GET", "/activity/post/_mget",
		     "{'docs':[{'_id':'1'},{'_type':'user','_id':'2'}]}"),
		BODY("GET", "/posts/_mget", "{'docs':[{'_id':'1'},{'_id':'2','_index':'users'}]}"));
	assert_becomes(TRANSFORM_REQUEST, routes,
		       BODY("GET", "/activity/like/_mget", "{'ids':['1']}"),
		       "{'method':'GET','URI':'/'}");
}

static void mappings_lose_their_level_of_types(void **state)
{
	(void)state;
	assert_becomes(
		TRANSFORM_REQUEST, routes,
		BODY("PUT", "/activity/_mapping/user",
		     "{'user':{'_all':{'enabled':false},'properties':{'a':{'type':'long'}}}}"),
		BODY("PUT", "/users/_mapping", "{'properties':{'a':{'type':'long'}}}"));
	assert_becomes(TRANSFORM_REQUEST, routes,
		       BODY("PUT", "/activity/user/_mapping", "{'properties':{}}"),
		       BODY("PUT", "/users/_mapping", "{'properties':{}}"));
	assert_becomes(TRANSFORM_REQUEST, routes,
		       BODY("PUT", "/_template/t1",
			    "{'template':'a*','mappings':{'_default_':{'dynamic':'strict'},"
			    "'x':{'properties':{'a':{'type':'long'}}},"
			    "'y':{'properties':{'b':{'type':'date'}}}}}"),
		       BODY("PUT", "/_template/t1",
			    "{'template':'a*','mappings':{'dynamic':'strict','properties':"
			    "{'a':{'type':'long'},'b':{'type':'date'}}}}"));
}

static void an_index_is_created_with_its_types_in_one(void **state)
{
	(void)state;
	assert_becomes(TRANSFORM_REQUEST, routes,
		       BODY("PUT", "/merged?wait_for_active_shards=1",
			    "{'settings':{'x':1},'mappings':{"
			    "'a':{'_parent':{'type':'b'},'properties':{'n':{'type':'long'}}},"
			    "'b':{'properties':{'n':{'type':'long'},'d':{'type':'date'}}},"
			    "'c':{'properties':{'dropped':{'type':'long'}}}}}"),
		       BODY("PUT", "/all?wait_for_active_shards=1",
			    "{'settings':{'x':1},'mappings':{'properties':{'n':{'type':'long'},"
			    "'d':{'type':'date'}}}}"));
	assert_becomes(TRANSFORM_REQUEST, routes, BODY("PUT", "/merged", "{'settings':{}}"),
		       BODY("PUT", "/all", "{'settings':{}}"));
	assert_uri(routes, "PUT", "/i", "/i");
	assert_uri(routes, "PUT", "/gone", NULL);
	assert_becomes(TRANSFORM_REQUEST, routes,
		       BODY("PUT", "/activity", "{'mappings':{'like':{'properties':{}}}}"),
		       "{'method':'GET','URI':'/'}");
	/* Not typed: the request says so. */
	assert_becomes(
		TRANSFORM_REQUEST, routes,
		BODY("PUT", "/i?include_type_name=false", "{'mappings':{'t':{'properties':{}}}}"),
		BODY("PUT", "/i", "{'mappings':{'t':{'properties':{}}}}"));
	assert_message_error(
		TRANSFORM_REQUEST, routes,
		BODY("PUT", "/activity",
		     "{'mappings':{'user':{'properties':{}},'post':{'properties':{}}}}"),
		"index 'activity' is split, into 'users' and 1 more: one request cannot "
		"create them; create them beforehand, by migrating the metadata");
	assert_message_error(
		TRANSFORM_REQUEST, routes,
		BODY("PUT", "/merged",
		     "{'mappings':{'a':{'properties':{'n':{'type':'long'}}},"
		     "'b':{'properties':{'n':{'type':'date'}}}}}"),
		"field 'n' is defined differently in types that go into 'merged'; send "
		"them to indices of their own");
}

static void the_version_of_the_source_must_be_told(void **state)
{
	(void)state;
	assert_configuration_error(
		TRANSFORM_REQUEST, "TypeMappingSanitizationTransformerProvider",
		"sourceProperties.version.major is missing; give the source's version as "
		"{\"sourceProperties\":{\"version\":{\"major\":5,\"minor\":6}}}");
	assert_becomes(TRANSFORM_REQUEST,
		       "{'TypeMappingSanitizationTransformerProvider':{'sourceProperties':"
		       "{'version':{'major':7}}}}",
		       BODY("PUT", "/i", "{'mappings':{'t':{'properties':{}}}}"),
		       BODY("PUT", "/i", "{'mappings':{'t':{'properties':{}}}}"));
}

static void feature_flags_switch_parts_off(void **state)
{
	static const char off[] =
		ROUTES(",'featureFlags':{'rewrite_bulk':false,'rewrite_get_request_to_strip_types':"
		       "{'enabled':false},'rewrite_create_index':true}");

	(void)state;
	assert_uri(off, "GET", "/i/t/1", "/i/t/1");
	assert_uri(off, "PUT", "/i/t/1", "/i/_doc/1");
	assert_uri(off, "POST", "/i/t/_bulk", "/i/t/_bulk");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(typed_paths_become_typeless_ones),
		cmocka_unit_test(names_lists_and_escapes_are_routed),
		cmocka_unit_test(untyped_requests_of_a_split_index_go_to_all_its_parts),
		cmocka_unit_test(reserved_segments_are_neither_index_nor_type),
		cmocka_unit_test(what_nothing_typeless_does_is_refused),
		cmocka_unit_test(bulk_actions_are_routed_each),
		cmocka_unit_test(a_bulk_of_nothing_but_dropped_types_does_nothing),
		cmocka_unit_test(broken_bulk_bodies_are_errors),
		cmocka_unit_test(searches_of_a_multi_search_are_routed_each),
		cmocka_unit_test(documents_of_a_multi_get_are_routed_each),
		cmocka_unit_test(mappings_lose_their_level_of_types),
		cmocka_unit_test(an_index_is_created_with_its_types_in_one),
		cmocka_unit_test(the_version_of_the_source_must_be_told),
		cmocka_unit_test(feature_flags_switch_parts_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
