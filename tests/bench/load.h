/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_BENCH_LOAD_H
#define TESTS_BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/socket.h>

#include "nbp/proto/message.h"

#define LOAD_BATCH   32      /* datagrams sent or taken at once; so many fit 64 KiB */
#define WINDOW_USUAL 128
#define WINDOW_MAX   65536
#define LATENCY_MAX  1100000 /* us; what takes longer is lost */
#define HEAD_SIZE    58      /* of a question: header, MAC address, UUID */

/* What the options say. */
struct plan {
	const char *server; /* "ADDRESS:PORT" */
	uint32_t machines, first, seconds, window, rate;
	bool once, one_boot, unknowns, accept;
};

/* A question that waits for its answer, or room for one. */
struct slot {
	uint32_t machine;
	uint32_t sent;       /* monotonic us */
	uint16_t generation; /* so that a late answer to the one before is known */
	bool waits;
	bool accepts;        /* it has its answer, and waits for a receipt */
	uint8_t nonce[NONCE_SIZE];
};

/* A batch of questions: each has its own head, and what is behind it is common to all. */
struct question {
	uint8_t common[MESSAGE_MAX];
	uint8_t heads[LOAD_BATCH][HEAD_SIZE];
	struct iovec vectors[2 * LOAD_BATCH];
};

/* A batch of reports that accept jobs. */
struct reports {
	uint8_t data[LOAD_BATCH][MESSAGE_MAX];
	struct iovec vectors[LOAD_BATCH];
	size_t count;
};

struct answers {
	uint8_t data[LOAD_BATCH][MESSAGE_MAX + 1];
	struct iovec vectors[LOAD_BATCH];
	struct mmsghdr messages[LOAD_BATCH];
};

struct load {
	struct plan plan;
	int fd;
	uint32_t salt;       /* so that no run has the nonces of another */
	uint32_t turn, stride;
	struct slot slots[WINDOW_MAX];
	uint32_t free[WINDOW_MAX], free_count;
	struct question question;
	struct reports reports; /* to be sent */
	struct answers answers;
	uint64_t asked, answered, job, accepted, lost, late, wrong, unsent, bytes;
	uint32_t took;       /* us */
	uint32_t latency[LATENCY_MAX]; /* how many took so many us */
};

/** Reads the options. Returns -1 to go on, else the exit status. */
int plan_make(struct plan *plan, int argc, char **argv);

/** Returns a socket that is connected to "ADDRESS:PORT", or -1. */
int load_connect(const char *text);

/** Makes a request as an NBP on an ordinary machine does. Returns 0 or an ERR_ value. */
int question_make(struct question *question);
/** Writes the head at @index of the batch. */
void question_fill(struct question *question, size_t index, const struct slot *slot,
                   uint32_t sequence);
/** Sends the first @count. Returns 0, or ERR_IO where the network does not take them. */
int question_send(struct question *question, int fd, size_t count);

void answers_make(struct answers *answers);
/** Adds the report that accepts the job of the answer @data. Returns 0 or an ERR_ value. */
int report_add(struct reports *reports, const struct slot *slot, const uint8_t *data,
               size_t length);
/** Sends all that were added. Returns 0, or ERR_IO where the network does not take them. */
int reports_send(struct reports *reports, int fd);

/** Says whether @data is a receipt for an accepted job. */
bool receipt_right(const uint8_t *data, size_t length);
/** Says whether @data is an answer; to a device, or with @unknown machines to any machine. */
bool answer_right(const uint8_t *data, size_t length, bool unknowns);

#endif
