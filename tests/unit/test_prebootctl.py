# SPDX-License-Identifier: BSD-2-Clause
"""What an administrator types, and what prebootd makes of it."""

import os
import pty
import re
import secrets
import shutil
import socket
import sqlite3
import subprocess

import pytest

import policy
from policy import BUILD, Ctl

MAC = "52:54:00:12:34:56"
UUID = "4c4c4544-0034-4d10-8052-b4c04f4a3232"


def request(daemon, nonce=None, address=MAC, firmware=policy.BIOS):
    return policy.ask(daemon.port, policy.REQUEST,
                      {policy.MAC: policy.mac(address), policy.FIRMWARE: firmware}, nonce)


def report(daemon, lease, state, address=MAC):
    return policy.ask(daemon.port, policy.REPORT,
                      {policy.MAC: policy.mac(address), policy.LEASE: lease, policy.STATE: state})


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
        "work": None, "events": [], "added": ctl.json("device", "show", MAC)["added"]}
    table = ctl("device", "list").splitlines()
    assert re.fullmatch(r"DEVICE +FOLDER +MAC OR UUID +FW +NEWEST WORK +LAST SEEN", table[0])
    assert table[1].split() == ["db01", "/", "02:00:00:00:00:02", "-", "-", "never"]
    assert ctl("device", "remove", MAC) == "device web01 removed\n"
    assert [d["name"] for d in ctl.json("device", "list")] == ["db01"]
    assert "no such device" in ctl.fails(1, "device", "show", "web01")


