# SPDX-License-Identifier: BSD-2-Clause
"""What prebootctl explains of each machine is what prebootd answers it, on random sites with
random histories: of devices that asked or never did, and of unknown machines.

A failure names the seed of its site; "SEED=n pytest tests/system/test_explain_predicts.py" is
that one alone, and SITES=n tries n of them.
"""

import json
import os
import sqlite3
import time

import policy
import pytest
from dataset import run
from random_site import RandomSite
from reference import Site, uuid_ok
from reference_filter import BIOS, MAC, UEFI, UUID, Request

SITES = int(os.environ.get("SITES", "12"))
LOCAL_BOOT = 10  # the event that reports it
SEEDS = [int(os.environ["SEED"])] if "SEED" in os.environ else range(1, 1 + SITES)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("predicted")


def rows(database, sql, *values):
    with sqlite3.connect(database) as db:
        found = db.execute(sql, values).fetchall()
    db.close()
    return found


def machines(database):
    """Returns how each machine is called, and its last request; None: it never asked."""
    found = {name: request and Request.parse(request) for name, request in rows(
        database, "SELECT name, request FROM device LEFT JOIN seen ON seen.device = device.id")}
    named = {}
    for mac, uuid, request in rows(
            database, "SELECT mac, uuid, request FROM unknown_machine ORDER BY last, id"):
        # The last that asked with a MAC or a UUID is who is meant by it, unless a device is.
        for part, table in ((mac, "mac"), (uuid, "uuid")):
            if any(part):
                named[part.hex()] = Request.parse(request)
    devices = [part.hex() for part, in rows(
        database, "SELECT mac FROM mac UNION SELECT uuid FROM device UNION SELECT isd FROM device"
        " UNION SELECT claim_mac FROM device UNION SELECT claim_uuid FROM device") if part]
    return found | {word: request for word, request in named.items()
                    if word not in devices and (len(word) == 12 or uuid_ok(bytes.fromhex(word)))}


def never_asked(database, name, explained):
    """Returns the question of a device that never asked: of what it was registered with."""
    (number, uuid, isd, claim_uuid, claim_mac), = rows(
        database, "SELECT id, uuid, isd, claim_uuid, claim_mac FROM device WHERE name = ?", name)
    macs = [mac for mac, in rows(database, "SELECT mac FROM mac WHERE device = ?", number)]
    request = Request(firmware=BIOS, uuid=uuid or claim_uuid or bytes(16),
                      mac=(macs + [claim_mac or bytes(6)])[0], isd_device=isd or bytes(16))
    if isd:
        request.isd_state = 2
    if isd and not any(request.mac) and not any(request.uuid):
        request.mac = bytes([2, 0, 0, 9, 9, number])  # the first that comes with it is it
    if explained["config"] and explained["config"] != "w.cfg":
        bundle, = rows(database, "SELECT loader_bios FROM bundle WHERE config = ?",
                       explained["config"])
        request.firmware = BIOS if bundle[0] else UEFI
    elif explained["config"]:
        loader, = rows(database, "SELECT loader_bios FROM job WHERE device = ? ORDER BY id"
                      " DESC LIMIT 1", number)
        request.firmware = BIOS if loader[0] else UEFI
    return request


def explain(database, name):
    result = run(database, "--json", "explain", name, "--address", "127.0.0.1")
    assert result.returncode == 0, (name, result.stderr)
    assert all("several unknown machines came with this MAC" in line
               for line in result.stderr.splitlines()), (name, result.stderr)
    return json.loads(result.stdout)


def settle(database):
    end = time.monotonic() + 20
    while not Site(database).settled(int(time.time())):
        assert time.monotonic() < end, "sessions or overdue jobs are not ended"
        time.sleep(0.02)


