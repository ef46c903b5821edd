/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/policy/choose.h"

#include <stdarg.h>
#include <string.h>

#include "nbp/proto/message.h"
#include "nbp/proto/text.h"
#include "server/policy/choosing.h"

const char *bundle_loader(const struct bundle *bundle, uint8_t firmware,
                          const struct settings *settings)
{
	bool uefi = firmware == FIRMWARE_UEFI;
	const char *loader = uefi ? bundle->loader_uefi : bundle->loader_bios;

	if (firmware != FIRMWARE_BIOS && !uefi)
		return "";
	if (strcmp(loader, LOADER_OF_SETTINGS) != 0)
		return loader;
	if (!settings)
		return NULL;
	return uefi ? settings->loader_uefi : settings->loader_bios;
}

/* --- each candidate ----------------------------------------------------------- */

void choosing_begin(struct choosing *c, enum source source, uint64_t id,
                    const struct bundle *bundle)
{
	c->candidate.source = source;
	c->candidate.id = id;
	c->candidate.bundle = bundle;
	c->candidate.taken = false;
	c->candidate.origin[0] = '\0';
	c->candidate.reason[0] = '\0';
}

/* Copies @text, cut to fit, and returns the end: for every request, so without format. */
static char *append(char *out, const char *limit, const char *text)
{
	while (out < limit - 1 && *text)
		*out++ = *text++;
	*out = '\0';
	return out;
}

bool choosing_pass(struct choosing *c, const char *format, ...)
{
	char *reason = c->candidate.reason;
	va_list args;

	if (!strchr(format, '%')) {
		append(reason, reason + sizeof(c->candidate.reason), format);
		return false;
	}
	va_start(args, format);
	text_vformat(c->candidate.reason, sizeof(c->candidate.reason), format, args);
	va_end(args);
	return false;
}

bool choosing_had(struct choosing *c, enum past past, const char *done)
{
	if (past == PAST_DONE)
		return choosing_pass(c, "%s", done);
	return choosing_pass(c, past == PAST_FAILED
	                     ? "it has failed; \"prebootctl work retry\" has it tried again"
	                     : "it was cancelled; \"prebootctl work retry\" has it tried again");
}

bool choosing_over(const struct choosing *c)
{
	return c->choice->bundle && !c->tell;
}

bool choosing_late(struct choosing *c)
{
	if (!c->choice->bundle)
		return false;
	choosing_pass(c, "there is work before it");
	return true;
}

bool choosing_loader(struct choosing *c)
{
	const struct chooser *who = c->who;
	const struct bundle *bundle = c->candidate.bundle;
	const struct settings *settings = &c->policy->settings;
	struct settings room;
	uint8_t firmware;
	const char *loader;

	if (!who->request)
		return true;
	firmware = who->request->firmware;
	loader = bundle_loader(bundle, firmware, NULL);
	if (!loader) {
		if (who->entry)
			settings = entry_settings(who->index, who->entry, &room);
		loader = bundle_loader(bundle, firmware, settings);
	}
	if (loader[0])
		return true;
	return choosing_pass(c, "it has no loader for %s firmware",
	                     firmware == FIRMWARE_BIOS ? "BIOS" :
	                     firmware == FIRMWARE_UEFI ? "UEFI" : "unknown");
}

void choosing_end(struct choosing *c, bool take, bool noted)
{
	struct candidate *candidate = &c->candidate;
	struct choice *choice = c->choice;
	const char *limit = choice->reason + sizeof(choice->reason);
	char *at;

	candidate->taken = take;
	if (take || (noted && !choice->bundle && !choice->reason[0])) {
		at = append(choice->reason, limit, candidate->bundle->name);
		at = append(at, limit, ": ");
		if (take) {
			at = append(at, limit, candidate->origin);
			at = append(at, limit, "; ");
		}
		append(at, limit, candidate->reason);
	}
	if (take) {
		choice->bundle = candidate->bundle;
		choice->source = candidate->source;
		choice->source_id = candidate->id;
	}
	if (c->tell)
		c->tell(c->data, candidate);
}

/* --- the whole ----------------------------------------------------------------- */

void choose(const struct chooser *who, struct choice *choice,
            void (*tell)(void *data, const struct candidate *candidate), void *data)
{
	static const char none[] = "nothing is assigned to it", unknown[] = "unknown device";
	static const char rules[] = ", and no rule matches";
	struct choosing c; /* for every request: no more is written than must be */
	char *at;

	c.who = who;
	c.policy = index_policy(who->index);
	c.choice = choice;
	c.tell = tell;
	c.data = data;
	c.had_count = 0;
	c.matched = NULL;
	choice->bundle = NULL;
	choice->source = SOURCE_HAND;
	choice->source_id = 0;
	choice->reason[0] = '\0';
	if (who->entry) {
		choose_sessions(&c);
		choose_assignments(&c);
	}
	choose_rules(&c);
	if (choice->reason[0])
		return;
	at = stpcpy(choice->reason, who->entry ? none : unknown);
	if (c.policy->rules_for_known || c.policy->rules_for_unknown)
		memcpy(at, rules, sizeof(rules));
}