@pytest.mark.parametrize("arguments, expected", [
    (["web01"], "needs a MAC or UUID"),
    (["web01", "--mac", "52:54:00:12:34"], "expected six bytes, as in 52:54:00:12:34:56"),
    (["web01", "--mac", "52:54:00:12:34:5g"], "not a MAC address"),
    (["web01", "--mac", "ff:ff:ff:ff:ff:ff"], "for groups"),
    (["web01", "--mac", "00:00:00:00:00:00"], "no machine has this address"),
    (["web01", "--uuid", "4c4c4544-0034"], "not a UUID; expected 32 hexadecimal digits"),
    (["web01", "--uuid", "00000000-0000-0000-0000-000000000000"], "placeholder"),
    (["web01", "--uuid", "03000200-0400-0500-0006-000700080009"], "placeholder"),
    (["web 01", "--mac", MAC], "not a name for a device"),
    (["../web", "--mac", MAC], "not a name for a device"),
    (["a" * 64, "--mac", MAC], "1 to 63"),
    (["12", "--mac", MAC], "not all digits"),
    (["525400123456", "--mac", MAC], "not a name"),
    ([], "something is missing"),
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
    assert "called web01 already" in ctl.fails(1, "device", "add", "WEB01", "02:00:00:00:00:01")
    assert len(ctl.json("device", "list")) == 1


# --- work ------------------------------------------------------------------------


def test_assign_show_cancel(ctl):
    ctl("device", "add", "web01", MAC)
    assert ctl("work", "assign", "web01", "--config", "z_auto.cfg", "image=a b.img",
               "--prefix", "boot/", "note=it's \"x\"=1") == "work 1 assigned to web01: z_auto.cfg\n"
    work = ctl.json("work", "show", "1")
    assert work["details"] == {"image": "a b.img", "note": "it's \"x\"=1"}
    assert (work["loader_bios"], work["loader_uefi"]) == ("pxelinux.0", "syslinux.efi")
    assert (work["attempts"], work["deadline"], work["state"]) == (3, 4 * 3600, "pending")
    assert work["prefix"] == "boot/"
    reason = ctl.fails(1, "work", "assign", "web01", "--config", "b.cfg")
    assert "web01 has work 1 already" in reason and "prebootctl work cancel web01" in reason
    assert ctl("work", "assign", "web01", "--config", "b.cfg", "--replace", "--attempts", "1",
               "--deadline", "90m") == "work 2 assigned to web01: b.cfg\n"
    assert [(w["lease"], w["state"]) for w in ctl.json("work", "list")] == \
        [(2, "pending"), (1, "cancelled")]
    assert ctl.json("work", "show", "web01")["deadline"] == 90 * 60
    assert "cancel it with" in ctl.fails(1, "device", "remove", "web01")
    assert ctl("work", "cancel", "web01") == "work 2 of web01 cancelled\n"
    assert "is cancelled already" in ctl.fails(1, "work", "cancel", "2")
    assert ctl.json("work", "list", "--open") == []
    assert [e["step"] for e in ctl.json("event", "list")] == \
        ["assigned", "cancelled", "assigned", "cancelled"]


@pytest.mark.parametrize("arguments, expected", [
    ([], "or --config FILE"),
    (["--config", "../shadow"], "not a file name"),
    (["--config", "a b"], "expected 1 to 127 of the characters"),
    (["--config", ""], "not a file name"),
    (["--config", "a", "--prefix", "x y"], "--prefix"),
    (["--config", "a", "--loader-bios", "a;b"], "--loader-bios"),
    (["--config", "a", "--loader-bios", "", "--loader-uefi", ""], "needs a loader"),
    (["--config", "a", "--attempts", "0"], "from 1 to 100"),
    (["--config", "a", "--attempts", "x"], "from 1 to 100"),
    (["--config", "a", "--deadline", "4x"], "as in 90s, 30m, 4h or 1d"),
    (["--config", "a", "--deadline", "0"], "as in 90s"),
    (["--config", "a", "--deadline", "99999999999999999999h"], "as in 90s"),
    (["--config", "a", "novalue"], "expected KEY=VALUE"),
    (["--config", "a", "1a=b"], "begins with no digit"),
    (["--config", "a", "a=\x1b[2J"], "printable ASCII"),
    (["--config", "a", "a=1", "a=2"], "given twice"),
    (["--config", "a", "a=" + "x" * 1000], "datagram"),
    (["--config", "a", "--force"], "--force is not for")])
def test_bad_work(ctl, arguments, expected):
    ctl("device", "add", "web01", MAC)
    assert expected in ctl.fails(2, "work", "assign", "web01", *arguments)
    assert ctl.json("work", "list") == []


def test_everything_that_is_accepted_fits_a_datagram(ctl, daemon):
    name, config, value = "n" * 63, "c" * 127, "x" * 100
    ctl("device", "add", name, MAC)
    details = []
    while ctl.run("work", "assign", name, "--config", config, "--replace", *details,
                  f"k{len(details)}={value}").returncode == 0:
        details.append(f"k{len(details)}={value}")
    assert len(details) >= 7
    assert request(daemon)[policy.DECISION] == policy.WORK
    answer = policy.ask(daemon.port, policy.QUERY, {policy.MAC: policy.mac(MAC)})
    assert policy.LEASE in answer


def test_removed_device_has_no_work(ctl, daemon):
    ctl("device", "add", "web01", MAC)
    ctl("work", "assign", "web01", "--config", "a.cfg")
    ctl("device", "remove", "web01", "--force")
    assert request(daemon)[policy.DECISION] == policy.LOCAL


# --- the daemon follows ----------------------------------------------------------


def test_story(ctl, daemon):
    assert request(daemon)[policy.DECISION] == policy.LOCAL  # not even known
    ctl("device", "add", "web01", MAC)
    assert request(daemon)[policy.DECISION] == policy.LOCAL
    ctl("work", "assign", "web01", "--config", "z_auto.cfg", "image=a.img")
    boot = secrets.token_bytes(16)
    answers = [request(daemon, boot) for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert answers[0][policy.LOADER] == b"pxelinux.0"
    assert answers[0][policy.ATTEMPT] == 1
    lease = answers[0][policy.LEASE]
    assert request(daemon, firmware=policy.UEFI)[policy.LOADER] == b"syslinux.efi"
    assert ctl.json("work", "show", "web01")["attempt"] == 2
    assert report(daemon, lease, policy.DONE, "02:00:00:00:00:01")[policy.REASON] == \
        b"unknown device"
    assert report(daemon, lease, policy.BEGUN)[policy.STATE] == policy.BEGUN
    assert report(daemon, lease, policy.DONE)[policy.STATE] == policy.DONE
    assert report(daemon, lease, policy.DONE)[policy.STATE] == policy.DONE
    assert policy.STATE not in report(daemon, lease, policy.FAILED)
    assert request(daemon)[policy.DECISION] == policy.LOCAL
    shown = ctl.json("device", "show", "web01")
    assert shown["work"]["state"] == "done" and len(shown["work"]["offers"]) == 2
    # What is told beside the answer is written after it: the last request may be under way.
    assert [e["step"] for e in shown["events"]][:9] == \
        ["request", "assigned", "offered", "request", "offered", "request", "begun", "done",
         "refused"]
    assert shown["seen"]["firmware"] in ("BIOS", "UEFI")
    assert daemon.stop() == 0


def test_never_begun_is_told(ctl, daemon):
    ctl("device", "add", "web01", MAC)
    ctl("work", "assign", "web01", "--config", "z_auto.cfg")
    decisions = [request(daemon)[policy.DECISION] for _ in range(5)]
    assert decisions == [policy.WORK] * 3 + [policy.LOCAL] * 2
    assert ctl.json("work", "show", "1")["reason"] == "not begun after 3 attempts"
    assert "not begun after 3 attempts" in ctl("work", "list")
    warnings = re.findall(r"warning: request .*device=web01 answer=local lease=1 attempt=3/3 "
                          r'reason="work failed: not begun after 3 attempts"',
                          daemon.log.read_text())
    assert len(warnings) == 1


def test_firmware_without_a_loader(ctl, daemon):
    ctl("device", "add", "web01", MAC)
    ctl("work", "assign", "web01", "--config", "a.cfg", "--loader-uefi", "")
    for _ in range(5):
        assert request(daemon, firmware=policy.UEFI)[policy.DECISION] == policy.LOCAL
    assert ctl.json("work", "show", "1")["attempt"] == 0
    assert request(daemon)[policy.ATTEMPT] == 1


def test_deadline(ctl, daemon):
    ctl("device", "add", "web01", MAC)
    ctl("work", "assign", "web01", "--config", "a.cfg", "--deadline", "1s")
    lease = request(daemon)[policy.LEASE]
    assert report(daemon, lease, policy.BEGUN)[policy.STATE] == policy.BEGUN
    with sqlite3.connect(ctl.database) as database:
        database.execute("UPDATE work SET begun = begun - 1")
    database.close()
    assert request(daemon)[policy.DECISION] == policy.LOCAL
    assert ctl.json("work", "show", "1")["reason"] == "begun but not ended before its deadline"


# --- the programs themselves -----------------------------------------------------


def test_short_forms_and_help(ctl):
    ctl("dev", "add", "web01", MAC)
    assert ctl("d", "li") == ctl("d", "ls") == ctl("device", "list") == ctl("device")
    assert "expected one of device, explain, folder, group" in ctl.fails(2, "thing", "list")
    assert "add, change, list, show, remove, trace" in ctl.fails(2, "device", "bogus")
    for words in ((), ("device",), ("work", "assign"), ("event", "list")):
        assert "prebootctl" in ctl(*words, "--help")
    for program in ("prebootd", "prebootctl", "prebootwork", "isdctl"):
        for option in ("--help", "--version"):
            result = subprocess.run([BUILD / program, option], capture_output=True, text=True,
                                    timeout=10, check=True)
            assert program in result.stdout and result.stderr == ""


def test_table_fits_the_terminal(ctl):
    ctl("device", "add", "w" * 60, MAC)
    ctl("work", "assign", "w" * 60, "--config", "c" * 120)
    main, terminal = pty.openpty()
    subprocess.run([BUILD / "prebootctl", "--database", ctl.database, "work", "list"],
                   stdout=terminal, timeout=10, check=True)
    os.close(terminal)
    lines = os.read(main, 65536).decode().split("\r\n")
    os.close(main)
    assert len(lines) == 3 and all(len(line) <= 80 for line in lines)
    assert "~" in lines[1]


def test_database_that_is_not_there(ctl):
    assert "there is no such database" in ctl.fails(1, "device", "list")
    assert not ctl.database.exists()


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


def test_second_daemon_is_refused(ctl, daemon):
    result = subprocess.run(policy.prebootd(ctl.folder / "other.db", daemon.server),
                            capture_output=True, text=True, timeout=10, check=False)
    assert result.returncode == 1 and "is another prebootd running?" in result.stderr
    assert not (ctl.folder / "other.db").exists()


def test_second_daemon_of_a_database_is_refused(ctl, daemon):
    result = subprocess.run(policy.prebootd(ctl.database, "127.0.0.1:0"), capture_output=True,
                            text=True, timeout=10, check=False)
    assert result.returncode == 1
    assert f"is served by another prebootd already, process {daemon.process.pid}" in result.stderr
    daemon.kill()  # which leaves no lock behind
    policy.Daemon(ctl.database, ctl.folder / "log").kill()


@pytest.mark.parametrize("listen", ["localhost", "1.2.3", "1.2.3.4:x", "1.2.3.4:70000", ""])
def test_bad_listen(listen):
    result = subprocess.run([BUILD / "prebootd", "--listen", listen], capture_output=True,
                            text=True, timeout=10, check=False)
    assert result.returncode == 2 and "expected A.B.C.D or A.B.C.D:PORT" in result.stderr


def test_daemon_ignores_noise(ctl, daemon):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        whole = policy.encode(policy.REQUEST, bytes(16), {policy.MAC: policy.mac(MAC)})
        for length in (0, 1, 27, 28, 60, 1199):
            s.sendto(whole[:length], ("127.0.0.1", daemon.port))
        s.sendto(whole + b"\0", ("127.0.0.1", daemon.port))
        s.sendto(secrets.token_bytes(60000), ("127.0.0.1", daemon.port))
    assert request(daemon)[policy.DECISION] == policy.LOCAL
    assert daemon.stop() == 0
    counts = daemon.log.read_text().splitlines()[-2]
    assert "answered=1 " in counts and "malformed=" in counts
    assert sum(map(int, re.findall(r" (?:\w+)=(\d+)", counts))) == 1 + 8


@pytest.mark.parametrize("listen, addresses", [
    ("0.0.0.0:0", ["127.0.0.1", "127.1.2.3"]), ("[::]:0", ["::1"]), ("[::1]:0", ["::1"])])
def test_answers_from_the_address_that_was_asked(ctl, listen, addresses):
    family = socket.AF_INET6 if listen[0] == "[" else socket.AF_INET
    process = subprocess.Popen(policy.prebootd(ctl.database, listen), stderr=subprocess.PIPE,
                               text=True)
    try:
        port = int(process.stderr.readline().rsplit(":", 1)[1])
        for address in addresses:
            with socket.socket(family, socket.SOCK_DGRAM) as s:
                s.settimeout(5)
                s.sendto(policy.encode(policy.REQUEST, bytes(16), {policy.MAC: policy.mac(MAC)}),
                         (address, port))
                assert s.recvfrom(2048)[1][:2] == (address, port)
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def test_copy_of_a_killed_database_is_whole(ctl, daemon):
    """What was told is in file and log; nothing else is needed to go on."""
    ctl("device", "add", "web01", MAC)
    ctl("work", "assign", "web01", "--config", "a.cfg")
    assert request(daemon)[policy.ATTEMPT] == 1
    daemon.kill()
    assert (ctl.folder / "test.db-wal").stat().st_size > 0
    (ctl.folder / "copy").mkdir()
    for suffix in ("", "-wal"):
        shutil.copy(f"{ctl.database}{suffix}", ctl.folder / "copy")
    copy = Ctl(ctl.folder / "copy")
    assert copy.json("work", "show", "1")["attempt"] == 1
