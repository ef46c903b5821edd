/* SPDX-License-Identifier: BSD-2-Clause */
#include "nbp/menu_view.h"

#include "nbp/menu_ask.h"
#include "nbp/proto/memory.h"
#include "nbp/proto/text.h"

#define PAGE 12 /* entries */

struct level {
	const struct menu_section *section;
	uint8_t chosen;
};

struct view {
	struct dialogue ask;
	struct menu_choice *choice;
	enum menu_action untouched; /* in place of local boot, where nobody pressed a key */
	uint8_t number;         /* what the digits typed so far make */
	size_t depth;           /* used of levels */
	struct level levels[MENU_DEPTH_MAX]; /* the menus above the one that shows */
};

static void show(struct view *view, const struct menu_section *section, uint8_t chosen)
{
	view->number = 0;
	view->ask.target = NULL;
	view->ask.otherwise = view->ask.touched || view->untouched == MENU_LOCAL ? "Local boot" :
	                      "Going on";
	screen_show(&view->ask.screen, section, chosen, view->depth ? "back" : "local boot");
}

/* Shows a menu for the first time: its countdown begins. */
static void open_menu(struct view *view, const struct menu_section *section)
{
	show(view, section, section->chosen);
	view->ask.countdown = section->timeout * 1000u;
	if (section->timeout)
		view->ask.target = screen_entry(&view->ask.screen, section->chosen);
}

static bool done(struct view *view, enum menu_action action, const char *reason)
{
	if (action == MENU_LOCAL && view->untouched != MENU_LOCAL && !view->ask.touched) {
		action = view->untouched;
		view->choice->name[0] = '\0';
	}
	view->choice->action = action;
	view->choice->reason = reason;
	return true;
}

/* Goes back one menu; returns true where there is none. */
static bool leave(struct view *view)
{
	const struct level *above;

	if (view->depth == 0)
		return done(view, MENU_LOCAL, "left");
	above = &view->levels[--view->depth];
	show(view, above->section, above->chosen);
	return false;
}

static bool enter(struct view *view, uint8_t target)
{
	struct screen *screen = &view->ask.screen;
	const struct menu_section *section = &screen->menu->sections[target];
	int key = dialogue_password(&view->ask, menu_section_password(screen->menu, section));

	if (key == TIME_OVER)
		return done(view, MENU_LOCAL, "nobody there");
	if (key || view->depth == MENU_DEPTH_MAX)
		return false;
	view->levels[view->depth++] = (struct level){ screen->section, screen->chosen };
	open_menu(view, section);
	return false;
}

static void copy_field(char *out, size_t size, struct span field)
{
	text_clean(out, size, field.data, field.length);
}

/* Does what the highlighted entry says; returns true if that ends the menu. */
static bool choose(struct view *view, const char *reason)
{
	const struct screen *screen = &view->ask.screen;
	const struct menu *menu = screen->menu;
	const struct menu_entry *entry = screen_entry(screen, screen->chosen);
	struct menu_choice *choice = view->choice;
	static const uint8_t actions[] = { MENU_EXECUTE, 0, 0, MENU_LOCAL, MENU_AUTO,
		                           MENU_REBOOT, MENU_POWER_OFF };
	int key;

	if (!screen_usable(screen, entry))
		return false;
	key = dialogue_password(&view->ask, menu_entry_password(menu, entry));
	if (key == TIME_OVER)
		return done(view, MENU_LOCAL, "nobody there");
	if (key)
		return false;
	if (entry->kind == KIND_SUBMENU)
		return enter(view, entry->submenu);
	if (entry->kind == KIND_RETURN)
		return leave(view);
	copy_field(choice->name, sizeof(choice->name), menu_field(menu, entry, FIELD_NAME));
	if (entry->kind == KIND_EXECUTE) {
		copy_field(choice->loader, sizeof(choice->loader),
		           menu_loader(menu, entry, screen->p->machine.firmware));
		copy_field(choice->config, sizeof(choice->config),
		           menu_field(menu, entry, FIELD_CONFIG));
		copy_field(choice->prefix, sizeof(choice->prefix),
		           menu_field(menu, entry, FIELD_PREFIX));
	}
	return done(view, actions[entry->kind], reason);
}

