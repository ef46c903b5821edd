/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_NET_PEEK_H
#define SERVER_NET_PEEK_H

#include <stdbool.h>

#include "nbp/proto/message.h"

/*
 * Messages as bytes, where message_decode() would take too long: who sends a request, and an answer
 * without a job. tests/unit/test_fast.c holds both against message_decode() and message_encode().
 */

/* Offsets in a message's header. */
#define PEEK_VERSION  4
#define PEEK_TYPE     5
#define PEEK_FLAGS    6 /* 2 bytes */
#define PEEK_NONCE    8

/* What a request must report to be answered: who sends it, and the firmware. */
struct request_peek {
	struct identity identity;
	uint8_t isd[16];
	uint8_t firmware; /* 0: it is not among the first fields, and the rest says nothing */
};

/** Reads what stands among the first fields of a request. The others need not be sound. */
void peek_request(const uint8_t *data, size_t length, struct request_peek *out);

/** Returns the length of a sound message without the padding at its end. */
size_t peek_unpadded_length(const uint8_t *data, size_t length);

/** Says whether all of a message past @unpadded bytes is one field of padding, or nothing. */
bool peek_is_padded(const uint8_t *data, size_t length, size_t unpadded);

#define PEEK_ANSWER_MAX (MESSAGE_HEADER + 64 + NAME_SIZE + FILE_SIZE)

/**
 * Writes what message_encode() would: the answer to @question that there is no job.
 * @answer: local_boot, menu_mode, hot_key, hot_key_wait, menu_file, valid_for and
 *          tftp_multicast count
 * @out: has room for PEEK_ANSWER_MAX bytes
 * Returns its length.
 */
size_t peek_write_no_job(const uint8_t *question, const char *device, const struct answer *answer,
                         uint8_t *out);

#endif
