/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_MENU_SAMPLE_H
#define TESTS_UNIT_MENU_SAMPLE_H

/* What the tests' menus are made of. */

#define MAIN "[Main]\noption=exit;x\n"
/* The hash of "secret". */
#define HASH \
	"$pbkdf2-sha256$1000$MDEyMzQ1Njc4OWFiY2RlZg$tiKWHy4FAGCWE8gn6GtKhaxD2OeeAUUWXFT/p1aaNl8"

#endif
