/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "nbp/platform.h"
#include "server/filter/filter.h"

/* Filters: which machines they match, what they say of it, and of their errors. */

static const struct request desk = {
	.identity = { .mac = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 },
	              .uuid = { 0x6f, 0x1e, 0x2d, 0x3c, 0x4b, 0x5a, 0x69, 0x78, 0x87, 0x96, 0xa5,
	                        0xb4, 0xc3, 0xd2, 0xe1, 0xf0 } },
	.firmware = FIRMWARE_BIOS, .isd_state = ISD_VALID, .isd_device = { 0xab },
	.isd_just_imaged = 1, .isd_image = "win11", .isd_image_size = 3ull << 30,
	.manufacturer = "Dell Inc.", .product = "OptiPlex 7010", .serial = "ABC123",
	.bios_vendor = "Dell Inc.", .bios_version = "A29", .secure_boot = STATE_NO,
	.cpu = "Intel(R) Core(TM) i5-3470", .cpu_vendor = "GenuineIntel", .cpu_cores = 4,
	.cpu_64bit = 1, .memory_mib = 8050, .installed_mib = 8192, .nic_vendor = 0x8086,
	.nic_device = 0x0e, .disk_count = 2,
	.disks = { { 976773168, 512, DISK_ATA }, { 1ull << 28, 4096, DISK_NVME } },
};
static const struct request bare; /* reports nothing */

static bool matches(const char *text, const struct subject *subject, char *because)
{
	struct filter_error error;
	struct filter *filter = filter_parse(text, &error);
	bool yes;

	print_message("           %s\n", text);
	if (!filter)
		print_message("           column %zu: %s\n", error.column, error.message);
	assert_non_null(filter);
	yes = filter_match(filter, subject, because);
	assert_int_equal(filter_match(filter, subject, NULL), yes);
	filter_free(filter);
	return yes;
}

static const struct {
	const char *text;
	bool yes;
} match_cases[] = {
	/* texts */
	{ "", true }, { "  ", true }, { "manufacturer = \"Dell Inc.\"", true },
	{ "maker = 'dell inc.'", true }, { "MAKER Equals 'DELL INC.'", true },
	{ "maker = Dell", false }, { "maker <> Dell", true }, { "maker != Dell", true },
	{ "product contains plex", true }, { "product contains 'x 70'", true },
	{ "product contains latitude", false }, { "product starts-with opti", true },
	{ "product starts-with plex", false }, { "serial = ABC123", true },
	{ "serial starts-with ABC1234", false }, { "cpu contains '(TM) i5'", true },
	{ "bios-version = a29", true }, { "bios-vendor starts-with Dell", true },
	{ "name = web01", true }, { "name starts-with db", false },
	/* numbers */
	{ "cores=4", true }, { "cores<>4", false }, { "cores<4", false }, { "cores<=4", true },
	{ "cores>=4", true }, { "cores>4", false }, { "cores > 3", true }, { "disks = 2", true },
	{ "memory >= 8G", true }, { "memory > 8G", false }, { "memory = 8192", true },
	{ "memory = 8GB", true }, { "memory = 8GiB", true }, { "memory = 8192m", true },
	{ "memory = 8 GB", true }, { "memory = 8 gib and cores = 4", true },
	{ "(memory = 8  G)", true }, { "memory > 8 GB", false }, { "not (memory<8 GB)", true },
	{ "memory < 0.01T", true }, { "memory = 8388608K", true },
	{ "memory = 8589934592b", true }, { "usable-memory < 8G", true },
	{ "disk-size >= 500GB", true }, { "disk-size < 501GB", true },
	{ "disk-size >= 500G", false }, { "disk-size > 465G", true },
	{ "largest-disk = 1T", true }, { "sectors = 976773168", true },
	{ "isd-image-size = 3G", true },
	/* choices */
	{ "firmware = BIOS", true }, { "firmware = uefi", false }, { "firmware <> uefi", true },
	{ "architecture = x86-bios", true }, { "architecture = 0", true },
	{ "architecture <> 7", true }, { "secure-boot = no", true },
	{ "secure-boot = yes", false }, { "cpu-64bit = yes", true }, { "disk-kind = ata", true },
	/* digits */
	{ "nic = 8086:000e", true }, { "nic = 0x8086000e", true }, { "nic-vendor = 8086", true },
	{ "nic-device = 000E", true }, { "nic starts-with 8086", true },
	{ "nic-vendor <> 10ec", true }, { "mac = 52-54-00-12-34-56", true },
	{ "mac = 525400123456", true }, { "mac starts-with 52:54:0", true },
	{ "mac contains 3456", true }, { "mac = 52:54:00:12:34:57", false },
	{ "uuid = 6f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0", true },
	{ "uuid = {6F1E2D3C-4B5A-6978-8796-A5B4C3D2E1F0}", true },
	/* addresses */
	{ "address = 10.0.2.15", true }, { "address in 10.0.0.0/8", true },
	{ "address in 10.0.2.0/28", true }, { "address in 10.0.2.0/29", false },
	{ "address in 10.0.2.15", true }, { "address in 0.0.0.0/0", true },
	{ "address in ::/0", true }, { "address in fd00::/8", false },
	{ "address >= 10.0.2.9 and address <= 10.0.2.15", true },
	{ "address > 9.255.255.255", true }, { "address > fd00::1", false },
	{ "address < fd00::1", false }, { "address starts-with 10.0.", true },
	{ "address = ::ffff:10.0.2.15", true },
	/* image-safe data */
	{ "isd-state = valid", true }, { "isd-image = Win11", true },
	{ "isd-device starts-with AB", true }, { "just-imaged = yes", true },
	/* and, or, not */
	{ "cores = 4 and memory >= 8G", true }, { "cores = 4 and memory > 8G", false },
	{ "cores = 1 or memory >= 8G", true }, { "cores = 1 or memory > 8G", false },
	{ "cores = 4 or cores = 1 and cores = 2", true },
	{ "(cores = 4 or cores = 1) and cores = 2", false },
	{ "(maker contains dell and cores = 1) or (maker contains hp or disks > 1)", true },
	{ "(maker contains hp or maker contains dell) and (cores = 4 or disks = 9)", true },
	{ "not cores = 1", true }, { "not cores = 4", false }, { "not not cores = 4", true },
	{ "NOT (cores = 4 AND disks = 2)", false }, { "not cores = 4 or disks = 2", true },
	{ "not(cores=1)and(disks=2)", true }, { "name = 'and' or name = \"web01\"", true },
	{ "name <> and and name <> or", true },
	/* what it does not report is neither so nor not so */
	{ "tpm = yes", false }, { "not tpm = yes", false }, { "tpm <> yes", false },
	{ "asset-tag = x", false }, { "asset-tag <> x", false },
	{ "not asset-tag contains x", false }, { "asset-tag = ''", true },
	{ "asset-tag <> \"\"", false }, { "serial <> ''", true }, { "serial = ''", false },
	{ "tpm = yes or cores = 4", true }, { "tpm = yes and cores = 4", false },
	{ "not (tpm = yes and cores = 1)", true }, { "not (tpm = yes or cores = 1)", false },
};

