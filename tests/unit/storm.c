/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/storm.h"

#include "tests/unit/unit.h"

#include "nbp/platform.h"
#include "nbp/proto/message_fields.h"
#include "tests/unit/vector.h"

static const char *const vector_names[STORM_VECTORS] = {
	"request", "answer with a job", "answer without a job", "event", "query", "details",
	"report", "receipt",
};

/* Of ten machines in a row: one by UUID alone, one by its device id alone, the others by MAC,
 * and by UUID too. Even ones have an open job; all have an assignment of once and of always. */
const char storm_site[] =
	"INSERT INTO setting VALUES ('global', 0, 'menu-mode', 'hotkey');"
	"INSERT INTO folder (id, parent, name) VALUES (1, NULL, 'site'), (2, 1, 'room');"
	"INSERT INTO setting VALUES ('folder', 1, 'attempts', '2');"
	"INSERT INTO device_group (id, name) VALUES (1, 'group');"
	"INSERT INTO bundle (id, name, kind, loader_bios, loader_uefi, config, prefix, details,"
	" attempts, deadline, added) VALUES"
	" (1, 'once', 'imaging', '*', '*', 'z_auto.cfg', '', x'696d6167653d6100', 0, 0, 1),"
	" (2, 'always', 'script', 'a.0', '', 'a.cfg', 'p/', x'', 1, 60, 1),"
	" (3, 'rule', 'third-party', '*', '*', 'winpe.cfg', '', x'', 0, 0, 1),"
	" (4, 'cast', 'multicast', '*', '*', 'm.cfg', '', x'', 0, 0, 1);"
	"WITH RECURSIVE n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i < 199)"
	" INSERT INTO device (id, name, uuid, isd, folder, added) SELECT i + 1, 'pc' || i,"
	" iif(i % 10 IN (1, 2, 3), CAST('storm-uuid-' || printf('%05d', i) AS BLOB), NULL),"
	" iif(i % 10 IN (0, 3), CAST('storm-isd--' || printf('%05d', i) AS BLOB), NULL),"
	" iif(i % 3, 2, NULL), 1 FROM n;"
	"INSERT INTO mac SELECT CAST('pc' || printf('%04d', id - 1) AS BLOB), id FROM device"
	" WHERE id % 10 NOT IN (1, 2);"
	"INSERT INTO member SELECT 1, id FROM device WHERE id % 4 = 0;"
	"INSERT INTO assignment (bundle, level, owner, mode, until, added) VALUES"
	" (1, 'folder', 1, 'once', 0, 1), (2, 'group', 1, 'always', 0, 1);"
	"INSERT INTO job (device, state, attempts, deadline, assigned, loader_bios, loader_uefi,"
	" config, prefix, details) SELECT id, 'pending', 3, 100, 1, 'pxelinux.0', 'syslinux.efi',"
	" 'z_auto.cfg', '', x'6b6579003d' FROM device WHERE id % 2;"
	"INSERT INTO rule (position, name, bundle, applies, filter) VALUES"
	" (1, 'r1', 3, 'known', 'memory >= 8G and not (maker contains dell or tpm = yes)'),"
	" (2, 'r2', 3, 'unknown', 'product starts-with Storm and cores > 2');"
	"INSERT INTO multicast (id, name, bundle, clients, wait, state, added) VALUES"
	" (1, 'm1', 4, 3, 0, 'waiting', 1), (2, 'm2', 4, 0, 30, 'waiting', 1);"
	"INSERT INTO multicast_member (multicast, device) SELECT 1 + id % 2, id FROM device"
	" WHERE id % 25 < 2;";

/* --- chance ---------------------------------------------------------------- */

static uint64_t next_random(struct storm *s)
{
	/* xorshift64* */
	s->random ^= s->random >> 12;
	s->random ^= s->random << 25;
	s->random ^= s->random >> 27;
	return s->random * 0x2545f4914f6cdd1d;
}

uint32_t storm_below(struct storm *s, uint32_t bound)
{
	return (uint32_t)((next_random(s) >> 32) * bound >> 32);
}

static void fill_random(struct storm *s, uint8_t *out, size_t length)
{
	for (size_t i = 0; i < length; i++)
		out[i] = (uint8_t)storm_below(s, 256);
}

void storm_start(struct storm *s, uint64_t seed)
{
	memset(s, 0, sizeof(*s));
	s->random = seed * 2 + 1;
	for (int i = 0; i < 8; i++)
		next_random(s);
	for (size_t i = 0; i < STORM_VECTORS; i++)
		s->lengths[i] = read_vector(vector_names[i], s->vectors[i], MESSAGE_MAX);
}

