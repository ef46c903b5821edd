/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_CTL_H
#define SERVER_CTL_H

#include <jansson.h>

#include "devices.h"
#include "events.h"
#include "lease.h"
#include "store.h"

/* What the parts of prebootctl share. */

enum { EXIT_FAULT = 1, EXIT_USAGE = 2 };

/* The options that belong to some verb; ctl_options.c has their names. */
enum ctl_option {
	OPT_END, /* of a verb's list */
	OPT_MAC,
	OPT_UUID,
	OPT_ISD,
	OPT_ADDRESS,
	OPT_CONFIG,
	OPT_LOADER_BIOS,
	OPT_LOADER_UEFI,
	OPT_PREFIX,
	OPT_ATTEMPTS,
	OPT_DEADLINE,
	OPT_REPLACE,
	OPT_FORCE,
	OPT_OPEN,
	OPT_LIMIT,
	OPT_BOOT,
	OPT_SECTION,
	OPT_FIRMWARE,
	OPT_STDIN,
	OPT_ITERATIONS,
	OPT_CREATE_FOLDERS,
	OPT_CSV,
	OPT_COUNT,
};

/* The command line, and the store once it is open. */
struct ctl {
	const char *database;
	bool json;
	bool help;
	const char *option[OPT_COUNT]; /* the last value given, "" of one without; NULL: not given */
	const char *macs[DEVICE_MACS_MAX]; /* of OPT_MAC, all of them */
	size_t mac_count;
	char **words;       /* what follows the verb */
	int word_count;
	struct store store;
};

/** Says whether an option was given. */
static inline bool ctl_given(const struct ctl *ctl, enum ctl_option option)
{
	return ctl->option[option] != NULL;
}

/** Prints "prebootctl: ..." to standard error; returns @status. */
int ctl_error(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** Tells of the store's last failure; returns EXIT_FAULT. */
int ctl_store_error(struct ctl *ctl);

/* --- finding; each returns 0, or an exit status after having told why ------ */

/** Finds the device that @word names: by name, MAC or UUID. */
int ctl_find_device(struct ctl *ctl, const char *word, struct device *device);
/** Finds the lease with number @word, or the newest of the device that @word names. */
int ctl_find_work(struct ctl *ctl, const char *word, struct device *device, struct lease *lease);
/** Reads a number from 1 to @most. @what: the option's name */
int ctl_number(const char *text, const char *what, uint32_t most, uint32_t *number);
/** Reads "90", "90s", "30m", "4h" or "2d" as seconds. */
int ctl_seconds(const char *text, const char *what, uint32_t most, uint32_t *seconds);

/* --- showing --------------------------------------------------------------- */

#define CTL_COLUMNS_MAX 8

/* A table of text. It owns its cells. */
struct table {
	size_t columns, rows;
	char **cells; /* rows * columns; row 0 is the head */
};

/** Adds a row: one const char * for each of the table's columns. */
void table_add(struct table *table, ...);
/** Prints it, cut to the terminal's width where there is one, and frees it. */
void table_print(struct table *table);

/** Writes local time as "2026-11-21 17:05:09", or "-" for 0. */
void ctl_time(int64_t time, char *out, size_t size);
/** Writes how long ago @time was: "5 min ago"; "never" for 0. */
void ctl_ago(int64_t time, char *out, size_t size);

/** Prints @value, and frees it. */
void ctl_print_json(json_t *value);
json_t *ctl_json_time(int64_t time); /* UTC, ISO 8601; null for 0 */
json_t *ctl_json_event(const struct happening *event, const char *device);
/** All of a lease, with its details and offers. NULL after a failure of the store. */
json_t *ctl_json_work(struct ctl *ctl, const struct device *device, const struct lease *lease);

/* --- what verbs share; each returns 0, or an exit status after having told why */

/** Stores a step in the story of the lease's device. Returns an ERR_ value. */
int ctl_tell(struct ctl *ctl, const struct lease *lease, const char *step, const char *reason);
/** Cancels @lease, in the transaction that is open. */
int ctl_cancel(struct ctl *ctl, struct lease *lease, const char *reason);
/** Prints @lease as JSON where that is wanted, else @sentence. */
int ctl_answer_work(struct ctl *ctl, const struct device *device, const struct lease *lease,
                    const char *sentence);
/** Prints what a request tells of its machine; and the same as JSON. */
void ctl_print_hardware(const struct request *r);
json_t *ctl_json_hardware(const struct request *r);
/** A device without its work, as JSON. */
json_t *ctl_json_device(struct ctl *ctl, const struct device *device);
/** Prints a lease as lines of text. */
int ctl_print_work(struct ctl *ctl, const struct lease *lease, const char *indent);
/** Prints the last @limit events of a device, 0: of all, as a table. */
int ctl_print_events(struct ctl *ctl, const struct device *device, uint32_t limit);
/** The same as JSON; NULL after a failure of the store. */
json_t *ctl_json_events(struct ctl *ctl, const struct device *device, uint32_t limit);

#endif
