# SPDX-License-Identifier: BSD-2-Clause
"""What prebootctl makes of menu files and their passwords."""

import base64
import hashlib
import json
import os
import pty
import re
import subprocess

import pytest

from policy import BUILD

ROOT = BUILD.parent
SHIPPED = ROOT / "scripts/packaging/examples/pxemenu.txt"
CTL = [BUILD / "prebootctl", "--database", "/nonexistent/never-opened", "menu"]

MENU = """\
[Main]
title = Site menu
option = execute ; Maintenance ; A shell. ; ; z_maint.cfg ; boot/
option = submenu ; Tools ; ; Tools
[Tools]
option = execute ; Test ; ; | test.efi
option = return ; Back
colour = title ; bright white ; red
"""

BAD = """\
[Main]
option = leave ; x
\ttimeout = y
option = submenu ; x ; ; none
[main]
"""


def run(*arguments, **options):
    return subprocess.run([*CTL, *arguments], capture_output=True, text=True, timeout=60,
                          check=False, **options)


@pytest.fixture
def menu(tmp_path):
    path = tmp_path / "pxemenu.txt"
    path.write_text(MENU)
    return path


@pytest.fixture
def bad(tmp_path):
    path = tmp_path / "bad.txt"
    path.write_text(BAD)
    return path


def test_check_good(menu):
    result = run("check", menu, SHIPPED)
    assert result.returncode == 0 and result.stderr == ""
    assert result.stdout == (f"{menu}: good: sections 2, entries 4\n"
                             f"{SHIPPED}: good: sections 1, entries 5\n")


def test_check_tells_of_all_errors_in_order(bad, menu):
    result = run("check", bad, menu)
    assert result.returncode == 1
    assert result.stdout == f"{menu}: good: sections 2, entries 4\n"
    assert result.stderr == (
        f"{bad}:2:10: expected execute, submenu, return, exit, auto, reboot or poweroff\n"
        "    option = leave ; x\n"
        "             ^\n"
        f"{bad}:3:12: expected seconds, 0 to 3600\n"
        "    \ttimeout = y\n"
        "    \t          ^\n"
        f"{bad}:4:26: expected the name of a section\n"
        "    option = submenu ; x ; ; none\n"
        "                             ^\n"
        f"{bad}:5:1: expected a section's name that is new\n"
        "    [main]\n"
        "    ^\n")


def test_check_reads_standard_input():
    result = subprocess.run([*CTL, "check", "-"], capture_output=True, timeout=20, check=False,
                            input=b"\xef\xbb\xbf[Main]\r\noption = exit ; \xfc")
    assert result.returncode == 1
    assert result.stderr.decode() == ("standard input:2:17: expected plain ASCII\n"
                                      "    option = exit ; ?\n"
                                      "                    ^\n")


@pytest.mark.parametrize("text, where, what", [
    ("", "1:1", "a section [Main]"),
    ("#" * 16385, "1:1", "at most 16384 bytes"),
    ("#" * 99999, "1:1", "at most 16384 bytes"),
    ("[Main]\n\n", "3:1", None),
])
def test_check_at_the_ends(tmp_path, text, where, what):
    path = tmp_path / "pxemenu.txt"
    path.write_text(text)
    result = run("check", path)
    assert result.returncode == 1
    if what:
        assert result.stderr.startswith(f"{path}:{where}: expected {what}\n")


def test_check_json(bad, menu):
    result = run("--json", "check", bad, menu)
    assert result.returncode == 1 and result.stderr == ""
    first, second = json.loads(result.stdout)
    assert first["file"] == str(bad) and second == {"file": str(menu), "errors": []}
    assert first["errors"][2] == {"line": 4, "column": 26, "expected": "the name of a section"}


def test_unreadable_files(tmp_path):
    result = run("check", tmp_path / "none", tmp_path)
    assert result.returncode == 1
    assert result.stderr == (f"prebootctl: cannot read {tmp_path}/none: No such file or directory\n"
                             f"prebootctl: cannot read {tmp_path}: Is a directory\n")
    assert run("show", tmp_path / "none").returncode == 1


def test_show_draws_the_shipped_menu():
    result = run("show", SHIPPED)
    wanted = (ROOT / "tests/unit/screens/shipped.txt").read_text()
    assert result.returncode == 0
    assert result.stdout == wanted


def test_show_section_and_firmware(menu):
    assert "> 1  Test (not for this machine)" in re.sub(" +1", " 1", run(
        "show", menu, "--section", "tools").stdout)
    uefi = run("show", menu, "--section", "Tools", "--firmware", "uefi").stdout
    assert "Test" in uefi and "not for" not in uefi and "Esc: back" in uefi


