# SPDX-License-Identifier: BSD-2-Clause
"""All data as JSON and back."""

import json
import os
import re
import signal
import sqlite3
import stat
import subprocess
import time

import pytest

import policy
from dataset import Dataset, create, run
from policy import BUILD

UUIDS = [f"4c4c4544-0034-4d10-8052-b4c04f4a324{i}" for i in range(3)]
SMALL = {
    "format": "openpreboot", "version": 3,
    "settings": {"menu-mode": "always"},
    "folders": [{"path": "/site"}, {"path": "/site/lab", "settings": {"menu-mode": "never"}}],
    "groups": [{"name": "kiosks"}],
    "devices": [
        {"name": "web01", "macs": ["52:54:00:12:34:56"], "folder": "/site/lab",
         "groups": ["kiosks"]},
        {"name": "db01", "uuid": "4c4c4544-0034-4d10-8052-b4c04f4a3232"}],
    "bundles": [{"name": "win", "kind": "imaging", "loader_bios": "*", "config": "z_auto.cfg",
                 "details": {"image": "win.img"}}],
    "assignments": [{"bundle": "win", "to": "/site", "mode": "once"}],
    "rules": [{"name": "big", "bundle": "win", "applies": "unknown", "filter": "memory >= 8G",
               "repeat": False, "enabled": True}],
    "multicast": [{"name": "monday", "bundle": "win", "clients": 2, "state": "waiting",
                   "members": [{"device": "web01"}]}],
    "jobs": [{"job": 7, "device": "web01", "state": "pending", "attempts": 3, "deadline": 60,
              "loader_bios": "pxelinux.0", "config": "a.cfg",
              "source": "assignment win to /site",
              "offers": []}],
    "last_job": 9,
}


def exported(database):
    result = run(database, "export")
    assert result.returncode == 0 and result.stderr == "", result.stderr
    return result.stdout


def changed(path, value):
    """Returns SMALL as text with another value, or without one, where a path leads."""
    data = json.loads(json.dumps(SMALL))
    inner = data
    for step in path[:-1]:
        inner = inner[step]
    if value is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return json.dumps(data, indent=2)


def contents(database):
    with sqlite3.connect(database) as db:
        dump = list(db.iterdump())
    db.close()
    return dump


@pytest.mark.parametrize("seed", range(12))
def test_round_trip(tmp_path, seed):
    Dataset(tmp_path / "old.db", seed, shared=True)
    before = exported(tmp_path / "old.db")
    (tmp_path / "data.json").write_text(before)
    result = run(tmp_path / "new.db", "import", tmp_path / "data.json")
    assert result.returncode == 0 and result.stderr == "", result.stderr
    assert exported(tmp_path / "new.db") == before
    # In the place of what is there, and with the sections in another order.
    data = json.loads(before)
    (tmp_path / "data.json").write_text(json.dumps(dict(reversed(data.items()))))
    Dataset(tmp_path / "other.db", seed + 1000, shared=True)
    result = run(tmp_path / "other.db", "import", "--replace", tmp_path / "data.json")
    assert result.returncode == 0 and result.stderr == "", result.stderr
    after = json.loads(exported(tmp_path / "other.db"))
    assert after.pop("last_job") >= data.pop("last_job")
    assert after == data


def test_one_line_a_scalar(tmp_path):
    Dataset(tmp_path / "old.db", 3)
    lines = exported(tmp_path / "old.db").splitlines()
    for line in lines:
        assert line.count(": ") <= 1 or '": "' in line
        assert line.strip(" ,") in "{}[]" or line.rstrip(",").endswith(("{", "[", "[]", "{}")) or \
            json.loads("{" + line.strip(" ,") + "}" if '": ' in line else line.strip(" ,"))


