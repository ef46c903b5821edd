# SPDX-License-Identifier: BSD-2-Clause
"""prebootctl watch and stats."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import threading
import time
from pathlib import Path

import pytest

import policy
from dataset import create, run
from policy import BUILD

MAC = "52:54:00:12:34:56"


@pytest.fixture
def database(tmp_path):
    """web01 in /site/lab, db01 in none."""
    return create(tmp_path / "test.db", """
        INSERT INTO folder VALUES (1, NULL, 'site'), (2, 1, 'lab'), (3, NULL, 'other');
        INSERT INTO device (id, name, added, folder) VALUES
            (1, 'web01', 5, 2), (2, 'db01', 5, NULL);
        INSERT INTO mac VALUES (x'525400123456', 1), (x'020000000002', 2);
        INSERT INTO event (device, time, step, job, milliseconds, reason)
            VALUES (1, 5, 'old', 0, 0, '');
    """)


class Watch:
    """A prebootctl watch under way."""

    def __init__(self, database, *arguments):
        self.process = subprocess.Popen(
            [BUILD / "prebootctl", "--database", database, "watch", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.lines = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        # It follows once it waits for signals.
        until(self._follows)

    def _follows(self):
        try:
            return any("signalfd" in os.readlink(fd)
                       for fd in Path(f"/proc/{self.process.pid}/fd").iterdir())
        except FileNotFoundError:
            return False  # one was closed meanwhile

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def stop(self, count, how=signal.SIGINT):
        """Returns the lines that were printed, once there are so many."""
        self.reader.start()
        until(lambda: len(self.lines) >= count)
        time.sleep(0.2)
        self.process.send_signal(how)
        assert self.process.wait(10) == 0 and self.process.stderr.read() == ""
        self.reader.join(10)
        return self.lines


def until(true):
    """Waits for something, as long as it may take a busy host."""
    end = time.monotonic() + 20
    while not true() and time.monotonic() < end:
        time.sleep(0.02)


def happen(database, device, step, job=0, milliseconds=0, reason=""):
    with sqlite3.connect(database) as db:
        db.execute("INSERT INTO event (device, time, step, job, milliseconds, reason, time_ms)"
                   " VALUES (?, 1760000000, ?, ?, ?, ?, 45)",
                   [device, step, job, milliseconds, reason])
    db.close()


def test_of_a_step(database):
    add_unknown(database, 1, 5)
    watch = Watch(database, "--json", "--step", "failed")
    for device, step in ((1, "failed"), (2, "offered"), (1, "failed")):
        happen(database, device, step)
    add_unknown(database, 1, 6, boots=2)
    assert [json.loads(line)["step"] for line in watch.stop(2)] == ["failed", "failed"]
    listed = run(database, "--json", "event", "list", "--step", "failed", "--limit", "1")
    assert [(e["device"], e["step"]) for e in json.loads(listed.stdout)] == [("web01", "failed")]
    assert len(json.loads(run(database, "--json", "event", "list", "--step", "failed").stdout)) == 2
    assert json.loads(run(database, "--json", "event", "list", "db01", "--step",
                          "failed").stdout) == []


def test_a_request_comes_before_what_it_brought(database):
    """prebootd stores a job's offer before its answer, and the request itself after that."""
    watch = Watch(database, "--json")
    with sqlite3.connect(database) as db:
        for device, step, ms in ((1, "offered", 45), (2, "offered", 44), (1, "request", 45)):
            db.execute("INSERT INTO event (device, time, step, job, milliseconds, reason, time_ms)"
                       " VALUES (?, 1760000000, ?, 0, 0, '', ?)", [device, step, ms])
    db.close()
    assert [(e["device"], e["step"]) for e in map(json.loads, watch.stop(3))] == [
        ("db01", "offered"), ("web01", "request"), ("web01", "offered")]


def add_unknown(database, number, last, boots=1):
    with sqlite3.connect(database) as db:
        db.execute("INSERT INTO unknown_machine (mac, uuid, first, last, boots, address,"
                   " request, outcome)"
                   " VALUES (?, zeroblob(16), 1, ?, ?, '10.0.0.9', x'', 'unknown device')"
                   " ON CONFLICT DO UPDATE SET last = excluded.last, boots = excluded.boots",
                   [bytes([2, 0, 0, 0, 0, number]), last, boots])
    db.close()


def test_lines(database):
    watch = Watch(database)
    happen(database, 1, "offered", 7, 0, "attempt 1 of 3")
    happen(database, 2, "handover", 7, 61, "pxelinux.0")
    lines = watch.stop(2)
    assert len(lines) == 2
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.045  web01 +offered +7  attempt 1 of 3",
                        lines[0])
    assert lines[1].endswith("after 61 ms: pxelinux.0")


@pytest.mark.parametrize("what, steps", [
    ([], ["a", "b", "c"]), (["web01"], ["a", "c"]), ([MAC], ["a", "c"]), (["/site"], ["a", "c"]),
    (["/site/lab"], ["a", "c"]), (["/other"], []), (["/"], ["a", "b", "c"]),
    (["--limit", "1"], ["old", "a", "b", "c"])])
def test_of_what(database, what, steps):
    watch = Watch(database, "--json", *what)
    for device, step in ((1, "a"), (2, "b"), (1, "c")):
        happen(database, device, step)
    assert [json.loads(line)["step"] for line in watch.stop(len(steps), signal.SIGTERM)] == steps


def test_milliseconds_as_json(database):
    watch = Watch(database, "--json")
    happen(database, 1, "offered")
    event = json.loads(watch.stop(1)[0])
    assert event["time"].endswith("Z") and event["time_ms"] == 45


