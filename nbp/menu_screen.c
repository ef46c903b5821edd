/* SPDX-License-Identifier: BSD-2-Clause */
#include "nbp/menu_screen.h"

#include "nbp/proto/memory.h"
#include "nbp/proto/text.h"

#define COLUMNS     80
#define BOX_ROW     2
#define BOX_COLUMN  4
#define BOX_WIDTH   72
#define BOX_ROWS    13 /* entries visible at once */
#define TEXT_GAP    3  /* rows of frame and space between entries and description */
#define TEXT_ROWS  4
#define TEXT_WIDTH (BOX_WIDTH - 2)

static void set_colours(struct menu_screen *screen, enum menu_part part)
{
	uint8_t pair = screen->menu->colours[part];

	screen->p->colours(screen->p, pair & 0xf, pair >> 4);
}

static void draw_cells(struct menu_screen *screen, enum menu_part part, unsigned int row,
                       unsigned int column, const char *cells, size_t width)
{
	set_colours(screen, part);
	screen->p->move(screen->p, row, column);
	screen->p->write(screen->p, cells, width);
}

/* Draws @text, padded with blanks to @width. */
static void draw_text(struct menu_screen *screen, enum menu_part part, unsigned int row,
                      unsigned int column, const char *text, size_t width)
{
	char cells[COLUMNS];
	size_t length = strlen(text);

	memset(cells, ' ', sizeof(cells));
	memcpy(cells, text, length < width ? length : width);
	draw_cells(screen, part, row, column, cells, width);
}

static uint8_t visible_count(const struct menu_screen *screen)
{
	return screen->section->count < BOX_ROWS ? screen->section->count : BOX_ROWS;
}

const struct menu_entry *menu_screen_entry(const struct menu_screen *screen, uint8_t entry)
{
	return &screen->menu->entries[screen->section->first + entry];
}

bool menu_screen_usable(const struct menu_screen *screen, const struct menu_entry *entry)
{
	return entry->kind != MENU_KIND_EXECUTE ||
	       menu_loader(screen->menu, entry, screen->p->machine.loader).length;
}

/* --- the box of entries ---------------------------------------------------- */

static void draw_entry(struct menu_screen *screen, uint8_t i)
{
	const struct menu_entry *entry = menu_screen_entry(screen, i);
	struct span span = menu_field(screen->menu, entry, MENU_FIELD_NAME);
	bool chosen = i == screen->chosen;
	char name[MENU_NAME_SIZE + 1], text[COLUMNS];

	text_clean(name, sizeof(name), span.data, span.length);
	text_format(text, sizeof(text), "%s %2u  %s%s", chosen ? ">" : " ", (uint32_t)i + 1, name,
	            !menu_screen_usable(screen, entry) ? " (not for this machine)" :
	            entry->kind == MENU_KIND_SUBMENU ? " ..." : "");
	draw_text(screen, chosen ? MENU_PART_CHOSEN : MENU_PART_ENTRIES,
	          BOX_ROW + 1 + i - screen->top, BOX_COLUMN + 1, text, BOX_WIDTH - 2);
}

static void draw_border(struct menu_screen *screen, unsigned int row, bool more)
{
	char cells[BOX_WIDTH];

	memset(cells, '-', sizeof(cells));
	cells[0] = cells[BOX_WIDTH - 1] = '+';
	if (more)
		memcpy(cells + BOX_WIDTH - 10, "( more )", 8);
	draw_cells(screen, MENU_PART_ENTRIES, row, BOX_COLUMN, cells, sizeof(cells));
}

/* Draws the visible entries, and the upper and lower border, which say if there are more. */
static void draw_entries(struct menu_screen *screen)
{
	uint8_t count = visible_count(screen);

	draw_border(screen, BOX_ROW, screen->top > 0);
	for (uint8_t i = 0; i < count; i++)
		draw_entry(screen, screen->top + i);
	draw_border(screen, BOX_ROW + 1 + count, screen->top + count < screen->section->count);
}

