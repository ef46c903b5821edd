/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/confined.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>

#include "nbp/proto/error.h"

/* Whom a daemon becomes that was started as root, what it keeps, and when it refuses. */

/* --- who it is then -------------------------------------------------------------- */

static const char *look_at_itself(const struct place *place, const void *argument)
{
	struct confinement c = confinement_of(place);
	char line[256];
	FILE *status;

	(void)argument;
	c.no_sandbox = true;
	if (confine(&c))
		return "not confined";
	if (strcmp(c.report,
	           "confined: user " OTHER ", no capabilities; no Landlock; no seccomp") &&
	    c.user)
		return "another report";
	if (c.user && (geteuid() == 0 || getegid() == 0 || setuid(0) == 0 || setgid(0) == 0))
		return "still root";
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return "may gain privileges";
	status = fopen("/proc/self/status", "r");
	while (fgets(line, sizeof(line), status)) {
		bool capabilities = strncmp(line, "Cap", 3) == 0;

		/* The bounding set takes root to drop. */
		if (!c.user && strncmp(line, "CapBnd", 6) == 0)
			continue;
		if (capabilities && strspn(line + 7, "\t0\n") != strlen(line + 7))
			return "has capabilities";
		if (c.user && strncmp(line, "Groups:", 7) == 0 && strstr(line, "\t0 "))
			return "in root's group";
	}
	fclose(status);
	return NULL;
}

static void test_user_and_capabilities(void **state)
{
	in_child(look_at_itself, *state, NULL);
}

static const char *stay_root(const struct place *place, const void *argument)
{
	struct confinement c = { .user = "root", .files = { place->file } };

	(void)argument;
	/* Root without capabilities is but the owner of root's files. */
	if (chown(place->folder, 0, 0) || confine(&c))
		return "not confined";
	if (geteuid() != 0 || setuid(1) == 0)
		return "no root, or with capabilities";
	return open("/etc/shadow", O_RDONLY) < 0 && errno == EACCES ? NULL : "reads /etc/shadow";
}

static void test_root_by_name(void **state)
{
	if (geteuid() != 0)
		skip();
	in_child(stay_root, *state, NULL);
}

/* --- refusals ---------------------------------------------------------------------- */

struct refusal {
	const char *user;
	const char *file;
	int rc;
	const char *message;
};

static const struct refusal by_root[] = {
	{ "no-such-user", "/tmp/x.db", ERR_NOT_FOUND, "no-such-user: there is no such user" },
	{ OTHER, "/no-such-folder/x.db", ERR_REFUSED,
	  "create it: install -d -m 0700 -o " OTHER " /no-such-folder" },
	{ OTHER, "/root/x.db", ERR_REFUSED, "if the folder has nothing else in it, give it to the "
	  "user: chown -R " OTHER " /root; else choose another" },
};

static const struct refusal by_others[] = {
	{ "root", "/tmp/x.db", ERR_REFUSED, "only root can change to another user" },
	{ NULL, "/etc/x.db", ERR_REFUSED, "cannot write there" },
	{ NULL, "/no-such-folder/x.db", ERR_REFUSED, "create it" },
};

static const char *be_refused(const struct place *place, const void *argument)
{
	const struct refusal *refusal = argument;
	struct confinement c = { .user = refusal->user, .files = { refusal->file } };
	static char wrong[640];
	int rc;

	(void)place;
	if (refusal >= by_others && refusal < by_others + COUNT(by_others) && geteuid() == 0 &&
	    setuid(getpwnam(OTHER)->pw_uid))
		return "cannot become " OTHER;
	rc = confine(&c);
	snprintf(wrong, sizeof(wrong), "returned %d: %s", rc, c.message);
	return rc == refusal->rc && strstr(c.message, refusal->message) ? NULL : wrong;
}

static void test_refusals(void **state)
{
	for (size_t i = 0; i < COUNT(by_root) && geteuid() == 0; i++)
		in_child(be_refused, *state, &by_root[i]);
	for (size_t i = 0; i < COUNT(by_others); i++)
		in_child(be_refused, *state, &by_others[i]);
}

static const char *be_refused_nobody(const struct place *place, const void *argument)
{
	struct confinement c = { .files = { place->file } };

	(void)argument;
	return confine(&c) == ERR_NOT_FOUND && strstr(c.message, "useradd --system " CONFINE_USER)
	       ? NULL : "went on as root";
}

static void test_root_by_accident(void **state)
{
	if (geteuid() != 0 || getpwnam(CONFINE_USER))
		skip();
	in_child(be_refused_nobody, *state, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_user_and_capabilities, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_root_by_name, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refusals, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_root_by_accident, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
