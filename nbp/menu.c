/* SPDX-License-Identifier: BSD-2-Clause */
#include "nbp/menu.h"

#include "nbp/menu_read.h"
#include "nbp/menu_text.h"
#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"

/* --- what a menu says ------------------------------------------------------ */

static struct span value_at(const struct menu *menu, uint16_t offset)
{
	if (offset == 0)
		return (struct span){ NULL, 0 };
	return line_at(menu->text, menu->length, offset);
}

struct span menu_field(const struct menu *menu, const struct menu_entry *entry, size_t field)
{
	struct fields fields;

	split(value_at(menu, entry->value), &fields);
	return fields.at[field];
}

struct span menu_entry_password(const struct menu *menu, const struct menu_entry *entry)
{
	struct fields fields;

	split(value_at(menu, entry->value), &fields);
	return fields.password;
}

struct span menu_name(const struct menu *menu, const struct menu_section *section)
{
	struct span name = value_at(menu, section->name);

	name.length--; /* the bracket */
	return trim(name);
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
		if (same_span(menu_name(menu, &menu->sections[i]), name))
			return (int)i;
	return -1;
}

struct span menu_loader(const struct menu *menu, const struct menu_entry *entry,
                        enum firmware_kind firmware)
{
	static const char *const usual[] = { "pxelinux.0", "syslinux.efi" };
	struct span name = menu_field(menu, entry, FIELD_LOADER), end;
	bool efi = firmware == FIRMWARE_UEFI;

	for (size_t i = 0; i < name.length; i++)
		if (name.data[i] == '|')
			return trim(efi ? (struct span){ name.data + i + 1, name.length - i - 1 } :
			            (struct span){ name.data, i });
	/* The usual loaders read the same files: one stands for both. */
	if (name.length == 0 || same(name, usual[0]) || same(name, usual[1]))
		return (struct span){ (const uint8_t *)usual[efi], strlen(usual[efi]) };
	end = name;
	if (end.length > 4) {
		end.data += end.length - 4;
		end.length = 4;
	}
	if (same(end, ".efi") != efi)
		name.length = 0;
	return name;
}

/* --- what only the whole file shows ---------------------------------------- */

static void check_default(struct parser *parser, struct menu_section *section)
{
	struct menu *menu = parser->menu;
	const struct menu_entry *entries = &menu->entries[section->first];
	const struct menu_entry *entry;
	struct span name = value_at(menu, section->fallback);
	uint8_t i = 0;

	while (name.data && i < section->count &&
	       !same_span(menu_field(menu, &entries[i], FIELD_NAME), name))
		i++;
	if (i == section->count) {
		menu_fail(parser, section->count ? name.data : menu_name(menu, section).data,
		          section->count ? "the name of an entry of this section" :
		          "an option in this section");
		return;
	}
	section->chosen = i;
	entry = &entries[i];
	/* A machine that restarts where nobody is would come back here for ever. */
	if (section->timeout && (entry->kind == KIND_SUBMENU || entry->kind == KIND_RETURN ||
	                         entry->kind == KIND_REBOOT ||
	                         menu_entry_password(menu, entry).data))
		menu_fail(parser, name.data ? name.data : value_at(menu, entry->value).data,
		          "for a timeout: execute, exit, auto or poweroff, no password");
}

static void find_submenus(struct parser *parser, const struct menu_section *section)
{
	struct menu *menu = parser->menu;

	for (size_t i = 0; i < section->count; i++) {
		struct menu_entry *entry = &menu->entries[section->first + i];
		struct span name = menu_field(menu, entry, FIELD_SECTION);
		int target;

		if (entry->kind != KIND_SUBMENU)
			continue;
		target = menu_find(menu, name);
		if (target < 0)
			menu_fail(parser, name.data, "the name of a section");
		else
			entry->submenu = (uint8_t)target;
	}
}

/* Each section's level is the length of the longest way to it; a loop has no end. */
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
					menu_fail(parser, value_at(menu, entry->value).data,
					          "at most 8 levels, and no loop");
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
		menu_fail(parser, (const uint8_t *)menu->text + menu->length,
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
		length--; /* Ctrl+Z, by which old editors end a text */
	*menu = (struct menu){ .text = text, .length = length, .main = NOWHERE,
	                       .colours = { 0x17, 0x30, 0x1f, 0x70, 0x17 } };
	if (length > MENU_TEXT_MAX) {
		menu_fail(&parser, (const uint8_t *)text, "at most 16384 bytes");
		return parser.count;
	}
	while (at < length) {
		menu_read_line(&parser, line_at(text, length, at));
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
