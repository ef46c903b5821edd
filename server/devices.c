/* SPDX-License-Identifier: BSD-2-Clause */
#include "devices.h"

#include <stdio.h>
#include <string.h>

#include "error.h"
#include "text.h"

bool device_name_ok(const char *name)
{
	static const char allowed[] =
		"._-ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	size_t length = strlen(name);

	return length > 0 && length < NAME_SIZE && strspn(name, allowed) == length &&
	       !strchr("._-", name[0]) && strspn(name, "0123456789") < length;
}

bool device_uuid_ok(const uint8_t uuid[16])
{
	/* The AMI BIOS source's placeholder, in both byte orders. */
	static const uint8_t placeholders[][16] = {
		{ 0x03, 0, 0x02, 0, 0x04, 0, 0x05, 0, 0, 0x06, 0, 0x07, 0, 0x08, 0, 0x09 },
		{ 0, 0x02, 0, 0x03, 0, 0x04, 0, 0x05, 0, 0x06, 0, 0x07, 0, 0x08, 0, 0x09 },
	};

	for (size_t i = 0; i < sizeof(placeholders) / sizeof(placeholders[0]); i++)
		if (memcmp(uuid, placeholders[i], 16) == 0)
			return false;
	return memcmp(uuid, uuid + 1, 15) != 0;
}

/* --- finding --------------------------------------------------------------- */

#define COLUMNS "device.id, device.name, device.uuid, device.local_boot, device.added"

void device_row(sqlite3_stmt *row, struct device *device)
{
	device->id = (uint64_t)sqlite3_column_int64(row, 0);
	store_text(row, 1, device->name, sizeof(device->name));
	store_bytes(row, 2, device->uuid, sizeof(device->uuid));
	device->local_boot = (uint8_t)sqlite3_column_int(row, 3);
	device->added = sqlite3_column_int64(row, 4);
}

/* Takes the one device that @rows has. @rc: of store_start() */
static int take_one(struct store *store, sqlite3_stmt *rows, int rc, struct device *device)
{
	if (rc == 0)
		rc = store_step(store, rows);
	if (rc != 1)
		return rc ? rc : ERR_NOT_FOUND;
	device_row(rows, device);
	store_end(rows);
	return 0;
}

int device_by_id(struct store *store, uint64_t id, struct device *device)
{
	static const char sql[] = "SELECT " COLUMNS " FROM device WHERE id = ?";
	sqlite3_stmt *rows;

	return take_one(store, rows, store_start(store, &rows, sql, "i", (int64_t)id), device);
}

int device_by_name(struct store *store, const char *name, struct device *device)
{
	static const char sql[] = "SELECT " COLUMNS " FROM device WHERE name = ?";
	sqlite3_stmt *rows;

	return take_one(store, rows, store_start(store, &rows, sql, "t", name), device);
}

int device_by_mac(struct store *store, const uint8_t mac[6], struct device *device)
{
	static const char sql[] = "SELECT " COLUMNS
		" FROM mac JOIN device ON device.id = mac.device WHERE mac.mac = ?";
	sqlite3_stmt *rows;

	return take_one(store, rows, store_start(store, &rows, sql, "b", mac, (size_t)6), device);
}

int device_by_uuid(struct store *store, const uint8_t uuid[16], struct device *device)
{
	static const char sql[] = "SELECT " COLUMNS " FROM device WHERE uuid = ?";
	sqlite3_stmt *rows;

	return take_one(store, rows, store_start(store, &rows, sql, "b", uuid, (size_t)16), device);
}

int device_identify(struct store *store, const struct identity *identity, struct device *device,
                    char *note, size_t note_size)
{
	static const uint8_t no_mac[6];
	bool has_uuid = device_uuid_ok(identity->uuid);
	struct device by_uuid, by_mac;
	int uuid_rc = ERR_NOT_FOUND, mac_rc = ERR_NOT_FOUND;

	note[0] = '\0';
	if (has_uuid) {
		uuid_rc = device_by_uuid(store, identity->uuid, &by_uuid);
		if (uuid_rc && uuid_rc != ERR_NOT_FOUND)
			return uuid_rc;
	}
	if (memcmp(identity->mac, no_mac, sizeof(no_mac)) != 0) {
		mac_rc = device_by_mac(store, identity->mac, &by_mac);
		if (mac_rc && mac_rc != ERR_NOT_FOUND)
			return mac_rc;
	}
	if (uuid_rc == 0) {
		if (mac_rc == 0 && by_mac.id != by_uuid.id)
			text_format(note, note_size, "the MAC is that of %s, the UUID counts",
			            by_mac.name);
		*device = by_uuid;
		return 0;
	}
	if (mac_rc)
		return mac_rc;
	if (has_uuid && device_uuid_ok(by_mac.uuid)) {
		text_format(note, note_size, "the MAC is that of %s, but the UUID is not",
		            by_mac.name);
		return ERR_NOT_FOUND;
	}
	*device = by_mac;
	return 0;
}

