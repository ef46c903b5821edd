/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "bios/pxe_find.h"
#include "nbp/proto/error.h"

#define MIB 0x100000u
#define BASE_END 0x9a000u
#define END 0xa0000u

/* The first MiB of a machine, with what its ROM left on entry. */
struct rom {
	uint8_t memory[MIB];
	struct pxe_hints hints;
	struct pxe_api api;
};

static struct segoff int1a_says;
static unsigned int int1a_calls;

static struct segoff int1a(void)
{
	int1a_calls++;
	return int1a_says;
}

static struct rom *rom_new(void)
{
	struct rom *rom = calloc(1, sizeof(*rom));

	int1a_says = (struct segoff){ 0 };
	int1a_calls = 0;
	rom->hints = (struct pxe_hints){ .int1a = int1a, .scan_start = BASE_END, .scan_end = END };
	return rom;
}

static void put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)value;
	at[1] = (uint8_t)(value >> 8);
}

static void put_sum(uint8_t *at, size_t length, size_t sum_at)
{
	uint8_t sum = 0;

	at[sum_at] = 0;
	for (size_t i = 0; i < length; i++)
		sum += at[i];
	at[sum_at] = (uint8_t)-sum;
}

static void put_bang(struct rom *rom, uint32_t address, uint16_t entry)
{
	uint8_t *at = rom->memory + address;

	memcpy(at, "!PXE", 4);
	at[4] = 0x58;
	put16(at + 0x10, entry);
	put16(at + 0x12, 0x9b00);
	put_sum(at, 0x58, 5);
}

static void put_pxenv(struct rom *rom, uint32_t address, uint16_t version, uint32_t bang)
{
	uint8_t *at = rom->memory + address;

	memcpy(at, "PXENV+", 6);
	put16(at + 6, version);
	at[8] = 0x2c;
	put16(at + 0x0a, 0x00ee);
	put16(at + 0x0c, 0x9c00);
	put16(at + 0x28, bang & 15);
	put16(at + 0x2a, (uint16_t)(bang >> 4));
	put_sum(at, 0x2c, 9);
}

static struct segoff at(uint32_t address)
{
	return (struct segoff){ .offset = address & 15, .segment = (uint16_t)(address >> 4) };
}

static int find(struct rom *rom)
{
	return pxe_find(rom->memory, sizeof(rom->memory), &rom->hints, &rom->api);
}

static void expect_bang(struct rom *rom, uint16_t entry)
{
	assert_int_equal(find(rom), 0);
	assert_false(rom->api.pxenv);
	assert_int_equal(rom->api.entry.offset, entry);
	assert_int_equal(rom->api.entry.segment, 0x9b00);
}

static void expect_pxenv(struct rom *rom)
{
	assert_int_equal(find(rom), 0);
	assert_true(rom->api.pxenv);
	assert_int_equal(rom->api.entry.offset, 0x00ee);
	assert_int_equal(rom->api.entry.segment, 0x9c00);
}

static void hints_are_tried_in_turn(void **state)
{
	struct rom *rom = rom_new();

	(void)state;
	put_bang(rom, 0x9a123, 1);
	put_bang(rom, 0x9b001, 2);
	put_pxenv(rom, 0x9b101, 0x0201, 0x9b001);
	put_bang(rom, 0x9c001, 3);
	put_pxenv(rom, 0x9c101, 0x0201, 0x9c001);
	put_bang(rom, 0x9d000, 4);
	rom->hints.stack = at(0x9a123);
	rom->hints.es_bx = at(0x9b101);
	int1a_says = at(0x9c101);

	expect_bang(rom, 1);
	rom->memory[0x9a123 + 5]++; /* the checksum */
	expect_bang(rom, 2);
	assert_int_equal(int1a_calls, 0);
	rom->hints.es_bx = (struct segoff){ 0 };
	expect_bang(rom, 3);
	assert_int_equal(int1a_calls, 1);
	int1a_says = (struct segoff){ 0 };
	expect_bang(rom, 4);
	free(rom);
}

