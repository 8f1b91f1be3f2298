#include "transform_fixture.h"

#define DOCUMENT(operation)                                                                    \
	"{'schema':'rfs-opensearch-bulk-v1','operation_type':'index','include_document':true," \
	"'operation':" operation ",'document':{'n':1.10}}"

#define ROUTES(routes) "{'TypeMappingSanitizationTransformerProvider':" routes "}"

static const char split[] =
	ROUTES("{'staticMappings':{'activity':{'user':'users','post':'posts'},'gone':{}}}");

static void static_mappings_split_an_index(void **state)
{
	(void)state;
	assert_becomes(TRANSFORM_DOCUMENT, split,
		       DOCUMENT("{'_id':'1','_index':'activity','_type':'user','routing':'r'}"),
		       DOCUMENT("{'_id':'1','_index':'users','routing':'r'}"));
	assert_becomes(TRANSFORM_DOCUMENT, split,
		       DOCUMENT("{'_id':'1','_index':'activity','_type':'post'}"),
		       DOCUMENT("{'_id':'1','_index':'posts'}"));
}

static void types_that_are_left_out_are_dropped(void **state)
{
	(void)state;
	assert_becomes(TRANSFORM_DOCUMENT, split,
		       DOCUMENT("{'_id':'1','_index':'activity','_type':'like'}"), NULL);
	assert_becomes(TRANSFORM_DOCUMENT, split,
		       DOCUMENT("{'_id':'1','_index':'gone','_type':'t'}"), NULL);
	/* Without a type it counts as _doc, which is not there. */
	assert_becomes(TRANSFORM_DOCUMENT, split, DOCUMENT("{'_id':'1','_index':'activity'}"),
		       NULL);
}

static void other_indices_keep_their_names_and_lose_their_types(void **state)
{
	(void)state;
	assert_becomes(TRANSFORM_DOCUMENT, split, DOCUMENT("{'_id':'1','_index':'b','_type':'t'}"),
		       DOCUMENT("{'_id':'1','_index':'b'}"));
	assert_becomes(TRANSFORM_DOCUMENT, split, DOCUMENT("{'_id':'1','_index':'b'}"),
		       DOCUMENT("{'_id':'1','_index':'b'}"));
	assert_becomes(TRANSFORM_DOCUMENT, "TypeMappingSanitizationTransformerProvider",
		       DOCUMENT("{'_id':'1','_index':'b','_type':'t'}"),
		       DOCUMENT("{'_id':'1','_index':'b'}"));
}

static void deletions_are_routed_like_documents(void **state)
{
	(void)state;
	assert_becomes(TRANSFORM_DOCUMENT, split,
		       "{'operation_type':'delete','operation':{'_id':'1','_index':'activity',"
		       "'_type':'user'}}",
		       "{'operation_type':'delete','operation':{'_id':'1','_index':'users'}}");
}

