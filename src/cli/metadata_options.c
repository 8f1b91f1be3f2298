#include "cli/metadata_options.h"

#define RULES(member) OPT_FIELD(struct creation_fields, member), .category = "Rules"

const struct opt creation_options[] = {
	{.name = "allow-existing-indexes",
	 .type = OPT_BOOL,
	 RULES(allow_existing),
	 .help = "An index that is on the target already is taken as it is. Without it, it counts "
		 "as failed, and gets no documents."},
	{.name = "number-of-replicas",
	 .aliases = "replicas",
	 .type = OPT_INT,
	 RULES(replicas),
	 .fallback = "-1",
	 .min = -1,
	 .max = 1000,
	 .help = "Replicas of every index; -1: as on the source."},
	{.name = "cluster-awareness-attributes",
	 .aliases = "min-replicas",
	 .type = OPT_INT,
	 RULES(awareness),
	 .fallback = "1",
	 .min = 0,
	 .max = 100,
	 .help = "Zones of the target: copies become a multiple of it."},
	{.name = "multi-type-behavior",
	 .type = OPT_CHOICE,
	 RULES(multi_type),
	 .choices = "UNION|SPLIT|NONE",
	 .fallback = "UNION",
	 .help = "Indices with several mapping types: one mapping of all, an index a type, or "
		 "refuse."},
	{.name = "on-unsupported",
	 .type = OPT_CHOICE,
	 RULES(on_unsupported),
	 .choices = "block|disable",
	 .fallback = "block",
	 .help = "Fields of a type that the target has nothing for: block the index, or keep the "
		 "field unindexed (object, enabled: false)."},
	{.name = "preserve-routing",
	 .type = OPT_BOOL,
	 RULES(preserve_routing),
	 .help = "Keep documents of custom routings on the shards they had, for live sources, "
		 "too."},
	{.name = "keep-allocation",
	 .type = OPT_BOOL,
	 RULES(keep_allocation),
	 .help = "Keep settings of shard allocation; the target has other nodes."},
	{.name = "keyword-subfields",
	 .type = OPT_BOOL,
	 RULES(keyword_subfields),
	 .help = "Old analysed string fields get a .keyword subfield."},
	{0},
};

struct rule_options rule_options_of(const struct creation_fields *fields,
				    const struct cluster_version *target)
{
	return (struct rule_options){
		.target = *target,
		.multi_type = strcmp(fields->multi_type, "SPLIT") == 0  ? MULTI_TYPE_SPLIT
			      : strcmp(fields->multi_type, "NONE") == 0 ? MULTI_TYPE_NONE
									: MULTI_TYPE_UNION,
		.on_unsupported = strcmp(fields->on_unsupported, "disable") == 0
					  ? UNSUPPORTED_DISABLE
					  : UNSUPPORTED_BLOCK,
		.replicas = fields->replicas,
		.awareness_attributes = fields->awareness,
		.preserve_routing = fields->preserve_routing,
		.keep_allocation = fields->keep_allocation,
		.keyword_subfields = fields->keyword_subfields,
	};
}
