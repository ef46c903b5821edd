/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/isdctl/isd_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "nbp/proto/error.h"

/* Writes file->message; returns @rc. */
static int error(struct isd_file *file, int rc, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int error(struct isd_file *file, int rc, const char *format, ...)
{
	size_t at = (size_t)snprintf(file->message, sizeof(file->message), "%s: ", file->path);
	va_list args;

	if (at > sizeof(file->message) / 2)
		at = (size_t)snprintf(file->message, sizeof(file->message), "disk: ");
	va_start(args, format);
	vsnprintf(file->message + at, sizeof(file->message) - at, format, args);
	va_end(args);
	return rc;
}

/* --- reading and writing ----------------------------------------------------- */

static int read_at(void *context, uint64_t offset, void *buffer, size_t length)
{
	struct isd_file *file = context;
	uint8_t *at = buffer;

	while (length) {
		ssize_t got = pread(file->fd, at, length, (off_t)offset);

		if (got <= 0) {
			if (got < 0 && errno == EINTR)
				continue;
			return error(file, ERR_IO, "cannot be read: %s",
			           got ? strerror(errno) : "it ends early");
		}
		at += got;
		offset += (uint64_t)got;
		length -= (size_t)got;
	}
	return 0;
}

static int write_at(void *context, uint64_t offset, const void *data, size_t length)
{
	struct isd_file *file = context;
	const uint8_t *at = data;

	while (length) {
		ssize_t got = pwrite(file->fd, at, length, (off_t)offset);

		if (got <= 0) {
			if (got < 0 && errno == EINTR)
				continue;
			return error(file, ERR_IO, "cannot be written: %s", strerror(errno));
		}
		at += got;
		offset += (uint64_t)got;
		length -= (size_t)got;
	}
	return 0;
}

static int sync_all(void *context)
{
	struct isd_file *file = context;

	if (fsync(file->fd))
		return error(file, ERR_IO, "cannot be written: %s", strerror(errno));
	return 0;
}

/* --- opening --------------------------------------------------------------- */

/* The first MiB of a partition is not that of the disk, and belongs to a file system. */
static int refuse_partition(struct isd_file *file, const struct stat *status)
{
	char name[80];

	snprintf(name, sizeof(name), "/sys/dev/block/%u:%u/partition", major(status->st_rdev),
	         minor(status->st_rdev));
	if (access(name, F_OK) == 0)
		return error(file, ERR_REFUSED, "is a partition; name the whole disk");
	return 0;
}

static int measure_device(struct isd_file *file, const struct stat *status)
{
	int sector_size = 0;
	int rc = refuse_partition(file, status);

	if (rc)
		return rc;
	if (ioctl(file->fd, BLKGETSIZE64, &file->size) || ioctl(file->fd, BLKSSZGET, &sector_size))
		return error(file, ERR_IO, "cannot determine its size: %s", strerror(errno));
	file->sector_size = (uint32_t)sector_size;
	return 0;
}

static int measure_image(struct isd_file *file, const struct stat *status,
                         const struct isd_file_options *options)
{
	/* QEMU and others hold such locks on images that they have open. */
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int rc;

	file->size = (uint64_t)status->st_size;
	if (options->write && fcntl(file->fd, F_OFD_SETLK, &lock) &&
	    (errno == EAGAIN || errno == EACCES))
		return error(file, ERR_REFUSED, "is in use by another program, perhaps a running "
		           "virtual machine; stop that first");
	file->sector_size = options->sector_size;
	if (file->sector_size)
		return 0;
	file->partition.size = file->size;
	rc = partition_guess_sector_size(&file->partition, &file->sector_size);
	if (rc == ERR_REFUSED)
		return error(file, rc, "has a GPT for sectors of 512 bytes and one for 4096; "
		           "choose one with --sector-size");
	return rc;
}

static int measure(struct isd_file *file, const struct isd_file_options *options)
{
	struct stat status;
	int rc;

	if (fstat(file->fd, &status))
		return error(file, ERR_IO, "%s", strerror(errno));
	if (S_ISBLK(status.st_mode))
		rc = measure_device(file, &status);
	else if (S_ISREG(status.st_mode))
		rc = measure_image(file, &status, options);
	else
		return error(file, ERR_REFUSED, "is neither a disk nor an image of one");
	if (rc)
		return rc;
	if (options->sector_size && options->sector_size != file->sector_size)
		return error(file, ERR_REFUSED, "has sectors of %u bytes; do not "
		             "give --sector-size",
		             file->sector_size);
	if (file->sector_size < 512 || file->sector_size > ISD_COPY_SIZE ||
	    (file->sector_size & (file->sector_size - 1)))
		return error(file, ERR_UNSUPPORTED, "has sectors of %u bytes; image-safe data "
		             "needs 512, 1024, 2048 or 4096", file->sector_size);
	if (file->size < ISD_END)
		return error(file, ERR_SPACE, "is too small: %llu bytes, image-safe data ends at "
		           "%u", (unsigned long long)file->size, ISD_END);
	file->partition.size = file->size;
	file->partition.sector_size = file->sector_size;
	return 0;
}

int isd_file_open(struct isd_file *file, const char *path, const struct isd_file_options *options)
{
	int flags = O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (options->write ? O_RDWR : O_RDONLY);
	struct stat status;
	int rc;

	memset(file, 0, sizeof(*file));
	file->path = path;
	file->disk = (struct isd_disk){ read_at, write_at, sync_all, file };
	file->partition = (struct partition_disk){ .read = read_at, .context = file };
	/* Without O_CREAT this means, for block devices only: fail if it is in exclusive use. */
	if (options->write && !options->in_use && stat(path, &status) == 0 &&
	    S_ISBLK(status.st_mode))
		flags |= O_EXCL;
	file->fd = open(path, flags);
	if (file->fd < 0 && errno == EBUSY)
		return error(file, ERR_REFUSED, "is in use: it, or a partition of it, is mounted "
		             "or held by another program; --in-use allows that");
	if (file->fd < 0)
		return error(file, ERR_IO, "%s", strerror(errno));
	rc = measure(file, options);
	if (rc)
		close(file->fd);
	return rc;
}

void isd_file_close(struct isd_file *file)
{
	close(file->fd);
}

int isd_file_check(struct isd_file *file, bool force)
{
	struct partition_answer answer;
	int rc = partition_check(&file->partition, ISD_OFFSET, ISD_END, &answer);

	file->partitions = answer.partitions;
	return rc && !(force && answer.forcible) ?
	       error(file, rc, "no place for image-safe data, which is bytes %u to %u: %s",
	           ISD_OFFSET, ISD_END - 1, answer.message) : 0;
}
