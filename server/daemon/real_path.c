/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/daemon/real_path.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINKS_MAX 40 /* as many as the kernel follows */

/* Puts @name, unless it is absolute, into the folder of @beside. Returns whether it fits. */
static bool put_beside(const char *beside, const char *name, char *out)
{
	const char *slash = strrchr(beside, '/');
	int folder = slash && name[0] != '/' ? (int)(slash + 1 - beside) : 0;

	return snprintf(out, PATH_MAX, "%.*s%s", folder, beside, name) < PATH_MAX;
}

/* The same of a file that is not there: its folder's, and its name. */
static bool real_folder(const char *path, char *out)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char folder[PATH_MAX], real[PATH_MAX];

	return *name && put_beside(path, ".", folder) && realpath(folder, real) &&
	       snprintf(out, PATH_MAX, "%s/%s", strcmp(real, "/") ? real : "", name) < PATH_MAX;
}

const char *real_path(const char *path, char *out)
{
	char target[PATH_MAX], next[PATH_MAX], at[PATH_MAX];
	const char *here = path;

	for (int links = 0; links < LINKS_MAX; links++) {
		ssize_t length;

		if (realpath(here, out))
			return out;
		if (errno != ENOENT)
			break;
		/* It may be a link to what is not there yet. */
		length = readlink(here, target, sizeof(target) - 1);
		if (length < 0)
			return real_folder(here, out) ? out : here == path ? path : strcpy(out, at);
		target[length] = '\0';
		if (!put_beside(here, target, next))
			break;
		here = strcpy(at, next);
	}
	return path;
}

void path_folder(const char *path, char *out)
{
	char copy[PATH_MAX];

	snprintf(copy, sizeof(copy), "%s", path);
	snprintf(out, PATH_MAX, "%s", dirname(copy));
}
