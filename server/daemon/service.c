/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/daemon/service.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "nbp/proto/error.h"

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

/* --- notifications ---------------------------------------------------------- */

static int connection; /* to systemd, which the environment names for the process; 0: none */

int service_open(int above)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	size_t length = path ? strlen(path) : 0;
	int fd;

	if (length < 2 || length >= sizeof(name.sun_path))
		return 0;
	memcpy(name.sun_path, path, length);
	if (path[0] == '@')
		name.sun_path[0] = '\0'; /* of the abstract namespace */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return 0;
	if (connect(fd, (struct sockaddr *)&name,
	            (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) == 0)
		connection = fcntl(fd, F_DUPFD_CLOEXEC, above + 1);
	close(fd);
	if (connection < 0)
		connection = 0;
	return connection;
}

__attribute__((format(printf, 1, 2)))
static void notify(const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (connection)
		(void)!write(connection, text, strlen(text));
	else
		sd_notify(0, text);
}

void service_ready(const char *status)
{
	notify("READY=1\nSTATUS=%s", status);
}

void service_status(const char *status)
{
	notify("STATUS=%s", status);
}

void service_waiting(const char *status, unsigned seconds)
{
	notify("EXTEND_TIMEOUT_USEC=%u\nSTATUS=%s", seconds * 1000000, status);
}

void service_reloading(void)
{
	struct timespec now;

	/* By the time systemd distinguishes this reload from an earlier one's end. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	notify("RELOADING=1\nMONOTONIC_USEC=%" PRId64,
	           (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

void service_stopping(void)
{
	notify("STOPPING=1\nSTATUS=stopping");
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
	notify("WATCHDOG=1");
}
