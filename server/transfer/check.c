/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/transfer/check.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/store/admission.h"
#include "server/transfer/data.h"

/* --- unknown machines ------------------------------------------------------ */

static void tell_unknown(const struct check *check, const struct unknown *unknown,
                          const char *note)
{
	char problem[REASON_SIZE + 100], remedy[400], key[40];

	text_format(problem, sizeof(problem), "unknown machine %pM, UUID %pU: %s", unknown->mac,
	            unknown->uuid, note);
	if (device_uuid_ok(unknown->uuid))
		text_format(key, sizeof(key), "%pU", unknown->uuid);
	else
		text_format(key, sizeof(key), "%pM", unknown->mac);
	text_format(remedy, sizeof(remedy), "see which machine it is with \"prebootctl unknown show "
	            "%s\"; if it is another one, \"prebootctl device admit %s\"; if it is the "
	            "device, say so with \"prebootctl device change\"; or forget it with "
	            "\"prebootctl unknown remove %s\"", key, key, key);
	check->found(check->data, problem, remedy);
}

/* Shared UUIDs are reported by themselves. */
static int check_unknowns(const struct check *check)
{
	struct unknown unknown;
	struct store_rows *rows;
	int rc = unknown_list(check->store, &rows);

	while (store_next(rows, &rc)) {
		char note[REASON_SIZE];
		struct uuid_record word;

		unknown_row(rows, &unknown);
		rc = uuid_find(check->store, unknown.uuid, &word);
		if (rc == 0)
			rc = admission_note(check->store, &unknown, note);
		if (rc || !note[0] || word.state == UUID_SHARED || word.state == UUID_IGNORED)
			continue;
		tell_unknown(check, &unknown, note);
	}
	return rc;
}

/* --- devices that no machine can be ----------------------------------------- */

static void tell_of_nobody(const struct check *check, const char *name)
{
	char problem[200], remedy[300];

	text_format(problem, sizeof(problem), "device %s is known by nothing but what shared-macs "
	            "names, so no machine is it", name);
	text_format(remedy, sizeof(remedy), "give it what it is known by: \"prebootctl device change "
	            "%s --uuid UUID\"; or take the MAC out of the setting shared-macs", name);
	check->found(check->data, problem, remedy);
}

static int check_shared_macs(const struct check *check)
{
	char name[NAME_SIZE] = "", last[NAME_SIZE] = "";
	bool all = false; /* MACs of the last device are shared ones */
	uint8_t mac[6];
	struct store_rows *rows;
	int rc = device_list_mac_only(check->store, &rows);

	while (store_next(rows, &rc)) {
		bool shared;

		device_mac_row(rows, name, mac);
		rc = setting_is_shared_mac(check->store, mac, &shared);
		if (strcmp(name, last) != 0) {
			if (all)
				tell_of_nobody(check, last);
			all = true;
		}
		all = all && shared;
		memcpy(last, name, sizeof(last));
	}
	if (rc == 0 && all)
		tell_of_nobody(check, last);
	return rc;
}

/* --- all ------------------------------------------------------------------- */

static void check_mode(const struct check *check)
{
	struct stat status;

	if (stat(check->store->path, &status) == 0 && status.st_mode & S_IROTH)
		check->found(check->data, "everybody on this host can read the database, and "
		             "details may hold secrets", "take that away with \"chmod o-rwx\"");
}

int check_all(const struct check *check)
{
	int rc;

	check_mode(check);
	rc = store_schema_faults(check->store, check->found, check->data);
	if (rc == 0)
		rc = store_row_faults(check->store, check->found, check->data);
	if (rc == 0)
		rc = check_unknowns(check);
	if (rc == 0)
		rc = check_shared_macs(check);
	return rc ? rc : check_rows(check);
}
