/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_PROTO_PASSWORD_H
#define NBP_PROTO_PASSWORD_H

#include <stdbool.h>
#include <stdint.h>

#include "nbp/proto/sha256.h"
#include "nbp/proto/span.h"

/*
 * Passwords of the menu, kept as PBKDF2-HMAC-SHA256 (RFC 8018 section 5.2) in
 * the text form of Python's passlib:
 *
 *     $pbkdf2-sha256$ITERATIONS$SALT$KEY
 *
 * with salt and 32 bytes of key in base64 without padding and with "." for "+"
 * (which is accepted, too).
 */

#define PASSWORD_SIZE           64      /* characters, the maximum */
#define PASSWORD_SALT_MIN       8       /* bytes */
#define PASSWORD_SALT_MAX       32
#define PASSWORD_ITERATIONS_MIN 1000
#define PASSWORD_ITERATIONS_MAX 1000000 /* some seconds on an old machine */

struct password_hash {
	uint32_t iterations;
	size_t salt_length;
	uint8_t salt[PASSWORD_SALT_MAX];
	uint8_t key[SHA256_SIZE];
};

/* A comparison in progress. */
struct password_check {
	struct sha256 inner, outer; /* HMAC's two hashes, after their keys (RFC 2104) */
	uint32_t left;              /* iterations that are still to be done */
	uint8_t last[SHA256_SIZE];  /* the result of the last iteration */
	uint8_t key[SHA256_SIZE];   /* the exclusive or of all results: the key once left is 0 */
};

/** Reads the text form. Returns 0 or ERR_MALFORMED. */
int password_hash_read(struct span text, struct password_hash *hash);

/** Begins to derive the key of @length characters at @password, at most PASSWORD_SIZE. */
void password_start(struct password_check *check, const struct password_hash *hash,
                    const char *password, size_t length);

/**
 * Does up to @count iterations, so that the caller can look at clock and keys
 * between them. Returns true when all are done.
 */
bool password_run(struct password_check *check, uint32_t count);

/** Says whether the password is right; the time it takes is the same for all passwords. */
bool password_right(const struct password_check *check, const struct password_hash *hash);

/** Overwrites @size bytes; the compiler cannot leave that out. */
void password_forget(void *bytes, size_t size);

#endif