def test_old_keys_of_settings(tmp_path):
    """Files and commands may have the keys of before; they are stored and shown as today's."""
    data = SMALL | {"settings": {"keep-work": "30d", "work-by-mac": "yes"}}
    (tmp_path / "data.json").write_text(json.dumps(data))
    result = run(tmp_path / "new.db", "import", tmp_path / "data.json")
    assert result.returncode == 0 and result.stderr == "", result.stderr
    assert json.loads(exported(tmp_path / "new.db"))["settings"] == \
        {"job-by-mac": "yes", "keep-jobs": "30d"}
    assert run(tmp_path / "new.db", "settings", "set", "keep-work=31d").returncode == 0
    assert run(tmp_path / "new.db", "settings", "unset", "work-by-mac").returncode == 0
    assert json.loads(exported(tmp_path / "new.db"))["settings"] == {"keep-jobs": "31d"}


def test_written_by_hand(tmp_path):
    (tmp_path / "data.json").write_text(json.dumps(SMALL))
    result = run(tmp_path / "new.db", "--json", "import", tmp_path / "data.json")
    assert json.loads(result.stdout) == {
        "settings": 1, "folders": 2, "groups": 1, "devices": 2, "uuids": 0, "witnesses": 0,
        "bundles": 1,
        "assignments": 1, "rules": 1, "multicast": 1, "jobs": 1, "open": 1}
    data = json.loads(exported(tmp_path / "new.db"))
    assert data["devices"][1]["groups"] == ["kiosks"]
    assert data["devices"][1]["added"].startswith("2")
    assert data["jobs"][0]["source"] == "assignment win to /site"
    # The next job has a number that was never used.
    run(tmp_path / "new.db", "job", "assign", "db01", "--config", "a.cfg")
    assert json.loads(exported(tmp_path / "new.db"))["last_job"] == 10


def of_version(number, data):
    """Returns data as a file of an older version has it."""
    old = json.loads(json.dumps(data)) | {"version": number}
    old["work"] = [{{"job": "lease"}.get(key, key): value for key, value in job.items()}
                   for job in old.pop("jobs")]
    old["last_lease"] = old.pop("last_job")
    return old


@pytest.mark.parametrize("version", [1, 2])
def test_files_of_older_versions(tmp_path, version):
    Dataset(tmp_path / "old.db", version)
    before = json.loads(exported(tmp_path / "old.db"))
    assert before["jobs"] and before["last_job"]
    (tmp_path / "old.json").write_text(json.dumps(of_version(version, before)))
    result = run(tmp_path / "new.db", "import", tmp_path / "old.json")
    assert result.returncode == 0, result.stderr
    assert json.loads(exported(tmp_path / "new.db")) == before
    # What is wrong is named as the file names it.
    wrong = of_version(version, SMALL)
    wrong["work"][0]["lease"] = 0
    text = json.dumps(wrong, indent=2)
    (tmp_path / "wrong.json").write_text(text)
    result = run(tmp_path / "bad.db", "import", tmp_path / "wrong.json")
    line = text[:text.index('"lease"')].count("\n") + 1
    assert result.stderr.startswith(f"{tmp_path}/wrong.json:{line}: work[0].lease: expected a "
                                    "number")
    wrong["work"][0]["job"] = 7
    wrong["jobs"] = wrong["work"]
    (tmp_path / "both.json").write_text(json.dumps(wrong))
    result = run(tmp_path / "bad.db", "import", tmp_path / "both.json")
    assert result.returncode == 1 and "jobs: is here a second time" in result.stderr
    del wrong["jobs"]
    (tmp_path / "both.json").write_text(json.dumps(wrong))
    result = run(tmp_path / "bad.db", "import", tmp_path / "both.json")
    assert result.returncode == 1 and "work[0].lease: there is no such key here" in result.stderr


