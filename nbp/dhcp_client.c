/* SPDX-License-Identifier: BSD-2-Clause */
#include "nbp/dhcp_client.h"

#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"
#include "nbp/proto/text.h"
#include "nbp/proto/wire.h"

#define BOOT_SERVER_PORT 4011
#define REPEAT_MS 500

/* Fields of a BOOTP packet (RFC 2131 section 2). */
enum {
	BOOT_REQUEST = 1,
	BOOT_REPLY = 2,
	ETHERNET = 1,
	BOOTP_XID = 4,
	BOOTP_CIADDR = 12,
	BOOTP_YIADDR = 16,
	BOOTP_CHADDR = 28,
	BOOTP_MAGIC = 236,
	BOOTP_MIN = 300, /* some relays drop what is shorter (RFC 1542 section 2.1) */
};

#define MAGIC_COOKIE 0x63825363

/* Options that a client sends. */
enum {
	MESSAGE_TYPE = 53,
	PARAMETER_LIST = 55,
	MESSAGE_SIZE = 57,
	VENDOR_CLASS = 60,
	ARCHITECTURE = 93,
	INTERFACE = 94,
};

/* What we ask for: those that we read ourselves, and those that loaders read. */
static const uint8_t parameters[] = { 1,  3,  6,  12,  15,  17,  42,  43,  54,  60,
	                              66, 67, 97, 128, 131, 135, 150, 209, 210, 224 };

static void write_option(struct wire *out, uint8_t code, const void *value, size_t length)
{
	wire_write_u8(out, code);
	wire_write_u8(out, (uint8_t)length);
	wire_write_bytes(out, value, length);
}

static void write_options(const struct dhcp_client *client, struct wire *out)
{
	static const uint8_t interface[] = { 1, 3, 16 }; /* UNDI 3.16, as UEFI's base code says */
	char class[40];
	size_t length = text_format(class, sizeof(class), "PXEClient:Arch:%05u:UNDI:003016",
	                            (uint32_t)client->architecture);

	write_option(out, PARAMETER_LIST, parameters, sizeof(parameters));
	wire_write_u8(out, MESSAGE_SIZE);
	wire_write_u8(out, 2);
	wire_write_u16(out, DHCP_PACKET_MAX);
	write_option(out, VENDOR_CLASS, class, length);
	wire_write_u8(out, ARCHITECTURE);
	wire_write_u8(out, 2);
	wire_write_u16(out, client->architecture);
	write_option(out, INTERFACE, interface, sizeof(interface));
	wire_write_u8(out, DHCP_CLIENT_UUID);
	wire_write_u8(out, 17);
	wire_write_u8(out, 0); /* the type: a UUID */
	wire_write_bytes(out, client->uuid, sizeof(client->uuid));
}

size_t dhcp_client_options(const struct dhcp_client *client, void *out, size_t size)
{
	struct wire wire = wire_writer(out, size);

	write_options(client, &wire);
	return wire.error ? 0 : wire.position;
}

size_t dhcp_client_message(const struct dhcp_client *client, enum dhcp_message type, void *out,
                           size_t size)
{
	struct wire wire = wire_writer(out, size);

	wire_write_u8(&wire, type == DHCP_ACK ? BOOT_REPLY : BOOT_REQUEST);
	wire_write_u8(&wire, ETHERNET);
	wire_write_u8(&wire, sizeof(client->mac));
	wire_write_u8(&wire, 0);
	wire_write_u32(&wire, client->transaction);
	wire_write_u32(&wire, 0); /* seconds, flags */
	/* The address is the server's to give, or the client's to keep. */
	if (type == DHCP_ACK)
		wire_write_u32(&wire, 0);
	wire_write_bytes(&wire, client->address, sizeof(client->address));
	wire_write_zeros(&wire, BOOTP_CHADDR - wire.position);
	wire_write_bytes(&wire, client->mac, sizeof(client->mac));
	wire_write_zeros(&wire, BOOTP_MAGIC - wire.position);
	wire_write_u32(&wire, MAGIC_COOKIE);
	wire_write_u8(&wire, MESSAGE_TYPE);
	wire_write_u8(&wire, 1);
	wire_write_u8(&wire, (uint8_t)type);
	if (type != DHCP_ACK)
		write_options(client, &wire);
	wire_write_u8(&wire, DHCP_END);
	if (wire.position < BOOTP_MIN)
		wire_write_zeros(&wire, BOOTP_MIN - wire.position);
	return wire.error ? 0 : wire.position;
}

