/* SPDX-License-Identifier: BSD-2-Clause */
#include "efi/source.h"

#include "nbp/proto/memory.h"
#include "nbp/proto/wire.h"

/* UEFI 10.3 */
enum { MESSAGING = 3, END = 0x7f };
enum { MAC = 11, IPV6 = 13, URI = 24 };

#define NODE_HEADER 4
#define MAC_ADDRESS_SIZE 32
#define ETHERNET 1

static bool begins(struct wire *text, const char *word)
{
	struct wire ahead = *text;

	for (; *word != '\0'; word++)
		if ((wire_read_u8(&ahead) | 0x20) != *word)
			return false;
	if (ahead.error)
		return false;
	*text = ahead;
	return true;
}

/*
 * RFC 3986 3. A name that cannot be had whole is none, nor is one with what our
 * own files' names never have: blanks, and what a URI spells by a percent sign.
 */
static void read_uri(struct wire *text, struct source *source)
{
	size_t length = 0;

	source->http = begins(text, "http:") || begins(text, "https:");
	if (source->http || !begins(text, "tftp://"))
		return;
	while (wire_left(text) > 0 && text->data[text->position] != '/')
		wire_skip(text, 1);
	while (wire_left(text) > 0 && text->data[text->position] != '\0') {
		uint8_t character = wire_read_u8(text);

		if (character <= ' ' || character > '~' || character == '%' ||
		    length + 1 == sizeof(source->file)) {
			length = 0;
			break;
		}
		source->file[length++] = (char)character;
	}
	source->file[length] = '\0';
}

static void read_mac(struct wire *node, struct source *source)
{
	uint8_t address[MAC_ADDRESS_SIZE];

	source->network = true;
	wire_read_bytes(node, address, sizeof(address));
	if (wire_read_u8(node) == ETHERNET && !node->error)
		memcpy(source->mac, address, sizeof(source->mac));
}

void source_read(const void *path, size_t size, struct source *source)
{
	struct wire wire = wire_reader(path, size);

	memset(source, 0, sizeof(*source));
	for (;;) {
		uint8_t type = wire_read_u8(&wire), subtype = wire_read_u8(&wire);
		uint16_t length = wire_read_le16(&wire);
		struct wire node;

		if (wire.error || type == END || length < NODE_HEADER)
			return;
		node = wire_read_part(&wire, length - NODE_HEADER);
		if (type != MESSAGING || node.error)
			continue;
		if (subtype == MAC)
			read_mac(&node, source);
		else if (subtype == IPV6)
			source->ipv6 = true;
		else if (subtype == URI)
			read_uri(&node, source);
	}
}
