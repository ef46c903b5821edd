/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/message_fields.h"
#include "server/index/index_read.h"
#include "server/store/uuids.h"

/* What the rows of the tables say of a device. */

int index_list_add(struct list *list, const void *data, size_t length)
{
	if (!length)
		return 0;
	if (list->length + length > list->room) {
		size_t room = (list->length + length) * 2;
		uint8_t *larger = realloc(list->data, room);

		if (!larger)
			return ERR_SPACE;
		list->data = larger;
		list->room = room;
	}
	memcpy(list->data + list->length, data, length);
	list->length += length;
	return 0;
}

/* --- rows ------------------------------------------------------------------ */

/* Says in a warning that something of the device is left out. */
static int leave_out(struct reader *reader, const char *what, int64_t id)
{
	warnings_add(reader->warnings, "device %s: left out is its %s %lld", reader->name, what,
	     (long long)id);
	return 0;
}

static int take_mac(struct reader *reader, struct store_rows *row)
{
	uint8_t mac[MAC_SIZE];

	store_bytes(row, 1, mac, sizeof(mac));
	if (all_zero(mac, sizeof(mac)))
		return 0;
	if (!(reader->entry.flags & ENTRY_MAC)) {
		memcpy(reader->entry.mac, mac, sizeof(mac));
		reader->entry.flags |= ENTRY_MAC;
		return 0;
	}
	if (reader->lists[DEVICE_MACS].length == UINT8_MAX * MAC_SIZE)
		return leave_out(reader, "MAC address number", UINT8_MAX + 2);
	reader->entry.flags |= ENTRY_MORE_MACS;
	return index_list_add(&reader->lists[DEVICE_MACS], mac, sizeof(mac));
}

static int take_card(struct reader *reader, struct store_rows *row)
{
	struct block_card card;
	struct serials serials = { .model = "" };
	uint32_t hash;

	if (reader->lists[DEVICE_CARDS].length >= CARDS_MAX * sizeof(card))
		return leave_out(reader, "network card number", CARDS_MAX + 1);
	store_bytes(row, 1, card.mac, sizeof(card.mac));
	store_text(row, 2, serials.serial, sizeof(serials.serial));
	store_text(row, 3, serials.board, sizeof(serials.board));
	hash = serials_hash(&serials);
	memcpy(card.serials, &hash, sizeof(card.serials));
	reader->entry.flags |= ENTRY_CARDS;
	return index_list_add(&reader->lists[DEVICE_CARDS], &card, sizeof(card));
}

static int take_group(struct reader *reader, struct store_rows *row)
{
	int64_t group = store_number(row, 1);
	uint32_t id = (uint32_t)group;

	if (group < 1 || group > INDEX_DEVICE_MAX ||
	    reader->lists[DEVICE_GROUPS].length == BLOCK_COUNT_MAX * sizeof(id))
		return leave_out(reader, "group", group);
	return index_list_add(&reader->lists[DEVICE_GROUPS], &id, sizeof(id));
}

static bool past_ok(int64_t id)
{
	return id >= 1 && id <= INDEX_PAST_MAX;
}

static int take_session(struct reader *reader, struct store_rows *row)
{
	int64_t id = store_number(row, 1);
	uint32_t session = SESSION_OF(id, store_number(row, 2) != 0);

	if (!past_ok(id) ||
	    reader->lists[DEVICE_SESSIONS].length == BLOCK_COUNT_MAX * sizeof(session))
		return leave_out(reader, "multicast session", id);
	return index_list_add(&reader->lists[DEVICE_SESSIONS], &session, sizeof(session));
}

