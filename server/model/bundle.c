/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/model/bundle.h"

#include <string.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/model/names.h"

/* The database holds these, so they must not change. */
const char *const bundle_kind_names[] = {
	[BUNDLE_IMAGING] = "imaging", [BUNDLE_THIRD_PARTY] = "third-party",
	[BUNDLE_KICKSTART] = "kickstart", [BUNDLE_SCRIPT] = "script",
	[BUNDLE_MULTICAST] = "multicast", NULL,
};

static const struct {
	const char *config;
	uint8_t completion;
} kinds[] = {
	[BUNDLE_IMAGING] = { "z_auto.cfg", COMPLETION_AGENT },
	/* No agent of ours runs in these. */
	[BUNDLE_THIRD_PARTY] = { "winpe.cfg", COMPLETION_NEXT_BOOT },
	[BUNDLE_KICKSTART] = { "kickstart.cfg", COMPLETION_NEXT_BOOT },
	[BUNDLE_SCRIPT] = { "z_auto.cfg", COMPLETION_AGENT },
	[BUNDLE_MULTICAST] = { "z_auto.cfg", COMPLETION_AGENT },
};

const char *bundle_kind_name(enum bundle_kind kind)
{
	return kind < NAMES_COUNT(bundle_kind_names) ? bundle_kind_names[kind] : NULL;
}

int bundle_kind_parse(const char *name, enum bundle_kind *kind)
{
	int value = NAMES_FIND(bundle_kind_names, name);

	if (value < 0)
		return ERR_NOT_FOUND;
	*kind = (enum bundle_kind)value;
	return 0;
}

const char *bundle_kind_config(enum bundle_kind kind)
{
	return kinds[kind].config;
}

uint8_t bundle_kind_completion(enum bundle_kind kind)
{
	return kinds[kind].completion;
}

int bundle_details_fit(const char *config, const struct details *details, bool session)
{
	struct message whole = { .type = MESSAGE_DETAILS };
	uint8_t datagram[MESSAGE_MAX];
	char longest[NAME_SIZE];
	size_t length;

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	whole.u.details = *details;
	whole.u.details.decision = DECISION_JOB;
	whole.u.details.job = UINT64_MAX;
	whole.u.details.attempt = 1;
	memcpy(whole.u.details.device, longest, sizeof(longest));
	text_format(whole.u.details.config, FILE_SIZE, "%s", config);
	if (session && (details_add(&whole.u.details, "multicast", longest) ||
	                details_add(&whole.u.details, "multicast_state", "waiting") ||
	                details_add(&whole.u.details, "multicast_clients", "4294967295")))
		return ERR_SPACE;
	if (message_encode(&whole, datagram, sizeof(datagram), &length))
		return ERR_SPACE;
	return 0;
}

void job_of_bundle(const struct bundle *bundle, const struct settings *settings,
                  struct job *job)
{
	memset(job, 0, sizeof(*job));
	for (enum loader_kind kind = 0; kind < LOADERS; kind++) {
		const char *own = bundle->loaders.of[kind];

		if (strcmp(own, LOADER_OF_SETTINGS) == 0)
			own = settings->loaders.of[kind];
		text_format(job->loaders.of[kind], FILE_SIZE, "%s", own);
	}
	text_format(job->config, sizeof(job->config), "%s", bundle->config);
	text_format(job->prefix, sizeof(job->prefix), "%s", bundle->prefix);
	job->attempts = bundle->attempts ? bundle->attempts : settings->attempts;
	job->deadline = bundle->deadline ? bundle->deadline : settings->deadline;
	job->completion = bundle->completion;
}
