/* SPDX-License-Identifier: BSD-2-Clause */
/* Says whether a filter matches a machine, and why. */
#include "server/filter/filter.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "server/filter/filter_facts.h"

/* As in SQL, an unknown fact makes a comparison neither true nor false. */
enum truth { NO, UNKNOWN, YES };

/* --- comparisons --------------------------------------------------------------- */

static bool contains(const char *text, const char *part, size_t length)
{
	int first = tolower((unsigned char)part[0]);

	for (size_t left = strlen(text); left >= length; left--, text++)
		if (tolower((unsigned char)text[0]) == first &&
		    strncasecmp(text, part, length) == 0)
			return true;
	return false;
}

static bool compare_text(enum operator operator, const char *text, const char *value,
                         size_t length)
{
	switch (operator) {
	case OPERATOR_CONTAINS: return contains(text, value, length);
	case OPERATOR_STARTS_WITH: return strncasecmp(text, value, length) == 0;
	default:
		return (strlen(text) == length && strncasecmp(text, value, length) == 0) ==
		       (operator == OPERATOR_IS);
	}
}

/* @order: below 0, 0 or above, as the machine's value is */
static bool ordered(enum operator operator, int order)
{
	switch (operator) {
	case OPERATOR_IS: return order == 0;
	case OPERATOR_IS_NOT: return order != 0;
	case OPERATOR_BELOW: return order < 0;
	case OPERATOR_ABOVE: return order > 0;
	case OPERATOR_AT_MOST: return order <= 0;
	default: return order >= 0;
	}
}

static bool is_ipv4(const struct fact_address *address)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(address->bytes, mapped, sizeof(mapped)) == 0;
}

static bool within(const struct fact_address *address, const struct fact_address *network)
{
	unsigned int whole = network->bits / 8, rest = network->bits % 8;

	return memcmp(address->bytes, network->bytes, whole) == 0 &&
	       (rest == 0 || (address->bytes[whole] ^ network->bytes[whole]) >> (8 - rest) == 0);
}

static bool compare_address(const struct node *node, const char *value,
                            const struct fact_value *reported)
{
	const struct fact_address *other = &node->value.address;

	switch (node->operator) {
	case OPERATOR_CONTAINS:
	case OPERATOR_STARTS_WITH:
		return compare_text(node->operator, reported->text, value, node->text_length);
	case OPERATOR_IN:
		return within(&reported->address, other);
	case OPERATOR_IS:
	case OPERATOR_IS_NOT:
		break;
	default: /* neither comes before the other */
		if (is_ipv4(&reported->address) != is_ipv4(other))
			return false;
	}
	return ordered(node->operator, memcmp(reported->address.bytes, other->bytes, 16));
}

static enum truth compare(const struct filter *filter, const struct node *node,
                          const struct subject *subject)
{
	const struct fact *fact = &fact_table[node->fact];
	const char *value = filter->text + node->text;
	struct fact_value reported;
	bool yes;

	fact_read(fact, subject, &reported);
	/* "asset-tag = ''" asks whether it is unknown. */
	if (!reported.known && !(fact->kind == FACT_TEXT && node->text_length == 0))
		return UNKNOWN;
	switch (fact->kind) {
	case FACT_TEXT:
		yes = compare_text(node->operator, reported.text, value, node->text_length);
		break;
	case FACT_DIGITS:
		yes = compare_text(node->operator, reported.text, node->value.digits,
		                   strlen(node->value.digits));
		break;
	case FACT_ADDRESS:
		yes = compare_address(node, value, &reported);
		break;
	default:
		yes = ordered(node->operator, reported.number < node->value.number ? -1
		              : reported.number > node->value.number);
	}
	return yes ? YES : NO;
}

/* --- the whole ------------------------------------------------------------------ */

