# SPDX-License-Identifier: BSD-2-Clause
"""What the tools print: nothing that a terminal obeys, and nothing that others must wait for."""

import json
import os
import re
import sqlite3
import subprocess
import unicodedata

import pytest

from policy import BUILD, Ctl, Daemon

EVIL = b"\x1b[2J\x1b]0;pwn\x07a\nb\rc\x7f\xc2\x9b31m\x9b\xff\xe2\x80\xae\xed\xa0\x80\xc0\x9b\xc2"
HOSTILE = [EVIL, b"/" + EVIL, b"group:" + EVIL, b"--" + EVIL, b"x=" + EVIL, b"-\x1b"]


def assert_harmless(output, lines=None):
    """No control character but line ends and tabs, and text in UTF-8."""
    text = output.decode()
    for character in text:
        assert character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cs"), output
        assert character not in "\u202e\u202d\u2066\u2067\u2068\u2028", output
    assert lines is None or text.count("\n") == lines, output


def run(*words, **options):
    result = subprocess.run(words, capture_output=True, timeout=30, check=False,
                            stdin=subprocess.DEVNULL, **options)
    assert result.returncode in (0, 1, 2, 3, 4, 5, 125, 126, 127), result
    assert_harmless(result.stdout)
    assert_harmless(result.stderr)
    return result


