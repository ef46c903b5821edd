/* SPDX-License-Identifier: BSD-2-Clause */
#include "nbp/dhcp.h"

#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"
#include "nbp/proto/text.h"
#include "nbp/proto/wire.h"

/* Offsets in a BOOTP packet (RFC 2131 section 2). */
enum {
	BOOTP_YIADDR = 16,
	BOOTP_SIADDR = 20,
	BOOTP_SNAME = 44,
	BOOTP_FILE = 108,
	BOOTP_MAGIC = 236,
	BOOTP_OPTIONS = 240,
};

#define SNAME_SIZE    (BOOTP_FILE - BOOTP_SNAME)
#define FILE_NAME_SIZE (BOOTP_MAGIC - BOOTP_FILE)
#define MAGIC_COOKIE  0x63825363

/* Values of option 52: which fields hold options too (RFC 2132 section 9.3). */
#define OVERLOAD_FILE  1
#define OVERLOAD_SNAME 2

static bool is_zero(const uint8_t address[4])
{
	return !(address[0] | address[1] | address[2] | address[3]);
}

static bool is_dhcp(struct span packet)
{
	struct wire in = wire_reader(packet.data, packet.length);

	wire_seek(&in, BOOTP_MAGIC);
	return wire_read_u32(&in) == MAGIC_COOKIE;
}

/*
 * Reads the next option under the cursor and skips padding before it. Returns
 * false at the END option, at the end of the area, and with in->error set
 * where an option is longer than what is left.
 */
static bool option_next(struct wire *in, uint8_t *code, struct wire *value)
{
	while (wire_left(in)) {
		*code = wire_read_u8(in);
		if (*code == DHCP_END)
			return false;
		if (*code == DHCP_PAD)
			continue;
		*value = wire_read_part(in, wire_read_u8(in));
		return !in->error;
	}
	return false;
}

/* Finds the first @code within one area of options. */
static struct span area_find(const uint8_t *area, size_t size, uint8_t code)
{
	struct wire in = wire_reader(area, size), value;
	uint8_t found;

	while (option_next(&in, &found, &value))
		if (found == code)
			return (struct span){ value.data, value.size };
	return (struct span){ NULL, 0 };
}

static struct span options_find(struct span packet, uint8_t code)
{
	return area_find(packet.data + BOOTP_OPTIONS, packet.length - BOOTP_OPTIONS, code);
}

static uint8_t overload(struct span packet)
{
	struct span value = options_find(packet, DHCP_OVERLOAD);

	return value.length == 1 ? value.data[0] : 0;
}

/* Finds an option anywhere in a DHCP packet, in the order of RFC 2131 section 4.1. */
static struct span option_find(struct span packet, uint8_t code)
{
	struct span value = options_find(packet, code);

	if (!value.data && overload(packet) & OVERLOAD_FILE)
		value = area_find(packet.data + BOOTP_FILE, FILE_NAME_SIZE, code);
	if (!value.data && overload(packet) & OVERLOAD_SNAME)
		value = area_find(packet.data + BOOTP_SNAME, SNAME_SIZE, code);
	return value;
}

struct span dhcp_find_option(struct span packet, uint8_t code)
{
	return is_dhcp(packet) ? option_find(packet, code) : (struct span){ NULL, 0 };
}

/* --- reading a lease ------------------------------------------------------- */

static void address_read(struct span packet, uint8_t code, uint8_t address[4])
{
	struct span value = option_find(packet, code);

	if (value.length >= 4)
		memcpy(address, value.data, 4);
}

/*
 * Reads the boot server of one packet: siaddr; if a site has left out next-server,
 * which is the classic mistake, a TFTP server name that is an address, or else
 * the sender of the packet.
 */
static void boot_server_read(struct span packet, uint8_t server[4])
{
	const uint8_t *siaddr = packet.data + BOOTP_SIADDR;
	struct span name = option_find(packet, DHCP_TFTP_SERVER);
	char text[16];

	if (!is_zero(siaddr)) {
		memcpy(server, siaddr, 4);
		return;
	}
	text_clean(text, sizeof(text), name.data, name.length);
	if (text_parse_ipv4(text, server) != 0)
		address_read(packet, DHCP_SERVER_ID, server);
}

