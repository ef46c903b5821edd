# SPDX-License-Identifier: BSD-2-Clause
"""What bash and zsh offer next on prebootctl's command line."""

import os
import pty
import select
import sqlite3
import subprocess
import time

import pytest

from dataset import create, run
from policy import BUILD

SCRIPT = BUILD.parent / "server" / "ctl" / "prebootctl.bash"
ZSH_SCRIPT = BUILD.parent / "server" / "ctl"


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    path = tmp_path_factory.mktemp("complete") / "test.db"
    create(path)
    with sqlite3.connect(path) as db:
        db.executescript("""
            INSERT INTO folder VALUES (1, NULL, 'site'), (2, 1, 'lab'), (3, NULL, 'other');
            INSERT INTO device (id, name, added) VALUES (1, 'web01', 5), (2, 'web02', 5),
                (3, 'db01', 5);
            INSERT INTO device_group VALUES (1, 'kiosks'), (2, 'kitchen');
            INSERT INTO bundle VALUES (1, 'win', 'imaging', '*', '', 'z.cfg', '',
                CAST('image=w.img' || char(0) || 'share=//f/w' || char(0) AS BLOB), 0, 0, 5,
                'agent', '', '');
            INSERT INTO rule VALUES (1, 1, 'big', 1, 'both', '', 0, 1);
            INSERT INTO job (id, device, state, attempts, deadline, assigned, loader_bios,
                loader_uefi, config, prefix, details)
                VALUES (77, 1, 'pending', 3, 60, 5, 'a', '', 'z.cfg', '', x'');
        """)
    db.close()
    return path


