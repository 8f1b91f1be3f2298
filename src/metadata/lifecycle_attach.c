#include "metadata/lifecycle_attach.h"

#include "metadata/ism_policy.h"
#include "metadata/settings_tree.h"
#include "metadata/time_value.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>

#define BODY_MAX MIB(16)

struct attaching {
	struct metadata_set *set;
	struct cluster *target;
	bool plan;
	struct json *policies; /* name -> what the target answers for it; null: it has none */
	struct attach_report *report;
};

void attach_report_release(struct attach_report *report)
{
	free(report->steps);
	*report = (struct attach_report){0};
}

size_t attach_report_failures(const struct attach_report *report)
{
	size_t count = 0;

	for (size_t i = 0; i < report->count; i++)
		count += report->steps[i].outcome == ATTACH_FAILED;
	return count;
}

static void tell(struct attaching *a, bool is_policy, struct str name, struct str policy,
		 enum attach_outcome outcome, struct str reason)
{
	struct attach_report *report = a->report;

	if (report->count == report->capacity) {
		report->capacity = MAX(report->capacity * 2, (size_t)16);
		report->steps =
			mem_realloc(report->steps, report->capacity * sizeof(*report->steps));
	}
	report->steps[report->count++] =
		(struct attach_step){is_policy, name, policy, outcome, reason};
}

static int request(struct attaching *a, const char *method, const char *before, struct str name,
		   const char *after, const struct json *body, int *status, struct json **answer,
		   struct err *err)
{
	cleanup(buf_release) struct buf path = BUF_INIT(LIMIT_PATH);
	cleanup(buf_release) struct buf text = BUF_INIT(BODY_MAX);

	buf_append_str(&path, str_from(before));
	http_append_encoded(&path, name);
	buf_append_str(&path, str_from(after));
	if (body)
		json_write(&text, body);
	if (buf_check(&path, "the path of a request", err) < 0 ||
	    buf_check(&text, "the body of a policy", err) < 0)
		return -(int)err->kind;
	return cluster_request(a->target, method, buf_cstr(&path), buf_str(&text), true,
			       &a->set->mem, status, answer, err);
}

#define POLICIES "/_plugins/_ism/policies/"

/* *entry NULL: the target has no such policy. */
static int find_policy(struct attaching *a, struct str name, struct json **entry, struct err *err)
{
	struct json *known = json_get_str(a->policies, name), *answer = NULL;
	int status;

	*entry = NULL;
	if (!known) {
		if (request(a, "GET", POLICIES, name, "", NULL, &status, &answer, err) < 0)
			return -(int)err->kind;
		known = status == 200 && json_get(answer, "policy")
				? json_copy(&a->set->mem, answer)
				: json_new(&a->set->mem, JSON_NULL);
		json_set(a->policies, name, known);
	}
	if (known && known->type == JSON_OBJECT)
		*entry = known;
	return 0;
}

/* What the target says of it next is asked for anew. */
static int put_policy(struct attaching *a, struct str name, const char *condition,
		      const struct json *body, const char *reason, struct err *err)
{
	struct json *answer = NULL;
	int status;

	if (a->plan) {
		tell(a, true, name, STR_NONE, ATTACH_READY, str_from(reason));
		return 0;
	}
	if (request(a, "PUT", POLICIES, name, condition, body, &status, &answer, err) < 0)
		return -(int)err->kind;
	if (status >= 300) {
		tell(a, true, name, STR_NONE, ATTACH_FAILED,
		     cluster_error_reason(answer, status, &a->set->mem));
		return 0;
	}
	json_remove(a->policies, name);
	tell(a, true, name, STR_NONE, ATTACH_DONE, str_from(reason));
	return 0;
}

static int give_template(struct attaching *a, const struct json *template, struct err *err)
{
	struct arena *mem = &a->set->mem;
	struct str name = arena_str(mem, template->key), condition;
	struct json *entry, *policy, *body = json_new(mem, JSON_OBJECT);
	const struct json *has;

	if (find_policy(a, name, &entry, err) < 0)
		return -(int)err->kind;
	if (!entry) {
		tell(a, true, name, STR_NONE, ATTACH_FAILED,
		     STR("the target has no such policy; `shardlift metadata migrate --kind "
			 "lifecycle-policy` makes it"));
		return 0;
	}
	has = json_path(entry, "policy", "ism_template", NULL);
	if (has && has->type != JSON_NULL && has->first)
		return 0;
	policy = json_copy(mem, json_get(entry, "policy"));
	ism_policy_strip(policy);
	json_set(policy, STR("ism_template"), json_copy(mem, template));
	json_set(body, STR("policy"), policy);
	condition = arena_printf(mem, "?if_seq_no=%" PRId64 "&if_primary_term=%" PRId64,
				 json_i64_or(json_get(entry, "_seq_no"), 0),
				 json_i64_or(json_get(entry, "_primary_term"), 1));
	if (mem->failed)
		return arena_fail(mem, "the lifecycles", err);
	return put_policy(a, name, condition.ptr, body,
			  "indices to come get it by its ism_template", err);
}

