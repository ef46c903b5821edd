# SPDX-License-Identifier: BSD-2-Clause
"""Rules, multicast sessions and unknown machines, as an administrator types it."""

import re
import sqlite3
import time

import pytest

import policy
from policy import Ctl

SERIAL = 0x15
MAC1, MAC2, MAC3 = "52:54:00:12:34:01", "52:54:00:12:34:02", "52:54:00:12:34:03"
UUID = "4c4c4544-0034-4d10-8052-b4c04f4a3232"


def make(folder):
    ctl = Ctl(folder)
    ctl("folder", "add", "/lab")
    ctl("device", "add", "pc1", MAC1, "--folder", "/lab")
    ctl("device", "add", "pc2", MAC2, "--folder", "/lab")
    ctl("bundle", "add", "ws")
    ctl("bundle", "add", "win", "--kind", "third-party")
    return ctl


def add_rules(ctl):
    for name in "abcde":
        ctl("rule", "add", name, "--bundle", "ws", f"product = {name}")
    return ctl


@pytest.fixture
def ctl(tmp_path):
    return make(tmp_path)


@pytest.fixture
def rules(ctl):
    return add_rules(ctl)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """One for all that is refused, which changes nothing."""
    ctl = add_rules(make(tmp_path_factory.mktemp("kept")))
    ctl("multicast", "add", "room", "--bundle", "ws", "--wait", "5m", "pc2")
    add_unknown(ctl, "02:00:00:00:00:01")
    add_unknown(ctl, "02:00:00:00:00:02", UUID)
    add_unknown(ctl, "02:00:00:00:00:02", UUID[:-1] + "3")
    add_unknown(ctl, MAC2)
    return ctl


def request(daemon, address):
    return policy.boot(daemon.port, {policy.MAC: policy.mac(address), policy.FIRMWARE: policy.BIOS})


def until(seconds, condition):
    """Waits for what prebootd does on its own; returns what @condition gave in the end."""
    end = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < end:
        time.sleep(0.02)
    return value


# --- rules -----------------------------------------------------------------------


def order(ctl):
    rules = ctl.json("rule", "list")
    assert [rule["position"] for rule in rules] == list(range(1, len(rules) + 1))
    return "".join(rule["rule"] for rule in rules)


@pytest.mark.parametrize("arguments, expected", [
    (["a", "1"], "abcde"), (["a", "3"], "bcade"), (["a", "5"], "bcdea"), (["a", "99"], "bcdea"),
    (["e", "1"], "eabcd"), (["e", "3"], "abecd"), (["c", "3"], "abcde"), (["c", "2"], "acbde"),
    (["a", "--before", "c"], "bacde"), (["a", "--after", "c"], "bcade"),
    (["e", "--before", "b"], "aebcd"), (["e", "--after", "b"], "abecd"),
    (["b", "--before", "a"], "bacde"), (["d", "--after", "e"], "abced"),
    (["c", "--after", "c"], "abcde"), (["c", "--before", "c"], "abcde")])
def test_order(rules, arguments, expected):
    rules("rule", "move", *arguments)
    assert order(rules) == expected


def test_rules(rules):
    assert rules("rule", "add", "f", "--bundle", "win", "--for", "both", "--repeat", "--before",
                 "c", "maker contains Dell", "and memory >= 8G") == "rule f added, position 3\n"
    assert order(rules) == "abfcde"
    assert rules.json("rule", "show", "F") == {
        "position": 3, "rule": "f", "bundle": "win", "applies": "both", "repeat": True,
        "enabled": True, "filter": "maker contains Dell and memory >= 8G"}
    rules("rule", "change", "f", "--for", "unknown", "--no-repeat", "--filter", "")
    assert rules.json("rule", "show", "f") == {
        "position": 3, "rule": "f", "bundle": "win", "applies": "unknown", "repeat": False,
        "enabled": True, "filter": ""}
    rules("rule", "change", "f", "--bundle", "ws", "product starts-with Latitude")
    assert rules("rule", "rename", "f", "latitude") == "rule latitude renamed, position 3\n"
    rules("rule", "disable", "latitude")
    rules("rule", "add", "g", "--bundle", "ws", "--disabled", "--filter", "cores > 4")
    lines = rules("rule", "list").splitlines()
    assert lines[0].split() == ["NO", "RULE", "FOR", "BUNDLE", "STATE", "FILTER"]
    assert re.fullmatch("3 +latitude +unknown +ws +off +product starts-with Latitude", lines[3])
    assert re.fullmatch("7 +g +known +ws +off +cores > 4", lines[7])
    rules("rule", "enable", "latitude")
    assert "state               enabled" in rules("rule", "show", "latitude")
    assert rules("rule", "remove", "a") == "rule a removed\n"
    assert order(rules) == "blatitudecdeg"


