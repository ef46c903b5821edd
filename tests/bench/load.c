/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many machines that ask a policy server at once, over one socket. Prints what
 * became of their questions as JSON: how many were answered, and how soon.
 *
 * Machine N has the MAC address 52:54 and N in four bytes, and the UUID
 * 6f70656e-7072-4562-8000-0000 and N likewise.
 */
#include "tests/bench/load.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <time.h>

#define LOST_AFTER  1000000 /* us without an answer */
#define BLINK_US    10000   /* at most so long asleep */

static uint32_t micros(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint32_t)((uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
}

/* --- what to ask ----------------------------------------------------------- */

static uint32_t common_divisor(uint32_t a, uint32_t b)
{
	return b ? common_divisor(b, a % b) : a;
}

/* Machines ask in no order, but each once before any asks again. */
static uint32_t next_machine(struct load *load)
{
	const struct plan *plan = &load->plan;

	load->turn = (uint32_t)(((uint64_t)load->turn + load->stride) % plan->machines);
	return plan->first + load->turn;
}

static void start_turns(struct load *load)
{
	uint32_t count = load->plan.machines;

	load->stride = (uint32_t)(count * 0.618) | 1;
	while (common_divisor(load->stride, count) != 1)
		load->stride += 2;
}

static void fill_nonce(const struct load *load, struct slot *slot)
{
	uint64_t boot = load->plan.one_boot ? 0 : load->asked;

	memcpy(slot->nonce, &load->salt, 4);
	memcpy(slot->nonce + 4, &slot->machine, 4);
	memcpy(slot->nonce + 8, &boot, 8);
}

static size_t may_ask(const struct load *load, uint32_t elapsed)
{
	size_t most = load->free_count < LOAD_BATCH ? load->free_count : LOAD_BATCH;

	if (load->plan.once && load->plan.machines - load->asked < most)
		most = (size_t)(load->plan.machines - load->asked);
	if (load->plan.rate) {
		uint64_t due = (uint64_t)elapsed * load->plan.rate / 1000000;

		if (due < load->asked)
			return 0;
		return due - load->asked < most ? (size_t)(due - load->asked) : most;
	}
	/* A few at a time would cost us more than the server. */
	if (load->free_count < LOAD_BATCH / 2 && load->free_count < load->plan.window)
		return 0;
	return most;
}

static void ask(struct load *load, size_t count)
{
	uint32_t now = micros();

	for (size_t i = 0; i < count; i++) {
		uint32_t at = load->free[--load->free_count];
		struct slot *slot = &load->slots[at];

		slot->machine = next_machine(load);
		slot->generation++;
		slot->sent = now;
		slot->waits = true;
		slot->accepts = false;
		fill_nonce(load, slot);
		question_fill(&load->question, i, slot, (uint32_t)slot->generation << 16 | at);
		load->asked++;
	}
	load->unsent += question_send(&load->question, load->fd, count) != 0;
}

/* --- what comes back ------------------------------------------------------- */

static void free_slot(struct load *load, struct slot *slot)
{
	slot->waits = false;
	load->free[load->free_count++] = (uint32_t)(slot - load->slots);
}

/* A machine has all the replies that it waits for. */
static void count_end(struct load *load, struct slot *slot, uint32_t now)
{
	uint32_t late = now - slot->sent;

	load->latency[late < LATENCY_MAX ? late : LATENCY_MAX - 1]++;
	free_slot(load, slot);
}

static void count_answer(struct load *load, struct slot *slot, const uint8_t *data,
                         size_t length, uint32_t now)
{
	bool job = data[MESSAGE_HEADER + 4] == DECISION_JOB;

	load->job += job;
	load->bytes += length;
	/* All that can be wrong with an answer, of a few of them. */
	if (load->answered++ % 64 == 0 && !answer_right(data, length, load->plan.unknowns))
		load->wrong++;
	if (!job || !load->plan.accept) {
		count_end(load, slot, now);
		return;
	}
	slot->accepts = true;
	if (report_add(&load->reports, slot, data, length) == 0)
		return;
	load->wrong++;
	free_slot(load, slot);
}

static void count_receipt(struct load *load, struct slot *slot, const uint8_t *data,
                          size_t length, uint32_t now)
{
	if (receipt_right(data, length))
		load->accepted++;
	else
		load->wrong++;
	count_end(load, slot, now);
}

static void take(struct load *load, const uint8_t *data, size_t length, uint32_t now)
{
	struct slot *slot;
	uint32_t sequence;

	if (length < MESSAGE_HEADER + 5 ||
	    (data[5] != MESSAGE_ANSWER && data[5] != MESSAGE_RECEIPT)) {
		load->wrong++;
		return;
	}
	memcpy(&sequence, data + 24, 4);
	sequence = __builtin_bswap32(sequence);
	slot = &load->slots[sequence & 0xffff];
	if ((sequence & 0xffff) >= load->plan.window || !slot->waits ||
	    slot->generation != sequence >> 16 || memcmp(slot->nonce, data + 8, NONCE_SIZE) ||
	    slot->accepts != (data[5] == MESSAGE_RECEIPT))
		load->late++;
	else if (slot->accepts)
		count_receipt(load, slot, data, length, now);
	else
		count_answer(load, slot, data, length, now);
}

static void give_up_waiting(struct load *load, uint32_t now)
{
	for (uint32_t i = 0; i < load->plan.window; i++) {
		if (!load->slots[i].waits || now - load->slots[i].sent < LOST_AFTER)
			continue;
		load->lost++;
		free_slot(load, &load->slots[i]);
	}
}

static void receive(struct load *load)
{
	struct answers *a = &load->answers;
	int got = recvmmsg(load->fd, a->messages, LOAD_BATCH, MSG_DONTWAIT, NULL);
	uint32_t now = micros();

	for (int i = 0; i < got; i++)
		take(load, a->data[i], a->messages[i].msg_len, now);
	load->unsent += reports_send(&load->reports, load->fd) != 0;
}

/* --- a run ----------------------------------------------------------------- */

static void sleep_until_answers(struct load *load, uint32_t elapsed)
{
	struct pollfd poll = { .fd = load->fd, .events = POLLIN };
	struct timespec time = { .tv_nsec = BLINK_US * 1000 };

	if (load->plan.rate && load->free_count) {
		uint64_t due = (load->asked + 1) * 1000000 / load->plan.rate + 1;

		if (due - elapsed < BLINK_US)
			time.tv_nsec = due > elapsed ? (long)(due - elapsed) * 1000 : 0;
	}
	ppoll(&poll, 1, &time, NULL);
}

static bool ended(const struct load *load, uint32_t elapsed)
{
	bool all = load->plan.once && load->asked == load->plan.machines;

	return elapsed >= load->plan.seconds * 1000000 ||
	       (all && load->free_count == load->plan.window);
}

static void run(struct load *load)
{
	uint32_t start = micros(), elapsed = 0, checked = 0;

	while (!ended(load, elapsed)) {
		size_t count = may_ask(load, elapsed);

		if (count)
			ask(load, count);
		sleep_until_answers(load, micros() - start);
		receive(load);
		elapsed = micros() - start;
		if (elapsed - checked > 50000) {
			give_up_waiting(load, start + elapsed);
			checked = elapsed;
		}
	}
	load->took = elapsed;
}

/* Returns the microseconds within which the @part of the machines had all that they waited for. */
static uint32_t percentile(const struct load *load, double part)
{
	uint64_t wanted, sum = 0, ended = 0;

	for (uint32_t i = 0; i < LATENCY_MAX; i++)
		ended += load->latency[i];
	wanted = (uint64_t)((double)ended * part);
	for (uint32_t i = 0; i < LATENCY_MAX; i++) {
		sum += load->latency[i];
		if (sum > wanted)
			return i;
	}
	return ended ? LATENCY_MAX : 0;
}

static void print(const struct load *load)
{
	double seconds = load->took / 1e6;

	printf("{\"asked\": %lu, \"answered\": %lu, \"jobs\": %lu, \"accepted\": %lu,"
	       " \"lost\": %lu, \"late\": %lu, \"wrong\": %lu, \"seconds\": %.3f, \"per_second\": "
	       "%.1f,"
	       " \"p50_us\": %u, \"p99_us\": %u, \"max_us\": %u, \"answer_bytes\": %.1f}\n",
	       load->asked, load->answered, load->job, load->accepted, load->lost, load->late,
	       load->wrong, seconds, (double)load->answered / seconds, percentile(load, 0.5),
	       percentile(load, 0.99), percentile(load, 0.999999),
	       load->answered ? (double)load->bytes / (double)load->answered : 0.0);
}

int main(int argc, char **argv)
{
	static struct load load;
	int status = plan_make(&load.plan, argc, argv);

	if (status >= 0)
		return status;
	load.fd = load_connect(load.plan.server);
	if (load.fd < 0) {
		fprintf(stderr, "load: cannot reach %s: %s\n", load.plan.server, strerror(errno));
		return 1;
	}
	prctl(PR_SET_TIMERSLACK, 1000ul); /* ns */
	start_turns(&load);
	if (getrandom(&load.salt, sizeof(load.salt), 0) < 0 || question_make(&load.question)) {
		fputs("load: no question could be made\n", stderr);
		return 1;
	}
	answers_make(&load.answers);
	for (uint32_t i = 0; i < load.plan.window; i++)
		load.free[load.free_count++] = i;
	run(&load);
	print(&load);
	return load.wrong ? 1 : 0;
}
