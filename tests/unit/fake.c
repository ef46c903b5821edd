/* SPDX-License-Identifier: BSD-2-Clause */
#include "fake.h"

#include "unit.h"

#include "error.h"

static struct fake *fake_of(struct platform *p)
{
	return (struct fake *)p;
}

static uint32_t fake_now(struct platform *p)
{
	return fake_of(p)->clock;
}

static void fake_idle(struct platform *p)
{
	fake_of(p)->clock++;
}

static void fake_cpuid(uint32_t leaf, uint32_t regs[4])
{
	/* EAX and, in the vendor's odd order EBX, EDX, ECX, its name. */
	memcpy(regs, leaf == 0 ? "\0\0\0\0FakeCPU Unit" : "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
}

static size_t fake_entropy(struct platform *p, void *buffer, size_t size)
{
	(void)p;
	memset(buffer, 0x5a, size);
	return size / 2;
}

static void fake_write(struct platform *p, const char *text, size_t length)
{
	struct fake *fake = fake_of(p);
	size_t used = strlen(fake->console);

	assert_true(used + length < sizeof(fake->console));
	memcpy(fake->console + used, text, length);
}

static int fake_udp_open(struct platform *p, uint16_t local_port)
{
	struct fake *fake = fake_of(p);

	assert_false(fake->socket_open);
	assert_int_not_equal(local_port, 0);
	fake->socket_open = fake->open_result == 0;
	return fake->open_result;
}

static int fake_udp_send(struct platform *p, const struct endpoint *to, const void *data,
                         size_t length)
{
	struct fake *fake = fake_of(p);
	struct fake_datagram *sent = &fake->sent[fake->sent_count];

	assert_true(fake->socket_open);
	assert_in_range(length, 1, MESSAGE_MAX);
	assert_true(fake->sent_count < FAKE_MAX);
	sent->at = fake->clock;
	sent->peer = *to;
	memcpy(sent->data, data, length);
	sent->length = length;
	fake->sent_count++;
	if (fake->send_result == 0 && fake->server)
		fake->server(fake, sent);
	return fake->send_result;
}

static int fake_udp_receive(struct platform *p, struct endpoint *from, void *buffer,
                            size_t capacity, size_t *length)
{
	struct fake *fake = fake_of(p);
	struct fake_datagram *next = &fake->inbox[fake->inbox_taken];

	assert_true(fake->socket_open);
	if (fake->inbox_taken == fake->inbox_count || next->at > fake->clock) {
		fake->clock += p->receive_wait;
		return ERR_AGAIN;
	}
	fake->inbox_taken++;
	if (next->length > capacity)
		return ERR_AGAIN;
	*from = next->peer;
	memcpy(buffer, next->data, next->length);
	*length = next->length;
	return 0;
}

static void fake_udp_close(struct platform *p)
{
	assert_true(fake_of(p)->socket_open);
	fake_of(p)->socket_open = false;
}

static int fake_fetch(struct platform *p, const uint8_t server[4], const char *name,
                      struct image *image)
{
	static uint8_t program[4321];
	struct fake *fake = fake_of(p);

	fake->socket_was_open |= fake->socket_open;
	snprintf(fake->fetched + strlen(fake->fetched), sizeof(fake->fetched) - strlen(fake->fetched),
	         "%u.%u.%u.%u:%s ", server[0], server[1], server[2], server[3], name);
	*image = (struct image){ program, sizeof(program) };
	return fake->fetch_result;
}

static int fake_chain(struct platform *p, const struct image *image,
                      const struct handover *handover)
{
	struct fake *fake = fake_of(p);

	fake->socket_was_open |= fake->socket_open;
	assert_int_equal(image->length, 4321);
	fake->chains++;
	snprintf(fake->chained_config, FILE_SIZE, "%s", handover->config_file);
	snprintf(fake->chained_prefix, FILE_SIZE, "%s", handover->path_prefix);
	return fake->chain_result;
}

static void fake_boot_local(struct platform *p, enum local_boot method)
{
	fake_of(p)->local_boots++;
	fake_of(p)->method = method;
}

void fake_start(struct fake *fake)
{
	static uint8_t ack[300];

	memset(ack, 0, sizeof(ack));
	memcpy(ack + 16, (uint8_t[]){ 10, 0, 0, 9, 10, 0, 0, 1 }, 8);
	memcpy(ack + 236, (uint8_t[]){ 0x63, 0x82, 0x53, 0x63, 255 }, 5);
	memset(fake, 0, sizeof(*fake));
	fake->platform = (struct platform){
		.name = "nvlnbp.sys",
		.machine = { .firmware = FIRMWARE_BIOS, .mac = { 0x52, 0x54, 0, 1, 2, 3 },
		             .memory_mib = 512, .dhcp.ack = { ack, sizeof(ack) } },
		.now = fake_now, .idle = fake_idle, .cpuid = fake_cpuid, .entropy = fake_entropy,
		.write = fake_write, .udp_open = fake_udp_open, .udp_send = fake_udp_send,
		.udp_receive = fake_udp_receive, .udp_close = fake_udp_close,
		.fetch = fake_fetch, .chain = fake_chain, .boot_local = fake_boot_local,
	};
	fake->chain_result = ERR_IO; /* chain() that comes back has failed */
}

void fake_deliver(struct fake *fake, uint32_t ms, struct endpoint from, const void *data,
                  size_t length)
{
	struct fake_datagram *next = &fake->inbox[fake->inbox_count];

	assert_true(fake->inbox_count < FAKE_MAX && length <= sizeof(next->data));
	*next = (struct fake_datagram){ .at = ms, .peer = from, .length = length };
	memcpy(next->data, data, length);
	fake->inbox_count++;
}

void fake_deliver_message(struct fake *fake, uint32_t ms, struct endpoint from,
                          const struct message *message)
{
	uint8_t data[MESSAGE_MAX];
	size_t length;

	assert_int_equal(message_encode(message, data, sizeof(data), &length), 0);
	fake_deliver(fake, ms, from, data, length);
}
