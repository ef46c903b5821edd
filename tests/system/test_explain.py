# SPDX-License-Identifier: BSD-2-Clause
"""prebootctl explain, rule test and rule facts, beside the cases of decisions.yaml."""

import json
import re
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

import policy
from policy import BUILD
from test_decisions import MAC, prebootctl, set_up

UUID = "6f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
RULES = Path(__file__).resolve().parent.parent.parent / "server" / "rules.md"


def fails(database, status, *arguments):
    result = subprocess.run([BUILD / "prebootctl", "--database", database, *arguments],
                            capture_output=True, text=True, timeout=20, check=False)
    assert (result.returncode, result.stdout) == (status, ""), result
    return result.stderr


def add_unknown(database, address, machine_uuid, seen_mac):
    """An unknown machine, as prebootd keeps it."""
    fields = {policy.MAC: policy.mac(seen_mac), policy.FIRMWARE: policy.UEFI,
              policy.UUID: bytes.fromhex(machine_uuid.replace("-", ""))}
    with sqlite3.connect(database) as db:
        db.execute("INSERT INTO unknown_machine (mac, uuid, first, last, boots, address,"
                   " request, outcome) VALUES (?, ?, 1, 1, 1, ?, ?, '')",
                   (fields[policy.MAC], fields[policy.UUID], address,
                    policy.encode(policy.REQUEST, bytes(16), fields)))


def test_address(tmp_path):
    """--address stands in place of the one that the machine asked from."""
    database = tmp_path / "test.db"
    machine = set_up(database, {"rules": ["win11 for known: address in 10.0.0.0/8"]})
    text = prebootctl(database, "explain", machine, "--address", "10.1.2.3")
    assert "asking from 10.1.2.3" in text and "now: a new job; win11" in text
    assert "now: boots its disk" in prebootctl(database, "explain", machine)
    explained = json.loads(prebootctl(database, "--json", "explain", machine, "--address",
                                      "fd00::1"))
    assert explained["address"] == "fd00::1" and explained["outcome"]["answer"] == "local"
    assert "--address 10.1: expected an IP address" in fails(database, 2, "explain", machine,
                                                             "--address", "10.1")


def test_unknown_machine(tmp_path):
    """An unknown machine by MAC or UUID, and that it becomes a device."""
    database = tmp_path / "test.db"
    set_up(database, {"rules": ["win11 for unknown: firmware = uefi"]})
    add_unknown(database, "192.0.2.9", UUID, "52:54:00:99:99:99")
    for word in ("52-54-00-99-99-99", UUID):
        text = prebootctl(database, "explain", word)
        assert text.startswith("52:54:00:99:99:99, an unknown machine\n")
        assert "it becomes device pc-525400999999" in text
        assert "syslinux.efi with z_auto.cfg" in text
    explained = json.loads(prebootctl(database, "--json", "explain", UUID))
    assert explained["known"] is False and explained["outcome"]["admitted_as"] == "pc-525400999999"


def test_admitted_without_a_job(tmp_path):
    """Where global settings admit unknown machines they become devices, and boot their disks."""
    database = tmp_path / "test.db"
    machine = set_up(database, {"machine": {"unknown": None}})
    assert "becomes" not in prebootctl(database, "explain", machine)
    with sqlite3.connect(database) as db:
        db.execute("INSERT INTO setting VALUES ('global', 0, 'admit-unknown', 'yes')")
    text = prebootctl(database, "explain", machine)
    assert "now: boots its disk; nothing is assigned to it" in text
    assert "it becomes device pc-525400123456" in text