def offered(line, cwd=None):
    """Returns what the completion function replies to a line, as bash would call it."""
    script = f"""
        source '{SCRIPT}'
        COMP_LINE=$1 COMP_POINT=${{#1}}
        read -ra COMP_WORDS <<<"$1"
        COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
        _prebootctl '{BUILD}/prebootctl'
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    result = subprocess.run(["bash", "--norc", "-c", script, "bash", line], capture_output=True,
                            text=True, timeout=20, check=True, cwd=cwd)
    assert result.stderr == ""
    return sorted(result.stdout.split())


@pytest.mark.parametrize("line, words", [
    ("prebootctl dev", ["device"]),
    ("prebootctl comp", []),
    ("prebootctl device re", ["release", "remove", "rename"]),
    ("prebootctl dev re", ["release", "remove", "rename"]),
    ("prebootctl -d DB device show we", ["web01", "web02"]),
    ("prebootctl -d DB device rename ", ["db01", "web01", "web02"]), ("prebootctl -d DB device change /o", ["/other"]),
    ("prebootctl -d DB device show d", ["db01"]), ("prebootctl -d DB device show /o", ["/other"]),
    ("prebootctl -d DB device list group:kio", ["kiosks"]),
    ("prebootctl --database DB device show d", ["db01"]),
    ("prebootctl --database=DB device show d", ["db01"]),
    ("prebootctl -d DB --json device show d", ["db01"]),
    ("prebootctl -d DB device rename web01 ", []), ("prebootctl -d DB device change web01 /o", ["/other"]),
    ("prebootctl -d DB device show web01 web0", ["web01", "web02"]),
    ("prebootctl -d DB device add ", []),
    ("prebootctl -d DB device move web01 /s", ["/site", "/site/lab"]),
    ("prebootctl -d DB device list --group ki", ["kiosks", "kitchen"]),
    ("prebootctl -d DB device list --group=kio", ["kiosks"]),
    ("prebootctl -d DB device list /o", ["/other"]),
    ("prebootctl device import --c", ["--create-folders", "--create-groups"]),
    ("prebootctl device show --m", []),
    ("prebootctl device add --m", ["--mac"]),
    ("prebootctl -d DB group show ki", ["kiosks", "kitchen"]),
    ("prebootctl -d DB group join kiosks we", ["web01", "web02"]),
    ("prebootctl -d DB group join kiosks web01 we", ["web01", "web02"]),
    ("prebootctl -d DB bundle show ", ["win"]),
    ("prebootctl bundle add x --kind im", ["imaging"]),
    ("prebootctl bundle add x --completes ", ["agent", "handover", "next-boot"]),
    ("prebootctl -d DB bundle change win --completes=n", ["next-boot"]),
    ("prebootctl bundle add x --comp", ["--completes"]),
    ("prebootctl -d DB assignment add w", ["win"]),
    ("prebootctl -d DB assignment add win group:kio", ["kiosks"]),
    ("prebootctl -d DB assignment add win --to /si", ["/site", "/site/lab"]),
    ("prebootctl -d DB rule show ", ["big"]),
    ("prebootctl -d DB rule add x --bundle ", ["win"]),
    ("prebootctl rule add x --for k", ["known"]),
    ("prebootctl -d DB job cancel ", ["/other", "/site", "/site/lab", "77", "db01", "group:kiosks",
                                       "group:kitchen", "web01", "web02"]),
    ("prebootctl -d DB job cancel 7", ["77"]),
    ("prebootctl -d DB job list --state f", ["failed"]),
    ("prebootctl -d DB settings set web01 menu-", ["menu-file=", "menu-mode="]),
    ("prebootctl -d DB settings set web01 /o", ["/other"]),
    ("prebootctl -d DB explain web01 web", ["web01", "web02"]),
    ("prebootctl -d DB device trace /o", ["/other"]),
    ("prebootctl settings set menu-mode=", ["always", "hotkey", "never"]),
    ("prebootctl settings set menu-mode=h", ["hotkey"]),
    ("prebootctl -d DB settings set web01 menu-mode=a", ["always"]),
    ("prebootctl settings set /site hot-key-wait=5 local-boot-uefi=e", ["entry", "exit"]),
    ("prebootctl settings set local-boot-bios=", ["default", "int18", "mbr", "return"]),
    ("prebootctl settings set admit-unknown=", ["no", "yes"]),
    ("prebootctl settings set hot-key-wait=", []),
    ("prebootctl settings set nothing=", []),
    ("prebootctl -d DB bundle change win --unset ", ["image", "share"]),
    ("prebootctl -d DB bundle change win --unset=s", ["share"]),
    ("prebootctl -d DB bundle change win im", ["image="]),
    ("prebootctl -d DB bundle change nothing --unset ", []),
    ("prebootctl settings unset hot", ["hot-key", "hot-key-wait"]),
    ("prebootctl -d DB watch /s", ["/site", "/site/lab"]),
    ("prebootctl menu show x --firmware ", ["bios", "uefi", "uefi-arm64", "uefi-ia32"]),
    ("prebootctl help dev", ["device"]),
    ("prebootctl help device re", ["release", "remove", "rename"]),
    ("prebootctl -d DB help device show ", []),
    ("prebootctl nothing ", []),
    ("prebootctl -d /nonexistent device show ", []),
])
def test_offered(database, line, words):
    assert offered(line.replace("DB", str(database))) == words


def test_every_noun_and_verb(database):
    nouns = offered("prebootctl ")
    assert {"device", "folder", "group", "bundle", "rule", "export", "stats"} <= set(nouns)
    assert "complete" not in nouns
    text = subprocess.run([BUILD / "prebootctl", "--help"], capture_output=True, text=True,
                          timeout=10, check=True).stdout
    assert "complete" not in text
    for noun in nouns:
        assert f"  {noun} " in text
        for verb in offered(f"prebootctl {noun} "):
            if noun not in ("explain", "inventory", "watch", "export", "import", "backup"):
                assert run(database, noun, verb, "--help").returncode == 0


def test_files(tmp_path):
    (tmp_path / "data one.json").write_text("")
    (tmp_path / "data2").mkdir()
    assert offered("prebootctl import data2", tmp_path) == ["data2"]
    assert offered("prebootctl import da", tmp_path) == ["data", "data2", "one.json"]
    assert offered("prebootctl --database=da", tmp_path) == ["data", "data2", "one.json"]


def typed_in_bash(line, expected):
    """Has a shell on a terminal do a line with tabs in it; returns what it showed."""
    main, terminal = pty.openpty()
    shell = subprocess.Popen(
        ["bash", "--norc", "--noprofile", "-i"], stdin=terminal, stdout=terminal, stderr=terminal,
        start_new_session=True,
        env={**os.environ, "PATH": f"{BUILD}:{os.environ['PATH']}", "TERM": "dumb", "PS1": "$ ",
             "INPUTRC": "/dev/null"})
    os.close(terminal)
    os.write(main, f"source '{SCRIPT}'\n".encode())
    os.write(main, f"{line}\n".encode())
    seen, end = b"", time.monotonic() + 10
    while expected not in seen and time.monotonic() < end:
        if select.select([main], [], [], 0.2)[0]:
            seen += os.read(main, 65536)
    os.write(main, b"exit\n")
    shell.kill()
    shell.wait()
    os.close(main)
    return seen


@pytest.mark.parametrize("line, expected", [
    ("prebootctl -d DB dev\tshow d\t | head -n 1", b"\ndb01\r"),
    ("prebootctl -d NEW settings set menu-m\th\t && prebootctl -d NEW settings show | grep global",
     b"\nmenu-mode          hotkey"),
    ("prebootctl -d DB bundle change win --comp\th\t", b"\nbundle win changed\r"),
    ("prebootctl -d DB bundle change win --uns\tsh\t", b"\nbundle win changed\r")])
def test_typed_in_bash(database, tmp_path, line, expected):
    """A shell, a terminal, and the tab key."""
    line = line.replace("DB", str(database)).replace("NEW", str(tmp_path / "new.db"))
    seen = typed_in_bash(line, expected)
    assert expected in seen, seen


ZSH_SETUP = """
    fpath=('{script}' $fpath)
    autoload -Uz compinit && compinit -D -u
    PS1='$ ' RPS1=''
    unsetopt prompt_cr prompt_sp zle_bracketed_paste 2>/dev/null
