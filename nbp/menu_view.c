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
	struct menu_ask ask;
	struct menu_choice *choice;
	enum menu_action untouched; /* replaces MENU_LOCAL if nobody pressed a key */
	uint8_t number;         /* that the digits typed so far make */
	size_t depth;           /* the number of levels in use */
	struct level levels[MENU_DEPTH_MAX]; /* the menus above the one that shows */
};

static void show_section(struct view *view, const struct menu_section *section, uint8_t chosen)
{
	view->number = 0;
	view->ask.target = NULL;
	view->ask.action = view->ask.touched || view->untouched == MENU_LOCAL ? "Local boot" :
	                                                                       "Going on";
	menu_screen_show(&view->ask.screen, section, chosen, view->depth ? "back" : "local boot");
}

/* Shows a section for the first time, and begins its countdown. */
static void open_section(struct view *view, const struct menu_section *section)
{
	show_section(view, section, section->chosen);
	view->ask.countdown = section->timeout * 1000u;
	if (section->timeout)
		view->ask.target = menu_screen_entry(&view->ask.screen, section->chosen);
}

/* Ends the menu with @action; always returns true. */
static bool end_menu(struct view *view, enum menu_action action, const char *reason)
{
	if (action == MENU_LOCAL && view->untouched != MENU_LOCAL && !view->ask.touched) {
		action = view->untouched;
		view->choice->name[0] = '\0';
	}
	view->choice->action = action;
	view->choice->reason = reason;
	return true;
}

/* Goes back to the menu above; returns true if that ends the menu, since there is none. */
static bool leave_section(struct view *view)
{
	const struct level *above;

	if (view->depth == 0)
		return end_menu(view, MENU_LOCAL, "left");
	above = &view->levels[--view->depth];
	show_section(view, above->section, above->chosen);
	return false;
}

/* Opens the section with index @target; returns true if that ends the menu. */
static bool enter_section(struct view *view, uint8_t target)
{
	struct menu_screen *screen = &view->ask.screen;
	const struct menu_section *section = &screen->menu->sections[target];
	int key = menu_ask_password(&view->ask, menu_section_password(screen->menu, section));

	if (key == MENU_ASK_TIME_OVER)
		return end_menu(view, MENU_LOCAL, "nobody there");
	if (key || view->depth == MENU_DEPTH_MAX)
		return false;
	view->levels[view->depth++] = (struct level){ screen->section, screen->chosen };
	open_section(view, section);
	return false;
}

static void copy_field(char *out, size_t size, struct span field)
{
	text_clean(out, size, field.data, field.length);
}

/* Does what the highlighted entry says; returns true if that ends the menu. */
static bool choose_entry(struct view *view, const char *reason)
{
	const struct menu_screen *screen = &view->ask.screen;
	const struct menu *menu = screen->menu;
	const struct menu_entry *entry = menu_screen_entry(screen, screen->chosen);
	struct menu_choice *choice = view->choice;
	static const uint8_t actions[] = { MENU_EXECUTE, 0, 0, MENU_LOCAL, MENU_AUTO,
		                           MENU_REBOOT, MENU_POWER_OFF };
	int key;

	if (!menu_screen_usable(screen, entry))
		return false;
	key = menu_ask_password(&view->ask, menu_entry_password(menu, entry));
	if (key == MENU_ASK_TIME_OVER)
		return end_menu(view, MENU_LOCAL, "nobody there");
	if (key)
		return false;
	if (entry->kind == MENU_KIND_SUBMENU)
		return enter_section(view, entry->submenu);
	if (entry->kind == MENU_KIND_RETURN)
		return leave_section(view);
	copy_field(choice->name, sizeof(choice->name), menu_field(menu, entry, MENU_FIELD_NAME));
	if (entry->kind == MENU_KIND_EXECUTE) {
		copy_field(choice->loader, sizeof(choice->loader),
		           menu_loader(menu, entry, screen->p->machine.loader));
		copy_field(choice->config, sizeof(choice->config),
		           menu_field(menu, entry, MENU_FIELD_CONFIG));
		copy_field(choice->prefix, sizeof(choice->prefix),
		           menu_field(menu, entry, MENU_FIELD_PREFIX));
	}
	return end_menu(view, actions[entry->kind], reason);
}

/* Returns the entry that typing @key highlights, by its number or its first letter. */
static uint8_t find_typed(struct view *view, int key)
{
	const struct menu_screen *screen = &view->ask.screen;
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
		struct span name = menu_field(screen->menu, menu_screen_entry(screen, entry),
		                              MENU_FIELD_NAME);

		if ((*name.data | 0x20) == (key | 0x20))
			return entry;
	}
	return screen->chosen;
}

/* Handles one key; returns true if it ends the menu. */
static bool handle_key(struct view *view, int key)
{
	struct menu_screen *screen = &view->ask.screen;
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
	case KEY_ENTER: return choose_entry(view, "chosen");
	case KEY_ESCAPE: return leave_section(view);
	default:
		if (key > ' ' && key < 0x7f)
			now = find_typed(view, key);
	}
	menu_screen_choose(screen, now);
	return false;
}

/* Does what the countdown led to, or boots the local disk. */
static void handle_time_over(struct view *view)
{
	if (!view->ask.target)
		end_menu(view, MENU_LOCAL, "nobody there");
	else if (!choose_entry(view, "default"))
		end_menu(view, MENU_LOCAL, "the default is not for this machine");
}

void menu_run(struct platform *p, const struct menu *menu, enum menu_action untouched,
              struct menu_choice *choice)
{
	const struct menu_section *section = &menu->sections[menu->main];
	struct span password = menu_section_password(menu, section);
	struct view view = { .ask = { .screen = { .p = p, .menu = menu }, .begun = p->now(p),
		                      .action = "Going on" }, .choice = choice,
	                     .untouched = untouched };
	int key;

	memset(choice, 0, sizeof(*choice));
	view.ask.countdown = section->timeout * 1000u;
	if (password.length)
		menu_screen_title(&view.ask.screen, section);
	if (menu_ask_password(&view.ask, password) != 0) {
		end_menu(&view, MENU_AUTO, "no password");
		goto end;
	}
	open_section(&view, section);
	do {
		key = menu_ask_key(&view.ask);
		if (key == MENU_ASK_TIME_OVER)
			handle_time_over(&view);
		view.ask.action = "Local boot"; /* somebody is there */
	} while (key != MENU_ASK_TIME_OVER && !handle_key(&view, key));
end:
	p->colours(p, COLOUR_WHITE, COLOUR_BLACK);
	p->clear(p);
}

void menu_draw(struct platform *p, const struct menu *menu, size_t section)
{
	struct view view = { .ask.screen = { .p = p, .menu = menu },
		             .depth = section != menu->main };

	open_section(&view, &menu->sections[section]);
	if (view.ask.countdown)
		menu_ask_show_left(&view.ask, view.ask.countdown / 1000);
}
