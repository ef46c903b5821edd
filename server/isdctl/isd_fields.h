/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_ISDCTL_ISD_FIELDS_H
#define SERVER_ISDCTL_ISD_FIELDS_H

#include "nbp/proto/isd.h"

/* The fields of image-safe data as isdctl names and writes them. */

#define ISD_FIELD_TEXT 320 /* holds any field as text */

/** Returns the name of the field at @index, from 0, or NULL past the last one. */
const char *isd_field_name(size_t index);

/** Finds a field by its name. Returns its index, or -1. */
int isd_field_find(const char *name, size_t length);

/** Returns whether a field is secret: it is shown only to those who name it. */
bool isd_field_secret(size_t index);

/** Writes a field as text; the empty string if it is absent. */
void isd_field_format(const struct isd *isd, size_t index, char out[ISD_FIELD_TEXT]);

/**
 * Sets a field from text; the empty string makes it absent.
 * @expected: receives what the field accepts, for a message
 * Returns 0, ERR_MALFORMED or, for "random", ERR_IO; then @isd is unchanged.
 */
int isd_field_parse(struct isd *isd, size_t index, const char *text,
                    char expected[ISD_FIELD_TEXT]);

#endif
