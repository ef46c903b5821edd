/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "nbp/proto/error.h"
#include "server/agent/agent.h"
#include "server/tool/output.h"

#define FIRST_GAP_MS 250
#define LONGEST_GAP_MS 4000
#define NOTICE_MS 60000 /* a line on the screen, so that nobody switches the machine off */

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Receives a datagram; returns whether it is the answer. */
static bool receive_answer(int fd, const struct message *question, uint8_t type,
                           struct message *answer)
{
	uint8_t datagram[MESSAGE_MAX + 1];
	ssize_t length = recv(fd, datagram, sizeof(datagram), MSG_DONTWAIT);

	/* An error, as when the server is being restarted, counts as no answer. */
	return length > 0 && message_decode(answer, datagram, (size_t)length) == 0 &&
	       answer->type == type && memcmp(answer->nonce, question->nonce, NONCE_SIZE) == 0;
}

/* Waits for the answer until @until. Returns whether it came. */
static bool wait_for(int fd, int64_t until, const struct message *question, uint8_t type,
                     struct message *answer)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	int64_t left;

	while ((left = until - now_ms()) > 0)
		if (poll(&ready, 1, (int)left) > 0 && receive_answer(fd, question, type, answer))
			return true;
	return false;
}

/* Returns a number below @limit that differs between machines switched on together. */
static uint32_t jitter(uint32_t limit)
{
	uint32_t value = 0;

	if (getrandom(&value, sizeof(value), GRND_NONBLOCK) < 0)
		value = (uint32_t)now_ms();
	return value % limit;
}

/* Prints once in NOTICE_MS that the server has not answered yet. */
static void print_notice(int64_t end, int64_t *next)
{
	if (now_ms() < *next)
		return;
	output_line("prebootwork", "the server does not answer; trying for another %d s",
	            (int)((end - now_ms()) / 1000));
	*next += NOTICE_MS;
}

int agent_ask(const struct agent *agent, struct message *question, uint8_t type,
              uint32_t timeout_ms, struct message *answer)
{
	int64_t end = now_ms() + timeout_ms, next = now_ms() + NOTICE_MS, until;
	uint8_t datagram[MESSAGE_MAX];
	uint32_t gap = FIRST_GAP_MS;
	int fd, rc = ERR_TIMEOUT;
	size_t length;

	if (getrandom(question->nonce, NONCE_SIZE, 0) != NONCE_SIZE)
		return ERR_IO;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return ERR_IO;
	/* A connected socket receives datagrams of this address and port only. */
	while (connect(fd, (const struct sockaddr *)&agent->server, sizeof(agent->server))) {
		/* The network may still be coming up. */
		if (now_ms() >= end) {
			rc = ERR_IO;
			goto close;
		}
		print_notice(end, &next);
		poll(NULL, 0, FIRST_GAP_MS);
	}
	question->sequence = 0;
	do {
		question->sequence++;
		rc = message_encode(question, datagram, sizeof(datagram), &length);
		if (rc)
			goto close;
		send(fd, datagram, length, 0); /* a failure counts as lost */
		until = now_ms() + gap + jitter(gap / 2);
		if (wait_for(fd, until < end ? until : end, question, type, answer))
			goto close;
		print_notice(end, &next);
		gap = gap * 3 / 2 < LONGEST_GAP_MS ? gap * 3 / 2 : LONGEST_GAP_MS;
	} while (now_ms() < end);
	rc = ERR_TIMEOUT;
close:
	close(fd);
	return rc;
}
