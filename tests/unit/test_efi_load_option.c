/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "efi/load_option.h"
#include "nbp/proto/error.h"

#define ROOT 2, 1, 12, 0, 0xd0, 0x41, 0x03, 0x0a, 0, 0, 0, 0
#define PCI 1, 1, 6, 0, 0, 5
#define IPV6 3, 13, 4, 0
#define FILE_X 4, 4, 8, 0, '\\', 0, 'x', 0
#define END 0x7f, 0xff, 4, 0
#define ACTIVE 1, 0, 0, 0
#define NAMED 'o', 0, 's', 0, 0, 0

#define BYTES(...) ((const uint8_t[]){ __VA_ARGS__ }), sizeof((const uint8_t[]){ __VA_ARGS__ })

static void reads_options(void **state)
{
	const struct {
		const uint8_t *bytes;
		size_t size;
		bool disk;
		size_t path, data; /* lengths */
	} cases[] = {
		{ BYTES(ACTIVE, 22, 0, NAMED, ROOT, PCI, END), true, 22, 0 },
		{ BYTES(ACTIVE, 22, 0, 0, 0, ROOT, PCI, END, 'h', 0, 'i', 0), true, 22, 4 },
		{ BYTES(ACTIVE, 12, 0, NAMED, FILE_X, END), true, 12, 0 },
		/* A second path, which firmware keeps for itself. */
		{ BYTES(ACTIVE, 34, 0, NAMED, ROOT, PCI, END, FILE_X, END, 1), true, 22, 1 },
		{ BYTES(ACTIVE, 26, 0, NAMED, ROOT, PCI, IPV6, END), false, 26, 0 },
		{ BYTES(0, 0, 0, 0, 22, 0, NAMED, ROOT, PCI, END), false, 22, 0 },
		{ BYTES(1, 1, 0, 0, 22, 0, NAMED, ROOT, PCI, END), false, 22, 0 }, /* a menu */
		{ BYTES(9, 0, 0, 0, 22, 0, NAMED, ROOT, PCI, END), true, 22, 0 },  /* hidden */
	};
	struct load_option option;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(load_option_read(cases[i].bytes, cases[i].size, &option), 0);
		assert_int_equal(load_option_is_disk(&option), cases[i].disk);
		assert_int_equal(option.path.length, cases[i].path);
		assert_int_equal(option.data.length, cases[i].data);
		if (cases[i].data)
			assert_ptr_equal(option.data.data + cases[i].data,
			                 cases[i].bytes + cases[i].size);
	}
}

/* Each byte string is cut at each place, too: none may be read past its end. */
static void refuses_what_is_no_option(void **state)
{
	static const uint8_t good[] = { ACTIVE, 22, 0, NAMED, ROOT, PCI, END };
	const struct {
		const uint8_t *bytes;
		size_t size;
	} cases[] = {
		{ BYTES(ACTIVE, 40, 0, NAMED, ROOT, PCI, END) },  /* a path longer than all */
		{ BYTES(ACTIVE, 0, 0, NAMED, ROOT, PCI, END) },   /* no path */
		{ BYTES(ACTIVE, 22, 0, 'o', 0, 's', 0) },         /* a name without end */
		{ BYTES(ACTIVE, 18, 0, NAMED, ROOT, PCI, END) },  /* a path without end */
	};
	struct load_option option;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_not_equal(load_option_read(cases[i].bytes, cases[i].size, &option), 0);
	for (size_t length = 0; length < sizeof(good); length++) {
		uint8_t *cut = malloc(length + 1);

		memcpy(cut, good, length);
		assert_int_not_equal(load_option_read(cut, length, &option), 0);
		free(cut);
	}
}

static void names_options(void **state)
{
	static const uint16_t wanted[9] = { 'B', 'o', 'o', 't', '0', '1', 'A', 'F', 0 };
	uint16_t name[9];

	(void)state;
	load_option_name(0x01af, name);
	assert_memory_equal(name, wanted, sizeof(wanted));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_options),
		cmocka_unit_test(refuses_what_is_no_option),
		cmocka_unit_test(names_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
