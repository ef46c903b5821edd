/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <unistd.h>

#include "error.h"
#include "platform.h"
#include "settings.h"

/* Settings: their values, and which level counts. */

static void test_values(void **state)
{
	static const struct {
		const char *key, *text;
		int rc, value; /* value: of the number that it is */
	} cases[] = {
		{ "menu-mode", "never", 0, MENU_NEVER }, { "menu-mode", "always", 0, MENU_ALWAYS },
		{ "menu-mode", "hotkey", 0, MENU_HOT_KEY }, { "menu-mode", "", ERR_MALFORMED, 0 },
		{ "menu-mode", "Always", ERR_MALFORMED, 0 }, { "menu-mode", "1", ERR_MALFORMED, 0 },
		{ "hot-key", "ctrl+alt", 0, MENU_KEY_DEFAULT },
		{ "hot-key", "alt+ctrl", 0, MENU_KEY_DEFAULT },
		{ "hot-key", "shift", 0, MENU_KEY_CHORD | SHIFT_SHIFT },
		{ "hot-key", "ctrl+shift+alt", 0,
		  MENU_KEY_CHORD | SHIFT_SHIFT | SHIFT_CTRL | SHIFT_ALT },
		{ "hot-key", "f", 0, 'f' }, { "hot-key", "+", 0, '+' }, { "hot-key", "~", 0, '~' },
		{ "hot-key", "enter", 0, KEY_ENTER }, { "hot-key", "space", 0, ' ' },
		{ "hot-key", "escape", 0, KEY_ESCAPE }, { "hot-key", "tab", 0, '\t' },
		{ "hot-key", "", ERR_MALFORMED, 0 }, { "hot-key", " ", ERR_MALFORMED, 0 },
		{ "hot-key", "ctrl+", ERR_MALFORMED, 0 }, { "hot-key", "+ctrl", ERR_MALFORMED, 0 },
		{ "hot-key", "ctrl+ctrl", ERR_MALFORMED, 0 }, { "hot-key", "fn", ERR_MALFORMED, 0 },
		{ "hot-key", "ctrl+f", ERR_MALFORMED, 0 }, { "hot-key", "\x7f", ERR_MALFORMED, 0 },
		{ "hot-key-wait", "0", 0, 0 }, { "hot-key-wait", "60000", 0, 60000 },
		{ "hot-key-wait", "60001", ERR_MALFORMED, 0 },
		{ "hot-key-wait", "-1", ERR_MALFORMED, 0 },
		{ "hot-key-wait", "3s", ERR_MALFORMED, 0 },
		{ "hot-key-wait", "99999999999999999999", ERR_MALFORMED, 0 },
		{ "local-boot-bios", "default", 0, LOCAL_BOOT_DEFAULT },
		{ "local-boot-bios", "return", 0, LOCAL_BOOT_RETURN },
		{ "local-boot-bios", "int18", 0, LOCAL_BOOT_INT18 },
		{ "local-boot-bios", "mbr", 0, LOCAL_BOOT_MBR },
		{ "local-boot-bios", "exit", ERR_MALFORMED, 0 },
		{ "local-boot-uefi", "exit", 0, LOCAL_BOOT_EXIT },
		{ "local-boot-uefi", "entry", 0, LOCAL_BOOT_ENTRY },
		{ "local-boot-uefi", "bootnext", 0, LOCAL_BOOT_BOOTNEXT },
		{ "local-boot-uefi", "mbr", ERR_MALFORMED, 0 },
		{ "answer-validity", "0", 0, 0 }, { "answer-validity", "65535", 0, 65535 },
		{ "answer-validity", "65536", ERR_MALFORMED, 0 },
		{ "menu-file", "a/b.txt", 0, 0 }, { "menu-file", "../b", ERR_MALFORMED, 0 },
		{ "menu-file", "", ERR_MALFORMED, 0 }, { "menu-file", "a b", ERR_MALFORMED, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct settings s = { 0 };
		int index = setting_find(cases[i].key);

		print_message("           %s=%s\n", cases[i].key, cases[i].text);
		assert_true(index >= 0);
		assert_int_equal(setting_parse((size_t)index, cases[i].text, &s), cases[i].rc);
		/* One member at most is not zero. */
		assert_int_equal(s.menu_mode + s.hot_key + s.hot_key_wait + s.local_boot_bios +
		                 s.local_boot_uefi + s.valid_for, cases[i].value);
	}
	assert_int_equal(setting_find("menu"), -1);
}

static void test_defaults_are_sound(void **state)
{
	(void)state;
	for (size_t i = 0; setting_key(i); i++) {
		struct settings s;

		assert_int_equal(setting_find(setting_key(i)), i);
		assert_int_equal(setting_parse(i, setting_default(i), &s), 0);
		assert_true(setting_takes(i)[0]);
	}
}

static void test_answer(void **state)
{
	const struct settings s = { MENU_HOT_KEY, 'x', 500, LOCAL_BOOT_MBR, LOCAL_BOOT_ENTRY, 30,
	                            "pxemenu.txt" };
	struct settings other = s;
	struct answer answer = { 0 };

	(void)state;
	settings_answer(&s, FIRMWARE_BIOS, &answer);
	assert_int_equal(answer.menu_mode, MENU_HOT_KEY);
	assert_int_equal(answer.hot_key, 'x');
	assert_int_equal(answer.hot_key_wait, 500);
	assert_int_equal(answer.valid_for, 30);
	assert_int_equal(answer.local_boot, LOCAL_BOOT_MBR);
	assert_string_equal(answer.menu_file, ""); /* the NBP's own */
	strcpy(other.menu_file, "other.txt");
	settings_answer(&other, FIRMWARE_UEFI, &answer);
	assert_int_equal(answer.local_boot, LOCAL_BOOT_ENTRY);
	assert_string_equal(answer.menu_file, "other.txt");
}

/* The largest answer that can be must fit a datagram. */
static void test_largest_answer(void **state)
{
	struct message message = { .type = MESSAGE_ANSWER };
	struct answer *answer = &message.u.answer;
	struct settings s = { 255, 255, 65535, 255, 255, 65535, "" };
	uint8_t datagram[MESSAGE_MAX];
	size_t length;

	(void)state;
	memset(s.menu_file, 'm', FILE_SIZE - 1);
	settings_answer(&s, FIRMWARE_BIOS, answer);
	answer->decision = DECISION_WORK;
	answer->lease = UINT64_MAX;
	answer->attempt = 255;
	memset(answer->device, 'd', NAME_SIZE - 1);
	memset(answer->loader, 'l', FILE_SIZE - 1);
	memset(answer->config, 'c', FILE_SIZE - 1);
	memset(answer->prefix, 'p', FILE_SIZE - 1);
	assert_int_equal(message_encode(&message, datagram, sizeof(datagram), &length), 0);
}

static void check(struct store *store, uint64_t device, const char *key, const char *expected,
                  enum level level)
{
	char value[SETTING_TEXT];
	enum level from;

	assert_int_equal(setting_read(store, device, (size_t)setting_find(key), value, &from), 0);
	assert_string_equal(value, expected);
	assert_int_equal(from, level);
}

static void test_levels(void **state)
{
	static const struct store_options create = { .create = true };
	char path[] = "/tmp/preboot-settings-XXXXXX";
	struct device a = { .name = "a" }, b = { .name = "b" };
	size_t mode = (size_t)setting_find("menu-mode"), wait = (size_t)setting_find("hot-key-wait");
	struct settings s;
	struct store store;

	(void)state;
	close(mkstemp(path));
	assert_int_equal(store_open(&store, path, &create), 0);
	assert_int_equal(device_add(&store, &a, NULL, 0), 0);
	assert_int_equal(device_add(&store, &b, NULL, 0), 0);
	check(&store, 0, "menu-mode", "never", LEVEL_DEFAULT);
	check(&store, a.id, "menu-mode", "never", LEVEL_DEFAULT);
	assert_int_equal(setting_write(&store, 0, mode, "hotkey"), 0);
	assert_int_equal(setting_write(&store, a.id, mode, "always"), 0);
	assert_int_equal(setting_write(&store, 0, wait, "0"), 0);
	check(&store, 0, "menu-mode", "hotkey", LEVEL_ZONE);
	check(&store, a.id, "menu-mode", "always", LEVEL_DEVICE);
	check(&store, b.id, "menu-mode", "hotkey", LEVEL_ZONE);
	assert_int_equal(settings_read(&store, a.id, &s), 0);
	assert_int_equal(s.menu_mode, MENU_ALWAYS);
	assert_int_equal(s.hot_key_wait, 0);
	assert_int_equal(settings_read(&store, 0, &s), 0);
	assert_int_equal(s.menu_mode, MENU_HOT_KEY);
	assert_string_equal(s.menu_file, "pxemenu.txt");
	/* What a later version may have put there does no harm. */
	assert_int_equal(setting_write(&store, a.id, mode, "sometimes"), 0);
	assert_int_equal(settings_read(&store, a.id, &s), 0);
	assert_int_equal(s.menu_mode, MENU_HOT_KEY);
	assert_int_equal(setting_write(&store, a.id, mode, NULL), 0);
	assert_int_equal(setting_write(&store, a.id, mode, NULL), ERR_NOT_FOUND);
	check(&store, a.id, "menu-mode", "hotkey", LEVEL_ZONE);
	/* A device's settings go with it. */
	assert_int_equal(setting_write(&store, b.id, mode, "always"), 0);
	assert_int_equal(device_remove(&store, b.id), 0);
	check(&store, b.id, "menu-mode", "hotkey", LEVEL_ZONE);
	check(&store, 0, "menu-mode", "hotkey", LEVEL_ZONE);
	store_close(&store);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values), cmocka_unit_test(test_defaults_are_sound),
		cmocka_unit_test(test_answer), cmocka_unit_test(test_largest_answer),
		cmocka_unit_test(test_levels),
	};

	return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
