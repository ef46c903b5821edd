/* SPDX-License-Identifier: BSD-2-Clause */
/* The MAC addresses of this machine's own network interfaces. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nbp/proto/text.h"
#include "server/agent/agent.h"

/* Reads a file of an interface, one line. */
static bool read_fact(const char *folder, const char *fact, char *out, int size)
{
	char path[600];
	FILE *file;
	bool found;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, fact) >= sizeof(path))
		return false;
	file = fopen(path, "re");
	if (!file)
		return false;
	found = fgets(out, size, file) != NULL;
	fclose(file);
	out[found ? strcspn(out, "\n") : 0] = '\0';
	return found;
}

/* Says whether it is a network card, not a bridge or the like, and of Ethernet's kind. */
static bool is_card(const char *folder)
{
	char path[600], type[16];

	snprintf(path, sizeof(path), "%s/device", folder);
	return access(path, F_OK) == 0 && read_fact(folder, "type", type, sizeof(type)) &&
	       strcmp(type, "1") == 0;
}

static int is_interface(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

void agent_read_macs(struct agent *agent, const char *root)
{
	struct dirent **names;
	char folder[512], path[560], text[32];
	int count;

	snprintf(folder, sizeof(folder), "%s/sys/class/net", root);
	/* In the order of their names, which is mostly that of their slots. */
	count = scandir(folder, &names, is_interface, alphasort);
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%.40s", folder, names[i]->d_name);
		if (agent->mac_count < AGENT_MACS && is_card(path) &&
		    read_fact(path, "address", text, sizeof(text)) &&
		    text_parse_mac(text, agent->macs[agent->mac_count]) == 0)
			agent->mac_count++;
		free(names[i]);
	}
	if (count >= 0)
		free(names);
}
