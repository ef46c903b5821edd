/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "nbp/proto/message_fields.h"
#include "server/index/index_internal.h"

/* What is known of a device in the index. */

/* --- the lists of a block -------------------------------------------------- */

const struct block_assignment *block_assignments(const struct block *block)
{
	return (const struct block_assignment *)(block + 1);
}

const uint32_t *block_groups(const struct block *block)
{
	return (const uint32_t *)(block_assignments(block) + block->assignments);
}

const uint32_t *block_sessions(const struct block *block)
{
	return block_groups(block) + block->groups;
}

const uint32_t *block_outcomes(const struct block *block)
{
	return block_sessions(block) + block->sessions;
}

const uint8_t *block_bound_uuid(const struct block *block)
{
	return (const uint8_t *)(block_outcomes(block) + block->outcomes);
}

const uint8_t *block_bound_mac(const struct block *block, uint8_t flags)
{
	return block_bound_uuid(block) + (flags & ENTRY_BOUND_UUID ? UUID_SIZE : 0);
}

const uint8_t *block_macs(const struct block *block, uint8_t flags)
{
	return block_bound_mac(block, flags) + (flags & ENTRY_BOUND_MAC ? MAC_SIZE : 0);
}

const char *block_name(const struct block *block, uint8_t flags)
{
	return (const char *)block_macs(block, flags) + (size_t)block->macs * MAC_SIZE;
}

const char *block_settings(const struct block *block, uint8_t flags)
{
	return block_name(block, flags) + block->name + 1;
}

const struct block_card *block_cards(const struct block *block, uint8_t flags, size_t *count)
{
	const uint8_t *at = (const uint8_t *)block_settings(block, flags) + block->settings;

	*count = flags & ENTRY_CARDS ? *at : 0;
	return (const struct block_card *)(at + 1);
}

/* --- itself ---------------------------------------------------------------- */

void entry_device(const struct entry *entry, struct device *device)
{
	const struct block *block = entry_block(entry);

	memset(device, 0, sizeof(*device));
	device->id = entry->id;
	memcpy(device->name, block_name(block, entry->flags), (size_t)block->name + 1);
	memcpy(device->uuid, entry->uuid, sizeof(device->uuid));
	memcpy(device->isd, entry->isd, sizeof(device->isd));
	if (entry->flags & ENTRY_BOUND_UUID)
		memcpy(device->bound_uuid, block_bound_uuid(block), sizeof(device->bound_uuid));
	if (entry->flags & ENTRY_BOUND_MAC)
		memcpy(device->bound_mac, block_bound_mac(block, entry->flags),
		       sizeof(device->bound_mac));
	device->added = entry->added;
}

uint64_t entry_id(const struct entry *entry)
{
	return entry->id;
}

const char *entry_name(const struct entry *entry)
{
	return block_name(entry_block(entry), entry->flags);
}

bool entry_has_mac(const struct entry *entry)
{
	return entry->flags & ENTRY_MAC;
}

bool entry_has_bound_mac(const struct entry *entry)
{
	return entry->flags & ENTRY_BOUND_MAC;
}

const uint8_t *entry_uuid(const struct entry *entry)
{
	if (!all_zero(entry->uuid, UUID_SIZE))
		return entry->uuid;
	return entry->flags & ENTRY_BOUND_UUID ? block_bound_uuid(entry_block(entry)) : NULL;
}

enum mac_owner entry_mac(const struct entry *entry, const uint8_t mac[MAC_SIZE],
                         const uint32_t *serials)
{
	const struct block *block = entry_block(entry);
	const uint8_t *macs = block_macs(block, entry->flags);
	const struct block_card *cards;
	size_t count;
	uint32_t hash;

	if (entry->flags & ENTRY_MAC && memcmp(entry->mac, mac, MAC_SIZE) == 0)
		return MAC_REGISTERED;
	for (size_t i = 0; i < block->macs; i++)
		if (memcmp(macs + i * MAC_SIZE, mac, MAC_SIZE) == 0)
			return MAC_REGISTERED;
	if (entry->flags & ENTRY_BOUND_MAC &&
	    memcmp(block_bound_mac(block, entry->flags), mac, MAC_SIZE) == 0)
		return MAC_BOUND;
	cards = block_cards(block, entry->flags, &count);
	for (size_t i = 0; i < count; i++) {
		memcpy(&hash, cards[i].serials, sizeof(hash));
		if (memcmp(cards[i].mac, mac, MAC_SIZE) == 0 && (!serials || *serials == hash))
			return MAC_OF_CARD;
	}
	return MAC_UNKNOWN;
}

