/* SPDX-License-Identifier: BSD-2-Clause */
#include "bios/pack/pack_steps.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH_MAX 1023

/* The cheapest series of steps found that ends at a position, by its last step. */
struct path {
	double cost;       /* in bits, from the start */
	struct pack_step step;
	bool after_match;  /* which of the paths to the step's beginning it continues */
};

struct search {
	const uint8_t *data;
	size_t size;
	const struct pack_counts *counts;
	struct path (*paths)[2]; /* by position; [1]: whose last step is a match */
	uint32_t *previous; /* by position: the last one with the same two bytes, or itself */
};

/* Only the addresses of its members matter: they are the indices of counts. */
static struct unpack_model model;

static double bit_cost(const struct search *s, const uint16_t *probability, uint32_t bit)
{
	const uint32_t *count = s->counts->of[probability - (const uint16_t *)&model];

	return log2((count[0] + count[1] + 0.8) / (count[bit] + 0.4));
}

static double number_cost(const struct search *s, const uint16_t *probabilities, uint32_t value)
{
	double cost = 0;

	for (; value > 1; value >>= 1) {
		cost += bit_cost(s, probabilities++, 1);
		cost += bit_cost(s, probabilities++, value & 1);
	}
	return cost + bit_cost(s, probabilities, 0);
}

static uint8_t previous_class(const struct search *s, size_t at)
{
	return at ? pack_class(s->data[at - 1]) : 0;
}

static double literal_cost(const struct search *s, size_t at)
{
	const uint16_t *tree = model.literal[previous_class(s, at)];
	double cost = 0;

	for (uint32_t symbol = 1, i = 8; i--;) {
		cost += bit_cost(s, &tree[symbol], s->data[at] >> i & 1);
		symbol = symbol * 2 + (s->data[at] >> i & 1);
	}
	return cost;
}

static double match_cost(const struct search *s, size_t at, bool after_match, uint32_t match)
{
	return bit_cost(s, &model.match[after_match][previous_class(s, at)], match);
}

static void offer_path(struct path *path, struct path other)
{
	if (other.cost < path->cost)
		*path = other;
}

static size_t match_length(const struct search *s, size_t at, size_t offset)
{
	size_t length = 0;

	while (length < LENGTH_MAX && at + length < s->size &&
	       s->data[at + length] == s->data[at + length - offset])
		length++;
	return length;
}

/* Offers the matches at @at of one offset and of all lengths from @shortest to @longest. */
static void offer_matches(struct search *s, size_t at, bool after_match, uint32_t offset,
                          size_t shortest, size_t longest)
{
	const struct path *from = &s->paths[at][after_match];
	bool repeated = !after_match && offset == from->step.offset;
	double cost = from->cost + match_cost(s, at, after_match, 1);

	if (!after_match)
		cost += bit_cost(s, &model.repeat, repeated);
	if (!repeated)
		cost += number_cost(s, model.offset, offset);
	for (size_t length = shortest; length <= longest; length++)
		offer_path(&s->paths[at + length][1], (struct path){
			cost + number_cost(s, model.length[repeated], (uint32_t)length),
			{ (uint32_t)length, offset, true, repeated }, after_match,
		});
}

static void offer_steps(struct search *s, size_t at, bool after_match)
{
	const struct path *from = &s->paths[at][after_match];
	size_t longest = 1, length, other = at;

	offer_path(&s->paths[at + 1][0], (struct path){
		from->cost + match_cost(s, at, after_match, 0) + literal_cost(s, at),
		{ 1, from->step.offset, false, false }, after_match,
	});
	if (!after_match && from->step.offset)
		offer_matches(s, at, false, from->step.offset, 1,
		              match_length(s, at, from->step.offset));
	/* For each length the nearest match is offered: a smaller offset costs less. */
	while (s->previous[other] != other) {
		other = s->previous[other];
		length = match_length(s, at, at - other);
		if (length > longest) {
			offer_matches(s, at, after_match, (uint32_t)(at - other), longest + 1,
			              length);
			longest = length;
		}
	}
}

static void find_paths(struct search *s)
{
	for (size_t i = 0; i <= s->size; i++)
		for (size_t m = 0; m < 2; m++)
			s->paths[i][m] = (struct path){ .cost = i || m ? HUGE_VAL : 0 };
	for (size_t i = 0; i < s->size; i++)
		for (size_t m = 0; m < 2; m++)
			if (s->paths[i][m].cost < HUGE_VAL)
				offer_steps(s, i, m);
}

static void find_pairs(struct search *s)
{
	static uint32_t last[0x10000];

	memset(last, 0xff, sizeof(last));
	for (size_t i = 0; i < s->size; i++) {
		uint8_t next = i + 1 < s->size ? s->data[i + 1] : 0;
		uint32_t *pair = &last[s->data[i] | next << 8];

		s->previous[i] = *pair == UINT32_MAX ? (uint32_t)i : *pair;
		*pair = (uint32_t)i;
	}
}

void pack_find_steps(const uint8_t *data, size_t size, const struct pack_counts *counts,
                     struct pack_step *steps)
{
	struct search s = {
		data, size, counts, calloc(size + 1, sizeof(*s.paths)),
		calloc(size, sizeof(*s.previous)),
	};
	bool match;

	if (!s.paths || !s.previous)
		abort();
	find_pairs(&s);
	find_paths(&s);
	match = s.paths[size][1].cost < s.paths[size][0].cost;
	for (size_t at = size; at;) {
		const struct path *path = &s.paths[at][match];

		at -= path->step.length;
		steps[at] = path->step;
		match = path->after_match;
	}
	free(s.paths);
	free(s.previous);
}
