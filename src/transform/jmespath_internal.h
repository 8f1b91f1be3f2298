/* What the files of JMESPath share: tokens, the tree of an expression, and its evaluation. */
#ifndef TRANSFORM_JMESPATH_INTERNAL_H
#define TRANSFORM_JMESPATH_INTERNAL_H

#include "transform/jmespath.h"

#define JMESPATH_TEXT_MAX KIB(64)
#define JMESPATH_DEPTH_MAX 256u      /* levels of an expression's tree */
#define JMESPATH_STEPS_MAX 10000000u /* values looked at in one search */

/* In the order of their binding powers, which jmespath_parse.c has. */
enum jmespath_token_type {
	TOKEN_END,
	TOKEN_IDENTIFIER, /* text: the name */
	TOKEN_QUOTED,     /* value: the name */
	TOKEN_RAW,        /* value: a text */
	TOKEN_LITERAL,    /* value: any JSON */
	TOKEN_NUMBER,     /* number */
	TOKEN_CURRENT,
	TOKEN_EXPRESSION, /* & */
	TOKEN_COLON,
	TOKEN_COMMA,
	TOKEN_CLOSE_BRACKET,
	TOKEN_CLOSE_PAREN,
	TOKEN_CLOSE_BRACE,
	TOKEN_PIPE,
	TOKEN_OR,
	TOKEN_AND,
	TOKEN_EQUAL,
	TOKEN_NOT_EQUAL,
	TOKEN_LESS,
	TOKEN_LESS_EQUAL,
	TOKEN_GREATER,
	TOKEN_GREATER_EQUAL,
	TOKEN_FLATTEN,
	TOKEN_STAR,
	TOKEN_FILTER,
	TOKEN_DOT,
	TOKEN_NOT,
	TOKEN_OPEN_BRACE,
	TOKEN_OPEN_BRACKET,
	TOKEN_OPEN_PAREN,
	TOKEN_TYPE_COUNT,
};

struct jmespath_token {
	enum jmespath_token_type type;
	size_t at; /* byte of the text */
	struct str text;
	struct json *value;
	int64_t number;
};

/* Reads the token at *at of the text, and moves *at behind it. ERR_USAGE says the byte. */
int jmespath_next_token(struct str text, size_t *at, struct arena *mem,
			struct jmespath_token *token, struct err *err);

enum jmespath_node_type {
	NODE_CURRENT,
	NODE_FIELD,            /* name */
	NODE_INDEX,            /* number */
	NODE_SLICE,            /* slice */
	NODE_SUB,              /* right of left */
	NODE_PROJECTION,       /* right of each element of left */
	NODE_VALUE_PROJECTION, /* right of each member of left */
	NODE_FLATTEN,          /* left, with the arrays in it opened */
	NODE_FILTER,           /* right of each element of left for which `condition` holds */
	NODE_LIST,             /* children */
	NODE_HASH,             /* children, by their names */
	NODE_LITERAL,          /* literal */
	NODE_OR,
	NODE_AND,
	NODE_NOT, /* left */
	NODE_COMPARE,
	NODE_FUNCTION,   /* children are the arguments */
	NODE_EXPRESSION, /* left: not evaluated but handed to a function */
};

struct jmespath_function;

struct jmespath_node {
	enum jmespath_node_type type;
	unsigned depth; /* levels below and with it */
	struct str name;
	struct str key; /* of a child of a hash */
	const struct json *literal;
	int64_t number;
	struct {
		bool has_start, has_stop;
		int64_t start, stop, step;
	} slice;
	enum jmespath_token_type operator; /* of a comparison */
	const struct jmespath_function *function;
	struct jmespath_node *left, *right, *condition;
	struct jmespath_node *first, *last, *next; /* children */
	size_t count;
};

struct jmespath {
	struct arena mem;
	struct jmespath_node *root;
};

/* One search. */
struct jmespath_run {
	struct arena *mem;
	struct err *err;
	size_t steps;
};

/* The value of a node: NULL is a failure, told in run->err. What it returns may share parts with
 * `value` and with the expression, and must not be changed. */
struct json *jmespath_evaluate(struct jmespath_run *run, const struct jmespath_node *node,
			       struct json *value);
/* A node with the content of `v`, that can be put into another tree. */
struct json *jmespath_alias(struct jmespath_run *run, const struct json *v);
struct json *jmespath_new_value(struct jmespath_run *run, enum json_type type);
/* Counts a step; false when there are too many. */
bool jmespath_step(struct jmespath_run *run);

/* An argument of a function: a value, or the node of an expression. */
struct jmespath_argument {
	struct json *value;
	const struct jmespath_node *expression;
};

struct jmespath_function {
	const char *name;
	size_t least, most; /* arguments; most SIZE_MAX: any number */
	const char *types;  /* a letter each, as jmespath_functions.c says; the last repeats */
	struct json *(*call)(struct jmespath_run *run, const struct jmespath_argument *arguments,
			     size_t count);
};

/* NULL: there is none of that name. */
const struct jmespath_function *jmespath_function_find(struct str name);
struct json *jmespath_call(struct jmespath_run *run, const struct jmespath_function *function,
			   const struct jmespath_argument *arguments, size_t count);

/* Equal, numbers by their value. */
bool jmespath_equal(struct jmespath_run *run, const struct json *a, const struct json *b);
/* Two numbers by their value, or two texts by their characters: <0, 0, >0. */
int jmespath_order(const struct json *a, const struct json *b);

/* The tree of `text`, in the expression's arena, which lives as long; NULL with *err. */
struct jmespath_node *jmespath_parse(struct jmespath *expression, struct str text, struct err *err);

#endif
