#include "workflow/pilot.h"

#include "workflow/plan_spec.h"

#define SUFFIX "-pilot"

struct pilot {
	struct arena *mem;
	const char *pattern, *entry;
	bool replayed; /* live traffic will write there, too */
};

static struct json *list_of(struct pilot *p, const char *item)
{
	struct json *list = json_new(p->mem, JSON_ARRAY);

	json_append(list, json_new_string(p->mem, str_from(item)));
	return list;
}

static struct str suffixed(struct pilot *p, struct str name)
{
	return arena_printf(p->mem, STR_FMT SUFFIX, STR_ARG(name));
}

/* All members of a map by names that end in "-pilot". */
static struct json *renamed(struct pilot *p, const struct json *map)
{
	struct json *out = json_new(p->mem, JSON_OBJECT);

	json_each (member, map)
		json_set(out, suffixed(p, member->key), json_copy(p->mem, member));
	return out;
}

static int narrow_snapshots(struct pilot *p, struct json *source, struct err *err)
{
	struct json *info = json_get(source, "snapshotInfo"), *snapshots;

	if (!json_get(info, "snapshots"))
		return 0;
	snapshots = renamed(p, json_get(info, "snapshots"));
	json_each (snapshot, snapshots) {
		struct json *create = json_path(snapshot, "config", "createSnapshotConfig", NULL);

		if (!create)
			continue;
		if (str_starts(str_from(p->pattern), STR("regex:")))
			return err_set(err, ERR_USAGE,
				       "--pilot '%s': a cluster takes snapshots of names and of "
				       "patterns with '*', such as --pilot 'logs-2026*'",
				       p->pattern);
		json_set(create, STR("indexAllowlist"), list_of(p, p->pattern));
	}
	json_set(info, STR("snapshots"), snapshots);
	return 0;
}

static void narrow_migration(struct pilot *p, struct json *migration, size_t number)
{
	static const char *const parts[] = {"metadataMigrationConfig", "documentBackfillConfig"};
	struct str label = json_string(json_get(migration, "label"));
	struct json *backfill = json_get(migration, "documentBackfillConfig");

	if (label.len == 0)
		label = arena_printf(p->mem, "migration-%zu", number);
	json_set(migration, STR("label"), json_new_string(p->mem, suffixed(p, label)));
	for (size_t i = 0; i < COUNT_OF(parts); i++)
		if (json_get(migration, parts[i]))
			json_set(json_get(migration, parts[i]), STR("indexAllowlist"),
				 list_of(p, p->entry));
	/* Documents without the source's versions may look newer than what is sent later. */
	if (backfill && p->replayed)
		json_set(backfill, STR("sourceVersions"), json_new_bool(p->mem, true));
}

static size_t narrow_entries(struct pilot *p, struct json *entries)
{
	size_t count = 0;

	json_each (entry, entries) {
		struct json *snapshots = renamed(p, json_get(entry, "perSnapshotConfig"));

		json_each (migrations, snapshots) {
			size_t number = 0;

			json_each (migration, migrations) {
				narrow_migration(p, migration, number++);
				count++;
			}
		}
		json_set(entry, STR("perSnapshotConfig"), snapshots);
	}
	return count;
}

int pilot_configuration(const struct config_value *root, const char *pattern, const char *entry,
			struct arena *mem, struct str *out, struct err *err)
{
	cleanup(buf_release) struct buf text = BUF_INIT(MIB(16));
	struct pilot p = {.mem = mem,
			  .pattern = pattern,
			  .entry = entry,
			  .replayed = config_get(config_get(root, "traffic"), "replayers")};
	struct json *all = plan_plain(root, mem);

	json_remove(all, STR("traffic"));
	json_remove(all, STR("kafkaClusterConfiguration"));
	json_each (source, json_get(all, "sourceClusters"))
		if (narrow_snapshots(&p, source, err) < 0)
			return -(int)err->kind;
	if (narrow_entries(&p, json_get(all, "snapshotMigrationConfigs")) == 0 && !mem->failed)
		return err_set(err, ERR_USAGE,
			       "--pilot: the configuration migrates no snapshot; a pilot tries "
			       "metadata and documents, no live traffic");
	json_write(&text, all);
	*out = arena_str(mem, buf_str(&text));
	if (mem->failed || !out->ptr)
		return arena_fail(mem, "the configuration of the pilot", err);
	return buf_check(&text, "the configuration of the pilot", err);
}
