# SPDX-License-Identifier: BSD-2-Clause
"""A database of an older version, opened by the programs of today."""

import json
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest

import policy
from policy import BUILD

VERSION = 6


def run(path, *arguments):
    return subprocess.run([BUILD / "prebootctl", "--database", path, "--json", *arguments],
                          capture_output=True, text=True, timeout=20, check=False)


def ask(path, *arguments):
    result = run(path, *arguments)
    assert result.returncode == 0, result
    return json.loads(result.stdout)


def look(path, sql):
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return database.execute(sql).fetchall()
    finally:
        database.close()


def make_old(path, version):
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode = WAL")
    database.executescript(Path(__file__).with_name(f"database-{version}.sql").read_text())
    database.close()
    return path


@pytest.fixture
def old(tmp_path):
    return make_old(tmp_path / "old.db", 1)


def check_schema(path, new):
    """Says whether it is like a new one, statement for statement."""
    schema = "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name"
    assert [(kind, name, sql.split()) for kind, name, sql in look(path, schema)] == \
        [(kind, name, sql.split()) for kind, name, sql in look(new, schema)]


def check_contents(path):
    shown = ask(path, "device", "show", "web01")
    assert shown["macs"] == ["52:54:00:12:34:56"] and shown["isd"] is None
    assert shown["uuid"] == "4c4c4544-0034-4d10-8052-b4c04f4a3232"
    assert shown["job"]["state"] == "done" and shown["job"]["details"] == {"image": "web.img"}
    assert [e["step"] for e in shown["events"]] == \
        ["assigned", "offered", "handover", "begun", "done"]
    seen = shown["seen"]
    assert (seen["manufacturer"], seen["product"], seen["serial"], seen["cpu"]) == \
        ("QEMU", "Standard PC", "A1", "TCG CPU")
    assert (seen["firmware"], seen["memory_mib"], seen["cpu_64bit"]) == ("BIOS", 512, True)
    assert seen["version"] == "nvlnbp.sys 0.1.0" and seen["address"] == "127.0.0.1"
    assert seen["mac"] == "52:54:00:12:34:56" and seen["uuid"] == shown["uuid"]
    assert seen["time"] == "2026-11-21T23:30:27Z"
    other = ask(path, "device", "show", "db01")
    assert other["seen"]["firmware"] == "UEFI" and other["job"]["state"] == "pending"
    assert len(other["macs"]) == 2


def test_version_1(old, tmp_path):
    check_contents(old)
    assert look(old, "PRAGMA user_version") == [(VERSION,)]
    assert look(old, "PRAGMA integrity_check") == [("ok",)]
    assert look(old, "PRAGMA foreign_key_check") == []
    # It is now like a new one, statement for statement.
    new = tmp_path / "new.db"
    ask(new, "device", "add", "web01", "52:54:00:12:34:56")
    check_schema(old, new)
    # Jobs and devices go on where they were.
    assert ask(old, "job", "assign", "web01", "--config", "a.cfg")["job"] == 3
    ask(old, "settings", "set", "web01", "menu-mode=always")
    ask(old, "device", "remove", "web01", "--force")
    assert look(old, "SELECT * FROM setting") == []


def test_version_4(tmp_path):
    """Its words become today's; nothing else changes, and what was used is not used again."""
    path = make_old(tmp_path / "old.db", 4)
    new = tmp_path / "new.db"
    ask(new, "device", "add", "web01", "52:54:00:12:34:56")
    ask(path, "device", "list")
    check_schema(path, new)
    assert look(path, "PRAGMA user_version") == [(VERSION,)]
    assert look(path, "PRAGMA foreign_key_check") == []
    assert look(path, "SELECT id, bundle, level, owner, mode FROM assignment") == [
        (1, 1, "global", 0, "once"), (2, 1, "folder", 1, "always"), (3, 2, "device", 2, "once")]
    assert look(path, "SELECT level, owner, key, value FROM setting") == [
        ("device", 2, "attempts", "5"), ("folder", 1, "job-by-mac", "yes"),
        ("folder", 1, "menu-file", "site.txt"), ("global", 0, "keep-jobs", "30d"),
        ("global", 0, "menu-mode", "always")]
    assert look(path, "SELECT id, device, state FROM job") == [(1, 1, "offered"),
                                                               (2, 2, "cancelled")]
    assert look(path, "SELECT job, attempt FROM offer") == [(1, 1)]
    assert {job for job, in look(path, "SELECT job FROM event")} == {0, 1, 2}
    assert look(path, "SELECT device, kind, id, job, state FROM past") == [
        (1, 0, 0, 1, "offered"), (1, 2, 1, 1, "offered"),
        (2, 0, 0, 2, "cancelled"), (2, 2, 2, 2, "cancelled")]
    assert look(path, "SELECT address, boots FROM unknown_machine") == [("192.0.2.9", 2)]
    # Bundles that are for UEFI leave its other processors to the settings; jobs know none.
    for uefi, *others in look(path, "SELECT loader_uefi, loader_uefi_ia32, loader_uefi_arm64"
                                    " FROM bundle"):
        assert others == (["*", "*"] if uefi else ["", ""])
    assert look(path, "SELECT DISTINCT loader_uefi_ia32, loader_uefi_arm64 FROM job") == [("", "")]
    # Assignment 4 was removed before; triggers work on the new tables.
    assert ask(path, "assignment", "add", "win", "--to", "web01")
    assert look(path, "SELECT max(id) FROM assignment") == [(5,)]
    changes = look(path, "SELECT count(*) FROM change")
    ask(path, "settings", "set", "pc1", "attempts=6")
    assert look(path, "SELECT count(*) FROM change") > changes
    for device in ("web01", "pc1"):
        ask(path, "device", "remove", device, "--force")
    for table in ("job", "offer", "past", "setting WHERE level = 'device'",
                  "assignment WHERE level = 'device'"):
        assert look(path, f"SELECT count(*) FROM {table}") == [(0,)], table


