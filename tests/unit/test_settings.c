/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <unistd.h>
#include <sqlite3.h>

#include "nbp/platform.h"
#include "nbp/proto/error.h"
#include "server/store/settings.h"

/* Settings: their values, and which level counts. */

static const struct {
	const char *key, *text;
	int rc, value; /* value: of the number that it is */
} value_cases[] = {
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
	{ "attempts", "1", 0, 1 }, { "attempts", "100", 0, 100 },
	{ "attempts", "0", ERR_MALFORMED, 0 }, { "attempts", "101", ERR_MALFORMED, 0 },
	{ "deadline", "90", 0, 90 }, { "deadline", "90s", 0, 90 },
	{ "deadline", "30m", 0, 1800 }, { "deadline", "4h", 0, 14400 },
	{ "deadline", "366d", 0, 366 * 86400 }, { "deadline", "367d", ERR_MALFORMED, 0 },
	{ "deadline", "0", ERR_MALFORMED, 0 }, { "deadline", "h", ERR_MALFORMED, 0 },
	{ "deadline", "4 h", ERR_MALFORMED, 0 }, { "deadline", "4hh", ERR_MALFORMED, 0 },
	{ "deadline", "-4h", ERR_MALFORMED, 0 }, { "deadline", "4x", ERR_MALFORMED, 0 },
	{ "deadline", "31622401d", ERR_MALFORMED, 0 },
	{ "job-by-mac", "yes", 0, 1 }, { "job-by-mac", "maybe", ERR_MALFORMED, 0 },
	{ "tftp-multicast", "yes", 0, 1 }, { "tftp-multicast", "on", ERR_MALFORMED, 0 },
	{ "admit-unknown", "yes", 0, 1 }, { "admit-unknown", "no", 0, 0 },
	{ "admit-unknown", "", ERR_MALFORMED, 0 }, { "admit-unknown", "1", ERR_MALFORMED, 0 },
	{ "loader-bios", "a/b.0", 0, 0 }, { "loader-bios", "", ERR_MALFORMED, 0 },
	{ "loader-uefi-ia32", "a/b.efi", 0, 0 }, { "loader-uefi-ia32", "", ERR_MALFORMED, 0 },
	{ "loader-uefi-arm64", "a/b.efi", 0, 0 }, { "loader-uefi-arm64", "*", ERR_MALFORMED, 0 },
	{ "loader-uefi", "/b.efi", 0, 0 }, { "loader-uefi", "a b", ERR_MALFORMED, 0 },
	{ "menu-file", "a/b.txt", 0, 0 }, { "menu-file", "../b", ERR_MALFORMED, 0 },
	{ "menu-file", "", ERR_MALFORMED, 0 }, { "menu-file", "a b", ERR_MALFORMED, 0 },
};

static void test_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(value_cases); i++) {
		struct settings s = { 0 };
		int index = setting_find(value_cases[i].key);

		print_message("           %s=%s\n", value_cases[i].key, value_cases[i].text);
		assert_true(index >= 0);
		assert_int_equal(setting_parse((size_t)index, value_cases[i].text, &s),
		                 value_cases[i].rc);
		/* One member at most is not zero. */
		assert_int_equal(s.menu_mode + s.hot_key + s.hot_key_wait + s.local_boot_bios +
		                 s.local_boot_uefi + s.valid_for + s.attempts + s.deadline +
		                 s.admit_unknown + s.job_by_mac + s.tftp_multicast, value_cases[i].value);
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
	const struct settings s = { .menu_mode = MENU_HOT_KEY, .hot_key = 'x', .hot_key_wait = 500,
	                            .local_boot_bios = LOCAL_BOOT_MBR, .valid_for = 30,
	                            .local_boot_uefi = LOCAL_BOOT_ENTRY,
	                            .menu_file = "pxemenu.txt" };
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
	assert_int_equal(answer.tftp_multicast, 0);
	strcpy(other.menu_file, "other.txt");
	other.tftp_multicast = 1;
	settings_answer(&other, FIRMWARE_UEFI, &answer);
	assert_int_equal(answer.local_boot, LOCAL_BOOT_ENTRY);
	assert_string_equal(answer.menu_file, "other.txt");
	assert_int_equal(answer.tftp_multicast, 1);
}

