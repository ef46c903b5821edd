/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_DAEMON_SERVE_FAST_H
#define SERVER_DAEMON_SERVE_FAST_H

#include "server/daemon/serving.h"

/**
 * Answers a request that says what the same device's last one did, without
 * decoding it, if the answer is once more that there is no job. Returns whether it has.
 * @likely: the device that sends it, if it is who it seems; NULL: it is to be looked up
 */
bool serve_fast(struct serving *serving, struct datagram *datagram,
                const struct request_peek *peek, const struct entry *likely);

/**
 * Remembers that the request of @entry, which is decoded, is answered by no job.
 * @kept: that the device has asked is on its way to the database
 */
void serve_remember(struct serving *serving, const struct datagram *datagram,
                    const struct entry *entry, bool kept);

#endif