/* The parser has limited how deep it goes. */
static enum truth evaluate(const struct filter *filter, const struct node *node,
                           const struct subject *subject)
{
	enum truth result = node->kind == NODE_AND ? YES : NO;

	if (node->kind == NODE_COMPARE)
		return compare(filter, node, subject);
	if (node->kind == NODE_NOT)
		return YES - evaluate(filter, &filter->nodes[node->first], subject);
	for (unsigned int i = node->first; i; i = filter->nodes[i].next) {
		enum truth one = evaluate(filter, &filter->nodes[i], subject);

		if (node->kind == NODE_AND ? one < result : one > result)
			result = one;
		if (result == (node->kind == NODE_AND ? NO : YES))
			break;
	}
	return result;
}

/*
 * Appends "memory >= 8G (it is 4096 MiB)", with a "not " where that is what counts.
 * Returns false where there is no room for it.
 */
static bool explain_comparison(const struct filter *filter, const struct node *node,
                 const struct subject *subject, bool negated, char *because)
{
	const struct fact *fact = &fact_table[node->fact];
	int max = negated ? 52 : 56;
	size_t length = strlen(because);
	struct fact_value reported;
	char is[TEXT_SIZE + 24], one[REASON_SIZE];
	int wrote;

	fact_read(fact, subject, &reported);
	fact_show(fact, &reported, is, sizeof(is));
	wrote = snprintf(one, sizeof(one), "%s%s%.*s (%s)", length ? "; " : "",
	                 negated ? "not " : "", node->length > max ? max : node->length,
	                 filter->text + node->start, is);
	if (length == 0 || length + (size_t)wrote < REASON_SIZE) {
		memcpy(because + length, one, strlen(one) + 1);
		return true;
	}
	if (length + 6 <= REASON_SIZE)
		memcpy(because + length, "; ...", 6);
	return false;
}

/*
 * Explains the comparisons that made @node what it is: one if that sufficed, else all.
 * @negated: by what @node is in
 */
static bool explain(const struct filter *filter, const struct node *node,
                    const struct subject *subject, bool negated, char *because)
{
	enum truth result = evaluate(filter, node, subject);
	bool all = result == (node->kind == NODE_AND ? YES : NO);

	if (node->kind == NODE_COMPARE)
		return explain_comparison(filter, node, subject, negated, because);
	if (node->kind == NODE_NOT)
		return explain(filter, &filter->nodes[node->first], subject, !negated, because);
	for (unsigned int i = node->first; i; i = filter->nodes[i].next) {
		if (!all && evaluate(filter, &filter->nodes[i], subject) != result)
			continue;
		if (!explain(filter, &filter->nodes[i], subject, negated, because))
			return false;
		if (!all)
			break;
	}
	return true;
}

bool filter_match(const struct filter *filter, const struct subject *subject,
                  char because[REASON_SIZE])
{
	const struct node *root = &filter->nodes[filter->root];

	if (because)
		because[0] = '\0';
	if (filter->root == 0) {
		if (because)
			snprintf(because, REASON_SIZE, "it is for every machine");
		return true;
	}
	if (because)
		explain(filter, root, subject, false, because);
	return evaluate(filter, root, subject) == YES;
}

void filter_compare_each(const struct filter *filter, const struct subject *subject,
                         void (*see)(void *data, const struct filter_comparison *comparison),
                         void *data)
{
	/* The parser has put the nodes where they stand in the text; 0 is none. */
	for (unsigned int i = 1; i < filter->node_count; i++) {
		const struct node *node = &filter->nodes[i];
		struct filter_comparison comparison;
		struct fact_value reported;
		enum truth truth;

		if (node->kind != NODE_COMPARE)
			continue;
		truth = compare(filter, node, subject);
		snprintf(comparison.text, sizeof(comparison.text), "%.*s", node->length,
		         filter->text + node->start);
		comparison.known = truth != UNKNOWN;
		comparison.matches = truth == YES;
		fact_read(&fact_table[node->fact], subject, &reported);
		fact_show(&fact_table[node->fact], &reported, comparison.found,
		          sizeof(comparison.found));
		see(data, &comparison);
	}
}
