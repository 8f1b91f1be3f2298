/* Panels of dashboards, and the state of visualizations. */
#include "metadata/saved_objects_internal.h"

struct paneling {
	struct saved_objects *set;
	struct saved_object *dashboard;
	struct json *references;
	int64_t version;
	bool changed;
};

static const struct json *find_reference(const struct paneling *p, struct str name)
{
	json_each (one, p->references)
		if (str_eq(json_string(json_get(one, "name")), name))
			return one;
	return NULL;
}

static struct str panel_index(const struct json *panel)
{
	return json_text_or(json_get(panel, "panelIndex"), STR("?"));
}

/* Since 7.11 the dashboard's references are called after panels: "PANEL:panel_0". */
static void name_reference(struct paneling *p, struct json *holder, const char *key,
			   const struct json *panel)
{
	struct arena *mem = &p->set->mem;
	struct str name = json_string(json_get(holder, key)), full;

	if (name.len == 0 || find_reference(p, name))
		return;
	full = arena_printf(mem, STR_FMT ":" STR_FMT, STR_ARG(panel_index(panel)), STR_ARG(name));
	if (!find_reference(p, full))
		return;
	json_set(holder, str_from(key), json_new_string(mem, full));
	p->changed = true;
}

static void name_index_references(struct paneling *p, struct json *value, const struct json *panel)
{
	if (value->type == JSON_OBJECT)
		name_reference(p, value, "indexRefName", panel);
	json_each (child, value)
		if (child->type == JSON_OBJECT || child->type == JSON_ARRAY)
			name_index_references(p, child, panel);
}

/* Since 7.14 a panel's title stands beside its configuration, not in it. */
static void move_title(struct paneling *p, struct json *panel)
{
	struct arena *mem = &p->set->mem;
	struct json *config = json_get(panel, "embeddableConfig");
	struct json *title = json_remove(panel, STR("title"));
	bool hidden = json_bool_or(json_get(config, "hidePanelTitles"), false);

	if (!config || config->type != JSON_OBJECT) {
		config = json_new(mem, JSON_OBJECT);
		json_set(panel, STR("embeddableConfig"), config);
	}
	if (title || hidden)
		json_set(config, STR("title"),
			 json_new_string(mem, hidden ? STR("") : json_string(title)));
	p->changed = true;
}

static void collect_index_references(struct paneling *p, const struct json *value,
				     struct json *into)
{
	struct str name = json_string(json_get(value, "indexRefName"));
	const struct json *found = name.len > 0 ? find_reference(p, name) : NULL;

	if (found)
		json_append(into, json_copy(&p->set->mem, found));
	json_each (child, value)
		if (child->type == JSON_OBJECT || child->type == JSON_ARRAY)
			collect_index_references(p, child, into);
}

static struct json *state_of(struct paneling *p, const struct json *saved, struct str title)
{
	struct arena *mem = &p->set->mem;
	struct json *state = json_new(mem, JSON_OBJECT);
	const struct json *aggregations = json_path(saved, "data", "aggs", NULL);

	json_set(state, STR("title"), json_new_string(mem, title));
	json_set(state, STR("type"), json_copy(mem, json_get(saved, "type")));
	json_set(state, STR("params"), json_copy(mem, json_get(saved, "params")));
	json_set(state, STR("aggs"),
		 aggregations ? json_copy(mem, aggregations) : json_new(mem, JSON_ARRAY));
	return state;
}

static struct json *attributes_of(struct paneling *p, const struct json *saved, struct str title)
{
	struct arena *mem = &p->set->mem;
	struct json *attributes = json_new(mem, JSON_OBJECT), *meta = json_new(mem, JSON_OBJECT);
	const struct json *search = json_path(saved, "data", "searchSource", NULL);
	struct json *none = json_new(mem, JSON_OBJECT);

