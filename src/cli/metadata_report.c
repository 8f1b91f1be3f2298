#include "cli/metadata_report.h"

#include "cli/table.h"
#include "metadata/rules.h"

#include <stdlib.h>

/* Sections of the report, in the order in which the Java tool's stand; what it does not move comes
 * behind. Two kinds of templates share one. */
static const struct section {
	const char *heading, *key;
	enum metadata_kind kinds[2];
} sections[] = {
	{"Index Templates", "indexTemplates", {METADATA_INDEX_TEMPLATE, METADATA_LEGACY_TEMPLATE}},
	{"Component Templates",
	 "componentTemplates",
	 {METADATA_COMPONENT_TEMPLATE, METADATA_COMPONENT_TEMPLATE}},
	{"Indexes", "indexes", {METADATA_INDEX, METADATA_INDEX}},
	{"Aliases", "aliases", {METADATA_ALIAS, METADATA_ALIAS}},
	{"Data Streams", "dataStreams", {METADATA_DATA_STREAM, METADATA_DATA_STREAM}},
	{"Lifecycle Policies",
	 "lifecyclePolicies",
	 {METADATA_LIFECYCLE_POLICY, METADATA_LIFECYCLE_POLICY}},
	{"Snapshot Policies",
	 "snapshotPolicies",
	 {METADATA_SNAPSHOT_POLICY, METADATA_SNAPSHOT_POLICY}},
	{"Ingest Pipelines", "pipelines", {METADATA_PIPELINE, METADATA_PIPELINE}},
	{"Stored Scripts", "scripts", {METADATA_SCRIPT, METADATA_SCRIPT}},
	{"Cluster Settings",
	 "clusterSettings",
	 {METADATA_CLUSTER_SETTINGS, METADATA_CLUSTER_SETTINGS}},
	{"Security", "security", {METADATA_SECURITY, METADATA_SECURITY}},
};

static bool is_of(const struct section *section, const struct metadata_item *item)
{
	return item->kind == section->kinds[0] || item->kind == section->kinds[1];
}

static bool is_problem(const struct metadata_item *item)
{
	return item->outcome == OUTCOME_FAILED || item->outcome == OUTCOME_BLOCKED;
}

static bool is_success(const struct metadata_item *item)
{
	return item->outcome == OUTCOME_READY || item->outcome == OUTCOME_WRITTEN ||
	       item->outcome == OUTCOME_REPORTED;
}

size_t metadata_report_problems(const struct metadata_set *set)
{
	size_t count = 0;

	for (size_t i = 0; i < set->count; i++)
		count += is_problem(set->items[i]);
	return count;
}

/* Names come from strangers: control characters become '?'. */
static void print_str(struct str text, FILE *out)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(16));
	struct str shown = text_printable(text, &mem);

	if (shown.ptr)
		fwrite(shown.ptr, 1, shown.len, out);
}

static void print_notes(const struct metadata_item *item, FILE *out)
{
	for (size_t i = 0; i < item->note_count; i++) {
		const struct metadata_note *note = &item->notes[i];

		/* The reason stands in the item's own line. */
		if (note->level == NOTE_ERROR)
			continue;
		fprintf(out, "         %s", note->level == NOTE_WARN ? "warning: " : "");
		if (note->path.len) {
			print_str(note->path, out);
			fputs(": ", out);
		}
		print_str(note->text, out);
		fputc('\n', out);
	}
}

/* The Java tool's names of failures, and what it says for them. */
struct failure {
	const char *type, *message;
};

static struct failure failure_of(const struct metadata_item *item)
{
	bool exists = str_starts(item->reason, STR("already exists"));

	if (item->outcome == OUTCOME_EXCLUDED)
		return (struct failure){"SKIPPED_DUE_TO_FILTER", "skipped due to filter"};
	if (exists && item->kind == METADATA_INDEX)
		return (struct failure){"INDEX_ALREADY_EXISTS", "already exists"};
	if (exists || item->outcome == OUTCOME_EXISTED)
		return (struct failure){"METADATA_ALREADY_EXISTS", "already exists"};
	if (item->outcome == OUTCOME_BLOCKED && str_starts(item->reason, STR("its copies")))
		return (struct failure){"INCOMPATIBLE_REPLICA_COUNT_FAILURE",
					"failed due to incompatible replica count"};
	if (item->outcome == OUTCOME_BLOCKED)
		return (struct failure){"UNABLE_TO_TRANSFORM_FAILURE",
					"failed to transform to the target version"};
	return (struct failure){"TARGET_CLUSTER_FAILURE", "failed on target cluster"};
}

