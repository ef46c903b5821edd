/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_PROTO_WIRE_H
#define NBP_PROTO_WIRE_H

#include <stddef.h>
#include <stdint.h>

/*
 * A bounded cursor over a byte buffer, with a sticky error. Every parser of
 * foreign bytes and every encoder uses it, so that no other code computes with
 * pointers and lengths. After the first failure each read returns zeros and
 * each write does nothing, so a caller checks wire->error once, at the end.
 * Integers are in network byte order unless the name says little-endian.
 */
struct wire {
	uint8_t *data;   /* the buffer; the cursor never owns it */
	size_t size;     /* its size in bytes */
	size_t position; /* 0 <= position <= size */
	int error;       /* 0, ERR_TRUNCATED (reads) or ERR_SPACE (writes) */
};

/** Starts a cursor that only reads @size bytes at @data. */
struct wire wire_reader(const void *data, size_t size);

/** Starts a cursor that writes into @size bytes at @data. */
struct wire wire_writer(void *data, size_t size);

/** Returns how many bytes lie between the cursor and the end; 0 after an error. */
size_t wire_left(const struct wire *wire);

/** Moves the cursor to @position from the start; past the end is an error. */
void wire_seek(struct wire *wire, size_t position);

/** Moves the cursor @count bytes on without looking at them. */
void wire_skip(struct wire *wire, size_t count);

uint8_t wire_read_u8(struct wire *wire);
uint16_t wire_read_u16(struct wire *wire);
uint32_t wire_read_u32(struct wire *wire);
uint64_t wire_read_u64(struct wire *wire);
uint16_t wire_read_le16(struct wire *wire);
uint32_t wire_read_le32(struct wire *wire);
uint64_t wire_read_le64(struct wire *wire);

/** Copies @count bytes to @out; on failure @out is filled with zeros. */
void wire_read_bytes(struct wire *wire, void *out, size_t count);

/**
 * Returns a cursor over the next @count bytes and moves past them. On failure the
 * part is empty and has the error, too.
 */
struct wire wire_read_part(struct wire *wire, size_t count);

void wire_write_u8(struct wire *wire, uint8_t value);
void wire_write_u16(struct wire *wire, uint16_t value);
void wire_write_u32(struct wire *wire, uint32_t value);
void wire_write_u64(struct wire *wire, uint64_t value);
void wire_write_bytes(struct wire *wire, const void *bytes, size_t count);
/** Writes @count bytes of zero. */
void wire_write_zeros(struct wire *wire, size_t count);

#endif
