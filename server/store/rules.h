/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_STORE_RULES_H
#define SERVER_STORE_RULES_H

#include "server/model/rule.h"
#include "server/store/store.h"

/* Rules, in their order. Functions return 0 or the ERR_ values of store.h. */

/* One as the database has it; the pointers to its bundle and its filter are not set. */
struct rule_row {
	struct rule rule;
	uint64_t bundle;
	char bundle_name[NAME_SIZE];
	char filter[FILTER_TEXT];
	bool enabled;
	uint32_t position; /* from 1, without a gap */
};

int rule_find(struct store *store, const char *name, struct rule_row *out);
/** Stores a new one behind all others; sets id and position. */
int rule_add(struct store *store, struct rule_row *row);
/** Stores all but the position. */
int rule_change(struct store *store, const struct rule_row *row);
/** Makes it the one at @position, or the last; those from there on follow. In a transaction. */
int rule_move(struct store *store, uint64_t id, uint32_t position);
/** Removes it; those behind move up. In a transaction. */
int rule_remove(struct store *store, uint64_t id);

/** Starts a list in their order; take each with rule_row(). */
int rule_list(struct store *store, struct store_rows **rows);
void rule_row(struct store_rows *row, struct rule_row *out);

#endif
