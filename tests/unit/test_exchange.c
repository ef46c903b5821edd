/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "nbp/exchange.h"
#include "nbp/proto/error.h"
#include "tests/unit/fake.h"

static const struct endpoint server_1 = { { 10, 0, 0, 1 }, POLICY_PORT };
static const struct endpoint server_2 = { { 10, 0, 0, 2 }, POLICY_PORT };

struct asking {
	struct fake fake;
	struct exchange exchange;
	struct message question, answer;
};

static struct asking *asking_new(uint32_t deadline)
{
	struct asking *a = calloc(1, sizeof(*a));

	fake_start(&a->fake);
	a->exchange.server_count = 1;
	a->exchange.servers[0] = server_1;
	a->exchange.deadline = deadline;
	a->question.type = MESSAGE_REQUEST;
	memset(a->question.nonce, 0x77, NONCE_SIZE);
	a->question.u.request.identity.mac[0] = 2;
	a->fake.platform.udp_open(&a->fake.platform, 50000);
	return a;
}

static int ask(struct asking *a)
{
	return exchange_ask(&a->fake.platform, &a->exchange, &message_request, &a->question,
	                    &a->answer);
}

static struct message good_answer(void)
{
	struct message answer = { .type = MESSAGE_ANSWER, .sequence = 1,
		                  .u.answer.decision = DECISION_LOCAL };

	memset(answer.nonce, 0x77, NONCE_SIZE);
	return answer;
}

static void one_question_one_answer(void **state)
{
	struct asking *a = asking_new(2700);
	struct message answer = good_answer();

	(void)state;
	fake_deliver_message(&a->fake, 5, server_1, &answer);
	assert_int_equal(ask(a), 0);
	assert_int_equal(a->fake.sent_count, 1);
	assert_int_equal(a->fake.sent[0].length, MESSAGE_MAX);
	assert_int_equal(a->fake.clock, 5); /* it received what was there at once */
	assert_int_equal(a->exchange.dropped, 0);
	assert_int_equal(a->answer.u.answer.decision, DECISION_LOCAL);
	free(a);
}

static void gives_up_at_the_deadline(void **state)
{
	struct asking *a = asking_new(2700);

	(void)state;
	assert_int_equal(ask(a), ERR_TIMEOUT);
	assert_int_equal(a->fake.clock, 2700);
	assert_in_range(a->fake.sent_count, 4, 8);
	for (size_t i = 2; i < a->fake.sent_count; i++) /* the gaps grow, apart from the jitter */
		assert_true(a->fake.sent[i].at - a->fake.sent[i - 1].at + 1 >=
		            (a->fake.sent[i - 1].at - a->fake.sent[i - 2].at) * 9 / 10);
	free(a);
}

static void jitter_differs_by_nonce(void **state)
{
	struct asking *a = asking_new(2700), *b = asking_new(2700);

	(void)state;
	memset(b->question.nonce, 0xf0, NONCE_SIZE);
	ask(a);
	ask(b);
	assert_int_not_equal(a->fake.sent[1].at, b->fake.sent[1].at);
	free(a);
	free(b);
}

/* One datagram of each kind that is not the answer; the answer comes last. */
static void drops_and_counts_all_else(void **state)
{
	static const struct endpoint unknowns[] = { { { 10, 0, 0, 66 }, POLICY_PORT },
		                                     { { 10, 0, 0, 1 }, 4444 } };
	struct asking *a = asking_new(2700);
	struct message answer = good_answer(), forged = answer, receipt;
	uint8_t bytes[MESSAGE_MAX];
	size_t length, wrong = 0;

	(void)state;
	fake_deliver_message(&a->fake, 1, unknowns[0], &answer);
	fake_deliver_message(&a->fake, 2, unknowns[1], &answer);
	forged.nonce[15] ^= 1;
	fake_deliver_message(&a->fake, 3, server_1, &forged);
	receipt = (struct message){ .type = MESSAGE_RECEIPT, .sequence = 1,
		                    .u.receipt.job = 1 };
	memset(receipt.nonce, 0x77, NONCE_SIZE);
	fake_deliver_message(&a->fake, 4, server_1, &receipt);
	/* Answers to transmissions that have not been made, or not yet. */
	forged = answer;
	forged.sequence = 0;
	fake_deliver_message(&a->fake, 4, server_1, &forged);
	forged.sequence = 2;
	fake_deliver_message(&a->fake, 4, server_1, &forged);
	forged.sequence = 4000000000;
	fake_deliver_message(&a->fake, 4, server_1, &forged);
	wrong += 7;
	assert_int_equal(message_encode(&answer, bytes, sizeof(bytes), &length), 0);
	for (size_t cut = 0; cut < length; cut += 3, wrong++)
		fake_deliver(&a->fake, 5, server_1, bytes, cut);
	bytes[4]++; /* the version */
	fake_deliver(&a->fake, 6, server_1, bytes, length);
	fake_deliver_message(&a->fake, 7, server_1, &answer);
	assert_int_equal(ask(a), 0);
	assert_int_equal(a->exchange.dropped, wrong + 1);
	assert_int_equal(a->fake.sent_count, 1); /* no datagram caused an early transmission */
	free(a);
}

