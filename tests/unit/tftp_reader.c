/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/tftp_reader.h"

#include "tests/unit/unit.h"

#include "nbp/tftp.h"

#define CANARY 64 /* bytes after data[capacity] */

uint8_t reader_content(size_t at)
{
	return (uint8_t)(at * 7 + at / 251);
}

static int join(struct platform *p, const uint8_t group[4], uint16_t port)
{
	struct reader *t = (struct reader *)p;

	t->joins++;
	memcpy(t->group, group, 4);
	t->group_port = port;
	return t->join_result;
}

struct reader *reader_new(uint32_t capacity)
{
	struct reader *t = calloc(1, sizeof(*t));

	fake_start(&t->fake);
	t->fake.platform.receive_wait = 1; /* the clock moves while nothing comes */
	t->size = 512;
	t->reading = malloc(sizeof(*t->reading) + capacity + CANARY);
	memset(t->reading, 0, sizeof(*t->reading));
	memset(t->reading->data, 0xcc, capacity + CANARY);
	t->reading->p = &t->fake.platform;
	t->reading->join = join;
	t->reading->capacity = capacity;
	memcpy(t->reading->server.address, (uint8_t[]){ 10, 0, 0, 1 }, 4);
	return t;
}

void reader_free(struct reader *t)
{
	for (int i = 0; i < CANARY; i++)
		assert_int_equal(t->reading->data[t->reading->capacity + i], 0xcc);
	free(t->reading);
	free(t);
}

/* --- what the server sends ---------------------------------------------------------- */

void reader_come(struct reader *t, uint8_t host, uint16_t port, const void *data, size_t length)
{
	fake_deliver(&t->fake, t->ms, (struct endpoint){ { 10, 0, 0, host }, port }, data, length);
}

void reader_say(struct reader *t, const uint8_t *data, size_t length)
{
	static const uint8_t error[] = { 0, 5, 0, 1, 0 };
	uint8_t twin[1500];

	t->ms++;
	if (!t->alone) {
		memcpy(twin, data, length);
		memset(twin + 4, 0xee, length - 4);
		reader_come(t, 2, PORT, twin, length);
		reader_come(t, 2, PORT, error, sizeof(error));
		reader_come(t, 1, PORT + 5, error, 3);
	}
	if (!t->alone && t->known) {
		reader_come(t, 1, PORT + 1, twin, length);
		reader_come(t, 1, PORT + 1, error, sizeof(error));
		reader_come(t, 1, PORT, error, 3);
		reader_come(t, 1, PORT, "\0\4\0\1", 4); /* no opcode for a reader */
	}
	reader_come(t, 1, PORT, data, length);
	t->known = true;
}

void reader_oack(struct reader *t, const char *text, size_t length)
{
	uint8_t data[256] = { 0, 6 };

	memcpy(data + 2, text, length);
	reader_say(t, data, 2 + length);
}

void reader_block(struct reader *t, size_t number, size_t count)
{
	uint8_t data[1500] = { 0, 3, (uint8_t)(number >> 8), (uint8_t)number };

	for (size_t i = 0; i < count; i++)
		data[4 + i] = reader_content((number - 1) * t->size + i);
	reader_say(t, data, 4 + count);
}

void reader_error(struct reader *t, uint8_t code)
{
	reader_say(t, (uint8_t[]){ 0, 5, 0, code, 'n', 'o', 0 }, 7);
}

void reader_serve(struct fake *fake, const struct fake_datagram *question)
{
	struct reader *t = (struct reader *)fake;
	size_t number = 1, start;

	fake->inbox_count = fake->inbox_taken = fake->sent_count = 0;
	t->ms = fake->clock - 1; /* it answers at once */
	if (question->data[1] == 1 && t->oack) {
		reader_oack(t, t->oack, t->oack_length);
		return;
	}
	if (question->data[1] == 4) {
		number = (question->data[2] << 8 | question->data[3]) + 1u;
		t->acks++;
	}
	start = (number - 1) * t->size;
	if (start <= t->file)
		reader_block(t, number, t->file - start < t->size ? t->file - start : t->size);
}

/* --- what the client does ------------------------------------------------------------ */

/* Writes what the client sent: R for the request, A and its number for an ACK, E for an error. */
void reader_list_sent(struct reader *t)
{
	static const uint8_t server[] = { 10, 0, 0, 1 };
	char *at = t->sent, *end = at + sizeof(t->sent);

	for (size_t i = 0; i < t->fake.sent_count; i++) {
		const struct fake_datagram *sent = &t->fake.sent[i];

		assert_memory_equal(sent->peer.address, server, 4);
		assert_int_equal(sent->peer.port, sent->data[1] == 1 ? TFTP_PORT : PORT);
		assert_int_equal(sent->data[0], 0);
		switch (sent->data[1]) {
		case 1:
			at += snprintf(at, (size_t)(end - at), " R");
			break;
		case 4:
			assert_int_equal(sent->length, 4);
			at += snprintf(at, (size_t)(end - at), " A%d",
			               sent->data[2] << 8 | sent->data[3]);
			break;
		case 5:
			assert_int_equal(sent->length, 5);
			assert_memory_equal(sent->data, "\0\5\0\0", 5);
			at += snprintf(at, (size_t)(end - at), " E");
			break;
		default:
			fail_msg("opcode %d", sent->data[1]);
		}
	}
}

int reader_read(struct reader *t)
{
	int rc = tftp_read(t->reading, "grub.efi", true, 50000);

	assert_false(t->fake.socket_open);
	reader_list_sent(t);
	return rc;
}

void reader_expect(struct reader *t, int rc, const char *sent)
{
	assert_int_equal(reader_read(t), rc);
	assert_string_equal(t->sent, sent);
}

void reader_expect_file(struct reader *t, size_t length, const char *sent)
{
	reader_expect(t, 0, sent);
	assert_int_equal(t->reading->length, length);
	for (size_t i = 0; i < length; i++)
		assert_int_equal(t->reading->data[i], reader_content(i));
	for (size_t i = length; i < t->reading->capacity; i++)
		assert_int_equal(t->reading->data[i], 0xcc);
	reader_free(t);
}
