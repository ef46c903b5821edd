# SPDX-License-Identifier: BSD-2-Clause
"""Runs openpreboot-rom, for the tests of it."""

import importlib.machinery
import importlib.util
import subprocess

from policy import BUILD

ROOT = BUILD.parent
TOOL = ROOT / "scripts/openpreboot-rom"
IPXE = "/usr/lib/ipxe"

SITE = """\
# ours
server = 192.0.2.1, 192.0.2.2
address=192.0.2.50/24
gateway = 192.0.2.254   # the way out
tftp-server = 192.0.2.1
"""


def run(*arguments, **more):
    return subprocess.run([TOOL, *map(str, arguments)], capture_output=True, text=True,
                          timeout=60, check=False, **more)


def make(folder, *arguments):
    """Returns the bytes of a ROM."""
    done = run("-o", folder / "card.rom", *arguments)
    assert done.returncode == 0, done.stderr
    return (folder / "card.rom").read_bytes()


def refused(status, *arguments, **more):
    """Returns why something was refused: one line, and no ROM."""
    done = run(*arguments, **more)
    assert done.returncode == status, done.stdout + done.stderr
    assert done.stdout == "" and done.stderr.startswith("openpreboot-rom: ")
    return done.stderr


def load_tool():
    """Returns the tool as a module."""
    loader = importlib.machinery.SourceFileLoader("openpreboot_rom", str(TOOL))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module
