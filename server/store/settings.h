/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_STORE_SETTINGS_H
#define SERVER_STORE_SETTINGS_H

#include "server/model/settings.h"
#include "server/store/store.h"

/* Where settings are kept. Functions return 0 or the ERR_ values of store.h. */

/**
 * Reads what counts for @owner, which is of any level but LEVEL_GROUP; what counts globally
 * also does for unknown machines.
 */
int settings_read(struct store *store, const struct owner *owner,
                  struct settings *settings);

/**
 * Reads one value that counts for @owner.
 * @from: receives where it is set; LEVEL_DEFAULT: it is the one built in
 */
int setting_read(struct store *store, const struct owner *owner, size_t index,
                 char value[SETTING_TEXT], struct owner *from);

/**
 * Sets a value that setting_parse() and setting_at() allow; NULL removes it.
 * ERR_NOT_FOUND: none is set there.
 */
int setting_write(struct store *store, const struct owner *owner, size_t index,
                  const char *value);

/** Starts a list of the folders and devices at which a setting of files or the menu's mode is
 *  set. */
int setting_list_file_owners(struct store *store, struct store_rows **rows);
void setting_owner_row(struct store_rows *row, struct owner *owner);

/** Says whether global's shared-macs name @mac, so that it identifies nobody. */
int setting_is_shared_mac(struct store *store, const uint8_t mac[6], bool *shared);

#endif