/* "NAME message: detail", and the message once. */
static void print_failure(const struct metadata_item *item, FILE *out)
{
	struct str message = str_from(failure_of(item).message);
	struct str detail = item->reason;

	fprintf(out, " " STR_FMT, STR_ARG(message));
	if (str_starts(detail, message))
		detail = str_from_offset(detail, message.len);
	else if (detail.len > 0)
		fputs(": ", out);
	print_str(detail, out);
}

static void print_item(const struct metadata_item *item, FILE *out)
{
	fputs("      ", out);
	if (is_success(item))
		fputs("- ", out);
	else
		fputs(is_problem(item) ? "ERROR - " : "WARN - ", out);
	print_str(item->name, out);
	if (!str_eq(item->name, item->target_name)) {
		fputs(" -> ", out);
		print_str(item->target_name, out);
	}
	if (item->closed)
		fputs(" (closed)", out);
	if (item->outcome == OUTCOME_REPORTED)
		fputs(" (not migrated: reported only)", out);
	if (!is_success(item)) {
		print_failure(item, out);
	} else if (item->reason.len) {
		fputc(' ', out);
		print_str(item->reason, out);
	}
	fputc('\n', out);
	print_notes(item, out);
}

static size_t print_items(const struct metadata_set *set, const struct section *section,
			  bool (*wanted)(const struct metadata_item *), FILE *out)
{
	size_t count = 0;

	for (size_t i = 0; i < set->count; i++)
		if (is_of(section, set->items[i]) && wanted(set->items[i])) {
			print_item(set->items[i], out);
			count++;
		}
	return count;
}

static bool is_other(const struct metadata_item *item)
{
	return !is_success(item) && !is_problem(item) && item->outcome != OUTCOME_EXCLUDED &&
	       item->outcome != OUTCOME_NONE;
}

static bool is_excluded(const struct metadata_item *item)
{
	return item->outcome == OUTCOME_EXCLUDED;
}

static void print_section(const struct metadata_set *set, const struct section *section,
			  const struct metadata_facts *facts, FILE *out)
{
	size_t count;

	fprintf(out, "   %s:\n", section->heading);
	count = print_items(set, section, is_success, out);
	count += print_items(set, section, is_problem, out);
	count += print_items(set, section, is_other, out);
	if (facts->show_excluded)
		count += print_items(set, section, is_excluded, out);
	for (size_t i = 0; i < set->unreadable_count; i++)
		if (set->unreadable[i].kind == section->kinds[0] ||
		    set->unreadable[i].kind == section->kinds[1]) {
			fputs("      WARN - not readable: ", out);
			print_str(set->unreadable[i].reason, out);
			fputc('\n', out);
			count++;
		}
	if (count == 0)
		fputs("      <NONE FOUND>\n", out);
	fputc('\n', out);
}

/* Rules that did something, each once. */
static bool was_used(const struct metadata_set *set, const struct rule *rule)
{
	for (size_t i = 0; i < set->count; i++)
		for (size_t j = 0; j < set->items[i]->note_count; j++)
			if (strcmp(set->items[i]->notes[j].rule, rule->id) == 0)
				return true;
	return false;
}

static void print_transformations(const struct metadata_set *set, FILE *out)
{
	size_t count, used = 0;
	const struct rule *const *rules = rules_all(&count);

	fputs("Transformations:\n", out);
	for (size_t i = 0; i < count; i++) {
		if (!was_used(set, rules[i]))
			continue;
		fprintf(out, "   %s:\n      %s\n", rules[i]->id, rules[i]->summary);
		used++;
	}
	if (used == 0)
		fputs("   <None Found>\n", out);
	fputc('\n', out);
}

static void print_results(const struct metadata_set *set, const struct metadata_facts *facts,
			  FILE *out)
{
	size_t problems = metadata_report_problems(set);

	fputs("Results:\n", out);
	if (problems == 0 && !facts->err) {
		fputs("   0 issue(s) detected\n", out);
		return;
	}
	fputs("   Issue(s) detected\nIssues:\n", out);
	for (size_t i = 0; i < set->count; i++) {
		const struct metadata_item *item = set->items[i];

		if (!is_problem(item))
			continue;
		fprintf(out, "   %s ", metadata_kind_name(item->kind));
		print_str(item->name, out);
		fputs(": ", out);
		print_str(item->reason, out);
		fputc('\n', out);
	}
	if (facts->err)
		fprintf(out, "   %s\n", facts->err->message);
}

static bool is_s3(const char *repository)
{
	return str_starts(str_from(repository), STR("s3:"));
}

static bool is_tls(const char *url)
{
	return str_starts(str_from(url), STR("https:"));
}

static void print_cluster(const char *url, bool insecure, bool is_signed, FILE *out)
{
	fprintf(out, "      Uri: %s\n      Protocol: %s\n      TLS Verification: %s\n", url,
		is_tls(url) ? "HTTPS" : "HTTP", insecure ? "Disabled" : "Enabled");
	if (is_signed)
		fputs("      AWS Auth: Enabled\n", out);
}

