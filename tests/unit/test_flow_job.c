/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "nbp/flow.h"
#include "nbp/folder.h"
#include "nbp/proto/error.h"
#include "nbp/proto/power_on.h"
#include "tests/unit/fake.h"

/* A job, from the answer to the loader: confirmed by the server, its files there. */

static struct message job_answer(void)
{
	return (struct message){
		.type = MESSAGE_ANSWER,
		.u.answer = { .decision = DECISION_JOB, .job = 7, .attempt = 2,
		              .loader = "pxelinux.0", .config = "z_auto.cfg",
		              .token = { 1, 2, 3, 4, 5, 6, 7, 8 }, .local_boot = LOCAL_BOOT_MBR } };
}

static struct fake *machine(struct message *reply)
{
	struct fake *fake = calloc(1, sizeof(*fake));

	fake_start(fake);
	fake->server = fake_answer;
	fake->server_data = reply;
	strcpy((char *)fake->platform.machine.dhcp.ack.data + 108, "site/nvlnbp.sys");
	return fake;
}

static void assert_local(const struct fake *fake, const char *reason)
{
	assert_int_equal(fake->local_boots, 1);
	assert_int_equal(fake->method, LOCAL_BOOT_MBR); /* the answer's method */
	assert_string_equal(fake_event(fake, EVENT_LOCAL).reason, reason);
	assert_int_equal(fake_event(fake, EVENT_LOCAL).job, 7);
}

/* --- the server counts it first ------------------------------------------------ */

static struct report report_of(const struct fake *fake, enum report_state wanted)
{
	struct message message;

	for (size_t i = 0; i < fake->sent_count; i++) {
		assert_int_equal(message_decode(&message, fake->sent[i].data, fake->sent[i].length),
		                 0);
		if (message.type == MESSAGE_REPORT && message.u.report.state == wanted)
			return message.u.report;
	}
	fail_msg("no report %d", (int)wanted);
	return message.u.report;
}

static void accepts_the_job_before_it_fetches(void **state)
{
	struct message reply = job_answer(), request, report;
	struct fake *fake = machine(&reply);
	struct power_on power_on;
	size_t at = 0;

	(void)state;
	flow_run(&fake->platform);
	assert_int_equal(fake->chains, 1);
	assert_int_equal(fake_questions(fake, MESSAGE_REQUEST), 1);
	assert_int_equal(fake_questions(fake, MESSAGE_REPORT), 1); /* four packets in all */
	while (fake->sent[at].data[5] != MESSAGE_REPORT)
		at++;
	assert_int_equal(message_decode(&request, fake->sent[0].data, MESSAGE_MAX), 0);
	assert_int_equal(message_decode(&report, fake->sent[at].data, MESSAGE_MAX), 0);
	assert_memory_equal(report.nonce, request.nonce, NONCE_SIZE);
	assert_int_equal(report.sequence, 2);
	assert_memory_equal(report.u.report.identity.mac, request.u.request.identity.mac, 6);
	assert_int_equal(report.u.report.job, 7);
	assert_int_equal(report.u.report.state, REPORT_ACCEPTED);
	assert_memory_equal(report.u.report.token, reply.u.answer.token, TOKEN_SIZE);
	assert_true(fake->sent[at].at < fake_event(fake, EVENT_LOADED).milliseconds);
	/* The agent finds the token, and the server that gave it. */
	assert_int_equal(power_on_decode(&power_on, fake->chained_record), 0);
	assert_int_equal(power_on.state, POWER_ON_HANDED_OVER);
	assert_memory_equal(power_on.token, reply.u.answer.token, TOKEN_SIZE);
	assert_memory_equal(power_on.server, ((uint8_t[]){ 10, 0, 0, 1 }), 4);
	free(fake);
}

/* A refusal, no answer, or the receipt of another job: the local disk boots soon. */
static void without_a_receipt_it_boots_local(void **state)
{
	struct message reply = job_answer();

	(void)state;
	for (int i = 0; i < 6; i++) {
		struct fake *fake = machine(&reply);
		const uint32_t begun = 5000; /* the request was late already */
		uint8_t done = i >= 3;

		fake->clock = begun;
		reply.u.answer.completes = done;
		if (i % 3 == 0)
			fake->receipts.none = done ? REPORT_DONE : REPORT_ACCEPTED;
		if (i % 3 == 1)
			fake->receipts.refused = done ? REPORT_DONE : REPORT_ACCEPTED;
		if (i % 3 == 2) {
			fake->receipts.none = done ? REPORT_DONE : 0;
			fake->receipts.wrong_job = !done;
		}
		flow_run(&fake->platform);
		assert_int_equal(fake->chains, 0);
		assert_string_equal(fake->fetched, done ? "10.0.0.1:site/z_auto.cfg "
		                                          "10.0.0.1:site/pxelinux.0 " : "");
		assert_local(fake, "no receipt for the job");
		assert_non_null(strstr(fake->console, i % 3 == 1
		                                              ? "] job 7: no receipt: withdrawn\n"
		                                              : "] job 7: no receipt: "));
		assert_in_range(fake->clock - begun, fake->receipts.none ? 1500 : 0, 2000);
		if (i % 3 == 0) /* it is repeated while nobody answers */
			assert_in_range(fake_questions(fake, MESSAGE_REPORT), 3 + done, 6 + done);
		free(fake);
	}
}