/* The index, or the one that the stream writes to, by its name on the target; *created_ms 0: the
 * target has no such index. */
static int find_index(struct attaching *a, const struct metadata_item *item, struct str *name,
		      int64_t *created_ms, struct err *err)
{
	struct json *answer = NULL;
	const struct json *found;
	int status;

	*created_ms = 0;
	*name = item->target_name;
	if (request(a, "GET", "/", *name, "/_settings?flat_settings=true", NULL, &status, &answer,
		    err) < 0)
		return -(int)err->kind;
	if (status != 200 || !answer)
		return 0;
	found = item->kind == METADATA_DATA_STREAM ? answer->last : json_get_str(answer, *name);
	if (!found)
		return 0;
	*name = found->key;
	*created_ms = json_i64_or(json_get(json_get(found, "settings"), "index.creation_date"), 0);
	return 0;
}

static int find_attached(struct attaching *a, struct str index, struct str *policy, struct err *err)
{
	struct json *answer = NULL;
	int status;

	*policy = STR_NONE;
	if (request(a, "GET", "/_plugins/_ism/explain/", index, "", NULL, &status, &answer, err) <
	    0)
		return -(int)err->kind;
	if (status != 200)
		return 0;
	*policy = json_string(json_get(json_get_str(answer, index), "policy_id"));
	if (policy->len == 0)
		*policy = json_string(json_get(json_get_str(answer, index),
					       "index.plugins.index_state_management.policy_id"));
	return 0;
}

/* The age that an index had when it was created on the target, in whole days: one variant of the
 * policy a day, and nothing is deleted early. */
static int64_t reached(const struct lifecycle_binding *binding, bool rolls, int64_t created_ms)
{
	int64_t since = binding->since_ms;

	/* Where indices roll over, their creation is not what ages count from. */
	if (since == 0 && !rolls)
		since = binding->created_ms;
	if (since <= 0 || created_ms <= since)
		return 0;
	return (created_ms - since) / MS_PER_DAY * MS_PER_DAY;
}

static int make_variant(struct attaching *a, const struct json *base, struct str name,
			int64_t reached_ms, struct json **variant, struct err *err)
{
	struct json *entry;

	if (find_policy(a, name, &entry, err) < 0)
		return -(int)err->kind;
	if (entry) {
		*variant = entry;
		return 0;
	}
	*variant = ism_policy_for_rolled(base, reached_ms, &a->set->mem);
	if (!*variant)
		return arena_fail(&a->set->mem, "the lifecycles", err);
	if (put_policy(a, name, "", *variant, "for indices that are written to no more", err) < 0)
		return -(int)err->kind;
	json_set(a->policies, name, json_copy(&a->set->mem, *variant));
	return 0;
}

static struct str variant_name(struct attaching *a, struct str policy, int64_t reached_ms)
{
	if (reached_ms == 0)
		return arena_printf(&a->set->mem, STR_FMT "-rolled", STR_ARG(policy));
	return arena_printf(&a->set->mem, STR_FMT "-rolled-%" PRId64 "d", STR_ARG(policy),
			    reached_ms / MS_PER_DAY);
}

/* Which of the policies the index gets: as it is while it is written to, else a variant. */
static int choose_policy(struct attaching *a, const struct lifecycle_binding *binding,
			 int64_t created_ms, struct str *name, const struct json **policy,
			 struct err *err)
{
	struct json *entry, *variant = NULL;
	bool rolls;
	int64_t ms;

	if (find_policy(a, binding->policy, &entry, err) < 0)
		return -(int)err->kind;
	*name = binding->policy;
	*policy = json_get(entry, "policy");
	if (!*policy)
		return 0;
	rolls = ism_policy_rolls_over(*policy);
	ms = reached(binding, rolls, created_ms);
	if (rolls ? binding->writes : ms == 0)
		return 0;
	*name = variant_name(a, binding->policy, ms);
	if (make_variant(a, *policy, *name, ms, &variant, err) < 0)
		return -(int)err->kind;
	*policy = json_get(variant, "policy");
	return 0;
}

static int add_policy(struct attaching *a, struct str index, struct str policy, struct str reason,
		      struct err *err)
{
	struct arena *mem = &a->set->mem;
	struct json *body = json_new(mem, JSON_OBJECT), *answer = NULL;
	struct str attached, refused = STR_NONE;
	int status;

