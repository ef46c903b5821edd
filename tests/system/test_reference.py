# SPDX-License-Identifier: BSD-2-Clause
"""What prebootctl explains, and what prebootd answers, is what reference.py decides, on random
sites and for random machines.

A failure names the seed of its site; "SEED=n pytest tests/system/test_reference.py" is that one
alone, and SITES=n tries n of them.
"""

import json
import os
import time

import policy
import pytest
from dataset import run
from random_site import SECONDS, RandomSite
from reference import Site
from reference_filter import MAC, UUID, Request

SITES = int(os.environ.get("SITES", "60"))
SEEDS = [int(os.environ["SEED"])] if "SEED" in os.environ else range(1, 1 + SITES)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("reference")


def in_short(candidates):
    return [(c["source"], c["id"], c["bundle"], c["taken"] or c["next"]) for c in candidates]


def check_who(site, device, request, note):
    who, _, _ = site.identify(request)
    where = (note, device["name"], who, request)
    if who and who is not device:
        assert note.startswith(
            f"the machine that asked last would be taken for {who['name']} now"), where
    elif who:
        assert "asked last" not in note, where
    else:
        assert note, where


def identifies_nobody(site, device):
    """Says whether all that a device was registered with is what no machine goes by."""
    uuid, macs = device["uuid"] or device["claim_uuid"], [device["claim_mac"]]
    macs += [row["mac"] for row in site.rows("mac", device=device["id"])]
    return bool(uuid and not device["isd"] and not site.uuid_counts(uuid) and
                not any(mac and site.mac_counts(mac) for mac in macs))


def check_explained(database, site, device, now):
    seen = site.one("seen", device=device["id"])
    request = Request.parse(seen["request"]) if seen else None
    expected = site.decide(request, seen["address"] if seen else "", now,
                           None if request else device)
    result = run(database, "--json", "explain", device["name"])
    assert result.returncode == 0 and not result.stderr, result.stderr
    explained = json.loads(result.stdout)
    where = (device["name"], request, explained, [
        (c.source, c.id, c.why) for c in expected.candidates])
    if not request and identifies_nobody(site, device):
        assert not explained["known"] and not explained["candidates"], where
        assert "identifies nobody" in explained["note"], where
        return
    open_of = expected.job and (expected.job["source"], expected.job["source_id"])
    assert in_short(explained["candidates"]) == [
        (c.source, c.id, c.bundle["name"], c.taken or (c.source, c.id) == open_of)
        for c in expected.candidates], where
    for c in explained["candidates"]:
        assert not (c["taken"] and c["next"]), where
        assert not expected.job or c["taken"] == ((c["source"], c["id"]) == open_of), where
        assert expected.job or not c["next"], where
    assert explained["open_job"] == (expected.job and expected.job["id"]), where
    if request:
        check_who(site, device, request, explained["note"] or "")
        outcome = explained["outcome"]
        assert outcome["answer"] == ("job" if expected.loader else "local"), where
        assert (outcome["loader"] or "") == expected.loader, where
        assert (outcome["config"] or "") == expected.config, where


@pytest.mark.parametrize("seed", SEEDS)
def test_explained(place, seed):
    database, now = place / f"explained-{seed}.db", int(time.time())
    RandomSite(database, seed, now)
    site = Site(database)
    if site.tables["multicast"]:
        sessions = json.loads(run(database, "--json", "multicast", "list").stdout)
        assert {s["session"]: s["joined"] for s in sessions} == {
            s["name"]: site.joined(s) for s in site.tables["multicast"]}
    site.sweep(now)
    for device in site.tables["device"]:
        check_explained(database, site, device, now)


# --- the daemon itself ---------------------------------------------------------------


def settled(database):
    """Returns what is in the database once the daemon has nothing to do."""
    end = time.monotonic() + 20
    while True:
        site = Site(database)
        if site.settled(int(time.time())):
            return site
        assert time.monotonic() < end, "sessions or overdue jobs are not ended"
        time.sleep(0.02)


def check_job(before, after, decision, answer):
    """Compares the job that was explained with what it was to be made from."""
    job = after.one("job", id=answer[policy.JOB])
    assert job["state"] == "offered" and job["attempt"] == answer[policy.ATTEMPT]
    if decision.job:
        assert job["id"] == decision.job["id"]
        assert job["attempt"] == decision.job["attempt"] + 1
        return
    bundle, chosen = decision.chosen.bundle, decision.chosen
    assert (job["bundle"], job["source"], job["source_id"], job["details"]) == (
        bundle["id"], chosen.source, chosen.id, bundle["details"])
    assert job["attempt"] == 1
    assert job["attempts"] == (
        bundle["attempts"] or int(before.setting(decision.device, "attempts")))
    assert job["deadline"] == (
        bundle["deadline"] or SECONDS[before.setting(decision.device, "deadline")])
    if chosen.source == "multicast":
        assert after.one("multicast_member", multicast=chosen.id, device=job["device"])["joined"]


def check_answer(before, after, decision, answer):
    assert answer[policy.DECISION] == (
        policy.DECISION_JOB if decision.loader else policy.DECISION_LOCAL)
    name = answer.get(policy.NAME, b"").decode()
    if decision.device:
        assert name == decision.device["name"]
    else:
        assert bool(name) == decision.admits
        assert not name or after.one("device", name=name)
    assert answer.get(policy.MENU_MODE, 0) == ("never", "always", "hotkey").index(
        before.setting(decision.device, "menu-mode"))
    assert answer.get(policy.LOADER, b"").decode() == decision.loader
    assert answer.get(policy.CONFIG, b"").decode() == decision.config
    if decision.claims:
        claimed = after.one("device", id=decision.device["id"])
        assert claimed["claim_uuid"] or claimed["claim_mac"]
    if decision.loader:
        check_job(before, after, decision, answer)


def ask(site, database, port, request):
    """Asks for a boot of one machine, compares, and goes on with its job, perhaps."""
    before, nonce = settled(database), site.random.randbytes(16)
    decision = before.decide(request, "127.0.0.1", int(time.time()))
    answer = policy.boot(port, request.fields(), nonce)
    try:
        check_answer(before, Site(database), decision, answer)
    except AssertionError as error:
        raise AssertionError(f"{request}: {answer}, not {decision}") from error
    if not decision.loader:
        return
    # The same boot, asking again, gets the same answer.
    assert policy.boot(port, request.fields(), nonce) == answer
    identity = {number: value for number, value in request.fields().items()
                if number in (MAC, UUID)}
    for state in site.some((policy.BEGUN, policy.DONE, policy.FAILED)):
        policy.report(port, identity, answer[policy.JOB], state)


@pytest.mark.parametrize("seed", SEEDS[::12])
def test_answered(place, seed):
    database = place / f"answered-{seed}.db"
    site = RandomSite(database, seed, int(time.time()))
    daemon = policy.Daemon(database, place / f"answered-{seed}.log")
    machines = [site.request() for _ in range(6)]
    try:
        for _ in range(15):
            ask(site, database, daemon.port, site.random.choice(machines))
    finally:
        daemon.kill()
