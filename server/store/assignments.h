/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_STORE_ASSIGNMENTS_H
#define SERVER_STORE_ASSIGNMENTS_H

#include "server/model/assignment.h"
#include "server/store/store.h"

/* Functions return 0 or the ERR_ values of store.h. */

/* One as the database has it; the pointer to its bundle is not set. */
struct assignment_row {
	struct assignment assignment;
	uint64_t bundle;
	char bundle_name[NAME_SIZE];
};

/** Stores a new one; sets its id. */
int assignment_add(struct store *store, struct assignment_row *row);
int assignment_by_id(struct store *store, uint64_t id, struct assignment_row *row);
int assignment_remove(struct store *store, uint64_t id);

/* Which ones to list; zeros: all. */
struct assignment_filter {
	uint64_t bundle;
	enum level level; /* with @owner; LEVEL_DEFAULT: any */
	uint64_t owner;
};

/** Starts a list by id; take each with assignment_row(). */
int assignment_list(struct store *store, const struct assignment_filter *filter,
                    struct store_rows **rows);
void assignment_row(struct store_rows *row, struct assignment_row *out);
/** Finds the first of such a list. */
int assignment_find(struct store *store, const struct assignment_filter *filter,
                    struct assignment_row *row);

/* How many jobs an assignment has led to, by state. */
struct assignment_past {
	uint64_t open, done, failed, cancelled;
};

int assignment_past(struct store *store, uint64_t id, struct assignment_past *past);

#endif