def wait_until_kept(database, datagram):
    """What is reported beside the decision is kept a little later; of a device, what it said."""
    end = time.monotonic() + 10
    while not rows(database, "SELECT 1 FROM seen WHERE substr(request, 29) = ?1 UNION"
                   " SELECT 1 FROM unknown_machine WHERE substr(request, 9, 16) = ?2",
                   datagram[28:],
                   datagram[8:24]):
        assert time.monotonic() < end, "the request is not kept"
        time.sleep(0.01)


def of_what_is_due(database, now):
    """Returns the devices whose job is overdue, or that are in a session."""
    return [name for name, in rows(
        database, "SELECT name FROM device WHERE id IN (SELECT device FROM job WHERE"
        " state = 'begun' AND begun + deadline <= ? UNION SELECT device FROM multicast_member)",
        now)]


def check(database, site, port, name, request, explained):
    """Compares what was explained of a machine with what it is answered."""
    outcome, nonce = explained["outcome"], site.random.randbytes(16)
    if request is None:
        # What a rule says of hardware that nobody has reported yet, nobody can say.
        if any("nothing is known" in c["reason"] for c in explained["candidates"]):
            return
        request = never_asked(database, name, outcome)
    answer = policy.boot(port, request.fields(), nonce)
    where = (name, request, explained, answer)
    assert answer[policy.DECISION] == {"job": policy.DECISION_JOB, "local": policy.DECISION_LOCAL}[
        outcome["answer"]], where
    assert answer.get(policy.NAME, b"").decode() == (outcome["device"] or ""), where
    assert answer.get(policy.CONFIG, b"").decode() == (outcome["config"] or ""), where
    if outcome["loader"] is not None or outcome["answer"] == "local":
        assert answer.get(policy.LOADER, b"").decode() == (outcome["loader"] or ""), where
    assert ("never", "always", "hotkey").index(outcome["menu"]) == answer.get(
        policy.MENU_MODE, 0), where
    if outcome["answer"] == "job" and explained["open_job"]:
        assert answer[policy.JOB] == explained["open_job"], where
        assert outcome["reason"].startswith(
            f"job {explained['open_job']}, attempt {answer[policy.ATTEMPT]} of "), where
    if outcome["admitted_as"]:
        assert rows(database, "SELECT 1 FROM device WHERE name = ?", outcome["admitted_as"]), where
    wait_until_kept(database, request.datagram(nonce))
    if outcome["answer"] == "job":
        go_on(database, site, port, request, answer[policy.JOB], nonce)


def go_on(database, site, port, request, job, nonce):
    """What becomes of the job: its agent reports, or the machine boots its disk, or neither."""
    who = {number: value for number, value in request.fields().items() if number in (MAC, UUID)}
    for state in site.some((policy.BEGUN, policy.DONE, policy.FAILED)):
        policy.report(port, who, job, state, after=0)
    if not site.chance(0.3) or not any(request.mac):
        return
    policy.send_event(port, nonce, {**who, policy.CODE: LOCAL_BOOT, policy.MILLISECONDS: 9,
                              policy.REASON: b"a file is missing"})
    end = time.monotonic() + 10
    while not rows(database, "SELECT 1 FROM event WHERE boot = ? AND step = 'local-boot'", nonce):
        assert time.monotonic() < end, "the event is not kept"
        time.sleep(0.01)


@pytest.mark.parametrize("seed", SEEDS)
def test_explain_predicts(place, seed):
    database = place / f"{seed}.db"
    site = RandomSite(database, seed, int(time.time()), wild=True)
    asking = sorted(machines(database))
    site.random.shuffle(asking)
    # Of the first, what prebootd sees to when it starts is predicted, too.
    due = of_what_is_due(database, site.now)
    asking.sort(key=lambda name: name not in due)
    explained = explain(database, asking[0])
    daemon = policy.Daemon(database, place / f"{seed}.log")
    try:
        for name in asking + asking:
            settle(database)
            now = machines(database)  # one that was unknown may be a device by now
            if name in now:
                check(database, site, daemon.port, name, now[name],
                      explained or explain(database, name))
            explained = None
    finally:
        daemon.kill()
