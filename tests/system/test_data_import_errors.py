# SPDX-License-Identifier: BSD-2-Clause
"""What is wrong with a file is reported with its line, and nothing of it is imported."""

import json
import re
import sqlite3

import pytest

from dataset import create, run
from small_site import SMALL, UUIDS, changed, contents, exported


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


@pytest.mark.parametrize("path, value, message", [
    (["format"], "sql", 'format: expected "openpreboot"'),
    (["format"], None, 'format: expected "openpreboot"'),
    (["version"], 5, "version: 5 is newer than this program, which knows up to 4; use the newer"),
    (["version"], "1", "version: expected a number from 1 to 4"),
    (["version"], 0, "version: expected a number from 1 to 4"),
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
    (["sightings"], [{"uuid": UUIDS[0], "mac": "02:00:00:00:00:01"}],
     'sightings[0].uuid: "uuids" does not have this UUID'),
    (["sightings"], [{"uuid": UUIDS[0], "mac": "00:00:00:00:00:00"}],
     "sightings[0].mac: expected a machine's MAC"),
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
    assert re.fullmatch(
        f"prebootctl: {tmp_path}/data.json: \\d+ errors?; nothing has been imported", last)
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
    assert errors[3:] == [
        f"prebootctl: {tmp_path}/data.json: 1000 errors; nothing has been imported"]
    result = run(tmp_path / "new.db", "--json", "import", tmp_path / "data.json")
    assert result.returncode == 1 and result.stdout == ""
    whole = json.loads(result.stderr)
    assert whole["error"]["message"] == errors[3].removeprefix("prebootctl: ")
    assert [e.get("more") for e in whole["errors"]] == [None, None, 997]
    second = whole["errors"][1]
    assert f"{tmp_path}/data.json:{second['line']}: {second['text']}" == errors[1]


def test_errors_of_many_kinds_come_to_an_end(tmp_path):
    data = json.loads(json.dumps(SMALL))
    data["devices"] = [{"name": f"x{i}", "macs": [], "folder": f"/none{i}"} for i in range(100)]
    (tmp_path / "data.json").write_text(json.dumps(data, indent=1))
    errors = run(tmp_path / "new.db", "import", tmp_path / "data.json").stderr.splitlines()
    assert len(errors) == 22 and "and 80 more errors" in errors[-2]
    assert ": 100 errors; nothing has been imported" in errors[-1]
