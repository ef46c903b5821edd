/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "server/model/loader.h"

static void finds_the_machines_kind(void **state)
{
	static const struct {
		uint8_t firmware;
		uint16_t architecture;
		enum loader_kind kind;
	} cases[] = {
		{ FIRMWARE_BIOS, 0, LOADER_BIOS }, { FIRMWARE_BIOS, 11, LOADER_BIOS },
		{ FIRMWARE_UEFI, 0, LOADER_UEFI }, { FIRMWARE_UEFI, 7, LOADER_UEFI },
		{ FIRMWARE_UEFI, 9, LOADER_UEFI }, { FIRMWARE_UEFI, 6, LOADER_UEFI_IA32 },
		{ FIRMWARE_UEFI, 11, LOADER_UEFI_ARM64 }, { FIRMWARE_UEFI, 0xffff, LOADER_UEFI },
		{ 0, 11, LOADERS }, { 9, 7, LOADERS },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct request request = { .firmware = cases[i].firmware,
		                           .architecture = cases[i].architecture };

		assert_int_equal(loader_kind_of(&request), cases[i].kind);
	}
	assert_int_equal(loader_firmware(LOADER_BIOS), FIRMWARE_BIOS);
	assert_int_equal(loader_firmware(LOADER_UEFI_ARM64), FIRMWARE_UEFI);
}

static void finds_the_first(void **state)
{
	struct loaders loaders = { .of = { "" } };

	(void)state;
	assert_int_equal(loader_first(&loaders), LOADERS);
	strcpy(loaders.of[LOADER_UEFI_ARM64], "a.efi");
	assert_int_equal(loader_first(&loaders), LOADER_UEFI_ARM64);
	strcpy(loaders.of[LOADER_UEFI], "b.efi");
	assert_int_equal(loader_first(&loaders), LOADER_UEFI);
	loader_leave_to_settings(&loaders);
	for (enum loader_kind kind = 0; kind < LOADERS; kind++) {
		assert_string_equal(loaders.of[kind], LOADER_OF_SETTINGS);
		assert_true(loader_name(kind)[0] && loader_machines(kind)[0]);
	}
	assert_string_equal(loader_machines(LOADERS), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_machines_kind),
		cmocka_unit_test(finds_the_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
