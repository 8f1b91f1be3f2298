#include "transform/jmespath_internal.h"

struct parser {
	struct str text;
	size_t at; /* behind `token` and `peeked` */
	struct jmespath_token token;
	struct jmespath *expression;
	unsigned nesting;
	struct err *err;
};

/* How strongly a token binds what is left of it; 0 ends an expression. */
static const unsigned char binding_powers[TOKEN_TYPE_COUNT] = {
	[TOKEN_PIPE] = 1,          [TOKEN_OR] = 2,          [TOKEN_AND] = 3,
	[TOKEN_EQUAL] = 5,         [TOKEN_NOT_EQUAL] = 5,   [TOKEN_LESS] = 5,
	[TOKEN_LESS_EQUAL] = 5,    [TOKEN_GREATER] = 5,     [TOKEN_GREATER_EQUAL] = 5,
	[TOKEN_FLATTEN] = 9,       [TOKEN_STAR] = 20,       [TOKEN_FILTER] = 21,
	[TOKEN_DOT] = 40,          [TOKEN_NOT] = 45,        [TOKEN_OPEN_BRACE] = 50,
	[TOKEN_OPEN_BRACKET] = 55, [TOKEN_OPEN_PAREN] = 60,
};

/* Below it, a token ends the projection that is left of it. */
#define PROJECTION_STOP 10u

static struct jmespath_node *parse_expression(struct parser *p, unsigned power);

static void *refuse(struct parser *p, const char *what)
{
	err_set(p->err, ERR_USAGE, "JMESPath expression: byte %zu: %s", p->token.at, what);
	return NULL;
}

static bool advance(struct parser *p)
{
	return jmespath_next_token(p->text, &p->at, &p->expression->mem, &p->token, p->err) >= 0;
}

static bool expect(struct parser *p, enum jmespath_token_type type, const char *what)
{
	if (p->token.type != type) {
		refuse(p, what);
		return false;
	}
	return advance(p);
}

static struct jmespath_node *new_node(struct parser *p, enum jmespath_node_type type,
				      struct jmespath_node *left, struct jmespath_node *right)
{
	struct jmespath_node *node = arena_zalloc(&p->expression->mem, 1, sizeof(*node));

	if (!node) {
		arena_fail(&p->expression->mem, "a JMESPath expression", p->err);
		return NULL;
	}
	node->type = type;
	node->left = left;
	node->right = right;
	node->depth = 1 + MAX(left ? left->depth : 0, right ? right->depth : 0);
	return node->depth <= JMESPATH_DEPTH_MAX
		       ? node
		       : refuse(p, "the expression has more than 256 levels");
}

static bool add_child(struct parser *p, struct jmespath_node *parent, struct jmespath_node *child)
{
	if (parent->last)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
	parent->count++;
	parent->depth = MAX(parent->depth, child->depth + 1);
	return parent->depth <= JMESPATH_DEPTH_MAX ||
	       refuse(p, "the expression has more than 256 levels");
}

static struct jmespath_node *current_node(struct parser *p)
{
	return new_node(p, NODE_CURRENT, NULL, NULL);
}

/* [a, b], behind its '['. */
static struct jmespath_node *parse_list(struct parser *p)
{
	struct jmespath_node *list = new_node(p, NODE_LIST, NULL, NULL), *child;
	bool more = true;

	while (list && more) {
		child = parse_expression(p, 0);
		if (!child || !add_child(p, list, child))
			return NULL;
		more = p->token.type == TOKEN_COMMA;
		if (more && !advance(p))
			return NULL;
	}
	return list && expect(p, TOKEN_CLOSE_BRACKET, "expected ',' or ']'") ? list : NULL;
}

static bool parse_member(struct parser *p, struct jmespath_node *hash)
{
	struct jmespath_token name = p->token;
	struct jmespath_node *child;

	if (name.type != TOKEN_IDENTIFIER && name.type != TOKEN_QUOTED)
		return refuse(p, "expected the name of a member");
	if (!advance(p) || !expect(p, TOKEN_COLON, "expected ':' behind the name of a member"))
		return false;
	child = parse_expression(p, 0);
	if (!child)
		return false;
	child->key = name.type == TOKEN_QUOTED ? name.value->text : name.text;
	return add_child(p, hash, child);
}