/* --- keeping --------------------------------------------------------------- */

int device_add(struct store *store, struct device *device, const uint8_t (*macs)[6],
               size_t mac_count)
{
	static const char add[] =
		"INSERT INTO device (name, uuid, local_boot, added) VALUES (?, ?, ?, ?)";
	static const char add_mac[] = "INSERT INTO mac (mac, device) VALUES (?, ?)";
	int rc = store_run(store, add, "tuii", device->name, device->uuid,
	                   (int64_t)device->local_boot, device->added);

	device->id = (uint64_t)sqlite3_last_insert_rowid(store->db);
	for (size_t i = 0; rc == 0 && i < mac_count; i++)
		rc = store_run(store, add_mac, "bi", macs[i], (size_t)6, (int64_t)device->id);
	return rc;
}

int device_remove(struct store *store, uint64_t id)
{
	static const char sql[] = "DELETE FROM device WHERE id = ?";

	return store_run(store, sql, "i", (int64_t)id);
}

int device_macs(struct store *store, uint64_t id, uint8_t (*macs)[6], size_t *count)
{
	static const char sql[] = "SELECT mac FROM mac WHERE device = ? ORDER BY mac";
	sqlite3_stmt *rows;
	int rc = store_start(store, &rows, sql, "i", (int64_t)id);

	*count = 0;
	if (rc)
		return rc;
	while (*count < DEVICE_MACS_MAX && (rc = store_step(store, rows)) == 1)
		store_bytes(rows, 0, macs[(*count)++], 6);
	if (rc == 1)
		store_end(rows);
	return rc < 0 ? rc : 0;
}

int device_list(struct store *store, sqlite3_stmt **rows)
{
	static const char sql[] = "SELECT " COLUMNS " FROM device ORDER BY name";

	return store_start(store, rows, sql, "");
}

int device_seen(struct store *store, uint64_t id, const struct seen *seen)
{
	/* A flood of one question is written once a minute. */
	static const char sql[] =
		"INSERT INTO seen VALUES"
		" (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
		" ON CONFLICT (device) DO UPDATE SET (time, address, mac, uuid, firmware,"
		" architecture, version, manufacturer, product, serial, cpu, cpu_64bit, memory_mib)"
		" = (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
		" WHERE time <= ?2 - 60 OR (mac, firmware, version, product, serial, memory_mib)"
		" IS NOT (?4, ?6, ?8, ?10, ?11, ?14)";
	const struct request *r = &seen->request;

	return store_run(store, sql, "iitbuiitttttii", (int64_t)id, seen->time, seen->address,
	                 r->identity.mac, sizeof(r->identity.mac), r->identity.uuid,
	                 (int64_t)r->firmware, (int64_t)r->architecture, r->version,
	                 r->manufacturer, r->product, r->serial, r->cpu, (int64_t)r->cpu_64bit,
	                 (int64_t)r->memory_mib);
}

int device_last_seen(struct store *store, uint64_t id, struct seen *seen)
{
	static const char sql[] = "SELECT * FROM seen WHERE device = ?";
	struct request *r = &seen->request;
	sqlite3_stmt *row;
	int rc = store_start(store, &row, sql, "i", (int64_t)id);

	memset(seen, 0, sizeof(*seen));
	if (rc || (rc = store_step(store, row)) != 1)
		return rc;
	seen->time = sqlite3_column_int64(row, 1);
	store_text(row, 2, seen->address, sizeof(seen->address));
	store_bytes(row, 3, r->identity.mac, sizeof(r->identity.mac));
	store_bytes(row, 4, r->identity.uuid, sizeof(r->identity.uuid));
	r->firmware = (uint8_t)sqlite3_column_int(row, 5);
	r->architecture = (uint16_t)sqlite3_column_int(row, 6);
	store_text(row, 7, r->version, sizeof(r->version));
	store_text(row, 8, r->manufacturer, sizeof(r->manufacturer));
	store_text(row, 9, r->product, sizeof(r->product));
	store_text(row, 10, r->serial, sizeof(r->serial));
	store_text(row, 11, r->cpu, sizeof(r->cpu));
	r->cpu_64bit = (uint8_t)sqlite3_column_int(row, 12);
	r->memory_mib = (uint32_t)sqlite3_column_int64(row, 13);
	store_end(row);
	return 0;
}
