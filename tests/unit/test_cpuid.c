/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "nbp/cpuid.h"

/* The values of CPUID; a leaf above the largest fails the test. */
static struct {
	uint32_t last, last_extended; /* the largest of each kind */
	uint32_t signature, features;
	const char *vendor, *brand;
} processor;

static void cpuid(uint32_t leaf, uint32_t regs[4])
{
	memset(regs, 0, 16);
	if (leaf == 0) {
		regs[0] = processor.last;
		memcpy(&regs[1], processor.vendor, 4);
		memcpy(&regs[3], processor.vendor + 4, 4);
		memcpy(&regs[2], processor.vendor + 8, 4);
		return;
	}
	if (leaf == 0x80000000) {
		regs[0] = processor.last_extended;
		return;
	}
	assert_true(leaf <= (leaf < 0x80000000 ? processor.last : processor.last_extended));
	if (leaf == 1)
		regs[0] = processor.signature;
	else if (leaf == 0x80000001)
		regs[3] = processor.features;
	else
		memcpy(regs, processor.brand + 16 * (leaf - 0x80000002), 16);
}

static struct request describe(void)
{
	struct request request;

	memset(&request, 0, sizeof(request));
	cpuid_describe(cpuid, &request);
	return request;
}

static void a_processor_of_today(void **state)
{
	struct request request;

	(void)state;
	processor.last = 0xd;
	processor.last_extended = 0x80000008;
	processor.vendor = "GenuineIntel";
	processor.brand =
		"  Some CPU @ 2.00GHz\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
	processor.signature = 0x000306a9;
	processor.features = 1u << 29;
	request = describe();
	assert_string_equal(request.cpu_vendor, "GenuineIntel");
	assert_string_equal(request.cpu, "Some CPU @ 2.00GHz");
	assert_int_equal(request.cpu_family, 6);
	assert_int_equal(request.cpu_64bit, 1);
	processor.signature = 0x00a20f10; /* the extended family is added to 15 */
	processor.features = ~(1u << 29);
	request = describe();
	assert_int_equal(request.cpu_family, 25);
	assert_int_equal(request.cpu_64bit, 0);
}

static void older_ones_have_fewer_leaves(void **state)
{
	static const uint32_t extended[] = { 0, 0x80000000, 0x756e6547, 0xffffffff };
	struct request request;

	(void)state;
	processor.vendor = "AuthenticAMD";
	processor.last = 0;
	processor.last_extended = 0x80000003; /* only a part of the brand string */
	processor.features = 1u << 29;
	request = describe();
	assert_string_equal(request.cpu_vendor, "AuthenticAMD");
	assert_string_equal(request.cpu, "");
	assert_int_equal(request.cpu_family, 0);
	assert_int_equal(request.cpu_64bit, 1);
	for (size_t i = 0; i < COUNT(extended); i++) {
		processor.last_extended = extended[i];
		request = describe();
		assert_string_equal(request.cpu, "");
		assert_int_equal(request.cpu_64bit, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_processor_of_today),
		cmocka_unit_test(older_ones_have_fewer_leaves),
	};

	return cmocka_run_group_tests_name("cpu", tests, NULL, NULL);
}
