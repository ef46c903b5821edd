/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_CTL_CTL_H
#define SERVER_CTL_CTL_H

#include <jansson.h>

#include "server/store/assignments.h"
#include "server/store/bundles.h"
#include "server/store/devices.h"
#include "server/store/events.h"
#include "server/store/folders.h"
#include "server/model/job.h"
#include "server/store/multicasts.h"
#include "server/store/rules.h"
#include "server/store/store.h"

/* What the parts of prebootctl share. */

enum { EXIT_FAULT = 1, EXIT_USAGE = 2 };

/* An option that belongs to some verbs; noun.h says how to add one. */
struct ctl_option {
	const char *name;  /* without the dashes */
	const char *value; /* what its value is called, or may be: "FILE", "bios|uefi"; or NULL */
	const char *about; /* what --help says of it */
};

#define CTL_GIVEN_MAX 64 /* options on one command line */

/* The command line, and the store once it is open. */
struct ctl {
	const char *database;
	bool json;
	bool help;
	struct ctl_given {
		const char *name, *value;
	} given[CTL_GIVEN_MAX]; /* the verbs' options, in their order */
	size_t given_count;
	char **words;       /* what follows the verb */
	int word_count;
	struct store store;
	bool warned_of_tftp; /* what is wrong with the TFTP server's folders has been printed */
};

/** Returns an option's value, the last if there are several; "" without one; NULL: not given. */
const char *ctl_option(const struct ctl *ctl, const struct ctl_option *option);
/** Returns the value at @index, from 0, of an option that may be repeated; NULL past the last. */
const char *ctl_option_at(const struct ctl *ctl, const struct ctl_option *option, size_t index);

/** Says whether an option was given. */
static inline bool ctl_given(const struct ctl *ctl, const struct ctl_option *option)
{
	return ctl_option(ctl, option) != NULL;
}

/* Those that more than one noun's verbs take, in ctl_words.c and ctl_find.c. */
extern const struct ctl_option opt_config, opt_loader_bios, opt_loader_uefi, opt_loader_ia32,
	opt_loader_arm64, opt_prefix;
extern const struct ctl_option opt_attempts, opt_deadline, opt_unset, opt_group, opt_seen;
/* The options that say what a job is; ctl_read_bundle() reads them. */
/* The members of JSON that list loaders, for json_pack()'s "s:s, s:s, s:s, s:s". */
#define CTL_JSON_LOADERS(loaders) \
	"loader_bios", (loaders).of[LOADER_BIOS], "loader_uefi", (loaders).of[LOADER_UEFI], \
	"loader_uefi_ia32", (loaders).of[LOADER_UEFI_IA32], \
	"loader_uefi_arm64", (loaders).of[LOADER_UEFI_ARM64]
#define BUNDLE_OPTIONS &opt_config, &opt_loader_bios, &opt_loader_uefi, &opt_loader_ia32, \
	&opt_loader_arm64, &opt_prefix, \
	&opt_attempts, &opt_deadline

