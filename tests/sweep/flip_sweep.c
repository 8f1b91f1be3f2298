/* flip_sweep REPOSITORY SNAPSHOT SAMPLES SEED [INDEX...]
 *
 * Damages one blob of a repository at a time, in memory: SAMPLES times in each blob a bit is
 * flipped, or the blob is cut off. Whatever is damaged, reading the snapshot must either fail or
 * give the very documents that the intact repository gives; it never crashes and never hangs.
 * With INDEX only the blobs of their shards are damaged, SAMPLES times for each KiB, and their
 * documents are rebuilt, twice: as the program does, and out of points and terms wherever a field
 * may have some. Exit code 0 when that held each time. */
#include "blobs.h"

#include "documents/lucene_documents.h"
#include "documents/rebuild_indexed.h"
#include "documents/rebuild_old.h"
#include "metadata/source_kind.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SECONDS_A_READ_MAY_TAKE = 60 };

/* Of a set of documents, in any order. */
struct digest {
	uint64_t sum, documents;
};

/* What is read. */
struct wanted {
	struct str snapshot;
	char *const *indices; /* to be rebuilt */
	int count;            /* 0: all indices, their sources as they are stored */
};

/* What is damaged now, for the message of a crash or a hang. */
static char damage[512];

static void say_damage(void)
{
	fprintf(stderr, "\nflip_sweep: while reading with %s\n", damage);
}

/* The sanitizers call it before they end the program. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void on_signal(int number)
{
	ssize_t ignored = write(STDERR_FILENO, damage, strlen(damage));

	(void)ignored;
	_exit(number == SIGALRM ? 3 : 4);
}

static uint64_t hash_bytes(uint64_t hash, struct str bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		hash = (hash ^ (uint8_t)bytes.ptr[i]) * 0x100000001b3;
	/* The length keeps "ab", "c" apart from "a", "bc", and nothing from empty. */
	return (hash ^ (bytes.ptr ? bytes.len : UINT64_MAX)) * 0x9e3779b97f4a7c15;
}

static void digest_add(struct digest *digest, struct str index, const struct document *document)
{
	uint64_t hash = hash_bytes(0xcbf29ce484222325, index);

	hash = hash_bytes(hash, document->id);
	hash = hash_bytes(hash, document->routing);
	hash = hash_bytes(hash, document->type);
	hash = hash_bytes(hash, document->source);
	hash = hash_bytes(hash, str_from(document->problem ? document->problem : ""));
	digest->sum += hash ^ hash >> 29;
	digest->documents++;
}

static int read_documents(struct lucene_directory *dir, const struct rebuild_plan *plan,
			  struct str index, struct digest *digest, struct err *err)
{
	const struct lucene_documents_options options = {.rebuild = plan};
	struct document_source *documents;
	struct document document;
	int code = lucene_documents_open(dir, &options, &documents, err);

	if (code < 0)
		return code;
	while ((code = document_source_next(documents, &document, err)) > 0)
		digest_add(digest, index, &document);
	document_source_close(documents);
	return code;
}

/* As if no field had doc values. */
static void plan_indexed(struct rebuild_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		struct rebuild_field *field = &plan->fields[i];
		bool old = plan->old && rebuild_old_has_terms(plan, field->type);

		if (field->constant || field->relations || field->hidden)
			continue;
		if (!plan->old && rebuild_has_points(field->type))
			field->indexed = REBUILD_POINTS;
		else if (str_is(field->type, "text"))
			field->indexed = REBUILD_TEXT;
		else if (old || rebuild_has_terms(field->type))
			field->indexed = REBUILD_TERMS;
		else
			continue;
		field->column = STR_NONE;
	}
}

static int read_rebuilt(struct lucene_directory *dir, const struct index_metadata *metadata,
			struct str index, struct digest *digest, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(256));
	struct rebuild_plan plan;
	int code = rebuild_plan_make(metadata->mappings, metadata->created_version,
				     index_source_kind(metadata) == SOURCE_SYNTHETIC, &mem, &plan,
				     err);

	if (code == 0)
		code = read_documents(dir, &plan, index, digest, err);
	if (code < 0)
		return code;
	plan_indexed(&plan);
	return read_documents(dir, &plan, index, digest, err);
}

static int read_shard(const struct snapshot *snapshot, const struct snapshot_index *index,
		      const struct index_metadata *metadata, bool rebuilt, int32_t number,
		      struct digest *digest, struct err *err)
{
	struct snapshot_shard *shard;
	int code = snapshot_shard_open(snapshot, index, number, &shard, err);

	if (code < 0)
		return code;
	if (rebuilt)
		code = read_rebuilt(shard->directory, metadata, index->name, digest, err);
	else
		code = read_documents(shard->directory, NULL, index->name, digest, err);
	snapshot_shard_close(shard);
	return code;
}

static int read_index(const struct snapshot *snapshot, const struct snapshot_index *index,
		      bool rebuilt, struct digest *digest, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(256));
	struct index_metadata metadata;
	int code = snapshot_index_metadata(snapshot, index, &mem, &metadata, err);

	for (int32_t shard = 0; code == 0 && shard < metadata.shard_count; shard++)
		code = read_shard(snapshot, index, &metadata, rebuilt, shard, digest, err);
	/* That the index is there counts too, even when it is empty. */
	digest->sum += hash_bytes(1, index->name);
	return code;
}

