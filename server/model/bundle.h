/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_MODEL_BUNDLE_H
#define SERVER_MODEL_BUNDLE_H

#include <stdbool.h>
#include <stdint.h>

#include "nbp/proto/message.h"
#include "server/model/job.h"
#include "server/model/loader.h"
#include "server/model/settings.h"

/* Named work, of which jobs are made. */

enum bundle_kind {
	BUNDLE_IMAGING, BUNDLE_THIRD_PARTY, BUNDLE_KICKSTART, BUNDLE_SCRIPT, BUNDLE_MULTICAST,
};

struct bundle {
	uint64_t id;
	enum bundle_kind kind;
	char name[NAME_SIZE];
	struct loaders loaders;      /* LOADER_OF_SETTINGS among them */
	char config[FILE_SIZE];
	char prefix[FILE_SIZE];
	char image[TEXT_SIZE];       /* what image-safe data call it: the detail "image", else its
	                                name */
	uint32_t attempts, deadline; /* 0: what the device's settings say */
	uint8_t completion;          /* enum ending */
};

/* A bundle with all that belongs to it; details has only the key=value strings. */
struct bundle_whole {
	struct bundle bundle;
	struct details details;
	int64_t added; /* Unix time */
};

/** The kinds' names, by kind; NULL after the last. */
extern const char *const bundle_kind_names[];
/** Returns the name of a kind, in static memory; NULL past the last. */
const char *bundle_kind_name(enum bundle_kind kind);
/** Finds a kind by its name. Returns 0 or ERR_NOT_FOUND. */
int bundle_kind_parse(const char *name, enum bundle_kind *kind);
/** Returns the configuration file that bundles of a kind have by default. */
const char *bundle_kind_config(enum bundle_kind kind);
/** Returns what completes their jobs by default: an enum ending. */
uint8_t bundle_kind_completion(enum bundle_kind kind);

/**
 * Says whether a message to the agent of any device can hold @details of a job with this
 * configuration file. Returns 0 or ERR_SPACE.
 * @session: with what a multicast session adds to them
 */
int bundle_details_fit(const char *config, const struct details *details, bool session);

/**
 * Makes a job of a bundle for a machine with these settings: all but its number, its
 * device and its times.
 */
void job_of_bundle(const struct bundle *bundle, const struct settings *settings,
                   struct job *job);

#endif