void metadata_report_print(const struct metadata_set *set, const struct metadata_facts *facts,
			   FILE *out)
{
	fprintf(out, "Starting Metadata %s\n\nClusters:\n   Source:\n      Type: " STR_FMT "\n",
		facts->plan ? "Evaluation" : "Migration", STR_ARG(set->description));
	if (set->live)
		print_cluster(facts->source, facts->source_insecure, facts->source_signed, out);
	else
		fprintf(out, "      %s: %s\n",
			is_s3(facts->source) ? "S3 repository" : "Local repository", facts->source);
	fprintf(out, "\n   Target:\n      Type: " STR_FMT "\n", STR_ARG(facts->target_description));
	print_cluster(facts->target, facts->target_insecure, facts->target_signed, out);
	fprintf(out, "\n%s:\n", facts->plan ? "Migration Candidates" : "Migrated Items");
	for (size_t i = 0; i < COUNT_OF(sections); i++)
		print_section(set, &sections[i], facts, out);
	print_transformations(set, out);
	print_results(set, facts, out);
}

static const char *outcome_name(enum metadata_outcome outcome)
{
	static const char *const names[] = {
		[OUTCOME_NONE] = "not reached", [OUTCOME_EXCLUDED] = "excluded",
		[OUTCOME_READY] = "ready",      [OUTCOME_WRITTEN] = "written",
		[OUTCOME_EXISTED] = "existed",  [OUTCOME_FAILED] = "failed",
		[OUTCOME_BLOCKED] = "blocked",  [OUTCOME_REPORTED] = "reported",
	};

	return names[outcome];
}

static struct json *notes_json(const struct metadata_item *item, struct arena *mem)
{
	static const char *const levels[] = {"info", "change", "warning", "error"};
	struct json *list = json_new(mem, JSON_ARRAY);

	for (size_t i = 0; i < item->note_count; i++) {
		const struct metadata_note *note = &item->notes[i];
		struct json *row = json_new(mem, JSON_OBJECT);

		json_set(row, STR("level"), json_new_string(mem, str_from(levels[note->level])));
		if (note->rule[0])
			json_set(row, STR("rule"), json_new_string(mem, str_from(note->rule)));
		if (note->path.len)
			json_set(row, STR("path"), json_new_string(mem, note->path));
		json_set(row, STR("text"), json_new_string(mem, note->text));
		json_append(list, row);
	}
	return list;
}

static struct json *failure_json(const struct metadata_item *item, struct arena *mem)
{
	struct json *failure = json_new(mem, JSON_OBJECT);
	json_set(failure, STR("type"), json_new_string(mem, str_from(failure_of(item).type)));
	json_set(failure, STR("message"), json_new_string(mem, item->reason));
	json_set(failure, STR("fatal"), json_new_bool(mem, is_problem(item)));
	return failure;
}

static struct json *item_json(const struct metadata_item *item, const struct metadata_facts *facts,
			      struct arena *mem)
{
	struct json *row = json_new(mem, JSON_OBJECT);

	json_set(row, STR("name"), json_new_string(mem, item->name));
	if (!str_eq(item->name, item->target_name))
		json_set(row, STR("targetName"), json_new_string(mem, item->target_name));
	json_set(row, STR("successful"), json_new_bool(mem, is_success(item)));
	json_set(row, STR("outcome"), json_new_string(mem, str_from(outcome_name(item->outcome))));
	if (!is_success(item))
		json_set(row, STR("failure"), failure_json(item, mem));
	if (item->note_count)
		json_set(row, STR("notes"), notes_json(item, mem));
	if (facts->plan && item->result && is_success(item)) {
		json_set(row, STR("before"), json_copy(mem, item->source));
		json_set(row, STR("after"), json_copy(mem, item->result));
	}
	return row;
}

static struct json *items_json(const struct metadata_set *set, const struct metadata_facts *facts,
			       struct arena *mem)
{
	struct json *items = json_new(mem, JSON_OBJECT);

	json_set(items, STR("dryRun"), json_new_bool(mem, facts->plan));
	for (size_t i = 0; i < COUNT_OF(sections); i++) {
		struct json *list = json_new(mem, JSON_ARRAY);

		for (size_t j = 0; j < set->count; j++)
			if (is_of(&sections[i], set->items[j]) &&
			    (facts->show_excluded || set->items[j]->outcome != OUTCOME_EXCLUDED))
				json_append(list, item_json(set->items[j], facts, mem));
		json_set(items, str_from(sections[i].key), list);
	}
	return items;
}

static struct json *transformations_json(const struct metadata_set *set, struct arena *mem)
{
	struct json *object = json_new(mem, JSON_OBJECT), *list = json_new(mem, JSON_ARRAY);
	size_t count;
	const struct rule *const *rules = rules_all(&count);

