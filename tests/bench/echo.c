/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The least that a policy server could do: takes datagrams in batches and sends
 * each one's head back, made into an answer of the size that is asked for. What
 * prebootd is measured against.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "nbp/proto/message.h"
#include "server/net/datagram.h"
#include "server/net/endpoint.h"

#define ANSWER_MIN (MESSAGE_HEADER + 9)

struct slots {
	struct mmsghdr messages[BATCH];
	struct iovec vectors[BATCH];
	struct sockaddr_in peers[BATCH];
	uint8_t data[BATCH][MESSAGE_MAX + 1];
};

static int listen_on(const char *text)
{
	struct sockaddr_in here = { .sin_family = AF_INET };
	int room = 4 << 20, fd;

	if (endpoint_parse(text, &here))
		return -1;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	return bind(fd, (struct sockaddr *)&here, sizeof(here)) ? -1 : fd;
}

static void prepare(struct slots *s, size_t size, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		s->vectors[i].iov_base = s->data[i];
		s->vectors[i].iov_len = size;
		s->messages[i].msg_hdr = (struct msghdr){
			.msg_name = &s->peers[i], .msg_namelen = sizeof(s->peers[i]),
			.msg_iov = &s->vectors[i], .msg_iovlen = 1,
		};
	}
}

/* Header, decision "boot local", padding. */
static void make_answer(uint8_t *data, size_t size)
{
	size_t padding = size - ANSWER_MIN;
	const uint8_t fields[] = { 0, 0x40, 0, 1, DECISION_LOCAL,
	                           0, 0, (uint8_t)(padding >> 8), (uint8_t)padding };

	data[5] = MESSAGE_ANSWER;
	memcpy(data + MESSAGE_HEADER, fields, sizeof(fields));
}

static void echo(int fd, struct slots *s, size_t size)
{
	for (;;) {
		int got, sent;

		prepare(s, MESSAGE_MAX + 1, BATCH);
		got = recvmmsg(fd, s->messages, BATCH, MSG_WAITFORONE, NULL);
		if (got < 0 && errno != EINTR)
			return;
		for (int i = 0; i < got; i++) {
			s->vectors[i].iov_len = size;
			make_answer(s->data[i], size);
		}
		for (sent = 0; sent < got; ) {
			int now = sendmmsg(fd, s->messages + sent, (unsigned int)(got - sent), 0);

			sent += now > 0 ? now : 1;
		}
	}
}

int main(int argc, char **argv)
{
	static struct slots slots;
	size_t size = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	int fd;

	if (size < ANSWER_MIN || size > MESSAGE_MAX) {
		fprintf(stderr, "Usage: echo ADDRESS:PORT SIZE\n"
		        "Answers each datagram with one of SIZE bytes, %d to %d.\n",
		        ANSWER_MIN, MESSAGE_MAX);
		return 2;
	}
	fd = listen_on(argv[1]);
	if (fd < 0) {
		fprintf(stderr, "echo: cannot listen on %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	puts("ready");
	fflush(stdout);
	echo(fd, &slots, size);
	perror("echo");
	return 1;
}
