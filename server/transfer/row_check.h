/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_TRANSFER_ROW_CHECK_H
#define SERVER_TRANSFER_ROW_CHECK_H

#include <jansson.h>

/*
 * What concerns several fields of a row, each of which is right. Functions return
 * NULL, or what is wrong.
 */

/** By what is it known? */
const char *data_whole_device(const json_t *row);
/** Can it be one machine's, where it is said to be? */
const char *data_whole_uuid(const json_t *row);
/** Has it a loader, and do its details fit a message? */
const char *data_whole_bundle(const json_t *row);
/** Has it an end where it needs one? */
const char *data_whole_assignment(const json_t *row);
/** Does anything start it? */
const char *data_whole_session(const json_t *row);
/** Do state, times, attempt, loaders and details go together? */
const char *data_whole_job(const json_t *row);

#endif
