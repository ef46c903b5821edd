/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "server/transfer/data.h"
#include "server/transfer/row_check.h"

static const char *const kinds[] = { "imaging", "third-party", "kickstart", "script", "multicast",
	                             NULL };
static const char *const completions[] = { "agent", "handover", "next-boot", NULL };
static const char *const uuid_states[] = { "shared", "ignored", "allowed", NULL };
static const char *const modes[] = { "once", "always", "until", NULL };
static const char *const applies[] = { "known", "unknown", "both", NULL };
static const char *const session_states[] = { "waiting", "started", "ended", NULL };
static const char *const job_states[] = { "pending", "offered", "begun", "done", "failed",
	                                    "cancelled", NULL };

/* --- settings -------------------------------------------------------------- */

#define SETTING_FIELDS { { "key", DATA_KEY }, { "value", DATA_VALUE } }

static const struct data_table global_settings = {
	.key = "settings", .shape = DATA_MAP, .level = LEVEL_GLOBAL, .fields = SETTING_FIELDS,
	.one = "global setting", .many = "global settings",
	.select = "SELECT 0, key, value FROM setting WHERE level = 'global' AND owner = 0"
		" ORDER BY key",
	.insert = "INSERT INTO setting (level, owner, key, value) VALUES ('global', 0, ?2, ?3)",
};
static const struct data_table folder_settings = {
	.key = "settings", .shape = DATA_MAP, .level = LEVEL_FOLDER, .fields = SETTING_FIELDS,
	.select = "SELECT 0, key, value FROM setting WHERE level = 'folder' AND owner = ?1"
		" ORDER BY key",
	.insert = "INSERT INTO setting (level, owner, key, value) VALUES ('folder', ?1, ?2, ?3)",
};
static const struct data_table its_settings = {
	.key = "settings", .shape = DATA_MAP, .level = LEVEL_DEVICE, .fields = SETTING_FIELDS,
	.select = "SELECT 0, key, value FROM setting WHERE level = 'device' AND owner = ?1"
		" ORDER BY key",
	.insert = "INSERT INTO setting (level, owner, key, value) VALUES ('device', ?1, ?2, ?3)",
};

/* --- folders, groups, devices ---------------------------------------------- */

static const struct data_table folders = {
	.key = "folders",
	.one = "folder", .many = "folders",
	.select = "SELECT folder.id, path FROM folder LEFT JOIN temp.folder_path USING (id)"
		" ORDER BY path",
	.insert = "INSERT INTO folder (parent, name) VALUES (?2, ?3)",
	.fields = { { "path", DATA_PATH } },
	.lists = { &folder_settings },
};

static const struct data_table groups = {
	.key = "groups",
	.one = "group", .many = "groups",
	.select = "SELECT id, name FROM device_group ORDER BY name",
	.insert = "INSERT INTO device_group (name) VALUES (?2)",
	.fields = { { "name", DATA_LABEL } },
};

static const struct data_table its_macs = {
	.key = "macs", .shape = DATA_VALUES,
	.select = "SELECT 0, mac FROM mac WHERE device = ?1 ORDER BY mac",
	.insert = "INSERT INTO mac (device, mac) VALUES (?1, ?2)",
	.fields = { { "mac", DATA_MAC } },
};
static const struct data_table its_groups = {
	.key = "groups", .shape = DATA_VALUES,
	.select = "SELECT 0, name FROM member JOIN device_group ON id = device_group"
		" WHERE device = ?1 ORDER BY name",
	.insert = "INSERT INTO member (device, device_group) VALUES (?1, ?2)",
	.fields = { { "device_group", DATA_GROUP } },
};

static const struct data_table its_cards = {
	.key = "cards",
	.select = "SELECT 0, nullif(mac, zeroblob(6)), model, serial, board, time FROM card"
		" WHERE device = ?1 ORDER BY mac",
	.insert = "INSERT INTO card (device, mac, model, serial, board, time)"
		" VALUES (?1, ifnull(?2, zeroblob(6)), ?3, ?4, ?5, ?6)",
	.fields = {
		{ "mac", DATA_TOLD, true }, { "model", DATA_TEXT, true },
		{ "serial", DATA_TEXT, true }, { "board", DATA_TEXT, true },
		{ "time", DATA_TIME, true, true },
	},
};

static const struct data_table devices = {
	.key = "devices",
	.one = "device", .many = "devices",
	.select = "SELECT device.id, name, path, uuid, isd, claim_uuid, claim_mac, added"
		" FROM device LEFT JOIN temp.folder_path ON folder_path.id = device.folder"
		" ORDER BY name",
	/* A device that was there by this name keeps its number, and so its story. */
	.insert = "INSERT INTO device (id, name, folder, uuid, isd, claim_uuid, claim_mac, added)"
		" VALUES ((SELECT id FROM temp.old_device WHERE name = ?2),"
		" ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	.fields = {
		{ "name", DATA_NAME }, { "folder", DATA_FOLDER, true }, { "uuid", DATA_GUID, true },
		{ "isd", DATA_GUID, true }, { "claim_uuid", DATA_GUID, true },
		{ "claim_mac", DATA_TOLD, true }, { "added", DATA_TIME, true, true },
	},
	.lists = { &its_macs, &its_groups, &its_settings, &its_cards },
	.whole = data_whole_device,
};

