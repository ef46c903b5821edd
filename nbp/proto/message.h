/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_PROTO_MESSAGE_H
#define NBP_PROTO_MESSAGE_H

#include <stddef.h>

#include "nbp/proto/message_fields.h"
#include "nbp/proto/message_types.h"

/*
 * Encodes and decodes the policy protocol's messages, in both directions; nbp/protocol.md
 * specifies them byte by byte. The same object is linked into the NBPs, the server, the
 * agent, the unit tests and the fuzzers.
 *
 * Those that end in _as take the layout of a message's type. What has only a few types of messages,
 * as an NBP, links no more than these.
 */

/**
 * Encodes @message into @buffer. Questions (request, query, report) are padded
 * to MESSAGE_MAX, so that no answer is ever larger than its question. A request
 * that does not fit leaves out its least important fields.
 * @capacity: size of @buffer; for an answer, the size of the question
 * @length: receives the datagram's size
 * Returns 0, ERR_SPACE if it does not fit, or ERR_MALFORMED if a string or a
 * file name is invalid, or a value that the message needs is missing.
 */
int message_encode(const struct message *message, void *buffer, size_t capacity,
                   size_t *length);
int message_encode_as(const struct message_layout *layout, const struct message *message,
                      void *buffer, size_t capacity, size_t *length);

/**
 * Decodes the datagram of @length bytes at @data. Unknown fields are ignored;
 * any other fault is an error, and then *@message is not to be used.
 * Returns 0, ERR_TRUNCATED (too short or a length field too large),
 * ERR_VERSION, ERR_CRITICAL or ERR_MALFORMED (magic, a type that is unknown or not
 * the layout's, a field's size, a field twice, a bad string, a needed field missing).
 */
int message_decode(struct message *message, const void *data, size_t length);
int message_decode_as(const struct message_layout *layout, struct message *message,
                      const void *data, size_t length);

/**
 * Says whether @name is a valid file name: 1 to FILE_SIZE - 1 characters
 * of [A-Za-z0-9._/-], no ".." component.
 */
int message_file_name_ok(const char *name);

/**
 * Appends "@key=@value" to @details, for the server and its tools.
 * Returns 0, ERR_MALFORMED (key not [A-Za-z_][A-Za-z0-9_]*, at most 32 long, or
 * a value not printable) or ERR_SPACE (it would not fit one datagram).
 */
int details_add(struct details *details, const char *key, const char *value);

#endif
