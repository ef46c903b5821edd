/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/ctl.h"
#include "server/store/jobs.h"

int ctl_found(struct ctl *ctl, int rc, const char *word, const char *what, const char *noun)
{
	if (rc == ERR_NOT_FOUND)
		return ctl_error(EXIT_FAULT, "%s: no such %s; \"prebootctl %s list\" has those "
		                 "there are", word, what, noun);
	return rc ? ctl_store_error(ctl) : 0;
}

static int find_by_guid(struct ctl *ctl, const uint8_t guid[16], struct device *device)
{
	int rc = device_by_uuid(&ctl->store, guid, device);

	return rc == ERR_NOT_FOUND ? device_by_isd(&ctl->store, guid, device) : rc;
}

int ctl_find_device(struct ctl *ctl, const char *word, struct device *device)
{
	uint8_t mac[6], uuid[16];
	int rc;

	if (text_parse_mac(word, mac) == 0)
		rc = device_by_mac(&ctl->store, mac, device);
	else if (text_parse_uuid(word, uuid) == 0)
		rc = find_by_guid(ctl, uuid, device);
	else if (device_name_ok(word))
		rc = device_by_name(&ctl->store, word, device);
	else
		return ctl_error(EXIT_USAGE, "%s: expected a device's name, MAC (as in "
		                 "52:54:00:12:34:56) or UUID", word);
	return ctl_found(ctl, rc, word, "device", "device");
}

int ctl_find_job(struct ctl *ctl, const char *word, struct device *device, struct job *job)
{
	int rc, status;

	/* Twelve digits may be a MAC; job numbers do not get that long. */
	if (word[0] && strspn(word, "0123456789") == strlen(word) && strlen(word) < 12) {
		rc = job_by_number(&ctl->store, strtoull(word, NULL, 10), job);
		if (rc == 0 && device_by_id(&ctl->store, job->device, device))
			return ctl_store_error(ctl);
		return ctl_found(ctl, rc, word, "lease", "work");
	}
	status = ctl_find_device(ctl, word, device);
	if (status)
		return status;
	rc = job_newest(&ctl->store, device->id, job);
	if (rc == ERR_NOT_FOUND)
		return ctl_error(EXIT_FAULT, "%s has no work", device->name);
	return rc ? ctl_store_error(ctl) : 0;
}

int ctl_number(const char *text, const char *what, uint32_t most, uint32_t *number)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || errno || value < 1 || value > most)
		return ctl_error(EXIT_USAGE, "%s %s: expected a number from 1 to %u", what, text,
		                 most);
	*number = (uint32_t)value;
	return 0;
}

int ctl_seconds(const char *text, const char *what, uint32_t most, uint32_t *seconds)
{
	static const struct {
		const char *suffix;
		uint32_t factor;
	} units[] = { { "", 1 }, { "s", 1 }, { "m", 60 }, { "min", 60 }, { "h", 3600 },
	              { "d", 86400 } };
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (text[0] < '0' || text[0] > '9' || errno || strcmp(end, units[i].suffix) != 0)
			continue;
		if (value < 1 || value > most / units[i].factor)
			break;
		*seconds = (uint32_t)value * units[i].factor;
		return 0;
	}
	return ctl_error(EXIT_USAGE, "%s %s: expected a time from 1s to %ud, as in 90s, 30m, 4h "
	                 "or 1d", what, text, most / 86400);
}
