/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_DAEMON_SERVICE_H
#define SERVER_DAEMON_SERVICE_H

#include <stddef.h>

/*
 * What a daemon and systemd exchange: sd_notify(3), sd_listen_fds(3). All
 * of it does nothing where systemd has not started us.
 */

/**
 * Reads which UDP sockets systemd opened (prebootd.socket): bound, IPv4 or IPv6, for
 * socket_adopt(). All threads share each, as nobody else may open more beside them.
 * @message: receives what is wrong, and what to do; 128 bytes will do
 * Returns how many, 0 for none; ERR_SPACE (more than @max), ERR_UNSUPPORTED (no UDP
 * socket) or ERR_IO.
 */
int service_sockets(int *sockets, size_t max, char *message, size_t size);

/**
 * Connects to systemd, if it wants to be notified: from then on that takes no socket.
 * @above: the descriptor becomes a higher one
 * Returns it, or 0.
 */
int service_open(int above);

/** Notifies that it serves now; units that come after it may start. @status: one line, for
 *  people, as in "systemctl status". Also ends what service_reloading() began. */
void service_ready(const char *status);

/** Changes what "systemctl status" shows, say once a minute. */
void service_status(const char *status);

/** Notifies that the start takes longer, at least for @seconds more, and why. */
void service_waiting(const char *status, unsigned seconds);

/** Notifies that a reload begins (SIGHUP); service_ready() must follow. */
void service_reloading(void);

/** Notifies that it stops, so that the end is no surprise. */
void service_stopping(void);

/**
 * Returns how often service_alive() must be called, in ms: a quarter of what
 * WatchdogSec= allows; 0: not at all. Call it before threads start, as it reads the environment.
 */
unsigned service_watchdog_ms(void);

/** Notifies that it lives. The caller should know that answers still leave. */
void service_alive(void);

#endif
