/* SPDX-License-Identifier: BSD-2-Clause */
#include "nbp/menu_ask.h"

#include "nbp/menu_view.h"
#include "nbp/proto/memory.h"
#include "nbp/proto/password.h"
#include "nbp/proto/text.h"

#define WARNING    60  /* seconds before the idle limit that are counted down, too */
#define WATCHDOG   60  /* seconds */
#define TRIES      3   /* at a password */
#define ITERATIONS 500 /* of a password's, between two looks at the keys */

void dialogue_show_left(struct dialogue *dialogue, uint32_t seconds)
{
	char action[MENU_NAME_SIZE + 1], text[100];
	struct span name;

	text_format(action, sizeof(action), "%s", dialogue->otherwise);
	if (dialogue->target) {
		name = menu_field(dialogue->screen.menu, dialogue->target, FIELD_NAME);
		text_clean(action, sizeof(action), name.data, name.length);
	}
	text_format(text, sizeof(text), "%s in %u s. Any key stops this.", action, seconds);
	screen_text(&dialogue->screen, ROW_TIME, text);
}

int dialogue_key(struct dialogue *dialogue)
{
	struct platform *p = dialogue->screen.p;
	uint32_t since = p->now(p), shown = 0;
	uint32_t limit = dialogue->countdown ? dialogue->countdown : MENU_IDLE_LIMIT;
	bool drawn = false;

	for (;;) {
		uint32_t now = p->now(p), seconds = (limit - (now - since) + 999) / 1000;
		int key = p->key(p);

		if (now - since >= limit || now - dialogue->begun > MENU_TOTAL_LIMIT)
			return TIME_OVER;
		if (key != KEY_NONE || seconds != shown)
			p->watchdog(p, WATCHDOG);
		if (key != KEY_NONE) {
			dialogue->touched = true;
			dialogue->countdown = 0;
			dialogue->target = NULL;
			if (drawn)
				screen_text(&dialogue->screen, ROW_TIME, "");
			return key;
		}
		if (seconds != shown && (dialogue->countdown || seconds <= WARNING)) {
			dialogue_show_left(dialogue, seconds);
			drawn = true;
		}
		shown = seconds;
		p->idle(p);
	}
}

/* --- passwords ------------------------------------------------------------- */

/* Takes up to PASSWORD_SIZE characters; returns the key that ended them, or TIME_OVER. */
static int read_password(struct dialogue *dialogue, const char *prompt, char *word, size_t *length)
{
	for (*length = 0;;) {
		char text[32 + PASSWORD_SIZE];
		size_t stars = text_format(text, sizeof(text), "%s", prompt);
		int key;

		memset(text + stars, '*', *length);
		text[stars + *length] = '\0';
		screen_text(&dialogue->screen, ROW_PROMPT, text);
		key = dialogue_key(dialogue);
		if (key == KEY_BACKSPACE && *length)
			--*length;
		else if (key >= ' ' && key < 0x7f && *length < PASSWORD_SIZE)
			word[(*length)++] = (char)key;
		else if (key == KEY_ENTER || key == KEY_ESCAPE || key == TIME_OVER)
			return key;
	}
}

/* Takes as long as the hash wants; Escape ends it. */
static bool right_password(struct dialogue *dialogue, const struct password_hash *hash,
                           const char *word, size_t length)
{
	struct platform *p = dialogue->screen.p;
	struct password_check check;
	bool stopped = false, right;

	screen_text(&dialogue->screen, ROW_PROMPT, "Checking ...");
	password_start(&check, hash, word, length);
	while (!stopped && !password_run(&check, ITERATIONS)) {
		p->watchdog(p, WATCHDOG);
		stopped = p->key(p) == KEY_ESCAPE;
	}
	right = !stopped && password_right(&check, hash);
	/* Another one takes its place, here and wherever else it was on the stack. */
	password_start(&check, hash, "", 0);
	return right;
}

int dialogue_password(struct dialogue *dialogue, struct span text)
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

		key = read_password(dialogue, prompt, word, &length);
		if (key != KEY_ENTER)
			break;
		right = right_password(dialogue, &hash, word, length);
		prompt = "Wrong. Password: ";
	}
	password_forget(word, sizeof(word));
	dialogue->screen.p->forget_keys(dialogue->screen.p);
	screen_text(&dialogue->screen, ROW_PROMPT, "");
	return right ? 0 : key;
}
