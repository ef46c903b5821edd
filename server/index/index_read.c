/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/message_fields.h"
#include "server/index/index_internal.h"
#include "server/store/memory.h"
#include "server/store/uuids.h"

/*
 * Reading devices: each table's rows in the order of devices, side by side, so
 * that a million take seven statements, like one.
 */

/* A list that grows. */
struct list {
	uint8_t *data;
	size_t length, room;
};

struct reader {
	struct store *store;
	struct warnings *warnings;
	struct store_rows *rows[DEVICE_TABLES]; /* NULL: at its end */
	int64_t devices[DEVICE_TABLES];    /* whose row is next */
	/* The device that is being read: */
	struct entry entry;
	char name[NAME_SIZE];
	struct list lists[DEVICE_TABLES], bindings, block;
};

/* Adds bytes. Returns 0 or ERR_SPACE. */
static int list_add(struct list *list, const void *data, size_t length)
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

static int read_mac(struct reader *reader, struct store_rows *row)
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
	return list_add(&reader->lists[DEVICE_MACS], mac, sizeof(mac));
}

static int read_card(struct reader *reader, struct store_rows *row)
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
	return list_add(&reader->lists[DEVICE_CARDS], &card, sizeof(card));
}

static int read_group(struct reader *reader, struct store_rows *row)
{
	int64_t group = store_number(row, 1);
	uint32_t id = (uint32_t)group;

	if (group < 1 || group > INDEX_DEVICE_MAX ||
	    reader->lists[DEVICE_GROUPS].length == BLOCK_COUNT_MAX * sizeof(id))
		return leave_out(reader, "group", group);
	return list_add(&reader->lists[DEVICE_GROUPS], &id, sizeof(id));
}

/* Says whether an entry has room for the id. */
static bool catalog_id_ok(int64_t id)
{
	return id >= 1 && id <= CATALOG_ID_MAX;
}

static int read_session(struct reader *reader, struct store_rows *row)
{
	int64_t id = store_number(row, 1);
	uint32_t session = PACK_SESSION(id, store_number(row, 2) != 0);

	if (!catalog_id_ok(id) ||
	    reader->lists[DEVICE_SESSIONS].length == BLOCK_COUNT_MAX * sizeof(session))
		return leave_out(reader, "multicast session", id);
	return list_add(&reader->lists[DEVICE_SESSIONS], &session, sizeof(session));
}

/* Returns @value, or the nearest that fits. */
static uint32_t clip_u32(int64_t value)
{
	return value < 0 ? 0 : value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

static int read_assignment(struct reader *reader, struct store_rows *row)
{
	int64_t id = store_number(row, 1), bundle = store_number(row, 2);
	const char *mode = store_string(row, 3);
	struct block_assignment own = {
		.id = (uint32_t)id, .until = clip_u32(store_number(row, 4)),
		.added = clip_u32(store_number(row, 5)), .bundle_mode = (uint32_t)bundle * 4,
	};

	if (!catalog_id_ok(id) || !catalog_id_ok(bundle) || !mode ||
	    reader->lists[DEVICE_ASSIGNMENTS].length == BLOCK_COUNT_MAX * sizeof(own))
		return leave_out(reader, "assignment", id);
	own.bundle_mode += mode[0] == 'a' ? ASSIGN_ALWAYS :
	                   mode[0] == 'u' ? ASSIGN_UNTIL : ASSIGN_ONCE;
	return list_add(&reader->lists[DEVICE_ASSIGNMENTS], &own, sizeof(own));
}

static int read_setting(struct reader *reader, struct store_rows *row)
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
		warnings_add(reader->warnings,
		             "device %s: left out is its setting %s=%s, which is not "
		     "known", reader->name, key, value + 1);
		return 0;
	}
	value[0] = (char)index;
	return list_add(list, value, strlen(value + 1) + 2);
}

/* --- outcomes -------------------------------------------------------------- */

