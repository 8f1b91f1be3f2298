#include "workflow/engine_traffic.h"

#include "base/clock.h"

#include <inttypes.h>
#include <signal.h>

/* Requests are let go shortly before the proxy does so itself, after 10 s: that is told better.
 * A switch behind the end of a hold is refused by the proxy. */
#define HOLD_MS 9500
#define CLOSE_MS 3000 /* behind the source: the rest is done while clients wait */

struct cut_over {
	struct engine *engine;
	struct engine_step *step;
	const struct plan_resource *replay;
	struct engine_step *proxy; /* step that keeps it up */
	struct str proxy_name;
	struct str target, source; /* URLs */
};

static struct engine_step *step_of(struct engine *engine, struct str label, enum plan_action action)
{
	struct engine_run *run = &engine->run;

	for (size_t i = 0; i < run->plan.step_count; i++)
		if (run->steps[i].plan->action == action &&
		    str_eq(run->steps[i].record.resource, label))
			return &run->steps[i];
	return NULL;
}

static struct cut_over cut_over_of(struct engine *engine, struct engine_step *step)
{
	struct engine_run *run = &engine->run;
	struct cut_over c = {.engine = engine, .step = step};
	const struct plan_resource *proxy;

	c.replay = &run->plan.resources[step->plan->resource];
	c.proxy = step_of(engine, c.replay->depends_on[0], PLAN_CAPTURE);
	if (!c.proxy)
		BUG("a cut-over without a proxy");
	proxy = &run->plan.resources[c.proxy->plan->resource];
	c.proxy_name = proxy->name;
	c.source = engine_destination(engine, proxy->spec, "source");
	c.target = json_string(json_get(c.replay->spec, "through"));
	if (c.target.len == 0)
		c.target = engine_destination(engine, c.replay->spec, "target");
	return c;
}

bool engine_cut_over_is_done(struct engine *engine, const struct engine_step *step)
{
	return step->plan->action == PLAN_REPLAY &&
	       str_is(engine_resource_fact(engine, step->plan->resource, "cutOver"), "done");
}

bool engine_cut_over_holds(struct engine *engine, const struct engine_step *step)
{
	const struct engine_step *cut_over = step_of(engine, step->record.resource, PLAN_CUT_OVER);

	return cut_over && cut_over->record.phase == STEP_RUNNING &&
	       cut_over->cut_over.held_ms != 0;
}

static int ask(const struct cut_over *c, struct str line, struct json **status, struct err *err)
{
	return engine_proxy_ask(c->engine, c->proxy_name, line, status, err);
}

static struct json *replay_status(const struct cut_over *c)
{
	return service_file(c->engine->options->state_dir, c->replay->name, "status",
			    &c->engine->run.look);
}

static int wait_with(const struct cut_over *c, struct str message, struct err *err)
{
	return engine_step_set_phase(c->engine, c->step, STEP_RUNNING, message, err);
}

/* Where a proxy that has to be started again sends its clients. */
static int note_destination(const struct cut_over *c, struct str url, struct err *err)
{
	size_t proxy = c->proxy->plan->resource;

	if (str_eq(engine_resource_fact(c->engine, proxy, "destination"), url))
		return 0;
	return engine_resource_set_fact(c->engine, proxy, "destination", url, err);
}

/* --- What somebody who approves should know --- */

static struct str verdict_of(struct engine *engine, const struct plan_resource *replay)
{
	for (size_t i = 0; i < replay->depends_on_count; i++) {
		const struct engine_step *verify =
			step_of(engine, replay->depends_on[i], PLAN_VERIFY);

		if (verify && verify->imperfect)
			return STR("verify: with errors");
		if (verify)
			return STR("verify: source and target equal");
	}
	return STR("not verified (there is no verifyConfig)");
}

struct str engine_cut_over_text(struct engine *engine, const struct engine_step *step)
{
	struct cut_over c = cut_over_of(engine, (struct engine_step *)(uintptr_t)step);
	const struct json *status = replay_status(&c);
	struct str lag = STR("not known yet"), through = STR("");

	if (status)
		lag = arena_printf(&engine->run.look, "%" PRId64 " records and requests",
				   json_i64_or(json_get(status, "lag"), 0));
	if (json_get(c.replay->spec, "through"))
		through = arena_printf(&engine->run.look, ", through the proxy at " STR_FMT,
				       STR_ARG(c.target));
	return arena_printf(&engine->run.look,
			    "waiting for approval: " STR_FMT "; proxy " STR_FMT
			    " then sends its clients to the target " STR_FMT
			    ", which has to know their credentials" STR_FMT
			    "; re-point what does not go "
			    "through the proxy yourself. Replay lag: " STR_FMT "; " STR_FMT,
			    STR_ARG(step->plan->gate), STR_ARG(c.proxy_name),
			    STR_ARG(engine_destination(engine, c.replay->spec, "target")),
			    STR_ARG(through), STR_ARG(lag), STR_ARG(verdict_of(engine, c.replay)));
}

