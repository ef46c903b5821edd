/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "nbp/proto/error.h"
#include "server/daemon/confine.h"
#include "server/daemon/real_path.h"

/* What came after the headers of Debian 12; linux/landlock.h of newer kernels has them. */
#define ACCESS_FS_TRUNCATE (1ull << 14)  /* version 3 */
#define ACCESS_FS_IOCTL_DEV (1ull << 15) /* version 5 */
#define ACCESS_NET_TCP 3ull              /* version 4: bind and connect */

struct ruleset {
	uint64_t fs;
	uint64_t net;
};

#define READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITE (READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | \
	LANDLOCK_ACCESS_FS_REMOVE_FILE | ACCESS_FS_TRUNCATE)

/* What libraries read of their own accord. */
static const char *const readable[] = {
	"/dev/urandom",         /* SQLite */
	"/etc/localtime",       /* the C library's time */
	"/usr/share/zoneinfo",
};

/* What the kernel's version knows of: state for more would be refused. */
static struct ruleset all_of(long version, size_t *size)
{
	struct ruleset all = { .fs = (1ull << 13) - 1 };

	if (version >= 2)
		all.fs |= LANDLOCK_ACCESS_FS_REFER;
	if (version >= 3)
		all.fs |= ACCESS_FS_TRUNCATE;
	if (version >= 5)
		all.fs |= ACCESS_FS_IOCTL_DEV;
	if (version >= 4)
		all.net = ACCESS_NET_TCP;
	*size = version >= 4 ? sizeof(all) : sizeof(all.fs);
	return all;
}

/* Allows @access beneath @path; what is not there need not be allowed. */
static int allow(int ruleset, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = access };
	struct stat status;
	int rc;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return errno == ENOENT ? 0 : -1;
	/* Rights of folders can't be given to files. */
	if (fstat(rule.parent_fd, &status) == 0 && !S_ISDIR(status.st_mode))
		rule.allowed_access &= LANDLOCK_ACCESS_FS_READ_FILE |
		                       LANDLOCK_ACCESS_FS_WRITE_FILE | ACCESS_FS_TRUNCATE;
	rc = (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	close(rule.parent_fd);
	return rc;
}

/* Says why Landlock failed, as errno has it. */
static int fail(struct confinement *c)
{
	snprintf(c->message, sizeof(c->message), "Landlock: %s; go without by --no-sandbox",
	         strerror(errno));
	return ERR_IO;
}

int confine_landlock(struct confinement *c, char *how, size_t size)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, 1 /* its version */);
	const char *and = "";
	struct ruleset all;
	size_t all_size, at;
	int ruleset, rc = 0;

	if (version < 1) {
		snprintf(how, size, "no Landlock: %s", strerror(errno));
		return 0;
	}
	all = all_of(version, &all_size);
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &all, all_size, 0);
	if (ruleset < 0)
		return fail(c);
	at = (size_t)snprintf(how, size, "Landlock %ld: files in", version);
	for (size_t i = 0; rc == 0 && i < sizeof(readable) / sizeof(readable[0]); i++)
		rc = allow(ruleset, readable[i], READ & all.fs);
	for (int i = 0; rc == 0 && i < CONFINE_FILES; i++) {
		char folder[PATH_MAX];

		if (!c->files[i])
			continue;
		path_folder(c->files[i], folder);
		rc = allow(ruleset, folder, WRITE & all.fs);
		if (at < size)
			at += (size_t)snprintf(how + at, size - at, "%s %s", and, folder);
		and = ",";
	}
	/* Wanted even where the caller has it already: the kernel insists. */
	if (rc == 0)
		rc = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (rc == 0)
		rc = (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
	if (rc)
		rc = fail(c);
	close(ruleset);
	return rc;
}
