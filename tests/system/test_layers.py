# SPDX-License-Identifier: BSD-2-Clause
"""The architecture, held to: which room may include which, and who may know the database."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# A room, and the rooms right below it. It may include those, and whatever is below them.
BELOW = {
    "nbp/proto": [],
    "nbp": ["nbp/proto"],
    "bios": ["nbp"],
    "efi": ["efi/rom", "nbp"],
    "efi/x86": ["efi"],
    "efi/x64": ["efi/x86"],
    "efi/ia32": ["efi/x86"],
    "efi/aa64": ["efi"],
    "efi/aa64/aarch64": [],
    "efi/rom": [],  # the driver of a card's ROM, and the form of the settings that it hands on
    "bios/pack": ["bios"],  # the packer runs the unpacker on what it made
    "server/model": ["nbp/proto"],
    "server/tool": ["server/model"],
    "server/net": ["server/model"],
    "server/store": ["server/tool", "server/net"],
    "server/filter": ["server/tool"],
    "server/index": ["server/store", "server/filter"],
    "server/policy": ["server/index"],
    "server/daemon": ["server/policy"],
    "server/transfer": ["server/policy"],
    "server/ctl": ["server/transfer", "nbp"],  # it checks and draws the NBP's menu
    "server/agent": ["server/tool", "server/net"],
    "server/agent/windows": ["server/agent"],
    "server/agent/windows/include/netinet": [],
    "server/isdctl": ["server/tool"],
}
FUNCTION_LINES = 60
FILE_LINES = 500


def below(room):
    """Returns @room and all rooms that it may include."""
    found = {room}
    for lower in BELOW[room]:
        found |= below(lower)
    return found


def sources(pattern=r"\.[ch]$"):
    names = subprocess.run(["git", "ls-files", *sorted({room.split("/")[0] for room in BELOW})],
                           cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    return [name for name in names if re.search(pattern, name) and (ROOT / name).exists()]


def room_of(name):
    return str(Path(name).parent)


def test_every_source_is_in_a_room():
    assert {room_of(name) for name in sources()} == set(BELOW)


def test_includes_name_their_file_from_the_root():
    bare = [(name, include) for name in sources()
            for include in re.findall(r'#include "([^"]+)"', (ROOT / name).read_text())
            if not (ROOT / include).is_file()]
    assert not bare


def test_includes_go_down():
    up = [f"{name} includes {include}" for name in sources()
          for include in re.findall(r'#include "([^"]+)"', (ROOT / name).read_text())
          if room_of(include) not in below(room_of(name))]
    assert not up


def calls_in(folder):
    """Returns the files of @folder, and for each those others whose functions it calls by their names."""
    texts = {name: re.sub(r'"(\\.|[^"\\\n])*"|/\*.*?\*/', "", (ROOT / name).read_text(), flags=re.S)
             for name in sources(r"\.c$") if room_of(name) == folder}
    home = {found: name for name, text in texts.items()
            for found in re.findall(r"^(?!static )[A-Za-z][\w *]*?\b(\w+)\([^;{]*?\)\n\{", text, re.M)}
    return {name: {home[word] for word in re.findall(r"\b(\w+)\(", text) if home.get(word, name) != name}
            for name, text in texts.items()}


@pytest.mark.parametrize("room", sorted(room for room in BELOW if len(list((ROOT / room).glob("*.c"))) > 1))
def test_no_two_files_of_a_room_call_each_other(room):
    """By way of others neither. What a table of functions refers to is no call."""
    calls = calls_in(room)
    while leaves := [name for name in calls if not calls[name] & set(calls)]:
        for name in leaves:
            del calls[name]
    assert not calls, f"these are in a circle, or lead to one: {sorted(calls)}"


def test_nouns_use_what_is_shared_which_uses_no_noun():
    calls = calls_in("server/ctl")
    assert len(calls) > 30 and sum(map(len, calls.values())) > 100
    assert not [(name, called) for name, others in calls.items() for called in others
                if "/ctl_" in name and "/noun_" in called]


def test_only_the_store_knows_the_database():
    sql = re.compile(r'\bsqlite3_\w+ ?\(|sqlite3\.h|"[^"\n]*\b(SELECT |INSERT INTO |DELETE FROM '
                     r'|UPDATE \w+ SET )')
    others = [name for name in sources() if room_of(name) != "server/store" and
              sql.search((ROOT / name).read_text())]
    assert not others


def functions(text):
    """Yields (name, lines) of a C file's functions: from the first line to the closing brace."""
    start = name = None
    for number, line in enumerate(text.splitlines()):
        if re.match(r"[A-Za-z_].*\(", line) and not line.rstrip().endswith((";", ":")):
            start, name = number, re.search(r"(\w+)\(", line)[1]
        elif line.startswith(("#", "};")):
            start = None
        elif line == "}" and start is not None:
            yield name, number - start + 1
            start = None


@pytest.mark.parametrize("kind", ["function", "file"])
def test_nothing_is_too_long(kind):
    lengths = []
    for name in sources(r"\.c$"):
        text = (ROOT / name).read_text()
        if kind == "file":
            lengths.append((name, text.count("\n")))
        else:
            lengths += [(f"{name}: {function}", lines) for function, lines in functions(text)]
    most = FILE_LINES if kind == "file" else FUNCTION_LINES
    assert len(lengths) > 150
    assert not [(where, lines) for where, lines in lengths if lines >= most]