/* --- The steps of a cut-over, each found out from what the proxy says --- */

static int end_replayer(struct cut_over *c, struct err *err)
{
	struct engine *engine = c->engine;
	struct engine_step *replayer = step_of(engine, c->step->record.resource, PLAN_REPLAY);
	struct engine_service *service = replayer ? &replayer->service : NULL;

	if (service && !service->looked)
		return wait_with(c, STR("switched; looking for the replayer"), err);
	if (service && service->process.pid != 0 &&
	    !service_is_gone(&service->process, &engine->self)) {
		if (!service->stopping) {
			service->stopping = true;
			service->stop_until_ms = clock_monotonic_ms() + 120000;
			kill((pid_t)service->process.pid, SIGTERM);
		}
		return wait_with(c, STR("switched; the replayer ends"), err);
	}
	return engine_step_finish(engine, c->step,
				  arena_printf(&engine->run.look,
					       "clients of " STR_FMT " are at " STR_FMT,
					       STR_ARG(c->proxy_name), STR_ARG(c->target)),
				  err);
}

static int note_done(struct cut_over *c, struct err *err)
{
	engine_point(c->step, "released");
	if (note_destination(c, c->target, err) < 0 ||
	    engine_resource_set_fact(c->engine, c->step->plan->resource, "cutOver", STR("done"),
				     err) < 0)
		return -(int)err->kind;
	return wait_with(c, STR("switched"), err);
}

/* Clients go on at the source; nothing was lost and nothing is held. */
static int give_up_hold(struct cut_over *c, struct str why, struct err *err)
{
	c->step->cut_over.held_ms = 0;
	if (note_destination(c, STR(""), err) < 0)
		return -(int)err->kind;
	return engine_step_failed(c->engine, c->step, true,
				  arena_printf(&c->engine->run.look,
					       STR_FMT "; clients went on at the source " STR_FMT,
					       STR_ARG(why), STR_ARG(c->source)),
				  err);
}

static int let_go(struct cut_over *c, struct str why, struct err *err)
{
	struct json *status;
	struct err refused = {0};

	/* One that has opened by itself meanwhile refuses, which is as well. */
	if (ask(c, STR("release"), &status, &refused) < 0 && refused.kind != ERR_CONFLICT)
		return wait_with(c, arena_str(&c->engine->run.look, str_from(refused.message)),
				 err);
	return give_up_hold(c, why, err);
}

static int release_switched(struct cut_over *c, struct err *err)
{
	struct json *status;
	struct err refused = {0};

	if (note_destination(c, c->target, err) < 0)
		return -(int)err->kind;
	engine_point(c->step, "switched");
	if (ask(c, STR("release"), &status, &refused) == 0)
		return note_done(c, err);
	if (refused.kind == ERR_CONFLICT)
		return give_up_hold(c, STR("the hold was over before its release"), err);
	return wait_with(c, arena_str(&c->engine->run.look, str_from(refused.message)), err);
}

static int switch_held(struct cut_over *c, struct err *err)
{
	struct arena *mem = &c->engine->run.look;
	struct json *status;
	struct err why = {0};

	if (ask(c, arena_printf(mem, "switch " STR_FMT, STR_ARG(c->target)), &status, &why) < 0)
		return let_go(c, arena_str(mem, str_from(why.message)), err);
	if (str_is(json_string(json_get(status, "state")), "holding"))
		return release_switched(c, err);
	/* Somebody has released it just before; they go on at the source, recorded. */
	if (ask(c, arena_printf(mem, "switch " STR_FMT " capture", STR_ARG(c->source)), &status,
		&why) < 0)
		return wait_with(c, arena_str(mem, str_from(why.message)), err);
	return give_up_hold(c, STR("the hold was over before the switch"), err);
}

/* A hold of an engine before us, or of somebody else: nobody knows how old it is. */
static int release_unknown(struct cut_over *c, struct err *err)
{
	struct json *status;
	struct err refused = {0};

	if (ask(c, STR("release"), &status, &refused) < 0 && refused.kind != ERR_CONFLICT)
		return wait_with(c, arena_str(&c->engine->run.look, str_from(refused.message)),
				 err);
	return wait_with(c, STR("a hold of before was released"), err);
}