/* Only the server that answered can confirm; another one that was asked cannot. */
static void other_servers_cannot_confirm(void **state)
{
	static const uint8_t options[] = { 224, 8, 10, 0, 0, 1, 10, 0, 0, 2, 255 };
	struct message reply = job_answer(), receipt = { .type = MESSAGE_RECEIPT, .sequence = 2,
		.u.receipt = { .job = 7, .state = REPORT_ACCEPTED } }, request;
	struct fake *fake = machine(&reply);

	(void)state;
	memcpy((char *)fake->platform.machine.dhcp.ack.data + 240, options, sizeof(options));
	fake->receipts.none = REPORT_ACCEPTED;
	flow_run(&fake->platform);
	assert_int_equal(message_decode(&request, fake->sent[0].data, MESSAGE_MAX), 0);
	free(fake);
	fake = machine(&reply);
	memcpy((char *)fake->platform.machine.dhcp.ack.data + 240, options, sizeof(options));
	fake->receipts.none = REPORT_ACCEPTED;
	memcpy(receipt.nonce, request.nonce, NONCE_SIZE); /* the fake's nonces are all alike */
	reply.sequence = 1;
	memcpy(reply.nonce, request.nonce, NONCE_SIZE);
	fake_deliver_message(fake, 5, (struct endpoint){ { 10, 0, 0, 1 }, POLICY_PORT }, &reply);
	for (uint32_t at = 10; at < 30; at++)
		fake_deliver_message(fake, at, (struct endpoint){ { 10, 0, 0, 2 }, POLICY_PORT },
		                     &receipt);
	fake->server = NULL;
	flow_run(&fake->platform);
	assert_int_equal(fake->chains, 0);
	for (size_t i = 1; i < fake->sent_count; i++)
		assert_int_equal(fake->sent[i].peer.address[3], 1);
	free(fake);
}

/* The second server that DHCP names answers, and the first one is silent. */
static void answer_as_second(struct fake *fake, const struct fake_datagram *datagram)
{
	if (datagram->peer.address[3] == 2)
		fake_answer(fake, datagram);
}

/* The server that answered gets reports and events, also those of a menu entry. */
static void reports_go_to_the_server_that_answered(void **state)
{
	static const uint8_t options[] = { 224, 8, 10, 0, 0, 1, 10, 0, 0, 2, 255 };

	(void)state;
	for (int from_menu = 0; from_menu < 2; from_menu++) {
		struct message reply = job_answer(), message;
		struct fake *fake = machine(&reply);
		struct power_on power_on;

		memcpy((char *)fake->platform.machine.dhcp.ack.data + 240, options,
		       sizeof(options));
		fake->server = answer_as_second;
		fake->menu_text = "[Main]\noption = execute ; Go ; ; pxelinux.0\n";
		reply.u.answer.menu_mode = from_menu ? MENU_ALWAYS : MENU_NEVER;
		fake->keys[0].at = 1000;
		fake->keys[0].key = KEY_ENTER;
		fake->key_count = 1;
		flow_run(&fake->platform);
		assert_int_equal(fake->chains, 1);
		assert_int_equal(fake_questions(fake, MESSAGE_REPORT), !from_menu);
		for (size_t i = 0; i < fake->sent_count; i++) {
			assert_int_equal(message_decode(&message, fake->sent[i].data,
			                                fake->sent[i].length), 0);
			if (message.type != MESSAGE_REQUEST)
				assert_int_equal(fake->sent[i].peer.address[3], 2);
		}
		assert_int_equal(power_on_decode(&power_on, fake->chained_record), 0);
		assert_memory_equal(power_on.server, ((uint8_t[]){ 10, 0, 0, 2 }), 4);
		free(fake);
	}
}

