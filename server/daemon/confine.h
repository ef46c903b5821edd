/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_DAEMON_CONFINE_H
#define SERVER_DAEMON_CONFINE_H

#include <stdbool.h>
#include <stddef.h>
#include <limits.h>

/*
 * What a daemon that reads foreign datagrams gives up before it reads the first:
 * root and all capabilities, the means to gain them again, files other than its
 * own (Landlock, landlock(7)), and system calls it has no use for (seccomp(2)).
 */

#define CONFINE_USER "openpreboot" /* whom to become where nobody is named */
#define CONFINE_FILES 4

struct confinement {
	/* in: */
	const char *user;   /* go on as this one; NULL: as CONFINE_USER where started as root */
	bool no_sandbox;    /* without Landlock and seccomp, for debuggers and sanitizers */
	const char *files[CONFINE_FILES]; /* its database, then those it replaces; their folders
	                                     stay writable */
	int local_socket;   /* of service_open(), above all others; 0: none: nothing is sent from it
	                       but to whom it is connected to */
	/* out: */
	char report[512];   /* for the log: one line, what is now confined and how */
	char message[512];  /* after a failure: what is wrong, and what to do */
};

/**
 * Confines this process, for good. Call it while there is one thread yet, as others
 * would keep what they have; after ports are bound and before files are opened, so
 * that what is created belongs to the user.
 *
 * A kernel without Landlock or seccomp is no failure; the report says so. Started
 * as root, a user must be there to go on as; root is one only where it is named.
 * Returns 0; ERR_NOT_FOUND (no such user), ERR_REFUSED (the user may not write
 * where it must, or cannot be changed to) or ERR_IO, with c->message filled in.
 */
int confine(struct confinement *c);

/* --- its parts, each in a file of its own ------------------------------------ */

/**
 * From now on files outside of the folders of c->files can't be opened, save a few
 * that libraries read, and no TCP connection made.
 * @how: receives "Landlock: ..." for the report
 * Returns 0 or ERR_IO with c->message filled in.
 */
int confine_landlock(struct confinement *c, char *how, size_t size);

/**
 * From now on other system calls than those of the list fail with EPERM.
 * @how: receives "seccomp: ..." for the report
 * Returns 0 or ERR_IO with c->message filled in.
 */
int confine_seccomp(struct confinement *c, char *how, size_t size);

#endif
