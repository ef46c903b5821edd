/* SPDX-License-Identifier: BSD-2-Clause */
#include "nbp/proto/message_lists.h"

#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"
#include "nbp/proto/message.h"
#include "nbp/proto/message_fields.h"
#include "nbp/proto/text.h"

/* --- disks ------------------------------------------------------------------ */

#define DISK_FIELD_SIZE 13 /* kind, sector size, sectors */

int message_put_disks(struct wire *out, const struct message *message)
{
	const struct request *request = &message->u.request;

	for (size_t i = 0; i < request->disk_count && i < DISKS_MAX; i++) {
		const struct disk *disk = &request->disks[i];

		wire_write_u16(out, FIELD_DISK);
		wire_write_u16(out, DISK_FIELD_SIZE);
		wire_write_u8(out, disk->kind);
		wire_write_u32(out, disk->sector_size);
		wire_write_u64(out, disk->sectors);
	}
	return 0;
}

int message_get_disk(struct wire *value, struct message *message)
{
	struct request *request = &message->u.request;
	struct disk *disk = &request->disks[request->disk_count];

	if (wire_left(value) != DISK_FIELD_SIZE || request->disk_count == DISKS_MAX)
		return ERR_MALFORMED;
	disk->kind = wire_read_u8(value);
	disk->sector_size = wire_read_u32(value);
	disk->sectors = wire_read_u64(value);
	request->disk_count++;
	return 0;
}

/* --- details ---------------------------------------------------------------- */

/* The space that the other fields of struct details leave in a datagram. */
#define DETAILS_WIRE_MAX \
	(MESSAGE_MAX - MESSAGE_HEADER - (FIELD_HEADER + 8) - 2 * (FIELD_HEADER + 1) - \
	 (FIELD_HEADER + NAME_SIZE - 1) - (FIELD_HEADER + FILE_SIZE - 1))

/* Says whether @key may name a detail: [A-Za-z_][A-Za-z0-9_]*, at most 32 long. */
static bool detail_key_ok(const char *key)
{
	size_t length = strlen(key);

	if (length == 0 || length > 32 || (key[0] >= '0' && key[0] <= '9'))
		return false;
	for (; *key; key++)
		if (!(*key >= 'A' && *key <= 'Z') && !(*key >= 'a' && *key <= 'z') &&
		    !(*key >= '0' && *key <= '9') && *key != '_')
			return false;
	return true;
}

int details_add(struct details *details, const char *key, const char *value)
{
	size_t key_length = strlen(key), value_length = strlen(value);
	size_t total = key_length + 1 + value_length + 1;
	size_t on_wire = FIELD_HEADER + total - 1;
	char *at = details->details + details->details_length;

	if (!detail_key_ok(key) || !text_ok(value))
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

int message_put_details(struct wire *out, const struct message *message)
{
	const struct details *details = &message->u.details;
	size_t at = 0;

	if (details->details_length > sizeof(details->details))
		return ERR_MALFORMED;
	while (at < details->details_length) {
		int rc = field_put_text(out, FIELD_DETAIL, details->details + at,
		                        details->details_length - at);

		if (rc)
			return rc;
		at += strlen(details->details + at) + 1;
	}
	return 0;
}

int message_get_detail(struct wire *value, struct message *message)
{
	char text[DETAILS_SIZE];
	int rc = field_get_text(value, text, sizeof(text));
	char *equals = text;

	if (rc)
		return rc;
	while (*equals && *equals != '=')
		equals++;
	if (!*equals)
		return ERR_MALFORMED;
	*equals = '\0';
	return details_add(&message->u.details, text, equals + 1);
}
