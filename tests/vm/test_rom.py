# SPDX-License-Identifier: BSD-2-Clause
"""A card's ROM on BIOSes and in flashes that are not as they should be."""

import subprocess
from pathlib import Path

import pytest

import machine
from lab import Lab

pytestmark = pytest.mark.long

HIDE = Path(__file__).parent / "rom/hide.asm"
FIRST = "OpenPreboot: iPXE starts from the card.s ROM"
# SeaBIOS writes what is on the screen to the serial port.
ON_SERIAL = ["-machine", "graphics=off"]


def boot(name, folder, options, boots, change=None, **more):
    """Boots a machine with a ROM in its card's flash.

    @options: of QEMU
    @change: changes the ROM, a bytearray"""
    lab = Lab(name, machine.FIRMWARES["seabios"],
              {"machine": {"rom": {"card": "virtio"}, "options": options}, "boots": boots, **more},
              folder)
    if change:
        rom = bytearray(lab.machine.rom_file.read_bytes())
        change(rom)
        lab.machine.rom_file.write_bytes(rom)
    lab.prepare()
    lab.run()
    assert lab.files_asked_for() == []


def test_rom_hidden(lab_folder):
    """A BIOS that takes the ROM BAR's address away after POST: the NBP starts nevertheless."""
    folder = lab_folder("rom-hidden")
    file = folder / "hide.rom"
    subprocess.run(["nasm", "-f", "bin", "-Wall", "-Werror", f"-DSLOT={machine.NET_SLOT}",
                    "-o", file, HIDE], check=True)
    option_rom = bytearray(file.read_bytes())
    option_rom[6] = -sum(option_rom) & 0xff
    file.write_bytes(option_rom)
    boot("rom-hidden", folder, ["-option-rom", str(file)],
         [["^OpenPreboot [0-9.]+, nvlnbp.sys", r"no job", r"\] local boot", "{disk}"]],
         first="^hide: the ROM BAR has no address")


def test_rom_damaged(lab_folder):
    """One bit of iPXE is wrong: nothing of it is started, and the disk boots."""
    def change(rom):
        rom[len(rom) // 2] ^= 1
    boot("rom-damaged", lab_folder("rom-damaged"), ON_SERIAL,
         [["OpenPreboot: the card.s flash is damaged", "{disk}"]], change, first=FIRST)


def test_rom_cut(lab_folder):
    """The flash is smaller than what was to be in it."""
    def change(rom):
        del rom[0x20000:]
        # QEMU would round the size up and show zeros; a real part shows itself again.
        rom += rom[:]
    boot("rom-cut", lab_folder("rom-cut"), ON_SERIAL,
         [["OpenPreboot: the card.s flash is damaged", "{disk}"]], change, first=FIRST)


def test_rom_little_memory(lab_folder):
    boot("rom-memory", lab_folder("rom-memory"), [*ON_SERIAL, "-m", "64"],
         [["OpenPreboot: less than 96 MiB of memory", "{disk}"]], first=FIRST)
