/* SPDX-License-Identifier: BSD-2-Clause */
#include "nbp/menu_ask.h"

#include "nbp/proto/memory.h"
#include "nbp/proto/password.h"
#include "nbp/proto/text.h"

#define WARNING_SECONDS  60  /* the last ones before the idle limit are counted down */
#define WATCHDOG_SECONDS 60
#define PASSWORD_TRIES   3
#define HASH_STEP        500 /* iterations of the hash between two looks at the keys */

void menu_ask_show_left(struct menu_ask *ask, uint32_t seconds)
{
	char action[MENU_NAME_SIZE + 1], text[100];
	struct span name;

	text_format(action, sizeof(action), "%s", ask->action);
	if (ask->target) {
		name = menu_field(ask->screen.menu, ask->target, MENU_FIELD_NAME);
		text_clean(action, sizeof(action), name.data, name.length);
	}
	text_format(text, sizeof(text), "%s in %u s. Any key stops this.", action, seconds);
	menu_screen_text(&ask->screen, MENU_ROW_TIME, text);
}

int menu_ask_key(struct menu_ask *ask)
{
	struct platform *p = ask->screen.p;
	uint32_t since = p->now(p), shown = 0;
	uint32_t limit = ask->countdown ? ask->countdown : MENU_IDLE_LIMIT;
	bool drawn = false;

	for (;;) {
		uint32_t now = p->now(p), seconds = (limit - (now - since) + 999) / 1000;
		int key = p->key(p);

		if (now - since >= limit || now - ask->begun > MENU_TOTAL_LIMIT)
			return MENU_ASK_TIME_OVER;
		if (key != KEY_NONE || seconds != shown)
			p->watchdog(p, WATCHDOG_SECONDS);
		if (key != KEY_NONE) {
			ask->touched = true;
			ask->countdown = 0;
			ask->target = NULL;
			if (drawn)
				menu_screen_text(&ask->screen, MENU_ROW_TIME, "");
			return key;
		}
		if (seconds != shown && (ask->countdown || seconds <= WARNING_SECONDS)) {
			menu_ask_show_left(ask, seconds);
			drawn = true;
		}
		shown = seconds;
		p->idle(p);
	}
}

/* --- passwords ------------------------------------------------------------- */

/* Reads up to PASSWORD_SIZE characters; returns the key that ended them, or MENU_ASK_TIME_OVER. */
static int read_password(struct menu_ask *ask, const char *prompt, char *word, size_t *length)
{
	for (*length = 0;;) {
		char text[32 + PASSWORD_SIZE];
		size_t stars = text_format(text, sizeof(text), "%s", prompt);
		int key;

		memset(text + stars, '*', *length);
		text[stars + *length] = '\0';
		menu_screen_text(&ask->screen, MENU_ROW_PROMPT, text);
		key = menu_ask_key(ask);
		if (key == KEY_BACKSPACE && *length)
			--*length;
		else if (key >= ' ' && key < 0x7f && *length < PASSWORD_SIZE)
			word[(*length)++] = (char)key;
		else if (key == KEY_ENTER || key == KEY_ESCAPE || key == MENU_ASK_TIME_OVER)
			return key;
	}
}

/* Compares @word with @hash, for as long as that takes; the Escape key ends it. */
static bool password_matches(struct menu_ask *ask, const struct password_hash *hash,
                             const char *word, size_t length)
{
	struct platform *p = ask->screen.p;
	struct password_check check;
	bool stopped = false, right;

	menu_screen_text(&ask->screen, MENU_ROW_PROMPT, "Checking ...");
	password_start(&check, hash, word, length);
	while (!stopped && !password_run(&check, HASH_STEP)) {
		p->watchdog(p, WATCHDOG_SECONDS);
		stopped = p->key(p) == KEY_ESCAPE;
	}
	right = !stopped && password_right(&check, hash);
	/* The empty password overwrites @word's traces, here and elsewhere on the stack. */
	password_start(&check, hash, "", 0);
	return right;
}

int menu_ask_password(struct menu_ask *ask, struct span text)
{
	struct password_hash hash;
	char word[PASSWORD_SIZE];
	const char *prompt = "Password: ";
	int key = text.length ? KEY_ESCAPE : 0;
	bool right = false;

	if (key == 0 || password_hash_read(text, &hash) != 0)
		return key;
	for (int i = 0; i < PASSWORD_TRIES && !right; i++) {
		size_t length;

		key = read_password(ask, prompt, word, &length);
		if (key != KEY_ENTER)
			break;
		right = password_matches(ask, &hash, word, length);
		prompt = "Wrong. Password: ";
	}
	password_forget(word, sizeof(word));
	ask->screen.p->forget_keys(ask->screen.p);
	menu_screen_text(&ask->screen, MENU_ROW_PROMPT, "");
	return right ? 0 : key;
}