static void boot_file_read(struct span packet, char *out, size_t size)
{
	struct span name = option_find(packet, DHCP_BOOT_FILE);

	if (!name.data && !(overload(packet) & OVERLOAD_FILE))
		name = (struct span){ packet.data + BOOTP_FILE, FILE_NAME_SIZE };
	if (name.length && name.data[0])
		text_clean(out, size, name.data, name.length);
}

bool dhcp_is_host(const uint8_t address[4])
{
	return address[0] != 0 && address[0] != 127 && address[0] < 224;
}

static bool is_list_of_hosts(struct span list)
{
	for (size_t at = 0; at + 4 <= list.length; at += 4)
		if (!dhcp_is_host(list.data + at))
			return false;
	return list.length && list.length % 4 == 0;
}

/* Reads the policy servers from @list, the value of option @code, if it is such a list. */
static bool policy_servers_parse(struct span list, uint8_t code, struct dhcp_lease *lease)
{
	size_t count = list.length / 4;

	if (!list.data)
		return false;
	/* Some sites use option 131 for their telephones. */
	if (!is_list_of_hosts(list)) {
		lease->ignored_option = code;
		return false;
	}
	if (count > POLICY_SERVERS_MAX)
		count = POLICY_SERVERS_MAX;
	memcpy(lease->policy_servers, list.data, count * 4);
	lease->policy_server_count = count;
	lease->policy_server_named = true;
	return true;
}

static void policy_servers_read(struct span packet, struct dhcp_lease *lease)
{
	static const uint8_t codes[] = { DHCP_POLICY_SERVERS, DHCP_POLICY_SERVERS_REQUESTED };
	struct span vendor = option_find(packet, DHCP_VENDOR);

	for (size_t i = 0; i < sizeof(codes); i++)
		if (policy_servers_parse(option_find(packet, codes[i]), codes[i], lease))
			return;
	/* A proxyDHCP server may have no other place for the option: dnsmasq, for one. */
	policy_servers_parse(area_find(vendor.data, vendor.length, DHCP_POLICY_SERVERS_REQUESTED),
	                    DHCP_VENDOR, lease);
}

/* Overwrites @lease with the values in @packet, which a server sent. */
static void packet_read(struct span packet, struct dhcp_lease *lease)
{
	if (!is_dhcp(packet))
		return;
	if (!is_zero(packet.data + BOOTP_YIADDR))
		memcpy(lease->address, packet.data + BOOTP_YIADDR, 4);
	address_read(packet, DHCP_SUBNET_MASK, lease->netmask);
	address_read(packet, DHCP_ROUTER, lease->router);
	boot_server_read(packet, lease->boot_server);
	boot_file_read(packet, lease->boot_file, sizeof(lease->boot_file));
	policy_servers_read(packet, lease);
}

int dhcp_read(const struct dhcp_packets *packets, struct dhcp_lease *lease)
{
	memset(lease, 0, sizeof(*lease));
	if (is_dhcp(packets->discover)) {
		struct span uuid = option_find(packets->discover, DHCP_CLIENT_UUID);

		/* A type octet, 0, and the UUID. */
		if (uuid.length == 17 && uuid.data[0] == 0)
			memcpy(lease->uuid, uuid.data + 1, sizeof(lease->uuid));
	}
	packet_read(packets->ack, lease);
	packet_read(packets->reply, lease);
	if (lease->policy_server_count == 0 && !is_zero(lease->boot_server)) {
		memcpy(lease->policy_servers[0], lease->boot_server, 4);
		lease->policy_server_count = 1;
	}
	if (is_zero(lease->address) || lease->policy_server_count == 0)
		return ERR_NOT_FOUND;
	return 0;
}

/* --- setting an option ----------------------------------------------------- */

/*
 * Moves all options except @code to the front of an area, without padding between
 * them. Returns the number of bytes they take; the rest is left as it was. If @out
 * is NULL it only measures. A damaged area is ERR_MALFORMED.
 */