def test_version_1_by_the_daemon(old, tmp_path):
    daemon = policy.Daemon(old, tmp_path / "log")
    try:
        answer = policy.ask(daemon.port, policy.REQUEST, {
            policy.MAC: policy.mac("52:54:00:00:00:03"), policy.FIRMWARE: policy.UEFI})
        assert answer[policy.DECISION] == policy.DECISION_JOB and answer[policy.JOB] == 2
        assert daemon.stop() == 0
    finally:
        daemon.kill()
    assert look(old, "PRAGMA user_version") == [(VERSION,)]


@pytest.mark.parametrize("obstacle", [
    "CREATE TABLE setting (a)",  # in the way of the second half
    "DROP TABLE event"])
def test_all_or_nothing(old, obstacle):
    database = sqlite3.connect(old)
    database.executescript(obstacle)
    before = list(database.iterdump())
    database.close()
    for command in (["device", "list"], ["device", "add", "x01", "02:00:00:00:00:01"]):
        result = run(old, *command)
        assert result.returncode == 1 and str(old) in result.stderr and result.stdout == ""
    assert look(old, "PRAGMA user_version") == [(1,)]
    database = sqlite3.connect(old)
    assert list(database.iterdump()) == before
    database.close()


def test_many_at_once(old):
    commands = [[BUILD / "prebootctl", "--database", old, "--json", "device", "show", "web01"]] * 8
    running = [subprocess.Popen(c, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
               for c in commands]
    for process in running:
        out, err = process.communicate(timeout=30)
        assert process.returncode == 0, err
        assert json.loads(out)["name"] == "web01"
    check_contents(old)


# --- killed in its middle -----------------------------------------------------

DEVICES = 20000  # so many that the upgrade writes to the log long before it commits


def make_large(path):
    database = sqlite3.connect(make_old(path, 1))
    database.execute("WITH RECURSIVE n (i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n LIMIT ?)"
                     " INSERT INTO device (id, name, added) SELECT i, 'pc-' || i, 5 FROM n",
                     [DEVICES])
    database.execute("INSERT INTO seen SELECT device.id, time, address, mac, seen.uuid, firmware,"
                     " architecture, version, manufacturer, product, serial, cpu, cpu_64bit,"
                     " memory_mib FROM seen, device WHERE seen.device = 1 AND device.id >= 10")
    database.commit()
    database.close()
    return path


def log_size(path):
    try:
        return path.with_name(path.name + "-wal").stat().st_size
    except FileNotFoundError:
        return 0


def kill_upgrade(path, size):
    """Kills prebootctl once the log of @path has that size. Returns whether its upgrade was under
    way: there is some of it on the disk, and the database is of the old version."""
    process = subprocess.Popen([BUILD / "prebootctl", "--database", path, "folder", "list"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and log_size(path) < size:
        pass
    process.kill()
    process.wait()
    return log_size(path) > 0 and look(path, "PRAGMA user_version") == [(1,)]


def contents(path):
    return [look(path, f"SELECT * FROM {table}") for table in
            ("device", "mac", "seen", "job", "event")]


def test_killed_in_its_middle(tmp_path):
    """Whatever was written by then, the next program finds the old database and upgrades it all."""
    large, path = make_large(tmp_path / "large.db"), tmp_path / "killed.db"
    whole = tmp_path / "whole.db"
    shutil.copy(large, whole)
    ask(whole, "folder", "list")
    check_contents(whole)
    expected, hits = contents(whole), 0
    assert len(expected[0]) == len(expected[2]) == DEVICES + 2
    for number in range(6):
        for name in tmp_path.glob(path.name + "*"):
            name.unlink()
        shutil.copy(large, path)
        hits += kill_upgrade(path, max(1, number * 1000000))
        if number % 2:
            daemon = policy.Daemon(path, tmp_path / "log")
            assert daemon.stop() == 0
        else:
            ask(path, "folder", "list")
        assert look(path, "PRAGMA user_version") == [(VERSION,)]
        assert look(path, "PRAGMA integrity_check") == [("ok",)]
        assert look(path, "PRAGMA foreign_key_check") == []
        assert contents(path) == expected
    assert hits >= 2