/* {a: b, c: d}, behind its '{'. */
static struct jmespath_node *parse_hash(struct parser *p)
{
	struct jmespath_node *hash = new_node(p, NODE_HASH, NULL, NULL);
	bool more = true;

	while (hash && more) {
		if (!parse_member(p, hash))
			return NULL;
		more = p->token.type == TOKEN_COMMA;
		if (more && !advance(p))
			return NULL;
	}
	return hash && expect(p, TOKEN_CLOSE_BRACE, "expected ',' or '}'") ? hash : NULL;
}

/* What may stand behind '.'. */
static struct jmespath_node *parse_dot(struct parser *p, unsigned power)
{
	switch ((int)p->token.type) {
	case TOKEN_IDENTIFIER:
	case TOKEN_QUOTED:
	case TOKEN_STAR:
		return parse_expression(p, power);
	case TOKEN_OPEN_BRACKET:
		return advance(p) ? parse_list(p) : NULL;
	case TOKEN_OPEN_BRACE:
		return advance(p) ? parse_hash(p) : NULL;
	default:
		return refuse(p, "expected a name, '*', '[' or '{' behind '.'");
	}
}

/* What a projection does with each of its values. */
static struct jmespath_node *parse_projected(struct parser *p, unsigned power)
{
	if (binding_powers[p->token.type] < PROJECTION_STOP)
		return current_node(p);
	switch ((int)p->token.type) {
	case TOKEN_OPEN_BRACKET:
	case TOKEN_FILTER:
		return parse_expression(p, power);
	case TOKEN_DOT:
		return advance(p) ? parse_dot(p, power) : NULL;
	default:
		return refuse(p, "expected '.', '[' or the end of a projection");
	}
}

static struct jmespath_node *project(struct parser *p, enum jmespath_node_type type,
				     struct jmespath_node *left, unsigned power)
{
	struct jmespath_node *right = left ? parse_projected(p, power) : NULL;

	return right ? new_node(p, type, left, right) : NULL;
}

static struct jmespath_node *parse_filter(struct parser *p, struct jmespath_node *left)
{
	struct jmespath_node *condition = left ? parse_expression(p, 0) : NULL, *node;

	if (!condition || !expect(p, TOKEN_CLOSE_BRACKET, "expected ']' behind a filter"))
		return NULL;
	/* A flatten behind it is of the whole. */
	if (p->token.type == TOKEN_FLATTEN)
		node = new_node(p, NODE_FILTER, left, current_node(p));
	else
		node = project(p, NODE_FILTER, left, binding_powers[TOKEN_FILTER]);
	if (!node || !node->right)
		return NULL;
	node->condition = condition;
	node->depth = MAX(node->depth, condition->depth + 1);
	return node;
}

/* [1:2:3], at the first number or colon. */
static struct jmespath_node *parse_slice(struct parser *p)
{
	struct jmespath_node *slice = new_node(p, NODE_SLICE, NULL, NULL);
	int64_t parts[3] = {0, 0, 1};
	bool has[3] = {false};
	size_t i = 0;

	while (slice && p->token.type != TOKEN_CLOSE_BRACKET) {
		if (p->token.type == TOKEN_COLON) {
			if (++i > 2)
				return refuse(p, "a slice has at most two colons");
		} else if (p->token.type == TOKEN_NUMBER && !has[i]) {
			parts[i] = p->token.number;
			has[i] = true;
		} else {
			return refuse(p, "expected a number, ':' or ']'");
		}
		if (!advance(p))
			return NULL;
	}
	if (!slice || !advance(p))
		return NULL;
	if (has[2] && parts[2] == 0)
		return refuse(p, "the step of a slice cannot be 0");
	slice->slice.has_start = has[0];
	slice->slice.has_stop = has[1];
	slice->slice.start = parts[0];
	slice->slice.stop = parts[1];
	slice->slice.step = parts[2];
	return slice;
}

static struct jmespath_node *parse_index(struct parser *p, struct jmespath_node *left)
{
	struct jmespath_node *index = new_node(p, NODE_INDEX, NULL, NULL);

	if (!index)
		return NULL;
	index->number = p->token.number;
	if (!advance(p) || !expect(p, TOKEN_CLOSE_BRACKET, "expected ']'"))
		return NULL;
	return new_node(p, NODE_SUB, left, index);
}

