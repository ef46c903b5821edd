/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_MODEL_LOADER_H
#define SERVER_MODEL_LOADER_H

#include <stdbool.h>
#include <stdint.h>

#include "nbp/proto/message.h"

/* What loads a job's system: a program for each kind of machine. The kinds are enum loader_kind. */

#define LOADER_OF_SETTINGS "*" /* in a bundle: the one of the device's settings */

/* A file for each kind; empty: not for such machines. */
struct loaders {
	char of[LOADERS][FILE_SIZE];
};

/** Returns how options, settings and messages call a kind: "bios", "uefi", "uefi-ia32", ... */
const char *loader_name(enum loader_kind kind);

/** Returns how people call machines of a kind: "IA32 UEFI"; "unknown" for LOADERS. */
const char *loader_machines(enum loader_kind kind);

/** Returns the kind of the machine that sent @request; LOADERS if it did not say its firmware. */
enum loader_kind loader_kind_of(const struct request *request);

/** Returns the firmware of a kind's machines; FIRMWARE_BIOS for LOADERS. */
enum firmware_kind loader_firmware(enum loader_kind kind);

/** Returns the first kind that @loaders has a file for, or LOADERS. */
enum loader_kind loader_first(const struct loaders *loaders);

/** Has all kinds take the loader of the settings. */
void loader_leave_to_settings(struct loaders *loaders);

#endif
