#include "store/azure_error.h"

#include "base/buf.h"
#include "base/clock.h"
#include "net/xml_element.h"

#include <time.h>

#define MESSAGE_MAX 300

static struct str code_of(const struct object_refusal *refusal)
{
	struct str code = str_from(refusal->code);

	return code.len > 0 ? code : xml_element(refusal->body, "Code", NULL);
}

/* The first line of what the server says; behind it come the request's number and the time. */
static struct str message_of(const struct object_refusal *refusal)
{
	struct str text = xml_element(refusal->body, "Message", NULL), rest;

	if (!str_split(text, '\n', &text, &rest))
		rest = STR_NONE;
	text.len = MIN(text.len, (size_t)MESSAGE_MAX);
	while (text.len > 0 && strchr(". \r", text.ptr[text.len - 1]))
		text.len--;
	return text;
}

bool azure_refusal_is_object_missing(const struct object_refusal *refusal)
{
	return !str_is(code_of(refusal), "ContainerNotFound");
}

bool azure_refusal_is_passing(const struct object_refusal *refusal)
{
	return object_status_is_passing(refusal->status);
}

bool azure_refusal_is_expired(const struct object_refusal *refusal)
{
	return refusal->status == 401;
}

static bool has_ended(const char *end)
{
	struct tm parts = {0};
	const char *rest = strptime(end, "%Y-%m-%dT%H:%M", &parts);

	if (!rest)
		rest = strptime(end, "%Y-%m-%d", &parts);
	return rest && (int64_t)timegm(&parts) * 1000 < clock_wall_ms();
}

/* Neither key, SAS nor token was believed. */
static int not_believed(const struct object_refusal *refusal, const struct azure_caller *caller,
			struct err *err)
{
	struct str detail = xml_element(refusal->body, "AuthenticationErrorDetail", NULL);
	int rc = object_skew_error(refusal, err);

	if (rc < 0)
		return rc;
	if (caller->has_key)
		return err_set(err, ERR_AUTH,
			       "'%s': the key of account '%s' is wrong (the signature does not "
			       "match); check it",
			       refusal->uri, caller->account);
	if (caller->has_sas && has_ended(caller->sas_end))
		return err_set(err, ERR_AUTH, "'%s': the SAS ended at %s; create a new one",
			       refusal->uri, caller->sas_end);
	if (detail.len == 0)
		detail = message_of(refusal);
	if (caller->has_sas)
		return err_set(err, ERR_AUTH,
			       "'%s': the SAS is refused: " STR_FMT
			       "; check it, or create a new one",
			       refusal->uri, STR_ARG(detail));
	return err_set(err, ERR_AUTH,
		       "'%s': the token of %s is refused, and a new one too: " STR_FMT
		       "; check AZURE_CLIENT_ID and the tenant",
		       refusal->uri, refusal->origin, STR_ARG(detail));
}

static const char *sas_permission(const struct object_refusal *refusal)
{
	if (refusal->object.len == 0)
		return "l (list)";
	return strcmp(refusal->method, "GET") == 0 ? "r (read)" : "w (write)";
}

static int denied(const struct object_refusal *refusal, const struct azure_caller *caller,
		  struct err *err)
{
	bool reads = strcmp(refusal->method, "GET") == 0;
	const char *what = refusal->object.len > 0 ? "' object '" : "";

	if (caller->has_sas)
		return err_set(err, ERR_AUTH,
			       "access denied: %s '%s%s" STR_FMT
			       "' by the SAS; create one with permission %s for container '%s'",
			       refusal->method, refusal->uri, what, STR_ARG(refusal->object),
			       sas_permission(refusal), caller->container);
	return err_set(err, ERR_AUTH,
		       "access denied: %s '%s%s" STR_FMT
		       "' by %s; give it the role Storage Blob Data %s for container '%s'",
		       refusal->method, refusal->uri, what, STR_ARG(refusal->object),
		       refusal->origin, reads ? "Reader" : "Contributor", caller->container);
}

struct meaning {
	const char *code;
	enum err_kind kind;
	const char *what;
};

/* Messages that are the same wherever they come up: after "'azure://…': ". */
static const struct meaning meanings[] = {
	{"ContainerNotFound", ERR_NOT_FOUND,
	 "there is no such container; check --repo-uri and --azure-endpoint"},
	{"ContainerBeingDeleted", ERR_NOT_FOUND, "the container is being deleted"},
	{"InvalidResourceName", ERR_USAGE, "this is no name of a container; check --repo-uri"},
	{"AccountIsDisabled", ERR_AUTH, "the account is disabled; enable it in Azure"},
	{"KeyBasedAuthenticationNotPermitted", ERR_AUTH,
	 "the account takes no keys; use a managed identity or a user delegation SAS"},
	{"NoAuthenticationInformation", ERR_AUTH,
	 "the server asks for credentials; set AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN"},
	{"PublicAccessNotPermitted", ERR_AUTH,
	 "the server asks for credentials; set AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN"},
	{"AuthorizationProtocolMismatch", ERR_AUTH,
	 "the SAS is for https only; use https:// in --azure-endpoint"},
	{"AuthorizationSourceIPMismatch", ERR_AUTH,
	 "the SAS is for other addresses than this machine's; create a new one"},
	{"AuthorizationFailure", ERR_AUTH,
	 "the account's network rules or the permissions refuse the request; check both"},
	{"BlobArchived", ERR_UNREADABLE,
	 "the blob is archived; set it to the hot or cool tier in Azure first"},
};

static int of_table(const struct object_refusal *refusal, struct str code, struct err *err)
{
	for (size_t i = 0; i < COUNT_OF(meanings); i++)
		if (str_is(code, meanings[i].code))
			return err_set(err, meanings[i].kind, "'%s': %s", refusal->uri,
				       meanings[i].what);
	return 0;
}

static int other(const struct object_refusal *refusal, struct str code, struct err *err)
{
	struct str message = message_of(refusal);

	return err_set(err, ERR_HTTP,
		       "%s of '" STR_FMT "' in '%s': %s answers %d%s" STR_FMT "%s" STR_FMT "; %s",
		       refusal->method, STR_ARG(refusal->object), refusal->uri, refusal->endpoint,
		       refusal->status, code.len > 0 ? " " : "", STR_ARG(code),
		       message.len > 0 ? ", " : "", STR_ARG(message),
		       azure_refusal_is_passing(refusal)
			       ? "try again later, or with fewer requests at once"
			       : "check --azure-endpoint");
}

/* Whether a 401 or 403 is about who asks, and not about what is asked for. */
static bool is_about_identity(const struct object_refusal *refusal, struct str code)
{
	static const char *const codes[] = {"AuthenticationFailed", "InvalidAuthenticationInfo",
					    "ExpiredAuthenticationToken"};

	for (size_t i = 0; i < COUNT_OF(codes); i++)
		if (str_is(code, codes[i]))
			return true;
	return refusal->status == 401 ||
	       str_starts(message_of(refusal), STR("Server failed to authenticate"));
}

int azure_refusal_explain(const struct object_refusal *refusal, const struct azure_caller *caller,
			  struct err *err)
{
	struct str code = code_of(refusal);
	bool refused = refusal->status == 401 || refusal->status == 403;
	int rc;

	if (refused && !str_is(code, "NoAuthenticationInformation") &&
	    is_about_identity(refusal, code))
		return not_believed(refusal, caller, err);
	rc = of_table(refusal, code, err);
	if (rc < 0)
		return rc;
	return refused ? denied(refusal, caller, err) : other(refusal, code, err);
}
