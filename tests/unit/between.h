/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_BETWEEN_H
#define TESTS_UNIT_BETWEEN_H

#include "tests/unit/site.h"

/* Another program, and what it commits just before the writer does. */

struct between {
	sqlite3 *db;
	const char *sql; /* NULL: it was, or there is none */
	unsigned begun;  /* transactions of the writer that write */
	unsigned again;  /* so many more times, and before transactions that read, too */
};

/** Opens the database once more. */
sqlite3 *other_program(const struct bench *bench);
/** Runs statements, which must succeed. */
void between_run(sqlite3 *db, const char *sql);
/** Has another program run @sql just before the writer's next transaction that writes. */
void watch(struct bench *bench, struct between *between, const char *sql);
void stop_watching(struct bench *bench, struct between *between);
/** Slot @slot must hold details. */
void assert_details(const struct bench *bench, size_t slot);

#endif
