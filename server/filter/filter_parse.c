/* SPDX-License-Identifier: BSD-2-Clause */
/* Parses filters; server/rules.md gives the grammar. */
#include "server/filter/filter.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/filter/filter_facts.h"
#include "server/filter/filter_value.h"

enum token { END, OPEN, CLOSE, WORD, STRING, SIGN };

struct parser {
	struct filter *filter;
	struct filter_error *error;
	bool failed;
	enum token token;     /* the next one */
	size_t start, length; /* where it stands; of a string, without its quotes */
	size_t end;           /* past the end of it, with them */
	size_t last;          /* where the token before it ended */
	unsigned int depth;
};

/* Keeps the first error. Returns 0, which is no node. */
__attribute__((format(printf, 3, 4)))
static int fail(struct parser *p, size_t at, const char *format, ...)
{
	va_list args;

	if (p->failed)
		return 0;
	p->failed = true;
	p->error->column = at + 1;
	va_start(args, format);
	vsnprintf(p->error->message, sizeof(p->error->message), format, args);
	va_end(args);
	return 0;
}

/* Says what is there in place of what was expected. */
static int unexpected(struct parser *p, const char *expected)
{
	int length = p->length > 32 ? 32 : (int)p->length;

	if (p->token == END)
		return fail(p, p->start, "expected %s, not the end", expected);
	if (p->length == 0)
		return fail(p, p->start - 1, "expected %s, not an empty text", expected);
	return fail(p, p->start - (p->token == STRING), "expected %s, not %s%.*s%s", expected,
	            p->token == STRING ? "the text " : "", length, p->filter->text + p->start,
	            p->length > 32 ? "..." : "");
}

/* --- tokens ------------------------------------------------------------------ */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void take_string(struct parser *p, const char *text)
{
	const char *end = strchr(text + p->start + 1, text[p->start]);

	p->token = STRING;
	p->start++;
	p->length = end ? (size_t)(end - text) - p->start : strlen(text + p->start);
	p->end = p->start + p->length + (end ? 1 : 0);
	if (!end)
		fail(p, p->start - 1, "expected %c at the end of this text", text[p->start - 1]);
}

/* Goes to the next token. */
static void next_token(struct parser *p)
{
	static const char signs[] = "=<>!";
	const char *text = p->filter->text;

	p->last = p->end;
	p->start = p->end;
	while (is_blank(text[p->start]))
		p->start++;
	p->length = 1;
	if (text[p->start] == '\0') {
		p->token = END;
		p->length = 0;
	} else if (text[p->start] == '(' || text[p->start] == ')') {
		p->token = text[p->start] == '(' ? OPEN : CLOSE;
	} else if (text[p->start] == '"' || text[p->start] == '\'') {
		take_string(p, text);
		return;
	} else if (strchr(signs, text[p->start])) {
		p->token = SIGN;
		p->length = strspn(text + p->start, signs);
	} else {
		p->token = WORD;
		p->length = strcspn(text + p->start, " \t\r\n()=<>!\"'");
	}
	p->end = p->start + p->length;
}

static bool is_token(const struct parser *p, enum token token, const char *word)
{
	return p->token == token && strlen(word) == p->length &&
	       strncasecmp(p->filter->text + p->start, word, p->length) == 0;
}

/* --- nodes ------------------------------------------------------------------- */

/* Returns the index of a new node, or 0. */
static int new_node(struct parser *p, enum node_kind kind, size_t start)
{
	struct filter *filter = p->filter;

	if (p->failed)
		return 0;
	if (filter->node_count == FILTER_NODES)
		return fail(p, start, "too long: there may be about %d comparisons",
		            FILTER_NODES / 2);
	filter->nodes[filter->node_count].kind = (uint8_t)kind;
	filter->nodes[filter->node_count].start = (uint16_t)start;
	return filter->node_count++;
}

static int close_node(struct parser *p, int node)
{
	struct node *n = &p->filter->nodes[node];

	if (p->failed)
		return 0;
	n->length = (uint16_t)(p->last - n->start);
	return node;
}

/* --- the grammar ------------------------------------------------------------- */

static int take_operator(struct parser *p, const struct fact *fact)
{
	static const struct {
		const char *name;
		enum operator operator;
	} names[] = {
		{ "=", OPERATOR_IS }, { "==", OPERATOR_IS }, { "equals", OPERATOR_IS },
		{ "<>", OPERATOR_IS_NOT }, { "!=", OPERATOR_IS_NOT }, { "<", OPERATOR_BELOW },
		{ ">", OPERATOR_ABOVE }, { "<=", OPERATOR_AT_MOST }, { ">=", OPERATOR_AT_LEAST },
		{ "contains", OPERATOR_CONTAINS }, { "starts-with", OPERATOR_STARTS_WITH },
		{ "in", OPERATOR_IN },
	};
	char expected[96];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if ((!is_token(p, SIGN, names[i].name) && !is_token(p, WORD, names[i].name)) ||
		    !filter_takes(fact, names[i].operator))
			continue;
		next_token(p);
		return (int)names[i].operator;
	}
	snprintf(expected, sizeof(expected), "%s after %s", filter_operators(fact), fact->name);
	return unexpected(p, expected) - 1;
}

/* Says that the next token is no fact, and which one it may be meant to be. */
static int unknown_fact(struct parser *p)
{
	const char *meant;
	char expected[96];

	if (p->token != WORD)
		return unexpected(p, "a fact, \"not\" or \"(\"");
	meant = fact_meant(p->filter->text + p->start, p->length);
	if (!meant)
		return unexpected(p, "a fact, such as memory or product");
	snprintf(expected, sizeof(expected), "a fact, such as memory or product (did you mean %s?)",
	         meant);
	return unexpected(p, expected);
}

