/* SPDX-License-Identifier: BSD-2-Clause */
/* Why a machine gets the work it does, or none: by what prebootd decides with. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bundles.h"
#include "choose.h"
#include "ctl_machine.h"
#include "ctl_verbs.h"
#include "decide.h"
#include "error.h"
#include "events.h"
#include "filter_facts.h"
#include "identify.h"
#include "platform.h"
#include "strangers.h"
#include "text.h"
#include "work.h"

struct explanation {
	struct ctl *ctl;
	struct seen_machine machine;
	const struct request *request; /* NULL: it never asked */
	const char *address;
	struct index *index;
	struct device device;          /* who prebootd takes it for; id 0: an unknown machine */
	bool admissible;               /* which may become a device by itself */
	struct admission admission;    /* then: known by what */
	struct stranger stranger;      /* as which it asked */
	bool by_mac;                   /* known by its MAC alone, though it has a UUID */
	char note[2 * REASON_SIZE];    /* what is odd about who it is */
	char admitted[NAME_SIZE];      /* the device that an unknown machine becomes, or "" */
	struct settings settings;
	struct lease lease;            /* number 0: it has no open work */
	struct origin origin;          /* of the open work */
	struct table table;            /* of candidates */
	json_t *candidates;
	struct choice choice;          /* what there would be without open work */
	struct lease next;             /* what it gets: the open work, or what is made of choice */
	bool work;                     /* it gets that, and does not boot its disk */
	char loader[FILE_SIZE];        /* for its firmware, if that is known */
	char outcome[REASON_SIZE + 32];
	char last_boot[2 * REASON_SIZE + 32]; /* how it ended, or "" where that is plain */
};

/* --- finding out ----------------------------------------------------------- */

static void see_candidate(void *data, const struct candidate *candidate)
{
	struct explanation *e = data;
	/* Open work comes before all of them, and may be of one of them. */
	bool open = e->lease.number, its = open && candidate->id == e->origin.source_id &&
	            strcmp(source_name(candidate->source), e->origin.source) == 0;
	bool taken = open ? its : candidate->taken, next = candidate->taken && !taken;

	if (!e->ctl->json)
		table_add(&e->table, taken ? "*" : next ? "+" : "-", candidate->bundle->name,
		          candidate->origin, candidate->reason);
	json_array_append_new(e->candidates, json_pack(
		"{s:s, s:I, s:s, s:s, s:b, s:b, s:s}", "source", source_name(candidate->source), "id",
		(json_int_t)candidate->id, "bundle", candidate->bundle->name, "origin",
		candidate->origin, "taken", (int)taken, "next", (int)next, "reason",
		candidate->reason));
}

static int read_candidates(struct explanation *e)
{
	struct index *index = e->index;
	const struct entry *entry = e->device.id ? index_by_id(index, e->device.id) : NULL;
	struct chooser who = { .index = index, .entry = entry, .request = e->request,
	                       .address = e->address, .now = time(NULL) };
	struct device admitted = { .id = INDEX_DEVICE_MAX, .added = time(NULL) };
	struct settings room;

	for (const char *line = index_warnings(index); *line; line = strchr(line, '\n') + 1)
		ctl_error(0, "%.*s", (int)strcspn(line, "\n"), line);
	e->settings = entry ? *entry_settings(index, entry, &room) : index_policy(index)->settings;
	if (!e->ctl->json)
		table_add(&e->table, "", "BUNDLE", "FROM", "WHY, OR WHY NOT");
	/* As prebootd: not one that looks like, or was, somebody else. */
	if (!entry && !e->admissible) {
		text_format(e->choice.reason, sizeof(e->choice.reason), "unknown device%s%s",
		            e->note[0] ? ": " : "", e->note);
		return 0;
	}
	/* One that is to be admitted, but has no work as an unknown machine, may have some as a
	 * device. */
	choose(&who, &e->choice, NULL, NULL);
	if (!entry && (e->choice.bundle || e->settings.admit_unknown)) {
		if (stranger_free_name(&e->ctl->store, &e->admission, e->admitted))
			return ctl_store_error(e->ctl);
		if (!e->choice.bundle) {
			text_format(admitted.name, sizeof(admitted.name), "%s", e->admitted);
			if (index_put_new(index, &admitted))
				return ctl_error(EXIT_FAULT, "not enough memory");
			who.entry = index_by_id(index, admitted.id);
		}
	}
	choose(&who, &e->choice, see_candidate, e);
	if (e->lease.number)
		e->next = e->lease;
	else if (e->choice.bundle)
		bundle_lease(e->choice.bundle, &e->settings, &e->next);
	return 0;
}

