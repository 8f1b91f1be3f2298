#include "transform_fixture.h"

static void jmespath_replaces_the_message(void **state)
{
	static const char config[] =
		"{'JsonJMESPathTransformerProvider':{'script':'merge(@, {document: "
		"merge(document, {total: sum(document.parts)})})'}}";

	(void)state;
	assert_becomes(TRANSFORM_DOCUMENT, config,
		       "{'operation':{'_id':'1'},'document':{'big':12345678901234567890,"
		       "'d':1.10,'parts':[1,2]}}",
		       "{'operation':{'_id':'1'},'document':{'big':12345678901234567890,"
		       "'d':1.10,'parts':[1,2],'total':3}}");
	assert_becomes(TRANSFORM_TUPLE, "{'JsonJMESPathTransformerProvider':{'script':'@'}}",
		       "{'a':1}", "{'a':1}");
	assert_becomes(TRANSFORM_REQUEST,
		       "{'JsonJMESPathTransformerProvider':{'script':'[{a: a}, {a: b}]'}}",
		       "{'a':1,'b':2}", "[{'a':1},{'a':2}]");
	assert_becomes(TRANSFORM_METADATA, "{'JsonJMESPathTransformerProvider':{'script':'`[]`'}}",
		       "{'a':1}", NULL);
}

static void a_jmespath_error_is_that_of_the_message(void **state)
{
	(void)state;
	assert_message_error(TRANSFORM_DOCUMENT,
			     "{'JsonJMESPathTransformerProvider':{'script':'abs(a)'}}", "{'a':'x'}",
			     "JMESPath function abs: argument 1 must be a number");
	assert_message_error(
		TRANSFORM_DOCUMENT, "{'JsonJMESPathTransformerProvider':{'script':'b'}}", "{'a':1}",
		"the JMESPath expression gives null; it must give an object, a list of "
		"them, or [] to drop the message");
	assert_message_error(TRANSFORM_DOCUMENT,
			     "{'JsonJMESPathTransformerProvider':{'script':'[@, a]'}}", "{'a':1}",
			     "the JMESPath expression gives a list with a number; it must give an "
			     "object, a list of them, or [] to drop the message");
	assert_configuration_error(TRANSFORM_DOCUMENT,
				   "{'JsonJMESPathTransformerProvider':{'script':'a..b'}}",
				   "JsonJMESPathTransformerProvider: script: JMESPath expression: "
				   "byte 2: expected a name, '*', '[' or '{' behind '.'");
	assert_configuration_error(TRANSFORM_DOCUMENT, "JsonJMESPathTransformerProvider",
				   "script is missing; give a JMESPath expression");
	assert_configuration_error(TRANSFORM_DOCUMENT,
				   "{'JsonJMESPathTransformerProvider':{'scripts':'a'}}",
				   "there is no key 'scripts'; do you mean 'script'?");
}

#define WHEN(predicate, steps)                                                               \
	"{'JsonConditionalTransformerProvider':[{'JsonJMESPathPredicateProvider':{'script':" \
	"'" predicate "'}}," steps "]}"

static void a_condition_sends_what_meets_it_through_its_steps(void **state)
{
	static const char config[] =
		WHEN("operation._type == `\\'user\\'`",
		     "[{'JsonTransformerForDocumentTypeRemovalProvider':{}},"
		     "{'JsonJMESPathTransformerProvider':{'script':'merge(@, {seen: `true`})'}}]");

	(void)state;
	assert_becomes(TRANSFORM_DOCUMENT, config, "{'operation':{'_type':'user','_id':'1'}}",
		       "{'operation':{'_id':'1'},'seen':true}");
	assert_becomes(TRANSFORM_DOCUMENT, config, "{'operation':{'_type':'post','_id':'1'}}",
		       "{'operation':{'_type':'post','_id':'1'}}");
	assert_becomes(TRANSFORM_DOCUMENT,
		       WHEN("drop", "[{'JsonJMESPathTransformerProvider':"
				    "{'script':'`[]`'}}]"),
		       "[{'drop':true,'n':1},{'n':2},{'drop':false,'n':3}]",
		       "[{'n':2},{'drop':false,'n':3}]");
}