/* Returns the entry that typing @key highlights: one by its number, or by its first letter. */
static uint8_t find_typed(struct view *view, int key)
{
	const struct screen *screen = &view->ask.screen;
	uint8_t count = screen->section->count;

	if (key >= '0' && key <= '9') {
		unsigned int number = view->number * 10u + (unsigned int)(key - '0');

		if (number > count)
			number = (unsigned int)(key - '0');
		view->number = (uint8_t)number;
		return (uint8_t)(number && number <= count ? number - 1 : screen->chosen);
	}
	for (uint8_t i = 1; i <= count; i++) {
		uint8_t entry = (screen->chosen + i) % count;
		struct span name = menu_field(screen->menu, screen_entry(screen, entry),
		                              FIELD_NAME);

		if ((*name.data | 0x20) == (key | 0x20))
			return entry;
	}
	return screen->chosen;
}

/* Handles one key; returns true if it ends the menu. */
static bool press(struct view *view, int key)
{
	struct screen *screen = &view->ask.screen;
	uint8_t last = screen->section->count - 1, now = screen->chosen;

	if (key < '0' || key > '9')
		view->number = 0;
	switch (key) {
	case KEY_UP: now = now ? now - 1 : last; break;
	case KEY_DOWN: now = now < last ? now + 1 : 0; break;
	case KEY_HOME: now = 0; break;
	case KEY_END: now = last; break;
	case KEY_PAGE_UP: now = now > PAGE ? now - PAGE : 0; break;
	case KEY_PAGE_DOWN: now = now + PAGE < last ? now + PAGE : last; break;
	case KEY_ENTER: return choose(view, "chosen");
	case KEY_ESCAPE: return leave(view);
	default:
		if (key > ' ' && key < 0x7f)
			now = find_typed(view, key);
	}
	screen_choose(screen, now);
	return false;
}

/* The time is over: does what the countdown led to, else boots local. */
static void time_over(struct view *view)
{
	if (!view->ask.target)
		done(view, MENU_LOCAL, "nobody there");
	else if (!choose(view, "default"))
		done(view, MENU_LOCAL, "the default is not for this machine");
}

void menu_run(struct platform *p, const struct menu *menu, enum menu_action untouched,
              struct menu_choice *choice)
{
	const struct menu_section *section = &menu->sections[menu->main];
	struct span password = menu_section_password(menu, section);
	struct view view = { .ask = { .screen = { .p = p, .menu = menu }, .begun = p->now(p),
		                      .otherwise = "Going on" }, .choice = choice,
	                     .untouched = untouched };
	int key;

	memset(choice, 0, sizeof(*choice));
	view.ask.countdown = section->timeout * 1000u;
	if (password.length)
		screen_title(&view.ask.screen, section);
	if (dialogue_password(&view.ask, password) != 0) {
		done(&view, MENU_AUTO, "no password");
		goto end;
	}
	open_menu(&view, section);
	do {
		key = dialogue_key(&view.ask);
		if (key == TIME_OVER)
			time_over(&view);
		view.ask.otherwise = "Local boot"; /* since somebody is there */
	} while (key != TIME_OVER && !press(&view, key));
end:
	p->colours(p, COLOUR_WHITE, COLOUR_BLACK);
	p->clear(p);
}

void menu_draw(struct platform *p, const struct menu *menu, size_t section)
{
	struct view view = { .ask.screen = { .p = p, .menu = menu },
		             .depth = section != menu->main };

	open_menu(&view, &menu->sections[section]);
	if (view.ask.countdown)
		dialogue_show_left(&view.ask, view.ask.countdown / 1000);
}
