/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/tool/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nbp/proto/error.h"

static int failed(struct whole_file *file, const char *remedy)
{
	snprintf(file->message, sizeof(file->message), "%s: cannot be written: %s%s", file->path,
	         strerror(errno), remedy);
	whole_file_drop(file);
	return ERR_IO;
}

int whole_file_start(struct whole_file *file, const char *path)
{
	int fd;

	file->path = path;
	if ((size_t)snprintf(file->fresh, sizeof(file->fresh), "%s.new-XXXXXX", path) >=
	    sizeof(file->fresh)) {
		file->fresh[0] = '\0';
		errno = ENAMETOOLONG;
		return failed(file, "");
	}
	fd = mkstemp(file->fresh);
	if (fd < 0) {
		file->fresh[0] = '\0';
		return failed(file, "; its folder must exist and this user must be able to write "
		              "there");
	}
	close(fd);
	return 0;
}

static int sync_path(const char *path, int flags)
{
	int fd = open(path, flags | O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return -1;
	rc = fsync(fd);
	close(fd);
	return rc;
}

int whole_file_finish(struct whole_file *file, bool replace)
{
	char folder[PATH_MAX];
	int rc;

	if (sync_path(file->fresh, 0))
		return failed(file, "");
	/* Unlike rename(), link() never takes the place of another file. */
	rc = replace ? rename(file->fresh, file->path) : link(file->fresh, file->path);
	if (rc && errno == EEXIST) {
		snprintf(file->message, sizeof(file->message), "%s: is there already", file->path);
		whole_file_drop(file);
		return ERR_REFUSED;
	}
	if (rc)
		return failed(file, "");
	if (!replace)
		unlink(file->fresh);
	file->fresh[0] = '\0';
	/* The new name is durable only with its folder. */
	snprintf(folder, sizeof(folder), "%s", file->path);
	sync_path(dirname(folder), O_DIRECTORY);
	return 0;
}

void whole_file_drop(struct whole_file *file)
{
	if (file->fresh[0])
		unlink(file->fresh);
	file->fresh[0] = '\0';
}
