/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/daemon/lockfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/*
 * A file of its own, as SQLite's locks are on the database itself, and would be
 * lost when any other descriptor of it is closed. It stays there: to
 * remove it would let two daemons lock two files of one name.
 */
int lockfile_take(const char *path, char *message, size_t size)
{
	char name[PATH_MAX], holder[32] = "";
	int fd;

	if ((size_t)snprintf(name, sizeof(name), "%s.lock", path) >= sizeof(name)) {
		snprintf(message, size, "%s: the name is too long", path);
		return -1;
	}
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		snprintf(message, size, "%s: %s; this user must be able to write the folder", name,
		         strerror(errno));
		return -1;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		int length = snprintf(holder, sizeof(holder), "%ld\n", (long)getpid());

		/* For people alone: the lock is what counts. */
		if (ftruncate(fd, 0) == 0)
			(void)!pwrite(fd, holder, (size_t)length, 0);
		return fd;
	}
	if (errno == EWOULDBLOCK && pread(fd, holder, sizeof(holder) - 1, 0) > 0 &&
	    atol(holder) > 0)
		snprintf(message, size, "%s is served by another prebootd already, process %ld; "
		         "stop that first, or choose another --database", path, atol(holder));
	else if (errno == EWOULDBLOCK)
		snprintf(message, size, "%s is served by another prebootd already; stop that "
		         "first, or choose another --database", path);
	else
		snprintf(message, size, "%s: cannot lock it: %s", name, strerror(errno));
	close(fd);
	return -1;
}
