/* SPDX-License-Identifier: BSD-2-Clause */
/* The second step of an import of devices: what they will be known by. */
#include "server/transfer/device_csv_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/store/uuids.h"

static const uint8_t none[16];

/* --- what each device will have -------------------------------------------- */

bool csv_has_mac(const struct csv_device *device, const uint8_t mac[6])
{
	for (size_t i = 0; i < device->mac_count; i++)
		if (memcmp(device->macs[i], mac, 6) == 0)
			return true;
	return false;
}

static bool same_macs(const struct csv_device *a, const struct csv_device *b)
{
	bool same = a->mac_count == b->mac_count;

	for (size_t i = 0; same && i < a->mac_count; i++)
		same = csv_has_mac(b, a->macs[i]);
	return same;
}

/* An empty field leaves what the device has. */
static void complete_row(struct csv_import *import, struct csv_row *row)
{
	const struct csv_device *before = &row->before;
	struct csv_device *after = &row->after;

	if (row->known && !row->fields[COLUMN_MAC].text) {
		memcpy(after->macs, before->macs, sizeof(after->macs));
		after->mac_count = before->mac_count;
	}
	if (row->known && !row->fields[COLUMN_UUID].text)
		memcpy(after->device.uuid, before->device.uuid, 16);
	if (row->known && !row->fields[COLUMN_ISD].text)
		memcpy(after->device.isd, before->device.isd, 16);
	row->macs_change = !same_macs(before, after);
	row->identity_changes = row->macs_change ||
		memcmp(before->device.uuid, after->device.uuid, 16) ||
		memcmp(before->device.isd, after->device.isd, 16);
	if (row->wrong || after->mac_count || memcmp(after->device.uuid, none, 16) ||
	    memcmp(after->device.isd, none, 16))
		return;
	csv_add_error(import, row->line, row->column, "%s: needs a MAC, a UUID or the device id "
	              "(isd) in its image-safe data, or the machine could not be known again",
	              after->device.name);
}

/* --- within the file ------------------------------------------------------- */

/*
 * Adds what the row's device will be known by to what was found; two rows must not have the same.
 */
static void keep_identity(struct csv_import *import, const struct csv_row *row, enum column column,
                          const char *text)
{
	const char *kind = csv_column_names[column];
	const struct csv_row *other = csv_find_row(import, kind, text);
	const struct csv_field *field = &row->fields[column];

	if (!other)
		csv_keep_row(import, row, kind, text);
	else if (other != row && field->text)
		csv_add_error(import, field->line, field->column, "%s: line %zu has it already",
		              text, other->line);
	else if (other != row && other->fields[column].text)
		csv_add_error(import, other->fields[column].line, other->fields[column].column,
		              "%s: device %s has it, and keeps it in line %zu", text,
		              row->after.device.name, row->line);
}

static void keep_mac(struct csv_import *import, const struct csv_row *row, const uint8_t mac[6])
{
	char text[40];

	text_format(text, sizeof(text), "%pM", mac);
	if (memcmp(mac, none, 6))
		keep_identity(import, row, COLUMN_MAC, text);
}

static void keep_guid(struct csv_import *import, const struct csv_row *row, enum column column,
                      const uint8_t guid[16])
{
	char text[40];

	text_format(text, sizeof(text), "%pU", guid);
	if (memcmp(guid, none, 16))
		keep_identity(import, row, column, text);
}

static void keep_identities(struct csv_import *import, const struct csv_row *row)
{
	const struct csv_device *after = &row->after;

	for (size_t i = 0; i < after->mac_count; i++)
		keep_mac(import, row, after->macs[i]);
	keep_guid(import, row, COLUMN_UUID, after->device.uuid);
	keep_guid(import, row, COLUMN_ISD, after->device.isd);
	/*
	 * A device stays bound to the machine that came with it first, as long as nothing changes.
	 */
	if (row->identity_changes)
		return;
	keep_mac(import, row, row->before.device.bound_mac);
	keep_guid(import, row, COLUMN_UUID, row->before.device.bound_uuid);
}

/* --- outside of the file --------------------------------------------------- */

/* Says whether a device is in the file, where its row says what it will be known by. */
static bool is_in_file(const struct csv_import *import, const struct device *device)
{
	char number[24];

	snprintf(number, sizeof(number), "%" PRIu64, device->id);
	return csv_find_row(import, "id", number) != NULL;
}