/* Adds how the newest job from one source has ended; nothing is added if it is under way. */
static int add_outcome(struct reader *reader, int64_t id, enum outcome_of of, enum job_state state)
{
	struct list *list = &reader->lists[DEVICE_OUTCOMES];
	uint32_t outcome = PACK_OUTCOME(id, of, state == JOB_DONE ? OUTCOME_DONE :
	                        state == JOB_FAILED ? OUTCOME_FAILED : OUTCOME_CANCELLED);

	if (!catalog_id_ok(id) || job_is_open(state))
		return 0;
	if (list->length == BLOCK_COUNT_MAX * sizeof(outcome))
		return leave_out(reader, "ended job, of source", id);
	return list_add(list, &outcome, sizeof(outcome));
}

/* A row of the table past: of kind 0 is the newest job of all, then those of enum outcome_of. */
static int read_outcome(struct reader *reader, struct store_rows *row)
{
	const char *name = store_string(row, 3);
	int kind = store_number(row, 1);
	enum job_state state;

	if (!name || job_state_parse(name, &state))
		state = JOB_CANCELLED;
	if (kind > OUTCOME_OF_MULTICAST + 1)
		return 0;
	if (kind)
		return add_outcome(reader, store_number(row, 2), (enum outcome_of)(kind - 1),
		                 state);
	reader->entry.last_job = (uint8_t)state;
	if (job_is_open(state))
		reader->entry.flags |= ENTRY_OPEN_JOB;
	return 0;
}

/* --- itself ---------------------------------------------------------------- */

/* A UUID that identifies no machine becomes zeros, so that requests need not check it again. */
static void read_guid(struct store_rows *row, int column, uint8_t out[UUID_SIZE])
{
	store_bytes(row, column, out, UUID_SIZE);
	if (!device_uuid_ok(out))
		memset(out, 0, UUID_SIZE);
}

static int read_device(struct reader *reader, struct store_rows *row)
{
	struct entry *entry = &reader->entry;
	uint8_t bound_uuid[UUID_SIZE], bound_mac[MAC_SIZE];
	int rc = 0;

	memset(entry, 0, sizeof(*entry));
	for (int i = 0; i < DEVICE_TABLES; i++)
		reader->lists[i].length = 0;
	reader->bindings.length = reader->block.length = 0;
	entry->id = (uint32_t)store_number(row, 0);
	store_text(row, 1, reader->name, sizeof(reader->name));
	read_guid(row, 2, entry->uuid);
	read_guid(row, 3, entry->isd);
	read_guid(row, 4, bound_uuid);
	store_bytes(row, 5, bound_mac, sizeof(bound_mac));
	entry->added = clip_u32(store_number(row, 6));
	entry->folder = clip_u32(store_number(row, 7));
	if (!all_zero(bound_uuid, sizeof(bound_uuid))) {
		entry->flags |= ENTRY_BOUND_UUID;
		rc = list_add(&reader->bindings, bound_uuid, sizeof(bound_uuid));
	}
	if (rc == 0 && !all_zero(bound_mac, sizeof(bound_mac))) {
		entry->flags |= ENTRY_BOUND_MAC;
		rc = list_add(&reader->bindings, bound_mac, sizeof(bound_mac));
	}
	return rc;
}

/* --- all of them ----------------------------------------------------------- */

static int read_row(struct reader *reader, int table, struct store_rows *row)
{
	switch (table) {
	case DEVICE_ITSELF: return read_device(reader, row);
	case DEVICE_MACS: return read_mac(reader, row);
	case DEVICE_GROUPS: return read_group(reader, row);
	case DEVICE_SESSIONS: return read_session(reader, row);
	case DEVICE_OUTCOMES: return read_outcome(reader, row);
	case DEVICE_ASSIGNMENTS: return read_assignment(reader, row);
	case DEVICE_CARDS: return read_card(reader, row);
	default: return read_setting(reader, row);
	}
}

/* Goes to the next row of a table. */
static int step_table(struct reader *reader, int table)
{
	int rc = store_step(reader->rows[table]);

	if (rc == 1) {
		reader->devices[table] = store_number(reader->rows[table], 0);
		return 0;
	}
	reader->rows[table] = NULL;
	return rc;
}

