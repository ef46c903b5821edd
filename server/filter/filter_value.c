/* SPDX-License-Identifier: BSD-2-Clause */
/* The values in filters, each kind of fact with its own spelling. */
#include "server/filter/filter_value.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "nbp/proto/error.h"

#define BIT(operator) (1u << (operator))
#define SAME (BIT(OPERATOR_IS) | BIT(OPERATOR_IS_NOT))
#define ORDER \
	(BIT(OPERATOR_BELOW) | BIT(OPERATOR_ABOVE) | BIT(OPERATOR_AT_MOST) | BIT(OPERATOR_AT_LEAST))
#define PARTS (BIT(OPERATOR_CONTAINS) | BIT(OPERATOR_STARTS_WITH))

static const struct {
	unsigned int operators;
	const char *names;
} kinds[] = {
	[FACT_TEXT] = { SAME | PARTS, "one of = <> contains starts-with" },
	[FACT_NUMBER] = { SAME | ORDER, "one of = <> < > <= >=" },
	[FACT_MEMORY] = { SAME | ORDER, "one of = <> < > <= >=" },
	[FACT_SIZE] = { SAME | ORDER, "one of = <> < > <= >=" },
	[FACT_DIGITS] = { SAME | PARTS, "one of = <> contains starts-with" },
	[FACT_ADDRESS] = { SAME | ORDER | PARTS | BIT(OPERATOR_IN),
	                   "one of = <> < > <= >= in contains starts-with" },
	[FACT_CHOICE] = { SAME, "one of = <>" },
};

bool filter_takes(const struct fact *fact, enum operator operator)
{
	return kinds[fact->kind].operators & BIT(operator);
}

const char *filter_operators(const struct fact *fact)
{
	return kinds[fact->kind].names;
}

/* --- numbers ------------------------------------------------------------------ */

