# SPDX-License-Identifier: BSD-2-Clause
"""The audit trail: who changed what, from what to what."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import time

import pytest

import policy
from dataset import Dataset
from policy import BUILD

MACS = [f"02:00:00:00:00:0{i}" for i in range(8)]
UUID = "4c4c4544-0034-4d10-8052-b4c04f4a3232"


def records(ctl, *words):
    """Returns (command, noun, name, field, old, new) of each record."""
    return [tuple(r[key] for key in ("verb", "noun", "name", "field", "old", "new"))
            for r in ctl.json("audit", "list", *words)]


def last(ctl):
    with sqlite3.connect(ctl.database) as db:
        number = db.execute("SELECT ifnull(max(id), 0) FROM audit").fetchone()[0]
    db.close()
    return number


def fill(ctl, tmp_path):
    """Makes one of everything that a verb can change."""
    ctl("folder", "add", "/site")
    ctl("folder", "add", "/site/lab")
    for i, name in enumerate(("a", "b", "c")):
        ctl("device", "add", name, "--mac", MACS[i])
    ctl("group", "add", "kiosks", "a")
    ctl("bundle", "add", "win", "--config", "z.cfg", "image=win.img")
    ctl("assignment", "add", "win", "--to", "/site")
    ctl("rule", "add", "big", "--bundle", "win", "memory > 8G")
    ctl("rule", "add", "small", "--bundle", "win", "memory < 8G", "--disabled")
    for name in ("room", "hall"):
        ctl("multicast", "add", name, "--bundle", "win", "--clients", "2", "a")
    ctl("job", "assign", "c", "--bundle", "win")
    ctl("uuid", "ignore", UUID[:-1] + "9")
    ctl("settings", "set", "/", "menu-mode=always")
    with sqlite3.connect(ctl.database) as db:
        for i in (5, 6, 7):
            db.execute("INSERT INTO unknown_machine (mac, uuid, first, last, boots, address,"
                       " request, outcome) VALUES (?, zeroblob(16), 1, 1, 1, '', x'', '')",
                       [bytes.fromhex(MACS[i].replace(":", ""))])
        db.execute("UPDATE device SET isd = randomblob(16), claim_mac = x'0200000000aa'"
                   " WHERE name = 'c'")
        # A session that one has joined can be started.
        db.execute("UPDATE multicast SET last_joined = 5 WHERE name = 'room'")
        db.execute("UPDATE multicast_member SET joined = 5 WHERE multicast ="
                   " (SELECT id FROM multicast WHERE name = 'room')")
        db.execute("INSERT INTO job (device, state, attempt, attempts, deadline, assigned, offered,"
                   " loader_bios, loader_uefi, config, prefix, details, source, source_id)"
                   " SELECT id, 'offered', 1, 3, 60, 5, 5, 'x', '', 'z.cfg', '', x'', 'multicast',"
                   " (SELECT id FROM multicast WHERE name = 'room') FROM device WHERE name = 'a'")
        db.execute("UPDATE job SET state = 'offered', attempt = 1, offered = 5")
        db.execute("INSERT INTO offer (job, attempt, nonce, time) SELECT id, 1, randomblob(16), 5 "
                   "FROM job")
    db.close()
    (tmp_path / "d.csv").write_text(f"name,mac\nnew,{MACS[3]}\n")
    data = json.loads(ctl("export"))
    data["groups"].append({"name": "imported"})
    (tmp_path / "all.json").write_text(json.dumps(data))


# What each verb that writes can do to that, in an order in which it can.
WRITES = {
    "device add": "y --mac 02:00:00:00:00:04", "device change": "b --uuid " + UUID,
    "device move": "b /site", "device rename": "b bb", "device release": "c",
    "device admit": "02:00:00:00:00:05 admitted", "device import": "@d.csv", "device remove": "y",
    "folder add": "/x", "folder move": "/x /site", "folder rename": "/site/x w",
    "folder remove": "/site/w",
    "group add": "g", "group join": "g bb", "group leave": "g bb", "group rename": "g h",
    "group remove": "h",
    "unknown remove": "02:00:00:00:00:06",
    "uuid allow": UUID[:-1] + "8", "uuid ignore": UUID[:-1] + "7", "uuid forget": UUID[:-1] + "9",
    "bundle add": "x --config y.cfg", "bundle change": "x --attempts 4", "bundle rename": "x y",
    "bundle remove": "y",
    "assignment add": "win --to bb", "assignment remove": "win --to bb",
    "rule add": "r --bundle win 'memory > 1G'", "rule change": "r --repeat", "rule move": "r 1",
    "rule enable": "small", "rule disable": "small", "rule rename": "r s", "rule remove": "s",
    "multicast add": "m --bundle win --clients 3", "multicast change": "m --clients 4",
    "multicast join": "m bb", "multicast leave": "m bb", "multicast start": "room",
    "multicast end": "room", "multicast remove": "hall",
    "job release": "c", "job assign": "bb --config x.cfg", "job cancel": "bb", "job retry": "bb",
    "settings set": "/site hot-key-wait=5", "settings unset": "/site hot-key-wait",
    "import": "--replace @all.json",
}
READS = {
    "device list", "device show", "device trace", "explain", "folder list", "folder show",
    "group list", "group show", "unknown list", "unknown show", "uuid list", "uuid show",
    "inventory", "bundle list", "bundle show", "assignment list", "rule list", "rule show",
    "rule test", "rule facts", "multicast list", "multicast show", "job list", "job show",
    "event list", "audit list", "watch", "stats", "settings show", "menu check", "menu show",
    "menu passwd", "export", "check", "backup"}


def commands(ctl):
    """Returns all that can be typed, as --help has it."""
    found = set()
    for noun in re.findall(r"^  ([a-z]+)  ", ctl("--help"), re.M):
        found |= {re.match(r"prebootctl ([a-z]+(?: [a-z]+)?)(?= |$)", line).group(1)
                  for line in ctl("help", noun).splitlines() if line.startswith("prebootctl ")}
    return found


def test_every_verb_is_known_to_this_test(ctl):
    """A new verb is either one that reads, or it leaves a record, which the next test checks."""
    assert commands(ctl) == set(WRITES) | READS


def test_every_verb_that_writes_leaves_a_record(ctl, tmp_path):
    fill(ctl, tmp_path)
    for command, words in WRITES.items():
        before = last(ctl)
        words = words.replace("@", f"{tmp_path}/")
        words = ["r", "--bundle", "win", "memory > 1G"] if command == "rule add" else words.split()
        result = ctl.run(*command.split(), *words)
        assert result.returncode == 0, result
        assert last(ctl) > before, command
        assert records(ctl)[-1][0] == command


def test_what_reads_leaves_none(ctl, tmp_path):
    fill(ctl, tmp_path)
    before = last(ctl)
    for words in ("device list", "device show a", "explain a", "job list", "audit list", "check",
                  "uuid list", "inventory", "settings show", "export"):
        ctl.run(*words.split())
    ctl("backup", tmp_path / "copy.db")
    assert last(ctl) == before


def test_from_what_to_what(ctl):
    ctl("folder", "add", "/site")
    ctl("device", "add", "a", "--mac", MACS[0], "--folder", "/site")
    ctl("device", "change", "a", "--mac", MACS[0], "--mac", MACS[1])
    ctl("device", "rename", "a", "aa")
    ctl("bundle", "add", "win", "--config", "z.cfg", "image=win.img")
    ctl("bundle", "change", "win", "--deadline", "2h", "image=x.img")
    ctl("assignment", "add", "win", "--to", "/site", "--always")
    ctl("settings", "set", "/site", "menu-mode=always")
    ctl("settings", "set", "/site", "menu-mode=never")
    ctl("settings", "unset", "/site", "menu-mode")
    ctl("job", "assign", "aa", "--bundle", "win")
    ctl("job", "cancel", "aa")
    ctl("device", "remove", "aa")
    assert records(ctl) == [
        ("folder add", "folder", "/site", None, None, ""),
        ("device add", "device", "a", None, None, "folder /"),
        ("device add", "device", "a", "mac", None, MACS[0]),
        ("device add", "device", "a", "folder", "/", "/site"),
        ("device change", "device", "a", "mac", None, MACS[1]),
        ("device rename", "device", "a", "name", "a", "aa"),
        ("bundle add", "bundle", "win", None, None,
         "kind imaging, loader-bios as set, loader-uefi as set, config z.cfg, "
         "details image=win.img, "
         "completes agent"),
        ("bundle change", "bundle", "win", "details", "image=win.img", "image=x.img"),
        ("bundle change", "bundle", "win", "deadline", None, "2h"),
        ("assignment add", "assignment", "win to /site", None, None, "when always"),
        ("settings set", "settings", "/site", "menu-mode", None, "always"),
        ("settings set", "settings", "/site", "menu-mode", "always", "never"),
        ("settings unset", "settings", "/site", "menu-mode", "never", None),
        ("job assign", "job", "1 of aa", None, None,
         "bundle win, state pending, loader-bios pxelinux.0, loader-uefi syslinux.efi, "
         "loader-uefi-ia32 syslinux32.efi, loader-uefi-arm64 grubnetaa64.efi, config z.cfg, details image=x.img, attempts 3, deadline 2h"),
        ("job cancel", "job", "1 of aa", "state", "pending", "cancelled"),
        ("device remove", "device", "aa", None, f"folder /site, macs {MACS[0]} {MACS[1]}", None),
        ("device remove", "job", "1 of aa", None,
         "bundle win, state cancelled, loader-bios pxelinux.0, loader-uefi syslinux.efi, "
         "loader-uefi-ia32 syslinux32.efi, loader-uefi-arm64 grubnetaa64.efi, config z.cfg, details image=x.img, attempts 3, deadline 2h", None)]
    assert [r[0] for r in records(ctl, "win")] == ["bundle add", "bundle change", "bundle change",
                                                   "assignment add"]
    assert [r[2] for r in records(ctl, "--noun", "folder")] == ["/site"]
    assert [r[0] for r in records(ctl, "AA")] == [
        "device add", "device add", "device add", "device change", "device rename", "job assign",
        "job cancel", "device remove", "device remove"]
    last = records(ctl, "/site", "--noun", "settings", "--limit", "1")
    assert [r[3] for r in last] == ["menu-mode"]
    assert records(ctl, "--user", "nobody") == [] == records(ctl, "--since", "2099-01-01")
    for since in ("1h", "2020-01-01 10:00"):
        assert len(records(ctl, "--since", since)) == 17
    assert "--noun thing: expected one of device" in ctl.fails(2, "audit", "list", "--noun",
                                                               "thing")
    assert "expected a time" in ctl.fails(2, "audit", "list", "--since", "soon")
    text = ctl("audit", "list")
    assert re.search(r"root +settings set +settings +/site +menu-mode: always -> never\n", text)
    assert re.search(r"root +device change +device +a +mac added: 02:00:00:00:00:01\n", text)


def test_values_are_what_people_type(ctl):
    ctl("device", "add", "a", "--mac", MACS[0])
    ctl("bundle", "add", "win", "--config", "z.cfg", "--loader-bios", "", "--deadline", "90m")
    ctl("bundle", "change", "win", "--loader-bios", "x.0", "--deadline", "100s")
    ctl("assignment", "add", "win", "--to", "/", "--until", "2031-02-03 04:05")
    ctl("rule", "add", "r", "--bundle", "win", "--repeat", "memory > 2G")
    ctl("rule", "disable", "r")
    ctl("multicast", "add", "m", "--bundle", "win", "--clients", "2", "--wait", "2m")
    ctl("settings", "set", "a", "deadline=2d")
    ctl("settings", "unset", "a", "deadline")
    assert [r[3:] for r in records(ctl, "win") if r[1] == "bundle"] == [
        (None, None, "kind imaging, loader-bios none, loader-uefi as set, config z.cfg, "
                     "deadline 90m, completes agent"),
        ("loader-bios", "none", "x.0"), ("deadline", "90m", "100s")]
    assert records(ctl, "--noun", "assignment")[0][5] == "when until 2031-02-03 04:05:00"
    assert [r[3:] for r in records(ctl, "r")] == [
        (None, None, "position 1, bundle win, applies known, filter memory > 2G, repeat yes, "
                     "enabled yes"),
        ("enabled", "yes", "no")]
    assert records(ctl, "m")[0][5] == "bundle win, clients 2, wait 2m, state waiting"
    text = ctl("audit", "list", "a")
    assert "deadline set: 2d\n" in text and "deadline unset, was: 2d\n" in text


def test_what_goes_with_a_thing(ctl):
    """What is removed with a device, group, folder or session is recorded, each once."""
    for words in ("folder add /f", "device add a --mac " + MACS[0], "device add b --mac " + MACS[1],
                  "group add g a b", "bundle add win --config z.cfg", "assignment add win --to a",
                  "assignment add win --to group:g", "assignment add win --to /f",
                  "multicast add m --bundle win --clients 2 a b", "settings set a attempts=4",
                  "settings set /f attempts=5", "job assign a --bundle win"):
        ctl(*words.split())

    def removed(*words):
        before = last(ctl)
        ctl(*words)
        found = [r for r in ctl.json("audit", "list", "--limit", "1000")][-(last(ctl) - before):]
        return sorted(((r["noun"], r["name"], r["field"], r["old"].split(",")[0])
                       for r in found if r["new"] is None), key=str)

    assert removed("device", "remove", "a", "--force") == [
        ("assignment", "win to a", None, "when once"), ("device", "a", None, "folder /"),
        ("group", "g", "member", "a"), ("job", "1 of a", None, "bundle win"),
        ("multicast", "m", "member", "a"), ("settings", "a", "attempts", "4")]
    assert removed("folder", "remove", "/f", "--force") == [
        ("assignment", "win to /f", None, "when once"), ("folder", "/f", None, ""),
        ("settings", "/f", "attempts", "5")]
    assert removed("group", "remove", "g", "--force") == [
        ("assignment", "win to group:g", None, "when once"), ("group", "g", "member", "b"),
        ("group", "g", None, "")]
    assert removed("multicast", "remove", "m") == [
        ("multicast", "m", "member", "b"), ("multicast", "m", None, "bundle win")]


def test_of_one_thing(ctl):
    """A device's changes are those of its jobs, too, and a job's are found by its number."""
    for words in ("device add a --mac " + MACS[0], "device add aa --mac " + MACS[1],
                  "group add g a", "bundle add win --config z.cfg", "assignment add win --to a",
                  "assignment add win --to group:g", "job assign a --bundle win",
                  "job assign aa --bundle win", "job cancel a", "settings set a attempts=4"):
        ctl(*words.split())
    assert [(r[0], r[2]) for r in records(ctl, "a") if r[0] != "device add"] == [
        ("group add", "g"), ("assignment add", "win to a"), ("job assign", "1 of a"),
        ("job cancel", "1 of a"), ("settings set", "a")]
    assert [r[0] for r in records(ctl, "1")] == ["job assign", "job cancel"]
    assert [r[0] for r in records(ctl, "2")] == ["job assign"]
    assert [r[0] for r in records(ctl, "group:g")] == ["group add", "group add", "assignment add"]
    ctl("device", "remove", "a", "--force")
    assert records(ctl, "A")[-1][0] == "device remove"


def test_what_was_renamed(ctl):
    """What happened under an earlier name is found by the present one, unless it was another's."""
    for words in ("device add a --mac " + MACS[0], "bundle add a --config z.cfg",
                  "settings set a attempts=4", "job assign a --config z.cfg", "group add g a",
                  "device rename a b", "device add a --mac " + MACS[1], "folder add /x /x/y",
                  "device move b /x", "device rename b C", "settings set c attempts=5",
                  "folder rename /x z", "settings set /z attempts=6", "rule add c --bundle a ''"):
        ctl(*words.replace("''", "cores=1").split())
    added = [("device add", "a")] * 2
    assert [(r[0], r[2]) for r in records(ctl, "c")] == [
        *added, ("settings set", "a"), ("job assign", "1 of a"), ("group add", "g"),
        ("device rename", "a"), ("device move", "b"), ("device rename", "b"),
        ("settings set", "C"), ("rule add", "c")]
    assert [r[0] for r in records(ctl, "c", "--noun", "device")] == [
        "device add", "device add", "device rename", "device move", "device rename"]
    # By the name that it had, it is found up to its renaming; who has that name now, too.
    assert [r[0] for r in records(ctl, "a", "--noun", "device")] == [
        "device add", "device add", "device rename", "device add", "device add"]
    assert [(r[0], r[2]) for r in records(ctl, "/z")] == [
        ("folder add", "/x"), ("folder rename", "/x"), ("settings set", "/z")]
    ctl("device", "remove", "c", "--force")
    assert records(ctl, "c")[:2] == records(ctl, "C", "b")[:2]
    assert [(r[0], r[2]) for r in records(ctl, "c")][:2] == added


