/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/index/catalog.h"

#include <stdlib.h>
#include <string.h>

#include "server/filter/filter.h"

/* Finding things in the catalog. */

static uint64_t id_at(const void *member)
{
	uint64_t id;

	memcpy(&id, member, sizeof(id));
	return id;
}

/* Finds by id in an array that is ordered by it; each member begins with it. */
static const void *find_by_id(const void *array, size_t count, size_t size, uint64_t id)
{
	const char *low = array;

	/* SQLite numbers them from 1: where none was ever deleted, it is there. */
	if (id - 1 < count && id_at(low + (id - 1) * size) == id)
		return low + (id - 1) * size;
	while (count) {
		const char *middle = low + count / 2 * size;
		uint64_t there = id_at(middle);

		if (there == id)
			return middle;
		if (there < id) {
			low = middle + size;
			count -= count / 2 + 1;
		} else {
			count /= 2;
		}
	}
	return NULL;
}

#define FIND(catalog, what, id) \
	find_by_id((catalog)->what##s, (catalog)->what##_count, sizeof((catalog)->what##s[0]), id)

const struct folder *catalog_folder(const struct catalog *catalog, uint64_t id)
{
	return FIND(catalog, folder, id);
}

const struct group *catalog_group(const struct catalog *catalog, uint64_t id)
{
	return FIND(catalog, group, id);
}

const struct bundle *catalog_bundle(const struct catalog *catalog, uint64_t id)
{
	return FIND(catalog, bundle, id);
}

const struct session *catalog_multicast(const struct catalog *catalog, uint64_t id)
{
	return FIND(catalog, multicast, id);
}

enum uuid_state catalog_uuid(const struct catalog *catalog, const uint8_t uuid[16])
{
	size_t low = 0, high = catalog->uuid_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = memcmp(catalog->uuids[middle].uuid, uuid, 16);

		if (order == 0)
			return catalog->uuids[middle].state;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return UUID_FREE;
}

bool catalog_mac_shared(const struct catalog *catalog, const uint8_t mac[6])
{
	for (size_t i = 0; i < catalog->shared_mac_count; i++)
		if (memcmp(catalog->shared_macs[i].bytes, mac, catalog->shared_macs[i].length) == 0)
			return true;
	return false;
}

/* Says whether an assignment is in front of those of @level and @owner. */
static bool in_front(const struct assignment *assignment, enum level level, uint64_t owner)
{
	return assignment->level < level ||
	       (assignment->level == level && assignment->owner < owner);
}

const struct assignment *catalog_assignments(const struct catalog *catalog, enum level level,
                                            uint64_t owner, size_t *count)
{
	const struct assignment *at = catalog->assignments;
	const struct assignment *end = at + catalog->assignment_count;
	size_t left = catalog->assignment_count;

	while (left) {
		if (in_front(&at[left / 2], level, owner)) {
			at += left / 2 + 1;
			left -= left / 2 + 1;
		} else {
			left /= 2;
		}
	}
	for (*count = 0; at + *count < end; ++*count)
		if (at[*count].level != level || at[*count].owner != owner)
			break;
	return at;
}

void catalog_free(struct catalog *catalog)
{
	if (!catalog)
		return;
	for (size_t i = 0; i < catalog->rule_count; i++)
		filter_free(catalog->rules[i].filter);
	free(catalog->folders);
	free(catalog->folder_settings);
	free(catalog->groups);
	free(catalog->bundles);
	free(catalog->rules);
	free(catalog->multicasts);
	free(catalog->assignments);
	free(catalog->uuids);
	free(catalog);
}
