#include "cli/assess_report.h"

#include "cli/table.h"

#include <stdlib.h>

#define TOUCHES_SHOWN 10

/* Names come from strangers: control characters become '?'. */
static void print_str(struct str text, FILE *out)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(16));
	struct str shown = text_printable(text, &mem);

	if (shown.ptr)
		fwrite(shown.ptr, 1, shown.len, out);
}

static void print_touch(const struct assess_touch *touch, FILE *out)
{
	fputs("      - ", out);
	print_str(touch->where, out);
	if (touch->path.len) {
		fputs(" at ", out);
		print_str(touch->path, out);
	}
	if (touch->text.len) {
		fputs(": ", out);
		print_str(touch->text, out);
	}
	fputc('\n', out);
}

static void print_finding(const struct assess_finding *finding, FILE *out)
{
	size_t shown = MIN(finding->kept, (size_t)TOUCHES_SHOWN);

	fprintf(out, "   %-5s %s  %s (%zu)\n", assess_severity_name(finding->severity),
		finding->change->id, finding->change->title, finding->total);
	for (size_t i = 0; i < shown; i++)
		print_touch(&finding->touches[i], out);
	if (finding->total > shown)
		fprintf(out, "      … and %zu more\n", finding->total - shown);
	fprintf(out, "      Shardlift: %s\n      You: %s\n", finding->change->tool,
		finding->change->user);
}

static void print_agents(const struct assessment *a, FILE *out)
{
	if (!a->agent_count)
		return;
	fputs("Clients:\n", out);
	for (size_t i = 0; i < a->agent_count; i++) {
		fputs("   ", out);
		print_str(a->agents[i].name, out);
		fprintf(out, " (%llu)\n", (unsigned long long)a->agents[i].requests);
	}
	fputc('\n', out);
}

static void print_clients(const struct assessment *a, const struct assess_facts *facts, FILE *out)
{
	bool any = false;

	fputs("What clients must change:\n", out);
	for (size_t i = 0; i < a->finding_count; i++) {
		const struct assess_finding *finding = &a->findings[i];

		if (!finding->total || !finding->change->clients)
			continue;
		fprintf(out, "   %s  %s: %s\n", finding->change->id, finding->change->title,
			finding->change->user);
		any = true;
	}
	for (size_t i = 0; i < a->client_change_count; i++) {
		fputs("   ", out);
		print_str(a->client_changes[i], out);
		fputc('\n', out);
		any = true;
	}
	if (a->client_changes_total > a->client_change_count)
		fprintf(out, "   … and %zu more\n",
			a->client_changes_total - a->client_change_count);
	if (!any)
		fputs("   <NONE FOUND>\n", out);
	if (!facts->looked_at_requests)
		fputs("   Requests were not looked at; --traffic FILE or --queries FILE does\n",
		      out);
}

void assess_report_print(const struct assessment *a, const struct assess_facts *facts, FILE *out)
{
	fprintf(out, "Source: " STR_FMT " at %s\nTarget: " STR_FMT "\n\nBreaking changes:\n",
		STR_ARG(a->set->description), facts->source, STR_ARG(facts->target));
	for (int severity = ASSESS_BLOCK; severity >= 0; severity--)
		for (size_t i = 0; i < a->finding_count; i++)
			if (a->findings[i].total &&
			    a->findings[i].severity == (enum assess_severity)severity)
				print_finding(&a->findings[i], out);
	fputs("\nSummary:\n", out);
	for (int severity = ASSESS_BLOCK; severity >= 0; severity--)
		fprintf(out, "   %-5s %zu\n", assess_severity_name((enum assess_severity)severity),
			assess_count(a, (enum assess_severity)severity));
	if (facts->looked_at_requests)
		fprintf(out, "   %llu requests and queries; %llu lines are neither\n",
			(unsigned long long)a->requests, (unsigned long long)a->unread_lines);
	fputc('\n', out);
	print_agents(a, out);
	print_clients(a, facts, out);
}

static struct json *text_of(struct arena *mem, const char *text)
{
	return json_new_string(mem, str_from(text));
}

static struct json *touch_json(const struct assess_touch *touch, struct arena *mem)
{
	struct json *object = json_new(mem, JSON_OBJECT);

