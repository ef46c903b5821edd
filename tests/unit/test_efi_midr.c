/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "efi/aa64/midr.h"

static void names_processors(void **state)
{
	static const struct {
		uint32_t midr;
		const char *vendor, *name;
		uint16_t family;
	} cases[] = {
		{ 0x411fd070, "ARM", "Cortex-A57 r1p0", 0xd07 },
		{ 0x413fd0c1, "ARM", "Neoverse-N1 r3p1", 0xd0c },
		{ 0x411fd4ff, "ARM", "Neoverse-V2 r1p15", 0xd4f },
		/* A part of ARM's and a vendor that we do not know. */
		{ 0x410ffff0, "ARM", "part 0xfff r0p0", 0xfff },
		{ 0x000f0510, "", "part 0x051 r0p0", 0x051 },
		/* Another vendor's part with a number of ARM's. */
		{ 0x511fd070, "Qualcomm", "part 0xd07 r1p0", 0xd07 },
		{ 0xc00fac30, "Ampere", "part 0xac3 r0p0", 0xac3 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct request request;

		memset(&request, 0xff, sizeof(request));
		midr_describe(cases[i].midr, &request);
		assert_string_equal(request.cpu_vendor, cases[i].vendor);
		assert_string_equal(request.cpu, cases[i].name);
		assert_int_equal(request.cpu_family, cases[i].family);
		assert_int_equal(request.cpu_64bit, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_processors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
