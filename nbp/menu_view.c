/* SPDX-License-Identifier: BSD-2-Clause */
#include "menu_view.h"

#include "memory.h"
#include "menu_screen.h"
#include "password.h"
#include "text.h"

#define LIMIT      (-1) /* in place of a key: the time is over */
#define WARNING    60   /* seconds before the idle limit that are counted down, too */
#define WATCHDOG   60   /* seconds */
#define TRIES      3    /* at a password */
#define ITERATIONS 500  /* of a password's, between two looks at the keys */
#define PAGE       12   /* entries */

struct level {
	const struct menu_section *section;
	uint8_t chosen;
};

struct view {
	struct platform *p;
	struct screen screen;
	struct menu_choice *choice;
	uint32_t begun;         /* when the menu came up, ms */
	uint32_t countdown;     /* ms, until a key is pressed; 0: the idle limit */
	const struct menu_entry *target; /* what it leads to; NULL: to @otherwise */
	const char *otherwise;
	uint8_t number;         /* what the digits typed so far make */
	size_t depth;           /* used of levels */
	struct level levels[MENU_DEPTH_MAX]; /* the menus above the one that shows */
};

/* --- keys and time --------------------------------------------------------- */

static void show_left(struct view *view, uint32_t seconds)
{
	char action[MENU_NAME_SIZE + 1], text[100];
	struct span name;

	text_format(action, sizeof(action), "%s", view->otherwise);
	if (view->target) {
		name = menu_field(view->screen.menu, view->target, FIELD_NAME);
		text_clean(action, sizeof(action), name.data, name.length);
	}
	text_format(text, sizeof(text), "%s in %u s. Any key stops this.", action, seconds);
	screen_text(&view->screen, ROW_TIME, text);
}

/* Waits for a key while the menu may wait. */
static int next_key(struct view *view)
{
	struct platform *p = view->p;
	uint32_t since = p->now(p), shown = 0;
	uint32_t limit = view->countdown ? view->countdown : MENU_IDLE_LIMIT;
	bool drawn = false;

	for (;;) {
		uint32_t now = p->now(p), seconds = (limit - (now - since) + 999) / 1000;
		int key = p->key(p);

		if (now - since >= limit || now - view->begun > MENU_TOTAL_LIMIT)
			return LIMIT;
		if (key != KEY_NONE || seconds != shown)
			p->watchdog(p, WATCHDOG);
		if (key != KEY_NONE) {
			view->countdown = 0;
			view->target = NULL;
			if (drawn)
				screen_text(&view->screen, ROW_TIME, "");
			return key;
		}
		if (seconds != shown && (view->countdown || seconds <= WARNING)) {
			show_left(view, seconds);
			drawn = true;
		}
		shown = seconds;
		p->idle(p);
	}
}

/* --- passwords ------------------------------------------------------------- */

/* Takes up to PASSWORD_SIZE characters; returns the key that ended them, or LIMIT. */
static int read_password(struct view *view, const char *prompt, char *word, size_t *length)
{
	for (*length = 0;;) {
		char text[32 + PASSWORD_SIZE];
		size_t stars = text_format(text, sizeof(text), "%s", prompt);
		int key;

		memset(text + stars, '*', *length);
		text[stars + *length] = '\0';
		screen_text(&view->screen, ROW_PROMPT, text);
		key = next_key(view);
		if (key == KEY_BACKSPACE && *length)
			--*length;
		else if (key >= ' ' && key < 0x7f && *length < PASSWORD_SIZE)
			word[(*length)++] = (char)key;
		else if (key == KEY_ENTER || key == KEY_ESCAPE || key == LIMIT)
			return key;
	}
}

/* Takes as long as the hash wants; Escape ends it. */
static bool right_password(struct view *view, const struct password_hash *hash,
                           const char *word, size_t length)
{
	struct platform *p = view->p;
	struct password_check check;

	screen_text(&view->screen, ROW_PROMPT, "Checking ...");
	password_start(&check, hash, word, length);
	while (!password_run(&check, ITERATIONS)) {
		p->watchdog(p, WATCHDOG);
		if (p->key(p) == KEY_ESCAPE)
			return false;
	}
	return password_right(&check, hash);
}

