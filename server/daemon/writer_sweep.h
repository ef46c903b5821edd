/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_DAEMON_WRITER_SWEEP_H
#define SERVER_DAEMON_WRITER_SWEEP_H

#include "server/daemon/writer_internal.h"

/** Does what is due by the clock. Returns whether there is more: then it is due again at once. */
bool writer_sweep(struct writer *writer, const struct timestamp *timestamp);

/** Starts multicast sessions that are due, and ends those whose members are done. */
void writer_sessions(struct writer *writer);

/** Stores what was counted since the last time. */
void writer_count(struct writer *writer);

/**
 * Compares the clock with the time since the machine's start, which nobody sets; before each turn.
 * If the clock was set, the times of jobs under way are moved with it, so that none is overdue for
 * that.
 * @now: Unix time; @boot: CLOCK_BOOTTIME; both s
 */
void writer_clock(struct writer *writer, int64_t now, int64_t boot);

#endif
