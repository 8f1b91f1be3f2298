/* What a user configures between source and target: a list of steps through which messages pass.
 *
 * A message is a JSON tree (base/json.h: digits are kept) of one kind: a document, a metadata item,
 * a request, a tuple. Shapes as the Java tool's transformers see them
 * (docs/transform-messages.md). One pipeline belongs to one thread. */
#ifndef TRANSFORM_TRANSFORM_H
#define TRANSFORM_TRANSFORM_H

#include "base/json.h"

enum transform_kind {
	TRANSFORM_DOCUMENT,
	TRANSFORM_METADATA,
	TRANSFORM_REQUEST,
	TRANSFORM_TUPLE,
};

/* One message on its way through the steps. */
struct transform_message {
	struct str name;    /* who it is, for errors: "books/17"; borrowed */
	struct json *value; /* in `mem` of the batch; a step may change or replace it. An array
			       stands for several messages; NULL or an empty array: dropped */
	struct err error; /* kind ERR_NONE: none. Set by the step that could not do it; later steps
			     pass the message over */
	bool changed;     /* some step changed or replaced it */
};

struct transform_step;

struct transform_step_ops {
	/* All messages of the batch: none of them is NULL, an array, or has an error yet (the
	 * pipeline takes arrays apart before each step and puts them together again after it; it
	 * names step and message in errors). Negative only when the step itself is of no use any
	 * more (its helper cannot be started …); what is wrong with one message goes into its
	 * error. */
	int (*apply)(struct transform_step *step, struct transform_message *messages, size_t count,
		     struct arena *mem, struct err *err);
	void (*close)(struct transform_step *step);
};

/* Implementations embed this as their first member. */
struct transform_step {
	const struct transform_step_ops *ops;
	const char *provider; /* "JsonJSTransformerProvider"; for messages */
	size_t position;      /* in the user's list, from 1 */
	/* Set by make where it holds: of a document's message this step takes the member
	 * "document" also as a JSON_BINARY of the source's text, which nobody has looked into. It
	 * leaves it so, or puts another text of a JSON object into it, or a tree. When it holds of
	 * all steps, sources are not parsed. */
	bool takes_source_text;
	/* Set by make where it holds: of an index or template of a source with mapping types, this
	 * step wants the mapping of each type, as they are before rules unite them. */
	bool wants_types;
};

/* What steps need to be made. */
struct transform_context {
	enum transform_kind kind;
	const char *base_directory; /* relative files of the configuration; NULL: the working one */
	int64_t script_timeout_ms;  /* for one message */
	int64_t script_memory;      /* bytes of the helper process, at most */
};

/* A provider's name and how a step is made of its configuration (NULL: none given), which lives as
 * long as the step. ERR_USAGE names the key that is wrong. make sets ops (and takes_source_text) of
 * the embedded struct. Each provider is a file; the table is providers.c. */
struct transform_provider {
	const char *name;
	int (*make)(const struct json *configuration, const struct transform_context *context,
		    struct transform_step **out, struct err *err);
};
/* NULL: no such provider. */
const struct transform_provider *transform_provider_find(struct str name);

struct transform;

/* `text`: the user's configuration: a provider's name, an object with one key, or a list of these.
 * An unknown provider is ERR_USAGE naming the nearest; all is checked here, before any message. */
int transform_new(struct str text, const struct transform_context *context, struct transform **out,
		  struct err *err);
/* The same from a tree that outlives it, for steps that hold steps. */
int transform_new_of_json(const struct json *configuration, const struct transform_context *context,
			  struct transform **out, struct err *err);
/* Whether takes_source_text holds of all steps. */
bool transform_takes_source_texts(const struct transform *transform);
/* Accepts NULL. */
void transform_free(struct transform *transform);
/* Sends the batch through all steps. */
int transform_apply(struct transform *transform, struct transform_message *messages, size_t count,
		    struct arena *mem, struct err *err);
/* Through those steps only whose wants_types is so. */
int transform_apply_part(struct transform *transform, bool wants_types,
			 struct transform_message *messages, size_t count, struct arena *mem,
			 struct err *err);

#endif
