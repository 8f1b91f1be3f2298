#include "transform_fixture.h"

#define JOLT(operation, spec) \
	"{'JsonJoltTransformerProvider':{'script':{'operation':'" operation "','spec':" spec "}}}"

struct jolt_case {
	const char *spec, *message, *result;
};

static void run(const char *operation, const struct jolt_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char text[1000];

		snprintf(text, sizeof(text), JOLT("%s", "%s"), operation, cases[i].spec);
		assert_result(TRANSFORM_TUPLE, text, cases[i].message, cases[i].result);
	}
}

static void shift_moves_what_its_spec_names(void **state)
{
	static const struct jolt_case cases[] = {
		{"{'a':'b'}", "{'a':1.10,'x':2}", "{'b':1.10}"},
		{"{'*':'&'}", "{'a':1,'b':[2]}", "{'a':1,'b':[2]}"},
		{"{'a':{'b':'x.y'}}", "{'a':{'b':{'c':1}}}", "{'x':{'y':{'c':1}}}"},
		{"{'a':['x','y.z']}", "{'a':1}", "{'x':1,'y':{'z':1}}"},
		{"{'a':'x','*':'rest.&'}", "{'a':1,'b':2}", "{'x':1,'rest':{'b':2}}"},
		{"{'a|b':'x'}", "{'a':1,'b':2}", "{'x':[1,2]}"},
		{"{'a':null,'*':'&'}", "{'a':1,'b':2}", "{'b':2}"},
		{"{'rating-*':'r.&(0,1)'}", "{'rating-good':5,'rated':1}", "{'r':{'good':5}}"},
		{"{'*-*':'&(0,2).&(0,1)'}", "{'a-b':1}", "{'b':{'a':1}}"},
		{"{'*':{'max':'&1.top','*':'&1.&'}}", "{'a':{'max':1,'min':2}}",
		 "{'a':{'top':1,'min':2}}"},
		{"{'*':{'$':'keys[]','v':'values[]'}}", "{'a':{'v':1},'b':{'v':2}}",
		 "{'keys':['a','b'],'values':[1,2]}"},
		{"{'a':{'@':'all','b':'one'}}", "{'a':{'b':1}}", "{'all':{'b':1},'one':1}"},
		{"{'a':{'#fixed':'x'}}", "{'a':{}}", "{'x':'fixed'}"},
		{"{'list':{'*':{'id':'ids[&1]'}}}", "{'list':[{'id':1},{'id':2}]}",
		 "{'ids':[1,2]}"},
		{"{'list':{'0':'first','*':'others'}}", "{'list':[1,2,3]}",
		 "{'first':1,'others':[2,3]}"},
		{"{'list':{'*':'x[2]'}}", "{'list':[1]}", "{'x':[null,null,1]}"},
		{"{'list':{'*':{'a':'x[&1].b','c':'x[&1].d'}}}", "{'list':[{'a':1,'c':2},{'a':3}]}",
		 "{'x':[{'b':1,'d':2},{'b':3}]}"},
		{"{'kind':{'book':{'#yes':'is_book'}}}", "{'kind':'book'}", "{'is_book':'yes'}"},
		{"{'a':'x\\\\.y'}", "{'a':1}", "{'x.y':1}"},
		{"{'a':{'b':{'&1':'x'}}}", "{'a':{'b':{'a':1,'b':2}}}", "{'x':1}"},
	};

	(void)state;
	run("shift", cases, COUNT_OF(cases));
}

