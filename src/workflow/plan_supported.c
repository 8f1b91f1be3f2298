#include "workflow/plan_internal.h"
#include "workflow/platform.h"

/* Given, and not what it is anyway. */
static bool is_used(const struct json *value)
{
	return value && value->type != JSON_NULL && value->type != JSON_FALSE &&
	       !(value->type == JSON_ARRAY && value->count == 0);
}

static int check_migration_fields(const struct plan_resource *resource, struct err *err)
{
	static const char *const parts[] = {"metadata", "backfill"};
	static const char *const unknown[] = {"metadataTransforms", "documentTransforms"};
	const struct json *backfill = json_get(resource->spec, "backfill");

	for (size_t i = 0; i < COUNT_OF(parts); i++)
		for (size_t j = 0; j < COUNT_OF(unknown); j++)
			if (is_used(json_path(resource->spec, parts[i], unknown[j], NULL)))
				return err_set(err, ERR_UNSUPPORTED,
					       STR_FMT
					       "." STR_FMT
					       ": this build cannot carry out '%s'; take it "
					       "out (transforms: give transformerConfig or "
					       "docTransformerConfig)",
					       STR_ARG(resource->kind), STR_ARG(resource->name),
					       unknown[j]);
	if (is_used(json_get(backfill, "useRecoverySource")) &&
	    !is_used(json_get(backfill, "enableSourcelessMigrations")))
		return err_set(err, ERR_UNSUPPORTED,
			       STR_FMT
			       "." STR_FMT ": 'useRecoverySource' is about documents that "
			       "are rebuilt: give enableSourcelessMigrations too, or take it out",
			       STR_ARG(resource->kind), STR_ARG(resource->name));
	return 0;
}

static int refuse_member(const struct plan_resource *resource, const char *part, const char *member,
			 const char *instead, struct err *err)
{
	if (!is_used(json_path(resource->spec, part, member, NULL)))
		return 0;
	return err_set(err, ERR_UNSUPPORTED,
		       STR_FMT "." STR_FMT ": this build cannot carry out '%s'; %s",
		       STR_ARG(resource->kind), STR_ARG(resource->name), member, instead);
}

static int check_traffic_fields(const struct plan_resource *resource, struct err *err)
{
	static const char *const replayer[] = {
		"requestTransforms", "tupleTransforms", "tupleTransformerConfig",
		"tupleTransformerConfigBase64", "tupleTransformerConfigFile"};
	const struct json *tls = json_path(resource->spec, "proxy", "tls", NULL);
	struct str mode = json_string(json_get(tls, "mode"));

	for (size_t i = 0; i < COUNT_OF(replayer); i++)
		if (refuse_member(resource, "replayer", replayer[i],
				  "take it out (transforms of requests: give transformerConfig)",
				  err) < 0)
			return -(int)err->kind;
	if (!str_is(resource->kind, "captureproxy") || str_is(mode, "plaintext") ||
	    str_is(mode, "existingSecret"))
		return 0;
	return err_set(err, ERR_UNSUPPORTED,
		       "captureproxy." STR_FMT
		       ": this build makes no certificates; give proxyConfig.tls {mode: "
		       "existingSecret, secretName: NAME} with secrets/NAME/tls.crt and tls.key in "
		       "the state directory, or {mode: plaintext}",
		       STR_ARG(resource->name));
}

static int refuse_cut_over(const struct plan_resource *replay, const char *why, struct err *err)
{
	return err_set(err, ERR_UNSUPPORTED, "trafficreplay." STR_FMT ": cutOver: %s",
		       STR_ARG(replay->name), why);
}

/* The proxy speaks to the target as it was started to speak to the source, with what clients say
 * of themselves. */
static int check_cut_over(const struct plan *plan, const struct plan_resource *replay,
			  struct err *err)
{
	const struct plan_resource *proxy = plan_resource_of(plan, replay->depends_on[0]);
	const struct json *target = json_get(replay->spec, "target"), *source;
	const struct json *way, *former;

	if (!proxy || !str_is(proxy->kind, "captureproxy"))
		return refuse_cut_over(replay,
				       "there is no proxy whose clients could be sent to "
				       "the target; take it out",
				       err);
	source = json_get(proxy->spec, "source");
	way = json_path(target, "authConfig", "mtls", NULL);
	former = json_path(source, "authConfig", "mtls", NULL);
	if (json_path(target, "authConfig", "sigv4", NULL))
		return refuse_cut_over(replay,
				       "the proxy cannot sign its clients' requests for "
				       "the target (sigv4); take it out and re-point them",
				       err);
	if (!str_starts(json_string(json_get(target, "endpoint")), STR("https:")))
		return 0;
	if (json_bool_or(json_get(target, "allowInsecure"), false) !=
		    json_bool_or(json_get(source, "allowInsecure"), false) ||
	    !way != !former || (way && !json_equal(way, former)))
		return refuse_cut_over(replay,
				       "the proxy speaks to the target with the "
				       "allowInsecure and mtls of the source, which are "
				       "others; make them the same, or take it out",
				       err);
	return 0;
}

static bool cuts_over(const struct plan *plan, size_t resource)
{
	for (size_t i = 0; i < plan->step_count; i++)
		if (plan->steps[i].action == PLAN_CUT_OVER && plan->steps[i].resource == resource)
			return true;
	return false;
}

static int check_cut_overs(const struct plan *plan, struct err *err)
{
	for (size_t i = 0; i < plan->resource_count; i++) {
		const struct plan_resource *replay = &plan->resources[i];

		if (!cuts_over(plan, i))
			continue;
		if (check_cut_over(plan, replay, err) < 0)
			return -(int)err->kind;
		for (size_t j = 0; j < i; j++)
			if (cuts_over(plan, j) &&
			    str_eq(plan->resources[j].depends_on[0], replay->depends_on[0]))
				return refuse_cut_over(replay,
						       "another replayer sends the clients "
						       "of the same proxy elsewhere; one "
						       "may",
						       err);
	}
	return 0;
}

int plan_check_supported(const struct config_value *root, const struct plan *plan, struct err *err)
{
	config_each (source, config_get(root, "sourceClusters"))
		if (str_starts(plan_text_of(source, "version"), STR("SOLR")))
			return err_set(err, ERR_UNSUPPORTED,
				       "sourceClusters." STR_FMT " is " STR_FMT
				       ": Solr cannot be migrated by this program; take the "
				       "source out",
				       STR_ARG(source->key),
				       STR_ARG(plan_text_of(source, "version")));
	config_each (recorded, config_get(config_get(root, "traffic"), "s3Sources"))
		return err_set(err, ERR_UNSUPPORTED,
			       "traffic.s3Sources." STR_FMT
			       ": the workflow of this build does not read exports; `shardlift "
			       "traffic import` takes one, `shardlift replay` sends it",
			       STR_ARG(recorded->key));
	for (size_t i = 0; i < plan->resource_count; i++)
		if (check_migration_fields(&plan->resources[i], err) < 0 ||
		    check_traffic_fields(&plan->resources[i], err) < 0)
			return -(int)err->kind;
	if (check_cut_overs(plan, err) < 0)
		return -(int)err->kind;
	return workflow_platform() == PLATFORM_KUBERNETES ? plan_check_pods(plan, err) : 0;
}
