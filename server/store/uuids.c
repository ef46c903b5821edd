/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/store/uuids.h"

#include <string.h>

#include "nbp/proto/error.h"

void uuid_row(struct store_rows *row, struct uuid_record *record)
{
	const char *state = store_string(row, 1);

	store_bytes(row, 0, record->uuid, sizeof(record->uuid));
	record->time = store_number(row, 2);
	/* Where it says what makes no sense, it is not trusted. */
	record->state = UUID_SHARED;
	if (state)
		(void)uuid_state_parse(state, &record->state);
}

static void copy_uuid(struct store_rows *row, void *record)
{
	uuid_row(row, record);
}

int uuid_find(struct store *store, const uint8_t uuid[16], struct uuid_record *record)
{
	static const char sql[] = "SELECT uuid, state, time FROM uuid WHERE uuid = ?";
	int rc = store_one(store, copy_uuid, record, sql, "b", uuid, (size_t)16);

	if (rc != ERR_NOT_FOUND)
		return rc;
	memcpy(record->uuid, uuid, sizeof(record->uuid));
	record->state = UUID_FREE;
	record->time = 0;
	return 0;
}

int uuid_set(struct store *store, const uint8_t uuid[16], enum uuid_state state, int64_t time)
{
	static const char forget[] = "DELETE FROM uuid WHERE uuid = ?";
	static const char set[] =
		"INSERT INTO uuid (uuid, state, time) VALUES (?1, ?2, ?3)"
		" ON CONFLICT (uuid) DO UPDATE SET state = ?2, time = ?3 WHERE state <> ?2";

	if (state == UUID_FREE)
		return store_run(store, forget, "b", uuid, (size_t)16);
	return store_run(store, set, "bti", uuid, (size_t)16, uuid_state_name(state), time);
}

int uuid_list(struct store *store, struct store_rows **rows)
{
	return store_start(store, rows, "SELECT uuid, state, time FROM uuid ORDER BY uuid", "");
}

/* --- what it came with ----------------------------------------------------- */

int sighting_add(struct store *store, const uint8_t uuid[16], const struct sighting *w)
{
	static const char keep[] =
		"INSERT INTO witness (uuid, mac, model, serial, board, first, last)"
		" SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE EXISTS (SELECT 1 FROM uuid WHERE uuid ="
		" ?1) ON CONFLICT (uuid, mac, serial, board) DO UPDATE SET"
		" first = min(first, ?6), last = max(last, ?7), model = ?3";
	/* Those that came first stay: for them the UUID counts as shared. */
	static const char room[] =
		"DELETE FROM witness WHERE uuid = ?1 AND (mac, serial, board) IN"
		" (SELECT mac, serial, board FROM witness WHERE uuid = ?1"
		"  ORDER BY first, last, mac LIMIT -1 OFFSET ?2)";
	static const char all[] =
		"DELETE FROM witness WHERE (uuid, mac, serial, board) IN"
		" (SELECT uuid, mac, serial, board FROM witness ORDER BY last DESC"
		"  LIMIT -1 OFFSET ?)";
	int rc = store_run(store, keep, "bbtttii", uuid, (size_t)16, w->mac, (size_t)6,
	                   w->serials.model, w->serials.serial, w->serials.board, w->first,
	                   w->last);

	if (rc == 0)
		rc = store_run(store, room, "bi", uuid, (size_t)16, (int64_t)SIGHTINGS_MAX);
	return rc ? rc : store_run(store, all, "i", (int64_t)SIGHTINGS_ALL);
}

int sighting_list(struct store *store, const uint8_t uuid[16], struct store_rows **rows)
{
	static const char sql[] =
		"SELECT mac, model, serial, board, first, last FROM witness WHERE uuid = ?"
		" ORDER BY first, last, mac";

	return store_start(store, rows, sql, "b", uuid, (size_t)16);
}

static void read_serials(struct store_rows *row, struct serials *serials)
{
	store_text(row, 1, serials->model, sizeof(serials->model));
	store_text(row, 2, serials->serial, sizeof(serials->serial));
	store_text(row, 3, serials->board, sizeof(serials->board));
}

void sighting_row(struct store_rows *row, struct sighting *sighting)
{
	store_bytes(row, 0, sighting->mac, sizeof(sighting->mac));
	read_serials(row, &sighting->serials);
	sighting->first = store_number(row, 4);
	sighting->last = store_number(row, 5);
}

/* --- cards ----------------------------------------------------------------- */

int card_add(struct store *store, uint64_t device, const struct card *card, int64_t time)
{
	static const char sql[] =
		"INSERT INTO card (device, mac, model, serial, board, time)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (device, mac) DO UPDATE SET"
		" (model, serial, board, time) = (?3, ?4, ?5, ?6)";

	return store_run(store, sql, "ibttti", (int64_t)device, card->mac, (size_t)6,
	                 card->serials.model, card->serials.serial, card->serials.board, time);
}

int card_list(struct store *store, uint64_t device, struct card *cards, size_t *count)
{
	static const char sql[] =
		"SELECT mac, model, serial, board FROM card WHERE device = ? ORDER BY mac";
	struct store_rows *rows;
	int rc = store_start(store, &rows, sql, "i", (int64_t)device);

	*count = 0;
	if (rc)
		return rc;
	while (*count < CARDS_MAX && (rc = store_step(rows)) == 1) {
		store_bytes(rows, 0, cards[*count].mac, 6);
		read_serials(rows, &cards[(*count)++].serials);
	}
	if (rc == 1)
		store_end(rows);
	return rc < 0 ? rc : 0;
}

int card_forget(struct store *store, uint64_t device)
{
	return store_run(store, "DELETE FROM card WHERE device = ?", "i", (int64_t)device);
}