def test_of_several_things(ctl):
    for words in ("device add a --mac " + MACS[0], "device add b --mac " + MACS[1],
                  "group add g b", "group add h"):
        ctl(*words.split())
    assert [(r[0], r[2]) for r in records(ctl, "group:h", "a")] == [
        ("device add", "a"), ("device add", "a"), ("group add", "h")]
    assert records(ctl, "a", "b", "g", "h") == records(ctl)
    assert len(records(ctl, "a", "b", "--limit", "1")) == 1
    assert "is named nosuch" in ctl.fails(1, "audit", "list", "a", "nosuch")


def test_a_name_that_nothing_has(ctl):
    ctl("device", "add", "a", "--mac", MACS[0])
    for name in ("nosuch", "/nosuch", "group:nosuch", "77", "x y"):
        error = ctl.fails(1, "audit", "list", name)
        assert "no device, folder, group, bundle, rule, session or job is named" in error
        assert "prebootctl audit list" in error
    # What was there before the trail began, and a filter that leaves nothing, are no errors.
    with sqlite3.connect(ctl.database) as db:
        db.execute("DELETE FROM audit")
    db.close()
    assert records(ctl, "a") == [] == records(ctl, "/")
    assert records(ctl, "a", "--user", "nobody") == []


def test_what_is_undone_at_once_leaves_none(ctl, tmp_path):
    """An import removes and adds everything: what it changes is what is recorded."""
    fill(ctl, tmp_path)
    before = last(ctl)
    ctl("import", "--replace", tmp_path / "all.json")
    assert [r[:4] for r in records(ctl)[-1:]] == [("import", "group", "imported", None)]
    with sqlite3.connect(ctl.database) as db:
        assert db.execute("SELECT count(*) FROM audit WHERE id > ?", [before]).fetchone() == (1,)
    db.close()
    # Rules are numbered twice when one moves; those between move too.
    ctl("rule", "add", "third", "--bundle", "win", "memory > 9G")
    ctl("rule", "move", "third", "2")
    assert records(ctl)[-2:] == [("rule move", "rule", "small", "position", "2", "3"),
                                 ("rule move", "rule", "third", "position", "3", "2")]


