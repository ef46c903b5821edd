/* SPDX-License-Identifier: BSD-2-Clause */
#include "nbp/trail.h"

#include "nbp/debug.h"
#include "nbp/proto/memory.h"
#include "nbp/proto/text.h"

/* An event without padding: header, identity, code, time, job, reason. */
#define EVENT_MAX (MESSAGE_HEADER + 10 + 20 + 5 + 8 + 12 + 4 + 64)

void trail_step(struct platform *p, struct trail *trail, enum event_code code,
                 const char *format, ...)
{
	struct trail_step *step = &trail->steps[trail->count];
	va_list args;

	if (trail->count == TRAIL_STEPS)
		return;
	trail->count++;
	step->code = (uint8_t)code;
	step->milliseconds = p->now(p);
	va_start(args, format);
	text_vformat(step->reason, sizeof(step->reason), format, args);
	va_end(args);
}

static void send_step(struct platform *p, const struct trail *trail,
                      const struct trail_step *step, uint64_t job)
{
	struct message message = { .type = MESSAGE_EVENT };
	struct event *event = &message.u.event;
	uint8_t datagram[EVENT_MAX];
	size_t length;

	memcpy(message.nonce, trail->question->nonce, sizeof(message.nonce));
	event->identity = trail->question->u.request.identity;
	event->code = step->code;
	event->milliseconds = step->milliseconds ? step->milliseconds : 1; /* 0 is absent */
	event->job = job;
	memcpy(event->reason, step->reason, sizeof(step->reason));
	if (message_encode_as(&message_event, &message, datagram, sizeof(datagram), &length) != 0)
		return;
	p->udp_send(p, trail->server, datagram, length);
	debug(2, p, "event %u at %u ms, \"%s\"", (uint32_t)event->code, event->milliseconds,
	      event->reason);
}

void trail_send(struct platform *p, struct trail *trail, uint64_t job)
{
	const uint8_t *nonce = trail->question->nonce;

	if (!trail->server || trail->count == 0 ||
	    p->udp_open(p, (uint16_t)(0xc000 | (nonce[2] << 8 | nonce[3]))) != 0)
		return;
	for (size_t i = 0; i < trail->count; i++)
		send_step(p, trail, &trail->steps[i], job);
	p->udp_close(p);
	trail->count = 0;
}