/* --- sound ones ------------------------------------------------------------ */

/* Who asks: below STORM_MACHINES a device of the site; sometimes with a part of another. */
static void make_identity(struct storm *s, uint32_t number, struct identity *identity)
{
	uint32_t other = storm_below(s, 16) ? number : storm_below(s, STORM_MACHINES);
	char text[24];

	snprintf(text, sizeof(text), "pc%04u", number);
	memcpy(identity->mac, text, sizeof(identity->mac));
	snprintf(text, sizeof(text), "storm-uuid-%05u", other);
	if (other % 10 > 0 && other % 10 < 4)
		memcpy(identity->uuid, text, sizeof(identity->uuid));
}

static void make_request(struct storm *s, uint32_t number, struct request *r)
{
	static const char *const products[] = { "", "Storm", "OptiPlex", "Standard PC" };
	char isd[24];

	r->firmware = (uint8_t)(FIRMWARE_BIOS + storm_below(s, 2));
	snprintf(r->product, sizeof(r->product), "%s", products[storm_below(s, 4)]);
	snprintf(r->manufacturer, sizeof(r->manufacturer), "%s",
	         storm_below(s, 2) ? "Dell Inc." : "QEMU");
	r->memory_mib = storm_below(s, 3) * 8192;
	r->cpu_cores = (uint16_t)storm_below(s, 9);
	r->tpm = (uint8_t)storm_below(s, 3);
	r->disk_count = (uint8_t)storm_below(s, DISKS_MAX + 1);
	for (int i = 0; i < r->disk_count; i++)
		r->disks[i] = (struct disk){ 1 + next_random(s), 512, DISK_ATA };
	if (number % 10 && storm_below(s, 8))
		return;
	r->isd_state = ISD_VALID;
	snprintf(isd, sizeof(isd), "storm-isd--%05u",
	         storm_below(s, 8) ? number : storm_below(s, STORM_MACHINES));
	memcpy(r->isd_device, isd, sizeof(r->isd_device));
	snprintf(r->isd_image, sizeof(r->isd_image), "rule");
}

static size_t make_message(struct storm *s, uint8_t *out)
{
	static const uint8_t types[] = {
		MESSAGE_REQUEST, MESSAGE_REQUEST, MESSAGE_REQUEST, MESSAGE_REQUEST,
		MESSAGE_EVENT, MESSAGE_EVENT, MESSAGE_QUERY, MESSAGE_REPORT,
	};
	struct message m = { .type = types[storm_below(s, COUNT(types))] };
	uint32_t number = storm_below(s, 2 * STORM_MACHINES);
	size_t length;

	m.sequence = storm_below(s, 3);
	/* A machine boots now and then, and asks more than once. */
	memset(m.nonce, (int)storm_below(s, 4), sizeof(m.nonce));
	make_identity(s, number, &m.u.request.identity);
	if (m.type == MESSAGE_REQUEST)
		make_request(s, number, &m.u.request);
	if (m.type == MESSAGE_EVENT) {
		m.u.event.code = (uint8_t)(1 + storm_below(s, EVENT_ERROR));
		m.u.event.milliseconds = 1 + storm_below(s, 100000);
		snprintf(m.u.event.reason, sizeof(m.u.event.reason), "%%s %u", number);
	}
	if (m.type == MESSAGE_REPORT) {
		m.u.report.job = s->jobs[number] ? s->jobs[number] : 1 + storm_below(s, 300);
		m.u.report.state = (uint8_t)(1 + storm_below(s, 3));
		snprintf(m.u.report.reason, sizeof(m.u.report.reason), "exit %u", number);
	}
	assert_int_equal(message_encode(&m, out, MESSAGE_MAX, &length), 0);
	return length;
}

/* --- damage ---------------------------------------------------------------- */

/* Finds the @wanted'th field, or the last one before. Returns where it starts. */
static size_t find_field(const uint8_t *data, size_t length, uint32_t wanted)
{
	size_t at = MESSAGE_HEADER;

	while (wanted-- && at + FIELD_HEADER <= length) {
		size_t next = at + FIELD_HEADER + ((size_t)data[at + 2] << 8 | data[at + 3]);

		if (next + FIELD_HEADER > length)
			break;
		at = next;
	}
	return at;
}

static void spoil_length(struct storm *s, uint8_t *data, size_t length)
{
	static const uint16_t extreme[] = { 0, 1, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff };
	size_t at = find_field(data, length, storm_below(s, 12));
	uint32_t value = storm_below(s, 12);

	if (at + FIELD_HEADER > length)
		return;
	if (value < COUNT(extreme))
		value = extreme[value];
	else /* one more or less, or up to the very end */
		value = value == 9 ? data[at + 3] + 1u : value == 10 ? data[at + 3] - 1u
		        : (uint32_t)(length - at - FIELD_HEADER + storm_below(s, 3) - 1);
	data[at + 2] = (uint8_t)(value >> 8);
	data[at + 3] = (uint8_t)value;
}

