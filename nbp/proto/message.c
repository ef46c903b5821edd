/* SPDX-License-Identifier: BSD-2-Clause */
#include "nbp/proto/message.h"

#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"
#include "nbp/proto/message_fields.h"
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

static int put_member(struct wire *out, const struct message_layout *layout,
                      const struct message_field *field, const struct message *message)
{
	const uint8_t *at = (const uint8_t *)message + field->offset;
	uint64_t value;
	int rc;

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
			field_put(out, field->number, at, field->size);
		return 0;
	case FIELD_KIND_LIST:
		return layout->put_list(out, message);
	default:
		rc = field_put_text(out, field->number, (const char *)at, field->size);
		if (rc == 0 && field->kind == FIELD_KIND_FILE_NAME && *at &&
		    !message_file_name_ok((const char *)at))
			return ERR_MALFORMED;
		return rc;
	}
}

int message_encode_as(const struct message_layout *layout, const struct message *message,
                      void *buffer, size_t capacity, size_t *length)
{
	struct wire out = wire_writer(buffer, capacity < MESSAGE_MAX ? capacity : MESSAGE_MAX);
	int rc;

	if (message->type != layout->type || !message_complete(message))
		return ERR_MALFORMED;
	wire_write_u32(&out, MAGIC);
	wire_write_u8(&out, MESSAGE_VERSION);
	wire_write_u8(&out, message->type);
	wire_write_u16(&out, 0); /* flags: none are defined */
	wire_write_bytes(&out, message->nonce, sizeof(message->nonce));
	wire_write_u32(&out, message->sequence);
	for (size_t i = 0; i < layout->count; i++) {
		struct wire before = out;

		if ((rc = put_member(&out, layout, &layout->fields[i], message)) != 0)
			return rc;
		if (out.error && layout->cut)
			out = before;
	}
	if (layout->answer && out.position + FIELD_HEADER <= MESSAGE_MAX) {
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

static int get_member(const struct message_layout *layout, const struct message_field *field,
                      struct wire *value, struct message *message)
{
	uint8_t *at = (uint8_t *)message + field->offset;
	uint64_t number = 0;
	int rc;

	if (field->kind == FIELD_KIND_LIST)
		return layout->get_list(value, message);
	if (field->kind != FIELD_KIND_NUMBER && field->kind != FIELD_KIND_BYTES) {
		rc = field_get_text(value, (char *)at, field->size);
		if (rc == 0 && field->kind == FIELD_KIND_FILE_NAME &&
		    !message_file_name_ok((const char *)at))
			return ERR_MALFORMED;
		return rc;
	}
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

/* Reads all that follows the header. */
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
		if (seen >> i & 1 && layout->fields[i].kind != FIELD_KIND_LIST)
			return ERR_MALFORMED;
		seen |= (uint64_t)1 << i;
		if ((rc = get_member(layout, &layout->fields[i], &value, message)) != 0)
			return rc;
	}
	return message_complete(message) ? 0 : ERR_MALFORMED;
}

static int get_header(struct wire *in, struct message *message)
{
	uint32_t magic = wire_read_u32(in);
	uint8_t version = wire_read_u8(in);

	memset(message, 0, sizeof(*message));
	message->type = wire_read_u8(in);
	wire_skip(in, 2); /* flags: none are defined */
	wire_read_bytes(in, message->nonce, sizeof(message->nonce));
	message->sequence = wire_read_u32(in);
	if (in->error)
		return in->error;
	if (magic != MAGIC || in->size > MESSAGE_MAX)
		return ERR_MALFORMED;
	return version == MESSAGE_VERSION ? 0 : ERR_VERSION;
}

int message_decode_as(const struct message_layout *layout, struct message *message,
                      const void *data, size_t length)
{
	struct wire in = wire_reader(data, length);
	int rc = get_header(&in, message);

	if (rc == 0 && message->type != layout->type)
		return ERR_MALFORMED;
	return rc ? rc : get_fields(layout, &in, message);
}

/* --- messages of any type -------------------------------------------------- */

/* Returns NULL for a type that there is not. */
static const struct message_layout *find_layout(uint8_t type)
{
	static const struct message_layout *const layouts[] = {
		&message_request, &message_answer, &message_event, &message_query,
		&message_details, &message_report, &message_receipt,
	};

	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		if (layouts[i]->type == type)
			return layouts[i];
	return NULL;
}

int message_encode(const struct message *message, void *buffer, size_t capacity, size_t *length)
{
	const struct message_layout *layout = find_layout(message->type);

	return layout ? message_encode_as(layout, message, buffer, capacity, length) : ERR_MALFORMED;
}

int message_decode(struct message *message, const void *data, size_t length)
{
	struct wire in = wire_reader(data, length);
	const struct message_layout *layout;
	int rc = get_header(&in, message);

	if (rc)
		return rc;
	layout = find_layout(message->type);
	return layout ? get_fields(layout, &in, message) : ERR_MALFORMED;
}
