# SPDX-License-Identifier: BSD-2-Clause
"""prebootctl backup copies a database that others write to."""

import json
import os
import shutil
import sqlite3
import stat
import threading
import time

import pytest

from dataset import Dataset, create, run


def test_backup(tmp_path):
    Dataset(tmp_path / "test.db", 1)
    result = run(tmp_path / "test.db", "backup", tmp_path / "copy.db")
    assert result.returncode == 0 and "written and verified: " in result.stdout
    assert sorted(p.name for p in tmp_path.glob("copy*")) == ["copy.db"]
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600
    assert run(tmp_path / "copy.db", "export").stdout == run(tmp_path / "test.db", "export").stdout
    assert run(tmp_path / "copy.db", "check").returncode == 0


def test_what_is_there_stays(tmp_path):
    Dataset(tmp_path / "test.db", 1)
    (tmp_path / "copy.db").write_text("mine")
    result = run(tmp_path / "test.db", "backup", tmp_path / "copy.db")
    assert result.returncode == 1 and "use --force" in result.stderr
    assert (tmp_path / "copy.db").read_text() == "mine"
    result = run(tmp_path / "test.db", "--json", "backup", "--force", tmp_path / "copy.db")
    assert result.returncode == 0 and json.loads(result.stdout)["devices"] > 0
    assert run(tmp_path / "copy.db", "check").returncode == 0


@pytest.mark.parametrize("link, why", [
    (None, "is the database itself"), (os.symlink, "is the database itself"),
    (os.link, "has 2 names (hard links)")])
def test_never_over_the_database(tmp_path, link, why):
    Dataset(tmp_path / "test.db", 1)
    target = tmp_path / ("copy.db" if link else "test.db")
    if link:
        link(tmp_path / "test.db", target)
    before = (tmp_path / "test.db").read_bytes()
    result = run(tmp_path / "test.db", "backup", "--force", target)
    assert result.returncode == 1 and why in result.stderr
    assert (tmp_path / "test.db").read_bytes() == before


def test_never_over_a_database_in_use(tmp_path):
    Dataset(tmp_path / "test.db", 1)
    shutil.copy(tmp_path / "test.db", tmp_path / "copy.db")
    (tmp_path / "copy.db-wal").write_bytes(b"x")
    result = run(tmp_path / "test.db", "backup", "--force", tmp_path / "copy.db")
    assert result.returncode == 1 and "in use" in result.stderr


def test_folder_that_is_not_there(tmp_path):
    create(tmp_path / "test.db")
    result = run(tmp_path / "test.db", "backup", tmp_path / "no" / "copy.db")
    assert result.returncode == 1 and "its folder must exist" in result.stderr


def test_while_others_write(tmp_path):
    """Pairs of settings are changed together, always to the same value: a copy has no half."""
    database = tmp_path / "test.db"
    Dataset(database, 1, devices=500)
    stop = threading.Event()
    written = []

    def write():
        db = sqlite3.connect(database, timeout=20, isolation_level=None)
        while not stop.is_set():
            with_value = str(len(written))
            db.execute("BEGIN IMMEDIATE")
            for key in ("answer-validity", "hot-key-wait"):
                db.execute("INSERT OR REPLACE INTO setting VALUES ('global', 0, ?, ?)",
                           [key, with_value])
            db.execute("COMMIT")
            written.append(with_value)
            stop.wait(0.002)
        db.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        values = []
        for i in range(6):
            before, end = len(written), time.monotonic() + 20
            while len(written) == before and time.monotonic() < end:
                time.sleep(0.005)
            result = run(database, "backup", tmp_path / f"copy{i}.db")
            assert result.returncode == 0, result.stderr
            with sqlite3.connect(tmp_path / f"copy{i}.db") as db:
                got = [v for v, in db.execute(
                    "SELECT value FROM setting WHERE level = 'global'"
                    " AND key IN ('answer-validity', 'hot-key-wait')")]
                assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            db.close()
            assert len(set(got)) == 1
            values.append(got[0])
    finally:
        stop.set()
        writer.join()
    assert len(set(values)) > 3