/* What was found out, or said, of UUIDs: a device may have one that is shared. Before the devices,
 * which are held against it. */
static const struct data_table uuids = {
	.key = "uuids",
	.one = "UUID", .many = "UUIDs",
	.select = "SELECT 0, uuid, state, time FROM uuid ORDER BY uuid",
	/* The database may have begun to doubt the same by itself. */
	.insert = "INSERT INTO uuid (uuid, state, time) VALUES (?2, ?3, ?4)"
		" ON CONFLICT (uuid) DO UPDATE SET (state, time) = (?3, ?4)",
	.fields = {
		{ "uuid", DATA_UUID }, { "state", DATA_WORD, .words = uuid_states },
		{ "since", DATA_TIME, true, true },
	},
	.whole = data_whole_uuid,
};

/* What they came with, as "uuid show" tells. */
static const struct data_table witnesses = {
	.key = "witnesses",
	.one = "witness", .many = "witnesses",
	.select = "SELECT 0, uuid, nullif(mac, zeroblob(6)), model, serial, board, first, last"
		" FROM witness ORDER BY uuid, first, last, mac, serial, board",
	/* Of one that nothing is known of there is none: NULL is refused. */
	.insert = "INSERT INTO witness (uuid, mac, model, serial, board, first, last) VALUES"
		" ((SELECT uuid FROM uuid WHERE uuid = ?2), ifnull(?3, zeroblob(6)),"
		" ?4, ?5, ?6, ?7, ?8)",
	.fields = {
		{ "uuid", DATA_UUID }, { "mac", DATA_TOLD, true }, { "model", DATA_TEXT, true },
		{ "serial", DATA_TEXT, true }, { "board", DATA_TEXT, true },
		{ "first", DATA_TIME, true, true }, { "last", DATA_TIME, true, true },
	},
};

/* --- bundles and who gets them --------------------------------------------- */

static const struct data_table bundles = {
	.key = "bundles",
	.one = "bundle", .many = "bundles",
	.select = "SELECT id, name, kind, loader_bios, loader_uefi, config, prefix, details,"
		" attempts, deadline, added, completes FROM bundle ORDER BY name",
	.insert = "INSERT INTO bundle (name, kind, loader_bios, loader_uefi, config, prefix,"
		" details, attempts, deadline, added, completes) VALUES (?2, ?3, ?4, ?5, ?6, ?7,"
		" ?8, ?9, ?10, ?11, ifnull(nullif(?12, ''), 'agent'))",
	.fields = {
		{ "name", DATA_LABEL }, { "kind", DATA_WORD, .words = kinds },
		{ "loader_bios", DATA_LOADER, true }, { "loader_uefi", DATA_LOADER, true },
		{ "config", DATA_FILE, true }, { "prefix", DATA_FILE, true },
		{ "details", DATA_DETAILS, true },
		{ "attempts", DATA_NUMBER, true, false, 0, JOB_ATTEMPTS_MAX },
		{ "deadline", DATA_NUMBER, true, false, 0, JOB_DEADLINE_MAX },
		{ "added", DATA_TIME, true, true },
		{ "completes", DATA_WORD, true, .words = completions },
	},
	.whole = data_whole_bundle,
};

static const struct data_table assignments = {
	.key = "assignments",
	.one = "assignment", .many = "assignments",
	.select = "SELECT a.id, bundle.name, " DATA_OWNER_SQL ", a.mode, a.until, a.added"
		" FROM assignment a LEFT JOIN bundle ON bundle.id = a.bundle ORDER BY a.id",
	.insert = "INSERT INTO assignment (bundle, level, owner, mode, until, added)"
		" VALUES (?2, ?3, ?4, ?5, ?6, ?7)",
	.fields = {
		{ "bundle", DATA_BUNDLE }, { "to", DATA_OWNER },
		{ "mode", DATA_WORD, .words = modes }, { "until", DATA_TIME, true },
		{ "added", DATA_TIME, true, true },
	},
	.whole = data_whole_assignment,
};

static const struct data_table rules = {
	.key = "rules",
	.one = "rule", .many = "rules",
	.select = "SELECT rule.id, rule.name, bundle.name, applies, filter, repeat, enabled"
		" FROM rule LEFT JOIN bundle ON bundle.id = rule.bundle ORDER BY position, rule.id",
	.insert = "INSERT INTO rule (position, name, bundle, applies, filter, repeat, enabled)"
		" VALUES ((SELECT ifnull(max(position), 0) + 1 FROM rule), ?2, ?3, ?4, ?5, ?6, ?7)",
	.fields = {
		{ "name", DATA_LABEL }, { "bundle", DATA_BUNDLE },
		{ "applies", DATA_WORD, .words = applies }, { "filter", DATA_FILTER, true },
		{ "repeat", DATA_BOOL }, { "enabled", DATA_BOOL },
	},
};

