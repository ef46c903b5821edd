/* SPDX-License-Identifier: BSD-2-Clause */
/* What may follow a verb, of its usage: "NAME [DEVICE]... [--force]". */
#include <stdio.h>
#include <string.h>

#include "server/ctl/noun.h"

/* Skips an option in a usage, "[--boot N]" or "--config FILE". Returns what follows it. */
static const char *skip_option(const char *at)
{
	size_t length = strcspn(at, " ");

	if (memchr(at, ']', length))
		return at + length;
	if (at[0] == '[') {
		at += strcspn(at, "]");
		return at + strcspn(at, " ");
	}
	at += length + strspn(at + length, " ");
	return at + strcspn(at, " ");
}

size_t usage_places(const struct verb *verb, struct place places[USAGE_PLACES_MAX])
{
	const char *at = verb->usage ? verb->usage : "";
	size_t count = 0, length;

	for (; *at && *at != '|' && count < USAGE_PLACES_MAX; at += strspn(at, " ")) {
		size_t open = strspn(at, "[");

		/* An option, but for "[--to] TARGET...", whose dashes may be left out. */
		if (at[open] == '-') {
			at = skip_option(at);
			continue;
		}
		length = strcspn(at + open, " ].");
		places[count].optional = open > 0;
		snprintf(places[count].words, USAGE_WORD, "%.*s", (int)length, at + open);
		length = strcspn(at, " ");
		places[count++].repeated = length > 3 && memcmp(at + length - 3, "...", 3) == 0;
		at += length;
	}
	return count;
}

uint32_t usage_next(const struct place *places, size_t count, int given)
{
	uint32_t next = 1;

	for (int i = 0; i <= given; i++) {
		uint32_t after = 0;

		for (size_t p = 0; p < count; p++)
			if (next >> p & 1 && places[p].optional)
				next |= 1u << (p + 1);
		for (size_t p = 0; i < given && p < count; p++)
			if (next >> p & 1)
				after |= 1u << (p + 1) | (places[p].repeated ? 1u << p : 0);
		if (i < given)
			next = after;
	}
	return next;
}
