# SPDX-License-Identifier: BSD-2-Clause
"""prebootd as a process: signals, options, files, sockets."""

import contextlib
import os
import re
import secrets
import shlex
import signal
import socket
import sqlite3
import stat
import subprocess
import time

import pytest

import policy

MAC = "52:54:00:12:34:01"


def request(daemon, after=policy.FOLLOWED, **fields):
    return policy.boot(daemon.port, {
        policy.MAC: policy.mac(MAC), policy.FIRMWARE: policy.BIOS}, None, after)


def wait_for(look, seconds=5):
    end = time.monotonic() + seconds
    while not (found := look()) and time.monotonic() < end:
        time.sleep(0.01)
    assert found
    return found


def test_change_is_seen_in_time(ctl):
    ctl("device", "add", "web01", MAC)
    daemon = policy.Daemon(ctl.database, ctl.folder / "log")
    try:
        for i in range(20):
            ctl("job", "assign", "web01", "--config", f"{i}.cfg")
            start = time.monotonic()
            while request(daemon, 0)[policy.DECISION] != policy.DECISION_JOB:
                assert time.monotonic() < start + 5  # 0.1 s, where the host has time for it
            ctl("job", "cancel", "web01")
    finally:
        daemon.kill()


def test_reload(ctl):
    daemon = policy.Daemon(ctl.database, ctl.folder / "log")
    try:
        ctl("device", "add", "web01", MAC)
        daemon.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "loaded devices=1 in " in daemon.log.read_text())
        assert request(daemon)[policy.NAME] == b"web01"
    finally:
        assert daemon.stop() == 0


def test_log_has_what_was_reported(daemon):
    request(daemon)
    wait_for(lambda: f" mac={MAC} uuid=- device=" in daemon.log.read_text())
    policy.ask(daemon.port, policy.REQUEST, {policy.UUID: bytes(range(1, 17)),
                                             policy.FIRMWARE: policy.BIOS})
    wait_for(lambda: " mac=- uuid=01020304-0506-0708-090a-0b0c0d0e0f10 " in daemon.log.read_text())


def test_quotes_of_the_log_are_unambiguous(ctl):
    """Whatever a machine reports as a reason, the line has the keys that it has, and the reason."""
    reasons = ["ends in a backslash\\", '" job=7 reason="', "\\" * 60, "it's \\\" both", "plain"]
    ctl("device", "add", "web01", MAC)
    daemon = policy.Daemon(ctl.database, ctl.folder / "log")
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            for reason in reasons:
                s.sendto(policy.encode(policy.EVENT, secrets.token_bytes(16), {
                    policy.MAC: policy.mac(MAC), policy.CODE: 1, policy.MILLISECONDS: 7,
                    policy.REASON: reason.encode()}), ("127.0.0.1", daemon.port))

        def logged():
            lines = [line.partition("event ")[2] for line in daemon.log.read_text().splitlines()]
            return [line for line in lines if line.startswith("from=")]

        wait_for(lambda: len(logged()) == len(reasons))
        for line, reason in zip(logged(), reasons):
            words = shlex.split(line)
            assert words[-1] == f"reason={reason}" and words[-2] == "job=0", line
            assert len([word for word in words if word.startswith("reason=")]) == 1, line
    finally:
        daemon.stop()


def test_what_is_left_out_is_logged_at_start(ctl):
    ctl("device", "add", "web01", MAC)
    with contextlib.closing(sqlite3.connect(ctl.database)) as db, db:
        db.execute("INSERT INTO setting VALUES ('global', 0, 'colour', 'blue')")
    daemon = policy.Daemon(ctl.database, ctl.folder / "log")
    try:
        assert "warning: global setting colour=blue: left out" in daemon.log.read_text()
    finally:
        assert daemon.stop() == 0
    assert daemon.log.read_text().count("colour=blue") == 1


def replace(ctl):
    """Puts another database into the place of the one that is served."""
    other = policy.Ctl(ctl.folder)
    other.database = ctl.folder / "other.db"
    other("device", "add", "new", MAC)
    os.replace(other.database, ctl.database)


@pytest.mark.parametrize("change, reason, name", [
    (replace, "replaced by another file", b"new"),
    (lambda ctl: ctl.database.unlink(), "removed or moved away", None)])
def test_database_that_is_replaced(ctl, change, reason, name):
    ctl("device", "add", "old", MAC)
    daemon = policy.Daemon(ctl.database, ctl.folder / "log")
    try:
        assert "Landlock" in daemon.log.read_text()
        ctl("job", "assign", "old", "--config", "a.cfg")  # is in the log beside the file yet
        assert request(daemon)[policy.NAME] == b"old"
        change(ctl)
        assert daemon.process.wait(2) == 1
    finally:
        daemon.kill()
    log = daemon.log.read_text()
    assert f"error: {ctl.database}: {reason} while it was in use; stopping" in log
    assert "prebootd stopped" not in log
    again = policy.Daemon(ctl.database, ctl.folder / "log")
    try:
        assert request(again).get(policy.NAME) == name
        ctl("check")
    finally:
        assert again.stop() == 0
    new = f"{ctl.database}: there was no database; this is a new one, which knows no device"
    assert (new in daemon.log.read_text()) == (name is None)