def test_uuid_decisions_are_kept(ctl, tmp_path):
    """What was found out or said of UUIDs is so in the new database, too."""
    ctl("device", "add", "a", "--uuid", UUIDS[0])
    ctl("uuid", "ignore", UUIDS[1], "fe" * 16)
    ctl("uuid", "allow", UUIDS[2])
    with sqlite3.connect(ctl.database) as db:
        db.execute("INSERT INTO card VALUES (1, x'525400123456', 'Dell Inc. XPS', '5CG1', '', 7)")
        db.execute("INSERT INTO uuid SELECT uuid, 'shared', 8 FROM device")
    db.close()
    before = exported(ctl.database)
    (tmp_path / "data.json").write_text(before)
    assert run(tmp_path / "new.db", "import", tmp_path / "data.json").returncode == 0
    assert exported(tmp_path / "new.db") == before
    words = json.loads(run(tmp_path / "new.db", "--json", "uuid", "list").stdout)
    assert {word["uuid"]: word["state"] for word in words} == {
        UUIDS[0]: "shared", UUIDS[1]: "ignored",
        "fefefefe" + "-fefe" * 3 + "-" + "fe" * 6: "ignored",
        UUIDS[2]: "allowed"}
    assert json.loads(before)["devices"][0]["cards"][0]["serial"] == "5CG1"
    # A file that has none of them removes none, either.
    (tmp_path / "small.json").write_text(json.dumps(SMALL))
    assert run(tmp_path / "new.db", "import", "--replace", tmp_path / "small.json").returncode == 0
    assert json.loads(run(tmp_path / "new.db", "--json", "uuid", "list").stdout) == words
    # Nothing of the devices that are gone is left; and that would be found.
    assert "gone" not in run(tmp_path / "new.db", "check").stdout
    with sqlite3.connect(tmp_path / "new.db") as db:
        assert not db.execute("SELECT * FROM card").fetchall()
        db.execute("INSERT INTO card VALUES (99, x'525400123456', '', '', '', 7)")
    db.close()
    assert "1 rows of card are of a device that is gone" in run(tmp_path / "new.db", "check").stdout
    (tmp_path / "data.json").write_text(before.replace('"ignored"', '"allowed"'))
    result = run(tmp_path / "bad.db", "import", tmp_path / "data.json")
    assert "a placeholder that many machines have cannot be allowed" in result.stderr


def test_witnesses_are_kept(ctl, tmp_path):
    """What a UUID came with is what an administrator decides by, whatever it was."""
    witnesses = [(UUIDS[0], bytes(6), "Dell Inc. XPS", "5CG1", ""),
                 # The MAC is a group's, as anybody may report.
                 (UUIDS[0], b"\x03\0\0\0\0\1", "", "5CG1", "B 1"),
                 (UUIDS[0], b"\x02\0\0\0\0\1", "x" * 127, "", ""),
                 (UUIDS[1], b"\x02\0\0\0\0\1", "", "", "")]
    ctl("device", "add", "a", "--uuid", UUIDS[0])
    ctl("device", "add", "b", "--isd", UUIDS[2])
    with sqlite3.connect(ctl.database) as db:
        for word in UUIDS[:2]:
            db.execute("INSERT INTO uuid VALUES (?, 'shared', 8)",
                       (bytes.fromhex(word.replace("-", "")),))
        for word, *rest in witnesses:
            db.execute("INSERT INTO witness VALUES (?, ?, ?, ?, ?, 8, 9)",
                       (bytes.fromhex(word.replace("-", "")), *rest))
        db.execute("INSERT INTO card VALUES (1, x'030000000002', 'Dell Inc. XPS', '5CG1', '', 7)")
        db.execute("UPDATE device SET claim_mac = x'030000000003' WHERE id = 2")
    db.close()
    before = exported(ctl.database)
    assert len(json.loads(before)["witnesses"]) == 4 and json.loads(before)["version"] == 3
    (tmp_path / "data.json").write_text(before)
    for _ in range(2):  # into an empty database, and in the place of the same
        result = run(tmp_path / "new.db", "import", "--replace", tmp_path / "data.json")
        assert result.returncode == 0 and result.stderr == "", result.stderr
        assert exported(tmp_path / "new.db") == before
        for word in UUIDS[:2]:
            shown = run(tmp_path / "new.db", "uuid", "show", word).stdout
            assert shown == ctl("uuid", "show", word)
    # A file of before there were any, and one that has none.
    data = json.loads(before)
    del data["witnesses"]
    (tmp_path / "old.json").write_text(json.dumps(data | {"version": 1}))
    assert run(tmp_path / "new.db", "import", "--replace", tmp_path / "old.json").returncode == 0
    assert exported(tmp_path / "new.db") == before
    (tmp_path / "none.json").write_text(json.dumps(data | {"witnesses": []}))
    assert run(tmp_path / "new.db", "import", "--replace", tmp_path / "none.json").returncode == 0
    assert json.loads(exported(tmp_path / "new.db"))["witnesses"] == []
    # Each is there once.
    data["witnesses"] = [{"uuid": UUIDS[0], "mac": "02:00:00:00:00:01"}] * 2
    (tmp_path / "twice.json").write_text(json.dumps(data))
    result = run(tmp_path / "new.db", "import", "--replace", tmp_path / "twice.json")
    assert "witnesses[1]: it is there already" in result.stderr


