/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/store/store_where.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "nbp/proto/error.h"

/* The numbers of statfs(2), of those where another host may have the file open as well. */
static const struct {
	unsigned long type;
	const char *name;
} remote[] = {
	{ 0x6969, "NFS" }, { 0x517b, "SMB" }, { 0xff534d42, "CIFS" }, { 0xfe534d42, "SMB" },
	{ 0x5346414f, "AFS" }, { 0x73757245, "Coda" }, { 0x564c, "NCP" }, { 0x00c36400, "Ceph" },
	{ 0x01021997, "9P" }, { 0x0bd00bd0, "Lustre" }, { 0x01161970, "GFS2" },
	{ 0x7461636f, "OCFS2" }, { 0x47504653, "GPFS" }, { 0x19830326, "BeeGFS" },
};

const char *store_where_remote(unsigned long type)
{
	for (size_t i = 0; i < sizeof(remote) / sizeof(remote[0]); i++)
		if (remote[i].type == (type & 0xffffffff))
			return remote[i].name;
	return NULL;
}

static int check_file_system(const char *path, char *message, size_t size)
{
	struct statfs status;
	char folder[PATH_MAX];
	const char *name;

	if (statfs(path, &status)) {
		snprintf(folder, sizeof(folder), "%s", path);
		if (statfs(dirname(folder), &status))
			return 0; /* whoever opens it will say what is wrong */
	}
	name = store_where_remote((unsigned long)status.f_type);
	if (!name)
		return 0;
	snprintf(message, size, "%s: is on %s, where locks and shared memory cannot be relied on; "
	         "put the database on a local disk", path, name);
	return ERR_MALFORMED;
}

/* Two names would each get a log, and neither would see the other's. */
static int check_names(const char *path, char *message, size_t size)
{
	struct stat status;

	if (stat(path, &status) || !S_ISREG(status.st_mode) || status.st_nlink < 2)
		return 0;
	snprintf(message, size, "%s: has %lu names (hard links), by which programs would destroy"
	         " each other's changes; \"find FOLDER -inum %llu\" shows them, remove the others"
	         " or make them copies", path, (unsigned long)status.st_nlink,
	         (unsigned long long)status.st_ino);
	return ERR_MALFORMED;
}

/* SQLite follows no links there, and says that it cannot open the database. */
static int check_beside(const char *path, char *message, size_t size)
{
	static const char *const suffixes[] = { "-wal", "-shm", "-journal" };
	char real[PATH_MAX], name[PATH_MAX + 16];
	struct stat status;

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		snprintf(name, sizeof(name), "%s%s", realpath(path, real) ? real : path,
		         suffixes[i]);
		if (lstat(name, &status) || S_ISREG(status.st_mode))
			continue;
		snprintf(message, size, "%s: is %s, where a plain file belongs; remove it", name,
		         S_ISLNK(status.st_mode) ? "a symbolic link" : "no plain file");
		return ERR_MALFORMED;
	}
	return 0;
}

int store_where_check(const char *path, char *message, size_t size)
{
	int rc = check_file_system(path, message, size);

	if (rc == 0)
		rc = check_names(path, message, size);
	return rc ? rc : check_beside(path, message, size);
}
