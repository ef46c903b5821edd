/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "server/index/index_read.h"
#include "nbp/proto/error.h"

/*
 * Reading devices: each table's rows in the order of devices, side by side, so
 * that a million take seven statements, like one.
 */

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
		&lists[DEVICE_ASSIGNMENTS], &lists[DEVICE_GROUPS], &lists[DEVICE_SESSIONS], &lists[DEVICE_PASTS],
		&reader->claims, &lists[DEVICE_MACS],
	};
	struct block block = {
		.assignments = (uint16_t)(lists[DEVICE_ASSIGNMENTS].length / sizeof(struct block_assignment)),
		.groups = (uint16_t)(lists[DEVICE_GROUPS].length / sizeof(uint32_t)),
		.sessions = (uint16_t)(lists[DEVICE_SESSIONS].length / sizeof(uint32_t)),
		.pasts = (uint16_t)(lists[DEVICE_PASTS].length / sizeof(uint32_t)),
		.settings = (uint16_t)lists[DEVICE_SETTINGS].length,
		.macs = (uint8_t)(lists[DEVICE_MACS].length / MAC_SIZE),
		.name = (uint8_t)strlen(reader->name),
	};
	struct list *out = &reader->block;
	uint8_t cards = (uint8_t)(lists[DEVICE_CARDS].length / sizeof(struct block_card));
	int rc = index_list_add(out, &block, sizeof(block));

	for (size_t i = 0; rc == 0 && i < sizeof(order) / sizeof(order[0]); i++)
		rc = index_list_add(out, order[i]->data, order[i]->length);
	if (rc == 0)
		rc = index_list_add(out, reader->name, (size_t)block.name + 1);
	if (rc == 0)
		rc = index_list_add(out, lists[DEVICE_SETTINGS].data, lists[DEVICE_SETTINGS].length);
	if (rc == 0 && cards)
		rc = index_list_add(out, &cards, 1);
	if (rc == 0)
		rc = index_list_add(out, lists[DEVICE_CARDS].data, lists[DEVICE_CARDS].length);
	if (rc == 0)
		((struct block *)out->data)->size = (uint32_t)out->length;
	return rc;
}

/* Takes all that belongs to the device whose row is next. */
static int read_one(struct reader *reader, device_sink *sink, void *data)
{
	int64_t id = reader->devices[DEVICE_ITSELF];
	int rc = index_take_row(reader, DEVICE_ITSELF, reader->rows[DEVICE_ITSELF]);

	for (int i = DEVICE_MACS; i < DEVICE_TABLES; i++) {
		while (rc == 0 && reader->rows[i] && reader->devices[i] <= id) {
			/* Rows of no device are skipped. */
			if (reader->devices[i] == id)
				rc = index_take_row(reader, i, reader->rows[i]);
			if (rc == 0)
				rc = step(reader, i);
		}
	}
	if (rc == 0 && (id < 1 || id > INDEX_DEVICE_MAX)) {
		warnings_add(reader->warnings, "device %s: left out, its id %lld is not between 1 and %u",
		     reader->name, (long long)id, INDEX_DEVICE_MAX);
	} else if (rc == 0) {
		rc = make_block(reader);
		if (rc == 0)
			rc = sink(data, &reader->entry, (const struct block *)reader->block.data);
	}
	return rc ? rc : step(reader, DEVICE_ITSELF);
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
			rc = step(&reader, i);
	}
	while (rc == 0 && reader.rows[DEVICE_ITSELF])
		rc = read_one(&reader, sink, data);
	for (int i = 0; i < DEVICE_TABLES; i++) {
		if (reader.rows[i])
			store_end(reader.rows[i]);
		free(reader.lists[i].data);
	}
	free(reader.claims.data);
	free(reader.block.data);
	return rc;
}