/* Whether a colon follows the number that is the token. */
static bool is_slice(struct parser *p)
{
	size_t at = p->at;

	while (at < p->text.len && memchr(" \t\r\n", p->text.ptr[at], 4))
		at++;
	return p->token.type == TOKEN_COLON ||
	       (p->token.type == TOKEN_NUMBER && at < p->text.len && p->text.ptr[at] == ':');
}

/* An index, a slice or [*] of `left`, behind '['. */
static struct jmespath_node *parse_bracket(struct parser *p, struct jmespath_node *left)
{
	struct jmespath_node *slice;

	if (!left)
		return NULL;
	if (is_slice(p)) {
		slice = parse_slice(p);
		return slice ? project(p, NODE_PROJECTION, new_node(p, NODE_SUB, left, slice),
				       binding_powers[TOKEN_STAR])
			     : NULL;
	}
	if (p->token.type == TOKEN_NUMBER)
		return parse_index(p, left);
	if (!expect(p, TOKEN_STAR, "expected a number, ':' or '*'") ||
	    !expect(p, TOKEN_CLOSE_BRACKET, "expected ']'"))
		return NULL;
	return project(p, NODE_PROJECTION, left, binding_powers[TOKEN_STAR]);
}

/* '[' where an expression begins: as above, or a multi-select. */
static struct jmespath_node *parse_leading_bracket(struct parser *p)
{
	bool star = p->token.type == TOKEN_STAR && p->at < p->text.len;
	size_t at = p->at;

	while (star && at < p->text.len && memchr(" \t\r\n", p->text.ptr[at], 4))
		at++;
	star = star && at < p->text.len && p->text.ptr[at] == ']';
	if (star || p->token.type == TOKEN_NUMBER || p->token.type == TOKEN_COLON)
		return parse_bracket(p, current_node(p));
	return parse_list(p);
}

static struct jmespath_node *parse_arguments(struct parser *p, struct jmespath_node *function)
{
	struct jmespath_node *argument;
	bool more = p->token.type != TOKEN_CLOSE_PAREN;

	while (more) {
		argument = parse_expression(p, 0);
		if (!argument || !add_child(p, function, argument))
			return NULL;
		more = p->token.type == TOKEN_COMMA;
		if (more && !advance(p))
			return NULL;
	}
	return expect(p, TOKEN_CLOSE_PAREN, "expected ',' or ')'") ? function : NULL;
}

static struct jmespath_node *parse_function(struct parser *p, struct str name, size_t at)
{
	struct jmespath_node *node = new_node(p, NODE_FUNCTION, NULL, NULL);

	if (!node || !advance(p) || !parse_arguments(p, node))
		return NULL;
	node->function = jmespath_function_find(name);
	if (node->function && node->count >= node->function->least &&
	    node->count <= node->function->most)
		return node;
	err_set(p->err, ERR_USAGE, "JMESPath expression: byte %zu: %s '" STR_FMT "'", at,
		node->function ? "wrong number of arguments for" : "there is no function",
		STR_ARG(name));
	return NULL;
}

/* A name: a field, or a function if it is not quoted and '(' follows. */
static struct jmespath_node *parse_name(struct parser *p, const struct jmespath_token *token)
{
	struct jmespath_node *node;

	if (p->token.type == TOKEN_OPEN_PAREN)
		return token->type == TOKEN_IDENTIFIER
			       ? parse_function(p, token->text, token->at)
			       : refuse(p, "the name of a function is not quoted");
	node = new_node(p, NODE_FIELD, NULL, NULL);
	if (node)
		node->name = token->type == TOKEN_QUOTED ? token->value->text : token->text;
	return node;
}

static struct jmespath_node *parse_literal(struct parser *p, const struct json *value)
{
	struct jmespath_node *node = new_node(p, NODE_LITERAL, NULL, NULL);

	if (node)
		node->literal = value;
	return node;
}

static struct jmespath_node *parse_unary(struct parser *p, enum jmespath_node_type type,
					 unsigned power)
{
	struct jmespath_node *left = parse_expression(p, power);

	return left ? new_node(p, type, left, NULL) : NULL;
}

static struct jmespath_node *parse_paren(struct parser *p)
{
	struct jmespath_node *inner = parse_expression(p, 0);

	return inner && expect(p, TOKEN_CLOSE_PAREN, "expected ')'") ? inner : NULL;
}

static struct jmespath_node *parse_flatten(struct parser *p, struct jmespath_node *left)
{
	struct jmespath_node *flat = left ? new_node(p, NODE_FLATTEN, left, NULL) : NULL;