	json_set(attributes, STR("title"), json_new_string(mem, title));
	json_set(attributes, STR("description"),
		 json_new_string(mem, json_string(json_get(saved, "description"))));
	json_set(attributes, STR("version"), json_new_i64(mem, 1));
	saved_object_pack(p->set, attributes, "visState", state_of(p, saved, title));
	saved_object_pack(p->set, attributes, "uiStateJSON",
			  json_get(saved, "uiState") ? json_get(saved, "uiState") : none);
	saved_object_pack(p->set, meta, "searchSourceJSON", search ? search : none);
	json_set(attributes, STR("kibanaSavedObjectMeta"), meta);
	return attributes;
}

static struct json *reference_to(struct arena *mem, struct str type, struct str id, struct str name)
{
	struct json *reference = json_new(mem, JSON_OBJECT);

	json_set(reference, STR("type"), json_new_string(mem, type));
	json_set(reference, STR("id"), json_new_string(mem, id));
	json_set(reference, STR("name"), json_new_string(mem, name));
	return reference;
}

/* Its id is the same in every run, so that the same command again finds it. */
static int make_visualization(struct paneling *p, struct json *panel, struct err *err)
{
	struct arena *mem = &p->set->mem;
	const struct json *saved = json_path(panel, "embeddableConfig", "savedVis", NULL);
	struct str index = panel_index(panel), title = json_string(json_get(saved, "title"));
	struct str id =
		arena_printf(mem, STR_FMT "-" STR_FMT, STR_ARG(p->dashboard->id), STR_ARG(index));
	struct str name = arena_printf(mem, "panel_" STR_FMT, STR_ARG(index));
	struct json *body = json_new(mem, JSON_OBJECT), *references = json_new(mem, JSON_ARRAY);
	struct json *marks = json_new(mem, JSON_OBJECT), *config;
	struct saved_object *made;

	if (title.len == 0)
		title = json_string(json_path(panel, "embeddableConfig", "title", NULL));
	if (title.len == 0)
		title = arena_printf(mem, STR_FMT ", panel " STR_FMT,
				     STR_ARG(saved_object_title(p->dashboard)), STR_ARG(index));
	collect_index_references(p, json_path(saved, "data", "searchSource", NULL), references);
	json_set(body, STR("type"), json_new_string(mem, STR("visualization")));
	json_set(body, STR("id"), json_new_string(mem, id));
	json_set(body, STR("attributes"), attributes_of(p, saved, title));
	json_set(body, STR("references"), references);
	/* The set cleans it as if it had been exported with the dashboard. */
	json_set(marks, STR("visualization"),
		 json_new_string(mem, arena_printf(mem, "%d.%d.%d", (int)(p->version / 1000000),
						   (int)(p->version / 1000 % 1000),
						   (int)(p->version % 1000))));
	json_set(body, STR("migrationVersion"), marks);
	config = json_copy(mem, json_get(panel, "embeddableConfig"));
	json_remove(config, STR("savedVis"));
	json_set(panel, STR("embeddableConfig"), config);
	json_remove(panel, STR("type"));
	json_set(panel, STR("panelRefName"), json_new_string(mem, name));
	json_append(p->references, reference_to(mem, STR("visualization"), id, name));
	if (mem->failed)
		return arena_fail(mem, "the saved objects", err);
	if (saved_objects_add(p->set, p->dashboard->space, body, &made, err) < 0)
		return -(int)err->kind;
	made->made = true;
	saved_object_note(p->set, made, false, "was part of the dashboard '" STR_FMT "'",
			  STR_ARG(p->dashboard->id));
	saved_object_note(p->set, p->dashboard, false,
			  "panel " STR_FMT ": the visualization '" STR_FMT "'", STR_ARG(index),
			  STR_ARG(id));
	p->changed = true;
	return 0;
}

/* The type that the panel shows: its own, or that of what it refers to. */
static struct str panel_type(const struct paneling *p, const struct json *panel)
{
	const struct json *reference =
		find_reference(p, json_string(json_get(panel, "panelRefName")));
	struct str type = json_string(json_get(reference, "type"));

	return type.len > 0 ? type : json_string(json_get(panel, "type"));
}

