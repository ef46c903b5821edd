/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "error.h"
#include "menu.h"
#include "menu_text.h"

#define HASH \
	"$pbkdf2-sha256$1000$MDEyMzQ1Njc4OWFiY2RlZg$tiKWHy4FAGCWE8gn6GtKhaxD2OeeAUUWXFT/p1aaNl8"
#define TEN "0123456789"
#define SIXTY TEN TEN TEN TEN TEN TEN
#define TWO_HUNDRED SIXTY SIXTY SIXTY TEN TEN

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
	assert_int_equal(menu.colours[PART_TITLE],
	                 COLOUR_RED << 4 | COLOUR_WHITE | COLOUR_BRIGHT);
	assert_int_equal(menu.colours[PART_CHOSEN], COLOUR_BROWN | COLOUR_BRIGHT);
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

	assert_int_equal(e[0].kind, KIND_AUTO);
	assert_span(menu_field(&menu, &e[0], FIELD_NAME), "Go on");
	assert_span(menu_field(&menu, &e[0], FIELD_ABOUT), "");
	assert_int_equal(e[1].kind, KIND_EXECUTE);
	assert_span(menu_field(&menu, &e[1], FIELD_CONFIG), "z_maint.cfg");
	assert_span(menu_field(&menu, &e[1], FIELD_PREFIX), "boot/");
	assert_span(menu_entry_password(&menu, &e[1]), HASH);
	assert_span(menu_field(&menu, &e[2], FIELD_ABOUT), "For both; really");
	assert_span(menu_field(&menu, &e[2], FIELD_PREFIX), "");
	assert_span(menu_entry_password(&menu, &e[2]), "");
	assert_int_equal(e[3].kind, KIND_SUBMENU);
	assert_int_equal(e[3].submenu, 1);
	assert_span(menu_field(&menu, &e[3], FIELD_NAME), "More; tools");
	assert_span(menu_entry_password(&menu, &e[3]), HASH);
	assert_int_equal(e[4].kind, KIND_EXIT);
	assert_int_equal(e[5].kind, KIND_REBOOT);
	assert_int_equal(e[6].kind, KIND_POWEROFF);
	assert_int_equal(e[7].kind, KIND_RETURN);
	assert_span(menu_field(&menu, &e[7], FIELD_ABOUT), "");
	assert_span(menu_entry_password(&menu, &e[7]), HASH);
}

