/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <sys/mman.h>

#include "nbp/menu_ask.h"
#include "nbp/proto/password.h"
#include "tests/unit/menu_sample.h"
#include "tests/unit/person.h"

/* The hash takes no time here, and its check would discard keys typed ahead. */
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
	/* After three tries the menu is back, without the prompt. */
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
	/* Nobody continues typing. */
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
	/* Without the password the boot goes on as if there were no menu. */
	run(text, KEYS(KEY_ESCAPE), NULL);
	assert_choice(MENU_AUTO, "", "no password");
	run(text, KEYS(WRONG, WRONG, WRONG), NULL);
	assert_choice(MENU_AUTO, "", "no password");
	assert_in_range(run(text, KEYS(WAIT(250000), LOOK(0)), SHOTS("main-idle")),
	                MENU_IDLE_LIMIT, MENU_IDLE_LIMIT + 10);
	assert_choice(MENU_AUTO, "", "no password");
	/* With a timeout the boot goes on after it, unless somebody types. */
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

/* Checking takes time on an old machine; the Escape key ends it. */
static void can_stop_a_check(void **state)
{
	(void)state;
	run(slow, KEYS(KEY_ENTER, 'x', KEY_ENTER, LOOK(0), 'y', KEY_ESCAPE, KEY_ESCAPE,
	               KEY_ESCAPE), SHOTS("checking"));
	assert_choice(MENU_LOCAL, "", "left");
}

/* The watchdog does not expire however long that takes, and no password is left in memory. */
static void checks_slowly(void **state)
{
	static const int script[] = { KEY_ENTER, 'x', KEY_ENTER, WAIT(20000), KEY_ESCAPE,
		                      KEY_ESCAPE, KEY_ESCAPE, END };

	(void)state;
	start(slow, LOADER_BIOS);
	person.script = script;
	person.key_takes = 400;
	menu_run(&person.canvas.p, &menu, MENU_LOCAL, &choice);
	assert_choice(MENU_LOCAL, "", "left");
	assert_true(person.watchdog_gap <= 1010);
	assert_int_equal(person.forgot, 1);
}

/* --- traces of a password ------------------------------------------------------ */

#define STACK_SIZE (1 << 20)
#define PASSWORD 'Q', 'z', '7', '#', 'K', 'w', '2', '!', 'V', 'x', '9', '%', 'J', 't', '4', '&'

static const char kept[] = "[Main]\noption=reboot;x;;password $pbkdf2-sha256$1000$"
	"MDEyMzQ1Njc4OWFiY2RlZg$B4pQaChl4WmX.iecfCDLBGn2QUWkfCkh2lZn9O.stF8\n";
static const uint8_t word[] = { PASSWORD };

static void *run_kept(void *script)
{
	run(kept, script, NULL);
	return NULL;
}

/* Half of the password counts as a trace, also with HMAC's pads or in big-endian words. */
static bool __attribute__((no_sanitize("address"))) is_word(const uint8_t *at)
{
	static const uint8_t pads[] = { 0, 0x36, 0x5c };
	size_t same[2 * COUNT(pads)] = { 0 };
	bool found = false;

	for (size_t i = 0; i < sizeof(word) / 2; i++) {
		for (size_t pad = 0; pad < COUNT(pads); pad++) {
			same[2 * pad] += at[i] == (word[i] ^ pads[pad]);
			same[2 * pad + 1] += at[i] == (word[i ^ 3] ^ pads[pad]);
		}
	}
	for (size_t i = 0; i < COUNT(same); i++)
		found |= same[i] == sizeof(word) / 2;
	return found;
}

/* The next program gets the stack as it is, so the password must not be there in any form. */
static void no_password_stays_in_memory(void **state)
{
	const int *scripts[] = {
		KEYS(KEY_ENTER, PASSWORD, KEY_ENTER), /* the right password */
		KEYS(KEY_ENTER, PASSWORD, 'x', KEY_ENTER, WAIT(10), KEY_ESCAPE, KEY_ESCAPE),
		KEYS(KEY_ENTER, PASSWORD, 'x', KEY_ENTER, KEY_ESCAPE, KEY_ESCAPE, KEY_ESCAPE),
		KEYS(KEY_ENTER, PASSWORD, KEY_ESCAPE, KEY_ESCAPE),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(scripts); i++) {
		uint8_t *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
		                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		pthread_attr_t attributes;
		pthread_t thread;

		assert_true(stack != MAP_FAILED);
		pthread_attr_init(&attributes);
		assert_int_equal(pthread_attr_setstack(&attributes, stack, STACK_SIZE), 0);
		assert_int_equal(pthread_create(&thread, &attributes, run_kept,
		                                (void *)(uintptr_t)scripts[i]), 0);
		pthread_join(thread, NULL);
		for (size_t at = 0; at + sizeof(word) <= STACK_SIZE; at++)
			if (is_word(stack + at))
				fail_msg("script %u: %u bytes below the stack's top",
				         (unsigned int)i, (unsigned int)(STACK_SIZE - at));
		munmap(stack, STACK_SIZE);
	}
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
		cmocka_unit_test(no_password_stays_in_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
