/* The steps of moves, group by group. */
#include "base/log.h"
#include "base/processors.h"
#include "cli/index_move_internal.h"
#include "cli/interrupt.h"
#include "cli/shell_command.h"
#include "cluster/document_count.h"
#include "verify/verify.h"

#include <inttypes.h>
#include <stdio.h>

#define NAMED_MAX 1000
#define LOOKED_MAX 1000000
#define PAGE_BYTES MIB(8)

static void note(struct moving *m, struct moving_index *index, struct str words)
{
	index->note = arena_str(m->mem, words.len ? words : STR("it does not agree"));
	log_error("move", "index '" STR_FMT "': " STR_FMT, STR_ARG(index->name),
		  STR_ARG(index->note));
}

static struct str index_words(const struct migrate_index *told)
{
	return told->note.len ? told->note : told->creation_note;
}

static void take_report(void *user, const struct migrate_report *report)
{
	struct moving *m = user;

	for (size_t i = 0; i < report->count; i++)
		for (size_t j = 0; j < m->count; j++) {
			struct moving_index *index = &m->indices[j];
			const struct migrate_index *told = &report->indices[i];

			if (!str_eq(told->name, index->name))
				continue;
			index->documents = told->target_documents;
			if (!told->agrees && !m->fields->move.plan)
				note(m, index, index_words(told));
		}
}

/* The names of a group, and what they are called on the target. */
static int select_group(struct moving *m, const struct moving_index *const *indices, size_t count,
			struct transfer_fields *out, struct err *err)
{
	const char **names = arena_zalloc(m->mem, count + 1, sizeof(*names));
	const char **renames = arena_zalloc(m->mem, count + 1, sizeof(*renames));
	size_t renamed = 0;

	if (!names || !renames)
		return arena_fail(m->mem, "a group of indices", err);
	for (size_t i = 0; i < count; i++) {
		names[i] = arena_printf(m->mem, STR_FMT, STR_ARG(indices[i]->name)).ptr;
		if (!str_eq(indices[i]->name, indices[i]->target))
			renames[renamed++] =
				arena_printf(m->mem, STR_FMT "=" STR_FMT, STR_ARG(indices[i]->name),
					     STR_ARG(indices[i]->target))
					.ptr;
	}
	out->index_allowlist = (struct opt_list){names, count};
	out->renames = (struct opt_list){renames, renamed};
	return m->mem->failed ? arena_fail(m->mem, "a group of indices", err) : 0;
}

int moving_copy(struct moving *m, const struct moving_index *const *indices, size_t count,
		int64_t group, bool plan, struct err *err)
{
	struct move_fields *f = m->fields;
	struct transfer_fields transfer = f->transfer;
	struct target_fields target = f->target;
	const struct transfer_request request = {
		.command = "index move",
		.general = &f->general,
		.repository = &f->repository,
		.source = &f->source,
		.plan = plan,
		.system = &f->move.include_system,
		.remote = strcmp(f->move.mode, "pull") == 0 ? NULL : &f->remote,
		.target = &target,
		.transfer = &transfer,
		.allowed = &f->allowed,
		.metrics = &f->metrics,
		.transform = &f->transform,
		.care = &f->care,
		.work = &f->work,
		.create = &f->create,
		.on_report = plan && !f->general.json ? NULL : take_report,
		.user = m,
	};

	transfer.session_name = arena_printf(m->mem, "%s-%" PRId64, m->session, group).ptr;
	if (!transfer.session_name)
		return arena_fail(m->mem, "a session", err);
	if (select_group(m, indices, count, &transfer, err) < 0)
		return -(int)err->kind;
	return transfer_run(&request, m->cli, err);
}

struct group {
	struct moving_index **indices;
	size_t count;
	int64_t number;
};

static int check_cancelled(struct err *err)
{
	if (!atomic_load(interrupt_catch()))
		return 0;
	return err_set(err, ERR_CANCELLED,
		       "interrupted: each step that is done is recorded; the "
		       "same command again goes on, --back-out takes it back");
}

static bool needs(const struct moving *m, const struct moving_index *index, enum move_step step)
{
	return move_record_step_of(&m->record, index->name) < step;
}

static bool group_needs(const struct moving *m, const struct group *group, enum move_step step)
{
	for (size_t i = 0; i < group->count; i++)
		if (needs(m, group->indices[i], step))
			return true;
	return false;
}

