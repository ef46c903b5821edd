# SPDX-License-Identifier: BSD-2-Clause
"""Virtual machines that boot from the network: for the demo, "make vm" and the VM tests."""

import re
import shutil
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

import ovmf_vars
from console import Console, MachineError, SilentError  # noqa: F401, part of this module

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
OVMF = Path("/usr/share/OVMF")
MODULES = Path("/usr/lib/syslinux/modules")

POLICY_PORT = 13331
NET_SLOT, DISK_SLOT = 4, 5
WORK_SECTOR = 24576  # where the work leaves its stamp, as in initramfs/work


@dataclass(frozen=True)
class Firmware:
    """A firmware with its network boot program in ROM, and what goes with it."""

    kind: str            # "bios" or "uefi", as prebootctl and make-disk name them
    nbp: str             # the boot file
    loader: Path
    module: Path         # what the loader needs first; its other modules are in the same folder
    disk_line: str       # what the local disk's boot program prints
    silence_ms: int      # local boot by then, on the NBP's clock, if no server answers
    qemu: tuple          # QEMU's options
    rom: str = ""        # option ROM of the network card; empty: QEMU's own choice
    net_option: tuple = ()  # on UEFI, what follows the card in the path of its boot option


_OVMF = {
    "kind": "uefi",
    "nbp": "nvlnbpx64.efi",
    "loader": Path("/usr/lib/SYSLINUX.EFI/efi64/syslinux.efi"),
    "module": MODULES / "efi64/ldlinux.e64",
    "disk_line": "local disk: BOOTX64.EFI runs",
    "silence_ms": 4000,
    "qemu": ("-machine", "q35",
             "-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={OVMF}/OVMF_CODE_4M.fd"),
}

FIRMWARES = {
    "seabios": Firmware(
        kind="bios",
        nbp="nvlnbp.sys",
        loader=Path("/usr/lib/PXELINUX/pxelinux.0"),
        module=MODULES / "bios/ldlinux.c32",
        disk_line="local disk: the boot sector runs",
        silence_ms=3000,
        qemu=("-machine", "pc")),
    "ovmf": Firmware(rom="none", net_option=(ovmf_vars.IPV4,), **_OVMF),
    # iPXE's own option; OVMF has another that boots over iPXE's driver.
    "ovmf-ipxe": Firmware(rom="/usr/lib/ipxe/qemu/efi-virtio.rom", **_OVMF),
}


@dataclass
class Machine:
    """One virtual machine, its files in a folder of its own."""

    firmware: Firmware
    folder: Path
    mac: str
    uuid: str
    qemu: str = "qemu-system-x86_64"

    @property
    def disk(self):
        return self.folder / "disk.img"

    @property
    def vars(self):
        return self.folder / "vars.fd"

    @property
    def packets(self):
        return self.folder / "packets.pcap"

    def prepare(self):
        """Gives it a fresh disk and, on UEFI, a fresh variable store."""
        self.folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(BUILD / "vm" / f"disk-{self.firmware.kind}.img", self.disk)
        if self.firmware.kind == "uefi":
            card = ovmf_vars.device_path(*ovmf_vars.pci(NET_SLOT), ovmf_vars.mac(self.mac),
                                         *self.firmware.net_option)
            disk = ovmf_vars.device_path(*ovmf_vars.pci(DISK_SLOT))
            empty = (OVMF / "OVMF_VARS_4M.fd").read_bytes()
            self.vars.write_bytes(ovmf_vars.set_boot_order(
                empty, [("network", card), ("disk", disk)]))

    def command(self, netdev, *more):
        """Returns QEMU's command line; @netdev is -netdev's value with id=net."""
        card = f"virtio-net-pci,netdev=net,mac={self.mac},addr={NET_SLOT}"
        disk = f"virtio-blk-pci,drive=disk,addr={DISK_SLOT}"
        if self.firmware.kind == "bios":
            card, disk = card + ",bootindex=1", disk + ",bootindex=2"
        if self.firmware.rom:
            card += ",romfile=" + self.firmware.rom.replace("none", "")
        command = [
            self.qemu, "-no-user-config", "-nodefaults", "-accel", "tcg",
            "-cpu", "max", "-m", "512", "-uuid", self.uuid, *self.firmware.qemu,
            # A screen, though nobody looks: without one SeaBIOS writes it to the serial port.
            "-display", "none", "-vga", "std",
            "-netdev", netdev, "-device", card,
            "-object", f"filter-dump,id=dump,netdev=net,file={self.packets}",
            "-drive", f"if=none,id=disk,format=raw,file={self.disk}",
            "-device", disk,
            # The firmware's own debug output.
            "-chardev", f"file,id=debug,path={self.folder}/firmware.log",
            "-device", "isa-debugcon,iobase=0x402,chardev=debug",
        ]
        if self.firmware.kind == "uefi":
            command += ["-drive", f"if=pflash,unit=1,format=raw,file={self.vars}"]
        return command + list(more)

    def switch_on(self, netdev, start_program, show=None):
        """Starts the machine; returns QEMU's process and the machine's serial console.

        @start_program: start(), or one like it; @show: as Console has it"""
        command = self.command(netdev, "-serial", "stdio")
        (self.folder / "command").write_text(" ".join(map(str, command)) + "\n")
        with open(self.folder / "qemu.log", "wb") as log:
            process = start_program(command, stdout=subprocess.PIPE, stderr=log)
        return process, Console(process.stdout, self.folder / "serial.log", show)

    def stamp(self):
        """Returns the text that the work left on the disk; empty if none."""
        with open(self.disk, "rb") as disk:
            disk.seek(WORK_SECTOR * 512)
            return disk.read(512).rstrip(b"\0").decode("ascii", "replace").strip()


