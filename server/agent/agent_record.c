/* SPDX-License-Identifier: BSD-2-Clause */
/* What the NBP left for the system that it started: nbp/power_on.h. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "nbp/proto/error.h"
#include "nbp/proto/message_fields.h"
#include "nbp/proto/power_on.h"
#include "server/agent/agent.h"

#define VARIABLES "/sys/firmware/efi/efivars"
#define VARIABLE VARIABLES "/OpenPrebootPowerOn-6134f6a1-f8d4-4743-96c8-0403611a5ec3"
#define ATTRIBUTES 4     /* bytes before a variable's value */
#define BIOS_PLACE 0x4f0 /* the BIOS data area's room for programs to leave each other something */

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
	/* An initramfs has nobody else to do it. Where it cannot be, there is no record. */
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
