# SPDX-License-Identifier: BSD-2-Clause
"""Sees that nvlnbp.sys writes nothing past the end of base memory (40:13); canary/shim.asm says how."""

import subprocess
from pathlib import Path

import pytest

import machine
from lab import DEVICE, Lab

SOURCES = Path(__file__).parent / "canary"
SECTOR_CODE = 440  # then a boot sector's disk signature and partition table

# name: the NBP, the settings, whether a loader is assigned, lines of the console in order
CASES = {
    "return": ("nvlnbp", {}, False, ["local boot", "^canary: intact", "{disk}"]),
    "loader": ("nvlnbp", {}, True,
               ["handing over to canary.0", "^canary: intact", "^canary: intact", "{disk}"]),
    "menu": ("nvlnbp", {"menu-mode": "always", "menu-file": "canary.txt"}, False,
             ["menu: Leave", "local boot", "^canary: intact", "{disk}"]),
    "int18": ("nvlnbp", {"local-boot-bios": "int18"}, False, ["local boot", "^canary: intact"]),
    "mbr": ("nvlnbp", {"local-boot-bios": "mbr"}, False, ["local boot", "^canary: intact"]),
    # That the canary dies of a single byte.
    "intruder": ("intruder", {}, False, [r"^canary: changed, first at \+0000h, words: 0001"]),
}
# After a moment, as though somebody had chosen to leave.
MENU = "[Main]\ntimeout = 1\ndefault = Leave\noption = exit ; Leave\n"


def assemble(name, output, *options):
    subprocess.run(["nasm", "-f", "bin", "-Wall", "-Werror", *options, "-o", output,
                    SOURCES / f"{name}.asm"], check=True)
    return output


@pytest.mark.parametrize("case", CASES)
def test_canary(case, lab_folder):
    nbp, settings, with_loader, lines = CASES[case]
    folder = lab_folder(f"canary-{case}")

    binary = machine.BUILD / "nvlnbp.sys"
    if nbp != "nvlnbp":
        binary = assemble(nbp, folder / "nbp.bin")
    (folder / "canary.txt").write_text(MENU)
    lab = Lab(f"canary-{case}", machine.FIRMWARES["seabios"], {
        "copies": {
            "{nbp}": str(assemble("shim", folder / "shim.bin", f'-DNBP="{binary}"')),
            "canary.0": str(assemble("loader", folder / "loader.bin")),
            "canary.txt": str(folder / "canary.txt"),
        },
        "job": {"loader": "canary.0"} if with_loader else None,
        "boots": [lines],
    }, folder)
    lab.prepare()
    for key, value in settings.items():
        machine.prebootctl(lab.database, "settings", "set", DEVICE, f"{key}={value}")
    if "{disk}" not in lines:
        write_sector(lab.machine.disk, assemble("sector", folder / "sector.bin").read_bytes())
    lab.run()


def write_sector(disk, code):
    with open(disk, "r+b") as file:
        file.write(code.ljust(SECTOR_CODE, b"\0"))
