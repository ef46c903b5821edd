/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/daemon/confine.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "nbp/proto/error.h"
#include "server/daemon/real_path.h"

__attribute__((format(printf, 3, 4)))
static int fail(struct confinement *c, int rc, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(c->message, sizeof(c->message), format, args);
	va_end(args);
	return rc;
}

/* --- the user ---------------------------------------------------------------- */

static int find_user(struct confinement *c, const struct passwd **user)
{
	const char *name = c->user ? c->user : CONFINE_USER;

	errno = 0;
	*user = getpwnam(name);
	if (*user)
		return 0;
	if (errno && errno != ENOENT && errno != ESRCH)
		return fail(c, ERR_IO, "--user %s: %s", name, strerror(errno));
	if (c->user)
		return fail(c, ERR_NOT_FOUND, "--user %s: there is no such user", name);
	return fail(c, ERR_NOT_FOUND, "started as root, but there is no user " CONFINE_USER
	                    " to go on as; create it (useradd --system " CONFINE_USER
	                    "), or name another one with --user NAME");
}

/* Takes on the user's ids and groups, and makes sure that there is no way back. */
static int become(struct confinement *c, const struct passwd *user)
{
	if (user->pw_uid == 0)
		return 0; /* it is; and may be but in a user namespace, whose groups are fixed */
	if (initgroups(user->pw_name, user->pw_gid) ||
	    setresgid(user->pw_gid, user->pw_gid, user->pw_gid) ||
	    setresuid(user->pw_uid, user->pw_uid, user->pw_uid))
		return fail(c, ERR_REFUSED, "cannot become user %s: %s", user->pw_name,
		                    strerror(errno));
	if (setuid(0) == 0)
		return fail(c, ERR_REFUSED, "user %s could become root again; is this "
		                    "kernel without capabilities?", user->pw_name);
	return 0;
}

static int change_user(struct confinement *c, char *how, size_t size)
{
	const struct passwd *user;
	int rc;

	if (geteuid() == 0) {
		rc = find_user(c, &user);
		if (rc == 0)
			rc = become(c, user);
		if (rc)
			return rc;
	} else {
		user = getpwuid(geteuid());
		if (c->user && (!user || strcmp(c->user, user->pw_name) != 0))
			return fail(c, ERR_REFUSED, "--user %s: only root can change to "
			                    "another user; start it as root or without --user",
			                    c->user);
	}
	if (user)
		snprintf(how, size, "user %s", user->pw_name);
	else
		snprintf(how, size, "user %u", (unsigned)geteuid());
	return 0;
}

/* --- capabilities -------------------------------------------------------------- */

/* The bounding set, while CAP_SETPCAP is there: what exec() could give back. */
static void drop_bounding_set(void)
{
	for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
		prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
}

/* All others; a user that is not root has lost them already, root has not. */
static int drop_capabilities(struct confinement *c)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };
	struct __user_cap_data_struct has[_LINUX_CAPABILITY_U32S_3] = { 0 };

	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	/* Under systemd there are none, and the call to drop them may be barred. */
	if ((syscall(SYS_capget, &header, has) || memcmp(has, none, sizeof(none)) != 0) &&
	    syscall(SYS_capset, &header, none))
		return fail(c, ERR_IO, "cannot drop capabilities: %s", strerror(errno));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return fail(c, ERR_IO, "cannot forbid new privileges: %s", strerror(errno));
	return 0;
}

/* --- files ------------------------------------------------------------------- */

/* Says now, and what to do, instead of what SQLite would say later. A file that is but
 * replaced needs its folder alone. */
static int check_file(struct confinement *c, const char *path, bool replaced)
{
	const struct passwd *user = getpwuid(geteuid());
	const char *name = user ? user->pw_name : "USER";
	char folder[PATH_MAX];

	path_folder(path, folder);
	if (access(folder, F_OK))
		return fail(c, ERR_REFUSED, "%s: %s; create it: install -d -m 0700 -o %s %s",
		                    folder, strerror(errno), name, folder);
	if (access(folder, W_OK | X_OK))
		return fail(c, ERR_REFUSED, "%s: user %s cannot write there: %s; if the "
		                    "folder has nothing else in it, give it to the user: chown -R"
		                    " %s %s; else choose another folder", folder, name,
		                    strerror(errno),
		                    name, folder);
	if (!replaced && access(path, R_OK | W_OK) && errno != ENOENT)
		return fail(c, ERR_REFUSED, "%s: user %s cannot write it: %s; give it to the "
		                    "user: chown %s %s*", path, name, strerror(errno), name, path);
	return 0;
}

int confine(struct confinement *c)
{
	char user[64], landlock[160] = "no Landlock", seccomp[64] = "no seccomp";
	char folder[PATH_MAX];
	int rc;

	drop_bounding_set();
	rc = change_user(c, user, sizeof(user));
	if (rc == 0)
		rc = drop_capabilities(c);
	for (int i = 0; rc == 0 && i < CONFINE_FILES; i++)
		rc = c->files[i] ? check_file(c, c->files[i], i > 0) : 0;
	if (rc)
		return rc;
	/* What is created may hold secrets, as details of work do. */
	umask(S_IRWXG | S_IRWXO);
	if (c->files[0]) {
		/* Where SQLite writes what it sorts; other places will be closed to it. */
		path_folder(c->files[0], folder);
		setenv("SQLITE_TMPDIR", folder, 0);
	}
	if (!c->no_sandbox)
		rc = confine_landlock(c, landlock, sizeof(landlock));
	if (rc == 0 && !c->no_sandbox)
		rc = confine_seccomp(c, seccomp, sizeof(seccomp));
	snprintf(c->report, sizeof(c->report), "confined: %s, no capabilities; %s; %s", user,
	         landlock,
	         seccomp);
	return rc;
}
