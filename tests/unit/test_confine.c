/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/confined.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/syscall.h>

#include <sqlite3.h>

#include "nbp/proto/error.h"

/* What a confined process can no longer do, and what it still can. */

struct attempt {
	const char *name;
	/* Returns an errno; 0 where it went well. */
	int (*make)(const struct place *place, const struct attempt *attempt);
	int wanted;
	int number, second; /* for make() */
	const char *path;
	bool by_landlock;   /* by that alone: not asked where the kernel is without */
};

#define MAKE(name) static int name(const struct place *p, const struct attempt *a)
#define UNUSED ((void)p, (void)a)

static int result(long rc)
{
	return rc < 0 ? errno : 0;
}

/* --- files ------------------------------------------------------------------- */

static int open_file(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	return fd < 0 ? errno : (close(fd), 0);
}

MAKE(open_path)
{
	UNUSED;
	return open_file(a->path, a->number);
}

MAKE(write_outside)
{
	char path[PATH_MAX];

	UNUSED;
	snprintf(path, sizeof(path), "%s/new", p->outside);
	return open_file(path, O_WRONLY | O_CREAT);
}

/* Moves a file that is its own, to the outside or within. */
MAKE(move)
{
	char from[PATH_MAX], to[PATH_MAX];

	snprintf(from, sizeof(from), "%s/mine", p->folder);
	snprintf(to, sizeof(to), "%s/metrics", a->number ? p->outside : p->folder);
	return open_file(from, O_WRONLY | O_CREAT | O_TRUNC) ? -1 : result(rename(from, to));
}

/* With what it takes: a log, memory that is shared, a sort too large for memory, VACUUM. */
MAKE(use_sqlite)
{
	sqlite3 *db;
	int rc = sqlite3_open(p->file, &db);

	UNUSED;
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, "PRAGMA journal_mode=WAL; PRAGMA cache_size=8;"
		                  "CREATE TABLE t(a); PRAGMA synchronous=FULL;"
		                  "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n "
		                  "LIMIT 3000) INSERT INTO t SELECT hex(randomblob(400)) FROM n;"
		                  "CREATE INDEX i ON t(a); VACUUM", NULL, NULL, NULL);
	return sqlite3_close(db) == SQLITE_OK ? rc : -1;
}

/* --- all else ------------------------------------------------------------------ */

MAKE(open_socket)
{
	int fd = socket(a->number, a->second, 0);

	UNUSED;
	return fd < 0 ? errno : (close(fd), 0);
}

MAKE(run_program)
{
	UNUSED;
	return result(execl("/bin/true", "true", (char *)NULL));
}

MAKE(new_process)
{
	pid_t pid = fork();

	UNUSED;
	if (pid == 0)
		_exit(0);
	return result(pid);
}

static void *idle(void *argument)
{
	return argument;
}

MAKE(new_thread)
{
	pthread_t thread;
	int rc = pthread_create(&thread, NULL, idle, NULL);

	UNUSED;
	return rc ? rc : pthread_join(thread, NULL);
}

