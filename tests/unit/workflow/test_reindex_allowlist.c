#include "workflow/routes/reindex_allowlist.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct cluster_version opensearch_1 = {.flavour = CLUSTER_OPENSEARCH, .major = 1},
				    opensearch_3 = {.flavour = CLUSTER_OPENSEARCH, .major = 3},
				    elasticsearch_8 = {.flavour = CLUSTER_ELASTICSEARCH,
						       .major = 8};

static void address_is(const char *url, const char *expected)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(KIB(64));
	struct url parsed;
	struct err err = {0};

	if (url_parse(url, &mem, &parsed, &err) < 0)
		fail_msg("%s", err.message);
	assert_true(str_is(reindex_source_address(&parsed, &mem), expected));
}

static void the_address_has_no_scheme_and_always_a_port(void **state)
{
	(void)state;
	address_is("https://user:secret@old.example:9243/prefix", "old.example:9243");
	address_is("https://old.example", "old.example:443");
	address_is("http://[::1]:9200", "[::1]:9200");
}

static bool accepts(const char *pattern, const char *address)
{
	return reindex_pattern_accepts(str_from(pattern), str_from(address));
}

static void patterns_match_as_the_server_does(void **state)
{
	(void)state;
	assert_true(accepts("old:9200", "old:9200"));
	assert_true(accepts("*.io:*", "a.b.io:9243"));
	assert_true(accepts("127.0.10.*:9200", "127.0.10.7:9200"));
	assert_true(accepts("o*d:9*0*", "old:9200"));
	assert_false(accepts("*.io:*", "a.b.com:9243"));
	assert_false(accepts("old:9200", "old:9201"));
	assert_false(accepts("http://old:9200", "old:9200"));
	assert_false(accepts("OLD:9200", "old:9200"));
	assert_false(accepts("ol?:9200", "old:9200"));
	assert_false(accepts("", "old:9200"));
}

static void both_messages_of_servers_are_known(void **state)
{
	(void)state;
	assert_true(reindex_is_refused(STR("illegal_argument_exception: [other:9200] not "
					   "allowlisted in reindex.remote.allowlist")));
	assert_true(reindex_is_refused(STR("illegal_argument_exception: [other:9200] not "
					   "whitelisted in reindex.remote.whitelist")));
	assert_false(reindex_is_refused(STR("connect_exception: Connection refused")));
}

/* `patterns` NULL: they cannot be seen. */
static void advises(const struct cluster_version *target, const char *patterns, bool tls,
		    const char *expected)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(KIB(64));
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(64));
	struct json *known = NULL;
	struct err err = {0};

	if (patterns && json_parse(str_from(patterns), &mem, &known, &err) < 0)
		fail_msg("%s", err.message);
	reindex_allowlist_advice(target, known, STR("old:9200"), tls, &text);
	assert_string_equal(buf_cstr(&text), expected);
}

#define BEGIN                                                                             \
	"the target does not reindex from 'old:9200' yet: set on each of its nodes, and " \
	"restart them one after the other,\n"
#define KEPT "a new value replaces the old one: what is set now is kept in it\n"
#define REACH \
	"the target itself must reach old:9200; --remote-host tells another name of the source\n"

static void what_is_set_is_kept_because_a_new_value_replaces_it(void **state)
{
	(void)state;
	advises(&opensearch_3, "[\"a:9200\",\"*.b:*\"]", false,
		BEGIN "  in opensearch.yml: reindex.remote.allowlist: "
		      "[\"a:9200\", \"*.b:*\", \"old:9200\"]\n"
		      "  on Aiven: avn service update SERVICE -c "
		      "opensearch.reindex_remote_whitelist=a:9200,*.b:*,old:9200\n" KEPT REACH);
}

static void elastic_cloud_keeps_its_defaults_once(void **state)
{
	(void)state;
	advises(&elasticsearch_8, "[\"*.io:*\"]", true,
		BEGIN "  in elasticsearch.yml: reindex.remote.whitelist: "
		      "[\"*.io:*\", \"old:9200\"]\n"
		      "  on Elastic Cloud, as user settings: reindex.remote.whitelist: "
		      "[\"*.com:*\", \"*.io:*\", \"old:9200\"]\n" KEPT REACH
		      "its certificate must be trusted there: "
		      "reindex.ssl.certificate_authorities in elasticsearch.yml, unless a known "
		      "authority signed it\n");
}

static void what_cannot_be_seen_is_to_be_added(void **state)
{
	(void)state;
	advises(&opensearch_1, NULL, false,
		BEGIN "  in opensearch.yml: reindex.remote.whitelist: [\"old:9200\"]\n"
		      "  on Aiven: avn service update SERVICE -c "
		      "opensearch.reindex_remote_whitelist=old:9200\n"
		      "a new value replaces the old one; what is set now cannot be seen by this "
		      "user: add it\n" REACH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_address_has_no_scheme_and_always_a_port),
		cmocka_unit_test(patterns_match_as_the_server_does),
		cmocka_unit_test(both_messages_of_servers_are_known),
		cmocka_unit_test(what_is_set_is_kept_because_a_new_value_replaces_it),
		cmocka_unit_test(elastic_cloud_keeps_its_defaults_once),
		cmocka_unit_test(what_cannot_be_seen_is_to_be_added),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