def test_no_more_within_the_hour(tmp_path):
    """The 13th job within an hour is withheld, and explain says so."""
    database = tmp_path / "test.db"
    had = ["win11 done, assignment 1"] * 12
    machine = set_up(database, {"assigned": ["win11 to pc, always", "tools to pc, once"],
                                "had": had})
    with sqlite3.connect(database) as db:
        db.execute("UPDATE job SET assigned = unixepoch() - 60")
    why = "it has had 12 jobs within an hour, which is the limit"
    assert f"now: boots its disk; win11: {why}\n" in prebootctl(database, "explain", machine)
    explained = json.loads(prebootctl(database, "--json", "explain", machine))
    assert [(c["taken"], c["reason"]) for c in explained["candidates"]] == [
        (False, why), (False, "another job comes first")]
    with sqlite3.connect(database) as db:
        db.execute("UPDATE job SET assigned = unixepoch() - 3700 WHERE id = 1")
    db.close()
    assert "now: a new job; win11: " in prebootctl(database, "explain", machine)


def test_no_more_are_admitted(tmp_path):
    """Where admit-limit is reached, neither a rule nor admit-unknown makes a device."""
    database = tmp_path / "test.db"
    machine = set_up(database, {"machine": {"unknown": None}})
    with sqlite3.connect(database) as db:
        db.execute("INSERT INTO setting VALUES ('global', 0, 'admit-unknown', 'yes'),"
                   " ('global', 0, 'admit-limit', '1')")
        db.execute("INSERT INTO admission VALUES (2, 1)")
    why = "as many unknown machines have been admitted as admit-limit allows"
    for rule in (None, "INSERT INTO rule VALUES (1, 1, 'r', 1, 'unknown', '', 0, 1)"):
        with sqlite3.connect(database) as db:
            db.execute(rule or "SELECT 1")
        db.close()
        text = prebootctl(database, "explain", machine)
        assert f"now: boots its disk; unknown device: {why}\n" in text
        assert "becomes device" not in text and "\n*" not in text
    assert re.search(f"^- +win11 +rule r +{why}$", text, re.M)
    prebootctl(database, "device", "remove", "other")
    text = prebootctl(database, "explain", machine)
    assert ("it becomes device pc-525400123456; where very many come at once, at a later boot"
            in text)


def test_never_asked_and_known_by_nothing(tmp_path):
    """A device that has a dock's MAC alone would be nobody, however it comes."""
    database = tmp_path / "test.db"
    set_up(database, {"machine": {"never": None}, "assigned": ["win11 to pc, always"]})
    assert "now: a new job; win11" in prebootctl(database, "explain", "pc")
    prebootctl(database, "settings", "set", f"shared-macs={MAC[:8]}")
    assert ("now: boots its disk; unknown device: what it was registered with identifies nobody"
            in prebootctl(database, "explain", "pc"))
    prebootctl(database, "device", "change", "pc", "--mac", "02:00:00:00:00:07")
    assert "now: a new job; win11" in prebootctl(database, "explain", "pc")


def test_job_that_is_overdue(tmp_path):
    """It has failed, as prebootd sees to that within a second; what is next is shown."""
    database = tmp_path / "test.db"
    set_up(database, {"assigned": ["win11 to pc, always", "tools to pc, once"],
                      "had": ["win11 begun, assignment 1"]})
    with sqlite3.connect(database) as db:
        db.execute("UPDATE job SET begun = unixepoch() - deadline - 9")
    db.close()
    text = prebootctl(database, "explain", "pc")
    assert "open job    none" in text and "begun but not ended before its deadline" in text
    assert "now: a new job; tools: assigned to the device, once" in text


def test_sessions_that_are_due(tmp_path):
    """They have started or ended, as prebootd sees to that within a second."""
    database = tmp_path / "test.db"
    set_up(database, {"sessions": ["win11 started"], "assigned": ["tools to pc, once"]})
    with sqlite3.connect(database) as db:
        db.execute("UPDATE multicast SET state = 'waiting', clients = 0, wait = 60, last_joined ="
                   " unixepoch()")
    assert "now: a new job; win11: multicast session" in prebootctl(database, "explain", "pc")
    with sqlite3.connect(database) as db:
        db.execute("UPDATE multicast SET last_joined = unixepoch() - 99")
    text = prebootctl(database, "explain", "pc")
    assert "the session has started without this device" in text and "now: a new job; tools" in text
    with sqlite3.connect(database) as db:
        db.execute("UPDATE multicast SET state = 'started'")
        db.execute("UPDATE job SET state = 'done'")
    db.close()
    text = prebootctl(database, "explain", "pc")
    assert "the session has ended" in text and "now: a new job; tools" in text