/* Asks for the password of hash @text, if there is one. Returns 0, or the key it ended with. */
static int ask_password(struct view *view, struct span text)
{
	struct password_hash hash;
	char word[PASSWORD_SIZE];
	const char *prompt = "Password: ";
	int key = text.length ? KEY_ESCAPE : 0;
	bool right = false;

	if (key == 0 || password_hash_read(text, &hash) != 0)
		return key;
	for (int i = 0; i < TRIES && !right; i++) {
		size_t length;

		key = read_password(view, prompt, word, &length);
		if (key != KEY_ENTER)
			break;
		right = right_password(view, &hash, word, length);
		prompt = "Wrong. Password: ";
	}
	password_forget(word, sizeof(word));
	screen_text(&view->screen, ROW_PROMPT, "");
	return right ? 0 : key;
}

/* --- choosing -------------------------------------------------------------- */

static void show(struct view *view, const struct menu_section *section, uint8_t chosen)
{
	view->number = 0;
	view->otherwise = "Local boot";
	screen_show(&view->screen, section, chosen, view->depth ? "back" : "local boot");
}

/* Shows a menu for the first time: its countdown begins. */
static void open_menu(struct view *view, const struct menu_section *section)
{
	show(view, section, section->chosen);
	view->countdown = section->timeout * 1000u;
	view->target = view->countdown ? screen_entry(&view->screen, section->chosen) : NULL;
}

static bool done(struct view *view, enum menu_action action, const char *reason)
{
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
	struct screen *screen = &view->screen;
	const struct menu_section *section = &screen->menu->sections[target];
	int key = ask_password(view, menu_section_password(screen->menu, section));

	if (key == LIMIT)
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
	const struct screen *screen = &view->screen;
	const struct menu *menu = screen->menu;
	const struct menu_entry *entry = screen_entry(screen, screen->chosen);
	struct menu_choice *choice = view->choice;
	static const uint8_t actions[] = { MENU_EXECUTE, 0, 0, MENU_LOCAL, MENU_AUTO,
		                           MENU_REBOOT, MENU_POWER_OFF };
	int key;

	if (!screen_usable(screen, entry))
		return false;
	key = ask_password(view, menu_entry_password(menu, entry));
	if (key == LIMIT)
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
		           menu_loader(menu, entry, view->p->machine.firmware));
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
	const struct screen *screen = &view->screen;
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
		struct span name = menu_field(screen->menu, screen_entry(screen, entry), FIELD_NAME);

		if ((*name.data | 0x20) == (key | 0x20))
			return entry;
	}
	return screen->chosen;
}

/* Handles one key; returns true if it ends the menu. */
static bool press(struct view *view, int key)
{
	struct screen *screen = &view->screen;
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
	if (!view->target)
		done(view, MENU_LOCAL, "nobody there");
	else if (!choose(view, "default"))
		done(view, MENU_LOCAL, "the default is not for this machine");
}

void menu_run(struct platform *p, const struct menu *menu, struct menu_choice *choice)
{
	const struct menu_section *section = &menu->sections[menu->main];
	struct view view = { .p = p, .screen = { .p = p, .menu = menu }, .choice = choice,
		             .begun = p->now(p), .otherwise = "Going on" };
	int key;

	memset(choice, 0, sizeof(*choice));
	screen_title(&view.screen, section);
	view.countdown = section->timeout * 1000u;
	if (ask_password(&view, menu_section_password(menu, section)) != 0) {
		done(&view, MENU_AUTO, "no password");
		goto end;
	}
	open_menu(&view, section);
	do {
		key = next_key(&view);
		if (key == LIMIT)
			time_over(&view);
	} while (key != LIMIT && !press(&view, key));
end:
	p->colours(p, COLOUR_WHITE, COLOUR_BLACK);
	p->clear(p);
}

void menu_draw(struct platform *p, const struct menu *menu, size_t section)
{
	struct view view = { .p = p, .screen = { .p = p, .menu = menu },
		             .depth = section != menu->main };

	open_menu(&view, &menu->sections[section]);
	if (view.countdown)
		show_left(&view, view.countdown / 1000);
}
