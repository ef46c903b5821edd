/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/agent/windows/kept.h"

#include <stdio.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/power_on.h"
#include "nbp/proto/text.h"

/* --- a BOOTP packet (RFC 2131 section 2) -------------------------------------- */

enum {
	BOOTP_HARDWARE_TYPE = 1, /* 1: Ethernet */
	BOOTP_HARDWARE_SIZE = 2,
	BOOTP_YIADDR = 16,
	BOOTP_SIADDR = 20,
	BOOTP_CHADDR = 28,
	BOOTP_MAGIC = 236,
	BOOTP_OPTIONS = 240,
};

enum {
	OPTION_PAD = 0,
	OPTION_POWER_ON = 225, /* nbp/boot.md */
	OPTION_END = 255,
};

static int is_dhcp(const uint8_t *packet, size_t length)
{
	static const uint8_t magic[] = { 0x63, 0x82, 0x53, 0x63 };

	return length >= BOOTP_OPTIONS &&
	       memcmp(packet + BOOTP_MAGIC, magic, sizeof(magic)) == 0;
}

int kept_record(const uint8_t *packet, size_t length, uint8_t *record)
{
	size_t at = BOOTP_OPTIONS;

	if (!is_dhcp(packet, length))
		return ERR_NOT_FOUND;
	while (at < length && packet[at] != OPTION_END) {
		if (packet[at] == OPTION_PAD) {
			at++;
			continue;
		}
		if (length - at < 2 || length - at - 2 < packet[at + 1])
			return ERR_NOT_FOUND;
		if (packet[at] == OPTION_POWER_ON && packet[at + 1] == POWER_ON_SIZE) {
			memcpy(record, packet + at + 2, POWER_ON_SIZE);
			return 0;
		}
		at += 2 + (size_t)packet[at + 1];
	}
	return ERR_NOT_FOUND;
}

void kept_line(const uint8_t *packet, size_t length, char *out, size_t size)
{
	const uint8_t *mac;

	out[0] = '\0';
	if (!is_dhcp(packet, length))
		return;
	text_format(out, size, "ip=%pI4:%pI4::", packet + BOOTP_YIADDR, packet + BOOTP_SIADDR);
	mac = packet + BOOTP_CHADDR;
	if (packet[BOOTP_HARDWARE_TYPE] == 1 && packet[BOOTP_HARDWARE_SIZE] == 6)
		text_format(out + strlen(out), size - strlen(out), " BOOTIF=01-%pM", mac);
}

/* --- SMBIOS ------------------------------------------------------------------ */

#define TYPE_SYSTEM 1
#define SYSTEM_UUID 8

/* Returns where the structure after the one at @at begins: behind its strings, which end with an
 * empty one. Returns @length if it is damaged. */
static size_t next_structure(const uint8_t *table, size_t length, size_t at)
{
	at += table[at + 1];
	while (at + 1 < length && (table[at] || table[at + 1]))
		at++;
	return at + 2 < length ? at + 2 : length;
}

/* Since version 2.6 the first three fields are little-endian. */
static void copy_uuid(const uint8_t *from, unsigned int version, uint8_t uuid[16])
{
	static const uint8_t order[] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };

	for (size_t i = 0; i < sizeof(order); i++)
		uuid[i] = from[version >= 0x206 ? order[i] : i];
}

void kept_uuid(const uint8_t *table, size_t length, unsigned int version, uint8_t uuid[16])
{
	for (size_t at = 0; at + 4 <= length && table[at + 1] >= 4;
	     at = next_structure(table, length, at)) {
		if (table[at] != TYPE_SYSTEM || table[at + 1] < SYSTEM_UUID + 16 ||
		    length - at < SYSTEM_UUID + 16)
			continue;
		copy_uuid(table + at + SYSTEM_UUID, version, uuid);
		return;
	}
}
