/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_MODEL_SETTINGS_H
#define SERVER_MODEL_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nbp/proto/message.h"
#include "server/model/loader.h"
#include "server/model/owner.h"

/*
 * What policy says beside jobs: menu, hot key, local boot; and what jobs take that do not say
 * it themselves. A value is set globally, for all machines, unknown ones too, for a folder with
 * those in it, or for one device; the nearest counts, and where there is none, the built-in one.
 */

struct settings {
	uint8_t menu_mode;       /* enum menu_mode */
	uint8_t hot_key;         /* as struct answer's */
	uint16_t hot_key_wait;   /* ms */
	uint8_t local_boot_bios; /* enum local_boot */
	uint8_t local_boot_uefi;
	uint16_t valid_for;      /* seconds */
	char menu_file[FILE_SIZE];
	struct loaders loaders;
	uint32_t attempts;       /* as struct job's */
	uint32_t deadline;
	uint8_t job_by_mac;     /* 1: also for a machine that reports no UUID, where the device has
	                           one */
	uint8_t tftp_multicast;  /* 1: UEFI machines ask for loader and menu by multicast */
	uint8_t admit_unknown;   /* 1: unknown machines become devices */
	uint32_t admit_limit;    /* how many of them there may be */
	uint32_t keep_job;      /* seconds, of what has ended */
	uint32_t keep_events;    /* seconds; and unknown machines for as long */
	uint32_t keep_audit;     /* seconds */
};

#define SETTING_TEXT 1024 /* holds any value as text */

#define SHARED_MACS_MAX 96

/* A MAC address that belongs to no machine, or all that begin so. */
struct mac_prefix {
	uint8_t bytes[6];
	uint8_t length;
};

/** Reads the value of shared-macs. Returns 0 or ERR_MALFORMED. */
int shared_macs_parse(const char *text, struct mac_prefix prefixes[SHARED_MACS_MAX], size_t *count);

#define SHARED_MACS "shared-macs" /* that setting's key; prebootd has its value in struct catalog */

/* Keys of those that only tools ask for. */
#define SETTING_TFTP_ROOT   "tftp-root"
#define SETTING_TFTP_FOLDER "tftp-folder"

/** Returns the key of the setting at @index, from 0, or NULL past the last. */
const char *setting_key(size_t index);
/** Finds a setting by its key, or by one that it had before. Returns its index, or -1. */
int setting_find(const char *key);
/** Says, in static memory, what a setting takes. */
const char *setting_takes(size_t index);
/** Returns the word at @at, from 0, of those that a setting takes; NULL past the last. */
const char *setting_word(size_t index, size_t at);
/** Returns the value that is built in. */
const char *setting_default(size_t index);

/**
 * Sets one of @settings from text, as setting_default() and the store have it.
 * Returns 0 or ERR_MALFORMED; then @settings is unchanged.
 */
int setting_parse(size_t index, const char *text, struct settings *settings);

/** Makes @settings what is built in. */
void settings_default(struct settings *settings);

/** Says whether a setting may be set at @level. */
bool setting_at(size_t index, enum level level);

/** Writes into @answer what counts for a machine with @firmware. */
void settings_answer(const struct settings *settings, uint8_t firmware, struct answer *answer);

#endif
