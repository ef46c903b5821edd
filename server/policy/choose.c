/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/policy/choose.h"

#include <stdarg.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "nbp/proto/message.h"
#include "nbp/proto/text.h"
#include "server/filter/filter.h"

#define ASSIGNED_MAX 64  /* bundles of assignments that count */
#define GROUPS_MAX   256 /* of a device; what is beyond does not count */
#define SESSIONS_MAX 64

const char *bundle_loader(const struct bundle *bundle, enum loader_kind kind,
                          const struct settings *settings)
{
	if (kind == LOADERS)
		return "";
	if (strcmp(bundle->loaders.of[kind], LOADER_OF_SETTINGS) != 0)
		return bundle->loaders.of[kind];
	return settings ? settings->loaders.of[kind] : NULL;
}

/* --- a candidate --------------------------------------------------------------- */

/* A selection while it is being made. */
struct search {
	const struct request_context *context;
	const struct entry *entry;         /* NULL: an unknown machine */
	const struct catalog *catalog;
	struct selection *selection;
	const struct bundle *assigned[ASSIGNED_MAX]; /* by assignments that count */
	size_t assigned_count;
	const struct rule *matched;        /* the first rule that did */
	struct candidate candidate;        /* the one being looked at */
};

/* The caller adds its origin, if the candidate is taken or reported. */
static void begin_candidate(struct search *s, enum source source, uint64_t id,
                            const struct bundle *bundle)
{
	s->candidate.source = source;
	s->candidate.id = id;
	s->candidate.bundle = bundle;
	s->candidate.taken = false;
	s->candidate.origin[0] = '\0';
	s->candidate.reason[0] = '\0';
}

/* Copies @text, cut to fit, and returns the end. This runs for every request, so there is no
 * format to be read. */
static char *append(char *out, const char *limit, const char *text)
{
	while (out < limit - 1 && *text)
		*out++ = *text++;
	*out = '\0';
	return out;
}

/* Says why the candidate is taken. Returns true. */
static bool choose_candidate(struct search *s, const char *reason)
{
	append(s->candidate.reason, s->candidate.reason + sizeof(s->candidate.reason), reason);
	return true;
}

/* Says why the candidate is skipped. Returns false. */
static bool skip(struct search *s, const char *reason)
{
	choose_candidate(s, reason);
	return false;
}

/* The same with the reason in two parts, of which the second is a name or the like. */
static bool skip_for(struct search *s, const char *reason, const char *what)
{
	text_format(s->candidate.reason, sizeof(s->candidate.reason), "%s%s", reason, what);
	return false;
}

/* Skips the candidate for what has become of its job before, and says what helps. */
static bool skip_ended(struct search *s, enum outcome outcome)
{
	if (outcome == OUTCOME_DONE)
		return skip(s, "already done");
	return skip(s, outcome == OUTCOME_FAILED
	               ? "it has failed; \"prebootctl job retry\" has it tried again"
	               : "it was cancelled; \"prebootctl job retry\" has it tried again");
}

/* Says whether nobody wants to know of more candidates. */
static bool is_over(const struct search *s)
{
	return s->selection->bundle && !s->context->report;
}

/* Says whether a candidate before this one is taken. */
static bool comes_late(struct search *s)
{
	return s->selection->bundle && !skip(s, "another job comes first");
}

/* Says whether the candidate has a loader for this firmware; if not, that is its reason. */
static bool has_loader(struct search *s)
{
	const struct request *request = s->context->request;
	const struct settings *settings = &s->catalog->settings;
	struct settings buffer;
	enum loader_kind kind;
	const char *loader;

	if (!request)
		return true;
	kind = loader_kind_of(request);
	loader = bundle_loader(s->candidate.bundle, kind, NULL);
	if (!loader) {
		if (s->entry)
			settings = entry_settings(s->context->index, s->entry, &buffer);
		loader = bundle_loader(s->candidate.bundle, kind, settings);
	}
	if (loader[0])
		return true;
	text_format(s->candidate.reason, sizeof(s->candidate.reason),
	            "it has no loader for %s firmware", loader_machines(kind));
	return false;
}

