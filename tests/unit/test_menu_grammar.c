/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "nbp/menu.h"
#include "nbp/proto/error.h"
#include "tests/unit/menu_sample.h"

#define TEN "0123456789"
#define SIXTY TEN TEN TEN TEN TEN TEN
#define TWO_HUNDRED SIXTY SIXTY SIXTY TEN TEN
#define FILE_NAME "a file name of letters, digits and ._-/"
#define A_HASH "a hash by \"prebootctl menu passwd\""
#define FEWER "fewer fields, and quotes in pairs"
#define A_NAME "a name of 1 to 60 characters"
#define A_KEY "option, title, default, timeout, password or colour = ..."
#define SECONDS "seconds, 0 to 3600"
#define COLOURS "colours as in: title ; bright white ; blue"
#define BRACKETS "[name], of 1 to 32 characters"
#define UNATTENDED "for a timeout: execute, exit, auto or poweroff, no password"

static struct menu menu;

static const struct {
	const char *text;
	unsigned int line, column; /* 0: no error */
	const char *message;
} grammar[] = {
	{ MAIN, 0, 0, NULL },
	{ "\xef\xbb\xbf" MAIN, 0, 0, NULL },
	{ MAIN "\x1a", 0, 0, NULL }, /* Ctrl+Z, which ended texts once */
	{ MAIN "\n\x1a\x1a", 0, 0, NULL },
	{ "\x1a", 1, 1, "a section [Main]" },
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
	{ MAIN "option = execute ; x ; y ; a | b | c ; c", 0, 0, NULL },
	{ MAIN "option = execute ; x ; y ; a | b | c | d | e ; c", 3, 40, FILE_NAME },
	{ MAIN "option = execute ; x ; y ; ; a*", 3, 30, FILE_NAME },
	{ MAIN "option = execute ; x ; y ; ; " SIXTY SIXTY "0123456", 0, 0, NULL },
	{ MAIN "option = execute ; x ; y ; ; " SIXTY SIXTY "01234567", 3, 30, FILE_NAME },
	{ MAIN "option = execute ; x ; y ; ; c ; :p", 3, 34, FILE_NAME },
	{ MAIN "option = execute ; x ; y ; ; c ; p ; z", 3, 38, FEWER },
	{ MAIN "option = submenu ; x", 3, 21, "the name of a section" },
	{ MAIN "option = submenu ; x ; y ; none", 3, 28, "the name of a section" },
	{ MAIN "option = submenu ; x ; y ; main ; z", 3, 35, FEWER },
	/* only ASCII text */
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
	{ MAIN "timeout=5\noption=reboot;y\ndefault=y", 5, 9, UNATTENDED },
	{ "[Main]\ntimeout=5\noption=reboot;x\noption=exit;y", 3, 8, UNATTENDED },
	{ MAIN "timeout=5\noption=poweroff;y\ndefault=y", 0, 0, NULL },
	{ MAIN "option=reboot;y\ndefault=y", 0, 0, NULL },
	{ "[Main]\ntimeout=5\noption=submenu;x;;sub\n[Sub]\noption=exit;x", 3, 8, UNATTENDED },
	/* levels */
	{ MAIN "option=submenu;y;;main", 3, 8, "at most 8 levels, and no loop" },
	{ "[a]\noption=submenu;1;;main\n[Main]\noption=submenu;2;;a", 2, 8,
	  "at most 8 levels, and no loop" },
	{ "[a]\noption=submenu;1;;a\n" MAIN, 0, 0, NULL }, /* the section cannot be reached */
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

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_where_and_what),
		cmocka_unit_test(finds_all_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
