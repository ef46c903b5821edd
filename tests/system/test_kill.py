# SPDX-License-Identifier: BSD-2-Clause
"""prebootd is killed again and again under load; nothing that it answered may be lost
or given twice.

Many machines boot, begin their jobs, lose it half way, report it. Each remembers what it got,
and that is compared with every later answer and, at the end, against the database.
"""

import os
import random
import secrets
import selectors
import socket
import sqlite3
import struct
import subprocess
import time

import policy

KILLS = 200
MACHINES = 40
ATTEMPTS = 3
RESEND = 0.010  # seconds
STATES = {policy.BEGUN: "begun", policy.DONE: "done", policy.FAILED: "failed",
          policy.ACCEPTED: "accepted"}


class Record:
    """What the server has answered, and may not take back."""

    def __init__(self):
        self.offers = {}    # (job, attempt): nonce
        self.attempts = {}  # nonce: (job, attempt)
        self.begun = {}     # job: the attempt that was acknowledged as begun
        self.ended = {}     # job: state
        self.answers = self.receipts = self.local = self.after_a_kill = 0

    def offer(self, nonce, job, attempt):
        assert 1 <= attempt <= ATTEMPTS, "more attempts than allowed"
        assert job not in self.ended, f"job {job} was offered after its end"
        assert self.offers.setdefault((job, attempt), nonce) == nonce, \
            f"attempt {attempt} of job {job} was given to two boots"
        assert self.attempts.setdefault(nonce, (job, attempt)) == (job, attempt), \
            f"one boot got {self.attempts[nonce]} and {(job, attempt)}"

    def receipt(self, job, attempt, state):
        if state == policy.BEGUN:
            self.begun[job] = max(attempt, self.begun.get(job, 0))
        else:
            assert self.ended.setdefault(job, state) == state, f"job {job} ended twice"

    def check(self, database):
        """Compares it with the database: all that was answered must be in there."""
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        offers = {(job, attempt): nonce for job, attempt, nonce in
                  database.execute("SELECT job, attempt, nonce FROM offer")}
        jobs = {job: (state, attempt) for job, state, attempt in
                database.execute("SELECT id, state, attempt FROM job")}
        for key, nonce in self.offers.items():
            assert offers.get(key) == nonce, f"the offer of {key} is lost"
        assert len(set(offers.values())) == len(offers), "one boot has two attempts"
        for job, (_, attempt) in jobs.items():
            assert sorted(a for l, a in offers if l == job) == list(range(1, attempt + 1))
        for job, state in self.ended.items():
            assert jobs[job][0] == STATES[state], f"the end of job {job} is lost"
        for job, attempt in self.begun.items():
            state, now = jobs[job]
            assert state in ("begun", "done", "failed") or now > attempt, \
                f"the beginning of job {job} is lost"


class Machine:
    """A device that boots for ever; now and then somebody pulls its plug."""

    def __init__(self, number, random_, record, port):
        self.mac = bytes([2, 0, 0, 0, number >> 8, number & 255])
        self.random, self.record = random_, record
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.port = port
        self.life = 0  # of the daemon
        self.boot()

    # --- asking ------------------------------------------------------------------

    def question(self, kind, fields, nonce):
        self.kind, self.nonce, self.sequence, self.asked_in = kind, nonce, 0, self.life
        self.data = policy.encode(kind, nonce, {policy.MAC: self.mac, **fields})
        self.next_send = 0.0

    def boot(self):
        self.job = self.attempt = self.token = None
        self.question(policy.REQUEST, {policy.FIRMWARE: policy.BIOS}, self.random.randbytes(16))

    def report(self, state):
        self.state = state
        # The NBP's is of its boot; the agent has one of its own.
        nonce = self.nonce if state == policy.ACCEPTED else self.random.randbytes(16)
        self.question(policy.REPORT, {policy.JOB: self.job, policy.TOKEN: self.token,
                                      policy.STATE: state}, nonce)

    def send(self, now):
        if now < self.next_send:
            return
        if self.sequence and self.random.random() < 0.01:
            self.boot()  # the plug, while it waits
        self.sequence += 1
        data = self.data[:24] + struct.pack(">I", self.sequence) + self.data[28:]
        try:
            self.socket.sendto(data, ("127.0.0.1", self.port))
            if self.random.random() < 0.1:
                self.socket.sendto(data, ("127.0.0.1", self.port))  # the network doubles it
        except OSError:
            pass  # nobody is there just now
        self.next_send = now + RESEND * self.random.uniform(0.5, 1.5)

    # --- being answered ----------------------------------------------------------

    def receive(self):
        while True:
            try:
                data = self.socket.recv(2048)
            except BlockingIOError:
                return
            except ConnectionRefusedError:
                continue
            self.take(*policy.decode(data))

    def take(self, kind, nonce, fields):
        is_job = kind == policy.ANSWER and fields[policy.DECISION] == policy.DECISION_JOB
        if nonce != self.nonce or kind != self.kind + 1:
            return
        self.record.after_a_kill += self.asked_in != self.life
        if kind == policy.ANSWER:
            self.record.answers += 1
            self.record.local += not is_job
        if is_job:
            self.job, self.attempt = fields[policy.JOB], fields[policy.ATTEMPT]
            self.token = fields[policy.TOKEN]
            self.go_on(policy.ACCEPTED)
        elif kind == policy.ANSWER:
            self.boot()
        else:
            self.take_receipt(fields)

    def take_receipt(self, fields):
        assert fields[policy.JOB] == self.job
        if self.state == policy.ACCEPTED and not fields.get(policy.STATE):
            # It was cancelled, or its time is over, since it was offered.
            self.boot()
            return
        assert fields.get(policy.STATE) == self.state, \
            f"job {self.job}, attempt {self.attempt}: report of {STATES[self.state]} " \
            f"refused: {fields.get(policy.REASON)}"
        self.record.receipts += 1
        if self.state == policy.ACCEPTED:
            self.record.offer(self.nonce, self.job, self.attempt)
            self.go_on(policy.BEGUN)
            return
        self.record.receipt(self.job, self.attempt, self.state)
        if self.state == policy.BEGUN:
            self.go_on(self.random.choice([policy.DONE, policy.DONE, policy.FAILED]))
        else:
            self.boot()

    def go_on(self, state):
        if self.random.random() < 0.2:
            self.boot()  # the plug, half way
        else:
            self.report(state)


