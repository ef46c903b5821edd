/* SPDX-License-Identifier: BSD-2-Clause */
/* The job's details for others: printed, or as variables of a command that does the job. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include "nbp/proto/text.h"
#include "server/agent/agent.h"
#include "server/net/endpoint.h"
#include "server/tool/output.h"

/*
 * Calls @each with each variable that describes the job: PREBOOT_JOB and others, and WORK_key
 * for each detail. PREBOOT_LEASE is what PREBOOT_JOB was called in the first release.
 */
static void for_each_variable(const struct agent *agent, const struct details *job,
                              void (*each)(const char *name, const char *value))
{
	char value[DETAILS_SIZE], name[64];

	text_format(value, sizeof(value), "%" PRIu64, job->job);
	each("PREBOOT_JOB", value);
	each("PREBOOT_LEASE", value);
	text_format(value, sizeof(value), "%u", (uint32_t)job->attempt);
	each("PREBOOT_ATTEMPT", value);
	each("PREBOOT_DEVICE", job->device);
	each("PREBOOT_CONFIG", job->config);
	endpoint_format(&agent->server, value, sizeof(value));
	each("PREBOOT_SERVER", value);
	for (size_t at = 0; at < job->details_length; at += strlen(job->details + at) + 1) {
		const char *equals = strchr(job->details + at, '=');

		snprintf(name, sizeof(name), "WORK_%.*s", (int)(equals - (job->details + at)),
		         job->details + at);
		each(name, equals + 1);
	}
}

/* Between single quotes only the quote itself is special to a shell. */
static void print_assignment(const char *name, const char *value)
{
	printf("%s='", name);
	for (; *value; value++) {
		if (*value == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*value);
	}
	puts("'");
}

void agent_print_shell(const struct agent *agent, const struct details *job)
{
	for_each_variable(agent, job, print_assignment);
}

void agent_print_json(const struct agent *agent, const struct details *job)
{
	json_t *details = json_object(), *object;
	char server[32], key[64];

	for (size_t at = 0; at < job->details_length; at += strlen(job->details + at) + 1) {
		const char *equals = strchr(job->details + at, '=');

		snprintf(key, sizeof(key), "%.*s", (int)(equals - (job->details + at)),
		         job->details + at);
		json_object_set_new(details, key, json_string(equals + 1));
	}
	endpoint_format(&agent->server, server, sizeof(server));
	object = json_pack("{s:I, s:i, s:s, s:s, s:s, s:o}", "job", (json_int_t)job->job,
	                   "attempt", (int)job->attempt, "device", job->device, "config",
	                   job->config, "server", server, "details", details);
	json_dumpf(object, stdout, JSON_INDENT(2));
	puts("");
	json_decref(object);
}

/* --- running a command ------------------------------------------------------- */

static volatile pid_t child;

/* A signal that would end this program is meant for the command. */
static void pass_on(int number)
{
	if (child > 0)
		kill(child, number);
}

static void set_variable(const char *name, const char *value)
{
	setenv(name, value, 1);
}

static void exec_command(const struct agent *agent, const struct details *job, char **argv,
                         const sigset_t *mask)
{
	int reason;

	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	for_each_variable(agent, job, set_variable);
	execvp(argv[0], argv);
	reason = errno;
	output_line("prebootwork", "%s: %s", argv[0], strerror(reason));
	_exit(reason == ENOENT ? 127 : 126);
}

int agent_run(const struct agent *agent, const struct details *job, char **argv, char *reason)
{
	struct sigaction action = { .sa_handler = pass_on, .sa_flags = SA_RESTART };
	sigset_t all, old;
	int status;

	/* No signal may arrive before the child's number is stored. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	fflush(NULL);
	child = fork();
	if (child == 0)
		exec_command(agent, job, argv, &old);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	/* A terminal sends these to the command too. */
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (child < 0) {
		text_format(reason, REASON_SIZE, "the command could not be started");
		return 126;
	}
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return 126;
	child = 0;
	if (WIFSIGNALED(status)) {
		text_format(reason, REASON_SIZE, "the command was ended by signal %d",
		            WTERMSIG(status));
		return 128 + WTERMSIG(status);
	}
	text_format(reason, REASON_SIZE, "the command's exit status was %d", WEXITSTATUS(status));
	return WEXITSTATUS(status);
}
