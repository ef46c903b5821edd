/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "server/index/index_read.h"
#include "nbp/proto/error.h"

/*
 * Reading devices: each table's rows in the order of devices, side by side, so
 * that a million take seven statements, like one.
 */

/* The first column is the device. */
static const char *const queries[TABLES] = {
	[DEVICES] = "SELECT id, name, uuid, isd, claim_uuid, claim_mac, added, folder FROM device"
		" WHERE id BETWEEN ?1 AND ?2 ORDER BY id",
	[MACS] = "SELECT device, mac FROM mac WHERE device BETWEEN ?1 AND ?2 ORDER BY device, mac",
	[GROUPS] = "SELECT device, device_group FROM member WHERE device BETWEEN ?1 AND ?2"
		" ORDER BY device, device_group",
	[SESSIONS] = "SELECT device, multicast, joined FROM multicast_member"
		" WHERE device BETWEEN ?1 AND ?2 ORDER BY device, multicast",
	[PASTS] = "SELECT device, kind, id, state FROM past WHERE device BETWEEN ?1 AND ?2"
		" ORDER BY device, kind, id",
	[ASSIGNMENTS] = "SELECT owner, id, bundle, mode, until, added FROM assignment"
		" WHERE level = 'device' AND owner BETWEEN ?1 AND ?2 ORDER BY owner, id",
	[SETTINGS] = "SELECT owner, key, value FROM setting"
		" WHERE level = 'device' AND owner BETWEEN ?1 AND ?2 ORDER BY owner, key",
	[CARDS] = "SELECT device, mac, serial, board FROM card WHERE device BETWEEN ?1 AND ?2"
		" ORDER BY device, mac",
};

/* Goes to the next row of a table. */
static int step(struct reader *reader, int table)
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
		&lists[ASSIGNMENTS], &lists[GROUPS], &lists[SESSIONS], &lists[PASTS],
		&reader->claims, &lists[MACS],
	};
	struct block block = {
		.assignments = (uint16_t)(lists[ASSIGNMENTS].length / sizeof(struct block_assignment)),
		.groups = (uint16_t)(lists[GROUPS].length / sizeof(uint32_t)),
		.sessions = (uint16_t)(lists[SESSIONS].length / sizeof(uint32_t)),
		.pasts = (uint16_t)(lists[PASTS].length / sizeof(uint32_t)),
		.settings = (uint16_t)lists[SETTINGS].length,
		.macs = (uint8_t)(lists[MACS].length / MAC_SIZE),
		.name = (uint8_t)strlen(reader->name),
	};
	struct list *out = &reader->block;
	uint8_t cards = (uint8_t)(lists[CARDS].length / sizeof(struct block_card));
	int rc = list_add(out, &block, sizeof(block));

	for (size_t i = 0; rc == 0 && i < sizeof(order) / sizeof(order[0]); i++)
		rc = list_add(out, order[i]->data, order[i]->length);
	if (rc == 0)
		rc = list_add(out, reader->name, (size_t)block.name + 1);
	if (rc == 0)
		rc = list_add(out, lists[SETTINGS].data, lists[SETTINGS].length);
	if (rc == 0 && cards)
		rc = list_add(out, &cards, 1);
	if (rc == 0)
		rc = list_add(out, lists[CARDS].data, lists[CARDS].length);
	if (rc == 0)
		((struct block *)out->data)->size = (uint32_t)out->length;
	return rc;
}

/* Takes all that belongs to the device whose row is next. */
static int read_one(struct reader *reader, device_sink *sink, void *data)
{
	int64_t id = reader->devices[DEVICES];
	int rc = take_row(reader, DEVICES, reader->rows[DEVICES]);

	for (int i = MACS; i < TABLES; i++) {
		while (rc == 0 && reader->rows[i] && reader->devices[i] <= id) {
			/* Those of no device are passed over. */
			if (reader->devices[i] == id)
				rc = take_row(reader, i, reader->rows[i]);
			if (rc == 0)
				rc = step(reader, i);
		}
	}
	if (rc == 0 && (id < 1 || id > INDEX_DEVICE_MAX)) {
		warn(reader->warnings, "device %s: left out, its id %lld is not between 1 and %u",
		     reader->name, (long long)id, INDEX_DEVICE_MAX);
	} else if (rc == 0) {
		rc = make_block(reader);
		if (rc == 0)
			rc = sink(data, &reader->entry, (const struct block *)reader->block.data);
	}
	return rc ? rc : step(reader, DEVICES);
}

int devices_read(struct store *store, int64_t low, int64_t high, device_sink *sink, void *data,
                 struct warnings *warnings)
{
	struct reader reader = { .store = store, .warnings = warnings };
	int rc = 0;

	for (int i = 0; rc == 0 && i < TABLES; i++) {
		rc = store_start(store, &reader.rows[i], queries[i], "ii", low, high);
		if (rc)
			reader.rows[i] = NULL;
		else
			rc = step(&reader, i);
	}
	while (rc == 0 && reader.rows[DEVICES])
		rc = read_one(&reader, sink, data);
	for (int i = 0; i < TABLES; i++) {
		if (reader.rows[i])
			store_end(reader.rows[i]);
		free(reader.lists[i].data);
	}
	free(reader.claims.data);
	free(reader.block.data);
	return rc;
}
