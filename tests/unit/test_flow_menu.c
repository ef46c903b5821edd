/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "nbp/flow.h"
#include "tests/unit/fake.h"

static const char menu_text[] =
	"[Main]\n"
	"title = Preboot\n"
	"option = auto ; Start imaging ;\n"
	"option = execute ; Maintenance ; ; lpxelinux.0 ; z_maint.cfg ; m/\n"
	"option = reboot ; Restart ;\n"
	"option = poweroff ; Switch off ;\n"
	"option = exit ; Local disk ;\n";

static struct message menu_answer(uint8_t mode)
{
	return (struct message){
		.type = MESSAGE_ANSWER,
		.u.answer = { .decision = DECISION_JOB, .job = 7, .attempt = 1, .token = { 1 },
		              .loader = "pxelinux.0", .config = "z_auto.cfg", .prefix = "boot/",
		              .menu_mode = mode, .hot_key_wait = 3000 } };
}

/* Starts a machine whose user presses @keys in the menu. */
static struct fake *menu_machine(struct message *reply, const char *keys)
{
	struct fake *fake = calloc(1, sizeof(*fake));

	fake_start(fake);
	fake->server = fake_answer;
	fake->server_data = reply;
	fake->menu_text = menu_text;
	for (size_t i = 0; keys[i]; i++) {
		fake->keys[i].at = 500 + 100 * (uint32_t)i;
		fake->keys[i].key = keys[i];
		fake->key_count++;
	}
	return fake;
}

