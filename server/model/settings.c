/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/model/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/model/job.h"

#define WAIT_MAX  60000 /* ms */
#define TIME_MAX  JOB_DEADLINE_MAX
#define LIMIT_MAX 1000000
#define VALID_MAX 65535 /* s: the field has two bytes */

/* --- values ---------------------------------------------------------------- */

struct word {
	const char *text;
	uint8_t value;
};

static const struct word menu_modes[] = {
	{ "never", MENU_NEVER }, { "always", MENU_ALWAYS }, { "hotkey", MENU_HOT_KEY }, { NULL, 0 },
};
static const struct word bios_methods[] = {
	{ "default", LOCAL_BOOT_DEFAULT }, { "return", LOCAL_BOOT_RETURN },
	{ "int18", LOCAL_BOOT_INT18 }, { "mbr", LOCAL_BOOT_MBR }, { NULL, 0 },
};
static const struct word uefi_methods[] = {
	{ "default", LOCAL_BOOT_DEFAULT }, { "exit", LOCAL_BOOT_EXIT },
	{ "entry", LOCAL_BOOT_ENTRY }, { "bootnext", LOCAL_BOOT_BOOTNEXT }, { NULL, 0 },
};
static const struct word yes_or_no[] = { { "no", 0 }, { "yes", 1 }, { NULL, 0 } };
static const struct word chords[] = {
	{ "shift", SHIFT_SHIFT }, { "ctrl", SHIFT_CTRL }, { "alt", SHIFT_ALT }, { NULL, 0 },
};
static const struct word keys[] = {
	{ "backspace", KEY_BACKSPACE }, { "tab", '\t' }, { "enter", KEY_ENTER },
	{ "escape", KEY_ESCAPE }, { "space", ' ' }, { NULL, 0 },
};

static const struct word *find_word(const struct word *words, const char *text, size_t length)
{
	for (; words->text; words++)
		if (strlen(words->text) == length && strncmp(words->text, text, length) == 0)
			return words;
	return NULL;
}

static int parse_word(const struct word *words, const char *text, uint8_t *out)
{
	const struct word *word = find_word(words, text, strlen(text));

	if (!word)
		return ERR_MALFORMED;
	*out = word->value;
	return 0;
}

/* A chord as "ctrl+alt", a named key, or the key itself: one character. */
static int parse_hot_key(const char *text, uint8_t *out)
{
	uint8_t bits = 0;

	if (parse_word(keys, text, out) == 0)
		return 0;
	if (text[0] > ' ' && text[0] < 0x7f && !text[1]) {
		*out = (uint8_t)text[0];
		return 0;
	}
	for (;;) {
		size_t length = strcspn(text, "+");
		const struct word *word = find_word(chords, text, length);

		if (!word || bits & word->value)
			return ERR_MALFORMED;
		bits |= word->value;
		if (!text[length])
			break;
		text += length + 1;
	}
	*out = bits == (SHIFT_CTRL | SHIFT_ALT) ? MENU_KEY_DEFAULT : MENU_KEY_CHORD | bits;
	return 0;
}

/* Reads digits. *@end: receives what follows them */
static int parse_digits(const char *text, unsigned long max, unsigned long *out, char **end)
{
	errno = 0;
	*out = strtoul(text, end, 10);
	return text[0] < '0' || text[0] > '9' || errno || *out > max ? ERR_MALFORMED : 0;
}

static int parse_number(const char *text, unsigned long max, uint16_t *out)
{
	unsigned long value;
	char *end;

	if (parse_digits(text, max, &value, &end) || *end)
		return ERR_MALFORMED;
	*out = (uint16_t)value;
	return 0;
}

static int parse_attempts(const char *text, uint32_t *out)
{
	uint16_t value;

	if (parse_number(text, JOB_ATTEMPTS_MAX, &value) || value == 0)
		return ERR_MALFORMED;
	*out = value;
	return 0;
}

static int parse_limit(const char *text, uint32_t *out)
{
	unsigned long value;
	char *end;

	if (parse_digits(text, LIMIT_MAX, &value, &end) || *end)
		return ERR_MALFORMED;
	*out = (uint32_t)value;
	return 0;
}

/* Seconds, or as in 90s, 30m, 4h and 1d. */
static int parse_time(const char *text, uint32_t *out)
{
	static const struct {
		const char *unit;
		unsigned long seconds;
	} units[] = { { "", 1 }, { "s", 1 }, { "m", 60 }, { "h", 3600 }, { "d", 86400 } };
	unsigned long value;
	char *end;

	if (parse_digits(text, TIME_MAX, &value, &end) || value == 0)
		return ERR_MALFORMED;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].unit) != 0)
			continue;
		if (value > TIME_MAX / units[i].seconds)
			return ERR_MALFORMED;
		*out = (uint32_t)(value * units[i].seconds);
		return 0;
	}
	return ERR_MALFORMED;
}

static int parse_file(const char *text, char out[FILE_SIZE])
{
	if (!message_file_name_ok(text))
		return ERR_MALFORMED;
	text_format(out, FILE_SIZE, "%s", text);
	return 0;
}

