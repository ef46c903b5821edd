# SPDX-License-Identifier: BSD-2-Clause
"""prebootctl check finds what should not be in a database."""

import json
import sqlite3

import pytest

from dataset import Dataset, create, run

# What makes a database wrong, and what is said of it.
NO_LOADER = ("UPDATE bundle SET (loader_bios, loader_uefi, loader_uefi_ia32, loader_uefi_arm64)"
             " = ('', '', '', '')")
WRONGS = [
    ("DROP INDEX job_open", "index job_open is missing"),
    ("DROP TRIGGER device_update", "trigger device_UPDATE is missing"),
    ("DELETE FROM device WHERE id = 1", "1 rows of mac are of a device that is gone"),
    ("DELETE FROM device WHERE id = 2", "1 rows of event are of a device that is gone"),
    ("DROP TRIGGER device_gone; DELETE FROM device WHERE id = 2",
     "setting menu-mode is of device 2, which is gone"),
    ("DROP TRIGGER folder_gone; DELETE FROM folder WHERE id = 3",
     "assignment 1 is of folder 3, which is gone"),
    ("UPDATE folder SET parent = 2 WHERE id = 1", "folder site is within itself"),
    ("UPDATE folder SET name = 'a b' WHERE id = 1", "folder /a b: path: expected the path"),
    ("UPDATE setting SET value = 'x' WHERE level = 'global'",
     "global settings: menu-mode: expected never, always or hotkey"),
    ("UPDATE setting SET key = 'x' WHERE level = 'device'",
     "device db01: x: no such setting"),
    ("INSERT INTO setting VALUES ('device', 2, 'admit-unknown', 'yes')",
     "device db01: admit-unknown: this setting cannot be set here"),
    ("UPDATE device SET uuid = zeroblob(16) WHERE id = 2", "device db01: uuid: a placeholder"),
    ("DELETE FROM mac", "device web01: it could not be known again"),
    ("UPDATE device SET isd = NULL, uuid = randomblob(16) WHERE id = 2;"
     "INSERT INTO uuid SELECT uuid, 'ignored', 5 FROM device WHERE id = 2",
     "device db01 has nothing but a UUID that is ignored"),
    ("INSERT INTO witness VALUES (randomblob(16), x'020000000001', '', '', '', 5, 5)",
     "1 rows of witness are of a uuid that is gone"),
    ("UPDATE device SET claim_mac = x'020000000001' WHERE id = 1",
     "device web01 is claimed, though"),
    ("UPDATE device SET name = '12' WHERE id = 1", "device 12: name: expected a device's name"),
    ("UPDATE device SET added = -5 WHERE id = 1", "device 1: added is damaged"),
    ("UPDATE bundle SET config = '../x'", "bundle win: config: expected 1 to 127"),
    (NO_LOADER,
     "rule big has bundle win, which has no loader"),
    (NO_LOADER, "bundle win: it has no loader"),
    ("UPDATE bundle SET details = x'6100'", "bundle 1: details is damaged"),
    ("UPDATE bundle SET details = x'613d62'", "bundle 1: details is damaged"),
    ("UPDATE rule SET filter = 'memory >='", "rule big: filter: column 10 of the filter"),
    ("INSERT INTO rule (position, name, bundle, applies, filter) VALUES (1, 'b', 1, 'both', '')",
     "have the same place, 1"),
    ("UPDATE job SET config = 'a b'", "job 1: config: expected 1 to 127"),
    ("UPDATE job SET ended = 5", 'job 1: expected "ended"'),
    ("UPDATE job SET state = 'offered', attempt = 1", "job 1: no boot has its attempt"),
    ("UPDATE job SET state = 'begun', attempt = 1, begun = 9999999999",
     "job 1 is begun in the future"),
    ("DROP INDEX job_open; INSERT INTO job (device, state, attempts, deadline, assigned,"
     " loader_bios, loader_uefi, config, prefix, details) SELECT device, state, attempts,"
     " deadline, assigned, loader_bios, loader_uefi, config, prefix, details FROM job",
     "device web01 has 2 open jobs"),
    ("UPDATE rule SET id = 268435456", "rule big has the number 268435456, which prebootd cannot"),
    ("UPDATE sqlite_sequence SET seq = 0 WHERE name = 'job'",
     "job numbers up to 1 would be used again"),
]


# What is kept of past jobs, and is wrong: another number, another state, nothing, too much.
PASTS = ["UPDATE past SET job = 9 WHERE kind = 0", "UPDATE past SET state = 'done' WHERE kind = 2",
         "DELETE FROM past WHERE kind = 1", "INSERT INTO past VALUES (1, 3, 5, 1, 'pending')",
         "INSERT INTO past VALUES (1, 7, 5, 1, 'pending')", "DELETE FROM past"]
BY_ASSIGNMENT = "UPDATE job SET source = 'assignment', source_id = 1, bundle = 1;"
WRONGS += [(BY_ASSIGNMENT + sql, "what is kept of the jobs of device web01 is not what it has had")
           for sql in PASTS]
