# SPDX-License-Identifier: BSD-2-Clause
"""Devices from comma-separated values."""

import csv
import io
import json
import random
import sqlite3

import pytest

from dataset import create, run

MAC = "52:54:00:12:34:56"
UUID = "4c4c4544-0034-4d10-8052-b4c04f4a3232"


@pytest.fixture
def database(tmp_path):
    """One with a folder /site/lab, a group kiosks, and a device old."""
    return create(tmp_path / "test.db", """
        INSERT INTO folder VALUES (1, NULL, 'site'), (2, 1, 'lab');
        INSERT INTO device_group VALUES (1, 'kiosks'), (2, 'web');
        INSERT INTO device (id, name, added) VALUES (1, 'old', 5);
        INSERT INTO mac VALUES (x'020000000001', 1);
    """)


def load(database, text, *options):
    """Imports text, or bytes as they are, from a file called d.csv."""
    data = text if isinstance(text, bytes) else text.encode()
    (database.parent / "d.csv").write_bytes(data)
    result = run(database, "device", "import", *options, database.parent / "d.csv")
    result.stderr = result.stderr.replace(f"{database.parent}/", "")
    return result


def devices(database):
    data = json.loads(run(database, "export").stdout)
    return {d["name"]: d for d in data["devices"] if d["name"] != "old"}


@pytest.mark.parametrize("text", [
    f"name,mac,uuid,isd,folder,group\nweb01,{MAC},{UUID},,/site/lab,kiosks web\n",
    f"NAME,MAC,UUID,ISD,Folder,Group\r\nweb01,{MAC},{UUID},,/site/lab,\"web,kiosks\"\r\n",
    f"\ufeffname;mac;uuid;folder;group\nweb01;525400123456;{UUID};/site/lab;web kiosks",
    f'group,folder,uuid,mac,name\n\n"kiosks\nweb","/site/lab",{UUID.upper()},'
    f'"{MAC} {MAC}","web01"\n\n'])
def test_ways_to_write_it(database, text):
    result = load(database, text)
    assert result.returncode == 0 and result.stderr == ""
    assert result.stdout == "1 device added, 0 changed, 0 unchanged; 0 folders and 0 groups made\n"
    device = devices(database)["web01"]
    assert (device["macs"], device["uuid"], device["folder"], device["groups"]) == \
        ([MAC], UUID, "/site/lab", ["kiosks", "web"])


@pytest.mark.parametrize("text", [
    "sep=;\r\nname;mac\r\npc1;@\r\n", "\ufeffsep=;\nname;mac\npc1;@\n",
    '"sep=;"\nname;mac\npc1;@\n',
    "SEP=,\nname,mac\npc1,@", "sep=\t\nname\tmac\npc1\t@\n", "sep=;;\nname;mac\npc1;@\n",
    "name\tmac\npc1\t@\n", "name;mac\n;;\n;\npc1;@\n;;\n;;\n",
    "name,mac\r\n,,\r\npc1,@\r\n , ,\r\n,,",
    "name\tmac\n\t\t\npc1\t@\n\t\n", "name,mac\npc1,@\n\x1a", "name,mac\npc1,@\x1a\r\n",
    ",,\nname,mac\npc1,@\n"])
def test_what_spreadsheets_leave(database, text):
    result = load(database, text.replace("@", MAC))
    assert result.returncode == 0 and result.stderr == "", result
    assert devices(database)["pc1"]["macs"] == [MAC]


@pytest.mark.parametrize("field, macs", [
    ("5254-0012-3406", ["52:54:00:12:34:06"]), ("52:54:0:12:34:8", ["52:54:00:12:34:08"]),
    ("0x525400123406", ["52:54:00:12:34:06"]), ("52 54 00 12 34 06", ["52:54:00:12:34:06"]),
    ("5254.0012.3406 52:54:00:12:34:07", ["52:54:00:12:34:06", "52:54:00:12:34:07"]),
    ("52 54 00 12 34 06;  52 54 00 12 34 07 ", ["52:54:00:12:34:06", "52:54:00:12:34:07"])])
def test_spellings_of_macs(database, field, macs):
    assert load(database, f'name,mac\npc1,"{field}"\n').returncode == 0
    assert devices(database)["pc1"]["macs"] == macs
    for i, mac in enumerate(macs):  # all tools have one parser
        assert run(database, "device", "show", mac).returncode == 0
    if len(macs) == 1:
        run(database, "device", "remove", "pc1")
        assert run(database, "device", "add", "pc1", "--mac", field).returncode == 0
        assert run(database, "device", "show", field).returncode == 0