/* Of a log on this machine, proxy and replayer name the same end. */
static bool has_read_log(const struct json *proxy, const struct json *replay)
{
	return json_i64_or(json_get(proxy, "logBufferedBytes"), 1) == 0 &&
	       json_i64_or(json_get(replay, "next_offset"), -1) >=
		       json_i64_or(json_get(proxy, "logEnd"), INT64_MAX);
}

/* Of a topic, the replayer asks for the end: it has to have done so after Kafka had all. */
static bool has_read_topic(struct engine_cut_over *cut_over, const struct json *proxy,
			   const struct json *replay)
{
	const struct json *kafka = json_get(proxy, "kafka");

	if (cut_over->sent_ms == 0 && json_i64_or(json_get(kafka, "inFlight"), 1) == 0 &&
	    json_i64_or(json_get(kafka, "spoolRecords"), 0) == 0)
		cut_over->sent_ms = clock_monotonic_ms();
	return cut_over->sent_ms != 0 &&
	       json_i64_or(json_get(replay, "end_asked_ms"), 0) > cut_over->sent_ms;
}

static bool has_read_all(struct engine_cut_over *cut_over, const struct json *proxy,
			 const struct json *replay)
{
	return json_i64_or(json_get(proxy, "writesInFlight"), 1) == 0 &&
	       (json_get(proxy, "kafka") ? has_read_topic(cut_over, proxy, replay)
					 : has_read_log(proxy, replay)) &&
	       json_i64_or(json_get(replay, "outstanding"), 1) == 0 &&
	       json_bool_or(json_get(replay, "caught_up"), false);
}

static int look_at_held(struct cut_over *c, const struct json *proxy, struct err *err)
{
	int64_t held = c->step->cut_over.held_ms;

	if (str_eq(json_string(json_get(proxy, "destination")), c->target))
		return release_switched(c, err);
	if (held == 0)
		return release_unknown(c, err);
	if (clock_monotonic_ms() - held > HOLD_MS)
		return let_go(c, STR("the replay did not come to the end while requests were held"),
			      err);
	if (has_read_all(&c->step->cut_over, proxy, replay_status(c)))
		return switch_held(c, err);
	return wait_with(c, STR("requests are held until the replay is at the end"), err);
}

static int hold(struct cut_over *c, struct err *err)
{
	struct json *status;
	struct err why = {0};
	int64_t now = clock_monotonic_ms();

	if (ask(c, STR("hold"), &status, &why) < 0)
		return wait_with(c, arena_str(&c->engine->run.look, str_from(why.message)), err);
	c->step->cut_over.held_ms = now;
	c->step->cut_over.sent_ms = 0;
	engine_point(c->step, "held");
	return wait_with(c, STR("requests are held until the replay is at the end"), err);
}

static bool is_close(const struct json *replay)
{
	return json_i64_or(json_get(replay, "lag"), 1) == 0 ||
	       json_i64_or(json_get(replay, "source_lag_ms"), INT64_MAX) <= CLOSE_MS;
}

static int look_at_open(struct cut_over *c, const struct json *proxy, struct err *err)
{
	struct arena *mem = &c->engine->run.look;
	const struct json *replay = replay_status(c);

	if (str_eq(json_string(json_get(proxy, "destination")), c->target))
		return note_done(c, err);
	if (note_destination(c, STR(""), err) < 0)
		return -(int)err->kind;
	if (c->step->cut_over.held_ms != 0)
		return give_up_hold(c,
				    arena_printf(mem, "the hold was over: " STR_FMT,
						 STR_ARG(json_string(json_get(proxy, "lastHold")))),
				    err);
	if (!is_close(replay))
		return wait_with(
			c, STR("requests are held as soon as the replay is 3 s or less behind"),
			err);
	return hold(c, err);
}

int engine_cut_over_look(struct engine *engine, struct engine_step *step, struct err *err)
{
	struct cut_over c = cut_over_of(engine, step);
	struct json *proxy;
	struct err why = {0};

	if (str_is(engine_resource_fact(engine, step->plan->resource, "cutOver"), "done"))
		return end_replayer(&c, err);
	if (ask(&c, STR("status"), &proxy, &why) < 0)
		return wait_with(&c, arena_str(&engine->run.look, str_from(why.message)), err);
	if (str_is(json_string(json_get(proxy, "state")), "holding"))
		return look_at_held(&c, proxy, err);
	return look_at_open(&c, proxy, err);
}
