/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_PERSON_H
#define TESTS_UNIT_PERSON_H

#include "nbp/menu_view.h"
#include "server/ctl/canvas.h"

/*
 * A person at a machine, who presses keys, waits and looks at the screen. The
 * expected screens are in tests/unit/screens/NAME.txt. With WRITE_SCREENS set in the
 * environment these files are written instead; then look at their changes.
 */

#define WAIT(ms)  (0x100000 + (ms))
#define LOOK(n)   (0x10000 + (n))  /* at shots[n] */
#define STUCK     0x20000          /* the key before it, for ever */
#define END       0

struct person {
	struct canvas canvas; /* first: the operations cast back */
	uint32_t clock, step;
	const int *script;
	const char *const *shots;
	uint32_t until;       /* when a WAIT ends; 0: there is none */
	uint32_t watchdog_at, watchdog_gap;
	size_t watchdog_count;
	uint32_t key_takes;   /* how long reading a key takes, ms */
	unsigned int forgot;  /* how often typed keys were wiped */
	size_t written;       /* characters written until the key before the last */
	size_t cost;          /* characters that the last key made the menu write */
};

/* All that they do, in order; the names of the screens that they look at. */
#define KEYS(...) (const int[]){ __VA_ARGS__, END }
#define SHOTS(...) (const char *const[]){ __VA_ARGS__ }

extern struct person person;
extern struct menu menu;
extern struct menu_choice choice;

/** Compares the screen with that of @name. */
void look(const char *name);
/** Reads the menu of @text, and puts a person who does nothing before a machine. */
void start(const char *text, enum loader_kind kind);
/** Runs the menu of @text; returns for how long, ms. */
uint32_t run(const char *text, const int *script, const char *const *shots);
/** Asserts what the menu ended with. */
void assert_choice(enum menu_action action, const char *name, const char *reason);

#endif