/* A caller that reads the answer in spite of the error must not see foreign bytes. */
static void nothing_of_what_was_dropped_stays(void **state)
{
	static const struct message zeros;
	struct asking *a = asking_new(2700);
	struct message forged = good_answer();

	(void)state;
	forged.nonce[0] ^= 1;
	forged.u.answer.local_boot = LOCAL_BOOT_MBR;
	fake_deliver_message(&a->fake, 3, server_1, &forged);
	assert_int_equal(ask(a), ERR_TIMEOUT);
	assert_int_equal(a->exchange.dropped, 1);
	assert_memory_equal(&a->answer, &zeros, sizeof(zeros));
	free(a);
}

static void count_turn(struct platform *p, void *data)
{
	assert_true(((struct fake *)p)->socket_open);
	++*(unsigned int *)data;
}

/* A flood that never lets udp_receive() say ERR_AGAIN still meets the deadline. */
static int flood(struct platform *p, struct endpoint *from, void *buffer, size_t capacity,
                 size_t *length)
{
	((struct fake *)p)->clock++;
	*from = server_1;
	memset(buffer, 0, capacity);
	*length = capacity;
	return 0;
}

static void a_flood_does_not_hold_it(void **state)
{
	struct asking *a = asking_new(2700);
	unsigned int turns = 0;

	(void)state;
	a->fake.platform.udp_receive = flood;
	a->exchange.turn = count_turn;
	a->exchange.turn_data = &turns;
	assert_int_equal(ask(a), ERR_TIMEOUT);
	assert_int_equal(a->fake.clock, 2700);
	assert_int_equal(a->exchange.dropped, 2700);
	assert_int_equal(turns, 2700); /* other things do not wait for its end */
	free(a);
}

static void asks_several_servers_in_turn(void **state)
{
	struct asking *a = asking_new(2700);
	struct message answer = good_answer();

	(void)state;
	a->exchange.server_count = 2;
	a->exchange.servers[1] = server_2;
	fake_deliver_message(&a->fake, 600, server_2, &answer);
	assert_int_equal(ask(a), 0);
	assert_memory_equal(a->fake.sent[0].peer.address, server_1.address, 4);
	assert_memory_equal(a->fake.sent[1].peer.address, server_2.address, 4);
	assert_memory_equal(a->fake.sent[2].peer.address, server_1.address, 4);
	assert_int_equal(a->exchange.answered_by, 1);
	free(a);
}

static void looks_at_other_things_meanwhile(void **state)
{
	struct asking *a = asking_new(2700);
	unsigned int turns = 0;

	(void)state;
	a->exchange.turn = count_turn;
	a->exchange.turn_data = &turns;
	assert_int_equal(ask(a), ERR_TIMEOUT);
	assert_int_equal(turns, 2700); /* at each millisecond, as the fake machine rests so long */
	free(a);
}

static void a_failing_send_counts_as_lost(void **state)
{
	struct asking *a = asking_new(2700);

	(void)state;
	a->fake.send_result = ERR_IO;
	assert_int_equal(ask(a), ERR_TIMEOUT);
	assert_in_range(a->fake.sent_count, 4, 8);
	free(a);
}

/* UEFI base code: a receive takes 3 s, so three copies go out first, and no
 * receive begins that would end after the deadline. */
static void a_blocking_receive_keeps_the_deadline(void **state)
{
	struct asking *a = asking_new(3500);
	struct message answer = good_answer();

	(void)state;
	a->fake.clock = 100;
	a->fake.platform.receive_wait = 3000;
	assert_int_equal(ask(a), ERR_TIMEOUT);
	assert_int_equal(a->fake.sent_count, 3);
	assert_true(a->fake.clock <= 3500);
	free(a);
	/* If not even one receive fits, there is exactly one nevertheless. */
	a = asking_new(2999);
	a->fake.platform.receive_wait = 3000;
	assert_int_equal(ask(a), ERR_TIMEOUT);
	assert_int_equal(a->fake.sent_count, 3);
	assert_in_range(a->fake.clock, 3000, 3400);
	free(a);
	/* A receive that ends just then is begun, even if a stray datagram ended one before. */
	a = asking_new(4000);
	a->fake.platform.receive_wait = 3000;
	fake_deliver(&a->fake, 1000, server_1, "", 1);
	fake_deliver_message(&a->fake, 4000, server_1, &answer);
	assert_int_equal(ask(a), 0);
	free(a);
}

