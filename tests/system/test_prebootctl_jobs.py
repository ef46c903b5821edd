# SPDX-License-Identifier: BSD-2-Clause
"""Jobs that an administrator assigns by hand, and what prebootd makes of them."""

import re
import secrets
import shutil
import sqlite3

import pytest

import policy
from policy import Ctl

MAC = "52:54:00:12:34:56"


def request(daemon, nonce=None, address=MAC, firmware=policy.BIOS):
    return policy.boot(daemon.port, {policy.MAC: policy.mac(address), policy.FIRMWARE: firmware},
                       nonce)


def report(daemon, job, state, address=MAC):
    return policy.report(daemon.port, {policy.MAC: policy.mac(address)}, job, state)


@pytest.mark.parametrize("architecture, loader", [
    (0, "syslinux.efi"), (6, "syslinux32.efi"), (7, "syslinux.efi"), (9, "syslinux.efi"),
    (11, "own/grub.efi")])
def test_loader_of_each_processor(ctl, daemon, architecture, loader):
    """The loader of UEFI depends on the processor; one may have none."""
    def ask():
        return policy.boot(daemon.port, {
            policy.MAC: policy.mac(MAC), policy.ARCHITECTURE: architecture,
            policy.FIRMWARE: policy.UEFI})

    ctl("device", "add", "web01", MAC)
    ctl("settings", "set", "web01", "loader-uefi-arm64=own/grub.efi")
    ctl("job", "assign", "web01", "--config", "z_auto.cfg")
    assert ask()[policy.LOADER] == loader.encode()
    ctl("job", "assign", "web01", "--replace", "--config", "z_auto.cfg", "--loader-uefi", "x.efi",
        "--loader-uefi-ia32", "", "--loader-uefi-arm64", "a.efi")
    answer = ask()
    if architecture == 6:
        assert answer[policy.DECISION] == policy.DECISION_LOCAL
        assert "the job has no loader for IA32 UEFI firmware" in ctl("explain", "web01")
    else:
        assert answer[policy.LOADER] == (b"a.efi" if architecture == 11 else b"x.efi")
    # What is not for UEFI is not for any of its processors.
    ctl("bundle", "add", "bios", "--loader-uefi", "", "image=x")
    shown = ctl.json("bundle", "show", "bios")
    assert (shown["loader_uefi_ia32"], shown["loader_uefi_arm64"]) == ("", "")


def test_assign_show_cancel(ctl):
    ctl("device", "add", "web01", MAC)
    assert ctl("job", "assign", "web01", "--config", "z_auto.cfg", "image=a b.img",
               "--prefix", "boot/", "note=it's \"x\"=1") == "job 1 assigned to web01: z_auto.cfg\n"
    job = ctl.json("job", "show", "1")
    assert job["details"] == {"image": "a b.img", "note": "it's \"x\"=1"}
    assert (job["loader_bios"], job["loader_uefi"]) == ("pxelinux.0", "syslinux.efi")
    assert (job["attempts"], job["deadline"], job["state"]) == (3, 4 * 3600, "pending")
    assert job["prefix"] == "boot/"
    reason = ctl.fails(1, "job", "assign", "web01", "--config", "b.cfg")
    assert "web01 has job 1 already" in reason and "prebootctl job cancel web01" in reason
    assert ctl("job", "assign", "web01", "--config", "b.cfg", "--replace", "--attempts", "1",
               "--deadline", "90m") == "job 2 assigned to web01: b.cfg\n"
    assert [(w["job"], w["state"]) for w in ctl.json("job", "list")] == \
        [(2, "pending"), (1, "cancelled")]
    assert ctl.json("job", "show", "web01")["deadline"] == 90 * 60
    assert "cancel it with" in ctl.fails(1, "device", "remove", "web01")
    assert ctl("job", "cancel", "web01") == "job 2 of web01 cancelled\n"
    assert "is cancelled already" in ctl.fails(1, "job", "cancel", "2")
    assert ctl.json("job", "list", "--open") == []
    assert [e["step"] for e in ctl.json("event", "list")] == \
        ["assigned", "cancelled", "assigned", "cancelled"]


