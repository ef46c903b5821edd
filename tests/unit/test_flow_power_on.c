/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "nbp/flow.h"
#include "nbp/proto/error.h"
#include "nbp/proto/power_on.h"
#include "tests/unit/fake.h"

/* One power-on, one decision: the record that the NBP leaves, and what its next start does. */

static struct message answer_of(enum decision_kind decision)
{
	return (struct message){ .type = MESSAGE_ANSWER,
		                 .u.answer = { .decision = (uint8_t)decision,
		                               .job = decision == DECISION_JOB ? 7 : 0,
		                               .attempt = decision == DECISION_JOB,
		                               .local_boot = LOCAL_BOOT_INT18,
		                               .token = { decision == DECISION_JOB } } };
}

static struct message job_answer(void)
{
	struct message answer = answer_of(DECISION_JOB);

	strcpy(answer.u.answer.loader, "pxelinux.0");
	strcpy(answer.u.answer.config, "z_auto.cfg");
	return answer;
}

static struct fake *machine(struct message *reply)
{
	struct fake *fake = calloc(1, sizeof(*fake));

	fake_start(fake);
	fake->server = reply ? fake_answer : NULL;
	fake->server_data = reply;
	return fake;
}

static uint8_t state_in(const uint8_t *record)
{
	struct power_on power_on;

	return power_on_decode(&power_on, record) ? 0 : power_on.state;
}

/* Starts the machine's NBP once more, as its next network entry does. */
static void again(struct fake *fake)
{
	uint8_t record[POWER_ON_SIZE];
	void *data = fake->server_data;

	memcpy(record, fake->record, sizeof(record));
	fake_start(fake);
	fake->server = fake_answer;
	fake->server_data = data;
	memcpy(fake->record, record, sizeof(record));
	flow_run(&fake->platform);
}

static void assert_goes_on(struct fake *fake)
{
	assert_int_equal(fake->sent_count, 0);
	assert_string_equal(fake->fetched, "");
	assert_int_equal(fake->chains, 0);
	assert_int_equal(fake->local_boots, 1);
	assert_non_null(strstr(fake->console, "] local boot: decided before in this power-on\n"));
	assert_null(strstr(fake->console, "hardware"));
	assert_int_equal(state_in(fake->record), POWER_ON_LOCAL);
}

/* Each end of a boot, then the next network entry of the same power-on, with a job waiting. */
static void the_next_network_entry_goes_on_to_the_disk(void **state)
{
	struct message job = job_answer(), none = answer_of(DECISION_LOCAL);
	struct {
		struct message *reply;
		int fetch_result;
		uint8_t mac; /* 0: the server could not say which device this is */
	} cases[] = { { &none, 0, 2 }, { NULL, 0, 2 }, { &job, ERR_NOT_FOUND, 2 },
		      { &job, 0, 2 }, { &job, 0, 0 } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fake *fake = machine(cases[i].reply);

		fake->fetch_result = cases[i].fetch_result;
		memset(fake->platform.machine.mac, cases[i].mac, 6);
		flow_run(&fake->platform);
		assert_int_equal(state_in(fake->record), POWER_ON_LOCAL);
		assert_int_equal(fake->local_boots, 1);
		fake->server_data = &job;
		again(fake);
		assert_goes_on(fake);
		free(fake);
	}
}

/* The loader starts with the record in place; the agent finds the server in it. */
static void a_loader_finds_who_gave_the_job(void **state)
{
	struct message job = job_answer();
	struct fake *fake = machine(&job);
	struct power_on power_on;

	(void)state;
	flow_run(&fake->platform);
	assert_int_equal(fake->chains, 1);
	assert_int_equal(power_on_decode(&power_on, fake->chained_record), 0);
	assert_int_equal(power_on.state, POWER_ON_HANDED_OVER);
	assert_memory_equal(power_on.server, ((uint8_t[]){ 10, 0, 0, 1 }), 4);
	/* A loader that returns to the firmware does not start the same boot again. */
	memcpy(fake->record, fake->chained_record, sizeof(fake->record));
	again(fake);
	assert_goes_on(fake);
	free(fake);
}

static void a_reset_or_rubbish_decides_nothing(void **state)
{
	struct message job = job_answer();
	struct fake *fake = machine(&job);

	(void)state;
	memset(fake->record, 'O', sizeof(fake->record));
	flow_run(&fake->platform);
	assert_int_equal(fake->chains, 1);
	free(fake);
	/* The buffer of a recall() that failed does not count. */
	fake = machine(&job);
	power_on_encode(&(struct power_on){ .state = POWER_ON_LOCAL }, fake->record);
	fake->recall_result = ERR_NOT_FOUND;
	flow_run(&fake->platform);
	assert_int_equal(fake->chains, 1);
	free(fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_next_network_entry_goes_on_to_the_disk),
		cmocka_unit_test(a_loader_finds_who_gave_the_job),
		cmocka_unit_test(a_reset_or_rubbish_decides_nothing),
	};

	return cmocka_run_group_tests_name("flow_power_on", tests, NULL, NULL);
}
