/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "nbp/proto/text.h"
#include "server/agent/agent.h"
#include "server/net/endpoint.h"

void agent_variables(const struct agent *agent, const struct details *job,
                     void (*each)(const char *name, const char *value))
{
	char value[DETAILS_SIZE], name[64];

	text_format(value, sizeof(value), "%" PRIu64, job->job);
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

/* In single quotes nothing is special to a shell but the quote itself. */
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
	agent_variables(agent, job, print_assignment);
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
	object = json_pack("{s:I, s:i, s:s, s:s, s:s, s:o}", "lease", (json_int_t)job->job,
	                   "attempt", (int)job->attempt, "device", job->device, "config",
	                   job->config, "server", server, "details", details);
	json_dumpf(object, stdout, JSON_INDENT(2));
	puts("");
	json_decref(object);
}
