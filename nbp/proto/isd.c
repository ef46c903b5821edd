/* SPDX-License-Identifier: BSD-2-Clause */
#include "nbp/proto/isd.h"

#include "nbp/proto/crc32.h"
#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"
#include "nbp/proto/message_fields.h"
#include "nbp/proto/text.h"
#include "nbp/proto/wire.h"

#define MAGIC  0x4f504249 /* "OPBI" */
#define HEADER 12         /* bytes before the first field */
#define FIELDS_SIZE (ISD_COPY_SIZE - HEADER - 4) /* bytes for fields, before the CRC-32 */

/* Field numbers; nbp/image-safe-data.md says what they mean. */
enum {
	ISD_JUST_IMAGED = 1,
	ISD_DEVICE = 2,
	ISD_NAME = 3,
	ISD_NETWORK = 4,
	ISD_ADDRESS = 5,
	ISD_MASK = 6,
	ISD_GATEWAY = 7,
	ISD_DNS_SUFFIX = 8,
	ISD_DNS = 9,
	ISD_IMAGE = 10,
	ISD_IMAGE_TIME = 11,
	ISD_IMAGE_SIZE = 12,
	ISD_KEY = 13,
	ISD_FIELDS, /* one more than the last */
};

enum {
	FLAT, /* bytes, as many as its size */
	NUMBER64, /* uint64_t */
	STRING,
	ADDRESSES, /* four bytes each */
};

/* The fields by their numbers. */
static const struct {
	uint8_t kind;
	uint16_t offset, size; /* in struct isd */
} fields[ISD_FIELDS] = {
#define FIELD(kind, member) \
	{ kind, offsetof(struct isd, member), sizeof(((struct isd *)0)->member) }
	[ISD_JUST_IMAGED] = FIELD(FLAT, just_imaged),
	[ISD_DEVICE] = FIELD(FLAT, device),
	[ISD_NAME] = FIELD(STRING, name),
	[ISD_NETWORK] = FIELD(FLAT, network),
	[ISD_ADDRESS] = FIELD(FLAT, address),
	[ISD_MASK] = FIELD(FLAT, mask),
	[ISD_GATEWAY] = FIELD(FLAT, gateway),
	[ISD_DNS_SUFFIX] = FIELD(STRING, dns_suffix),
	[ISD_DNS] = FIELD(ADDRESSES, dns),
	[ISD_IMAGE] = FIELD(STRING, image),
	[ISD_IMAGE_TIME] = FIELD(NUMBER64, image_time),
	[ISD_IMAGE_SIZE] = FIELD(NUMBER64, image_size),
	[ISD_KEY] = FIELD(FLAT, key),
};

static bool known(uint16_t number)
{
	return number >= ISD_JUST_IMAGED && number < ISD_FIELDS;
}

bool isd_newer(uint32_t a, uint32_t b)
{
	/* RFC 1982 section 3.2: half of all numbers are newer than any one. */
	return a != b && a - b < 0x80000000;
}

/* --- decoding -------------------------------------------------------------- */

static int get_field(struct isd *isd, uint16_t number, struct wire *value)
{
	uint8_t *at = (uint8_t *)isd + fields[number].offset;
	size_t length = wire_left(value), size = fields[number].size;

	switch (fields[number].kind) {
	case FLAT:
		if (length != size)
			return ERR_MALFORMED;
		break;
	case NUMBER64:
		if (length != 8)
			return ERR_MALFORMED;
		*(uint64_t *)at = wire_read_u64(value);
		return 0;
	case STRING:
		if (length >= size)
			return ERR_MALFORMED;
		break;
	default:
		if (length > size || length % 4)
			return ERR_MALFORMED;
		isd->dns_count = (uint8_t)(length / 4);
	}
	/* *isd is zeros, so a text ends where the value does. */
	wire_read_bytes(value, at, length);
	if (fields[number].kind == STRING && (strlen((char *)at) != length || !text_ok((char *)at)))
		return ERR_MALFORMED;
	return 0;
}

