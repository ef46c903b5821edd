/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A whole boot in which the input decides about firmware, disk, network, files and
 * keyboard: it must end at the local disk, once, and soon. So must the boot of the next
 * network entry, without sending anything.
 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "nbp/cpuid.h"
#include "nbp/flow.h"
#include "nbp/menu_ask.h"
#include "nbp/menu_view.h"
#include "nbp/proto/crc32.h"
#include "nbp/proto/error.h"
#include "nbp/proto/isd.h"
#include "nbp/proto/message.h"

struct booting {
	struct fuzz_net net; /* first: net's functions cast back */
	uint8_t how;
	struct wire keys;
	uint8_t nonce[NONCE_SIZE]; /* of the last question */
	uint8_t sequence, answer_type;
	struct endpoint asked;     /* the receiver of the last question */
	const uint8_t *menu;
	size_t menu_length;
	uint8_t copy[ISD_COPY_SIZE]; /* of image-safe data; the other place is empty */
	const void *fetched;       /* the last file's bytes */
	bool prepared;             /* the firmware has accepted it */
	bool menu_shown, armed, accepted;
	bool decided;              /* by a boot before in this power-on */
	unsigned int chains, leaves;
	bool keys_begun;
	uint8_t record[POWER_ON_SIZE];
};

/* Bits of the first byte. */
#define UEFI         0x01
#define FETCH_FAILS  0x02
#define SHIFT_TELLS  0x04 /* the firmware reports the shift state */
#define SHIFT_HELD   0x08
#define RECEIVE_3S   0x10
#define NO_DISK      0x20
#define NO_MENU_FILE 0x40
#define NO_MAC       0x80

/* Bits of the byte before each datagram; as in fuzz_exchange.c. */
#define UNKNOWN   0x02
#define RAW        0x04 /* all bytes come from the input, not only the fields */
#define WRONG_NONCE 0x08
#define NOTHING    0x40

static struct booting *booting_of(struct platform *p)
{
	return (struct booting *)p;
}

static int next(struct fuzz_net *net, struct endpoint *from, uint8_t *datagram, size_t *length)
{
	static const uint32_t waits[] = { 0, 1, 100, 1000 };
	struct booting *b = (struct booting *)net;
	uint8_t how = wire_read_u8(&net->script);
	size_t count, at = 0;

	if (net->script.error)
		return ERR_AGAIN;
	net->clock += waits[how >> 4 & 3];
	if (how & NOTHING)
		return ERR_AGAIN;
	*from = b->asked;
	from->address[3] ^= how & UNKNOWN ? 0x80 : 0;
	if (!(how & RAW)) {
		memcpy(datagram, "OPBP\1\2\0", 8);
		datagram[5] = b->answer_type;
		memcpy(datagram + 8, b->nonce, NONCE_SIZE);
		memset(datagram + 24, 0, 3);
		datagram[27] = b->sequence;
		datagram[8] ^= how & WRONG_NONCE ? 1 : 0;
		at = MESSAGE_HEADER;
	}
	count = wire_read_u8(&net->script);
	count = count < wire_left(&net->script) ? count : wire_left(&net->script);
	wire_read_bytes(&net->script, datagram + at, count);
	*length = at + count;
	return 0;
}

static void look(struct fuzz_net *net, const struct endpoint *to, const uint8_t *datagram,
                 size_t length)
{
	static struct message sent;
	struct booting *b = (struct booting *)net;

	REQUIRE(!b->decided);
	REQUIRE(message_decode(&sent, datagram, length) == 0 && to->port == POLICY_PORT);
	memcpy(b->nonce, sent.nonce, NONCE_SIZE);
	if (sent.type == MESSAGE_REPORT) {
		REQUIRE(sent.u.report.state == REPORT_ACCEPTED ||
		        (sent.u.report.state == REPORT_DONE && b->accepted && b->prepared));
		REQUIRE(memcmp(to->address, b->asked.address, 4) == 0);
		b->accepted = true;
		b->answer_type = MESSAGE_RECEIPT;
	} else if (sent.type == MESSAGE_REQUEST) {
		REQUIRE(!b->accepted);
		b->answer_type = MESSAGE_ANSWER;
	} else {
		REQUIRE(sent.type == MESSAGE_EVENT);
		return;
	}
	b->sequence = (uint8_t)sent.sequence;
	b->asked = *to;
}

static void cpuid(uint32_t leaf, uint32_t regs[4])
{
	memset(regs, leaf & 0x80000000 ? 0xff : 7, 16);
}

static void describe_cpu(struct request *request)
{
	cpuid_describe(cpuid, request);
}

