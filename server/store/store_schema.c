/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/store/store_schema.h"

/*
 * Each step makes a version from the one before, the first from nothing. A step
 * that has been released is never changed. Times are Unix times in seconds. Ids
 * are never used again.
 */
static const char version_1[] =
	"CREATE TABLE device ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" name TEXT NOT NULL UNIQUE COLLATE NOCASE,"
	" uuid BLOB UNIQUE CHECK (length(uuid) = 16),"
	" local_boot INTEGER NOT NULL DEFAULT 0,"
	" added INTEGER NOT NULL"
	") STRICT;"

	"CREATE TABLE mac ("
	" mac BLOB PRIMARY KEY CHECK (length(mac) = 6),"
	" device INTEGER NOT NULL REFERENCES device ON DELETE CASCADE"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX mac_device ON mac (device);"

	/* What the device's last request said of it. */
	"CREATE TABLE seen ("
	" device INTEGER PRIMARY KEY REFERENCES device ON DELETE CASCADE,"
	" time INTEGER NOT NULL,"
	" address TEXT NOT NULL,"
	" mac BLOB,"
	" uuid BLOB,"
	" firmware INTEGER NOT NULL,"
	" architecture INTEGER NOT NULL,"
	" version TEXT NOT NULL,"
	" manufacturer TEXT NOT NULL,"
	" product TEXT NOT NULL,"
	" serial TEXT NOT NULL,"
	" cpu TEXT NOT NULL,"
	" cpu_64bit INTEGER NOT NULL,"
	" memory_mib INTEGER NOT NULL"
	") STRICT;"

	"CREATE TABLE work ("
	" lease INTEGER PRIMARY KEY AUTOINCREMENT,"
	" device INTEGER NOT NULL REFERENCES device ON DELETE CASCADE,"
	" state TEXT NOT NULL CHECK (state IN"
	"  ('pending', 'offered', 'begun', 'done', 'failed', 'cancelled')),"
	" attempt INTEGER NOT NULL DEFAULT 0,"
	" attempts INTEGER NOT NULL,"
	" deadline INTEGER NOT NULL,"
	" assigned INTEGER NOT NULL,"
	" offered INTEGER NOT NULL DEFAULT 0,"
	" begun INTEGER NOT NULL DEFAULT 0,"
	" ended INTEGER NOT NULL DEFAULT 0,"
	" loader_bios TEXT NOT NULL,"
	" loader_uefi TEXT NOT NULL,"
	" config TEXT NOT NULL,"
	" prefix TEXT NOT NULL,"
	" details BLOB NOT NULL," /* "key=value" strings, each with its NUL */
	" reason TEXT NOT NULL DEFAULT ''"
	") STRICT;"
	"CREATE INDEX work_device ON work (device, lease);"
	/* One thing at a time. */
	"CREATE UNIQUE INDEX work_open ON work (device)"
	" WHERE state IN ('pending', 'offered', 'begun');"
	"CREATE INDEX work_begun ON work (begun) WHERE state = 'begun';"

	/* Each attempt belongs to one boot, and each boot to one attempt. */
	"CREATE TABLE offer ("
	" lease INTEGER NOT NULL REFERENCES work ON DELETE CASCADE,"
	" attempt INTEGER NOT NULL,"
	" nonce BLOB NOT NULL CHECK (length(nonce) = 16),"
	" time INTEGER NOT NULL,"
	" PRIMARY KEY (lease, attempt),"
	" UNIQUE (lease, nonce)"
	") STRICT, WITHOUT ROWID;"

	"CREATE TABLE event ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" device INTEGER NOT NULL REFERENCES device ON DELETE CASCADE,"
	" time INTEGER NOT NULL,"
	" step TEXT NOT NULL,"
	" lease INTEGER NOT NULL,"        /* 0: none */
	" milliseconds INTEGER NOT NULL," /* since the NBP's start; 0: not the NBP's */
	" reason TEXT NOT NULL"
	") STRICT;"
	"CREATE INDEX event_device ON event (device, id);";