WRONGS += [("INSERT INTO past VALUES (2, 0, 0, 1, 'done')",
            "what is kept of the jobs of device db01")]


@pytest.fixture
def database(tmp_path):
    """A small database in which there is something of everything."""
    return create(tmp_path / "test.db", """
        INSERT INTO setting VALUES ('global', 0, 'menu-mode', 'never');
        INSERT INTO folder VALUES (1, NULL, 'site'), (2, 1, 'lab'), (3, NULL, 'x');
        INSERT INTO device (id, name, added, isd) VALUES
            (1, 'web01', 5, NULL), (2, 'db01', 5, randomblob(16));
        INSERT INTO setting VALUES ('device', 2, 'menu-mode', 'never');
        INSERT INTO mac VALUES (x'525400123456', 1);
        INSERT INTO event (device, time, step, job, milliseconds, reason)
            VALUES (2, 5, 'request', 0, 0, '');
        INSERT INTO bundle VALUES (1, 'win', 'imaging', '*', '', 'z.cfg', '', x'', 0, 0, 5,
            'agent', '', '');
        INSERT INTO assignment VALUES (1, 1, 'folder', 3, 'once', 0, 5);
        INSERT INTO rule VALUES (1, 1, 'big', 1, 'both', 'memory > 1G', 0, 1);
        INSERT INTO job (device, state, attempts, deadline, assigned, loader_bios,
            loader_uefi, config, prefix, details)
            VALUES (1, 'pending', 3, 60, 5, 'a', '', 'z.cfg', '', x'');
    """)


def wrong(database, sql):
    with sqlite3.connect(database) as db:
        db.executescript(sql)
    db.close()


def test_nothing_wrong(database):
    result = run(database, "check")
    assert (result.returncode, result.stdout) == (0, f"{database}: nothing wrong\n")
    assert json.loads(run(database, "check", "--json").stdout) == []


@pytest.mark.parametrize("seed", range(6))
def test_nothing_wrong_with_anything_allowed(tmp_path, seed):
    Dataset(tmp_path / "test.db", seed)
    result = run(tmp_path / "test.db", "check")
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("sql, problem", WRONGS)
def test_wrong(database, sql, problem):
    wrong(database, sql)
    result = run(database, "check")
    assert result.returncode == 1 and result.stderr == "", result.stderr
    *lines, last = result.stdout.splitlines()
    assert any(problem in line for line in lines[::2]), result.stdout
    assert all(line.startswith("    ") and len(line) > 10 for line in lines[1::2])
    count = len(lines) // 2
    assert last == f"{database}: {count} problem{'s' if count > 1 else ''}"
    listed = json.loads(run(database, "check", "--json").stdout)
    assert len(listed) == count and all(p["problem"] and p["remedy"] for p in listed)


@pytest.mark.parametrize("sql", [
    "DELETE FROM device", "DELETE FROM device WHERE id = 2",
    "UPDATE device SET folder = 3; DELETE FROM folder WHERE id = 3",
    "DROP TRIGGER folder_gone; DELETE FROM folder WHERE id = 3",
    "UPDATE folder SET parent = 2 WHERE id = 1", "DROP TRIGGER device_gone; DELETE FROM device",
    "UPDATE sqlite_sequence SET seq = 0 WHERE name = 'job'",
    "INSERT INTO witness VALUES (randomblob(16), x'020000000001', '', '', '', 5, 5)",
    "INSERT INTO past VALUES (2, 0, 0, 1, 'done')", *(BY_ASSIGNMENT + sql for sql in PASTS)])
def test_remedies_by_sqlite(database, sql):
    """What sqlite3 is asked to run leaves nothing of the kind."""
    wrong(database, sql)
    problems = json.loads(run(database, "check", "--json").stdout)
    assert problems
    for problem in problems:
        if "sqlite3 run" in problem["remedy"]:
            wrong(database, problem["remedy"].split('"')[1])
    with sqlite3.connect(database) as db:
        # What was right is still there.
        if "device" not in sql:
            assert db.execute("SELECT count(*) FROM device, mac").fetchone() == (2,)
    db.close()
    after = [p for p in json.loads(run(database, "check", "--json").stdout)
             if "trigger" not in p["problem"]]
    assert after == []


def test_readable_by_all(database):
    database.chmod(0o644)
    result = run(database, "check")
    assert result.returncode == 1 and "chmod" in result.stdout


def test_damaged(database):
    Dataset(database, 1, devices=300)
    data = bytearray(database.read_bytes())
    data[8192:12288] = b"\xa5" * 4096
    database.write_bytes(data)
    result = run(database, "check")
    assert result.returncode == 1 and "damaged" in result.stderr and "recover" in result.stderr


def test_export_of_what_is_wrong_is_refused(database):
    wrong(database, "UPDATE folder SET parent = 2 WHERE id = 1")
    result = run(database, "export", database.parent / "out.json")
    assert result.returncode == 1 and "prebootctl check" in result.stderr
    assert not (database.parent / "out.json").exists()
