# SPDX-License-Identifier: BSD-2-Clause
"""What is decided of UUIDs, and what they came with, is exported and imported with the rest."""

import json
import sqlite3

from dataset import run
from small_site import SMALL, UUIDS, exported


def test_uuid_decisions_are_kept(ctl, tmp_path):
    """What is known and decided of UUIDs is the same in the new database."""
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


def test_sightings_are_kept(ctl, tmp_path):
    """What a UUID came with is what an administrator decides by, whatever it was."""
    sightings = [(UUIDS[0], bytes(6), "Dell Inc. XPS", "5CG1", ""),
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
        for word, *rest in sightings:
            db.execute("INSERT INTO witness VALUES (?, ?, ?, ?, ?, 8, 9)",
                       (bytes.fromhex(word.replace("-", "")), *rest))
        db.execute("INSERT INTO card VALUES (1, x'030000000002', 'Dell Inc. XPS', '5CG1', '', 7)")
        db.execute("UPDATE device SET claim_mac = x'030000000003' WHERE id = 2")
    db.close()
    before = exported(ctl.database)
    assert len(json.loads(before)["sightings"]) == 4 and json.loads(before)["version"] == 4
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
    del data["sightings"]
    (tmp_path / "old.json").write_text(json.dumps(data | {"version": 1}))
    assert run(tmp_path / "new.db", "import", "--replace", tmp_path / "old.json").returncode == 0
    assert exported(tmp_path / "new.db") == before
    (tmp_path / "none.json").write_text(json.dumps(data | {"sightings": []}))
    assert run(tmp_path / "new.db", "import", "--replace", tmp_path / "none.json").returncode == 0
    assert json.loads(exported(tmp_path / "new.db"))["sightings"] == []
    # Each is there once.
    data["sightings"] = [{"uuid": UUIDS[0], "mac": "02:00:00:00:00:01"}] * 2
    (tmp_path / "twice.json").write_text(json.dumps(data))
    result = run(tmp_path / "new.db", "import", "--replace", tmp_path / "twice.json")
    assert "sightings[1]: it is there already" in result.stderr


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
