/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BIOS_PACK_PACK_H
#define BIOS_PACK_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * nvlnbp.sys is packed: all of it but what runs in real mode and the unpacker,
 * since PXE ROMs need not load more than 32 KiB, and we may not take half.
 *
 * The data is a series of literal bytes and of matches, copies of earlier
 * output (LZ77). Each decision is a bit, with a probability of its own that
 * follows what came (struct unpack_model), and range coding turns them into
 * bytes: the coder of LZMA, with a much smaller model.
 *
 *	step:    bit MATCH, by the byte before: 0 a literal, 1 a match
 *	literal: 8 bits, highest first, each by those before it and the byte before
 *	match:   after a literal, bit REPEAT: 1 the offset is the last match's; else, or
 *	         after a match, the offset as a number. Then the length as a number.
 *	number:  its bits below the highest, lowest first, each after a bit 1: there is
 *	         one more; then a bit 0. From 1 on.
 *
 * Offset 1 is the byte before. An offset number of PACK_END ends all, without a length.
 * Before packing, calls' and jumps' relative targets are made absolute, so that
 * two calls of one function look alike; see unpack().
 *
 * The file is what is not packed, the packed data, and the CRC-32 of both. Its
 * size stands in it (entry.asm), as a file cut short is to be seen too: by the
 * CRC, since what lies behind it in memory is not what was cut off.
 */

#define PACK_FILE_SIZE 20     /* where it stands: a uint16_t */
#define PACK_SIZE_LIMIT 0xfffe /* of the data: offsets are below PACK_END */

#define PACK_BITS 12          /* of a probability: that a bit is 0 */
#define PACK_HALF (1u << (PACK_BITS - 1))
#define PACK_RATE 4           /* how fast it follows: by 1/16 of the difference */
#define PACK_RANGE_MIN (1u << 24)
#define PACK_NUMBER 32        /* probabilities of a number */
#define PACK_END 0xffff
#define PACK_CLASSES 8        /* of the byte before a step: its highest bits */

struct unpack_model {
	uint16_t match[2][PACK_CLASSES]; /* by whether the last step was one, the byte before */
	uint16_t repeat;
	uint16_t offset[PACK_NUMBER];
	uint16_t length[2][PACK_NUMBER]; /* [1]: of a repeated offset */
	uint16_t literal[PACK_CLASSES][256]; /* by the byte before */
};

static inline uint8_t pack_class(uint8_t before)
{
	return before / (256 / PACK_CLASSES);
}

/**
 * Packs @size bytes at @data, which it changes.
 * @out: receives the packed data, less than 2 * @size + 64 bytes
 * Returns their length.
 */
size_t pack(uint8_t *data, size_t size, uint8_t *out);

/**
 * Unpacks what pack() made. Whatever @packed holds, nothing is read or written
 * beyond the places given, and it ends.
 * @size: of the packed data
 * @capacity: of @out; may be less than what was packed, which then is an error
 * @model: a place that is free to use
 * Returns the length; 0 if this is not what pack() made.
 */
size_t unpack(const uint8_t *packed, size_t size, uint8_t *out, size_t capacity,
              struct unpack_model *model);

#endif
