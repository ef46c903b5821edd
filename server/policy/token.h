/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_POLICY_TOKEN_H
#define SERVER_POLICY_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "nbp/proto/message.h"

/*
 * What only the machine that asked was given: its answer's token. It can be made again from
 * what it stands for, so nothing is kept of an offer that nobody accepts.
 */

#define TOKEN_SECRET_SIZE 32

/* What a token stands for. */
struct offer {
	uint64_t device, job;
	int64_t assigned; /* when the job was made: a power cut may give its number to another */
	uint32_t attempt;
	uint8_t nonce[NONCE_SIZE]; /* of the boot */
};

/** Makes the token of @offer: never all zero. */
void token_make(const uint8_t secret[TOKEN_SECRET_SIZE], const struct offer *offer,
                uint8_t token[TOKEN_SIZE]);

/** Says whether @token is that of @offer, in a time that does not depend on where they differ. */
bool token_is(const uint8_t secret[TOKEN_SECRET_SIZE], const struct offer *offer,
              const uint8_t token[TOKEN_SIZE]);

#endif