static void picks_the_firmwares_loader(void **state)
{
	static const struct {
		const char *field, *bios, *uefi;
	} cases[] = {
		{ "", "pxelinux.0", "syslinux.efi" },
		{ "pxelinux.0", "pxelinux.0", "syslinux.efi" },
		{ "SYSLINUX.EFI", "pxelinux.0", "syslinux.efi" },
		{ "a.0 | b.efi", "a.0", "b.efi" },
		{ "a.0|b", "a.0", "b" },
		{ "| b.efi", "", "b.efi" },
		{ "a.0 |", "a.0", "" },
		{ "boot/pxelinux.0", "boot/pxelinux.0", "" },
		{ "a/grub.EFI", "", "a/grub.EFI" },
		{ "efi", "efi", "" },
		{ ".efi", "", ".efi" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct menu_error error;
		char text[128];

		snprintf(text, sizeof(text), "[main]\noption=execute;x;;%s;c", cases[i].field);
		assert_int_equal(menu_parse(text, strlen(text), &menu, &error), 0);
		assert_span(menu_loader(&menu, menu.entries, FIRMWARE_BIOS), cases[i].bios);
		assert_span(menu_loader(&menu, menu.entries, FIRMWARE_UEFI), cases[i].uefi);
	}
}

#define FILE_NAME "a file name of letters, digits and ._-/"
#define A_HASH "a hash by \"prebootctl menu passwd\""
#define FEWER "fewer fields, and quotes in pairs"
#define A_NAME "a name of 1 to 60 characters"
#define A_KEY "option, title, default, timeout, password or colour = ..."
#define SECONDS "seconds, 0 to 3600"
#define COLOURS "colours as in: title ; bright white ; blue"
#define BRACKETS "[name], of 1 to 32 characters"
#define UNATTENDED "for a timeout, a default without password that ends the menu"
#define MAIN "[Main]\noption=exit;x\n"

static const struct {
	const char *text;
	unsigned int line, column; /* 0: no error */
	const char *message;
} grammar[] = {
	{ MAIN, 0, 0, NULL },
	{ "\xef\xbb\xbf" MAIN, 0, 0, NULL },
	{ "\xef\xbb\xbf\n x", 2, 2, "a section such as [Main] first" },
	{ "", 1, 1, "a section [Main]" },
	{ "\n# nothing\n", 3, 1, "a section [Main]" },
	{ "[Other]\noption=exit;x\n", 3, 1, "a section [Main]" },
	{ "title = x", 1, 1, "a section such as [Main] first" },
	{ "  x\ny\n" MAIN, 1, 3, "a section such as [Main] first" },
	{ "[", 1, 1, BRACKETS }, { "[]", 1, 1, BRACKETS }, { "[ ]", 1, 1, BRACKETS },
	{ " [Main", 1, 2, BRACKETS }, { "[Main] x", 1, 1, BRACKETS },
	{ MAIN "[" TEN TEN TEN "12]\noption=exit;x", 0, 0, NULL },
	{ MAIN "[" TEN TEN TEN "123]\noption=exit;x", 3, 1, BRACKETS },
	{ MAIN "[MAIN]\nrubbish", 3, 1, "a section's name that is new" },
	{ "[Main]\n", 1, 2, "an option in this section" },
	{ "[Main]\ndefault = x\n", 1, 2, "an option in this section" },
	{ MAIN "[ Sub ]", 3, 3, "an option in this section" },
	/* keys */
	{ MAIN "option", 3, 1, A_KEY }, { MAIN "\tsize = 3", 3, 2, A_KEY },
	{ MAIN "title =", 3, 1, A_KEY }, { MAIN "= x", 3, 1, A_KEY },
	{ MAIN "title = " SIXTY, 0, 0, NULL },
	{ MAIN "title = x" SIXTY, 3, 9, "a title of 1 to 60 characters" },
	{ MAIN "title = a\ntitle = b", 4, 1, "this key once in a section" },
	{ MAIN "password = " HASH "\npassword = " HASH, 4, 1, "this key once in a section" },
	{ MAIN "default = x\n default = x", 4, 2, "this key once in a section" },
	{ MAIN "password = secret", 3, 12, A_HASH }, { MAIN "password = " HASH "A", 3, 12, A_HASH },
	{ MAIN "timeout = 0", 0, 0, NULL }, { MAIN "timeout = 3600", 0, 0, NULL },
	{ MAIN "timeout = 3601", 3, 11, SECONDS }, { MAIN "timeout = 100000", 3, 11, SECONDS },
	{ MAIN "timeout = x", 3, 11, SECONDS }, { MAIN "timeout = 5 s", 3, 11, SECONDS },
	{ MAIN "timeout = -1", 3, 11, SECONDS },
	{ MAIN "colour = screen ; white ; blue", 0, 0, NULL },
	{ MAIN "colour = screen ; brightwhite ; blue", 0, 0, NULL },
	{ MAIN "colour = screen ; white", 3, 10, COLOURS },
	{ MAIN "colour = screen ; white ; bright blue", 3, 10, COLOURS },
	{ MAIN "colour = screen ; pink ; blue", 3, 10, COLOURS },
	{ MAIN "colour = screen ; bright ; blue", 3, 10, COLOURS },
	{ MAIN "colour = window ; white ; blue", 3, 10, COLOURS },
	{ MAIN "colour = title ; white ; blue ; red", 3, 10, COLOURS },
	{ MAIN "colour = title ; \"white ; blue", 3, 10, COLOURS },
	/* options */
	{ MAIN "option = leave ; x", 3, 10,
	  "execute, submenu, return, exit, auto, reboot or poweroff" },
	{ MAIN "option = exit", 3, 14, A_NAME }, { MAIN "option = exit ;", 3, 16, A_NAME },
	{ MAIN "option = exit ; ; what", 3, 17, A_NAME },
	{ MAIN "option = exit;\"\"", 3, 16, A_NAME },
	{ MAIN "option = exit ; " SIXTY, 0, 0, NULL },
	{ MAIN "option = exit ; " SIXTY "!", 3, 17, A_NAME },
	{ MAIN "option = exit ; x ; " TWO_HUNDRED, 0, 0, NULL },
	{ MAIN "option = exit ; x ; " TWO_HUNDRED "!", 3, 21,
	  "a description of at most 200 characters" },
	{ MAIN "option = exit ; x ; y ; z", 3, 25, FEWER },
	{ MAIN "option = exit ; x ; ;", 3, 22, FEWER },
	{ MAIN "option = exit;1;2;3;4;5;6;7;8", 3, 19, FEWER },
	{ MAIN "option = exit ; \"x", 3, 17, FEWER },
	{ MAIN "option = exit ; 5\" ; y", 3, 17, FEWER },
	{ MAIN "option = exit ; a \"b\" c", 0, 0, NULL },
	{ MAIN "option = exit ; \"", 3, 17, FEWER },
	{ MAIN "option = exit ; x ; password " HASH, 0, 0, NULL },
	{ MAIN "option = exit ; x ; y ; password " HASH " ; z", 3, 25, FEWER },
	{ MAIN "option = exit ; x ; password secret", 3, 30, A_HASH },
	{ MAIN "option = exit ; x ; passwords", 0, 0, NULL },
	{ MAIN "option = exit ; password x", 0, 0, NULL },
	{ MAIN "option = execute ; x", 3, 21, "a configuration file" },
	{ MAIN "option = execute ; x ; y ; ; ;", 3, 30, "a configuration file" },
	{ MAIN "option = execute ; x ; y ; |; c", 3, 28, "a loader" },
	{ MAIN "option = execute ; x ; y ; a.0", 0, 0, NULL },
	{ MAIN "option = execute ; x ; y ; a b ; c", 3, 28, FILE_NAME },
	{ MAIN "option = execute ; x ; y ; a | ../b ; c", 3, 32, FILE_NAME },
	{ MAIN "option = execute ; x ; y ; a | b | c ; c", 3, 32, FILE_NAME },
	{ MAIN "option = execute ; x ; y ; ; a*", 3, 30, FILE_NAME },
	{ MAIN "option = execute ; x ; y ; ; " SIXTY SIXTY "0123456", 0, 0, NULL },
	{ MAIN "option = execute ; x ; y ; ; " SIXTY SIXTY "01234567", 3, 30, FILE_NAME },
	{ MAIN "option = execute ; x ; y ; ; c ; :p", 3, 34, FILE_NAME },
	{ MAIN "option = execute ; x ; y ; ; c ; p ; z", 3, 38, FEWER },
	{ MAIN "option = submenu ; x", 3, 21, "the name of a section" },
	{ MAIN "option = submenu ; x ; y ; none", 3, 28, "the name of a section" },
	{ MAIN "option = submenu ; x ; y ; main ; z", 3, 35, FEWER },
	/* no text but ASCII */
	{ MAIN "option = exit ; B\xc3\xbc" "cher", 3, 18, "plain ASCII" },
	{ MAIN "title = a\x7f", 3, 10, "plain ASCII" },
	{ MAIN "title = a\x1b[2J", 3, 10, "plain ASCII" },
	{ MAIN "title = a\rb", 3, 10, "plain ASCII" }, { MAIN "# \xff\x1b\x80\n;\x01", 0, 0, NULL },
	/* defaults */
	{ MAIN "default = X", 0, 0, NULL },
	{ MAIN "default = y", 3, 11, "the name of an entry of this section" },
	{ MAIN "timeout=5\noption=return;y\ndefault=y", 5, 9, UNATTENDED },
	{ MAIN "timeout=0\noption=return;y\ndefault=y", 0, 0, NULL },
	{ MAIN "timeout=5\noption=exit;y;password " HASH "\ndefault=y", 5, 9, UNATTENDED },
	{ "[Main]\ntimeout=5\noption=submenu;x;;sub\n[Sub]\noption=exit;x", 3, 8, UNATTENDED },
	/* levels */
	{ MAIN "option=submenu;y;;main", 3, 8, "at most 8 levels, and no loop" },
	{ "[a]\noption=submenu;1;;main\n[Main]\noption=submenu;2;;a", 2, 8,
	  "at most 8 levels, and no loop" },
	{ "[a]\noption=submenu;1;;a\n" MAIN, 0, 0, NULL }, /* nobody can come there */
};

static void says_where_and_what(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(grammar); i++) {
		struct menu_error error = { 0, 0, NULL };
		int rc = menu_parse(grammar[i].text, strlen(grammar[i].text), &menu, &error);

		assert_int_equal(rc, grammar[i].line ? ERR_MALFORMED : 0);
		if (rc && (error.line != grammar[i].line || error.column != grammar[i].column ||
		           strcmp(error.message, grammar[i].message) != 0))
			fail_msg("\"%s\": %u:%u: %s", grammar[i].text, error.line, error.column,
			         error.message);
	}
}

