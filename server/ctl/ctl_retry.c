/* SPDX-License-Identifier: BSD-2-Clause */
/* Work once more, by the administrator's hand: a job ends, its copy is another one. */
#include <string.h>
#include <time.h>

#include "nbp/proto/error.h"
#include "nbp/proto/text.h"
#include "server/ctl/ctl_verbs.h"
#include "server/store/jobs.h"

struct retry {
	struct device device;
	struct job old, new;
	uint64_t session; /* that it is of and that waits for its members; 0: none */
};

/* Stores a copy of the old job, with all of its attempts. */
static int copy(struct ctl *ctl, struct retry *r)
{
	struct details details;
	struct origin origin;
	char reason[64];

	if (job_details(&ctl->store, r->old.number, &details) ||
	    job_origin(&ctl->store, r->old.number, &origin))
		return ctl_store_error(ctl);
	r->new = r->old;
	r->new.assigned = time(NULL);
	r->new.offered = r->new.begun = r->new.ended = 0;
	r->new.given_up = false;
	r->new.reason[0] = '\0';
	text_format(reason, sizeof(reason), "again, after work %" PRIu64, r->old.number);
	if (job_add_of(&ctl->store, &r->new, &details, &origin) ||
	    (r->session && multicast_joined(&ctl->store, r->session, r->device.id,
	                                    r->new.assigned)) ||
	    ctl_tell(ctl, &r->new, "assigned", reason))
		return ctl_store_error(ctl);
	return 0;
}

/* Refuses a member's work of a session that is over. In one that waits it joins anew. */
static int check_session(struct ctl *ctl, struct retry *r)
{
	struct multicast_row row;
	struct origin origin;
	sqlite3_stmt *rows;
	bool over = true;
	int rc = job_origin(&ctl->store, r->old.number, &origin);

	r->session = 0;
	if (rc == 0 && origin.source != SOURCE_MULTICAST)
		return 0;
	if (rc == 0)
		rc = multicast_list(&ctl->store, &rows);
	while (rc == 0 && (rc = store_step(&ctl->store, rows)) == 1) {
		multicast_row(rows, &row);
		rc = 0;
		if (row.multicast.id != origin.source_id)
			continue;
		over = row.multicast.state == SESSION_ENDED;
		if (row.multicast.state == SESSION_WAITING)
			r->session = origin.source_id;
	}
	if (rc)
		return ctl_store_error(ctl);
	return over ? ctl_error(EXIT_FAULT, "work %llu of %s was for a multicast session that "
	                        "is over; add another session",
	                        (unsigned long long)r->old.number, r->device.name)
	            : 0;
}

static int retrying(struct ctl *ctl, void *data)
{
	struct retry *r = data;
	struct job newest;
	int status = ctl_find_job(ctl, ctl->words[0], &r->device, &r->old);

	if (status)
		return status;
	if (job_is_open(r->old.state))
		return ctl_error(EXIT_FAULT, "work %llu of %s is %s; to have it offered anew with "
		                 "all attempts: \"prebootctl work release %s\"",
		                 (unsigned long long)r->old.number, r->device.name,
		                 job_state_name(r->old.state), r->device.name);
	if (r->old.state == JOB_DONE && !ctl_given(ctl, OPT_FORCE))
		return ctl_error(EXIT_FAULT, "work %llu of %s is done; to have it done again, use "
		                 "--force", (unsigned long long)r->old.number, r->device.name);
	if (job_newest(&ctl->store, r->device.id, &newest))
		return ctl_store_error(ctl);
	if (job_is_open(newest.state))
		return ctl_error(EXIT_FAULT, "%s has work %llu, which is %s; cancel it first with "
		                 "\"prebootctl work cancel %s\"", r->device.name,
		                 (unsigned long long)newest.number, job_state_name(newest.state),
		                 r->device.name);
	status = check_session(ctl, r);
	return status ? status : copy(ctl, r);
}

static int releasing(struct ctl *ctl, void *data)
{
	struct retry *r = data;
	int status = ctl_find_job(ctl, ctl->words[0], &r->device, &r->old);

	if (status)
		return status;
	if (!job_is_open(r->old.state))
		return ctl_error(EXIT_FAULT, "work %llu of %s is %s; to have it again: "
		                 "\"prebootctl work retry %llu\"",
		                 (unsigned long long)r->old.number, r->device.name,
		                 job_state_name(r->old.state),
		                 (unsigned long long)r->old.number);
	if (r->old.state == JOB_PENDING)
		return ctl_error(EXIT_FAULT, "work %llu of %s is pending: it waits for the next "
		                 "boot already", (unsigned long long)r->old.number, r->device.name);
	status = check_session(ctl, r);
	if (status == 0)
		status = ctl_cancel(ctl, &r->old, "released by the administrator");
	return status ? status : copy(ctl, r);
}

static int again(struct ctl *ctl, int (*how)(struct ctl *ctl, void *data))
{
	struct retry r;
	char text[200];
	int status = ctl_transaction(ctl, how, &r);

	if (status)
		return status;
	text_format(text, sizeof(text), "work %" PRIu64, r.new.number);
	ctl_warn_job(ctl, text, &r.new);
	text_format(text, sizeof(text), "work %" PRIu64 " of %s waits for its next boot, as work %" PRIu64,
	            r.old.number, r.device.name, r.new.number);
	return ctl_answer_job(ctl, &r.device, &r.new, text);
}

int ctl_job_retry(struct ctl *ctl)
{
	return again(ctl, retrying);
}

int ctl_job_release(struct ctl *ctl)
{
	return again(ctl, releasing);
}
