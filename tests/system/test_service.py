# SPDX-License-Identifier: BSD-2-Clause
"""prebootd as a service: what it notifies systemd of, what systemd passes, and the unit."""

import os
import pwd
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

import policy

UNITS = policy.BUILD.parent / "scripts" / "packaging" / "systemd"
MOST_EXPOSURE = 2.0


@pytest.fixture
def start(tmp_path):
    """Starts prebootd with more in its environment, and ends it."""
    processes = []

    def start(*options, listen="127.0.0.1:0", sockets=(), folder=tmp_path, **environment):
        command = policy.prebootd(folder / "test.db", listen, *options)
        # As systemd does: the sockets from descriptor 3 on, and whom they are for.
        if sockets:
            command = ["sh", "-c", f"LISTEN_FDS={len(sockets)} LISTEN_PID=$$ exec \"$@\"",
                       "sh", *command]

        def place():
            for number, socket_ in enumerate(sockets):
                os.dup2(socket_.fileno(), 3 + number)

        log = open(tmp_path / "log", "ab")
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=log, env={**os.environ, **environment},
                                   preexec_fn=place, pass_fds=range(3, 3 + len(sockets)))
        log.close()
        processes.append(process)
        end = time.monotonic() + 20
        while b"ready, listening" not in (text := (tmp_path / "log").read_bytes()):
            assert process.poll() is None and time.monotonic() < end, text.decode()
            time.sleep(0.005)
        return process, text.decode()

    yield start
    for process in processes:
        process.kill()
        process.wait()


class Systemd:
    """The end of systemd that is notified."""

    def __init__(self, folder, name="notify"):
        self.path = folder / name
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.socket.settimeout(10)

    def hear(self):
        """Returns the next message but those of the watchdog, as a dictionary."""
        while True:
            said = self.socket.recv(4096).decode()
            if said != "WATCHDOG=1":
                return dict(line.split("=", 1) for line in said.splitlines())

    def hear_watchdog(self):
        while self.socket.recv(4096) != b"WATCHDOG=1":
            pass


QUESTION = policy.encode(policy.REQUEST, bytes(16), {
    policy.MAC: policy.mac("52:54:00:12:34:56"), policy.FIRMWARE: policy.BIOS})


def ask(family, address):
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        s.settimeout(5)
        s.connect(address)
        s.send(QUESTION)
        return policy.decode(s.recv(2048))[2][policy.DECISION]


# --- notifications, and what is passed ----------------------------------------------


def test_what_systemd_is_notified_of(start, tmp_path):
    systemd = Systemd(tmp_path)
    process, _ = start(NOTIFY_SOCKET=str(systemd.path))
    assert systemd.hear()["READY"] == "1"
    process.send_signal(signal.SIGHUP)
    reloading = systemd.hear()
    assert reloading["RELOADING"] == "1" and int(reloading["MONOTONIC_USEC"]) > 0
    assert systemd.hear()["READY"] == "1"
    process.terminate()
    assert systemd.hear()["STOPPING"] == "1"
    assert process.wait(10) == 0


def test_watchdog(start, tmp_path):
    systemd = Systemd(tmp_path)
    process, _ = start(NOTIFY_SOCKET=str(systemd.path), WATCHDOG_USEC="4000000")
    systemd.hear_watchdog()
    since = time.monotonic()
    systemd.hear_watchdog()
    assert time.monotonic() - since < 4  # as often as it must; twice, where the host has time
    process.send_signal(signal.SIGSTOP)
    systemd.socket.settimeout(2.5)
    with pytest.raises(TimeoutError):
        while True:
            systemd.hear_watchdog()
    process.send_signal(signal.SIGCONT)


def test_sockets_of_systemd(start):
    sockets = []
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "127.0.0.2"),
                            (socket.AF_INET6, "::1")):
        sockets.append(socket.socket(family, socket.SOCK_DGRAM))
        sockets[-1].bind((address, 0))
    # What is asked before it runs waits in the socket.
    early = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    early.settimeout(10)
    early.connect(sockets[0].getsockname())
    early.send(QUESTION)
    _, text = start("--threads", "3", listen="127.0.0.3:1", sockets=sockets)
    assert policy.decode(early.recv(2048))[2][policy.DECISION] == policy.DECISION_LOCAL
    for s in sockets:
        assert ask(s.family, s.getsockname()) == policy.DECISION_LOCAL
    port = sockets[2].getsockname()[1]
    assert f"[::1]:{port}" in text and "127.0.0.3" not in text  # --listen counts no longer


def test_socket_of_another_kind(tmp_path):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
        result = subprocess.run(
            ["sh", "-c", "LISTEN_FDS=1 LISTEN_PID=$$ exec \"$@\"", "sh",
             *policy.prebootd(tmp_path / "test.db", "127.0.0.1:0")], pass_fds=(3,),
            preexec_fn=lambda: os.dup2(s.fileno(), 3), capture_output=True, text=True,
            timeout=10, check=False)
    assert result.returncode == 1 and "ListenDatagram=" in result.stderr
    assert os.listdir(tmp_path) == []


