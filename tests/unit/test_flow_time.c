/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "nbp/flow.h"
#include "nbp/proto/error.h"
#include "tests/unit/fake.h"

/* Machines on which steps take long, and networks on which answers take long. */

static struct message job_answer(void)
{
	return (struct message){
		.type = MESSAGE_ANSWER,
		.u.answer = { .decision = DECISION_JOB, .job = 7, .attempt = 1, .token = { 1 },
		              .loader = "pxelinux.0", .config = "z_auto.cfg",
		              .local_boot = LOCAL_BOOT_INT18 } };
}

static struct fake *machine(struct message *reply)
{
	struct fake *fake = calloc(1, sizeof(*fake));

	fake_start(fake);
	fake->server = fake_answer;
	fake->server_data = reply;
	return fake;
}

/* A disk that is about to be replaced, by this job: each read takes seconds, and may fail. */
static void a_slow_disk_does_not_keep_it_from_asking(void **state)
{
	static uint8_t disk[1 << 20];
	struct message reply = job_answer(), request;

	(void)state;
	for (int fails = 0; fails < 2; fails++) {
		struct fake *fake = machine(&reply);

		fake->takes.disk = 3000;
		fake->disk = fails ? NULL : disk;
		fake->disk_size = sizeof(disk);
		fake->platform.machine.disk_count = 1;
		fake->platform.machine.disks[0] = (struct disk){ 2048, 512, DISK_ATA };
		flow_run(&fake->platform);
		assert_int_equal(fake_questions(fake, MESSAGE_REQUEST), 1);
		assert_int_equal(fake->chains, 1);
		/* Nobody knows whether the disk has image-safe data. */
		assert_int_equal(message_decode(&request, fake->sent[0].data, MESSAGE_MAX), 0);
		assert_int_equal(request.u.request.isd_state, 0);
		assert_in_range(fake->clock, 3000, 3999); /* it is not read a second time */
		free(fake);
		fake = machine(&reply);
		fake->server = NULL;
		fake->takes.disk = 3000;
		fake->platform.machine.disk_count = 1;
		fake->platform.machine.disks[0] = (struct disk){ 2048, 512, DISK_ATA };
		flow_run(&fake->platform);
		assert_in_range(fake->sent_count, 3, 5);
		assert_in_range(fake->clock, 4000, 4100); /* one second, and no more */
		free(fake);
	}
}

static void connect_slowly(struct platform *p)
{
	struct fake *fake = (struct fake *)p;

	fake->clock += 9000;
	p->machine.network_ready = fake->clock;
}

/* DHCP of our own may take longer than the whole time for the question, which begins after it. */
static void the_question_has_its_time_after_dhcp(void **state)
{
	struct fake *fake = machine(NULL);

	(void)state;
	fake->server = NULL;
	fake->platform.connect = connect_slowly;
	flow_run(&fake->platform);
	assert_in_range(fake_questions(fake, MESSAGE_REQUEST), 3, 9);
	assert_int_equal(fake->local_boots, 1);
	assert_in_range(fake->clock, 9000 + 2500, 9000 + 3000);
	free(fake);
	/* Whoever has decided before in this power-on needs no network. */
	fake = machine(NULL);
	fake->platform.connect = connect_slowly;
	power_on_encode(&(struct power_on){ .state = POWER_ON_LOCAL }, fake->record);
	flow_run(&fake->platform);
	assert_int_equal(fake->local_boots, 1);
	assert_in_range(fake->clock, 0, 1000);
	free(fake);
}

/* UEFI without UDP4: a receive takes longer than the time that is left. */
static void a_blocking_receive_is_begun_all_the_same(void **state)
{
	struct message reply = job_answer();
	struct fake *fake = machine(&reply);

	(void)state;
	fake->platform.machine.firmware = FIRMWARE_UEFI;
	fake->platform.receive_wait = 3100;
	fake->clock = 500;
	flow_run(&fake->platform);
	assert_int_equal(fake->chains, 1);
	free(fake);
}

/* A keyboard that is slow to read is read only while a key may call the menu. */
static void a_slow_keyboard_does_not_hold_the_job(void **state)
{
	struct message reply = job_answer();
	struct fake *fake = machine(&reply);
	size_t at = 0;

	(void)state;
	fake->takes.key = 300;
	flow_run(&fake->platform);
	assert_int_equal(fake->chains, 1);
	while (fake->sent[at].data[5] != MESSAGE_REPORT)
		at++;
	assert_true(fake->left.at - fake->sent[at].at < 300);
	free(fake);
}

/* Answers that there is a job, twice; but a minute later that there is none. */
static void two_minds(struct fake *fake, const struct fake_datagram *datagram)
{
	struct message question, reply = job_answer();

	assert_int_equal(message_decode(&question, datagram->data, datagram->length), 0);
	if (question.type != MESSAGE_REQUEST)
		return;
	memcpy(reply.nonce, question.nonce, NONCE_SIZE);
	reply.sequence = question.sequence;
	if (fake->clock < 1000) {
		reply.u.answer.menu_mode = MENU_ALWAYS;
		reply.u.answer.valid_for = 2;
		fake_deliver_message(fake, fake->clock + 3, datagram->peer, &reply);
		fake_deliver_message(fake, fake->clock + 900, datagram->peer, &reply);
		return;
	}
	memset(&reply.u, 0, sizeof(reply.u));
	reply.u.answer.decision = DECISION_LOCAL;
	fake_deliver_message(fake, fake->clock + 3, datagram->peer, &reply);
}