"""


@pytest.mark.parametrize("line, expected", [
    ("prebootctl -d DB dev\tshow d\t | head -n 1", b"\ndb01\r"),
    ("prebootctl -d NEW settings set menu-m\th\t && prebootctl -d NEW settings show | grep hotkey",
     b"\nmenu-mode          hotkey"),
    ("prebootctl -d DB bundle change win --comp\th\t", b"\nbundle win changed\r"),
    ("prebootctl -d DB device list --group=kio\t | tail -n 1", b"\nDEVICE  FOLDER"),
    ("prebootctl -d NEW import DATA/on\t", b"two.json: cannot be read")])
def test_typed_in_zsh(database, tmp_path, line, expected):
    """The same in the other shell, which finds its function by itself."""
    (tmp_path / "one two.json").mkdir()
    line = line.replace("DB", str(database)).replace("NEW", str(tmp_path / "new.db"))
    main, terminal = pty.openpty()
    shell = subprocess.Popen(
        ["zsh", "-f", "-i"], stdin=terminal, stdout=terminal, stderr=terminal, cwd=tmp_path,
        start_new_session=True, env={**os.environ, "PATH": f"{BUILD}:{os.environ['PATH']}",
                                     "TERM": "dumb", "ZDOTDIR": str(tmp_path)})
    os.close(terminal)
    os.write(main, ZSH_SETUP.format(script=ZSH_SCRIPT).encode() + b"print rea''dy\n")
    seen, end, typed = b"", time.monotonic() + 20, False
    while expected not in seen and time.monotonic() < end:
        if select.select([main], [], [], 0.2)[0]:
            seen += os.read(main, 65536)
        if not typed and b"ready\r" in seen:
            os.write(main, line.replace("DATA", str(tmp_path)).encode() + b"\n")
            typed = True
    shell.kill()
    shell.wait()
    os.close(main)
    assert expected in seen, seen