/* Reads one MAC or prefix: pairs of digits, with ":", "-" or nothing between them. */
static int parse_prefix(const char *text, size_t length, struct mac_prefix *prefix)
{
	char digits[13];
	size_t count = 0;

	memset(prefix, 0, sizeof(*prefix));
	for (size_t i = 0; i < length; i++) {
		if (text[i] == ':' || text[i] == '-')
			continue;
		if (count == 12 || !strchr("0123456789abcdefABCDEF", text[i]))
			return ERR_MALFORMED;
		digits[count++] = text[i];
	}
	if (count < 6 || count % 2)
		return ERR_MALFORMED;
	prefix->length = (uint8_t)(count / 2);
	for (size_t i = 0; i < prefix->length; i++)
		prefix->bytes[i] = (uint8_t)strtoul((char[]){ digits[2 * i], digits[2 * i + 1], 0 },
		                                    NULL, 16);
	return 0;
}

int shared_macs_parse(const char *text, struct mac_prefix prefixes[SHARED_MACS_MAX], size_t *count)
{
	*count = 0;
	if (!text[0])
		return 0;
	for (;;) {
		size_t length = strcspn(text, ",");

		if (*count == SHARED_MACS_MAX ||
		    parse_prefix(text, length, &prefixes[(*count)++]))
			return ERR_MALFORMED;
		if (!text[length])
			return 0;
		text += length + 1;
	}
}

/* --- the settings ---------------------------------------------------------- */

enum {
	MENU_MODE, HOT_KEY, HOT_KEY_WAIT, MENU_FILE, LOCAL_BIOS, LOCAL_UEFI, VALID_FOR, BIOS_LOADER,
	UEFI_LOADER, IA32_LOADER, ARM64_LOADER, ATTEMPTS, DEADLINE, JOB_BY_MAC, TFTP_MULTICAST,
	/* for global only: */ ADMIT_UNKNOWN, ADMIT_LIMIT, KEEP_EVENTS, KEEP_JOB, KEEP_AUDIT, TFTP_ROOT, TFTP_FOLDER,
	MACS_SHARED, COUNT
};

#define A_FILE "a file name: 1 to 127 of the characters A-Z a-z 0-9 . _ - /, without a \"..\""

/* The database holds the keys and values, so they must not change. */
static const struct {
	const char *key, *initial, *takes;
} table[COUNT] = {
	[MENU_MODE] = { "menu-mode", "never", "never, always or hotkey" },
	[HOT_KEY] = { "hot-key", "ctrl+alt", "shift, ctrl and alt with \"+\" between them, as in "
	              "ctrl+alt; or a key: one character, enter, escape, space, tab or "
	              "backspace" },
	[HOT_KEY_WAIT] = { "hot-key-wait", "3000", "milliseconds, from 0 to 60000" },
	[MENU_FILE] = { "menu-file", "pxemenu.txt", A_FILE },
	[LOCAL_BIOS] = { "local-boot-bios", "default", "default, return, int18 or mbr" },
	[LOCAL_UEFI] = { "local-boot-uefi", "default", "default, exit, entry or bootnext" },
	[VALID_FOR] = { "answer-validity", "60", "seconds, from 0 to 65535; 0: the whole boot" },
	/* In the order of enum loader_kind. */
	[BIOS_LOADER] = { "loader-bios", "pxelinux.0", A_FILE },
	[UEFI_LOADER] = { "loader-uefi", "syslinux.efi", A_FILE },
	[IA32_LOADER] = { "loader-uefi-ia32", "syslinux32.efi", A_FILE },
	[ARM64_LOADER] = { "loader-uefi-arm64", "grubnetaa64.efi", A_FILE },
	[ATTEMPTS] = { "attempts", "3", "a number from 1 to 100" },
	[DEADLINE] = { "deadline", "4h", "a time up to 366 days, as in 90s, 30m, 4h or 1d" },
	[JOB_BY_MAC] = { "job-by-mac", "no", "yes or no" },
	[TFTP_MULTICAST] = { "tftp-multicast", "no", "yes or no" },
	[ADMIT_UNKNOWN] = { "admit-unknown", "no", "yes or no" },
	[ADMIT_LIMIT] = { "admit-limit", "10000", "a number from 0 to 1000000" },
	[KEEP_JOB] = { "keep-jobs", "366d", "a time up to 366 days, as in 12h or 30d" },
	[KEEP_EVENTS] = { "keep-events", "90d", "a time up to 366 days, as in 12h or 30d" },
	[KEEP_AUDIT] = { "keep-audit", "366d", "a time up to 366 days, as in 12h or 30d" },
	/* These two are prebootctl's: it looks there for the files that work names. */
	[TFTP_ROOT] = { SETTING_TFTP_ROOT, "", "the TFTP server's root as a path on this host, as "
	                "in /srv/tftp, of at most 127 characters; or nothing" },
	[TFTP_FOLDER] = { SETTING_TFTP_FOLDER, "", "the folder of the NBPs in the TFTP server's "
	                  "root, as in boot; or nothing, where they are in the root itself" },
	[MACS_SHARED] = { SHARED_MACS, "", "MAC addresses or their first 3 to 5 bytes, with commas "
	                  "between them, as in 00:50:b6,52:54:00:12:34:56" },
};

