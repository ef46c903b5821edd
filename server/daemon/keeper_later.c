/* SPDX-License-Identifier: BSD-2-Clause */
/* Questions that wait until another program has ended its transaction. */
#include "keeper.h"

#include <string.h>

#define PATIENCE_NS ((int64_t)2700 * 1000000) /* of an NBP: then it boots its disk */

/* Says whether two are of one question, which is sent again until it is answered. */
static bool is_same(const struct datagram *one, const struct datagram *other)
{
	/* The nonce, and before it the type. */
	return memcmp(one->data + 5, other->data + 5, 19) == 0 &&
	       memcmp(&one->from, &other->from, address_size(&one->from)) == 0;
}

bool keeper_put_off(struct keeper *k, const struct datagram *datagram)
{
	for (size_t i = 0; i < k->later_count; i++) {
		if (!is_same(&k->later[i], datagram))
			continue;
		k->later[i] = *datagram;
		return true;
	}
	if (k->later_count == KEEPER_LATER)
		return false;
	k->later[k->later_count++] = *datagram;
	return true;
}

/* Takes away the first @count. */
static void take_away(struct keeper *k, size_t taken)
{
	k->later_count -= taken;
	memmove(k->later, k->later + taken, k->later_count * sizeof(*k->later));
}

size_t keeper_give_up(struct keeper *k)
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

size_t keeper_take_later(struct keeper *k, struct datagram *out, size_t most)
{
	size_t taken = k->later_count < most ? k->later_count : most;

	memcpy(out, k->later, taken * sizeof(*out));
	take_away(k, taken);
	return taken;
}
