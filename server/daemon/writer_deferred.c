/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages that wait until another program has ended its transaction. */
#include "server/daemon/writer_deferred.h"

#include <string.h>

#define PATIENCE_NS ((int64_t)2700 * 1000000) /* of an NBP, which then boots its disk */

/* Says whether both are the same message, which is sent again until it is answered. */
static bool is_same(const struct datagram *one, const struct datagram *other)
{
	return one->data[PEEK_TYPE] == other->data[PEEK_TYPE] &&
	       memcmp(one->data + PEEK_NONCE, other->data + PEEK_NONCE, NONCE_SIZE) == 0 &&
	       memcmp(&one->from, &other->from, address_size(&one->from)) == 0;
}

bool writer_defer(struct writer *w, const struct datagram *datagram)
{
	for (size_t i = 0; i < w->deferred_count; i++) {
		struct datagram *same = &w->deferred[i];
		int64_t arrived = same->arrived;

		if (!is_same(same, datagram))
			continue;
		*same = *datagram;
		same->arrived = arrived; /* the sender's patience began with the first */
		return true;
	}
	if (w->deferred_count == WRITER_DEFERRED)
		return false;
	w->deferred[w->deferred_count++] = *datagram;
	return true;
}

static void remove_deferred(struct writer *w, size_t removed)
{
	w->deferred_count -= removed;
	memmove(w->deferred, w->deferred + removed, w->deferred_count * sizeof(*w->deferred));
}

size_t writer_drop_deferred(struct writer *w)
{
	size_t late = 0;

	while (late < w->deferred_count &&
	       w->deferred[late].arrived + PATIENCE_NS < w->timestamp.monotonic)
		late++;
	if (late)
		remove_deferred(w, late);
	count(&w->counters.dropped[DROP_STORE], late);
	return late;
}

size_t writer_take_deferred(struct writer *w, struct datagram *out, size_t max)
{
	size_t taken = w->deferred_count < max ? w->deferred_count : max;

	memcpy(out, w->deferred, taken * sizeof(*out));
	remove_deferred(w, taken);
	return taken;
}
