# SPDX-License-Identifier: BSD-2-Clause
"""Verbs that take several names or targets, usage errors as JSON, and the event log's options."""

import json
import sqlite3
import time

import pytest

MACS = {f"pc{number}": f"52:54:00:00:00:0{number}" for number in range(1, 5)}


@pytest.fixture
def site(ctl):
    """pc1 and pc2 in /lab, pc3 in the group kiosks, pc4 in neither."""
    ctl("folder", "add", "/lab", "/lab/inner", "/office")
    for name, mac in MACS.items():
        ctl("device", "add", name, mac, *(["--folder", "/lab"] if name in ("pc1", "pc2") else []))
    ctl("group", "add", "kiosks", "pc3")
    return ctl


def add_event(site, device, step, at=None):
    with sqlite3.connect(site.database) as db:
        db.execute("INSERT INTO event (device, time, step, job, milliseconds, reason, time_ms)"
                   " SELECT id, ?, ?, 0, 0, '', 0 FROM device WHERE name = ?", [at or int(time.time()), step, device])
    db.close()


def listed(site, *words):
    return [(event["device"], event["step"]) for event in json.loads(site("--json", "event", "list", *words))]


# --- errors --------------------------------------------------------------------------

@pytest.mark.parametrize("words, message", [
    (["-j"], "missing argument NOUN"),
    (["--json", "nosuch"], 'unknown command "nosuch"'),
    (["-jd", "FILE", "nosuch"], 'unknown command "nosuch"'),
    (["nosuch", "--js"], 'unknown command "nosuch"'),
    (["--nosuch", "-j"], 'unknown option "--nosuch"'),
    (["-j", "-x"], 'unknown option "-x"'),
    (["-j", "--json=x"], "--json takes no value"),
    (["-j", "device", "list", "-d"], "-d: missing value"),
    (["-j", "device", "nosuch"], 'unknown command "device nosuch"'),
    (["-j", "device", "re"], '"re" could be'),
    (["-j", "device", "show"], "missing argument TARGET"),
    (["-j", "stats", "x"], "x: unexpected argument"),
    (["-j", "stats", "--force"], "--force is not for"),
    (["-j", "rule", "add", "r", "--bundle", "b", "memory >"], "the filter is wrong"),
    (["-j", "event", "list", "--step", "faild"], "unknown step, did you mean failed?"),
    (["-j", "settings", "set", "nosuch=1"], 'unknown setting "nosuch"'),
])
def test_usage_errors_as_json(site, words, message):
    site("bundle", "add", "b")
    words = [str(site.database) if word == "FILE" else word for word in words]
    result = site.run(*words)
    assert (result.returncode, result.stdout) == (2, ""), result
    error = json.loads(result.stderr)["error"]
    assert error["status"] == 2 and message in error["message"]


def test_errors_are_lines_without_json(site):
    for words in (["device", "add", "--", "-j"], ["nosuch", "--", "--json"], ["event", "list", "--step", "-j"]):
        result = site.run(*words)
        assert result.returncode == 2 and result.stderr.startswith("prebootctl: "), result


def test_wrong_menu_as_json(site):
    menu = site.folder / "menu.txt"
    menu.write_text("[Main]\nnosuch = 1\n")
    result = site.run("--json", "menu", "show", str(menu))
    assert result.returncode == 1
    assert f"{menu}:1:2: expected an option" in json.loads(result.stderr)["error"]["message"]


def test_abbreviated_old_nouns(site):
    site("job", "assign", "pc1", "--config", "z.cfg")
    assert "pc1" in site("wor", "ls") == site("job", "list")
    assert site("str", "ls") == site("unknown", "list")
    # Those of today come first.
    assert '"s" could be stats or settings' in site.fails(2, "s")


# --- the event log -------------------------------------------------------------------

