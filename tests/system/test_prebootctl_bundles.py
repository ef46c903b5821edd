# SPDX-License-Identifier: BSD-2-Clause
"""Bundles, who is to get them, and the jobs made of them, as an administrator types it."""

import re
import time

import pytest

import policy
from policy import Ctl

MAC1, MAC2 = "52:54:00:12:34:01", "52:54:00:12:34:02"


def make(folder):
    ctl = Ctl(folder)
    ctl("folder", "add", "/site", "/site/lab")
    ctl("device", "add", "pc1", MAC1, "--folder", "/site/lab")
    ctl("device", "add", "pc2", MAC2)
    ctl("group", "add", "image", "pc1")
    ctl("bundle", "add", "ws", "image=ws.img", "size=3")
    return ctl


@pytest.fixture
def ctl(tmp_path):
    return make(tmp_path)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """One for all that is refused, which changes nothing."""
    ctl = make(tmp_path_factory.mktemp("kept"))
    ctl("bundle", "add", "other")
    ctl("assignment", "add", "ws", "--to", "/site")
    return ctl


def request(daemon, address=MAC1):
    return policy.boot(daemon.port, {policy.MAC: policy.mac(address), policy.FIRMWARE: policy.BIOS})


def request_job(daemon, address=MAC1):
    """Asks until there is a job: prebootd follows a change within 100 ms, or so."""
    end = time.monotonic() + 5
    while (answer := request(daemon, address))[policy.DECISION] != policy.DECISION_JOB:
        assert time.monotonic() < end, answer
        time.sleep(0.02)
    return answer


def report(daemon, job, state, address=MAC1):
    return policy.report(daemon.port, {policy.MAC: policy.mac(address)}, job, state)


def steps(ctl, device):
    return [(event["step"], event["reason"]) for event in ctl.json("event", "list", device)]


# --- bundles ---------------------------------------------------------------------


@pytest.mark.parametrize("kind, config", [
    ("imaging", "z_auto.cfg"), ("third-party", "winpe.cfg"), ("kickstart", "kickstart.cfg"),
    ("script", "z_auto.cfg"), ("multicast", "z_auto.cfg")])
def test_kinds(ctl, kind, config):
    ctl("bundle", "add", "new", "--kind", kind)
    shown = ctl.json("bundle", "show", "new")
    assert (shown["kind"], shown["config"]) == (kind, config)
    assert (shown["loader_bios"], shown["loader_uefi"]) == ("*", "*")
    assert shown["attempts"] is None and shown["deadline"] is None


def test_change_replaces_what_is_given(ctl):
    ctl("bundle", "change", "WS", "size=4", "note=it's", "--unset", "image", "--prefix", "boot/",
        "--attempts", "7", "--deadline", "90m", "--loader-uefi", "", "--loader-bios", "a.0")
    shown = ctl.json("bundle", "show", "ws")
    assert shown["details"] == {"size": "4", "note": "it's"}
    assert (shown["attempts"], shown["deadline"], shown["prefix"]) == (7, 5400, "boot/")
    assert (shown["loader_bios"], shown["loader_uefi"]) == ("a.0", "")
    ctl("bundle", "change", "ws", "--attempts", "*", "--deadline", "*", "--loader-uefi", "*",
        "--prefix", "")
    shown = ctl.json("bundle", "show", "ws")
    assert (shown["attempts"], shown["deadline"], shown["loader_uefi"], shown["prefix"]) == \
        (None, None, "*", "")
    assert (shown["loader_bios"], shown["details"]["size"]) == ("a.0", "4")


def test_config_follows_the_kind_unless_it_is_ones_own(ctl):
    ctl("bundle", "change", "ws", "--kind", "third-party")
    assert ctl.json("bundle", "show", "ws")["config"] == "winpe.cfg"
    ctl("bundle", "change", "ws", "--config", "own.cfg")
    ctl("bundle", "change", "ws", "--kind", "script")
    assert ctl.json("bundle", "show", "ws")["config"] == "own.cfg"


def test_list_rename_remove(ctl):
    ctl("bundle", "add", "win", "--kind", "third-party", "--loader-bios", "")
    table = ctl("bundle", "list").splitlines()
    assert table[0].split() == ["BUNDLE", "KIND", "CONFIG", "BIOS", "UEFI", "USED", "OPEN",
                                "DONE", "FAILED"]
    assert re.fullmatch(r"win +third-party +winpe.cfg +none +as set +0 +0 +0 +0", table[1])
    assert ctl("bundle", "rename", "win", "windows") == "bundle windows renamed\n"
    assert ctl("bundle", "remove", "windows") == "bundle windows removed\n"
    assert [row["bundle"] for row in ctl.json("bundle", "list")] == ["ws"]


