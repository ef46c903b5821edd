/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/tftp_server.h"

#include "tests/unit/unit.h"

#include "nbp/proto/error.h"
#include "nbp/tftp.h"

const struct endpoint server_69 = { { 10, 0, 0, 1 }, TFTP_PORT };

static struct net *net_of(struct platform *p)
{
	return (struct net *)p;
}

uint8_t content(size_t at)
{
	return (uint8_t)(at * 7 + at / 251);
}

static uint32_t now(struct platform *p)
{
	return net_of(p)->clock;
}

static void idle(struct platform *p)
{
	net_of(p)->clock++;
}

static size_t entropy(struct platform *p, void *buffer, size_t size)
{
	memset(buffer, 0x33, size);
	*(uint8_t *)buffer = (uint8_t)net_of(p)->opened;
	return size;
}

static int udp_open(struct platform *p, uint16_t local_port)
{
	assert_false(net_of(p)->open);
	assert_in_range(local_port, 1024, 0xffff);
	net_of(p)->open = true;
	net_of(p)->local_port = local_port;
	net_of(p)->opened++;
	net_of(p)->queued = 0; /* packets to another port are not for this one */
	return 0;
}

static void udp_close(struct platform *p)
{
	assert_true(net_of(p)->open);
	net_of(p)->open = false;
}

static bool lost(struct net *net)
{
	return net->lose && ++net->count % net->lose == 0;
}

void net_answer(struct net *net, uint8_t address, uint16_t port, const void *data, size_t length)
{
	if (net->queued == QUEUE || lost(net))
		return;
	net->queue[net->queued].at = net->clock + net->delay;
	net->queue[net->queued].address = address;
	net->queue[net->queued].port = port;
	memcpy(net->queue[net->queued].data, data, length);
	net->queue[net->queued].length = length;
	net->queued++;
}

void net_send_block(struct net *net, size_t block)
{
	uint8_t data[4 + 1432] = { 0, 3, (uint8_t)(block >> 8), (uint8_t)block };
	size_t start = (block - 1) * net->block_size, count = net->block_size;

	if (net->silent_from && block >= net->silent_from)
		return;
	if (start > net->size)
		return; /* that was an ACK of the last block */
	net->block = block;
	if (count > net->size - start)
		count = net->size - start;
	for (size_t i = 0; i < count; i++)
		data[4 + i] = content(start + i);
	if (net->unknowns) { /* before the right block, whose number alone would show it */
		uint8_t wrong[sizeof(data)];

		memcpy(wrong, data, 4);
		memset(wrong + 4, 0xee, count);
		net_answer(net, 2, net->port, wrong, 4 + count); /* another host */
		/* Another port, unless it might be the server's. */
		if (block > 1 || net->block_size > 512)
			net_answer(net, 1, (uint16_t)(net->port + 1), wrong, 4 + count);
		net_answer(net, 1, net->port, "\0\4\0\1", 4); /* not for a reader */
		net_answer(net, 1, net->port, "", 1);
		if (block > 1) /* a late OACK changes nothing */
			net_answer(net, 1, net->port, "\0\6blksize\0" "8", 12);
	}
	for (unsigned int i = 0; i <= net->twice; i++)
		net_answer(net, 1, net->port, data, 4 + count);
}

static void send_oack(struct net *net)
{
	char data[100] = { 0, 6 };
	size_t length = 2;

	if (net->oack) {
		memcpy(data + 2, net->oack, net->oack_length);
		length += net->oack_length;
	} else {
		length += (size_t)snprintf(data + 2, 90, "BLKSIZE%c1432%ctsize%c%zu", 0, 0, 0,
		                           net->size) + 1;
	}
	net->block_size = net->agreed;
	if (net->unknowns)
		net_answer(net, 2, net->port, "\0\6blksize\0" "8", 12);
	net_answer(net, 1, net->port, data, length);
	if (net->network_repeats)
		net_answer(net, 1, (uint16_t)(net->port + 1), data, length);
}

static void request(struct net *net, const uint8_t *data, size_t length)
{
	bool options = length > 2 + sizeof("pxelinux.0") + sizeof("octet");
	uint8_t error[] = { 0, 5, 0, (uint8_t)net->error, 'n', 'o', 0 };

	assert_memory_equal(data + 2, "pxelinux.0\0octet", 17);
	if (options)
		assert_memory_equal(data + 19, "blksize\0" "1432\0tsize\0" "0", 21);
	net->port = (uint16_t)(2000 + net->requests++);
	net->block_size = 512;
	net->block = 0;
	if (net->unknowns) { /* the client must not learn the server's port from these */
		net_answer(net, 1, 1999, "\0\3\0\5late", 8);
		if (!options)
			net_answer(net, 1, 1999, "\0\6blksize\0" "8", 12);
	}
	if (net->twin && net->hits) {
		net->hits--;
		net->twin(net);
	}
	if (options && net->refuses_options)
		error[3] = 8;
	else if (net->error < 0) {
		if (options && (net->options || net->oack))
			send_oack(net);
		else
			net_send_block(net, 1);
		return;
	}
	net_answer(net, 1, net->port, error, sizeof(error));
}

static int udp_send(struct platform *p, const struct endpoint *to, const void *packet,
                    size_t length)
{
	struct net *net = net_of(p);
	const uint8_t *data = packet;

	assert_true(net->open);
	assert_memory_equal(to->address, server_69.address, 4);
	net->sent++;
	if (data[1] == 5)
		net->errors++;
	if (lost(net))
		return 0;
	if (to->port == TFTP_PORT)
		request(net, data, length);
	else if (data[1] == 4 && to->port >= 2000 && to->port < 2000 + net->requests) {
		net->port = to->port; /* it answered each request from another one */
		/* The block with this number among the last 65,536. */
		net_send_block(net, net->block - (uint16_t)(net->block - (data[2] << 8 | data[3])) +
		                    1);
	}
	return 0;
}

static int udp_receive(struct platform *p, struct endpoint *from, void *buffer, size_t capacity,
                       size_t *length)
{
	struct net *net = net_of(p);

	assert_true(net->open);
	if (net->crowd)
		net->crowd(net);
	if (net->queued == 0 || net->queue[0].at > net->clock)
		return ERR_AGAIN;
	*from = (struct endpoint){ { 10, 0, 0, net->queue[0].address }, net->queue[0].port };
	*length = net->queue[0].length;
	if (*length <= capacity)
		memcpy(buffer, net->queue[0].data, *length);
	memmove(net->queue, net->queue + 1, --net->queued * sizeof(net->queue[0]));
	return *length <= capacity ? 0 : ERR_AGAIN;
}

struct net *net_new(size_t size)
{
	struct net *net = calloc(1, sizeof(*net));

	net->platform = (struct platform){
		.now = now, .idle = idle, .entropy = entropy, .udp_open = udp_open,
		.udp_close = udp_close, .udp_send = udp_send, .udp_receive = udp_receive,
	};
	net->size = size;
	net->options = true;
	net->error = -1;
	net->delay = 1;
	net->agreed = 1432;
	return net;
}

int net_fetch(struct net *net, size_t capacity)
{
	int rc = tftp_fetch(&net->platform, &server_69, "pxelinux.0", net->buffer, capacity,
	                    &net->length);

	assert_false(net->open);
	return rc;
}
