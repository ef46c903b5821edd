/* SPDX-License-Identifier: BSD-2-Clause */
/* Work that is meant for a device: sessions it is a member of, and assignments. */
#include <time.h>

#include "nbp/proto/text.h"
#include "server/policy/choosing.h"

#define GROUPS_MAX 256  /* of a device; what is beyond does not count */
#define SESSIONS_MAX 64

/* --- multicast sessions --------------------------------------------------------- */

static bool take_session(struct choosing *c, const struct membership *member)
{
	const struct session *session = member->session;
	enum past past = entry_past(c->who->entry, PAST_OF_MULTICAST, session->id);

	if (session->state == SESSION_ENDED)
		return choosing_pass(c, "the session has ended");
	if (past != PAST_NONE)
		return choosing_had(c, past, "it has had its part already");
	if (session->state == SESSION_STARTED && !member->joined)
		return choosing_pass(c, "the session has started without it");
	if (!choosing_loader(c))
		return false;
	choosing_pass(c, session->state == SESSION_STARTED ? "it is under way with this one"
	              : "it waits for its members");
	return true;
}

void choose_sessions(struct choosing *c)
{
	struct membership members[SESSIONS_MAX];
	size_t count = entry_multicasts(c->who->index, c->who->entry, members, SESSIONS_MAX);

	for (size_t i = 0; i < count && !choosing_over(c); i++) {
		const struct session *session = members[i].session;
		bool take;

		choosing_begin(c, SOURCE_MULTICAST, session->id, session->bundle);
		take = !choosing_late(c) && take_session(c, &members[i]);
		if (c->tell || take)
			text_format(c->candidate.origin, sizeof(c->candidate.origin),
			            "multicast session %s", session->name);
		choosing_end(c, take, session->state != SESSION_ENDED);
	}
}

/* --- assignments ----------------------------------------------------------------- */

static void write_path(const struct folder *folder, char *out, size_t size)
{
	size_t length = 0;

	if (folder->parent) {
		write_path(folder->parent, out, size);
		for (; out[length]; length++)
			;
	}
	text_format(out + length, size - length, "/%s", folder->name);
}

/* "folder /site/lab" */
static void write_owner(const struct choosing *c, const struct assignment *assignment, char *out,
                        size_t size)
{
	const struct folder *folder;
	const struct group *group;
	char path[80] = "";

	switch (assignment->level) {
	case LEVEL_DEVICE:
		text_format(out, size, "it");
		break;
	case LEVEL_GROUP:
		group = policy_group(c->policy, assignment->owner);
		text_format(out, size, "group %s", group ? group->name : "");
		break;
	case LEVEL_FOLDER:
		folder = policy_folder(c->policy, assignment->owner);
		if (folder)
			write_path(folder, path, sizeof(path));
		text_format(out, size, "folder %s", path);
		break;
	default:
		text_format(out, size, "all devices");
	}
}

/* "assigned to folder /site/lab, once" */
static void write_origin(const struct choosing *c, const struct assignment *assignment,
                         char *out, size_t size)
{
	time_t time = (time_t)assignment->until;
	char owner[100], until[24];
	struct tm local;

	write_owner(c, assignment, owner, sizeof(owner));
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

static bool had(const struct choosing *c, const struct bundle *bundle)
{
	for (size_t i = 0; i < c->had_count; i++)
		if (c->had[i] == bundle)
			return true;
	return false;
}

/* *@counts: where it is not taken, whether it is an assignment all the same. */
static bool take_assignment(struct choosing *c, const struct assignment *assignment,
                            bool *counts)
{
	enum past past = entry_past(c->who->entry, PAST_OF_ASSIGNMENT,
	                            assignment->id);

	*counts = false;
	if (assignment->mode == ASSIGN_UNTIL && assignment->until <= c->who->now)
		return choosing_pass(c, "its time is over");
	if (!choosing_loader(c))
		return false;
	*counts = true;
	if (past == PAST_FAILED || (past != PAST_NONE && assignment->mode == ASSIGN_ONCE))
		return choosing_had(c, past, "it has had it already");
	if (had(c, assignment->bundle))
		return choosing_pass(c, "the same bundle is assigned to it nearer");
	choosing_pass(c, assignment->mode == ASSIGN_ONCE ? "it has not had it yet" :
	              assignment->mode == ASSIGN_ALWAYS ? "at every boot" :
	              "its time is not over");
	return true;
}

static void look_at(struct choosing *c, const struct assignment *assignment)
{
	bool counts = false, take;

	if (choosing_over(c))
		return;
	choosing_begin(c, SOURCE_ASSIGNMENT, assignment->id, assignment->bundle);
	take = !choosing_late(c) && take_assignment(c, assignment, &counts);
	if (c->tell || take)
		write_origin(c, assignment, c->candidate.origin, sizeof(c->candidate.origin));
	if (counts && c->had_count < HAD_MAX)
		c->had[c->had_count++] = assignment->bundle;
	choosing_end(c, take, true);
}

static void look_at_level(struct choosing *c, enum level level, uint64_t owner)
{
	size_t count;
	const struct assignment *list = policy_assignments(c->policy, level, owner, &count);

	for (size_t i = 0; i < count; i++)
		look_at(c, &list[i]);
}

void choose_assignments(struct choosing *c)
{
	const struct chooser *who = c->who;
	const struct folder *folder = entry_folder(who->index, who->entry);
	uint64_t groups[GROUPS_MAX];
	struct assignment own;
	size_t count;

	for (size_t i = 0; entry_assignment(who->index, who->entry, i, &own); i++)
		look_at(c, &own);
	count = entry_groups(who->entry, groups, GROUPS_MAX);
	for (size_t i = 0; i < count; i++)
		look_at_level(c, LEVEL_GROUP, groups[i]);
	for (; folder; folder = folder->parent)
		look_at_level(c, LEVEL_FOLDER, folder->id);
	look_at_level(c, LEVEL_GLOBAL, 0);
}
