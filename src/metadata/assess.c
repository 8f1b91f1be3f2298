/* From the rules' notes and the detectors to findings. */
#include "metadata/assess_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define TEXT_MAX 600
#define LIMIT_ASSESSMENT MIB(256)
#define LIMIT_SCRATCH MIB(256)
#define OPENSEARCH_FORKED_FROM 7010
#define SERVERLESS 9000

const char *assess_severity_name(enum assess_severity severity)
{
	static const char *const names[ASSESS_SEVERITIES] = {"info", "warn", "fix", "block"};

	return names[severity];
}

static int number_of(const struct cluster_version *version)
{
	return version->serverless ? SERVERLESS : version->major * 1000 + version->minor;
}

static bool is_opensearch(const struct cluster_version *version)
{
	return version->flavour == CLUSTER_OPENSEARCH;
}

static int elasticsearch_number(const struct cluster_version *version)
{
	return is_opensearch(version) ? OPENSEARCH_FORKED_FROM : number_of(version);
}

static bool assess_change_holds(const struct assess_change *change,
				const struct cluster_version *from,
				const struct cluster_version *to)
{
	bool between = elasticsearch_number(from) < change->number &&
		       elasticsearch_number(to) >= change->number;

	switch (change->crossing) {
	case ANY_MOVE:
		return true;
	case BETWEEN_ES:
		return between;
	case BETWEEN_ES_ONLY:
		return between && !is_opensearch(to);
	case BETWEEN_OS:
		return is_opensearch(to) && number_of(to) >= change->number &&
		       (!is_opensearch(from) || number_of(from) < change->number);
	case ES_TO_OS:
		return !is_opensearch(from) && is_opensearch(to);
	case OS_TO_ES:
		return is_opensearch(from) && !is_opensearch(to);
	}
	return false;
}

static struct assess_finding *find(const struct assessment *a, const char *id)
{
	for (size_t i = 0; i < a->finding_count; i++)
		if (strcmp(a->findings[i].change->id, id) == 0)
			return &a->findings[i];
	BUG("a detector of a change that the table does not have");
}

bool assess_applies(const struct assessment *a, const char *id)
{
	return find(a, id)->applies;
}

void assess_next(struct assessment *a)
{
	a->mem.failed |= a->scratch.failed;
	arena_reset(&a->scratch);
}

static bool is_known(const struct assess_finding *finding, const struct assess_touch *touch)
{
	for (size_t i = 0; i < finding->kept; i++)
		if (str_eq(finding->touches[i].where, touch->where) &&
		    str_eq(finding->touches[i].path, touch->path))
			return true;
	return false;
}

static void add_touch(struct assessment *a, struct assess_finding *finding,
		      const struct assess_touch *touch)
{
	if (!finding->applies || is_known(finding, touch))
		return;
	finding->severity =
		finding->total ? MAX(finding->severity, touch->severity) : touch->severity;
	finding->total++;
	if (finding->kept == ASSESS_TOUCHES_MAX)
		return;
	if (!finding->touches)
		finding->touches =
			arena_zalloc(&a->mem, ASSESS_TOUCHES_MAX, sizeof(*finding->touches));
	if (!finding->touches)
		return;
	finding->touches[finding->kept++] = (struct assess_touch){
		.severity = touch->severity,
		.item = touch->item,
		.where = arena_str(&a->mem, touch->where),
		.path = arena_str(&a->mem, touch->path),
		.text = arena_str(&a->mem, touch->text),
	};
}

static struct str name_item(struct assessment *a, const struct metadata_item *item)
{
	return arena_printf(&a->scratch, "%s '" STR_FMT "'", metadata_kind_name(item->kind),
			    STR_ARG(item->name));
}

static void hit(struct assess_scan *scan, enum assess_severity severity, const char *member,
		const char *text)
{
	struct assessment *a = scan->a;
	struct assess_touch touch = {
		.severity = severity,
		.item = scan->item,
		.where = scan->where.len ? scan->where
			 : scan->item    ? name_item(a, scan->item)
					 : STR("the cluster"),
		.path = scan->path,
		.text = str_from(text),
	};

	if (member)
		touch.path = scan->path.len ? arena_printf(&a->scratch, STR_FMT ".%s",
							   STR_ARG(scan->path), member)
					    : str_from(member);
	add_touch(a, find(a, scan->id), &touch);
}

void assess_hit(struct assess_scan *scan, const char *member, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list arguments;

	va_start(arguments, fmt);
	vsnprintf(text, sizeof(text), fmt, arguments);
	va_end(arguments);
	hit(scan, find(scan->a, scan->id)->change->severity, member, text);
}

void assess_hit_as(struct assess_scan *scan, enum assess_severity severity, const char *member,
		   const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list arguments;

	va_start(arguments, fmt);
	vsnprintf(text, sizeof(text), fmt, arguments);
	va_end(arguments);
	hit(scan, severity, member, text);
}

