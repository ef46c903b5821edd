# SPDX-License-Identifier: BSD-2-Clause
"""Folders, groups, and what is set for them, as an administrator types it."""

import sqlite3

import pytest

import policy
from policy import Ctl

MACS = [f"52:54:00:12:34:{n:02x}" for n in range(16)]


def make_site(ctl):
    """/site with lab and office, pc1 and pc2 in the lab, pc3 in the office, pc4 in none."""
    ctl("folder", "add", "/site", "/site/lab", "/site/office", "/other")
    for name, folder in (("pc1", "/site/lab"), ("pc2", "/site/lab"), ("pc3", "/site/office"),
                         ("pc4", "/")):
        ctl("device", "add", name, MACS[int(name[2:])], "--folder", folder)
    return ctl


@pytest.fixture
def site(ctl):
    return make_site(ctl)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """One for all that is refused, which changes nothing."""
    ctl = make_site(Ctl(tmp_path_factory.mktemp("kept")))
    ctl("group", "add", "one", "pc1")
    ctl("group", "add", "other")
    ctl("bundle", "add", "ws")
    ctl("assignment", "add", "ws", "--to", "group:one")
    return ctl


def folders(ctl, *under):
    return [row["path"] for row in ctl.json("folder", "list", *under)]


def names(ctl, *arguments):
    return [device["name"] for device in ctl.json("device", "list", *arguments)]


def where(ctl, device):
    return ctl.json("device", "show", device)["folder"]


def steps(ctl, device):
    return [(event["step"], event["reason"]) for event in ctl.json("event", "list", device)]


# --- folders ---------------------------------------------------------------------


def test_tree(site):
    assert folders(site) == ["/", "/other", "/site", "/site/lab", "/site/office"]
    assert folders(site, "/site") == ["/site", "/site/lab", "/site/office"]
    lines = site("folder", "list").splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["FOLDER", "DEVICES"], ["/", "1"], ["other", "0"], ["site", "0"], ["lab", "2"],
        ["office", "1"]]
    assert lines[4].startswith("    lab ")
    assert site.json("folder", "show", "/SITE/Lab/")["devices"] == ["pc1", "pc2"]
    assert site.json("folder", "show", "/")["folders"] == ["other", "site"]
    assert "  devices             pc1, pc2\n" in site("folder", "show", "/site/lab")


def test_order_is_that_of_the_tree(ctl):
    """A name that begins as another one's does not come between it and what is in it."""
    ctl("folder", "add", "/a", "/a-b", "/a/z", "/a.c", "/B", "/a/z/y")
    assert folders(ctl) == ["/", "/a", "/a/z", "/a/z/y", "/a-b", "/a.c", "/B"]


def test_devices_move(site):
    assert names(site, "/site") == ["pc1", "pc2", "pc3"]
    assert names(site, "/site/office") == ["pc3"]
    assert site("device", "move", "pc4", "/site/lab", "/other") == "3 moved to /other\n"
    assert names(site, "/other") == ["pc1", "pc2", "pc4"]
    assert site("device", "move", "pc4", "/other") == "0 moved to /other\n"
    assert steps(site, "pc4") == [("moved", "to /other")]
    site("device", "move", "pc4", "/")
    assert where(site, "pc4") == "/" and where(site, "pc1") == "/other"


def test_folders_move_with_what_is_in_them(site):
    assert site("folder", "move", "/site/lab", "/other") == \
        "folder /site/lab is now /other/lab\n"
    assert where(site, "pc1") == "/other/lab"
    assert site("folder", "rename", "/other", "second") == "folder /other is now /second\n"
    assert where(site, "pc1") == "/second/lab"
    site("folder", "move", "/second/lab", "/")
    assert where(site, "pc1") == "/lab"
    site("folder", "rename", "/lab", "LAB")  # its own name is free for it
    assert where(site, "pc1") == "/LAB"


def test_depth(ctl):
    path = ""
    for n in range(16):
        path += f"/f{n}"
        ctl("folder", "add", path)
    assert "too deep" in ctl.fails(1, "folder", "add", path + "/one")
    ctl("folder", "add", "/a", "/a/b")
    assert "too deep: /f0/f1/f2/f3/f4/f5/f6/f7/f8/f9/f10/f11/f12/f13/f14 has 15 names" in \
        ctl.fails(1, "folder", "move", "/a", path.rsplit("/", 1)[0])
    ctl("folder", "move", "/a", path.rsplit("/", 2)[0])
    assert len(folders(ctl)) == 19
    ctl("device", "add", "pc1", MACS[1], "--folder", path)
    assert where(ctl, "pc1") == path and names(ctl, "/f0") == ["pc1"]


