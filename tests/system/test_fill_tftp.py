# SPDX-License-Identifier: BSD-2-Clause
"""The example fill-tftp: what it is asked wrongly, and what it needs. test_install.py has it fill a
root."""

import os
import re
import subprocess

import pytest

from policy import BUILD

ROOT = BUILD.parent
TOOL = ROOT / "scripts/packaging/examples/fill-tftp"
NBPS = {"nvlnbp.sys", "nvlnbpx64.efi", "nvlnbpia32.efi", "nvlnbpaa64.efi"}


def run(*arguments, **variables):
    return subprocess.run([TOOL, *map(str, arguments)], capture_output=True, text=True, timeout=60,
                          check=False, env={**os.environ, **variables})


def test_help():
    for option in ("-h", "--help"):
        done = run(option)
        assert done.returncode == 0 and done.stdout.startswith("Usage: fill-tftp [FOLDER]\n")
    version = (ROOT / "Makefile").read_text().split("VERSION := ")[1].split()[0]
    assert run("--version").stdout == run("-V").stdout == f"fill-tftp {version}\n"


@pytest.mark.parametrize("arguments, message", [
    (["--fly"], "--fly: unknown option"), (["-x"], "-x: unknown option"),
    (["a", "b"], "b: unexpected argument"), ([""], "missing argument FOLDER")])
def test_usage_errors(tmp_path, arguments, message):
    done = subprocess.run([TOOL, *arguments], capture_output=True, text=True, timeout=60,
                          check=False, cwd=tmp_path)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr == f'fill-tftp: {message}\nfill-tftp: try "fill-tftp --help"\n'
    assert list(tmp_path.iterdir()) == []


def test_without_the_nbps(tmp_path):
    """Nothing is made that would look like a root."""
    (tmp_path / "nbps").mkdir()
    (tmp_path / "nbps/nvlnbp.sys").write_bytes(b"x")
    for nbps, missing in (("none", "nvlnbp.sys"), ("nbps", "nvlnbpx64.efi")):
        done = run(tmp_path / "root", NBPS=str(tmp_path / nbps))
        assert done.returncode == 1 and done.stderr.startswith(
            f"fill-tftp: no file {tmp_path}/{nbps}/{missing}; install the package openpreboot")
        assert done.stderr.count("\n") == 1 and not (tmp_path / "root").exists()


def test_what_is_in_the_way(tmp_path):
    (tmp_path / "file").write_text("mine")
    for place, why in (("file", "is a file; give a folder"), ("file/below", "give another one")):
        done = run(tmp_path / place)
        assert done.returncode == 1 and done.stderr.startswith("fill-tftp: ")
        assert why in done.stderr and done.stderr.count("\n") == 1
    assert (tmp_path / "file").read_text() == "mine"


def test_in_the_source(tmp_path):
    """The NBPs are those that make has built."""
    done = run("--", tmp_path / "-root", NBPS="")
    lines = done.stderr.splitlines()
    assert all(re.fullmatch("fill-tftp: no /usr/lib/.*; install pxelinux, .*", line)
               for line in lines)
    assert done.returncode == bool(lines)
    for name in NBPS:
        assert (tmp_path / "-root" / name).read_bytes() == (BUILD / name).read_bytes()
    assert (tmp_path / "-root/pxemenu.txt").exists() and (tmp_path / "-root/grub/grub.cfg").exists()
    assert not list(tmp_path.rglob("*.new"))