def verbs():
    """All nouns and verbs, of the help."""
    text = subprocess.run([BUILD / "prebootctl", "--help"], capture_output=True, text=True,
                          check=True, timeout=20).stdout
    found = []
    for noun, below in re.findall(r"^  ([a-z]+)  .*\n((?:               \S.*\n)?)", text,
                                  re.MULTILINE):
        found += [[noun, verb.strip()] for verb in below.split(",")] if below else [[noun]]
    assert ["device", "add"] in found and ["explain"] in found and len(found) > 60, found
    return found


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site with one of everything."""
    ctl = Ctl(tmp_path_factory.mktemp("site"))
    ctl("folder", "add", "/site")
    ctl("device", "add", "pc1", "--mac", "52:54:00:00:00:01", "--folder", "/site")
    ctl("group", "add", "kiosks", "pc1")
    ctl("bundle", "add", "b1", "image=x")
    ctl("assignment", "add", "b1", "--to", "/site")
    ctl("rule", "add", "r1", "--bundle", "b1", "memory >= 8G")
    ctl.run("multicast", "add", "m1", "--bundle", "b1", "--clients", "2", "pc1")
    ctl("job", "assign", "pc1", "--config", "z.cfg", "image=x")
    return ctl


@pytest.mark.parametrize("verb", verbs(), ids=" ".join)
def test_hostile_words(site, verb):
    if verb == ["watch"]:
        pytest.skip("it goes on; what it prints is that of \"event list\"")
    good = {"device": "pc1", "group": "kiosks", "bundle": "b1", "rule": "r1", "multicast": "m1",
            "job": "pc1", "folder": "/site", "settings": "menu-mode=always", "explain": "pc1"}
    for hostile in HOSTILE:
        for words in ([hostile], [good.get(verb[0], "x"), hostile], ["--", hostile, hostile],
                      ["--json", hostile]):
            run(BUILD / "prebootctl", "--database", site.database, *verb, *words,
                cwd=site.folder)


OPTIONS = ["mac", "uuid", "isd", "address", "config", "loader-bios", "loader-uefi", "prefix",
           "attempts", "deadline", "limit", "boot", "section", "firmware", "folder", "group",
           "bundle", "kind", "unset", "to", "until", "for", "filter", "before", "after", "clients",
           "wait", "iterations", "database"]


@pytest.mark.parametrize("option", OPTIONS)
def test_hostile_options(site, option):
    for hostile in HOSTILE[:2]:
        for verb in (["device", "add", "x1"], ["bundle", "add", "x2", "a=b"],
                     ["rule", "add", "x3"], ["assignment", "add", "b1"],
                     ["job", "assign", "pc1"], ["multicast", "add", "x4", "pc1"],
                     ["explain", "pc1"], ["event", "list"], ["menu", "show", "x"]):
            run(BUILD / "prebootctl", "--database", site.database, *verb,
                b"--" + option.encode() + b"=" + hostile, cwd=site.folder)


@pytest.mark.parametrize("text", [
    b'{"format":"openpreboot","version":1,"\x1b[31mkey":1}',
    b'{"format":"openpreboot","version":1,"\xc2\x9bkey":1}',
    b'{"format":"openpreboot","version":1,"a\\u001b[31mb":1}',
    b'{"format":"openpreboot","version":1,"devices":[{"name":"x","\\u009bkey\\u001b":1}]}',
    b'{"format":"openpreboot","version":1,'
    b'"devices":[{"name":"x\\u001b[2J\\n","macs":["\\u009b"]}]}',
    b'{"format":"openpreboot","version":1,"settings":{"\\u001b":"\\u001b"}}',
    b'{"format":"\x1b[2J","version":1}', b'\x1b[2J{}', b'{"format":"openpreboot\xff"}'])
def test_hostile_json(tmp_path, text):
    path = tmp_path / "i\x1b[2J.json"
    path.write_bytes(text)
    result = run(BUILD / "prebootctl", "--database", tmp_path / "test.db", "import", path)
    assert result.returncode == 1


@pytest.mark.parametrize("text", [
    b"name,mac\n\x1b[2J,52:54:00:00:00:01\n", b"name,mac\nx,\x1b]0;pwn\x07\n", b"\x1b[2J\n",
    b"name,\xc2\x9b31m\nx,y\n", b"name,mac\nx,\xc2\x9b31m\n", b'name,mac\n"x\ny\x1b",z\n',
    b"name,mac,folder\nx,52:54:00:00:00:01,/a\x1bb\n",
    b"name,mac,group\nx,52:54:00:00:00:01,a\x7fb\n"])
def test_hostile_csv(tmp_path, text):
    path = tmp_path / "i\x1b[2J\n.csv"
    path.write_bytes(text)
    result = run(BUILD / "prebootctl", "--database", tmp_path / "test.db", "device", "import", path)
    assert result.returncode == 1
    assert_harmless(result.stderr, lines=result.stderr.count(b"i\\x1b[2J\\x0a.csv:"))


def test_hostile_menu(tmp_path):
    path = tmp_path / "m\x1b[2J\n.txt"
    path.write_bytes(b"[Main]\n\x1b[2J = \xc2\x9b\nexecute=\x1b]0;x\x07\n")
    for verb in ("check", "show"):
        assert run(BUILD / "prebootctl", "menu", verb, path).returncode == 1


def test_hostile_database(site, tmp_path):
    """Names that no tool would write are in the database: no verb brings them to the terminal."""
    copy = tmp_path / "test.db"
    site("backup", copy)
    evil = "\x1b[2J\x9b31m\x7f\u202eé"
    with sqlite3.connect(copy) as db:
        for table in ("device", "device_group", "bundle", "rule", "multicast", "folder"):
            db.execute(f"UPDATE {table} SET name = ?", [evil])
        db.execute("UPDATE job SET config = ?, reason = ?", [evil, evil])
        db.execute("UPDATE event SET reason = ?", [evil])
    db.close()
    for verb in (["device", "list"], ["device", "show", evil], ["group", "list"],
                 ["bundle", "list"],
                 ["rule", "list"], ["multicast", "list"], ["folder", "list"], ["job", "list"],
                 ["event", "list"], ["explain", "52:54:00:00:00:01"], ["check"], ["inventory"],
                 ["device", "list", "--csv"], ["assignment", "list"]):
        run(BUILD / "prebootctl", "--database", copy, *verb)
    for verb in (["--json", "device", "list"], ["export"]):
        result = run(BUILD / "prebootctl", "--database", copy, *verb)
        data = json.loads(result.stdout)
        names = [device["name"] for device in
                 data["devices" if verb == ["export"] else slice(None)]]
        assert names == [evil]  # JSON has ways of its own to say it


@pytest.mark.parametrize("tool, words", [
    ("isdctl", [b"@", b"show"]), ("isdctl", [b"/dev/null", b"@"]),
    ("isdctl", [b"--sector-size", b"@"]),
    ("isdctl", [b"--@"]), ("prebootwork", [b"@"]), ("prebootwork", [b"--server", b"@", b"show"]),
    ("prebootwork", [b"--mac", b"@", b"show"]), ("prebootwork", [b"--@"]),
    ("prebootwork", [b"--timeout", b"@", b"show"]), ("prebootd", [b"@"]), ("prebootd", [b"--@"]),
    ("prebootd", [b"--listen", b"@"]), ("prebootd", [b"--rate", b"@"]),
    ("prebootd", [b"--user", b"@", b"--listen", b"127.0.0.1:0", b"--database", b"/none"]),
    ("prebootd", [b"--user", b"root", b"--listen", b"127.0.0.1:0", b"--database", b"/none/@"])])
def test_other_tools(tool, words):
    for hostile in HOSTILE:
        result = run(BUILD / tool, *[word.replace(b"@", hostile) for word in words])
        assert result.returncode and result.stderr


def test_what_is_text_stays(tmp_path):
    path = tmp_path / "prüfen €.csv"
    path.write_text("name;größe\n")
    result = run(BUILD / "prebootctl", "--database", tmp_path / "test.db", "device", "import", path)
    assert "prüfen €.csv:1:6: größe: no such column" in result.stderr.decode()


def is_asleep(process):
    """Says whether a process waits for something."""
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as stat:
        return stat.read().rpartition(")")[2].split()[0] == "S"


@pytest.mark.parametrize("json_too", [False, True])
def test_nobody_waits_for_a_reader(tmp_path, json_too):
    """Errors go into a pipe that nobody reads: the database is free all the same."""
    ctl = Ctl(tmp_path)
    ctl("device", "add", "a", "--mac", "52:54:00:00:00:01")
    if json_too:
        bad, verb = tmp_path / "bad.json", ["import", "--replace"]
        groups = [{"name": f"g{i}", f"{i}" + "x" * 9000: 1} for i in range(20)]
        bad.write_text(json.dumps({"format": "openpreboot", "version": 1, "groups": groups}))
    else:
        bad, verb = tmp_path / "bad.csv", ["device", "import"]
        bad.write_text("name,folder\n" + "".join(f"a,/none{i}\n" for i in range(3000)))
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    os.write(writer, bytes(1 << 16))  # it is full from the beginning
    os.set_blocking(writer, True)
    process = subprocess.Popen([BUILD / "prebootctl", "--database", ctl.database, *verb, bad],
                               stdout=writer, stderr=writer, stdin=subprocess.DEVNULL)
    os.close(writer)
    try:
        for number in range(1000):
            ctl("settings", "set", f"hot-key-wait={number}")
            if is_asleep(process) and number > 20:
                break
        assert process.poll() is None
        os.read(reader, 1 << 16)  # what filled it
        text = b""
        while more := os.read(reader, 1 << 16):
            text += more
        assert process.wait(timeout=20) == 1
        assert text.count(b"bad.") > 3000 if not json_too else text.count(b"bad.json:") >= 20
    finally:
        process.kill()
        process.wait()
        os.close(reader)


def test_log_of_prebootd(tmp_path):
    """Its lines name files, at the start and when one is lost."""
    folder = tmp_path / "d\x1b]0;pwn\x07\n\x9b31m\u202e"
    folder.mkdir()
    Ctl(folder)("device", "add", "pc1", "52:54:00:00:00:01")
    daemon = Daemon(folder / "test.db", tmp_path / "log")
    (folder / "test.db").rename(folder / "other.db")
    assert daemon.process.wait(20) == 1
    log = (tmp_path / "log").read_bytes()
    assert b"confined: " in log and b"error: " in log and log.count(rb"\x1b]0;pwn\x07\x0a") >= 2
    assert_harmless(log, lines=len(re.findall(rb"^20\d\d-", log, re.MULTILINE)))