def test_boot_that_came_back(tmp_path):
    """A job that ends with the next boot goes on where the last one ended at the disk."""
    database = tmp_path / "test.db"
    set_up(database, {"had": ["win11 offered, hand 0"]})
    with sqlite3.connect(database) as db:
        db.execute("UPDATE job SET completes = 'next-boot'")
        db.execute("INSERT INTO offer VALUES (1, 1, ?, 1)", (bytes(15) + b"7",))
    assert "now: boots its disk; the machine booted again: accepted once more, it is done" in \
        prebootctl(database, "explain", "pc")
    with sqlite3.connect(database) as db:
        db.execute("INSERT INTO event (device, time, step, job, milliseconds, reason, boot)"
                   " VALUES (1, 1, 'local-boot', 1, 1, '', ?)", (bytes(15) + b"7",))
    db.close()
    text = prebootctl(database, "explain", "pc")
    assert "if it asked now: job 1, attempt 2 of 3, is offered again" in text


def test_at_the_dock_of_a_device(tmp_path):
    """A machine with a device's MAC and another UUID may be admitted, by its UUID alone."""
    database = tmp_path / "test.db"
    set_up(database, {"rules": ["win11 for both:"]})
    prebootctl(database, "device", "change", "pc", "--uuid", "11" * 15 + "12")
    add_unknown(database, "192.0.2.9", UUID, MAC)
    explained = json.loads(prebootctl(database, "--json", "explain", UUID))
    assert explained["outcome"]["answer"] == "job"
    assert explained["outcome"]["admitted_as"] == "pc-" + UUID.replace("-", "")
    assert explained["note"] == "the MAC is that of pc, but the UUID is not"


def test_no_longer_known(tmp_path):
    """The machine that asked as a device would not be known as it now."""
    database = tmp_path / "test.db"
    set_up(database, {})
    prebootctl(database, "device", "change", "pc", "--mac", "02:00:00:00:00:07")
    assert "the machine that asked last would not be known now" in prebootctl(
        database, "explain", "pc")
    prebootctl(database, "device", "change", "other", "--mac", MAC)
    assert "would be taken for other now" in prebootctl(database, "explain", "pc")


def test_how_the_last_boot_ended(tmp_path):
    """A person's Exit and what was missing are shown; that there was no job needs no words."""
    database = tmp_path / "test.db"
    prebootctl(database, "device", "add", "pc", MAC)
    ends = [(["no job"], None),
            (["no job"], None),
            (["Exit was chosen at the menu"], "local boot: Exit was chosen at the menu"),
            (["z_auto.cfg: not found", "action failed: z_auto.cfg: not found"],
             "local boot: action failed: z_auto.cfg: not found"),
            (["no receipt: timed out", "no receipt for the job"],
             "local boot: no receipt for the job; no receipt: timed out")]
    daemon = policy.Daemon(database, tmp_path / "log")
    try:
        for number, (reasons, shown) in enumerate(ends, 1):
            for at, reason in enumerate(reasons, 1):
                policy.send_event(daemon.port, bytes([number]) * 16, {
                    policy.MAC: policy.mac(MAC), policy.REASON: reason.encode(),
                    policy.CODE: 10 if at == len(reasons) else 11, policy.MILLISECONDS: at})
            end = time.monotonic() + 10
            while not set(reasons) <= {event["reason"] for event in json.loads(
                    prebootctl(database, "--json", "event", "list", "pc"))}:
                assert time.monotonic() < end
                time.sleep(0.05)
            text = prebootctl(database, "explain", "pc")
            assert (f"  last boot   {shown}\n" if shown else "\n") in text
            assert ("last boot" in text) == bool(shown)
            assert json.loads(prebootctl(database, "--json", "explain", "pc"))["last_boot"] == shown
            assert reasons[-1] in prebootctl(database, "device", "trace", "pc")
    finally:
        daemon.kill()