static void a_condition_that_cannot_be_asked_is_an_error_of_the_message(void **state)
{
	(void)state;
	assert_message_error(TRANSFORM_DOCUMENT,
			     WHEN("length(n) > `1`", "'NoopTransformerProvider'"), "{'n':5}",
			     "JMESPath function length: argument 1 must be a text, an array or an "
			     "object");
	assert_configuration_error(TRANSFORM_DOCUMENT, "{'JsonConditionalTransformerProvider':[]}",
				   "its configuration must be a list of two: a predicate, and the "
				   "list of transformers for the messages that meet it");
	assert_configuration_error(
		TRANSFORM_DOCUMENT, "{'JsonConditionalTransformerProvider':[{'Other':{}},[]]}",
		"there is no predicate 'Other'; write a JsonJMESPathPredicateProvider");
	assert_configuration_error(
		TRANSFORM_DOCUMENT, WHEN("a", "['Nothing']"),
		"JsonConditionalTransformerProvider: step 1: there is no provider "
		"'Nothing'; docs/transforms.md lists those there are");
	assert_configuration_error(TRANSFORM_DOCUMENT, WHEN("a ==", "[]"),
				   "script: JMESPath expression: byte 4: the expression ends here");
}

static void types_of_documents_can_be_removed(void **state)
{
	static const char config[] = "JsonTransformerForDocumentTypeRemovalProvider";

	(void)state;
	assert_becomes(TRANSFORM_DOCUMENT, config,
		       "{'operation':{'_id':'1','_type':'t'},'document':{'_type':'kept'}}",
		       "{'operation':{'_id':'1'},'document':{'_type':'kept'}}");
	assert_becomes(TRANSFORM_DOCUMENT, config, "{'operation':{'_id':'1'}}",
		       "{'operation':{'_id':'1'}}");
	assert_configuration_error(TRANSFORM_METADATA, config, "it is for documents only");
	assert_configuration_error(TRANSFORM_DOCUMENT,
				   "{'JsonTransformerForDocumentTypeRemovalProvider':{'a':1}}",
				   "there is no key 'a'");
}

