/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "nbp/menu_ask.h"
#include "tests/unit/menu_sample.h"
#include "tests/unit/person.h"

static const char plain[] =
	"[Main]\n"
	"title = A plain menu\n"
	"option = auto ; Start imaging ; Does the work that is assigned to this machine. Where "
	"there is none, its own disk boots.\n"
	"option = execute ; Maintenance ; A shell. ; ; z_maint.cfg\n"
	"option = submenu ; Tools ; ; Tools\n"
	"option = execute ; UEFI shell ; For one firmware only. ; | shell.efi\n"
	"option = exit ; Exit\n"
	"[Tools]\n"
	"option = reboot ; Reboot\n"
	"option = poweroff ; Power off\n"
	"option = return ; Return\n"
	"default = Power off\n";

static char shipped[MENU_TEXT_MAX];

static void shows_the_shipped_menu(void **state)
{
	FILE *file = fopen("scripts/packaging/examples/pxemenu.txt", "r");
	uint32_t took;

	(void)state;
	assert_non_null(file);
	assert_true(fread(shipped, 1, sizeof(shipped) - 1, file) > 0);
	fclose(file);
	took = run(shipped, KEYS(WAIT(10), LOOK(0), WAIT(21500), LOOK(1)),
	           SHOTS("shipped", "shipped-later"));
	assert_choice(MENU_AUTO, "Start imaging", "default");
	assert_in_range(took, 30000, 30010);
	assert_int_equal(person.watchdog_count, 30);
}

static void moves_and_chooses(void **state)
{
	(void)state;
	run(plain, KEYS(LOOK(0), KEY_DOWN, LOOK(1), KEY_UP, KEY_UP, LOOK(2), KEY_ENTER),
	    SHOTS("plain", "plain-down", "plain-wrap"));
	assert_choice(MENU_LOCAL, "Exit", "chosen");
	run(plain, KEYS(KEY_END, KEY_DOWN, KEY_ENTER), NULL);
	assert_choice(MENU_AUTO, "Start imaging", "chosen");
	run(plain, KEYS(KEY_PAGE_DOWN, KEY_HOME, KEY_PAGE_DOWN, KEY_PAGE_UP, KEY_LEFT, KEY_RIGHT,
	                KEY_BACKSPACE, '!', KEY_ENTER), NULL);
	assert_choice(MENU_AUTO, "Start imaging", "chosen");
	run(plain, KEYS(KEY_ESCAPE), NULL);
	assert_choice(MENU_LOCAL, "", "left");
}

static void draws_only_what_changes(void **state)
{
	(void)state;
	run(plain, KEYS(KEY_END, KEY_END, KEY_HOME, KEY_DOWN, KEY_ESCAPE), NULL);
	assert_in_range(person.cost, 2 * 70, 2 * 70 + 2 * 70); /* two entries, the description */
	run(plain, KEYS(KEY_END, KEY_END, KEY_ESCAPE), NULL);
	assert_int_equal(person.cost, 0);
	run(plain, KEYS(KEY_DOWN, 'x', KEY_ESCAPE), NULL);
	assert_int_equal(person.cost, 0);
	/* Nothing is drawn twice at first: the title, the frame, an entry, its description and
	 * the last row once each. */
	run("[Main]\noption=exit;x;y\n", KEYS(KEY_ESCAPE), NULL);
	assert_int_equal(person.cost, 80 + 2 * 72 + 2 + 70 + 70 + 72);
}

static void finds_by_digits_and_letters(void **state)
{
	(void)state;
	run(plain, KEYS('2', KEY_ENTER), NULL);
	assert_choice(MENU_EXECUTE, "Maintenance", "chosen");
	run(plain, KEYS('5', '9', '0', KEY_ENTER), NULL); /* without such entries nothing moves */
	assert_choice(MENU_LOCAL, "Exit", "chosen");
	run(plain, KEYS('e', KEY_ENTER), NULL);
	assert_choice(MENU_LOCAL, "Exit", "chosen");
	run(plain, KEYS('M', 'q', KEY_ENTER), NULL);
	assert_choice(MENU_EXECUTE, "Maintenance", "chosen");
	run("[Main]\noption=auto;ax\noption=exit;bx\noption=reboot;Ay\noption=poweroff;Az\n",
	    KEYS('A', 'a', 'a', 'a', KEY_ENTER), NULL);
	assert_choice(MENU_REBOOT, "Ay", "chosen"); /* the search wraps around */
}