/* Puts the lists together. */
static int make_block(struct reader *reader)
{
	const struct list *lists = reader->lists, *const order[] = {
		&lists[DEVICE_ASSIGNMENTS], &lists[DEVICE_GROUPS], &lists[DEVICE_SESSIONS],
		&lists[DEVICE_OUTCOMES],
		&reader->bindings, &lists[DEVICE_MACS],
	};
	struct block block = {
		.assignments = (uint16_t)(lists[DEVICE_ASSIGNMENTS].length /
		                          sizeof(struct block_assignment)),
		.groups = (uint16_t)(lists[DEVICE_GROUPS].length / sizeof(uint32_t)),
		.sessions = (uint16_t)(lists[DEVICE_SESSIONS].length / sizeof(uint32_t)),
		.outcomes = (uint16_t)(lists[DEVICE_OUTCOMES].length / sizeof(uint32_t)),
		.settings = (uint16_t)lists[DEVICE_SETTINGS].length,
		.macs = (uint8_t)(lists[DEVICE_MACS].length / MAC_SIZE),
		.name = (uint8_t)strlen(reader->name),
	};
	struct list *out = &reader->block;
	uint8_t cards = (uint8_t)(lists[DEVICE_CARDS].length / sizeof(struct block_card));
	int rc = list_add(out, &block, sizeof(block));

	for (size_t i = 0; rc == 0 && i < sizeof(order) / sizeof(order[0]); i++)
		rc = list_add(out, order[i]->data, order[i]->length);
	if (rc == 0)
		rc = list_add(out, reader->name, (size_t)block.name + 1);
	if (rc == 0)
		rc = list_add(out, lists[DEVICE_SETTINGS].data, lists[DEVICE_SETTINGS].length);
	if (rc == 0 && cards)
		rc = list_add(out, &cards, 1);
	if (rc == 0)
		rc = list_add(out, lists[DEVICE_CARDS].data, lists[DEVICE_CARDS].length);
	if (rc == 0)
		((struct block *)out->data)->size = (uint32_t)out->length;
	return rc;
}

/* Reads all that belongs to the device whose row is next. */
static int read_next_device(struct reader *reader, device_sink *sink, void *data)
{
	int64_t id = reader->devices[DEVICE_ITSELF];
	int rc = read_row(reader, DEVICE_ITSELF, reader->rows[DEVICE_ITSELF]);

	for (int i = DEVICE_MACS; i < DEVICE_TABLES; i++) {
		while (rc == 0 && reader->rows[i] && reader->devices[i] <= id) {
			/* Rows of no device are skipped. */
			if (reader->devices[i] == id)
				rc = read_row(reader, i, reader->rows[i]);
			if (rc == 0)
				rc = step_table(reader, i);
		}
	}
	if (rc == 0 && (id < 1 || id > INDEX_DEVICE_MAX)) {
		warnings_add(reader->warnings,
		             "device %s: left out, its id %lld is not between 1 and %u",
		     reader->name, (long long)id, INDEX_DEVICE_MAX);
	} else if (rc == 0) {
		rc = make_block(reader);
		if (rc == 0)
			rc = sink(data, &reader->entry, (const struct block *)reader->block.data);
	}
	return rc ? rc : step_table(reader, DEVICE_ITSELF);
}

int devices_read(struct store *store, int64_t low, int64_t high, device_sink *sink, void *data,
                 struct warnings *warnings)
{
	struct reader reader = { .store = store, .warnings = warnings };
	int rc = 0;

	for (int i = 0; rc == 0 && i < DEVICE_TABLES; i++) {
		rc = device_table_list(store, (enum device_table)i, low, high, &reader.rows[i]);
		if (rc)
			reader.rows[i] = NULL;
		else
			rc = step_table(&reader, i);
	}
	while (rc == 0 && reader.rows[DEVICE_ITSELF])
		rc = read_next_device(&reader, sink, data);
	for (int i = 0; i < DEVICE_TABLES; i++) {
		if (reader.rows[i])
			store_end(reader.rows[i]);
		free(reader.lists[i].data);
	}
	free(reader.bindings.data);
	free(reader.block.data);
	return rc;
}
