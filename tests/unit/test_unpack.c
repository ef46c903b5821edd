/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <libgen.h>
#include <stdbool.h>
#include <unistd.h>

#include "bios/pack.h"
#include "nbp/proto/crc32.h"

/*
 * Packing and unpacking, and nvlnbp.sys as it was built. All buffers have just the size that
 * is needed, so that AddressSanitizer sees an access past their end.
 */

#define RESIDENT_MAX 0x1000 /* more bytes than the file's part that is not packed has */
#define FLIPS 1000
#define BLOCK 512

struct bytes {
	uint8_t *data;
	size_t size;
};

static struct bytes bytes_new(size_t size)
{
	struct bytes bytes = { malloc(size ? size : 1), size };

	assert_non_null(bytes.data);
	return bytes;
}

static uint32_t random_number(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

/* Unpacks to a buffer of @capacity bytes, which @data, if not NULL, receives. */
static size_t unpack_to(struct bytes packed, size_t capacity, uint8_t **data)
{
	struct unpack_model *model = malloc(sizeof(*model));
	struct bytes out = bytes_new(capacity), in = bytes_new(packed.size);
	size_t length;

	memcpy(in.data, packed.data, packed.size);
	length = unpack(in.data, in.size, out.data, capacity, model);
	assert_in_range(length, 0, capacity);
	free(model);
	free(in.data);
	if (data)
		*data = out.data;
	else
		free(out.data);
	return length;
}

static struct bytes pack_copy(const uint8_t *data, size_t size)
{
	struct bytes copy = bytes_new(size), packed = bytes_new(2 * size + 64);

	memcpy(copy.data, data, size);
	packed.size = pack(copy.data, size, packed.data);
	assert_in_range(packed.size, 4, 2 * size + 63);
	free(copy.data);
	return packed;
}

/* --- anything ---------------------------------------------------------------- */

/* Makes data of which @fresh of 256 bytes are new, and the others copies of earlier ones. */
static struct bytes make_bytes(size_t size, uint32_t fresh, uint32_t seed)
{
	struct bytes bytes = bytes_new(size);

	for (size_t i = 0; i < size;) {
		uint32_t count = random_number(&seed) % 40 + 1, from;

		if (i == 0 || random_number(&seed) % 256 < fresh) {
			bytes.data[i++] = (uint8_t)random_number(&seed);
			continue;
		}
		from = random_number(&seed) % (uint32_t)i;
		for (; count && i < size; count--)
			bytes.data[i++] = bytes.data[from++];
	}
	return bytes;
}

static void what_is_packed_comes_back(void **state)
{
	static const uint32_t fresh[] = { 0, 1, 30, 128, 256 };
	static const size_t sizes[] = { 1, 2, 3, 5, 100, 700 };

	(void)state;
	for (size_t i = 0; i < COUNT(fresh) * COUNT(sizes); i++) {
		struct bytes bytes = make_bytes(sizes[i / COUNT(fresh)],
		                                fresh[i % COUNT(fresh)], (uint32_t)i);
		struct bytes packed = pack_copy(bytes.data, bytes.size);
		uint8_t *out;

		assert_int_equal(unpack_to(packed, bytes.size, &out), bytes.size);
		assert_memory_equal(out, bytes.data, bytes.size);
		free(out);
		/* With a byte too few of either, nothing is unpacked. */
		assert_int_equal(unpack_to(packed, bytes.size - 1, NULL), 0);
		packed.size--;
		assert_int_equal(unpack_to(packed, bytes.size, NULL), 0);
		free(packed.data);
		free(bytes.data);
	}
}

static void any_bytes_end(void **state)
{
	uint32_t seed = 1;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		struct bytes noise = bytes_new(random_number(&seed) % 300);

		for (size_t at = 0; at < noise.size; at++)
			noise.data[at] = i % 3 == 0   ? 0
			                 : i % 3 == 1 ? 0xff
			                              : (uint8_t)random_number(&seed);
		unpack_to(noise, random_number(&seed) % 3000, NULL);
		free(noise.data);
	}
}

/* --- nvlnbp.sys --------------------------------------------------------------- */

struct nbp {
	struct bytes file;
	size_t resident; /* bytes of it that are not packed */
	size_t size;     /* of the rest, unpacked */
};

static uint32_t crc_of(struct bytes file)
{
	return crc32(file.data, file.size);
}

/* What crc32() returns where the last four bytes are the CRC-32 of those before. */
#define CRC_RIGHT 0x2144df1c

