/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nbp/proto/text.h"
#include "server/agent/agent.h"
#include "server/tool/output.h"

static volatile pid_t child;

/* Whoever ends us means the work. */
static void pass_on(int number)
{
	if (child > 0)
		kill(child, number);
}

static void set_variable(const char *name, const char *value)
{
	setenv(name, value, 1);
}

static void become(const struct agent *agent, const struct details *job, char **argv,
                   const sigset_t *mask)
{
	int reason;

	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	agent_variables(agent, job, set_variable);
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

	/* Nothing may arrive between the fork and child being known. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	fflush(NULL);
	child = fork();
	if (child == 0)
		become(agent, job, argv, &old);
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