/* Has the daemon's own code say what it would answer. */
static void decide(struct explanation *e)
{
	struct asking asking = { .now = time(NULL) };
	struct verdict verdict;
	const struct device *device = &e->device;

	if (!e->lease.number && !e->choice.bundle) {
		text_format(e->outcome, sizeof(e->outcome), "boots its disk; %s", e->choice.reason);
		return;
	}
	/* One that never asked has the firmware that the work is for. */
	asking.firmware = e->request ? e->request->firmware :
	                  e->next.loader_bios[0] ? FIRMWARE_BIOS : FIRMWARE_UEFI;
	asking.unproven = e->by_mac && !e->settings.work_by_mac;
	decide_request(device, &e->next, &asking, &verdict);
	e->work = verdict.reply.u.answer.decision == DECISION_WORK;
	if (e->request)
		text_format(e->loader, sizeof(e->loader), "%s", verdict.reply.u.answer.loader);
	if (e->work && e->lease.number)
		text_format(e->outcome, sizeof(e->outcome), "work %U, attempt %u of %u, %s",
		            e->next.number, (uint32_t)verdict.reply.u.answer.attempt, verdict.next.attempts,
		            verdict.reason);
	else if (e->work)
		text_format(e->outcome, sizeof(e->outcome), "new work; %s", e->choice.reason);
	else
		text_format(e->outcome, sizeof(e->outcome), "boots its disk; %s", verdict.reason);
}

/* Could it become a device by itself? */
static int find_admission(struct explanation *e, const struct identified *who)
{
	const struct request *r = e->request;

	if (who->pretends)
		return 0;
	memset(&e->stranger, 0, sizeof(e->stranger));
	memcpy(e->stranger.mac, r->identity.mac, sizeof(e->stranger.mac));
	memcpy(e->stranger.uuid, r->identity.uuid, sizeof(e->stranger.uuid));
	e->stranger.request.u.request = *r;
	if (stranger_weigh(&e->ctl->store, &e->stranger, &e->admission))
		return ctl_store_error(e->ctl);
	e->admissible = e->admission.by_uuid || e->admission.mac_count;
	return 0;
}

/* Finds who prebootd takes the last request's machine for. */
static int find_who(struct explanation *e)
{
	const struct request *r = e->request;
	struct sender sender = { &r->identity, r->isd_device, r, WEIGHED_NOT };
	struct identified who;
	int rc = identify(&e->ctl->store, e->index, &sender, &who);

	if (rc == ERR_SPACE)
		return ctl_error(EXIT_FAULT, "not enough memory");
	if (rc)
		return ctl_store_error(e->ctl);
	e->device = who.device;
	e->by_mac = who.by_mac;
	text_format(e->note, sizeof(e->note), "%s", who.note);
	if (who.known && who.device.id != e->machine.device.id)
		text_format(e->note, sizeof(e->note), "the machine that asked last would be taken "
		            "for %s now%s%s", who.device.name, who.note[0] ? "; " : "", who.note);
	else if (e->machine.device.id && !who.known && !who.note[0])
		text_format(e->note, sizeof(e->note), "the machine that asked last would not be "
		            "known now");
	return who.known ? 0 : find_admission(e, &who);
}

/* One that never asked will come with what it was registered with. */
static int load(struct explanation *e)
{
	int rc;

	if (e->request)
		return find_who(e);
	e->device = e->machine.device;
	rc = index_load_device(e->index, &e->ctl->store, e->device.id);
	if (rc == ERR_SPACE)
		return ctl_error(EXIT_FAULT, "not enough memory");
	return rc ? ctl_store_error(e->ctl) : 0;
}

/* How the last boot ended, as the NBP told: what a person did is no fault of the policy. */
static int find_last_boot(struct explanation *e)
{
	struct store *store = &e->ctl->store;
	char local[REASON_SIZE] = "", error[REASON_SIZE] = "";
	uint64_t device = e->machine.device.id;
	uint8_t boot[NONCE_SIZE];
	struct happening event;
	sqlite3_stmt *rows;
	uint32_t count;
	int rc = device ? event_find_boot(store, device, 0, boot, &count) : ERR_NOT_FOUND;

	if (rc)
		return rc == ERR_NOT_FOUND ? 0 : ctl_store_error(e->ctl);
	rc = event_list_boot(store, device, boot, &rows);
	while (rc == 0 && (rc = store_step(store, rows)) == 1) {
		event_row(rows, &event);
		if (strcmp(event.step, "local-boot") == 0)
			text_format(local, sizeof(local), "%s", event.reason);
		else if (strcmp(event.step, "error") == 0)
			text_format(error, sizeof(error), "%s", event.reason);
		rc = 0;
	}
	if (rc)
		return ctl_store_error(e->ctl);
	if (local[0] && (error[0] || strcmp(local, "no work")))
		text_format(e->last_boot, sizeof(e->last_boot), "local boot: %s%s%s", local,
		            error[0] ? "; " : "", error);
	else if (error[0])
		text_format(e->last_boot, sizeof(e->last_boot), "error: %s", error);
	return 0;
}