static void the_menu_does_what_is_chosen(void **state)
{
	static const struct {
		const char *keys, *config, *prefix;
		unsigned int chains, reboots, power_offs;
		uint64_t job;
	} cases[] = {
		{ "1\r", "z_auto.cfg", "boot/", 1, 0, 0, 7 },
		{ "2\r", "z_maint.cfg", "m/", 1, 0, 0, 0 },
		{ "3\r", "", "", 0, 1, 0, 0 },
		{ "4\r", "", "", 0, 0, 1, 0 },
		{ "5\r", "", "", 0, 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct message reply = menu_answer(MENU_ALWAYS);
		struct fake *fake = menu_machine(&reply, cases[i].keys);

		flow_run(&fake->platform);
		assert_int_equal(fake->chains, cases[i].chains);
		assert_string_equal(fake->chained_config, cases[i].config);
		assert_string_equal(fake->chained_prefix, cases[i].prefix);
		assert_int_equal(fake->reboots, cases[i].reboots);
		assert_int_equal(fake->power_offs, cases[i].power_offs);
		/* These calls returned, which they do on no machine; later events do not count. */
		if (fake->left.sent)
			fake->sent_count = fake->left.sent;
		if (fake->reboots || fake->power_offs) /* the NIC needs time to send */
			assert_true(fake->left.at >= fake->sent[fake->sent_count - 1].at + 100);
		fake_event(fake, EVENT_MENU);
		fake_event(fake, EVENT_CHOSEN);
		if (cases[i].chains)
			assert_int_equal(fake_event(fake, EVENT_HANDOVER).job, cases[i].job);
		/* Only the server's job is accepted, and an entry does not get its token. */
		assert_int_equal(fake_questions(fake, MESSAGE_REPORT), cases[i].job != 0);
		assert_int_equal(fake->chained_record[8], cases[i].job != 0);
		assert_int_equal(fake->local_boots, 1);
		assert_int_equal(fake_questions(fake, MESSAGE_REQUEST), 1);
		free(fake);
	}
}

/* Menu and loader come by multicast where the answer says so, the chosen entry's loader too. */
static void the_answer_asks_for_multicast(void **state)
{
	static const struct {
		const char *keys, *fetched;
	} cases[] = {
		{ "1\r", "multicast:10.0.0.1:pxemenu.txt 10.0.0.1:boot/z_auto.cfg "
		         "multicast:10.0.0.1:pxelinux.0 " },
		{ "2\r", "multicast:10.0.0.1:pxemenu.txt 10.0.0.1:m/z_maint.cfg "
		         "multicast:10.0.0.1:lpxelinux.0 " },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct message reply = menu_answer(MENU_ALWAYS);
		struct fake *fake = menu_machine(&reply, cases[i].keys);

		reply.u.answer.tftp_multicast = 1;
		flow_run(&fake->platform);
		assert_string_equal(fake->fetched, cases[i].fetched);
		free(fake);
	}
}

/* The reasons that the server gets if the menu ends with local boot, or does not. */
static void local_boot_says_what_happened(void **state)
{
	static const struct {
		uint8_t mode;
		const char *keys, *more, *reason; /* reason NULL: the loader starts */
	} cases[] = {
		{ MENU_ALWAYS, "5\r", "", "Local disk was chosen at the menu" },
		{ MENU_ALWAYS, "\033", "", "menu: left" },
		{ MENU_ALWAYS, "", "", "menu: nobody there" },
		{ MENU_ALWAYS, "1", "", "menu: nobody there" },
		{ MENU_ALWAYS, "", "timeout = 9\ndefault = Local disk\n",
		  "Local disk was default at the menu" },
		/* A stray key called the menu, and nobody has chosen local boot. */
		{ MENU_HOT_KEY, "", "", NULL },
		{ MENU_HOT_KEY, "", "timeout = 9\ndefault = Local disk\n", NULL },
		{ MENU_HOT_KEY, "1", "", "menu: nobody there" },
		{ MENU_HOT_KEY, "5\r", "", "Local disk was chosen at the menu" },
		{ MENU_HOT_KEY, "\033", "", "menu: left" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct message reply = menu_answer(cases[i].mode);
		struct fake *fake = menu_machine(&reply, cases[i].keys);
		char text[1024];

		snprintf(text, sizeof(text), "%s%s", menu_text, cases[i].more);
		fake->menu_text = text;
		fake->shift = SHIFT_CTRL | SHIFT_ALT;
		fake->shift_to = 100;
		flow_run(&fake->platform);
		assert_int_equal(fake->chains, cases[i].reason == NULL);
		if (cases[i].reason) {
			assert_string_equal(fake_event(fake, EVENT_LOCAL).reason, cases[i].reason);
			assert_int_equal(fake_event(fake, EVENT_LOCAL).job, 7);
		} else {
			assert_non_null(strstr(fake->console, "] menu: skipped ("));
		}
		assert_false(fake->leftover);
		free(fake);
	}
}

/* Keys typed before the NBP started, and a keyboard that never falls silent. */
static void old_keys_call_no_menu(void **state)
{
	struct message reply = menu_answer(MENU_HOT_KEY);
	struct fake *fake = menu_machine(&reply, "");

	(void)state;
	for (size_t i = 0; i < 16; i++)
		fake->keys[i].key = KEY_ENTER;
	fake->key_count = 16;
	flow_run(&fake->platform);
	assert_string_equal(fake->fetched, "10.0.0.1:boot/z_auto.cfg 10.0.0.1:pxelinux.0 ");
	assert_false(fake->leftover);
	free(fake);
	fake = menu_machine(&reply, "");
	fake->babble = 'x';
	flow_run(&fake->platform);
	assert_int_equal(fake->chains, 1);
	free(fake);
}

static void a_menu_that_is_missing_or_wrong_leaves_the_job(void **state)
{
	static const char *const texts[] = { NULL, "", "[Main]\nnonsense\n" };
	static const char *const errors[] = {
		"menu other.txt: not found",
		"menu other.txt:1:1: expected a section [Main]",
		"menu other.txt:2:1: expected option, title, default, timeout, password or colour",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct message reply = menu_answer(MENU_ALWAYS);
		struct fake *fake = menu_machine(&reply, "");

		fake->menu_text = texts[i];
		strcpy(reply.u.answer.menu_file, "other.txt");
		flow_run(&fake->platform);
		assert_int_equal(fake->chains, 1);
		assert_string_equal(fake->fetched, "10.0.0.1:other.txt 10.0.0.1:boot/z_auto.cfg "
		                    "10.0.0.1:pxelinux.0 ");
		assert_non_null(strstr(fake->console, errors[i]));
		assert_non_null(strstr(fake->console, ", going on\n"));
		/* A step's reason is cut at 63 characters. */
		assert_memory_equal(fake_event(fake, EVENT_ERROR).reason, errors[i],
		                    strlen(errors[i]) < 63 ? strlen(errors[i]) : 63);
		free(fake);
	}
}

static void an_answer_that_still_holds_is_not_asked_for_again(void **state)
{
	struct message reply = menu_answer(MENU_ALWAYS);
	struct fake *fake = menu_machine(&reply, "1\r");

	(void)state;
	reply.u.answer.valid_for = 60;
	fake->keys[0].at = 30000;
	fake->keys[1].at = 30100;
	flow_run(&fake->platform);
	assert_int_equal(fake_questions(fake, MESSAGE_REQUEST), 1);
	assert_int_equal(fake->chains, 1);
	free(fake);
}

/* If the menu shows for longer than the answer is valid, the NBP asks again. */
static void a_stale_answer_is_asked_for_again(void **state)
{
	struct message reply = menu_answer(MENU_ALWAYS);
	struct fake *fake = menu_machine(&reply, "1\r");

	(void)state;
	reply.u.answer.valid_for = 60;
	fake->keys[0].at = 70000;
	fake->keys[1].at = 70100;
	flow_run(&fake->platform);
	assert_int_equal(fake_questions(fake, MESSAGE_REQUEST), 2);
	assert_memory_equal(fake->sent[0].data + 8, fake->sent[fake->sent_count - 4].data + 8,
	                    NONCE_SIZE); /* the same boot */
	assert_non_null(strstr(fake->console, "] the answer has expired\n"));
	assert_int_equal(fake->chains, 1);
	free(fake);

	fake = menu_machine(&reply, "1\r");
	fake->keys[0].at = 50000;
	fake->keys[1].at = 50100;
	flow_run(&fake->platform);
	assert_int_equal(fake_questions(fake, MESSAGE_REQUEST), 1);
	free(fake);
}

static void answer_late(struct fake *fake, const struct fake_datagram *datagram)
{
	if (fake->clock >= 1500)
		fake_answer(fake, datagram);
}

/* An answer is valid from the time it came, not from the NBP's start. */
static void an_answer_holds_from_its_coming(void **state)
{
	struct message reply = menu_answer(MENU_ALWAYS);
	struct fake *fake = menu_machine(&reply, "1\r");
	size_t asked = 0;

	(void)state;
	reply.u.answer.valid_for = 60;
	fake->server = answer_late;
	fake->keys[0].at = 61000;
	fake->keys[1].at = 61100;
	flow_run(&fake->platform);
	for (size_t i = 0; i < fake->sent_count; i++)
		asked += fake->sent[i].data[5] == MESSAGE_REQUEST && fake->sent[i].at > 10000;
	assert_int_equal(asked, 0);
	assert_int_equal(fake->chains, 1);
	free(fake);
}

static void fall_silent(struct fake *fake, const struct fake_datagram *datagram)
{
	if (fake->clock < 1000)
		fake_answer(fake, datagram);
}

/* The first answer's local-boot method counts if nobody answers the second request. */
static void a_server_gone_silent_leaves_its_way_to_the_disk(void **state)
{
	struct message reply = menu_answer(MENU_ALWAYS);
	struct fake *fake = menu_machine(&reply, "1\r");

	(void)state;
	reply.u.answer.valid_for = 60;
	reply.u.answer.local_boot = LOCAL_BOOT_MBR;
	fake->server = fall_silent;
	fake->keys[0].at = 70000;
	fake->keys[1].at = 70100;
	flow_run(&fake->platform);
	assert_int_equal(fake->chains, 0);
	assert_int_equal(fake->local_boots, 1);
	assert_int_equal(fake->method, LOCAL_BOOT_MBR);
	free(fake);
}

/* --- the hot key ------------------------------------------------------------ */

static const struct {
	const char *name;
	uint8_t hot_key, shift;
	uint32_t from, to; /* while the shift keys are held, ms */
	int key;           /* pressed at key_at */
	uint32_t key_at;
	bool unknown;      /* the firmware reports no shift state */
	uint16_t wait;
	bool menu;
	uint32_t latest;   /* without a menu the machine must boot by then, ms */
} hot_keys[] = {
	{ "nothing is held", 0, 0, 0, 0, 0, 0, false, 3000, false, 5 },
	{ "Ctrl+Alt is held all the time", 0, 6, 0, 9999, 0, 0, false, 3000, true, 0 },
	{ "Ctrl+Alt was held while asking", 0, 6, 1, 2, 0, 0, false, 3000, true, 0 },
	{ "Ctrl+Alt came too late", 0, 6, 8, 9999, 0, 0, false, 3000, false, 5 },
	{ "Ctrl alone", 0, 2, 0, 9999, 0, 0, false, 3000, false, 5 },
	{ "Ctrl+Alt+Shift", 0, 7, 0, 9999, 0, 0, false, 3000, true, 0 },
	{ "Enter stands for a chord", 0, 0, 0, 0, '\r', 0, false, 3000, true, 0 },
	{ "another key does not", 0, 0, 0, 0, 'x', 0, false, 3000, false, 5 },
	{ "policy's chord", 0x83, 3, 0, 9999, 0, 0, false, 3000, true, 0 },
	{ "not policy's chord", 0x83, 6, 0, 9999, 0, 0, false, 3000, false, 5 },
	{ "a chord of no keys is the default", 0x80, 0, 0, 0, 0, 0, false, 3000, false, 5 },
	{ "policy's key, of either case", 'm', 0, 0, 0, 'M', 0, false, 3000, true, 0 },
	{ "policy's key within the wait", 'm', 0, 0, 0, 'm', 2000, false, 3000, true, 0 },
	{ "not policy's key", 'm', 0, 0, 0, '\r', 0, false, 0, false, 5 },
	{ "no shift state: a prompt", 0, 0, 0, 0, '\r', 2900, true, 3000, true, 0 },
	{ "no shift state, no key", 0, 0, 0, 0, 0, 0, true, 3000, false, 3005 },
	{ "no shift state, no wait", 0, 0, 0, 0, 0, 0, true, 0, false, 5 },
};

static void the_hot_key_calls_the_menu(void **state)
{
	int failed = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(hot_keys); i++) {
		struct message reply = menu_answer(MENU_HOT_KEY);
		struct fake *fake = menu_machine(&reply, "");
		bool menu, late;

		reply.u.answer.decision = DECISION_LOCAL;
		fake->takes.write = 0; /* the times below are those of the keys alone */
		reply.u.answer.hot_key = hot_keys[i].hot_key;
		reply.u.answer.hot_key_wait = hot_keys[i].wait;
		fake->shift = hot_keys[i].shift;
		fake->shift_from = hot_keys[i].from;
		fake->shift_to = hot_keys[i].to;
		fake->shift_unknown = hot_keys[i].unknown;
		fake->keys[0].at = hot_keys[i].key_at ? hot_keys[i].key_at : 1; /* 0: too old */
		fake->keys[0].key = hot_keys[i].key;
		fake->key_count = hot_keys[i].key != 0;
		flow_run(&fake->platform);
		menu = fake->fetched[0] != '\0';
		late = !menu && fake->clock > hot_keys[i].latest;
		if (menu != hot_keys[i].menu || late) {
			print_error("%s: %s menu at %u ms\n", hot_keys[i].name, menu ? "a" : "no",
			            fake->clock);
			failed++;
		}
		free(fake);
	}
	assert_int_equal(failed, 0);
}

static void policy_may_forbid_the_menu(void **state)
{
	struct message reply = menu_answer(MENU_NEVER);
	struct fake *fake = menu_machine(&reply, "");

	(void)state;
	fake->shift = SHIFT_CTRL | SHIFT_ALT;
	fake->shift_to = 9999;
	flow_run(&fake->platform);
	assert_string_equal(fake->fetched, "10.0.0.1:boot/z_auto.cfg 10.0.0.1:pxelinux.0 ");
	free(fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_menu_does_what_is_chosen),
		cmocka_unit_test(the_answer_asks_for_multicast),
		cmocka_unit_test(local_boot_says_what_happened),
		cmocka_unit_test(old_keys_call_no_menu),
		cmocka_unit_test(a_menu_that_is_missing_or_wrong_leaves_the_job),
		cmocka_unit_test(an_answer_that_still_holds_is_not_asked_for_again),
		cmocka_unit_test(an_answer_holds_from_its_coming),
		cmocka_unit_test(a_stale_answer_is_asked_for_again),
		cmocka_unit_test(a_server_gone_silent_leaves_its_way_to_the_disk),
		cmocka_unit_test(the_hot_key_calls_the_menu),
		cmocka_unit_test(policy_may_forbid_the_menu),
	};

	return cmocka_run_group_tests_name("flow_menu", tests, NULL, NULL);
}
