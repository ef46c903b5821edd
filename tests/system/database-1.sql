-- SPDX-License-Identifier: BSD-2-Clause
-- A database of version 1, as its own prebootd and prebootctl left it.
PRAGMA application_id = 1330659924;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE device (
 id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE COLLATE NOCASE, uuid BLOB UNIQUE CHECK (length(uuid) = 16), local_boot INTEGER NOT NULL DEFAULT 0, added INTEGER NOT NULL) STRICT;
INSERT INTO device VALUES(1,'web01',X'4c4c454400344d108052b4c04f4a3232',0,1795303826);
INSERT INTO device VALUES(2,'db01',NULL,0,1795303826);
CREATE TABLE mac (
 mac BLOB PRIMARY KEY CHECK (length(mac) = 6), device INTEGER NOT NULL REFERENCES device ON DELETE CASCADE) STRICT, WITHOUT ROWID;
INSERT INTO mac VALUES(X'525400123456',1);
INSERT INTO mac VALUES(X'525400000002',2);
INSERT INTO mac VALUES(X'525400000003',2);
CREATE TABLE seen (
 device INTEGER PRIMARY KEY REFERENCES device ON DELETE CASCADE, time INTEGER NOT NULL, address TEXT NOT NULL, mac BLOB, uuid BLOB, firmware INTEGER NOT NULL, architecture INTEGER NOT NULL, version TEXT NOT NULL, manufacturer TEXT NOT NULL, product TEXT NOT NULL, serial TEXT NOT NULL, cpu TEXT NOT NULL, cpu_64bit INTEGER NOT NULL, memory_mib INTEGER NOT NULL) STRICT;
INSERT INTO seen VALUES(1,1795303827,'127.0.0.1',X'525400123456',X'4c4c454400344d108052b4c04f4a3232',1,0,'nvlnbp.sys 0.1.0','QEMU','Standard PC','A1','TCG CPU',1,512);
INSERT INTO seen VALUES(2,1795303827,'127.0.0.1',X'525400000002',NULL,2,0,'','','','','',0,0);
CREATE TABLE work (
 lease INTEGER PRIMARY KEY AUTOINCREMENT, device INTEGER NOT NULL REFERENCES device ON DELETE CASCADE, state TEXT NOT NULL CHECK (state IN  ('pending', 'offered', 'begun', 'done', 'failed', 'cancelled')), attempt INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL, deadline INTEGER NOT NULL, assigned INTEGER NOT NULL, offered INTEGER NOT NULL DEFAULT 0, begun INTEGER NOT NULL DEFAULT 0, ended INTEGER NOT NULL DEFAULT 0, loader_bios TEXT NOT NULL, loader_uefi TEXT NOT NULL, config TEXT NOT NULL, prefix TEXT NOT NULL, details BLOB NOT NULL, reason TEXT NOT NULL DEFAULT '') STRICT;
INSERT INTO work VALUES(1,1,'done',1,3,14400,1795303826,1795303827,1795303827,1795303827,'pxelinux.0','syslinux.efi','z_auto.cfg','',X'696d6167653d7765622e696d6700','');
INSERT INTO work VALUES(2,2,'pending',0,3,14400,1795303828,0,0,0,'pxelinux.0','syslinux.efi','z_auto.cfg','',X'','');
CREATE TABLE offer (
 lease INTEGER NOT NULL REFERENCES work ON DELETE CASCADE, attempt INTEGER NOT NULL, nonce BLOB NOT NULL CHECK (length(nonce) = 16), time INTEGER NOT NULL, PRIMARY KEY (lease, attempt), UNIQUE (lease, nonce)) STRICT, WITHOUT ROWID;
INSERT INTO offer VALUES(1,1,X'a0a1a2a3a4a5a6a7a8a9aaabacadaeaf',1795303827);
CREATE TABLE event (
 id INTEGER PRIMARY KEY AUTOINCREMENT, device INTEGER NOT NULL REFERENCES device ON DELETE CASCADE, time INTEGER NOT NULL, step TEXT NOT NULL, lease INTEGER NOT NULL, milliseconds INTEGER NOT NULL, reason TEXT NOT NULL) STRICT;
INSERT INTO event VALUES(1,1,1795303826,'assigned',1,0,'z_auto.cfg');
INSERT INTO event VALUES(2,1,1795303827,'offered',1,0,'attempt 1 of 3');
INSERT INTO event VALUES(3,1,1795303827,'handover',1,61,'pxelinux.0');
INSERT INTO event VALUES(4,1,1795303827,'begun',1,0,'');
INSERT INTO event VALUES(5,1,1795303827,'done',1,0,'');
INSERT INTO event VALUES(6,2,1795303828,'assigned',2,0,'z_auto.cfg');
INSERT INTO sqlite_sequence VALUES('device',2);
INSERT INTO sqlite_sequence VALUES('work',2);
INSERT INTO sqlite_sequence VALUES('event',6);
CREATE INDEX mac_device ON mac (device);
CREATE INDEX work_device ON work (device, lease);
CREATE UNIQUE INDEX work_open ON work (device) WHERE state IN ('pending', 'offered', 'begun');
CREATE INDEX work_begun ON work (begun) WHERE state = 'begun';
CREATE INDEX event_device ON event (device, id);
COMMIT;