static void spoil_number(struct storm *s, uint8_t *data, size_t length)
{
	size_t at = find_field(data, length, storm_below(s, 12));

	if (at + FIELD_HEADER > length)
		return;
	data[at] = storm_below(s, 4) ? 0 : 0x80;
	data[at + 1] = (uint8_t)storm_below(s, 0x80);
}

/* Moves a field, or copies it over others. */
static void shuffle(struct storm *s, uint8_t *data, size_t length)
{
	uint8_t field[MESSAGE_MAX + 1];
	size_t from = find_field(data, length, storm_below(s, 8));
	size_t to = find_field(data, length, storm_below(s, 8)), size;

	if (from + FIELD_HEADER > length || to + FIELD_HEADER > length)
		return;
	size = FIELD_HEADER + ((size_t)data[from + 2] << 8 | data[from + 3]);
	if (size > length - from)
		size = length - from;
	memcpy(field, data + from, size);
	if (storm_below(s, 2)) { /* those between make room */
		if (to > from && to - from >= size)
			memmove(data + from, data + from + size, to - from - size), to -= size;
		else if (to < from)
			memmove(data + to + size, data + to, from - to);
	}
	if (size > length - to)
		size = length - to;
	memcpy(data + to, field, size);
}

static size_t damage(struct storm *s, uint8_t *data, size_t length)
{
	size_t at = length ? storm_below(s, (uint32_t)length) : 0, longer;

	switch (storm_below(s, 9)) {
	case 0: /* bits */
		for (uint32_t i = storm_below(s, 4); length && i < 4; i++)
			data[storm_below(s, (uint32_t)length)] ^= (uint8_t)(1 << storm_below(s, 8));
		return length;
	case 1: /* a bit of what is there beside padding */
		if (length > 120)
			data[storm_below(s, 120)] ^= (uint8_t)(1 << storm_below(s, 8));
		return length;
	case 2: /* cut */
		return at;
	case 3: /* cut short, near where the fields end */
		return length < 160 ? length : storm_below(s, 160);
	case 4: /* longer, with noise */
		longer = length + storm_below(s, (uint32_t)(MESSAGE_MAX + 2 - length));
		fill_random(s, data + length, longer - length);
		return longer;
	case 5:
		spoil_length(s, data, length);
		return length;
	case 6:
		spoil_number(s, data, length);
		return length;
	case 7:
		shuffle(s, data, length);
		return length;
	default: /* the end of another */
		if (s->last_length > at)
			memcpy(data + at, s->last + at, s->last_length - at);
		return s->last_length > at ? s->last_length : length;
	}
}

size_t storm_next(struct storm *s, uint8_t *out)
{
	uint32_t kind = storm_below(s, 20);
	size_t length;

	if (kind == 0) {
		length = storm_below(s, MESSAGE_MAX + 2);
		fill_random(s, out, length);
		if (storm_below(s, 2) && length >= 6)
			memcpy(out, "OPBP\1\1", 6);
	} else if (kind < 3) {
		uint32_t i = storm_below(s, STORM_VECTORS);

		length = s->lengths[i];
		memcpy(out, s->vectors[i], length);
	} else {
		length = make_message(s, out);
	}
	for (uint32_t i = storm_below(s, 10); kind && i < 4; i++)
		length = damage(s, out, length);
	memcpy(s->last, out, length);
	s->last_length = length;
	return length;
}

/* --- answers --------------------------------------------------------------- */

void storm_check(struct storm *s, const uint8_t *data, size_t length, const uint8_t *reply,
                 size_t reply_length)
{
	struct message question, answer;
	unsigned int number;
	char mac[7] = "";

	assert_in_range(reply_length, MESSAGE_HEADER, length);
	assert_int_equal(message_decode(&question, data, length), 0);
	assert_int_equal(message_decode(&answer, reply, reply_length), 0);
	assert_int_equal(answer.type, question.type + 1);
	assert_memory_equal(answer.nonce, question.nonce, NONCE_SIZE);
	assert_int_equal(answer.sequence, question.sequence);
	memcpy(mac, question.u.request.identity.mac, 6);
	if (answer.type == MESSAGE_ANSWER && answer.u.answer.job &&
	    sscanf(mac, "pc%4u", &number) == 1 && number < 2 * STORM_MACHINES)
		s->jobs[number] = answer.u.answer.job;
}