/* @rc: of looking for who has @text now, which found @other */
static int check_owner(struct csv_import *import, const struct csv_field *field, const char *text,
                       int rc, const struct device *other)
{
	if (rc)
		return rc == ERR_NOT_FOUND ? 0 : rc;
	if (!is_in_file(import, other))
		csv_add_error(import, field->line, field->column, "%s: device %s has it already",
		              text, other->name);
	return 0;
}

static int check_macs(struct csv_import *import, const struct csv_row *row)
{
	const struct csv_device *after = &row->after;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < after->mac_count; i++) {
		struct device other;
		char text[20];

		text_format(text, sizeof(text), "%pM", after->macs[i]);
		rc = device_by_mac(import->store, after->macs[i], &other);
		rc = check_owner(import, &row->fields[COLUMN_MAC], text, rc, &other);
	}
	return rc;
}

static int check_guid(struct csv_import *import, const struct csv_row *row, enum column column,
                      const uint8_t guid[16],
                      int (*find)(struct store *store, const uint8_t guid[16],
                                  struct device *device))
{
	const struct csv_field *field = &row->fields[column];
	struct device other;

	if (memcmp(guid, none, 16) == 0)
		return 0;
	return check_owner(import, field, field->text, find(import->store, guid, &other), &other);
}

/* --- UUIDs ----------------------------------------------------------------- */

/* Warns where another device will have the UUID in the other byte order: it may be one machine. */
static int check_other_order(struct csv_import *import, const struct csv_row *row)
{
	const struct csv_field *field = &row->fields[COLUMN_UUID];
	const struct csv_row *in_file;
	const char *name = NULL;
	struct device other;
	uint8_t swapped[16];
	char text[40];
	int rc;

	device_uuid_swap(row->after.device.uuid, swapped);
	if (memcmp(swapped, row->after.device.uuid, 16) == 0)
		return 0;
	text_format(text, sizeof(text), "%pU", swapped);
	in_file = csv_find_row(import, "uuid", text);
	rc = device_by_uuid(import->store, swapped, &other);
	/* Of two rows that change, the later is warned of. */
	if (in_file && (in_file < row || !in_file->fields[COLUMN_UUID].text))
		name = in_file->after.device.name;
	else if (rc == 0 && !is_in_file(import, &other))
		name = other.name;
	if (name && in_file != row)
		csv_add_warning(import, field, "warning: device %s: %s is the UUID of device %s in "
		                "the other byte order", row->after.device.name, field->text, name);
	return rc == ERR_NOT_FOUND ? 0 : rc;
}

/* A UUID that identifies nobody is an error. A device may keep what it has. */
static int check_uuid(struct csv_import *import, const struct csv_row *row)
{
	const struct csv_field *field = &row->fields[COLUMN_UUID];
	const uint8_t *uuid = row->after.device.uuid;
	struct uuid_record record;
	int rc;

	if (memcmp(uuid, none, 16) == 0 ||
	    (row->known && memcmp(uuid, row->before.device.uuid, 16) == 0))
		return 0;
	rc = uuid_find(import->store, uuid, &record);
	if (rc)
		return rc;
	if (record.state != UUID_SHARED && record.state != UUID_IGNORED)
		return check_other_order(import, row);
	csv_add_error(import, field->line, field->column,
	              "%s: is %s, so it identifies nobody; give "
	              "a MAC, or, if it is one machine's, \"prebootctl uuid allow\" it first",
	              field->text, uuid_state_name(record.state));
	return 0;
}

/* --- all ------------------------------------------------------------------- */

/* Checks the fields of a row that say what its device is known by. */
static int check_row(struct csv_import *import, const struct csv_row *row)
{
	int rc = 0;

	if (row->fields[COLUMN_MAC].text)
		rc = check_macs(import, row);
	if (rc == 0 && row->fields[COLUMN_UUID].text)
		rc = check_guid(import, row, COLUMN_UUID, row->after.device.uuid, device_by_uuid);
	if (rc == 0 && row->fields[COLUMN_UUID].text)
		rc = check_uuid(import, row);
	if (rc == 0 && row->fields[COLUMN_ISD].text)
		rc = check_guid(import, row, COLUMN_ISD, row->after.device.isd, device_by_isd);
	return rc;
}

int csv_check_identities(struct csv_import *import)
{
	int rc = 0;

	for (size_t i = 0; i < import->row_count; i++)
		complete_row(import, &import->rows[i]);
	for (size_t i = 0; i < import->row_count; i++)
		keep_identities(import, &import->rows[i]);
	for (size_t i = 0; rc == 0 && i < import->row_count; i++)
		rc = check_row(import, &import->rows[i]);
	return rc;
}
