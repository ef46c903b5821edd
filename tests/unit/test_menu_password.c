/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "menu_sample.h"
#include "password.h"
#include "person.h"

/* The check between takes no time here, and would swallow what is typed ahead. */
#define SECRET 's', 'e', 'c', 'r', 'e', 't', KEY_ENTER, WAIT(10)
#define WRONG 'w', KEY_ENTER, WAIT(10)

static const char guarded[] =
	"[Main]\ntitle=Guarded\noption=reboot;Reboot;;password " HASH "\noption=submenu;Sub;;Sub\n"
	"option=submenu;Twice;;Sub;password " HASH "\n[Sub]\npassword=" HASH "\noption=auto;Auto\n";

static void asks_for_passwords(void **state)
{
	(void)state;
	run(guarded, KEYS(KEY_ENTER, LOOK(0), 's', 'e', LOOK(1), KEY_UP, 'x', KEY_BACKSPACE, 'c',
	                  'r', 'e', 't', KEY_ENTER), SHOTS("password", "password-typed"));
	assert_choice(MENU_REBOOT, "Reboot", "chosen");
	run(guarded, KEYS(KEY_ENTER, WRONG, LOOK(0), SECRET), SHOTS("password-wrong"));
	assert_choice(MENU_REBOOT, "Reboot", "chosen");
	/* Three tries, then back; the line is gone. */
	run(guarded, KEYS(KEY_ENTER, WRONG, KEY_ENTER, WAIT(10), WRONG, LOOK(0), KEY_DOWN,
	                  KEY_ESCAPE), SHOTS("guarded"));
	assert_choice(MENU_LOCAL, "", "left");
	run(guarded, KEYS(KEY_ENTER, 's', KEY_ESCAPE, LOOK(0), KEY_ENTER, SECRET),
	    SHOTS("guarded"));
	assert_choice(MENU_REBOOT, "Reboot", "chosen");
}

static void guards_sections(void **state)
{
	(void)state;
	run(guarded, KEYS('2', KEY_ENTER, SECRET, LOOK(0), KEY_ENTER), SHOTS("guarded-sub"));
	assert_choice(MENU_AUTO, "Auto", "chosen");
	run(guarded, KEYS('2', KEY_ENTER, WRONG, WRONG, WRONG, LOOK(0), KEY_ESCAPE),
	    SHOTS("guarded-back"));
	assert_choice(MENU_LOCAL, "", "left");
	/* An entry's password comes before the section's. */
	run(guarded, KEYS('3', KEY_ENTER, SECRET, KEY_ESCAPE, KEY_ENTER, SECRET, SECRET,
	                  KEY_ENTER), NULL);
	assert_choice(MENU_AUTO, "Auto", "chosen");
}

static void bounds_a_password(void **state)
{
	int script[2 * PASSWORD_SIZE + 4] = { KEY_ENTER };
	int *next = script + 1;

	(void)state;
	for (int i = 0; i < PASSWORD_SIZE + 20; i++)
		*next++ = '*';
	*next++ = LOOK(0);
	*next++ = KEY_ESCAPE;
	*next++ = KEY_ESCAPE;
	run(guarded, script, SHOTS("password-long"));
	assert_choice(MENU_LOCAL, "", "left");
	/* Nobody goes on typing. */
	assert_in_range(run(guarded, KEYS(KEY_ENTER, 's'), NULL), MENU_IDLE_LIMIT,
	                MENU_IDLE_LIMIT + 10);
	assert_choice(MENU_LOCAL, "", "nobody there");
	run(guarded, KEYS('2', KEY_ENTER, 's'), NULL);
	assert_choice(MENU_LOCAL, "", "nobody there");
}

static void guards_the_whole_menu(void **state)
{
	static const char text[] = "[Main]\ntitle=All guarded\npassword=" HASH "\n"
		"option=exit;Exit\noption=reboot;Reboot\n";
	char timed[512];

	(void)state;
	run(text, KEYS(LOOK(0), SECRET, LOOK(1), KEY_DOWN, KEY_ENTER),
	    SHOTS("main-password", "main"));
	assert_choice(MENU_REBOOT, "Reboot", "chosen");
	/* Without it the boot goes on as if there were no menu. */
	run(text, KEYS(KEY_ESCAPE), NULL);
	assert_choice(MENU_AUTO, "", "no password");
	run(text, KEYS(WRONG, WRONG, WRONG), NULL);
	assert_choice(MENU_AUTO, "", "no password");
	assert_in_range(run(text, KEYS(WAIT(250000), LOOK(0)), SHOTS("main-idle")),
	                MENU_IDLE_LIMIT, MENU_IDLE_LIMIT + 10);
	assert_choice(MENU_AUTO, "", "no password");
	/* With a timeout it does so after that, unless somebody types. */
	snprintf(timed, sizeof(timed), "%stimeout=7\n", text);
	assert_in_range(run(timed, KEYS(WAIT(3000), LOOK(0)), SHOTS("main-timeout")), 7000, 7010);
	assert_choice(MENU_AUTO, "", "no password");
	run(timed, KEYS('s', WAIT(9000), KEY_ESCAPE), NULL);
	assert_choice(MENU_AUTO, "", "no password");
	assert_in_range(run(timed, KEYS(SECRET), NULL), 7000, 7010);
	assert_choice(MENU_LOCAL, "Exit", "default");
}

static const char slow[] = "[Main]\noption=reboot;x;;password $pbkdf2-sha256$1000000$"
	"MDEyMzQ1Njc4OWFiY2RlZg$tiKWHy4FAGCWE8gn6GtKhaxD2OeeAUUWXFT/p1aaNl8\n";

/* Checking takes a while on an old machine; it ends when Escape is pressed. */
static void can_stop_a_check(void **state)
{
	(void)state;
	run(slow, KEYS(KEY_ENTER, 'x', KEY_ENTER, LOOK(0), 'y', KEY_ESCAPE, KEY_ESCAPE,
	               KEY_ESCAPE), SHOTS("checking"));
	assert_choice(MENU_LOCAL, "", "left");
}

/* However long that takes, the watchdog does not bite; and no password stays behind. */
static void checks_slowly(void **state)
{
	static const int script[] = { KEY_ENTER, 'x', KEY_ENTER, WAIT(20000), KEY_ESCAPE,
		                      KEY_ESCAPE, KEY_ESCAPE, END };

	(void)state;
	start(slow, FIRMWARE_BIOS);
	person.script = script;
	person.key_takes = 400;
	menu_run(&person.canvas.p, &menu, MENU_LOCAL, &choice);
	assert_choice(MENU_LOCAL, "", "left");
	assert_true(person.watchdog_gap <= 1010);
	assert_int_equal(person.forgot, 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(asks_for_passwords),
		cmocka_unit_test(guards_sections),
		cmocka_unit_test(bounds_a_password),
		cmocka_unit_test(guards_the_whole_menu),
		cmocka_unit_test(can_stop_a_check),
		cmocka_unit_test(checks_slowly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
