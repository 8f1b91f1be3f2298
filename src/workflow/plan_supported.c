#include "workflow/plan_internal.h"

/* Given, and not what it is anyway. */
static bool is_used(const struct json *value)
{
	return value && value->type != JSON_NULL && value->type != JSON_FALSE &&
	       !(value->type == JSON_ARRAY && value->count == 0);
}

static int check_migration_fields(const struct plan_resource *resource, struct err *err)
{
	static const char *const parts[] = {"metadata", "backfill"};
	static const char *const unknown[] = {"metadataTransforms", "documentTransforms",
					      "enableSourcelessMigrations", "useRecoverySource",
					      "failedDocumentStreamS3Bucket"};

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
	return 0;
}

int plan_check_supported(const struct config_value *root, const struct plan *plan, struct err *err)
{
	static const char *const missing[] = {[PLAN_CAPTURE] = "capture proxies",
					      [PLAN_REPLAY] = "replayers",
					      [PLAN_CUT_OVER] = "cut-over"};

	config_each (source, config_get(root, "sourceClusters"))
		if (str_starts(plan_text_of(source, "version"), STR("SOLR")))
			return err_set(err, ERR_UNSUPPORTED,
				       "sourceClusters." STR_FMT " is " STR_FMT
				       ": Solr cannot be migrated by this program; take the "
				       "source out",
				       STR_ARG(source->key),
				       STR_ARG(plan_text_of(source, "version")));
	for (size_t i = 0; i < plan->resource_count; i++)
		if (check_migration_fields(&plan->resources[i], err) < 0)
			return -(int)err->kind;
	for (size_t i = 0; i < plan->step_count; i++) {
		const struct plan_step *step = &plan->steps[i];

		if ((size_t)step->action < COUNT_OF(missing) && missing[step->action])
			return err_set(err, ERR_UNSUPPORTED,
				       "step " STR_FMT ": the workflow of this build cannot run "
				       "%s yet; take 'traffic' out to migrate the rest",
				       STR_ARG(step->name), missing[step->action]);
	}
	return 0;
}