def test_change_several(ctl):
    ctl("bundle", "add", "win", "size=5")
    assert ctl("bundle", "change", "ws", "win", "--attempts", "7", "note=a=b") == \
        "bundle ws changed\nbundle win changed\n"
    assert [(b["attempts"], b["details"]) for b in ctl.json("bundle", "list")] == [
        (7, {"size": "5", "note": "a=b"}), (7, {"image": "ws.img", "size": "3", "note": "a=b"})]
    assert [b["bundle"] for b in ctl.json("bundle", "change", "ws", "win", "size=")] == ["ws", "win"]
    assert ctl.json("bundle", "change", "ws", "--attempts", "2")["attempts"] == 2


@pytest.mark.parametrize("status, arguments, expected", [
    (1, ["add", "WS"], "bundle WS already exists"),
    (2, ["add", "a b"], "not a name for a bundle"),
    (2, ["add", "new", "--kind", "magic"], "expected imaging, third-party, kickstart, script"),
    (2, ["add", "new", "--config", "../a"], "--config ../a: not a file name"),
    (2, ["add", "new", "--config", " "], "not a file name"),
    (2, ["add", "new", "--prefix", "a b"], "--prefix a b: not a file name"),
    (2, ["add", "new", "--loader-bios", "", "--loader-uefi", ""], "needs a loader"),
    (2, ["add", "new", "--loader-bios", "**"], "--loader-bios **: not a file name"),
    (2, ["add", "new", "--attempts", "101"], "from 1 to 100"),
    (2, ["add", "new", "--deadline", "soon"], "as in 90s, 30m"),
    (2, ["add", "new", "image"], "expected KEY=VALUE"),
    (2, ["add", "new", "a=1", "a=2"], "a: given twice"),
    (2, ["add", "new", "a=" + "x" * 1000], "all details must fit one datagram"),
    (2, ["add", "new", "a=" + "x" * 850], "with what multicast sessions add"),
    (2, ["add", "new", "multicast_state=x"], "multicast sessions set this detail"),
    (1, ["change", "none", "a=1"], 'see "prebootctl bundle list"'),
    (1, ["change", "ws", "none", "a=1"], 'unknown bundle "none"'),
    (2, ["change", "ws", "other", "a=1", "image"], "image: expected KEY=VALUE"),
    (1, ["change", "ws", "other", "--unset", "size"], "--unset size: there is no such detail"),
    (1, ["change", "ws", "--unset", "size,none"], "--unset none: there is no such detail"),
    (1, ["rename", "ws", "other"], "bundle other already exists"),
    (1, ["remove", "none"], 'unknown bundle "none"'),
    (2, ["remove", "ws", "--force"], '--force is not for "bundle remove"')])
def test_bad_bundle(kept, status, arguments, expected):
    before = kept.json("bundle", "list")
    assert expected in kept.fails(status, "bundle", *arguments)
    assert kept.json("bundle", "list") == before


def test_what_is_in_use_stays_and_says_where(ctl):
    ctl("assignment", "add", "ws", "pc1", "/site/lab", "group:image", "/")
    ctl("rule", "add", "dell", "--bundle", "ws", "maker contains Dell")
    ctl("multicast", "add", "room", "--bundle", "ws", "--clients", "2")
    reason = ctl.fails(1, "bundle", "remove", "ws")
    assert "assigned to pc1, assigned to /site/lab, assigned to group:image, assigned to /, " \
        "rule dell and 1 more; remove those first" in reason
    ctl("rule", "remove", "dell")
    for _ in range(4):
        ctl("assignment", "remove", str(ctl.json("assignment", "list")[0]["id"]))
    assert "in use: multicast session room; remove that first" in \
        ctl.fails(1, "bundle", "remove", "ws")
    ctl("multicast", "remove", "room")
    ctl("bundle", "remove", "ws")


# --- assignments -----------------------------------------------------------------