/* A size may have its unit as the next word: "8 GB". Returns where the value ends. */
static size_t value_end(const struct parser *p, const struct fact *fact)
{
	const char *text = p->filter->text;
	size_t at = p->end, length;

	if (p->token != WORD || (fact->kind != FACT_MEMORY && fact->kind != FACT_SIZE))
		return p->start + p->length;
	while (is_blank(text[at]))
		at++;
	length = strcspn(text + at, " ()=<>!\"'");
	return filter_is_unit(text + at, length) ? at + length : p->end;
}

static int parse_comparison(struct parser *p)
{
	int fact = p->token == WORD ? fact_find(p->filter->text + p->start, p->length) : -1;
	int index, operator;
	struct node *node;
	char expected[96];
	size_t end;

	if (fact < 0)
		return unknown_fact(p);
	index = new_node(p, NODE_COMPARE, p->start);
	next_token(p);
	operator = take_operator(p, &fact_table[fact]);
	if (p->failed)
		return 0;
	node = &p->filter->nodes[index];
	node->fact = (uint8_t)fact;
	node->operator = (uint8_t)operator;
	node->text = (uint16_t)p->start;
	end = value_end(p, &fact_table[fact]);
	node->text_length = (uint16_t)(end - p->start);
	if ((p->token != WORD && p->token != STRING) ||
	    filter_value(&fact_table[fact], p->filter->text, node, expected, sizeof(expected))) {
		if (p->token != WORD && p->token != STRING)
			snprintf(expected, sizeof(expected), "a value for %s",
			         fact_table[fact].name);
		return unexpected(p, expected);
	}
	if (p->token == WORD)
		p->end = end;
	next_token(p);
	return close_node(p, index);
}

static int parse_any(struct parser *p);

static int parse_one(struct parser *p)
{
	size_t start = p->start;
	int node, child;

	if (p->failed)
		return 0;
	if (p->token != OPEN && !is_token(p, WORD, "not"))
		return parse_comparison(p);
	if (++p->depth > FILTER_DEPTH)
		return fail(p, start, "too deep: at most %d parentheses and \"not\" within each"
		            " other",
		            FILTER_DEPTH);
	if (p->token == OPEN) {
		next_token(p);
		node = parse_any(p);
		if (!p->failed && p->token != CLOSE)
			return unexpected(p, "\"and\", \"or\" or \")\"");
		next_token(p);
	} else {
		next_token(p);
		node = new_node(p, NODE_NOT, start);
		child = parse_one(p);
		p->filter->nodes[node].first = (uint8_t)child;
		node = close_node(p, node);
	}
	p->depth--;
	return p->failed ? 0 : node;
}

/* Parses what @part parses, several times with @word between them. */
static int parse_list(struct parser *p, const char *word, enum node_kind kind,
                      int (*part)(struct parser *p))
{
	size_t start = p->start;
	int first = part(p), list, last = first;

	if (p->failed || !is_token(p, WORD, word))
		return p->failed ? 0 : first;
	list = new_node(p, kind, start);
	p->filter->nodes[list].first = (uint8_t)first;
	while (!p->failed && is_token(p, WORD, word)) {
		int item;

		next_token(p);
		item = part(p);
		p->filter->nodes[last].next = (uint8_t)item;
		last = item;
	}
	return close_node(p, list);
}

static int parse_all(struct parser *p)
{
	return parse_list(p, "and", NODE_AND, parse_one);
}

static int parse_any(struct parser *p)
{
	return parse_list(p, "or", NODE_OR, parse_all);
}

/* Copies @text into the filter, if it is valid; an error message quotes it as one line. */
static void take_text(struct parser *p, const char *text)
{
	size_t length = strnlen(text, FILTER_TEXT);

	if (length == FILTER_TEXT) {
		fail(p, FILTER_TEXT - 1, "too long: at most %d characters", FILTER_TEXT - 1);
		return;
	}
	for (size_t i = 0; i < length; i++) {
		if ((text[i] < 0x20 || text[i] > 0x7e) && !is_blank(text[i]))
			fail(p, i, "expected printable ASCII, not the byte 0x%02x", text[i] & 0xff);
		p->filter->text[i] = text[i];
		if (is_blank(text[i]))
			p->filter->text[i] = ' ';
	}
}

struct filter *filter_parse(const char *text, struct filter_error *error)
{
	size_t size = sizeof(struct filter) + FILTER_NODES * sizeof(struct node);
	struct filter *filter = calloc(1, size), *shrunk;
	struct parser p = { .filter = filter, .error = error };
	int root = 0;

	memset(error, 0, sizeof(*error));
	if (!filter) {
		fail(&p, 0, "not enough memory");
		return NULL;
	}
	filter->node_count = 1;
	take_text(&p, text);
	if (!p.failed)
		next_token(&p);
	if (!p.failed && p.token != END) {
		root = parse_any(&p);
		if (!p.failed && p.token != END)
			unexpected(&p, "\"and\", \"or\" or the end (quote values that hold blanks "
			           "or parentheses)");
	}
	if (p.failed) {
		free(filter);
		return NULL;
	}
	filter->root = (uint8_t)root;
	shrunk = realloc(filter, sizeof(*filter) + filter->node_count * sizeof(struct node));
	return shrunk ? shrunk : filter;
}

void filter_free(struct filter *filter)
{
	free(filter);
}
