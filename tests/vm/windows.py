# SPDX-License-Identifier: BSD-2-Clause
"""A stand-in for Windows PE as Microsoft has it, and a TFTP root that openpreboot-winpe makes of it.

The programs of the network are those of winpe/, which ask for the same files in the same spelling; all
else is of no meaning, but of the right size."""

import random
import subprocess
from pathlib import Path

import machine

SOURCES = Path(__file__).parent / "winpe"
TOOL = machine.ROOT / "scripts/openpreboot-winpe"
EXAMPLES = machine.ROOT / "scripts/packaging/examples"
MIB = 1 << 20

_EFI = ["x86_64-w64-mingw32-gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-ffreestanding",
        "-fno-stack-protector", "-mno-red-zone", "-mno-sse", "-isystem", "/usr/include/efi",
        "-isystem", "/usr/include/efi/x86_64", "-nostdlib", "-Wl,--subsystem,10",
        "-Wl,-e,efi_main"]
# What bootmgr.exe asks for, as it spells it; the name of the WIM is as the BCD has it.
ASKED = [r"\Boot\BCD", r"\Boot\Fonts\wgl4_boot.ttf", r"\Boot\boot.sdi", r"\Boot\WinPE.wim"]


def _assemble(output, segment, names):
    fetch = ", 0, ".join(f"'{name}'" for name in names)
    subprocess.run(["nasm", "-f", "bin", "-Wall", "-Werror", f"-DSEGMENT={segment}",
                    f"-DFETCH={fetch}", "-o", output, SOURCES / "pxeboot.asm"], check=True)


def _bcd(loader):
    """Returns what of a BCD anybody reads who is not Windows: the names, in UTF-16, within a hive."""
    names = [r"\Boot\boot.sdi", r"\Boot\WinPE.wim", rf"\windows\system32\boot\{loader}"]
    text = b"".join(f"{name}\0".encode("utf-16-le") + bytes(20) for name in names)
    return (b"regf" + bytes(4092) + text).ljust(16384, b"\0")


def make_image(folder):
    """Makes the files of an image of Windows PE's installation in @folder, as a DVD has them."""
    pattern = random.Random(7)
    windows = folder / "image/Windows"
    for name in ("Boot/PXE", "Boot/EFI", "Boot/Fonts", "System32"):
        (windows / name).mkdir(parents=True)
    _assemble(windows / "Boot/PXE/pxeboot.n12", 0x07c0, ["bootmgr.exe"])
    _assemble(windows / "Boot/PXE/bootmgr.exe", 0x2000, ASKED)
    subprocess.run([*_EFI, "-o", windows / "Boot/EFI/bootmgfw.efi", SOURCES / "bootmgfw.c"],
                   check=True)
    (windows / "Boot/Fonts/wgl4_boot.ttf").write_bytes(pattern.randbytes(47_452))
    (windows / "System32/startnet.cmd").write_text("wpeinit\r\n")
    (windows / "System32/kernel").write_bytes(pattern.randbytes(MIB))
    dvd = folder / "dvd"
    for name in ("boot", "efi/microsoft/boot", "sources"):
        (dvd / name).mkdir(parents=True)
    (dvd / "boot/bcd").write_bytes(_bcd("winload.exe"))
    (dvd / "efi/microsoft/boot/bcd").write_bytes(_bcd("winload.efi"))
    (dvd / "boot/boot.sdi").write_bytes(pattern.randbytes(3_170_304))
    subprocess.run(["wimcapture", folder / "image", dvd / "sources/boot.wim", "Windows PE"],
                   check=True, capture_output=True, timeout=60)
    return dvd


def lay_out(source, root, *options):
    """Runs openpreboot-winpe; returns the files of @root as name: path."""
    subprocess.run([TOOL, "--agent", machine.BUILD / "prebootwork.exe", "--startnet",
                    EXAMPLES / "startnet.cmd", "--config", EXAMPLES / "winpe.cfg", *options,
                    source, root], check=True, capture_output=True, timeout=120)
    return {str(path.relative_to(root)): path for path in sorted(root.rglob("*"))
            if path.is_file()}
