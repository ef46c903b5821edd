/* SPDX-License-Identifier: BSD-2-Clause */
#include "nbp/menu.h"

#include "nbp/menu_text.h"
#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"
#include "nbp/proto/message.h"
#include "nbp/proto/password.h"
#include "nbp/proto/text.h"

#define NOWHERE 0xff /* a submenu whose section is not known yet */

/* A limit as text, for messages. */
#define DIGITS_OF(number) #number
#define DIGITS(limit) DIGITS_OF(limit)

/* Words of the grammar, in the order of enum menu_kind, menu_part, colour and line_key. */
static const char kinds[] = "execute\0submenu\0return\0exit\0auto\0reboot\0poweroff\0";
static const char parts[] = "screen\0title\0entries\0chosen\0description\0";
static const char colours[] = "black\0blue\0green\0cyan\0red\0magenta\0brown\0white\0";
static const char keys[] = "option\0title\0password\0default\0timeout\0colour\0color\0";

/* The keys of lines "key = value". */
enum line_key {
	LINE_OPTION,
	LINE_TITLE,
	LINE_PASSWORD,
	LINE_DEFAULT,
	LINE_TIMEOUT,
	LINE_COLOUR,
	LINE_COLOR,
};

/* --- reading a parsed menu --------------------------------------------------- */

static struct span value_at(const struct menu *menu, uint16_t offset)
{
	if (offset == 0)
		return (struct span){ NULL, 0 };
	return menu_text_line(menu->text, menu->length, offset);
}

struct span menu_field(const struct menu *menu, const struct menu_entry *entry, size_t field)
{
	struct menu_text_fields fields;

	menu_text_split(value_at(menu, entry->value), &fields);
	return fields.at[field];
}

struct span menu_entry_password(const struct menu *menu, const struct menu_entry *entry)
{
	struct menu_text_fields fields;

	menu_text_split(value_at(menu, entry->value), &fields);
	return fields.password;
}

struct span menu_name(const struct menu *menu, const struct menu_section *section)
{
	struct span name = value_at(menu, section->name);

	name.length--; /* the bracket */
	return menu_text_trim(name);
}

struct span menu_title(const struct menu *menu, const struct menu_section *section)
{
	return section->title ? value_at(menu, section->title) : menu_name(menu, section);
}

struct span menu_section_password(const struct menu *menu, const struct menu_section *section)
{
	return value_at(menu, section->password);
}

int menu_find(const struct menu *menu, struct span name)
{
	for (size_t i = 0; i < menu->section_count; i++)
		if (menu_text_same(menu_name(menu, &menu->sections[i]), name))
			return (int)i;
	return -1;
}

struct span menu_loader(const struct menu *menu, const struct menu_entry *entry,
                        enum loader_kind kind)
{
	static const char usual[LOADERS][16] = { "pxelinux.0", "syslinux.efi", "syslinux32.efi",
		                                 "grubnetaa64.efi" };
	struct span name = menu_field(menu, entry, MENU_FIELD_LOADER), end;
	unsigned int column = 0;
	size_t start = 0;

	for (size_t i = 0; i < name.length; i++) {
		/* What follows the last kind's is part of it, and makes it no file's name. */
		if (name.data[i] != '|' || column == LOADERS - 1)
			continue;
		if (column++ == kind)
			return menu_text_trim((struct span){ name.data + start, i - start });
		start = i + 1;
	}
	if (column != 0) {
		name.data += start;
		name.length = column == kind ? name.length - start : 0;
		return menu_text_trim(name);
	}
	/* PXELINUX and SYSLINUX read the same files, so either name stands for both. */
	if (name.length == 0 || menu_text_is(name, usual[0]) || menu_text_is(name, usual[1]))
		return (struct span){ (const uint8_t *)usual[kind], strlen(usual[kind]) };
	end = name;
	if (end.length > 4) {
		end.data += end.length - 4;
		end.length = 4;
	}
	if (menu_text_is(end, ".efi") != (kind != LOADER_BIOS))
		name.length = 0;
	return name;
}

/* --- errors ----------------------------------------------------------------- */

