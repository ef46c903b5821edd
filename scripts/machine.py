# SPDX-License-Identifier: BSD-2-Clause
"""Virtual machines that boot from the network: for the demo, "make vm" and the VM tests."""

import os
import re
import shutil
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
OVMF = Path("/usr/share/OVMF")
MODULES = Path("/usr/lib/syslinux/modules")

POLICY_PORT = 13331
WORK_SECTOR = 24576  # where the work leaves its stamp, as in initramfs/work


@dataclass(frozen=True)
class Firmware:
    """A firmware with its network boot program in ROM, and what goes with it."""

    kind: str            # "bios" or "uefi", as prebootctl and make-disk name them
    nbp: str             # the boot file
    loader: Path
    modules: tuple       # what the loader itself asks for by TFTP, besides its configuration
    disk_line: str       # what the local disk's boot program prints
    silence_ms: int      # local boot by then, on the NBP's clock, if no server answers
    qemu: tuple          # QEMU's options
    rom: str = ""        # option ROM of the network card; empty: QEMU's own choice
    vars: str = ""       # variable store to copy, for UEFI


_OVMF = {
    "kind": "uefi",
    "nbp": "nvlnbpx64.efi",
    "loader": Path("/usr/lib/SYSLINUX.EFI/efi64/syslinux.efi"),
    "modules": (MODULES / "efi64/ldlinux.e64",),
    "disk_line": "local disk: BOOTX64.EFI runs",
    "silence_ms": 4000,
    "vars": "OVMF_VARS_4M.fd",
    # Without IPv6 off OVMF tries it, for half a minute, after our NBP came back.
    "qemu": ("-machine", "q35",
             "-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={OVMF}/OVMF_CODE_4M.fd",
             "-fw_cfg", "name=opt/org.tianocore/IPv6PXESupport,string=n"),
}

FIRMWARES = {
    "seabios": Firmware(
        kind="bios",
        nbp="nvlnbp.sys",
        loader=Path("/usr/lib/PXELINUX/pxelinux.0"),
        modules=(MODULES / "bios/ldlinux.c32",),
        disk_line="local disk: the boot sector runs",
        silence_ms=3000,
        qemu=("-machine", "pc")),
    "ovmf": Firmware(rom="none", **_OVMF),
    "ovmf-ipxe": Firmware(rom="/usr/lib/ipxe/qemu/efi-virtio.rom", **_OVMF),
}


@dataclass
class Machine:
    """One virtual machine, its files in a folder of its own."""

    firmware: Firmware
    folder: Path
    mac: str
    uuid: str

    def prepare(self):
        """Gives it a fresh disk and, on UEFI, a fresh variable store."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.disk = self.folder / "disk.img"
        shutil.copy(BUILD / "vm" / f"disk-{self.firmware.kind}.img", self.disk)
        if self.firmware.vars:
            self.vars = self.folder / "vars.fd"
            shutil.copy(OVMF / self.firmware.vars, self.vars)

    def command(self, netdev, *more):
        """Returns QEMU's command line; @netdev is -netdev's value with id=net."""
        card = f"virtio-net-pci,netdev=net,mac={self.mac},bootindex=1"
        if self.firmware.rom:
            card += ",romfile=" + self.firmware.rom.replace("none", "")
        command = [
            "qemu-system-x86_64", "-no-user-config", "-nodefaults", "-accel", "tcg",
            "-cpu", "max", "-m", "512", "-uuid", self.uuid, *self.firmware.qemu,
            # A screen, though nobody looks: without one SeaBIOS writes it to the serial port.
            "-display", "none", "-vga", "std",
            "-netdev", netdev, "-device", card,
            "-object", f"filter-dump,id=dump,netdev=net,file={self.folder}/packets.pcap",
            "-drive", f"if=none,id=disk,format=raw,file={self.disk}",
            "-device", "virtio-blk-pci,drive=disk,bootindex=2",
            # The firmware's own debug output.
            "-chardev", f"file,id=debug,path={self.folder}/firmware.log",
            "-device", "isa-debugcon,iobase=0x402,chardev=debug",
        ]
        if self.firmware.vars:
            command += ["-drive", f"if=pflash,unit=1,format=raw,file={self.vars}"]
        return command + list(more)

    def stamp(self):
        """Returns the text that the work left on the disk; empty if none."""
        with open(self.disk, "rb") as disk:
            disk.seek(WORK_SECTOR * 512)
            return disk.read(512).rstrip(b"\0").decode("ascii", "replace").strip()


def fill_tftp(folder, firmware, config=ROOT / "scripts/tftp/z_auto.cfg", leave_out=()):
    """Lays out a TFTP server's folder: NBP, loader with its modules, configuration and Linux."""
    files = {
        firmware.nbp: BUILD / firmware.nbp,
        firmware.loader.name: firmware.loader,
        "z_auto.cfg": Path(config),
        "boot/kernel": BUILD / "linux/kernel",
        "boot/initrd": BUILD / "vm/initrd",
        "boot/root": BUILD / "vm/root",
    }
    for module in firmware.modules:
        files[module.name] = module
    for name, source in files.items():
        if name in leave_out:
            continue
        target = Path(folder) / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        target.symlink_to(source)


