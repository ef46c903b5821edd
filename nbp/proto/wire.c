/* SPDX-License-Identifier: BSD-2-Clause */
#include "nbp/proto/wire.h"

#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"

struct wire wire_reader(const void *data, size_t size)
{
	/* The cast is safe: only wire_write_ functions store through data. */
	return (struct wire){ .data = (uint8_t *)data, .size = size };
}

struct wire wire_writer(void *data, size_t size)
{
	return (struct wire){ .data = data, .size = size };
}

size_t wire_left(const struct wire *wire)
{
	return wire->error ? 0 : wire->size - wire->position;
}

void wire_seek(struct wire *wire, size_t position)
{
	if (wire->error)
		return;
	if (position > wire->size) {
		wire->error = ERR_TRUNCATED;
		return;
	}
	wire->position = position;
}

/* Returns the next @count bytes and moves past them, or NULL with @error set. */
static uint8_t *wire_take(struct wire *wire, size_t count, int error)
{
	uint8_t *at;

	if (wire->error)
		return NULL;
	/* Not position + count > size: that sum can wrap. */
	if (count > wire->size - wire->position) {
		wire->error = error;
		return NULL;
	}
	at = wire->data + wire->position;
	wire->position += count;
	return at;
}

void wire_skip(struct wire *wire, size_t count)
{
	wire_take(wire, count, ERR_TRUNCATED);
}

static uint64_t wire_read_number(struct wire *wire, size_t count)
{
	const uint8_t *at = wire_take(wire, count, ERR_TRUNCATED);
	uint64_t value = 0;

	if (!at)
		return 0;
	for (size_t i = 0; i < count; i++)
		value = value << 8 | at[i];
	return value;
}

static uint64_t wire_read_le_number(struct wire *wire, size_t count)
{
	const uint8_t *at = wire_take(wire, count, ERR_TRUNCATED);
	uint64_t value = 0;

	if (!at)
		return 0;
	while (count--)
		value = value << 8 | at[count];
	return value;
}

uint8_t wire_read_u8(struct wire *wire)
{
	return (uint8_t)wire_read_number(wire, 1);
}

uint16_t wire_read_u16(struct wire *wire)
{
	return (uint16_t)wire_read_number(wire, 2);
}

uint32_t wire_read_u32(struct wire *wire)
{
	return (uint32_t)wire_read_number(wire, 4);
}

uint64_t wire_read_u64(struct wire *wire)
{
	return wire_read_number(wire, 8);
}

uint16_t wire_read_le16(struct wire *wire)
{
	return (uint16_t)wire_read_le_number(wire, 2);
}

uint32_t wire_read_le32(struct wire *wire)
{
	return (uint32_t)wire_read_le_number(wire, 4);
}

uint64_t wire_read_le64(struct wire *wire)
{
	return wire_read_le_number(wire, 8);
}

void wire_read_bytes(struct wire *wire, void *out, size_t count)
{
	const uint8_t *at = wire_take(wire, count, ERR_TRUNCATED);

	if (at)
		memcpy(out, at, count);
	else
		memset(out, 0, count);
}

struct wire wire_read_part(struct wire *wire, size_t count)
{
	uint8_t *at = wire_take(wire, count, ERR_TRUNCATED);

	if (!at)
		return (struct wire){ .error = wire->error };
	return (struct wire){ .data = at, .size = count };
}

static void wire_write_number(struct wire *wire, uint64_t value, size_t count)
{
	uint8_t *at = wire_take(wire, count, ERR_SPACE);

	if (!at)
		return;
	while (count--) {
		at[count] = (uint8_t)value;
		value >>= 8;
	}
}

void wire_write_u8(struct wire *wire, uint8_t value)
{
	wire_write_number(wire, value, 1);
}

void wire_write_u16(struct wire *wire, uint16_t value)
{
	wire_write_number(wire, value, 2);
}

void wire_write_u32(struct wire *wire, uint32_t value)
{
	wire_write_number(wire, value, 4);
}

void wire_write_u64(struct wire *wire, uint64_t value)
{
	wire_write_number(wire, value, 8);
}

void wire_write_bytes(struct wire *wire, const void *bytes, size_t count)
{
	uint8_t *at = wire_take(wire, count, ERR_SPACE);

	if (at)
		memcpy(at, bytes, count);
}

void wire_write_zeros(struct wire *wire, size_t count)
{
	uint8_t *at = wire_take(wire, count, ERR_SPACE);

	if (at)
		memset(at, 0, count);
}
