/* SPDX-License-Identifier: BSD-2-Clause */
/* Questions that wait until another program has ended its transaction. */
#include "server/daemon/writer.h"

#include <string.h>

#define PATIENCE_NS ((int64_t)2700 * 1000000) /* of an NBP: then it boots its disk */
#define RECEIPT_NS  ((int64_t)1200 * 1000000) /* the same for a receipt: 1.5 s, and the ways */

/* Says whether two are of one question, which is sent again until it is answered. */
static bool is_same(const struct datagram *one, const struct datagram *other)
{
	/* The nonce, and before it the type. */
	return memcmp(one->data + 5, other->data + 5, 19) == 0 &&
	       memcmp(&one->from, &other->from, address_size(&one->from)) == 0;
}

/* Waits for a receipt, without which it boots its disk: work that it does not do must not count
 * as accepted, or as done at the handover. An agent's that is dropped for this is sent again. */
static bool wants_receipt(const struct message *question)
{
	return question->type == MESSAGE_REPORT && (question->u.report.state == REPORT_ACCEPTED ||
	                                            question->u.report.state == REPORT_DONE);
}

bool writer_is_late(const struct writer *k, const struct pending *pending)
{
	return wants_receipt(&pending->question) &&
	       pending->datagram->arrived + RECEIPT_NS < k->moment.monotonic;
}

bool writer_put_off(struct writer *k, const struct datagram *datagram)
{
	for (size_t i = 0; i < k->later_count; i++) {
		struct datagram *same = &k->later[i];
		int64_t arrived = same->arrived;

		if (!is_same(same, datagram))
			continue;
		*same = *datagram;
		same->arrived = arrived; /* whose patience began with the first */
		return true;
	}
	if (k->later_count == WRITER_LATER)
		return false;
	k->later[k->later_count++] = *datagram;
	return true;
}

/* Takes away the first @count. */
static void take_away(struct writer *k, size_t taken)
{
	k->later_count -= taken;
	memmove(k->later, k->later + taken, k->later_count * sizeof(*k->later));
}

size_t writer_give_up(struct writer *k)
{
	size_t old = 0;

	while (old < k->later_count &&
	       k->later[old].arrived + PATIENCE_NS < k->moment.monotonic)
		old++;
	if (old)
		take_away(k, old);
	count(&k->counters.dropped[DROP_STORE], old);
	return old;
}

size_t writer_take_later(struct writer *k, struct datagram *out, size_t most)
{
	size_t taken = k->later_count < most ? k->later_count : most;

	memcpy(out, k->later, taken * sizeof(*out));
	take_away(k, taken);
	return taken;
}
