/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_STORE_FAULTS_H
#define SERVER_STORE_FAULTS_H

#include "server/store/store.h"

/* What should not be in a database and SQL can find. Functions return 0, whatever they found, or
 * the ERR_ values of store.h. */

/** Takes one fault: a problem and its remedy, a sentence each, for people. */
typedef void store_fault(void *data, const char *problem, const char *remedy);

/** Reports tables, indexes and triggers that are not what this version makes. */
int store_schema_faults(struct store *store, store_fault *found, void *data);

/** Reports rows that do not go together, or that prebootd cannot use. */
int store_row_faults(struct store *store, store_fault *found, void *data);

#endif