/* The words of settings that take one of a few. */
static const struct word *const table_words[COUNT] = {
	[MENU_MODE] = menu_modes,
	[LOCAL_BIOS] = bios_methods,
	[LOCAL_UEFI] = uefi_methods,
	[JOB_BY_MAC] = yes_or_no,
	[TFTP_MULTICAST] = yes_or_no,
	[ADMIT_UNKNOWN] = yes_or_no,
};

const char *setting_key(size_t index)
{
	return index < COUNT ? table[index].key : NULL;
}

int setting_find(const char *key)
{
	/* Development snapshots had these keys; data files and scripts may have them still. */
	if (strcmp(key, "work-by-mac") == 0)
		return JOB_BY_MAC;
	if (strcmp(key, "keep-work") == 0)
		return KEEP_JOB;
	for (int i = 0; i < COUNT; i++)
		if (strcmp(table[i].key, key) == 0)
			return i;
	return -1;
}

const char *setting_takes(size_t index)
{
	return table[index].takes;
}

const char *setting_word(size_t index, size_t at)
{
	const struct word *word = table_words[index];

	while (word && word->text && at--)
		word++;
	return word ? word->text : NULL;
}

const char *setting_default(size_t index)
{
	return table[index].initial;
}

/* An absolute path, or nothing. */
static int check_path(const char *text)
{
	return text[0] && (text[0] != '/' || strlen(text) >= FILE_SIZE || !text_ok(text))
	       ? ERR_MALFORMED : 0;
}

int setting_parse(size_t index, const char *text, struct settings *settings)
{
	struct mac_prefix unused[SHARED_MACS_MAX];
	size_t count;

	switch (index) {
	case MENU_MODE: return parse_word(table_words[MENU_MODE], text, &settings->menu_mode);
	case HOT_KEY: return parse_hot_key(text, &settings->hot_key);
	case HOT_KEY_WAIT: return parse_number(text, WAIT_MAX, &settings->hot_key_wait);
	case LOCAL_BIOS: return parse_word(table_words[LOCAL_BIOS], text,
	                                   &settings->local_boot_bios);
	case LOCAL_UEFI: return parse_word(table_words[LOCAL_UEFI], text,
	                                   &settings->local_boot_uefi);
	case VALID_FOR: return parse_number(text, VALID_MAX, &settings->valid_for);
	case MENU_FILE: return parse_file(text, settings->menu_file);
	case BIOS_LOADER:
	case UEFI_LOADER:
	case IA32_LOADER:
	case ARM64_LOADER: return parse_file(text, settings->loaders.of[index - BIOS_LOADER]);
	case ATTEMPTS: return parse_attempts(text, &settings->attempts);
	case DEADLINE: return parse_time(text, &settings->deadline);
	case JOB_BY_MAC: return parse_word(table_words[JOB_BY_MAC], text, &settings->job_by_mac);
	case TFTP_MULTICAST: return parse_word(table_words[TFTP_MULTICAST], text,
	                                       &settings->tftp_multicast);
	case ADMIT_UNKNOWN: return parse_word(table_words[ADMIT_UNKNOWN], text,
	                                      &settings->admit_unknown);
	case ADMIT_LIMIT: return parse_limit(text, &settings->admit_limit);
	case KEEP_JOB: return parse_time(text, &settings->keep_job);
	case KEEP_EVENTS: return parse_time(text, &settings->keep_events);
	case KEEP_AUDIT: return parse_time(text, &settings->keep_audit);
	case TFTP_ROOT: return check_path(text);
	case TFTP_FOLDER: return text[0] && !message_file_name_ok(text) ? ERR_MALFORMED : 0;
	case MACS_SHARED: return shared_macs_parse(text, unused, &count);
	default: return ERR_MALFORMED;
	}
}

bool setting_at(size_t index, enum level level)
{
	switch (level) {
	case LEVEL_GLOBAL: return true;
	case LEVEL_FOLDER:
	case LEVEL_DEVICE: return index < ADMIT_UNKNOWN;
	default: return false;
	}
}

void settings_default(struct settings *settings)
{
	memset(settings, 0, sizeof(*settings));
	for (size_t i = 0; i < COUNT; i++)
		setting_parse(i, table[i].initial, settings);
}

void settings_answer(const struct settings *settings, uint8_t firmware, struct answer *answer)
{
	answer->menu_mode = settings->menu_mode;
	answer->hot_key = settings->hot_key;
	answer->hot_key_wait = settings->hot_key_wait;
	answer->valid_for = settings->valid_for;
	answer->tftp_multicast = settings->tftp_multicast;
	answer->local_boot = firmware == FIRMWARE_UEFI ? settings->local_boot_uefi
	                                               : settings->local_boot_bios;
	/* What the NBP takes anyhow need not be said. */
	if (strcmp(settings->menu_file, table[MENU_FILE].initial) != 0)
		text_format(answer->menu_file, sizeof(answer->menu_file), "%s",
		            settings->menu_file);
}
