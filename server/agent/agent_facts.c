/* SPDX-License-Identifier: BSD-2-Clause */
/* What the running system knows about this boot: policy server, token, and who the machine is. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "nbp/proto/error.h"
#include "nbp/proto/message_fields.h"
#include "nbp/proto/power_on.h"
#include "nbp/proto/text.h"
#include "server/agent/agent_port.h"
#include "server/net/endpoint.h"

/* --- what the NBP left (nbp/proto/power_on.h) -------------------------------- */

int agent_read_record(struct agent *agent, const char *root)
{
	uint8_t record[POWER_ON_SIZE];
	struct power_on power_on;
	int rc = port_record(root, record);

	if (rc)
		return rc;
	if (power_on_decode(&power_on, record) || power_on.state != POWER_ON_HANDED_OVER)
		return ERR_NOT_FOUND;
	if (!agent->server.sin_port && !all_zero(power_on.server, sizeof(power_on.server))) {
		agent->server.sin_family = AF_INET;
		agent->server.sin_port = htons(POLICY_PORT);
		memcpy(&agent->server.sin_addr, power_on.server, sizeof(power_on.server));
	}
	if (all_zero(agent->token, TOKEN_SIZE))
		memcpy(agent->token, power_on.token, TOKEN_SIZE);
	return 0;
}

/* --- the kernel's command line ----------------------------------------------- */

/* Finds the value of @key, which ends in '=', among the options that a system was started with. The
 * last one counts. Windows writes them in capital letters. */
static bool find_word(const char *line, const char *key, char *out, size_t size)
{
	bool found = false;

	while (*line) {
		size_t length = strcspn(line, " \t");

		if (strncasecmp(line, key, strlen(key)) == 0 && length - strlen(key) < size) {
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

/* Finds server and token: options first, then the kernel's command line, then what the NBP left,
 * and ip= last. */
static int find_server(struct agent *agent, const char *root, const char *line,
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
		*wrong = "prebootwork.token= on the kernel command line is not 16 hexadecimal "
		         "digits";
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

	if (strlen(text) != 2 * TOKEN_SIZE ||
	    strspn(text, "0123456789abcdefABCDEF") != 2 * TOKEN_SIZE)
		return ERR_MALFORMED;
	for (size_t i = 0; i < TOKEN_SIZE; i++) {
		sscanf(text + 2 * i, "%2x", &byte);
		token[i] = (uint8_t)byte;
	}
	return 0;
}

int agent_read_facts(struct agent *agent, const char *root, const char **wrong)
{
	static const struct identity nobody;
	char line[4096], value[128];

	port_command_line(root, line, sizeof(line));
	if (find_server(agent, root, line, wrong))
		return ERR_MALFORMED;
	if (all_zero(agent->identity.mac, sizeof(agent->identity.mac)) &&
	    find_word(line, "BOOTIF=", value, sizeof(value)))
		read_bootif(value, agent->identity.mac);
	if (all_zero(agent->identity.mac, sizeof(agent->identity.mac)))
		agent_read_macs(agent, root);
	if (memcmp(agent->identity.uuid, nobody.uuid, sizeof(nobody.uuid)) == 0)
		port_uuid(root, agent->identity.uuid);
	if (!agent->server.sin_port)
		*wrong = "the policy server is unknown, as the NBP left none: give --server, or "
		         "prebootwork.server= on the kernel command line";
	else if (memcmp(&agent->identity, &nobody, sizeof(nobody)) == 0 && !agent->mac_count)
		*wrong = "both MAC and UUID of this machine are unknown: give --mac or --uuid";
	else
		return 0;
	return ERR_MALFORMED;
}
