/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "nbp/proto/error.h"
#include "server/isdctl/isdctl.h"

/* A file that keeps image-safe data while a tool overwrites the disk: the copy that counts, as
 * it is on the disk. */

static int file_error(const char *path)
{
	return fail(EXIT_FAULT, "%s: %s", path, strerror(errno));
}

int isdctl_save(struct isdctl *c)
{
	const char *path = c->words[0];
	int fd, rc;

	if (c->word_count != 1)
		return fail(EXIT_USAGE, "save: expected one FILE");
	if (c->place.current < 0)
		return fail(EXIT_FAULT, "%s: no image-safe data (copies: %s, %s); nothing is saved",
		            c->file.path, isdctl_state(c->place.state[0]),
		            isdctl_state(c->place.state[1]));
	/* It has the key. */
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return file_error(path);
	rc = write(fd, c->place.copies[c->place.current], ISD_COPY_SIZE) != ISD_COPY_SIZE ||
	     fsync(fd);
	if (rc) {
		file_error(path);
		unlink(path);
	}
	close(fd);
	return rc ? EXIT_FAULT : 0;
}

int isdctl_read_saved(const char *path, struct isd *isd, uint8_t copy[ISD_COPY_SIZE])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t more;
	ssize_t got, behind;

	if (fd < 0)
		return file_error(path);
	got = read(fd, copy, ISD_COPY_SIZE);
	behind = got == ISD_COPY_SIZE ? read(fd, &more, 1) : 0;
	close(fd);
	if (got != ISD_COPY_SIZE || behind != 0 || isd_decode(isd, copy))
		return fail(EXIT_FAULT, "%s: not what \"isdctl DISK save\" writes, or damaged",
		            path);
	return 0;
}