static void finds_all_errors(void **state)
{
	static const char text[] =
		"x\n[Main]\noption = leave ; x\ntimeout = y\n[main]\nignored\n[b]\n\x01\noption = "
		"submenu ; a ; ; c\noption = exit ; \"\n";
	static const struct {
		unsigned int line, column;
	} wanted[] = { { 1, 1 }, { 3, 10 }, { 4, 11 }, { 5, 1 }, { 8, 1 }, { 8, 1 }, { 10, 17 },
		       { 10, 18 }, { 9, 26 } };
	struct menu_error errors[12];

	(void)state;
	assert_int_equal(menu_check(text, strlen(text), &menu, errors, 12), COUNT(wanted));
	for (size_t i = 0; i < COUNT(wanted); i++) {
		assert_int_equal(errors[i].line, wanted[i].line);
		assert_int_equal(errors[i].column, wanted[i].column);
	}
	assert_int_equal(menu_check(text, strlen(text), &menu, errors, 3), 3);
	assert_int_equal(menu_check(text, strlen(text), &menu, errors, 0), 0);
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
	assert_span(menu_field(&menu, &menu.entries[last], FIELD_ABOUT), "end");
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

			assert_in_range(entry->kind, KIND_EXECUTE, KIND_POWEROFF);
			assert_in_range(menu_field(&menu, entry, FIELD_NAME).length, 1,
			                MENU_NAME_SIZE);
			for (size_t f = FIELD_ABOUT; f <= FIELD_PREFIX; f++)
				menu_field(&menu, entry, f);
			menu_loader(&menu, entry, FIRMWARE_UEFI);
			menu_entry_password(&menu, entry);
			if (entry->kind == KIND_SUBMENU)
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
		cmocka_unit_test(says_where_and_what),
		cmocka_unit_test(finds_all_errors),
		cmocka_unit_test(holds_its_limits),
		cmocka_unit_test(holds_all_entries),
		cmocka_unit_test(survives_any_cut_and_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