def test_a_large_import(tmp_path):
    """Whatever it replaces: only the differences are recorded."""
    Dataset(tmp_path / "test.db", 3, devices=300)
    ctl = policy.Ctl(tmp_path)
    data = json.loads(ctl("export"))
    gone = data["devices"].pop(7)["name"]
    data["jobs"] = [job for job in data["jobs"] if job["device"] != gone]
    for session in data["multicast"]:
        session["members"] = [m for m in session["members"] if m["device"] != gone]
    data["assignments"] = [a for a in data["assignments"] if a["to"] != gone]
    for job in data["jobs"]:
        if job["source"].startswith("assignment "):
            job["source"] = "assignment"
    (tmp_path / "all.json").write_text(json.dumps(data))
    ctl("import", "--replace", tmp_path / "all.json")
    devices = {(name, field, old is None, new is None)
               for _, noun, name, field, old, new in records(ctl, "--limit", "100000")
               if noun == "device"}
    assert {entry[0] for entry in devices} == {gone}
    assert (gone, None, False, True) in devices


def test_prebootd_leaves_none(ctl, daemon):
    """What it does by itself is in the event log."""
    ctl("device", "add", "a", "--mac", MACS[0])
    ctl("bundle", "add", "win", "--config", "z.cfg")
    ctl("assignment", "add", "win", "--to", "a")
    ctl("settings", "set", "/", "admit-unknown=yes")
    before = last(ctl)
    for mac in MACS[:3]:
        policy.boot(daemon.port, {policy.MAC: policy.mac(mac), policy.FIRMWARE: policy.BIOS})
    assert len(ctl.json("device", "list")) == 3 and len(ctl.json("job", "list")) == 1
    assert last(ctl) == before