def test_change_several_rules(rules):
    assert rules("rule", "change", "a", "C", "--bundle", "win", "--filter", "cores > 4") == \
        "rule a changed, position 1\nrule c changed, position 3\n"
    assert [(r["bundle"], r["filter"]) for r in rules.json("rule", "show", "a", "b", "c")] == [
        ("win", "cores > 4"), ("ws", "product = b"), ("win", "cores > 4")]
    assert [r["repeat"] for r in rules.json("rule", "change", "b", "c", "--repeat")] == [True] * 2
    # What is no row of names is a filter, of one rule.
    rules("rule", "change", "a", "product", "=", "b")
    assert rules.json("rule", "show", "a")["filter"] == "product = b"


@pytest.mark.parametrize("status, arguments, expected", [
    (2, ["add", "new", "cores > 4"], "rule add: missing --bundle BUNDLE"),
    (2, ["add", "new", "--bundle", "ws"], "missing FILTER, as in 'manufacturer contains Dell and"),
    (1, ["add", "new", "--bundle", "none", "cores > 4"], 'unknown bundle "none"'),
    (1, ["add", "A", "--bundle", "ws", "cores > 4"], "rule A already exists"),
    (2, ["add", "a b", "--bundle", "ws", "cores > 4"], "not a name for a rule"),
    (2, ["add", "new", "--bundle", "ws", "--for", "all", "cores > 4"],
     "--for all: expected known, unknown or both"),
    (2, ["add", "new", "--bundle", "ws", "--repeat", "--no-repeat", "cores > 4"], "not both"),
    (2, ["add", "new", "--bundle", "ws", "--filter", "cores > 4", "cores > 5"], "given twice"),
    (2, ["add", "new", "--bundle", "ws", "product = " + "x" * 1100], "the filter is too long"),
    (1, ["add", "new", "--bundle", "ws", "--before", "none", "cores > 4"], "unknown rule"),
    (2, ["add", "new", "--bundle", "ws", "--before", "a", "--after", "b", "cores > 4"],
     "expected one place"),
    (1, ["change", "none", "cores > 4"], 'see "prebootctl rule list"'),
    (2, ["change", "a", "b", "--filter", "cores >"], "the filter is wrong at column 8"),
    (2, ["change", "a", "none", "--repeat"], "the filter is wrong at column 1"),
    (1, ["change", "a", "b", "--bundle", "none"], 'unknown bundle "none"'),
    (2, ["move", "a"], "missing argument POSITION, from 1; or --before RULE or --after RULE"),
    (2, ["move", "a", "0"], "from 1 to"),
    (2, ["move", "a", "x"], "from 1 to"),
    (2, ["move", "a", "2", "--before", "c"], "expected one place"),
    (1, ["move", "none", "2"], "unknown rule"),
    (1, ["rename", "a", "b"], "rule b already exists"),
    (1, ["enable", "none"], "unknown rule"),
    (1, ["remove", "none"], "unknown rule")])
def test_bad_rule(kept, status, arguments, expected):
    before = kept.json("rule", "list")
    assert expected in kept.fails(status, "rule", *arguments)
    assert kept.json("rule", "list") == before


@pytest.mark.parametrize("text, column", [
    ("maker = = Dell", 9), ("bogus = 1", 1), ("memory > 8G and", None), ("(cores > 4", None),
    ("cores > 4)", 10)])
def test_wrong_filter_shows_where(kept, text, column):
    lines = kept.fails(2, "rule", "add", "new", "--bundle", "ws", text).splitlines()
    match = re.match(r"prebootctl: the filter is wrong at column (\d+): .+", lines[0])
    at = int(match[1])
    assert column in (None, at) and 1 <= at <= len(text) + 1
    assert lines[1:] == ["  " + text, " " * (at + 1) + "^"]
    assert order(kept) == "abcde"


