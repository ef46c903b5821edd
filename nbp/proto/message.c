/* SPDX-License-Identifier: BSD-2-Clause */
#include "nbp/proto/message.h"

#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"
#include "nbp/proto/message_fields.h"
#include "nbp/proto/text.h"
#include "nbp/proto/wire.h"

#define MAGIC 0x4f504250 /* "OPBP" */

int message_file_name_ok(const char *name)
{
	size_t length = strlen(name);
	const char *component = name;

	if (length == 0 || length >= FILE_SIZE)
		return 0;
	for (const char *at = name;; at++) {
		bool letter = (*at >= 'A' && *at <= 'Z') || (*at >= 'a' && *at <= 'z') ||
		              (*at >= '0' && *at <= '9');

		if (*at == '/' || *at == '\0') {
			if (at - component == 2 && component[0] == '.' && component[1] == '.')
				return 0;
			if (*at == '\0')
				return 1;
			component = at + 1;
		} else if (!letter && *at != '.' && *at != '_' && *at != '-') {
			return 0;
		}
	}
}

/* The space that the other fields of struct details leave in a datagram. */
#define DETAILS_WIRE_MAX \
	(MESSAGE_MAX - MESSAGE_HEADER - (FIELD_HEADER + 8) - 2 * (FIELD_HEADER + 1) - \
	 (FIELD_HEADER + NAME_SIZE - 1) - (FIELD_HEADER + FILE_SIZE - 1))

int details_add(struct details *details, const char *key, const char *value)
{
	size_t key_length = strlen(key), value_length = strlen(value);
	size_t total = key_length + 1 + value_length + 1;
	size_t on_wire = FIELD_HEADER + total - 1;
	char *at = details->details + details->details_length;

	if (!message_detail_key_ok(key) || !text_ok(value))
		return ERR_MALFORMED;
	for (size_t i = 0; i < details->details_length; i++)
		on_wire += details->details[i] ? 1 : FIELD_HEADER;
	if (on_wire > DETAILS_WIRE_MAX ||
	    total > sizeof(details->details) - details->details_length)
		return ERR_SPACE;
	memcpy(at, key, key_length);
	at[key_length] = '=';
	memcpy(at + key_length + 1, value, value_length + 1);
	details->details_length = (uint16_t)(details->details_length + total);
	return 0;
}

/* --- numbers in a structure ------------------------------------------------ */

static uint64_t number_get(const void *at, size_t size)
{
	switch (size) {
	case 1: return *(const uint8_t *)at;
	case 2: return *(const uint16_t *)at;
	case 4: return *(const uint32_t *)at;
	default: return *(const uint64_t *)at;
	}
}

static void number_set(void *at, size_t size, uint64_t value)
{
	switch (size) {
	case 1: *(uint8_t *)at = (uint8_t)value; break;
	case 2: *(uint16_t *)at = (uint16_t)value; break;
	case 4: *(uint32_t *)at = (uint32_t)value; break;
	default: *(uint64_t *)at = value; break;
	}
}

/* --- encoding -------------------------------------------------------------- */

static void put_field(struct wire *out, uint16_t number, const void *value, size_t length)
{
	wire_write_u16(out, number);
	wire_write_u16(out, (uint16_t)length);
	wire_write_bytes(out, value, length);
}

/* Encodes the string at @text, which must have its NUL within @size bytes. */
static int put_text(struct wire *out, const struct message_field *field, const char *text,
                    size_t size)
{
	size_t length = 0;

	while (length < size && text[length])
		length++;
	if (length == size || !text_ok(text))
		return ERR_MALFORMED;
	if (length == 0)
		return 0;
	if (field->kind == FIELD_KIND_FILE_NAME && !message_file_name_ok(text))
		return ERR_MALFORMED;
	put_field(out, field->number, text, length);
	return 0;
}

