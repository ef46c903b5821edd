/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_STORE_STORE_UPGRADE_H
#define SERVER_STORE_STORE_UPGRADE_H

struct sqlite3;

/**
 * Brings a database, also an empty one, from the version that it has to STORE_VERSION, in one
 * transaction. Nothing is changed where they fail.
 * Returns SQLITE_OK or another code; then sqlite3_errmsg() says more.
 */
int store_upgrade(struct sqlite3 *db);

#endif
