/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_CONFINED_H
#define TESTS_UNIT_CONFINED_H

#include "tests/unit/unit.h"

#include <pwd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/daemon/confine.h"

/* Children that confine themselves: there is no way back for who does. */

#define OTHER "nobody" /* a user that every system has, and that is not root */

struct place {
	char folder[64];
	char file[96];    /* in it */
	char outside[96]; /* a folder that everybody may write to */
};

static inline int set_up(void **state)
{
	static struct place place;
	struct passwd *user = getpwnam(OTHER);

	strcpy(place.folder, "/tmp/confine-XXXXXX");
	strcpy(place.outside, "/tmp/confine-XXXXXX");
	if (!mkdtemp(place.folder) || !mkdtemp(place.outside) || chmod(place.outside, 0777) ||
	    !user)
		return -1;
	if (geteuid() == 0 && chown(place.folder, user->pw_uid, user->pw_gid))
		return -1;
	snprintf(place.file, sizeof(place.file), "%s/test.db", place.folder);
	*state = &place;
	return 0;
}

static inline int tear_down(void **state)
{
	struct place *place = *state;
	char command[256];

	snprintf(command, sizeof(command), "rm -rf %s %s", place->folder, place->outside);
	return system(command);
}

/* Runs @child in a process of its own; it returns NULL, or what is wrong. */
static inline void in_child(const char *(*child)(const struct place *place, const void *argument),
                            const struct place *place, const void *argument)
{
	char text[700] = "";
	int ends[2], status;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		const char *wrong = child(place, argument);

		if (wrong && write(ends[1], wrong, strlen(wrong)) < 0)
			_exit(2);
		_exit(0); /* at once: the leak checker could not run */
	}
	close(ends[1]);
	assert_true(read(ends[0], text, sizeof(text) - 1) >= 0);
	close(ends[0]);
	waitpid(pid, &status, 0);
	assert_string_equal(text, "");
	assert_int_equal(status, 0);
}

/* What a daemon would ask for whose database is in @place. */
static inline struct confinement confinement_of(const struct place *place)
{
	return (struct confinement){ .user = geteuid() == 0 ? OTHER : NULL,
	                             .files = { place->file } };
}

#endif
