/* SPDX-License-Identifier: BSD-2-Clause */
/* pxemenu.txt is read, checked, drawn and used, with keys and a clock from the input. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "nbp/menu.h"
#include "nbp/menu_ask.h"
#include "nbp/menu_view.h"
#include "nbp/proto/error.h"

#define STEP 20000 /* ms that pass at once when there are no more keys */

struct viewing {
	struct platform platform; /* first: its functions cast back */
	uint32_t clock, watched;  /* when the watchdog was renewed */
	struct wire keys;
	unsigned int row, column;
};

static struct viewing *viewing_of(struct platform *p)
{
	return (struct viewing *)p;
}

static uint32_t now(struct platform *p)
{
	return viewing_of(p)->clock;
}

static void idle(struct platform *p)
{
	viewing_of(p)->clock += wire_left(&viewing_of(p)->keys) ? 2 : STEP;
}

/* Bytes are keys; those above ASCII are arrows and pauses of up to 12 s. */
static int key(struct platform *p)
{
	struct viewing *v = viewing_of(p);
	uint8_t byte = wire_read_u8(&v->keys);

	if (v->keys.error || byte == 0)
		return KEY_NONE;
	if (byte < 0x80)
		return byte;
	if (byte < 0xc0)
		return KEY_UP + (byte & 7);
	v->clock += (byte & 0x3f) * 200u;
	return KEY_NONE;
}

static void forget_keys(struct platform *p)
{
	(void)p;
}

static void move(struct platform *p, unsigned int row, unsigned int column)
{
	REQUIRE(row < 25 && column < 80);
	viewing_of(p)->row = row;
	viewing_of(p)->column = column;
}

/* Nothing may wrap, and the last cell would scroll many terminals. */
static void write_cells(struct platform *p, const char *text, size_t length)
{
	struct viewing *v = viewing_of(p);

	v->column += (unsigned int)length;
	REQUIRE(v->column <= 80 && !(v->row == 24 && v->column == 80));
	for (size_t i = 0; i < length; i++)
		REQUIRE(text[i] >= 0x20 && text[i] <= 0x7e);
}

static void clear(struct platform *p)
{
	move(p, 0, 0);
}

static void colours(struct platform *p, uint8_t text, uint8_t background)
{
	(void)p;
	REQUIRE(text < 16 && background < 8);
}

static void watchdog(struct platform *p, uint32_t seconds)
{
	struct viewing *v = viewing_of(p);

	REQUIRE(seconds >= 60 && v->clock - v->watched < 60000);
	v->watched = v->clock;
}

static void require_within(const struct menu *menu, struct span span)
{
	const uint8_t *text = (const uint8_t *)menu->text;

	if (span.length)
		REQUIRE(span.data >= text && span.length <= menu->length &&
		        (size_t)(span.data - text) <= menu->length - span.length);
}

static void require_sound(const struct menu *menu)
{
	REQUIRE(menu->section_count <= MENU_SECTIONS_MAX && menu->main < menu->section_count);
	for (size_t s = 0; s < menu->section_count; s++) {
		const struct menu_section *section = &menu->sections[s];

		REQUIRE(section->count > 0 && section->count <= MENU_ENTRIES_MAX);
		REQUIRE(section->chosen < section->count && section->timeout <= MENU_TIMEOUT_MAX);
		require_within(menu, menu_title(menu, section));
		require_within(menu, menu_section_password(menu, section));
		for (size_t i = 0; i < section->count; i++) {
			const struct menu_entry *entry = &menu->entries[section->first + i];

			REQUIRE(entry->kind <= MENU_KIND_POWEROFF);
			REQUIRE(entry->kind != MENU_KIND_SUBMENU ||
			        entry->submenu < menu->section_count);
			for (size_t field = MENU_FIELD_NAME; field <= MENU_FIELD_PREFIX; field++)
				require_within(menu, menu_field(menu, entry, field));
			require_within(menu, menu_entry_password(menu, entry));
		}
	}
}

static void require_error(const struct menu_error *error, const char *text, size_t length)
{
	unsigned int lines = 1;

	for (size_t i = 0; i < length; i++)
		lines += text[i] == '\n';
	REQUIRE(error->line >= 1 && error->line <= lines && error->column >= 1);
	REQUIRE(error->column <= length + 1 && error->message[0]);
}

static void view(struct viewing *v, const struct menu *menu)
{
	struct menu_choice choice;

	for (size_t s = 0; s < menu->section_count; s++)
		menu_draw(&v->platform, menu, s);
	menu_run(&v->platform, menu, MENU_LOCAL, &choice);
	REQUIRE(v->clock <= MENU_TOTAL_LIMIT + STEP + 40000);
	REQUIRE(choice.action <= MENU_POWER_OFF && choice.reason);
	fuzz_require_text(choice.name, sizeof(choice.name));
	if (choice.action == MENU_EXECUTE) {
		REQUIRE(message_file_name_ok(choice.loader));
		REQUIRE(!choice.config[0] || message_file_name_ok(choice.config));
		REQUIRE(!choice.prefix[0] || message_file_name_ok(choice.prefix));
	}
}

/* The input: a byte of choices, the number of keys, the keys, and the file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct menu menu;
	struct viewing v = {
		.platform = { .now = now, .idle = idle, .key = key, .move = move,
		              .write = write_cells, .clear = clear, .colours = colours,
		              .watchdog = watchdog, .forget_keys = forget_keys },
	};
	struct wire in = wire_reader(data, size);
	struct menu_error errors[10], error;
	uint8_t how = wire_read_u8(&in), count = wire_read_u8(&in);
	const char *text;
	size_t length, found;

	v.keys = wire_read_part(&in, count < wire_left(&in) ? count : wire_left(&in));
	v.platform.machine.loader = how & 1 ? LOADER_UEFI : LOADER_BIOS;
	length = wire_left(&in);
	text = (const char *)data + size - length;
	found = menu_check(text, length, &menu, errors, 10);
	REQUIRE(found <= 10);
	for (size_t i = 0; i < found; i++)
		require_error(&errors[i], text, length);
	REQUIRE((menu_parse(text, length, &menu, &error) == 0) == (found == 0));
	if (found) {
		REQUIRE(error.line == errors[0].line && error.column == errors[0].column);
		return 0;
	}
	require_sound(&menu);
	view(&v, &menu);
	return 0;
}