uint32_t index_clip(int64_t value)
{
	return value < 0 ? 0 : value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

static int take_assignment(struct reader *reader, struct store_rows *row)
{
	int64_t id = store_number(row, 1), bundle = store_number(row, 2);
	const char *mode = store_string(row, 3);
	struct block_assignment own = {
		.id = (uint32_t)id, .until = index_clip(store_number(row, 4)),
		.added = index_clip(store_number(row, 5)), .bundle_mode = (uint32_t)bundle * 4,
	};

	if (!past_ok(id) || !past_ok(bundle) || !mode ||
	    reader->lists[DEVICE_ASSIGNMENTS].length == BLOCK_COUNT_MAX * sizeof(own))
		return leave_out(reader, "assignment", id);
	own.bundle_mode += mode[0] == 'a' ? ASSIGN_ALWAYS :
	                   mode[0] == 'u' ? ASSIGN_UNTIL : ASSIGN_ONCE;
	return index_list_add(&reader->lists[DEVICE_ASSIGNMENTS], &own, sizeof(own));
}

static int take_setting(struct reader *reader, struct store_rows *row)
{
	struct list *list = &reader->lists[DEVICE_SETTINGS];
	char key[64], value[SETTING_TEXT + 1];
	struct settings unused;
	int index;

	store_text(row, 1, key, sizeof(key));
	store_text(row, 2, value + 1, SETTING_TEXT);
	index = setting_find(key);
	if (index < 0 || setting_parse((size_t)index, value + 1, &unused) ||
	    list->length + sizeof(value) > BLOCK_SETTINGS_MAX) {
		warnings_add(reader->warnings, "device %s: left out is its setting %s=%s, which is not "
		     "known", reader->name, key, value + 1);
		return 0;
	}
	value[0] = (char)index;
	return index_list_add(list, value, strlen(value + 1) + 2);
}

/* --- what became of work --------------------------------------------------- */

/* Notes how the newest work from one source stands; none is noted of what is under way. */
static int note_past(struct reader *reader, int64_t id, enum past_of of, enum job_state state)
{
	struct list *list = &reader->lists[DEVICE_PASTS];
	uint32_t past = PAST_OF(id, of, state == JOB_DONE ? PAST_DONE :
	                        state == JOB_FAILED ? PAST_FAILED : PAST_CANCELLED);

	if (!past_ok(id) || job_is_open(state))
		return 0;
	if (list->length == BLOCK_COUNT_MAX * sizeof(past))
		return leave_out(reader, "past work, of source", id);
	return index_list_add(list, &past, sizeof(past));
}

/* A row of the table past: of kind 0 is the newest work of all, then those of enum past_of. */
static int take_past(struct reader *reader, struct store_rows *row)
{
	const char *name = store_string(row, 3);
	int kind = store_number(row, 1);
	enum job_state state;

	if (!name || job_state_parse(name, &state))
		state = JOB_CANCELLED;
	if (kind > PAST_OF_MULTICAST + 1)
		return 0;
	if (kind)
		return note_past(reader, store_number(row, 2), (enum past_of)(kind - 1),
		                 state);
	reader->entry.last_job_of = (uint8_t)state;
	if (job_is_open(state))
		reader->entry.flags |= ENTRY_OPEN_JOB;
	return 0;
}

/* --- itself ---------------------------------------------------------------- */

/* A UUID that identifies no machine becomes zeros, so that requests need not check it again. */
static void take_guid(struct store_rows *row, int column, uint8_t out[UUID_SIZE])
{
	store_bytes(row, column, out, UUID_SIZE);
	if (!device_uuid_ok(out))
		memset(out, 0, UUID_SIZE);
}

static int take_device(struct reader *reader, struct store_rows *row)
{
	struct entry *entry = &reader->entry;
	uint8_t claim_uuid[UUID_SIZE], claim_mac[MAC_SIZE];
	int rc = 0;

	memset(entry, 0, sizeof(*entry));
	for (int i = 0; i < DEVICE_TABLES; i++)
		reader->lists[i].length = 0;
	reader->claims.length = reader->block.length = 0;
	entry->id = (uint32_t)store_number(row, 0);
	store_text(row, 1, reader->name, sizeof(reader->name));
	take_guid(row, 2, entry->uuid);
	take_guid(row, 3, entry->isd);
	take_guid(row, 4, claim_uuid);
	store_bytes(row, 5, claim_mac, sizeof(claim_mac));
	entry->added = index_clip(store_number(row, 6));
	entry->folder = index_clip(store_number(row, 7));
	if (!all_zero(claim_uuid, sizeof(claim_uuid))) {
		entry->flags |= ENTRY_CLAIM_UUID;
		rc = index_list_add(&reader->claims, claim_uuid, sizeof(claim_uuid));
	}
	if (rc == 0 && !all_zero(claim_mac, sizeof(claim_mac))) {
		entry->flags |= ENTRY_CLAIM_MAC;
		rc = index_list_add(&reader->claims, claim_mac, sizeof(claim_mac));
	}
	return rc;
}

/* --- all of them ----------------------------------------------------------- */

int index_take_row(struct reader *reader, int table, struct store_rows *row)
{
	switch (table) {
	case DEVICE_ITSELF: return take_device(reader, row);
	case DEVICE_MACS: return take_mac(reader, row);
	case DEVICE_GROUPS: return take_group(reader, row);
	case DEVICE_SESSIONS: return take_session(reader, row);
	case DEVICE_PASTS: return take_past(reader, row);
	case DEVICE_ASSIGNMENTS: return take_assignment(reader, row);
	case DEVICE_CARDS: return take_card(reader, row);
	default: return take_setting(reader, row);
	}
}