/* @reportable: if the candidate is not taken, its reason is worth reporting where none is taken */
static void end_candidate(struct search *s, bool taken, bool reportable)
{
	struct candidate *candidate = &s->candidate;
	struct selection *selection = s->selection;
	const char *limit = selection->reason + sizeof(selection->reason);
	char *at;

	candidate->taken = taken;
	if (taken || (reportable && !selection->bundle && !selection->reason[0])) {
		at = append(selection->reason, limit, candidate->bundle->name);
		at = append(at, limit, ": ");
		if (taken) {
			at = append(at, limit, candidate->origin);
			at = append(at, limit, "; ");
		}
		append(at, limit, candidate->reason);
	}
	if (taken) {
		selection->bundle = candidate->bundle;
		selection->source = candidate->source;
		selection->source_id = candidate->id;
	}
	if (s->context->report)
		s->context->report(s->context->data, candidate);
}

/* --- multicast sessions -------------------------------------------------------- */

static bool take_session(struct search *s, const struct membership *member)
{
	const struct session *session = member->session;
	enum outcome outcome = entry_outcome(s->entry, OUTCOME_OF_MULTICAST, session->id);

	if (session->state == SESSION_ENDED)
		return skip(s, "the session has ended");
	if (outcome != OUTCOME_NONE)
		return skip_ended(s, outcome);
	if (session->state == SESSION_STARTED && !member->joined)
		return skip(s, "the session has started without this device");
	if (!has_loader(s))
		return false;
	return choose_candidate(s, session->state == SESSION_STARTED ? "in progress, device joined"
	                                                   : "waiting for members");
}

static void choose_session(struct search *s)
{
	struct membership members[SESSIONS_MAX];
	size_t count = entry_multicasts(s->context->index, s->entry, members, SESSIONS_MAX);

	for (size_t i = 0; i < count && !is_over(s); i++) {
		const struct session *session = members[i].session;
		bool taken;

		begin_candidate(s, SOURCE_MULTICAST, session->id, session->bundle);
		taken = !comes_late(s) && take_session(s, &members[i]);
		if (s->context->report || taken)
			text_format(s->candidate.origin, sizeof(s->candidate.origin),
			            "multicast session %s", session->name);
		end_candidate(s, taken, session->state != SESSION_ENDED);
	}
}

/* --- assignments --------------------------------------------------------------- */

static void write_path(const struct folder *folder, char *out, size_t size)
{
	size_t length = 0;

	if (folder->parent) {
		write_path(folder->parent, out, size);
		length = strlen(out);
	}
	text_format(out + length, size - length, "/%s", folder->name);
}

/* Writes "folder /site/lab". */
static void write_owner(const struct search *s, const struct assignment *assignment, char *out,
                        size_t size)
{
	const struct folder *folder;
	const struct group *group;
	char path[80] = "";

	switch (assignment->level) {
	case LEVEL_DEVICE:
		text_format(out, size, "the device");
		break;
	case LEVEL_GROUP:
		group = catalog_group(s->catalog, assignment->owner);
		text_format(out, size, "group %s", group ? group->name : "");
		break;
	case LEVEL_FOLDER:
		folder = catalog_folder(s->catalog, assignment->owner);
		if (folder)
			write_path(folder, path, sizeof(path));
		text_format(out, size, "folder %s", path);
		break;
	default:
		text_format(out, size, "all devices");
	}
}

