/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The same datagrams to a whole prebootd, built with sanitizers, over real sockets. It is
 * the one beside this program. STORM and SEED as in test_storm.c, but a thousandth.
 */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/storm.h"

#define USUAL    5000
#define WAIT_MS  20    /* for an answer that may never come */
#define START_MS 60000 /* for it to start, or to stop, on a busy machine */

extern char **environ;
static const char *own_path;

struct daemon {
	char folder[64], database[96], log[96];
	pid_t pid;
	int socket;
	struct storm storm;
};

static void read_log(const struct daemon *d, char *out, size_t size)
{
	FILE *file = fopen(d->log, "r");
	size_t length = file ? fread(out, 1, size - 1, file) : 0;

	out[length] = '\0';
	if (file)
		fclose(file);
}

/* Returns the port it says that it listens on; 0: it has not said it yet. */
static int port_of(const struct daemon *d)
{
	static const char ready[] = "listening on 127.0.0.1:";
	char text[4096], *at;

	read_log(d, text, sizeof(text));
	at = strstr(text, ready);
	return at && strchr(at, '\n') ? atoi(at + sizeof(ready) - 1) : 0;
}

static void start(struct daemon *d)
{
	char path[256], program[300];
	const char *argv[] = {
		program, "--database", d->database, "--listen", "127.0.0.1:0", "--rate", "0",
		"--threads", "2", "--no-sandbox", geteuid() ? NULL : "--user", "root", NULL,
	};
	posix_spawn_file_actions_t files;

	snprintf(path, sizeof(path), "%s", own_path);
	snprintf(program, sizeof(program), "%s/prebootd", dirname(path));
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 2, d->log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	assert_int_equal(posix_spawn(&d->pid, program, &files, NULL, (char **)argv, environ), 0);
	posix_spawn_file_actions_destroy(&files);
}

static void fill_database(struct daemon *d)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(d->database, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	assert_int_equal(sqlite3_exec(db, storm_site, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static int set_up(void **state)
{
	struct daemon *d = calloc(1, sizeof(*d));
	struct sockaddr_in there = { .sin_family = AF_INET,
	                             .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct stat status;
	int port = 0;

	*state = d;
	snprintf(d->folder, sizeof(d->folder), "%s/preboot-storm-XXXXXX",
	         stat("/dev/shm", &status) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(d->folder));
	snprintf(d->database, sizeof(d->database), "%s/db", d->folder);
	snprintf(d->log, sizeof(d->log), "%s/log", d->folder);
	start(d);
	for (int ms = 0; ms < START_MS && !port; ms += 10) {
		usleep(10000);
		port = port_of(d);
	}
	assert_true(port > 0);
	fill_database(d);
	d->socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	there.sin_port = htons((uint16_t)port);
	assert_int_equal(connect(d->socket, (struct sockaddr *)&there, sizeof(there)), 0);
	storm_start(&d->storm, getenv("SEED") ? strtoull(getenv("SEED"), NULL, 10) : 2);
	return 0;
}

/* Returns its exit status as waitpid() has it; -1: it does not stop. */
static int stop(struct daemon *d)
{
	int status;

	kill(d->pid, SIGTERM);
	for (int ms = 0; ms < START_MS; ms += 10) {
		if (waitpid(d->pid, &status, WNOHANG) == d->pid)
			return status;
		usleep(10000);
	}
	kill(d->pid, SIGKILL);
	waitpid(d->pid, &status, 0);
	return -1;
}

static int tear_down(void **state)
{
	static const char *const names[] = { "db", "db-wal", "db-shm", "db.lock", "log" };
	struct daemon *d = *state;
	char path[128];

	close(d->socket);
	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", d->folder, names[i]);
		unlink(path);
	}
	rmdir(d->folder);
	free(d);
	return 0;
}

/* --- state ---------------------------------------------------------------- */

/* Returns the length of the answer to @question that comes in time; 0: none does. */
static size_t receive(struct daemon *d, const struct message *question, uint8_t *reply, int wait)
{
	struct pollfd poll_ = { d->socket, POLLIN, 0 };
	struct message answer;

	while (poll(&poll_, 1, wait) == 1) {
		ssize_t length = recv(d->socket, reply, MESSAGE_MAX + 1, MSG_DONTWAIT);

		/* What is late belongs to another question. */
		if (length > 0 && message_decode(&answer, reply, (size_t)length) == 0 &&
		    answer.type == question->type + 1 && answer.sequence == question->sequence &&
		    memcmp(answer.nonce, question->nonce, NONCE_SIZE) == 0)
			return (size_t)length;
	}
	return 0;
}

/* Sends one; returns whether it was answered. */
static bool send_and_wait(struct daemon *d, uint32_t number, const uint8_t *data, size_t length,
                          int wait)
{
	uint8_t copy[MESSAGE_MAX + 1], reply[MESSAGE_MAX + 1];
	struct message question;
	size_t got;

	memcpy(copy, data, length);
	if (length >= MESSAGE_HEADER) {
		/* A sequence of its own, to know its answer by. */
		copy[26] = (uint8_t)(number >> 8);
		copy[27] = (uint8_t)number;
	}
	(void)send(d->socket, copy, length, 0);
	if (message_decode(&question, copy, length))
		return false;
	if (question.type != MESSAGE_REQUEST && question.type != MESSAGE_QUERY &&
	    question.type != MESSAGE_REPORT)
		return false;
	got = receive(d, &question, reply, wait);
	if (got)
		storm_check(&d->storm, copy, length, reply, got);
	return got != 0;
}

static void test_storm(void **state)
{
	struct daemon *d = *state;
	const char *wanted = getenv("STORM");
	uint32_t count = wanted ? (uint32_t)strtoul(wanted, NULL, 10) / 1000 + USUAL : USUAL;
	uint32_t answered = 0;
	uint8_t data[MESSAGE_MAX + 1];
	char log[65536];
	int status;

	for (uint32_t i = 0; i < count; i++) {
		size_t length = storm_next(&d->storm, data);

		answered += send_and_wait(d, i, data, length, WAIT_MS);
	}
	assert_true(answered > count / 10);
	/* It is as well as before. */
	assert_true(send_and_wait(d, 7, d->storm.vectors[0], d->storm.lengths[0], START_MS));
	status = stop(d);
	if (status) {
		read_log(d, log, sizeof(log));
		print_message("%s\n", log);
	}
	assert_int_equal(status, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_storm, set_up, tear_down),
	};

	(void)argc;
	own_path = argv[0];
	return cmocka_run_group_tests_name("storm_socket", tests, NULL, NULL);
}
