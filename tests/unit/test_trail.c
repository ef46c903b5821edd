/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "nbp/proto/error.h"
#include "nbp/trail.h"
#include "tests/unit/fake.h"

static const struct endpoint server = { { 10, 0, 0, 1 }, POLICY_PORT };

struct walk {
	struct fake fake;
	struct message question;
	struct trail trail;
};

static struct walk *walk_new(void)
{
	struct walk *walk = calloc(1, sizeof(*walk));

	fake_start(&walk->fake);
	walk->question.u.request.identity.mac[0] = 2;
	memset(walk->question.nonce, 0x77, NONCE_SIZE);
	walk->trail.question = &walk->question;
	return walk;
}

static void walk_send(struct walk *walk)
{
	trail_send(&walk->fake.platform, &walk->trail, 7);
	assert_false(walk->fake.socket_open);
}

static void steps_wait_for_a_server(void **state)
{
	struct walk *walk = walk_new();
	struct event event;

	(void)state;
	walk_send(walk); /* nothing to send */
	trail_step(&walk->fake.platform, &walk->trail, EVENT_STARTED, "%s", "nvlnbp.sys");
	walk->fake.clock = 40;
	trail_step(&walk->fake.platform, &walk->trail, EVENT_LOADED, "%s, %u", "pxelinux.0", 42u);
	walk_send(walk);
	assert_int_equal(walk->fake.sent_count, 0);
	walk->trail.server = &server;
	walk->fake.open_result = ERR_IO;
	walk_send(walk);
	assert_int_equal(walk->fake.sent_count, 0);
	walk->fake.open_result = 0;
	walk_send(walk);
	assert_int_equal(walk->fake.sent_count, 2);
	event = fake_event(&walk->fake, EVENT_STARTED);
	assert_int_equal(event.milliseconds, 1); /* 0 would mean absent */
	event = fake_event(&walk->fake, EVENT_LOADED);
	assert_int_equal(event.milliseconds, 40);
	assert_int_equal(event.job, 7);
	assert_string_equal(event.reason, "pxelinux.0, 42");
	walk_send(walk); /* once is enough */
	assert_int_equal(walk->fake.sent_count, 2);
	free(walk);
}

static void one_step_too_many_is_forgotten(void **state)
{
	struct walk *walk = walk_new();
	char reason[200];

	(void)state;
	memset(reason, 'r', sizeof(reason));
	reason[sizeof(reason) - 1] = '\0';
	walk->trail.server = &server;
	for (int i = 0; i < TRAIL_STEPS; i++)
		trail_step(&walk->fake.platform, &walk->trail, EVENT_ASKED, "%s", reason);
	trail_step(&walk->fake.platform, &walk->trail, EVENT_LOCAL, "lost");
	walk_send(walk);
	assert_int_equal(walk->fake.sent_count, TRAIL_STEPS);
	assert_int_equal(strlen(fake_event(&walk->fake, EVENT_ASKED).reason),
	                 sizeof(walk->trail.steps[0].reason) - 1);
	free(walk);
}

/* A machine without an identity sends no events, and goes on. */
static void nobody_has_no_trail(void **state)
{
	struct walk *walk = walk_new();

	(void)state;
	walk->question.u.request.identity.mac[0] = 0;
	walk->trail.server = &server;
	trail_step(&walk->fake.platform, &walk->trail, EVENT_STARTED, "x");
	walk_send(walk);
	assert_int_equal(walk->fake.sent_count, 0);
	assert_int_equal(walk->trail.count, 0);
	free(walk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_wait_for_a_server),
		cmocka_unit_test(one_step_too_many_is_forgotten),
		cmocka_unit_test(nobody_has_no_trail),
	};

	return cmocka_run_group_tests_name("trail", tests, NULL, NULL);
}