def test_ignored_uuids(tmp_path):
    """A device is known by the rest, if it has any; and not by what only the database ignores."""
    database, uuid = tmp_path / "new.db", SMALL["devices"][1]["uuid"]
    data = json.loads(json.dumps(SMALL))
    data["devices"][1]["macs"] = ["02:00:00:00:00:01"]
    known = data | {"uuids": [{"uuid": uuid, "state": "ignored"}]}
    text = json.dumps(known, indent=2)
    (tmp_path / "data.json").write_text(text)
    line = text[:text.index('"name": "db01"')].count("\n")
    result = run(database, "import", tmp_path / "data.json")
    assert result.returncode == 0
    assert result.stderr == (f"{tmp_path}/data.json:{line}: warning: device db01:"
                             " its UUID is ignored,"
                             " so it is known by the rest alone\n")
    assert json.loads(exported(database))["devices"][0]["uuid"] == uuid
    text = json.dumps(data, indent=2)
    (tmp_path / "data.json").write_text(text)
    line = text[:text.index(uuid)].count("\n") + 1
    result = run(database, "import", "--replace", tmp_path / "data.json")
    assert result.returncode == 1
    assert result.stderr.startswith(f"{tmp_path}/data.json:{line}: devices[1].uuid:"
                                    " is ignored here, so"
                                    " it identifies nobody; leave it out and give a MAC")
    assert run(database, "uuid", "allow", uuid).returncode == 0
    assert run(database, "import", "--replace", tmp_path / "data.json").returncode == 0


def test_other_byte_order(tmp_path):
    """It is reported with its line, and imported all the same."""
    data = json.loads(json.dumps(SMALL))
    data["devices"].append({"name": "db02", "uuid": "44454c4c-3400-104d-8052-b4c04f4a3232"})
    text = json.dumps(data, indent=2)
    (tmp_path / "data.json").write_text(text)
    result = run(tmp_path / "new.db", "import", tmp_path / "data.json")
    line = text[:text.index('"name": "db02"')].count("\n")
    assert result.returncode == 0
    assert result.stderr == (
        f"{tmp_path}/data.json:{line}: warning: device db02: 44454c4c-3400-104d-8052-b4c04f4a3232"
        " is the UUID of device db01 in the other byte order\n")