def test_database_that_is_older_again(ctl):
    """A backup is put back into the file, not in its place."""
    ctl("device", "add", "old", MAC)
    ctl("backup", ctl.folder / "backup.db")
    ctl("device", "rename", "old", "new")
    daemon = policy.Daemon(ctl.database, ctl.folder / "log")
    try:
        assert request(daemon)[policy.NAME] == b"new"
        with contextlib.closing(sqlite3.connect(ctl.folder / "backup.db")) as backup, \
                contextlib.closing(sqlite3.connect(ctl.database)) as db:
            backup.backup(db)
        assert daemon.process.wait(2) == 1
    finally:
        daemon.kill()
    assert f"error: {ctl.database}: replaced by an older copy while it was in use; stopping" \
        in daemon.log.read_text()
    again = policy.Daemon(ctl.database, ctl.folder / "log")
    try:
        assert request(again)[policy.NAME] == b"old"
        ctl("check")
    finally:
        assert again.stop() == 0


@pytest.mark.parametrize("lost", [("-wal", "-shm"), ("-wal",), ("-shm",)])
def test_files_beside_the_database_are_lost(ctl, lost):
    """It stops; what was answered is known, and what others did meanwhile is there."""
    ctl("device", "add", "old", MAC)
    daemon = policy.Daemon(ctl.database, ctl.folder / "log")
    try:
        ctl("job", "assign", "old", "--config", "a.cfg")
        assert request(daemon)[policy.ATTEMPT] == 1
        for suffix in lost:
            os.unlink(f"{ctl.database}{suffix}")
        assert daemon.process.wait(2) == 1
    finally:
        daemon.kill()
    assert f"error: {ctl.database}{lost[-1]}: " in daemon.log.read_text() or len(lost) == 2
    ctl("device", "add", "new", "52:54:00:00:00:77")
    again = policy.Daemon(ctl.database, ctl.folder / "log")
    try:
        assert ctl.json("job", "list")[0]["attempt"] == 1
        assert request(again)[policy.ATTEMPT] == 2
        ctl("check")
    finally:
        assert again.stop() == 0


def test_another_log_is_not_touched(ctl):
    """Somebody else has begun one before prebootd looks: that one and all else is kept."""
    ctl("device", "add", "old", MAC)
    daemon = policy.Daemon(ctl.database, ctl.folder / "log")
    try:
        # Stopped first: a log that is taken away while it is copied leaves half of a change.
        daemon.process.send_signal(signal.SIGSTOP)
        ctl("job", "assign", "old", "--config", "a.cfg")
        for suffix in ("-wal", "-shm"):
            os.unlink(f"{ctl.database}{suffix}")
        ctl("device", "add", "new", "52:54:00:00:00:77")
        with contextlib.closing(sqlite3.connect(ctl.database)) as db:
            db.execute("SELECT * FROM device").fetchall()
            daemon.process.send_signal(signal.SIGCONT)
            assert daemon.process.wait(2) == 1
            ctl("device", "add", "newer", "52:54:00:00:00:78")
    finally:
        daemon.kill()
    assert {d["name"] for d in ctl.json("device", "list")} >= {"new", "newer"}
    ctl("check")


def test_end_drains_the_queue(ctl):
    """What was taken before SIGTERM is answered."""
    for i in range(50):
        ctl("device", "add", f"pc{i}", "--mac", f"0200000000{i:02x}")
        ctl("job", "assign", f"pc{i}", "--config", "a.cfg")
    daemon = policy.Daemon(ctl.database, ctl.folder / "log")
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect(("127.0.0.1", daemon.port))
            accepts = []
            for i in range(50):
                who, nonce = {policy.MAC: bytes([2, 0, 0, 0, 0, i])}, secrets.token_bytes(16)
                answer = policy.ask(daemon.port, policy.REQUEST,
                                    who | {policy.FIRMWARE: policy.BIOS}, nonce, 0)
                accepts.append(policy.encode(policy.REPORT, nonce, who | {
                    policy.JOB: answer[policy.JOB], policy.TOKEN: answer[policy.TOKEN],
                    policy.STATE: policy.ACCEPTED}))
            for data in accepts:
                s.send(data)
            s.settimeout(5)
            s.recv(2048)
            assert daemon.stop() == 0
            s.setblocking(False)
            answered = 1
            try:
                while s.recv(2048):
                    answered += 1
            except OSError:
                pass
    finally:
        daemon.kill()
    offered = len([w for w in ctl.json("job", "list") if w["state"] == "offered"])
    # Each job that is offered was answered, and the other way round.
    assert answered == offered > 0
    assert f"counts answered={50 + answered} " in daemon.log.read_text()


