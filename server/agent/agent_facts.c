/* SPDX-License-Identifier: BSD-2-Clause */
/* What the running system knows about this boot: policy server, token, and who the machine is. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "nbp/proto/error.h"
#include "nbp/proto/message_fields.h"
#include "nbp/proto/power_on.h"
#include "nbp/proto/text.h"
#include "server/agent/agent.h"
#include "server/net/endpoint.h"

#define VARIABLES "/sys/firmware/efi/efivars"
#define VARIABLE VARIABLES "/OpenPrebootPowerOn-6134f6a1-f8d4-4743-96c8-0403611a5ec3"
#define ATTRIBUTES 4     /* bytes before a variable's value */
#define BIOS_PLACE 0x4f0 /* the BIOS data area's bytes for communication between programs */

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

/* --- what the NBP left (nbp/proto/power_on.h) -------------------------------- */

/* Reads POWER_ON_SIZE bytes at @place of @root@name. Returns 0 or ERR_NOT_FOUND. */
static int read_at(const char *root, const char *name, off_t place, uint8_t *record)
{
	char path[512];
	ssize_t length;
	int fd;

	if ((size_t)snprintf(path, sizeof(path), "%s%s", root, name) >= sizeof(path))
		return ERR_NOT_FOUND;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ERR_NOT_FOUND;
	length = pread(fd, record, POWER_ON_SIZE, place);
	close(fd);
	return length == POWER_ON_SIZE ? 0 : ERR_NOT_FOUND;
}

static int read_variable(const char *root, uint8_t *record)
{
	if (read_at(root, VARIABLE, ATTRIBUTES, record) == 0)
		return 0;
	/* In an initramfs nothing else mounts it. If that fails, there is no record. */
	if (root[0] || mount("efivarfs", VARIABLES, "efivarfs",
	                     MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, NULL))
		return ERR_NOT_FOUND;
	return read_at(root, VARIABLE, ATTRIBUTES, record);
}

int agent_read_record(struct agent *agent, const char *root)
{
	uint8_t record[POWER_ON_SIZE];
	char path[512];
	struct power_on power_on;
	int rc;

	snprintf(path, sizeof(path), "%s/sys/firmware/efi", root);
	rc = access(path, F_OK) == 0 ? read_variable(root, record)
	                             : read_at(root, "/dev/mem", BIOS_PLACE, record);
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

/* --- network cards ----------------------------------------------------------- */

/* Returns whether an interface, a folder of /sys/class/net, is an Ethernet card: a bridge or
 * the like is none. */
static bool is_card(const char *root, const char *interface)
{
	char path[600], type[16];

	snprintf(path, sizeof(path), "%s%s/device", root, interface);
	if (access(path, F_OK))
		return false;
	snprintf(path, sizeof(path), "%s/type", interface);
	read_line(root, path, type, sizeof(type));
	return strcmp(type, "1") == 0;
}

static int is_interface(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

void agent_read_macs(struct agent *agent, const char *root)
{
	struct dirent **names;
	char folder[512], interface[80], path[100], text[32];
	int count;

	snprintf(folder, sizeof(folder), "%s/sys/class/net", root);
	/* Sorted by name, which is mostly the order of the slots. */
	count = scandir(folder, &names, is_interface, alphasort);
	for (int i = 0; i < count; i++) {
		snprintf(interface, sizeof(interface), "/sys/class/net/%.40s", names[i]->d_name);
		snprintf(path, sizeof(path), "%s/address", interface);
		read_line(root, path, text, sizeof(text));
		if (agent->mac_count < AGENT_MACS && is_card(root, interface) &&
		    text_parse_mac(text, agent->macs[agent->mac_count]) == 0)
			agent->mac_count++;
		free(names[i]);
	}
	if (count >= 0)
		free(names);
}

/* --- the kernel's command line ----------------------------------------------- */

/* Finds the value of @key, which ends in '=', on a kernel command line. The last one counts. */
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

	read_line(root, "/proc/cmdline", line, sizeof(line));
	if (find_server(agent, root, line, wrong))
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
		*wrong = "the policy server is unknown, as the NBP left none: give --server, or "
		         "prebootwork.server= on the kernel command line";
	else if (memcmp(&agent->identity, &nobody, sizeof(nobody)) == 0 && !agent->mac_count)
		*wrong = "both MAC and UUID of this machine are unknown: give --mac or --uuid";
	else
		return 0;
	return ERR_MALFORMED;
}
