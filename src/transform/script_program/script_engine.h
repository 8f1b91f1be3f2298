/* One user script in JavaScriptCore: started with its bindings, then called with messages. */
#ifndef TRANSFORM_SCRIPT_ENGINE_H
#define TRANSFORM_SCRIPT_ENGINE_H

#include "base/buf.h"

struct script_engine;

/* `name`: how the script is called in errors. `log` is called with each line of console.log, and
 * `user`. */
struct script_engine *script_engine_new(struct str name, void (*log)(void *user, struct str line),
					void *user);
void script_engine_free(struct script_engine *engine);
/* `options`: {"bindings":{…},"list":bool}. Compiles and calls main. False: why, in
 * `out`. */
bool script_engine_start(struct script_engine *engine, struct str name, struct str script,
			 struct str options, struct buf *out);
/* Appends the result's text to `out`; false: why not. */
bool script_engine_run(struct script_engine *engine, struct str message, struct buf *out);

#endif
