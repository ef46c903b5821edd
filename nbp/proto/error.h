/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NBP_PROTO_ERROR_H
#define NBP_PROTO_ERROR_H

/*
 * The one error convention: a function that can fail returns int, 0 for
 * success or one of these negative values. Cleanup is by goto, in reverse
 * order of the steps.
 */
enum {
	ERR_AGAIN = -1,       /* nothing yet; ask again later */
	ERR_TIMEOUT = -2,     /* the time allowed ran out */
	ERR_TRUNCATED = -3,   /* the data ends before its own lengths say so */
	ERR_MALFORMED = -4,   /* the data breaks its format's rules */
	ERR_VERSION = -5,     /* another version of the protocol or format */
	ERR_CRITICAL = -6,    /* an unknown field that is marked critical */
	ERR_SPACE = -7,       /* the result does not fit the buffer */
	ERR_NOT_FOUND = -8,   /* there is no such file, table, option or device */
	ERR_UNSUPPORTED = -9, /* the firmware does not offer this */
	ERR_IO = -10,         /* the firmware, network or disk reported an error */
	ERR_REFUSED = -11,    /* the other side said no */
};

/**
 * Names an error for people.
 * @rc: 0 or one of the values above
 * Returns a short lower-case phrase, never NULL, in static memory.
 */
const char *error_text(int rc);

#endif
