/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_AGENT_AGENT_H
#define SERVER_AGENT_AGENT_H

#include <stdbool.h>

#include <netinet/in.h>

#include "nbp/proto/message.h"

/* What the parts of prebootwork share. */

/* Exit statuses; "run" adds RUN_OFFSET, out of the way of its command's own. */
enum {
	AGENT_OK = 0,
	AGENT_FAULT = 1,
	AGENT_USAGE = 2,
	AGENT_NO_JOB = 3,
	AGENT_SILENT = 4,
	AGENT_REFUSED = 5,
	RUN_OFFSET = 120,
};

#define AGENT_MACS 16 /* network cards that are looked at */

struct agent {
	struct sockaddr_in server; /* port 0: unknown */
	struct identity identity;
	uint8_t token[TOKEN_SIZE]; /* zeros: unknown */
	uint8_t macs[AGENT_MACS][6]; /* where identity has no MAC: any of these may be it */
	size_t mac_count;
	uint32_t timeout_ms;       /* for each question; 0: as long as suits it */
};

/**
 * Fills what is not set yet of @agent from the running system: server and token from the
 * kernel's command line (prebootwork.server=, prebootwork.token=), else as the NBP left them,
 * the server last from ip= as PXELINUX's SYSAPPEND writes it; the MAC from its BOOTIF=, else
 * those of all network cards; the UUID from SMBIOS.
 * @root: "" or, for tests, a folder that has proc/cmdline and so on
 * Returns 0, or ERR_MALFORMED with *@wrong (static memory) saying what is amiss.
 */
int agent_look_around(struct agent *agent, const char *root, const char **wrong);

/** Reads a token from 16 hexadecimal digits. Returns 0 or ERR_MALFORMED. */
int agent_parse_token(const char *text, uint8_t token[TOKEN_SIZE]);

/** Fills in server and token as the NBP left them. Returns 0, or ERR_NOT_FOUND: it did not. */
int agent_read_record(struct agent *agent, const char *root);

/** Fills in the MACs of this machine's network cards. */
void agent_read_macs(struct agent *agent, const char *root);

/**
 * Asks @question, with a nonce made for it, for @timeout_ms: again after growing
 * gaps, and telling of it on standard error once a minute. Takes only an answer of @type from the server's address
 * and port with that nonce.
 * Returns 0, ERR_TIMEOUT, ERR_IO (errno says why) or message_encode()'s errors.
 */
int agent_ask(const struct agent *agent, struct message *question, uint8_t type,
              uint32_t timeout_ms, struct message *answer);

/**
 * Calls @each with the variables that tell of work, PREBOOT_JOB and such and
 * JOB_key for each detail.
 */
void agent_variables(const struct agent *agent, const struct details *job,
                     void (*each)(const char *name, const char *value));

/** Prints them for a shell to eval, or as one JSON object. */
void agent_print_shell(const struct agent *agent, const struct details *job);
void agent_print_json(const struct agent *agent, const struct details *job);

/**
 * Runs @argv with the variables of @job in its environment, and waits for it.
 * @reason: receives what to report of a failure; REASON_SIZE bytes
 * Returns its status as a shell does: 126 or 127 where it could not be started,
 * 128 and the signal where one ended it.
 */
int agent_run(const struct agent *agent, const struct details *job, char **argv, char *reason);

#endif