@pytest.mark.parametrize("field",
                         ["5 2 5 4 0 0", "52 54 00 12 34", "0x52540012340", "5254-00123406"])
def test_what_might_be_two_macs_or_none(database, field):
    result = load(database, f"name,mac\npc1,{field}\n")
    assert result.returncode == 1 and "d.csv:2:5: " in result.stderr
    assert "expected a machine's MAC address" in result.stderr


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("verb", [["device", "import"], ["import"], ["menu", "check"]])
def test_utf16_is_named(database, codec, verb):
    """By one function, in one line, whether there is a byte order mark or not."""
    path = database.parent / "d"
    path.write_bytes("name;mac\r\npc1;52:54:00:12:34:01\r\n".encode(codec))
    result = run(database, *verb, path)
    assert result.returncode == 1
    assert result.stderr == f"prebootctl: {path}: is UTF-16; save it as UTF-8\n"


def test_folders_are_made_where_wanted(database):
    text = ("name,mac,folder\na,02:00:00:00:00:02,/site/x/y\nb,02:00:00:00:00:03,/SITE/X\n"
            "c,02:00:00:00:00:04,/\n")
    result = load(database, text)
    assert result.returncode == 1
    assert result.stderr.splitlines() == [
        'd.csv:2:21: /site/x/y: no such folder; make it with "prebootctl folder add", or '
        "all with --create-folders",
        'd.csv:3:21: /SITE/X: no such folder; make it with "prebootctl folder add", or '
        "all with --create-folders",
        "prebootctl: d.csv: 2 errors; no device has been added or changed"]
    assert devices(database) == {}
    result = load(database, text, "--create-folders", "--json")
    assert json.loads(result.stdout) == {
        "devices": 3, "added": 3, "changed": 0, "unchanged": 0, "folders": 2, "groups": 0,
        "dry_run": False}
    assert [d["folder"] for d in devices(database).values()] == ["/site/x/y", "/site/x", None]


@pytest.mark.parametrize("text, errors", [
    ("", ["1:1: is empty"]),
    ("\n\n", ["1:1: is empty"]),
    ("group\n", ['1:1: there is no column "name"']),
    ("name,colour,mac,MAC\n",
     ["1:6: colour: no such column", "1:17: MAC: this column is there twice"]),
    ("name,mac\nweb01\n", ["2:1: 1 fields, but the first line has 2"]),
    (f"name,mac\nweb01,{MAC},x\n", ["2:1: 3 fields, but the first line has 2"]),
    ("name,mac\nweb 01,x\nweb02,01:00:00:00:00:00\n",
     ["2:1: web 01: expected a device's name", "2:8: x: expected a machine's MAC",
      "3:7: 01:00:00:00:00:00: expected a machine's MAC"]),
    (f"name,mac\n,{MAC}\nb,{MAC}\n",
     ["2:1: name: is missing", f"3:3: {MAC}: line 2 has it already"]),
    ("name,mac\nweb01,\n", ["2:1: web01: needs a MAC, a UUID or the device id"]),
    ("name,mac\nweb01,02:00:00:00:00:01\n", ["2:7: 02:00:00:00:00:01: device old has it already"]),
    ("name,mac\nb,02:00:00:00:00:02\nB,02:00:00:00:00:03\n", ["3:1: B: line 2 has it already"]),
    ("mac,folder\n02:00:00:00:00:09,/site\n", ["2:1: name: is missing, and no device has"]),
    ("name,mac\nold,-\n", ["2:1: old: needs a MAC, a UUID or the device id"]),
    ("name,uuid\na,03000200-0400-0500-0006-000700080009\nb,x\n",
     ["2:3: 03000200-0400-0500-0006-000700080009: a placeholder",
      "3:3: x: not a UUID; expected 32 hexa"]),
    (f"name,isd\na,{UUID}\nb,{UUID}\n", [f"3:3: {UUID}: line 2 has it already"]),
    (f"name,mac,folder,group\na,{MAC},site,nobody\n",
     ["2:21: site: expected the path of a folder", "2:26: nobody: no such group; make it"]),
    (f'name,mac\n"a,{MAC}\n', ["2:1: the quote is not closed"]),
    (f'name,mac\n"a"b,{MAC}\nc d,x\n', ["2:4: expected the end of the field",
                                         "3:1: c d: expected", "3:5: x: expected"]),
    (f'name,mac\na"b,{MAC}\n', ["2:2: a quote within a field"]),
    ('name,mac\n"a\n\n",x\nb b,x\n',
     ["2:1: a\\x0a\\x0a: expected a device's name", "4:3: x: expected",
                                       "5:1: b b: expected", "5:5: x: expected"]),
    ("näme;mac\n", ["1:1: näme: no such column"]),
    ("name,mac\näöü ,x\n", ["2:1: äöü : expected", "2:6: x: expected"]),
    ("name,mac\n" + ",".join("a" * 20) + "\nb b,x\n", ["2:33: too many fields",
                                                        "3:1: b b: expected", "3:5: x: expected"]),
])
def test_errors(database, text, errors):
    result = load(database, text)
    assert result.returncode == 1 and result.stdout == ""
    shown = ["1:1: " + t if not t[0].isdigit() else t
            for t in result.stderr.removeprefix("d.csv:").split("\nd.csv:")]
    shown[-1] = shown[-1].split("\nprebootctl: d.csv")[0]
    assert len(shown) == len(errors), result.stderr
    for line, expected in zip(shown, errors):
        assert line.startswith(expected), result.stderr
    plural = "s" if len(errors) > 1 else ""
    assert f"{len(errors)} error{plural}; no device has been added or changed" in \
        result.stderr
    assert devices(database) == {}


