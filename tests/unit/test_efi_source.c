/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "efi/device_path.h"

#define ROOT "\2\1\14\0\320\101\3\12\0\0\0\0"
#define PCI "\1\1\6\0\0\5"
#define ZEROS13 "\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define MAC "\3\13\45\0\122\124\0\22\64\126" ZEROS13 ZEROS13 "\1"
#define IPV4 "\3\14\33\0" ZEROS13 "\0\0\0\0\0\0\0\0\0\0"
#define IPV6 "\3\15\74\0" ZEROS13 ZEROS13 ZEROS13 ZEROS13 "\0\0\0\0"
#define END "\177\377\4"

/* Joins @before, a URI node and an end; returns its size. */
static size_t with_uri(uint8_t *out, const char *before, size_t size, const char *uri)
{
	size_t length = strlen(uri);

	memcpy(out, before, size);
	out[size] = 3;
	out[size + 1] = 24;
	out[size + 2] = (uint8_t)(4 + length);
	out[size + 3] = (uint8_t)((4 + length) >> 8);
	memcpy(out + size + 4, uri, length);
	memcpy(out + size + 4 + length, END, sizeof(END));
	return size + 4 + length + sizeof(END);
}

static void reads_how_we_were_loaded(void **state)
{
	static const uint8_t mac[6] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };
	static const char ipv4[] = ROOT PCI MAC IPV4 END, ipv6[] = ROOT PCI MAC IPV6 END,
			  disk[] = ROOT PCI END;
	struct source source;

	(void)state;
	device_path_read_source(ipv4, sizeof(ipv4), &source);
	assert_true(source.network && !source.ipv6 && !source.http);
	assert_memory_equal(source.mac, mac, 6);
	assert_string_equal(source.file, "");
	device_path_read_source(ipv6, sizeof(ipv6), &source);
	assert_true(source.network && source.ipv6 && !source.http);
	assert_memory_equal(source.mac, mac, 6);
	device_path_read_source(disk, sizeof(disk), &source);
	assert_false(source.network || source.ipv6 || source.http);
}

static void reads_our_name_at_the_server(void **state)
{
	static const char nic[] = ROOT PCI MAC;
	char longest[200] = "tftp://h/", longer[200];
	const struct {
		const char *uri, *file;
		bool http;
	} cases[] = {
		{ "tftp://10.77.0.1/site/nvlnbpx64.efi", "/site/nvlnbpx64.efi", false },
		{ "TFTP://10.77.0.1/x", "/x", false },
		{ "tftp://10.77.0.1//srv/x", "//srv/x", false },
		{ "tftp://h/a\\b", "/a\\b", false },
		{ "tftp://h/a%2fb", "", false },
		{ "tftp://h", "", false },
		{ "tftp:", "", false },
		{ "", "", false },
		{ "ftp://h/x", "", false },
		{ "tftp://h/a%", "", false },
		{ "tftp://h/a b", "", false },
		{ "tftp://h/a\xc3\xa4", "", false },
		{ "http://h/site/nvlnbpx64.efi", "", true },
		{ "https://h/x", "", true },
		{ longest, longest + 8, false },
		{ longer, "", false },
	};
	uint8_t path[512];
	struct source source;

	(void)state;
	memset(longest + 9, 'x', 126); /* with the slash, 127 */
	strcpy(longer, longest);
	strcat(longer, "x");
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t size = with_uri(path, nic, sizeof(nic) - 1, cases[i].uri);

		device_path_read_source(path, size, &source);
		assert_string_equal(source.file, cases[i].file);
		assert_int_equal(source.http, cases[i].http);
		assert_true(source.network);
	}
}

/* Cut at each place, in memory of just that size. */
static void reads_no_further_than_the_path(void **state)
{
	static const char nic[] = ROOT PCI MAC;
	uint8_t path[512];
	size_t size = with_uri(path, nic, sizeof(nic) - 1, "tftp://10.77.0.1/site/a");

	(void)state;
	for (size_t length = 0; length < size - sizeof(END); length++) {
		uint8_t *cut = malloc(length + 1);
		struct source source;

		memcpy(cut, path, length);
		device_path_read_source(cut, length, &source);
		assert_string_equal(source.file, "");
		free(cut);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_how_we_were_loaded),
		cmocka_unit_test(reads_our_name_at_the_server),
		cmocka_unit_test(reads_no_further_than_the_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