static bool group_failed(const struct group *group)
{
	for (size_t i = 0; i < group->count; i++)
		if (group->indices[i]->note.ptr)
			return true;
	return false;
}

static int group_did(struct moving *m, const struct group *group, enum move_step step,
		     struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < group->count; i++)
		if (needs(m, group->indices[i], step))
			rc = move_record_step(&m->record, group->indices[i]->name, step, err);
	return rc;
}

/* 1: some did not come over whole. */
static int copy_group(struct moving *m, const struct group *group, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < group->count && m->fields->move.block_writes; i++)
		rc = index_move_block(&m->move, group->indices[i]->name, err);
	if (rc == 0)
		rc = moving_copy(m, (const struct moving_index *const *)group->indices,
				 group->count, group->number, false, err);
	if (rc == 0 && !group_failed(group))
		return group_did(m, group, MOVE_COPIED, err);
	if (rc > 0 && !group_failed(group))
		note(m, group->indices[0], STR("its group was not copied whole; see above"));
	return rc < 0 ? rc : 1;
}

static int compare_counts(struct moving *m, struct moving_index *index, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));
	int64_t source, target;
	struct str reason = STR_NONE;

	if (document_count(m->source, index->name, &mem, &source, &reason, err) < 0 ||
	    document_count(m->target, index->target, &mem, &target, &reason, err) < 0)
		return -(int)err->kind;
	index->documents = target;
	if (source < 0 || target < 0)
		note(m, index, reason);
	else if (source != target)
		note(m, index,
		     arena_printf(&mem,
				  "the source has %" PRId64 " documents, the target %" PRId64
				  "; clients were not changed (--back-out takes the move back)",
				  source, target));
	return 0;
}

static void take_comparison(struct moving *m, const struct group *group,
			    const struct verify_report *report)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(MIB(1));

	for (size_t i = 0; i < report->count; i++) {
		const struct index_comparison *told = &report->indices[i];
		struct str words = told->reason;

		if (told->verdict == VERDICT_EQUAL)
			continue;
		if (told->verdict == VERDICT_DIFFERENT)
			words = arena_printf(&mem,
					     "documents differ: %" PRIu64 " missing, %" PRIu64
					     " extra, %" PRIu64 " changed; `shardlift verify` "
					     "names them",
					     told->missing, told->extra, told->changed);
		for (size_t j = 0; j < group->count; j++)
			if (str_eq(group->indices[j]->name, told->source_index))
				note(m, group->indices[j], words);
	}
}

static int compare_hashes(struct moving *m, const struct group *group, struct err *err)
{
	const struct verify_cluster_options cluster = {.page_bytes = PAGE_BYTES};
	const struct verify_options options = {.threads = processors(),
					       .max_named = NAMED_MAX,
					       .max_looked = LOOKED_MAX,
					       .sample = 1};
	struct verify_side *source = verify_side_of_cluster(m->source, m->from, &cluster);
	struct verify_side *target = verify_side_of_cluster(m->target, m->to, &cluster);
	struct verify_pair *pairs = arena_zalloc(m->mem, group->count + 1, sizeof(*pairs));
	struct verify_progress progress = {0};
	struct verify_report report = {0};
	int rc;

	for (size_t i = 0; pairs && i < group->count; i++)
		pairs[i] = (struct verify_pair){group->indices[i]->name, group->indices[i]->target};
	rc = pairs ? verify_run(source, target, pairs, group->count, &options, &progress,
				interrupt_catch(), &report, err)
		   : arena_fail(m->mem, "the comparison", err);
	if (rc == 0)
		take_comparison(m, group, &report);
	verify_report_release(&report);
	verify_side_close(source);
	verify_side_close(target);
	return rc;
}

static int verify_group(struct moving *m, const struct group *group, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < group->count && m->counts; i++)
		rc = compare_counts(m, group->indices[i], err);
	if (rc == 0 && m->hashes && !group_failed(group))
		rc = compare_hashes(m, group, err);
	if (rc < 0)
		return rc;
	return group_failed(group) ? 1 : group_did(m, group, MOVE_VERIFIED, err);
}