static int put_details(struct wire *out, const struct details *details)
{
	static const struct message_field field = { FIELD_DETAIL, FIELD_KIND_TEXT, 0, 0 };
	size_t at = 0;

	if (details->details_length > sizeof(details->details))
		return ERR_MALFORMED;
	while (at < details->details_length) {
		int rc = put_text(out, &field, details->details + at, details->details_length - at);

		if (rc)
			return rc;
		at += strlen(details->details + at) + 1;
	}
	return 0;
}

#define DISK_FIELD_SIZE 13 /* kind, sector size, sectors */

static void put_disks(struct wire *out, const struct request *request)
{
	for (size_t i = 0; i < request->disk_count && i < DISKS_MAX; i++) {
		const struct disk *disk = &request->disks[i];

		wire_write_u16(out, FIELD_DISK);
		wire_write_u16(out, DISK_FIELD_SIZE);
		wire_write_u8(out, disk->kind);
		wire_write_u32(out, disk->sector_size);
		wire_write_u64(out, disk->sectors);
	}
}

static int put_member(struct wire *out, const struct message_field *field,
                      const struct message *message)
{
	const uint8_t *at = (const uint8_t *)message + field->offset;
	uint64_t value;

	switch (field->kind) {
	case FIELD_KIND_NUMBER:
		value = number_get(at, field->size);
		if (value == 0)
			return 0;
		wire_write_u16(out, field->number);
		wire_write_u16(out, field->size);
		for (int shift = (field->size - 1) * 8; shift >= 0; shift -= 8)
			wire_write_u8(out, (uint8_t)(value >> shift));
		return 0;
	case FIELD_KIND_BYTES:
		if (!all_zero(at, field->size))
			put_field(out, field->number, at, field->size);
		return 0;
	case FIELD_KIND_DETAIL:
		return put_details(out, &message->u.details);
	case FIELD_KIND_DISK:
		put_disks(out, &message->u.request);
		return 0;
	default:
		return put_text(out, field, (const char *)at, field->size);
	}
}

int message_encode(const struct message *message, void *buffer, size_t capacity, size_t *length)
{
	const struct message_layout *layout = message_layout(message->type);
	struct wire out = wire_writer(buffer, capacity < MESSAGE_MAX ? capacity : MESSAGE_MAX);
	int rc;

	if (!layout || !message_complete(message))
		return ERR_MALFORMED;
	wire_write_u32(&out, MAGIC);
	wire_write_u8(&out, MESSAGE_VERSION);
	wire_write_u8(&out, message->type);
	wire_write_u16(&out, 0); /* flags: none are defined */
	wire_write_bytes(&out, message->nonce, sizeof(message->nonce));
	wire_write_u32(&out, message->sequence);
	for (size_t i = 0; i < layout->count; i++) {
		struct wire before = out;

		if ((rc = put_member(&out, &layout->fields[i], message)) != 0)
			return rc;
		if (out.error && layout->cut)
			out = before;
	}
	if (layout->question && out.position + FIELD_HEADER <= MESSAGE_MAX) {
		size_t padding = MESSAGE_MAX - out.position - FIELD_HEADER;

		wire_write_u16(&out, FIELD_PADDING);
		wire_write_u16(&out, (uint16_t)padding);
		wire_write_zeros(&out, padding);
	}
	if (out.error)
		return out.error;
	*length = out.position;
	return 0;
}

/* --- decoding -------------------------------------------------------------- */

/* Reads the whole of @value as a string into @size bytes at @out. */
static int get_text(const struct message_field *field, struct wire *value, char *out, size_t size)
{
	size_t length = wire_left(value);

	if (length >= size)
		return ERR_MALFORMED;
	wire_read_bytes(value, out, length);
	out[length] = '\0';
	/* A NUL inside would end the text early and hide the rest. */
	if (strlen(out) != length || !text_ok(out))
		return ERR_MALFORMED;
	if (field->kind == FIELD_KIND_FILE_NAME && !message_file_name_ok(out))
		return ERR_MALFORMED;
	return 0;
}

