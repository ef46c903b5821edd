# SPDX-License-Identifier: BSD-2-Clause
"""The agent against the real server, and against servers that are not."""

import json
import secrets
import socket
import subprocess
import textwrap
import threading
import time

import pytest

import policy
from policy import BUILD

MAC = "52:54:00:12:34:56"
DETAILS = {"image": "a b.img", "odd": "it's $HOME `x` \"y\" \\ ;&|", "empty": ""}


@pytest.fixture
def daemon(tmp_path):
    daemon = policy.Daemon(tmp_path / "test.db", tmp_path / "log")
    yield daemon
    daemon.kill()


@pytest.fixture
def job(tmp_path, daemon):
    """A job that has been offered to the machine."""
    ctl(tmp_path, "device", "add", "web01", MAC)
    ctl(tmp_path, "job", "assign", "web01", "--config", "z_auto.cfg",
        *(f"{key}={value}" for key, value in DETAILS.items()))
    return policy.boot(daemon.port, {policy.MAC: policy.mac(MAC),
                                     policy.FIRMWARE: policy.BIOS})[policy.JOB]


def ctl(folder, *arguments):
    result = subprocess.run([BUILD / "prebootctl", "--database", folder / "test.db", "--json",
                             *arguments], capture_output=True, text=True, timeout=20, check=True)
    return json.loads(result.stdout)


def prebootwork(server, *arguments, timeout="2", job=1):
    token = policy.TOKENS.get(job, bytes(8)).hex()
    return subprocess.run([BUILD / "prebootwork", "--server", server, "--mac", MAC, "--timeout",
                           timeout, "--token", token, *arguments], capture_output=True,
                          text=True, timeout=30,
                          check=False)


def test_show(daemon, job):
    result = prebootwork(daemon.server, "show", "--json")
    assert result.returncode == 0
    assert json.loads(result.stdout) == {"job": job, "attempt": 1, "device": "web01",
                                         "config": "z_auto.cfg", "server": daemon.server,
                                         "details": DETAILS}


def test_shell_variables_mean_what_they_say(daemon, job):
    script = prebootwork(daemon.server, "show").stdout
    script += 'printf "%s\\n" "$PREBOOT_JOB" "$PREBOOT_LEASE" "$PREBOOT_DEVICE" ' \
              '"$PREBOOT_CONFIG" ' \
              '"$WORK_image" "$WORK_odd" "${WORK_empty-unset}"\n'
    output = subprocess.run(["sh", "-eu", "-c", script], capture_output=True, text=True,
                            timeout=10, check=True).stdout
    assert output.splitlines() == [str(job), str(job), "web01", "z_auto.cfg", *DETAILS.values()]


@pytest.mark.parametrize("command, status, state, reason", [
    ("true", 0, "done", ""),
    ("exit 7", 7, "failed", "the command's exit status was 7"),
    ("kill -9 $$", 137, "failed", "the command was ended by signal 9")])
def test_run(tmp_path, daemon, job, command, status, state, reason):
    result = prebootwork(daemon.server, "run", "--", "sh", "-c", f'echo "$WORK_image"; {command}')
    assert (result.returncode, result.stdout) == (status, "a b.img\n")
    shown = ctl(tmp_path, "job", "show", str(job))
    assert (shown["state"], shown["reason"]) == (state, reason)
    assert shown["begun"] is not None


def test_run_what_is_not_there(tmp_path, daemon, job):
    assert prebootwork(daemon.server, "run", "/no/such/command").returncode == 127
    assert ctl(tmp_path, "job", "show", str(job))["state"] == "failed"


