/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_PROTO_MESSAGE_LISTS_H
#define NBP_PROTO_MESSAGE_LISTS_H

#include "nbp/proto/message_types.h"
#include "nbp/proto/wire.h"

/*
 * The fields that may repeat: a put function writes all values of one, with their headers; a get
 * function appends one value, which is the whole of @value. They return 0, or ERR_MALFORMED or
 * ERR_SPACE.
 */

/** The disks of a request. */
int message_put_disks(struct wire *out, const struct message *message);
int message_get_disk(struct wire *value, struct message *message);

/** The strings of a job's details. */
int message_put_details(struct wire *out, const struct message *message);
int message_get_detail(struct wire *value, struct message *message);

#endif
