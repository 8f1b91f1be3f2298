#include "workflow/routes/internal_indices.h"

bool index_is_internal(struct str name)
{
	return str_starts(name, STR(".")) && !str_starts(name, STR(".ds-"));
}

static bool is_security(struct str name)
{
	return str_starts(name, STR(".security")) ||
	       str_starts(name, STR(".opendistro_security")) ||
	       str_starts(name, STR(".opensearch_security"));
}

static bool is_kibana(struct str name)
{
	return str_starts(name, STR(".kibana"));
}

static int refuse_for_opensearch(struct str name, struct err *err)
{
	if (is_security(name))
		return err_set(err, ERR_BLOCKED,
			       "index '" STR_FMT
			       "' is not copied to OpenSearch, which keeps users and roles in "
			       "another form: `shardlift metadata evaluate --kind security` tells "
			       "what roles and mappings to make there",
			       STR_ARG(name));
	if (is_kibana(name))
		return err_set(err, ERR_BLOCKED,
			       "index '" STR_FMT
			       "' is not copied to OpenSearch, whose Dashboards would not read it: "
			       "`shardlift metadata dashboards` brings its saved objects",
			       STR_ARG(name));
	return 0;
}

int internal_index_check(struct str name, struct str target_name, bool by_name,
			 const struct cluster_version *target, struct err *err)
{
	if (!index_is_internal(name))
		return 0;
	/* Under an ordinary name nothing takes it for its own. */
	if (target && target->flavour == CLUSTER_OPENSEARCH && index_is_internal(target_name) &&
	    refuse_for_opensearch(name, err) < 0)
		return -(int)err->kind;
	if (by_name)
		return 0;
	return err_set(err, ERR_USAGE,
		       "index '" STR_FMT "' belongs to a product and is not copied by default; "
		       "--include-system " STR_FMT " copies it all the same",
		       STR_ARG(name), STR_ARG(name));
}

static bool is_elasticsearch_from(const struct cluster_version *version, int major, int minor)
{
	return version->flavour == CLUSTER_ELASTICSEARCH &&
	       version->major * 100 + version->minor >= major * 100 + minor;
}

void internal_index_warnings(struct str name, const struct cluster_version *target, struct buf *out)
{
	if (is_kibana(name))
		buf_printf(out,
			   "'" STR_FMT
			   "': stop Kibana on both sides; that of the target must be of "
			   "the same version or a later one, and migrates it when it starts\n",
			   STR_ARG(name));
	if (is_security(name))
		buf_printf(out,
			   "'" STR_FMT "': replaces users, roles and API keys of the target, its "
			   "administrators' too\n",
			   STR_ARG(name));
	if (is_elasticsearch_from(target, 8, 0))
		buf_printf(out,
			   "'" STR_FMT "': Elasticsearch 8 and later restrict system indices: the "
			   "user needs a role with allow_restricted_indices\n",
			   STR_ARG(name));
	if (is_elasticsearch_from(target, 7, 12))
		buf_printf(out,
			   "'" STR_FMT
			   "': the feature states of a snapshot bring it whole, with all "
			   "that belongs to it: restore these where there is a snapshot\n",
			   STR_ARG(name));
}