struct parser {
	struct menu *menu;
	struct menu_section *section; /* the one being read; NULL: none yet */
	bool skipping;                /* the lines of a section whose first line is wrong */
	struct menu_error *errors;
	size_t capacity, count;
};

/* Adds an error at @where in the text, unless there are @capacity of them. */
static void add_error(struct parser *parser, const uint8_t *where, const char *message)
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

static void check_text(struct parser *parser, struct span text, size_t max, const char *message)
{
	if (text.length == 0 || text.length > max)
		add_error(parser, text.data, message);
}

static void check_file(struct parser *parser, struct span name)
{
	char text[FILE_SIZE];

	text_clean(text, sizeof(text), name.data, name.length);
	if (name.length && (name.length >= sizeof(text) || !message_file_name_ok(text)))
		add_error(parser, name.data, "a file name of letters, digits and ._-/");
}

static void check_password(struct parser *parser, struct span text)
{
	struct password_hash hash;

	if (text.data && password_hash_read(text, &hash) != 0)
		add_error(parser, text.data, "a hash by \"prebootctl menu passwd\"");
}

/* --- reading lines ----------------------------------------------------------- */

static void read_section(struct parser *parser, struct span line)
{
	struct menu *menu = parser->menu;
	struct menu_section *section = &menu->sections[menu->section_count];
	struct span name = { line.data + 1, line.length - 1 };
	const char *message = NULL;

	if (name.length)
		name.length--; /* the closing bracket */
	name = menu_text_trim(name);
	if (line.data[line.length - 1] != ']' || name.length - 1 >= MENU_SECTION_SIZE)
		message = "[name], of 1 to " DIGITS(MENU_SECTION_SIZE) " characters";
	else if (menu_find(menu, name) >= 0)
		message = "a section's name that is new";
	else if (menu->section_count == MENU_SECTIONS_MAX)
		message = "at most " DIGITS(MENU_SECTIONS_MAX) " sections";
	parser->skipping = message;
	if (message) {
		add_error(parser, line.data, message);
		return;
	}
	*section = (struct menu_section){ .name = offset_of(menu, name) };
	if (parser->section)
		section->first = parser->section->first + parser->section->count;
	parser->section = section;
	menu->section_count++;
}

static void check_execute(struct parser *parser, const struct menu_entry *entry,
                          const struct menu_text_fields *fields)
{
	bool any = false;

	for (enum loader_kind kind = 0; kind < LOADERS; kind++) {
		struct span loader = menu_loader(parser->menu, entry, kind);

		any |= loader.length != 0;
		check_file(parser, loader);
	}
	if (!any)
		add_error(parser, fields->at[MENU_FIELD_LOADER].data, "a loader");
	check_file(parser, fields->at[MENU_FIELD_CONFIG]);
	check_file(parser, fields->at[MENU_FIELD_PREFIX]);
	if (fields->at[MENU_FIELD_LOADER].length + fields->at[MENU_FIELD_CONFIG].length == 0)
		add_error(parser, fields->at[MENU_FIELD_CONFIG].data, "a configuration file");
}

static void read_option(struct parser *parser, struct span value)
{
	static const uint8_t fields_of[] = { 6, 4, 3, 3, 3, 3, 3 };
	struct menu_section *section = parser->section;
	struct menu_entry *entry = &parser->menu->entries[section->first + section->count];
	struct menu_text_fields fields;
	int kind;

	if (section->count == MENU_ENTRIES_MAX) {
		add_error(parser, value.data,
		          "at most " DIGITS(MENU_ENTRIES_MAX) " options in a section");
		return;
	}
	section->count++;
	menu_text_split(value, &fields);
	kind = menu_text_find(fields.at[0], kinds);
	*entry = (struct menu_entry){ offset_of(parser->menu, value), (uint8_t)kind, NOWHERE };
	if (kind < 0) {
		add_error(parser, value.data,
		          "execute, submenu, return, exit, auto, reboot or poweroff");
		return;
	}
	if (fields.count > fields_of[kind])
		fields.surplus = fields.at[fields_of[kind]].data;
	if (fields.surplus)
		add_error(parser, fields.surplus, "fewer fields, and quotes in pairs");
	check_text(parser, fields.at[MENU_FIELD_NAME], MENU_NAME_SIZE,
	           "a name of 1 to " DIGITS(MENU_NAME_SIZE) " characters");
	if (fields.at[MENU_FIELD_DESCRIPTION].length > MENU_DESCRIPTION_SIZE)
		add_error(parser, fields.at[MENU_FIELD_DESCRIPTION].data,
		          "a description of at most " DIGITS(MENU_DESCRIPTION_SIZE) " characters");
	check_password(parser, fields.password);
	if (kind == MENU_KIND_EXECUTE)
		check_execute(parser, entry, &fields);
}