static bool names_id(const char *ids, const char *id)
{
	struct str rest = str_from(ids), one;

	while (rest.len > 0) {
		struct str tail = STR_NONE;

		str_split(rest, ',', &one, &tail);
		if (str_is(one, id))
			return true;
		rest = tail;
	}
	return false;
}

static bool is_of_rule(const struct assess_change *change, const struct rule *rule)
{
	bool flavour = rule->source.flavour != ANY_FLAVOUR && rule->target.flavour != ANY_FLAVOUR &&
		       rule->source.flavour != rule->target.flavour;

	switch (change->rules) {
	case RULES_NONE:
		return false;
	case RULES_BREAKING:
		return names_id(rule->breaking, change->id);
	case RULES_FLAVOUR:
		return names_id(rule->breaking, change->id) || (!rule->breaking && flavour);
	case RULES_OTHER:
		return !rule->breaking && !flavour;
	}
	return false;
}

static const struct rule *rule_of(const struct metadata_note *note)
{
	size_t count;
	const struct rule *const *rules = rules_all(&count);

	for (size_t i = 0; i < count; i++)
		if (strcmp(rules[i]->id, note->rule) == 0)
			return rules[i];
	return NULL;
}

static void take_note(struct assessment *a, const struct metadata_item *item,
		      const struct metadata_note *note)
{
	const struct rule *rule = rule_of(note);

	for (size_t i = 0; rule && i < a->finding_count; i++) {
		const struct assess_change *change = a->findings[i].change;
		struct assess_touch touch = {.severity = change->severity,
					     .item = item,
					     .path = note->path,
					     .text = note->text};

		if (!is_of_rule(change, rule))
			continue;
		touch.where = name_item(a, item);
		if (note->level == NOTE_ERROR)
			touch.severity = ASSESS_BLOCK;
		add_touch(a, &a->findings[i], &touch);
	}
}

static void take_notes(struct assessment *a)
{
	for (size_t i = 0; i < a->set->count; i++) {
		assess_next(a);
		for (size_t j = 0; j < a->set->items[i]->note_count; j++)
			take_note(a, a->set->items[i], &a->set->items[i]->notes[j]);
	}
}

static bool is_blocked_by(const struct assessment *a, const struct metadata_item *item)
{
	for (size_t i = 0; i < a->finding_count; i++)
		for (size_t j = 0; j < a->findings[i].kept; j++)
			if (a->findings[i].touches[j].item == item &&
			    a->findings[i].touches[j].severity == ASSESS_BLOCK)
				return true;
	return false;
}

/* What the rules refuse and no change has told yet. */
static void take_blocked(struct assessment *a)
{
	for (size_t i = 0; i < a->set->count; i++) {
		struct assess_scan scan = {.a = a, .item = a->set->items[i], .id = "BX06"};

		if (scan.item->outcome == OUTCOME_BLOCKED && !is_blocked_by(a, scan.item))
			assess_hit(&scan, NULL, STR_FMT, STR_ARG(scan.item->reason));
	}
}

static int prepare(struct assessment *a, struct err *err)
{
	const struct assess_change *changes = assess_changes(&a->finding_count);

	a->findings = arena_zalloc(&a->mem, a->finding_count, sizeof(*a->findings));
	if (!a->findings) {
		a->finding_count = 0;
		return arena_fail(&a->mem, "the assessment", err);
	}
	for (size_t i = 0; i < a->finding_count; i++) {
		a->findings[i].change = &changes[i];
		a->findings[i].applies =
			assess_change_holds(&changes[i], &a->set->version, &a->options.target);
	}
	return 0;
}

int assess_metadata(struct assessment *a, struct metadata_set *set,
		    const struct rule_options *options, struct err *err)
{
	*a = (struct assessment){.mem = ARENA_INIT(LIMIT_ASSESSMENT),
				 .scratch = ARENA_INIT(LIMIT_SCRATCH),
				 .pending_mem = ARENA_INIT(LIMIT_SCRATCH),
				 .set = set,
				 .options = *options,
				 .pending = BUF_INIT(MIB(16))};
	if (prepare(a, err) < 0 || rules_apply(set, options, err) < 0)
		return -(int)err->kind;
	take_notes(a);
	assess_scan_set(a);
	take_blocked(a);
	assess_clients(a);
	assess_next(a);
	return a->mem.failed ? arena_fail(&a->mem, "the assessment", err) : 0;
}

void assessment_release(struct assessment *a)
{
	arena_release(&a->mem);
	arena_release(&a->scratch);
	arena_release(&a->pending_mem);
	buf_release(&a->pending);
}

size_t assess_count(const struct assessment *a, enum assess_severity severity)
{
	size_t count = 0;

	for (size_t i = 0; i < a->finding_count; i++)
		count += a->findings[i].total > 0 && a->findings[i].severity == severity;
	return count;
}