@pytest.mark.parametrize("status, arguments, expected", [
    (2, ["add", "site"], "expected a folder's path, as in /site/lab"),
    (2, ["add", "/"], "not a name for a folder"),
    (2, ["add", "/a b"], "expected 1 to 63 letters, digits"),
    (2, ["add", "/site/.."], "..: not a name for a folder"),
    (2, ["add", "/../etc"], "/..: expected a folder's path"),
    (2, ["add", "/" + "a" * 64], "1 to 63"),
    (1, ["add", "/site"], "folder /site already exists"),
    (1, ["add", "/SITE/LAB"], "folder /site/lab already exists"),
    (1, ["add", "/none/lab"], 'add it first: "prebootctl folder add /none"'),
    (1, ["add", "/new", "/new/a", "/site"], "folder /site already exists"),
    (1, ["show", "/none"], 'see "prebootctl folder list"'),
    (1, ["move", "/site", "/site"], "into itself"),
    (1, ["move", "/site", "/site/lab"], "/site cannot be moved into itself, nor into"),
    (1, ["move", "/site/lab", "/site/none"], "unknown folder"),
    (2, ["move", "/", "/site"], "no folder"),
    (1, ["rename", "/site/lab", "office"], "folder /site/office already exists"),
    (2, ["rename", "/site/lab", "a/b"], "not a name for a folder"),
    (1, ["remove", "/site"], "/site is not empty (folders: 2, devices: 0)"),
    (1, ["remove", "/site/lab"], "(folders: 0, devices: 2); move them, or move all"),
    (2, ["remove", "/"], "no folder"),
    (2, ["list", "site"], "expected a folder's path"),
    (2, ["add", "/x", "--force"], '--force is not for "folder add"')])
def test_bad_folder(kept, status, arguments, expected):
    before = kept.json("folder", "list")
    assert expected in kept.fails(status, "folder", *arguments)
    assert kept.json("folder", "list") == before


def test_remove_moves_up_by_force(site):
    site("folder", "add", "/lab", "/site/lab/inner")
    site("bundle", "add", "ws")
    site("assignment", "add", "ws", "--to", "/site/lab")
    site("settings", "set", "/site/lab", "menu-mode=always")
    site("folder", "remove", "/site/lab", "--force")
    assert where(site, "pc1") == "/site" and "/site/inner" in folders(site)
    assert site.json("assignment", "list") == []
    assert site.json("settings", "show", "pc1")["menu-mode"]["from"] == "default"
    site("folder", "add", "/site/lab", "/site/lab/office")
    assert "folder /site/office already exists" in \
        site.fails(1, "folder", "remove", "/site/lab", "--force")
    site("folder", "remove", "/site/lab/office")
    site("folder", "remove", "/site/lab")
    assert "/site/lab" not in folders(site)


@pytest.mark.parametrize("status, arguments, expected", [
    (1, ["add", "new", MACS[9], "--folder", "/none"], 'unknown folder "/none"'),
    (2, ["add", "new", MACS[9], "--folder", "site"], "expected a folder's path"),
    (1, ["move", "pc1", "/none"], "unknown folder"),
    (2, ["move", "pc1", "pc2"], "pc2: expected a folder's path"),
    (1, ["move", "pc1", "pc9", "/other"], 'unknown device "pc9"'),
    (1, ["move", "/other", "/site"], "has no devices"),
    (1, ["rename", "pc1", "PC2"], "device pc2 already exists"),
    (2, ["rename", "pc1", "525400123456"], "not a name for a device"),
    (1, ["list", "/none"], "unknown folder")])
def test_bad_device(kept, status, arguments, expected):
    before = kept.json("device", "list")
    assert expected in kept.fails(status, "device", *arguments)
    assert kept.json("device", "list") == before


def test_rename_device(site):
    site("job", "assign", "pc1", "--config", "a.cfg")
    assert site("device", "rename", "pc1", "web01") == "device pc1 is now web01\n"
    site("device", "rename", "web01", "WEB01")
    shown = site.json("device", "show", MACS[1])
    assert (shown["name"], shown["job"]["job"]) == ("WEB01", 1)
    assert steps(site, "web01")[-1] == ("renamed", "it was web01")