static void shift_tells_what_it_cannot_do(void **state)
{
	static const struct {
		const char *spec, *error;
	} refused[] = {
		{"{'a':5}", "shift: 'a' is neither a path, nor a list of them, nor an object"},
		{"{'a':''}", "shift: the output path '' is empty"},
		{"{'a':'x..y'}", "shift: the output path 'x..y' has an empty part"},
		{"{'a':'x.'}", "shift: the output path 'x.' ends with '.'"},
		{"{'a':'x['}", "shift: the output path 'x[' has a '[' without ']'"},
		{"{'a':'@(1,b)'}", "has a '@', '#' or '*'; only names, & and [] can be there"},
		{"{'a':'&('}", "has a broken '&'; write &, &1 or &(1,2)"},
		{"{'@(1,a)':'x'}", "shift: key '@(1,a)' is not there; only @ alone is"},
		{"{'*a*b*c*':'x'}", "script.spec: key '*a*b*c*' has more than 3 stars"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(refused); i++) {
		char text[300];

		snprintf(text, sizeof(text), JOLT("shift", "%s"), refused[i].spec);
		assert_configuration_error(TRANSFORM_TUPLE, text, refused[i].error);
	}
	assert_message_error(TRANSFORM_TUPLE, JOLT("shift", "{'a':'x'}"), "{'b':1}",
			     "shift: no key of the spec matches the message");
	assert_message_error(TRANSFORM_TUPLE, JOLT("shift", "{'a':'x','b':'x.y'}"), "{'a':1,'b':2}",
			     "shift: the output path 'x.y' goes through a value that is no object");
	assert_message_error(TRANSFORM_TUPLE, JOLT("shift", "{'a':'&7'}"), "{'a':1}",
			     "refers to a level or a star that there is not");
	assert_message_error(TRANSFORM_TUPLE, JOLT("shift", "{'a':'x[&]'}"), "{'a':1}",
			     "has no position up to 10000 in '[…]'");
}

static void default_fills_what_is_missing(void **state)
{
	static const struct jolt_case cases[] = {
		{"{'a':1}", "{}", "{'a':1}"},
		{"{'a':1}", "{'a':2}", "{'a':2}"},
		{"{'a':1}", "{'a':null}", "{'a':1}"},
		{"{'a':1}", "{'a':false}", "{'a':false}"},
		{"{'a':{'b':{'c':1.10}}}", "{}", "{'a':{'b':{'c':1.10}}}"},
		{"{'a':{'b':1}}", "{'a':{'c':2}}", "{'a':{'c':2,'b':1}}"},
		{"{'a':{'b':1}}", "{'a':5}", "{'a':5}"},
		{"{'*':{'b':1}}", "{'x':{},'y':{'b':2},'z':3}", "{'x':{'b':1},'y':{'b':2},'z':3}"},
		{"{'x|y':{'b':1}}", "{'x':{},'z':{}}", "{'x':{'b':1},'z':{}}"},
		{"{'l[]':{'1':'d'}}", "{}", "{'l':[null,'d']}"},
		{"{'l[]':{'*':{'n':1}}}", "{'l':[{},{'n':2}]}", "{'l':[{'n':1},{'n':2}]}"},
		{"{'l':[1,2]}", "{}", "{'l':[1,2]}"},
	};

	(void)state;
	run("default", cases, COUNT_OF(cases));
}

static void remove_takes_out_what_its_spec_names(void **state)
{
	static const struct jolt_case cases[] = {
		{"{'a':''}", "{'a':1,'b':2}", "{'b':2}"},
		{"{'a':{'b':''}}", "{'a':{'b':1,'c':2}}", "{'a':{'c':2}}"},
		{"{'*':{'b':''}}", "{'x':{'b':1},'y':{'b':2,'c':3}}", "{'x':{},'y':{'c':3}}"},
		{"{'a-*':''}", "{'a-x':1,'a-':2,'b':3}", "{'a-':2,'b':3}"},
		{"{'a|b':''}", "{'a':1,'b':2,'c':3}", "{'c':3}"},
		{"{'l':{'0':'','2':''}}", "{'l':[1,2,3]}", "{'l':[2]}"},
		{"{'l':{'*':{'x':''}}}", "{'l':[{'x':1},{'y':2}]}", "{'l':[{},{'y':2}]}"},
		{"{'*':''}", "{'a':1}", "{}"},
	};

	(void)state;
	run("remove", cases, COUNT_OF(cases));
}

static void operations_are_chained(void **state)
{
	(void)state;
	assert_becomes(TRANSFORM_TUPLE,
		       "{'JsonJoltTransformerProvider':["
		       "{'script':{'operation':'shift','spec':{'*':'in.&'}}},"
		       "{'script':{'operation':'default','spec':{'in':{'c':3}}}},"
		       "{'canned':'PASS_THRU'},"
		       "{'script':{'operation':'remove','spec':{'in':{'a':''}}}}]}",
		       "{'a':1,'b':2}", "{'in':{'b':2,'c':3}}");
}

static void canned_operations_change_headers_only(void **state)
{
	(void)state;
	assert_becomes(TRANSFORM_REQUEST, "{'JsonJoltTransformerProvider':{'canned':'ADD_GZIP'}}",
		       "{'method':'PUT','headers':{'Content-Encoding':['br'],'host':['h']},"
		       "'payload':{'inlinedJsonBody':{'d':1.10}}}",
		       "{'method':'PUT','headers':{'host':['h'],'content-encoding':['gzip']},"
		       "'payload':{'inlinedJsonBody':{'d':1.10}}}");
	assert_becomes(
		TRANSFORM_REQUEST, "{'JsonJoltTransformerProvider':[{'canned':'MAKE_CHUNKED'}]}",
		"{'method':'PUT'}", "{'method':'PUT','headers':{'transfer-encoding':['chunked']}}");
	assert_becomes(TRANSFORM_DOCUMENT, "{'JsonJoltTransformerProvider':{'canned':'PASS_THRU'}}",
		       "{'a':1}", "{'a':1}");
}

static void wrong_configurations_name_the_key(void **state)
{
	static const struct {
		const char *configuration, *error;
	} cases[] = {
		{"'JsonJoltTransformerProvider'",
		 "its configuration must be an object with one key, canned or script, or a list of "
		 "these"},
		{"{'JsonJoltTransformerProvider':{'canned':'PASS_THRU','script':{}}}",
		 "its configuration must be an object with one key, canned or script, or a list of "
		 "these"},
		{"{'JsonJoltTransformerProvider':{'canned':'ADD_BROTLI'}}",
		 "there is no canned 'ADD_BROTLI'; use ADD_GZIP, MAKE_CHUNKED or PASS_THRU"},
		{"{'JsonJoltTransformerProvider':{'canned':'ADD_GZIP'}}",
		 "canned ADD_GZIP is for requests only"},
		{"{'JsonJoltTransformerProvider':{'script':5}}",
		 "script is no object {\"operation\": …, \"spec\": {…}}"},
		{"{'JsonJoltTransformerProvider':{'script':{'operation':'shift'}}}",
		 "script.spec is no object"},
		{JOLT("modify-overwrite-beta", "{}"),
		 "script.operation 'modify-overwrite-beta' is not there; use shift, default or "
		 "remove, or a JsonJSTransformerProvider"},
		{JOLT("remove", "{'a':1}"), "remove: 'a' must be \"\" or an object of keys"},
		{JOLT("default", "{'a[]':1}"),
		 "default: 'a[]' must be an object of positions or an array"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_configuration_error(TRANSFORM_TUPLE, cases[i].configuration, cases[i].error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shift_moves_what_its_spec_names),
		cmocka_unit_test(shift_tells_what_it_cannot_do),
		cmocka_unit_test(default_fills_what_is_missing),
		cmocka_unit_test(remove_takes_out_what_its_spec_names),
		cmocka_unit_test(operations_are_chained),
		cmocka_unit_test(canned_operations_change_headers_only),
		cmocka_unit_test(wrong_configurations_name_the_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