static void reports_job_done_that_ends_at_the_handover(void **state)
{
	struct message reply = job_answer();
	struct fake *fake = machine(&reply);

	(void)state;
	reply.u.answer.completes = COMPLETES_HANDOVER;
	flow_run(&fake->platform);
	assert_int_equal(fake->chains, 1);
	assert_int_equal(fake_questions(fake, MESSAGE_REPORT), 2);
	assert_memory_equal(report_of(fake, REPORT_DONE).token, reply.u.answer.token, TOKEN_SIZE);
	fake_event(fake, EVENT_HANDOVER);
	free(fake);
	/* A job whose loader is missing is not reported done. */
	fake = machine(&reply);
	fake->missing = "site/pxelinux.0";
	flow_run(&fake->platform);
	assert_int_equal(fake_questions(fake, MESSAGE_REPORT), 1);
	assert_int_equal(report_of(fake, REPORT_ACCEPTED).job, 7);
	free(fake);
}

/* A job whose loader the firmware refuses is not reported done, however it completes. */
static void job_is_not_done_by_a_loader_that_is_refused(void **state)
{
	struct message reply = job_answer();

	(void)state;
	for (uint8_t completes = 0; completes <= COMPLETES_HANDOVER; completes++) {
		struct fake *fake = machine(&reply);

		reply.u.answer.completes = completes;
		fake->prepare_result = ERR_REFUSED;
		flow_run(&fake->platform);
		assert_int_equal(fake->chains, 0);
		assert_int_equal(fake_questions(fake, MESSAGE_REPORT), 1);
		assert_int_equal(report_of(fake, REPORT_ACCEPTED).job, 7);
		assert_string_equal(fake_event(fake, EVENT_ERROR).reason,
		                    "site/pxelinux.0: refused");
		assert_null(strstr(fake->console, "handing over"));
		assert_local(fake, "action failed: site/pxelinux.0: refused");
		free(fake);
	}
}

/* --- its files ------------------------------------------------------------------ */

/* Where PXELINUX looks for a file, and the options that make it look there. */
static const struct {
	const char *named, *real; /* the NBP's name by DHCP, and the one it was fetched by */
	const char *config, *prefix, *wanted; /* the file that must be there */
	const char *handed_config, *handed_prefix;
} places[] = {
	{ "nvlnbp.sys", "", "z.cfg", "", "z.cfg", "z.cfg", "" },
	{ "site/nvlnbp.sys", "", "z.cfg", "", "site/z.cfg", "z.cfg", "" },
	{ "site\\nvlnbp.sys", "", "z.cfg", "", "site\\z.cfg", "z.cfg", "" },
	{ "site/nvlnbp.sys", "", "z.cfg", "other/", "other/z.cfg", "z.cfg", "other/" },
	{ "site/nvlnbp.sys", "", "a/z.cfg", "/other/", "/other/a/z.cfg", "a/z.cfg", "/other/" },
	{ "site/nvlnbp.sys", "", "/z.cfg", "", "/z.cfg", "::/z.cfg", "" },
	{ "nvlnbp.sys", "", "/z.cfg", "", "/z.cfg", "/z.cfg", "" },
	{ "nvlnbp.sys", "", "/z.cfg", "other/", "/z.cfg", "::/z.cfg", "other/" },
	/* iPXE's script is in the root and loaded the NBP from a folder, or the other way round. */
	{ "boot.ipxe", "site/nvlnbp.sys", "z.cfg", "", "site/z.cfg", "z.cfg", "site/" },
	{ "site/boot.ipxe", "nvlnbp.sys", "z.cfg", "", "z.cfg", "z.cfg", "./" },
	{ "site/boot.ipxe", "site/nvlnbp.sys", "z.cfg", "", "site/z.cfg", "z.cfg", "" },
	{ "site/boot.ipxe", "sits/nvlnbp.sys", "z.cfg", "", "sits/z.cfg", "z.cfg", "sits/" },
	/* PXELINUX reads this as a folder with the name "site/nvlnbp_". */
	{ "site/nvlnbp_2.sys", "", "z.cfg", "", "site/z.cfg", "z.cfg", "site/" },
	{ "nvlnbp_2.sys", "", "z.cfg", "", "z.cfg", "z.cfg", "./" },
};

