/* SPDX-License-Identifier: BSD-2-Clause */
/* The job's details for others: printed, or as variables of a command that does the job. */
#include <stdio.h>
#include <string.h>

#include "nbp/proto/text.h"
#include "server/agent/agent.h"
#include "server/net/endpoint.h"

/* PREBOOT_LEASE is what PREBOOT_JOB was called in the first release. */
void agent_each_variable(const struct agent *agent, const struct details *job,
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
	agent_each_variable(agent, job, print_assignment);
}

static void print_line(const char *name, const char *value)
{
	printf("%s=%s\n", name, value);
}

void agent_print_lines(const struct agent *agent, const struct details *job)
{
	agent_each_variable(agent, job, print_line);
}

/* --- JSON -------------------------------------------------------------------- */

static void print_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		if ((unsigned char)*text < ' ')
			printf("\\u%04x", (unsigned int)*text);
		else
			printf(*text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
	}
	putchar('"');
}

static void print_member(const char *indent, const char *name, const char *value)
{
	printf("%s", indent);
	print_string(name);
	printf(": ");
	print_string(value);
}

void agent_print_json(const struct agent *agent, const struct details *job)
{
	char number[24], server[32], key[64];
	const char *separator = "\n    ";

	text_format(number, sizeof(number), "%" PRIu64, job->job);
	printf("{\n  \"job\": %s,\n  \"attempt\": %d", number, job->attempt);
	print_member(",\n  ", "device", job->device);
	print_member(",\n  ", "config", job->config);
	endpoint_format(&agent->server, server, sizeof(server));
	print_member(",\n  ", "server", server);
	printf(",\n  \"details\": {");
	for (size_t at = 0; at < job->details_length; at += strlen(job->details + at) + 1) {
		const char *equals = strchr(job->details + at, '=');

		snprintf(key, sizeof(key), "%.*s", (int)(equals - (job->details + at)),
		         job->details + at);
		print_member(separator, key, equals + 1);
		separator = ",\n    ";
	}
	printf("%s}\n}\n", job->details_length ? "\n  " : "");
}
