# SPDX-License-Identifier: BSD-2-Clause
"""The server's programs, and the policy protocol as nbp/protocol.md specifies it, for tests."""

import contextlib
import json
import os
import pty
import secrets
import socket
import struct
import subprocess
import time
from pathlib import Path

BUILD = Path(__file__).resolve().parent.parent.parent / "build"

REQUEST, ANSWER, EVENT, QUERY, DETAILS, REPORT, RECEIPT = range(1, 8)
DECISION_LOCAL, DECISION_JOB = 1, 2
BEGUN, DONE, FAILED, ACCEPTED = 1, 2, 3, 4
BIOS, UEFI = 1, 2

PADDING, MAC, FIRMWARE, DECISION, JOB, ATTEMPT = 0x00, 0x01, 0x11, 0x40, 0x43, 0x44
ARCHITECTURE = 0x10
LOADER, CONFIG, REASON, DETAIL, STATE = 0x45, 0x46, 0x62, 0x70, 0x71
TOKEN, COMPLETES = 0x804e, 0x4f  # the token is critical, and sent so
UUID, ISD_STATE, ISD_DEVICE, NAME, LOCAL_BOOT = 0x02, 0x03, 0x04, 0x41, 0x42
MENU_MODE, HOT_KEY_WAIT, MENU_FILE, VALID_FOR, HOT_KEY = 0x48, 0x49, 0x4a, 0x4b, 0x4d
CODE, MILLISECONDS = 0x60, 0x61
NUMBERS = {ARCHITECTURE: 2, FIRMWARE: 1, DECISION: 1, JOB: 8, ATTEMPT: 1, STATE: 1, ISD_STATE: 1, LOCAL_BOOT: 1,
           MENU_MODE: 1, HOT_KEY_WAIT: 2, VALID_FOR: 2, HOT_KEY: 1, CODE: 1, MILLISECONDS: 4,
           COMPLETES: 1}

SIZE = 1200     # of a question
FOLLOWED = 0.25  # seconds; prebootd sees a change within 0.1, on a host that is not too busy


AS_ROOT = [] if os.geteuid() else ["--user", "root"]  # it would become a user that is not there


def prebootd(database, listen, *options):
    """Returns the daemon's command line."""
    return [BUILD / "prebootd", "--database", database, "--listen", listen, *AS_ROOT, *options]


def encode(kind, nonce, fields, sequence=1):
    """Returns a question's datagram; fields map numbers to integers or bytes."""
    data = struct.pack(">4sBBH16sI", b"OPBP", 1, kind, 0, nonce, sequence)
    for number, value in fields.items():
        if isinstance(value, int):
            value = value.to_bytes(NUMBERS[number], "big")
        data += struct.pack(">HH", number, len(value)) + value
    padding = SIZE - len(data) - 4
    return data + struct.pack(">HH", PADDING, padding) + bytes(padding)


def decode(data):
    """Returns type, nonce and fields of a datagram; numbers as integers."""
    magic, version, kind, _, nonce, _ = struct.unpack_from(">4sBBH16sI", data)
    assert magic == b"OPBP" and version == 1
    fields, at = {}, 28
    while at < len(data):
        number, length = struct.unpack_from(">HH", data, at)
        value = data[at + 4:at + 4 + length]
        assert len(value) == length
        fields[number] = int.from_bytes(value, "big") if number in NUMBERS else value
        at += 4 + length
    return kind, nonce, fields