# --- while another program has the database ------------------------------------------


def locked(path, *statements):
    database = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        database.execute(statement)
    return database


def test_starts_while_another_writes(start, tmp_path):
    """A forgotten transaction costs new jobs alone: nobody else, and not the watchdog."""
    subprocess.run([policy.BUILD / "prebootctl", "--database", tmp_path / "test.db", "device",
                    "add",
                    "web01", "52:54:00:12:34:56"], check=True, timeout=10)
    for words in (["bundle", "add", "ws"], ["assignment", "add", "ws", "--to", "/"]):
        subprocess.run([policy.BUILD / "prebootctl", "--database", tmp_path / "test.db", *words],
                       check=True, timeout=10)
    database = locked(tmp_path / "test.db", "BEGIN IMMEDIATE")
    systemd = Systemd(tmp_path)
    process, text = start(NOTIFY_SOCKET=str(systemd.path), WATCHDOG_USEC="2000000")
    port = int(re.search(r"listening on 127.0.0.1:(\d+)", text)[1])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", port))
        s.settimeout(5)
        who = {policy.MAC: policy.mac("52:54:00:12:34:56")}
        for number in range(200):  # new jobs are to be written
            s.send(policy.encode(policy.REQUEST, number.to_bytes(16, "big"),
                                 {**who, policy.FIRMWARE: policy.BIOS}))
        s.send(policy.encode(policy.QUERY, bytes(16), who))
        assert policy.decode(s.recv(2048))[0] == policy.DETAILS
        systemd.socket.settimeout(1.9)
        for _ in range(4):
            systemd.hear_watchdog()
        database.execute("COMMIT")
        database.close()
    process.terminate()
    assert process.wait(10) == 0


def test_waits_for_a_database_that_cannot_be_read(tmp_path):
    """It says so in a line, and is ready when it can answer; SIGTERM ends the wait."""
    path, systemd = tmp_path / "test.db", Systemd(tmp_path)
    subprocess.run([policy.BUILD / "prebootctl", "--database", path, "device", "add", "web01",
                    "52:54:00:12:34:56"], check=True, timeout=10)
    database = locked(path, "PRAGMA journal_mode=DELETE", "BEGIN EXCLUSIVE")
    for ends in (True, False):
        process = subprocess.Popen(policy.prebootd(path, "127.0.0.1:0"), stderr=subprocess.PIPE,
                                   env={**os.environ, "NOTIFY_SOCKET": str(systemd.path)})
        assert "EXTEND_TIMEOUT_USEC" in systemd.hear()
        assert b"waiting:" in process.stderr.readline()
        if ends:
            process.terminate()
            assert process.wait(10) == 0
            systemd = Systemd(tmp_path, "notify-2")
            continue
        database.execute("COMMIT")
        while "READY" not in (said := systemd.hear()):
            assert "EXTEND_TIMEOUT_USEC" in said
        process.terminate()
        assert process.wait(10) == 0


# --- what it gives up --------------------------------------------------------------


def facts_of(process):
    status = Path(f"/proc/{process.pid}/status").read_text()
    return dict(re.findall(r"^(\w+):\s*(.*)$", status, re.M))


def test_confined(start):
    process, text = start()
    line = re.search(r"confined: user (\S+), no capabilities; (.*); (.*)", text)
    assert line[1] == pwd.getpwuid(os.geteuid()).pw_name
    for thread in Path(f"/proc/{process.pid}/task").iterdir():
        facts = dict(re.findall(r"^(\w+):\s*(.*)$", (thread / "status").read_text(), re.M))
        assert facts["NoNewPrivs"] == "1"
        assert facts["Seccomp"] == ("0" if "no seccomp" in text else "2")
        for kind in ("Inh", "Prm", "Eff", "Amb"):
            assert int(facts["Cap" + kind], 16) == 0, kind


def test_no_sandbox(start):
    process, text = start("--no-sandbox")
    assert "no Landlock; no seccomp" in text
    assert facts_of(process)["Seccomp"] == "0"


