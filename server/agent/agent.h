/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_AGENT_H
#define SERVER_AGENT_H

#include <stdbool.h>

#include <netinet/in.h>

#include "message.h"

/* What the parts of prebootwork share. */

/* Exit statuses; "run" adds RUN_OFFSET, out of the way of its command's own. */
enum {
	AGENT_OK = 0,
	AGENT_FAULT = 1,
	AGENT_USAGE = 2,
	AGENT_NO_WORK = 3,
	AGENT_SILENT = 4,
	AGENT_REFUSED = 5,
	RUN_OFFSET = 120,
};

struct agent {
	struct sockaddr_in server; /* port 0: unknown */
	struct identity identity;
	uint32_t timeout_ms;       /* for each question */
};

/**
 * Fills what is not set yet of @agent from the running system: server and MAC
 * from the kernel's command line, as PXELINUX's SYSAPPEND writes it (ip=,
 * BOOTIF=) or as prebootwork.server= says; the UUID from SMBIOS.
 * @root: "" or, for tests, a folder that has proc/cmdline and so on
 * Returns 0, or ERR_MALFORMED with *@wrong (static memory) saying what is amiss.
 */
int agent_look_around(struct agent *agent, const char *root, const char **wrong);

/**
 * Asks @question, with a nonce made for it, until the agent's timeout: again
 * after growing gaps. Takes only an answer of @type from the server's address
 * and port with that nonce.
 * Returns 0, ERR_TIMEOUT, ERR_IO (errno says why) or message_encode()'s errors.
 */
int agent_ask(const struct agent *agent, struct message *question, uint8_t type,
              struct message *answer);

/**
 * Calls @each with the variables that tell of work, PREBOOT_LEASE and such and
 * WORK_key for each detail.
 */
void agent_variables(const struct agent *agent, const struct details *work,
                     void (*each)(const char *name, const char *value));

/** Prints them for a shell to eval, or as one JSON object. */
void agent_print_shell(const struct agent *agent, const struct details *work);
void agent_print_json(const struct agent *agent, const struct details *work);

/**
 * Runs @argv with the variables of @work in its environment, and waits for it.
 * @reason: receives what to report of a failure; REASON_SIZE bytes
 * Returns its status as a shell does: 126 or 127 where it could not be started,
 * 128 and the signal where one ended it.
 */
int agent_run(const struct agent *agent, const struct details *work, char **argv, char *reason);

#endif