bool entry_is_uuid(const struct entry *entry, const uint8_t uuid[UUID_SIZE])
{
	return memcmp(entry->uuid, uuid, UUID_SIZE) == 0;
}

bool entry_is_isd(const struct entry *entry, const uint8_t isd[UUID_SIZE])
{
	return memcmp(entry->isd, isd, UUID_SIZE) == 0;
}

bool entry_is_mac(const struct entry *entry, const uint8_t mac[MAC_SIZE])
{
	return memcmp(entry->mac, mac, MAC_SIZE) == 0;
}

const struct folder *entry_folder(const struct index *index, const struct entry *entry)
{
	return catalog_folder(index->catalog, entry->folder);
}

const struct settings *entry_settings(const struct index *index, const struct entry *entry,
                                      struct settings *room)
{
	const struct folder *folder = entry_folder(index, entry);
	const struct settings *outer = folder ? folder->settings : &index->catalog->settings;
	const struct block *block = entry_block(entry);
	const char *own = block_settings(block, entry->flags), *end = own + block->settings;

	if (own == end)
		return outer;
	*room = *outer;
	while (own < end) {
		setting_parse((uint8_t)own[0], own + 1, room);
		own += strlen(own + 1) + 2;
	}
	return room;
}

struct mark entry_mark(const struct entry *entry)
{
	return (struct mark){ __atomic_load_n(&entry->mark_hash, __ATOMIC_RELAXED),
		              __atomic_load_n(&entry->mark_length, __ATOMIC_RELAXED) };
}

void entry_set_mark(const struct entry *entry, struct mark mark)
{
	__atomic_store_n((uint64_t *)&entry->mark_hash, mark.hash, __ATOMIC_RELAXED);
	__atomic_store_n((uint16_t *)&entry->mark_length, mark.length, __ATOMIC_RELAXED);
}

/* --- its jobs and assignments ---------------------------------------------- */

bool entry_has_open_job(const struct entry *entry)
{
	return entry->flags & ENTRY_OPEN_JOB;
}

enum job_state entry_last_job(const struct entry *entry)
{
	return (enum job_state)entry->last_job;
}

size_t entry_groups(const struct entry *entry, uint64_t *ids, size_t max)
{
	const struct block *block = entry_block(entry);
	const uint32_t *groups = block_groups(block);
	size_t count = 0;

	while (count < block->groups && count < max) {
		ids[count] = groups[count];
		count++;
	}
	return count;
}

bool entry_assignment(const struct index *index, const struct entry *entry, size_t i,
                      struct assignment *assignment)
{
	const struct block *block = entry_block(entry);
	const struct block_assignment *own = block_assignments(block);

	for (size_t at = 0; at < block->assignments; at++, own++) {
		const struct bundle *bundle = catalog_bundle(index->catalog, own->bundle_mode / 4);

		if (!bundle || i-- > 0)
			continue;
		assignment->id = own->id;
		assignment->bundle = bundle;
		assignment->level = LEVEL_DEVICE;
		assignment->owner = entry->id;
		assignment->mode = (enum assignment_mode)(own->bundle_mode % 4);
		assignment->until = own->until;
		assignment->added = own->added;
		return true;
	}
	return false;
}

size_t entry_multicasts(const struct index *index, const struct entry *entry,
                        struct membership *memberships, size_t max)
{
	const struct block *block = entry_block(entry);
	const uint32_t *sessions = block_sessions(block);
	size_t count = 0;

	for (size_t i = 0; i < block->sessions && count < max; i++) {
		memberships[count].session = catalog_multicast(index->catalog, sessions[i] / 2);
		memberships[count].joined = sessions[i] % 2;
		count += memberships[count].session != NULL;
	}
	return count;
}

enum outcome entry_outcome(const struct entry *entry, enum outcome_of of, uint64_t id)
{
	const struct block *block = entry_block(entry);
	const uint32_t *outcomes = block_outcomes(block);

	if (id > CATALOG_ID_MAX)
		return OUTCOME_NONE;
	for (size_t i = 0; i < block->outcomes; i++)
		if (outcomes[i] / 4 == PACK_OUTCOME(id, of, OUTCOME_NONE) / 4)
			return (enum outcome)(outcomes[i] % 4);
	return OUTCOME_NONE;
}
