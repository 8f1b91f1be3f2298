#include "workflow/secrets_kubernetes.h"

#include "base/base64.h"
#include "base/limits.h"
#include "net/kubernetes.h"

#include <stdlib.h>

#define LABEL "use-case"
#define LABEL_VALUE "http-basic-credentials"

struct call {
	struct kubernetes *api;
	struct arena mem;
	const char *name;
};

static void release(struct call *call)
{
	kubernetes_close(call->api);
	arena_release(&call->mem);
}

static int begin(struct call *call, struct str name, struct err *err)
{
	const struct kubernetes_options options = {.namespace = getenv("SHARDLIFT_NAMESPACE")};

	call->mem = ARENA_INIT(MIB(16));
	call->name = name.len > 0 ? arena_str(&call->mem, name).ptr : NULL;
	return kubernetes_open(&options, &call->api, err);
}

/* 1; 0: there is none. */
static int get(struct call *call, struct json **out, struct err *err)
{
	const struct kubernetes_call get = {
		.verb = "get", .group = "", .resource = "secrets", .name = call->name};
	struct err why = {0};

	if (kubernetes_send(call->api, &get, &call->mem, out, &why) == 0)
		return 1;
	if (why.kind == ERR_NOT_FOUND)
		return 0;
	*err = why;
	return -(int)err->kind;
}

static struct str value_of(const struct json *secret, const char *key, struct arena *mem)
{
	cleanup(buf_release) struct buf text = BUF_INIT(LIMIT_SECRET);
	const struct json *value = json_path(secret, "data", key, NULL);
	struct str out;

	if (!value || !base64_decode(&text, json_string(value)))
		return STR_NONE;
	out = arena_str(mem, str_trim(buf_str(&text)));
	if (text.ptr)
		explicit_bzero(text.ptr, text.len);
	return out;
}

static int other_keys(const struct json *secret, struct str name, struct err *err)
{
	cleanup(buf_release) struct buf keys = BUF_INIT(KIB(4));

	json_each (key, json_get(secret, "data"))
		buf_printf(&keys, "%s" STR_FMT, keys.len > 0 ? ", " : "", STR_ARG(key->key));
	return err_set(err, ERR_USAGE,
		       "secret '" STR_FMT "' has the keys (%s); it needs username and password, or "
		       "api-key: `kubectl create secret generic " STR_FMT
		       " --from-literal=username=… --from-literal=password=…`",
		       STR_ARG(name), buf_cstr(&keys), STR_ARG(name));
}

int kubernetes_secret_read(struct str name, struct arena *mem, struct str *out, struct err *err)
{
	cleanup(release) struct call call = {0};
	struct str user, password;
	struct json *secret;
	int rc;

	if (begin(&call, name, err) < 0)
		return -(int)err->kind;
	rc = get(&call, &secret, err);
	if (rc <= 0)
		return rc;
	user = value_of(secret, "username", &call.mem);
	password = value_of(secret, "password", &call.mem);
	if (user.len > 0 && password.ptr)
		*out = arena_printf(mem, STR_FMT ":" STR_FMT, STR_ARG(user), STR_ARG(password));
	else if (password.len > 0)
		*out = arena_str(mem, password); /* of a KafkaUser */
	else
		*out = value_of(secret, "api-key", mem);
	if (mem->failed)
		return arena_fail(mem, "a secret", err);
	return out->ptr ? 1 : other_keys(secret, name, err);
}

/* In a patch, null takes a key away. */
static void take_away(struct call *call, struct json *secret, bool has_user)
{
	static const char *const keys[] = {"username", "password", "api-key"};
	struct json *data = json_new(&call->mem, JSON_OBJECT);

	for (size_t i = 0; i < COUNT_OF(keys); i++)
		if (has_user == (i == 2))
			json_set(data, str_from(keys[i]), json_new(&call->mem, JSON_NULL));
	json_set(secret, STR("data"), data);
}