/* 64 entries, "e1" to "e64"; the last one reboots. */
static const char *long_menu(void)
{
	static char text[4096];

	strcpy(text, "[Main]\ntitle=Long\ndefault = e15\n");
	for (int i = 1; i <= MENU_ENTRIES_MAX; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
		         "option=%s;e%d;Number %d\n",
		         i == MENU_ENTRIES_MAX ? "reboot" : "auto", i, i);
	return text;
}

static void scrolls(void **state)
{
	const char *text = long_menu();

	(void)state;
	run(text, KEYS(LOOK(0), KEY_DOWN, LOOK(1), KEY_PAGE_UP, KEY_PAGE_UP, LOOK(2), KEY_END,
	               LOOK(3), KEY_DOWN, LOOK(4), KEY_UP, KEY_PAGE_UP, LOOK(5), KEY_PAGE_DOWN,
	               KEY_ENTER),
	    SHOTS("long-default", "long-down", "long-up", "long-end", "long-start", "long-page"));
	assert_choice(MENU_REBOOT, "e64", "chosen");
	run(text, KEYS('6', '4', KEY_ENTER), NULL);
	assert_choice(MENU_REBOOT, "e64", "chosen");
	run(text, KEYS('1', '2', '3', KEY_ENTER), NULL); /* 12, and 3 anew */
	assert_choice(MENU_AUTO, "e3", "chosen");
	run(text, KEYS('1', KEY_DOWN, '2', KEY_ENTER), NULL);
	assert_choice(MENU_AUTO, "e2", "chosen");
}

static void opens_submenus(void **state)
{
	(void)state;
	run(plain, KEYS('t', KEY_ENTER, LOOK(0), KEY_ENTER), SHOTS("tools"));
	assert_choice(MENU_POWER_OFF, "Power off", "chosen");
	run(plain, KEYS('3', KEY_ENTER, KEY_HOME, KEY_ENTER), NULL);
	assert_choice(MENU_REBOOT, "Reboot", "chosen");
	/* Escape and a return entry lead back to the entry that was left. */
	run(plain, KEYS('3', KEY_ENTER, KEY_ESCAPE, LOOK(0), KEY_ENTER, 'R', KEY_ENTER, LOOK(0),
	                KEY_ESCAPE), SHOTS("plain-tools"));
	assert_choice(MENU_LOCAL, "", "left");
	run("[Main]\noption=return;Up\n", KEYS(KEY_ENTER), NULL);
	assert_choice(MENU_LOCAL, "", "left");
}

static void opens_eight_levels(void **state)
{
	char text[1024] = "[Main]\noption=submenu;down;;2\n";
	const int script[] = { KEY_ENTER, KEY_ENTER, KEY_ENTER, KEY_ENTER, KEY_ENTER, KEY_ENTER,
		               KEY_ENTER, KEY_ENTER, END };

	(void)state;
	for (int i = 2; i < MENU_DEPTH_MAX; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
		         "[%d]\noption=submenu;down;;%d\n", i, i + 1);
	strcat(text, "[8]\noption=reboot;bottom");
	run(text, script, NULL);
	assert_choice(MENU_REBOOT, "bottom", "chosen");
}

