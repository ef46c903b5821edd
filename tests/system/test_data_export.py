# SPDX-License-Identifier: BSD-2-Clause
"""All data as JSON and back."""

import json
import os
import signal
import sqlite3
import stat
import subprocess
import time

import pytest

import policy
from dataset import Dataset, create, run
from policy import BUILD
from small_site import SMALL, changed, contents, exported


@pytest.mark.parametrize("seed", range(12))
def test_round_trip(tmp_path, seed):
    Dataset(tmp_path / "old.db", seed, shared=True)
    before = exported(tmp_path / "old.db")
    (tmp_path / "data.json").write_text(before)
    result = run(tmp_path / "new.db", "import", tmp_path / "data.json")
    assert result.returncode == 0 and result.stderr == "", result.stderr
    assert exported(tmp_path / "new.db") == before
    # In the place of what is there, and with the sections in another order.
    data = json.loads(before)
    (tmp_path / "data.json").write_text(json.dumps(dict(reversed(data.items()))))
    Dataset(tmp_path / "other.db", seed + 1000, shared=True)
    result = run(tmp_path / "other.db", "import", "--replace", tmp_path / "data.json")
    assert result.returncode == 0 and result.stderr == "", result.stderr
    after = json.loads(exported(tmp_path / "other.db"))
    assert after.pop("last_job") >= data.pop("last_job")
    assert after == data


def test_one_line_a_scalar(tmp_path):
    Dataset(tmp_path / "old.db", 3)
    lines = exported(tmp_path / "old.db").splitlines()
    for line in lines:
        assert line.count(": ") <= 1 or '": "' in line
        assert line.strip(" ,") in "{}[]" or line.rstrip(",").endswith(("{", "[", "[]", "{}")) or \
            json.loads("{" + line.strip(" ,") + "}" if '": ' in line else line.strip(" ,"))


def test_old_keys_of_settings(tmp_path):
    """Files and commands may have the keys of before; they are stored and shown as today's."""
    data = SMALL | {"settings": {"keep-work": "30d", "work-by-mac": "yes"}}
    (tmp_path / "data.json").write_text(json.dumps(data))
    result = run(tmp_path / "new.db", "import", tmp_path / "data.json")
    assert result.returncode == 0 and result.stderr == "", result.stderr
    assert json.loads(exported(tmp_path / "new.db"))["settings"] == \
        {"job-by-mac": "yes", "keep-jobs": "30d"}
    assert run(tmp_path / "new.db", "settings", "set", "keep-work=31d").returncode == 0
    assert run(tmp_path / "new.db", "settings", "unset", "work-by-mac").returncode == 0
    assert json.loads(exported(tmp_path / "new.db"))["settings"] == {"keep-jobs": "31d"}


def test_written_by_hand(tmp_path):
    (tmp_path / "data.json").write_text(json.dumps(SMALL))
    result = run(tmp_path / "new.db", "--json", "import", tmp_path / "data.json")
    assert json.loads(result.stdout) == {
        "settings": 1, "folders": 2, "groups": 1, "devices": 2, "uuids": 0, "sightings": 0,
        "bundles": 1,
        "assignments": 1, "rules": 1, "multicast": 1, "jobs": 1, "open": 1}
    data = json.loads(exported(tmp_path / "new.db"))
    assert data["devices"][1]["groups"] == ["kiosks"]
    assert data["devices"][1]["added"].startswith("2")
    assert data["jobs"][0]["source"] == "assignment win to /site"
    # The next job has a number that was never used.
    run(tmp_path / "new.db", "job", "assign", "db01", "--config", "a.cfg")
    assert json.loads(exported(tmp_path / "new.db"))["last_job"] == 10


