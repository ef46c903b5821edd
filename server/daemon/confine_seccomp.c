/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nbp/proto/error.h"
#include "server/daemon/confine.h"

#define CALL(name) SCMP_SYS(name)

/*
 * What sockets that are open, SQLite, threads and the C library need. No new
 * program, no new socket, no other process, nothing of the kernel's.
 */
static const int allowed[] = {
	/* files */
	CALL(access), CALL(close), CALL(faccessat), CALL(faccessat2), CALL(fallocate),
	CALL(fchmod), CALL(fchown), CALL(fdatasync), CALL(flock), CALL(fstat),
	CALL(fsync), CALL(fstatfs), CALL(ftruncate), CALL(getcwd), CALL(getdents64), CALL(link),
	CALL(linkat), CALL(lseek), CALL(lstat), CALL(newfstatat), CALL(open), CALL(openat),
	CALL(pread64), CALL(preadv), CALL(pwrite64), CALL(pwritev), CALL(read), CALL(readlink),
	CALL(readlinkat), CALL(readv), CALL(rename), CALL(renameat), CALL(renameat2), CALL(stat),
	CALL(statfs), CALL(statx), CALL(sync_file_range), CALL(umask), CALL(unlink), CALL(unlinkat),
	CALL(write),
	CALL(writev),
	/* sockets, and waiting for them */
	CALL(epoll_create1), CALL(epoll_ctl), CALL(epoll_pwait), CALL(epoll_wait), CALL(eventfd2),
	CALL(getpeername), CALL(getsockname), CALL(getsockopt), CALL(pipe2), CALL(poll),
	CALL(ppoll),
	CALL(pselect6), CALL(recvfrom), CALL(recvmmsg), CALL(recvmsg), CALL(select),
	CALL(setsockopt), CALL(shutdown), CALL(signalfd4),
	CALL(timerfd_create), CALL(timerfd_gettime), CALL(timerfd_settime),
	/* memory */
	CALL(brk), CALL(madvise), CALL(mremap), CALL(munmap),
	/* threads */
	CALL(exit), CALL(exit_group), CALL(futex), CALL(get_robust_list), CALL(getcpu),
	CALL(gettid),
	CALL(membarrier), CALL(restart_syscall), CALL(rseq), CALL(sched_getaffinity),
	CALL(sched_getparam), CALL(sched_getscheduler), CALL(sched_setaffinity), CALL(sched_yield),
	CALL(set_robust_list), CALL(set_tid_address),
	/* time */
	CALL(clock_getres), CALL(clock_gettime), CALL(clock_nanosleep), CALL(gettimeofday),
	CALL(nanosleep), CALL(time),
	/* signals */
	CALL(rt_sigaction), CALL(rt_sigpending), CALL(rt_sigprocmask), CALL(rt_sigreturn),
	CALL(rt_sigsuspend), CALL(rt_sigtimedwait), CALL(sigaltstack),
	/* about this process and machine */
	CALL(getegid), CALL(geteuid), CALL(getgid), CALL(getpid), CALL(getppid), CALL(getrandom),
	CALL(getrusage), CALL(getuid), CALL(sysinfo), CALL(times), CALL(uname),
};

/* Those that are allowed with some arguments alone. */
static int allow_in_part(scmp_filter_ctx filter, int local_socket)
{
	/* All of fcntl() but to have a descriptor under another number. */
	static const int commands[] = {
		F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_SETLK, F_SETLKW,
		F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW,
	};
	const scmp_datum_t exec = PROT_EXEC, thread = CLONE_THREAD, self = (scmp_datum_t)getpid();
	int rc = 0;

	/* Memory that is never a program's. */
	rc |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(mmap), 1,
	                       SCMP_A2(SCMP_CMP_MASKED_EQ, exec, 0));
	rc |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(mprotect), 1,
	                       SCMP_A2(SCMP_CMP_MASKED_EQ, exec, 0));
	/* Threads, no processes. The C library turns to clone() where there is no
	 * clone3(), whose flags lie in memory and can't be seen from here. */
	rc |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(clone), 1,
	                       SCMP_A0(SCMP_CMP_MASKED_EQ, thread, thread));
	rc |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), CALL(clone3), 0);
	/* Signals to itself, as abort() sends. */
	rc |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(tgkill), 1,
	                       SCMP_A0(SCMP_CMP_EQ, self));
	/* Answers leave by the sockets below the one to systemd, which is connected:
	 * with write() nothing can be sent to anybody else. */
	if (local_socket > 0)
		rc |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(sendmmsg), 1,
		                       SCMP_A0(SCMP_CMP_LT, (scmp_datum_t)local_socket));
	else
		rc |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(sendmmsg), 0);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		rc |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(fcntl), 1,
		                       SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)commands[i]));
	rc |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(ioctl), 1,
	                       SCMP_A1(SCMP_CMP_EQ, TCGETS)); /* isatty() */
	rc |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(ioctl), 1,
	                       SCMP_A1(SCMP_CMP_EQ, FIONREAD));
	rc |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(prctl), 1,
	                       SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME));
	/* Limits are read, of this process, and not set. */
	rc |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(prlimit64), 2,
	                       SCMP_A0(SCMP_CMP_EQ, 0), SCMP_A2(SCMP_CMP_EQ, 0));
	return rc;
}

int confine_seccomp(struct confinement *c, char *how, size_t size)
{
	const size_t count = sizeof(allowed) / sizeof(allowed[0]);
	scmp_filter_ctx filter;
	int rc;

	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0) {
		snprintf(how, size, "no seccomp: %s", strerror(errno));
		return 0;
	}
	filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (!filter) {
		snprintf(c->message, sizeof(c->message), "seccomp: no memory");
		return ERR_IO;
	}
	/* The fewest comparisons for each call: some are made for each datagram. */
	rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	if (rc == 0)
		rc = allow_in_part(filter, c->local_socket);
	if (rc == 0)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	if (rc) {
		snprintf(c->message, sizeof(c->message),
		         "seccomp: %s; go without by --no-sandbox", strerror(-rc));
		return ERR_IO;
	}
	snprintf(how, size, "seccomp: %zu system calls", count);
	return 0;
}
