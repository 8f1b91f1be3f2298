#include "transform/jmespath_internal.h"

#include <ctype.h>

static int refuse(size_t at, const char *what, struct err *err)
{
	return err_set(err, ERR_USAGE, "JMESPath expression: byte %zu: %s", at, what);
}

/* Tokens without content; of those that begin alike, the longest first. */
static const struct {
	const char *text;
	enum jmespath_token_type type;
} signs[] = {
	{"[?", TOKEN_FILTER},     {"[]", TOKEN_FLATTEN},       {"||", TOKEN_OR},
	{"&&", TOKEN_AND},        {"==", TOKEN_EQUAL},         {"!=", TOKEN_NOT_EQUAL},
	{"<=", TOKEN_LESS_EQUAL}, {">=", TOKEN_GREATER_EQUAL}, {"<", TOKEN_LESS},
	{">", TOKEN_GREATER},     {"[", TOKEN_OPEN_BRACKET},   {"]", TOKEN_CLOSE_BRACKET},
	{"(", TOKEN_OPEN_PAREN},  {")", TOKEN_CLOSE_PAREN},    {"{", TOKEN_OPEN_BRACE},
	{"}", TOKEN_CLOSE_BRACE}, {"*", TOKEN_STAR},           {".", TOKEN_DOT},
	{"@", TOKEN_CURRENT},     {"&", TOKEN_EXPRESSION},     {":", TOKEN_COLON},
	{",", TOKEN_COMMA},       {"|", TOKEN_PIPE},           {"!", TOKEN_NOT},
};

static bool next_sign(struct str rest, size_t *at, struct jmespath_token *token)
{
	for (size_t i = 0; i < COUNT_OF(signs); i++) {
		struct str sign = str_from(signs[i].text);

		if (!str_starts(rest, sign))
			continue;
		token->type = signs[i].type;
		*at += sign.len;
		return true;
	}
	return false;
}

/* The bytes between the quote at `at` and its like; a backslash keeps the byte behind it. Moves *at
 * behind the closing quote. */
static bool quoted_bytes(struct str text, size_t *at, struct str *out)
{
	char quote = text.ptr[*at];

	for (size_t i = *at + 1; i < text.len; i++) {
		if (text.ptr[i] == '\\') {
			i++;
			continue;
		}
		if (text.ptr[i] != quote)
			continue;
		*out = str_of(text.ptr + *at + 1, i - *at - 1);
		*at = i + 1;
		return true;
	}
	return false;
}

/* The text with each "\x", x being one of `escaped`, made x. */
static struct str without_escapes(struct str text, const char *escaped, struct arena *mem)
{
	char *bytes = arena_alloc(mem, text.len);
	size_t length = 0;

	if (!bytes)
		return STR_NONE;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '\\' && i + 1 < text.len && text.ptr[i + 1] &&
		    strchr(escaped, text.ptr[i + 1]))
			i++;
		bytes[length++] = text.ptr[i];
	}
	return str_of(bytes, length);
}

static int parse_json(struct str json, struct arena *mem, size_t at, struct jmespath_token *token,
		      struct err *err)
{
	struct str copy = arena_str(mem, json);

	if (!copy.ptr)
		return arena_fail(mem, "a JMESPath expression", err);
	if (json_parse(copy, mem, &token->value, err) >= 0)
		return 0;
	if (err && err->kind != ERR_FORMAT)
		return -(int)err->kind;
	return refuse(at,
		      token->type == TOKEN_LITERAL ? "what stands in `…` is no JSON"
						   : "what stands in \"…\" is no JSON text",
		      err);
}

static int next_quoted(struct str text, size_t *at, struct arena *mem, struct jmespath_token *token,
		       struct err *err)
{
	size_t start = *at;
	char quote = text.ptr[start];
	struct str bytes;

	if (!quoted_bytes(text, at, &bytes))
		return refuse(start, "a quote is not closed", err);
	if (quote == '\'') {
		token->type = TOKEN_RAW;
		token->value = json_new_string(mem, without_escapes(bytes, "'", mem));
		return token->value ? 0 : arena_fail(mem, "a JMESPath expression", err);
	}
	if (quote == '"') {
		token->type = TOKEN_QUOTED;
		return parse_json(str_of(text.ptr + start, *at - start), mem, start, token, err);
	}
	token->type = TOKEN_LITERAL;
	return parse_json(without_escapes(bytes, "`", mem), mem, start, token, err);
}

static bool next_number(struct str text, size_t *at, struct jmespath_token *token)
{
	bool negative = text.ptr[*at] == '-';
	size_t end = *at + negative;
	uint64_t magnitude;

	while (end < text.len && isdigit((unsigned char)text.ptr[end]))
		end++;
	if (!str_to_u64(str_of(text.ptr + *at + negative, end - *at - negative), &magnitude) ||
	    magnitude > INT32_MAX)
		return false;
	token->type = TOKEN_NUMBER;
	token->number = negative ? -(int64_t)magnitude : (int64_t)magnitude;
	*at = end;
	return true;
}

static void next_identifier(struct str text, size_t *at, struct jmespath_token *token)
{
	size_t end = *at;

	while (end < text.len && (isalnum((unsigned char)text.ptr[end]) || text.ptr[end] == '_'))
		end++;
	token->type = TOKEN_IDENTIFIER;
	token->text = str_of(text.ptr + *at, end - *at);
	*at = end;
}

int jmespath_next_token(struct str text, size_t *at, struct arena *mem,
			struct jmespath_token *token, struct err *err)
{
	unsigned char c;

	while (*at < text.len && memchr(" \t\r\n", text.ptr[*at], 4))
		++*at;
	*token = (struct jmespath_token){.type = TOKEN_END, .at = *at};
	if (*at == text.len)
		return 0;
	c = (unsigned char)text.ptr[*at];
	if (c < 0x80 && (isalpha(c) || c == '_'))
		next_identifier(text, at, token);
	else if (c == '"' || c == '\'' || c == '`')
		return next_quoted(text, at, mem, token, err);
	else if (c == '-' || isdigit(c))
		return next_number(text, at, token)
			       ? 0
			       : refuse(*at, "this is no number of at most 2147483647", err);
	else if (!next_sign(str_from_offset(text, *at), at, token))
		return refuse(*at,
			      c == '=' ? "'=' compares nothing; write '=='"
				       : "this begins no part of an expression",
			      err);
	return 0;
}