static int get_detail(struct wire *value, struct details *details)
{
	char text[DETAILS_SIZE];
	static const struct message_field field = { FIELD_DETAIL, FIELD_KIND_TEXT, 0, 0 };
	int rc = get_text(&field, value, text, sizeof(text));
	char *equals = text;

	if (rc)
		return rc;
	while (*equals && *equals != '=')
		equals++;
	if (!*equals)
		return ERR_MALFORMED;
	*equals = '\0';
	return details_add(details, text, equals + 1);
}

static int get_disk(struct wire *value, struct request *request)
{
	struct disk *disk = &request->disks[request->disk_count];

	if (wire_left(value) != DISK_FIELD_SIZE || request->disk_count == DISKS_MAX)
		return ERR_MALFORMED;
	disk->kind = wire_read_u8(value);
	disk->sector_size = wire_read_u32(value);
	disk->sectors = wire_read_u64(value);
	request->disk_count++;
	return 0;
}

static int get_member(const struct message_field *field, struct wire *value,
                      struct message *message)
{
	uint8_t *at = (uint8_t *)message + field->offset;
	uint64_t number = 0;

	if (field->kind == FIELD_KIND_DETAIL)
		return get_detail(value, &message->u.details);
	if (field->kind == FIELD_KIND_DISK)
		return get_disk(value, &message->u.request);
	if (field->kind != FIELD_KIND_NUMBER && field->kind != FIELD_KIND_BYTES)
		return get_text(field, value, (char *)at, field->size);
	if (wire_left(value) != field->size)
		return ERR_MALFORMED;
	if (field->kind == FIELD_KIND_BYTES) {
		wire_read_bytes(value, at, field->size);
		return 0;
	}
	while (wire_left(value))
		number = number << 8 | wire_read_u8(value);
	number_set(at, field->size, number);
	return 0;
}

static int get_fields(const struct message_layout *layout, struct wire *in, struct message *message)
{
	uint64_t seen = 0; /* a bit for each of layout->fields */

	while (wire_left(in)) {
		uint16_t number = wire_read_u16(in);
		struct wire value = wire_read_part(in, wire_read_u16(in));
		size_t i = 0;
		int rc;

		if (in->error)
			return in->error;
		while (i < layout->count && (layout->fields[i].number ^ number) & ~FIELD_CRITICAL)
			i++;
		if (i == layout->count) {
			if (number & FIELD_CRITICAL)
				return ERR_CRITICAL;
			continue;
		}
		if (seen >> i & 1 && layout->fields[i].kind < FIELD_KIND_DETAIL)
			return ERR_MALFORMED;
		seen |= (uint64_t)1 << i;
		if ((rc = get_member(&layout->fields[i], &value, message)) != 0)
			return rc;
	}
	return in->error;
}

int message_decode(struct message *message, const void *data, size_t length)
{
	struct wire in = wire_reader(data, length);
	const struct message_layout *layout;
	uint32_t magic = wire_read_u32(&in);
	uint8_t version = wire_read_u8(&in);
	int rc;

	memset(message, 0, sizeof(*message));
	message->type = wire_read_u8(&in);
	wire_skip(&in, 2); /* flags: none are defined */
	wire_read_bytes(&in, message->nonce, sizeof(message->nonce));
	message->sequence = wire_read_u32(&in);
	if (in.error)
		return in.error;
	if (magic != MAGIC || length > MESSAGE_MAX)
		return ERR_MALFORMED;
	if (version != MESSAGE_VERSION)
		return ERR_VERSION;
	layout = message_layout(message->type);
	if (!layout)
		return ERR_MALFORMED;
	if ((rc = get_fields(layout, &in, message)) != 0)
		return rc;
	return message_complete(message) ? 0 : ERR_MALFORMED;
}