/* However long the steps before took, a quick answer is received, even after a stray datagram. */
static void a_deadline_that_is_past_leaves_time_to_ask(void **state)
{
	static const uint32_t waits[] = { 0, 3100 };

	(void)state;
	for (size_t i = 0; i < COUNT(waits); i++) {
		struct asking *a = asking_new(2700);
		struct message answer = good_answer();

		a->fake.clock = 10000;
		a->fake.platform.receive_wait = waits[i];
		fake_deliver(&a->fake, 10100, server_1, "", 1);
		fake_deliver_message(&a->fake, waits[i] ? 10200 : 10900, server_1, &answer);
		assert_int_equal(ask(a), 0);
		free(a);
		a = asking_new(2700);
		a->fake.clock = 10000;
		a->fake.platform.receive_wait = waits[i];
		assert_int_equal(ask(a), ERR_TIMEOUT);
		assert_true(a->fake.sent_count >= 3);
		assert_in_range(a->fake.clock, 11000, 11000 + waits[i]);
		free(a);
	}
}

static int calls_to_jump;

/* The firmware takes ten seconds of its own, in the middle of anything. */
static uint32_t jumping_now(struct platform *p)
{
	struct fake *fake = (struct fake *)p;

	if (calls_to_jump-- == 0)
		fake->clock += 10000;
	return fake->clock;
}

/* Time passes at each look at the clock, also between computing the deadline and sending. */
static void it_asks_once_whatever_happens(void **state)
{
	(void)state;
	for (int jump = 0; jump < 3; jump++) {
		struct asking *a = asking_new(2700);
		struct message answer = good_answer();

		calls_to_jump = jump;
		a->fake.platform.now = jumping_now;
		fake_deliver_message(&a->fake, 100, server_1, &answer);
		assert_int_equal(ask(a), 0);
		assert_int_equal(a->fake.sent_count, 1);
		free(a);
	}
}

/* After a long call of the firmware the missed transmissions are not sent all at once. */
static void a_stall_is_not_made_up_for(void **state)
{
	struct asking *a = asking_new(30000);

	(void)state;
	calls_to_jump = 50;
	a->fake.platform.now = jumping_now;
	assert_int_equal(ask(a), ERR_TIMEOUT);
	assert_true(a->fake.sent[1].at > 10000);
	for (size_t i = 1; i < a->fake.sent_count; i++)
		assert_true(a->fake.sent[i].at - a->fake.sent[i - 1].at >= 150);
	free(a);
}

/* A late copy of an answer is no answer to the next question of the same boot. */
static void an_old_answer_is_not_a_new_one(void **state)
{
	struct asking *a = asking_new(2700);
	struct message answer = good_answer(), newer = answer;
	uint32_t first;

	(void)state;
	fake_deliver(&a->fake, 290, server_1, "", 1);
	fake_deliver_message(&a->fake, 300, server_1, &answer);
	assert_int_equal(ask(a), 0);
	assert_int_equal(a->exchange.dropped, 1);
	first = a->exchange.sent;
	assert_int_equal(first, 2); /* an answer to either transmission counts */
	a->exchange.deadline = 5000;
	for (uint32_t old = 1; old <= first; old++) {
		answer.sequence = old;
		fake_deliver_message(&a->fake, 301, server_1, &answer);
	}
	newer.sequence = first + 1;
	newer.u.answer.local_boot = LOCAL_BOOT_MBR;
	fake_deliver_message(&a->fake, 320, server_1, &newer);
	assert_int_equal(ask(a), 0);
	assert_int_equal(a->answer.u.answer.local_boot, LOCAL_BOOT_MBR);
	assert_int_equal(a->exchange.before, first);
	assert_int_equal(a->exchange.dropped, first); /* those of this question */
	free(a);
}

static void nobody_to_ask(void **state)
{
	static const struct message zeros;
	struct asking *a = asking_new(2700);

	(void)state;
	a->exchange.server_count = 0;
	memset(&a->answer, 0xee, sizeof(a->answer)); /* as an earlier question left it */
	assert_int_equal(ask(a), ERR_NOT_FOUND);
	assert_int_equal(a->fake.sent_count, 0);
	assert_memory_equal(&a->answer, &zeros, sizeof(zeros));
	a->exchange.server_count = 1;
	a->question.u.request.identity.mac[0] = 0; /* cannot be encoded */
	assert_int_equal(ask(a), ERR_MALFORMED);
	free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_question_one_answer),
		cmocka_unit_test(gives_up_at_the_deadline),
		cmocka_unit_test(jitter_differs_by_nonce),
		cmocka_unit_test(drops_and_counts_all_else),
		cmocka_unit_test(nothing_of_what_was_dropped_stays),
		cmocka_unit_test(a_flood_does_not_hold_it),
		cmocka_unit_test(asks_several_servers_in_turn),
		cmocka_unit_test(looks_at_other_things_meanwhile),
		cmocka_unit_test(a_failing_send_counts_as_lost),
		cmocka_unit_test(a_blocking_receive_keeps_the_deadline),
		cmocka_unit_test(a_deadline_that_is_past_leaves_time_to_ask),
		cmocka_unit_test(it_asks_once_whatever_happens),
		cmocka_unit_test(a_stall_is_not_made_up_for),
		cmocka_unit_test(an_old_answer_is_not_a_new_one),
		cmocka_unit_test(nobody_to_ask),
	};

	return cmocka_run_group_tests_name("exchange", tests, NULL, NULL);
}