static int get_fields(struct isd *isd, struct wire *in)
{
	uint32_t seen = 0;

	while (wire_left(in)) {
		uint16_t number = wire_read_u16(in);
		struct wire value = wire_read_part(in, wire_read_u16(in));

		if (in->error)
			return ERR_MALFORMED;
		if (!known(number))
			continue;
		if (seen >> number & 1 || get_field(isd, number, &value))
			return ERR_MALFORMED;
		seen |= (uint32_t)1 << number;
	}
	return 0;
}

/* Checks a copy except for the values of its fields; @in receives the fields. */
static int open_copy(const void *copy, uint32_t *sequence, struct wire *in)
{
	struct wire head = wire_reader(copy, ISD_COPY_SIZE), end = head;
	uint32_t magic = wire_read_u32(&head);
	uint8_t version = wire_read_u8(&head);
	uint16_t length;

	wire_skip(&head, 1);
	length = wire_read_u16(&head);
	*sequence = wire_read_u32(&head);
	wire_seek(&end, ISD_COPY_SIZE - 4);
	if (magic != MAGIC)
		return ERR_NOT_FOUND;
	if (crc32(copy, ISD_COPY_SIZE - 4) != wire_read_u32(&end))
		return ERR_MALFORMED;
	if (version != ISD_VERSION)
		return ERR_VERSION;
	if (length > FIELDS_SIZE)
		return ERR_MALFORMED;
	*in = wire_read_part(&head, length);
	return 0;
}

int isd_decode(struct isd *isd, const void *copy)
{
	struct wire in;
	int rc;

	memset(isd, 0, sizeof(*isd));
	rc = open_copy(copy, &isd->sequence, &in);
	return rc ? rc : get_fields(isd, &in);
}

/* --- encoding -------------------------------------------------------------- */

static int put_field(struct wire *out, const struct isd *isd, uint16_t number)
{
	const uint8_t *at = (const uint8_t *)isd + fields[number].offset;
	size_t size = fields[number].size, length = size;

	if (fields[number].kind == ADDRESSES)
		length = 4 * (size_t)isd->dns_count;
	if (fields[number].kind == STRING) {
		for (length = 0; length < size && at[length]; length++)
			continue;
		if (length == size || !text_ok((const char *)at))
			return ERR_MALFORMED;
	}
	if (length > size)
		return ERR_MALFORMED;
	if (all_zero(at, length))
		return 0;
	wire_write_u16(out, number);
	wire_write_u16(out, (uint16_t)length);
	if (fields[number].kind == NUMBER64)
		wire_write_u64(out, *(const uint64_t *)at);
	else
		wire_write_bytes(out, at, length);
	return 0;
}

/* Copies the fields of @old that this version does not know. */
static int carry_over(struct wire *out, const void *old)
{
	struct wire in;
	uint32_t sequence;
	int rc = open_copy(old, &sequence, &in);

	while (rc == 0 && wire_left(&in)) {
		uint16_t number = wire_read_u16(&in), length = wire_read_u16(&in);
		struct wire value = wire_read_part(&in, length);

		if (in.error)
			return ERR_MALFORMED;
		if (known(number))
			continue;
		wire_write_u16(out, number);
		wire_write_u16(out, length);
		wire_write_bytes(out, value.data, length);
	}
	return rc;
}

int isd_encode(const struct isd *isd, const void *old, void *copy)
{
	struct wire whole = wire_writer(copy, ISD_COPY_SIZE), out = whole;
	int rc = 0;

	memset(copy, 0, ISD_COPY_SIZE);
	wire_skip(&out, HEADER);
	out.size = HEADER + FIELDS_SIZE;
	for (uint16_t number = ISD_JUST_IMAGED; rc == 0 && number < ISD_FIELDS; number++)
		rc = put_field(&out, isd, number);
	if (rc == 0 && old)
		rc = carry_over(&out, old);
	if (rc || out.error)
		return rc ? rc : out.error;
	wire_write_u32(&whole, MAGIC);
	wire_write_u8(&whole, ISD_VERSION);
	wire_write_u8(&whole, 0); /* flags: none are defined */
	wire_write_u16(&whole, (uint16_t)(out.position - HEADER));
	wire_write_u32(&whole, isd->sequence);
	wire_seek(&whole, ISD_COPY_SIZE - 4);
	wire_write_u32(&whole, crc32(copy, ISD_COPY_SIZE - 4));
	return 0;
}