/* A panel by value is a visualization's only where it is one; else there is nothing to show. */
static bool can_be_shown(const struct paneling *p, const struct json *panel)
{
	struct str type = panel_type(p, panel);

	return type.len == 0 || str_is(type, "visualization") || str_is(type, "search");
}

static int clean_panel(struct paneling *p, struct json *panel, struct json *kept, struct err *err)
{
	if (panel->type != JSON_OBJECT) {
		p->changed = true;
		return 0;
	}
	if (p->version > 7011000) {
		name_reference(p, panel, "panelRefName", panel);
		name_index_references(p, panel, panel);
	}
	if (!can_be_shown(p, panel)) {
		saved_object_note(p->set, p->dashboard, true,
				  "panel " STR_FMT ": removed, Dashboards shows no " STR_FMT,
				  STR_ARG(panel_index(panel)), STR_ARG(panel_type(p, panel)));
		p->changed = true;
		return 0;
	}
	if (p->version > 7014000)
		move_title(p, panel);
	if (json_path(panel, "embeddableConfig", "savedVis", NULL) &&
	    make_visualization(p, panel, err) < 0)
		return -(int)err->kind;
	json_append(kept, panel);
	return 0;
}

int saved_objects_clean_panels(struct saved_objects *set, struct saved_object *dashboard,
			       int64_t version, struct err *err)
{
	struct json *attributes = json_get(dashboard->body, "attributes"), *kept, *next;
	struct json *panels = saved_object_unpack(set, attributes, "panelsJSON");
	struct paneling p = {.set = set,
			     .dashboard = dashboard,
			     .references = json_get(dashboard->body, "references"),
			     .version = version};

	if (!panels || panels->type != JSON_ARRAY) {
		if (json_get(attributes, "panelsJSON"))
			saved_object_end(set, dashboard, SAVED_OBJECT_FAILED,
					 "its panelsJSON is no list; open and save it in Kibana");
		return 0;
	}
	if (!p.references || p.references->type != JSON_ARRAY) {
		p.references = json_new(&set->mem, JSON_ARRAY);
		json_set(dashboard->body, STR("references"), p.references);
	}
	kept = json_new(&set->mem, JSON_ARRAY);
	for (struct json *panel = panels->first; panel; panel = next) {
		next = panel->next;
		panel->next = NULL;
		if (clean_panel(&p, panel, kept, err) < 0)
			return -(int)err->kind;
	}
	if (p.changed)
		saved_object_pack(set, attributes, "panelsJSON", kept);
	return 0;
}

/* Sizes of legends have had names since 8.3. */
static bool clean_legend(struct saved_objects *set, struct json *parameters)
{
	static const struct {
		const char *name;
		int width;
	} sizes[] = {{"auto", 0}, {"small", 80}, {"medium", 130}, {"large", 180}, {"xlarge", 230}};
	struct str size = json_string(json_get(parameters, "legendSize"));

	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		if (!str_is(size, sizes[i].name))
			continue;
		if (sizes[i].width)
			json_set(parameters, STR("legendSize"),
				 json_new_i64(&set->mem, sizes[i].width));
		else
			json_remove(parameters, STR("legendSize"));
		return true;
	}
	return false;
}

void saved_objects_clean_state(struct saved_objects *set, struct saved_object *visualization,
			       int64_t version)
{
	struct json *attributes = json_get(visualization->body, "attributes");
	struct json *state = saved_object_unpack(set, attributes, "visState");
	struct json *parameters = json_get(state, "params");
	bool changed = clean_legend(set, parameters);

	/* Since 8.1 a pie says how its legend is shown, no more whether. */
	if (version > 8001000 && str_is(json_string(json_get(state, "type")), "pie") &&
	    json_get(parameters, "legendDisplay")) {
		struct str display = json_string(json_get(parameters, "legendDisplay"));

		json_set(parameters, STR("addLegend"),
			 json_new_bool(&set->mem, str_is(display, "show")));
		changed = true;
	}
	if (!changed)
		return;
	saved_object_pack(set, attributes, "visState", state);
	saved_object_note(set, visualization, false, "visState: the legend as Dashboards says it");
}