static void test_match(void **state)
{
	const struct subject subject = { &desk, "10.0.2.15", "web01" };

	(void)state;
	for (size_t i = 0; i < COUNT(match_cases); i++)
		assert_int_equal(matches(match_cases[i].text, &subject, NULL), match_cases[i].yes);
}

static void test_match_bare(void **state)
{
	/* Facts that are known of a machine that reports nothing. */
	static const char *const yes[] = {
		"", "name = ''", "not name = web01", "architecture = x86-bios", "disks = 0",
		"isd-state = not-read", "cpu-64bit = no", "asset-tag = ''",
	};
	static const char *const no[] = {
		"memory < 4G", "not memory < 4G", "cores < 2", "disk-size < 1T", "mac contains 0",
		"uuid contains 0", "nic-vendor = 0000", "address in 0.0.0.0/0", "firmware = bios",
		"just-imaged = no", "isd-image <> win11", "isd-image = win11", "not maker = hp",
	};
	const struct subject subject = { &bare, "", "" }, nothing = { NULL, NULL, NULL };

	(void)state;
	for (size_t i = 0; i < COUNT(yes); i++)
		assert_true(matches(yes[i], &subject, NULL));
	for (size_t i = 0; i < COUNT(no); i++) {
		assert_false(matches(no[i], &subject, NULL));
		assert_false(matches(no[i], &nothing, NULL));
	}
}