@pytest.mark.parametrize("path, value, message", [
    (["format"], "sql", 'format: expected "openpreboot"'),
    (["format"], None, 'format: expected "openpreboot"'),
    (["version"], 4, "version: 4 is newer than this program, which knows up to 3; use the newer"),
    (["version"], "1", "version: expected a number from 1 to 3"),
    (["version"], 0, "version: expected a number from 1 to 3"),
    (["farm"], [], "farm: there is no such key here"),
    (["folders"], {}, "folders: expected a list"),
    (["settings"], [], "settings: expected an object"),
    (["settings", "menu-mod"], "x", "settings.menu-mod: no such setting"),
    (["settings", "menu-mode"], "x", "settings.menu-mode: expected never, always or hotkey"),
    (["settings", "menu-mode"], 5, "settings.menu-mode: expected a string"),
    (["folders", 1, "settings", "admit-unknown"], "yes",
     "folders[1].settings.admit-unknown: this setting cannot be set here"),
    (["folders", 1, "path"], "/lab/site", "folders[1].path: there is no folder /lab"),
    (["folders", 1, "path"], "/SITE", "folders[1].path: there is such a folder already"),
    (["folders", 1, "path"], "site/lab", "folders[1].path: expected the path"),
    (["folders", 1, "path"], "/site/", "folders[1].path: expected the path"),
    (["folders", 1, "path"], "/a" * 17, "at most 16 deep"),
    (["groups", 0, "name"], "a b", "groups[0].name: expected a name: 1 to 63"),
    (["groups", 0, "name"], None, "groups[0].name: is missing"),
    (["groups", 0], "kiosks", "groups[0]: expected an object"),
    (["devices", 0, "name"], "525400123456", "devices[0].name: expected a device's name"),
    (["devices", 1, "name"], "WEB01", "devices[1].name: another one has this name"),
    (["devices", 0, "macs", 0], "52:54:00:12:34",
     "devices[0].macs[0]: expected a machine's MAC"),
    (["devices", 0, "macs", 0], "01:00:5e:00:00:01", "devices[0].macs[0]: expected a machine"),
    (["devices", 1, "macs"], ["02:00:00:00:00:01", "525400123456"],
     "devices[1].macs[1]: another device has this MAC address"),
    (["devices", 1, "uuid"], "03000200-0400-0500-0006-000700080009",
     "devices[1].uuid: a placeholder that many machines have, so it identifies nobody;"
     " leave it out"),
    (["devices", 1, "uuid"], "4c4c4544", "devices[1].uuid: not a UUID; expected 32 hexa"),
    (["witnesses"], [{"uuid": UUIDS[0], "mac": "02:00:00:00:00:01"}],
     'witnesses[0].uuid: "uuids" does not have this UUID'),
    (["witnesses"], [{"uuid": UUIDS[0], "mac": "00:00:00:00:00:00"}],
     "witnesses[0].mac: expected a machine's MAC"),
    (["uuids"], [{"uuid": SMALL["devices"][1]["uuid"], "state": "ignored"}],
     'devices[1].uuid: "uuids" says that it is ignored, so it identifies nobody;'
     ' give the device a MAC'),
    (["devices", 1, "uuid"], None, "devices[1]: it could not be known again"),
    (["devices", 0, "folder"], "/site/web", "devices[0].folder: there is no folder /site/web"),
    (["devices", 0, "groups", 0], "k", "devices[0].groups[0]: there is no group k"),
    (["devices", 0, "groups"], ["kiosks", "kiosks"], "in this group already"),
    (["devices", 0, "added"], "2026-02-30T00:00:00Z", "devices[0].added: expected a UTC time"),
    (["devices", 0, "colour"], "red", "devices[0].colour: there is no such key here"),
    (["bundles", 0, "kind"], "image", "bundles[0].kind: expected one of imaging, third-party"),
    (["bundles", 0, "config"], "../a", "bundles[0].config: expected 1 to 127"),
    (["bundles", 0, "loader_bios"], "", "bundles[0]: it has no loader"),
    (["bundles", 0, "details"], {"1a": "x"}, "bundles[0].details: 1a: a key has 1 to 32"),
    (["bundles", 0, "details"], {"a": "x" * 1000}, "bundles[0].details: too much"),
    (["bundles", 0, "details"], {"a": "x" * 900}, "bundles[0]: the details do not fit"),
    (["bundles", 0, "attempts"], 101, "bundles[0].attempts: expected a number from 0 to 100"),
    (["bundles", 0, "attempts"], 1.5, "bundles[0].attempts: expected a number from 0 to 100"),
    (["assignments", 0, "bundle"], "lin", "assignments[0].bundle: there is no bundle lin"),
    (["assignments", 0, "to"], "/x", "assignments[0].to: there is no folder /x"),
    (["assignments", 0, "to"], "everybody", "assignments[0].to: there is no device everybody"),
    (["assignments", 0, "mode"], "until", 'assignments[0]: expected a time in "until"'),
    (["rules", 0, "filter"], "memory >=", "rules[0].filter: column 10 of the filter"),
    (["rules", 0, "repeat"], 1, "rules[0].repeat: expected true or false"),
    (["multicast", 0, "clients"], None, "multicast[0]: it would never start"),
    (["multicast", 0, "members", 0, "device"], "x",
     "multicast[0].members[0].device: there is no device x"),
    (["jobs", 0, "job"], 0, "jobs[0].job: expected a number from 1"),
    (["jobs", 0, "source"], "luck", 'jobs[0].source: expected "hand"'),
    (["jobs", 0, "source"], "assignment win to /",
     "jobs[0].source: there is no assignment win to /"),
    (["jobs", 0, "state"], "offered", "jobs[0]: no boot has its attempt"),
    (["jobs", 0, "state"], "done", 'jobs[0]: expected "ended"'),
    (["jobs", 0, "job"], 10**15, "jobs[0].job: expected a number from 1 to 999999999999999"),
    (["jobs", 0, "attempts"], 101, "jobs[0].attempts: expected a number from 1 to 100"),
    (["last_job"], "x", "last_job: expected a number"),
    (["last_job"], 2**63 - 2, "last_job: expected a number from 0 to 999999999999999, that"),
    (["last_job"], 10**15, "last_job: expected a number from 0 to 999999999999999, that"),
])
def test_errors(tmp_path, path, value, message):
    text = changed(path, value)
    (tmp_path / "data.json").write_text(text)
    create(tmp_path / "new.db")
    before = contents(tmp_path / "new.db")
    result = run(tmp_path / "new.db", "import", tmp_path / "data.json")
    assert result.returncode == 1 and result.stdout == ""
    first, *_, last = result.stderr.splitlines()
    assert re.fullmatch(f"prebootctl: {tmp_path}/data.json: \\d+ errors?; nothing has been imported", last)
    assert message in first
    line, where = first.removeprefix(f"{tmp_path}/data.json:").split(": ")[:2]
    assert int(line) == line_of(json.loads(text), where), first
    assert contents(tmp_path / "new.db") == before


