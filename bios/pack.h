/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BIOS_PACK_H
#define BIOS_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The packed format of nvlnbp.sys. The folder bios/pack/ is the packer, a program that runs on the
 * host during the build; bios/unpack.c, which is in the NBP, undoes what it does. A PXE
 * ROM need not load more than 32 KiB of an NBP, so all of the file is packed but the
 * first instructions and the unpacker.
 *
 * The packed data is a series of steps, each a literal byte or a match, which is a copy of
 * earlier output (LZ77). Each step is a few bits. Each bit has a probability of its own,
 * which adapts to the bits that came before (struct unpack_model), and a range coder turns
 * the bits into bytes: the coder of LZMA, with a much smaller model.
 *
 *	step:    bit MATCH, by the previous byte: 0 for a literal, 1 for a match
 *	literal: 8 bits, highest first, each by the bits before it and the previous byte
 *	match:   after a literal, bit REPEAT: 1 if the offset is the last match's. If it is
 *	         not, and after a match, the offset as a number. Then the length as a number.
 *	number:  the bits below its highest one, lowest first, each after a bit 1, which says
 *	         that there is one more; then a bit 0. The least number is 1.
 *
 * Offset 1 is the previous byte. An offset of PACK_END, without a length, ends the data.
 * Before packing, the relative targets of calls and jumps are made absolute, so that two
 * calls of one function look alike.
 *
 * The file is the part that is not packed, the packed data, and the CRC-32 of both. The
 * file's size is in the file, at PACK_FILE_SIZE, for a file that was cut short: the CRC-32
 * is that of so many bytes of memory, of which the last ones then are not the file's.
 */

#define PACK_FILE_SIZE 20      /* the offset of the file's size, a little-endian uint16_t */
#define PACK_SIZE_LIMIT 0xfffe /* bytes that can be packed: offsets are below PACK_END */

#define PACK_BITS 12           /* bits of a probability, which is that of a bit 0 */
#define PACK_HALF (1u << (PACK_BITS - 1))
#define PACK_RATE 4            /* a probability adapts by 1/16 of the difference */
#define PACK_RANGE_MIN (1u << 24)
#define PACK_NUMBER 32         /* probabilities of a number */
#define PACK_END 0xffff
#define PACK_CLASSES 8         /* classes of the previous byte: by its highest bits */

struct unpack_model {
	uint16_t match[2][PACK_CLASSES]; /* [1]: after a match; by the previous byte */
	uint16_t repeat;
	uint16_t offset[PACK_NUMBER];
	uint16_t length[2][PACK_NUMBER]; /* [1]: where the offset is repeated */
	uint16_t literal[PACK_CLASSES][256]; /* by the previous byte */
};

static inline uint8_t pack_class(uint8_t previous)
{
	return previous / (256 / PACK_CLASSES);
}

/**
 * Packs @size bytes at @data, which it changes.
 * @out: receives the packed data, less than 2 * @size + 64 bytes
 * Returns their length.
 */
size_t pack(uint8_t *data, size_t size, uint8_t *out);

/**
 * Unpacks what pack() made. Whatever @packed holds, the function reads and writes nothing
 * beyond the buffers given, and comes to an end.
 * @size: bytes of @packed
 * @capacity: bytes of @out; fewer than were packed are an error
 * @model: a buffer for the function's use; it may hold anything
 * Returns the length; 0 if pack() did not make this.
 */
size_t unpack(const uint8_t *packed, size_t size, uint8_t *out, size_t capacity,
              struct unpack_model *model);

#endif