def test_show_json(menu):
    shown = json.loads(run("--json", "show", menu).stdout)
    assert shown["colours"]["title"] == "bright white on red"
    main, tools = shown["sections"]
    assert main["title"] == "Site menu" and main["default"] == "Maintenance"
    assert main["entries"][0] == {
        "kind": "execute", "name": "Maintenance", "description": "A shell.", "guarded": False,
        "loader_bios": "pxelinux.0", "loader_uefi": "syslinux.efi",
        "loader_uefi_ia32": "syslinux32.efi", "loader_uefi_arm64": "grubnetaa64.efi",
        "config": "z_maint.cfg", "prefix": "boot/"}
    assert main["entries"][1]["section"] == "Tools"
    assert tools["entries"][0]["loader_bios"] == ""
    assert json.loads(run("--json", "show", menu, "--section", "Tools").stdout) == tools


def test_show_refuses(menu, bad):
    assert run("show", menu, "--section", "None").stderr == (
        f"prebootctl: {menu}: no section [None]\n")
    assert run("show", menu, "--firmware", "arm").returncode == 2
    result = run("show", bad)
    assert result.returncode == 1 and result.stdout == ""
    assert result.stderr.startswith(f"{bad}:2:10: expected ")


def on_terminal(arguments, typed):
    """Runs prebootctl on a terminal of its own; returns (status, what the terminal showed)."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(CTL[0], [*map(str, CTL), *map(str, arguments)])
    shown = b""
    for prompt, answer in typed:
        while not shown.endswith(prompt):
            shown += os.read(terminal, 1024)
        os.write(terminal, answer)
    try:
        while chunk := os.read(terminal, 4096):
            shown += chunk
    except OSError:  # the other end is closed
        pass
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()


def test_show_is_in_colours_on_a_terminal():
    status, shown = on_terminal(["show", SHIPPED], [])
    assert status == 0 and "\x1b[0;30;47m>  1  Start imaging" in shown


def derived(line, password):
    """Says whether @line is a hash of @password, by Python's own means."""
    match = re.fullmatch(r"\$pbkdf2-sha256\$(\d+)\$([A-Za-z0-9./]{22})\$([A-Za-z0-9./]{43})\n",
                         line)
    assert match, line
    salt, key = (base64.b64decode(match[i].replace(".", "+") + "==") for i in (2, 3))
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, int(match[1])) == key, match


def test_passwd_from_standard_input(tmp_path):
    result = run("passwd", "--stdin", input="correct horse\n")
    assert result.returncode == 0 and result.stderr == ""
    right, match = derived(result.stdout, "correct horse")
    assert right and match[1] == "100000"
    assert not derived(result.stdout, "correct horse ")[0]
    assert run("passwd", "--stdin", input="correct horse").stdout != result.stdout  # another salt
    # What it prints is what a menu takes.
    menu = tmp_path / "pxemenu.txt"
    menu.write_text(f"[Main]\npassword = {result.stdout}"
                    f"option = exit ; x ; password {result.stdout}")
    assert run("check", menu).returncode == 0


@pytest.mark.parametrize("password, iterations, status", [
    ("x" * 64, 1000, 0), ("x" * 65, 1000, 1), ("x" * 200, 1000, 1), ("", 1000, 1),
    ("b\xfc", 1000, 1), ("a\tb", 1000, 1), ("x", 999, 2), ("x", 1000001, 2), ("x", "many", 2),
])
def test_passwd_limits(password, iterations, status):
    result = run("passwd", "--stdin", "--iterations", str(iterations), input=password + "\n")
    assert result.returncode == status
    if status:
        assert result.stdout == "" and "expected" in result.stderr
    else:
        assert derived(result.stdout, password)[0]


def test_passwd_asks_twice_without_echo():
    status, shown = on_terminal(["passwd", "--iterations", "1000"],
                                [(b"Password: ", b"secret\n"), (b"Once more: ", b"secret\n")])
    assert status == 0
    prompts, line = shown.replace("\r", "").split("Once more: \n")
    assert prompts == "Password: \n" and derived(line, "secret")[0]
    status, shown = on_terminal(["passwd"],
                                [(b"Password: ", b"secret\n"), (b"more: ", b"secrets\n")])
    assert status == 1 and "secret" not in shown and "two different passwords" in shown
    # Ctrl+C comes as a character that no password has, and the echo comes back.
    status, shown = on_terminal(["passwd"], [(b"Password: ", b"se\x03\n")])
    assert status == 1 and "expected printable ASCII" in shown


def test_passwd_needs_a_terminal():
    result = run("passwd", stdin=subprocess.DEVNULL, start_new_session=True)
    assert result.returncode == 1 and "use --stdin" in result.stderr