@pytest.mark.parametrize("arguments, expected", [
    ([], "or --config FILE"),
    (["--config", "../shadow"], "not a file name"),
    (["--config", "a b"], "expected 1 to 127 of the characters"),
    (["--config", " "], "not a file name"),
    (["--config", "a", "--prefix", "x y"], "--prefix"),
    (["--config", "a", "--loader-bios", "a;b"], "--loader-bios"),
    (["--config", "a", "--loader-bios", "", "--loader-uefi", ""], "needs a loader"),
    (["--config", "a", "--attempts", "0"], "from 1 to 100"),
    (["--config", "a", "--attempts", "x"], "from 1 to 100"),
    (["--config", "a", "--deadline", "4x"], "as in 90s, 30m, 4h or 1d"),
    (["--config", "a", "--deadline", "0"], "as in 90s"),
    (["--config", "a", "--deadline", "99999999999999999999h"], "as in 90s"),
    (["--config", "a", "k=v", "novalue"], "expected KEY=VALUE"),
    (["--config", "a", "1a=b"], "begins with no digit"),
    (["--config", "a", "a=\x1b[2J"], "printable ASCII"),
    (["--config", "a", "a=1", "a=2"], "given twice"),
    (["--config", "a", "a=" + "x" * 1000], "datagram"),
    (["--config", "a", "--force"], "--force is not for")])
def test_bad_jobs(ctl, arguments, expected):
    ctl("device", "add", "web01", MAC)
    assert expected in ctl.fails(2, "job", "assign", "web01", *arguments)
    assert ctl.json("job", "list") == []


def test_everything_that_is_accepted_fits_a_datagram(ctl, daemon):
    name, config, value = "n" * 63, "c" * 127, "x" * 100
    ctl("device", "add", name, MAC)
    details = []
    while ctl.run("job", "assign", name, "--config", config, "--replace", *details,
                  f"k{len(details)}={value}").returncode == 0:
        details.append(f"k{len(details)}={value}")
    assert len(details) >= 7
    answer = request(daemon)
    assert answer[policy.DECISION] == policy.DECISION_JOB
    answer = policy.ask(daemon.port, policy.QUERY, {policy.MAC: policy.mac(MAC),
                                                    policy.TOKEN: answer[policy.TOKEN]})
    assert policy.JOB in answer


def test_removed_device_has_no_job(ctl, daemon):
    ctl("device", "add", "web01", MAC)
    ctl("job", "assign", "web01", "--config", "a.cfg")
    ctl("device", "remove", "web01", "--force")
    assert request(daemon)[policy.DECISION] == policy.DECISION_LOCAL


# --- the daemon follows ----------------------------------------------------------