static bool has_address(struct span packet)
{
	struct wire in = wire_reader(packet.data, packet.length);

	wire_seek(&in, BOOTP_YIADDR);
	return wire_read_u32(&in) != 0;
}

enum dhcp_rank dhcp_client_rank(struct span packet)
{
	struct dhcp_packets packets = { .ack = packet };
	struct dhcp_lease lease;

	dhcp_read(&packets, &lease);
	/* Without a type it is BOOTP's, which firmware takes and never acknowledges. */
	if (!dhcp_is_host(lease.address) || dhcp_find_option(packet, MESSAGE_TYPE).length != 1)
		return DHCP_USELESS;
	if (lease.policy_server_named)
		return DHCP_HAS_POLICY;
	return lease.boot_file[0] ? DHCP_HAS_BOOT : DHCP_HAS_ADDRESS;
}

bool dhcp_client_is_proxy(struct span packet)
{
	struct span class = dhcp_find_option(packet, VENDOR_CLASS);

	return class.length >= 9 && memcmp(class.data, "PXEClient", 9) == 0 &&
	       !has_address(packet);
}

/* --- the boot server at port 4011 -------------------------------------------- */

/* Says whether @packet is the answer to @client's request: an ack, of the same transaction. */
static bool is_answer(const struct dhcp_client *client, struct span packet)
{
	struct wire in = wire_reader(packet.data, packet.length);
	struct span type = dhcp_find_option(packet, MESSAGE_TYPE);

	if (wire_read_u8(&in) != BOOT_REPLY || type.length != 1 || type.data[0] != DHCP_ACK)
		return false;
	wire_seek(&in, BOOTP_XID);
	return wire_read_u32(&in) == client->transaction;
}

/* Receives until the answer is there, or @deadline. */
static int await_answer(struct platform *p, const struct dhcp_client *client,
                        const struct endpoint *server, uint32_t deadline, uint8_t *answer)
{
	struct endpoint from;
	size_t length;

	while ((int32_t)(deadline - p->now(p)) > 0) {
		int rc = p->udp_receive(p, &from, answer, DHCP_PACKET_MAX, &length);

		if (rc == 0 && memcmp(from.address, server->address, 4) == 0 &&
		    is_answer(client, (struct span){ answer, length })) {
			memset(answer + length, 0, DHCP_PACKET_MAX - length);
			return 0;
		}
		if (rc != 0)
			p->idle(p);
	}
	return ERR_TIMEOUT;
}

int dhcp_client_ask_boot_server(struct platform *p, const struct dhcp_client *client,
                                const uint8_t server[4], uint8_t *answer)
{
	struct endpoint to = { .port = BOOT_SERVER_PORT };
	uint32_t begun = p->now(p);
	uint8_t request[BOOTP_MIN * 2];
	size_t length = dhcp_client_message(client, DHCP_REQUEST, request, sizeof(request));
	/* Firmware that has just run DHCP may keep port 68 to itself. */
	int rc = p->udp_open(p, BOOT_SERVER_PORT);

	if (rc)
		return rc;
	memcpy(to.address, server, sizeof(to.address));
	do {
		rc = p->udp_send(p, &to, request, length);
		if (rc == 0)
			rc = await_answer(p, client, &to, p->now(p) + REPEAT_MS, answer);
	} while (rc == ERR_TIMEOUT && p->now(p) - begun < DHCP_BOOT_SERVER_MS - REPEAT_MS);
	p->udp_close(p);
	return rc;
}