static const char version_2[] =
	/* The device id in its image-safe data; and, if it has no other identity, the
	 * machine that came with that first. */
	"ALTER TABLE device ADD COLUMN isd BLOB CHECK (length(isd) = 16);"
	"ALTER TABLE device ADD COLUMN claim_uuid BLOB CHECK (length(claim_uuid) = 16);"
	"ALTER TABLE device ADD COLUMN claim_mac BLOB CHECK (length(claim_mac) = 6);"
	"CREATE UNIQUE INDEX device_isd ON device (isd);"
	"CREATE UNIQUE INDEX device_claim_uuid ON device (claim_uuid);"
	"CREATE UNIQUE INDEX device_claim_mac ON device (claim_mac);"

	/* What applies to whom; the nearest level that has a key counts. */
	"CREATE TABLE setting ("
	" level TEXT NOT NULL CHECK (level IN ('zone', 'folder', 'device')),"
	" owner INTEGER NOT NULL," /* of the level's table; 0: global */
	" key TEXT NOT NULL,"
	" value TEXT NOT NULL,"
	" PRIMARY KEY (level, owner, key)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TRIGGER device_setting AFTER DELETE ON device BEGIN"
	" DELETE FROM setting WHERE level = 'device' AND owner = OLD.id;"
	" END;"
	"ALTER TABLE device DROP COLUMN local_boot;" /* nothing could ever set it */

	/* The last request as it came, without its padding. */
	"ALTER TABLE seen RENAME TO seen_1;"
	"CREATE TABLE seen ("
	" device INTEGER PRIMARY KEY REFERENCES device ON DELETE CASCADE,"
	" time INTEGER NOT NULL,"
	" address TEXT NOT NULL,"
	" request BLOB NOT NULL"
	") STRICT;"

	/* Which boot of the device it was, and the millisecond of its second. */
	"ALTER TABLE event ADD COLUMN boot BLOB CHECK (length(boot) = 16);"
	"ALTER TABLE event ADD COLUMN time_ms INTEGER NOT NULL DEFAULT 0;";