def test_reports_for_scripts(tmp_path, daemon, job):
    assert prebootwork(daemon.server, "begun").returncode == 0
    assert ctl(tmp_path, "job", "show", "web01")["state"] == "begun"
    assert prebootwork(daemon.server, "failed", "the disk is too small").returncode == 0
    assert ctl(tmp_path, "job", "show", "web01")["reason"] == "the disk is too small"
    assert prebootwork(daemon.server, "failed", "--job", str(job)).returncode == 0
    result = prebootwork(daemon.server, "done", "--lease", str(job))
    assert result.returncode == 5 and "the job has failed: the disk is too small" in result.stderr
    assert prebootwork(daemon.server, "done").returncode == 3


def test_no_job(daemon):
    result = prebootwork(daemon.server, "show")
    assert (result.returncode, result.stdout) == (3, "false\n")
    assert prebootwork(daemon.server, "run", "echo", "ran").returncode == 123
    assert prebootwork(daemon.server, "run", "echo", "ran").stdout == ""


@pytest.mark.parametrize("arguments", [
    ["show", "more"], ["fly"], ["run"], ["done", "--job", "x"], ["done", "--job", "0"],
    ["show", "--timeout", "0"],
    ["show", "--mac", "12"], ["show", "--uuid", "12"], ["show", "--server", "boot.example"],
    ["show", "--bogus"], ["show", "--token", "12"], []])
def test_wrong_usage(arguments):
    result = prebootwork("127.0.0.1:9", *arguments)
    assert result.returncode == 2
    # What a shell evals must fail.
    assert (result.stdout == "false\n") == ("show" in arguments)


def test_no_token_no_details(tmp_path, daemon, job):
    for token in "00" * 8, "01" * 8:
        result = prebootwork(daemon.server, "--token", token, "show")
        assert (result.returncode, result.stdout) == (3, "false\n")
        assert ("token" in result.stderr) == (token == "00" * 8)
        result = prebootwork(daemon.server, "--token", token, "done", "--job", str(job))
        assert result.returncode == 5 and "token" in result.stderr
    assert ctl(tmp_path, "job", "show", str(job))["state"] == "offered"
    assert prebootwork(daemon.server, "show").returncode == 0


# As server/linux.md and prebootwork(8) have it; test_documented_line() holds them to it.
LINE = """\
if ! eval "$(prebootwork show)"; then
    echo "no job, or no server"
elif prebootwork begun; then
    if do_it "$WORK_image"; then prebootwork done; else prebootwork failed "could not do it"; fi
fi
"""


def test_documented_line():
    root = BUILD.parent
    assert textwrap.indent(LINE, "    ") in (root / "server/linux.md").read_text()
    assert LINE in (root / "server/agent/prebootwork.8").read_text()


@pytest.mark.parametrize("does, server, state, called", [
    ("true", True, "done", ["image a b.img"]), ("false", True, "failed", ["image a b.img"]),
    ("true", False, "offered", [])])
def test_line_reports_what_was_done(tmp_path, daemon, job, does, server, state, called):
    where = daemon.server if server else "127.0.0.1:9"
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/prebootwork").write_text(
        f"#!/bin/sh\nexec {BUILD}/prebootwork --server {where} --mac {MAC} --timeout 1 "
        f"--token {policy.TOKENS[job].hex()} \"$@\"\n")
    (tmp_path / "bin/do_it").write_text(f'#!/bin/sh\necho "image $1"\n{does}\n')
    for program in (tmp_path / "bin").iterdir():
        program.chmod(0o755)
    result = subprocess.run(["sh", "-c", LINE], capture_output=True, text=True, timeout=30,
                            env={"PATH": f"{tmp_path}/bin:/usr/bin:/bin"}, check=False)
    assert [line for line in result.stdout.splitlines() if line.startswith("image")] == called
    assert ctl(tmp_path, "job", "show", str(job))["state"] == state


