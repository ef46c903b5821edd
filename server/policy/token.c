/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/policy/token.h"

#include <nettle/hmac.h>
#include <nettle/memops.h>

#include "nbp/proto/message_fields.h"

static void put_number(struct hmac_sha256_ctx *hmac, uint64_t number)
{
	uint8_t bytes[8];

	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(number >> (56 - 8 * i));
	hmac_sha256_update(hmac, sizeof(bytes), bytes);
}

void token_make(const uint8_t secret[TOKEN_SECRET_SIZE], const struct offer *offer,
                uint8_t token[TOKEN_SIZE])
{
	struct hmac_sha256_ctx hmac;

	hmac_sha256_set_key(&hmac, TOKEN_SECRET_SIZE, secret);
	put_number(&hmac, offer->device);
	put_number(&hmac, offer->job);
	put_number(&hmac, (uint64_t)offer->assigned);
	put_number(&hmac, offer->attempt);
	hmac_sha256_update(&hmac, NONCE_SIZE, offer->nonce);
	hmac_sha256_digest(&hmac, TOKEN_SIZE, token);
	/* On the wire all zeros means that there is none. */
	if (all_zero(token, TOKEN_SIZE))
		token[0] = 1;
}

bool token_is(const uint8_t secret[TOKEN_SECRET_SIZE], const struct offer *offer,
              const uint8_t token[TOKEN_SIZE])
{
	uint8_t right[TOKEN_SIZE];

	token_make(secret, offer, right);
	return memeql_sec(right, token, TOKEN_SIZE);
}