static void the_first_matching_pattern_counts(void **state)
{
	static const char routes[] =
		ROUTES("{'staticMappings':{'time-x':{'cpu':'fixed'}},"
		       "'regexMappings':["
		       "{'sourceIndexPattern':'time-(.*)','sourceTypePattern':'(cpu)',"
		       "'targetIndexPattern':'time-$1-$2'},"
		       "{'sourceIndexPattern':'(.*)','sourceTypePattern':'(.*)-(cpu)',"
		       "'targetIndexPattern':'$2-$3-$1'},"
		       "{'sourceIndexPattern':'a|b','sourceTypePattern':'(t|u)',"
		       "'targetIndexPattern':'$1x$1$$'}]}");
	static const struct {
		const char *index, *type, *target;
	} cases[] = {
		{"time-nov11", "cpu", "time-nov11-cpu"},
		{"nov11", "host1-cpu", "host1-cpu-nov11"},
		{"a", "t", "txt$$"},
		{"b", "u", "uxu$$"},
		{"ab", "t", NULL},
		{"a", "tt", NULL},
		{"time-x", "cpu", "fixed"},
		{"time-x", "disk", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char in[200], out[200];

		snprintf(in, sizeof(in), "{'operation':{'_index':'%s','_type':'%s'}}",
			 cases[i].index, cases[i].type);
		snprintf(out, sizeof(out), "{'operation':{'_index':'%s'}}",
			 cases[i].target ? cases[i].target : "");
		assert_becomes(TRANSFORM_DOCUMENT, routes, in, cases[i].target ? out : NULL);
	}
}

static void groups_are_numbered_up_to_99(void **state)
{
	(void)state;
	/* $11 is group 1 and a '1' where there are but two groups. */
	assert_becomes(TRANSFORM_DOCUMENT,
		       ROUTES("{'regexMappings':[{'sourceIndexPattern':'(a)',"
			      "'sourceTypePattern':'(b)','targetIndexPattern':'$11-$2'}]}"),
		       "{'operation':{'_index':'a','_type':'b'}}",
		       "{'operation':{'_index':'a1-b'}}");
	assert_becomes(
		TRANSFORM_DOCUMENT,
		ROUTES("{'regexMappings':[{'sourceIndexPattern':'(a)(b)(c)(d)(e)(f)(g)(h)(i)',"
		       "'sourceTypePattern':'(j)(k)','targetIndexPattern':'$11$10$9'}]}"),
		"{'operation':{'_index':'abcdefghi','_type':'jk'}}",
		"{'operation':{'_index':'kji'}}");
}

static void several_values_are_routed_each(void **state)
{
	(void)state;
	assert_becomes(TRANSFORM_DOCUMENT, split,
		       "[{'operation':{'_index':'activity','_type':'user'}},"
		       "{'operation':{'_index':'activity','_type':'like'}},"
		       "{'operation':{'_index':'activity','_type':'post'}}]",
		       "[{'operation':{'_index':'users'}},{'operation':{'_index':'posts'}}]");
}

static void names_that_no_index_can_have_are_errors(void **state)
{
	static const char by_type[] =
		ROUTES("{'regexMappings':[{'sourceIndexPattern':'(.*)','sourceTypePattern':'(.*)',"
		       "'targetIndexPattern':'$1_$2'}]}");

	(void)state;
	assert_message_error(
		TRANSFORM_DOCUMENT, by_type, "{'operation':{'_index':'a','_type':'userProfile'}}",
		"index 'a', type 'userProfile': the target index 'a_userProfile' has an "
		"upper-case letter; name another in staticMappings");
	assert_message_error(TRANSFORM_DOCUMENT, by_type, "{'operation':{'_type':'t'}}",
			     "the document has no operation._index, by which types are routed");
	assert_message_error(TRANSFORM_DOCUMENT, by_type, "{'a':1}",
			     "the document has no operation._index, by which types are routed");
}

static void a_pattern_without_end_is_stopped(void **state)
{
	(void)state;
	assert_message_error(
		TRANSFORM_DOCUMENT,
		ROUTES("{'regexMappings':[{'sourceIndexPattern':'(a+)+(a+)+(a+)+b',"
		       "'sourceTypePattern':'t','targetIndexPattern':'x'}]}"),
		"{'operation':{'_index':'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac',"
		"'_type':'t'}}",
		"it needs too many steps, or the name is no UTF-8");
}

static void wrong_configurations_name_the_place(void **state)
{
	static const struct {
		const char *routes, *error;
	} cases[] = {
		{"{'staticMapping':{}}", "do you mean 'staticMappings'?"},
		{"[]", "its configuration must be an object"},
		{"{'staticMappings':[]}",
		 "staticMappings is no object {index: {type: target index}}"},
		{"{'staticMappings':{'a':'b'}}",
		 "staticMappings.a is no object {type: target index}"},
		{"{'staticMappings':{'a':{'t':5}}}",
		 "staticMappings.a.t: the target index is no text; leave a type out to drop it"},
		{"{'staticMappings':{'a':{'t':'_x'}}}",
		 "staticMappings.a.t: the target index starts with '_', '-' or '+'; leave a type "
		 "out to drop it"},
		{"{'regexMappings':{}}", "regexMappings is no list"},
		{"{'regexMappings':[5]}", "regexMappings[0] is no object"},
		{"{'regexMappings':[{'sourceIndexPattern':'a','sourceTypePattern':'b'}]}",
		 "regexMappings[0].targetIndexPattern is missing, or no text"},
		{"{'regexMappings':[{'sourceIndexPattern':'(a','sourceTypePattern':'b',"
		 "'targetIndexPattern':'c'}]}",
		 "regexMappings[0]: '(a' and 'b' are no pattern: missing closing parenthesis"},
		{"{'regexMappings':[{'sourceIndexPattern':'a','sourceTypePattern':'(b)',"
		 "'targetIndexPattern':'$2'}]}",
		 "regexMappings[0].targetIndexPattern: there is no group $2; the two source "
		 "patterns have 1"},
		{"{'sourceProperties':{'version':{'major':'x'}}}",
		 "sourceProperties.version.major is no version number; give the source's version "
		 "as "
		 "{\"sourceProperties\":{\"version\":{\"major\":5,\"minor\":6}}}"},
		{"{'featureFlags':{'rewrite':true}}",
		 "rewrite_delete_request_to_strip_types and rewrite_create_index"},
		{"{'featureFlags':{'rewrite_bulk':1}}",
		 "featureFlags.rewrite_bulk is neither true nor false"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char text[400];

		snprintf(text, sizeof(text), ROUTES("%s"), cases[i].routes);
		assert_configuration_error(TRANSFORM_DOCUMENT, text, cases[i].error);
	}
	assert_configuration_error(TRANSFORM_TUPLE, "TypeMappingSanitizationTransformerProvider",
				   "tuples have no types; use it for documents, metadata or "
				   "requests");
}

/* A random table of types, and what it says of each document. Runs after runs are the same: the
 * seed is fixed; SHARDLIFT_TEST_SEED gives another. */
static void every_document_goes_where_the_table_says(void **state)
{
	const char *given = getenv("SHARDLIFT_TEST_SEED");
	unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : 20261122u;

	(void)state;
	print_message("seed %u\n", seed);
	srand(seed);
	for (int round = 0; round < 50; round++) {
		cleanup(buf_release) struct buf table = BUF_INIT(KIB(64));
		int targets[4][4];

		buf_append_str(&table, STR("{'TypeMappingSanitizationTransformerProvider':"
					   "{'staticMappings':{"));
		for (int i = 0; i < 4; i++) {
			bool first = true;

			buf_printf(&table, "%s'i%d':{", i ? "," : "", i);
			for (int t = 0; t < 4; t++) {
				targets[i][t] = rand() % 4 - 1;
				if (targets[i][t] < 0)
					continue;
				buf_printf(&table, "%s't%d':'x%d'", first ? "" : ",", t,
					   targets[i][t]);
				first = false;
			}
			buf_append_str(&table, STR("}"));
		}
		buf_append_str(&table, STR("}}}"));
		for (int n = 0; n < 20; n++) {
			int i = rand() % 5, t = rand() % 4;
			char in[100], out[100];

			snprintf(in, sizeof(in), "{'operation':{'_index':'i%d','_type':'t%d'}}", i,
				 t);
			if (i == 4)
				snprintf(out, sizeof(out), "{'operation':{'_index':'i4'}}");
			else
				snprintf(out, sizeof(out), "{'operation':{'_index':'x%d'}}",
					 targets[i][t]);
			assert_becomes(TRANSFORM_DOCUMENT, buf_cstr(&table), in,
				       i < 4 && targets[i][t] < 0 ? NULL : out);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(static_mappings_split_an_index),
		cmocka_unit_test(types_that_are_left_out_are_dropped),
		cmocka_unit_test(other_indices_keep_their_names_and_lose_their_types),
		cmocka_unit_test(deletions_are_routed_like_documents),
		cmocka_unit_test(the_first_matching_pattern_counts),
		cmocka_unit_test(groups_are_numbered_up_to_99),
		cmocka_unit_test(several_values_are_routed_each),
		cmocka_unit_test(names_that_no_index_can_have_are_errors),
		cmocka_unit_test(a_pattern_without_end_is_stopped),
		cmocka_unit_test(wrong_configurations_name_the_place),
		cmocka_unit_test(every_document_goes_where_the_table_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