/* Reads digits, and up to three after a point, in thousandths. Returns what follows, or NULL. */
static const char *read_decimal(const char *text, const char *end, uint64_t *thousandths)
{
	uint64_t value = 0, unit = 1000;

	if (text == end || *text < '0' || *text > '9')
		return NULL;
	for (; text < end && *text >= '0' && *text <= '9'; text++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
			return NULL;
	if (__builtin_mul_overflow(value, 1000, &value))
		return NULL;
	if (text < end && *text == '.') {
		for (text++; text < end && *text >= '0' && *text <= '9' && unit > 1; text++) {
			unit /= 10;
			if (__builtin_add_overflow(value, (uint64_t)(*text - '0') * unit, &value))
				return NULL;
		}
		if (unit == 1000)
			return NULL;
	}
	*thousandths = value;
	return text;
}

/* The factor of a unit; without one, MiB. Returns 0 if it is none. */
static uint64_t read_unit(const char *unit, size_t length, bool decimal)
{
	static const char letters[] = "kmgt";
	const char *letter;
	uint64_t factor = 1, step = 1024;

	if (length == 0)
		return 1 << 20;
	if (length == 1 && (*unit == 'b' || *unit == 'B'))
		return 1;
	letter = memchr(letters, *unit | 0x20, sizeof(letters) - 1);
	if (!letter || length > 3 || (length == 2 && strncasecmp(unit + 1, "b", 1) != 0) ||
	    (length == 3 && strncasecmp(unit + 1, "ib", 2) != 0))
		return 0;
	if (length == 2 && decimal)
		step = 1000;
	for (const char *l = letters; l <= letter; l++)
		factor *= step;
	return factor;
}

bool filter_is_unit(const char *word, size_t length)
{
	return length && read_unit(word, length, false);
}

static int take_number(const struct fact *fact, const char *text, size_t length, uint64_t *number)
{
	const char *unit = read_decimal(text, text + length, number);
	uint64_t factor = 1, whole;

	if (!unit)
		return ERR_MALFORMED;
	while (unit < text + length && *unit == ' ')
		unit++;
	if (fact->kind == FACT_NUMBER || fact->kind == FACT_CHOICE) {
		if (unit != text + length || *number % 1000)
			return ERR_MALFORMED;
	} else {
		factor = read_unit(unit, (size_t)(text + length - unit), fact->kind == FACT_SIZE);
		if (factor == 0)
			return ERR_MALFORMED;
	}
	if (__builtin_mul_overflow(*number / 1000, factor, &whole) ||
	    __builtin_add_overflow(whole, *number % 1000 * factor / 1000, number))
		return ERR_MALFORMED;
	return 0;
}

/* --- the others ---------------------------------------------------------------- */

/* Keeps the digits of "52:54:00", "8086:100e", "0x8086", "{...}" in lower case. */
static int take_digits(const struct fact *fact, const char *text, size_t length,
                       struct node *node)
{
	size_t count = 0, wanted = fact_digits(fact);

	if (length >= 2 && text[0] == '0' && (text[1] | 0x20) == 'x') {
		text += 2;
		length -= 2;
	}
	for (size_t i = 0; i < length; i++) {
		char c = text[i];

		if (c && strchr(":-.{}", c))
			continue;
		if (c >= 'A' && c <= 'F')
			c = (char)(c | 0x20);
		if (count == wanted || !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return ERR_MALFORMED;
		node->value.digits[count++] = c;
	}
	node->value.digits[count] = '\0';
	if (count == 0 || (count != wanted && (node->operator == OPERATOR_IS ||
	                                       node->operator == OPERATOR_IS_NOT)))
		return ERR_MALFORMED;
	return 0;
}

static int take_address(const char *text, size_t length, struct node *node)
{
	char address[64];

	if (node->operator == OPERATOR_CONTAINS || node->operator == OPERATOR_STARTS_WITH)
		return length ? 0 : ERR_MALFORMED;
	if (length >= sizeof(address))
		return ERR_MALFORMED;
	memcpy(address, text, length);
	address[length] = '\0';
	return fact_address(address, node->operator == OPERATOR_IN, &node->value.address);
}

static int take_choice(const struct fact *fact, const char *text, size_t length, uint64_t *number)
{
	for (const struct fact_choice *c = fact->choices; c->name; c++)
		if (strlen(c->name) == length && strncasecmp(c->name, text, length) == 0) {
			*number = c->number;
			return 0;
		}
	/* Architectures have numbers that we have no name for. */
	return fact->size == 2 ? take_number(fact, text, length, number) : ERR_MALFORMED;
}

/* Texts with nothing in them are on every machine. */
static int take_text(size_t length, const struct node *node)
{
	bool part = node->operator == OPERATOR_CONTAINS || node->operator == OPERATOR_STARTS_WITH;

	return part && length == 0 ? ERR_MALFORMED : 0;
}

static void say_expected(const struct fact *fact, const struct node *node, char *out, size_t size)
{
	bool whole = node->operator == OPERATOR_IS || node->operator == OPERATOR_IS_NOT;

	switch (fact->kind) {
	case FACT_TEXT: snprintf(out, size, "some text"); break;
	case FACT_NUMBER: snprintf(out, size, "a number"); break;
	case FACT_MEMORY:
	case FACT_SIZE: snprintf(out, size, "a size, as in 512M, 8 GB or 1.5T"); break;
	case FACT_DIGITS:
		snprintf(out, size, "%s%zu hexadecimal digits", whole ? "" : "at most ",
		         fact_digits(fact));
		break;
	case FACT_ADDRESS:
		snprintf(out, size, "an IP %s", node->operator == OPERATOR_IN
		         ? "network, as in 10.0.0.0/8" : "address, as in 10.0.2.15");
		break;
	case FACT_CHOICE:
		snprintf(out, size, "one of ");
		for (const struct fact_choice *c = fact->choices; c->name; c++)
			snprintf(out + strlen(out), size - strlen(out), "%s%s", c->name,
			         c[1].name ? " " : "");
	}
}

int filter_value(const struct fact *fact, const char *text, struct node *node, char *expected,
                 size_t size)
{
	const char *value = text + node->text;
	size_t length = node->text_length;
	int rc = ERR_MALFORMED;

	switch (fact->kind) {
	case FACT_TEXT: rc = take_text(length, node); break;
	case FACT_NUMBER:
	case FACT_MEMORY:
	case FACT_SIZE: rc = take_number(fact, value, length, &node->value.number); break;
	case FACT_DIGITS: rc = take_digits(fact, value, length, node); break;
	case FACT_ADDRESS: rc = take_address(value, length, node); break;
	case FACT_CHOICE: rc = take_choice(fact, value, length, &node->value.number); break;
	}
	if (rc)
		say_expected(fact, node, expected, size);
	return rc;
}