static const char version_3[] =
	/* NULL: at the top. A path is the names from there on, each after a "/". */
	"CREATE TABLE folder ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" parent INTEGER REFERENCES folder,"
	" name TEXT NOT NULL COLLATE NOCASE"
	") STRICT;"
	"CREATE UNIQUE INDEX folder_name ON folder (ifnull(parent, 0), name);"
	"ALTER TABLE device ADD COLUMN folder INTEGER REFERENCES folder;"
	"CREATE INDEX device_folder ON device (folder);"

	"CREATE TABLE device_group ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" name TEXT NOT NULL UNIQUE COLLATE NOCASE"
	") STRICT;"
	"CREATE TABLE member ("
	" device_group INTEGER NOT NULL REFERENCES device_group ON DELETE CASCADE,"
	" device INTEGER NOT NULL REFERENCES device ON DELETE CASCADE,"
	" PRIMARY KEY (device_group, device)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX member_device ON member (device);"

	/* Named work: what a job is made from. Empty loaders: not for such firmware. */
	"CREATE TABLE bundle ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" name TEXT NOT NULL UNIQUE COLLATE NOCASE,"
	" kind TEXT NOT NULL CHECK (kind IN"
	"  ('imaging', 'third-party', 'kickstart', 'script', 'multicast')),"
	" loader_bios TEXT NOT NULL,"
	" loader_uefi TEXT NOT NULL,"
	" config TEXT NOT NULL,"
	" prefix TEXT NOT NULL,"
	" details BLOB NOT NULL,"
	" attempts INTEGER NOT NULL,"
	" deadline INTEGER NOT NULL,"
	" added INTEGER NOT NULL"
	") STRICT;"

	/* Who is to get what. Owner: of the level's table; 0: global, which is all. */
	"CREATE TABLE assignment ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" bundle INTEGER NOT NULL REFERENCES bundle,"
	" level TEXT NOT NULL CHECK (level IN ('zone', 'folder', 'group', 'device')),"
	" owner INTEGER NOT NULL,"
	" mode TEXT NOT NULL CHECK (mode IN ('once', 'always', 'until')),"
	" until INTEGER NOT NULL DEFAULT 0 CHECK ((mode = 'until') = (until > 0)),"
	" added INTEGER NOT NULL,"
	" UNIQUE (level, owner, bundle)"
	") STRICT;"
	"CREATE TRIGGER device_gone AFTER DELETE ON device BEGIN"
	" DELETE FROM assignment WHERE level = 'device' AND owner = OLD.id;"
	" END;"
	"CREATE TRIGGER group_gone AFTER DELETE ON device_group BEGIN"
	" DELETE FROM assignment WHERE level = 'group' AND owner = OLD.id;"
	" END;"
	"CREATE TRIGGER folder_gone AFTER DELETE ON folder BEGIN"
	" DELETE FROM assignment WHERE level = 'folder' AND owner = OLD.id;"
	" DELETE FROM setting WHERE level = 'folder' AND owner = OLD.id;"
	" END;"

	/* For machines without an assignment, in order of position. */
	"CREATE TABLE rule ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" position INTEGER NOT NULL,"
	" name TEXT NOT NULL UNIQUE COLLATE NOCASE,"
	" bundle INTEGER NOT NULL REFERENCES bundle,"
	" applies TEXT NOT NULL CHECK (applies IN ('known', 'unknown', 'both')),"
	" filter TEXT NOT NULL,"
	" repeat INTEGER NOT NULL DEFAULT 0 CHECK (repeat IN (0, 1)),"
	" enabled INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1))"
	") STRICT;"

	/* Machines that are to work together. clients and wait: when to start; 0: not by that. */
	"CREATE TABLE multicast ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" name TEXT NOT NULL UNIQUE COLLATE NOCASE,"
	" bundle INTEGER NOT NULL REFERENCES bundle,"
	" clients INTEGER NOT NULL,"
	" wait INTEGER NOT NULL,"   /* seconds since the last one joined */
	" state TEXT NOT NULL CHECK (state IN ('waiting', 'started', 'ended')),"
	" last_joined INTEGER NOT NULL DEFAULT 0,"
	" started INTEGER NOT NULL DEFAULT 0,"
	" ended INTEGER NOT NULL DEFAULT 0,"
	" added INTEGER NOT NULL,"
	" CHECK (clients > 0 OR wait > 0)"
	") STRICT;"
	"CREATE TABLE multicast_member ("
	" multicast INTEGER NOT NULL REFERENCES multicast ON DELETE CASCADE,"
	" device INTEGER NOT NULL REFERENCES device ON DELETE CASCADE,"
	" joined INTEGER NOT NULL DEFAULT 0,"
	" PRIMARY KEY (multicast, device)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX multicast_member_device ON multicast_member (device);"

	/* Where work came from, and what of. */
	"ALTER TABLE work ADD COLUMN bundle INTEGER REFERENCES bundle ON DELETE SET NULL;"
	"ALTER TABLE work ADD COLUMN source TEXT NOT NULL DEFAULT 'hand'"
	" CHECK (source IN ('hand', 'assignment', 'rule', 'multicast'));"
	"ALTER TABLE work ADD COLUMN source_id INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX work_bundle ON work (bundle) WHERE bundle IS NOT NULL;"
	/* All that is read of each job of each device when prebootd starts. */
	"DROP INDEX work_device;"
	"CREATE INDEX work_device ON work (device, lease, state, source, source_id, bundle);"

	/* Machines that asked and are no devices; the oldest make room. */
	"CREATE TABLE stranger ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" mac BLOB NOT NULL CHECK (length(mac) = 6),"
	" uuid BLOB NOT NULL CHECK (length(uuid) = 16)," /* zeros: not reported */
	" first INTEGER NOT NULL,"
	" last INTEGER NOT NULL,"
	" boots INTEGER NOT NULL,"
	" address TEXT NOT NULL,"
	" request BLOB NOT NULL,"
	" outcome TEXT NOT NULL,"
	" UNIQUE (mac, uuid)"
	") STRICT;"
	"CREATE INDEX stranger_last ON stranger (last);"

	/* What prebootd counts. */
	"CREATE TABLE counter ("
	" name TEXT PRIMARY KEY,"
	" value INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"

	/* What prebootd must read again: a device, or all the rest. It empties the table. */
	"CREATE TABLE change ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" device INTEGER NOT NULL" /* 0: all that is not of one device */
	") STRICT;";