# --- multicast -------------------------------------------------------------------


def test_session(ctl, daemon):
    assert ctl("multicast", "add", "room", "--bundle", "ws", "--clients", "2", "/lab") == \
        "session room added, with 2 members\n"
    ctl("device", "add", "pc3", MAC3)
    assert ctl("multicast", "join", "room", "pc3", "pc1") == "1 became members of session room\n"
    shown = ctl.json("multicast", "show", "room")
    assert (shown["state"], shown["joined"], shown["clients"], shown["wait"]) == \
        ("waiting", 0, 2, None)
    assert [m["device"] for m in shown["members"]] == ["pc1", "pc2", "pc3"]
    assert "nobody has joined it yet" in ctl.fails(1, "multicast", "start", "room")
    until(5, lambda: request(daemon, MAC1)[policy.DECISION] == policy.DECISION_JOB)
    assert ctl.json("job", "show", "pc1")["source"] == "multicast"
    assert re.search("room +ws +waiting +1 of 3 +2 joined ", ctl("multicast", "list"))
    assert [(m["job"], m["state"]) for m in ctl.json("multicast", "show", "room")["members"]] == \
        [(1, "offered"), (None, None), (None, None)]
    assert "already; end it and add another one" in \
        ctl.fails(1, "multicast", "change", "room", "--bundle", "win")
    assert "has been joined by 1 machine;" in ctl.fails(1, "multicast", "remove", "room")
    assert ctl("multicast", "start", "room") == "session room started, with 3 members\n"
    assert ctl.json("multicast", "show", "room")["started"]
    for words in (["start", "room"], ["join", "room", "pc2"], ["change", "room", "--clients", "3"]):
        assert "has started already" in ctl.fails(1, "multicast", *words)
    assert until(5, lambda: request(daemon, MAC2)[policy.DECISION] == policy.DECISION_LOCAL)
    assert ctl("multicast", "end", "room") == "session room ended, with 3 members\n"
    job = ctl.json("job", "show", "pc1")
    assert (job["state"], job["reason"]) == ("cancelled", "the multicast session was ended")
    assert "has ended already" in ctl.fails(1, "multicast", "end", "room")
    assert "multicast session that is over" in ctl.fails(1, "job", "retry", "pc1")
    ctl("multicast", "remove", "room")
    assert ctl.json("multicast", "list") == []


def test_change_several_sessions(ctl):
    for name in ("one", "two"):
        ctl("multicast", "add", name, "--bundle", "ws", "--wait", "5m", "pc1")
    assert ctl("multicast", "change", "one", "two", "--bundle", "win", "--wait", "2m") == \
        "session one changed, with 1 member\nsession two changed, with 1 member\n"
    assert [(s["bundle"], s["wait"]) for s in ctl.json("multicast", "list")] == [("win", 120)] * 2
    assert 'unknown session "three"' in \
        ctl.fails(1, "multicast", "change", "one", "three", "--wait", "9m")
    assert [s["wait"] for s in ctl.json("multicast", "list")] == [120] * 2
    note = ctl.run("multicast", "change", "one", "--wait", "0", "--clients", "3").stderr
    assert "session one waits for 3 machines and has 1 member;" in note


def test_leave_cancels(ctl, daemon):
    ctl("multicast", "add", "room", "--bundle", "ws", "--wait", "10m", "pc1")
    until(5, lambda: request(daemon, MAC1)[policy.DECISION] == policy.DECISION_JOB)
    assert ctl("multicast", "leave", "room", "pc1") == "1 left session room\n"
    assert ctl.json("job", "show", "pc1")["reason"] == "it left the multicast session"
    assert ctl.json("multicast", "show", "room")["members"] == []


