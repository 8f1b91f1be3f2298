#include "net/kubernetes.h"

#include "base/limits.h"
#include "fake_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

struct fixture {
	struct fake_server *server;
	char folder[64];
	char head[512], body[512]; /* of the last request */
	int status;
	const char *answer;
	struct arena mem;
	struct kubernetes *api;
	struct err err;
};

static void keep(char *to, size_t size, struct str from)
{
	snprintf(to, size, STR_FMT, STR_ARG(from));
}

static void handle(void *user, const struct fake_request *request, struct fake_reply *reply)
{
	struct fixture *f = user;

	keep(f->head, sizeof(f->head), request->head);
	keep(f->body, sizeof(f->body), request->body);
	fake_reply_json(reply, f->status, f->answer);
}

static void write_file(const struct fixture *f, const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", f->folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	snprintf(f->folder, sizeof(f->folder), "/tmp/shardlift-kubernetes-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	write_file(f, "token", "first\n");
	write_file(f, "namespace", "elsewhere");
	f->status = 200;
	f->answer = "{\"items\":[]}";
	f->mem = ARENA_INIT(MIB(1));
	f->server = fake_server_start(handle, f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	static const char *const files[] = {"token", "namespace"};
	struct fixture *f = *state;
	char path[128];

	kubernetes_close(f->api);
	fake_server_free(f->server);
	arena_release(&f->mem);
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", f->folder, files[i]);
		unlink(path);
	}
	rmdir(f->folder);
	free(f);
	return 0;
}

static void open_it(struct fixture *f, const char *namespace)
{
	const struct kubernetes_options options = {
		.namespace = namespace, .url = fake_server_url(f->server), .folder = f->folder};

	assert_int_equal(0, kubernetes_open(&options, &f->api, &f->err));
}

static int call(struct fixture *f, const struct kubernetes_call *call)
{
	struct json *out;

	return kubernetes_send(f->api, call, &f->mem, &out, &f->err);
}

static void test_a_call_goes_to_the_pod_s_namespace_with_its_token(void **state)
{
	struct fixture *f = *state;

	open_it(f, NULL);
	assert_string_equal("elsewhere", kubernetes_namespace(f->api));
	assert_int_equal(0,
			 call(f, &(struct kubernetes_call){.verb = "list",
							   .group = "",
							   .resource = "pods",
							   .query = STR("labelSelector=a%3Db")}));
	assert_non_null(
		strstr(f->head, "GET /api/v1/namespaces/elsewhere/pods?labelSelector=a%3Db HTTP"));
	assert_non_null(strstr(f->head, "Authorization: Bearer first\r\n"));
}

static void test_a_patch_is_a_merge_of_a_subresource(void **state)
{
	struct fixture *f = *state;
	struct json *body = json_new(&f->mem, JSON_OBJECT);

	open_it(f, "ma");
	json_set(body, STR("replicas"), json_new_i64(&f->mem, 3));
	assert_int_equal(0, call(f, &(struct kubernetes_call){.verb = "patch",
							      .group = "apps",
							      .resource = "deployments",
							      .name = "x",
							      .subresource = "scale",
							      .body = body}));
	assert_non_null(
		strstr(f->head, "PATCH /apis/apps/v1/namespaces/ma/deployments/x/scale HTTP"));
	assert_non_null(strstr(f->head, "application/merge-patch+json"));
	assert_string_equal("{\"replicas\":3}", f->body);
}

static void test_an_update_replaces_an_object_whole(void **state)
{
	struct fixture *f = *state;

	open_it(f, "ma");
	assert_int_equal(
		0, call(f, &(struct kubernetes_call){.verb = "update",
						     .group = "apps",
						     .resource = "deployments",
						     .name = "x",
						     .body = json_new(&f->mem, JSON_OBJECT)}));
	assert_non_null(strstr(f->head, "PUT /apis/apps/v1/namespaces/ma/deployments/x HTTP"));
	assert_non_null(strstr(f->head, "application/json"));
	assert_string_equal("{}", f->body);
}

static int refused(struct fixture *f, int status, const char *answer)
{
	f->status = status;
	f->answer = answer;
	return call(f, &(struct kubernetes_call){
			       .verb = "create", .group = "batch", .resource = "jobs"});
}

static void test_a_missing_right_names_the_rule_of_the_role(void **state)
{
	struct fixture *f = *state;

	open_it(f, "ma");
	assert_int_equal(-ERR_AUTH, refused(f, 403, "{\"message\":\"no\"}"));
	assert_non_null(strstr(f->err.message,
			       "{apiGroups: [\"batch\"], resources: [jobs], verbs: [create]}"));
	assert_non_null(strstr(f->err.message, "'ma'"));
	assert_true(kubernetes_may_pass(&f->err));
}

static void test_a_quota_is_no_missing_right(void **state)
{
	struct fixture *f = *state;

	open_it(f, "ma");
	assert_int_equal(-ERR_LIMIT,
			 refused(f, 403, "{\"message\":\"exceeded quota: q, used: pods=1\"}"));
	assert_non_null(strstr(f->err.message, "quota"));
	assert_true(kubernetes_may_pass(&f->err));
}

static void test_what_may_pass_and_what_does_not(void **state)
{
	static const struct {
		int status;
		enum err_kind kind;
		bool may_pass;
	} rows[] = {{404, ERR_NOT_FOUND, false}, {409, ERR_CONFLICT, false},
		    {410, ERR_CONFLICT, false},  {422, ERR_USAGE, false},
		    {429, ERR_HTTP, true},       {503, ERR_HTTP, true},
		    {401, ERR_AUTH, true}};
	struct fixture *f = *state;

	open_it(f, "ma");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(-(int)rows[i].kind,
				 refused(f, rows[i].status, "{\"message\":\"so\"}"));
		assert_int_equal(rows[i].may_pass, kubernetes_may_pass(&f->err));
		assert_non_null(strstr(f->err.message, "create jobs.batch in namespace 'ma'"));
	}
}

static void test_an_api_that_is_away_may_come_back(void **state)
{
	struct fixture *f = *state;

	open_it(f, "ma");
	fake_server_stop(f->server);
	assert_true(
		call(f, &(struct kubernetes_call){
				.verb = "get", .group = "", .resource = "pods", .name = "x"}) < 0);
	assert_true(kubernetes_may_pass(&f->err));
	assert_non_null(strstr(f->err.message, "get pods 'x' in namespace 'ma'"));
}

static void test_without_a_token_the_way_out_is_named(void **state)
{
	struct fixture *f = *state;
	const struct kubernetes_options options = {.url = fake_server_url(f->server),
						   .folder = "/nowhere/at/all"};

	assert_int_equal(-ERR_USAGE, kubernetes_open(&options, &f->api, &f->err));
	assert_non_null(strstr(f->err.message, "--platform local"));
	f->api = NULL;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_call_goes_to_the_pod_s_namespace_with_its_token),
		TEST(test_a_patch_is_a_merge_of_a_subresource),
		TEST(test_an_update_replaces_an_object_whole),
		TEST(test_a_missing_right_names_the_rule_of_the_role),
		TEST(test_a_quota_is_no_missing_right),
		TEST(test_what_may_pass_and_what_does_not),
		TEST(test_an_api_that_is_away_may_come_back),
		TEST(test_without_a_token_the_way_out_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
