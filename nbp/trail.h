/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_TRAIL_H
#define NBP_TRAIL_H

#include "nbp/platform.h"
#include "nbp/proto/message.h"
#include "nbp/proto/text.h"

/*
 * Reports the steps of a boot to the policy server. The boot does not wait for that, and no
 * step is sent before a server has answered, since until then none is known to listen: steps
 * are kept, and sent together.
 */

#define TRAIL_STEPS 12

struct trail {
	const struct message *question; /* has the nonce and the identity */
	const struct endpoint *server;  /* NULL until one has answered */
	size_t count;
	struct trail_step {
		uint8_t code;           /* enum event_code */
		uint32_t milliseconds;
		char reason[64];
	} steps[TRAIL_STEPS];
};

/**
 * Adds a step with the time now and a reason by text_format(). Steps that exceed
 * TRAIL_STEPS are dropped.
 */
void trail_step(struct platform *p, struct trail *trail, enum event_code code,
                 const char *format, ...) TEXT_FORMAT(4, 5);

/**
 * Sends the steps and drops them, if a server has answered. The platform's socket
 * must be closed, and is closed afterwards.
 * @job: the job they belong to; 0: none
 */
void trail_send(struct platform *p, struct trail *trail, uint64_t job);

#endif