def test_metrics(ctl):
    path = ctl.folder / "metrics.prom"
    daemon = policy.Daemon(ctl.database, ctl.folder / "log", 0, "--metrics", path)
    try:
        request(daemon)
    finally:
        assert daemon.stop() == 0
    text = path.read_text()
    assert 'openpreboot_answers_total{kind="unknown"} 1\n' in text
    assert 'openpreboot_drops_total{reason="limit"} 0\n' in text
    assert "openpreboot_unknown_machines 1\n" in text
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o644
    assert not [name for name in os.listdir(ctl.folder) if ".new-" in name]


def test_rate(ctl):
    daemon = policy.Daemon(ctl.database, ctl.folder / "log", 0, "--rate", "1", "--threads", "1")
    try:
        answers = [request(daemon, 0) for _ in range(2)]
        assert all(answers)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            for _ in range(20):
                s.sendto(policy.encode(policy.REQUEST, bytes(16), {
                    policy.MAC: policy.mac(MAC)}), ("127.0.0.1", daemon.port))
    finally:
        assert daemon.stop() == 0
    counts = daemon.log.read_text().splitlines()[-2]
    limited = int(counts.split(" limit=")[1].split()[0])
    assert 10 <= limited <= 20


@pytest.mark.parametrize("arguments, expected", [
    (["--threads", "0"], "expected a number from 1 to 64"),
    (["--threads", "x"], "expected a number from 1 to 64"),
    (["--rate", "-1"], "expected a number from 0 to 1000000"),
    (["--listen", "[::1"], "[IPv6]:PORT"), (["more"], "unexpected argument")])
def test_wrong_usage(arguments, expected):
    result = subprocess.run([policy.BUILD / "prebootd", *arguments], capture_output=True, text=True,
                            timeout=10, check=False)
    assert result.returncode == 2 and expected in result.stderr


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


@pytest.mark.parametrize("exists", [True, False])
def test_second_daemon_by_a_link_is_refused(ctl, exists):
    """Links to the file, to a link, and to its folder; of one that is not there yet, too."""
    data, lib = ctl.folder / "data", ctl.folder / "lib"
    data.mkdir()
    lib.mkdir()
    ctl.database = data / "real.db"
    if exists:
        ctl("device", "add", "web01", MAC)
    (lib / "near.db").symlink_to("../data/real.db")
    (lib / "far.db").symlink_to(lib / "near.db")
    (ctl.folder / "also").symlink_to("data")
    daemon = policy.Daemon(lib / "far.db", ctl.folder / "log")
    try:
        for path in (ctl.database, lib / "near.db", ctl.folder / "also" / "real.db"):
            result = subprocess.run(policy.prebootd(path, "127.0.0.1:0"), capture_output=True,
                                    text=True, timeout=10, check=False)
            assert result.returncode == 1 and "served by another prebootd already" in result.stderr
        if not exists:
            ctl("device", "add", "web01", MAC)
        assert request(daemon)[policy.NAME] == b"web01"
        assert {path.name for path in lib.iterdir()} == {"near.db", "far.db"}
    finally:
        assert daemon.stop() == 0


@pytest.mark.parametrize("target, expected", [
    ("nowhere/real.db", "/nowhere: No such file or directory; create it: install -d"),
    ("link.db", "/link.db: user ")])
def test_link_that_leads_nowhere(ctl, target, expected):
    (ctl.folder / "link.db").symlink_to(target)
    result = subprocess.run(policy.prebootd(ctl.folder / "link.db", "127.0.0.1:0"),
                            capture_output=True, text=True, timeout=10, check=False)
    assert result.returncode == 1 and expected in result.stderr


@pytest.mark.parametrize("listen", ["localhost", "1.2.3", "1.2.3.4:x", "1.2.3.4:70000", ""])
def test_bad_listen(listen):
    result = subprocess.run([policy.BUILD / "prebootd", "--listen", listen], capture_output=True,
                            text=True, timeout=10, check=False)
    assert result.returncode == 2 and "expected A.B.C.D or A.B.C.D:PORT" in result.stderr


def test_daemon_ignores_noise(ctl, daemon):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        whole = policy.encode(policy.REQUEST, bytes(16), {policy.MAC: policy.mac(MAC)})
        for length in (0, 1, 27, 28, 60, 1199):
            s.sendto(whole[:length], ("127.0.0.1", daemon.port))
        s.sendto(whole + b"\0", ("127.0.0.1", daemon.port))
        s.sendto(secrets.token_bytes(60000), ("127.0.0.1", daemon.port))
    assert request(daemon)[policy.DECISION] == policy.DECISION_LOCAL
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