/* `changes`: one that is there, and may be of the other form. */
static struct json *make_secret(struct call *call, struct str value, bool changes)
{
	struct json *secret = json_new(&call->mem, JSON_OBJECT);
	struct json *metadata = json_new(&call->mem, JSON_OBJECT);
	struct json *labels = json_new(&call->mem, JSON_OBJECT);
	struct json *data = json_new(&call->mem, JSON_OBJECT);
	struct str user, password;
	bool has_user = str_split(value, ':', &user, &password);

	json_set(labels, STR(LABEL), json_new_string(&call->mem, STR(LABEL_VALUE)));
	json_set(metadata, STR("name"), json_new_string(&call->mem, str_from(call->name)));
	json_set(metadata, STR("labels"), labels);
	if (has_user) {
		json_set(data, STR("username"), json_new_string(&call->mem, user));
		json_set(data, STR("password"), json_new_string(&call->mem, password));
	} else {
		json_set(data, STR("api-key"), json_new_string(&call->mem, value));
	}
	json_set(secret, STR("apiVersion"), json_new_string(&call->mem, STR("v1")));
	json_set(secret, STR("kind"), json_new_string(&call->mem, STR("Secret")));
	json_set(secret, STR("metadata"), metadata);
	json_set(secret, STR("stringData"), data);
	if (changes)
		take_away(call, secret, has_user);
	return secret;
}

static int check_ours(const struct json *secret, struct str name, struct err *err)
{
	if (str_is(json_string(json_path(secret, "metadata", "labels", LABEL, NULL)), LABEL_VALUE))
		return 0;
	return err_set(err, ERR_CONFLICT,
		       "secret '" STR_FMT "' was not made by `workflow configure credentials` (it "
		       "lacks the label " LABEL "=" LABEL_VALUE "); change it with kubectl",
		       STR_ARG(name));
}

int kubernetes_secret_write(struct str name, struct str value, struct err *err)
{
	cleanup(release) struct call call = {0};
	struct kubernetes_call put = {.group = "", .resource = "secrets"};
	struct json *found, *answer;
	int rc;

	if (begin(&call, name, err) < 0)
		return -(int)err->kind;
	rc = get(&call, &found, err);
	if (rc < 0 || (rc > 0 && check_ours(found, name, err) < 0))
		return -(int)err->kind;
	put.verb = rc > 0 ? "patch" : "create";
	put.name = rc > 0 ? call.name : NULL;
	put.body = make_secret(&call, value, rc > 0);
	if (call.mem.failed)
		return arena_fail(&call.mem, "a secret", err);
	return kubernetes_send(call.api, &put, &call.mem, &answer, err);
}

int kubernetes_secret_delete(struct str name, struct err *err)
{
	cleanup(release) struct call call = {0};
	struct kubernetes_call remove = {.verb = "delete", .group = "", .resource = "secrets"};
	struct json *found, *answer;
	int rc;

	if (begin(&call, name, err) < 0)
		return -(int)err->kind;
	rc = get(&call, &found, err);
	if (rc == 0)
		return 0;
	if (rc < 0 || check_ours(found, name, err) < 0)
		return -(int)err->kind;
	remove.name = call.name;
	return kubernetes_send(call.api, &remove, &call.mem, &answer, err) < 0 ? -(int)err->kind
									       : 1;
}

int kubernetes_secret_list(struct arena *mem, struct str **out, size_t *count, struct err *err)
{
	cleanup(release) struct call call = {0};
	const struct kubernetes_call list = {.verb = "list",
					     .group = "",
					     .resource = "secrets",
					     .query =
						     STR("labelSelector=" LABEL "%3D" LABEL_VALUE)};
	struct json *answer, *items;

	if (begin(&call, STR_NONE, err) < 0 ||
	    kubernetes_send(call.api, &list, &call.mem, &answer, err) < 0)
		return -(int)err->kind;
	items = json_get(answer, "items");
	*count = 0;
	*out = arena_zalloc(mem, items ? items->count + 1 : 1, sizeof(struct str));
	json_each (item, items)
		if (*out)
			(*out)[(*count)++] = arena_str(
				mem, json_string(json_path(item, "metadata", "name", NULL)));
	return mem->failed ? arena_fail(mem, "the list of secrets", err) : 0;
}