def test_who(ctl):
    """Under sudo, who called it; nobody but root can say so."""
    environment = {**os.environ, "SUDO_USER": "anna", "SUDO_UID": "1234"}
    subprocess.run([BUILD / "prebootctl", "--database", ctl.database, "group", "add", "g"],
                   env=environment, check=True, capture_output=True)
    record = ctl.json("audit", "list")[0]
    assert (record["user"], record["uid"]) == (("anna", 1234) if os.getuid() == 0 else
                                               (record["user"], os.getuid()))
    assert abs(time.time() - time.mktime(time.strptime(record["time"], "%Y-%m-%dT%H:%M:%SZ"))
               + time.timezone) < 3600
    ctl("group", "add", "h")
    assert ctl.json("audit", "list")[1]["uid"] == os.getuid()


@pytest.mark.parametrize("user, number", [
    (b"an\xff", b"1"), (b"an\nroot", b"1"), (b"\x1b[31m", b"1"),
    (b"anna", b"x"), (b"anna", b"-1"), (b"anna", b"99999999999")])
def test_variables_that_sudo_does_not_set(ctl, user, number):
    """They do not get into the trail, whose JSON and lines they would break."""
    environment = {**os.environb, b"SUDO_USER": user, b"SUDO_UID": number}
    subprocess.run([BUILD / "prebootctl", "--database", ctl.database, "group", "add", "g"],
                   env=environment, check=True, capture_output=True)
    record = ctl.json("audit", "list")[0]
    assert record["name"] == "g" and record["uid"] == os.getuid()
    assert record["user"] not in ("anna", "") and record["user"].isprintable()