static void makes_sure_of_the_configuration_file(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * COUNT(places); i++) {
		struct message reply = job_answer();
		struct fake *fake = machine(&reply);
		size_t place = i / 2;
		bool missing = i % 2;
		char line[200];

		memset((char *)fake->platform.machine.dhcp.ack.data + 108, 0, 128);
		strcpy((char *)fake->platform.machine.dhcp.ack.data + 108, places[place].named);
		strcpy(fake->platform.machine.boot_file, places[place].real);
		strcpy(reply.u.answer.config, places[place].config);
		strcpy(reply.u.answer.prefix, places[place].prefix);
		if (missing)
			fake->missing = places[place].wanted;
		flow_run(&fake->platform);
		if (missing) {
			/* The loader is not fetched. */
			snprintf(line, sizeof(line), "10.0.0.1:%s ", places[place].wanted);
			assert_string_equal(fake->fetched, line);
			assert_int_equal(fake->chains, 0);
			snprintf(line, sizeof(line), "%s: not found", places[place].wanted);
			assert_non_null(strstr(fake->console, line));
			assert_string_equal(fake_event(fake, EVENT_ERROR).reason, line);
			snprintf(line, sizeof(line), "action failed: %s: not found",
			         places[place].wanted);
			assert_local(fake, line);
		} else {
			assert_int_equal(fake->chains, 1);
			assert_string_equal(fake->chained_config, places[place].handed_config);
			assert_string_equal(fake->chained_prefix, places[place].handed_prefix);
		}
		free(fake);
	}
}

/* The loader must look where the NBP found the file. */
static void tells_the_loader_which_server(void **state)
{
	static const struct {
		uint8_t siaddr[4], options[16], server;
	} cases[] = {
		{ { 10, 0, 0, 1 }, { 54, 4, 10, 0, 0, 3, 255 }, 1 },
		{ { 0 }, { 54, 4, 10, 0, 0, 3, 255 }, 3 },
		{ { 0 }, { 54, 4, 10, 0, 0, 3, 66, 8, '1', '0', '.', '0', '.', '0', '.', '4' }, 4 },
		{ { 0 }, { 131, 4, 10, 0, 0, 5, 255 }, 5 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct message reply = job_answer();
		struct fake *fake = machine(&reply);
		uint8_t *ack = (uint8_t *)(uintptr_t)fake->platform.machine.dhcp.ack.data;
		char file[64];

		memcpy(ack + 20, cases[i].siaddr, 4);
		memcpy(ack + 240, cases[i].options, sizeof(cases[i].options));
		flow_run(&fake->platform);
		assert_int_equal(fake->chains, 1);
		snprintf(file, sizeof(file), "10.0.0.%u:site/z_auto.cfg ", cases[i].server);
		assert_non_null(strstr(fake->fetched, file));
		assert_memory_equal(fake->chained_server,
		                    ((uint8_t[]){ 10, 0, 0, cases[i].server }), 4);
		free(fake);
	}
}

static void an_empty_configuration_file_is_none(void **state)
{
	struct message reply = job_answer();
	struct fake *fake = machine(&reply);

	(void)state;
	fake->empty = "site/z_auto.cfg";
	flow_run(&fake->platform);
	assert_int_equal(fake->chains, 0);
	assert_string_equal(fake_event(fake, EVENT_ERROR).reason, "site/z_auto.cfg: truncated");
	free(fake);
}

static void knows_folders(void **state)
{
	static const struct {
		const char *name;
		size_t ours, pxelinux;
	} cases[] = {
		{ "", 0, 0 }, { "a", 0, 0 }, { "/", 1, 1 }, { "/a", 1, 1 }, { "a/b/c-d.0", 4, 4 },
		{ "a\\b", 2, 2 }, { "a/b\\c", 4, 4 }, { "a\\b/c", 4, 4 }, { "a/", 2, 2 },
		{ "a/b_c", 2, 4 }, { "A_Z", 0, 2 }, { "a/b c@d", 2, 6 }, { "a/[b{c", 2, 5 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(folder_length(cases[i].name), cases[i].ours);
		assert_int_equal(folder_by_pxelinux(cases[i].name), cases[i].pxelinux);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_the_job_before_it_fetches),
		cmocka_unit_test(without_a_receipt_it_boots_local),
		cmocka_unit_test(other_servers_cannot_confirm),
		cmocka_unit_test(reports_go_to_the_server_that_answered),
		cmocka_unit_test(reports_job_done_that_ends_at_the_handover),
		cmocka_unit_test(job_is_not_done_by_a_loader_that_is_refused),
		cmocka_unit_test(makes_sure_of_the_configuration_file),
		cmocka_unit_test(tells_the_loader_which_server),
		cmocka_unit_test(an_empty_configuration_file_is_none),
		cmocka_unit_test(knows_folders),
	};

	return cmocka_run_group_tests_name("flow_job", tests, NULL, NULL);
}