def test_explain_errors(tmp_path):
    database = tmp_path / "test.db"
    set_up(database, {})
    assert "unknown device" in fails(database, 1, "explain", "02:99:00:00:00:01")
    assert "unknown device" in fails(database, 1, "explain", "nobody")
    assert "explain: missing argument TARGET|MAC|UUID" in fails(database, 2, "explain")


def test_what_is_left_out_is_shown_in_lines(tmp_path):
    database = tmp_path / "test.db"
    prebootctl(database, "device", "add", "pc", MAC)
    with sqlite3.connect(database) as db:
        db.executemany("INSERT INTO setting VALUES ('global', 0, ?, 'x')", [("one",), ("two",)])
    db.close()
    result = subprocess.run([BUILD / "prebootctl", "--database", database, "explain", "pc"],
                            capture_output=True, text=True, timeout=10, check=True)
    assert result.stderr.splitlines() == [
        f"prebootctl: global setting {key}=x: left out, it is not known"
        for key in ("one", "two")]


def test_rule_test(tmp_path):
    """A filter or a rule, against one machine or all."""
    database = tmp_path / "test.db"
    set_up(database, {"rules": ["win11 for known: memory >= 16G"]})
    add_unknown(database, "192.0.2.9", UUID, "52:54:00:99:99:99")

    def rows(*arguments):
        explained = json.loads(prebootctl(database, "--json", "rule", "test", *arguments))
        return [(m["machine"], m["matches"], m["because"]) for m in explained]

    assert rows("memory >= 8G") == [("pc", True, "memory >= 8G (it is 8192 MiB)")]
    assert rows("memory >= 8G", "--all") == [
        ("other", False, "it never asked"),
        ("pc", True, "memory >= 8G (it is 8192 MiB)"),
        ("52:54:00:99:99:99", False, "memory >= 8G (unknown)")]
    assert rows("rule-1", "pc") == [("pc", False, "memory >= 16G (it is 8192 MiB)")]
    assert rows("firmware = uefi", UUID) == [
        ("52:54:00:99:99:99", True, "firmware = uefi (it is uefi)")]
    assert rows("address = 10.1.2.3", "pc", "--address", "10.1.2.3")[0][1]
    assert [row[:2] for row in rows("memory >= 8G", "pc", "other", UUID)] == [
        ("52:54:00:99:99:99", False), ("pc", True), ("other", False)]
    # Of a folder or a group, as of all, those that match are listed.
    prebootctl(database, "group", "add", "two", "pc", "other")
    assert [row[:2] for row in rows("memory >= 8G", "group:two")] == [("pc", True)]
    assert [row[0] for row in rows("memory >= 8G", "other", "/", "--all")] == ["other", "pc"]
    text = prebootctl(database, "rule", "test", "memory >= 8G", "other", "group:two")
    assert text.splitlines()[-1] == "1 of 2 machines match; --all lists the others, too"
    assert 'unknown device "none"' in fails(database, 1, "rule", "test", "memory > 1", "pc", "none")
    text = prebootctl(database, "rule", "test", "firmware = bios")
    assert text.splitlines()[-1] == "1 of 3 machines match; --all lists the others, too"
    assert len(text.splitlines()) == 3
    text = prebootctl(database, "rule", "test", "firmware = bios", "--all")
    assert text.splitlines()[-1] == "1 of 3 machines match" and len(text.splitlines()) == 5
    assert prebootctl(database, "rule", "test", "memory > 800G").startswith("0 of 3 machines match")
    assert "column 1: expected a fact" in fails(database, 2, "rule", "test", "memry > 1")
    assert "column 8: expected one of" in fails(database, 2, "rule", "test", "memory like 1")


