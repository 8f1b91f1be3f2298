/* JMESPath: a query over JSON. Numbers that are only passed on or compared keep their digits; sums,
 * averages and roundings are those of a double.
 *
 * Source: jmespath.org/specification.html, with its functions; `&`, `|`, `||`, `&&`, `!`, slices,
 * projections, filters, multi-selects and literals. */
#ifndef TRANSFORM_JMESPATH_H
#define TRANSFORM_JMESPATH_H

#include "base/json.h"

struct jmespath;

/* ERR_USAGE says the byte of `text` (which is copied), a function that there is not, or its wrong
 * number of arguments. */
int jmespath_new(struct str text, struct jmespath **out, struct err *err);
/* Accepts NULL. */
void jmespath_free(struct jmespath *expression);

/* The value of the expression, never NULL: a copy in `mem`, or `input` itself. The input stays as
 * it is. Several threads may use one expression. ERR_FORMAT: an argument of the wrong type;
 * ERR_LIMIT: too many steps, or the arena is full. */
int jmespath_search(const struct jmespath *expression, struct json *input, struct arena *mem,
		    struct json **out, struct err *err);

/* False as JMESPath has it: null, false, an empty text, array or object. */
bool jmespath_is_true(const struct json *v);

#endif
