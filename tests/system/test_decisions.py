# SPDX-License-Identifier: BSD-2-Clause
"""What machines are given and why: the cases of decisions.yaml and decisions_rules.yaml."""

import calendar
import json
import os
import re
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest
import yaml

import policy
from policy import BUILD

CASES = [case for name in ("decisions.yaml", "decisions_rules.yaml")
         for case in yaml.safe_load((Path(__file__).parent / name).read_text())]
MAC, ADDRESS = "52:54:00:12:34:56", "192.0.2.7"
MANUFACTURER, PRODUCT, INSTALLED, ISD_IMAGE = 0x13, 0x14, 0x2b, 0x06

# name: loaders, configuration, details
BUNDLES = {"win11": ("*", "*", "z_auto.cfg", "image=win11-v3\0"),
           "tools": ("*", "*", "tools.cfg", ""),
           "base": ("pxelinux.0", "", "base.cfg", ""),
           "modern": ("", "modern.efi", "modern.cfg", "")}
IDS = {name: number for number, name in enumerate(BUNDLES, 1)}
OWNERS = {"pc": ("device", 1), "other": ("device", 2), "group desks": ("group", 1),
          "group labs": ("group", 2), "folder /site": ("folder", 1),
          "folder /site/lab": ("folder", 2), "folder /other": ("folder", 3), "all": ("global", 0)}

SITE = """
INSERT INTO folder (name, parent) VALUES ('site', NULL), ('lab', 1), ('other', NULL);
INSERT INTO device_group (name) VALUES ('desks'), ('labs');
UPDATE device SET folder = 2 WHERE id = 1;
INSERT INTO member VALUES (1, 1);
"""


def prebootctl(database, *arguments):
    result = subprocess.run([BUILD / "prebootctl", "--database", database, *arguments],
                            capture_output=True, text=True, timeout=20, check=False,
                            env={**os.environ, "TZ": "UTC"})
    assert (result.returncode, result.stderr) == (0, ""), result
    return result.stdout


def request_of(machine):
    """Returns the fields of the machine's question."""
    facts = {"maker": "Dell Inc.", "product": "OptiPlex 7010", "memory": 8192,
             "firmware": "bios", **machine}
    fields = {policy.MAC: policy.mac(MAC),
              policy.FIRMWARE: policy.UEFI if facts["firmware"] == "uefi" else policy.BIOS,
              MANUFACTURER: facts["maker"].encode(), PRODUCT: facts["product"].encode(),
              INSTALLED: facts["memory"].to_bytes(4, "big")}
    if "isd" in facts:
        fields |= {policy.ISD_STATE: 2, ISD_IMAGE: facts["isd"].encode()}
    return fields


def add_assignment(db, text):
    bundle, whom, how, until = re.fullmatch(r"(\S+) to (.+), (\S+)(?: (\S+))?", text).groups()
    until = calendar.timegm(time.strptime(until, "%Y-%m-%d")) if until else 0
    db.execute("INSERT INTO assignment (bundle, level, owner, mode, until, added)"
               " VALUES (?, ?, ?, ?, ?, 1)", (IDS[bundle], *OWNERS[whom], how, until))


def add_rule(db, number, text):
    bundle, applies, repeat, disabled, rule = re.fullmatch(
        r"(\S+) for (\w+)(, repeat)?(, disabled)?: ?(.*)", text).groups()
    db.execute("INSERT INTO rule (position, name, bundle, applies, filter, repeat, enabled)"
               " VALUES (?, ?, ?, ?, ?, ?, ?)", (number, f"rule-{number}", IDS[bundle], applies,
                                                 rule, bool(repeat), not disabled))


def add_session(db, number, text):
    bundle, state, joined = re.fullmatch(r"(\S+) (\w+)(, joined)?", text).groups()
    db.execute("INSERT INTO multicast (name, bundle, clients, wait, state, added)"
               " VALUES (?, ?, 2, 0, ?, 1)", (f"session-{number}", IDS[bundle], state))
    db.execute("INSERT INTO multicast_member VALUES (?, 1, ?)", (number, bool(joined)))
    if state == "started":  # and it is another machine's turn; with none, it ends at once
        member = db.execute("INSERT INTO device (name, added) VALUES (?, 1)",
                            (f"member-{number}",)).lastrowid
        db.execute("INSERT INTO multicast_member VALUES (?, ?, 1)", (number, member))
        db.execute("INSERT INTO job (device, state, attempt, attempts, deadline, assigned,"
                   " offered, loader_bios, loader_uefi, config, prefix, details, bundle, source,"
                   " source_id) VALUES (?, 'offered', 1, 3, 14400, 1, 2, '', '', '', '', x'', ?,"
                   " 'multicast', ?)", (member, IDS[bundle], number))


def add_job(db, text):
    bundle, state, source, number = re.fullmatch(r"(\S+) (\w+), (\w+) (\d+)", text).groups()
    attempt = {"pending": 0, "exhausted": 3}.get(state, 1)
    bios, uefi, config, details = BUNDLES[bundle]
    db.execute("INSERT INTO job (device, state, attempt, attempts, deadline, assigned, offered,"
               " ended, loader_bios, loader_uefi, config, prefix, details, bundle, source,"
               " source_id) VALUES (1, ?, ?, 3, 14400, 1, 2, 3, ?, ?, ?, '', ?, ?, ?, ?)",
               ("offered" if state == "exhausted" else state, attempt,
                bios.replace("*", "pxelinux.0"), uefi.replace("*", "syslinux.efi"), config,
                details.encode(), IDS[bundle], source, int(number)))


