/* SPDX-License-Identifier: BSD-2-Clause */
#include "bios/pack.h"

#include <stdlib.h>
#include <string.h>

#include "bios/pack/pack_steps.h"

/* Packing: pack.h describes the format. */

#define PASSES 6 /* each learns what bits cost from the one before it */

struct packer {
	struct unpack_model model;
	struct pack_counts counts;
	uint64_t low;
	uint32_t range;
	uint8_t *out;
	size_t length;
};

/* --- range coder ------------------------------------------------------------ */

static void shift_out(struct packer *p)
{
	size_t i = p->length;

	if (p->low >> 32) /* a carry */
		while (p->out[--i]++ == 0xff)
			;
	p->out[p->length++] = (uint8_t)(p->low >> 24);
	p->low = p->low << 8 & UINT32_MAX;
}

static void write_bit(struct packer *p, uint16_t *probability, uint32_t bit)
{
	uint32_t bound = (p->range >> PACK_BITS) * *probability;

	p->counts.of[probability - (uint16_t *)&p->model][bit]++;
	if (bit) {
		p->low += bound;
		p->range -= bound;
		*probability -= *probability >> PACK_RATE;
	} else {
		p->range = bound;
		*probability += ((1u << PACK_BITS) - *probability) >> PACK_RATE;
	}
	while (p->range < PACK_RANGE_MIN) {
		p->range <<= 8;
		shift_out(p);
	}
}

static void write_number(struct packer *p, uint16_t *probabilities, uint32_t value)
{
	for (; value > 1; value >>= 1) {
		write_bit(p, probabilities++, 1);
		write_bit(p, probabilities++, value & 1);
	}
	write_bit(p, probabilities, 0);
}

/* --- steps ------------------------------------------------------------------- */

static void write_literal(struct packer *p, uint8_t class, uint8_t byte)
{
	uint16_t *tree = p->model.literal[class];

	for (uint32_t symbol = 1, i = 8; i--;) {
		write_bit(p, &tree[symbol], byte >> i & 1);
		symbol = symbol * 2 + (byte >> i & 1);
	}
}

static void write_match(struct packer *p, bool after_match, const struct pack_step *step)
{
	if (!after_match)
		write_bit(p, &p->model.repeat, step->repeated);
	if (!step->repeated)
		write_number(p, p->model.offset, step->offset);
	if (step->offset != PACK_END)
		write_number(p, p->model.length[step->repeated], step->length);
}

static void write_steps(struct packer *p, const uint8_t *data, size_t size,
                        const struct pack_step *steps)
{
	static const struct pack_step end = { .offset = PACK_END };
	bool after_match = false;
	uint8_t class = 0;

	for (size_t at = 0; at < size; at += steps[at].length) {
		class = at ? pack_class(data[at - 1]) : 0;
		write_bit(p, &p->model.match[after_match][class], steps[at].match);
		if (steps[at].match)
			write_match(p, after_match, &steps[at]);
		else
			write_literal(p, class, data[at]);
		after_match = steps[at].match;
	}
	class = size ? pack_class(data[size - 1]) : 0;
	write_bit(p, &p->model.match[after_match][class], 1);
	write_match(p, after_match, &end);
	for (size_t i = 0; i < 4; i++)
		shift_out(p);
}

/* make_relative() of unpack.c undoes this. */
static void make_absolute(uint8_t *data, size_t size)
{
	uint32_t target;

	for (size_t i = 0; i + 5 <= size; i++) {
		if ((data[i] & 0xfe) != 0xe8)
			continue;
		memcpy(&target, data + i + 1, sizeof(target));
		target += (uint32_t)i + 1;
		memcpy(data + i + 1, &target, sizeof(target));
		i += sizeof(target);
	}
}

size_t pack(uint8_t *data, size_t size, uint8_t *out)
{
	struct pack_step *steps = calloc(size + 1, sizeof(*steps));
	struct packer *p = calloc(1, sizeof(*p));
	size_t length;

	if (!steps || !p)
		abort();
	make_absolute(data, size);
	for (int pass = 0; pass < PASSES; pass++) {
		pack_find_steps(data, size, &p->counts, steps);
		for (size_t i = 0; i < PACK_PROBABILITIES; i++)
			((uint16_t *)&p->model)[i] = PACK_HALF;
		memset(&p->counts, 0, sizeof(p->counts));
		p->out = out;
		p->low = p->length = 0;
		p->range = UINT32_MAX;
		write_steps(p, data, size, steps);
	}
	length = p->length;
	free(p);
	free(steps);
	return length;
}
