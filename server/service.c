/* SPDX-License-Identifier: BSD-2-Clause */
#include "service.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "error.h"

/* Makes the socket as one of our own would be. Returns 0 or -1 with errno set. */
static int prepare(int fd, int family)
{
	int on = 1, flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK))
		return -1;
	if (family == AF_INET)
		return setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	return setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
}

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
		int fd = SD_LISTEN_FDS_START + i, family = AF_INET;

		if (sd_is_socket(fd, AF_INET6, SOCK_DGRAM, -1) > 0)
			family = AF_INET6;
		else if (sd_is_socket(fd, AF_INET, SOCK_DGRAM, -1) <= 0) {
			snprintf(message, size, "socket %d that systemd passes is not UDP; use "
			         "ListenDatagram= in prebootd.socket", i + 1);
			return ERR_UNSUPPORTED;
		}
		if (prepare(fd, family)) {
			snprintf(message, size, "socket %d that systemd passes: %s", i + 1,
			         strerror(errno));
			return ERR_IO;
		}
		sockets[i] = fd;
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
	return (unsigned)(microseconds / 2000);
}

void service_alive(void)
{
	sd_notify(0, "WATCHDOG=1");
}
