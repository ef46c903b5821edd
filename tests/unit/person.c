/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/person.h"

#include "tests/unit/unit.h"

struct person person;
struct menu menu;
struct menu_choice choice;

void look(const char *name)
{
	char path[128], *screen = NULL, wanted[4096] = "";
	size_t size;
	FILE *out = open_memstream(&screen, &size), *file;

	canvas_print(&person.canvas, out, false);
	fclose(out);
	snprintf(path, sizeof(path), "tests/unit/screens/%s.txt", name);
	if (getenv("WRITE_SCREENS")) {
		file = fopen(path, "w");
		assert_non_null(file);
		fputs(screen, file);
	} else {
		file = fopen(path, "r");
		if (!file)
			fail_msg("%s is not there", path);
		assert_true(fread(wanted, 1, sizeof(wanted) - 1, file) > 0);
		if (strcmp(screen, wanted) != 0)
			fail_msg("not as in %s:\n%s", path, screen);
	}
	fclose(file);
	free(screen);
}

static uint32_t person_now(struct platform *p)
{
	(void)p;
	return person.clock;
}

static void person_idle(struct platform *p)
{
	(void)p;
	person.clock += person.step;
}

static void person_watchdog(struct platform *p, uint32_t seconds)
{
	uint32_t gap = person.clock - person.watchdog_at;

	(void)p;
	assert_in_range(seconds, 10, 300);
	if (gap > person.watchdog_gap)
		person.watchdog_gap = gap;
	person.watchdog_at = person.clock;
	person.watchdog_count++;
}

static void person_forget_keys(struct platform *p)
{
	(void)p;
	person.forgot++;
}

static int person_key(struct platform *p)
{
	(void)p;
	person.clock += person.key_takes;
	for (;; person.script++) {
		int next = *person.script;

		if (next == END)
			return KEY_NONE;
		if (next >= WAIT(0)) {
			if (person.until == 0)
				person.until = person.clock + (uint32_t)(next - WAIT(0));
			if ((int32_t)(person.until - person.clock) > 0)
				return KEY_NONE;
			person.until = 0;
		} else if (next == STUCK) {
			person.clock += person.step;
			return person.script[-1];
		} else if (next >= LOOK(0)) {
			look(person.shots[next - LOOK(0)]);
		} else {
			person.cost = person.canvas.written - person.written;
			person.written = person.canvas.written;
			person.script++;
			return next;
		}
	}
}

void start(const char *text, enum loader_kind kind)
{
	struct menu_error error;

	if (menu_parse(text, strlen(text), &menu, &error))
		fail_msg("%u:%u: expected %s", error.line, error.column, error.message);
	memset(&person, 0, sizeof(person));
	canvas_start(&person.canvas, kind);
	person.step = 10;
	person.canvas.p.now = person_now;
	person.canvas.p.idle = person_idle;
	person.canvas.p.watchdog = person_watchdog;
	person.canvas.p.key = person_key;
	person.canvas.p.forget_keys = person_forget_keys;
	/* Near the turn of the clock, which must do no harm. */
	person.clock = person.watchdog_at = UINT32_MAX - 2000;
}

uint32_t run(const char *text, const int *script, const char *const *shots)
{
	uint32_t begun;

	start(text, LOADER_BIOS);
	person.script = script;
	person.shots = shots;
	begun = person.clock;
	menu_run(&person.canvas.p, &menu, MENU_LOCAL, &choice);
	while (*person.script >= WAIT(0) || *person.script == STUCK)
		person.script++;
	assert_int_equal(*person.script, END);
	assert_non_null(choice.reason);
	/* It leaves a clear screen in the usual colours. */
	for (int i = 0; i < CANVAS_ROWS * CANVAS_COLUMNS; i++) {
		assert_int_equal(person.canvas.cells[i / CANVAS_COLUMNS][i % CANVAS_COLUMNS], ' ');
		assert_int_equal(person.canvas.colours[i / CANVAS_COLUMNS][i % CANVAS_COLUMNS],
		                 COLOUR_WHITE);
	}
	assert_true(person.watchdog_gap <= 1010);
	return person.clock - begun;
}

void assert_choice(enum menu_action action, const char *name, const char *reason)
{
	assert_int_equal(choice.action, action);
	assert_string_equal(choice.name, name);
	assert_string_equal(choice.reason, reason);
	if (action != MENU_EXECUTE)
		assert_string_equal(choice.loader, "");
}