static int find_out(struct explanation *e)
{
	struct ctl *ctl = e->ctl;
	struct fact_address parsed;
	int status = ctl_find_machine(ctl, ctl->words[0], &e->machine), rc;

	if (status)
		return status;
	e->request = machine_request(&e->machine);
	e->address = ctl_given(ctl, OPT_ADDRESS) ? ctl->option[OPT_ADDRESS]
	                                         : e->machine.seen.address;
	if (ctl_given(ctl, OPT_ADDRESS) && fact_address(e->address, false, &parsed))
		return ctl_error(EXIT_USAGE, "--address %s: expected an IP address, as in "
		                 "10.0.2.15", e->address);
	e->index = index_new();
	if (!e->index)
		return ctl_error(EXIT_FAULT, "not enough memory");
	status = load(e);
	if (status)
		return status;
	rc = e->device.id ? work_newest(&ctl->store, e->device.id, &e->lease) : ERR_NOT_FOUND;
	if (rc && rc != ERR_NOT_FOUND)
		return ctl_store_error(ctl);
	if (rc || !lease_open(e->lease.state))
		memset(&e->lease, 0, sizeof(e->lease));
	else if (work_origin(&ctl->store, e->lease.number, &e->origin))
		return ctl_store_error(ctl);
	status = find_last_boot(e);
	if (status == 0)
		status = read_candidates(e);
	if (status == 0)
		decide(e);
	return status;
}

/* --- telling it ------------------------------------------------------------ */

static void print(struct explanation *e)
{
	const struct lease *next = &e->next;
	char seen[256];

	machine_show(&e->machine, seen, sizeof(seen));
	printf("%s%s\n", e->machine.label, e->device.id || e->machine.device.id
	       ? "" : ", an unknown machine");
	printf("  %-12s%s\n", "last seen", seen);
	if (e->last_boot[0])
		printf("  %-12s%s\n", "last boot", e->last_boot);
	if (ctl_given(e->ctl, OPT_ADDRESS))
		printf("  %-12s%s\n", "asking from", e->address);
	if (e->note[0])
		printf("  %-12s%s\n", "note", e->note);
	if (e->lease.number)
		printf("  %-12s%llu, %s, attempt %u of %u; it comes before all below\n", "open work",
		       (unsigned long long)e->lease.number, lease_state_name(e->lease.state),
		       e->lease.attempt, e->lease.attempts);
	else
		printf("  %-12snone\n", "open work");
	puts("");
	if (e->table.rows > 1)
		table_print(&e->table);
	else
		puts("no session, no assignment and no rule");
	printf("\nnow: %s\n", e->outcome);
	if (e->admitted[0])
		printf("     it becomes device %s\n", e->admitted);
	if (e->loader[0])
		printf("     %s%s%s\n", e->loader, next->config[0] ? " with " : "",
		       next->config);
	else if (e->work)
		printf("     %s for BIOS, %s for UEFI%s%s\n",
		       next->loader_bios[0] ? next->loader_bios : "nothing",
		       next->loader_uefi[0] ? next->loader_uefi : "nothing",
		       next->config[0] ? ", with " : "", next->config);
}

static json_t *text_or_null(const char *text)
{
	return text && text[0] ? json_string(text) : json_null();
}

static void print_json(struct explanation *e)
{
	const struct choice *choice = &e->choice;
	json_t *outcome = json_pack(
		"{s:s, s:o, s:o, s:o, s:o, s:o, s:s}", "answer", e->work ? "work" : "local",
		"admitted_as", text_or_null(e->admitted), "lease",
		e->lease.number ? json_integer((json_int_t)e->lease.number) : json_null(), "bundle",
		text_or_null(e->work && choice->bundle && !e->lease.number ? choice->bundle->name : NULL),
		"loader", text_or_null(e->loader), "config",
		text_or_null(e->work ? e->next.config : NULL), "reason", e->outcome);

	ctl_print_json(json_pack("{s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:O, s:o}", "machine",
	                         e->machine.label, "known", e->device.id != 0, "seen",
	                         ctl_json_time(e->machine.seen.time), "last_boot",
	                         text_or_null(e->last_boot), "address",
	                         text_or_null(e->address), "note", text_or_null(e->note),
	                         "open_work", e->lease.number
	                         ? json_integer((json_int_t)e->lease.number) : json_null(),
	                         "candidates", e->candidates, "outcome", outcome));
}

int ctl_explain(struct ctl *ctl)
{
	struct explanation e = { .ctl = ctl, .table = { .columns = 4 },
	                         .candidates = json_array() };
	int status = find_out(&e);

	if (status == 0 && ctl->json)
		print_json(&e);
	else if (status == 0)
		print(&e);
	json_decref(e.candidates);
	if (e.index)
		index_free(e.index);
	return status;
}
