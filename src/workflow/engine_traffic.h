/* What the files of the engine share that have to do with proxies, replayers and the cut-over. */
#ifndef WORKFLOW_ENGINE_TRAFFIC_H
#define WORKFLOW_ENGINE_TRAFFIC_H

#include "workflow/engine_step.h"
#include "workflow/service.h"

/* --- engine_traffic.c --- */
/* 1: the resource and the buffers behind it are as planned; 0: they wait for an approval. */
int engine_traffic_admit(struct engine *engine, struct engine_step *step, struct err *err);
/* One look at a proxy or a replayer: takes it over, starts it, starts it again when it died. Its
 * step is done once it is ready; looks go on. */
int engine_traffic_look(struct engine *engine, struct engine_step *step, struct err *err);
/* It is to be looked after, though its step is done. */
bool engine_traffic_lasts(const struct engine_step *step);
/* Closes what was kept of a proxy for the next. */
void engine_service_drop_listeners(struct engine_service *service);
/* What the proxy `name` answers to a line (capture/control_server.h); ERR_CONFLICT: it refuses. */
int engine_proxy_ask(struct engine *engine, struct str name, struct str line, struct json **out,
		     struct err *err);

/* --- engine_cut_over.c --- */
int engine_cut_over_look(struct engine *engine, struct engine_step *step, struct err *err);
/* Of a replayer's step: its proxy sends its clients to the target already. */
bool engine_cut_over_is_done(struct engine *engine, const struct engine_step *step);
/* Of a replayer's step: requests are held until it is at the end. */
bool engine_cut_over_holds(struct engine *engine, const struct engine_step *step);
/* What whoever approves should know. */
struct str engine_cut_over_text(struct engine *engine, const struct engine_step *step);

#endif