/* The largest answer that can be must fit a datagram. */
static void test_largest_answer(void **state)
{
	struct message message = { .type = MESSAGE_ANSWER };
	struct answer *answer = &message.u.answer;
	struct settings s = { .menu_mode = 255, .hot_key = 255, .hot_key_wait = 65535,
	                      .local_boot_bios = 255, .local_boot_uefi = 255,
	                      .valid_for = 65535, .tftp_multicast = 255 };
	uint8_t datagram[MESSAGE_MAX];
	size_t length;

	(void)state;
	memset(s.menu_file, 'm', FILE_SIZE - 1);
	settings_answer(&s, FIRMWARE_BIOS, answer);
	answer->decision = DECISION_JOB;
	answer->job = UINT64_MAX;
	answer->attempt = 255;
	memset(answer->token, 255, TOKEN_SIZE);
	answer->completes = 255;
	memset(answer->device, 'd', NAME_SIZE - 1);
	memset(answer->loader, 'l', FILE_SIZE - 1);
	memset(answer->config, 'c', FILE_SIZE - 1);
	memset(answer->prefix, 'p', FILE_SIZE - 1);
	assert_int_equal(message_encode(&message, datagram, sizeof(datagram), &length), 0);
}

/* --- levels ---------------------------------------------------------------- */

/*
 * A site with the folders f, g in f, and h; the device a is in g, b in h, c in none.
 * Where something is set or asked: by its letter, "z" for global.
 */
struct tree {
	struct store store;
	char path[64];
	uint64_t ids['z' + 1];
};

static void run(struct tree *tree, const char *sql)
{
	assert_int_equal(sqlite3_exec(tree->store.db, sql, NULL, NULL, NULL), SQLITE_OK);
}

static int set_up(void **state)
{
	static const struct store_options create = { .create = true };
	struct tree *tree = calloc(1, sizeof(*tree));

	strcpy(tree->path, "/tmp/preboot-settings-XXXXXX");
	close(mkstemp(tree->path));
	*state = tree;
	if (store_open(&tree->store, tree->path, &create))
		return -1;
	run(tree, "INSERT INTO folder VALUES (5, NULL, 'f'), (6, 5, 'g'), (7, NULL, 'h')");
	/* A device and a folder of the same number are not the same. */
	run(tree,
	    "INSERT INTO device (id, name, added, folder) VALUES (5, 'a', 0, 6), (6, 'b', 0, 7),"
	    " (7, 'c', 0, NULL)");
	tree->ids['f'] = tree->ids['a'] = 5;
	tree->ids['g'] = tree->ids['b'] = 6;
	tree->ids['h'] = tree->ids['c'] = 7;
	return 0;
}

static int tear_down(void **state)
{
	struct tree *tree = *state;

	store_close(&tree->store);
	unlink(tree->path);
	free(tree);
	return 0;
}

static struct owner owner_of(const struct tree *tree, char who)
{
	struct owner owner = { LEVEL_GLOBAL, tree->ids[(int)who] };

	if (who >= 'a' && who <= 'c')
		owner.level = LEVEL_DEVICE;
	else if (who != 'z')
		owner.level = LEVEL_FOLDER;
	return owner;
}

static int put(struct tree *tree, char who, const char *key, const char *value)
{
	struct owner owner = owner_of(tree, who);

	return setting_write(&tree->store, &owner, (size_t)setting_find(key), value);
}

/* Checks attempts, as each of the ways to read it has it. @from: '-': built in */
static void check(struct tree *tree, char who, const char *expected, char from)
{
	struct owner owner = owner_of(tree, who), found, source = owner_of(tree, from);
	char value[SETTING_TEXT];
	struct settings s;

	print_message("           %c: %s of %c\n", who, expected, from);
	assert_int_equal(setting_read(&tree->store, &owner, (size_t)setting_find("attempts"),
	                              value, &found), 0);
	assert_string_equal(value, expected);
	assert_int_equal(found.level, from == '-' ? LEVEL_DEFAULT : source.level);
	assert_int_equal(found.id, from == '-' ? 0 : source.id);
	assert_int_equal(settings_read(&tree->store, &owner, &s), 0);
	assert_int_equal(s.attempts, atoi(expected));
	assert_string_equal(s.menu_file, "pxemenu.txt");
}