	json_set(body, STR("policy_id"), json_new_string(mem, policy));
	if (request(a, "POST", "/_plugins/_ism/add/", index, "", body, &status, &answer, err) < 0)
		return -(int)err->kind;
	if (status >= 300)
		refused = cluster_error_reason(answer, status, mem);
	json_each (failed, json_get(answer, "failed_indices"))
		refused = json_string(json_get(failed, "reason"));
	if (refused.len == 0 && json_bool_or(json_get(answer, "failures"), false))
		refused = STR("the target did not say why");
	/* A request that was repeated finds what its first try has done. */
	if (refused.len > 0 && find_attached(a, index, &attached, err) < 0)
		return -(int)err->kind;
	if (refused.len > 0 && !str_eq(attached, policy))
		tell(a, false, index, policy, ATTACH_FAILED, refused);
	else
		tell(a, false, index, policy, ATTACH_DONE, reason);
	return 0;
}

/* "logs-000001": the next name is made of the number. */
static bool ends_with_number(struct str name)
{
	size_t at = name.len;

	while (at > 0 && isdigit((unsigned char)name.ptr[at - 1]))
		at--;
	return at > 0 && at < name.len && name.ptr[at - 1] == '-';
}

/* What ISM will stumble over when it rolls the index over; STR_NONE: nothing. Data streams need
 * neither. */
static struct str rollover_trouble(const struct lifecycle_binding *binding, struct str index,
				   const struct json *policy)
{
	const struct json *settings = json_get(binding->index->source, "settings");

	if (binding->index->kind != METADATA_INDEX || !binding->writes ||
	    !ism_policy_rolls_over(policy))
		return STR_NONE;
	if (json_string(settings_get(settings, "lifecycle.rollover_alias")).len == 0)
		return STR("ISM cannot roll it over: it has no rollover alias; set "
			   "index.plugins.index_state_management.rollover_alias");
	if (!ends_with_number(index))
		return STR("ISM cannot roll it over: its name does not end with - and a number");
	return STR_NONE;
}

static int attach_index(struct attaching *a, const struct lifecycle_binding *binding,
			struct err *err)
{
	struct str index, name, attached, reason = STR_NONE;
	const struct json *policy = NULL;
	int64_t created_ms;

	if (find_index(a, binding->index, &index, &created_ms, err) < 0)
		return -(int)err->kind;
	if (created_ms == 0) {
		tell(a, false, index, binding->policy, ATTACH_FAILED,
		     STR("the target has no such index; attach after the backfill"));
		return 0;
	}
	if (find_attached(a, index, &attached, err) < 0)
		return -(int)err->kind;
	if (choose_policy(a, binding, created_ms, &name, &policy, err) < 0)
		return -(int)err->kind;
	if (str_eq(attached, name)) {
		tell(a, false, index, name, ATTACH_THERE, STR_NONE);
		return 0;
	}
	if (attached.len > 0) {
		tell(a, false, index, attached, ATTACH_OTHER,
		     arena_printf(
			     &a->set->mem,
			     "left as it is; POST _plugins/_ism/change_policy gives it '" STR_FMT
			     "'",
			     STR_ARG(name)));
		return 0;
	}
	if (!policy) {
		tell(a, false, index, name, ATTACH_FAILED,
		     STR("the target has no such policy; `shardlift metadata migrate --kind "
			 "lifecycle-policy` makes it"));
		return 0;
	}
	reason = rollover_trouble(binding, index, policy);
	if (ism_policy_deletes_at_once(policy))
		reason = STR("its age to be deleted at is reached: ISM deletes it with its first "
			     "runs");
	if (a->plan) {
		tell(a, false, index, name, ATTACH_READY, reason);
		return 0;
	}
	return add_policy(a, index, name, reason, err);
}

static int check_cancelled(const atomic_bool *cancel, struct err *err)
{
	if (cancel && atomic_load(cancel))
		return err_set(err, ERR_CANCELLED,
			       "interrupted; the same command again goes on where it stopped");
	return 0;
}

int lifecycle_attach(struct metadata_set *set, const struct lifecycle_bindings *bindings,
		     struct cluster *target, bool plan, const atomic_bool *cancel,
		     struct attach_report *report, struct err *err)
{
	struct attaching a = {set, target, plan, json_new(&set->mem, JSON_OBJECT), report};
	struct json *templates = ism_templates(set);

	if (!templates || !a.policies)
		return arena_fail(&set->mem, "the lifecycles", err);
	/* First, so that an index that comes by a rollover meanwhile is not missed. */
	json_each (template, templates)
		if (check_cancelled(cancel, err) < 0 || give_template(&a, template, err) < 0)
			return err_wrap(err, "policy '" STR_FMT "'", STR_ARG(template->key));
	for (size_t i = 0; i < bindings->count; i++)
		if (check_cancelled(cancel, err) < 0 ||
		    attach_index(&a, &bindings->items[i], err) < 0)
			return err_wrap(err, "index '" STR_FMT "'",
					STR_ARG(bindings->items[i].index->name));
	return set->mem.failed ? arena_fail(&set->mem, "the lifecycles", err) : 0;
}
