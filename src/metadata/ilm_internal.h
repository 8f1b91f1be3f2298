/* The actions of one ILM phase on their way into a state. */
#ifndef METADATA_ILM_INTERNAL_H
#define METADATA_ILM_INTERNAL_H

#include "metadata/rules_internal.h"

#define ILM_RULE "ilm-to-ism"

enum ilm_phase_kind {
	PHASE_HOT = 1,
	PHASE_WARM = 2,
	PHASE_COLD = 4,
	PHASE_FROZEN = 8,
	PHASE_DELETE = 16
};

struct ilm_phase {
	struct rule_scope *scope;
	enum ilm_phase_kind kind;
	struct str name;
	const struct json *phases; /* of the whole policy */
	struct json *actions;      /* of the state: an array */
};

/* Appends the state's actions in the order in which ILM runs them. */
void ilm_convert_actions(struct ilm_phase *phase, const struct json *actions);
/* A note at "policy.phases.hot.rollover". */
void ilm_note(struct ilm_phase *phase, const char *action, enum note_level level, const char *fmt,
	      ...) PRINTF_LIKE(4, 5);
/* Appends {name: body}. */
void ilm_put(struct ilm_phase *phase, const char *name, struct json *body);
struct json *ilm_object(struct ilm_phase *phase);
/* Whether a version of OpenSearch, 1000 * major + minor, is that late. */
bool ilm_target_from(const struct ilm_phase *phase, int number);

/* One function an action; `action` is its body, NULL for one that ILM does without being told. */
void ilm_convert_rollover(struct ilm_phase *phase, const struct json *action);
void ilm_convert_shrink(struct ilm_phase *phase, const struct json *action);
void ilm_convert_allocate(struct ilm_phase *phase, const struct json *action);
void ilm_convert_migrate(struct ilm_phase *phase, const struct json *action);

#endif
