/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_PERSON_H
#define TESTS_UNIT_PERSON_H

#include "nbp/menu_view.h"
#include "server/ctl/canvas.h"

/*
 * Somebody at a machine: presses keys, waits, looks at the screen. What the
 * screen must be then is in tests/unit/screens/NAME.txt. With WRITE_SCREENS set
 * in the environment these files are written instead; look at what changed.
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
	uint32_t until;       /* what a WAIT waits for; 0: none */
	uint32_t watchdog_at, watchdog_gap;
	size_t watchdog_count;
	uint32_t key_takes;   /* a look at the keys, ms */
	unsigned int forgot;  /* how often typed keys were wiped */
	size_t written;       /* at the key before the last, */
	size_t cost;          /* and what it made the menu write */
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
void start(const char *text, enum firmware_kind firmware);
/** Runs the menu of @text; returns for how long, ms. */
uint32_t run(const char *text, const int *script, const char *const *shots);
/** Asserts what the menu ended with. */
void assert_choice(enum menu_action action, const char *name, const char *reason);

#endif