def test_unknown_machines(database):
    add_unknown(database, 1, 100)
    watch = Watch(database, "--json")
    add_unknown(database, 2, 100)
    add_unknown(database, 1, 100, boots=2)
    time.sleep(1)
    add_unknown(database, 2, 101)
    lines = [json.loads(line) for line in watch.stop(3)]
    shown = [(x["unknown_machine"][-1], x["boots"]) for x in lines]
    # The first two may be found by one look, or by two.
    assert sorted(shown[:2]) == [("1", 2), ("2", 1)] and shown[2:] == [("2", 1)]
    assert lines[1]["address"] == "10.0.0.9" and lines[0]["uuid"] is None
    watch = Watch(database)
    add_unknown(database, 3, 105)
    assert watch.stop(1)[0].endswith("unknown       -  from 10.0.0.9: unknown device")


def test_ends_when_nobody_reads(database):
    watch = Watch(database)
    watch.process.stdout.close()
    assert watch.process.wait(5) == 0


def test_of_what_is_not_there(database):
    for word in ("nobody", "/nowhere", "//"):
        result = run(database, "watch", word)
        assert result.returncode == 1 or "expected" in result.stderr


def test_live(database, tmp_path):
    """What prebootd decides is printed within a second."""
    daemon = policy.Daemon(database, tmp_path / "log")
    try:
        run(database, "job", "assign", "web01", "--config", "z.cfg")
        watch = Watch(database, "--json")
        policy.boot(daemon.port, {policy.MAC: policy.mac(MAC), policy.FIRMWARE: policy.BIOS})
        policy.boot(daemon.port,
                    {policy.MAC: policy.mac("02:00:00:00:00:77"), policy.FIRMWARE: policy.BIOS})
        lines = [json.loads(line) for line in watch.stop(3)]
    finally:
        daemon.kill()
    assert "offered" in [x.get("step") for x in lines]
    assert "02:00:00:00:00:77" in [x.get("unknown_machine") for x in lines]


# --- stats -----------------------------------------------------------------------

COUNTERS = {"asked_request": 10, "answered_job": 3, "answered_local": 6, "drop_limit": 1,
            "history_lost": 2, "time_us": 5000, "time_100us": 5, "time_1ms": 3, "time_10ms": 1,
            "time_more": 1}


@pytest.fixture
def counted(database):
    with sqlite3.connect(database) as db:
        db.execute("DELETE FROM counter")
        db.executemany("INSERT INTO counter VALUES (?, ?)", COUNTERS.items())
    db.close()
    add_unknown(database, 1, 5)
    run(database, "job", "assign", "web01", "--config", "z.cfg")
    return database


def test_stats(counted):
    rows = [re.split(r"  +", line) for line in run(counted, "stats").stdout.splitlines()]
    for row in (["asked", "request", "10"], ["dropped", "limit", "1"],
                ["answer time", "mean", "0.5 ms"], ["answer time", "50 % within", "0.1 ms"],
                ["answer time", "99 % within", "over the longest limit"],
                ["jobs", "pending", "1"], ["jobs", "failed", "0"]):
        assert row in rows
    assert ["devices", "2"] in [[x for x in row if x] for row in rows]
    stats = json.loads(run(counted, "stats", "--json").stdout)
    assert stats["counters"]["answered_local"] == 6 and stats["jobs"]["pending"] == 1
    assert stats["devices"] == 2 and stats["unknown_machines"] == 1
    assert stats["answer_time"]["times"][-1] == {"within_us": None, "count": 10}


def test_prometheus(counted):
    text = run(counted, "stats", "--prometheus").stdout
    kinds, values = {}, {}
    for line in text.splitlines():
        if line.startswith("#"):
            what, _, name, rest = re.fullmatch(r"# (HELP|TYPE) ((\w+)) (.+)", line).groups()
            assert (what, name) not in kinds
            kinds[what, name] = rest
        else:
            name, value = re.fullmatch(r'(\w+(?:\{\w+="[^"]*"\})?) ([0-9.]+)', line).groups()
            assert name not in values
            values[name] = float(value)
            base = re.sub(r"_(bucket|sum|count)$", "", name.split("{")[0])
            assert ("TYPE", base) in kinds and ("HELP", base) in kinds
    assert values['openpreboot_answers_total{kind="job"}'] == 3
    assert values['openpreboot_drops_total{reason="limit"}'] == 1
    assert values["openpreboot_history_lost_total"] == 2
    buckets = [v for n, v in values.items() if "bucket" in n]
    assert buckets == [5, 8, 9, 10] and values["openpreboot_answer_seconds_count"] == 10
    assert values['openpreboot_answer_seconds_bucket{le="0.0001"}'] == 5
    assert values['openpreboot_jobs{state="pending"}'] == 1
    assert kinds["TYPE", "openpreboot_answer_seconds"] == "histogram"


def test_counted_by_prebootd(database, tmp_path):
    daemon = policy.Daemon(database, tmp_path / "log")
    try:
        for mac in (MAC, "02:00:00:00:00:77"):
            policy.boot(daemon.port, {policy.MAC: policy.mac(mac), policy.FIRMWARE: policy.BIOS})
        end = time.monotonic() + 10
        while time.monotonic() < end:
            stats = json.loads(run(database, "stats", "--json").stdout)
            if stats["counters"].get("asked_request") == 2 and stats["unknown_machines"] == 1:
                break
            time.sleep(0.2)
    finally:
        daemon.kill()
    assert stats["counters"]["answered_unknown"] == stats["counters"]["answered_local"] == 1
    assert stats["answer_time"]["count"] == 2 and stats["unknown_machines"] == 1
    text = run(database, "stats", "--prometheus").stdout
    assert 'openpreboot_answers_total{kind="unknown"} 1' in text