/** Has ctl_error() print JSON from now on, {"error": {"message": ..., "status": ...}}. */
void ctl_errors_as_json(void);
/** Prints "prebootctl: ..." to standard error, as one line; returns @status. */
int ctl_error(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** The same; takes over @errors, an array that JSON has beside "error", as "errors". */
int ctl_error_with(int status, json_t *errors, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/** Reports the store's last failure; returns EXIT_FAULT. */
int ctl_store_error(struct ctl *ctl);

/* --- finding; each returns 0, or an exit status after saying why ------ */

/** Says whether @word is a job's number. */
bool ctl_is_job_number(const char *word);
/** Says whether @word stands for all devices of a folder or group. */
bool ctl_is_set(const char *word);
/**
 * Ends looking for what @word names, and says so if there is no such one.
 * @rc: of the store; @what: "job"; @noun: "job", whose list is to be seen
 */
int ctl_found(struct ctl *ctl, int rc, const char *word, const char *what, const char *noun);
/** Finds the device that @word names: by name, MAC or UUID. */
int ctl_find_device(struct ctl *ctl, const char *word, struct device *device);
/** Finds the job with number @word, or the newest of the device that @word names. */
int ctl_find_job(struct ctl *ctl, const char *word, struct device *device, struct job *job);
/** Reads a number from 1 to @max. @what: the option's name */
int ctl_number(const char *text, const char *what, uint32_t max, uint32_t *number);
/** Reads "90", "90s", "30m", "4h" or "2d" as seconds. */
int ctl_seconds(const char *text, const char *what, uint32_t max, uint32_t *seconds);
#define CTL_SECONDS 24
/** Writes seconds as ctl_seconds() reads them, in the largest unit that fits: "4h", "90s". */
void ctl_seconds_text(uint32_t seconds, char out[CTL_SECONDS]);

/** Finds the folder with this path; 0 for "/". */
int ctl_find_folder(struct ctl *ctl, const char *path, uint64_t *id);
int ctl_find_group(struct ctl *ctl, const char *name, uint64_t *id);
int ctl_find_bundle(struct ctl *ctl, const char *name, struct bundle_whole *bundle);
int ctl_find_rule(struct ctl *ctl, const char *name, struct rule_row *row);
int ctl_find_session(struct ctl *ctl, const char *name, struct multicast_row *row);
/** Finds what "/", a folder's path, "group:NAME" or else a device's name, MAC or UUID names. */
int ctl_find_owner(struct ctl *ctl, const char *word, struct owner *owner);
/**
 * Calls @each for every device that words stand for, those from @first up to @end: a device, all in
 * a folder and below it, all in group:NAME. Word by word, in their order by name, each device once.
 */
int ctl_each_device(struct ctl *ctl, int first, int end,
                    int (*each)(struct ctl *ctl, const struct device *device, void *data),
                    void *data);
/** The same for the members of a multicast session. */
int ctl_each_member(struct ctl *ctl, uint64_t session,
                    int (*each)(struct ctl *ctl, const struct device *device, void *data),
                    void *data);
/** Says whether the words are one that stands for a single device, and not a folder or a group. */
bool ctl_names_one(const struct ctl *ctl);
/** Refuses what may not name a device. */
int ctl_check_device_name(const char *name);
/* --- reading words; each returns likewise ---------------------------------- */

/** Reads the name of a file. @what: the option's name */
int ctl_read_file_name(const char *what, const char *name, char out[FILE_SIZE]);
/** Reads the options that say what a job is into @bundle, and leaves what was not given. */
int ctl_read_bundle(struct ctl *ctl, struct bundle *bundle);
/**
 * Reads the words from @first on as KEY=VALUE: @details, which has those that were there,
 * gets new ones in place of those with the same keys.
 */
int ctl_read_details(struct ctl *ctl, int first, struct details *details);
/** Refuses details that would not fit the answer to an agent. */
int ctl_check_details(const struct bundle *bundle, const struct details *details, bool session);
/** Reads the words from @first on, or if there are none --filter, as one filter. */
int ctl_read_filter(struct ctl *ctl, int first, char out[FILTER_TEXT]);
/**
 * Reads "2026-12-31", "2026-12-31 18:00", or "7d", which is so long ago. @what: the option's name;
 * @end: a day stands for its last second, not for its first
 */
int ctl_read_past(const char *what, const char *text, bool end, int64_t *time);
/** Reads "2026-12-31", which is to its end, "2026-12-31 18:00", or a time from now as "7d". */
int ctl_read_until(const char *text, int64_t *time);

/* --- changing; each returns likewise --------------------------------------- */

/**
 * Evaluates @call, which returns an exit status, in a transaction, and commits that if it is 0. As
 * in CTL_TRANSACTION(ctl, add_bundle(ctl, &bundle)). Evaluates to an exit status.
 */
#define CTL_TRANSACTION(ctl, call) ctl_end((ctl), ctl_begin(ctl) ? EXIT_FAULT : (call))
/** The beginning and the end of CTL_TRANSACTION(); @status: of what was done in it */
int ctl_begin(struct ctl *ctl);
int ctl_end(struct ctl *ctl, int status);

/* What a verb has done to the things that its words name. */
struct ctl_done {
	json_t *values, *sentences; /* arrays, an element for each */
};

/**
 * Calls @change for each of the words before @end, in one transaction, so all are changed or none.
 * Then prints what @change has added: a sentence each, or with --json an object for one word and
 * an array for several. Returns an exit status.
 */
int ctl_change_each(struct ctl *ctl, int end,
                    int (*change)(struct ctl *ctl, const char *word, struct ctl_done *done));
/** Prints that after a transaction, unless @status is not 0, and frees it. Returns @status. */
int ctl_finish_done(struct ctl *ctl, struct ctl_done *done, int status, bool one);
/** Adds what was done, as ctl_say() would print it. Returns 0. */
int ctl_add_done(struct ctl_done *done, json_t *value, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/** The same of a removal: "rule dell removed". */
int ctl_add_removed(struct ctl_done *done, const char *what, const char *name);
/**
 * Calls @show for each word, with a blank line between. Where JSON is wanted @show appends to
 * @array, which is printed: as one object for one word. Returns an exit status.
 */
int ctl_show_each(struct ctl *ctl,
                  int (*show)(struct ctl *ctl, const char *word, json_t *array));

/* A kind of things that have names, each a name of its own. */
struct named {
	const char *what; /* "bundle" */
	int (*find)(struct store *store, const char *name, uint64_t *id); /* the store's */
};

/** Refuses what may not name such a thing, or names another one than @id; 0: than a new one. */
int ctl_check_free_name(struct ctl *ctl, const struct named *named, const char *name, uint64_t id);
/** Adds an event of a device to the event log. */
int ctl_add_event(struct ctl *ctl, uint64_t device, const char *step, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/** Adds an event of the job's device, with the job's number. Returns an ERR_ value. */
int ctl_add_job_event(struct ctl *ctl, const struct job *job, const char *step, const char *reason);
/** Cancels @job, in the transaction that is open. */
int ctl_cancel_job(struct ctl *ctl, struct job *job, const char *reason);
/** "s" or "", as in "3 jobs". */
static inline const char *ctl_plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

/** Prints and frees @value where JSON is wanted, else prints the sentence. Returns 0. */
int ctl_say(struct ctl *ctl, json_t *value, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* --- the files that machines will ask for; ctl_tftp.c ---------------------- */

/**
 * Warns, on standard error, of files that the TFTP server does not have, as far as tftp-root says
 * where its files are: the loaders and the configuration of a job. @what: what names them, "job 7"
 */
void ctl_warn_job(struct ctl *ctl, const char *what, const struct job *job);
/** The same for the job that would be made of a bundle. */
void ctl_warn_bundle_id(struct ctl *ctl, uint64_t id);
/** The same for the files that settings of @owner name. */
void ctl_warn_settings(struct ctl *ctl, const struct owner *owner);
/** Says whether a setting names files, or where they are. */
bool ctl_setting_names_files(const char *key);
/** Says which file a bundle of its kind needs and that nobody ships, where it is not there. */
void ctl_note_kind(struct ctl *ctl, const struct bundle *bundle);
/** Calls @found for each file that bundles, open jobs or settings name and that is not there. */
int ctl_check_files(struct ctl *ctl, void (*found)(void *data, const char *problem,
                                                   const char *remedy), void *data);

/* --- showing --------------------------------------------------------------- */

#define CTL_COLUMNS_MAX 10

#define CTL_OWNER (FOLDER_PATH + 8) /* bytes of what ctl_owner_text() writes */

/** Writes what ctl_find_owner() would find it by. */
void ctl_owner_text(struct ctl *ctl, const struct owner *owner, char out[CTL_OWNER]);
/** Prints a row of text, as "  label    value". */
void ctl_line(const char *label, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A table of text. It owns its cells. */
struct table {
	size_t columns, rows;
	char **cells; /* rows * columns; row 0 is the head */
};

/** Adds a row: one const char * for each of the table's columns. */
void table_add(struct table *table, ...);
/** Prints it, its texts cut to the width of the terminal or of COLUMNS, and frees it. */
void table_print(struct table *table);
/** Frees it. */
void table_free(struct table *table);
/**
 * Ends a verb that lists: prints @table, or @array where JSON is wanted, and frees both.
 * @rc: of the store; where it is not 0 that is reported instead
 * Returns an exit status.
 */
int ctl_answer_list(struct ctl *ctl, int rc, struct table *table, json_t *array);

/** Writes local time as "2026-11-21 17:05:09", or "-" for 0. */
void ctl_time(int64_t time, char *out, size_t size);
/** Writes how long ago @time was: "5 min ago"; "never" for 0. */
void ctl_ago(int64_t time, char *out, size_t size);

/** A bundle, an assignment and so on as JSON. */
json_t *ctl_json_bundle(const struct bundle_whole *bundle);
json_t *ctl_json_assignment(struct ctl *ctl, const struct assignment_row *row);
json_t *ctl_json_rule(const struct rule_row *row);
json_t *ctl_json_multicast(const struct multicast_row *row);
/** Writes to whom it is: as ctl_owner_text() does. */
void ctl_assignment_target(struct ctl *ctl, const struct assignment *assignment,
                           char out[CTL_OWNER]);
/** Writes when it counts: "once", "always", "until 2026-12-31 18:00:00". */
void ctl_assignment_when(const struct assignment *assignment, char *out, size_t size);
/** Lists assignments as "assignment list" does. Returns an exit status. */
int ctl_print_assignments(struct ctl *ctl, const struct assignment_filter *filter);
/** Details as a JSON object. */
json_t *ctl_json_details(const struct details *details);
/** What was set and assigned for @owner itself, as an object with both; and prints it. */
json_t *ctl_json_owned(struct ctl *ctl, const struct owner *owner);
void ctl_print_owned(const json_t *owned);
/** Prints a JSON array of names as lines of text, nothing if there are none. */
void ctl_print_names(const char *label, const json_t *names);

/** Prints @value, and frees it. */
void ctl_print_json(json_t *value);
json_t *ctl_json_time(int64_t time); /* UTC, ISO 8601; null for 0 */
json_t *ctl_json_event(const struct event_record *event, const char *device);
/** All of a job, with its details and offers. NULL after a failure of the store. */
json_t *ctl_json_job(struct ctl *ctl, const struct device *device, const struct job *job);

/* --- what verbs share; each returns 0, or an exit status after saying why */

/** Prints what a request reports of its machine; and the same as JSON. */
void ctl_print_hardware(const struct request *r);
json_t *ctl_json_hardware(const struct request *r);
/** "BIOS", "UEFI" or "unknown". */
const char *ctl_firmware_name(uint64_t firmware);
/** What a device's last request reported, as JSON; null if it never asked. */
json_t *ctl_json_seen(const struct seen *seen);
/**
 * Calls @each for the devices that a list is to have: all devices, or those that the words name,
 * any number of devices, folders and groups; in the group of --group; and with --seen those that
 * have ever asked, the last one first. Returns an exit status.
 */
int ctl_each_listed(struct ctl *ctl,
                    int (*each)(struct ctl *ctl, const struct device *device, void *data),
                    void *data);
/** Writes the path of the folder that a device is in. */
void ctl_device_path(struct ctl *ctl, const struct device *device, char path[FOLDER_PATH]);
/** Reads a device's last request and its newest job, of number 0 if there is none. */
int ctl_gather_device(struct ctl *ctl, const struct device *device, struct seen *seen,
                      struct job *job);
/** A device with both, as JSON. */
json_t *ctl_json_full(struct ctl *ctl, const struct device *device, const struct seen *seen,
                      const struct job *job);
struct unknown;
/** Finds the unknown machine that @word names, by MAC or UUID. Returns 0, or an exit status. */
int ctl_find_unknown(struct ctl *ctl, const char *word, struct unknown *unknown);

/** Warns where another device than @device has its UUID in the other byte order. */
int ctl_warn_other_order(struct ctl *ctl, const struct device *device);

/** A device without its job, as JSON. */
json_t *ctl_json_device(struct ctl *ctl, const struct device *device);
/** Finds the bundle that a job was made of, "" if none, and where it came from: "rule". */
void ctl_origin(struct ctl *ctl, const struct job *job, char bundle[NAME_SIZE],
                const char **source);
/** What people call a job: by its @bundle, if that is not "", or by what it has the loader do. */
const char *ctl_job_name(const char *bundle, const struct job *job);
/** Prints in one line what a job starts on which machines. */
void ctl_print_loaders(const char *indent, const struct job *job);

/** Prints a job as lines of text. */
int ctl_print_job(struct ctl *ctl, const struct job *job, const char *indent);
/** Refuses a step that no event has, and says which may have been meant. */
int ctl_read_step(struct ctl *ctl, const char *step);
/** Prints events as a table. */
int ctl_print_events(struct ctl *ctl, const struct event_query *query);
/** The same as JSON; NULL after a failure of the store. */
json_t *ctl_json_events(struct ctl *ctl, const struct event_query *query);

#endif
