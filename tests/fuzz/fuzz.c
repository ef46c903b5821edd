/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/password.h"

void fuzz_fail(const char *condition, const char *file, int line)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
	abort();
}

uint8_t *fuzz_take(struct wire *in, size_t count, size_t *taken)
{
	size_t left = wire_left(in);
	uint8_t *bytes;

	*taken = count < left ? count : left;
	bytes = malloc(*taken);
	wire_read_bytes(in, bytes, *taken);
	return bytes;
}

void fuzz_require_text(const char *text, size_t size)
{
	size_t length = strnlen(text, size);

	REQUIRE(length < size);
	for (size_t i = 0; i < length; i++)
		REQUIRE(text[i] >= 0x20 && text[i] <= 0x7e);
}

static struct fuzz_net *net_of(struct platform *p)
{
	return (struct fuzz_net *)p;
}

static uint32_t net_now(struct platform *p)
{
	return net_of(p)->clock;
}

/* Once the script is done nothing more happens, so time passes faster. */
static void net_idle(struct platform *p)
{
	net_of(p)->clock += wire_left(&net_of(p)->script) ? 1 : 40;
}

static size_t net_entropy(struct platform *p, void *buffer, size_t size)
{
	(void)p;
	memset(buffer, 0x5a, size);
	return size;
}

static void net_write(struct platform *p, const char *text, size_t length)
{
	(void)p;
	for (size_t i = 0; i < length; i++)
		REQUIRE(text[i] == '\n' || (text[i] >= 0x20 && text[i] <= 0x7e));
}

static int net_open(struct platform *p, uint16_t local_port)
{
	REQUIRE(!net_of(p)->open && local_port != 0);
	net_of(p)->open = true;
	return 0;
}

static int net_send(struct platform *p, const struct endpoint *to, const void *data,
                    size_t length)
{
	struct fuzz_net *net = net_of(p);

	REQUIRE(net->open && length > 0 && length <= 1200);
	net->sent++;
	if (net->look)
		net->look(net, to, data, length);
	return net->send_result;
}

static int net_receive(struct platform *p, struct endpoint *from, void *buffer, size_t capacity,
                       size_t *length)
{
	struct fuzz_net *net = net_of(p);
	uint8_t datagram[FUZZ_DATAGRAM_MAX];
	int rc;

	REQUIRE(net->open);
	rc = net->next(net, from, datagram, length);
	if (rc) {
		net->clock += p->receive_wait;
		return rc;
	}
	if (*length > capacity) /* dropped, as platform.h says */
		return ERR_AGAIN;
	memcpy(buffer, datagram, *length);
	return 0;
}

static void net_close(struct platform *p)
{
	REQUIRE(net_of(p)->open);
	net_of(p)->open = false;
}

void fuzz_net_start(struct fuzz_net *net)
{
	net->platform.name = "nvlnbp.sys";
	net->platform.now = net_now;
	net->platform.idle = net_idle;
	net->platform.entropy = net_entropy;
	net->platform.write = net_write;
	net->platform.udp_open = net_open;
	net->platform.udp_send = net_send;
	net->platform.udp_receive = net_receive;
	net->platform.udp_close = net_close;
}

/*
 * Replacements by the linker's --wrap: a hash may have a million iterations, and the key
 * is ignored. One bit of the salt says whether the password is right.
 */
bool __wrap_password_run(struct password_check *check, uint32_t count);
bool __wrap_password_right(const struct password_check *check, const struct password_hash *hash);

bool __wrap_password_run(struct password_check *check, uint32_t count)
{
	check->left = check->left > count * 200 ? check->left - count * 200 : 0;
	return check->left == 0;
}

bool __wrap_password_right(const struct password_check *check, const struct password_hash *hash)
{
	(void)check;
	return hash->salt[0] & 1;
}