def test_assignments(ctl):
    assert ctl("assignment", "add", "ws", "--to", "pc1") == "assignment 1: ws to pc1, once\n"
    ctl("bundle", "add", "win")
    assert ctl("assignment", "add", "win", "--to", "/site", "group:image", "/", "--always") == \
        "3 assignments of win, always\n"
    listed = ctl.json("assignment", "list")
    assert [(a["id"], a["bundle"], a["level"], a["to"], a["mode"]) for a in listed] == [
        (1, "ws", "device", "pc1", "once"), (2, "win", "folder", "/site", "always"),
        (3, "win", "group", "group:image", "always"), (4, "win", "global", "/", "always")]
    assert len(ctl.json("assignment", "list", "win")) == 3
    assert [a["id"] for a in ctl.json("assignment", "list", "--to", "group:image")] == [3]
    assert [a["id"] for a in ctl.json("assignment", "list", "win", "--to", "/")] == [4]
    assert [a["id"] for a in ctl.json("assignment", "list", "win", "ws")] == [2, 3, 4, 1]
    assert ctl.json("assignment", "list", "ws", "win", "--to", "/site") == \
        ctl.json("assignment", "list", "--to", "/site")
    assert re.search(r"^2 +win +/site +always +0 +0 +0$", ctl("assignment", "list"), re.M)
    assert ctl("assignment", "remove", "win", "--to", "/") == "assignment 4 removed: win to /\n"
    assert ctl("assignment", "remove", "1") == "assignment 1 removed: ws to pc1\n"
    assert [a["id"] for a in ctl.json("assignment", "list")] == [2, 3]
    assert steps(ctl, "pc1") == [("joined", "group image"), ("assigned", "bundle ws, once"),
                                 ("unassigned", "bundle ws")]
    ctl("device", "remove", "pc2")
    ctl("assignment", "add", "ws", "--to", "pc1")
    ctl("device", "remove", "pc1")
    assert [a["id"] for a in ctl.json("assignment", "list")] == [2, 3]


def test_remove_several_assignments(ctl):
    ctl("bundle", "add", "win")
    ctl("assignment", "add", "ws", "pc1", "pc2", "/site")
    ctl("assignment", "add", "win", "/site")
    assert 'unknown assignment "9"' in ctl.fails(1, "assignment", "remove", "1", "9")
    assert len(ctl.json("assignment", "list")) == 4
    assert ctl("assignment", "remove", "ws", "win", "1", "--to", "/site") == \
        "assignment 3 removed: ws to /site\nassignment 4 removed: win to /site\n" \
        "assignment 1 removed: ws to pc1\n"
    assert [a["id"] for a in ctl.json("assignment", "list")] == [2]


@pytest.mark.parametrize("text, expected", [
    ("2999-12-31", "3000-01-01 00:00:00"), ("2999-12-31 18:30", "2999-12-31 18:30:00"),
    ("2999-12-31T18:30:05", "2999-12-31 18:30:05")])
def test_until(ctl, text, expected):
    ctl("assignment", "add", "ws", "--to", "pc1", "--until", text)
    assert ctl.json("assignment", "list")[0]["when"] == f"until {expected}"


def test_until_from_now(ctl):
    ctl("assignment", "add", "ws", "--to", "pc1", "--until", "2d")
    until = ctl.json("assignment", "list")[0]["until"]
    expected = time.gmtime(time.time() + 2 * 86400)
    assert until[:13] in {time.strftime("%Y-%m-%dT%H", expected),
                          time.strftime("%Y-%m-%dT%H", time.gmtime(time.time() + 172795))}


@pytest.mark.parametrize("status, arguments, expected", [
    (2, ["add", "ws"], "missing --to TARGET: a device, a folder as in /site/lab, group:NAME, or /"),
    (1, ["add", "none", "--to", "pc1"], 'unknown bundle "none"'),
    (1, ["add", "ws", "--to", "pc9"], 'unknown device "pc9"'),
    (1, ["add", "ws", "--to", "/none"], "unknown folder"),
    (1, ["add", "ws", "--to", "group:none"], "unknown group"),
    (1, ["add", "ws", "pc1", "/site"],
     'ws is assigned to /site already; for it to happen anew or otherwise, remove that first: '
     '"prebootctl assignment remove 1"'),
    (2, ["add", "ws", "pc1", "--once", "--always"], "expected one of --once, --always"),
    (2, ["add", "ws", "pc1", "--until", "2001-01-01"], "is in the past"),
    (2, ["add", "ws", "pc1", "--until", "2999-13-01"], "expected a day, as in 2026-12-31"),
    (2, ["add", "ws", "pc1", "--until", "2999-02-29"], "2999-02-29: there is no such day"),
    (2, ["add", "ws", "pc1", "--until", "2999-04-31 18:00"], "there is no such day"),
    (2, ["add", "ws", "pc1", "--until", "soon"], "--until soon: expected a day, as in 2026-12-31"),
    (2, ["add", "ws", "pc1", "--until", "yesterday"], "or how long from now, as in 7d"),
    (2, ["add", "ws", "pc1", "--until", "31.12.2999"], "or how long from now, as in 7d"),
    (1, ["list", "none"], "unknown bundle"),
    (1, ["list", "ws", "none"], 'unknown bundle "none"'),
    (1, ["list", "--to", "pc9"], "unknown device"),
    (1, ["remove", "99"], "unknown assignment \"99\"; see"),
    (1, ["remove", "99999999999999999999999"], "unknown assignment"),
    (2, ["remove", "ws"], "missing --to TARGET"),
    (1, ["remove", "ws", "--to", "pc1"], '"prebootctl assignment list ws" says to whom')])
