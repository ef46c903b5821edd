/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_AGENT_AGENT_H
#define SERVER_AGENT_AGENT_H

#include <stdbool.h>

#include <netinet/in.h>

#include "nbp/proto/message.h"

/* What the files of prebootwork share. */

/* Exit statuses; those of "run" have RUN_OFFSET added, to differ from its command's own. */
enum {
	AGENT_OK = 0,
	AGENT_FAULT = 1,
	AGENT_USAGE = 2,
	AGENT_NO_JOB = 3,
	AGENT_SILENT = 4,
	AGENT_REFUSED = 5,
	RUN_OFFSET = 120,
};

/* How "show" prints a job. */
enum show_form {
	SHOW_SHELL, /* variables for a POSIX shell to eval */
	SHOW_LINES, /* NAME=value, for "for /f" of Windows' cmd */
	SHOW_JSON,
};

#define AGENT_MACS 16 /* network cards at most */

struct agent {
	struct sockaddr_in server; /* port 0: unknown */
	struct identity identity;
	uint8_t token[TOKEN_SIZE]; /* zeros: unknown */
	uint8_t macs[AGENT_MACS][6]; /* if identity has no MAC, each of these may be the one */
	size_t mac_count;
	uint32_t timeout_ms;       /* for each question; 0: each kind of question has its own */
};

/**
 * Fills in what is not set yet of @agent from the running system. Server and token come from the
 * kernel's command line (prebootwork.server=, prebootwork.token=), else from what the NBP left;
 * the server then from ip= as PXELINUX's SYSAPPEND writes it. The MAC comes from BOOTIF=, else
 * those of all network cards are taken; the UUID from SMBIOS.
 * @root: "" or, for tests, a folder that has proc/cmdline and so on
 * Returns 0, or ERR_MALFORMED with *@wrong (static memory) saying what is wrong or missing.
 */
int agent_read_facts(struct agent *agent, const char *root, const char **wrong);

/** Reads a token from 16 hexadecimal digits. Returns 0 or ERR_MALFORMED. */
int agent_parse_token(const char *text, uint8_t token[TOKEN_SIZE]);

/** Fills in server and token as the NBP left them. Returns 0, or ERR_NOT_FOUND if it did not. */
int agent_read_record(struct agent *agent, const char *root);

/** Fills in the MACs of this machine's network cards. The port has this function. */
void agent_read_macs(struct agent *agent, const char *root);

/**
 * Sends @question, with a nonce made for it, and waits for an answer of @type with that nonce
 * from the server's address and port. Repeats it with growing gaps for @timeout_ms; says so on
 * standard error once a minute.
 * Returns 0, ERR_TIMEOUT, ERR_IO (errno says why) or message_encode()'s errors.
 */
int agent_ask(const struct agent *agent, struct message *question, uint8_t type,
              uint32_t timeout_ms, struct message *answer);

/**
 * Calls @each with each variable that describes the job: PREBOOT_JOB and others, and WORK_key
 * for each detail.
 */
void agent_each_variable(const struct agent *agent, const struct details *job,
                         void (*each)(const char *name, const char *value));

/** Prints the job's variables for a shell to eval, as lines NAME=value, or as a JSON object. */
void agent_print_shell(const struct agent *agent, const struct details *job);
void agent_print_lines(const struct agent *agent, const struct details *job);
void agent_print_json(const struct agent *agent, const struct details *job);

/**
 * Runs @argv with the job's variables in its environment, and waits for it.
 * @reason: receives what to report of a failure; REASON_SIZE bytes
 * Returns its status as a shell does: 126 or 127 if it could not be started, 128 and the signal's
 * number if a signal ended it. The port has this function.
 */
int agent_run(const struct agent *agent, const struct details *job, char **argv, char *reason);

#endif
