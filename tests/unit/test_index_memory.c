/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "nbp/proto/error.h"
#include "server/index/index_internal.h"

/* What the index is made of, and the memory it takes. */

/* --- parts ----------------------------------------------------------------- */

static bool is_in(const struct index_table *table, uint32_t hash, uint32_t number)
{
	uint32_t slot = index_table_home(table, hash), found;

	while ((found = index_table_next(table, hash, &slot)) != 0)
		if (found == number)
			return true;
	return false;
}

/* Numbers whose hashes are alike, or next to each other, at the table's end too. */
static void test_table(void **state)
{
	struct index_table table = { 0 };
	uint32_t hashes[64];
	bool in[64] = { false };
	unsigned random = 1;

	(void)state;
	for (uint32_t i = 0; i < 64; i++)
		hashes[i] = i % 3 ? i % 5 : UINT32_MAX - i % 5 * 100000000;
	assert_false(is_in(&table, 0, 1));
	index_table_remove(&table, 0, 1);
	for (int i = 0; i < 20000; i++) {
		uint32_t n = (random = random * 1664525 + 1013904223) >> 26;

		if (in[n])
			index_table_remove(&table, hashes[n], n + 1);
		else
			assert_int_equal(index_table_add(&table, hashes[n], n + 1), 0);
		in[n] = !in[n];
		for (uint32_t j = 0; j < 64; j++)
			assert_int_equal(is_in(&table, hashes[j], j + 1), in[j]);
	}
	assert_true(table.size < 200);
	index_table_free(&table);
}

/* Blocks do not overlap, keep what is in them, and are used again. */
static void test_arena(void **state)
{
	static const size_t sizes[] = { 1, 16, 17, 100, 1000, 1024, 1025, 4000, 70000,
	                                ARENA_UNIT * ARENA_SEGMENT };
	struct index_arena arena = { 0 };
	struct {
		uint32_t block;
		size_t size;
	} blocks[100] = { { 0, 0 } };
	unsigned random = 1;

	(void)state;
	for (int i = 0; i < 5000; i++) {
		unsigned n = (random = random * 1664525 + 1013904223) >> 16;
		size_t at = n % COUNT(blocks), size = sizes[n / 128 % (i % 50 ? 8 : COUNT(sizes))];

		if (blocks[at].block) {
			const uint8_t *bytes = arena_at(&arena, blocks[at].block);

			assert_int_equal(bytes[0], at);
			assert_int_equal(bytes[blocks[at].size - 1], at);
			assert_int_equal((uintptr_t)bytes % ARENA_UNIT, 0);
			arena_give(&arena, blocks[at].block, blocks[at].size);
		}
		blocks[at].size = size;
		blocks[at].block = arena_take(&arena, size);
		assert_true(blocks[at].block);
		memset(arena_at(&arena, blocks[at].block), (int)at, size);
	}
	print_message("           %zu bytes\n", arena_memory(&arena));
	assert_true(arena_memory(&arena) < 32 << 20);
	arena_free(&arena);
}

/* --- memory ---------------------------------------------------------------- */

/* Makes the device with @id as it mostly is: a UUID, a device id and a MAC. */
static int put_device(struct index *index, uint32_t id, size_t pasts)
{
	struct {
		struct block block;
		char rest[512];
	} room = { .block = { .outcomes = (uint16_t)pasts, .name = 12 } };
	struct entry entry = { .id = id, .folder = 1, .added = 1, .flags = ENTRY_MAC };
	char name[16];

	memcpy(entry.uuid, "uuid", 4);
	memcpy(entry.uuid + 12, &id, 4);
	memcpy(entry.isd, "isd", 3);
	memcpy(entry.isd + 12, &id, 4);
	entry.mac[0] = 2;
	memcpy(entry.mac + 2, &id, 4);
	snprintf(name, sizeof(name), "pc-%09u", id);
	for (size_t i = 0; i < pasts; i++)
		((uint32_t *)room.rest)[i] = PACK_OUTCOME(i + 1, OUTCOME_OF_BUNDLE, OUTCOME_DONE);
	strcpy(room.rest + 4 * pasts, name);
	room.block.size = (uint32_t)(sizeof(room.block) + 4 * pasts + sizeof("pc-000000000"));
	return index_put(index, &entry, &room.block);
}

static void test_a_million(void **state)
{
	static const uint32_t million = 1000000;
	struct index *index = index_new();
	size_t each;

	(void)state;
	/* As they come, without knowing how many there will be. */
	for (uint32_t id = 1; id <= million; id++)
		assert_int_equal(put_device(index, id, 2), 0);
	assert_int_equal(index_count(index), million);
	each = index_memory(index) / million;
	print_message("           %zu bytes a device\n", each);
	assert_true(each <= 256);
	for (uint32_t id = 1; id <= million; id += 997) {
		const struct entry *entry = index_by_id(index, id);
		/* The last of them there is not. */
		struct index_prefetch prefetch[] = {
			{ .isd = entry->isd, .uuid = entry->uuid, .mac = entry->mac },
			{ .uuid = entry->isd, .mac = entry->mac },
			{ .isd = entry->uuid, .uuid = entry->isd, .mac = entry->uuid },
		};

		for (size_t i = 0; i < COUNT(prefetch); i++) {
			index_prefetch_begin(index, &prefetch[i]);
			for (int step = 0; step < 2 * INDEX_PREFETCH_STEPS; step++)
				index_prefetch_next(index, &prefetch[i]);
		}
		assert_int_equal(entry_id(entry), id);
		assert_ptr_equal(index_by_uuid(index, entry->uuid), entry);
		assert_ptr_equal(index_by_isd(index, entry->isd), entry);
		assert_ptr_equal(index_by_mac(index, entry->mac), entry);
	}
	index_free(index);
}

/* A site that changes does not take more and more. */
static void test_memory_is_used_again(void **state)
{
	struct index *index = index_new();
	unsigned random = 1;
	size_t before;

	(void)state;
	for (uint32_t id = 1; id <= 20000; id++)
		assert_int_equal(put_device(index, id, 30), 0);
	before = index_memory(index);
	for (uint32_t i = 0; i < 200000; i++) {
		uint32_t id = ((random = random * 1664525 + 1013904223) >> 8) % 20000 + 1;

		/* Old ones go and new ones come, with new ids. */
		if (i % 3 == 0) {
			index_remove(index, id);
			index_remove(index, 20000 + i);
		} else {
			assert_int_equal(put_device(index, i % 3 == 1 ? id : 20000 + i,
			                            random % 30), 0);
		}
		if (i > 30000)
			index_remove(index, 20000 + i - 30000);
	}
	print_message("           %zu, then %zu bytes for %zu devices\n", before,
	              index_memory(index), index_count(index));
	assert_true(index_memory(index) < before * 3 / 2);
	for (uint32_t id = 1; id <= 220000; id++)
		index_remove(index, id);
	assert_int_equal(index_count(index), 0);
	assert_int_equal(index->macs.used + index->uuids.used + index->isds.used, 0);
	index_free(index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table), cmocka_unit_test(test_arena),
		cmocka_unit_test(test_a_million), cmocka_unit_test(test_memory_is_used_again),
	};

	return cmocka_run_group_tests_name("index_memory", tests, NULL, NULL);
}