# --- settings of folders ---------------------------------------------------------


def test_settings_say_where_they_come_from(site):
    site("settings", "set", "hot-key=a")
    site("settings", "set", "/site", "hot-key=b", "menu-file=site.txt")
    site("settings", "set", "/site/lab", "hot-key=c")
    site("settings", "set", "pc1", "hot-key=d")
    for device, value, origin in (("pc1", "d", "device"), ("pc2", "c", "folder /site/lab"),
                                  ("pc3", "b", "folder /site"), ("pc4", "a", "global"),
                                  ("/site/lab", "c", "folder /site/lab"), ("/", "a", "global")):
        shown = site.json("settings", "show", device)
        assert shown["hot-key"] == {"value": value, "from": origin}
    assert site.json("settings", "show", "pc2")["menu-file"]["from"] == "folder /site"
    assert site.json("settings", "show", "pc2")["menu-mode"]["from"] == "default"
    assert "site.txt" in site("folder", "show", "/site")
    assert "hot-key" in site("device", "show", "pc1")
    site("settings", "unset", "/site/lab", "hot-key")
    assert site.json("settings", "show", "pc2")["hot-key"]["from"] == "folder /site"
    site("device", "move", "pc2", "/other")
    assert site.json("settings", "show", "pc2")["hot-key"]["from"] == "global"


@pytest.mark.parametrize("status, arguments, expected", [
    (1, ["set", "/none", "menu-mode=always"], 'unknown folder "/none"'),
    (2, ["set", "group:one", "menu-mode=always"], "groups have no settings"),
    (2, ["set", "/site", "admit-unknown=yes"], "is global: name no device or folder"),
    (2, ["set", "/site", "menu-mode=always", "hot-key=bogus"], "hot-key=bogus: expected"),
    (1, ["unset", "/site", "menu-mode"], "menu-mode is not set for /site"),
    (1, ["unset", "menu-mode"], "menu-mode is not set for all devices"),
    (2, ["set", "/site"], "missing argument KEY=VALUE")])
def test_bad_settings(kept, status, arguments, expected):
    assert expected in kept.fails(status, "settings", *arguments)
    assert {value["from"] for value in kept.json("settings", "show", "/site").values()} == \
        {"default"}


# --- groups ----------------------------------------------------------------------


def members(ctl, group):
    return ctl.json("group", "show", group)["devices"]


def test_groups(site):
    assert site("group", "add", "image", "pc1", "/site/office") == \
        "group image added, with 2 devices\n"
    assert members(site, "IMAGE") == ["pc1", "pc3"]
    assert site("group", "join", "image", "/") == "2 joined group image\n"
    assert site("group", "leave", "group:image", "pc1", "pc2") == "2 left group image\n"
    assert members(site, "image") == ["pc3", "pc4"]
    site("group", "add", "copy", "group:image")
    assert members(site, "copy") == ["pc3", "pc4"]
    assert site("group", "rename", "copy", "second") == "group copy is now second\n"
    assert site.json("group", "list") == [
        {"group": "image", "devices": 2, "assignments": 0},
        {"group": "second", "devices": 2, "assignments": 0}]
    assert site.json("device", "show", "pc3")["groups"] == ["image", "second"]
    assert names(site, "--group", "image") == ["pc3", "pc4"]
    assert names(site, "/site", "--group", "image") == ["pc3"]
    site("device", "remove", "pc3")
    assert members(site, "second") == ["pc4"]
    assert steps(site, "pc1") == [("joined", "group image"), ("left", "group image")]
    assert "second" in site("group", "list") and "pc4" in site("group", "show", "second")
    site("group", "remove", "second")
    assert [row["group"] for row in site.json("group", "list")] == ["image"]


@pytest.mark.parametrize("status, arguments, expected", [
    (1, ["add", "ONE"], "group ONE already exists"),
    (2, ["add", "a/b"], "not a name for a group"),
    (2, ["add", "12"], "not all digits"),
    (1, ["add", "two", "pc1", "pc9"], 'unknown device "pc9"'),
    (1, ["show", "two"], 'see "prebootctl group list"'),
    (1, ["join", "two", "pc1"], 'unknown group "two"'),
    (1, ["join", "one", "group:two"], 'unknown group "two"'),
    (2, ["join", "one", "pc 1"], "expected a device's name, MAC"),
    (1, ["leave", "one", "pc1", "pc2"], "pc2 is not in group one"),
    (1, ["rename", "one", "other"], "group other already exists"),
    (1, ["remove", "one"],
     'group one has bundle ws assigned; remove that with "prebootctl assignment remove 1"')])
