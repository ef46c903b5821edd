/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_STORE_AUDIT_TRIGGERS_H
#define SERVER_STORE_AUDIT_TRIGGERS_H

#include "server/store/store_rows.h"

/**
 * For store.c: makes the triggers that write the audit trail, and the table that audit_settle()
 * works in, unless they are there: programs that only read need not wait for them. Returns 0 or the
 * ERR_ values of store.h.
 */
int audit_add_triggers(struct store *store);

#endif