static void test_because(void **state)
{
	static const struct {
		const char *text, *because;
	} cases[] = {
		{ "", "it is for every machine" },
		{ "memory >= 8G", "memory >= 8G (it is 8192 MiB)" },
		{ "memory >= 8 GB", "memory >= 8 GB (it is 8192 MiB)" },
		{ "cores=1", "cores=1 (it is 4)" },
		{ "cores\n=\t1", "cores = 1 (it is 4)" },
		{ "product starts-with Opti",
		  "product starts-with Opti (it is \"OptiPlex 7010\")" },
		{ "tpm = yes", "tpm = yes (unknown)" },
		{ "asset-tag = ''", "asset-tag = '' (unknown)" },
		{ "firmware = uefi", "firmware = uefi (it is bios)" },
		{ "mac starts-with 5254", "mac starts-with 5254 (it is 52:54:00:12:34:56)" },
		{ "nic = 8086:100e", "nic = 8086:100e (it is 8086:000e)" },
		{ "uuid contains ff",
		  "uuid contains ff (it is 6f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0)" },
		{ "address in 10.0.0.0/8", "address in 10.0.0.0/8 (it is 10.0.2.15)" },
		/* one that sufficed, or all that were needed */
		{ "cores = 4 and disks = 1 and disks = 3", "disks = 1 (it is 2)" },
		{ "cores = 4 and disks = 2", "cores = 4 (it is 4); disks = 2 (it is 2)" },
		{ "cores = 1 or disks = 2", "disks = 2 (it is 2)" },
		{ "cores = 1 or disks = 1", "cores = 1 (it is 4); disks = 1 (it is 2)" },
		{ "not (cores = 4 or disks = 1)", "not cores = 4 (it is 4)" },
		/* what holds only negated says so, and is cut no later than the rest */
		{ "not cores = 1", "not cores = 1 (it is 4)" },
		{ "not not cores = 4", "cores = 4 (it is 4)" },
		{ "not (cores = 1 or not disks = 2)",
		  "not cores = 1 (it is 4); disks = 2 (it is 2)" },
		{ "cores = 4 and not (disks = 1 and cores = 4)",
		  "cores = 4 (it is 4); not disks = 1 (it is 2)" },
		{ "not tpm = yes", "not tpm = yes (unknown)" },
		{ "not serial = 0123456789012345678901234567890123456789012345678901234567890",
		  "not serial = 0123456789012345678901234567890123456789012 (it is \"ABC123\")" },
		{ "tpm = yes and cores = 1", "cores = 1 (it is 4)" },
		/* as far as there is room */
		{ "cpu contains 'Core' and product contains 'Opti' and maker contains 'Dell'",
		  "cpu contains 'Core' (it is \"Intel(R) Core(TM) i5-3470\"); product contains "
		  "'Opti' (it is \"OptiPlex 7010\"); ..." },
	};
	const struct subject subject = { &desk, "10.0.2.15", "web01" };
	char because[REASON_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		matches(cases[i].text, &subject, because);
		assert_string_equal(because, cases[i].because);
	}
}

static const struct {
	const char *text;
	size_t column;
	const char *message;
} error_cases[] = {
	{ "memry > 1", 1, "expected a fact, such as memory or product (did you mean memory?), "
	  "not memry" },
	{ "vendor = Dell", 1, "expected a fact, such as memory or product (did you mean "
	  "manufacturer?), not vendor" },
	{ "colour = red", 1, "expected a fact, such as memory or product, not colour" },
	{ "memory > 8 XB", 12, "expected \"and\", \"or\" or the end (quote values that hold "
	  "blanks or parentheses), not XB" },
	{ "cores > 8 GB", 11, "expected \"and\", \"or\" or the end (quote values that hold "
	  "blanks or parentheses), not GB" },
	{ "(", 2, "expected a fact, \"not\" or \"(\", not the end" },
	{ ")", 1, "expected a fact, \"not\" or \"(\", not )" },
	{ "'a' = b", 1, "expected a fact, \"not\" or \"(\", not the text a" },
	{ "not", 4, "expected a fact, \"not\" or \"(\", not the end" },
	{ "cores = 4 or", 13, "expected a fact, \"not\" or \"(\", not the end" },
	{ "cores = 4 disks", 11, "expected \"and\", \"or\" or the end (quote values that "
	  "hold blanks or parentheses), not disks" },
	{ "cpu contains Intel(R)", 19, "expected \"and\", \"or\" or the end (quote values "
	  "that hold blanks or parentheses), not (" },
	{ "cores = 4)", 10, "expected \"and\", \"or\" or the end (quote values that hold "
	  "blanks or parentheses), not )" },
	{ "(cores = 4", 11, "expected \"and\", \"or\" or \")\", not the end" },
	{ "cores", 6, "expected one of = <> < > <= >= after cores, not the end" },
	{ "cores contains 4", 7, "expected one of = <> < > <= >= after cores, not contains" },
	{ "product > A", 9, "expected one of = <> contains starts-with after product, not >" },
	{ "tpm > yes", 5, "expected one of = <> after tpm, not >" },
	{ "cores =< 4", 7, "expected one of = <> < > <= >= after cores, not =<" },
	{ "cores =", 8, "expected a value for cores, not the end" },
	{ "cores = (4)", 9, "expected a value for cores, not (" },
	{ "cores = many", 9, "expected a number, not many" },
	{ "cores = 4.5", 9, "expected a number, not 4.5" },
	{ "cores = 4k", 9, "expected a number, not 4k" },
	{ "cores = -4", 9, "expected a number, not -4" },
	{ "memory > 8X", 10, "expected a size, as in 512M, 8 GB or 1.5T, not 8X" },
	{ "memory > 8.G", 10, "expected a size, as in 512M, 8 GB or 1.5T, not 8.G" },
	{ "memory > 17179869184G", 10,
	  "expected a size, as in 512M, 8 GB or 1.5T, not 17179869184G" },
	{ "firmware = pcbios", 12, "expected one of bios uefi, not pcbios" },
	{ "secure-boot = maybe", 15, "expected one of yes no, not maybe" },
	{ "mac = 52:54:00", 7, "expected 12 hexadecimal digits, not 52:54:00" },
	{ "mac contains xy", 14, "expected at most 12 hexadecimal digits, not xy" },
	{ "mac contains ''", 14, "expected at most 12 hexadecimal digits, not an empty text" },
	{ "nic-vendor = 8086:100e", 14, "expected 4 hexadecimal digits, not 8086:100e" },
	{ "address = 10.0.0.0/8", 11,
	  "expected an IP address, as in 10.0.2.15, not 10.0.0.0/8" },
	{ "address in 10.0.0.0/33", 12,
	  "expected an IP network, as in 10.0.0.0/8, not 10.0.0.0/33" },
	{ "address in 10.0.0/8", 12,
	  "expected an IP network, as in 10.0.0.0/8, not 10.0.0/8" },
	{ "product contains ''", 18, "expected some text, not an empty text" },
	{ "uuid = 'a\nb\tc'", 8, "expected 32 hexadecimal digits, not the text a b c" },
	{ "maker = 'Dell", 9, "expected ' at the end of this text" },
	{ "maker = D\xc3\xa9ll", 10, "expected printable ASCII, not the byte 0xc3" },
};

