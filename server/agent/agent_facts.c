/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/message_fields.h"
#include "nbp/proto/text.h"
#include "server/agent/agent.h"
#include "server/net/endpoint.h"

/* Reads the first line of @root@name into @out; empty if there is none. */
static void read_line(const char *root, const char *name, char *out, size_t size)
{
	char path[512];
	FILE *file;

	out[0] = '\0';
	if ((size_t)snprintf(path, sizeof(path), "%s%s", root, name) >= sizeof(path))
		return;
	file = fopen(path, "re");
	if (!file)
		return;
	if (!fgets(out, (int)size, file))
		out[0] = '\0';
	out[strcspn(out, "\n")] = '\0';
	fclose(file);
}

/* Finds the value of @key, which ends in '=', on a kernel command line; the last one counts. */
static bool find_word(const char *line, const char *key, char *out, size_t size)
{
	bool found = false;

	while (*line) {
		size_t length = strcspn(line, " \t");

		if (strncmp(line, key, strlen(key)) == 0 && length - strlen(key) < size) {
			memcpy(out, line + strlen(key), length - strlen(key));
			out[length - strlen(key)] = '\0';
			found = true;
		}
		line += length;
		line += strspn(line, " \t");
	}
	return found;
}

/* ip=<client>:<boot server>:<gateway>:<mask>, as SYSAPPEND 1 writes it */
static void read_boot_server(const char *value, struct sockaddr_in *server)
{
	const char *colon = strchr(value, ':');
	char host[16];

	if (!colon || strcspn(colon + 1, ":") >= sizeof(host))
		return;
	snprintf(host, sizeof(host), "%.*s", (int)strcspn(colon + 1, ":"), colon + 1);
	if (strcmp(host, "0.0.0.0") != 0)
		endpoint_parse(host, server);
}

/* BOOTIF=01-52-54-00-12-34-56: the hardware type, 1 for Ethernet, and the MAC */
static void read_bootif(const char *value, uint8_t mac[6])
{
	if (strncmp(value, "01-", 3) == 0)
		text_parse_mac(value + 3, mac);
}

/* Finds server and token: what is said comes first, and PXELINUX's word last. */
static int look_for_server(struct agent *agent, const char *root, const char *line,
                           const char **wrong)
{
	char value[128];

	if (!agent->server.sin_port &&
	    find_word(line, "prebootwork.server=", value, sizeof(value)) &&
	    endpoint_parse(value, &agent->server)) {
		*wrong = "prebootwork.server= on the kernel command line is not A.B.C.D or "
		         "A.B.C.D:PORT";
		return ERR_MALFORMED;
	}
	if (all_zero(agent->token, TOKEN_SIZE) &&
	    find_word(line, "prebootwork.token=", value, sizeof(value)) &&
	    agent_parse_token(value, agent->token)) {
		*wrong = "prebootwork.token= on the kernel command line is not 16 hexadecimal digits";
		return ERR_MALFORMED;
	}
	if (!agent->server.sin_port || all_zero(agent->token, TOKEN_SIZE))
		agent_read_record(agent, root);
	if (!agent->server.sin_port && find_word(line, "ip=", value, sizeof(value)))
		read_boot_server(value, &agent->server);
	return 0;
}

int agent_parse_token(const char *text, uint8_t token[TOKEN_SIZE])
{
	unsigned byte;

	if (strlen(text) != 2 * TOKEN_SIZE || strspn(text, "0123456789abcdefABCDEF") != 2 * TOKEN_SIZE)
		return ERR_MALFORMED;
	for (size_t i = 0; i < TOKEN_SIZE; i++) {
		sscanf(text + 2 * i, "%2x", &byte);
		token[i] = (uint8_t)byte;
	}
	return 0;
}

int agent_look_around(struct agent *agent, const char *root, const char **wrong)
{
	static const struct identity nobody;
	char line[4096], value[128];

	read_line(root, "/proc/cmdline", line, sizeof(line));
	if (look_for_server(agent, root, line, wrong))
		return ERR_MALFORMED;
	if (all_zero(agent->identity.mac, sizeof(agent->identity.mac)) &&
	    find_word(line, "BOOTIF=", value, sizeof(value)))
		read_bootif(value, agent->identity.mac);
	if (all_zero(agent->identity.mac, sizeof(agent->identity.mac)))
		agent_read_macs(agent, root);
	if (memcmp(agent->identity.uuid, nobody.uuid, sizeof(nobody.uuid)) == 0) {
		read_line(root, "/sys/class/dmi/id/product_uuid", line, sizeof(line));
		text_parse_uuid(line, agent->identity.uuid);
	}
	if (!agent->server.sin_port)
		*wrong = "no server known: the NBP left none; give --server, or "
		         "prebootwork.server= on the kernel command line";
	else if (memcmp(&agent->identity, &nobody, sizeof(nobody)) == 0 && !agent->mac_count)
		*wrong = "neither MAC nor UUID of this machine is known; give --mac or --uuid";
	else
		return 0;
	return ERR_MALFORMED;
}