	return flat ? project(p, NODE_PROJECTION, flat, binding_powers[TOKEN_FLATTEN]) : NULL;
}

/* A token that begins an expression. */
static struct jmespath_node *parse_first(struct parser *p)
{
	struct jmespath_token token = p->token;

	if (!advance(p))
		return NULL;
	switch ((int)token.type) {
	case TOKEN_IDENTIFIER:
	case TOKEN_QUOTED:
		return parse_name(p, &token);
	case TOKEN_RAW:
	case TOKEN_LITERAL:
		return parse_literal(p, token.value);
	case TOKEN_CURRENT:
		return current_node(p);
	case TOKEN_STAR:
		return project(p, NODE_VALUE_PROJECTION, current_node(p),
			       binding_powers[TOKEN_STAR]);
	case TOKEN_FILTER:
		return parse_filter(p, current_node(p));
	case TOKEN_FLATTEN:
		return parse_flatten(p, current_node(p));
	case TOKEN_OPEN_BRACKET:
		return parse_leading_bracket(p);
	case TOKEN_OPEN_BRACE:
		return parse_hash(p);
	case TOKEN_OPEN_PAREN:
		return parse_paren(p);
	case TOKEN_NOT:
		return parse_unary(p, NODE_NOT, binding_powers[TOKEN_NOT]);
	case TOKEN_EXPRESSION:
		return parse_unary(p, NODE_EXPRESSION, binding_powers[TOKEN_EXPRESSION]);
	default:
		p->token = token;
		return refuse(p, token.type == TOKEN_END ? "the expression ends here"
							 : "an expression cannot begin so");
	}
}

static struct jmespath_node *parse_binary(struct parser *p, struct jmespath_node *left,
					  enum jmespath_token_type operator)
{
	struct jmespath_node *right = parse_expression(p, binding_powers[operator]), *node;
	enum jmespath_node_type type = operator== TOKEN_PIPE  ? NODE_SUB
				       : operator== TOKEN_OR  ? NODE_OR
				       : operator== TOKEN_AND ? NODE_AND
							      : NODE_COMPARE;

	node = right ? new_node(p, type, left, right) : NULL;
	if (node)
		node->operator= operator;
	return node;
}

static struct jmespath_node *parse_dotted(struct parser *p, struct jmespath_node *left)
{
	struct jmespath_node *right;

	if (p->token.type == TOKEN_STAR)
		return advance(p)
			       ? project(p, NODE_VALUE_PROJECTION, left, binding_powers[TOKEN_STAR])
			       : NULL;
	right = parse_dot(p, binding_powers[TOKEN_DOT]);
	return right ? new_node(p, NODE_SUB, left, right) : NULL;
}

/* A token behind an expression that binds it. */
static struct jmespath_node *parse_next(struct parser *p, struct jmespath_node *left)
{
	enum jmespath_token_type type = p->token.type;

	if (type == TOKEN_STAR || type == TOKEN_NOT || type == TOKEN_OPEN_BRACE ||
	    type == TOKEN_OPEN_PAREN)
		return refuse(p, "this cannot stand behind an expression");
	if (!advance(p))
		return NULL;
	switch ((int)type) {
	case TOKEN_DOT:
		return parse_dotted(p, left);
	case TOKEN_OPEN_BRACKET:
		return parse_bracket(p, left);
	case TOKEN_FILTER:
		return parse_filter(p, left);
	case TOKEN_FLATTEN:
		return parse_flatten(p, left);
	default:
		return parse_binary(p, left, type);
	}
}

static struct jmespath_node *parse_expression(struct parser *p, unsigned power)
{
	struct jmespath_node *left;

	if (++p->nesting > JMESPATH_DEPTH_MAX)
		return refuse(p, "the expression has more than 256 levels");
	left = parse_first(p);
	while (left && power < binding_powers[p->token.type])
		left = parse_next(p, left);
	p->nesting--;
	return left;
}

struct jmespath_node *jmespath_parse(struct jmespath *expression, struct str text, struct err *err)
{
	struct parser p = {.expression = expression, .text = text, .err = err};
	struct jmespath_node *root = advance(&p) ? parse_expression(&p, 0) : NULL;

	return root && p.token.type != TOKEN_END ? refuse(&p, "expected an operator or the end")
						 : root;
}
