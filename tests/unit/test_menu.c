/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "nbp/menu.h"
#include "tests/unit/menu_sample.h"

static const char sample[] =
	"# what a machine shows\r\n"
	"; another comment \xc3\xa4\n"
	"\n"
	"[Main]\n"
	"title = Preboot menu\n"
	"Timeout=10\n"
	"default = \tBoot the disk \n"
	"colour = title ; bright white ; red\n"
	"COLOR = Chosen;Bright  Brown;black\n"
	"option = auto ; Go on\n"
	"option = execute ; Maintenance ; A shell. ; ; z_maint.cfg ; boot/ ; password " HASH "\n"
	"option = EXECUTE ; Two ; \"For both; really\" ; lpxe.0 | grub.efi ; both.cfg\n"
	"option = submenu ; \"More; tools\" ; ; tools ; Password\t" HASH " \n"
	"option = exit ; Boot the disk\n"
	"  [ Tools ]  \n"
	"password = " HASH "\n"
	"option = reboot ; Reset ; By the firmware.\n"
	"option = poweroff ; Off\n"
	"option = return ; Back ; ; password " HASH "\n"
	"option = execute ; Memory test ; ; memtest.bin";

static struct menu menu;

static void assert_span(struct span span, const char *wanted)
{
	if (span.length != strlen(wanted) ||
	    (span.length && memcmp(span.data, wanted, span.length) != 0))
		fail_msg("\"%.*s\", not \"%s\"", (int)span.length, (const char *)span.data, wanted);
}

static void reads_a_menu(void **state)
{
	const struct menu_section *s = menu.sections;
	const struct menu_entry *e = menu.entries;
	struct menu_error error;

	(void)state;
	assert_int_equal(menu_parse(sample, strlen(sample), &menu, &error), 0);
	assert_int_equal(menu.section_count, 2);
	assert_int_equal(menu.main, 0);
	assert_int_equal(menu.colours[MENU_PART_TITLE],
	                 COLOUR_RED << 4 | COLOUR_WHITE | COLOUR_BRIGHT);
	assert_int_equal(menu.colours[MENU_PART_CHOSEN], COLOUR_BROWN | COLOUR_BRIGHT);
	assert_span(menu_title(&menu, &s[0]), "Preboot menu");
	assert_span(menu_title(&menu, &s[1]), "Tools");
	assert_span(menu_section_password(&menu, &s[0]), "");
	assert_span(menu_section_password(&menu, &s[1]), HASH);
	assert_int_equal(s[0].timeout, 10);
	assert_int_equal(s[0].count, 5);
	assert_int_equal(s[0].chosen, 4);
	assert_int_equal(s[1].timeout, 0);
	assert_int_equal(s[1].first, 5);
	assert_int_equal(s[1].count, 4);
	assert_int_equal(s[1].chosen, 0);

	assert_int_equal(e[0].kind, MENU_KIND_AUTO);
	assert_span(menu_field(&menu, &e[0], MENU_FIELD_NAME), "Go on");
	assert_span(menu_field(&menu, &e[0], MENU_FIELD_DESCRIPTION), "");
	assert_int_equal(e[1].kind, MENU_KIND_EXECUTE);
	assert_span(menu_field(&menu, &e[1], MENU_FIELD_CONFIG), "z_maint.cfg");
	assert_span(menu_field(&menu, &e[1], MENU_FIELD_PREFIX), "boot/");
	assert_span(menu_entry_password(&menu, &e[1]), HASH);
	assert_span(menu_field(&menu, &e[2], MENU_FIELD_DESCRIPTION), "For both; really");
	assert_span(menu_field(&menu, &e[2], MENU_FIELD_PREFIX), "");
	assert_span(menu_entry_password(&menu, &e[2]), "");
	assert_int_equal(e[3].kind, MENU_KIND_SUBMENU);
	assert_int_equal(e[3].submenu, 1);
	assert_span(menu_field(&menu, &e[3], MENU_FIELD_NAME), "More; tools");
	assert_span(menu_entry_password(&menu, &e[3]), HASH);
	assert_int_equal(e[4].kind, MENU_KIND_EXIT);
	assert_int_equal(e[5].kind, MENU_KIND_REBOOT);
	assert_int_equal(e[6].kind, MENU_KIND_POWEROFF);
	assert_int_equal(e[7].kind, MENU_KIND_RETURN);
	assert_span(menu_field(&menu, &e[7], MENU_FIELD_DESCRIPTION), "");
	assert_span(menu_entry_password(&menu, &e[7]), HASH);
}

