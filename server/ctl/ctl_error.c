/* SPDX-License-Identifier: BSD-2-Clause */
/* How errors are reported: as lines for people, or as JSON. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/ctl/ctl.h"
#include "server/tool/output.h"

/* How errors are printed; ctl_error() is called where nobody knows the command line. */
static bool errors_as_json;

/*
 * Prints {"error": {"message": ..., "status": ...}} as one line. @errors: NULL, or "errors" in it
 */
static void print_json_error(int status, const char *message, json_t *errors)
{
	char escaped[4096];
	json_t *error;

	output_escape(message, escaped, sizeof(escaped));
	error = json_pack("{s:{s:s, s:i}}", "error", "message", escaped, "status", status);
	if (errors)
		json_object_set(error, "errors", errors);
	json_dumpf(error, stderr, JSON_COMPACT);
	fputc('\n', stderr);
	json_decref(error);
}

void ctl_errors_as_json(void)
{
	errors_as_json = true;
}

static int report_error(int status, json_t *errors, const char *format, va_list args)
{
	char message[4096];

	if (status && errors_as_json) {
		vsnprintf(message, sizeof(message), format, args);
		print_json_error(status, message, errors);
	} else {
		output_vline("prebootctl", format, args);
	}
	return status;
}

int ctl_error(int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report_error(status, NULL, format, args);
	va_end(args);
	return status;
}

int ctl_error_with(int status, json_t *errors, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report_error(status, errors, format, args);
	va_end(args);
	json_decref(errors);
	return status;
}

/*
 * Writes who may use the database, if it is one that this user may not read and write: "root",
 * "root or as user openpreboot".
 */
static bool who_may(const char *path, char *out, size_t size)
{
	char folder[PATH_MAX];
	struct stat status;
	const struct passwd *owner;

	snprintf(folder, sizeof(folder), "%s", path);
	if (faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) == 0 || errno != EACCES)
		return false;
	/* What is in a folder that is closed, too, belongs to the folder's owner. */
	if ((stat(path, &status) && stat(dirname(folder), &status)) || status.st_uid == geteuid())
		return false;
	owner = getpwuid(status.st_uid);
	snprintf(out, size, "root%s%s", owner && status.st_uid ? " or as user " : "",
	         owner && status.st_uid ? owner->pw_name : "");
	return true;
}

int ctl_store_error(struct ctl *ctl)
{
	char who[128];

	if (who_may(ctl->database, who, sizeof(who)))
		return ctl_error(EXIT_FAULT, "%s: this user may not use it; run prebootctl as %s, "
		                 "as in \"sudo prebootctl ...\"", ctl->database, who);
	return ctl_error(EXIT_FAULT, "%s", ctl->store.message);
}