static void old_roms_have_pxenv_only(void **state)
{
	struct rom *rom = rom_new();

	(void)state;
	put_pxenv(rom, 0x9e000, 0x0200, 0);
	expect_pxenv(rom);
	/* One that promises a !PXE, and has none, has still its own entry. */
	put_pxenv(rom, 0x9e000, 0x0201, 0x9e100);
	expect_pxenv(rom);
	put_bang(rom, 0x9e100, 7);
	expect_bang(rom, 7);
	free(rom);
}

static void nothing_damaged_is_taken(void **state)
{
	static const size_t spoilt[] = { 0, 3, 4, 5, 0x10, 0x57 };
	struct rom *rom = rom_new();

	(void)state;
	rom->hints.stack = at(0x9d000);
	for (size_t i = 0; i < COUNT(spoilt); i++) {
		put_bang(rom, 0x9d000, 4);
		rom->memory[0x9d000 + spoilt[i]] ^= 0x40;
		assert_int_equal(find(rom), ERR_NOT_FOUND);
	}
	put_bang(rom, 0x9d000, 4);
	put16(rom->memory + 0x9d012, 0); /* an entry point of 0:0 is none */
	put16(rom->memory + 0x9d010, 0);
	put_sum(rom->memory + 0x9d000, 0x58, 5);
	assert_int_equal(find(rom), ERR_NOT_FOUND);
	put_bang(rom, 0x9d000, 4);
	rom->memory[0x9d004] = 6; /* too short to hold the entry point */
	put_sum(rom->memory + 0x9d000, 6, 5);
	assert_int_equal(find(rom), ERR_NOT_FOUND);
	free(rom);
}

static void scans_stay_in_bounds(void **state)
{
	struct rom *rom = rom_new();

	(void)state;
	put_bang(rom, BASE_END - 16, 1); /* base memory that nobody has taken is no ROM's */
	put_bang(rom, END, 1);
	put_bang(rom, 0x9d008, 1);   /* not on a paragraph */
	assert_int_equal(find(rom), ERR_NOT_FOUND);
	put_bang(rom, MIB - 0x58, 1);
	rom->hints.stack = at(MIB - 0x58);
	expect_bang(rom, 1);
	rom->memory[MIB - 0x58 + 4] = 0x59; /* runs past what may be read */
	assert_int_equal(find(rom), ERR_NOT_FOUND);
	rom->hints.stack = (struct segoff){ 0xffff, 0xffff }; /* beyond it altogether */
	rom->hints.es_bx = (struct segoff){ 0xffff, 0xffff };
	assert_int_equal(find(rom), ERR_NOT_FOUND);
	rom->hints.scan_start = 0;         /* nonsense at 40:13 */
	put_bang(rom, 0x10, 9);
	expect_bang(rom, 9);
	free(rom);
}

static bool is_nested(struct rom *rom)
{
	return pxe_is_nested(rom->memory, MIB, &rom->hints, &rom->api);
}

static void a_rom_below_the_rom_is_seen(void **state)
{
	struct rom *rom = rom_new();

	(void)state;
	put_bang(rom, BASE_END + 0x40, 0x00aa);
	rom->hints.stack = at(BASE_END + 0x40);
	expect_bang(rom, 0x00aa);
	assert_false(is_nested(rom));
	put_bang(rom, BASE_END + 0x80, 0x00aa); /* a copy of its own */
	assert_false(is_nested(rom));
	put_bang(rom, BASE_END - 0x10, 0x00bb); /* it belongs to no ROM that is still there */
	assert_false(is_nested(rom));
	put_bang(rom, END - 0x60, 0x00bb);
	assert_true(is_nested(rom));
	rom->memory[END - 0x60 + 0x20] ^= 1; /* its checksum */
	assert_false(is_nested(rom));
	/* An old ROM's !PXE is its own. */
	rom->memory[END - 0x60 + 0x20] ^= 1;
	rom->api.pxenv = true;
	assert_false(is_nested(rom));
	free(rom);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(hints_are_tried_in_turn),
		cmocka_unit_test(old_roms_have_pxenv_only),
		cmocka_unit_test(nothing_damaged_is_taken),
		cmocka_unit_test(scans_stay_in_bounds),
		cmocka_unit_test(a_rom_below_the_rom_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
