#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/compare_options.h"
#include "cli/interrupt.h"

#define SCRATCH_MAX MIB(1024)
#define DAMAGES_SHOWN 10

struct compare_fields {
	struct general_fields general;
	struct opt_list tuples;
	struct compare_rule_fields rules;
};

struct comparing_tuples {
	struct tuple_tally tally;
	struct compare_facts facts;
	struct buf damages;
};

static void note_damage(struct comparing_tuples *c, const struct err *reason)
{
	if (c->facts.damaged++ < DAMAGES_SHOWN)
		buf_printf(&c->damages, "%s\n", reason->message);
}

static int read_tuples(struct comparing_tuples *c, struct tuple_reader *reader, struct err *err)
{
	cleanup(arena_release) struct arena mem = ARENA_INIT(SCRATCH_MAX);
	const atomic_bool *cancel = interrupt_catch();
	struct tuple tuple;
	enum tuple_read got;

	for (;;) {
		struct err reason = {0};
		struct tuple_pair pair;

		arena_reset(&mem);
		if (atomic_load(cancel)) {
			c->facts.interrupted = true;
			return 0;
		}
		got = tuple_reader_next(reader, &mem, &tuple, &reason);
		if (got == TUPLE_READ_END)
			return 0;
		if (got == TUPLE_READ_DAMAGED) {
			note_damage(c, &reason);
			continue;
		}
		pair = tuple_pair_of(&tuple);
		if (tuple_tally_add(&c->tally, &pair, &mem, err) < 0)
			return -(int)err->kind;
	}
}

static int run(struct cli *cli, void *fields_void, struct err *err)
{
	const struct compare_fields *fields = fields_void;
	cleanup(tuple_reader_closep) struct tuple_reader *reader = NULL;
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
	if (compare_rules_of(&fields->rules, &rules, &limits, err) < 0 ||
	    tuple_reader_open(paths, count, &reader, err) < 0)
		return -(int)err->kind;
	tuple_tally_init(&c.tally, &rules, (size_t)fields->rules.max_named);
	c.facts = (struct compare_facts){.source = "source",
					 .target = "target",
					 .limits = &limits,
					 .files = tuple_reader_files(reader)};
	rc = read_tuples(&c, reader, err);
	c.facts.damages = buf_str(&c.damages);
	if (rc == 0 && c.tally.tuples == 0 && c.facts.damaged == 0)
		rc = err_set(err, ERR_NOT_FOUND, "there is no tuple in '%s'", paths[0]);
	if (rc == 0)
		rc = compare_conclude(&fields->rules, &c.tally, &c.facts, fields->general.json,
				      err);
	tuple_tally_release(&c.tally);
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
