/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_SETTINGS_H
#define SERVER_SETTINGS_H

#include "devices.h"
#include "store.h"

/*
 * What policy says beside the work: menu, hot key, local boot. A value is set for
 * the zone, which is all machines, unknown ones too, or for one device; the
 * nearest counts, and where there is none, what is built in.
 */

struct settings {
	uint8_t menu_mode;       /* enum menu_mode */
	uint8_t hot_key;         /* as struct answer's */
	uint16_t hot_key_wait;   /* ms */
	uint8_t local_boot_bios; /* enum local_boot */
	uint8_t local_boot_uefi;
	uint16_t valid_for;      /* seconds */
	char menu_file[FILE_SIZE];
};

#define SETTING_TEXT FILE_SIZE /* holds any value as text */

/** Returns the key of the setting at @index, from 0, or NULL behind the last. */
const char *setting_key(size_t index);
/** Finds a setting by its key. Returns its index, or -1. */
int setting_find(const char *key);
/** Says, in static memory, what a setting takes. */
const char *setting_takes(size_t index);
/** Returns the value that is built in. */
const char *setting_default(size_t index);

/**
 * Sets one of @settings from text, as setting_default() and the store have it.
 * Returns 0 or ERR_MALFORMED; then @settings is unchanged.
 */
int setting_parse(size_t index, const char *text, struct settings *settings);

/* The levels at which things are kept, the nearer the higher; settings are not at groups. */
enum level { LEVEL_DEFAULT, LEVEL_ZONE, LEVEL_FOLDER, LEVEL_GROUP, LEVEL_DEVICE };

/** Reads what counts for @device, 0: for unknown ones. */
int settings_read(struct store *store, uint64_t device, struct settings *settings);

/**
 * Reads one value and where it comes from. Functions return 0 or the ERR_ values
 * of store.h.
 */
int setting_read(struct store *store, uint64_t device, size_t index, char value[SETTING_TEXT],
                 enum level *from);
/** Sets a value for @device, 0: for the zone; NULL takes it away. ERR_NOT_FOUND: none there. */
int setting_write(struct store *store, uint64_t device, size_t index, const char *value);

/** Writes into @answer what counts for a machine with @firmware. */
void settings_answer(const struct settings *settings, uint8_t firmware, struct answer *answer);

#endif
