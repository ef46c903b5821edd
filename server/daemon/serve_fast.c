/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Machines ask again, and from boot to boot they say the same. A request whose body
 * has the hash that the device's last one had is sound, and the choice is
 * the same, as long as the policy and what is known of the device are.
 *
 * The mark of an entry is the length of that request without its padding, and, from the
 * top: 40 bits of the hash of body, address and policy; 16 of the nonce's; 8 of the
 * minute. The last two say whether it is news.
 */
#include "server/daemon/serve.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "nbp/proto/message_fields.h"

#define NEWS_BITS   24
#define FIELDS_MAX  16 /* fields within which all that is needed must stand */

/* Says whether a request has nothing but padding, in one piece, behind @length bytes. */
static bool padded_from(const struct datagram *d, size_t length)
{
	const uint8_t *field = d->data + length;

	if (length == d->length)
		return true;
	return length >= MESSAGE_HEADER && length + FIELD_HEADER <= d->length &&
	       field[0] == 0 && field[1] == FIELD_PADDING &&
	       length + FIELD_HEADER + ((size_t)field[2] << 8 | field[3]) == d->length;
}

/* @length: of the request without its padding */
static uint64_t hash_of(const struct serving *s, const struct datagram *d, size_t length)
{
	const struct server *server = s->server;
	uint64_t nonce[2], address[2] = { 0, 0 }, hash, news;

	if (d->from.any.sa_family == AF_INET6)
		memcpy(address, &d->from.in6.sin6_addr, 16);
	else
		memcpy(address, &d->from.in.sin_addr, 4);
	hash = XXH3_64bits_withSeed(d->data + MESSAGE_HEADER, length - MESSAGE_HEADER,
	                            server->seed + server->generation);
	hash ^= (address[0] ^ server->seed) * 0x9e3779b97f4a7c15;
	hash ^= (address[1] + server->seed) * 0xc2b2ae3d27d4eb4f;
	memcpy(nonce, d->data + 8, sizeof(nonce));
	news = ((nonce[0] ^ server->seed) * 0x9e3779b97f4a7c15 ^ nonce[1]) * 0xc2b2ae3d27d4eb4f;
	news = (news >> 48) << 8 | ((uint64_t)s->moment->now / 60 & 0xff);
	hash = hash >> NEWS_BITS << NEWS_BITS | news;
	return hash ? hash : 1; /* 0 is what the index writes */
}

void serve_remember(struct serving *s, const struct datagram *d, const struct entry *entry,
                    bool noted)
{
	size_t length = device_request_length(d->data, d->length);
	uint64_t hash = hash_of(s, d, length);

	/* If it was not kept, the next that asks is news still. */
	entry_set_mark(entry, (struct mark){ noted ? hash : hash ^ 0xffffff, (uint16_t)length });
}

/* --- reading --------------------------------------------------------------- */

/* Reads it where it stands at the beginning. That the rest is sound is not looked at. */
void serve_outline(const struct datagram *d, struct outline *out)
{
	static const uint8_t head[] = { 'O', 'P', 'B', 'P', MESSAGE_VERSION, MESSAGE_REQUEST };
	size_t at = MESSAGE_HEADER;

	memset(out, 0, sizeof(*out));
	if (d->length > MESSAGE_MAX || d->length < MESSAGE_HEADER ||
	    memcmp(d->data, head, sizeof(head)) != 0)
		return;
	for (int i = 0; i < FIELDS_MAX && at + FIELD_HEADER <= d->length; i++) {
		const uint8_t *value = d->data + at + FIELD_HEADER;
		unsigned number = (unsigned)d->data[at] << 8 | d->data[at + 1];
		size_t length = (size_t)d->data[at + 2] << 8 | d->data[at + 3];

		at += FIELD_HEADER + length;
		if (at > d->length)
			return;
		if (number == FIELD_MAC && length == 6)
			memcpy(out->identity.mac, value, 6);
		else if (number == FIELD_UUID && length == 16)
			memcpy(out->identity.uuid, value, 16);
		else if (number == FIELD_ISD_DEVICE && length == 16)
			memcpy(out->isd, value, 16);
		else if (number == FIELD_FIRMWARE && length == 1) {
			out->firmware = value[0];
			return;
		}
	}
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

/* Writes what message_encode() would, of a device without work. */
static void write_none(struct datagram *d, const char *name, const struct answer *answer)
{
	uint8_t *at = d->reply;
	size_t length;

	_Static_assert(sizeof(d->reply) >= MESSAGE_HEADER + 64 + NAME_SIZE + FILE_SIZE,
	               "all of it fits");
	memcpy(at, d->data, MESSAGE_HEADER); /* nonce and sequence are the question's */
	at[5] = MESSAGE_ANSWER;
	at[6] = at[7] = 0;
	at = put_number(at + MESSAGE_HEADER, FIELD_DECISION, 1, DECISION_LOCAL);
	at = put_text(at, FIELD_DEVICE, name);
	at = put_number(at, FIELD_LOCAL_BOOT, 1, answer->local_boot);
	at = put_number(at, FIELD_MENU_MODE, 1, answer->menu_mode);
	at = put_number(at, FIELD_HOT_KEY, 1, answer->hot_key);
	at = put_number(at, FIELD_HOT_KEY_WAIT, 2, answer->hot_key_wait);
	at = put_text(at, FIELD_MENU_FILE, answer->menu_file);
	at = put_number(at, FIELD_VALID_FOR, 2, answer->valid_for);
	length = (size_t)(at - d->reply);
	if (length <= d->length)
		d->reply_length = (uint16_t)length;
}

/* --- the whole ------------------------------------------------------------- */

/* Finds who asks; NULL where it is nobody, or there is more to it, or may be work. */
static const struct entry *find(struct serving *s, const struct outline *outline)
{
	const struct sender sender = { .identity = &outline->identity, .isd = outline->isd };
	const struct entry *entry = outline->likely;

	if (!entry || !identify_is(s->server->index, entry, &sender)) {
		identify_entry(s->server->index, &sender, &s->who);
		if (!s->who.known || s->who.note[0] || s->who.claims)
			return NULL;
		entry = s->who.entry;
	}
	return entry_has_open_job(entry) ? NULL : entry;
}

bool serve_fast(struct serving *s, struct datagram *d, const struct outline *outline)
{
	struct server *server = s->server;
	const struct entry *entry;
	struct settings room;
	struct answer answer;
	struct mark known;
	uint64_t hash;

	if (!outline->firmware || address_port(&d->from) == 0)
		return false;
	entry = find(s, outline);
	if (!entry)
		return false;
	known = entry_mark(entry);
	if (!known.hash || !padded_from(d, known.length))
		return false;
	hash = hash_of(s, d, known.length);
	if (known.hash >> NEWS_BITS != hash >> NEWS_BITS ||
	    journal_wants(&server->journal, JOURNAL_KNOWN, s->moment->monotonic / 1000000))
		return false;
	if (known.hash != hash) {
		if (!serve_notes_full(s))
			return false;
		count(&s->counters.notes_lost, 1);
	}
	answer.menu_file[0] = '\0';
	settings_answer(entry_settings(server->index, entry, &room), outline->firmware, &answer);
	write_none(d, entry_name(entry), &answer);
	if (!d->reply_length)
		return false;
	s->held++;
	count(&s->counters.asked[ASKED_REQUEST], 1);
	count(&s->counters.answered[ANSWERED_LOCAL], 1);
	return true;
}