@pytest.mark.parametrize("last", [10**15 - 1, 2**63 - 2, 2**63 - 1])
def test_numbers_of_jobs_come_to_an_end(tmp_path, last):
    """What is said then is not that the disk is full; and there is a way out."""
    database, data = tmp_path / "test.db", tmp_path / "data.json"
    create(database)
    assert run(database, "device", "add", "web01", "52:54:00:00:00:01").returncode == 0
    with sqlite3.connect(database) as db:
        db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('job', ?)", [last])
    db.close()
    for _ in range(2):
        result = run(database, "job", "assign", "web01", "--config", "z.cfg")
        assert result.returncode == 1
        assert "used up" in result.stderr and "disk" not in result.stderr, result
    result = run(database, "check")
    assert result.returncode == 1 and "there can be no more" in result.stdout, result
    text = json.loads(exported(database))
    assert text["last_job"] == last
    text["last_job"] = 7
    data.write_text(json.dumps(text))
    assert run(tmp_path / "new.db", "import", data).returncode == 0
    result = run(tmp_path / "new.db", "job", "assign", "web01", "--config", "z.cfg")
    assert "job 8 assigned" in result.stdout, result


def line_of(data, where):
    """Returns the line at which what an error's path leads to is written."""
    whole = inner = {"": data}
    last = ""
    for step in re.findall(r"[^].[]+", where):
        step = int(step) if isinstance(inner[last], list) else step
        if step not in (inner[last] if isinstance(inner[last], dict) else range(99)):
            break  # it is missing: where it should be
        inner, last = inner[last], step
    inner[last] = "MARK"
    return next(i for i, line in enumerate(json.dumps(whole[""], indent=2).splitlines(), 1)
                if "MARK" in line)