static void test_errors(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(error_cases); i++) {
		struct filter_error error;

		print_message("           %s\n", error_cases[i].text);
		assert_null(filter_parse(error_cases[i].text, &error));
		assert_string_equal(error.message, error_cases[i].message);
		assert_int_equal(error.column, error_cases[i].column);
	}
}

/* Writes @text @count times. */
static size_t repeat(char *out, const char *text, size_t count)
{
	out[0] = '\0';
	for (size_t i = 0; i < count; i++)
		strcpy(out + i * strlen(text), text);
	return count * strlen(text);
}

static void test_limits(void **state)
{
	static const struct {
		const char *before, *middle, *after;
		size_t count;
		const char *error; /* NULL: it is well */
	} cases[] = {
		{ "(", "cores=4", ")", 32, NULL },
		{ "(", "cores=4", ")", 33, "too deep" },
		{ "not ", "cores=4", "", 32, NULL },
		{ "not ", "cores=4", "", 250, "too deep" },
		{ "", "cores=4", " or cores=1", 90, NULL },
		{ "tpm=no\t or ", "disks=2", "", 63, NULL },
		{ "tpm=no or ", "disks=2", "", 101, NULL },
		{ "tpm=no or ", "disks=2", "", 102, "too long" },
		{ "(((", "cores=4", ") and disks=2))", 10, NULL },
		{ "not tpm=no or ", "disks=2", "", 64, "too long" },
	};
	char text[2 * FILTER_TEXT];
	const struct subject subject = { &desk, "10.0.2.15", "web01" };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct filter_error error;
		struct filter *filter;
		size_t length = repeat(text, cases[i].before, cases[i].count);

		length += repeat(text + length, cases[i].middle, 1);
		repeat(text + length, cases[i].after, cases[i].count);
		filter = filter_parse(text, &error);
		print_message("           %s, %zu times: %s\n", cases[i].before, cases[i].count,
		              error.message);
		if (cases[i].error) {
			assert_null(filter);
			assert_memory_equal(error.message, cases[i].error, strlen(cases[i].error));
			continue;
		}
		assert_non_null(filter);
		assert_true(filter_match(filter, &subject, NULL));
		filter_free(filter);
	}
}

static void test_facts(void **state)
{
	size_t count = 0;

	(void)state;
	for (; filter_fact(count); count++) {
		assert_non_null(filter_fact_help(count));
		assert_non_null(strchr(filter_fact(count), '\0'));
		for (size_t i = 0; i < count; i++)
			assert_string_not_equal(filter_fact(i), filter_fact(count));
	}
	assert_true(count > 40 && count < 256);
	assert_null(filter_fact_help(count));
	assert_null(filter_fact(count + 1));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_match), cmocka_unit_test(test_match_bare),
		cmocka_unit_test(test_because), cmocka_unit_test(test_errors),
		cmocka_unit_test(test_limits), cmocka_unit_test(test_facts),
	};

	return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