static void idle(struct platform *p)
{
	struct booting *b = booting_of(p);

	/* Once nothing more arrives, time passes faster. */
	b->net.clock += wire_left(&b->keys) ? 10 : b->menu_shown ? 20000 :
	                wire_left(&b->net.script) ? 10 : 60;
}

static int key(struct platform *p)
{
	struct booting *b = booting_of(p);
	uint8_t byte;

	if (!b->keys_begun) { /* there are no keys from before the NBP's start */
		b->keys_begun = true;
		return KEY_NONE;
	}
	byte = wire_read_u8(&b->keys);
	if (b->keys.error || byte >= 0xc0)
		return KEY_NONE;
	return byte < 0x80 ? byte : KEY_UP + (byte & 7);
}

static uint8_t shift(struct platform *p)
{
	uint8_t how = booting_of(p)->how;

	if (!(how & SHIFT_TELLS))
		return 0;
	return SHIFT_KNOWN | (how & SHIFT_HELD ? SHIFT_CTRL | SHIFT_ALT : 0);
}

static void forget_keys(struct platform *p)
{
	(void)p;
}

static int recall(struct platform *p, uint8_t record[POWER_ON_SIZE])
{
	memcpy(record, booting_of(p)->record, POWER_ON_SIZE);
	return 0;
}

static void remember(struct platform *p, const uint8_t record[POWER_ON_SIZE])
{
	memcpy(booting_of(p)->record, record, POWER_ON_SIZE);
}

static void require_state(struct booting *b, enum power_on_state state)
{
	struct power_on power_on;

	REQUIRE(power_on_decode(&power_on, b->record) == 0 && power_on.state == state);
}

static void clear(struct platform *p)
{
	REQUIRE(!booting_of(p)->decided);
	booting_of(p)->menu_shown = true;
}

static void move(struct platform *p, unsigned int row, unsigned int column)
{
	(void)p;
	REQUIRE(row < 25 && column < 80);
}

static void colours(struct platform *p, uint8_t text, uint8_t background)
{
	(void)p;
	REQUIRE(text < 16 && background < 8);
}

static void watchdog(struct platform *p, uint32_t seconds)
{
	booting_of(p)->armed = seconds != 0;
}

static int disk_read(struct platform *p, size_t disk, uint64_t lba, uint32_t count, void *buffer)
{
	struct booting *b = booting_of(p);

	REQUIRE(!(b->how & NO_DISK) && disk == 0 && count * 512 <= ISD_COPY_SIZE);
	memset(buffer, 0, count * 512);
	if (lba * 512 == ISD_OFFSET)
		memcpy(buffer, b->copy, count * 512);
	return 0;
}

static int fetch(struct platform *p, const uint8_t server[4], const char *name, bool multicast,
                 struct image *image)
{
	struct booting *b = booting_of(p);
	size_t length = strlen(name);

	(void)server, (void)multicast;
	REQUIRE(!b->net.open && b->armed && !b->decided);
	REQUIRE(length > 0 && length < 2 * FILE_SIZE);
	b->net.clock += 500;
	if (length > 4 && strcmp(name + length - 4, ".txt") == 0) {
		if (b->how & NO_MENU_FILE)
			return ERR_NOT_FOUND;
		*image = (struct image){ (void *)(uintptr_t)b->menu, b->menu_length };
		b->fetched = image->data;
		return 0;
	}
	*image = (struct image){ b->copy, 1000 };
	b->fetched = image->data;
	return b->how & FETCH_FAILS ? ERR_TIMEOUT : 0;
}

static int prepare(struct platform *p, const struct image *image, const struct handover *handover)
{
	struct booting *b = booting_of(p);

	(void)handover;
	REQUIRE(image->data == b->fetched && !b->prepared);
	b->prepared = !(b->how & NO_MENU_FILE && b->how & SHIFT_HELD);
	return b->prepared ? 0 : ERR_REFUSED;
}

static int chain(struct platform *p, const struct image *image, const struct handover *handover)
{
	struct booting *b = booting_of(p);
	const char *config = handover->config_file;

	REQUIRE(!b->net.open && b->armed && image->data == b->fetched && b->prepared);
	REQUIRE(!config[0] || message_file_name_ok(config + (memcmp(config, "::", 2) ? 0 : 2)));
	REQUIRE(!handover->path_prefix[0] || message_file_name_ok(handover->path_prefix));
	REQUIRE(b->chains++ == 0);
	require_state(b, POWER_ON_HANDED_OVER);
	return ERR_IO;
}

