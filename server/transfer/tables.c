/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "server/model/assignment.h"
#include "server/model/bundle.h"
#include "server/model/job.h"
#include "server/model/rule.h"
#include "server/model/session.h"
#include "server/model/uuid.h"
#include "server/transfer/data.h"
#include "server/transfer/row_check.h"

/* --- settings -------------------------------------------------------------- */

#define SETTING_FIELDS { { "key", DATA_KEY }, { "value", DATA_VALUE } }

static const struct data_table global_settings = {
	.key = "settings", .shape = DATA_MAP, .level = LEVEL_GLOBAL, .fields = SETTING_FIELDS,
	.one = "global setting", .many = "global settings",
	.table = TABLE_GLOBAL_SETTING,
};
static const struct data_table folder_settings = {
	.key = "settings", .shape = DATA_MAP, .level = LEVEL_FOLDER, .fields = SETTING_FIELDS,
	.table = TABLE_FOLDER_SETTING,
};
static const struct data_table its_settings = {
	.key = "settings", .shape = DATA_MAP, .level = LEVEL_DEVICE, .fields = SETTING_FIELDS,
	.table = TABLE_DEVICE_SETTING,
};

/* --- folders, groups, devices ---------------------------------------------- */

static const struct data_table folders = {
	.key = "folders",
	.one = "folder", .many = "folders",
	.table = TABLE_FOLDER,
	.fields = { { "path", DATA_PATH } },
	.lists = { &folder_settings },
};

static const struct data_table groups = {
	.key = "groups",
	.one = "group", .many = "groups",
	.table = TABLE_GROUP,
	.fields = { { "name", DATA_LABEL } },
};

static const struct data_table its_macs = {
	.key = "macs", .shape = DATA_VALUES,
	.table = TABLE_MAC,
	.fields = { { "mac", DATA_MAC } },
};
static const struct data_table its_groups = {
	.key = "groups", .shape = DATA_VALUES,
	.table = TABLE_MEMBER,
	.fields = { { "device_group", DATA_GROUP } },
};

static const struct data_table its_cards = {
	.key = "cards",
	.table = TABLE_CARD,
	.fields = {
		{ "mac", DATA_SEEN_MAC, true }, { "model", DATA_TEXT, true },
		{ "serial", DATA_TEXT, true }, { "board", DATA_TEXT, true },
		{ "time", DATA_TIME, true, true },
	},
};

static const struct data_table devices = {
	.key = "devices",
	.one = "device", .many = "devices",
	.table = TABLE_DEVICE,
	.fields = {
		{ "name", DATA_NAME }, { "folder", DATA_FOLDER, true }, { "uuid", DATA_GUID, true },
		{ "isd", DATA_GUID, true },
		{ "bound_uuid", DATA_GUID, true, .old_key = "claim_uuid" },
		{ "bound_mac", DATA_SEEN_MAC, true, .old_key = "claim_mac" },
		{ "added", DATA_TIME, true, true },
	},
	.lists = { &its_macs, &its_groups, &its_settings, &its_cards },
	.whole = data_whole_device,
};

/* What was found out, or said, of UUIDs: a device may have one that is shared. Before the devices,
 * which are held against it. */
static const struct data_table uuids = {
	.key = "uuids",
	.one = "UUID", .many = "UUIDs",
	.table = TABLE_UUID,
	.fields = {
		{ "uuid", DATA_UUID },
		{ "state", DATA_WORD, .words = uuid_state_names + UUID_SHARED },
		{ "since", DATA_TIME, true, true },
	},
	.whole = data_whole_uuid,
};

/* What they came with, as "uuid show" prints. */
static const struct data_table sightings = {
	.key = "sightings", .old_key = "witnesses",
	.one = "sighting", .many = "sightings",
	.table = TABLE_WITNESS,
	.fields = {
		{ "uuid", DATA_UUID }, { "mac", DATA_SEEN_MAC, true }, { "model", DATA_TEXT, true },
		{ "serial", DATA_TEXT, true }, { "board", DATA_TEXT, true },
		{ "first", DATA_TIME, true, true }, { "last", DATA_TIME, true, true },
	},
};

/* --- bundles and who gets them --------------------------------------------- */

static const struct data_table bundles = {
	.key = "bundles",
	.one = "bundle", .many = "bundles",
	.table = TABLE_BUNDLE,
	.fields = {
		{ "name", DATA_LABEL }, { "kind", DATA_WORD, .words = bundle_kind_names },
		{ "loader_bios", DATA_LOADER, true }, { "loader_uefi", DATA_LOADER, true },
		{ "loader_uefi_ia32", DATA_LOADER, true, .newer = true },
		{ "loader_uefi_arm64", DATA_LOADER, true, .newer = true },
		{ "config", DATA_FILE, true }, { "prefix", DATA_FILE, true },
		{ "details", DATA_DETAILS, true },
		{ "attempts", DATA_NUMBER, true, false, 0, JOB_ATTEMPTS_MAX },
		{ "deadline", DATA_NUMBER, true, false, 0, JOB_DEADLINE_MAX },
		{ "added", DATA_TIME, true, true },
		{ "completes", DATA_WORD, true, .words = completion_names },
	},
	.whole = data_whole_bundle,
};