def test_bad_assignment(kept, status, arguments, expected):
    before = kept.json("assignment", "list")
    assert expected in kept.fails(status, "assignment", *arguments)
    assert kept.json("assignment", "list") == before


# --- jobs made of bundles --------------------------------------------------------


def test_jobs_of_a_bundle_take_the_settings(ctl):
    ctl("settings", "set", "/site", "loader-bios=site.0", "attempts=5", "deadline=2h")
    ctl("settings", "set", "pc1", "loader-uefi=own.efi")
    assert ctl("job", "assign", "pc1", "--bundle", "ws", "size=9", "--unset", "image") == \
        "job 1 assigned to pc1: ws\n"
    job = ctl.json("job", "show", "pc1")
    assert (job["loader_bios"], job["loader_uefi"]) == ("site.0", "own.efi")
    assert (job["attempts"], job["deadline"], job["config"]) == (5, 7200, "z_auto.cfg")
    assert job["details"] == {"size": "9"}
    assert (job["bundle"], job["source"]) == ("ws", "hand")
    ctl("job", "assign", "pc2", "--bundle", "ws", "--attempts", "2", "--loader-bios", "x.0",
        "--config", "b.cfg")
    job = ctl.json("job", "show", "pc2")
    assert (job["loader_bios"], job["attempts"], job["config"]) == ("x.0", 2, "b.cfg")
    ctl("job", "cancel", "pc1")
    ctl("job", "assign", "pc1", "--config", "c.cfg")  # no bundle, and the settings as well
    job = ctl.json("job", "show", "pc1")
    assert (job["loader_bios"], job["attempts"], job["bundle"]) == ("site.0", 5, None)
    table = ctl("job", "list").splitlines()
    assert table[0].split() == ["JOB", "DEVICE", "STATE", "ATTEMPT", "WHAT", "SOURCE", "SINCE",
                                "REASON"]
    assert [line.split()[4:6] for line in table[1:]] == [
        ["c.cfg", "hand"], ["ws", "hand"], ["ws", "hand"]]
    assert "by         hand, bundle ws" in ctl("job", "show", "2")
    assert 'unknown bundle "none"' in ctl.fails(1, "job", "assign", "pc1", "--bundle", "none")


def test_history_outlives_the_bundle(ctl):
    ctl("job", "assign", "pc1", "--bundle", "ws")
    ctl("job", "cancel", "pc1")
    assert ctl.json("bundle", "list")[0]["uses"]["open"] == 0
    ctl("bundle", "remove", "ws")
    job = ctl.json("job", "list", "pc1")[0]
    assert (job["bundle"], job["config"], job["state"]) == (None, "z_auto.cfg", "cancelled")


def test_assigned_jobs_say_where_they_came_from(ctl, daemon):
    ctl("assignment", "add", "ws", "--to", "/site", "--always")
    assert request_job(daemon)[policy.LOADER] == b"pxelinux.0"
    job = ctl.json("job", "show", "pc1")
    assert (job["bundle"], job["source"], job["state"]) == ("ws", "assignment", "offered")
    assert re.search(r"^1 +ws +/site +always +1 +0 +0$", ctl("assignment", "list"), re.M)
    assert ctl.json("bundle", "show", "ws")["uses"]["open"] == 1
    report(daemon, job["job"], policy.BEGUN)
    report(daemon, job["job"], policy.DONE)
    assert re.search(r"^1 +ws +/site +always +0 +1 +0$", ctl("assignment", "list"), re.M)


# --- retry and release -----------------------------------------------------------


def test_retry_what_failed(ctl, daemon):
    ctl("job", "assign", "pc1", "--bundle", "ws", "--attempts", "1")
    job = request_job(daemon)[policy.JOB]
    report(daemon, job, policy.FAILED)
    assert ctl("job", "retry", "pc1") == "job 1 of pc1 waits for its next boot, as job 2\n"
    old, new = ctl.json("job", "show", "1"), ctl.json("job", "show", "2")
    assert (old["state"], new["state"]) == ("failed", "pending")
    for key in ("bundle", "source", "config", "details", "loader_bios", "attempts", "deadline"):
        assert old[key] == new[key]
    assert new["attempt"] == 0 and new["offers"] == []
    assert request_job(daemon)[policy.JOB] == 2
    assert ("assigned", "again, after job 1") in steps(ctl, "pc1")


