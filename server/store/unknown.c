/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/store/unknown.h"

#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/net/peek.h"

static const uint8_t no_mac[6];

int unknown_seen(struct store *store, const struct identity *identity, int64_t time,
                  const char *address, const char *outcome, const uint8_t *datagram,
                  size_t length)
{
	/* A boot is known by its nonce, 16 bytes from byte 9 on. */
	static const char keep[] =
		"INSERT INTO unknown_machine (mac, uuid, first, last, boots, address, request,"
		" outcome) VALUES (?1, ?2, ?3, ?3, 1, ?4, ?5, ?6) ON CONFLICT (mac, uuid) DO UPDATE"
		" SET last = ?3, address = ?4, request = ?5, outcome = ?6, boots = boots +"
		" (substr(request, 9, 16) IS NOT substr(?5, 9, 16))";
	static const char room[] =
		"DELETE FROM unknown_machine WHERE id IN (SELECT id FROM unknown_machine ORDER BY"
		" last LIMIT max(0, (SELECT count(*) FROM unknown_machine) - ?))";
	int rc = store_run(store, keep, "bbitbt", identity->mac, (size_t)6, identity->uuid,
	                   (size_t)16, time, address, datagram,
	                   peek_unpadded_length(datagram, length), outcome);

	return rc ? rc : store_run(store, room, "i", (int64_t)UNKNOWNS_MAX);
}

/* --- listing --------------------------------------------------------------- */

#define COLUMNS "id, mac, uuid, first, last, boots, address, request, outcome"

int unknown_list(struct store *store, struct store_rows **rows)
{
	static const char sql[] = "SELECT " COLUMNS " FROM unknown_machine ORDER BY last DESC, id"
		" DESC";

	return store_start(store, rows, sql, "");
}

int unknown_by_mac(struct store *store, const uint8_t mac[6], struct store_rows **rows)
{
	static const char sql[] = "SELECT " COLUMNS
		" FROM unknown_machine WHERE mac = ? ORDER BY last DESC, id DESC";

	return store_start(store, rows, sql, "b", mac, (size_t)6);
}

int unknown_by_uuid(struct store *store, const uint8_t uuid[16], struct store_rows **rows)
{
	static const char sql[] = "SELECT " COLUMNS
		" FROM unknown_machine WHERE uuid = ? ORDER BY last DESC, id DESC";

	return store_start(store, rows, sql, "b", uuid, (size_t)16);
}

int unknown_list_since(struct store *store, int64_t since, struct store_rows **rows)
{
	static const char sql[] = "SELECT " COLUMNS
		" FROM unknown_machine WHERE last >= ? ORDER BY last, id";

	return store_start(store, rows, sql, "i", since);
}

void unknown_row(struct store_rows *row, struct unknown *unknown)
{
	size_t length;
	const void *request = store_blob(row, 7, &length);

	memset(unknown, 0, sizeof(*unknown));
	unknown->id = (uint64_t)store_number(row, 0);
	store_bytes(row, 1, unknown->mac, sizeof(unknown->mac));
	store_bytes(row, 2, unknown->uuid, sizeof(unknown->uuid));
	unknown->first = store_number(row, 3);
	unknown->last = store_number(row, 4);
	unknown->boots = (uint64_t)store_number(row, 5);
	store_text(row, 6, unknown->address, sizeof(unknown->address));
	store_text(row, 8, unknown->outcome, sizeof(unknown->outcome));
	if (length == 0 || length > sizeof(unknown->datagram))
		return;
	memcpy(unknown->datagram, request, length);
	unknown->length = length;
	if (message_decode(&unknown->request, unknown->datagram, length) ||
	    unknown->request.type != MESSAGE_REQUEST) {
		memset(&unknown->request, 0, sizeof(unknown->request));
		unknown->length = 0;
	}
}

int unknown_find(struct store *store, const struct identity *identity, struct unknown *unknown)
{
	static const char sql[] = "SELECT " COLUMNS " FROM unknown_machine WHERE mac = ? AND uuid ="
		" ?";
	struct store_rows *row;
	int rc = store_start(store, &row, sql, "bb", identity->mac, (size_t)6, identity->uuid,
	                     (size_t)16);

	if (rc || (rc = store_step(row)) <= 0)
		return rc ? rc : ERR_NOT_FOUND;
	unknown_row(row, unknown);
	store_end(row);
	return 0;
}

/* --- forgetting ------------------------------------------------------------ */

int unknown_remove(struct store *store, uint64_t id)
{
	static const char sql[] = "DELETE FROM unknown_machine WHERE id = ?";

	return store_run(store, sql, "i", (int64_t)id);
}

int unknown_remove_all(struct store *store, uint64_t *count)
{
	int rc = store_run(store, "DELETE FROM unknown_machine", "");

	*count = (uint64_t)store_changes(store);
	return rc;
}

int unknown_oldest(struct store *store, int64_t *time)
{
	static const char sql[] = "SELECT last FROM unknown_machine ORDER BY last LIMIT 1";
	int rc = store_one(store, store_take_number, time, sql, "");

	return rc == ERR_NOT_FOUND ? 0 : rc;
}

int unknown_newest(struct store *store, int64_t *time)
{
	static const char sql[] = "SELECT ifnull(max(last), 0) FROM unknown_machine";

	return store_one(store, store_take_number, time, sql, "");
}

int unknown_expire(struct store *store, int64_t time)
{
	return store_run(store, "DELETE FROM unknown_machine WHERE last < ?", "i", time);
}

/* --- admitting ------------------------------------------------------------- */

void unknown_name(const struct unknown *unknown, char name[NAME_SIZE])
{
	bool by_mac = memcmp(unknown->mac, no_mac, sizeof(no_mac)) != 0;
	const uint8_t *bytes = by_mac ? unknown->mac : unknown->uuid;
	size_t count = by_mac ? 6 : 16, length = text_format(name, NAME_SIZE, "pc-");

	for (size_t i = 0; i < count; i++)
		length += text_format(name + length, NAME_SIZE - length, "%02x", bytes[i]);
}
