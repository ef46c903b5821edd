/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "server/index/catalog_read.h"
#include "server/index/index_internal.h"
#include "server/store/memory.h"

/* Following what changes in the database. */

struct change {
	int64_t device;
	bool there;         /* it still is: */
	struct entry entry;
	size_t block;       /* where its block is in blocks */
};

struct changes {
	int64_t last;           /* the last change that is among these */
	struct catalog *catalog;  /* NULL: as it was */
	bool catalog_changed;
	struct change *changes; /* by device */
	size_t count, room;
	size_t next;            /* of the changes: the one to be read next */
	uint8_t *blocks;
	size_t blocks_length, blocks_room;
	struct warnings catalog_warnings, warnings;
};

void changes_free(struct changes *changes)
{
	if (!changes)
		return;
	catalog_free(changes->catalog);
	free(changes->changes);
	free(changes->blocks);
	free(changes);
}

static int add_change(struct changes *changes, int64_t device)
{
	struct change *larger;

	/* Mostly the rows of one device are beside each other. */
	if (changes->count && changes->changes[changes->count - 1].device == device)
		return 0;
	if (changes->count == changes->room) {
		larger = realloc(changes->changes, (changes->room * 2 + 16) * sizeof(*larger));
		if (!larger)
			return ERR_SPACE;
		changes->changes = larger;
		changes->room = changes->room * 2 + 16;
	}
	memset(&changes->changes[changes->count], 0, sizeof(*larger));
	changes->changes[changes->count++].device = device;
	return 0;
}

static int by_device(const void *left, const void *right)
{
	int64_t a = ((const struct change *)left)->device;
	int64_t b = ((const struct change *)right)->device;

	return (a > b) - (a < b);
}

/* --- reading --------------------------------------------------------------- */

/* Reads which devices have changed, each once and in order. */
static int read_changed_ids(const struct index *index, struct store *store, struct changes *changes)
{
	struct store_rows *rows;
	size_t kept = 0;
	int rc = change_list(store, index->change, &rows);

	changes->last = index->change;
	while (store_next(rows, &rc)) {
		int64_t device = store_number(rows, 1);

		changes->last = store_number(rows, 0);
		if (device == 0)
			changes->catalog_changed = true;
		else
			rc = add_change(changes, device);
	}
	if (rc || !changes->count)
		return rc;
	qsort(changes->changes, changes->count, sizeof(changes->changes[0]), by_device);
	for (size_t i = 1; i < changes->count; i++)
		if (changes->changes[i].device != changes->changes[kept].device)
			changes->changes[++kept] = changes->changes[i];
	changes->count = kept + 1;
	return 0;
}

/* Keeps a device that was read, if it is one that has changed. */
static int keep_device(void *data, const struct entry *entry, const struct block *block)
{
	struct changes *changes = data;
	size_t size = (block->size + 7) & ~(size_t)7;
	struct change *change;

	while (changes->next < changes->count &&
	       changes->changes[changes->next].device < entry->id)
		changes->next++;
	change = &changes->changes[changes->next];
	if (changes->next == changes->count || change->device != entry->id)
		return 0;
	if (changes->blocks_length + size > changes->blocks_room) {
		size_t room = (changes->blocks_length + size) * 2;
		uint8_t *larger = realloc(changes->blocks, room);

		if (!larger)
			return ERR_SPACE;
		changes->blocks = larger;
		changes->blocks_room = room;
	}
	change->there = true;
	change->entry = *entry;
	change->block = changes->blocks_length;
	memcpy(changes->blocks + change->block, block, block->size);
	changes->blocks_length += size;
	/* A session counts who has joined it and has work of it. */
	changes->catalog_changed |= block->sessions > 0;
	return 0;
}

/* Reads the devices: those whose ids are near each other at once, as after an import. */
static int read_changed(const struct index *index, struct store *store, struct changes *changes)
{
	static const int64_t near = 8;
	size_t first = 0;
	int rc = 0;

	while (rc == 0 && first < changes->count) {
		size_t last = first;

		while (last + 1 < changes->count &&
		       changes->changes[last + 1].device - changes->changes[last].device <= near)
			last++;
		rc = devices_read(store, changes->changes[first].device,
		                  changes->changes[last].device, keep_device, changes,
		                  &changes->warnings);
		first = last + 1;
	}
	for (size_t i = 0; i < changes->count && !changes->catalog_changed; i++) {
		const struct entry *old = index_by_id(index, (uint64_t)changes->changes[i].device);

		changes->catalog_changed = old && entry_block(old)->sessions;
	}
	if (rc == 0 && changes->catalog_changed)
		rc = catalog_read(store, &changes->catalog, &changes->catalog_warnings);
	return rc;
}

/* Ids of changes only grow, unless somebody puts an older database into the same file. */
static int check_is_newer(const struct index *index, struct store *store)
{
	int64_t last;
	int rc = change_last_number(store, &last);

	return rc == 0 && last < index->change ? ERR_VERSION : rc;
}

int index_read_changes(const struct index *index, struct store *store, struct changes **out)
{
	struct changes *changes = calloc(1, sizeof(*changes));
	int rc = changes ? 0 : ERR_SPACE;
	bool begun = rc == 0 && index_begin(store, &rc);

	*out = NULL;
	if (rc == 0)
		rc = read_changed_ids(index, store, changes);
	if (rc == 0 && changes->last == index->change) {
		rc = check_is_newer(index, store);
	} else if (rc == 0) {
		rc = read_changed(index, store, changes);
		if (rc == 0)
			*out = changes;
	}
	if (begun)
		store_rollback(store);
	if (!*out)
		changes_free(changes);
	return rc;
}

/* --- applying it ------------------------------------------------------------ */

int index_apply(struct index *index, struct changes *changes)
{
	int rc = 0;

	index->warnings = changes->warnings;
	if (changes->catalog) {
		index_set_catalog(index, changes->catalog, &changes->catalog_warnings);
		changes->catalog = NULL;
	}
	for (size_t i = 0; rc == 0 && i < changes->count; i++) {
		const struct change *change = &changes->changes[i];

		if (change->there)
			rc = index_put(index, &change->entry,
			               (const struct block *)(changes->blocks + change->block));
		else if (change->device >= 1 && change->device <= INDEX_DEVICE_MAX)
			index_remove(index, (uint32_t)change->device);
	}
	index->change = changes->last;
	changes_free(changes);
	return rc;
}

int index_forget_changes(const struct index *index, struct store *store)
{
	return change_forget(store, index->change);
}
