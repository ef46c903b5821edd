/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_TRAIL_H
#define NBP_TRAIL_H

#include "nbp/platform.h"
#include "nbp/proto/message.h"
#include "nbp/proto/text.h"

/*
 * Tells the policy server of the steps of a boot. Nobody waits for it, and
 * nothing is sent before a server has answered, since until then none is known
 * to listen: steps are kept, and go out together.
 */

#define TRAIL_STEPS 12

struct trail {
	const struct message *question; /* whose nonce and identity to use */
	const struct endpoint *server;  /* NULL: none has answered yet */
	size_t count;
	struct trail_step {
		uint8_t code;           /* enum event_code */
		uint32_t milliseconds;
		char reason[64];
	} steps[TRAIL_STEPS];
};

/**
 * Notes a step with the time now and a reason by text_format(). One too many is
 * forgotten.
 */
void trail_step(struct platform *p, struct trail *trail, enum event_code code,
                 const char *format, ...) TEXT_FORMAT(4, 5);

/**
 * Sends the steps noted and forgets them, if a server is known. The platform's
 * socket must be closed; it is afterwards.
 * @job: the job they belong to; 0: none
 */
void trail_send(struct platform *p, struct trail *trail, uint64_t job);

#endif
