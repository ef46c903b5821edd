/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "server/ctl/noun.h"
#include "server/store/copy.h"
#include "server/tool/whole_file.h"

static const struct ctl_option opt_force = { "force", NULL, "replace a file that exists" };

static bool is_there(const char *path, const char *suffix)
{
	char name[PATH_MAX + 16];
	struct stat status;

	snprintf(name, sizeof(name), "%s%s", path, suffix);
	return lstat(name, &status) == 0;
}

/* Refuses what would harm a database, its own or another that is in use. */
static int check_target(struct ctl *ctl, const char *path)
{
	struct stat own, there;

	if (stat(ctl->database, &own) == 0 && stat(path, &there) == 0 &&
	    own.st_dev == there.st_dev && own.st_ino == there.st_ino)
		return ctl_error(EXIT_FAULT, "%s: is the database itself; name another file", path);
	if (is_there(path, "-wal") || is_there(path, "-journal"))
		return ctl_error(EXIT_FAULT, "%s: is a database in use, as %s-wal or -journal "
		                 "beside it shows; name another file", path, path);
	if (!ctl_given(ctl, &opt_force) && is_there(path, ""))
		return ctl_error(EXIT_FAULT, "%s already exists; name another file, or use "
		                 "--force", path);
	return 0;
}

static int copy_and_check(struct ctl *ctl, const char *path, int64_t *devices, int64_t *jobs)
{
	char message[STORE_COPY_MESSAGE];

	if (store_copy(&ctl->store, path, message) ||
	    store_copy_check(path, devices, jobs, message))
		return ctl_error(EXIT_FAULT, "%s", message);
	return 0;
}

static int ctl_backup(struct ctl *ctl)
{
	const char *path = ctl->words[0];
	struct whole_file file = { .fresh = "" };
	int64_t devices = 0, jobs = 0;
	int status = check_target(ctl, path);

	if (status)
		return status;
	if (whole_file_start(&file, path))
		return ctl_error(EXIT_FAULT, "%s", file.message);
	status = copy_and_check(ctl, file.fresh, &devices, &jobs);
	if (status == 0 && whole_file_finish(&file, ctl_given(ctl, &opt_force)))
		status = ctl_error(EXIT_FAULT, "%s", file.message);
	whole_file_drop(&file);
	if (status)
		return status;
	if (ctl->json)
		ctl_print_json(json_pack("{s:s, s:I, s:I}", "backup", path, "devices",
		                         (json_int_t)devices, "jobs", (json_int_t)jobs));
	else
		printf("%s written and verified: %lld device%s, %lld job%s\n", path,
		       (long long)devices, ctl_plural((uint64_t)devices), (long long)jobs,
		       ctl_plural((uint64_t)jobs));
	return 0;
}

static const struct verb verbs[] = {
	{ .run = ctl_backup, .min = 1, .max = 1, .options = OPTIONS(&opt_force),
	  .usage = "FILE [--force]",
	  .help = "Copy the database to FILE, as of one moment, while prebootd runs. The copy is "
	          "read and checked before it gets its name. The database itself is never "
	          "replaced." },
	{ .run = NULL },
};

const struct noun noun_backup = {
	.name = "backup", .about = "copy the database while prebootd runs", .verbs = verbs,
};