@pytest.mark.parametrize("data, message", [
    ("name,mac\n".encode("utf-16"), "is UTF-16; save it as UTF-8"),
    (b"name,mac\n\xe4,x\n", "is not text in UTF-8"),
    (b"name,mac\n\0,x\n", "is not text in UTF-8"),
    (b"name,mac\n\xc3", "is not text in UTF-8")])
def test_not_text(database, data, message):
    result = load(database, data)
    assert result.returncode == 1 and message in result.stderr


def test_a_thousand(database):
    rows = [["name", "mac", "uuid", "isd", "folder", "group"]]
    rows += [[f"pc{i:04}", f"02:00:00:01:{i >> 8:02x}:{i & 255:02x}", "", "",
              f"/site/room{i % 40}", "kiosks" if i % 3 else ""] for i in range(1000)]
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    result = load(database, out.getvalue(), "--create-folders")
    assert result.stdout == ("1000 devices added, 0 changed, 0 unchanged;"
                             " 40 folders and 0 groups made\n")
    # One wrong thing among them, and none is added.
    with sqlite3.connect(database) as db:
        db.execute("PRAGMA foreign_keys=ON")
        db.execute("DELETE FROM device WHERE name <> 'old'")
    db.close()
    rows[random.Random(1).randrange(1, 1000)][1] = "02:00:00:00:00:01"
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    result = load(database, out.getvalue(), "--create-folders")
    assert "device old has it already" in result.stderr and "1 error;" in result.stderr
    assert devices(database) == {}


def test_list_and_import(database, tmp_path):
    """What is listed can be imported elsewhere, and is listed the same there."""
    load(database,
         f"name,mac,uuid,isd,folder,group\nb,{MAC} 02:00:00:00:00:09,,,/site/lab,web kiosks\n"
         f"a,,{UUID},{UUID},,\n")
    text = run(database, "device", "list", "--csv").stdout
    assert text.splitlines() == [
        "name,mac,uuid,isd,folder,group", f"a,,{UUID},{UUID},,",
        f"b,02:00:00:00:00:09 {MAC},,,/site/lab,kiosks web", "old,02:00:00:00:00:01,,,,"]
    create(tmp_path / "new.db")
    for group in ("web", "kiosks"):
        run(tmp_path / "new.db", "group", "add", group)
    result = run(tmp_path / "new.db", "device", "import", "--create-folders", "-", input=text)
    assert result.stdout == ("3 devices added, 0 changed, 0 unchanged;"
                             " 2 folders and 0 groups made\n"), result.stderr
    assert run(tmp_path / "new.db", "device", "list", "--csv").stdout == text
    assert run(database, "device", "list", "--csv", "/site").stdout.splitlines()[1:] == \
        [f"b,02:00:00:00:00:09 {MAC},,,/site/lab,kiosks web"]