@pytest.mark.parametrize("text, line, message", [
    ("", 1, "not valid JSON"),
    ("[]", 1, "expected one object"),
    ("{", 1, "string or '}' expected"),
    ("{} x", 1, "expected one object"),
    ('{"format": "openpreboot",\n"version": 1,}', 2, "string or '}' expected"),
    ('{"format": "openpreboot",\n"version": 1\n"groups": []}', 3, "'}' expected near"),
    ('{"format": "openpreboot",\n"version": 1,\n"version": 1}', 3,
     "version: is here a second time"),
    ('{"format": "openpreboot", "version": 1,\n"groups": [\n{"name": "a"},\n]}', 4, "unexpected"),
    ('{"format": "openpreboot", "version": 1,\n"groups": [\n{"name":\n"a"} {}]}', 4,
     'expected "," or "]"'),
    ('{"format": "openpreboot", "version": 1,\n"groups": [\n{"name":\n"a",}]}', 4, "expected"),
    ('{"format": "openpreboot", "version": 1,\n"groups": [{"name": "a", "name": "b"}]}', 2,
     "duplicate"),
    ('{"format": "openpreboot", "version": 1, "groups": [{"name": "a}]}', 1, "premature end"),
])
def test_not_json(tmp_path, text, line, message):
    (tmp_path / "data.json").write_text(text)
    result = run(tmp_path / "new.db", "import", tmp_path / "data.json")
    assert result.returncode == 1 and result.stdout == ""
    assert result.stderr.startswith(f"{tmp_path}/data.json:{line}: "), result.stderr
    assert message in result.stderr


def test_repeated_errors_are_summed_up(tmp_path):
    data = json.loads(json.dumps(SMALL))
    data["devices"] = [{"name": f"x {i}", "macs": ["?"]} for i in range(1000)]
    (tmp_path / "data.json").write_text(json.dumps(data, indent=1))
    errors = run(tmp_path / "new.db", "import", tmp_path / "data.json").stderr.splitlines()
    assert [e.split(": ")[1] for e in errors[:3]] == [f"devices[{i}].name" for i in range(3)]
    assert errors[2].endswith(" (and 997 more like this)")
    assert errors[3:] == [f"prebootctl: {tmp_path}/data.json: 1000 errors; nothing has been imported"]
    result = run(tmp_path / "new.db", "--json", "import", tmp_path / "data.json")
    assert result.returncode == 1 and result.stdout == ""
    whole = json.loads(result.stderr)
    assert whole["error"]["message"] == errors[3].removeprefix("prebootctl: ")
    assert [e.get("more") for e in whole["errors"]] == [None, None, 997]
    assert f"{tmp_path}/data.json:{whole['errors'][1]['line']}: {whole['errors'][1]['text']}" == errors[1]


def test_errors_of_many_kinds_come_to_an_end(tmp_path):
    data = json.loads(json.dumps(SMALL))
    data["devices"] = [{"name": f"x{i}", "macs": [], "folder": f"/none{i}"} for i in range(100)]
    (tmp_path / "data.json").write_text(json.dumps(data, indent=1))
    errors = run(tmp_path / "new.db", "import", tmp_path / "data.json").stderr.splitlines()
    assert len(errors) == 22 and "and 80 more errors" in errors[-2]
    assert ": 100 errors; nothing has been imported" in errors[-1]


def test_data_that_are_there(tmp_path):
    (tmp_path / "data.json").write_text(json.dumps(SMALL))
    assert run(tmp_path / "new.db", "import", tmp_path / "data.json").returncode == 0
    with sqlite3.connect(tmp_path / "new.db") as db:
        for device in (1, 2):
            db.execute("INSERT INTO event (device, time, step, job, milliseconds, reason)"
                       " VALUES (?, 5, 'offered', 7, 0, '')", [device])
    db.close()
    before = contents(tmp_path / "new.db")
    result = run(tmp_path / "new.db", "import", tmp_path / "data.json")
    assert result.returncode == 1 and "has data already; use --replace" in result.stderr
    assert contents(tmp_path / "new.db") == before
    # What happened to a device stays with it, by its name; what belongs to nobody goes.
    data = json.loads(changed(["devices", 1], None))
    (tmp_path / "data.json").write_text(json.dumps(data))
    assert run(tmp_path / "new.db", "import", "--replace", tmp_path / "data.json").returncode == 0
    events = json.loads(run(tmp_path / "new.db", "--json", "event", "list").stdout)
    assert [(e["device"], e["step"]) for e in events] == [("web01", "offered")]
    with sqlite3.connect(tmp_path / "new.db") as db:
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    db.close()