static void read_colour(struct parser *parser, struct span value)
{
	struct menu_text_fields fields;
	int part, number[2];

	menu_text_split(value, &fields);
	part = menu_text_find(fields.at[0], parts);
	for (int i = 0; i < 2; i++) {
		struct span word = fields.at[i + 1], bright = { word.data, sizeof("bright") - 1 };
		int plain = 0;

		if (i == 0 && word.length > bright.length && menu_text_is(bright, "bright")) {
			word.data += bright.length;
			word.length -= bright.length;
			plain = COLOUR_BRIGHT;
		}
		number[i] = menu_text_find(menu_text_trim(word), colours);
		if (number[i] >= 0)
			number[i] |= plain;
	}
	if (part < 0 || number[0] < 0 || number[1] < 0 || fields.count > 3 || fields.surplus)
		add_error(parser, value.data, "colours as in: title ; bright white ; blue");
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
		add_error(parser, value.data, "seconds, 0 to " DIGITS(MENU_TIMEOUT_MAX));
	parser->section->timeout = (uint16_t)seconds;
}

static void read_key(struct parser *parser, struct span line)
{
	struct span key = line, value = line;
	struct menu_section *section = parser->section;
	/* In the order of enum line_key, from LINE_TITLE on. */
	uint16_t *slots[] = { &section->title, &section->password, &section->default_name };
	int which;

	while (value.length && *value.data != '=') {
		value.data++;
		value.length--;
	}
	key.length -= value.length;
	which = menu_text_find(menu_text_trim(key), keys);
	if (which < 0 || value.length < 2) {
		add_error(parser, line.data,
		          "option, title, default, timeout, password or colour = ...");
		return;
	}
	value = menu_text_trim((struct span){ value.data + 1, value.length - 1 });
	if (which >= LINE_TITLE && which <= LINE_DEFAULT) {
		if (*slots[which - LINE_TITLE])
			add_error(parser, line.data, "this key once in a section");
		*slots[which - LINE_TITLE] = offset_of(parser->menu, value);
	}
	switch (which) {
	case LINE_OPTION: read_option(parser, value); break;
	case LINE_TITLE:
		check_text(parser, value, MENU_NAME_SIZE,
		           "a title of 1 to " DIGITS(MENU_NAME_SIZE) " characters");
		break;
	case LINE_PASSWORD: check_password(parser, value); break;
	case LINE_DEFAULT: break; /* check_default() looks it up when all entries are known. */
	case LINE_TIMEOUT: read_timeout(parser, value); break;
	default: read_colour(parser, value);
	}
}

static void read_line(struct parser *parser, struct span line)
{
	if (line.length == 0 || *line.data == '#' || *line.data == ';')
		return;
	for (size_t i = 0; i < line.length; i++) {
		if (line.data[i] != '\t' && (uint8_t)(line.data[i] - 0x20) > 0x5e) {
			add_error(parser, line.data + i, "plain ASCII");
			break;
		}
	}
	if (*line.data == '[') {
		read_section(parser, line);
	} else if (parser->skipping) {
		return;
	} else if (!parser->section) {
		add_error(parser, line.data, "a section such as [Main] first");
		parser->skipping = true;
	} else {
		read_key(parser, line);
	}
}

/* --- checking the whole ------------------------------------------------------ */