def set_up(database, case):
    """Makes the case's site; returns what the machine asks and how it is called."""
    machine = case.get("machine", {})
    unknown = "unknown" in machine
    request = policy.encode(policy.REQUEST, bytes(16), request_of(machine))
    prebootctl(database, "device", "add", "pc", "02:00:00:00:00:01" if unknown else MAC)
    prebootctl(database, "device", "add", "other", "02:00:00:00:00:02")
    with sqlite3.connect(database) as db:
        db.executescript(SITE)
        for name, (bios, uefi, config, details) in BUNDLES.items():
            db.execute("INSERT INTO bundle (name, kind, loader_bios, loader_uefi, config, prefix,"
                       " details, attempts, deadline, added) VALUES"
                       " (?, 'imaging', ?, ?, ?, '', ?, 0, 0, 1)",
                       (name, bios, uefi, config, details.encode()))
        for text in case.get("assigned", []):
            add_assignment(db, text)
        for number, text in enumerate(case.get("rules", []), 1):
            add_rule(db, number, text)
        for number, text in enumerate(case.get("sessions", []), 1):
            add_session(db, number, text)
        for text in case.get("had", []):
            add_job(db, text)
        for key, value in case.get("settings", {}).items():
            db.execute("INSERT INTO setting VALUES ('folder', 2, ?, ?)", (key, value))
        if unknown:
            db.execute("INSERT INTO unknown_machine (mac, uuid, first, last, boots, address,"
                       " request, outcome) VALUES (?, ?, 1, 1, 1, ?, ?, '')",
                       (policy.mac(MAC), bytes(16), ADDRESS, request))
        elif "never" not in machine:
            db.execute("INSERT INTO seen VALUES (1, 1, ?, ?)", (ADDRESS, request))
    return MAC if unknown else "pc"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"].replace(" ", "-"))
def test_decision(case, tmp_path):
    database = tmp_path / "test.db"
    machine = set_up(database, case)
    explained = json.loads(prebootctl(database, "--json", "explain", machine))
    candidates = [["taken" if c["taken"] else "next" if c["next"] else "-", c["bundle"],
                   c["origin"], c["reason"]]
                  for c in explained["candidates"]]
    assert candidates == case["explain"]
    now, *job = case["now"] if isinstance(case["now"], list) else [case["now"]]
    outcome = explained["outcome"]
    assert outcome["reason"] == now
    assert outcome["answer"] == ("job" if job else "local")
    assert [outcome["loader"], outcome["config"]] == (job or [None, None])


MARKS = {"taken": "*", "next": "+", "-": "-"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"].replace(" ", "-"))
def test_decision_as_text(case, tmp_path):
    """The text says what the JSON does."""
    database = tmp_path / "test.db"
    text = prebootctl(database, "explain", set_up(database, case))
    now, *job = case["now"] if isinstance(case["now"], list) else [case["now"]]
    assert f"\nif it asked now: {now}\n" in text
    assert all(word in text for word in job if word)
    for mark, bundle, origin, why in case["explain"]:
        pattern = r"\s+".join(map(re.escape, (MARKS[mark], bundle, origin, why)))
        assert re.search(f"^{pattern}$", text, re.M), text


def is_predictable(case):
    """Says whether the machine has reported enough. What rules say of hardware that it never
    reported, nobody can say, and as soon as it asks, they count."""
    return not any(why == "nothing is known of the machine's hardware"
                   for _, _, _, why in case["explain"])


PREDICTABLE = [case for case in CASES if is_predictable(case)]


def test_what_is_not_predictable():
    """No case is left out but for that."""
    assert [case["case"] for case in CASES if case not in PREDICTABLE] == [
        "a machine that never asked matches no rule"]


def question_of(case):
    """Returns what the machine asks; one that never did comes with a firmware for the job."""
    machine = dict(case.get("machine", {}))
    if "never" in machine and isinstance(case["now"], list) and case["now"][2] == "modern.cfg":
        machine["firmware"] = "uefi"
    return request_of(machine)


@pytest.mark.parametrize("case", PREDICTABLE, ids=lambda case: case["case"].replace(" ", "-"))
def test_daemon_agrees(case, tmp_path):
    """What prebootd answers is what was predicted."""
    database = tmp_path / "test.db"
    machine = set_up(database, case)
    outcome = json.loads(prebootctl(database, "--json", "explain", machine, "--address",
                                    "127.0.0.1"))["outcome"]
    daemon = policy.Daemon(database, tmp_path / "log")
    try:
        answer = policy.boot(daemon.port, question_of(case))
    finally:
        daemon.kill()
    assert answer[policy.DECISION] == {"job": policy.DECISION_JOB, "local": policy.DECISION_LOCAL}[
        outcome["answer"]]
    loader = answer.get(policy.LOADER, b"").decode()
    if "never" in case.get("machine", {}):
        assert outcome["loader"] is None and bool(loader) == (outcome["answer"] == "job")
    else:
        assert loader == (outcome["loader"] or "")
    assert answer.get(policy.CONFIG, b"").decode() == (outcome["config"] or "")
    name = outcome["admitted_as"] or ("" if machine == MAC else "pc")
    assert answer.get(policy.NAME, b"").decode() == name == (outcome["device"] or "")
