/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/fake.h"

#include "tests/unit/unit.h"

#include "nbp/proto/error.h"

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

static void fake_describe_cpu(struct request *request)
{
	memcpy(request->cpu_vendor, "FakeUnitCPU", sizeof("FakeUnitCPU"));
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
	fake->clock += fake->takes.write;
}

static int fake_udp_open(struct platform *p, uint16_t local_port)
{
	struct fake *fake = fake_of(p);

	assert_false(fake->socket_open);
	assert_true(local_port >= 0xc000 || local_port == 4011); /* random, or a DHCP client's */
	assert_true(fake->port_count < FAKE_MAX);
	fake->ports[fake->port_count++] = local_port;
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
	if (fake->inbox_taken == fake->inbox_count || next->at > fake->clock + p->receive_wait) {
		fake->clock += p->receive_wait;
		return ERR_AGAIN;
	}
	if (fake->clock < next->at) /* a receive that blocks ends when something comes */
		fake->clock = next->at;
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

static void fake_clear(struct platform *p)
{
	fake_write(p, "<clear>", 7);
}

static void fake_move(struct platform *p, unsigned int row, unsigned int column)
{
	(void)p;
	assert_in_range(row, 0, 24);
	assert_in_range(column, 0, 79);
}

static void fake_colours(struct platform *p, uint8_t text, uint8_t background)
{
	(void)p;
	assert_in_range(text, 0, 15);
	assert_in_range(background, 0, 7);
}

static int fake_key(struct platform *p)
{
	struct fake *fake = fake_of(p);

	fake->clock += fake->takes.key;
	if (fake->babble)
		return fake->babble;
	if (fake->keys_taken == fake->key_count || fake->keys[fake->keys_taken].at > fake->clock)
		return KEY_NONE;
	fake->typed++;
	return fake->keys[fake->keys_taken++].key;
}

static uint8_t fake_shift(struct platform *p)
{
	struct fake *fake = fake_of(p);
	bool held = fake->clock >= fake->shift_from && fake->clock < fake->shift_to;

	if (fake->shift_unknown)
		return 0;
	return (uint8_t)(SHIFT_KNOWN | (held ? fake->shift : 0));
}

static int fake_disk_read(struct platform *p, size_t disk, uint64_t lba, uint32_t count,
                          void *buffer)
{
	struct fake *fake = fake_of(p);
	const struct disk *facts = &p->machine.disks[disk];

	assert_true(disk < p->machine.disk_count);
	assert_in_range((uint64_t)count * facts->sector_size, 1, 65536);
	fake->clock += fake->takes.disk;
	if (!fake->disk || (lba + count) * facts->sector_size > fake->disk_size)
		return ERR_NOT_FOUND;
	memcpy(buffer, fake->disk + lba * facts->sector_size, (size_t)count * facts->sector_size);
	return 0;
}

static void leave(struct fake *fake)
{
	fake->left.at = fake->clock;
	fake->left.sent = fake->sent_count;
}

static void fake_reboot(struct platform *p)
{
	fake_of(p)->reboots++;
	leave(fake_of(p));
}

static void fake_power_off(struct platform *p)
{
	fake_of(p)->power_offs++;
	leave(fake_of(p));
}

static void fake_watchdog(struct platform *p, uint32_t seconds)
{
	assert_in_range(seconds, 10, 300);
	fake_of(p)->watchdog_fresh = true;
}

static int fake_fetch(struct platform *p, const uint8_t server[4], const char *name,
                      bool multicast, struct image *image)
{
	static uint8_t program[4321];
	struct fake *fake = fake_of(p);

	fake->socket_was_open |= fake->socket_open;
	fake->prepared = NULL;
	/* It may take minutes, so the time before must not count. */
	assert_true(fake->watchdog_fresh);
	fake->watchdog_fresh = false;
	fake->clock += fake->takes.fetch;
	snprintf(fake->fetched + strlen(fake->fetched),
	         sizeof(fake->fetched) - strlen(fake->fetched), "%s%u.%u.%u.%u:%s ",
	         multicast ? "multicast:" : "", server[0], server[1], server[2], server[3], name);
	if (strlen(name) > 4 && strcmp(name + strlen(name) - 4, ".txt") == 0) {
		if (!fake->menu_text)
			return ERR_NOT_FOUND;
		*image = (struct image){ (void *)(uintptr_t)fake->menu_text,
			                 strlen(fake->menu_text) };
		return 0;
	}
	if (fake->missing && strcmp(name, fake->missing) == 0)
		return ERR_NOT_FOUND;
	*image = (struct image){ program, sizeof(program) };
	if (fake->empty && strcmp(name, fake->empty) == 0)
		image->length = 0;
	return fake->fetch_result;
}

static int fake_prepare(struct platform *p, const struct image *image,
                        const struct handover *handover)
{
	struct fake *fake = fake_of(p);

	assert_int_equal(image->length, 4321);
	assert_null(fake->prepared);
	if (fake->prepare_result == 0)
		fake->prepared = image->data;
	snprintf(fake->chained_config, FILE_SIZE, "%s", handover->config_file);
	snprintf(fake->chained_prefix, FILE_SIZE, "%s", handover->path_prefix);
	return fake->prepare_result;
}

static int fake_chain(struct platform *p, const struct image *image,
                      const struct handover *handover)
{
	struct fake *fake = fake_of(p);

	fake->socket_was_open |= fake->socket_open;
	assert_int_equal(image->length, 4321);
	assert_ptr_equal(image->data, fake->prepared);
	assert_string_equal(handover->config_file, fake->chained_config);
	assert_string_equal(handover->path_prefix, fake->chained_prefix);
	memcpy(fake->chained_server, handover->server, 4);
	assert_memory_equal(handover->record, fake->record, POWER_ON_SIZE);
	fake->prepared = NULL;
	fake->chains++;
	leave(fake);
	fake->leftover |= fake->typed != 0;
	memcpy(fake->chained_record, fake->record, POWER_ON_SIZE);
	return fake->chain_result;
}

static int fake_recall(struct platform *p, uint8_t record[POWER_ON_SIZE])
{
	memcpy(record, fake_of(p)->record, POWER_ON_SIZE);
	return fake_of(p)->recall_result;
}

static void fake_remember(struct platform *p, const uint8_t record[POWER_ON_SIZE])
{
	memcpy(fake_of(p)->record, record, POWER_ON_SIZE);
}

static void fake_forget_keys(struct platform *p)
{
	struct fake *fake = fake_of(p);

	fake->typed = 0;
	while (fake->keys_taken < fake->key_count &&
	       fake->keys[fake->keys_taken].at <= fake->clock)
		fake->keys_taken++;
}

static void fake_boot_local(struct platform *p, enum local_boot method)
{
	struct fake *fake = fake_of(p);

	fake->local_boots++;
	fake->method = method;
	fake->leftover |= fake->typed != 0;
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
		.machine = { .firmware = FIRMWARE_BIOS,
		             .mac = { 0x52, 0x54, 0, 1, 2, 3 },
		             .memory_mib = 512,
		             .dhcp.ack = { ack, sizeof(ack) } },
		.now = fake_now,
		.idle = fake_idle,
		.describe_cpu = fake_describe_cpu,
		.entropy = fake_entropy,
		.write = fake_write,
		.udp_open = fake_udp_open,
		.udp_send = fake_udp_send,
		.udp_receive = fake_udp_receive,
		.udp_close = fake_udp_close,
		.fetch = fake_fetch,
		.prepare = fake_prepare,
		.chain = fake_chain,
		.boot_local = fake_boot_local,
		.clear = fake_clear,
		.move = fake_move,
		.colours = fake_colours,
		.key = fake_key,
		.shift = fake_shift,
		.disk_read = fake_disk_read,
		.reboot = fake_reboot,
		.power_off = fake_power_off,
		.watchdog = fake_watchdog,
		.recall = fake_recall,
		.remember = fake_remember,
		.forget_keys = fake_forget_keys,
	};
	fake->chain_result = ERR_IO; /* a chain() that returns has failed */
	fake->takes.write = 1;
	fake->takes.disk = 2;
	fake->takes.fetch = 40;
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

/* Sends the receipt of a report as a server does, or what the test makes of it. */
static void confirm(struct fake *fake, const struct message *report, struct endpoint from)
{
	struct message receipt = { .type = MESSAGE_RECEIPT, .sequence = report->sequence,
		                   .u.receipt = { .job = report->u.report.job,
		                                  .state = report->u.report.state } };

	if (fake->receipts.none == report->u.report.state)
		return;
	memcpy(receipt.nonce, report->nonce, NONCE_SIZE);
	if (fake->receipts.refused == report->u.report.state) {
		receipt.u.receipt.state = 0;
		strcpy(receipt.u.receipt.reason, "withdrawn");
	}
	receipt.u.receipt.job += fake->receipts.wrong_job;
	fake_deliver_message(fake, fake->clock + 3, from, &receipt);
}

void fake_answer(struct fake *fake, const struct fake_datagram *datagram)
{
	struct message question, reply = *(struct message *)fake->server_data;

	assert_int_equal(message_decode(&question, datagram->data, datagram->length), 0);
	if (question.type == MESSAGE_REPORT)
		confirm(fake, &question, datagram->peer);
	if (question.type != MESSAGE_REQUEST)
		return;
	memcpy(reply.nonce, question.nonce, NONCE_SIZE);
	reply.sequence = question.sequence;
	fake_deliver_message(fake, fake->clock + 3, datagram->peer, &reply);
}

struct event fake_event(const struct fake *fake, enum event_code code)
{
	struct message message;

	for (size_t i = 0; i < fake->sent_count; i++) {
		assert_int_equal(message_decode(&message, fake->sent[i].data, fake->sent[i].length),
		                 0);
		if (message.type == MESSAGE_EVENT && message.u.event.code == code)
			return message.u.event;
	}
	fail_msg("no event %d", (int)code);
	return message.u.event;
}

size_t fake_questions(const struct fake *fake, enum message_type type)
{
	size_t count = 0;

	for (size_t i = 0; i < fake->sent_count; i++)
		count += fake->sent[i].data[5] == type;
	return count;
}
