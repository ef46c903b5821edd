# SPDX-License-Identifier: BSD-2-Clause
"""What is left of the database when the power goes: its write-ahead log, cut or spoiled anywhere.

prebootd answers machines until it is killed. With each answer, the length that the log
had then is kept. Then copies lose all that the log has after some place, or have it spoiled there:
whatever was answered before that place was written must be in them, and they must be usable.
"""

import os
import random
import secrets
import shutil
import sqlite3
import subprocess

import pytest

import policy

MACHINES = 6
ATTEMPTS = 3
HEADER, FRAME = 32, 4096 + 24  # of the log: sqlite.org/fileformat2.html 4.1
STATES = {policy.BEGUN: "begun", policy.DONE: "done", policy.FAILED: "failed"}


def mac(i):
    return bytes([2, 0, 0, 0, 0, i])


def run(path, *arguments):
    return subprocess.run([policy.BUILD / "prebootctl", "--database", path, *arguments], check=True,
                          stdout=subprocess.PIPE, timeout=20).stdout


def ask(daemon, i, nonce):
    return policy.boot(daemon.port, {policy.MAC: mac(i), policy.FIRMWARE: policy.BIOS}, nonce, 0)


class Record:
    """What was answered, and how long the log was then."""

    def __init__(self, path):
        self.wal = path.with_name(path.name + "-wal")
        self.offers, self.states = [], []

    def size(self):
        return os.stat(self.wal).st_size

    def check(self, path, intact, booted=False):
        """Compares it with a copy whose log is intact for so many bytes.

        If the machines have booted since, what they had begun is offered again."""
        database = sqlite3.connect(path)
        try:
            database.execute("PRAGMA synchronous = OFF")  # a copy, to be thrown away
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert not database.execute("PRAGMA foreign_key_check").fetchall()
            offers = set(database.execute("SELECT job, attempt, nonce FROM offer"))
            states = dict(database.execute("SELECT id, state FROM job"))
            attempts = dict(database.execute("SELECT id, attempt FROM job"))
        finally:
            database.close()
        known = [tuple(offer) for size, *offer, _ in self.offers if size <= intact]
        for offer in known:
            assert offer in offers, f"the offer {offer} is lost"
        first = {}  # of each job's states, the one that must have been reached
        for i, (size, job, _) in enumerate(self.states):
            if size <= intact:
                first[job] = i
        for job, i in first.items():
            # What follows may be there as well: it was written, if not answered yet.
            later = {s for _, l, s in self.states[i:] if l == job}
            if attempts[job] == ATTEMPTS:
                later.add("failed")  # by the boot after the last
            if booted and states[job] in ("offered", "failed") and later & {"offered", "begun"}:
                continue
            assert states[job] in later, f"job {job} is {states[job]}, not {later}"
        for job, attempt in attempts.items():
            assert sorted(a for l, a, _ in offers if l == job) == list(range(1, attempt + 1))
        return len(known), len(first)


