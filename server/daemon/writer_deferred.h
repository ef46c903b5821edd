/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_DAEMON_WRITER_DEFERRED_H
#define SERVER_DAEMON_WRITER_DEFERRED_H

#include "server/daemon/writer_internal.h"

/** Defers @datagram; the same message that was sent before makes room for it. Returns whether
 *  there was room. */
bool writer_defer(struct writer *writer, const struct datagram *datagram);

/** Drops what was deferred for longer than anybody waits for an answer. Returns how many. */
size_t writer_drop_deferred(struct writer *writer);

/** Takes up to @max deferred messages, the oldest first, to @out. Returns how many. */
size_t writer_take_deferred(struct writer *writer, struct datagram *out, size_t max);

#endif