static void picks_the_firmwares_loader(void **state)
{
	static const struct {
		const char *field, *loaders[LOADERS];
	} cases[] = {
		{ "", { "pxelinux.0", "syslinux.efi", "syslinux32.efi", "grubnetaa64.efi" } },
		{ "pxelinux.0",
		  { "pxelinux.0", "syslinux.efi", "syslinux32.efi", "grubnetaa64.efi" } },
		{ "SYSLINUX.EFI",
		  { "pxelinux.0", "syslinux.efi", "syslinux32.efi", "grubnetaa64.efi" } },
		{ "a.0 | b.efi", { "a.0", "b.efi", "", "" } },
		{ "a.0|b", { "a.0", "b", "", "" } },
		{ "| b.efi", { "", "b.efi", "", "" } },
		{ "a.0 |", { "a.0", "", "", "" } },
		{ "a.0|b.efi|c.efi", { "a.0", "b.efi", "c.efi", "" } },
		{ "a.0 | b.efi | c.efi | d.efi", { "a.0", "b.efi", "c.efi", "d.efi" } },
		{ "|||d", { "", "", "", "d" } },
		{ "a.0||c|", { "a.0", "", "c", "" } },
		{ "boot/pxelinux.0", { "boot/pxelinux.0", "", "", "" } },
		{ "a/grub.EFI", { "", "a/grub.EFI", "a/grub.EFI", "a/grub.EFI" } },
		{ "efi", { "efi", "", "", "" } },
		{ ".efi", { "", ".efi", ".efi", ".efi" } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct menu_error error;
		char text[128];

		snprintf(text, sizeof(text), "[main]\noption=execute;x;;%s;c", cases[i].field);
		assert_int_equal(menu_parse(text, strlen(text), &menu, &error), 0);
		for (enum loader_kind kind = 0; kind < LOADERS; kind++)
			assert_span(menu_loader(&menu, menu.entries, kind), cases[i].loaders[kind]);
	}
}

/* --- limits ---------------------------------------------------------------- */

static char big[MENU_TEXT_MAX + 8];

static void add(const char *format, int number)
{
	size_t used = strlen(big);

	snprintf(big + used, sizeof(big) - used, format, number, number + 1);
}

static void assert_limit(unsigned int line, const char *message)
{
	struct menu_error error = { 0, 0, "" };

	menu_parse(big, strlen(big), &menu, &error);
	assert_int_equal(error.line, line);
	assert_string_equal(error.message, message);
}

static void holds_its_limits(void **state)
{
	(void)state;
	assert_true(sizeof(struct menu) < 20 * 1024);

	strcpy(big, "[Main]\n");
	for (int i = 0; i < MENU_ENTRIES_MAX; i++)
		add("option=exit;e%d\n", i);
	assert_limit(0, "");
	add("option=exit;one more", 0);
	assert_limit(MENU_ENTRIES_MAX + 2, "at most 64 options in a section");

	strcpy(big, MAIN);
	for (int i = 1; i < MENU_SECTIONS_MAX; i++)
		add("[s%d]\noption=exit;x\n", i);
	assert_limit(0, "");
	add("[one more]\nrubbish", 0);
	assert_limit(2 * MENU_SECTIONS_MAX + 1, "at most 16 sections");

	strcpy(big, "[Main]\noption=submenu;a;;s2\n");
	for (int i = 2; i < MENU_DEPTH_MAX; i++)
		add("[s%d]\noption=submenu;a;;s%d\n", i);
	add("[s%d]\noption=exit;a\n", MENU_DEPTH_MAX);
	assert_limit(0, "");
	add("option=submenu;b;;s9\n[s9]\noption=exit;a", 0);
	assert_limit(2 * MENU_DEPTH_MAX + 1, "at most 8 levels, and no loop");

	strcpy(big, MAIN);
	memset(big + strlen(MAIN), '#', MENU_TEXT_MAX - strlen(MAIN));
	big[MENU_TEXT_MAX] = '\0';
	assert_limit(0, "");
	strcat(big, "#");
	assert_limit(1, "at most 16384 bytes");
}

/* All sections full: the last entries' positions are right, too. */
static void holds_all_entries(void **state)
{
	struct menu_error error;
	int last = MENU_SECTIONS_MAX * MENU_ENTRIES_MAX - 1;

	(void)state;
	big[0] = '\0';
	for (int i = 0; i <= last; i++) {
		if (i % MENU_ENTRIES_MAX == 0)
			add(i ? "[%d]\n" : "[main]\n", i);
		add("option=auto;%d\n", i % 10);
	}
	strcpy(strrchr(big, '\n'), ";end");
	assert_int_equal(menu_parse(big, strlen(big), &menu, &error), 0);
	assert_int_equal(menu.sections[MENU_SECTIONS_MAX - 1].first, last + 1 - MENU_ENTRIES_MAX);
	assert_span(menu_field(&menu, &menu.entries[last], MENU_FIELD_DESCRIPTION), "end");
}

/* --- bad input never does harm --------------------------------------------- */

/* Reads @text from the heap, and every field of what it makes. */
static void read_all(const char *text, size_t length)
{
	char *copy = malloc(length ? length : 1);
	struct menu_error error = { 0, 0, NULL };

	memcpy(copy, text, length);
	if (menu_parse(copy, length, &menu, &error)) {
		assert_true(error.line && error.column && error.message);
		free(copy);
		return;
	}
	assert_in_range(menu.main, 0, menu.section_count - 1);
	for (size_t s = 0; s < menu.section_count; s++) {
		const struct menu_section *section = &menu.sections[s];

		assert_in_range(menu_title(&menu, section).length, 1, MENU_NAME_SIZE);
		menu_section_password(&menu, section);
		assert_in_range(section->chosen, 0, section->count - 1);
		for (size_t i = 0; i < section->count; i++) {
			const struct menu_entry *entry = &menu.entries[section->first + i];

			assert_in_range(entry->kind, MENU_KIND_EXECUTE, MENU_KIND_POWEROFF);
			assert_in_range(menu_field(&menu, entry, MENU_FIELD_NAME).length, 1,
			                MENU_NAME_SIZE);
			for (size_t f = MENU_FIELD_DESCRIPTION; f <= MENU_FIELD_PREFIX; f++)
				menu_field(&menu, entry, f);
			menu_loader(&menu, entry, LOADER_UEFI_ARM64);
			menu_entry_password(&menu, entry);
			if (entry->kind == MENU_KIND_SUBMENU)
				assert_in_range(entry->submenu, 0, menu.section_count - 1);
		}
	}
	free(copy);
}

static void survives_any_cut_and_change(void **state)
{
	static const char bytes[] = "\0\n\r\t [];=\"#|$x9\x7f\x80\xff";
	char text[sizeof(sample)];
	size_t length = strlen(sample);

	(void)state;
	memcpy(text, sample, sizeof(text));
	for (size_t cut = 0; cut <= length; cut++)
		read_all(text, cut);
	for (size_t at = 0; at < length; at++) {
		char was = text[at];

		for (size_t i = 0; i < sizeof(bytes) - 1; i++) {
			text[at] = bytes[i];
			read_all(text, length);
		}
		text[at] = was;
	}
	for (int byte = 0; byte < 256; byte++)
		read_all((const char[]){ (char)byte }, 1);
	assert_int_equal(menu_find(&menu, (struct span){ NULL, 0 }), -1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_menu),
		cmocka_unit_test(picks_the_firmwares_loader),
		cmocka_unit_test(holds_its_limits),
		cmocka_unit_test(holds_all_entries),
		cmocka_unit_test(survives_any_cut_and_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
