# SPDX-License-Identifier: BSD-2-Clause
"""What is kept for a set time only."""

import sqlite3
import subprocess
import time

import policy

DAY = 86400


def ctl(path, *arguments):
    subprocess.run([policy.BUILD / "prebootctl", "--database", path, *arguments], check=True,
                   stdout=subprocess.DEVNULL, timeout=20)


def fill(path, now):
    ctl(path, "device", "add", "web01", "52:54:00:12:34:56")
    with sqlite3.connect(path) as database:
        for days in (*[100] * 1500, 89, 2, 0):
            database.execute(
                "INSERT INTO event (device, time, step, job, milliseconds, reason)"
                " VALUES (1, ?, 'local-boot', 0, 1, '')", (now - days * DAY,))
        for number, days in enumerate((100, 2)):
            database.execute(
                "INSERT INTO unknown_machine (mac, uuid, first, last, boots, address,"
                " request, outcome) VALUES (?, zeroblob(16), 1, ?, 1, '', X'', '')",
                (bytes([2, 0, 0, 0, 0, number]), now - days * DAY))


def ages(path, now):
    """Returns the ages in days of what is there, of events and of unknown machines."""
    with sqlite3.connect(path) as database:
        return [[round((now - time_) / DAY) for time_, in database.execute(sql)] for sql in
                ("SELECT time FROM event ORDER BY id",
                 "SELECT last FROM unknown_machine ORDER BY id")]


def wait_for(path, now, wanted):
    end = time.monotonic() + 20
    while ages(path, now) != wanted and time.monotonic() < end:
        time.sleep(0.1)
    assert ages(path, now) == wanted


def test_what_is_old_goes(tmp_path):
    path, now = tmp_path / "preboot.db", int(time.time())
    fill(path, now)
    daemon = policy.Daemon(path, tmp_path / "log")
    try:
        wait_for(path, now, [[89, 2, 0], [2]])
        ctl(path, "settings", "set", "keep-events=24h")
        wait_for(path, now, [[0], []])
        assert daemon.stop() == 0
    finally:
        daemon.kill()