static int area_compact(const uint8_t *area, size_t size, uint8_t code, struct wire *out)
{
	struct wire in = wire_reader(area, size), value;
	size_t kept = 0;
	uint8_t found;

	while (option_next(&in, &found, &value)) {
		if (found == code)
			continue;
		kept += 2 + value.size;
		if (out) {
			wire_write_u8(out, found);
			wire_write_u8(out, (uint8_t)value.size);
			/* The value moves towards the front, or not at all. */
			memmove(out->data + out->position, value.data, value.size);
			wire_skip(out, value.size);
		}
	}
	return in.error ? ERR_MALFORMED : (int)kept;
}

/* Removes option @code from an overloaded field. */
static void area_drop(uint8_t *area, size_t size, uint8_t code)
{
	struct wire out = wire_writer(area, size);

	if (!area_find(area, size, code).data || area_compact(area, size, code, NULL) < 0)
		return;
	area_compact(area, size, code, &out);
	wire_write_u8(&out, DHCP_END);
	wire_write_zeros(&out, wire_left(&out));
}

int dhcp_set_option(void *packet, size_t size, uint8_t code, const void *value, size_t count)
{
	struct span whole = { packet, size };
	uint8_t *bytes = packet, fields;
	struct wire out;
	int kept;

	if (!is_dhcp(whole))
		return ERR_MALFORMED;
	kept = area_compact(bytes + BOOTP_OPTIONS, size - BOOTP_OPTIONS, code, NULL);
	if (kept < 0)
		return kept;
	if (value && (count > 255 || (size_t)kept + 2 + count + 1 > size - BOOTP_OPTIONS))
		return ERR_SPACE;

	fields = overload(whole);
	if (fields & OVERLOAD_FILE)
		area_drop(bytes + BOOTP_FILE, FILE_NAME_SIZE, code);
	if (fields & OVERLOAD_SNAME)
		area_drop(bytes + BOOTP_SNAME, SNAME_SIZE, code);
	out = wire_writer(bytes + BOOTP_OPTIONS, size - BOOTP_OPTIONS);
	area_compact(bytes + BOOTP_OPTIONS, size - BOOTP_OPTIONS, code, &out);
	if (value) {
		wire_write_u8(&out, code);
		wire_write_u8(&out, (uint8_t)count);
		wire_write_bytes(&out, value, count);
	}
	wire_write_u8(&out, DHCP_END);
	wire_write_zeros(&out, wire_left(&out));
	return out.error;
}

/* Sets option @code to @text, or removes the option if @text is empty. */
static int set_text(void *packet, size_t size, uint8_t code, const char *text)
{
	struct span whole = { packet, size };

	if (text[0])
		return dhcp_set_option(packet, size, code, text, strlen(text));
	if (!is_dhcp(whole) || !option_find(whole, code).data)
		return 0;
	return dhcp_set_option(packet, size, code, NULL, 0);
}

int dhcp_set_handover(void *packet, size_t size, const struct handover *handover)
{
	uint8_t *siaddr = (uint8_t *)packet + BOOTP_SIADDR;

	/*
	 * Where packets name different servers, or none, loaders would choose by rules of their own:
	 * GRUB takes the Ack's, even where a proxyDHCP server has named the boot server.
	 */
	if (handover->server && is_dhcp((struct span){ packet, size }))
		memcpy(siaddr, handover->server, 4);
	/*
	 * The prefix is set first: the configuration file's name makes the loader act,
	 * so half a handover must not have it. The DHCP server's own values of these
	 * options are meant for a loader that the server names.
	 */
	int rc = set_text(packet, size, DHCP_PATH_PREFIX, handover->path_prefix);

	rc = rc ? rc : set_text(packet, size, DHCP_CONFIG_FILE, handover->config_file);
	/* No loader needs it, and Linux finds it elsewhere: a packet without space will do. */
	if (rc == 0 && handover->record)
		dhcp_set_option(packet, size, DHCP_POWER_ON, handover->record, POWER_ON_SIZE);
	return rc;
}