class Daemon:
    """A prebootd on a port of its own."""

    def __init__(self, database, log, port=0, *options, program=BUILD / "prebootd"):
        self.log = log
        with open(log, "ab") as out:
            start = out.tell()
            self.process = subprocess.Popen(
                [program, *prebootd(database, f"127.0.0.1:{port}", *options)[1:]],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=out)
        self.port = self._wait_until_ready(start)

    def _wait_until_ready(self, start):
        end = time.monotonic() + 20
        while time.monotonic() < end and self.process.poll() is None:
            text = self.log.read_bytes()[start:]
            if b"ready, listening on 127.0.0.1:" in text:
                return int(text.split(b"listening on 127.0.0.1:")[1].split()[0])
            time.sleep(0.002)
        self.kill()
        raise RuntimeError(f"prebootd is not ready:\n{self.log.read_text()}")

    @property
    def server(self):
        return f"127.0.0.1:{self.port}"

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Stops it as an administrator would; returns its exit status."""
        self.process.terminate()
        try:
            return self.process.wait(10)
        finally:
            self.kill()


class Ctl:
    """prebootctl on a database of its own."""

    def __init__(self, folder):
        self.database = folder / "test.db"
        self.folder = folder

    def run(self, *arguments):
        return subprocess.run([BUILD / "prebootctl", "--database", self.database, *arguments],
                              capture_output=True, text=True, timeout=20, check=False)

    def __call__(self, *arguments):
        """Runs what must go well, without a warning; returns what it printed."""
        result = self.run(*arguments)
        assert result.returncode == 0, result
        assert all(line.startswith("prebootctl: note: ") for line in result.stderr.splitlines()), \
            result
        return result.stdout

    def json(self, *arguments):
        return json.loads(self("--json", *arguments))

    def fails(self, status, *arguments):
        """Runs what must be refused; returns the reason."""
        result = self.run(*arguments)
        assert result.returncode == status and result.stdout == "", result
        assert result.stderr.startswith("prebootctl: "), result
        return result.stderr

    def on_terminal(self, *arguments):
        """Runs what must go well on a terminal; returns the lines it shows there."""
        main, terminal = pty.openpty()
        subprocess.run([BUILD / "prebootctl", "--database", self.database, *arguments],
                       stdout=terminal, timeout=20, check=True)
        os.close(terminal)
        text = b""
        with contextlib.suppress(OSError):  # Linux's way to say that nobody has it open
            while True:
                text += os.read(main, 65536)
        os.close(main)
        assert text.endswith(b"\r\n")
        return text.decode().split("\r\n")[:-1]


def ask(port, kind, fields, nonce=None, after=FOLLOWED):
    """Asks one question, three times at most; returns the answer's fields, or None.

    What prebootctl has changed before is seen, unless @after is less."""
    time.sleep(after)
    nonce = nonce or secrets.token_bytes(16)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", port))
        s.settimeout(1)
        for sequence in range(1, 4):
            s.send(encode(kind, nonce, fields, sequence))
            try:
                answer, returned, fields = decode(s.recv(2048))
            except TimeoutError:
                continue
            assert (answer, returned) == (kind + 1, nonce)
            return fields
    return None


def boot(port, request, nonce=None, after=FOLLOWED):
    """Asks as a boot, and accepts the job that it is offered; returns the answer's fields.

    Another boot gets no receipt for a job that is over by then: it goes to its disk."""
    nonce = nonce or secrets.token_bytes(16)
    answer = ask(port, REQUEST, request, nonce, after)
    if answer and answer[DECISION] == DECISION_JOB:
        receipt = accept(port, request, answer, nonce)
        if receipt.get(REASON, b"").startswith((b"job done: ", b"job failed: not ")):
            menu = {number: answer[number] for number in (MENU_MODE, MENU_FILE) if number in answer}
            return {NAME: answer[NAME], DECISION: DECISION_LOCAL, REASON: receipt[REASON], **menu}
        assert receipt.get(STATE) == ACCEPTED, receipt
    return answer


def accept(port, request, answer, nonce):
    """Has a boot accept the job of its @answer; returns the receipt's fields."""
    who = {number: request[number] for number in (MAC, UUID) if number in request}
    TOKENS[answer[JOB]] = answer[TOKEN]
    return ask(port, REPORT, {**who, JOB: answer[JOB], TOKEN: answer[TOKEN],
                              STATE: ACCEPTED}, nonce, 0)


TOKENS = {}  # of jobs, those of the boots that accepted them last


def report(port, who, job, state, **more):
    """Reports as the agent that the job's last boot started; returns the receipt's fields."""
    return ask(port, REPORT, {**who, JOB: job, TOKEN: TOKENS[job], STATE: state}, **more)


def send_event(port, nonce, fields):
    """Sends an event, to which there is no answer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(encode(EVENT, nonce, fields, 0), ("127.0.0.1", port))


def mac(text):
    return bytes.fromhex(text.replace(":", ""))
