/* SPDX-License-Identifier: BSD-2-Clause */
#include "nbp/menu_read.h"

#include "nbp/menu_text.h"
#include "nbp/proto/message.h"
#include "nbp/proto/password.h"
#include "nbp/proto/text.h"

/* In the order of enum menu_kind, menu_part, colour and key. */
static const char kinds[] = "execute\0submenu\0return\0exit\0auto\0reboot\0poweroff\0";
static const char parts[] = "screen\0title\0entries\0chosen\0description\0";
static const char colours[] = "black\0blue\0green\0cyan\0red\0magenta\0brown\0white\0";
static const char keys[] = "option\0title\0password\0default\0timeout\0colour\0color\0";

enum { KEY_OPTION, KEY_TITLE, KEY_PASSWORD, KEY_DEFAULT, KEY_TIMEOUT, KEY_COLOUR, KEY_COLOR };

void menu_fail(struct parser *parser, const uint8_t *where, const char *message)
{
	const uint8_t *c = (const uint8_t *)parser->menu->text;
	struct menu_error *error = &parser->errors[parser->count];

	if (parser->count == parser->capacity)
		return;
	*error = (struct menu_error){ 1, 1, message };
	for (; c < where; c++) {
		error->column++;
		if (*c == '\n') {
			error->line++;
			error->column = 1;
		}
	}
	parser->count++;
}

static uint16_t offset_of(const struct menu *menu, struct span span)
{
	return (uint16_t)(span.data - (const uint8_t *)menu->text);
}

static void check_text(struct parser *parser, struct span text, size_t most, const char *message)
{
	if (text.length == 0 || text.length > most)
		menu_fail(parser, text.data, message);
}

static void check_file(struct parser *parser, struct span name)
{
	char text[FILE_SIZE];

	text_clean(text, sizeof(text), name.data, name.length);
	if (name.length && (name.length >= sizeof(text) || !file_name_ok(text)))
		menu_fail(parser, name.data, "a file name of letters, digits and ._-/");
}

static void check_password(struct parser *parser, struct span text)
{
	struct password_hash hash;

	if (text.data && password_hash_read(text, &hash) != 0)
		menu_fail(parser, text.data, "a hash by \"prebootctl menu passwd\"");
}

/* --- lines ----------------------------------------------------------------- */

static void read_section(struct parser *parser, struct span line)
{
	struct menu *menu = parser->menu;
	struct menu_section *section = &menu->sections[menu->section_count];
	struct span name = { line.data + 1, line.length - 1 };
	const char *message = NULL;

	if (name.length)
		name.length--; /* the closing bracket */
	name = trim(name);
	if (line.data[line.length - 1] != ']' || name.length - 1 >= MENU_SECTION_SIZE)
		message = "[name], of 1 to 32 characters";
	else if (menu_find(menu, name) >= 0)
		message = "a section's name that is new";
	else if (menu->section_count == MENU_SECTIONS_MAX)
		message = "at most 16 sections";
	parser->skipping = message;
	if (message) {
		menu_fail(parser, line.data, message);
		return;
	}
	*section = (struct menu_section){ .name = offset_of(menu, name) };
	if (parser->section)
		section->first = parser->section->first + parser->section->count;
	parser->section = section;
	menu->section_count++;
}

static void check_execute(struct parser *parser, const struct menu_entry *entry,
                          const struct fields *fields)
{
	struct span bios = menu_loader(parser->menu, entry, FIRMWARE_BIOS);
	struct span uefi = menu_loader(parser->menu, entry, FIRMWARE_UEFI);

	if (bios.length + uefi.length == 0)
		menu_fail(parser, fields->at[FIELD_LOADER].data, "a loader");
	check_file(parser, bios);
	check_file(parser, uefi);
	check_file(parser, fields->at[FIELD_CONFIG]);
	check_file(parser, fields->at[FIELD_PREFIX]);
	if (fields->at[FIELD_LOADER].length + fields->at[FIELD_CONFIG].length == 0)
		menu_fail(parser, fields->at[FIELD_CONFIG].data, "a configuration file");
}