def of_version(number, data):
    """Returns data as a file of an older version has it."""
    old = json.loads(json.dumps(data)) | {"version": number}
    old["witnesses"] = old.pop("sightings", [])
    old["devices"] = [{{"bound_uuid": "claim_uuid", "bound_mac": "claim_mac"}.get(key, key): value
                       for key, value in device.items()} for device in old["devices"]]
    if number == 3:
        return old
    old["work"] = [{{"job": "lease"}.get(key, key): value for key, value in job.items()}
                   for job in old.pop("jobs")]
    old["last_lease"] = old.pop("last_job")
    return old


@pytest.mark.parametrize("version", [1, 2, 3])
def test_files_of_older_versions(tmp_path, version):
    Dataset(tmp_path / "old.db", version)
    with sqlite3.connect(tmp_path / "old.db") as db:
        db.execute("INSERT INTO uuid VALUES (?, 'allowed', 5)", [b"openpreboot-uuid"])
        db.execute("INSERT INTO witness VALUES (?, ?, 'x', 'y', '', 8, 9)",
                   [b"openpreboot-uuid", b"\2" * 6])
    db.close()
    before = json.loads(exported(tmp_path / "old.db"))
    assert before["jobs"] and before["last_job"] and before["sightings"]
    assert any(d["bound_uuid"] for d in before["devices"])
    assert any(d["bound_mac"] for d in before["devices"])
    (tmp_path / "old.json").write_text(json.dumps(of_version(version, before)))
    result = run(tmp_path / "new.db", "import", tmp_path / "old.json")
    assert result.returncode == 0, result.stderr
    assert json.loads(exported(tmp_path / "new.db")) == before
    if version == 3:
        return
    # What is wrong is named as the file names it.
    wrong = of_version(version, SMALL)
    wrong["work"][0]["lease"] = 0
    text = json.dumps(wrong, indent=2)
    (tmp_path / "wrong.json").write_text(text)
    result = run(tmp_path / "bad.db", "import", tmp_path / "wrong.json")
    line = text[:text.index('"lease"')].count("\n") + 1
    assert result.stderr.startswith(f"{tmp_path}/wrong.json:{line}: work[0].lease: expected a "
                                    "number")
    wrong["work"][0]["job"] = 7
    wrong["jobs"] = wrong["work"]
    (tmp_path / "both.json").write_text(json.dumps(wrong))
    result = run(tmp_path / "bad.db", "import", tmp_path / "both.json")
    assert result.returncode == 1 and "jobs: is here a second time" in result.stderr
    del wrong["jobs"]
    (tmp_path / "both.json").write_text(json.dumps(wrong))
    result = run(tmp_path / "bad.db", "import", tmp_path / "both.json")
    assert result.returncode == 1 and "work[0].lease: there is no such key here" in result.stderr


def test_data_that_are_there(tmp_path):
    (tmp_path / "data.json").write_text(json.dumps(SMALL))
    assert run(tmp_path / "new.db", "import", tmp_path / "data.json").returncode == 0
    with sqlite3.connect(tmp_path / "new.db") as db:
        for device in (1, 2):
            db.execute("INSERT INTO event (device, time, step, job, milliseconds, reason)"
                       " VALUES (?, 5, 'offered', 7, 0, '')", [device])
    db.close()
    before = contents(tmp_path / "new.db")
    result = run(tmp_path / "new.db", "import", tmp_path / "data.json")
    assert result.returncode == 1 and "has data already; use --replace" in result.stderr
    assert contents(tmp_path / "new.db") == before
    # What happened to a device stays with it, by its name; what belongs to nobody goes.
    data = json.loads(changed(["devices", 1], None))
    (tmp_path / "data.json").write_text(json.dumps(data))
    assert run(tmp_path / "new.db", "import", "--replace", tmp_path / "data.json").returncode == 0
    events = json.loads(run(tmp_path / "new.db", "--json", "event", "list").stdout)
    assert [(e["device"], e["step"]) for e in events] == [("web01", "offered")]
    with sqlite3.connect(tmp_path / "new.db") as db:
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    db.close()


