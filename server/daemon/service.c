/* SPDX-License-Identifier: BSD-2-Clause */
#include "service.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "error.h"

int service_sockets(int *sockets, size_t max, char *message, size_t size)
{
	int count = sd_listen_fds(0);

	if (count < 0) {
		snprintf(message, size, "sockets of systemd: %s", strerror(-count));
		return ERR_IO;
	}
	if ((size_t)count > max) {
		snprintf(message, size, "systemd passes %d sockets, at most %zu can be served; "
		         "take some out of prebootd.socket", count, max);
		return ERR_SPACE;
	}
	for (int i = 0; i < count; i++) {
		sockets[i] = SD_LISTEN_FDS_START + i;
		if (sd_is_socket_inet(sockets[i], AF_UNSPEC, SOCK_DGRAM, -1, 0) > 0)
			continue;
		snprintf(message, size, "socket %d that systemd passes is not UDP; use "
		         "ListenDatagram= in prebootd.socket", i + 1);
		return ERR_UNSUPPORTED;
	}
	return count;
}

void service_ready(const char *status)
{
	sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

void service_status(const char *status)
{
	sd_notifyf(0, "STATUS=%s", status);
}

void service_waiting(const char *status, unsigned seconds)
{
	sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%u\nSTATUS=%s", seconds * 1000000, status);
}

void service_reloading(void)
{
	struct timespec now;

	/* The time lets systemd tell this reload from an earlier one's end. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
	           (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

void service_stopping(void)
{
	sd_notify(0, "STOPPING=1\nSTATUS=stopping");
}

unsigned service_watchdog_ms(void)
{
	uint64_t microseconds = 0;

	if (sd_watchdog_enabled(0, &microseconds) <= 0)
		return 0;
	return (unsigned)(microseconds / 4000);
}

void service_alive(void)
{
	sd_notify(0, "WATCHDOG=1");
}