static void boot_local(struct platform *p, enum local_boot method)
{
	(void)method; /* any number may come; for a port an unknown one is the default */
	REQUIRE(!booting_of(p)->net.open && booting_of(p)->armed);
	require_state(booting_of(p), POWER_ON_LOCAL);
	booting_of(p)->leaves++;
}

static void leave(struct platform *p)
{
	REQUIRE(!booting_of(p)->net.open && booting_of(p)->leaves == 0);
}

static void make_copy(struct wire *in, size_t size, uint8_t *copy)
{
	struct wire out = wire_writer(copy, ISD_COPY_SIZE), fields = wire_read_part(in, size);

	wire_write_bytes(&out, "OPBI\1\0", 6);
	wire_write_u16(&out, (uint16_t)size);
	wire_write_u32(&out, 1);
	if (size)
		wire_write_bytes(&out, fields.data, fields.size);
	wire_seek(&out, ISD_COPY_SIZE - 4);
	wire_write_u32(&out, crc32(copy, ISD_COPY_SIZE - 4));
}

static void run(struct booting *b)
{
	flow_run(&b->net.platform);
	REQUIRE(b->leaves == 1 && !b->net.open);
	/* A key may be waited for as long as the server says: at most 65 s. */
	REQUIRE(b->net.clock <= 80000u + (b->menu_shown ? MENU_TOTAL_LIMIT + 20000u : 0));
	b->decided = true;
	b->leaves = 0;
	flow_run(&b->net.platform);
	REQUIRE(b->leaves == 1);
}

static void set_up(struct booting *b, uint8_t *ack, size_t ack_size)
{
	static struct machine machine = {
		.mac = { 2, 0, 0, 0, 0, 1 }, .memory_mib = 512, .smbios_version = 0x0300,
		.disks = { { 1 << 20, 512, DISK_ATA } },
	};
	struct platform *p = &b->net.platform;
	struct span smbios = p->machine.smbios;

	fuzz_net_start(&b->net);
	b->net.next = next;
	b->net.look = look;
	p->machine = machine;
	p->machine.firmware = b->how & UEFI ? FIRMWARE_UEFI : FIRMWARE_BIOS;
	p->machine.loader = b->how & UEFI ? LOADER_UEFI : LOADER_BIOS;
	p->machine.disk_count = b->how & NO_DISK ? 0 : 1;
	p->machine.smbios = smbios;
	p->machine.dhcp.ack = (struct span){ ack, ack_size };
	if (b->how & NO_MAC)
		memset(p->machine.mac, 0, 6);
	p->receive_wait = b->how & RECEIVE_3S ? 3000 : 0;
	p->idle = idle;
	p->describe_cpu = describe_cpu;
	p->key = key;
	p->shift = shift;
	p->clear = clear;
	p->move = move;
	p->colours = colours;
	p->watchdog = watchdog;
	p->disk_read = disk_read;
	p->fetch = fetch;
	p->prepare = prepare;
	p->chain = chain;
	p->boot_local = boot_local;
	p->forget_keys = forget_keys;
	p->recall = recall;
	p->remember = remember;
	p->reboot = p->power_off = leave;
}

/*
 * A byte of choices; the lengths, and then the bytes, of SMBIOS's table, DHCP
 * options, fields of image-safe data, keys and the menu file; what arrives.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct booting b;
	static uint8_t ack[240 + 255];
	struct wire in = wire_reader(data, size), part;
	uint8_t lengths[5];
	uint8_t *smbios;

	memset(&b, 0, sizeof(b));
	b.how = wire_read_u8(&in);
	wire_read_bytes(&in, lengths, sizeof(lengths));
	smbios = fuzz_take(&in, lengths[0], &b.net.platform.machine.smbios.length);
	b.net.platform.machine.smbios.data = smbios;
	memset(ack, 0, sizeof(ack));
	memcpy(ack + 16, (uint8_t[]){ 10, 0, 0, 9, 10, 0, 0, 1 }, 8);
	memcpy(ack + 108, "boot/nvlnbp.sys", 15);
	memcpy(ack + 236, "\x63\x82\x53\x63", 4);
	wire_read_bytes(&in, ack + 240, lengths[1]);
	make_copy(&in, lengths[2], b.copy);
	b.keys = wire_read_part(&in, lengths[3]);
	part = wire_read_part(&in, lengths[4] * 4u);
	b.menu = part.error ? (const uint8_t *)"" : part.data;
	b.menu_length = part.size;
	b.net.script = in;
	if (!in.error) {
		set_up(&b, ack, 240 + lengths[1]);
		run(&b);
	}
	free(smbios);
	return 0;
}