def for_firmware(pattern, firmware, quote=False):
    """Replaces {nbp}, {loader}, {module}, {modules} and {disk} in @pattern by what they are
    for @firmware, @quote-d for a regular expression."""
    values = {"nbp": firmware.nbp, "loader": firmware.loader.name,
              "module": firmware.module.name, "modules": str(firmware.module.parent),
              "disk": firmware.disk_line}
    return re.sub(r"\{(%s)\}" % "|".join(values),
                  lambda found: re.escape(values[found[1]]) if quote else values[found[1]],
                  pattern)


def tftp_files(firmware, z_auto=ROOT / "scripts/tftp/z_auto.cfg"):
    """Returns what a TFTP server needs for @firmware, from the NBP to Linux: name to source."""
    return {
        firmware.nbp: BUILD / firmware.nbp,
        firmware.loader.name: firmware.loader,
        firmware.module.name: firmware.module,
        "z_auto.cfg": z_auto,
        "boot/kernel": BUILD / "linux/kernel",
        "boot/initrd": BUILD / "vm/initrd",
        "boot/root": BUILD / "vm/root",
    }


def check_files(files):
    """Raises MachineError if one of a name-to-source table's sources is missing."""
    missing = [str(source) for source in files.values() if not Path(source).exists()]
    if missing:
        raise MachineError(f"missing: {', '.join(missing)}; run: make all machines")


def check_port():
    """Raises MachineError if the policy server's port cannot be had on this host."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.0.0.1", POLICY_PORT))
        except OSError as error:
            raise MachineError(
                f"UDP port {POLICY_PORT} of 127.0.0.1 cannot be had: {error.strerror}. If another "
                f"prebootd runs, stop it; this shows who has the port: ss -lunp sport = "
                f":{POLICY_PORT}") from error


def lay_out(folder, files):
    """Fills @folder with links, made of a name-to-source table."""
    for name, source in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(source)


def prebootd(database, address, port=POLICY_PORT):
    """Returns the policy server's command line."""
    return [BUILD / "prebootd", "--database", database, "--listen", f"{address}:{port}"]


def prebootctl(database, *arguments):
    """Administers a policy server's database; returns what prebootctl printed."""
    command = [BUILD / "prebootctl", "--database", database, *arguments]
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True,
                            stdin=subprocess.DEVNULL, timeout=20, check=False)
    if result.returncode:
        raise MachineError(f"{' '.join(map(str, command))}: {result.stderr.strip()}")
    return result.stdout


def assign(database, device, firmware, config="z_auto.cfg", loader=None, prefix=None, details=None):
    """Assigns work to a device: the loader of its firmware, or another."""
    options = [f"--loader-{firmware.kind}", loader or firmware.loader.name, "--config", config]
    if prefix:
        options += ["--prefix", prefix]
    pairs = [f"{key}={value}" for key, value in (details or {}).items()]
    prebootctl(database, "work", "assign", device, *options, *pairs)


def bound(command):
    """Returns the command line that runs @command but not for longer than this program lives."""
    return ["setpriv", "--pdeathsig", "KILL", "--", *map(str, command)]


def start(command, **more):
    """Starts a program that is killed should this one die without stopping it."""
    return subprocess.Popen(bound(command), stdin=subprocess.DEVNULL, start_new_session=True,
                            **more)


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