/* Writes "assigned to folder /site/lab, once" for the candidate. */
static void write_origin(struct search *s, const struct assignment *assignment)
{
	char *out = s->candidate.origin, owner[100], until[24];
	size_t size = sizeof(s->candidate.origin);
	time_t time = (time_t)assignment->until;
	struct tm local;

	write_owner(s, assignment, owner, sizeof(owner));
	if (assignment->mode != ASSIGN_UNTIL) {
		text_format(out, size, "assigned to %s, %s", owner,
		            assignment->mode == ASSIGN_ONCE ? "once" : "always");
		return;
	}
	if (!localtime_r(&time, &local) ||
	    strftime(until, sizeof(until), "%Y-%m-%d %H:%M", &local) == 0)
		text_format(until, sizeof(until), "%" PRIu64, (uint64_t)assignment->until);
	text_format(out, size, "assigned to %s, until %s", owner, until);
}

static bool is_assigned_nearer(const struct search *s, const struct bundle *bundle)
{
	for (size_t i = 0; i < s->assigned_count; i++)
		if (s->assigned[i] == bundle)
			return true;
	return false;
}

/* *@counts: if the assignment is not taken, whether it is one all the same. */
static bool take_assignment(struct search *s, const struct assignment *assignment, bool *counts)
{
	enum outcome outcome = entry_outcome(s->entry, OUTCOME_OF_ASSIGNMENT, assignment->id);

	*counts = false;
	if (assignment->mode == ASSIGN_UNTIL && assignment->until <= s->context->now)
		return skip(s, "its end date has passed");
	if (!has_loader(s))
		return false;
	*counts = true;
	if (outcome == OUTCOME_FAILED || (outcome != OUTCOME_NONE &&
	                                  assignment->mode == ASSIGN_ONCE))
		return skip_ended(s, outcome);
	if (is_assigned_nearer(s, assignment->bundle))
		return skip(s, "the same bundle is assigned to it nearer");
	return choose_candidate(s, assignment->mode == ASSIGN_ONCE ? "not done yet" :
	               assignment->mode == ASSIGN_ALWAYS ? "at every boot" :
	               "its end date has not passed");
}

static void look_at_assignment(struct search *s, const struct assignment *assignment)
{
	bool counts = false, taken;

	if (is_over(s))
		return;
	begin_candidate(s, SOURCE_ASSIGNMENT, assignment->id, assignment->bundle);
	taken = !comes_late(s) && take_assignment(s, assignment, &counts);
	if (s->context->report || taken)
		write_origin(s, assignment);
	if (counts && s->assigned_count < ASSIGNED_MAX)
		s->assigned[s->assigned_count++] = assignment->bundle;
	end_candidate(s, taken, true);
}

static void look_at_level(struct search *s, enum level level, uint64_t owner)
{
	size_t count;
	const struct assignment *list = catalog_assignments(s->catalog, level, owner, &count);

	for (size_t i = 0; i < count; i++)
		look_at_assignment(s, &list[i]);
}

static void choose_assignment(struct search *s)
{
	const struct index *index = s->context->index;
	const struct folder *folder = entry_folder(index, s->entry);
	uint64_t groups[GROUPS_MAX];
	struct assignment own;
	size_t count;

	for (size_t i = 0; entry_assignment(index, s->entry, i, &own); i++)
		look_at_assignment(s, &own);
	count = entry_groups(s->entry, groups, GROUPS_MAX);
	for (size_t i = 0; i < count; i++)
		look_at_level(s, LEVEL_GROUP, groups[i]);
	for (; folder; folder = folder->parent)
		look_at_level(s, LEVEL_FOLDER, folder->id);
	look_at_level(s, LEVEL_GLOBAL, 0);
}

/* --- rules --------------------------------------------------------------------- */

