/* SPDX-License-Identifier: BSD-2-Clause */
#include "nbp/proto/error.h"
#include "server/ctl/ctl_multicast.h"
#include "server/ctl/ctl_verbs.h"

int session_find_waiting(struct ctl *ctl, const char *name, struct multicast_row *row)
{
	int status = ctl_find_session(ctl, name, row);

	if (status == 0 && row->multicast.state != SESSION_WAITING)
		status = ctl_error(EXIT_FAULT, "session %s has %s already; add another one",
		                   row->multicast.name,
		                   session_state_name(row->multicast.state));
	return status;
}

static int join_one(struct ctl *ctl, const struct device *device, void *data)
{
	struct session_change *s = data;
	int rc = multicast_join(&ctl->store, s->row.multicast.id, device->id);

	if (rc == ERR_REFUSED)
		return 0; /* it is one already */
	if (rc)
		return ctl_store_error(ctl);
	s->changed++;
	s->row.members++;
	return ctl_happened(ctl, device->id, "member", "of multicast session %s",
	                    s->row.multicast.name);
}

int session_cancel(struct ctl *ctl, const struct session_change *s, uint64_t device, const char *reason)
{
	struct job job;
	int rc = multicast_job(&ctl->store, s->row.multicast.id, device, &job);

	if (rc == ERR_NOT_FOUND)
		return 0;
	return rc ? ctl_store_error(ctl) : ctl_cancel(ctl, &job, reason);
}

static int leave_one(struct ctl *ctl, const struct device *device, void *data)
{
	struct session_change *s = data;
	const char *name = s->row.multicast.name;
	int status, rc = multicast_leave(&ctl->store, s->row.multicast.id, device->id);

	if (rc == ERR_NOT_FOUND)
		return ctl_error(EXIT_FAULT, "%s is not in session %s", device->name, name);
	if (rc)
		return ctl_store_error(ctl);
	s->changed++;
	status = session_cancel(ctl, s, device->id, "it left the multicast session");
	return status ? status : ctl_happened(ctl, device->id, "left", "multicast session %s",
	                                      name);
}

int session_join_words(struct ctl *ctl, struct session_change *s)
{
	return ctl_each_device(ctl, 1, ctl->word_count, join_one, s);
}

static int joining(struct ctl *ctl, void *data)
{
	struct session_change *s = data;
	int status = session_find_waiting(ctl, ctl->words[0], &s->row);

	return status ? status : session_join_words(ctl, s);
}

static int leaving(struct ctl *ctl, void *data)
{
	struct session_change *s = data;
	int status = ctl_find_session(ctl, ctl->words[0], &s->row);

	return status ? status : ctl_each_device(ctl, 1, ctl->word_count, leave_one, s);
}

static int change_members(struct ctl *ctl, int (*how)(struct ctl *ctl, void *data),
                          const char *done)
{
	struct session_change s = { 0 };
	int status = ctl_transaction(ctl, how, &s);

	return status ? status : ctl_say(ctl, json_pack("{s:s, s:i}", "session",
	                                                s.row.multicast.name, "changed",
	                                                (int)s.changed),
	                                 "%u %s session %s", s.changed, done,
	                                 s.row.multicast.name);
}

int ctl_multicast_join(struct ctl *ctl)
{
	return change_members(ctl, joining, "became members of");
}

int ctl_multicast_leave(struct ctl *ctl)
{
	return change_members(ctl, leaving, "left");
}