@pytest.mark.parametrize("fact", json.loads(subprocess.run(
    [BUILD / "prebootctl", "--json", "rule", "facts"], capture_output=True, text=True,
    check=True).stdout), ids=lambda fact: fact["fact"])
def test_facts_are_documented(fact):
    line = f"| `{fact['fact']}` | {fact['kind']} | {fact['about']} |\n"
    assert line in RULES.read_text()
    assert re.fullmatch(r"[a-z0-9-]+", fact["fact"]) and fact["kind"]


def test_explain_after_a_retry(tmp_path):
    """The job that is open is of its assignment: no text says that it has not been given."""
    database = tmp_path / "test.db"
    prebootctl(database, "device", "add", "pc", MAC)
    prebootctl(database, "bundle", "add", "win11")
    prebootctl(database, "assignment", "add", "win11", "pc")
    daemon = policy.Daemon(database, tmp_path / "log")
    try:
        policy.boot(daemon.port, {policy.MAC: policy.mac(MAC), policy.FIRMWARE: policy.BIOS})
    finally:
        daemon.kill()
    prebootctl(database, "job", "cancel", "pc")
    prebootctl(database, "job", "retry", "pc")
    text = prebootctl(database, "explain", "pc")
    assert re.search(r"^\*  win11 +assigned to the device, once"
                     r" +job 2 was made of it, and is pending$", text,
                     re.MULTILINE), text
    assert "not done yet" not in text
    assert "\nif it asked now: job 2, attempt 1 of 3, is offered\n" in text
    explained = json.loads(prebootctl(database, "--json", "explain", "pc"))
    outcome = explained["outcome"]
    assert (explained["open_job"], outcome["bundle"], outcome["job"]) == (2, "win11", 2)


def test_what_made_an_open_job(tmp_path):
    """Each comparison of the rule that made a job is printed: the last request may match it no longer."""
    database = tmp_path / "test.db"
    rule = "win11 for known: not (memory < 2G or asset-tag = X1) and manufacturer = 'Dell Inc.' and memory < 1G"
    case = {"machine": {"memory": 4096}, "rules": [rule],
            "had": ["win11 offered, rule 1"]}
    machine = set_up(database, case)
    text = prebootctl(database, "explain", machine)
    assert "\nwhen the job was made by rule rule-1, it compared, here by the last request:\n" in text
    lines = [" ".join(line.split()) for line in text.split("last request:\n")[1].split("\n\n")[0].splitlines()]
    assert lines == ["no memory < 2G (it is 4096 MiB)", "unknown asset-tag = X1 (unknown)",
                     "yes manufacturer = 'Dell Inc.' (it is \"Dell Inc.\")", "no memory < 1G (it is 4096 MiB)"]
    made_by = json.loads(prebootctl(database, "--json", "explain", machine))["made_by"]
    assert made_by["rule"] == "rule-1"
    assert [c["matches"] for c in made_by["comparisons"]] == [False, None, True, False]
    # A disabled rule has made it all the same, and one that is gone can say nothing.
    prebootctl(database, "rule", "disable", "rule-1")
    assert json.loads(prebootctl(database, "--json", "explain", machine))["made_by"] == made_by
    prebootctl(database, "rule", "change", "rule-1", "")
    assert "\n    nothing: it is for every machine\n" in prebootctl(database, "explain", machine)
    prebootctl(database, "rule", "remove", "rule-1")
    assert json.loads(prebootctl(database, "--json", "explain", machine))["made_by"] is None
    assert "made by rule" not in prebootctl(database, "explain", machine)


def test_nothing_compared_without_a_rule(tmp_path):
    database = tmp_path / "test.db"
    machine = set_up(database, {"rules": ["win11 for known: memory > 1M"], "assigned": ["win11 to pc, once"],
                                "had": ["win11 offered, assignment 1"]})
    assert json.loads(prebootctl(database, "--json", "explain", machine))["made_by"] is None