static const struct data_table session_members = {
	.key = "members",
	.select = "SELECT 0, name, joined FROM multicast_member"
		" LEFT JOIN device ON device.id = device WHERE multicast = ?1 ORDER BY name",
	.insert = "INSERT INTO multicast_member (multicast, device, joined) VALUES (?1, ?2, ?3)",
	.fields = { { "device", DATA_DEVICE }, { "joined", DATA_TIME, true } },
};

static const struct data_table sessions = {
	.key = "multicast",
	.one = "multicast session", .many = "multicast sessions",
	.select = "SELECT multicast.id, multicast.name, bundle.name, clients, wait, state,"
		" last_joined, started, ended, multicast.added FROM multicast"
		" LEFT JOIN bundle ON bundle.id = multicast.bundle ORDER BY multicast.id",
	.insert = "INSERT INTO multicast (name, bundle, clients, wait, state, last_joined, started,"
		" ended, added) VALUES (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
	.fields = {
		{ "name", DATA_LABEL }, { "bundle", DATA_BUNDLE },
		{ "clients", DATA_NUMBER, true, false, 0, 1000000 },
		{ "wait", DATA_NUMBER, true, false, 0, JOB_DEADLINE_MAX },
		{ "state", DATA_WORD, .words = session_states },
		{ "last_joined", DATA_TIME, true }, { "started", DATA_TIME, true },
		{ "ended", DATA_TIME, true }, { "added", DATA_TIME, true, true },
	},
	.lists = { &session_members },
	.whole = data_whole_session,
};

/* --- jobs ------------------------------------------------------------------ */

static const struct data_table its_offers = {
	.key = "offers",
	.select = "SELECT 0, attempt, nonce, time FROM offer WHERE job = ?1 ORDER BY attempt",
	.insert = "INSERT INTO offer (job, attempt, nonce, time) VALUES (?1, ?2, ?3, ?4)",
	.fields = {
		{ "attempt", DATA_NUMBER, false, false, 1, JOB_ATTEMPTS_MAX }, { "nonce", DATA_NONCE },
		{ "time", DATA_TIME, true },
	},
};

static const struct data_table jobs = {
	.key = "jobs", .old_key = "work",
	.one = "job", .many = "jobs",
	.select = "SELECT w.id, w.id, device.name, w.state, w.attempt, w.attempts,"
		" w.deadline, w.assigned, w.offered, w.begun, w.ended, w.loader_bios,"
		" w.loader_uefi, w.config, w.prefix, w.details, w.reason, bundle.name,"
		" CASE w.source WHEN 'rule' THEN"
		"  'rule' || ifnull(' ' || (SELECT name FROM rule WHERE id = w.source_id), '')"
		" WHEN 'multicast' THEN 'multicast' ||"
		"  ifnull(' ' || (SELECT name FROM multicast WHERE id = w.source_id), '')"
		" WHEN 'assignment' THEN 'assignment' || ifnull((SELECT ' ' || b.name || ' to ' || "
		DATA_OWNER_SQL " FROM assignment a JOIN bundle b ON b.id = a.bundle"
		"  WHERE a.id = w.source_id), '')"
		" ELSE w.source END, w.completes, w.given_up"
		" FROM job w LEFT JOIN device ON device.id = w.device"
		" LEFT JOIN bundle ON bundle.id = w.bundle ORDER BY w.id",
	.insert = "INSERT INTO job (id, device, state, attempt, attempts, deadline, assigned,"
		" offered, begun, ended, loader_bios, loader_uefi, config, prefix, details, reason,"
		" bundle, source, source_id, completes, given_up) VALUES (?2, ?3, ?4, ?5, ?6, ?7,"
		" ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20,"
		" ifnull(nullif(?21, ''), 'agent'), ifnull(?22, 0))",
	.fields = {
		{ "job", DATA_NUMBER, false, false, 1, JOB_NUMBER_MAX, .old_key = "lease" },
		{ "device", DATA_DEVICE },
		{ "state", DATA_WORD, .words = job_states },
		{ "attempt", DATA_NUMBER, true, false, 0, JOB_ATTEMPTS_MAX },
		{ "attempts", DATA_NUMBER, false, false, 1, JOB_ATTEMPTS_MAX },
		{ "deadline", DATA_NUMBER, false, false, 1, JOB_DEADLINE_MAX },
		{ "assigned", DATA_TIME, true }, { "offered", DATA_TIME, true },
		{ "begun", DATA_TIME, true }, { "ended", DATA_TIME, true },
		{ "loader_bios", DATA_FILE, true }, { "loader_uefi", DATA_FILE, true },
		{ "config", DATA_FILE, true }, { "prefix", DATA_FILE, true },
		{ "details", DATA_DETAILS, true }, { "reason", DATA_TEXT, true },
		{ "bundle", DATA_BUNDLE, true }, { "source", DATA_SOURCE },
		{ "completes", DATA_WORD, true, .words = completions },
		{ "given_up", DATA_BOOL, true },
	},
	.lists = { &its_offers },
	.whole = data_whole_job,
};

const struct data_table *const data_tables[] = {
	&global_settings, &folders, &groups, &uuids, &witnesses, &devices, &bundles, &assignments,
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