def start(command, **more):
    """Starts a program that is killed should this one die without stopping it."""
    return subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", *map(str, command)],
                            stdin=subprocess.DEVNULL, start_new_session=True, **more)


def stop(process, seconds=5):
    """Ends a program: politely, then by force. Returns its exit status."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return process.returncode


@dataclass
class Line:
    number: int
    time: float   # seconds since the machine was switched on
    text: str
    match: re.Match = None


class SilentError(Exception):
    """An awaited line did not come."""


class Console:
    """The serial console of a machine: every line with its time, and a wait for one."""

    # Cursor positioning separates texts just as a line's end does.
    _breaks = re.compile(rb"\x1b\[\d+;\d+[Hf]|[\r\n]+")
    _escapes = re.compile(rb"\x1b\[[0-9;=?]*[A-Za-z]|\x1b[()][0-9A-Z]|[\x00-\x08\x0b-\x1f]")

    def __init__(self, stream, log, show=None):
        """@stream: the bytes; @log: file for them; @show: called with each Line."""
        self.lines = []
        self.ended = False
        self._start = time.monotonic()
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._read, args=(stream, log, show), daemon=True)
        self._thread.start()

    def _read(self, stream, log, show):
        rest = b""
        with open(log, "wb") as file:
            while data := os.read(stream.fileno(), 4096):
                file.write(data)
                file.flush()
                *whole, rest = self._breaks.split(rest + data)
                for raw in whole:
                    text = self._escapes.sub(b"", raw).decode("ascii", "replace").rstrip()
                    if text:
                        self._add(text, show)
        with self._news:
            self.ended = True
            self._news.notify_all()

    def _add(self, text, show):
        with self._news:
            line = Line(len(self.lines), time.monotonic() - self._start, text)
            self.lines.append(line)
            self._news.notify_all()
        if show:
            show(line)

    def wait(self, pattern, seconds, after=-1):
        """Waits for a line after number @after that @pattern is found in, and returns it."""
        deadline = time.monotonic() + seconds
        expression = re.compile(pattern)
        with self._news:
            while True:
                for line in self.lines[after + 1:]:
                    if match := expression.search(line.text):
                        return Line(line.number, line.time, line.text, match)
                    after = line.number
                left = deadline - time.monotonic()
                if self.ended or left <= 0:
                    why = "the machine is off" if self.ended else f"not in {seconds} s"
                    last = "\n    ".join(line.text for line in self.lines[-15:])
                    raise SilentError(f"no line like '{pattern}' on the console: {why}; "
                                      f"its last lines:\n    {last}")
                self._news.wait(left)

    def find(self, pattern, after=-1, before=None):
        """Returns the lines between two numbers that @pattern is found in."""
        with self._news:
            lines = self.lines[after + 1:before]
        return [line for line in lines if re.search(pattern, line.text)]