static int start(void **state)
{
	static struct nbp nbp;
	char path[4096];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 20);
	FILE *file;

	if (length < 0)
		return -1;
	path[length] = '\0';
	strcpy(dirname(dirname(path)) + strlen(path), "/nvlnbp.sys");
	file = fopen(path, "rb");
	if (!file)
		return -1;
	nbp.file = bytes_new(PACK_SIZE_LIMIT);
	nbp.file.size = fread(nbp.file.data, 1, PACK_SIZE_LIMIT, file);
	fclose(file);
	/* Only the linker knows where the packed data begins: it is found by trying. */
	for (nbp.resident = BLOCK; nbp.resident < RESIDENT_MAX; nbp.resident += 16) {
		nbp.size = unpack_to((struct bytes){ nbp.file.data + nbp.resident,
		                                     nbp.file.size - nbp.resident - 4 },
		                     PACK_SIZE_LIMIT, NULL);
		if (nbp.size > nbp.file.size)
			break;
	}
	*state = &nbp;
	return 0;
}

static int end(void **state)
{
	struct nbp *nbp = *state;

	free(nbp->file.data);
	return 0;
}

/* Does what the first instructions do: see entry.asm. The size is as the file says; what was
 * cut off is whatever memory had before. */
static bool is_taken(const struct nbp *nbp, struct bytes memory)
{
	size_t size = (size_t)(memory.data[PACK_FILE_SIZE] | memory.data[PACK_FILE_SIZE + 1] << 8);
	bool right;

	if (size > memory.size)
		size = memory.size;
	right = crc_of((struct bytes){ memory.data, size }) == CRC_RIGHT;
	/* To unpack it does no harm in either case. */
	if (size > nbp->resident + 4)
		unpack_to((struct bytes){ memory.data + nbp->resident, size - nbp->resident - 4 },
		          nbp->size, NULL);
	return right;
}

static void the_file_is_taken(void **state)
{
	const struct nbp *nbp = *state;

	assert_in_range(nbp->resident, BLOCK, RESIDENT_MAX - 1);
	assert_true(nbp->size > nbp->file.size);
	assert_true(is_taken(nbp, nbp->file));
}

static void a_file_cut_short_is_seen(void **state)
{
	const struct nbp *nbp = *state;
	struct bytes memory = bytes_new(nbp->file.size);

	/* What follows in memory is zeros, ones, or the rest of the same file's beginning. */
	for (int after = 0; after < 3; after++) {
		for (size_t cut = BLOCK; cut < nbp->file.size; cut += BLOCK) {
			memcpy(memory.data, nbp->file.data, cut);
			memset(memory.data + cut, after ? 0xff : 0, nbp->file.size - cut);
			if (after == 2)
				memcpy(memory.data + cut, nbp->file.data, nbp->file.size - cut);
			assert_false(is_taken(nbp, memory));
		}
	}
	free(memory.data);
}

static void flipped_bits_are_seen(void **state)
{
	const struct nbp *nbp = *state;
	struct bytes memory = bytes_new(nbp->file.size);
	uint32_t seed = 7, bit;

	for (int i = 0; i < FLIPS; i++) {
		memcpy(memory.data, nbp->file.data, nbp->file.size);
		for (int flips = 0; flips <= i % 2; flips++) {
			bit = random_number(&seed) % ((uint32_t)nbp->file.size * 8);
			memory.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		assert_false(is_taken(nbp, memory));
	}
	free(memory.data);
}

/* Two blocks of a file change places, as when one is kept from another file. */
static void moved_words_are_seen(void **state)
{
	const struct nbp *nbp = *state;
	struct bytes memory = bytes_new(nbp->file.size);
	static const size_t sizes[] = { 2, 4, 16, BLOCK };

	for (size_t i = 0; i < COUNT(sizes); i++) {
		size_t size = sizes[i], from = 8192, to = 12288;

		memcpy(memory.data, nbp->file.data, nbp->file.size);
		memcpy(memory.data + from, nbp->file.data + to, size);
		memcpy(memory.data + to, nbp->file.data + from, size);
		assert_memory_not_equal(memory.data, nbp->file.data, nbp->file.size);
		assert_false(is_taken(nbp, memory));
	}
	free(memory.data);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_packed_comes_back),
		cmocka_unit_test(any_bytes_end),
		cmocka_unit_test(the_file_is_taken),
		cmocka_unit_test(a_file_cut_short_is_seen),
		cmocka_unit_test(flipped_bits_are_seen),
		cmocka_unit_test(moved_words_are_seen),
	};

	return cmocka_run_group_tests(tests, start, end);
}