static void check_default(struct parser *parser, struct menu_section *section)
{
	struct menu *menu = parser->menu;
	const struct menu_entry *entries = &menu->entries[section->first];
	const struct menu_entry *entry;
	struct span name = value_at(menu, section->default_name);
	uint8_t i = 0;

	while (name.data && i < section->count &&
	       !menu_text_same(menu_field(menu, &entries[i], MENU_FIELD_NAME), name))
		i++;
	if (i == section->count) {
		add_error(parser, section->count ? name.data : menu_name(menu, section).data,
		          section->count ? "the name of an entry of this section" :
		          "an option in this section");
		return;
	}
	section->chosen = i;
	entry = &entries[i];
	/* An unattended machine that restarted would come back to this menu for ever. */
	if (section->timeout &&
	    (entry->kind == MENU_KIND_SUBMENU || entry->kind == MENU_KIND_RETURN ||
	     entry->kind == MENU_KIND_REBOOT || menu_entry_password(menu, entry).data))
		add_error(parser, name.data ? name.data : value_at(menu, entry->value).data,
		          "for a timeout: execute, exit, auto or poweroff, no password");
}

static void find_submenus(struct parser *parser, const struct menu_section *section)
{
	struct menu *menu = parser->menu;

	for (size_t i = 0; i < section->count; i++) {
		struct menu_entry *entry = &menu->entries[section->first + i];
		struct span name = menu_field(menu, entry, MENU_FIELD_SECTION);
		int target;

		if (entry->kind != MENU_KIND_SUBMENU)
			continue;
		target = menu_find(menu, name);
		if (target < 0)
			add_error(parser, name.data, "the name of a section");
		else
			entry->submenu = (uint8_t)target;
	}
}

/* A section's level is the length of the longest path to it; in a loop it has no end. */
static void check_levels(struct parser *parser)
{
	struct menu *menu = parser->menu;
	uint8_t levels[MENU_SECTIONS_MAX] = { 0 };
	bool changed;

	levels[menu->main] = 1;
	do {
		changed = false;
		for (size_t s = 0; s < menu->section_count; s++) {
			for (size_t i = 0; levels[s] && i < menu->sections[s].count; i++) {
				struct menu_entry *entry =
					&menu->entries[menu->sections[s].first + i];

				if (entry->submenu == NOWHERE ||
				    levels[entry->submenu] > levels[s])
					continue;
				if (levels[s] == MENU_DEPTH_MAX) {
					add_error(parser, value_at(menu, entry->value).data,
					          "at most " DIGITS(MENU_DEPTH_MAX)
					          " levels, and no loop");
					return;
				}
				levels[entry->submenu] = levels[s] + 1;
				changed = true;
			}
		}
	} while (changed);
}

static void check_whole(struct parser *parser)
{
	struct menu *menu = parser->menu;
	int main_section = menu_find(menu, (struct span){ (const uint8_t *)"main", 4 });

	for (size_t i = 0; i < menu->section_count; i++) {
		check_default(parser, &menu->sections[i]);
		find_submenus(parser, &menu->sections[i]);
	}
	if (main_section < 0) {
		add_error(parser, (const uint8_t *)menu->text + menu->length,
		          "a section [Main]");
		return;
	}
	menu->main = (uint8_t)main_section;
	check_levels(parser);
}

size_t menu_check(const char *text, size_t length, struct menu *menu,
                  struct menu_error *errors, size_t capacity)
{
	struct parser parser = { menu, NULL, false, errors, capacity, 0 };
	size_t at = 0;

	if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3; /* an editor's byte order mark */
		length -= 3;
	}
	while (length && text[length - 1] == 0x1a)
		length--; /* Ctrl+Z, with which old editors end a text */
	*menu = (struct menu){ .text = text, .length = length, .main = NOWHERE,
	                       .colours = { 0x17, 0x30, 0x1f, 0x70, 0x17 } };
	if (length > MENU_TEXT_MAX) {
		add_error(&parser, (const uint8_t *)text,
		          "at most " DIGITS(MENU_TEXT_MAX) " bytes");
		return parser.count;
	}
	while (at < length) {
		read_line(&parser, menu_text_line(text, length, at));
		while (at < length && text[at++] != '\n')
			;
	}
	check_whole(&parser);
	return parser.count;
}

int menu_parse(const char *text, size_t length, struct menu *menu, struct menu_error *error)
{
	return menu_check(text, length, menu, error, 1) ? ERR_MALFORMED : 0;
}