@pytest.fixture
def folder_of_nobody():
    """A folder that another user can reach, unlike pytest's own."""
    nobody = pwd.getpwnam("nobody")
    folder = Path(tempfile.mkdtemp())
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user takes root")
def test_another_user(folder_of_nobody, start):
    folder, nobody = folder_of_nobody, pwd.getpwnam("nobody")
    # What root's prebootctl makes and changes must be the daemon's all the same.
    ctl = [policy.BUILD / "prebootctl", "--database", folder / "test.db", "device", "add"]
    subprocess.run([*ctl, "web01", "52:54:00:12:34:57"], check=True, timeout=10)
    process, text = start("--user", "nobody", folder=folder)
    assert "confined: user nobody, no capabilities" in text
    facts = facts_of(process)
    assert facts["Uid"].split() == [str(nobody.pw_uid)] * 4
    assert facts["Gid"].split() == [str(nobody.pw_gid)] * 4
    assert "0" not in facts["Groups"].split() and int(facts["CapBnd"], 16) == 0
    subprocess.run([*ctl, "web02", "52:54:00:12:34:56"], check=True, timeout=10)
    process.terminate()
    assert process.wait(10) == 0
    start("--user", "nobody", folder=folder)
    for file in folder.iterdir():
        assert file.stat().st_uid == nobody.pw_uid and file.stat().st_mode & 0o77 == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user takes root")
def test_metrics_in_a_folder_of_its_own(folder_of_nobody, start):
    """Replaced, at the end too, also where root made the file; readable by all."""
    folder, nobody = folder_of_nobody, pwd.getpwnam("nobody")
    folder.chmod(0o755)
    for name in ("data", "metrics"):
        (folder / name).mkdir(0o755)
        os.chown(folder / name, nobody.pw_uid, nobody.pw_gid)
    metrics = folder / "metrics" / "prebootd.prom"
    metrics.write_text("old")
    process, _ = start("--user", "nobody", "--metrics", metrics, folder=folder / "data")
    process.terminate()
    assert process.wait(10) == 0
    assert "# TYPE" in metrics.read_text()
    assert metrics.stat().st_uid == nobody.pw_uid and metrics.stat().st_mode & 0o777 == 0o644


# --- what systemd thinks of the unit --------------------------------------------------


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze")
def test_unit(tmp_path):
    for name in ("prebootd.service", "prebootd.socket"):
        text = (UNITS / name).read_text()
        (tmp_path / name).write_text(text.replace("/usr/sbin/prebootd",
                                                  str(policy.BUILD / "prebootd")))
    environment = {**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:", "SYSTEMD_COLORS": "0"}
    verify = subprocess.run(["systemd-analyze", "verify", "--man=no", "prebootd.service",
                             "prebootd.socket"], cwd=tmp_path, env=environment, timeout=60,
                            capture_output=True, text=True, check=False)
    assert (verify.returncode, verify.stdout + verify.stderr) == (0, "")
    security = subprocess.run(["systemd-analyze", "security", "--no-pager", "--offline=true",
                               tmp_path / "prebootd.service"], env=environment, timeout=60,
                              capture_output=True, text=True, check=False)
    exposure = re.search(r"exposure level for prebootd.service: ([0-9.]+)", security.stdout)
    assert float(exposure[1]) <= MOST_EXPOSURE, security.stdout


# --- a log that nobody reads -----------------------------------------------------------


def start_with_log(folder, *options):
    """Starts one that knows a machine; returns the process, the end of the pipe that its log goes
    into, read up to where it serves, and its port."""
    ours, theirs = os.pipe()
    process = subprocess.Popen(policy.prebootd(folder / "test.db", "127.0.0.1:0", *options),
                               stderr=theirs)
    os.close(theirs)
    text = b""
    while b"confined" not in text:
        text += os.read(ours, 4096)
    port = int(re.search(rb"listening on 127.0.0.1:(\d+)", text)[1])
    subprocess.run([policy.BUILD / "prebootctl", "--database", folder / "test.db", "device", "add",
                    "web01", "52:54:00:12:34:56"], check=True, timeout=10)
    time.sleep(policy.FOLLOWED)
    return process, ours, port


@pytest.mark.parametrize("threads", ["1", "4"])
def test_a_log_that_nobody_reads(tmp_path, threads):
    """It stops no answer, and SIGTERM ends it; who reads on sees what is missing."""
    process, ours, port = start_with_log(tmp_path, "--threads", threads)
    for _ in range(5000):
        assert ask(socket.AF_INET, ("127.0.0.1", port)) == policy.DECISION_LOCAL
    process.terminate()
    assert process.wait(10) == 0
    os.close(ours)


def test_a_log_that_is_read_late(tmp_path):
    """Whole lines, and how many are missing."""
    process, ours, port = start_with_log(tmp_path)
    for _ in range(4000):
        ask(socket.AF_INET, ("127.0.0.1", port))
    read = b""
    while read.count(b"\n") < 1000:
        read += os.read(ours, 1 << 16)
    ask(socket.AF_INET, ("127.0.0.1", port))
    process.terminate()
    while part := os.read(ours, 1 << 16):
        read += part
    assert process.wait(10) == 0
    held = [int(number) for number in re.findall(
        rb"request from=.*\((\d+) similar messages suppressed\)", read)]
    asked = read.count(b"request from=")
    assert held and asked + sum(held) == 4001, (held, asked)
    assert all(re.match(rb"\d{4}-", line) for line in read.splitlines())
    assert read.endswith(b"prebootd stopped\n")
