/* SPDX-License-Identifier: BSD-2-Clause */
/* A port whose functions are those of the platform that it is given, as a test has filled it in. */
#include "nbp/port.h"

uint32_t clock_now(struct platform *p)
{
	return p->now(p);
}

int udp_open(struct platform *p, uint16_t local_port)
{
	return p->udp_open(p, local_port);
}

int udp_send(struct platform *p, const struct endpoint *to, const void *data, size_t length)
{
	return p->udp_send(p, to, data, length);
}

int udp_receive(struct platform *p, struct endpoint *from, void *buffer, size_t capacity,
                size_t *length)
{
	return p->udp_receive(p, from, buffer, capacity, length);
}

void udp_close(struct platform *p)
{
	p->udp_close(p);
}
