/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/store/devices.h"

#include <string.h>

#include "server/net/peek.h"
#include "server/store/uuids.h"

/* --- finding --------------------------------------------------------------- */

void device_row(struct store_rows *row, struct device *device)
{
	device->id = (uint64_t)store_number(row, 0);
	store_text(row, 1, device->name, sizeof(device->name));
	store_bytes(row, 2, device->uuid, sizeof(device->uuid));
	store_bytes(row, 3, device->isd, sizeof(device->isd));
	store_bytes(row, 4, device->bound_uuid, sizeof(device->bound_uuid));
	store_bytes(row, 5, device->bound_mac, sizeof(device->bound_mac));
	device->added = store_number(row, 6);
}

static void read_device(struct store_rows *row, void *device)
{
	device_row(row, device);
}

int device_by_id(struct store *store, uint64_t id, struct device *device)
{
	static const char sql[] = "SELECT " DEVICE_COLUMNS " FROM device WHERE id = ?";

	return store_one(store, read_device, device, sql, "i", (int64_t)id);
}

int device_by_name(struct store *store, const char *name, struct device *device)
{
	static const char sql[] = "SELECT " DEVICE_COLUMNS " FROM device WHERE name = ?";

	return store_one(store, read_device, device, sql, "t", name);
}

/*
 * A machine is found by what it was registered with, else by what it came with when
 * it first claimed a device id: an agent reports its hardware alone.
 */
int device_by_mac(struct store *store, const uint8_t mac[6], struct device *device)
{
	static const char sql[] = "SELECT " DEVICE_COLUMNS
		" FROM mac JOIN device ON device.id = mac.device WHERE mac.mac = ?1 UNION ALL"
		" SELECT " DEVICE_COLUMNS " FROM device WHERE claim_mac = ?1 LIMIT 1";

	return store_one(store, read_device, device, sql, "b", mac, (size_t)6);
}

int device_by_uuid(struct store *store, const uint8_t uuid[16], struct device *device)
{
	static const char sql[] = "SELECT " DEVICE_COLUMNS " FROM device WHERE uuid = ?1 UNION ALL"
		" SELECT " DEVICE_COLUMNS " FROM device WHERE claim_uuid = ?1 LIMIT 1";

	return store_one(store, read_device, device, sql, "b", uuid, (size_t)16);
}

int device_by_isd(struct store *store, const uint8_t isd[16], struct device *device)
{
	static const char sql[] = "SELECT " DEVICE_COLUMNS " FROM device WHERE isd = ?";

	return store_one(store, read_device, device, sql, "b", isd, (size_t)16);
}

/* --- keeping --------------------------------------------------------------- */

static int add_macs(struct store *store, uint64_t id, const uint8_t (*macs)[6], size_t count)
{
	static const char sql[] = "INSERT INTO mac (mac, device) VALUES (?, ?)";
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = store_run(store, sql, "bi", macs[i], (size_t)6, (int64_t)id);
	return rc;
}

int device_add(struct store *store, struct device *device, const uint8_t (*macs)[6],
               size_t mac_count)
{
	static const char add[] =
		"INSERT INTO device (name, uuid, isd, added) VALUES (?, ?, ?, ?)";
	int rc = store_run(store, add, "tuui", device->name, device->uuid, device->isd,
	                   device->added);

	device->id = store_last_id(store);
	return rc ? rc : add_macs(store, device->id, macs, mac_count);
}

int device_change(struct store *store, const struct device *device, const uint8_t (*macs)[6],
                  size_t mac_count)
{
	static const char change[] =
		"UPDATE device SET uuid = ?2, isd = ?3, claim_uuid = NULL, claim_mac = NULL"
		" WHERE id = ?1";
	static const char forget[] = "DELETE FROM mac WHERE device = ?";
	static const char cards[] = "DELETE FROM card WHERE device = ?";
	int rc = store_run(store, change, "iuu", (int64_t)device->id, device->uuid, device->isd);

	if (rc == 0)
		rc = store_run(store, forget, "i", (int64_t)device->id);
	if (rc == 0)
		rc = store_run(store, cards, "i", (int64_t)device->id);
	return rc ? rc : add_macs(store, device->id, macs, mac_count);
}

int device_release(struct store *store, uint64_t id)
{
	static const char release[] =
		"UPDATE device SET claim_uuid = NULL, claim_mac = NULL WHERE id = ?";
	int rc = store_run(store, release, "i", (int64_t)id);

	return rc ? rc : card_forget(store, id);
}

int device_rename(struct store *store, uint64_t id, const char *name)
{
	static const char sql[] = "UPDATE device SET name = ?2 WHERE id = ?1";

	return store_run(store, sql, "it", (int64_t)id, name);
}

int device_remove(struct store *store, uint64_t id)
{
	static const char sql[] = "DELETE FROM device WHERE id = ?";

	return store_run(store, sql, "i", (int64_t)id);
}