static const struct data_table assignments = {
	.key = "assignments",
	.one = "assignment", .many = "assignments",
	.table = TABLE_ASSIGNMENT,
	.fields = {
		{ "bundle", DATA_BUNDLE }, { "to", DATA_OWNER },
		{ "mode", DATA_WORD, .words = assignment_mode_names }, { "until", DATA_TIME, true },
		{ "added", DATA_TIME, true, true },
	},
	.whole = data_whole_assignment,
};

static const struct data_table rules = {
	.key = "rules",
	.one = "rule", .many = "rules",
	.table = TABLE_RULE,
	.fields = {
		{ "name", DATA_LABEL }, { "bundle", DATA_BUNDLE },
		{ "applies", DATA_WORD, .words = rule_applies_names + RULE_KNOWN },
		{ "filter", DATA_FILTER, true },
		{ "repeat", DATA_BOOL }, { "enabled", DATA_BOOL },
	},
};

static const struct data_table session_members = {
	.key = "members",
	.table = TABLE_SESSION_MEMBER,
	.fields = { { "device", DATA_DEVICE }, { "joined", DATA_TIME, true } },
};

static const struct data_table sessions = {
	.key = "multicast",
	.one = "multicast session", .many = "multicast sessions",
	.table = TABLE_SESSION,
	.fields = {
		{ "name", DATA_LABEL }, { "bundle", DATA_BUNDLE },
		{ "clients", DATA_NUMBER, true, false, 0, 1000000 },
		{ "wait", DATA_NUMBER, true, false, 0, JOB_DEADLINE_MAX },
		{ "state", DATA_WORD, .words = session_state_names },
		{ "last_joined", DATA_TIME, true }, { "started", DATA_TIME, true },
		{ "ended", DATA_TIME, true }, { "added", DATA_TIME, true, true },
	},
	.lists = { &session_members },
	.whole = data_whole_session,
};

/* --- jobs ------------------------------------------------------------------ */

static const struct data_table its_offers = {
	.key = "offers",
	.table = TABLE_OFFER,
	.fields = {
		{ "attempt", DATA_NUMBER, false, false, 1, JOB_ATTEMPTS_MAX },
		{ "nonce", DATA_NONCE },
		{ "time", DATA_TIME, true },
	},
};

static const struct data_table jobs = {
	.key = "jobs", .old_key = "work",
	.one = "job", .many = "jobs",
	.table = TABLE_JOB,
	.fields = {
		{ "job", DATA_NUMBER, false, false, 1, JOB_NUMBER_MAX, .old_key = "lease" },
		{ "device", DATA_DEVICE },
		{ "state", DATA_WORD, .words = job_state_names },
		{ "attempt", DATA_NUMBER, true, false, 0, JOB_ATTEMPTS_MAX },
		{ "attempts", DATA_NUMBER, false, false, 1, JOB_ATTEMPTS_MAX },
		{ "deadline", DATA_NUMBER, false, false, 1, JOB_DEADLINE_MAX },
		{ "assigned", DATA_TIME, true }, { "offered", DATA_TIME, true },
		{ "begun", DATA_TIME, true }, { "ended", DATA_TIME, true },
		{ "loader_bios", DATA_FILE, true }, { "loader_uefi", DATA_FILE, true },
		{ "loader_uefi_ia32", DATA_FILE, true, .newer = true },
		{ "loader_uefi_arm64", DATA_FILE, true, .newer = true },
		{ "config", DATA_FILE, true }, { "prefix", DATA_FILE, true },
		{ "details", DATA_DETAILS, true }, { "reason", DATA_TEXT, true },
		{ "bundle", DATA_BUNDLE, true }, { "source", DATA_SOURCE },
		{ "completes", DATA_WORD, true, .words = completion_names },
		{ "given_up", DATA_BOOL, true },
	},
	.lists = { &its_offers },
	.whole = data_whole_job,
};

const struct data_table *const data_tables[] = {
	&global_settings, &folders, &groups, &uuids, &sightings, &devices, &bundles, &assignments,
	&rules, &sessions, &jobs, NULL,
};

void data_counts_text(const struct data_counts *counts, char out[DATA_COUNTS_SIZE])
{
	size_t used = 0;

	for (size_t i = 0; data_tables[i]; i++)
		used += (size_t)snprintf(out + used, DATA_COUNTS_SIZE - used, "%s%llu %s",
		                         i ? ", " : "", (unsigned long long)counts->rows[i],
		                         counts->rows[i] == 1 ? data_tables[i]->one
		                                              : data_tables[i]->many);
}