def test_files(tmp_path):
    Dataset(tmp_path / "old.db", 1)
    (tmp_path / "data.json").write_text("old")
    result = run(tmp_path / "old.db", "export", tmp_path / "data.json")
    assert result.returncode == 0 and "data.json written: " in result.stderr
    assert (tmp_path / "data.json").read_text() == exported(tmp_path / "old.db")
    assert stat.S_IMODE((tmp_path / "data.json").stat().st_mode) == 0o600
    assert sorted(p.name for p in tmp_path.glob("data*")) == ["data.json"]
    assert run(tmp_path / "old.db", "export", "/dev/null").returncode == 0
    assert "must exist" in run(tmp_path / "old.db", "export", tmp_path / "no/data").stderr
    assert "cannot be read" in run(tmp_path / "old.db", "import", tmp_path / "no").stderr
    assert run(tmp_path / "old.db", "export", "/dev/full").returncode == 1
    result = run(tmp_path / "new.db", "import", "-", input=exported(tmp_path / "old.db"))
    assert result.returncode == 0
    assert exported(tmp_path / "new.db") == exported(tmp_path / "old.db")


def test_killed_during_import(tmp_path):
    """kill -9 at any time leaves the old data or the new."""
    Dataset(tmp_path / "old.db", 1)
    Dataset(tmp_path / "new.db", 2, devices=2000)
    old, new = exported(tmp_path / "old.db"), exported(tmp_path / "new.db")
    (tmp_path / "data.json").write_text(new)
    seen = set()
    for delay in (0, 0.02, 0.05, 0.1, 0.2, 0.3, 50):
        process = subprocess.Popen([BUILD / "prebootctl", "--database", tmp_path / "old.db",
                                    "import", "--replace", tmp_path / "data.json"],
                                   stdout=subprocess.DEVNULL)
        try:
            process.wait(delay)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
        process.wait()
        now = json.loads(exported(tmp_path / "old.db"))
        seen.add("new" if now["devices"] == json.loads(new)["devices"] else "old")
        assert now["devices"] in (json.loads(new)["devices"], json.loads(old)["devices"])
        if "new" in seen:
            break
    assert seen == {"old", "new"}


def test_while_prebootd_runs(tmp_path):
    """prebootd follows an import as it follows any other change."""
    create(tmp_path / "test.db")
    daemon = policy.Daemon(tmp_path / "test.db", tmp_path / "log")

    def becomes(decision):
        end = time.monotonic() + 10
        while time.monotonic() < end:
            answer = policy.boot(daemon.port, {
                policy.MAC: policy.mac("52:54:00:12:34:56"), policy.FIRMWARE: policy.BIOS})
            if answer[policy.DECISION] == decision:
                return answer
            time.sleep(0.1)
        raise AssertionError(answer)

    try:
        data = {**json.loads(json.dumps(SMALL)), "assignments": [], "multicast": []}
        data["jobs"][0]["source"] = "hand"
        (tmp_path / "data.json").write_text(json.dumps(data))
        assert run(tmp_path / "test.db", "import", tmp_path / "data.json").returncode == 0
        answer = becomes(policy.DECISION_JOB)
        assert answer[policy.JOB] == 7 and policy.MENU_MODE not in answer
        # Back to what was exported before the job was offered: it is offered once more.
        text = exported(tmp_path / "test.db")
        assert json.loads(text)["jobs"][0]["state"] == "offered"
        (tmp_path / "none.json").write_text(json.dumps({**data, "jobs": [], "multicast": []}))
        result = run(tmp_path / "test.db", "import", "--replace", tmp_path / "none.json")
        assert result.returncode == 0, result.stderr
        becomes(policy.DECISION_LOCAL)
        (tmp_path / "back.json").write_text(text)
        result = run(tmp_path / "test.db", "import", "--replace", tmp_path / "back.json")
        assert result.returncode == 0 and "1 open job:" in result.stdout
        assert becomes(policy.DECISION_JOB)[policy.JOB] == 7
        assert run(tmp_path / "test.db", "check").returncode == 0
    finally:
        daemon.kill()