int device_macs(struct store *store, uint64_t id, uint8_t (*macs)[6], size_t *count)
{
	static const char sql[] = "SELECT mac FROM mac WHERE device = ? ORDER BY mac";
	struct store_rows *rows;
	int rc = store_start(store, &rows, sql, "i", (int64_t)id);

	*count = 0;
	if (rc)
		return rc;
	while (*count < DEVICE_MACS_MAX && (rc = store_step(rows)) == 1)
		store_bytes(rows, 0, macs[(*count)++], 6);
	if (rc == 1)
		store_end(rows);
	return rc < 0 ? rc : 0;
}

int device_list(struct store *store, struct store_rows **rows)
{
	static const char sql[] = "SELECT " DEVICE_COLUMNS " FROM device ORDER BY name";

	return store_start(store, rows, sql, "");
}

/* ?1: the folder, ?2: the group */
#define SELECTED \
	" (?1 = 0 OR folder IN (WITH RECURSIVE tree (id, depth) AS (SELECT ?1, 0 UNION ALL" \
	"  SELECT folder.id, depth + 1 FROM tree JOIN folder ON folder.parent = tree.id" \
	"  WHERE depth < 32) SELECT id FROM tree))" \
	" AND (?2 = 0 OR EXISTS (SELECT 1 FROM member" \
	"  WHERE device_group = ?2 AND member.device = device.id))"

int device_list_mac_only(struct store *store, struct store_rows **rows)
{
	static const char sql[] =
		"SELECT d.name, m.mac FROM device d JOIN mac m ON m.device = d.id"
		" WHERE d.uuid IS NULL AND d.isd IS NULL AND d.claim_uuid IS NULL ORDER BY d.id";

	return store_start(store, rows, sql, "");
}

void device_mac_row(struct store_rows *row, char name[NAME_SIZE], uint8_t mac[6])
{
	store_text(row, 0, name, NAME_SIZE);
	store_bytes(row, 1, mac, 6);
}

int device_select(struct store *store, const struct device_filter *filter, struct store_rows **rows)
{
	static const char by_name[] = "SELECT " DEVICE_COLUMNS
		" FROM device WHERE" SELECTED " ORDER BY name";
	static const char by_time[] = "SELECT " DEVICE_COLUMNS
		" FROM device JOIN seen ON seen.device = device.id WHERE" SELECTED
		" ORDER BY seen.time DESC, name";

	return store_start(store, rows, filter->seen ? by_time : by_name, "ii",
	                   (int64_t)filter->folder, (int64_t)filter->group);
}

int device_bind(struct store *store, const struct device *device,
                const struct identity *identity)
{
	/* A network adapter that another machine came with first stays that one's, and one that
	 * the device is registered with binds nothing. */
	static const char sql[] =
		"UPDATE device SET claim_uuid = ?2, claim_mac ="
		" CASE WHEN EXISTS (SELECT 1 FROM device WHERE claim_mac = ?3 AND id <> ?1)"
		" OR EXISTS (SELECT 1 FROM mac WHERE device = ?1) THEN NULL"
		" ELSE nullif(?3, zeroblob(6)) END WHERE id = ?1";

	return store_run(store, sql, "iub", (int64_t)device->id, identity->uuid, identity->mac,
	                 (size_t)6);
}

/* --- the last request ------------------------------------------------------ */

int device_seen(struct store *store, uint64_t id, int64_t time, const char *address,
                const uint8_t *datagram, size_t length)
{
	/* A flood of one question is written once a minute; what it says is from byte 29 on. */
	static const char sql[] =
		"INSERT INTO seen VALUES (?1, ?2, ?3, ?4)"
		" ON CONFLICT (device) DO UPDATE SET (time, address, request) = (?2, ?3, ?4)"
		" WHERE time <= ?2 - 60 OR substr(request, 29) IS NOT substr(?4, 29)";

	return store_run(store, sql, "iitb", (int64_t)id, time, address, datagram,
	                 peek_unpadded_length(datagram, length));
}

int device_last_seen(struct store *store, uint64_t id, struct seen *seen)
{
	static const char sql[] = "SELECT time, address, request FROM seen WHERE device = ?";
	struct store_rows *row;
	const void *request;
	size_t length;
	int rc = store_start(store, &row, sql, "i", (int64_t)id);

	memset(seen, 0, sizeof(*seen));
	if (rc || (rc = store_step(row)) != 1)
		return rc;
	seen->time = store_number(row, 0);
	store_text(row, 1, seen->address, sizeof(seen->address));
	request = store_blob(row, 2, &length);
	if (message_decode(&seen->request, request, length) ||
	    seen->request.type != MESSAGE_REQUEST)
		memset(&seen->request, 0, sizeof(seen->request));
	store_end(row);
	return 0;
}

/* --- by themselves --------------------------------------------------------- */

int device_admitted(struct store *store, uint64_t device, int64_t time)
{
	return store_run(store, "INSERT INTO admission VALUES (?, ?)", "ii", (int64_t)device, time);
}

int device_admissions(struct store *store, int64_t *count)
{
	return store_one(store, store_take_number, count, "SELECT count(*) FROM admission", "");
}
