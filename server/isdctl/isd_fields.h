/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_ISDCTL_ISD_FIELDS_H
#define SERVER_ISDCTL_ISD_FIELDS_H

#include "nbp/proto/isd.h"

/* The fields of image-safe data as isdctl names and writes them. */

#define ISD_FIELD_TEXT 320 /* holds any field as text */

/** Returns the name of the field at @index, from 0, or NULL behind the last. */
const char *isd_field_name(size_t index);

/** Finds a field by its name. Returns its index, or -1. */
int isd_field_find(const char *name, size_t length);

/** Says whether a field is a secret that is shown only to who asks for it by name. */
bool isd_field_secret(size_t index);

/** Writes a field as text; the empty string if it is absent. */
void isd_field_format(const struct isd *isd, size_t index, char out[ISD_FIELD_TEXT]);

/**
 * Sets a field from text; the empty string makes it absent.
 * Returns 0 or ERR_MALFORMED; then *@expected says what the field takes, and
 * @isd is unchanged.
 */
int isd_field_parse(struct isd *isd, size_t index, const char *text, const char **expected);

#endif