static const char version_4[] =
	/* What prebootd signs with: kept, so that tokens issued before a restart stay valid after
	 * it. */
	"CREATE TABLE secret ("
	" name TEXT PRIMARY KEY,"
	" value BLOB NOT NULL CHECK (length(value) = 32)"
	") STRICT, WITHOUT ROWID;"
	"INSERT INTO secret VALUES ('tokens', randomblob(32));"

	/* Who is who: UUIDs that are not simply one machine's, what each came with, and network
	 * cards that came with a device's UUID and were found to be of that machine. */
	"CREATE TABLE uuid ("
	" uuid BLOB PRIMARY KEY CHECK (length(uuid) = 16),"
	" state TEXT NOT NULL CHECK (state IN ('shared', 'ignored', 'allowed')),"
	" time INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE witness ("
	" uuid BLOB NOT NULL REFERENCES uuid ON DELETE CASCADE,"
	" mac BLOB NOT NULL CHECK (length(mac) = 6)," /* zeros: not reported */
	" model TEXT NOT NULL,"
	" serial TEXT NOT NULL," /* of the system and of the board; empty: none */
	" board TEXT NOT NULL,"
	" first INTEGER NOT NULL,"
	" last INTEGER NOT NULL,"
	" PRIMARY KEY (uuid, mac, serial, board)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX witness_last ON witness (last);"
	"CREATE TABLE card ("
	" device INTEGER NOT NULL REFERENCES device ON DELETE CASCADE,"
	" mac BLOB NOT NULL CHECK (length(mac) = 6)," /* zeros: none that identifies a machine */
	" model TEXT NOT NULL,"
	" serial TEXT NOT NULL,"
	" board TEXT NOT NULL,"
	" time INTEGER NOT NULL,"
	" PRIMARY KEY (device, mac)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX stranger_uuid ON stranger (uuid);"
	"CREATE TRIGGER uuid_INSERT AFTER INSERT ON uuid BEGIN"
	" INSERT INTO change (device) VALUES (0);"
	" END;"
	"CREATE TRIGGER uuid_UPDATE AFTER UPDATE ON uuid BEGIN"
	" INSERT INTO change (device) VALUES (0);"
	" END;"
	"CREATE TRIGGER uuid_DELETE AFTER DELETE ON uuid BEGIN"
	" INSERT INTO change (device) VALUES (0);"
	" END;"
	"CREATE TRIGGER card_INSERT AFTER INSERT ON card BEGIN"
	" INSERT INTO change (device) VALUES (NEW.device);"
	" END;"
	"CREATE TRIGGER card_UPDATE AFTER UPDATE ON card BEGIN"
	" INSERT INTO change (device) SELECT OLD.device UNION SELECT NEW.device;"
	" END;"
	"CREATE TRIGGER card_DELETE AFTER DELETE ON card BEGIN"
	" INSERT INTO change (device) VALUES (OLD.device);"
	" END;"

	/* What ends work; and whether the server gave it up, not having heard of its end. */
#define COMPLETES \
	" ADD COLUMN completes TEXT NOT NULL DEFAULT 'agent'" \
	" CHECK (completes IN ('agent', 'handover', 'next-boot'));"
	"ALTER TABLE bundle" COMPLETES
	"ALTER TABLE work" COMPLETES
	"ALTER TABLE work ADD COLUMN given_up INTEGER NOT NULL DEFAULT 0"
	" CHECK (given_up IN (0, 1));"

	/* Machines that have become devices by themselves, and since when. */
	"CREATE TABLE admission ("
	" device INTEGER PRIMARY KEY REFERENCES device ON DELETE CASCADE,"
	" time INTEGER NOT NULL"
	") STRICT;"

	/* How the newest work stands of each device (kind 0, id 0), and of what it had from each
	 * assignment (1), of each bundle (2) and multicast session (3): what decisions need of it,
	 * however much there was. Triggers keep it, see store_past.c. */
	"CREATE TABLE past ("
	" device INTEGER NOT NULL REFERENCES device ON DELETE CASCADE,"
	" kind INTEGER NOT NULL,"
	" id INTEGER NOT NULL,"
	" lease INTEGER NOT NULL,"
	" state TEXT NOT NULL,"
	" PRIMARY KEY (device, kind, id)"
	") STRICT, WITHOUT ROWID;"

	/* What is old, whatever the clock was when it was written. */
	"CREATE INDEX event_time ON event (time);";