/* The job is cancelled while the menu shows; a late copy of the first answer waits in the NIC. */
static void a_late_copy_does_not_bring_job_back(void **state)
{
	struct fake *fake = machine(NULL);

	(void)state;
	fake->server = two_minds;
	fake->menu_text = "[Main]\noption = auto ; Go\n";
	fake->keys[0].at = 60000;
	fake->keys[0].key = KEY_ENTER;
	fake->key_count = 1;
	flow_run(&fake->platform);
	assert_int_equal(fake_questions(fake, MESSAGE_REQUEST), 2);
	assert_int_equal(fake->chains, 0);
	assert_string_equal(fake_event(fake, EVENT_LOCAL).reason, "no job");
	free(fake);
}

static void answer_early(struct fake *fake, const struct fake_datagram *datagram)
{
	if (fake->clock < 1000)
		fake_answer(fake, datagram);
}

/* The second request has a bound of its own; the events still belong to the first job. */
static void a_second_question_is_bounded(void **state)
{
	struct message reply = job_answer();

	(void)state;
	for (int uefi = 0; uefi < 2; uefi++) {
		struct fake *fake = machine(&reply);

		reply.u.answer.menu_mode = MENU_ALWAYS;
		reply.u.answer.valid_for = 60;
		fake->platform.machine.firmware = uefi ? FIRMWARE_UEFI : FIRMWARE_BIOS;
		fake->server = answer_early;
		fake->menu_text = "[Main]\noption = auto ; Go\n";
		fake->keys[0].at = 70000;
		fake->keys[0].key = KEY_ENTER;
		fake->key_count = 1;
		flow_run(&fake->platform);
		assert_in_range(fake->clock, uefi ? 73500 : 72700, uefi ? 73600 : 72800);
		assert_int_equal(fake->local_boots, 1);
		assert_int_equal(fake->method, LOCAL_BOOT_INT18);
		assert_string_equal(fake_event(fake, EVENT_LOCAL).reason, "no answer");
		assert_int_equal(fake_event(fake, EVENT_LOCAL).job, 7);
		free(fake);
	}
}

/* --- ports ------------------------------------------------------------------------ */

/* An attacker who sees no packets cannot know the port of the answer or the receipt. */
static void the_nonce_picks_the_ports(void **state)
{
	struct message reply = job_answer(), request;
	uint16_t seen[8];

	(void)state;
	for (size_t i = 0; i < COUNT(seen); i++) {
		struct fake *fake = machine(&reply);

		fake->platform.machine.mac[5] = (uint8_t)i;
		flow_run(&fake->platform);
		assert_int_equal(message_decode(&request, fake->sent[0].data, MESSAGE_MAX), 0);
		assert_int_equal(fake->ports[0],
		                 0xc000 | request.nonce[0] << 8 | request.nonce[1]);
		/* Events come from another port; they need not have that of the request. */
		assert_int_equal(fake->ports[1],
		                 0xc000 | request.nonce[2] << 8 | request.nonce[3]);
		seen[i] = fake->ports[0];
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(seen[i], seen[j]);
		free(fake);
	}
}

/* --- no server to ask ---------------------------------------------------------------- */

static void says_why_there_is_no_server(void **state)
{
	static const struct {
		enum started_by by;
		bool packet;
		const char *line;
	} cases[] = {
		{ STARTED_BY_PXE, true,
		  "] no policy server: DHCP named neither it nor a boot server\n" },
		{ STARTED_BY_PXE, false, "] no policy server: the firmware kept no DHCP lease\n" },
		{ STARTED_BY_HTTP, false,
		  "] no policy server: started by HTTP, and got no IPv4 address\n" },
		{ STARTED_BY_IPV6, false,
		  "] no policy server: got no IPv4 address, and OpenPreboot does not work over "
		  "IPv6\n" },
		{ STARTED_BY_DISK, false,
		  "] no policy server: not started by PXE, and got no IPv4 address\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fake *fake = machine(NULL);
		struct span *ack = &fake->platform.machine.dhcp.ack;

		fake->platform.machine.started_by = cases[i].by;
		memset((uint8_t *)ack->data + 20, 0, 4); /* siaddr */
		if (!cases[i].packet)
			*ack = (struct span){ NULL, 0 };
		flow_run(&fake->platform);
		assert_int_equal(fake->local_boots, 1);
		assert_int_equal(fake->sent_count, 0);
		assert_non_null(strstr(fake->console, cases[i].line));
		assert_null(strstr(fake->console, "asking"));
		free(fake);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slow_disk_does_not_keep_it_from_asking),
		cmocka_unit_test(the_question_has_its_time_after_dhcp),
		cmocka_unit_test(a_blocking_receive_is_begun_all_the_same),
		cmocka_unit_test(a_slow_keyboard_does_not_hold_the_job),
		cmocka_unit_test(a_late_copy_does_not_bring_job_back),
		cmocka_unit_test(a_second_question_is_bounded),
		cmocka_unit_test(the_nonce_picks_the_ports),
		cmocka_unit_test(says_why_there_is_no_server),
	};

	return cmocka_run_group_tests_name("flow_time", tests, NULL, NULL);
}