def test_session_counts_who_is_at_it(ctl, daemon):
    """One whose job was cancelled counts no more, until it is retried."""
    def shown():
        session = ctl.json("multicast", "show", "room")
        return session["state"], session["joined"]

    ctl("multicast", "add", "room", "--bundle", "ws", "--wait", "1h", "pc1")
    until(5, lambda: request(daemon, MAC1)[policy.DECISION] == policy.DECISION_JOB)
    assert shown() == ("waiting", 1)
    ctl("job", "cancel", "pc1")
    assert shown() == ("waiting", 0)
    assert re.search("room +ws +waiting +0 of 1 ", ctl("multicast", "list"))
    assert "nobody is left" in ctl.fails(1, "multicast", "start", "room")
    assert "have joined it for ws already" in \
        ctl.fails(1, "multicast", "change", "room", "--bundle", "win")
    # It joins anew: the wait counts from now on.
    with sqlite3.connect(ctl.database) as db:
        db.execute("UPDATE multicast SET last_joined = 1")
    ctl("job", "retry", "pc1")
    time.sleep(policy.FOLLOWED)
    assert shown() == ("waiting", 1)
    ctl("multicast", "start", "room")
    assert shown() == ("started", 1)
    ctl("multicast", "end", "room")
    assert shown() == ("ended", 1)


def test_remove_by_force_ends(ctl, daemon):
    ctl("multicast", "add", "room", "--bundle", "ws", "--wait", "10m", "pc1")
    until(5, lambda: request(daemon, MAC1)[policy.DECISION] == policy.DECISION_JOB)
    ctl("multicast", "remove", "room", "--force")
    assert ctl.json("job", "show", "pc1")["state"] == "cancelled"


@pytest.mark.parametrize("status, arguments, expected", [
    (2, ["add", "new", "--clients", "2"], "missing --bundle BUNDLE"),
    (2, ["add", "new", "--bundle", "ws"], "when is it to start? expected --clients N"),
    (2, ["add", "new", "--bundle", "ws", "--clients", "0"], "when is it to start?"),
    (2, ["add", "new", "--bundle", "ws", "--clients", "x"], "from 1 to"),
    (2, ["add", "new", "--bundle", "ws", "--wait", "8d"], "from 1s to 7d"),
    (1, ["add", "new", "--bundle", "none", "--wait", "5m"], "unknown bundle"),
    (1, ["add", "ROOM", "--bundle", "ws", "--wait", "5m"], "session ROOM already exists"),
    (2, ["add", "a b", "--bundle", "ws", "--wait", "5m"], "not a name for a session"),
    (1, ["add", "new", "--bundle", "ws", "--wait", "5m", "pc9"], 'unknown device "pc9"'),
    (2, ["change", "room", "--wait", "0"], "when is it to start?"),
    (1, ["show", "none"], 'see "prebootctl multicast list"'),
    (1, ["join", "none", "pc1"], 'unknown session "none"'),
    (1, ["leave", "room", "pc1"], "pc1 is not in session room"),
    (1, ["start", "none"], "unknown session"),
    (1, ["remove", "none"], "unknown session")])
def test_bad_session(kept, status, arguments, expected):
    before = kept.json("multicast", "list")
    assert expected in kept.fails(status, "multicast", *arguments)
    assert kept.json("multicast", "list") == before


# --- unknown machines ------------------------------------------------------------


def add_unknown(ctl, mac, uuid=None, last=1000, serial=None):
    """Puts one into the database as prebootd does."""
    guid = bytes.fromhex(uuid.replace("-", "")) if uuid else bytes(16)
    reported = {policy.MAC: policy.mac(mac), policy.FIRMWARE: policy.BIOS}
    if uuid:
        reported[policy.UUID] = guid
    if serial:
        reported[SERIAL] = serial
    with sqlite3.connect(ctl.database) as database:
        database.execute(
            "INSERT INTO unknown_machine (mac, uuid, first, last, boots, address, request, outcome)"
            " VALUES (?, ?, 900, ?, 2, '192.0.2.9', ?, 'unknown device')",
            (policy.mac(mac), guid, last, policy.encode(policy.REQUEST, bytes(16), reported)))
    database.close()


def macs(ctl):
    return [row["mac"] for row in ctl.json("unknown", "list")]


def test_unknown_machines(ctl):
    add_unknown(ctl, "02:00:00:00:00:01", last=1000)
    add_unknown(ctl, "02:00:00:00:00:02", UUID, last=2000)
    assert macs(ctl) == ["02:00:00:00:00:02", "02:00:00:00:00:01"]
    assert len(ctl.json("unknown", "list", "--limit", "1")) == 1
    shown = ctl.json("unknown", "show", UUID)
    assert (shown["mac"], shown["boots"], shown["address"], shown["outcome"]) == \
        ("02:00:00:00:00:02", 2, "192.0.2.9", "unknown device")
    assert shown["hardware"]["firmware"] == "BIOS"
    assert "unknown machine 02:00:00:00:00:01" in ctl("unknown", "show", "0200.0000.0001")
    assert re.search("02:00:00:00:00:02 +- +- +192.0.2.9 +2 ", ctl("unknown", "list"))
    assert ctl("unknown", "remove", "02:00:00:00:00:01") == "1 unknown machine removed\n"
    add_unknown(ctl, "02:00:00:00:00:03")
    assert ctl("unknown", "remove", "--all") == "2 unknown machines removed\n" and macs(ctl) == []


