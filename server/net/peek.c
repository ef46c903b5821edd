/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/net/peek.h"

#include <string.h>

#include "nbp/proto/message_fields.h"

#define FIELDS_MAX 16 /* only so many fields of a request are looked at */

/* --- reading --------------------------------------------------------------- */

static size_t read_u16(const uint8_t *at)
{
	return (size_t)at[0] << 8 | at[1];
}

void peek_request(const uint8_t *data, size_t length, struct request_peek *out)
{
	static const uint8_t head[] = { 'O', 'P', 'B', 'P', MESSAGE_VERSION, MESSAGE_REQUEST };
	size_t at = MESSAGE_HEADER;

	memset(out, 0, sizeof(*out));
	if (length > MESSAGE_MAX || length < MESSAGE_HEADER ||
	    memcmp(data, head, sizeof(head)) != 0)
		return;
	for (int i = 0; i < FIELDS_MAX && at + FIELD_HEADER <= length; i++) {
		const uint8_t *value = data + at + FIELD_HEADER;
		size_t number = read_u16(data + at), size = read_u16(data + at + 2);

		at += FIELD_HEADER + size;
		if (at > length)
			return;
		if (number == FIELD_MAC && size == 6)
			memcpy(out->identity.mac, value, 6);
		else if (number == FIELD_UUID && size == 16)
			memcpy(out->identity.uuid, value, 16);
		else if (number == FIELD_ISD_DEVICE && size == 16)
			memcpy(out->isd, value, 16);
		else if (number == FIELD_FIRMWARE && size == 1) {
			out->firmware = value[0];
			return;
		}
	}
}

size_t peek_unpadded_length(const uint8_t *data, size_t length)
{
	size_t at = MESSAGE_HEADER, end = MESSAGE_HEADER;

	while (at + FIELD_HEADER <= length) {
		size_t number = read_u16(data + at);

		at += FIELD_HEADER + read_u16(data + at + 2);
		if (number != FIELD_PADDING && at <= length)
			end = at;
	}
	return end < length ? end : length;
}

bool peek_is_padded(const uint8_t *data, size_t length, size_t unpadded)
{
	const uint8_t *field = data + unpadded;

	if (unpadded == length)
		return true;
	return unpadded >= MESSAGE_HEADER && unpadded + FIELD_HEADER <= length &&
	       read_u16(field) == FIELD_PADDING &&
	       unpadded + FIELD_HEADER + read_u16(field + 2) == length;
}

/* --- writing --------------------------------------------------------------- */

static uint8_t *put_number(uint8_t *at, unsigned field, unsigned size, uint64_t value)
{
	if (!value)
		return at;
	*at++ = (uint8_t)(field >> 8);
	*at++ = (uint8_t)field;
	*at++ = 0;
	*at++ = (uint8_t)size;
	while (size--)
		*at++ = (uint8_t)(value >> 8 * size);
	return at;
}

static uint8_t *put_text(uint8_t *at, unsigned field, const char *text)
{
	size_t length = strlen(text);

	if (!length)
		return at;
	*at++ = (uint8_t)(field >> 8);
	*at++ = (uint8_t)field;
	*at++ = 0;
	*at++ = (uint8_t)length;
	memcpy(at, text, length);
	return at + length;
}

size_t peek_write_no_job(const uint8_t *question, const char *device, const struct answer *answer,
                         uint8_t *out)
{
	uint8_t *at = out;

	memcpy(at, question, MESSAGE_HEADER); /* nonce and sequence are the question's */
	at[PEEK_TYPE] = MESSAGE_ANSWER;
	at[PEEK_FLAGS] = at[PEEK_FLAGS + 1] = 0;
	at = put_number(at + MESSAGE_HEADER, FIELD_DECISION, 1, DECISION_LOCAL);
	at = put_text(at, FIELD_DEVICE, device);
	at = put_number(at, FIELD_LOCAL_BOOT, 1, answer->local_boot);
	at = put_number(at, FIELD_MENU_MODE, 1, answer->menu_mode);
	at = put_number(at, FIELD_HOT_KEY, 1, answer->hot_key);
	at = put_number(at, FIELD_HOT_KEY_WAIT, 2, answer->hot_key_wait);
	at = put_text(at, FIELD_MENU_FILE, answer->menu_file);
	at = put_number(at, FIELD_VALID_FOR, 2, answer->valid_for);
	at = put_number(at, FIELD_TFTP_MULTICAST, 1, answer->tftp_multicast);
	return (size_t)(at - out);
}