def test_events_of_targets(site):
    for device in MACS:
        add_event(site, device, "failed")
    for words, devices in ((["pc1", "pc4"], ["pc1", "pc4"]), (["/lab"], ["pc1", "pc2"]),
                           (["group:kiosks", "/lab", "pc1"], ["pc1", "pc2", "pc3"]), (["/"], list(MACS)),
                           ([], list(MACS))):
        assert listed(site, *words, "--step", "failed") == [(device, "failed") for device in devices]
    assert listed(site, "/lab", "--step", "failed", "--limit", "1") == [("pc2", "failed")]


def test_events_of_a_time(site):
    noon = int(time.mktime((2026, 3, 14, 12, 0, 0, 0, 0, -1)))
    for hours, step in ((-13, "begun"), (0, "offered"), (11, "done"), (13, "failed")):
        add_event(site, "pc1", step, noon + hours * 3600)

    def steps(*words):
        return [step for _, step in listed(site, *words) if step in ("begun", "offered", "done", "failed")]
    assert steps("--since", "2026-03-14", "--until", "2026-03-14") == ["offered", "done"]
    assert steps("--until", "2026-03-14 12:00") == ["begun", "offered"]
    assert steps("--since", "2026-03-14T12:01", "pc1") == ["done", "failed"]
    assert steps("--since", "2026-03-14", "--limit", "1", "--until", "2026-03-14") == ["done"]
    add_event(site, "pc2", "failed", int(time.time()) - 7200)
    assert listed(site, "--since", "3h", "--until", "1h") == [("pc2", "failed")]
    for words, message in ((["--since", "yesterday"], "--since yesterday: expected a day"),
                           (["--until", "2026-02-30"], "--until 2026-02-30: there is no such day"),
                           (["--since", "1h", "--until", "2h"], "--until 2h: is before --since")):
        assert message in site.fails(2, "event", "list", *words)


def test_unknown_steps(site):
    for words in (["event", "list"], ["watch"]):
        assert "--step faild: unknown step, did you mean failed?" in site.fails(2, *words, "--step", "faild")
        assert "--step nonsense: unknown step; " in site.fails(2, *words, "--step", "nonsense")
    # What an earlier version has stored can be listed.
    add_event(site, "pc1", "faild")
    assert listed(site, "--step", "faild") == [("pc1", "faild")]


def test_every_step_is_known(site):
    """What changes write into the event log, "event list --step" takes."""
    site("bundle", "add", "b")
    site("assignment", "add", "b", "pc1")
    site("assignment", "remove", "b", "--to", "pc1")
    site("device", "rename", "pc4", "pc5")
    site("device", "move", "pc5", "/office")
    site("group", "join", "kiosks", "pc5")
    site("group", "leave", "kiosks", "pc5")
    site.run("multicast", "add", "m", "--bundle", "b", "--clients", "1", "pc5")
    site("job", "assign", "pc5", "--bundle", "b")
    site("job", "cancel", "pc5")
    steps = {event["step"] for event in json.loads(site("--json", "event", "list"))}
    assert steps >= {"assigned", "unassigned", "renamed", "moved", "joined", "left", "member", "cancelled"}
    with sqlite3.connect(site.database) as db:
        db.execute("DELETE FROM event")
    db.close()
    for step in steps:
        assert listed(site, "--step", step) == []


# --- settings ------------------------------------------------------------------------

def test_a_missing_tftp_root_is_reported_once(site):
    def warnings(*words):
        return site.run(*words).stderr.count("/nosuch is no folder of this host")
    assert warnings("settings", "set", "tftp-root=/nosuch") == 1
    assert warnings("settings", "set", "/", "pc1", "/lab", "menu-file=m.txt") == 1
    assert warnings("settings", "set", "/", "pc1", "attempts=4") == 0
    assert warnings("settings", "set", "menu-mode=never") == 0
    assert warnings("bundle", "add", "b", "--kind", "kickstart") == 1


# --- several names -------------------------------------------------------------------

SEVERAL = [
    ("group", ["g1", "g2"], ["show", "remove"]), ("folder", ["/office", "/lab/inner"], ["show", "remove"]),
    ("bundle", ["b1", "b2"], ["show", "remove"]), ("rule", ["r1", "r2"], ["show", "disable", "enable", "remove"]),
    ("multicast", ["m1", "m2"], ["show", "end", "remove"]),
]


