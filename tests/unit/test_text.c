/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"

static const uint8_t mac[6] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0xab };
static const uint8_t uuid[16] = { 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0,
	                          0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef };

static void formats(void **state)
{
	static const uint8_t ip[4] = { 10, 0, 255, 1 };
	char unknown[] = "x%q%s", unknown_bytes[] = "y%pZ%s";
	char out[128];

	(void)state;
	text_format(out, sizeof(out), "[%5u] %s %d %x %04x %%", 42u, "abc", -7, 0xbeefu, 0x1fu);
	assert_string_equal(out, "[   42] abc -7 beef 001f %");
	text_format(out, sizeof(out), "%pI4 %pM %pU", ip, mac, uuid);
	assert_string_equal(out,
	                    "10.0.255.1 52:54:00:12:34:ab 12345678-9abc-def0-0123-456789abcdef");
	text_format(out, sizeof(out), "%" PRIu64 " %" PRIu64 " %" PRIu64, (uint64_t)0, UINT64_MAX,
	            (uint64_t)4294967296);
	assert_string_equal(out, "0 18446744073709551615 4294967296");
	text_format(out, sizeof(out), "%u %d", UINT32_MAX, INT32_MIN);
	assert_string_equal(out, "4294967295 -2147483648");
	/* Not literals, so that the compiler lets them pass. */
	text_format(out, sizeof(out), unknown, 1, "never read");
	assert_string_equal(out, "x");
	text_format(out, sizeof(out), unknown_bytes, ip, "never read");
	assert_string_equal(out, "y");
}

static void cuts_to_the_room_there_is(void **state)
{
	char out[8] = "#######";

	(void)state;
	assert_int_equal(text_format(out, 4, "%s", "abcdef"), 3);
	assert_string_equal(out, "abc");
	assert_int_equal(out[4], '#');
	assert_int_equal(text_format(out, 1, "abc"), 0);
	assert_string_equal(out, "");
	assert_int_equal(text_format(out, 0, "abc"), 0);
}

static void cleans_foreign_text(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
		const char *wanted;
	} cases[] = {
		{ "  QEMU  ", 8, "QEMU" },        { "a\tb\x80", 4, "a?b?" },
		{ "abc\0def", 7, "abc" },         { "   ", 3, "" },
		{ "", 0, "" },                    { "much too long for it", 20, "much too lo" },
		{ "\x1b[2Jx", 5, "?[2Jx" },
	};
	char out[12];

	(void)state;
	strcpy(out, "kept");
	text_clean(out, 0, "x", 1); /* no room, not even for a NUL */
	assert_string_equal(out, "kept");
	for (size_t i = 0; i < COUNT(cases); i++) {
		text_clean(out, sizeof(out), cases[i].bytes, cases[i].length);
		assert_string_equal(out, cases[i].wanted);
	}
}

static void reads_mac_addresses_in_any_usual_spelling(void **state)
{
	static const char *const good[] = { "52:54:00:12:34:ab", "52-54-00-12-34-AB",
		                            "5254.0012.34ab", "5254001234ab", "5254-0012-34AB",
		                            "52:54:0:12:34:ab", "0x5254001234ab", "0X5254001234ab",
		                            "52 54 00 12 34 ab" };
	static const char *const bad[] = { "", "52:54:00:12:34", "52:54:00:12:34:ag",
		                           "52:54-00:12:34:ab", "52:54:00:12:34:ab:",
		                           "525400.1234ab", "5254:0012:34ab", "52-54-0-12-34-ab",
		                           "52:54:000:12:34:ab", "52:54::12:34:ab", "52:54:0:12:34",
		                           "0x5254.0012.34ab", "0x5254001234a", "5254 0012 34ab",
		                           "52:54:0:12:34:ab:1", "x25254001234ab" };
	uint8_t out[6];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		memset(out, 0, sizeof(out));
		assert_int_equal(text_parse_mac(good[i], out), 0);
		assert_memory_equal(out, mac, sizeof(mac));
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(text_parse_mac(bad[i], out), ERR_MALFORMED);
	assert_memory_equal(out, mac, sizeof(mac)); /* unchanged */
}

static void reads_uuids_in_any_usual_spelling(void **state)
{
	static const char *const good[] = { "12345678-9abc-def0-0123-456789abcdef",
		                            "12345678-9ABC-DEF0-0123-456789ABCDEF",
		                            "{12345678-9abc-def0-0123-456789abcdef}",
		                            "urn:uuid:12345678-9abc-def0-0123-456789abcdef",
		                            "123456789abcdef00123456789abcdef" };
	static const char *const bad[] = { "", "{}", "urn:uuid:", "12345678",
		                           "12345678-9abc-def0-0123-456789abcde",
		                           "12345678-9abc-def0-0123-456789abcdefa",
		                           "123456789-abc-def0-0123-456789abcdef",
		                           "{12345678-9abc-def0-0123-456789abcdef",
		                           "12345678-9abc-def0-0123-456789abcdeg" };
	uint8_t out[16];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		memset(out, 0, sizeof(out));
		assert_int_equal(text_parse_uuid(good[i], out), 0);
		assert_memory_equal(out, uuid, sizeof(uuid));
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(text_parse_uuid(bad[i], out), ERR_MALFORMED);
}

static void reads_ipv4_addresses(void **state)
{
	static const char *const bad[] = { "", "1.2.3", "1.2.3.256", "1.2.3.4.5", "1.2.3.4 ",
		                           "1..3.4", "0001.2.3.4", "a.b.c.d", "1.2.3." };
	static const uint8_t wanted[4] = { 192, 0, 2, 10 };
	uint8_t out[4] = { 9, 9, 9, 9 };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(text_parse_ipv4(bad[i], out), ERR_MALFORMED);
	assert_int_equal(out[0], 9);
	assert_int_equal(text_parse_ipv4("192.0.2.10", out), 0);
	assert_memory_equal(out, wanted, sizeof(wanted));
}

static void reads_numbers(void **state)
{
	static const char *const bad[] = { "", "-1", "+1", " 1", "1 ", "1k", "0x1", "101",
		                           "18446744073709551616", "99999999999999999999" };
	uint64_t number = 9;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(text_parse_number(bad[i], 100, &number), ERR_MALFORMED);
	assert_int_equal(text_parse_number("18446744073709551616", UINT64_MAX, &number),
	                 ERR_MALFORMED);
	assert_int_equal(number, 9);
	assert_int_equal(text_parse_number("0100", 100, &number), 0);
	assert_int_equal(number, 100);
	assert_int_equal(text_parse_number("18446744073709551615", UINT64_MAX, &number), 0);
	assert_true(number == UINT64_MAX);
}

static void names_every_error(void **state)
{
	(void)state;
	for (int rc = ERR_REFUSED; rc <= 0; rc++)
		assert_string_not_equal(error_text(rc), error_text(1));
	assert_string_equal(error_text(1), "unknown error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats),
		cmocka_unit_test(cuts_to_the_room_there_is),
		cmocka_unit_test(cleans_foreign_text),
		cmocka_unit_test(reads_mac_addresses_in_any_usual_spelling),
		cmocka_unit_test(reads_uuids_in_any_usual_spelling),
		cmocka_unit_test(reads_ipv4_addresses),
		cmocka_unit_test(reads_numbers),
		cmocka_unit_test(names_every_error),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