/* --- the chosen entry's description ---------------------------------------- */

/* Returns how much of @text goes on one row: whole words, unless the first is too long. */
static size_t wrap(struct span text)
{
	size_t length = TEXT_WIDTH;

	if (text.length <= length)
		return text.length;
	while (length && text.data[length] != ' ')
		length--;
	return length ? length : TEXT_WIDTH;
}

static void draw_description(struct menu_screen *screen)
{
	struct span text = menu_field(screen->menu, menu_screen_entry(screen, screen->chosen),
	                              MENU_FIELD_DESCRIPTION);
	unsigned int row = BOX_ROW + TEXT_GAP + visible_count(screen);
	uint8_t used = 0;

	for (uint8_t i = 0; i < TEXT_ROWS && (text.length || i < screen->description_rows); i++) {
		char line[TEXT_WIDTH + 1];
		size_t length = wrap(text);

		text_clean(line, sizeof(line), text.data, length);
		draw_text(screen, MENU_PART_DESCRIPTION, row + i, BOX_COLUMN + 1, line, TEXT_WIDTH);
		if (text.length)
			used = i + 1;
		text.data += length;
		text.length -= length;
	}
	screen->description_rows = used;
}

/* --- the whole screen ------------------------------------------------------ */

void menu_screen_text(struct menu_screen *screen, enum menu_row row, const char *text)
{
	draw_text(screen, MENU_PART_SCREEN, row, BOX_COLUMN + 1, text, BOX_WIDTH);
}

void menu_screen_title(struct menu_screen *screen, const struct menu_section *section)
{
	struct span span = menu_title(screen->menu, section);
	char title[COLUMNS + 1];
	size_t left = (COLUMNS - span.length) / 2;

	screen->section = section;
	screen->description_rows = 0;
	set_colours(screen, MENU_PART_SCREEN);
	screen->p->clear(screen->p);
	memset(title, ' ', left);
	text_clean(title + left, sizeof(title) - left, span.data, span.length);
	draw_text(screen, MENU_PART_TITLE, 0, 0, title, COLUMNS);
}

/* Moves the visible part to the chosen entry; returns whether it moved. */
static bool scroll_to_chosen(struct menu_screen *screen)
{
	uint8_t top = screen->top;

	if (screen->chosen < top)
		screen->top = screen->chosen;
	if (screen->chosen >= top + BOX_ROWS)
		screen->top = screen->chosen - BOX_ROWS + 1;
	return screen->top != top;
}

void menu_screen_show(struct menu_screen *screen, const struct menu_section *section,
                      uint8_t chosen, const char *escape)
{
	char help[COLUMNS];

	menu_screen_title(screen, section);
	screen->chosen = chosen;
	screen->top = 0;
	scroll_to_chosen(screen);
	for (uint8_t i = 0; i < visible_count(screen); i++) {
		unsigned int row = BOX_ROW + 1 + i;

		draw_text(screen, MENU_PART_ENTRIES, row, BOX_COLUMN, "|", 1);
		draw_text(screen, MENU_PART_ENTRIES, row, BOX_COLUMN + BOX_WIDTH - 1, "|", 1);
	}
	draw_entries(screen);
	draw_description(screen);
	text_format(help, sizeof(help), "Up, Down, digits, letters: move   Enter: choose   Esc: %s",
	            escape);
	menu_screen_text(screen, MENU_ROW_HELP, help);
}

void menu_screen_choose(struct menu_screen *screen, uint8_t entry)
{
	uint8_t before = screen->chosen;

	if (entry == before)
		return;
	screen->chosen = entry;
	if (scroll_to_chosen(screen)) {
		draw_entries(screen);
	} else {
		draw_entry(screen, before);
		draw_entry(screen, entry);
	}
	draw_description(screen);
}