@pytest.fixture
def pairs(site):
    """Two of each thing that has a name."""
    for number in "12":
        site("group", "add", f"g{number}")
        site("bundle", "add", f"b{number}")
        site("bundle", "add", f"used{number}")
        site("rule", "add", f"r{number}", "--bundle", f"used{number}", "memory > 1G")
        site("multicast", "add", f"m{number}", "--bundle", f"used{number}", "--clients", "1", f"pc{number}")
    return site


@pytest.mark.parametrize("noun, verb, names", [(noun, verb, names) for noun, names, verbs in SEVERAL for verb in verbs])
def test_several_names(pairs, noun, verb, names):
    """All are changed or none; JSON is an object for one, and an array for several."""
    result = pairs.run("--json", noun, verb, names[0], "/nosuch" if noun == "folder" else "nosuch")
    assert (result.returncode, result.stdout) == (1, "") and "nosuch" in result.stderr, result
    if verb == "show":
        text = pairs(noun, verb, *names)
        assert all(name in text for name in names) and "\n\n" in text
        assert isinstance(pairs.json(noun, verb, names[0]), dict)
        assert len(pairs.json(noun, verb, *names)) == 2
        return
    changed = pairs.json(noun, verb, *names)
    assert len(changed) == 2
    for name, value in zip(names, changed):
        assert name in value.values()
        if verb == "remove":
            pairs.fails(1, noun, "show", name)
    if verb in ("enable", "disable"):
        assert [rule["enabled"] for rule in pairs.json("rule", "list")] == 2 * [verb == "enable"]
        assert isinstance(pairs.json(noun, verb, names[0]), dict)


def test_several_folders_are_moved(site):
    assert site("folder", "move", "/office", "/lab/inner", "/") == ("folder /office is now /office\n"
                                                                    "folder /lab/inner is now /inner\n")
    site.fails(1, "folder", "move", "/inner", "/nosuch", "/lab")
    assert site.json("folder", "move", "/inner", "/office", "/lab") == [
        {"was": "/inner", "path": "/lab/inner"}, {"was": "/office", "path": "/lab/office"}]


def test_several_devices_are_changed(site):
    """What one device alone can have is refused for several; what they have can be removed."""
    for number, name in enumerate(MACS):
        site("device", "change", name, "--uuid", f"6f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f{number}")
    for option in (["--mac", "52:54:00:00:00:09"], ["--uuid", "6f1e2d3c-4b5a-6978-8796-a5b4c3d2e1fa"]):
        assert "only one device can have it" in site.fails(2, "device", "change", "pc1", "pc4", *option)
        assert "only one device can have it" in site.fails(2, "device", "change", "/lab", *option)
    assert site("device", "change", "/lab", "group:kiosks", "pc1", "--uuid", "") == (
        "device pc1 changed\ndevice pc2 changed\ndevice pc3 changed\n")
    assert [device["uuid"] is None for device in site.json("device", "list")] == [True, True, True, False]
    assert "nothing would be left" in site.fails(2, "device", "change", "pc4", "pc1", "--mac", "")
    assert site.json("device", "show", "pc4")["macs"] == [MACS["pc4"]]


def test_several_unknown_machines_and_uuids(site):
    with sqlite3.connect(site.database) as db:
        for number in (1, 2):
            db.execute("INSERT INTO unknown_machine (mac, uuid, first, last, boots, address, request, outcome)"
                       " VALUES (?, zeroblob(16), 1, 1, 1, '10.0.0.9', x'', '')", [bytes([2, 0, 0, 0, 0, number])])
    db.close()
    machines = ["02:00:00:00:00:01", "02:00:00:00:00:02"]
    assert [m["mac"] for m in site.json("unknown", "show", *machines)] == machines
    uuids = ["6f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0", "6f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f1"]
    assert site.json("uuid", "show", uuids[0]) == []
    assert json.loads(site.run("--json", "uuid", "show", *uuids).stdout) == [[], []]