static void ends_by_itself(void **state)
{
	static const char counted[] = "[Main]\noption=exit;Exit\noption=poweroff;Again\n"
		"option=submenu;Sub;;Sub\ntimeout=5\ndefault=again\n"
		"[Sub]\noption=auto;Auto\ntimeout=3\n";

	(void)state;
	assert_in_range(run(counted, KEYS(WAIT(10), LOOK(0), WAIT(4000), LOOK(1)),
	                    SHOTS("count-5", "count-1")), 5000, 5010);
	assert_choice(MENU_POWER_OFF, "Again", "default");
	/* Any key stops the countdown, even one without a meaning, just before the end. */
	assert_in_range(run(counted, KEYS(WAIT(4990), 'x', LOOK(0)), SHOTS("count-stopped")),
	                MENU_IDLE_LIMIT + 4990, MENU_IDLE_LIMIT + 5020);
	assert_choice(MENU_LOCAL, "", "nobody there");
	/* A submenu has a countdown of its own; after it there is none. */
	assert_in_range(run(counted, KEYS('s', KEY_ENTER), NULL), 3000, 3010);
	assert_choice(MENU_AUTO, "Auto", "default");
	run(counted, KEYS('s', KEY_ENTER, WAIT(2500), KEY_ESCAPE, WAIT(100000), LOOK(0),
	                  KEY_ESCAPE), SHOTS("count-back"));
	assert_choice(MENU_LOCAL, "", "left");
}

static const char *says;
static unsigned int said, lied;
static void (*write_on)(struct platform *p, const char *text, size_t length);

static void listen(struct platform *p, const char *text, size_t length)
{
	if (memmem(text, length, "Any key stops this", 18)) {
		said++;
		lied += memmem(text, length, says, strlen(says)) == NULL;
	}
	write_on(p, text, length);
}