def test_admit(ctl):
    add_unknown(ctl, "02:00:00:00:00:01")
    add_unknown(ctl, "02:00:00:00:00:02", UUID, serial=b"5CG0123")  # two cards of one machine
    add_unknown(ctl, "02:00:00:00:00:03", UUID, serial=b"5CG0123")
    add_unknown(ctl, "02:00:00:00:00:04")
    assert ctl("device", "admit", "02:00:00:00:00:01") == "device pc-020000000001 added\n"
    assert ctl("device", "admit", UUID, "web01", "--folder", "/lab") == "device web01 added\n"
    assert macs(ctl) == ["02:00:00:00:00:04"]
    shown = ctl.json("device", "show", "web01")
    assert (shown["uuid"], shown["folder"]) == (UUID, "/lab")
    assert shown["macs"] == ["02:00:00:00:00:02", "02:00:00:00:00:03"]
    assert shown["seen"]["address"] == "192.0.2.9"
    assert [event["step"] for event in shown["events"]] == ["admitted"]
    assert ctl.json("device", "show", "pc-020000000001")["uuid"] is None


@pytest.mark.parametrize("status, arguments, expected", [
    (2, ["device", "admit", "nonsense"], "expected a MAC address, as in 52:54:00:12:34:56, or"),
    (1, ["device", "admit", "02:00:00:00:00:09"], "has not asked"),
    (1, ["device", "admit", "02:00:00:00:00:01", "PC1"], "device pc1 already exists"),
    (2, ["device", "admit", "02:00:00:00:00:01", "020000000001"], "not a name for a device"),
    (1, ["device", "admit", "02:00:00:00:00:01", "--folder", "/none"], "unknown folder"),
    (1, ["device", "admit", "02:00:00:00:00:02"],
     "several machines reported this MAC; name one by its UUID, as in " + UUID[:8]),
    (1, ["device", "admit", MAC2],
     'device pc2 has this MAC, and the UUID identifies no machine; if it is the same machine, '
     '"prebootctl unknown remove ' + MAC2 + '"; else give it image-safe data with isdctl'),
    (1, ["unknown", "show", "02:00:00:00:00:09"], 'see "prebootctl unknown list"'),
    (2, ["unknown", "remove"], "missing argument MAC|UUID, or --all"),
    (2, ["unknown", "remove", MAC2, "--all"], "not both")])
def test_bad_unknown_machine(kept, status, arguments, expected):
    before = kept.json("unknown", "list"), kept.json("device", "list")
    assert expected in kept.fails(status, *arguments)
    assert (kept.json("unknown", "list"), kept.json("device", "list")) == before


def test_prebootd_records_and_admits(ctl, daemon):
    for _ in range(2):
        assert request(daemon, MAC3)[policy.DECISION] == policy.DECISION_LOCAL
    assert until(5, lambda: macs(ctl)) == [MAC3]
    ctl("device", "admit", MAC3, "web01")
    ctl("job", "assign", "web01", "--bundle", "ws")
    assert until(5, lambda: request(daemon, MAC3)[policy.DECISION] == policy.DECISION_JOB)


@pytest.mark.parametrize("options, members", [
    (["--clients", "50", "pc1", "pc2"], 2), (["--clients", "2", "pc1", "pc2"], None),
    (["--clients", "50", "--wait", "5m", "pc1"], None), (["--clients", "50"], 0),
    (["--wait", "5m", "pc1"], None)])
def test_session_with_too_few_members(ctl, options, members):
    result = ctl.run("multicast", "add", "big", "--bundle", "ws", *options)
    assert result.returncode == 0 and result.stdout.startswith("session big added")
    note = f"note: session big waits for 50 machines and has {members} members"
    assert note in result.stderr if members is not None else result.stderr == ""
