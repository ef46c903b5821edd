/* SPDX-License-Identifier: BSD-2-Clause */
#include "bios/pack.h"

/* This code runs before the rest of the NBP is in memory: see entry.asm. It bounds every
 * number of the packed data before it uses it. */

struct unpacker {
	const uint8_t *in, *end;
	bool spent; /* more input was needed than there is */
	uint32_t range, code;
};

static __attribute__((noinline)) void read_byte(struct unpacker *u)
{
	u->spent = u->in == u->end;
	u->range <<= 8;
	u->code = u->code << 8 | (u->spent ? 0 : *u->in++);
}

static __attribute__((noinline)) uint32_t read_bit(struct unpacker *u, uint16_t *probability)
{
	uint32_t bound = (u->range >> PACK_BITS) * *probability;
	uint32_t bit = u->code >= bound;

	if (bit) {
		u->code -= bound;
		u->range -= bound;
		*probability -= *probability >> PACK_RATE;
	} else {
		u->range = bound;
		*probability += ((1u << PACK_BITS) - *probability) >> PACK_RATE;
	}
	while (u->range < PACK_RANGE_MIN)
		read_byte(u);
	return bit;
}

/* Returns 0 if it has more bits than any number. */
static uint32_t read_number(struct unpacker *u, uint16_t *probabilities)
{
	uint32_t value = 0, place = 1;

	while (read_bit(u, probabilities++)) {
		if (place > PACK_END / 2)
			return 0;
		value += read_bit(u, probabilities++) * place;
		place *= 2;
	}
	return value + place;
}

static size_t decode_steps(struct unpacker *u, uint8_t *out, size_t capacity,
                     struct unpack_model *model)
{
	uint32_t offset = 0, length, repeated, matched = 0, symbol;
	uint8_t class;
	uint8_t *to = out, *end = out + capacity;

	while (!u->spent) {
		class = to == out ? 0 : pack_class(to[-1]);
		if (!read_bit(u, &model->match[matched][class])) {
			for (symbol = 1; symbol < 256;)
				symbol = symbol * 2 + read_bit(u, &model->literal[class][symbol]);
			if (to == end)
				break;
			*to++ = (uint8_t)symbol;
			matched = 0;
			continue;
		}
		repeated = !matched && read_bit(u, &model->repeat);
		if (!repeated)
			offset = read_number(u, model->offset);
		if (offset == PACK_END)
			return u->spent ? 0 : (size_t)(to - out);
		length = read_number(u, model->length[repeated]);
		if (offset == 0 || offset > (size_t)(to - out) || length == 0 ||
		    length > (size_t)(end - to))
			break;
		for (; length; length--, to++)
			*to = to[-(ptrdiff_t)offset];
		matched = 1;
	}
	return 0;
}

struct target {
	uint32_t address;
} __attribute__((packed));

/* Makes the targets of CALL and JMP relative again: while packed they are absolute. Bytes
 * that only look like such an instruction are changed there and back all the same. */
static void make_relative(uint8_t *data, size_t length)
{
	uint8_t *at = data, *end = data + length;

	while (end - at >= 5) {
		if ((*at++ & 0xfe) != 0xe8)
			continue;
		((struct target *)at)->address -= (uint32_t)(at - data);
		at += 4;
	}
}

size_t unpack(const uint8_t *packed, size_t size, uint8_t *out, size_t capacity,
              struct unpack_model *model)
{
	struct unpacker u = { .in = packed, .end = packed + size };
	uint16_t *probability = (uint16_t *)model;
	size_t length;

	for (size_t i = 0; i < sizeof(*model) / sizeof(*probability); i++)
		probability[i] = PACK_HALF;
	for (size_t i = 0; i < 4; i++)
		read_byte(&u);
	u.range = UINT32_MAX;
	length = decode_steps(&u, out, capacity, model);
	make_relative(out, length);
	return length;
}