	for (size_t i = 0; i < count; i++) {
		struct json *row, *description;

		if (!was_used(set, rules[i]))
			continue;
		row = json_new(mem, JSON_OBJECT);
		description = json_new(mem, JSON_ARRAY);
		json_append(description, json_new_string(mem, str_from(rules[i]->summary)));
		json_set(row, STR("name"), json_new_string(mem, str_from(rules[i]->id)));
		json_set(row, STR("description"), description);
		json_append(list, row);
	}
	json_set(object, STR("transformers"), list);
	return object;
}

/* "Snapshot (ELASTICSEARCH 6.8.23)": what it is, and its version. */
static void set_type(struct json *object, struct str description, struct arena *mem)
{
	struct str type, version;

	if (!str_split(description, '(', &type, &version)) {
		json_set(object, STR("type"), json_new_string(mem, description));
		return;
	}
	json_set(object, STR("type"),
		 json_new_string(mem, str_of(type.ptr, type.len > 0 ? type.len - 1 : 0)));
	json_set(object, STR("version"),
		 json_new_string(mem, str_of(version.ptr, version.len > 0 ? version.len - 1 : 0)));
}

static void set_cluster(struct json *object, const char *url, bool insecure, bool is_signed,
			struct arena *mem)
{
	json_set(object, STR("uri"), json_new_string(mem, str_from(url)));
	json_set(object, STR("protocol"),
		 json_new_string(mem, is_tls(url) ? STR("HTTPS") : STR("HTTP")));
	json_set(object, STR("insecure"), json_new_bool(mem, insecure));
	json_set(object, STR("awsSpecificAuthentication"), json_new_bool(mem, is_signed));
}

static struct json *clusters_json(const struct metadata_set *set,
				  const struct metadata_facts *facts, struct arena *mem)
{
	struct json *clusters = json_new(mem, JSON_OBJECT);
	struct json *source = json_new(mem, JSON_OBJECT), *target = json_new(mem, JSON_OBJECT);

	set_type(source, set->description, mem);
	if (set->live)
		set_cluster(source, facts->source, facts->source_insecure, facts->source_signed,
			    mem);
	else
		json_set(source,
			 is_s3(facts->source) ? STR("s3Repository") : STR("localRepository"),
			 json_new_string(mem, str_from(facts->source)));
	set_type(target, facts->target_description, mem);
	set_cluster(target, facts->target, facts->target_insecure, facts->target_signed, mem);
	json_set(target, STR("disableCompression"), json_new_bool(mem, facts->uncompressed));
	json_set(clusters, STR("source"), source);
	json_set(clusters, STR("target"), target);
	return clusters;
}

static struct json *errors_json(const struct metadata_set *set, const struct metadata_facts *facts,
				struct arena *mem)
{
	struct json *errors = json_new(mem, JSON_ARRAY);

	for (size_t i = 0; i < set->count; i++)
		if (is_problem(set->items[i]))
			json_append(
				errors,
				json_new_string(mem, arena_printf(mem, STR_FMT ": " STR_FMT,
								  STR_ARG(set->items[i]->name),
								  STR_ARG(set->items[i]->reason))));
	for (size_t i = 0; i < set->unreadable_count; i++)
		json_append(errors,
			    json_new_string(mem, arena_printf(mem, "not readable: " STR_FMT,
							      STR_ARG(set->unreadable[i].reason))));
	if (facts->err)
		json_append(errors, json_new_string(mem, str_from(facts->err->message)));
	return errors;
}

int metadata_report_print_json(const struct metadata_set *set, const struct metadata_facts *facts,
			       FILE *out, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_METADATA_ARENA);
	cleanup(buf_release) struct buf text = BUF_INIT(LIMIT_METADATA_ARENA);
	struct json *root = json_new(&mem, JSON_OBJECT);

	json_set(root, STR("clusters"), clusters_json(set, facts, &mem));
	json_set(root, STR("items"), items_json(set, facts, &mem));
	json_set(root, STR("transformations"), transformations_json(set, &mem));
	json_set(root, STR("errors"), errors_json(set, facts, &mem));
	json_set(root, STR("errorCount"),
		 json_new_i64(&mem, (int64_t)metadata_report_problems(set)));
	json_set(root, STR("errorCode"), json_new_i64(&mem, facts->code));
	if (facts->err)
		json_set(root, STR("errorMessage"),
			 json_new_string(&mem, str_from(facts->err->message)));
	if (mem.failed)
		return arena_fail(&mem, "the report", err);
	json_write_pretty(&text, root);
	if (buf_check(&text, "the report", err) < 0)
		return -(int)err->kind;
	fprintf(out, "%s\n", buf_cstr(&text));
	return 0;
}