/* A line that somebody types. */
static bool is_typed(const char *expected)
{
	char typed[1024];

	fflush(stderr);
	if (!fgets(typed, sizeof(typed), stdin))
		return false;
	typed[strcspn(typed, "\r\n")] = '\0';
	return strcmp(typed, expected) == 0;
}

static int run_command(const struct moving *m, const struct moving_index *index, struct err *err)
{
	const char *alias = m->fields->move.alias;
	const char *command = m->fields->move.on_cutover;
	const char *const variables[] = {
		arena_printf(m->mem, "SHARDLIFT_INDEX=" STR_FMT, STR_ARG(index->name)).ptr,
		arena_printf(m->mem, "SHARDLIFT_TARGET_INDEX=" STR_FMT, STR_ARG(index->target)).ptr,
		arena_printf(m->mem, "SHARDLIFT_ALIAS=%s", alias ? alias : "").ptr,
		arena_printf(m->mem, "SHARDLIFT_FROM=%s", m->from).ptr,
		arena_printf(m->mem, "SHARDLIFT_TO=%s", m->to).ptr,
	};
	int status;

	if (m->mem->failed)
		return arena_fail(m->mem, "--on-cutover", err);
	if (shell_command_run(command, variables, COUNT_OF(variables), m->mem, &status, err) < 0)
		return err_wrap(err, "--on-cutover");
	if (status == 0)
		return 0;
	return err_set(err, ERR_BLOCKED,
		       "index '" STR_FMT
		       "': --on-cutover '%s' failed (status %d); the same command "
		       "again runs it again, --back-out takes the move back and leaves the "
		       "target's index",
		       STR_ARG(index->name), command, status);
}

static int cut_over(struct moving *m, const struct moving_index *index, struct err *err)
{
	const char *alias = m->fields->move.alias;
	int rc = 0;

	fprintf(stderr,
		"index '" STR_FMT "' is on %s, as '" STR_FMT "'%s%s%s. Clients must change from %s "
		"to %s.\n",
		STR_ARG(index->name), m->to, STR_ARG(index->target), alias ? " behind alias '" : "",
		alias ? alias : "", alias ? "'" : "", m->from, m->to);
	if (m->fields->move.on_cutover) {
		rc = move_record_tell(&m->record, index->name, err);
		if (rc == 0)
			rc = run_command(m, index, err);
	} else {
		fprintf(stderr, "Type yes when they have: ");
		if (!is_typed("yes"))
			rc = err_set(err, ERR_BLOCKED,
				     "index '" STR_FMT "': not confirmed that clients have changed "
				     "to %s; the same command again asks again, --on-cutover CMD "
				     "runs a command instead, --back-out takes the move back",
				     STR_ARG(index->name), m->to);
	}
	return rc < 0 ? rc : move_record_step(&m->record, index->name, MOVE_CUT_OVER, err);
}

static int delete_source(struct moving *m, const struct moving_index *index, struct err *err)
{
	struct str name = arena_printf(m->mem, STR_FMT, STR_ARG(index->name));

	if (!name.ptr)
		return arena_fail(m->mem, "a name", err);
	fprintf(stderr,
		"index '%s' will be deleted on %s for good, and its move cannot be taken back; "
		"type "
		"its name to go on: ",
		name.ptr, m->from);
	if (!is_typed(name.ptr))
		return err_set(err, ERR_BLOCKED,
			       "index '%s' is not deleted on the source: its name was not typed; "
			       "the same command again asks again",
			       name.ptr);
	return index_move_delete_source(&m->move, index->name, err);
}

static int swap(struct moving *m, const struct moving_index *index, struct err *err)
{
	const char *alias = m->fields->move.alias;

	if (alias && index_move_swap(&m->move, index->name, str_from(alias), err) < 0)
		return -(int)err->kind;
	return move_record_step(&m->record, index->name, MOVE_SWAPPED, err);
}

/* What is done index by index, once all of the group are proven. */
static int finish_index(struct moving *m, const struct moving_index *index, struct err *err)
{
	int rc = 0;

	if (needs(m, index, MOVE_SWAPPED))
		rc = swap(m, index, err);
	if (rc == 0 && needs(m, index, MOVE_CUT_OVER))
		rc = cut_over(m, index, err);
	if (rc == 0 && needs(m, index, MOVE_DELETED) && m->fields->move.delete_source)
		rc = delete_source(m, index, err);
	return rc;
}

