/* SPDX-License-Identifier: BSD-2-Clause */
#include "nbp/hotkey.h"

#include "nbp/log.h"

#define CHORD_BITS (SHIFT_SHIFT | SHIFT_CTRL | SHIFT_ALT)

void hotkey_watch(struct platform *p, struct hotkey *hotkey)
{
	uint8_t shift = p->shift(p);
	int key = p->key(p);

	hotkey->shift_known |= (shift & SHIFT_KNOWN) != 0;
	hotkey->chords |= (uint8_t)(1u << (shift & CHORD_BITS));
	if (key == KEY_ENTER)
		hotkey->enter = true;
	if (key > 0 && key < 0x7f && hotkey->key_count < sizeof(hotkey->keys))
		hotkey->keys[hotkey->key_count++] = (uint8_t)key;
}

/* Says whether the chord was held, alone or with other shift keys. */
static bool chord_seen(const struct hotkey *hotkey, uint8_t chord)
{
	for (uint8_t state = 0; state <= CHORD_BITS; state++)
		if (hotkey->chords >> state & 1 && (state & chord) == chord)
			return true;
	return false;
}

static uint8_t lower(uint8_t key)
{
	return key >= 'A' && key <= 'Z' ? key | 0x20 : key;
}

static bool key_seen(const struct hotkey *hotkey, uint8_t wanted)
{
	if (wanted & MENU_KEY_CHORD)
		return hotkey->enter || chord_seen(hotkey, wanted & CHORD_BITS);
	for (size_t i = 0; i < hotkey->key_count; i++)
		if (lower(hotkey->keys[i]) == lower(wanted))
			return true;
	return false;
}

bool hotkey_pressed(struct platform *p, struct hotkey *hotkey, const struct answer *answer)
{
	uint8_t wanted = answer->hot_key;
	uint32_t begun = p->now(p);
	char name[2] = { (char)wanted, '\0' };
	bool chord;

	/* A chord without keys would always be held. */
	if (wanted == MENU_KEY_DEFAULT || wanted == MENU_KEY_CHORD)
		wanted = MENU_KEY_CHORD | SHIFT_CTRL | SHIFT_ALT;
	chord = wanted & MENU_KEY_CHORD;
	hotkey_watch(p, hotkey);
	if (key_seen(hotkey, wanted))
		return true;
	if ((chord && hotkey->shift_known) || answer->hot_key_wait == 0)
		return false;
	log_line(p, "press %s for the menu (%u ms)", chord ? "Enter" : name,
	         (uint32_t)answer->hot_key_wait);
	while (p->now(p) - begun < answer->hot_key_wait) {
		p->idle(p);
		hotkey_watch(p, hotkey);
		if (key_seen(hotkey, wanted))
			return true;
	}
	return false;
}