static void test_levels(void **state)
{
	/* What is set where, and from where each of zfghabc then has it. */
	static const struct {
		const char *set, *from;
	} cases[] = {
		{ "", "-------" }, { "z", "zzzzzzz" }, { "f", "-ff-f--" }, { "g", "--g-g--" },
		{ "fg", "-fg-g--" }, { "h", "---h-h-" }, { "a", "----a--" },
		{ "zfa", "zffzazz" }, { "zfghabc", "zfghabc" }, { "zc", "zzzzzzc" },
	};
	struct tree *tree = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		run(tree, "DELETE FROM setting");
		for (const char *set = cases[i].set; *set; set++) {
			char value[] = { '1', (char)('0' + *set % 10), '\0' };

			assert_int_equal(put(tree, *set, "attempts", value), 0);
		}
		for (size_t j = 0; j < 7; j++) {
			char from = cases[i].from[j];
			char value[] = { '1', (char)('0' + from % 10), '\0' };

			check(tree, "zfghabc"[j], from == '-' ? "3" : value, from);
		}
	}
}

static void test_odd_data(void **state)
{
	struct tree *tree = *state;

	/* What a later version may have put there does no harm. */
	assert_int_equal(put(tree, 'f', "attempts", "5"), 0);
	assert_int_equal(put(tree, 'a', "attempts", "many"), 0);
	run(tree, "INSERT INTO setting VALUES ('device', 5, 'colour', 'blue')");
	check(tree, 'a', "5", 'f');
	assert_int_equal(put(tree, 'a', "attempts", NULL), 0);
	assert_int_equal(put(tree, 'a', "attempts", NULL), ERR_NOT_FOUND);
	check(tree, 'a', "5", 'f');
	/* A folder within itself. */
	run(tree, "UPDATE folder SET parent = 6 WHERE id = 5");
	check(tree, 'a', "5", 'f');
	assert_int_equal(put(tree, 'z', "attempts", "7"), 0);
	assert_int_equal(put(tree, 'f', "attempts", NULL), 0);
	check(tree, 'a', "7", 'z');
	/* Settings go with whose they are. */
	assert_int_equal(put(tree, 'c', "attempts", "9"), 0);
	assert_int_equal(put(tree, 'h', "attempts", "8"), 0);
	run(tree, "DELETE FROM device WHERE id IN (6, 7)");
	run(tree, "DELETE FROM folder WHERE id = 7");
	check(tree, 'c', "7", 'z');
	check(tree, 'h', "7", 'z');
}

/* What had another key before is found by it, and has one key in lists. */
static void test_old_keys(void **state)
{
	(void)state;
	assert_true(setting_find("job-by-mac") >= 0);
	assert_true(setting_find("keep-jobs") >= 0);
	assert_int_equal(setting_find("work-by-mac"), setting_find("job-by-mac"));
	assert_int_equal(setting_find("keep-work"), setting_find("keep-jobs"));
	assert_string_equal(setting_key((size_t)setting_find("keep-work")), "keep-jobs");
	assert_int_equal(setting_find("keep"), -1);
}

static void test_where_they_may_be(void **state)
{
	(void)state;
	for (size_t i = 0; setting_key(i); i++) {
		bool only_global = strcmp(setting_key(i), "admit-unknown") == 0 ||
		                 strcmp(setting_key(i), "admit-limit") == 0 ||
		                 strcmp(setting_key(i), "keep-jobs") == 0 ||
		                 strcmp(setting_key(i), "keep-events") == 0 ||
		                 strcmp(setting_key(i), "keep-audit") == 0 ||
		                 strcmp(setting_key(i), SETTING_TFTP_ROOT) == 0 ||
		                 strcmp(setting_key(i), SETTING_TFTP_FOLDER) == 0 ||
		                 strcmp(setting_key(i), SHARED_MACS) == 0;

		assert_true(setting_at(i, LEVEL_GLOBAL));
		assert_int_equal(setting_at(i, LEVEL_FOLDER), !only_global);
		assert_int_equal(setting_at(i, LEVEL_DEVICE), !only_global);
		assert_false(setting_at(i, LEVEL_GROUP));
		assert_false(setting_at(i, LEVEL_DEFAULT));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values), cmocka_unit_test(test_defaults_are_sound),
		cmocka_unit_test(test_answer), cmocka_unit_test(test_largest_answer),
		cmocka_unit_test(test_old_keys),
		cmocka_unit_test(test_where_they_may_be),
		cmocka_unit_test_setup_teardown(test_levels, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_odd_data, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