/* Tables and columns are called what people call them: job, unknown_machine, global. */
static const char version_5[] =
	/* SQLite reads all triggers when it renames, so those that name what changes go first. */
	"DROP TRIGGER work_INSERT; DROP TRIGGER work_UPDATE; DROP TRIGGER work_DELETE;"
	"DROP TRIGGER past_insert; DROP TRIGGER past_state; DROP TRIGGER past_move;"
	"DROP TRIGGER past_delete;"
	"DROP TRIGGER device_setting; DROP TRIGGER device_gone; DROP TRIGGER group_gone;"
	"DROP TRIGGER folder_gone;"
	"DROP INDEX work_device; DROP INDEX work_open; DROP INDEX work_begun; DROP INDEX"
	" work_bundle;DROP INDEX stranger_last; DROP INDEX stranger_uuid;"

	"ALTER TABLE work RENAME TO job;"
	"ALTER TABLE job RENAME COLUMN lease TO id;"
	"ALTER TABLE offer RENAME COLUMN lease TO job;"
	"ALTER TABLE event RENAME COLUMN lease TO job;"
	"ALTER TABLE past RENAME COLUMN lease TO job;"
	"CREATE INDEX job_device ON job (device, id, state, source, source_id, bundle);"
	"CREATE UNIQUE INDEX job_open ON job (device)"
	" WHERE state IN ('pending', 'offered', 'begun');"
	"CREATE INDEX job_begun ON job (begun) WHERE state = 'begun';"
	"CREATE INDEX job_bundle ON job (bundle) WHERE bundle IS NOT NULL;"

	"ALTER TABLE stranger RENAME TO unknown_machine;"
	"CREATE INDEX unknown_machine_last ON unknown_machine (last);"
	"CREATE INDEX unknown_machine_uuid ON unknown_machine (uuid);"

	/* A CHECK can only be changed by making the table anew. */
	"CREATE TABLE setting_5 ("
	" level TEXT NOT NULL CHECK (level IN ('global', 'folder', 'device')),"
	" owner INTEGER NOT NULL," /* of the level's table; 0: global */
	" key TEXT NOT NULL,"
	" value TEXT NOT NULL,"
	" PRIMARY KEY (level, owner, key)"
	") STRICT, WITHOUT ROWID;"
	"INSERT INTO setting_5 SELECT iif(level = 'zone', 'global', level), owner,"
	" CASE key WHEN 'work-by-mac' THEN 'job-by-mac' WHEN 'keep-work' THEN 'keep-jobs' ELSE key"
	" END, value FROM setting;"
	"DROP TABLE setting;"
	"ALTER TABLE setting_5 RENAME TO setting;"

	"CREATE TABLE assignment_5 ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" bundle INTEGER NOT NULL REFERENCES bundle,"
	" level TEXT NOT NULL CHECK (level IN ('global', 'folder', 'group', 'device')),"
	" owner INTEGER NOT NULL,"
	" mode TEXT NOT NULL CHECK (mode IN ('once', 'always', 'until')),"
	" until INTEGER NOT NULL DEFAULT 0 CHECK ((mode = 'until') = (until > 0)),"
	" added INTEGER NOT NULL,"
	" UNIQUE (level, owner, bundle)"
	") STRICT;"
	"INSERT INTO assignment_5 SELECT id, bundle, iif(level = 'zone', 'global', level), owner,"
	" mode, until, added FROM assignment;"
	/* The ids of those that were removed are not used again either. */
	"DELETE FROM sqlite_sequence WHERE name = 'assignment_5';"
	"INSERT INTO sqlite_sequence (name, seq) SELECT 'assignment_5', seq FROM sqlite_sequence"
	" WHERE name = 'assignment';"
	"DROP TABLE assignment;"
	"ALTER TABLE assignment_5 RENAME TO assignment;"

	"CREATE TRIGGER device_gone AFTER DELETE ON device BEGIN"
	" DELETE FROM assignment WHERE level = 'device' AND owner = OLD.id;"
	" DELETE FROM setting WHERE level = 'device' AND owner = OLD.id;"
	" END;"
	"CREATE TRIGGER group_gone AFTER DELETE ON device_group BEGIN"
	" DELETE FROM assignment WHERE level = 'group' AND owner = OLD.id;"
	" END;"
	"CREATE TRIGGER folder_gone AFTER DELETE ON folder BEGIN"
	" DELETE FROM assignment WHERE level = 'folder' AND owner = OLD.id;"
	" DELETE FROM setting WHERE level = 'folder' AND owner = OLD.id;"
	" END;"

	/* Who changed what, from what to what; see audit.c, whose triggers write it. */
	"CREATE TABLE audit ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" time INTEGER NOT NULL,"
	" user TEXT NOT NULL,"
	" uid INTEGER NOT NULL,"
	" verb TEXT NOT NULL,"
	" noun TEXT NOT NULL,"
	" name TEXT NOT NULL,"
	" field TEXT NOT NULL," /* empty: all of it */
	" was TEXT,"            /* NULL: it was not there */
	" becomes TEXT"         /* NULL: it is removed */
	") STRICT;"
	"CREATE INDEX audit_time ON audit (time);";

static const char version_6[] =
	/* UEFI on other processors than x64. A bundle that is for UEFI leaves it to the settings. */
	"ALTER TABLE bundle ADD COLUMN loader_uefi_ia32 TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE bundle ADD COLUMN loader_uefi_arm64 TEXT NOT NULL DEFAULT '';"
	"UPDATE bundle SET (loader_uefi_ia32, loader_uefi_arm64) = ('*', '*') WHERE loader_uefi <> '';"
	"ALTER TABLE job ADD COLUMN loader_uefi_ia32 TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE job ADD COLUMN loader_uefi_arm64 TEXT NOT NULL DEFAULT '';";

const struct store_step store_steps[STORE_VERSION] = {
	{ version_1, NULL },
	{ version_2, store_seen_to_requests },
	{ version_3, store_follow_changes },
	{ version_4, store_keep_pasts },
	{ version_5, store_follow_jobs },
	{ version_6, NULL },
};
