/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nbp/proto/error.h"
#include "server/daemon/service.h"

/* What systemd hears, and the sockets it passes; the tests are systemd. */

static int hear(char *path)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	strcpy(path, "/tmp/service-XXXXXX");
	assert_non_null(mkdtemp(path));
	snprintf(name.sun_path, sizeof(name.sun_path), "%s/notify", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	setenv("NOTIFY_SOCKET", name.sun_path, 1);
	return fd;
}

static void heard(int fd, const char *wanted)
{
	char text[256] = "";
	ssize_t length = recv(fd, text, sizeof(text) - 1, 0);

	assert_true(length >= 0);
	if (strlen(wanted) < (size_t)length)
		text[strlen(wanted)] = '\0'; /* a time follows */
	assert_string_equal(text, wanted);
}

static void test_what_systemd_hears(void **state)
{
	char path[32], name[64];
	int fd = hear(path);

	(void)state;
	service_ready("listening on 0.0.0.0:13331");
	heard(fd, "READY=1\nSTATUS=listening on 0.0.0.0:13331");
	service_status("3 devices");
	heard(fd, "STATUS=3 devices");
	service_reloading();
	heard(fd, "RELOADING=1\nMONOTONIC_USEC=");
	service_alive();
	heard(fd, "WATCHDOG=1");
	service_stopping();
	heard(fd, "STOPPING=1\nSTATUS=stopping");
	assert_int_equal(recv(fd, name, sizeof(name), 0), -1);
	/* A daemon that was started by hand notifies nobody. */
	unsetenv("NOTIFY_SOCKET");
	service_ready("x");
	assert_int_equal(recv(fd, name, sizeof(name), 0), -1);
	close(fd);
	snprintf(name, sizeof(name), "%s/notify", path);
	unlink(name);
	rmdir(path);
}

static void test_watchdog(void **state)
{
	char pid[16];

	(void)state;
	unsetenv("WATCHDOG_USEC");
	assert_int_equal(service_watchdog_ms(), 0);
	setenv("WATCHDOG_USEC", "30000000", 1);
	assert_int_equal(service_watchdog_ms(), 7500);
	snprintf(pid, sizeof(pid), "%d", getppid());
	setenv("WATCHDOG_PID", pid, 1); /* it is another's */
	assert_int_equal(service_watchdog_ms(), 0);
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

/* --- sockets ----------------------------------------------------------------------- */

struct passing {
	const char *name;
	int count;
	struct { int family, type; } sockets[3];
	size_t max;
	int wanted;
	const char *message;
};

static const struct passing passings[] = {
	{ "none", 0, { { 0, 0 } }, 2, 0, "" },
	{ "one", 1, { { AF_INET, SOCK_DGRAM } }, 2, 1, "" },
	{ "both", 2, { { AF_INET, SOCK_DGRAM }, { AF_INET6, SOCK_DGRAM } }, 2, 2, "" },
	{ "too many", 3, { { AF_INET, SOCK_DGRAM }, { AF_INET, SOCK_DGRAM },
	  { AF_INET, SOCK_DGRAM } }, 2, ERR_SPACE, "at most 2" },
	{ "TCP", 2, { { AF_INET, SOCK_DGRAM }, { AF_INET, SOCK_STREAM } }, 2, ERR_UNSUPPORTED,
	  "socket 2 that systemd passes is not UDP" },
	{ "local", 1, { { AF_UNIX, SOCK_DGRAM } }, 2, ERR_UNSUPPORTED, "ListenDatagram=" },
};

/* Puts the sockets where systemd would, from 3 on, whatever was there. */
static const char *take(const struct passing *passing)
{
	char message[128] = "", number[16];
	int sockets[8], rc;

	for (int i = 0; i < passing->count; i++) {
		int fd = socket(passing->sockets[i].family, passing->sockets[i].type, 0);

		if (dup2(fd, 3 + i) < 0)
			return "dup2";
	}
	snprintf(number, sizeof(number), "%d", passing->count);
	if (passing->count)
		setenv("LISTEN_FDS", number, 1);
	snprintf(number, sizeof(number), "%d", getpid());
	setenv("LISTEN_PID", number, 1);
	rc = service_sockets(sockets, passing->max, message, sizeof(message));
	if (rc != passing->wanted)
		return "another result";
	if (!strstr(message, passing->message))
		return message[0] ? "another message" : "no message";
	for (int i = 0; i < rc; i++)
		if (sockets[i] != 3 + i || !(fcntl(3 + i, F_GETFD) & FD_CLOEXEC))
			return "not the socket that was passed";
	return NULL;
}

static void test_sockets(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(passings); i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0) {
			const char *wrong = take(&passings[i]);

			if (wrong)
				dprintf(2, "%s: %s\n", passings[i].name, wrong);
			_exit(wrong != NULL);
		}
		waitpid(pid, &status, 0);
		assert_int_equal(status, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_systemd_hears),
		cmocka_unit_test(test_watchdog),
		cmocka_unit_test(test_sockets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
