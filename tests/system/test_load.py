# SPDX-License-Identifier: BSD-2-Clause
"""The program that scripts/bench-server asks with: what it counts has happened."""

import json
import sqlite3
import struct
import subprocess

import policy

MACHINES = 100


def load(daemon, *options):
    result = subprocess.run([policy.BUILD / "bench/load", "-o", *options, daemon.server],
                            stdout=subprocess.PIPE, check=True, timeout=60)
    return json.loads(result.stdout)


def count(database, sql):
    return database.execute(sql).fetchone()[0]


def test_accepts(ctl):
    ctl("bundle", "add", "img", "--kind", "imaging")
    ctl("assignment", "add", "img", "--to", "/")
    database = sqlite3.connect(ctl.database)
    with database:
        for i in range(MACHINES):
            database.execute("INSERT INTO device (id, name, added) VALUES (?, ?, 1)",
                             (i + 1, f"pc{i}"))
            database.execute("INSERT INTO mac VALUES (?, ?)",
                             (b"\x52\x54" + struct.pack(">I", i), i + 1))
    daemon = policy.Daemon(ctl.database, ctl.folder / "log", 0, "--rate", "0")
    try:
        measured = load(daemon, "-n", "50")
        assert (measured["jobs"], measured["accepted"], measured["lost"]) == (50, 0, 0)
        assert count(database, "SELECT count(*) FROM offer") == 0
        # Some of which had a job before, some not.
        done = load(daemon, "-n", str(MACHINES), "--accept")
        assert (done["jobs"], done["accepted"], done["lost"]) == (MACHINES, MACHINES, 0)
        assert count(database, "SELECT count(*) FROM offer") == MACHINES
        assert count(database, "SELECT count(*) FROM job WHERE state = 'offered'") == MACHINES
    finally:
        database.close()
        assert daemon.stop() == 0
