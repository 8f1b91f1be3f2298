#include "cli/replay_compare.h"

#include "traffic/tuple_read.h"

#include <stdlib.h>

#define SCRATCH_MAX MIB(1024)
#define DAMAGES_SHOWN 10

struct replay_compare {
	const struct compare_rule_fields *fields;
	struct tuple_rules rules;
	struct tuple_limits limits;
	struct tuple_tally tally;
	struct arena scratch;
	struct buf damages;
	uint64_t damaged;
};

int replay_compare_open(const struct compare_rule_fields *fields, struct replay_compare **out,
			struct err *err)
{
	struct replay_compare *c = mem_zalloc(sizeof(*c));

	c->fields = fields;
	if (compare_rules_of(fields, &c->rules, &c->limits, err) < 0) {
		free(c);
		return -(int)err->kind;
	}
	c->scratch = ARENA_INIT(SCRATCH_MAX);
	c->damages = BUF_INIT(KIB(64));
	tuple_tally_init(&c->tally, &c->rules, (size_t)fields->max_named);
	*out = c;
	return 0;
}

void replay_compare_take(void *compare, struct str line)
{
	struct replay_compare *c = compare;
	struct tuple tuple;
	struct tuple_pair pair;
	struct err err = {0};

	arena_reset(&c->scratch);
	if (tuple_parse(line, &c->scratch, &tuple, &err) == 0) {
		pair = tuple_pair_of(&tuple);
		if (tuple_tally_add(&c->tally, &pair, &c->scratch, &err) == 0)
			return;
	}
	if (c->damaged++ < DAMAGES_SHOWN)
		buf_printf(&c->damages, "%s\n", err.message);
}

int replay_compare_conclude(struct replay_compare *c, struct err *err)
{
	struct compare_facts facts = {.source = "source",
				      .target = "target",
				      .limits = &c->limits,
				      .damaged = c->damaged,
				      .damages = buf_str(&c->damages)};

	return compare_conclude(c->fields, &c->tally, &facts, false, err);
}

void replay_compare_free(struct replay_compare *c)
{
	if (!c)
		return;
	tuple_tally_release(&c->tally);
	arena_release(&c->scratch);
	buf_release(&c->damages);
	free(c);
}