static bool is_wanted(const struct wanted *wanted, struct str index)
{
	for (int i = 0; i < wanted->count; i++)
		if (str_is(index, wanted->indices[i]))
			return true;
	return wanted->count == 0;
}

/* Reads what a damaged blob in folder indices/<only>/ can change, or all when `only` is empty. */
static int read_snapshot(struct blob_store *store, const struct wanted *wanted, struct str only,
			 struct digest *digest, struct err *err)
{
	struct repository *repository = NULL;
	struct snapshot *snapshot = NULL;
	int code = repository_open(store, &repository, err);

	*digest = (struct digest){0};
	if (code == 0)
		code = snapshot_open(repository, wanted->snapshot, &snapshot, err);
	for (size_t i = 0; code == 0 && i < snapshot->index_count; i++)
		if ((!only.len || str_eq(snapshot->indices[i].id, only)) &&
		    is_wanted(wanted, snapshot->indices[i].name))
			code = read_index(snapshot, &snapshot->indices[i], wanted->count > 0,
					  digest, err);
	snapshot_close(snapshot);
	repository_close(repository);
	return code;
}

static struct str index_of_blob(const struct blob *blob)
{
	struct str rest = str_from(blob->name), id, tail;

	if (!str_starts(rest, STR("indices/")))
		return STR_NONE;
	return str_split(str_from_offset(rest, 8), '/', &id, &tail) ? id : STR_NONE;
}

struct tally {
	uint64_t refused, harmless, wrong;
};

/* Damages a blob once, reads, and mends it again. */
static void try_damage(struct blobs *blobs, struct blob *blob, const struct wanted *wanted,
		       const struct digest *intact, struct tally *tally)
{
	size_t offset = (size_t)random() % blob->size;
	bool cut = random() % 8 == 0;
	int bit = (int)(random() % 8);
	struct digest digest;
	struct err err = {0};
	int code;

	snprintf(damage, sizeof(damage), "blob '%s' of %zu bytes %s %zu%s%d", blob->name,
		 blob->size, cut ? "cut off at" : "flipped at", offset,
		 cut ? ", not bit " : " bit ", bit);
	if (cut)
		blob->visible = offset;
	else
		blob->bytes[offset] ^= (char)(1 << bit);
	alarm(SECONDS_A_READ_MAY_TAKE);
	code = read_snapshot(&blobs->store, wanted, index_of_blob(blob), &digest, &err);
	alarm(0);
	if (cut)
		blob->visible = blob->size;
	else
		blob->bytes[offset] ^= (char)(1 << bit);

	if (code < 0 && err.kind != ERR_NONE && err.message[0]) {
		tally->refused++;
	} else if (code == 0 && digest.sum == intact->sum &&
		   digest.documents == intact->documents) {
		tally->harmless++;
	} else {
		tally->wrong++;
		printf("wrong: %s: code %d, %" PRIu64 " documents where there are %" PRIu64 "\n",
		       damage, code, digest.documents, intact->documents);
	}
}

/* indices/<id>/<shard>/<blob>. The mapping, which lies above, has no checksum before
 * Elasticsearch 2. */
static bool is_of_shard(const struct blob *blob)
{
	size_t folders = 0;

	for (const char *at = blob->name; *at; at++)
		folders += *at == '/';
	return folders == 3;
}

/* How often; 0: the blob is left alone. */
static long samples_of(const struct wanted *wanted, const struct blob *blob,
		       const struct digest *intact, long samples)
{
	if (!blob->size)
		return 0;
	if (wanted->count == 0)
		return samples;
	if (!is_of_shard(blob) || intact->documents == 0)
		return 0;
	return samples * (long)(1 + (blob->size >> 10));
}

static int sweep(struct blobs *blobs, const struct wanted *wanted, long samples)
{
	struct tally tally = {0};
	size_t damaged = 0;

	for (size_t i = 0; i < blobs->count; i++) {
		struct blob *blob = &blobs->all[i];
		struct err err = {0};
		struct digest intact;
		long count;

		if (read_snapshot(&blobs->store, wanted, index_of_blob(blob), &intact, &err) < 0) {
			fprintf(stderr, "flip_sweep: the intact repository: %s\n", err.message);
			return 2;
		}
		count = samples_of(wanted, blob, &intact, samples);
		damaged += count > 0;
		for (long n = 0; n < count; n++)
			try_damage(blobs, blob, wanted, &intact, &tally);
	}
	printf("%zu blobs, %" PRIu64 " refused, %" PRIu64 " harmless, %" PRIu64 " wrong\n", damaged,
	       tally.refused, tally.harmless, tally.wrong);
	return tally.wrong || !tally.refused;
}

int main(int argc, char **argv)
{
	struct blobs blobs = {0};
	struct wanted wanted;
	struct err err = {0};
	int code;

	if (argc < 5) {
		fprintf(stderr, "usage: flip_sweep REPOSITORY SNAPSHOT SAMPLES SEED [INDEX...]\n");
		return 2;
	}
	wanted = (struct wanted){str_from(argv[2]), argv + 5, argc - 5};
	signal(SIGALRM, on_signal);
	signal(SIGABRT, on_signal);
	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(say_damage);
	srandom((unsigned)strtoul(argv[4], NULL, 10));
	code = blobs_load(argv[1], &blobs, &err);
	if (code < 0)
		fprintf(stderr, "flip_sweep: %s\n", err.message);
	else
		code = sweep(&blobs, &wanted, strtol(argv[3], NULL, 10));
	blobs_release(&blobs);
	return code < 0 ? 2 : code;
}
