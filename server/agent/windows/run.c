/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs the command that does the job. */
#include <winsock2.h>
#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nbp/proto/text.h"
#include "server/agent/agent_port.h"
#include "server/agent/windows/wide.h"
#include "server/tool/output.h"

#define LINE_MAX_CHARS 32767 /* of a command line */

enum {
	STATUS_NOT_RUN = 126,
	STATUS_NOT_FOUND = 127,
};

/* A command line that is put together. */
struct line {
	char text[LINE_MAX_CHARS + 1];
	size_t length;
	bool full;
};

static void add(struct line *line, char character, size_t count)
{
	for (; count; count--) {
		if (line->length == LINE_MAX_CHARS)
			line->full = true;
		else
			line->text[line->length++] = character;
	}
}

/*
 * Adds an argument as the C library of the program will split it off again: within quotes, where a
 * quote has a backslash before it, and backslashes count as such only before a quote.
 */
static void add_argument(struct line *line, const char *argument)
{
	size_t backslashes = 0;

	if (line->length)
		add(line, ' ', 1);
	if (argument[0] && !strpbrk(argument, " \t\"")) {
		for (; *argument; argument++)
			add(line, *argument, 1);
		return;
	}
	add(line, '"', 1);
	for (; *argument; argument++) {
		if (*argument == '"')
			add(line, '\\', backslashes + 1);
		backslashes = *argument == '\\' ? backslashes + 1 : 0;
		add(line, *argument, 1);
	}
	add(line, '\\', backslashes);
	add(line, '"', 1);
}

/* Returns the command line of @argv, to be freed by the caller; NULL if it is too long. */
static wchar_t *command_line(char **argv)
{
	struct line *line = calloc(1, sizeof(*line));
	wchar_t *wide = NULL;

	if (!line)
		return NULL;
	for (; *argv; argv++)
		add_argument(line, *argv);
	if (!line->full)
		wide = wide_from_utf8(line->text);
	free(line);
	return wide;
}

static void set_variable(const char *name, const char *value)
{
	wchar_t *wide_name = wide_from_utf8(name), *wide_value = wide_from_utf8(value);

	/* A variable without text is none in Windows. */
	if (wide_name && wide_value)
		SetEnvironmentVariableW(wide_name, wide_value);
	free(wide_name);
	free(wide_value);
}

/* Ctrl-C at the console is for the command, which gets it, too. */
static BOOL WINAPI ignore_control(DWORD event)
{
	return event == CTRL_C_EVENT || event == CTRL_BREAK_EVENT;
}

/* Starts @argv. Returns 0 with the process in *@process, or an exit status. */
static int start(char **argv, HANDLE *process)
{
	STARTUPINFOW startup = { .cb = sizeof(startup) };
	PROCESS_INFORMATION created;
	wchar_t *line = command_line(argv);
	BOOL started = line && CreateProcessW(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup,
	                                      &created);
	DWORD reason = line ? GetLastError() : ERROR_FILENAME_EXCED_RANGE;

	free(line);
	if (started) {
		CloseHandle(created.hThread);
		*process = created.hProcess;
		return 0;
	}
	SetLastError(reason);
	output_line("prebootwork", "%s: %s", argv[0], port_error());
	return reason == ERROR_FILE_NOT_FOUND || reason == ERROR_PATH_NOT_FOUND
	       ? STATUS_NOT_FOUND : STATUS_NOT_RUN;
}

int agent_run(const struct agent *agent, const struct details *job, char **argv, char *reason)
{
	HANDLE process;
	DWORD status;
	int rc;

	fflush(NULL);
	agent_each_variable(agent, job, set_variable);
	SetConsoleCtrlHandler(ignore_control, TRUE);
	rc = start(argv, &process);
	if (rc) {
		text_format(reason, REASON_SIZE, "the command could not be started");
		return rc;
	}
	WaitForSingleObject(process, INFINITE);
	if (!GetExitCodeProcess(process, &status))
		status = STATUS_NOT_RUN;
	CloseHandle(process);
	/* Those of programs that Windows ended, such as 0xc0000005, are known in this form. */
	text_format(reason, REASON_SIZE, status > 255 ? "the command's exit status was 0x%x"
	                                              : "the command's exit status was %u",
	            (uint32_t)status);
	return (int)status;
}