def test_story(ctl, daemon):
    assert request(daemon)[policy.DECISION] == policy.DECISION_LOCAL  # not even known
    ctl("device", "add", "web01", MAC)
    assert request(daemon)[policy.DECISION] == policy.DECISION_LOCAL
    ctl("job", "assign", "web01", "--config", "z_auto.cfg", "image=a.img")
    boot = secrets.token_bytes(16)
    answers = [request(daemon, boot) for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert answers[0][policy.LOADER] == b"pxelinux.0"
    assert answers[0][policy.ATTEMPT] == 1
    job = answers[0][policy.JOB]
    assert request(daemon, firmware=policy.UEFI)[policy.LOADER] == b"syslinux.efi"
    assert ctl.json("job", "show", "web01")["attempt"] == 2
    assert report(daemon, job, policy.DONE, "02:00:00:00:00:01")[policy.REASON] == \
        b"unknown device"
    assert report(daemon, job, policy.BEGUN)[policy.STATE] == policy.BEGUN
    assert report(daemon, job, policy.DONE)[policy.STATE] == policy.DONE
    assert report(daemon, job, policy.DONE)[policy.STATE] == policy.DONE
    assert policy.STATE not in report(daemon, job, policy.FAILED)
    assert request(daemon)[policy.DECISION] == policy.DECISION_LOCAL
    shown = ctl.json("device", "show", "web01")
    assert shown["job"]["state"] == "done" and len(shown["job"]["offers"]) == 2
    # What is reported beside the answer is written after it: the last request may be under way.
    assert [e["step"] for e in shown["events"]][:9] == \
        ["request", "assigned", "request", "offered", "request", "offered", "begun", "done",
         "refused"]
    assert shown["seen"]["firmware"] in ("BIOS", "UEFI")
    assert daemon.stop() == 0


def test_never_begun_is_reported(ctl, daemon):
    ctl("device", "add", "web01", MAC)
    ctl("job", "assign", "web01", "--config", "z_auto.cfg")
    decisions = [request(daemon)[policy.DECISION] for _ in range(5)]
    assert decisions == [policy.DECISION_JOB] * 3 + [policy.DECISION_LOCAL] * 2
    assert ctl.json("job", "show", "1")["reason"] == "not begun after 3 attempts"
    assert "not begun after 3 attempts" in ctl("job", "list")
    warnings = re.findall(r"warning: report .*device=web01 answer=refused report=accepted job=1"
                          r" attempt=3/3 "
                          r'reason="job failed: not begun after 3 attempts"',
                          daemon.log.read_text())
    assert len(warnings) == 1


def test_firmware_without_a_loader(ctl, daemon):
    ctl("device", "add", "web01", MAC)
    ctl("job", "assign", "web01", "--config", "a.cfg", "--loader-uefi", "")
    for _ in range(5):
        assert request(daemon, firmware=policy.UEFI)[policy.DECISION] == policy.DECISION_LOCAL
    assert ctl.json("job", "show", "1")["attempt"] == 0
    assert request(daemon)[policy.ATTEMPT] == 1


def test_deadline(ctl, daemon):
    ctl("device", "add", "web01", MAC)
    ctl("job", "assign", "web01", "--config", "a.cfg", "--deadline", "1s")
    job = request(daemon)[policy.JOB]
    assert report(daemon, job, policy.BEGUN)[policy.STATE] == policy.BEGUN
    with sqlite3.connect(ctl.database) as database:
        database.execute("UPDATE job SET begun = begun - 1")
    database.close()
    assert request(daemon)[policy.DECISION] == policy.DECISION_LOCAL
    assert ctl.json("job", "show", "1")["reason"] == "begun but not ended before its deadline"


def test_copy_of_a_killed_database_is_whole(ctl, daemon):
    """What was answered is in file and log; nothing else is needed to go on."""
    ctl("device", "add", "web01", MAC)
    ctl("job", "assign", "web01", "--config", "a.cfg")
    assert request(daemon)[policy.ATTEMPT] == 1
    daemon.kill()
    assert (ctl.folder / "test.db-wal").stat().st_size > 0
    (ctl.folder / "copy").mkdir()
    for suffix in ("", "-wal"):
        shutil.copy(f"{ctl.database}{suffix}", ctl.folder / "copy")
    copy = Ctl(ctl.folder / "copy")
    assert copy.json("job", "show", "1")["attempt"] == 1


def test_handover_completes(ctl, daemon):
    """The NBP's own report, by its token, is what ends jobs that no agent does."""
    ctl("device", "add", "web01", MAC)
    ctl("bundle", "add", "pe", "--kind", "third-party", "--completes", "handover")
    ctl("job", "assign", "web01", "--bundle", "pe")
    answer = request(daemon)
    assert (answer[policy.DECISION], answer[policy.COMPLETES]) == (policy.DECISION_JOB, 1)
    token = answer[policy.TOKEN]
    policy.TOKENS[answer[policy.JOB]] = bytes(7) + b"x"
    assert report(daemon, answer[policy.JOB], policy.DONE).get(policy.STATE, 0) == 0
    assert ctl.json("job", "show", "web01")["state"] == "offered"
    policy.TOKENS[answer[policy.JOB]] = token
    assert report(daemon, answer[policy.JOB], policy.DONE)[policy.STATE] == policy.DONE
    assert ctl.json("job", "show", "web01")["state"] == "done"
    assert request(daemon)[policy.DECISION] == policy.DECISION_LOCAL


def test_next_boot_completes(ctl, daemon):
    """Another boot ends it, not one that only asks again, nor after a boot of its disk."""
    ctl("device", "add", "web01", MAC)
    ctl("bundle", "add", "pe", "--kind", "third-party")
    ctl("job", "assign", "web01", "--bundle", "pe")
    first, second, third = (secrets.token_bytes(16) for _ in range(3))
    assert request(daemon, first)[policy.ATTEMPT] == 1
    policy.send_event(daemon.port, first, {policy.MAC: policy.mac(MAC), policy.CODE: 10,
                                     policy.REASON: b"x.cfg: not found", policy.MILLISECONDS: 5})
    assert request(daemon, second)[policy.ATTEMPT] == 2
    assert request(daemon, second)[policy.ATTEMPT] == 2
    assert ctl.json("job", "show", "web01")["state"] == "offered"
    # Anybody may have sent the request; what is sent back goes to the machine.
    asked = {policy.MAC: policy.mac(MAC), policy.FIRMWARE: policy.BIOS}
    for _ in range(2):
        assert policy.ask(daemon.port, policy.REQUEST,
                          asked)[policy.DECISION] == policy.DECISION_JOB
    assert ctl.json("job", "show", "web01")["state"] == "offered"
    assert "now: boots its disk; the machine booted again" in ctl("explain", "web01")
    assert request(daemon, third)[policy.REASON] == b"job done: the machine booted again"
    assert ctl.json("job", "show", "web01")["state"] == "done"
    assert request(daemon)[policy.DECISION] == policy.DECISION_LOCAL


@pytest.mark.parametrize("state", ["begun", "accepted"])
def test_a_request_ends_no_job(ctl, daemon, state):
    """However many ask in the machine's name and do not see what they are answered."""
    ctl("device", "add", "web01", MAC)
    ctl("job", "assign", "web01", "--config", "z_auto.cfg", "--attempts", "1")
    job = request(daemon)[policy.JOB]
    if state == "begun":
        assert report(daemon, job, policy.BEGUN)[policy.STATE] == policy.BEGUN
    asked = {policy.MAC: policy.mac(MAC), policy.FIRMWARE: policy.BIOS}
    for _ in range(3):
        policy.ask(daemon.port, policy.REQUEST, asked)
    assert report(daemon, job, policy.BEGUN)[policy.STATE] == policy.BEGUN
    assert report(daemon, job, policy.DONE)[policy.STATE] == policy.DONE


# --- many at once ----------------------------------------------------------------


@pytest.fixture
def site(ctl):
    """Devices a, b, c in /site/lab, d in /site; b and d in the group kiosks."""
    ctl("folder", "add", "/site")
    ctl("folder", "add", "/site/lab")
    for i, name in enumerate("abcd"):
        ctl("device", "add", name, f"02:00:00:00:00:0{i}",
            "--folder", "/site/lab" if name != "d" else "/site")
    ctl("group", "add", "kiosks", "b", "d")
    return ctl


def jobs(ctl, *words):
    return [(j["device"], j["state"]) for j in reversed(ctl.json("job", "list", *words))]


def test_assign_many(site):
    assert site("job", "assign", "a", "group:kiosks", "--config", "z.cfg",
                "image=x").splitlines() == [
        "job 1 assigned to a: z.cfg", "job 2 assigned to b: z.cfg", "job 3 assigned to d: z.cfg"]
    assert site.json("job", "show", "d")["details"] == {"image": "x"}
    # Those of a folder that have a job are skipped, and one that is named twice has one job.
    result = site.run("job", "assign", "/site", "c", "--config", "y.cfg")
    assert result.stdout == "job 4 assigned to c: y.cfg\n"
    assert "3 devices skipped: open job already; --replace cancels it" in result.stderr
    assert "nothing to do: open job already" in site.fails(1, "job", "assign", "/site", "--config",
                                                           "y")
    # One that is named is refused, and then nothing is done.
    site("job", "cancel", "c")
    assert "device a has job 1 already" in site.fails(1, "job", "assign", "c", "a", "--config", "y")
    assert jobs(site, "c") == [("c", "cancelled")]
    assert len(site.json("job", "assign", "/site/lab", "--replace", "--config", "x.cfg")) == 3
    assert [c for _, c in jobs(site, "a")] == ["cancelled", "pending"]
    assert "missing argument TARGET" in site.fails(2, "job", "assign", "k=v", "--config", "x")
    assert "expected a device" in site.fails(2, "job", "assign", "a", "1", "--config", "x")


def test_cancel_and_retry_many(site):
    site("job", "assign", "/site", "--config", "z.cfg")
    assert site("job", "cancel", "/site/lab").splitlines() == [
        f"job {i} of {name} cancelled" for i, name in enumerate("abc", 1)]
    assert "nothing to do: no open job" in site.fails(1, "job", "cancel", "/site/lab")
    result = site.run("job", "retry", "/site")
    assert result.stdout.splitlines() == [
        f"job {i} of {name} waits for its next boot, as job {i + 4}"
        for i, name in enumerate("abc", 1)]
    assert "1 device skipped: no failed or cancelled job" in result.stderr
    assert "job 4 of d is pending" in site.fails(1, "job", "retry", "/site/lab", "4")
    site("job", "cancel", "5", "b")
    assert jobs(site, "--open") == [("d", "pending"), ("c", "pending")]
    assert [j["job"] for j in site.json("job", "retry", "1", "6")] == [8, 9]


def test_release_many(site, daemon):
    site("job", "assign", "/site", "--config", "z.cfg")
    request(daemon, address="02:00:00:00:00:00")
    result = site.run("job", "release", "/site")
    assert result.stdout == "job 1 of a waits for its next boot, as job 5\n"
    assert "3 devices skipped: no job that was offered or has begun" in result.stderr


def test_list_by_state_and_target(site):
    site("job", "assign", "a", "b", "c", "--config", "z.cfg", "--deadline", "90m")
    with sqlite3.connect(site.database) as db:
        db.execute("UPDATE job SET state = 'failed', ended = 9 WHERE config = 'z.cfg' AND device ="
                   " (SELECT id FROM device WHERE name = 'a')")
    db.close()
    site("job", "cancel", "b")
    assert jobs(site, "--failed") == jobs(site, "--state", "failed") == [("a", "failed")]
    assert jobs(site, "--state", "failed", "--state", "cancelled") == [
        ("a", "failed"), ("b", "cancelled")]
    assert jobs(site, "--open") == [("c", "pending")]
    assert jobs(site, "group:kiosks") == [("b", "cancelled")]
    assert jobs(site, "/site/lab", "--failed") == [("a", "failed")]
    assert jobs(site, "3", "a") == [("a", "failed"), ("c", "pending")]
    assert jobs(site, "group:kiosks", "--failed") == []
    assert "expected pending|offered|begun" in site.fails(2, "job", "list", "--state", "lost")
    assert "deadline   90m after it has begun" in site("job", "show", "c")
    assert [j["device"] for j in site.json("job", "show", "/site", "1")] == ["a", "b", "c", "a"]