def test_bad_group(kept, status, arguments, expected):
    assert expected in kept.fails(status, "group", *arguments)
    assert [row["group"] for row in kept.json("group", "list")] == ["one", "other"]
    assert members(kept, "one") == ["pc1"]


def test_remove_with_assignments_by_force(site):
    site("group", "add", "one", "pc1")
    site("bundle", "add", "ws")
    site("assignment", "add", "ws", "--to", "group:one")
    site("group", "remove", "one", "--force")
    assert site.json("assignment", "list") == []


# --- many ------------------------------------------------------------------------


def test_list_by_last_request(ctl, daemon_seen):
    """--seen: those that asked, the last one first."""
    assert names(ctl, "--seen") == ["pc3", "pc1"]
    assert [row["name"] for row in ctl.json("inventory")] == ["pc1", "pc2", "pc3"]
    assert [row["name"] for row in ctl.json("inventory", "--seen")] == ["pc3", "pc1"]
    assert ctl.json("inventory", "--seen")[0]["seen"]["firmware"] == "BIOS"
    table = ctl("inventory").splitlines()
    assert table[0].split()[:4] == ["DEVICE", "MACHINE", "SERIAL", "PROCESSOR"]
    assert table[2].split()[0] == "pc2" and table[2].endswith("never")


@pytest.mark.parametrize("usable, installed, expected", [
    (None, 8192, "8 GiB"), (7900, 8192, "8 GiB"), (7900, None, "7.7 GiB")])
def test_memory_as_rules_have_it(ctl, usable, installed, expected):
    ctl("device", "add", "pc1", MACS[1])
    reported = {number: mib.to_bytes(4, "big")
            for number, mib in ((MEMORY, usable), (INSTALLED_MEMORY, installed)) if mib}
    seen(ctl, {1: 1000}, reported)
    assert expected in ctl("inventory")
    mib = installed or usable
    assert "yes" in ctl("rule", "test", f"memory = {mib}M", "pc1")


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """One with the longest names there can be."""
    ctl, name = Ctl(tmp_path_factory.mktemp("wide")), "n" * 63
    ctl("folder", "add", *("/".join(["", *[name] * n]) for n in range(1, 5)))
    ctl("device", "add", name, MACS[1], "--folder", "/".join(["", *[name] * 4]))
    ctl("bundle", "add", name, "--config", "c" * 127, "--loader-bios", "b" * 127)
    ctl("group", "add", name, name)
    ctl("assignment", "add", name, "--to", "/".join(["", *[name] * 4]), "--until", "2999-12-31")
    ctl("rule", "add", name, "--bundle", name, "product = " + "p" * 200)
    ctl("multicast", "add", name, "--bundle", name, "--clients", "99999", "--wait", "7d", name)
    ctl("job", "assign", name, "--bundle", name)
    seen(ctl, {1: 1000})
    return ctl


@pytest.mark.parametrize("words", [
    "device list", "folder list", "group list", "inventory", "bundle list", "assignment list",
    "rule list", "multicast list", "unknown list", "job list", "event list"])
def test_tables_fit_the_terminal(wide, words):
    lines = wide.on_terminal(*words.split())
    assert len(lines) >= (1 if words == "unknown list" else 2)
    assert [line for line in lines if len(line) > 80] == []


MEMORY, INSTALLED_MEMORY = 0x18, 0x2b


def seen(ctl, times, reported=()):
    """Has devices, by their ids, asked at these times."""
    with sqlite3.connect(ctl.database) as database:
        for device, asked in times.items():
            request = policy.encode(policy.REQUEST, bytes(16), {
                policy.MAC: policy.mac(MACS[device]), policy.FIRMWARE: policy.BIOS,
                **dict(reported)})
            database.execute("INSERT INTO seen VALUES (?, ?, '192.0.2.1', ?)",
                             (device, asked, request))
    database.close()


@pytest.fixture
def daemon_seen(ctl):
    for n in (1, 2, 3):
        ctl("device", "add", f"pc{n}", MACS[n])
    seen(ctl, {1: 1000, 3: 2000})