MAKE(map)
{
	void *memory = mmap(NULL, 4096, a->number, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	UNUSED;
	if (memory == MAP_FAILED)
		return errno;
	return a->second ? result(mprotect(memory, 4096, a->second)) : 0;
}

MAKE(call)
{
	UNUSED;
	return result(syscall(a->number, a->second, 0, 0, 0, 0));
}

/* Aimed at itself, as others are another user's by now in any case. */
MAKE(send_signal) { UNUSED; return result(kill(getpid(), 0)); }
MAKE(trace) { UNUSED; return result(ptrace(PTRACE_TRACEME, 0, NULL, NULL)); }
MAKE(new_root) { UNUSED; return result(chroot(p->folder)); }
MAKE(new_mount) { UNUSED; return result(mount("none", p->folder, "tmpfs", 0, NULL)); }

#define DATA (PROT_READ | PROT_WRITE)
#define CODE (PROT_READ | PROT_EXEC)

/* What it is, how it is made, what comes of it; then what it is made with. */
#define TRY(what, how, errno_wanted, ...) \
	{ .name = (what), .make = (how), .wanted = (errno_wanted), ##__VA_ARGS__ }
#define WITH(a, b) .number = (a), .second = (b)

static const struct attempt attempts[] = {
	TRY("read /etc/shadow", open_path, EACCES, .path = "/etc/shadow", .number = O_RDONLY),
	TRY("read /etc/passwd", open_path, EACCES, .path = "/etc/passwd", .by_landlock = true),
	TRY("write its memory", open_path, EACCES, .path = "/proc/self/mem", .number = O_RDWR,
	    .by_landlock = true),
	TRY("list /", open_path, EACCES, .path = "/", .number = O_DIRECTORY, .by_landlock = true),
	TRY("write outside", write_outside, EACCES, .by_landlock = true),
	TRY("move a file outside", move, EACCES, .number = 1, .by_landlock = true),
	TRY("run a program", run_program, EPERM),
	TRY("fork", new_process, EPERM),
	TRY("clone3", call, ENOSYS, WITH(SYS_clone3, 0)),
	TRY("raw socket", open_socket, EPERM, WITH(AF_INET, SOCK_RAW)),
	TRY("packet socket", open_socket, EPERM, WITH(AF_PACKET, SOCK_RAW)),
	TRY("UDP socket", open_socket, EPERM, WITH(AF_INET, SOCK_DGRAM)),
	TRY("TCP socket", open_socket, EPERM, WITH(AF_INET6, SOCK_STREAM)),
	TRY("netlink socket", open_socket, EPERM, WITH(AF_NETLINK, SOCK_RAW)),
	TRY("local socket", open_socket, EPERM, WITH(AF_UNIX, SOCK_DGRAM)),
	TRY("memory for code", map, EPERM, WITH(CODE, 0)),
	TRY("data to code", map, EPERM, WITH(DATA, CODE)),
	TRY("root again", call, EPERM, WITH(SYS_setuid, 0)),
	TRY("signal", send_signal, EPERM),
	TRY("trace", trace, EPERM),
	TRY("chroot", new_root, EPERM),
	TRY("mount", new_mount, EPERM),
	TRY("namespace", call, EPERM, WITH(SYS_unshare, CLONE_NEWUSER)),
	TRY("bpf", call, EPERM, WITH(SYS_bpf, 0)),
	/* and what must go on working */
	TRY("memory", map, 0, WITH(DATA, PROT_READ)),
	TRY("thread", new_thread, 0),
	TRY("random numbers", open_path, 0, .path = "/dev/urandom"),
	TRY("move a file inside", move, 0),
	TRY("SQLite", use_sqlite, 0),
};

static const char *try_one(const struct place *place, const void *argument)
{
	const struct attempt *attempt = argument;
	struct confinement c = confinement_of(place);
	static char wrong[640];
	int got;

	if (confine(&c)) {
		snprintf(wrong, sizeof(wrong), "%s", c.message);
		return wrong;
	}
	if (attempt->by_landlock && strstr(c.report, "no Landlock"))
		return NULL;
	got = attempt->make(place, attempt);
	snprintf(wrong, sizeof(wrong), "%s: got %d (%s), wanted %d", attempt->name, got,
	         strerror(got), attempt->wanted);
	return got == attempt->wanted ? NULL : wrong;
}

/* --- the socket by which systemd is notified --------------------------------------- */

#define LOCAL 100

static int listen_at(const struct place *place, const char *name, struct sockaddr_un *at)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	*at = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(at->sun_path, sizeof(at->sun_path), "%s/%s", place->folder, name);
	return bind(fd, (struct sockaddr *)at, sizeof(*at)) ? -1 : fd;
}

/* It notifies systemd, and nobody else. */
static const char *try_local_socket(const struct place *place, const void *argument)
{
	struct confinement c = confinement_of(place);
	struct sockaddr_un systemd, other;
	int heard = listen_at(place, "systemd", &systemd), fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	char letter = 'x';
	struct iovec text = { &letter, 1 };
	struct mmsghdr message = { .msg_hdr = { &other, sizeof(other), &text, 1, NULL, 0, 0 } };
	char got;

	(void)argument;
	if (listen_at(place, "other", &other) < 0 || heard < 0 ||
	    connect(fd, (struct sockaddr *)&systemd, sizeof(systemd)) || dup2(fd, LOCAL) < 0)
		return "no sockets";
	close(fd);
	c.local_socket = LOCAL;
	if (confine(&c))
		return "not confined";
	if (strstr(c.report, "no seccomp"))
		return NULL;
	if (sendto(LOCAL, "x", 1, 0, (struct sockaddr *)&other, sizeof(other)) >= 0 ||
	    sendmsg(LOCAL, &message.msg_hdr, 0) >= 0 || sendmmsg(LOCAL, &message, 1, 0) >= 0 ||
	    syscall(SYS_sendmmsg, (1L << 32) + LOCAL, &message, 1, 0) >= 0)
		return "another was notified";
	if (dup(LOCAL) >= 0 || dup2(LOCAL, 50) >= 0 || fcntl(LOCAL, F_DUPFD, 3) >= 0)
		return "it has another number";
	return write(LOCAL, "y", 1) == 1 && read(heard, &got, 1) == 1 ? NULL
	                                                              : "systemd is not notified";
}

static void test_local_socket(void **state)
{
	in_child(try_local_socket, *state, NULL);
}

static void test_attempts(void **state)
{
	for (size_t i = 0; i < COUNT(attempts); i++)
		in_child(try_one, *state, &attempts[i]);
}

/* Where nothing confines, the same attempts show that they are good for something. */
static const char *try_free(const struct place *place, const void *argument)
{
	const struct attempt *attempt = argument;
	struct confinement c = confinement_of(place);

	c.no_sandbox = true;
	if (confine(&c))
		return "not confined";
	return attempt->make(place, attempt) == 0 ? NULL : attempt->name;
}

static void test_attempts_without_sandbox(void **state)
{
	static const char *const names[] = { "read /etc/passwd", "list /", "write outside",
		"move a file outside", "run a program", "fork", "UDP socket", "TCP socket",
		"netlink socket", "memory for code", "data to code", "signal", "trace",
		"thread", "SQLite" };

	for (size_t i = 0; i < COUNT(names); i++)
		for (size_t j = 0; j < COUNT(attempts); j++)
			if (strcmp(names[i], attempts[j].name) == 0)
				in_child(try_free, *state, &attempts[j]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_attempts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_local_socket, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_attempts_without_sandbox, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