/* Says whether the rule's bundle has been on the machine, and how that is known. */
static bool repeats(struct search *s, const struct rule *rule)
{
	const struct request *r = s->context->request;
	enum outcome outcome = s->entry ? entry_outcome(s->entry, OUTCOME_OF_BUNDLE,
	                                                rule->bundle->id)
	                          : OUTCOME_NONE;

	/* What fails again and again must end in local boot, whatever the rule says. */
	if (outcome == OUTCOME_FAILED || (outcome != OUTCOME_NONE && !rule->repeat))
		return !skip_ended(s, outcome);
	return !rule->repeat && r->isd_state == ISD_VALID && r->isd_image[0] &&
	       strcasecmp(r->isd_image, rule->bundle->image) == 0 &&
	       !skip_for(s, "its image-safe data report image ", r->isd_image);
}

/* Says whether the rule's filter matches, and its bundle is for the firmware. */
static bool matches(struct search *s, const struct rule *rule, bool *reportable)
{
	const struct subject subject = {
		.request = s->context->request,
		.address = s->context->address,
		.name = s->entry ? entry_name(s->entry) : "",
	};
	char why[REASON_SIZE];

	/* Why it does not match takes long to write, and is for explanations only. */
	if (!filter_match(rule->filter, &subject, s->context->report ? why : NULL))
		return s->context->report && skip_for(s, "no match: ", why);
	*reportable = true;
	if (!has_loader(s))
		return false;
	filter_match(rule->filter, &subject, why);
	return choose_candidate(s, why);
}

/* *@reportable: if the rule is not taken, its reason is worth reporting */
static bool take_rule(struct search *s, const struct rule *rule, bool *reportable)
{
	*reportable = false;
	if (!(rule->applies & (s->entry ? RULE_KNOWN : RULE_UNKNOWN)))
		return skip(s, s->entry ? "it is for unknown machines"
		            : "it is for known machines");
	if (s->assigned_count)
		return skip(s, "it is for machines without an assignment");
	if (s->matched) {
		text_format(s->candidate.reason, sizeof(s->candidate.reason),
		            "rule %s before it matches", s->matched->name);
		return false;
	}
	if (!s->context->request) {
		*reportable = true;
		return skip(s, "nothing is known of the machine's hardware");
	}
	if (!matches(s, rule, reportable))
		return false;
	s->matched = rule;
	return !repeats(s, rule);
}

static void choose_rule(struct search *s)
{
	bool any = s->entry ? s->catalog->rules_for_known : s->catalog->rules_for_unknown;

	if (!any && !s->context->report)
		return;
	for (size_t i = 0; i < s->catalog->rule_count && !is_over(s); i++) {
		const struct rule *rule = &s->catalog->rules[i];
		bool taken, reportable = false;

		if (!rule->enabled && !s->context->report)
			continue;
		begin_candidate(s, SOURCE_RULE, rule->id, rule->bundle);
		taken = rule->enabled ? !comes_late(s) && take_rule(s, rule, &reportable)
		                      : skip(s, "it is disabled");
		if (s->context->report || taken)
			text_format(s->candidate.origin, sizeof(s->candidate.origin), "rule %s",
			            rule->name);
		end_candidate(s, taken, reportable);
	}
}

/* --- the whole ----------------------------------------------------------------- */

void choose(const struct request_context *context, struct selection *selection)
{
	static const char none[] = "nothing is assigned to it", unknown[] = "unknown device";
	static const char rules[] = ", and no rule matches";
	struct search s; /* for every request, so no more of it is written than must be */
	char *at;

	s.context = context;
	s.entry = context->who->known ? context->who->entry : NULL;
	s.catalog = index_catalog(context->index);
	s.selection = selection;
	s.assigned_count = 0;
	s.matched = NULL;
	selection->bundle = NULL;
	selection->source = SOURCE_HAND;
	selection->source_id = 0;
	selection->reason[0] = '\0';
	if (s.entry) {
		choose_session(&s);
		choose_assignment(&s);
	}
	choose_rule(&s);
	if (selection->reason[0])
		return;
	at = stpcpy(selection->reason, s.entry ? none : unknown);
	if (s.catalog->rules_for_known || s.catalog->rules_for_unknown)
		memcpy(at, rules, sizeof(rules));
}