static void documents_of_backing_indices_go_to_their_data_stream(void **state)
{
	static const struct {
		const char *index, *stream;
	} cases[] = {
		{".ds-logs-2024.01.15-000034", "logs"},
		{".ds-logs-app-000034", "logs-app"},
		{".ds-logs-2024.01.15-app-2024.01.16-000001", "logs-2024.01.15-app"},
		{".ds-2024.01.15-000001", "2024.01.15"},
		{".ds-logs-2024.1.15-000001", "logs-2024.1.15"},
		{".ds-logs-34", NULL},
		{".ds-logs-12345678901", NULL},
		{".ds-logs", NULL},
		{".ds--000001", NULL},
		{"logs-000034", NULL},
		{"x.ds-logs-000034", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char in[200], out[200];

		snprintf(in, sizeof(in), "{'operation':{'_index':'%s'}}", cases[i].index);
		snprintf(out, sizeof(out), "{'operation':{'_index':'%s','op_type':'create'}}",
			 cases[i].stream ? cases[i].stream : "");
		assert_becomes(TRANSFORM_DOCUMENT, "DataStreamBackingIndexTransformerProvider", in,
			       cases[i].stream ? out : in);
	}
	assert_configuration_error(TRANSFORM_REQUEST, "DataStreamBackingIndexTransformerProvider",
				   "it is for documents only");
}

#define RULES(rules) "{'MetadataUpdaterTransformerProvider':{'rules':" rules "}}"

static void rules_update_metadata_at_every_depth(void **state)
{
	static const char config[] =
		RULES("[{'when':{'type':'flattened'},'set':{'type':'flat_object'},"
		      "'remove':['index']},{'when':{'type':'keyword','ignore_above':2048},"
		      "'set':{'ignore_above':999}}]");

	(void)state;
	assert_becomes(TRANSFORM_METADATA, config,
		       "{'type':'index','name':'i','body':{'mappings':[{'_doc':{'properties':{"
		       "'a':{'type':'flattened','index':false},"
		       "'b':{'properties':{'c':{'type':'text','fields':{'k':"
		       "{'type':'keyword','ignore_above':2048}}}}},"
		       "'d':{'type':'keyword','ignore_above':256}}}}]}}",
		       "{'type':'index','name':'i','body':{'mappings':[{'_doc':{'properties':{"
		       "'a':{'type':'flat_object'},"
		       "'b':{'properties':{'c':{'type':'text','fields':{'k':"
		       "{'type':'keyword','ignore_above':999}}}}},"
		       "'d':{'type':'keyword','ignore_above':256}}}}]}}");
	assert_becomes(TRANSFORM_METADATA, config, "{'type':'flattened','name':'i'}",
		       "{'type':'flattened','name':'i'}");
}

static void wrong_rules_are_named(void **state)
{
	static const struct {
		const char *rules, *error;
	} cases[] = {
		{"{}", "rules is no list; give {\"rules\":[{\"when\":{\"type\":\"flattened\"},"
		       "\"set\":{\"type\":\"flat_object\"},\"remove\":[\"index\"]}]}"},
		{"[{'set':{}}]", "rules[0].when is no object {key: value}"},
		{"[{'when':{}},{'when':{},'set':[]}]", "rules[1].set is no object {key: value}"},
		{"[{'when':{},'remove':'a'}]", "rules[0].remove is no list of keys"},
		{"[{'when':{},'remove':[1]}]", "rules[0].remove is no list of keys"},
		{"[{'whem':{}}]", "rules[0]: there is no key 'whem'; do you mean 'when'?"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char text[300];

		snprintf(text, sizeof(text), RULES("%s"), cases[i].rules);
		assert_configuration_error(TRANSFORM_METADATA, text, cases[i].error);
	}
	assert_configuration_error(TRANSFORM_DOCUMENT, RULES("[]"), "it is for metadata only");
}

static void what_is_not_run_is_refused_with_what_to_use(void **state)
{
	static const struct {
		const char *provider, *error;
	} cases[] = {
		{"JsonPythonTransformerProvider", "write the same main(context) in JavaScript for "
						  "JsonJSTransformerProvider, or use a "
						  "provider that needs no script"},
		{"JsonJinjavaTransformerProvider",
		 "TypeMappingSanitizationTransformerProvider or JsonJSTransformerProvider"},
		{"JsonJMESPathPredicateProvider",
		 "[{\"JsonJMESPathPredicateProvider\": {\"script\": …}}, [transformers]]}"},
		{"JsonJSPredicateProvider", "use JsonJMESPathPredicateProvider in "
					    "JsonConditionalTransformerProvider, or decide "
					    "within JsonJSTransformerProvider"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_configuration_error(TRANSFORM_DOCUMENT, cases[i].provider, cases[i].error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jmespath_replaces_the_message),
		cmocka_unit_test(a_jmespath_error_is_that_of_the_message),
		cmocka_unit_test(a_condition_sends_what_meets_it_through_its_steps),
		cmocka_unit_test(a_condition_that_cannot_be_asked_is_an_error_of_the_message),
		cmocka_unit_test(types_of_documents_can_be_removed),
		cmocka_unit_test(documents_of_backing_indices_go_to_their_data_stream),
		cmocka_unit_test(rules_update_metadata_at_every_depth),
		cmocka_unit_test(wrong_rules_are_named),
		cmocka_unit_test(what_is_not_run_is_refused_with_what_to_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