def test_files(tmp_path):
    Dataset(tmp_path / "old.db", 1)
    (tmp_path / "data.json").write_text("old")
    result = run(tmp_path / "old.db", "export", tmp_path / "data.json")
    assert result.returncode == 0 and "data.json written: " in result.stderr
    assert (tmp_path / "data.json").read_text() == exported(tmp_path / "old.db")
    assert stat.S_IMODE((tmp_path / "data.json").stat().st_mode) == 0o600
    assert sorted(p.name for p in tmp_path.glob("data*")) == ["data.json"]
    assert run(tmp_path / "old.db", "export", "/dev/null").returncode == 0
    assert "must exist" in run(tmp_path / "old.db", "export", tmp_path / "no/data").stderr
    assert "cannot be read" in run(tmp_path / "old.db", "import", tmp_path / "no").stderr
    assert run(tmp_path / "old.db", "export", "/dev/full").returncode == 1
    result = run(tmp_path / "new.db", "import", "-", input=exported(tmp_path / "old.db"))
    assert result.returncode == 0
    assert exported(tmp_path / "new.db") == exported(tmp_path / "old.db")


def test_killed_during_import(tmp_path):
    """kill -9 at any time leaves the old data or the new."""
    Dataset(tmp_path / "old.db", 1)
    Dataset(tmp_path / "new.db", 2, devices=2000)
    old, new = exported(tmp_path / "old.db"), exported(tmp_path / "new.db")
    (tmp_path / "data.json").write_text(new)
    seen = set()
    for delay in (0, 0.02, 0.05, 0.1, 0.2, 0.3, 50):
        process = subprocess.Popen([BUILD / "prebootctl", "--database", tmp_path / "old.db",
                                    "import", "--replace", tmp_path / "data.json"],
                                   stdout=subprocess.DEVNULL)
        try:
            process.wait(delay)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
        process.wait()
        now = json.loads(exported(tmp_path / "old.db"))
        seen.add("new" if now["devices"] == json.loads(new)["devices"] else "old")
        assert now["devices"] in (json.loads(new)["devices"], json.loads(old)["devices"])
        if "new" in seen:
            break
    assert seen == {"old", "new"}


def test_while_prebootd_runs(tmp_path):
    """prebootd follows an import as it follows any other change."""
    create(tmp_path / "test.db")
    daemon = policy.Daemon(tmp_path / "test.db", tmp_path / "log")

    def becomes(decision):
        end = time.monotonic() + 10
        while time.monotonic() < end:
            answer = policy.boot(daemon.port, {
                policy.MAC: policy.mac("52:54:00:12:34:56"), policy.FIRMWARE: policy.BIOS})
            if answer[policy.DECISION] == decision:
                return answer
            time.sleep(0.1)
        raise AssertionError(answer)

    try:
        data = {**json.loads(json.dumps(SMALL)), "assignments": [], "multicast": []}
        data["jobs"][0]["source"] = "hand"
        (tmp_path / "data.json").write_text(json.dumps(data))
        assert run(tmp_path / "test.db", "import", tmp_path / "data.json").returncode == 0
        answer = becomes(policy.DECISION_JOB)
        assert answer[policy.JOB] == 7 and policy.MENU_MODE not in answer
        # Back to what was exported before the job was offered: it is offered once more.
        text = exported(tmp_path / "test.db")
        assert json.loads(text)["jobs"][0]["state"] == "offered"
        (tmp_path / "none.json").write_text(json.dumps({**data, "jobs": [], "multicast": []}))
        result = run(tmp_path / "test.db", "import", "--replace", tmp_path / "none.json")
        assert result.returncode == 0, result.stderr
        becomes(policy.DECISION_LOCAL)
        (tmp_path / "back.json").write_text(text)
        result = run(tmp_path / "test.db", "import", "--replace", tmp_path / "back.json")
        assert result.returncode == 0 and "1 open job:" in result.stdout
        assert becomes(policy.DECISION_JOB)[policy.JOB] == 7
        assert run(tmp_path / "test.db", "check").returncode == 0
    finally:
        daemon.kill()
