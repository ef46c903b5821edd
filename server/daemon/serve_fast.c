/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Machines ask again, and from boot to boot they say the same. A request whose body
 * has the hash that the device's last one had is sound, and the selection is
 * the same, as long as the policy and what is known of the device are.
 *
 * The mark of an entry is the length of that request without its padding, and, from the
 * top: 40 bits of the hash of body, address and policy; 16 of the nonce's; 8 of the
 * minute. The last two say whether it is news.
 */
#include "server/daemon/serve_fast.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define NEWS_BITS 24

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
	memcpy(nonce, d->data + PEEK_NONCE, sizeof(nonce));
	news = ((nonce[0] ^ server->seed) * 0x9e3779b97f4a7c15 ^ nonce[1]) * 0xc2b2ae3d27d4eb4f;
	news = (news >> 48) << 8 | ((uint64_t)s->timestamp->now / 60 & 0xff);
	hash = hash >> NEWS_BITS << NEWS_BITS | news;
	return hash ? hash : 1; /* 0 is what the index writes */
}

void serve_remember(struct serving *s, const struct datagram *d, const struct entry *entry,
                    bool kept)
{
	size_t length = peek_unpadded_length(d->data, d->length);
	uint64_t hash = hash_of(s, d, length);

	/* If it was not kept, the next that asks is news still. */
	entry_set_mark(entry, (struct mark){ kept ? hash : hash ^ 0xffffff, (uint16_t)length });
}

/* Finds the device that asks; NULL if it is unknown, has an anomaly, or may have a job. */
static const struct entry *find_device(struct serving *s, const struct request_peek *peek,
                                       const struct entry *likely)
{
	const struct sender sender = { .identity = &peek->identity, .isd = peek->isd };
	const struct entry *entry = likely;

	if (!entry || !identify_is(s->server->index, entry, &sender)) {
		identify_entry(s->server->index, &sender, &s->who);
		if (!s->who.known || s->who.anomaly[0] || s->who.binds)
			return NULL;
		entry = s->who.entry;
	}
	return entry_has_open_job(entry) ? NULL : entry;
}

bool serve_fast(struct serving *s, struct datagram *d, const struct request_peek *peek,
                const struct entry *likely)
{
	struct server *server = s->server;
	const struct entry *entry;
	struct settings buffer;
	struct answer answer;
	struct mark known;
	uint64_t hash;
	size_t length;

	if (!peek->firmware || address_port(&d->from) == 0)
		return false;
	entry = find_device(s, peek, likely);
	if (!entry)
		return false;
	known = entry_mark(entry);
	if (!known.hash || !peek_is_padded(d->data, d->length, known.length))
		return false;
	hash = hash_of(s, d, known.length);
	if (known.hash >> NEWS_BITS != hash >> NEWS_BITS ||
	    journal_wants(&server->journal, JOURNAL_KNOWN, s->timestamp->monotonic / 1000000))
		return false;
	if (known.hash != hash) {
		if (!server_history_full(server, s->timestamp->monotonic))
			return false;
		count(&s->counters.history_lost, 1);
	}
	answer.menu_file[0] = '\0';
	settings_answer(entry_settings(server->index, entry, &buffer), peek->firmware, &answer);
	_Static_assert(sizeof(d->reply) >= PEEK_ANSWER_MAX, "all of it fits");
	length = peek_write_no_job(d->data, entry_name(entry), &answer, d->reply);
	if (length > d->length)
		return false;
	d->reply_length = (uint16_t)length;
	s->suppressed++;
	count(&s->counters.asked[ASKED_REQUEST], 1);
	count(&s->counters.answered[ANSWERED_LOCAL], 1);
	return true;
}
