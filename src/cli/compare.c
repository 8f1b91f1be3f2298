#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/compare_options.h"
#include "cli/compare_sets.h"
#include "cli/interrupt.h"

#define SCRATCH_MAX MIB(1024)
#define DAMAGES_SHOWN 10

struct compare_fields {
	struct general_fields general;
	struct opt_list tuples, against;
	struct compare_rule_fields rules;
};

struct comparing_tuples {
	struct tuple_tally tally;
	struct compare_facts facts;
	struct buf damages;
	struct tuple_set *against; /* NULL: answers are compared within each tuple */
};

static void note_damage(struct comparing_tuples *c, const struct err *reason)
{
	if (c->facts.damaged++ < DAMAGES_SHOWN)
		buf_printf(&c->damages, "%s\n", reason->message);
}

typedef int (*tuple_fn)(struct comparing_tuples *c, const struct tuple *tuple, struct arena *mem,
			struct err *err);

static int each_tuple(struct comparing_tuples *c, const char *const *paths, size_t count,
		      tuple_fn fn, struct err *err)
{
	cleanup(tuple_reader_closep) struct tuple_reader *reader = NULL;
	cleanup(arena_release) struct arena mem = ARENA_INIT(SCRATCH_MAX);
	const atomic_bool *cancel = interrupt_catch();
	struct tuple tuple;
	enum tuple_read got;

	if (tuple_reader_open(paths, count, &reader, err) < 0)
		return -(int)err->kind;
	c->facts.files += tuple_reader_files(reader);
	for (;;) {
		struct err reason = {0};

		arena_reset(&mem);
		if (atomic_load(cancel)) {
			c->facts.interrupted = true;
			return 0;
		}
		got = tuple_reader_next(reader, &mem, &tuple, &reason);
		if (got == TUPLE_READ_END)
			return 0;
		if (got == TUPLE_READ_DAMAGED)
			note_damage(c, &reason);
		else if (fn(c, &tuple, &mem, err) < 0)
			return -(int)err->kind;
	}
}

static int add_tuple(struct comparing_tuples *c, const struct tuple *tuple, struct arena *mem,
		     struct err *err)
{
	struct tuple_pair pair = tuple_pair_of(tuple);

	return tuple_tally_add(&c->tally, &pair, mem, err);
}

static int keep_tuple(struct comparing_tuples *c, const struct tuple *tuple, struct arena *mem,
		      struct err *err)
{
	(void)mem;
	return tuple_set_add(c->against, tuple, err);
}

/* The target of the first set stands where the source does else. */
static int add_matched(struct comparing_tuples *c, const struct tuple *tuple, struct arena *mem,
		       struct err *err)
{
	struct tuple_pair pair = tuple_pair_of(tuple), other_pair;
	struct tuple other;

	if (!tuple_set_take(c->against, tuple->connection_id, mem, &other)) {
		c->facts.unmatched[TUPLE_SOURCE]++;
		return 0;
	}
	other_pair = tuple_pair_of(&other);
	pair.source = pair.target;
	pair.target = other_pair.target;
	pair.error = other_pair.error;
	return tuple_tally_add(&c->tally, &pair, mem, err);
}

static int compare_sets(struct comparing_tuples *c, const struct compare_fields *fields,
			const char *const *paths, size_t count, struct err *err)
{
	int rc;

	if (fields->against.count == 0)
		return each_tuple(c, paths, count, add_tuple, err);
	c->against = tuple_set_new();
	c->facts.matched = true;
	rc = each_tuple(c, fields->against.items, fields->against.count, keep_tuple, err);
	if (rc == 0 && !c->facts.interrupted)
		rc = each_tuple(c, paths, count, add_matched, err);
	c->facts.unmatched[TUPLE_TARGET] = tuple_set_left(c->against);
	return rc;
}

static int run(struct cli *cli, void *fields_void, struct err *err)
{
	const struct compare_fields *fields = fields_void;
	struct comparing_tuples c = {.damages = BUF_INIT(KIB(64))};
	size_t count = fields->tuples.count + cli->parsed->positional_count;
	const char **paths = arena_zalloc(cli->mem, count + 1, sizeof(*paths));
	struct tuple_limits limits;
	struct tuple_rules rules;
	int rc;

	if (!paths)
		return arena_fail(cli->mem, "the names of files", err);
	for (size_t i = 0; i < count; i++)
		paths[i] = i < fields->tuples.count
				   ? fields->tuples.items[i]
				   : cli->parsed->positionals[i - fields->tuples.count];
	if (compare_rules_of(&fields->rules, &rules, &limits, err) < 0)
		return -(int)err->kind;
	tuple_tally_init(&c.tally, &rules, (size_t)fields->rules.max_named);
	c.facts = (struct compare_facts){.source = "source", .target = "target", .limits = &limits};
	rc = compare_sets(&c, fields, paths, count, err);
	c.facts.damages = buf_str(&c.damages);
	if (rc == 0 && c.tally.tuples == 0 && c.facts.damaged == 0 && !c.facts.interrupted)
		rc = err_set(err, ERR_NOT_FOUND, "there is no tuple in '%s'%s", paths[0],
			     c.against ? " that --against has, too" : "");
	if (rc == 0)
		rc = compare_conclude(&fields->rules, &c.tally, &c.facts, fields->general.json,
				      err);
	tuple_tally_release(&c.tally);
	tuple_set_free(c.against);
	buf_release(&c.damages);
	return rc;
}

static const struct opt options[] = {
	{.name = "tuples",
	 .type = OPT_LIST,
	 OPT_FIELD(struct compare_fields, tuples),
	 .metavar = "FILE|FOLDER",
	 .required = true,
	 .help = "Tuples of the replayer, plain or gzip; of a folder all that is below it."},
	{.name = "against",
	 .type = OPT_LIST,
	 OPT_FIELD(struct compare_fields, against),
	 .metavar = "FILE|FOLDER",
	 .help = "Tuples of the same requests to another target: its answers are compared with "
		 "those of the target in --tuples, which stands for the source. Requests are "
		 "matched by connectionId."},
	{0},
};

static const struct opt_part parts[] = {
	{options, 0},
	{compare_rule_options, offsetof(struct compare_fields, rules)},
	{general_options, offsetof(struct compare_fields, general)},
	{0},
};

const struct command command_compare = {
	.options = {.name = "compare",
		    .summary = "Judge by recorded answers whether the target behaves as the source",
		    .arguments = "[FILE|FOLDER]...",
		    .details =
			    "Compares, of each tuple, the answer of the source with the target's "
			    "last: status, hits, aggregations, bulk items, all else; and how long "
			    "they took, by endpoint. Exit code 0: within the limits; 1: beyond.\n"
			    "\n"
			    "Example:\n"
			    "  shardlift compare --tuples ./tuples --max-mismatch 0.1% "
			    "--max-p99-ratio 1.2 --report html=verdict.html",
		    .parts = parts,
		    .max_positionals = 100000},
	.fields_size = sizeof(struct compare_fields),
	.run = run,
};
