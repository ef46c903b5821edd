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

#endif