static int run_group(struct moving *m, const struct group *group, struct err *err)
{
	int rc = check_cancelled(err);

	if (rc == 0 && group_needs(m, group, MOVE_COPIED))
		rc = copy_group(m, group, err);
	if (rc == 0 && group_needs(m, group, MOVE_VERIFIED))
		rc = verify_group(m, group, err);
	for (size_t i = 0; rc == 0 && i < group->count; i++) {
		rc = check_cancelled(err);
		if (rc == 0)
			rc = finish_index(m, group->indices[i], err);
	}
	return rc;
}

/* New ones are recorded, so many to a group. */
static int begin(struct moving *m, struct err *err)
{
	int64_t in_group = 0, group = 0;

	for (size_t i = 0; i < m->count; i++) {
		struct moving_index *index = &m->indices[i];

		if (move_record_is_backing_out(&m->record, index->name))
			return err_set(err, ERR_BLOCKED,
				       "the move of '" STR_FMT "' is being taken back; let "
				       "--back-out come to its end first",
				       STR_ARG(index->name));
		if (index->group != 0)
			continue;
		if (in_group++ % m->fields->remote.parallel == 0)
			group = move_record_new_group(&m->record);
		index->group = group;
		if (move_record_add(&m->record, index->name, index->target, group, err) < 0)
			return -(int)err->kind;
	}
	return 0;
}

/* All of a group go together, for they are copied in one session. */
static int check_whole(const struct moving *m, const struct group *group, struct err *err)
{
	size_t recorded = 0;

	json_each (entry, m->record.indices)
		recorded += move_record_group(&m->record, entry->key) == group->number;
	if (recorded == group->count || !group_needs(m, group, MOVE_VERIFIED))
		return 0;
	return err_set(err, ERR_USAGE,
		       "the move of '" STR_FMT "' was begun together with %zu others; name all of "
		       "them again",
		       STR_ARG(group->indices[0]->name), recorded - group->count);
}

static int next_group(struct moving *m, int64_t after, struct group *group, struct err *err)
{
	group->number = 0;
	group->count = 0;
	for (size_t i = 0; i < m->count; i++)
		if (m->indices[i].group > after &&
		    (group->number == 0 || m->indices[i].group < group->number))
			group->number = m->indices[i].group;
	for (size_t i = 0; i < m->count; i++)
		if (m->indices[i].group == group->number)
			group->indices[group->count++] = &m->indices[i];
	return group->number ? check_whole(m, group, err) : 0;
}

int moving_run(struct moving *m, struct err *err)
{
	struct group group = {
		.indices = arena_zalloc(m->mem, m->count + 1, sizeof(struct moving_index *))};
	bool failed = false;
	int rc = begin(m, err);

	if (!group.indices)
		return arena_fail(m->mem, "a group of indices", err);
	if (rc == 0)
		rc = next_group(m, 0, &group, err);
	while (rc == 0 && group.number != 0) {
		rc = run_group(m, &group, err);
		failed |= rc > 0;
		if (rc >= 0)
			rc = next_group(m, group.number, &group, err);
	}
	if (rc < 0)
		return rc;
	return failed ? EXIT_CODE_COMPLETED_WITH_ERRORS : EXIT_CODE_OK;
}

static int back_out(struct moving *m, struct moving_index *index, struct err *err)
{
	cleanup(created_indices_closep) struct created_indices *ours = NULL;
	struct str path = arena_printf(m->mem, "%s/work/%s-%" PRId64 ".indices", m->state_dir,
				       m->session, index->group);
	bool kept;

	if (!path.ptr)
		return arena_fail(m->mem, "a path", err);
	if (created_indices_open(path.ptr, &ours, err) < 0 ||
	    index_move_back_out(&m->move, index->name, ours, &kept, err) < 0)
		return -(int)err->kind;
	if (kept) {
		index->note = STR("clients were changed, or may have been: the target's index "
				  "stays, with what they wrote to it, which the source does not "
				  "have");
		log_warn("move", "index '" STR_FMT "': " STR_FMT, STR_ARG(index->name),
			 STR_ARG(index->note));
	}
	return 0;
}

int moving_back_out(struct moving *m, struct err *err)
{
	int rc = 0;

	for (size_t i = m->count; rc == 0 && i > 0; i--)
		rc = back_out(m, &m->indices[i - 1], err);
	return rc;
}