def assign(database):
    """Gives each device without an open job something to do, as prebootctl would."""
    with database:
        database.execute(
            "INSERT INTO job (device, state, attempts, deadline, assigned, loader_bios,"
            " loader_uefi, config, prefix, details) SELECT id, 'pending', ?, 3600, 1,"
            " 'pxelinux.0', '', 'z_auto.cfg', '', x'' FROM device WHERE NOT EXISTS (SELECT 1"
            " FROM job WHERE job.device = device.id AND job.state IN"
            " ('pending', 'offered', 'begun'))", (ATTEMPTS,))


def load(machines, selector, until):
    """Lets the machines ask until then."""
    while (now := time.monotonic()) < until:
        for machine in machines:
            machine.send(now)
        for key, _ in selector.select(min(0.002, until - now)):
            key.data.receive()


def test_nothing_answered_is_lost(tmp_path):
    seed = int(os.environ.get("KILL_SEED", secrets.randbits(32)))
    print(f"KILL_SEED={seed} repeats this run's choices, not its timing")
    random_, record = random.Random(seed), Record()
    path, log = tmp_path / "test.db", tmp_path / "log"
    daemon = policy.Daemon(path, log)
    port, busy = daemon.port, 0
    machines = [Machine(i, random_, record, port) for i in range(MACHINES)]
    selector = selectors.DefaultSelector()
    database = sqlite3.connect(path, timeout=20)
    database.execute("PRAGMA synchronous = FULL")
    try:
        for i, machine in enumerate(machines):
            selector.register(machine.socket, selectors.EVENT_READ, machine)
            subprocess.run([policy.BUILD / "prebootctl", "--database", path, "device", "add",
                            f"machine{i}", "--mac", machine.mac.hex()],
                           check=True, stdout=subprocess.DEVNULL, timeout=20)
        for life in range(KILLS):
            before = record.answers + record.receipts
            for machine in machines:
                machine.life = life
            end = time.monotonic() + random_.uniform(0.001, 0.080)
            while time.monotonic() < end:
                assign(database)  # while the daemon is at work
                load(machines, selector, min(end, time.monotonic() + 0.030))
            daemon.kill()
            for machine in machines:
                machine.receive()  # what it said with its last breath counts
            busy += record.answers + record.receipts > before
            if random_.random() < 0.1:  # and now and then in the middle of starting
                process = subprocess.Popen(
                    policy.prebootd(path, f"127.0.0.1:{port}"), stderr=subprocess.DEVNULL)
                time.sleep(random_.uniform(0, 0.01))
                process.kill()
                process.wait()
            if life % 20 == 0:
                record.check(database)
            daemon = policy.Daemon(path, log, port)
        load(machines, selector, time.monotonic() + 0.5)
        assert daemon.stop() == 0
        record.check(database)
    finally:
        daemon.kill()
        database.close()
        for machine in machines:
            machine.socket.close()
        selector.close()
    print(f"{KILLS} kills, {busy} of them after answers: {record.answers} answers "
          f"({record.local} local), {len(record.offers)} attempts, {record.receipts} receipts, "
          f"{len(record.ended)} jobs ended, {record.after_a_kill} questions answered by a later "
          "life")
    # All of this must have been put to the test, and not only a little.
    # How much is for a busy host to say; an idle one has ten times this.
    assert busy > KILLS * 0.2
    assert record.answers > 200 and record.receipts > 200 and len(record.offers) > 100
    assert len(record.ended) > 50 and record.after_a_kill > 10 and record.local > 1