def test_uuids_that_tell_nothing(database):
    run(database, "uuid", "ignore", UUID)
    result = load(database, f"name,uuid\nnew,{UUID}\n")
    assert result.returncode == 1 and run(database, "device", "show", "new").returncode == 1
    assert result.stderr.startswith(f"d.csv:2:5: {UUID}: is ignored, so it identifies nobody; ")
    assert "prebootctl uuid allow" in result.stderr
    run(database, "uuid", "allow", UUID)
    assert load(database, f"name,uuid\nnew,{UUID}\n").returncode == 0


def test_other_byte_order(database):
    """Of a device that is there, or that another line adds: added, and reported."""
    swapped = "44454c4c-3400-104d-8052-b4c04f4a3232"
    result = load(database, f"name,uuid\none,{UUID}\ntwo,{swapped}\n")
    said = f"d.csv:3:5: warning: device two: {swapped} is the UUID of device one in the other"
    assert result.returncode == 0 and result.stderr.startswith(said)
    result = load(database, f"name,uuid\nthree,{UUID[:-1]}3\n")
    assert (result.returncode, result.stderr) == (0, "")
    result = load(database, f"name,uuid\nfour,{swapped[:-1]}3\n")
    assert result.returncode == 0
    assert "device four" in result.stderr and "device three" in result.stderr


CHANGES = f"""name,mac,uuid,folder,groups
old,02:00:00:00:00:01,,/site/lab,web kiosks
a,02:00:00:00:00:02,{UUID},/site,
b,02:00:00:00:00:03,,,new
"""


def test_same_file_again_changes_nothing(database):
    assert load(database, CHANGES, "--create-groups").stdout == \
        "2 devices added, 1 changed, 0 unchanged; 0 folders and 1 group made\n"
    before = run(database, "export").stdout
    assert load(database, CHANGES).stdout == \
        "0 devices added, 0 changed, 3 unchanged; 0 folders and 0 groups made\n"
    text = run(database, "device", "list", "--csv").stdout
    assert load(database, text).stdout == \
        "0 devices added, 0 changed, 3 unchanged; 0 folders and 0 groups made\n"
    assert run(database, "export").stdout == before


def test_known_devices_are_changed(database):
    """What a line names is replaced, "-" clears it, and an empty field leaves it."""
    load(database, CHANGES, "--create-groups")
    result = load(database, f"NAME,uuid,mac,folder,group\nOLD,{UUID[:-1]}3,,,web\na,-,,/,\n"
                            "b,,02:00:00:00:00:07 02:00:00:00:00:03,/site/lab,-\n", "--json")
    assert json.loads(result.stdout)["changed"] == 3, result.stderr
    data = {d["name"]: d for d in json.loads(run(database, "export").stdout)["devices"]}
    assert [data[n]["uuid"] for n in ("old", "a", "b")] == [f"{UUID[:-1]}3", None, None]
    assert [data[n]["folder"] for n in ("old", "a", "b")] == ["/site/lab", None, "/site/lab"]
    assert [data[n]["groups"] for n in ("old", "a", "b")] == [["web"], [], []]
    assert data["b"]["macs"] == ["02:00:00:00:00:03", "02:00:00:00:00:07"]
    steps = run(database, "event", "list", "old").stdout
    assert "moved" in steps and "to /site/lab" in steps and "group kiosks" in steps


@pytest.mark.parametrize("key", ["mac\n02:00:00:00:00:01", f"uuid\n{UUID}", f"isd\n{UUID}",
                                 f"mac,uuid\n02:00:00:00:00:01,{UUID}"])
def test_devices_are_known_by_what_they_have(database, key):
    run(database, "device", "change", "old", "--uuid", UUID, "--isd", UUID)
    head, line = key.split("\n")
    result = load(database, f"folder,{head}\n/site,{line}\n")
    assert result.returncode == 0 and "0 devices added, 1 changed" in result.stdout, result.stderr
    assert json.loads(run(database, "--json", "device", "show", "old").stdout)["folder"] == "/site"


def test_what_a_device_claimed_stays_until_it_changes(database):
    with sqlite3.connect(database) as db:
        db.execute("UPDATE device SET isd = ?, claim_mac = x'0200000000aa'", [b"\1" + bytes(15)])
    db.close()
    load(database, "name,mac,folder\nold,02:00:00:00:00:01,/site\n")
    with sqlite3.connect(database) as db:
        assert db.execute("SELECT claim_mac FROM device").fetchone()[0] == b"\2\0\0\0\0\xaa"
    db.close()


