/* SPDX-License-Identifier: BSD-2-Clause */
#include "settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "platform.h"
#include "text.h"

#define WAIT_MAX  60000 /* ms */
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

static int parse_number(const char *text, unsigned long most, uint16_t *out)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || errno || value > most)
		return ERR_MALFORMED;
	*out = (uint16_t)value;
	return 0;
}

/* --- the settings ---------------------------------------------------------- */

enum { MENU_MODE, HOT_KEY, HOT_KEY_WAIT, MENU_FILE, LOCAL_BIOS, LOCAL_UEFI, VALID_FOR, COUNT };

/* The database holds the keys and values, so they must not change. */
static const struct {
	const char *key, *otherwise, *takes;
} table[COUNT] = {
	[MENU_MODE] = { "menu-mode", "never", "never, always or hotkey" },
	[HOT_KEY] = { "hot-key", "ctrl+alt", "shift, ctrl and alt with \"+\" between them, as in "
	              "ctrl+alt; or a key: one character, enter, escape, space, tab or "
	              "backspace" },
	[HOT_KEY_WAIT] = { "hot-key-wait", "3000", "milliseconds, from 0 to 60000" },
	[MENU_FILE] = { "menu-file", "pxemenu.txt", "a file name: 1 to 127 of the characters A-Z "
	                "a-z 0-9 . _ - /, without a \"..\"" },
	[LOCAL_BIOS] = { "local-boot-bios", "default", "default, return, int18 or mbr" },
	[LOCAL_UEFI] = { "local-boot-uefi", "default", "default, exit, entry or bootnext" },
	[VALID_FOR] = { "answer-validity", "60", "seconds, from 0 to 65535; 0: the whole boot" },
};

const char *setting_key(size_t index)
{
	return index < COUNT ? table[index].key : NULL;
}

int setting_find(const char *key)
{
	for (int i = 0; i < COUNT; i++)
		if (strcmp(table[i].key, key) == 0)
			return i;
	return -1;
}

const char *setting_takes(size_t index)
{
	return table[index].takes;
}

const char *setting_default(size_t index)
{
	return table[index].otherwise;
}

int setting_parse(size_t index, const char *text, struct settings *settings)
{
	switch (index) {
	case MENU_MODE: return parse_word(menu_modes, text, &settings->menu_mode);
	case HOT_KEY: return parse_hot_key(text, &settings->hot_key);
	case HOT_KEY_WAIT: return parse_number(text, WAIT_MAX, &settings->hot_key_wait);
	case LOCAL_BIOS: return parse_word(bios_methods, text, &settings->local_boot_bios);
	case LOCAL_UEFI: return parse_word(uefi_methods, text, &settings->local_boot_uefi);
	case VALID_FOR: return parse_number(text, VALID_MAX, &settings->valid_for);
	default:
		if (!file_name_ok(text))
			return ERR_MALFORMED;
		text_format(settings->menu_file, sizeof(settings->menu_file), "%s", text);
		return 0;
	}
}

void settings_answer(const struct settings *settings, uint8_t firmware, struct answer *answer)
{
	answer->menu_mode = settings->menu_mode;
	answer->hot_key = settings->hot_key;
	answer->hot_key_wait = settings->hot_key_wait;
	answer->valid_for = settings->valid_for;
	answer->local_boot = firmware == FIRMWARE_UEFI ? settings->local_boot_uefi
	                                               : settings->local_boot_bios;
	/* What the NBP takes anyhow need not be said. */
	if (strcmp(settings->menu_file, table[MENU_FILE].otherwise) != 0)
		text_format(answer->menu_file, sizeof(answer->menu_file), "%s",
		            settings->menu_file);
}

/* --- the store ------------------------------------------------------------- */

static const char *level_name(uint64_t device)
{
	return device ? "device" : "zone";
}

int settings_read(struct store *store, uint64_t device, struct settings *settings)
{
	/* The zone's come first, so that the device's overwrite them. */
	static const char sql[] =
		"SELECT key, value FROM setting WHERE level = 'zone' AND owner = 0 UNION ALL"
		" SELECT key, value FROM setting WHERE level = 'device' AND owner = ?";
	char key[32], value[SETTING_TEXT];
	sqlite3_stmt *rows;
	int rc = store_start(store, &rows, sql, "i", (int64_t)device);

	memset(settings, 0, sizeof(*settings));
	for (size_t i = 0; i < COUNT; i++)
		setting_parse(i, table[i].otherwise, settings);
	while (rc == 0 && (rc = store_step(store, rows)) == 1) {
		int index;

		store_text(rows, 0, key, sizeof(key));
		store_text(rows, 1, value, sizeof(value));
		index = setting_find(key);
		/* A value that another version understands leaves what was there. */
		if (index >= 0)
			setting_parse((size_t)index, value, settings);
		rc = 0;
	}
	return rc;
}

int setting_read(struct store *store, uint64_t device, size_t index, char value[SETTING_TEXT],
                 enum level *from)
{
	static const char sql[] =
		"SELECT value FROM setting WHERE level = ? AND owner = ? AND key = ?";
	sqlite3_stmt *row;

	for (int level = device ? LEVEL_DEVICE : LEVEL_ZONE; level > LEVEL_DEFAULT;
	     level = level == LEVEL_DEVICE ? LEVEL_ZONE : LEVEL_DEFAULT) {
		uint64_t owner = level == LEVEL_DEVICE ? device : 0;
		int rc = store_start(store, &row, sql, "tit", level_name(owner), (int64_t)owner,
		                     table[index].key);

		if (rc || (rc = store_step(store, row)) < 0)
			return rc;
		if (rc == 0)
			continue;
		store_text(row, 0, value, SETTING_TEXT);
		store_end(row);
		*from = (enum level)level;
		return 0;
	}
	text_format(value, SETTING_TEXT, "%s", table[index].otherwise);
	*from = LEVEL_DEFAULT;
	return 0;
}

int setting_write(struct store *store, uint64_t device, size_t index, const char *value)
{
	static const char set[] = "INSERT OR REPLACE INTO setting VALUES (?, ?, ?, ?)";
	static const char unset[] =
		"DELETE FROM setting WHERE level = ? AND owner = ? AND key = ?";
	int rc;

	if (value)
		return store_run(store, set, "titt", level_name(device), (int64_t)device,
		                 table[index].key, value);
	rc = store_run(store, unset, "tit", level_name(device), (int64_t)device, table[index].key);
	if (rc == 0 && sqlite3_changes(store->db) == 0)
		rc = ERR_NOT_FOUND;
	return rc;
}