	json_set(object, STR("severity"), text_of(mem, assess_severity_name(touch->severity)));
	json_set(object, STR("where"), json_new_string(mem, touch->where));
	if (touch->item) {
		json_set(object, STR("kind"), text_of(mem, metadata_kind_name(touch->item->kind)));
		json_set(object, STR("name"), json_new_string(mem, touch->item->name));
	}
	json_set(object, STR("path"), json_new_string(mem, touch->path));
	json_set(object, STR("text"), json_new_string(mem, touch->text));
	return object;
}

static struct json *finding_json(const struct assess_finding *finding, struct arena *mem)
{
	struct json *object = json_new(mem, JSON_OBJECT), *touches = json_new(mem, JSON_ARRAY);

	json_set(object, STR("id"), text_of(mem, finding->change->id));
	json_set(object, STR("severity"), text_of(mem, assess_severity_name(finding->severity)));
	json_set(object, STR("title"), text_of(mem, finding->change->title));
	json_set(object, STR("tool"), text_of(mem, finding->change->tool));
	json_set(object, STR("user"), text_of(mem, finding->change->user));
	json_set(object, STR("clients"), json_new_bool(mem, finding->change->clients));
	json_set(object, STR("count"), json_new_i64(mem, (int64_t)finding->total));
	for (size_t i = 0; i < finding->kept; i++)
		json_append(touches, touch_json(&finding->touches[i], mem));
	json_set(object, STR("touches"), touches);
	return object;
}

static struct json *summary_json(const struct assessment *a, struct arena *mem)
{
	struct json *object = json_new(mem, JSON_OBJECT);

	for (int severity = ASSESS_BLOCK; severity >= 0; severity--)
		json_set(object, str_from(assess_severity_name((enum assess_severity)severity)),
			 json_new_i64(mem,
				      (int64_t)assess_count(a, (enum assess_severity)severity)));
	return object;
}

static struct json *agents_json(const struct assessment *a, struct arena *mem)
{
	struct json *agents = json_new(mem, JSON_ARRAY);

	for (size_t i = 0; i < a->agent_count; i++) {
		struct json *agent = json_new(mem, JSON_OBJECT);

		json_set(agent, STR("userAgent"), json_new_string(mem, a->agents[i].name));
		json_set(agent, STR("requests"), json_new_i64(mem, (int64_t)a->agents[i].requests));
		json_append(agents, agent);
	}
	return agents;
}

static struct json *report_json(const struct assessment *a, const struct assess_facts *facts,
				struct arena *mem)
{
	struct json *root = json_new(mem, JSON_OBJECT), *source = json_new(mem, JSON_OBJECT);
	struct json *findings = json_new(mem, JSON_ARRAY), *changes = json_new(mem, JSON_ARRAY);
	struct json *requests = json_new(mem, JSON_OBJECT);

	json_set(source, STR("description"), json_new_string(mem, a->set->description));
	json_set(source, STR("location"), text_of(mem, facts->source));
	json_set(root, STR("source"), source);
	json_set(root, STR("target"), json_new_string(mem, facts->target));
	json_set(root, STR("summary"), summary_json(a, mem));
	for (size_t i = 0; i < a->finding_count; i++)
		if (a->findings[i].total)
			json_append(findings, finding_json(&a->findings[i], mem));
	json_set(root, STR("findings"), findings);
	json_set(requests, STR("examined"), json_new_bool(mem, facts->looked_at_requests));
	json_set(requests, STR("count"), json_new_i64(mem, (int64_t)a->requests));
	json_set(requests, STR("unreadLines"), json_new_i64(mem, (int64_t)a->unread_lines));
	json_set(requests, STR("clients"), agents_json(a, mem));
	json_set(root, STR("requests"), requests);
	for (size_t i = 0; i < a->client_change_count; i++)
		json_append(changes, json_new_string(mem, a->client_changes[i]));
	json_set(root, STR("clientChanges"), changes);
	json_set(root, STR("clientChangeCount"),
		 json_new_i64(mem, (int64_t)a->client_changes_total));
	return root;
}

int assess_report_print_json(const struct assessment *a, const struct assess_facts *facts,
			     FILE *out, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(LIMIT_METADATA_ARENA);
	cleanup(buf_release) struct buf text = BUF_INIT(LIMIT_METADATA_ARENA);
	struct json *root = report_json(a, facts, &mem);

	if (mem.failed)
		return arena_fail(&mem, "the report", err);
	json_write_pretty(&text, root);
	if (buf_check(&text, "the report", err) < 0)
		return -(int)err->kind;
	fprintf(out, "%s\n", buf_cstr(&text));
	return 0;
}
