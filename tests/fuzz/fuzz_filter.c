/* SPDX-License-Identifier: BSD-2-Clause */
/* Filters of rules: parsed, and held against a machine. */
#include "tests/fuzz/fuzz.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/filter/filter_facts.h"

static const char *const addresses[] = { "10.0.2.15", "fd00::1:2", "::ffff:192.0.2.1", "", "x" };

static void require_error(const struct filter_error *error, const char *text)
{
	REQUIRE(error->column >= 1 && error->column <= strlen(text) + 1);
	fuzz_require_text(error->message, sizeof(error->message));
	REQUIRE(error->message[0]);
}

static void require_sound(const struct filter *filter)
{
	size_t length = strlen(filter->text);

	REQUIRE(filter->node_count >= 1 && filter->root < filter->node_count);
	for (size_t i = 1; i < filter->node_count; i++) {
		const struct node *node = &filter->nodes[i];

		REQUIRE(node->next < filter->node_count && node->first < filter->node_count);
		REQUIRE((node->kind == NODE_COMPARE) == (node->first == 0));
		REQUIRE(node->length > 0 && node->start + node->length <= length);
		REQUIRE(node->text + node->text_length <= length);
	}
}

/* Any bytes for a request, with ends to its texts. */
static void fill(struct request *request, struct wire *in)
{
	size_t taken;
	uint8_t *bytes = fuzz_take(in, sizeof(*request), &taken);

	memcpy(request, bytes, taken);
	free(bytes);
	for (size_t i = 0; fact_table[i].name; i++)
		if (fact_table[i].kind == FACT_TEXT && fact_table[i].size)
			((char *)request)[fact_table[i].offset + fact_table[i].size - 1] = '\0';
	request->disk_count %= DISKS_MAX + 1;
}

static bool match(const struct filter *filter, const struct subject *subject)
{
	char because[REASON_SIZE];
	bool yes = filter_match(filter, subject, because);

	REQUIRE(memchr(because, '\0', sizeof(because)) && because[0]);
	REQUIRE(filter_match(filter, subject, NULL) == yes);
	return yes;
}

/* Parses what @format makes of @text; only its size may be against that. */
static struct filter *parse_as(const char *format, const char *text)
{
	static char made[FILTER_TEXT + 16];
	struct filter_error error;
	struct filter *filter;

	snprintf(made, sizeof(made), format, text);
	filter = filter_parse(made, &error);
	REQUIRE(filter || strncmp(error.message, "too ", 4) == 0);
	return filter;
}

/* What must hold of a sound filter and its variations. */
static void vary(const struct filter *filter, char *text, const struct subject *subject)
{
	bool yes = match(filter, subject);
	struct filter *other = filter->root ? parse_as("not (%s)", text) : NULL;

	REQUIRE(!other || !(yes && match(other, subject)));
	filter_free(other);
	other = filter->root ? parse_as("(%s)", text) : NULL;
	REQUIRE(!other || match(other, subject) == yes);
	filter_free(other);
	for (size_t i = 0; text[i]; i++)
		text[i] = (char)toupper(text[i]);
	other = parse_as("%s", text);
	REQUIRE(other && match(other, subject) == yes);
	filter_free(other);
}

/* Two bytes of length, which address, the filter, and the request's bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[2 * FILTER_TEXT];
	static struct request request;
	struct wire in = wire_reader(data, size);
	size_t length = wire_read_u16(&in) % (FILTER_TEXT + 2), taken;
	uint8_t which = wire_read_u8(&in), *bytes = fuzz_take(&in, length, &taken);
	struct subject subject = {
		.request = which & 0x80 ? NULL : &request,
		.address = addresses[which % 5],
		.name = which & 0x40 ? "web01" : "",
	};
	struct filter_error error;
	struct filter *filter;

	memcpy(text, bytes, taken);
	text[taken] = '\0';
	free(bytes);
	memset(&request, 0, sizeof(request));
	fill(&request, &in);
	filter = filter_parse(text, &error);
	if (!filter) {
		require_error(&error, text);
		return 0;
	}
	require_sound(filter);
	vary(filter, text, &subject);
	filter_free(filter);
	return 0;
}