def test_an_error_applies_nothing(database):
    before = run(database, "export").stdout
    result = load(database, CHANGES + "c,nonsense,,,\n", "--create-groups")
    assert result.returncode == 1
    assert "1 error; no device has been added or changed" in result.stderr
    assert run(database, "export").stdout == before


def test_dry_run_says_what_would_change(database):
    before = run(database, "export").stdout
    text = CHANGES.replace("/site,", "/berlin/lab,")
    result = load(database, text, "--create-groups", "--create-folders", "--dry-run")
    assert result.stdout.splitlines() == [
        "add folder /berlin", "add folder /berlin/lab", "add group new",
        'change device old: folder "/" -> "/site/lab", group "" -> "web kiosks"',
        f'add device a: mac "02:00:00:00:00:02", uuid "{UUID}", folder "/berlin/lab"',
        'add device b: mac "02:00:00:00:00:03", group "new"',
        "dry run, nothing is stored: 2 devices added, 1 changed, 0 unchanged; "
        "2 folders and 1 group made"]
    changes = json.loads(load(database, text, "--create-groups", "--create-folders", "--dry-run",
                              "--json").stdout)
    assert changes["dry_run"] and changes["changes"][3] == {
        "change": "change", "device": "old",
        "fields": {"folder": ["/", "/site/lab"], "group": ["", "web kiosks"]}}
    assert run(database, "export").stdout == before
    assert load(database, "name\nnew\n", "--dry-run").returncode == 1


def test_repeated_errors_are_summed_up(database):
    rows = "".join(f"pc{i},02:00:00:00:01:{i:02x},/berlin/lab,nobody\n" for i in range(30))
    result = load(database, "name,mac,folder,group\n" + rows + "x x,,,\n")
    assert [line.split("; ")[0] for line in result.stderr.splitlines()] == [
        "d.csv:2:23: /berlin/lab: no such folder", "d.csv:2:35: nobody: no such group",
        result.stderr.splitlines()[2], "prebootctl: d.csv: 61 errors"]
    assert all(line.endswith(" (and 29 more like this)") for line in result.stderr.splitlines()[:2])
    assert result.stderr.splitlines()[2].startswith("d.csv:32:1: x x: expected a device's name")
    # Of errors that name different values the first three are shown.
    result = load(database, "name,mac\n" + "".join(f"pc{i},x{i}\n" for i in range(1000)))
    lines = result.stderr.splitlines()
    assert [line.split(": ")[:2] for line in lines[:3]] == [[f"d.csv:{i + 2}:5", f"x{i}"]
                                                          for i in range(2)] + [["d.csv:4:5", "x2"]]
    assert lines[2].endswith(" (and 997 more like this)") and len(lines) == 4
    assert lines[3].startswith("prebootctl: d.csv: 1000 errors; ")


SWAP = "a,02:00:00:00:00:0b\nb,02:00:00:00:00:0a\n"


def two(database):
    """Adds the devices a and b, with a MAC, a UUID and a device id each."""
    assert load(database, "name,mac,uuid,isd\n" + "".join(
        f"{n},02:00:00:00:00:0{n},{UUID[:-1]}{n},{UUID[:-1]}{n}\n" for n in "ab")).returncode == 0


def test_devices_can_swap_what_they_are_known_by(database):
    """The file is taken as a whole: in the end nobody has what another has."""
    two(database)
    result = load(database, "name,mac\n" + SWAP)
    assert (result.returncode, result.stderr) == (0, ""), result
    assert "0 devices added, 2 changed, 0 unchanged" in result.stdout
    now = devices(database)
    assert (now["a"]["macs"], now["b"]["macs"]) == (["02:00:00:00:00:0b"], ["02:00:00:00:00:0a"])
    assert (now["a"]["uuid"], now["a"]["isd"]) == (f"{UUID[:-1]}a", f"{UUID[:-1]}a")
    assert load(database, f"name,uuid,isd\na,{UUID[:-1]}b,{UUID[:-1]}b\n"
                          f"b,{UUID[:-1]}a,{UUID[:-1]}a\n").returncode == 0
    now = devices(database)
    assert (now["b"]["uuid"], now["b"]["isd"]) == (f"{UUID[:-1]}a", f"{UUID[:-1]}a")
    assert now["b"]["macs"] == ["02:00:00:00:00:0a"]