def test_silent_server():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        s.settimeout(0)
        start = time.monotonic()
        result = prebootwork(f"127.0.0.1:{s.getsockname()[1]}", "run", "echo", "ran")
        assert (result.returncode, result.stdout) == (124, "")
        assert 2 <= time.monotonic() - start < 20
        asked = []
        with pytest.raises(BlockingIOError):
            while True:
                asked.append(s.recv(2048))
    # Repeated with growing gaps: the same question but for its sequence, in full size.
    assert 4 <= len(asked) <= 6
    assert len({data[:24] + data[28:] for data in asked}) == 1
    assert [int.from_bytes(data[24:28], "big") for data in asked] == \
        list(range(1, len(asked) + 1))
    assert {len(data) for data in asked} == {policy.SIZE}


def test_server_that_comes_back(tmp_path, daemon, job):
    daemon.kill()
    agent = subprocess.Popen([BUILD / "prebootwork", "--server", daemon.server, "--mac", MAC,
                              "--token", policy.TOKENS[job].hex(), "run", "true"])
    time.sleep(0.5)
    again = policy.Daemon(tmp_path / "test.db", tmp_path / "log", daemon.port)
    try:
        assert agent.wait(20) == 0
        assert ctl(tmp_path, "job", "show", str(job))["state"] == "done"
    finally:
        again.kill()


class Liar:
    """Stands between agent and server; each answer goes through answers(kind, data)."""

    def __init__(self, server, answers):
        self.server, self.answers = ("127.0.0.1", server), answers
        self.front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.front.bind(("127.0.0.1", 0))
        self.front.settimeout(0.1)
        self.name = f"127.0.0.1:{self.front.getsockname()[1]}"
        self.ended = False
        self.thread = threading.Thread(target=self._run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended = True
        self.thread.join()
        self.front.close()

    def _run(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as back, \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            back.settimeout(1)
            while not self.ended:
                try:
                    question, client = self.front.recvfrom(2048)
                    back.sendto(question, self.server)
                    answer = back.recv(2048)
                except TimeoutError:
                    continue
                for forged, data in self.answers(answer[5], answer):
                    (other if forged else self.front).sendto(data, client)


def test_bad_answers_are_not_believed(daemon, job):
    """Each is nearly the right one: another peer, nonce, type, version; cut; damaged."""
    def answers(kind, data):
        yield True, data
        yield False, data[:8] + secrets.token_bytes(16) + data[24:]
        yield False, data[:5] + bytes([kind ^ 2]) + data[6:]
        yield False, data[:4] + b"\2" + data[5:]
        for length in range(len(data)):
            if length < 28 + 5 + 12 + 5:  # header, decision, job and attempt
                yield False, data[:length]
        yield False, data[:30] + b"\xff\xff" + data[32:]
        yield False, data + b"\xff\xff\0\0"
        yield False, bytes(2000)

    with Liar(daemon.port, answers) as liar:
        result = prebootwork(liar.name, "run", "echo", "ran")
    assert (result.returncode, result.stdout) == (124, "")


def test_not_run_when_begun_is_not_acknowledged(tmp_path, daemon, job):
    def answers(kind, data):
        if kind == policy.DETAILS:
            yield False, data

    with Liar(daemon.port, answers) as liar:
        result = prebootwork(liar.name, "run", "echo", "ran")
    assert (result.returncode, result.stdout) == (124, "")
    # The server has it as begun, and will offer it again at the next boot.
    assert ctl(tmp_path, "job", "show", str(job))["state"] == "begun"


def test_success_that_cannot_be_reported_is_no_success(daemon, job):
    reports = []

    def answers(kind, data):
        if kind == policy.RECEIPT:
            reports.append(data)
        if kind == policy.DETAILS or reports[-1] and len(set(r[8:24] for r in reports)) == 1:
            yield False, data

    with Liar(daemon.port, answers) as liar:
        result = prebootwork(liar.name, "run", "echo", "ran")
    assert (result.returncode, result.stdout) == (124, "ran\n")


def test_cancelled_meanwhile(tmp_path, daemon, job):
    ctl(tmp_path, "job", "cancel", "web01")
    result = prebootwork(daemon.server, "begun", "--lease", str(job))
    assert result.returncode == 5 and "the job was cancelled: by the administrator" in \
        result.stderr