static void read_option(struct parser *parser, struct span value)
{
	static const uint8_t fields_of[] = { 6, 4, 3, 3, 3, 3, 3 };
	struct menu_section *section = parser->section;
	struct menu_entry *entry = &parser->menu->entries[section->first + section->count];
	struct fields fields;
	int kind;

	if (section->count == MENU_ENTRIES_MAX) {
		menu_fail(parser, value.data, "at most 64 options in a section");
		return;
	}
	section->count++;
	split(value, &fields);
	kind = index_of(fields.at[0], kinds);
	*entry = (struct menu_entry){ offset_of(parser->menu, value), (uint8_t)kind, NOWHERE };
	if (kind < 0) {
		menu_fail(parser, value.data,
		     "execute, submenu, return, exit, auto, reboot or poweroff");
		return;
	}
	if (fields.count > fields_of[kind])
		fields.surplus = fields.at[fields_of[kind]].data;
	if (fields.surplus)
		menu_fail(parser, fields.surplus, "fewer fields, and quotes in pairs");
	check_text(parser, fields.at[FIELD_NAME], MENU_NAME_SIZE,
	           "a name of 1 to 60 characters");
	if (fields.at[FIELD_ABOUT].length > MENU_ABOUT_SIZE)
		menu_fail(parser, fields.at[FIELD_ABOUT].data,
		     "a description of at most 200 characters");
	check_password(parser, fields.password);
	if (kind == KIND_EXECUTE)
		check_execute(parser, entry, &fields);
}

static void read_colour(struct parser *parser, struct span value)
{
	struct fields fields;
	int part, number[2];

	split(value, &fields);
	part = index_of(fields.at[0], parts);
	for (int i = 0; i < 2; i++) {
		struct span word = fields.at[i + 1], bright = { word.data, sizeof("bright") - 1 };
		int plain = 0;

		if (i == 0 && word.length > bright.length && same(bright, "bright")) {
			word.data += bright.length;
			word.length -= bright.length;
			plain = COLOUR_BRIGHT;
		}
		number[i] = index_of(trim(word), colours);
		if (number[i] >= 0)
			number[i] |= plain;
	}
	if (part < 0 || number[0] < 0 || number[1] < 0 || fields.count > 3 || fields.surplus)
		menu_fail(parser, value.data, "colours as in: title ; bright white ; blue");
	else
		parser->menu->colours[part] = (uint8_t)(number[1] << 4 | number[0]);
}

static void read_timeout(struct parser *parser, struct span value)
{
	uint32_t seconds = 0;
	size_t i;

	for (i = 0; i < value.length && i < 5 && (uint8_t)(value.data[i] - '0') < 10; i++)
		seconds = seconds * 10 + value.data[i] - '0';
	if (i == 0 || i < value.length || seconds > MENU_TIMEOUT_MAX)
		menu_fail(parser, value.data, "seconds, 0 to 3600");
	parser->section->timeout = (uint16_t)seconds;
}

static void read_key(struct parser *parser, struct span line)
{
	struct span key = line, value = line;
	struct menu_section *section = parser->section;
	/* In the order of keys, from title on. */
	uint16_t *slots[] = { &section->title, &section->password, &section->fallback };
	int which;

	while (value.length && *value.data != '=') {
		value.data++;
		value.length--;
	}
	key.length -= value.length;
	which = index_of(trim(key), keys);
	if (which < 0 || value.length < 2) {
		menu_fail(parser, line.data,
		          "option, title, default, timeout, password or colour = ...");
		return;
	}
	value = trim((struct span){ value.data + 1, value.length - 1 });
	if (which >= KEY_TITLE && which <= KEY_DEFAULT) {
		if (*slots[which - KEY_TITLE])
			menu_fail(parser, line.data, "this key once in a section");
		*slots[which - KEY_TITLE] = offset_of(parser->menu, value);
	}
	switch (which) {
	case KEY_OPTION: read_option(parser, value); break;
	case KEY_TITLE:
		check_text(parser, value, MENU_NAME_SIZE, "a title of 1 to 60 characters");
		break;
	case KEY_PASSWORD: check_password(parser, value); break;
	case KEY_DEFAULT: break; /* is looked up when all entries are known */
	case KEY_TIMEOUT: read_timeout(parser, value); break;
	default: read_colour(parser, value);
	}
}

void menu_read_line(struct parser *parser, struct span line)
{
	if (line.length == 0 || *line.data == '#' || *line.data == ';')
		return;
	for (size_t i = 0; i < line.length; i++) {
		if (line.data[i] != '\t' && (uint8_t)(line.data[i] - 0x20) > 0x5e) {
			menu_fail(parser, line.data + i, "plain ASCII");
			break;
		}
	}
	if (*line.data == '[') {
		read_section(parser, line);
	} else if (parser->skipping) {
		return;
	} else if (!parser->section) {
		menu_fail(parser, line.data, "a section such as [Main] first");
		parser->skipping = true;
	} else {
		read_key(parser, line);
	}
}