def live(daemon, record, random_):
    """Machines boot, and their agents report."""
    for _ in range(3):
        for i in range(MACHINES):
            nonce = random_.randbytes(16)
            answer = ask(daemon, i, nonce)
            if answer[policy.DECISION] != policy.DECISION_JOB:
                continue
            job = answer[policy.JOB]
            record.offers.append((record.size(), job, answer[policy.ATTEMPT], nonce, i))
            record.states.append((record.size(), job, "offered"))
            for state in random_.choice([[policy.BEGUN], [policy.BEGUN, policy.DONE],
                                         [policy.FAILED], []]):
                receipt = policy.report(daemon.port, {policy.MAC: mac(i)}, job, state, after=0)
                assert receipt[policy.STATE] == state
                record.states.append((record.size(), job, STATES[state]))


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A database whose daemon was killed, and what that had answered."""
    folder = tmp_path_factory.mktemp("killed")
    path = folder / "test.db"
    seed = int(os.environ.get("TORN_SEED", secrets.randbits(32)))
    print(f"TORN_SEED={seed} repeats this run's choices")
    for i in range(MACHINES):
        run(path, "device", "add", f"pc{i}", "--mac", mac(i).hex())
    run(path, "bundle", "add", "img", "--kind", "imaging")
    for i in range(MACHINES):
        # Half of the jobs are there, half are chosen when the machine asks.
        if i % 2:
            run(path, "job", "assign", f"pc{i}", "--config", "a.cfg")
    database = sqlite3.connect(path)
    with database:
        database.execute("INSERT INTO assignment (bundle, level, owner, mode, added)"
                         " VALUES (1, 'global', 0, 'always', 1)")
    database.close()
    record = Record(path)
    daemon = policy.Daemon(path, folder / "log")
    try:
        live(daemon, record, random.Random(seed))
    finally:
        daemon.kill()
    assert len(record.offers) > MACHINES and len(record.states) > 5
    return path, record, seed


def copy(path, folder, wal):
    """Returns a copy of the database with that log, and no index of it."""
    folder.mkdir(exist_ok=True)
    to = folder / "copy.db"
    for old in folder.iterdir():
        old.unlink()
    shutil.copy(path, to)
    (folder / "copy.db-wal").write_bytes(wal)
    return to


def places(record):
    """Where the log can be cut: at each frame, and within."""
    return range(HEADER, record.size() + 1, FRAME)


def test_log_is_whole(killed, tmp_path):
    path, record, _ = killed
    wal = record.wal.read_bytes()
    assert (len(wal) - HEADER) % FRAME == 0 and len(wal) > 50 * FRAME
    offers, states = record.check(copy(path, tmp_path / "copy", wal), len(wal))
    assert offers == len(record.offers) and states > 3


def test_cut_at_each_frame(killed, tmp_path):
    path, record, _ = killed
    wal = record.wal.read_bytes()
    seen = set()
    for at in places(record):
        seen.add(record.check(copy(path, tmp_path / "copy", wal[:at]), at))
    assert len(seen) > 10 and (0, 0) in seen


@pytest.mark.parametrize("how", ["cut", "garbage", "flip", "zeros"])
def test_spoiled_within_a_frame(killed, tmp_path, how):
    path, record, seed = killed
    wal = record.wal.read_bytes()
    random_ = random.Random(seed)
    for at in places(record)[:-1]:
        spot = at + random_.randrange(1, FRAME)
        data = bytearray(wal)
        if how == "cut":
            data = data[:spot]
        elif how == "garbage":  # of another time, or of the disk's cache
            data[spot:] = random_.randbytes(len(wal) - spot)
        elif how == "flip":
            data[spot] ^= 1 << random_.randrange(8)
        else:  # a file that was made longer, and not written
            data[spot:] = bytes(len(wal) - spot)
        # One flipped bit in a page that the commit's checksum covers ends the log there.
        record.check(copy(path, tmp_path / "copy", data), at)


def test_daemon_goes_on(killed, tmp_path):
    """With what is left: who had an offer gets the same, and there is no second one."""
    path, record, seed = killed
    wal = record.wal.read_bytes()
    random_ = random.Random(seed)
    for at in random_.sample(places(record), 12):
        data = wal[:at] + random_.randbytes(random_.randrange(1, FRAME))
        to = copy(path, tmp_path / "copy", data)
        daemon = policy.Daemon(to, tmp_path / "log")
        try:
            known = {job: (attempt, nonce, i) for size, job, attempt, nonce, i in record.offers
                     if size <= at}
            over = {job for _, job, state in record.states
                    if state not in ("offered", "begun")}
            # The boot of a job that is over comes last: it is a new one to the job that followed.
            for job, (attempt, nonce, i) in sorted(known.items(), key=lambda it: it[0] in over):
                answer = ask(daemon, i, nonce)
                if job not in over:
                    assert (answer[policy.JOB], answer[policy.ATTEMPT]) == (job, attempt)
            for i in range(MACHINES):
                assert ask(daemon, i, None) is not None
            run(to, "job", "list")
        finally:
            assert daemon.stop() == 0
        record.check(to, at, booted=True)


def test_offer_that_the_power_took(tmp_path):
    """A new job is answered before it is stored; a boot that accepts what is lost is refused."""
    path, log = tmp_path / "site.db", tmp_path / "log"
    run(path, "device", "add", "pc1", "--mac", mac(1).hex())
    run(path, "bundle", "add", "img", "--kind", "imaging")
    run(path, "assignment", "add", "img", "--to", "/")
    request, nonce, wal = {policy.MAC: mac(1), policy.FIRMWARE: policy.BIOS}, bytes([7] * 16), \
        path.with_name("site.db-wal")
    daemon = policy.Daemon(path, log)
    try:
        before = wal.read_bytes()
        answer = policy.ask(daemon.port, policy.REQUEST, request, nonce)
        assert answer[policy.DECISION] == policy.DECISION_JOB and len(before) < wal.stat().st_size
    finally:
        daemon.kill()
    wal.write_bytes(before)
    daemon = policy.Daemon(path, log)
    try:
        receipt = policy.accept(daemon.port, request, answer, nonce)
        assert not receipt.get(policy.STATE) and b"no such job" in receipt[policy.REASON]
        # By hand, under the same number: that is not what was answered.
        run(path, "job", "assign", "pc1", "--config", "other.cfg")
        database = sqlite3.connect(path)
        with database:
            assert database.execute("UPDATE job SET assigned = assigned + 60 WHERE id = ?",
                                    (answer[policy.JOB],)).rowcount == 1
        database.close()
        assert not policy.accept(daemon.port, request, answer, nonce).get(policy.STATE)
        again = policy.boot(daemon.port, request)
        assert (again[policy.JOB], again[policy.ATTEMPT]) == (answer[policy.JOB], 1)
        assert again[policy.CONFIG] == b"other.cfg"
    finally:
        assert daemon.stop() == 0


@pytest.mark.parametrize("name", ["site.db", "link.db"])
def test_log_is_read_where_sqlite_has_it(tmp_path, name):
    """What the file has wrong by now, the log beside it has right; a link has none beside it."""
    path = tmp_path / "site.db"
    run(path, "device", "add", "pc1", "02:00:00:00:00:01")
    (tmp_path / "link.db").symlink_to(path)
    database = sqlite3.connect(path)
    try:
        database.execute("PRAGMA wal_autocheckpoint = 0")
        with database:
            database.execute("UPDATE device SET name = 'pc2'")
        (page,) = database.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'device'"
                                   ).fetchone()
        with path.open("r+b") as file:
            file.seek((page - 1) * 4096)
            file.write(b"\xff" * 4096)
        assert b"pc2" in run(tmp_path / name, "device", "list")
    finally:
        database.close()