/* The action in the warning is taken: local boot after any key, whatever menu it leads to. */
static void says_what_comes_when_nobody_is_there(void **state)
{
	static const struct {
		enum menu_action untouched;
		int keys[3]; /* the last is END */
		const char *says;
		enum menu_action comes;
	} cases[] = {
		{ MENU_AUTO, { END }, "Going on in", MENU_AUTO },
		{ MENU_AUTO, { KEY_DOWN }, "Local boot in", MENU_LOCAL },
		{ MENU_AUTO, { 't', KEY_ENTER }, "Local boot in", MENU_LOCAL }, /* a submenu */
		{ MENU_LOCAL, { END }, "Local boot in", MENU_LOCAL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		start(plain, LOADER_BIOS);
		person.script = cases[i].keys;
		says = cases[i].says;
		said = lied = 0;
		write_on = person.canvas.p.write;
		person.canvas.p.write = listen;
		menu_run(&person.canvas.p, &menu, cases[i].untouched, &choice);
		assert_true(said > 1);
		assert_int_equal(lied, 0);
		assert_choice(cases[i].comes, "", "nobody there");
	}
}

static void gives_up_when_nobody_is_there(void **state)
{
	(void)state;
	assert_in_range(run(plain, KEYS(WAIT(MENU_IDLE_LIMIT - 60500), LOOK(0), WAIT(1000),
	                                LOOK(1), WAIT(58000), LOOK(2)),
	                    SHOTS("plain", "idle-60", "idle-2")),
	                MENU_IDLE_LIMIT, MENU_IDLE_LIMIT + 10);
	assert_choice(MENU_LOCAL, "", "nobody there");
	/* A key restarts the time and removes the warning. */
	assert_in_range(run(plain, KEYS(WAIT(MENU_IDLE_LIMIT - 10000), KEY_DOWN, LOOK(0)),
	                    SHOTS("plain-down")),
	                2 * MENU_IDLE_LIMIT - 10000, 2 * MENU_IDLE_LIMIT - 9900);
	/* A stuck key or a noisy serial line. */
	assert_in_range(run(plain, KEYS(KEY_DOWN, STUCK), NULL), MENU_TOTAL_LIMIT,
	                MENU_TOTAL_LIMIT + 100);
	assert_choice(MENU_LOCAL, "", "nobody there");
	run("[Main]\npassword=" HASH "\noption=exit;x", KEYS('x', STUCK), NULL);
	assert_choice(MENU_AUTO, "", "no password");
}

static void tells_what_to_start(void **state)
{
	static const char text[] = "[Main]\noption=execute;Both;;a.0|b.efi;c.cfg;d/\n"
		"option=execute;Lone;;lone.0\noption=execute;Usual;;;u.cfg\n"
		"timeout=1\ndefault=Lone\n";

	(void)state;
	run(text, KEYS(KEY_HOME, KEY_ENTER), NULL);
	assert_choice(MENU_EXECUTE, "Both", "chosen");
	assert_string_equal(choice.loader, "a.0");
	assert_string_equal(choice.config, "c.cfg");
	assert_string_equal(choice.prefix, "d/");
	run(text, KEYS(WAIT(1)), NULL);
	assert_choice(MENU_EXECUTE, "Lone", "default");
	assert_string_equal(choice.loader, "lone.0");
	assert_string_equal(choice.config, "");
	assert_string_equal(choice.prefix, "");

	start(text, LOADER_UEFI);
	person.script = KEYS(KEY_END, LOOK(0), KEY_ENTER);
	person.shots = SHOTS("uefi");
	menu_run(&person.canvas.p, &menu, MENU_LOCAL, &choice);
	assert_choice(MENU_EXECUTE, "Usual", "chosen");
	assert_string_equal(choice.loader, "syslinux.efi");
	assert_string_equal(choice.config, "u.cfg");
	/* The time cannot choose an entry that is not for this machine. */
	start(text, LOADER_UEFI);
	person.script = KEYS('l', KEY_ENTER, KEY_ENTER, KEY_ESCAPE);
	menu_run(&person.canvas.p, &menu, MENU_LOCAL, &choice);
	assert_choice(MENU_LOCAL, "", "left");
	start(text, LOADER_UEFI);
	person.script = KEYS(WAIT(1));
	menu_run(&person.canvas.p, &menu, MENU_LOCAL, &choice);
	assert_choice(MENU_LOCAL, "", "the default is not for this machine");
}

static void draws_without_running(void **state)
{
	(void)state;
	start(plain, LOADER_UEFI);
	menu_draw(&person.canvas.p, &menu, 0);
	look("drawn-main");
	menu_draw(&person.canvas.p, &menu, 1);
	look("tools");
	start("[Main]\noption=exit;x\ntimeout=90\ncolour=chosen;bright red;green\n", LOADER_BIOS);
	menu_draw(&person.canvas.p, &menu, 0);
	look("drawn-timeout");
	assert_int_equal(person.canvas.colours[3][5],
	                 COLOUR_GREEN << 4 | COLOUR_RED | COLOUR_BRIGHT);
	assert_int_equal(person.canvas.colours[24][79], COLOUR_BLUE << 4 | COLOUR_WHITE);
}

/* Descriptions wrap at blanks, or anywhere if there are none. */
static void wraps_descriptions(void **state)
{
	char text[512] = "[Main]\noption=exit;Words;";

	(void)state;
	for (int i = 0; i < 25; i++)
		strcat(text, "eight of ");
	strcpy(text + strlen(text) - 25, "\noption=exit;Letters;");
	for (int i = 0; i < 200; i++)
		strcat(text, "x");
	strcat(text, "\noption=exit;Nothing\n");
	run(text, KEYS(LOOK(0), KEY_DOWN, LOOK(1), KEY_DOWN, LOOK(2), KEY_ESCAPE),
	    SHOTS("wrap-words", "wrap-letters", "wrap-nothing"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(shows_the_shipped_menu),
		cmocka_unit_test(moves_and_chooses),
		cmocka_unit_test(draws_only_what_changes),
		cmocka_unit_test(finds_by_digits_and_letters),
		cmocka_unit_test(scrolls),
		cmocka_unit_test(opens_submenus),
		cmocka_unit_test(opens_eight_levels),
		cmocka_unit_test(ends_by_itself),
		cmocka_unit_test(says_what_comes_when_nobody_is_there),
		cmocka_unit_test(gives_up_when_nobody_is_there),
		cmocka_unit_test(tells_what_to_start),
		cmocka_unit_test(draws_without_running),
		cmocka_unit_test(wraps_descriptions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
