# SPDX-License-Identifier: BSD-2-Clause
"""Devices, and prebootctl itself, as an administrator types it."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import tempfile

import pytest

import policy
from policy import BUILD

MAC = "52:54:00:12:34:56"
UUID = "4c4c4544-0034-4d10-8052-b4c04f4a3232"


# --- devices ---------------------------------------------------------------------


@pytest.mark.parametrize("spelling", [
    "52:54:00:AB:cd:56", "52-54-00-ab-CD-56", "5254.00ab.cd56", "525400ABCD56"])
def test_mac_in_any_spelling(ctl, spelling):
    ctl("device", "add", "web01", "--mac", spelling)
    assert ctl.json("device", "show", "5254.00ab.cd56")["macs"] == ["52:54:00:ab:cd:56"]


@pytest.mark.parametrize("spelling", [
    UUID, UUID.upper(), UUID.replace("-", ""), "{" + UUID + "}", "urn:uuid:" + UUID])
def test_uuid_in_any_spelling(ctl, spelling):
    ctl("device", "add", "web01", "--uuid", spelling)
    assert ctl.json("device", "show", UUID)["uuid"] == UUID


def test_add_list_show_remove(ctl):
    assert ctl("device", "add", "web01", MAC, "02:00:00:00:00:01", UUID) == "device web01 added\n"
    ctl("device", "add", "db01", "--mac", "02:00:00:00:00:02")
    assert [d["name"] for d in ctl.json("device", "list")] == ["db01", "web01"]
    assert ctl.json("device", "show", "WEB01") == {
        "name": "web01", "macs": ["02:00:00:00:00:01", MAC], "uuid": UUID, "isd": None,
        "seen": None, "folder": "/", "groups": [], "settings": {}, "assignments": [],
        "job": None, "events": [], "added": ctl.json("device", "show", MAC)["added"]}
    table = ctl("device", "list").splitlines()
    assert re.fullmatch(r"DEVICE +FOLDER +MAC OR UUID +FW +NEWEST JOB +LAST SEEN", table[0])
    assert table[1].split() == ["db01", "/", "02:00:00:00:00:02", "-", "-", "never"]
    assert ctl("device", "remove", MAC) == "device web01 removed\n"
    assert [d["name"] for d in ctl.json("device", "list")] == ["db01"]
    assert 'unknown device "web01"' in ctl.fails(1, "device", "show", "web01")


@pytest.mark.parametrize("arguments, expected", [
    (["web01"], "needs a MAC or UUID"),
    (["web01", "--mac", "52:54:00:12:34"], "expected six bytes, as in 52:54:00:12:34:56"),
    (["web01", "--mac", "52:54:00:12:34:5g"], "not a MAC address"),
    (["web01", "--mac", "ff:ff:ff:ff:ff:ff"], "a group's"),
    (["web01", "--mac", "00:00:00:00:00:00"], "no machine has this address"),
    (["web01", "--uuid", "4c4c4544-0034"], "not a UUID; expected 32 hexadecimal digits"),
    (["web01", "--uuid", "00000000-0000-0000-0000-000000000000"], "placeholder"),
    (["web01", "--uuid", "03000200-0400-0500-0006-000700080009"], "placeholder"),
    (["web 01", "--mac", MAC], "not a name for a device"),
    (["../web", "--mac", MAC], "not a name for a device"),
    (["a" * 64, "--mac", MAC], "1 to 63"),
    (["12", "--mac", MAC], "not all digits"),
    (["525400123456", "--mac", MAC], "not a name"),
    ([], "device add: missing argument NAME"),
    (["web01", "--mac"], "--help"),
    (["web01", "--config", "a.cfg"], 'not for "device add"')])
def test_bad_device(ctl, arguments, expected):
    assert expected in (ctl.run("device", "add", *arguments).stderr)
    ctl.fails(2, "device", "add", *arguments) if "--mac" != (arguments or [""])[-1] else None
    assert not ctl.database.exists() or ctl.json("device", "list") == []


def test_addresses_belong_to_one_device(ctl):
    ctl("device", "add", "web01", "--mac", MAC, "--uuid", UUID)
    assert f"MAC {MAC} is that of device web01 already" in \
        ctl.fails(1, "device", "add", "db01", "--mac", "02:00:00:00:00:01", "--mac", MAC)
    assert f"UUID {UUID} is that of device web01 already" in \
        ctl.fails(1, "device", "add", "db01", "--uuid", UUID)
    assert "device web01 already exists" in ctl.fails(1, "device", "add", "WEB01",
                                                      "02:00:00:00:00:01")
    assert len(ctl.json("device", "list")) == 1


# --- the programs themselves -----------------------------------------------------


def test_short_forms_and_help(ctl):
    ctl("dev", "add", "web01", MAC)
    assert ctl("d", "li") == ctl("d", "ls") == ctl("device", "list") == ctl("device")
    assert "expected one of device, explain, folder, group" in ctl.fails(2, "thing", "list")
    assert "add, change, list, show, remove, trace" in ctl.fails(2, "device", "bogus")
    for words in ((), ("device",), ("job", "assign"), ("event", "list")):
        assert "prebootctl" in ctl(*words, "--help")
    for program in ("prebootd", "prebootctl", "prebootwork", "isdctl"):
        for option in ("--help", "--version"):
            result = subprocess.run([BUILD / program, option], capture_output=True, text=True,
                                    timeout=10, check=True)
            assert program in result.stdout and result.stderr == ""


def test_names_of_before(ctl):
    """They still work, and no text lists them."""
    ctl("device", "add", "web01", MAC)
    ctl("work", "assign", "web01", "--config", "z.cfg")
    assert ctl.json("work", "list") == ctl.json("job", "list") != []
    assert ctl.json("stranger", "list") == ctl.json("unknown", "list") == []
    assert not re.search(r"^  (work|stranger) ", ctl("--help"), re.MULTILINE)


def test_manual_has_every_verb(ctl):
    manual = (BUILD / "prebootctl.8").read_text().replace("\\-", "-")
    assert "@COMMANDS@" not in manual and manual.count(".SH OPTIONS") == 1
    nouns = re.findall(r"^  ([a-z]+)  ", ctl("--help"), re.MULTILINE)
    assert len(nouns) > 20
    for noun in nouns:
        text = ctl(noun, "--help")
        for verb in re.findall(r"^prebootctl ([a-z]+(?: [a-z]+)?)", text, re.MULTILINE):
            assert f"\n.TP\n\\fB{verb}\\fR " in manual, verb
        for option in re.findall(r"^    (--[a-z-]+)", text, re.MULTILINE):
            assert f"\n.TP\n\\fB{option}\\fR" in manual, option


@pytest.mark.parametrize("words, expected", [
    ("group l", '"l" could be list or leave'), ("ex", '"ex" could be explain or export'),
    ("bundle r x", '"r" could be rename or remove'), ("b list", '"b" could be bundle or backup'),
    ("device re x", '"re" could be remove, rename or release'),
    ("device a", '"a" could be add or admit'),
    ("m", '"m" could be multicast or menu'),
    ("devcie list", 'unknown command "devcie"; did you mean device?; expected one of device, '),
    ("device lsit", 'unknown command "device lsit"; did you mean list?; expected one of add, '),
    ("xyz", 'unknown command "xyz"; expected one of device, explain'),
    ("device " + "x" * 60, 'x"; expected one of add'),
    ("complet", 'unknown command "complet"; expected one of')])
def test_words_that_are_not_clear(ctl, words, expected):
    assert expected in ctl.fails(2, *words.split())


@pytest.mark.parametrize("words", [["menu-mode"], ["menu-mode", "hotkey"]])
def test_setting_without_a_value(ctl, words):
    assert "menu-mode: expected menu-mode=VALUE, which is never, always or hotkey" in \
        ctl.fails(2, "settings", "set", *words)
    ctl("device", "add", "menu-mode", MAC)
    ctl("settings", "set", "menu-mode", "menu-mode=always")
    assert ctl.json("settings", "show", "menu-mode")["menu-mode"]["from"] == "device"


@pytest.mark.parametrize("words, shown", [
    (["bundle", "add", "y", "--config", "a\nb"], "--config a\\x0ab: not a file name"),
    (["device", "add", "\x1b[31mred", MAC], "\\x1b[31mred: not a name"),
    (["de\tvice"], 'unknown command "de\\x09vice"'),
    (["stats", "\x7f"], "\\x7f: unexpected argument\nprebootctl stats"),
    (["rule", "add", "x", "--bundle", "x", "maker\x1b =\n= x"], "wrong at column")])
def test_control_characters_in_errors(ctl, words, shown):
    ctl("bundle", "add", "x")
    error = ctl.fails(2, *words)
    assert shown in error and not re.search(r"[\0-\x09\x0b-\x1f\x7f]", error)


def test_help_as_a_word(ctl):
    assert ctl("help") == ctl("--help")
    assert ctl("help", "device") == ctl("device", "help") == ctl("device", "--help")
    assert ctl("help", "dev", "add") == ctl("device", "help", "add") == \
        ctl("device", "add", "--help")
    assert ctl("help", "stats") == ctl("stats", "--help")
    ctl("device", "add", "help", MAC)  # may be the name of a device
    assert ctl.json("device", "show", "help")["name"] == "help"


def test_table_fits_the_terminal(ctl):
    ctl("device", "add", "w" * 60, MAC)
    ctl("job", "assign", "w" * 60, "--config", "c" * 120)
    lines = ctl.on_terminal("job", "list")
    assert len(lines) == 2 and all(len(line) <= 80 for line in lines)
    assert "~" in lines[1]


def test_tables_cut_texts_alone(ctl):
    """Times, addresses, states and numbers stay whole on a terminal."""
    ctl("folder", "add", "/" + "f" * 30)
    ctl("device", "add", "w" * 30, MAC, "--folder", "/" + "f" * 30)
    ctl("job", "assign", "w" * 30, "--config", "z_auto.cfg")
    ctl("job", "cancel", "w" * 30)
    with sqlite3.connect(ctl.database) as database:
        database.execute("UPDATE job SET reason = ?", ["r" * 60])
        database.execute("UPDATE event SET reason = ?", ["r" * 60])
    database.close()
    for words in ("device list", "job list", "event list"):
        cut, whole = ctl.on_terminal(*words.split()), ctl(*words.split()).splitlines()
        assert [line for line in cut if len(line) > 80] == []
        for word in re.findall(r"\S+", "\n".join(whole[1:])):
            assert word in "\n".join(cut) or re.match(r"/?([wfr])\1|z_auto", word), word


@pytest.mark.parametrize("columns, width", [
    ("76", 76), ("100", 100), ("1000", 170), ("", 170), ("0", 170), ("wide", 170), ("60x", 170)])
def test_width_from_the_environment(ctl, columns, width, monkeypatch):
    ctl("device", "add", "w" * 60, MAC)
    ctl("job", "assign", "w" * 60, "--config", "c" * 60)
    monkeypatch.setenv("COLUMNS", columns)
    longest = max(map(len, ctl("job", "list").splitlines()))
    assert longest <= width if width < 170 else longest > 160


def test_database_that_is_not_there(ctl):
    assert "there is no such database" in ctl.fails(1, "device", "list")
    assert not ctl.database.exists()


NOBODY, DAEMON = 65534, 1


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to become another user")
@pytest.mark.parametrize("owner, mode, folder_mode, expected", [
    (DAEMON, 0o600, 0o755, "run prebootctl as root or as user daemon, as in \"sudo prebootctl"),
    (DAEMON, 0o644, 0o755, "run prebootctl as root or as user daemon, as in"),
    (DAEMON, 0o600, 0o700, "run prebootctl as root or as user daemon, as in"),
    (0, 0o600, 0o755, "run prebootctl as root, as in"),
    (54321, 0o600, 0o755, "run prebootctl as root, as in"),
    (NOBODY, 0o000, 0o755, "Permission denied")])
def test_database_of_another_user(ctl, owner, mode, folder_mode, expected):
    ctl("device", "add", "web01", MAC)
    with tempfile.TemporaryDirectory() as folder:
        database = shutil.copy(ctl.database, folder)
        program = shutil.copy(BUILD / "prebootctl", tempfile.mkdtemp(dir="/tmp"))
        os.chmod(os.path.dirname(program), 0o755)
        os.chown(folder, owner, -1)
        os.chown(database, owner, -1)
        os.chmod(database, mode)
        os.chmod(folder, folder_mode)
        for words in (["list"], ["add", "db01", "02:00:00:00:00:01"]):
            result = subprocess.run([program, "-d", database, "device", *words], user=NOBODY,
                                    group=NOBODY, extra_groups=[], capture_output=True,
                                    text=True, timeout=10, check=False)
            assert result.returncode == 1 and result.stdout == ""
            assert database in result.stderr and expected in result.stderr
        shutil.rmtree(os.path.dirname(program))


@pytest.mark.parametrize("kind", ["foreign", "newer", "damaged", "folder"])
def test_database_that_is_not_right(ctl, kind):
    if kind == "folder":
        ctl.database.mkdir()
    elif kind == "foreign":
        ctl.database.write_text("milk, bread\n" * 1000)
    else:
        ctl("device", "add", "web01", MAC)
    if kind == "newer":
        with sqlite3.connect(ctl.database) as database:
            database.execute("PRAGMA user_version = 99")
        database.close()
    if kind == "damaged":
        data = bytearray(ctl.database.read_bytes())
        data[4096:8192] = b"\xa5" * 4096
        ctl.database.write_bytes(data)
    before = None if kind == "folder" else ctl.database.read_bytes()
    for command in (["prebootctl", "device", "add", "db01", MAC], ["prebootctl", "device", "list"],
                    ["prebootd", "--listen", "127.0.0.1:0", *policy.AS_ROOT]):
        result = subprocess.run([BUILD / command[0], "--database", ctl.database, *command[1:]],
                                capture_output=True, text=True, timeout=10, check=False)
        assert result.returncode == 1 and str(ctl.database) in result.stderr
    if before is not None:
        assert ctl.database.read_bytes() == before
    assert set(os.listdir(ctl.folder)) - {"test.db.lock"} == {"test.db"}


# --- several devices, folders and groups ------------------------------------------


@pytest.fixture
def many(ctl):
    ctl("folder", "add", "/lab", "/lab/west")
    for number, folder in enumerate(("/", "/lab", "/lab/west", "/lab"), 1):
        ctl("device", "add", f"pc{number}", f"02:00:00:00:00:0{number}", "--folder", folder)
    ctl("group", "add", "kiosks", "pc1", "pc4")
    return ctl


@pytest.mark.parametrize("words, names", [
    ([], "pc1 pc2 pc3 pc4"), (["/lab"], "pc2 pc3 pc4"), (["group:kiosks"], "pc1 pc4"),
    (["pc3", "pc1"], "pc3 pc1"), (["pc4", "/lab", "group:kiosks"], "pc4 pc2 pc3 pc1"),
    (["/lab", "--group", "kiosks"], "pc4"), (["/", "--seen"], ""), (["pc1", "pc2", "--seen"], "")])
def test_targets_of_lists(many, words, names):
    """Each device is listed once, in the order of the words."""
    assert [d["name"] for d in many.json("device", "list", *words)] == names.split()
    assert [d["name"] for d in many.json("inventory", *words)] == names.split()
    lines = many("device", "list", *words).splitlines()
    assert [line.split()[0] for line in lines[1:]] == names.split()
    lines = many("device", "list", "--csv", *words).splitlines()
    assert lines[0] == "name,mac,uuid,isd,folder,group"
    assert [line.split(",")[0] for line in lines[1:]] == names.split()


@pytest.mark.parametrize("words, names", [
    (["/lab"], "pc2 pc3 pc4"), (["group:kiosks"], "pc1 pc4"), (["pc3", "pc1", "pc3"], "pc3 pc1"),
    (["pc4", "/lab", "group:kiosks"], "pc4 pc2 pc3 pc1"), (["/lab/west"], "pc3")])
def test_explain_targets(many, words, names):
    """Each explanation begins with the name of its machine."""
    assert [e["machine"] for e in many.json("explain", *words)] == names.split()
    parts = many("explain", *words).split("\n\nif it asked now: ")
    assert len(parts) == len(names.split()) + 1
    assert [part.split("\n  last seen")[0].split("\n")[-1] for part in parts[:-1]] == names.split()


def test_explain_one(many):
    assert many.json("explain", "pc1")["machine"] == "pc1"
    assert "unknown device" in many.fails(1, "explain", "pc1", "nobody")
    assert "unknown folder" in many.fails(1, "explain", "/none")


def test_trace_targets(many):
    """Those that have no such boot are named too; for one device that is an error."""
    with sqlite3.connect(many.database) as db:
        for device, boot in ((2, b"a" * 16), (2, b"b" * 16), (4, b"c" * 16)):
            db.execute("INSERT INTO event (device, job, time, time_ms, boot, step, reason, "
                       "milliseconds)"
                       " SELECT id, 0, 1, 0, ?, 'hardware', 'a PC', 12 FROM device WHERE name = ?",
                       (boot, f"pc{device}"))
    db.close()
    assert [(t["device"], t["boot"], t["boots"], len(t["events"]))
            for t in many.json("device", "trace", "/lab", "pc1")] == \
        [("pc2", 1, 2, 1), ("pc3", None, 0, 0), ("pc4", 1, 1, 1), ("pc1", None, 0, 0)]
    assert many.json("device", "trace", "pc2")["device"] == "pc2"
    text = many("device", "trace", "pc2", "pc3", "pc4", "--boot", "2")
    assert text.startswith("pc2, boot 2 of 2, ")
    assert text.endswith("\n\npc3: no boot is known\n\npc4: only 1 boot is known\n")
    assert "pc3: no boot is known" in many.fails(1, "device", "trace", "pc3")
    assert "only 1 boots of pc4" in many.fails(1, "device", "trace", "pc4", "--boot", "2")


def test_settings_of_several(many):
    assert many("settings", "set", "pc1", "/lab", "pc1", "attempts=5", "job-by-mac=yes") == \
        "settings of pc1, /lab: set attempts=5, job-by-mac=yes\n"
    shown = many.json("settings", "show", "pc1", "/lab")
    assert [one["target"] for one in shown] == ["pc1", "/lab"]
    assert [one["settings"]["attempts"] for one in shown] == [
        {"value": "5", "from": "device"}, {"value": "5", "from": "folder /lab"}]
    assert [line for line in many("settings", "list", "pc1", "/lab").splitlines()
            if line in ("pc1", "/lab", "")] == ["pc1", "", "/lab"]
    # All or none.
    assert "attempts is not set for pc2" in many.fails(1, "settings", "unset", "pc1", "pc2",
                                                       "attempts")
    assert many.json("settings", "show", "pc1")["attempts"]["from"] == "device"
    assert many("settings", "unset", "pc1", "/lab", "job-by-mac", "attempts") == \
        "settings of pc1, /lab: removed job-by-mac, attempts\n"
    assert many.json("settings", "show", "pc1")["attempts"]["from"] == "default"
    assert "unknown setting" in many.fails(2, "settings", "unset", "pc1", "pc2", "attempst")
    assert "groups have no settings" in many.fails(2, "settings", "set", "pc1", "group:kiosks",
                                                   "attempts=5")


@pytest.mark.parametrize("words, expected", [
    (["pc1", "pc2", "--group", "kiosks"], "as in group:kiosks"), (["/lab", "nobody"], "nobody"),
    (["group:kiosks", "--group", "kiosks"], "expected one group")])
def test_bad_targets_of_lists(many, words, expected):
    assert expected in many.run("device", "list", *words).stderr
    assert many.run("device", "list", *words).returncode


def test_remove_many(many):
    assert "unknown device" in many.fails(1, "device", "remove", "pc1", "nobody", "pc2")
    assert len(many.json("device", "list")) == 4
    many("job", "assign", "pc3", "--config", "z.cfg")
    assert "device pc3 has job 1" in many.fails(1, "device", "remove", "pc1", "/lab/west")
    assert many("device", "remove", "pc1", "/lab/west", "pc3", "--force") == "2 devices removed\n"
    assert many.json("device", "remove", "pc2") == {"removed": "pc2"}
    assert many.json("device", "remove", "/lab") == {"removed": ["pc4"]}
    assert many.json("device", "list") == []


def test_show_many(many):
    assert many.json("device", "show", "pc1")["name"] == "pc1"
    assert [d["name"] for d in many.json("device", "show", "/lab/west", "pc1")] == ["pc3", "pc1"]
    assert [d["name"] for d in many.json("device", "show", "/lab/west")] == ["pc3"]
    text = many("device", "show", "pc1", "pc2")
    assert text.startswith("pc1\n") and "\n\npc2\n" in text


def test_release_many(many):
    with sqlite3.connect(many.database) as db:
        for number in (2, 4):
            db.execute("UPDATE device SET claim_uuid = ? WHERE name = ?",
                       [bytes([number] * 16), f"pc{number}"])
    db.close()
    assert "pc1 is bound to no machine" in many.fails(1, "device", "release", "pc1")
    assert many("device", "release", "/lab") == "2 devices released, 1 bound to no machine\n"
    assert many("device", "release", "/lab") == "0 devices released, 3 bound to no machine\n"


# --- what it says ------------------------------------------------------------------


def test_settings_are_confirmed(many):
    assert many("settings", "set", "/lab", "attempts=5", "deadline=2h") == \
        "settings of /lab: set attempts=5, deadline=2h\n"
    assert many("settings", "set", "menu-mode=never") == \
        "settings of all devices: set menu-mode=never\n"
    assert many("settings", "unset", "/lab", "attempts") == "settings of /lab: removed attempts\n"
    assert many.json("settings", "set", "pc1", "attempts=2")["attempts"] == {
        "value": "2", "from": "device"}
    assert "did you mean menu-mode?" in many.fails(2, "settings", "set", "menu-mod=always")


@pytest.mark.parametrize("status, words", [
    (1, ["device", "show", "nobody"]), (2, ["devcie", "list"]), (2, ["device", "add"]),
    (2, ["device", "list", "--gruop", "x"]), (2, ["device", "list", "--group"]),
    (1, ["device", "show", "\x1b[2J\n"]), (2, ["rule", "test", "vendor = x"]),
    (2, ["rule", "add", "x", "--bundle", "b", "memory >"])])
def test_errors_as_json(ctl, status, words):
    ctl("bundle", "add", "b")
    if "\x1b" in words[-1]:
        status = 2  # it cannot be the name of a device
    result = ctl.run("--json", *words)
    shown = json.loads(result.stderr)
    assert (result.returncode, result.stdout, shown["error"]["status"]) == (status, "", status)
    text = ctl.run(*words).stderr.removeprefix("prebootctl: ")
    assert text.startswith(shown["error"]["message"])


@pytest.mark.parametrize("words, expected", [
    ("device list --gruop x", 'unknown option "--gruop"; did you mean --group?'),
    ("device list --colour", 'unknown option "--colour"; try'),
    ("device list --seen=yes", "--seen takes no value"), ("device list -x", 'unknown option "-x"'),
    ("device list --group", "--group: missing value"), ("-d", "-d: missing value"),
    ("bundle rename x y z", "z: unexpected argument"),
    ("rule test memory 8G", "quote the filter, as in 'memory > 8G'"),
    ("device move web01", "device move: missing argument FOLDER"),
    ("device move", "device move: missing argument TARGET"),
    ("bundle rename x", "bundle rename: missing argument NEWNAME")])
def test_errors_name_what_is_missing(ctl, words, expected):
    ctl("bundle", "add", "b")
    assert expected in ctl.fails(2, *words.split())


def test_inventory_as_csv(many):
    with sqlite3.connect(many.database) as db:
        db.execute("UPDATE device SET name = 'pc-1' WHERE name = 'pc1'")
    db.close()
    lines = many("inventory", "--csv", "group:kiosks").splitlines()
    assert lines == ["name,manufacturer,product,serial,processor,cores,memory_mib,disks_mib,"
                     "firmware,last_seen", "pc-1,,,,,,,,,", "pc4,,,,,,,,,"]