def test_release_what_hangs(ctl, daemon):
    ctl("job", "assign", "pc1", "--bundle", "ws", "--attempts", "2")
    job = request_job(daemon)[policy.JOB]
    report(daemon, job, policy.BEGUN)
    assert "2" in ctl("job", "release", "pc1")
    assert [(w["job"], w["state"], w["attempt"]) for w in ctl.json("job", "list")] == [
        (2, "pending", 0), (1, "cancelled", 1)]
    assert ctl.json("job", "show", "1")["reason"] == "released by the administrator"
    assert policy.STATE not in report(daemon, job, policy.DONE)
    assert request_job(daemon)[policy.ATTEMPT] == 1


def test_retry_and_release_refuse(ctl, daemon):
    assert "device pc1 has no job" in ctl.fails(1, "job", "retry", "pc1")
    ctl("job", "assign", "pc1", "--bundle", "ws")
    assert '"prebootctl job release pc1"' in ctl.fails(1, "job", "retry", "pc1")
    assert "it waits for the next boot already" in ctl.fails(1, "job", "release", "pc1")
    job = request_job(daemon)[policy.JOB]
    report(daemon, job, policy.BEGUN)
    report(daemon, job, policy.DONE)
    assert "is done; to have it done again, use --force" in ctl.fails(1, "job", "retry", "1")
    assert '"prebootctl job retry 1"' in ctl.fails(1, "job", "release", "pc1")
    ctl("job", "retry", "1", "--force")
    assert "pc1 has job 2, which is pending; cancel it first" in \
        ctl.fails(1, "job", "retry", "1", "--force")
    assert len(ctl.json("job", "list")) == 2


def test_autoinstall_is_kickstart(ctl):
    ctl("bundle", "add", "auto", "--kind", "autoinstall")
    bundle = ctl.json("bundle", "show", "auto")
    assert (bundle["kind"], bundle["config"]) == ("kickstart", "kickstart.cfg")


def test_loader_that_takes_no_configuration(tmp_path):
    """--config "" says so, of bundles and of jobs; all that shows it can cope with that."""
    ctl = policy.Ctl(tmp_path)
    ctl("device", "add", "pc1", "--mac", "52:54:00:00:00:01")
    ctl("bundle", "add", "ipxe", "--config", "", "--loader-bios", "undionly.kpxe",
        "--loader-uefi", "")
    assert ctl.json("bundle", "show", "ipxe")["config"] == ""
    assert re.search(r"config +none", ctl("bundle", "show", "ipxe"))
    assert "undionly.kpxe" in ctl("job", "assign", "pc1", "--config", "", "--loader-bios",
                                  "undionly.kpxe")
    ctl("job", "assign", "pc1", "--replace", "--config", "", "--loader-bios", "", "--loader-uefi",
        "snponly.efi")
    assert "snponly.efi" in ctl("job", "list", "pc1", "--open")
    ctl("job", "assign", "pc1", "--replace", "--bundle", "ipxe")
    assert re.search(r"config +none", ctl("job", "show", "pc1"))
    ctl("job", "list")
    assert " with" not in ctl("explain", "pc1").splitlines()[-1]
    exported = ctl("export")
    (ctl.folder / "data.json").write_text(exported)
    ctl("import", "--replace", ctl.folder / "data.json")
    assert ctl("export") == exported
    assert "nothing wrong" in ctl("check")


def test_answer_without_configuration(tmp_path):
    """The machine gets no configuration, so that it looks for none; nor does its agent."""
    ctl = policy.Ctl(tmp_path)
    ctl("device", "add", "pc1", "--mac", "52:54:00:00:00:01")
    ctl("job", "assign", "pc1", "--config", "", "--loader-bios", "undionly.kpxe")
    daemon = policy.Daemon(ctl.database, tmp_path / "prebootd.log")
    try:
        who = {policy.MAC: policy.mac("52:54:00:00:00:01")}
        answer = policy.boot(daemon.port, {**who, policy.FIRMWARE: policy.BIOS})
        details = policy.ask(daemon.port, policy.QUERY,
                             {**who, policy.TOKEN: answer[policy.TOKEN]})
    finally:
        daemon.kill()
    assert (answer[policy.DECISION], answer[policy.LOADER]) == (policy.DECISION_JOB,
                                                                b"undionly.kpxe")
    assert policy.CONFIG not in answer
    assert details[policy.DECISION] == policy.DECISION_JOB and policy.CONFIG not in details