def test_a_new_device_gets_what_another_gives_up(database):
    """In whatever order the lines are; round a circle of many too."""
    two(database)
    for lines in (["c,02:00:00:00:00:0a", "a,02:00:00:00:00:1a"],
                  ["a,02:00:00:00:00:1b", "d,02:00:00:00:00:1a"]):
        assert load(database, "\n".join(["name,mac"] + lines) + "\n").returncode == 0
    assert {n: d["macs"] for n, d in devices(database).items()} == {
        "a": ["02:00:00:00:00:1b"], "b": ["02:00:00:00:00:0b"],
        "c": ["02:00:00:00:00:0a"], "d": ["02:00:00:00:00:1a"]}
    rows = [f"pc{i},02:00:00:00:01:{i:02x}\n" for i in range(100)]
    load(database, "name,mac\n" + "".join(rows))
    random.Random(3).shuffle(rows)
    turned = [f"{row.split(',')[0]},02:00:00:00:01:{(int(row[2:row.index(',')]) + 1) % 100:02x}\n"
              for row in rows]
    assert "100 changed" in load(database, "name,mac\n" + "".join(turned)).stdout
    assert devices(database)["pc99"]["macs"] == ["02:00:00:00:01:00"]


@pytest.mark.parametrize("rows, errors", [
    # Two lines name it; one names what the other keeps; what a device outside of the file has.
    ("a,02:00:00:00:00:0c,\nb,02:00:00:00:00:0c,\n",
     ["3:3: 02:00:00:00:00:0c: line 2 has it already"]),
    ("a,02:00:00:00:00:0b,\nb,,/site\n",
     ["2:3: 02:00:00:00:00:0b: device b has it, and keeps it in line 3"]),
    ("b,,/site\na,02:00:00:00:00:0b,\n", ["3:3: 02:00:00:00:00:0b: line 2 has it already"]),
    ("a,02:00:00:00:00:0b,\n", ["2:3: 02:00:00:00:00:0b: device b has it already"]),
    ("a,,\nA,,/\n", ["3:1: A: line 2 has it already"]),
    # "a" does not give its MAC up, as nothing else would be left of it.
    ("old,-,\nnew,02:00:00:00:00:01,\n", ["2:1: old: needs a MAC, a UUID or the device id"])])
def test_real_duplicates(database, rows, errors):
    two(database)
    before = run(database, "export").stdout
    result = load(database, "name,mac,folder\n" + rows)
    assert result.returncode == 1 and run(database, "export").stdout == before
    lines = result.stderr.splitlines()[:-1]
    assert len(lines) == len(errors), result.stderr
    for line, error in zip(lines, errors):
        assert line.startswith("d.csv:" + error), result.stderr


def test_errors_as_json(database):
    """One object, and nothing else."""
    result = load(database, "name,mac\nx\ty,z\n" + "".join(f"pc{i},x\n" for i in range(9)),
                  "--json")
    assert result.returncode == 1 and result.stdout == ""
    errors = json.loads(result.stderr)
    name = str(database.parent / "d.csv")
    assert errors["error"] == {"status": 1, "message": "d.csv: 11 errors; no device has been added "
                                                       "or changed"}
    assert [(e["line"], e.get("column"), e.get("more")) for e in errors["errors"]] == \
        [(2, 1, None), (2, 5, None), (3, 5, None), (4, 5, 7)]
    assert errors["errors"][0]["text"].startswith("x\\x09y: expected a device's name")
    assert {name.endswith(e["file"]) for e in errors["errors"]} == {True}
    # A warning, of what is done, is in the object too.
    result = load(database, f"name,uuid\none,{UUID}\ntwo,44454c4c-3400-104d-8052-b4c04f4a3232\n",
                  "-j")
    assert (result.returncode, result.stderr) == (0, "")
    warning = json.loads(result.stdout)["warnings"][0]
    assert warning["line"] == 3 and warning["text"].startswith("warning: device two: ")


def test_import_dry_run(database, tmp_path):
    text = run(database, "export").stdout
    create(tmp_path / "new.db")
    result = run(tmp_path / "new.db", "import", "--dry-run", "-", input=text)
    assert result.returncode == 0
    assert result.stdout.startswith("dry run, nothing is stored; to be imported: ")
    assert json.loads(run(tmp_path / "new.db", "export").stdout)["devices"] == []
    result = run(tmp_path / "new.db", "import", "--dry-run", "-",
                 input=text.replace('"old"', '"o d"'))
    assert result.returncode == 1 and "nothing has been imported" in result.stderr