def test_killed_in_between(tmp_path):
    """The change and its records are stored both, or neither."""
    ctl = policy.Ctl(tmp_path)
    ctl("folder", "add", "/f")
    rows = "".join(f"pc{i},02:00:00:01:{i >> 8:02x}:{i & 255:02x}\n" for i in range(3000))
    (tmp_path / "d.csv").write_text("name,mac\n" + rows)
    seen = set()
    for delay in (0.02, 0.05, 0.1, 0.2, 0.4, 60):
        process = subprocess.Popen([BUILD / "prebootctl", "--database", ctl.database, "device",
                                    "import", tmp_path / "d.csv"], stdout=subprocess.DEVNULL)
        try:
            process.wait(delay)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
        process.wait()
        with sqlite3.connect(ctl.database) as db:
            found = db.execute("SELECT (SELECT count(*) FROM device), (SELECT count(*) FROM audit"
                               " WHERE verb = 'device import' AND field = '')").fetchone()
        db.close()
        assert found in ((0, 0), (3000, 3000))
        seen.add(found)
        if found[0]:
            break
    assert (3000, 3000) in seen


def test_old_records_go(ctl, daemon):
    ctl("group", "add", "g")
    with sqlite3.connect(ctl.database) as db:
        db.execute("INSERT INTO audit (time, user, uid, verb, noun, name, field)"
                   " VALUES (unixepoch() - 400 * 86400, 'x', 0, 'x', 'x', 'x', '')")
    db.close()
    end = time.monotonic() + 30
    while len(ctl.json("audit", "list")) > 1 and time.monotonic() < end:
        time.sleep(0.2)
    assert [r["name"] for r in ctl.json("audit", "list")] == ["g"]


@pytest.mark.parametrize("words", [
    ["device", "remove", "nothing"], ["device", "add", "b", MACS[0]],
    ["rule", "add", "r", "--bundle", "win", "x"]])
def test_what_fails_leaves_none(ctl, words):
    ctl("device", "add", "a", MACS[0])
    ctl("bundle", "add", "win", "--config", "z.cfg")
    before = last(ctl)
    assert ctl.run(*words).returncode != 0 and last(ctl) == before


def test_export_leaves_it_and_replace_keeps_it(ctl, tmp_path):
    ctl("group", "add", "g")
    text = ctl("export")
    assert "audit" not in json.loads(text)
    (tmp_path / "d.json").write_text(text)
    ctl("import", "--replace", tmp_path / "d.json")
    assert [r[0] for r in records(ctl)] == ["group add"]
