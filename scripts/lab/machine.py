# SPDX-License-Identifier: BSD-2-Clause
"""Virtual machines that boot from the network: for the demo, "make vm" and the VM tests."""

import os
import re
import shutil
import socket
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import ovmf_vars
from console import Console, MachineError, SilentError  # noqa: F401, part of this module

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build"
OVMF = Path("/usr/share/OVMF")
AAVMF = Path("/usr/share/AAVMF")
EXAMPLES = ROOT / "scripts/packaging/examples"
MODULES = Path("/usr/lib/syslinux/modules")

POLICY_PORT = 13331
NET_SLOT, DISK_SLOT, MEDIUM_SLOT = 4, 5, 9
STAMP_SECTOR = 24576  # where the job leaves its stamp, as in initramfs/job
BLANK_DISK = 16 << 20  # bytes
ESP = "0b007000-0000-4000-8000-000000000002"  # the local disk's partition, as in make-disk
NO_PARTITION = "0b007000-0000-4000-8000-0000000000ff"


@dataclass(frozen=True)
class Firmware:
    """A firmware with its network boot program in ROM, and what goes with it."""

    kind: str            # "bios" or "uefi", as prebootctl names them
    processor: str       # "bios", or of UEFI "x64", "ia32", "aa64", as make-disk names them
    nbp: str             # the boot file
    loader: Path
    module: Path         # what the loader needs first; its other modules are in the same folder
    disk_line: str       # what the local disk's boot program prints
    silence_ms: int      # local boot by then, on the NBP's clock, if no server answers
    qemu: tuple          # QEMU's options
    store: Path = None   # on UEFI: its variable store
    emulator: str = "qemu-system-x86_64"
    # A screen, without which SeaBIOS would write its text to the serial port, and the port of the
    # firmware's own debug output, which ends in {log}.
    pc: tuple = ("-cpu", "max", "-m", "512", "-vga", "std", "-chardev", "file,id=debug,path={log}",
                 "-device", "isa-debugcon,iobase=0x402,chardev=debug")
    rom: bool = True     # iPXE is in the network card's ROM
    net_option: tuple = ()  # on UEFI, what follows the card in the path of its boot option
    memory: tuple = (0, 512 << 20)  # where it begins, and its size in bytes
    invalid: bytes = b"\x0f\x0b"    # an instruction that no processor will ever run: UD2
    fault: int = 6                  # the number of the fault that comes of that
    # GRUB is the loader: it reads module_name, and of configurations those in grub/.
    grub: bool = False
    linux: tuple = (BUILD / "linux/kernel", BUILD / "vm/initrd", BUILD / "vm/root")
    tpm: str = "tpm-tis"  # what QEMU calls the TPM of such machines

    @property
    def loader_name(self):
        """What it is called on the TFTP server, where the one for x64 may be, too."""
        return "syslinux32.efi" if "efi32" in self.loader.parts else self.loader.name

    @property
    def module_name(self):
        return "grub/grub.cfg" if self.grub else self.module.name


_OVMF = {
    "kind": "uefi",
    "processor": "x64",
    "nbp": "nvlnbpx64.efi",
    "loader": Path("/usr/lib/SYSLINUX.EFI/efi64/syslinux.efi"),
    "module": MODULES / "efi64/ldlinux.e64",
    "disk_line": "local disk: BOOTX64.EFI runs",
    "silence_ms": 4000,
    "store": OVMF / "OVMF_VARS_4M.fd",
    "qemu": ("-machine", "q35",
             "-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={OVMF}/OVMF_CODE_4M.fd"),
}

FIRMWARES = {
    "seabios": Firmware(
        kind="bios",
        processor="bios",
        nbp="nvlnbp.sys",
        loader=Path("/usr/lib/PXELINUX/pxelinux.0"),
        module=MODULES / "bios/ldlinux.c32",
        disk_line="local disk: the boot sector runs",
        silence_ms=3000,
        qemu=("-machine", "pc")),
    "ovmf": Firmware(rom=False, net_option=(ovmf_vars.IPV4,), **_OVMF),
    # iPXE's own option; OVMF has another that boots over iPXE's driver.
    "ovmf-ipxe": Firmware(**_OVMF),
}

# Firmware for other processors. Fewer tests run on these.
OTHER_FIRMWARES = {
    "ovmf32": Firmware(
        kind="uefi",
        processor="ia32",
        nbp="nvlnbpia32.efi",
        loader=Path("/usr/lib/SYSLINUX.EFI/efi32/syslinux.efi"),
        module=MODULES / "efi32/ldlinux.e32",
        disk_line="local disk: BOOTIA32.EFI runs",
        silence_ms=4000,
        # Debian has only one with Secure Boot, whose variables want system management mode.
        qemu=("-machine", "q35,smm=on", "-global", "driver=cfi.pflash01,property=secure,value=on",
              "-drive",
              f"if=pflash,unit=0,format=raw,readonly=on,file={OVMF}/OVMF32_CODE_4M.secboot.fd"),
        store=OVMF / "OVMF32_VARS_4M.fd",
        rom=False,
        net_option=(ovmf_vars.IPV4,)),
    "aavmf": Firmware(
        kind="uefi",
        processor="aa64",
        nbp="nvlnbpaa64.efi",
        loader=BUILD / "arm64/usr/lib/grub/arm64-efi/monolithic/grubnetaa64.efi",
        module=EXAMPLES / "grub.cfg",
        grub=True,
        linux=(BUILD / "arm64/kernel", BUILD / "vm/initrd-aa64", BUILD / "vm/root-aa64"),
        disk_line="local disk: BOOTAA64.EFI runs",
        silence_ms=4000,
        qemu=("-machine", "virt", "-drive",
              f"if=pflash,unit=0,format=raw,readonly=on,file={AAVMF}/AAVMF_CODE.fd"),
        store=AAVMF / "AAVMF_VARS.snakeoil.fd",
        emulator="qemu-system-aarch64",
        pc=("-cpu", "cortex-a57", "-m", "1024", "-device", "ramfb",
            "-device", "qemu-xhci,addr=0x1e", "-device", "usb-kbd"),
        memory=(1 << 30, 1 << 30),
        invalid=bytes(4),  # UDF
        fault=0,
        tpm="tpm-tis-device",
        rom=False,
        net_option=(ovmf_vars.IPV4,)),
}
# With Syslinux it would not start a Linux of 64 bit.
OTHER_FIRMWARES["ovmf32-grub"] = replace(
    OTHER_FIRMWARES["ovmf32"], grub=True,
    loader=Path("/usr/lib/grub/i386-efi/monolithic/grubnetia32.efi"),
    module=OTHER_FIRMWARES["aavmf"].module)
ALL_FIRMWARES = FIRMWARES | OTHER_FIRMWARES


@dataclass(frozen=True)
class Disk:
    """One of a machine's disks."""

    image: str = "local"  # what is on it: "local": it boots; "nbp": the UEFI NBP; "blank": nothing
    bus: str = "virtio"
    sector: int = 512     # bytes

    # What QEMU calls it, for each bus, and the disk's nodes behind the PCI slot's in a device path.
    _BUSES = {
        "virtio": ("virtio-blk-pci,drive={0},addr={1}", ()),
        "sata": ("ich9-ahci,id=bus-{0},addr={1} ide-hd,drive={0},bus=bus-{0}.0",
                 ((3, 18, b"\0\0\xff\xff\0\0"),)),
        "scsi": ("virtio-scsi-pci,id=bus-{0},addr={1} scsi-hd,drive={0},bus=bus-{0}.0",
                 ((3, 2, bytes(4)),)),
        "nvme": ("nvme,drive={0},serial={0},addr={1}", ((3, 23, b"\1" + bytes(11)),)),
    }

    def devices(self, name, slot):
        """Returns the values of QEMU's -device; the last is the disk itself."""
        values = self._BUSES[self.bus][0].format(name, slot).split()
        values[-1] += f",logical_block_size={self.sector},physical_block_size={self.sector}"
        return values

    def path(self, slot):
        """Returns the nodes of its device path."""
        return (*ovmf_vars.pci(slot), *self._BUSES[self.bus][1])


# Where a boot medium can be: QEMU's options, and the node of its device path behind the PCI slot's.
_MEDIUM = "if=none,id=medium,format=raw,readonly=on,file={}"
MEDIUM_DRIVES = {
    "floppy": (("-drive", "if=floppy,format=raw,readonly=on,file={}",
                "-global", "isa-fdc.bootindexA=0"), None),
    "stick": (("-drive", _MEDIUM, "-device", f"qemu-xhci,id=usb,addr={MEDIUM_SLOT}",
               "-device", "usb-storage,bus=usb.0,drive=medium,bootindex=0"), (3, 5, bytes(2))),
    "cd": (("-drive", _MEDIUM, "-device", f"ich9-ahci,id=cd,addr={MEDIUM_SLOT}",
            "-device", "ide-cd,bus=cd.0,drive=medium,bootindex=0"),
           (3, 18, b"\0\0\xff\xff\0\0")),
}


@dataclass
class Machine:
    """One virtual machine, its files in a folder of its own."""

    firmware: Firmware
    folder: Path
    mac: str
    uuid: str
    qemu: str = None     # another program than the firmware's
    nic: str = "virtio-net-pci"
    rom_file: Path = None  # what is in the card's flash, in place of the firmware's own ROM
    disks: tuple = (Disk(),)
    options: tuple = ()  # more of QEMU's
    boot_order: tuple = ("network", "disk")  # on UEFI; as boot_option() names them
    connects_all: bool = True  # no: OVMF connects only the network card's drivers
    secure_boot_key: Path = None  # on UEFI: the certificate whose signatures it wants
    medium: Path = None   # what it boots from in place of its card's ROM: an image
    medium_drive: str = "stick"  # in what: one of MEDIUM_DRIVES

    @property
    def disk(self):
        return self.image(0)

    def image(self, number):
        """Returns the image of a disk, counted from 0."""
        return self.folder / f"disk{number or ''}.img"

    @property
    def vars(self):
        return self.folder / "vars.fd"

    @property
    def packets(self):
        return self.folder / "packets.pcap"

    def prepare(self):
        """Gives it fresh disks and, on UEFI, a fresh variable store."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for number, disk in enumerate(self.disks):
            if disk.image in ("local", "nbp"):
                shutil.copy(BUILD / "vm" / f"disk-{self.firmware.processor}.img", self.image(number))
                if disk.image == "nbp":
                    self._put_nbp(self.image(number))
            else:
                with open(self.image(number), "wb") as file:
                    file.truncate(BLANK_DISK)
        if self.firmware.kind == "uefi":
            variables = ovmf_vars.boot_order(
                [(name, self.boot_option(name)) for name in self.boot_order])
            if self.secure_boot_key:
                variables += ovmf_vars.secure_boot(self.secure_boot_key)
            store = ovmf_vars.empty(self.firmware.store.read_bytes())
            store = ovmf_vars.fill(store, variables)
            # ARM64's has 64 MiB, of which only the beginning is more than zeros.
            self.vars.write_bytes(store.rstrip(b"\0"))
            os.truncate(self.vars, len(store))

    def _put_nbp(self, image):
        """Replaces the program that boots from a local disk by the NBP, as from a stick."""
        program = f"::/EFI/BOOT/BOOT{self.firmware.processor.upper()}.EFI"
        # 2048 sectors are before the partition.
        subprocess.run(["mcopy", "-o", "-i", f"{image}@@1M", BUILD / self.firmware.nbp, program],
                       check=True, stdin=subprocess.DEVNULL, timeout=20)

    def boot_option(self, name):
        """Returns a boot option's device path: "network"; "http"; "ipv6" (PXE over that);
        "rom" (the NBP in the card's flash); "disk",
        "disk1", ... (all of that disk); "partition" (the program on the local disk's); "missing"
        (a program on a partition that does not exist); "medium"."""
        if name == "network":
            return ovmf_vars.device_path(*ovmf_vars.pci(NET_SLOT), ovmf_vars.mac(self.mac),
                                         *self.firmware.net_option)
        if name == "rom":
            return ovmf_vars.device_path(*ovmf_vars.pci(NET_SLOT), ovmf_vars.file("OpenPreboot"))
        if name in ("http", "ipv6"):
            nodes = (ovmf_vars.IPV4, ovmf_vars.URI) if name == "http" else (ovmf_vars.IPV6,)
            return ovmf_vars.device_path(*ovmf_vars.pci(NET_SLOT), ovmf_vars.mac(self.mac), *nodes)
        if name == "medium":
            return ovmf_vars.device_path(*ovmf_vars.pci(MEDIUM_SLOT),
                                         MEDIUM_DRIVES[self.medium_drive][1])
        if name in ("partition", "missing"):
            return ovmf_vars.device_path(
                ovmf_vars.gpt(1, 2048, 16384, ESP if name == "partition" else NO_PARTITION),
                ovmf_vars.file(f"\\EFI\\BOOT\\BOOT{self.firmware.processor.upper()}.EFI"))
        number = int(name.removeprefix("disk") or 0)
        return ovmf_vars.device_path(*self.disks[number].path(DISK_SLOT + number))

    def command(self, netdev, *more):
        """Returns QEMU's command line; @netdev is -netdev's value with id=net."""
        uefi = self.firmware.kind == "uefi"
        card = f"{self.nic},netdev=net,mac={self.mac},addr={NET_SLOT}"
        if self.rom_file or self.medium or not self.firmware.rom:
            card += f",romfile={self.rom_file or ''}"
        command = [
            self.qemu or self.firmware.emulator, "-no-user-config", "-nodefaults",
            "-accel", "tcg", "-uuid", self.uuid, *self.firmware.qemu, "-display", "none",
            *(word.format(log=self.folder / "firmware.log") for word in self.firmware.pc),
            "-netdev", netdev, "-device", card + ("" if self.medium or uefi and self.connects_all else ",bootindex=1"),
            "-object", f"filter-dump,id=dump,netdev=net,file={self.packets}",
        ]
        for number, disk in enumerate(self.disks):
            name = f"disk{number}"
            command += ["-drive", f"if=none,id={name},format=raw,file={self.image(number)}"]
            *controller, drive = disk.devices(name, DISK_SLOT + number)
            drive += "" if uefi else f",bootindex={3 + number}"  # 2: a second card
            for device in (*controller, drive):
                command += ["-device", device]
        if self.medium:
            command += [word.format(self.medium) for word in MEDIUM_DRIVES[self.medium_drive][0]]
        if uefi:
            command += ["-drive", f"if=pflash,unit=1,format=raw,file={self.vars}"]
        return [*command, *self.options, *more]

    def switch_on(self, netdev, start_program, show=None, more=(), **options):
        """Starts the machine; returns QEMU's process and the machine's serial console.

        @start_program: start(), or one like it, called with @options
        @show: as Console has it
        @more: options of QEMU's"""
        command = self.command(netdev, "-serial", "stdio", *more)
        (self.folder / "command").write_text(" ".join(map(str, command)) + "\n")
        with open(self.folder / "qemu.log", "wb") as log:
            process = start_program(command, stdout=subprocess.PIPE, stderr=log, **options)
        return process, Console(process.stdout, self.folder / "serial.log", show)

    def stamp(self):
        """Returns the text that the job wrote to the disk; empty if none."""
        if not self.disks:
            return ""
        with open(self.disk, "rb") as disk:
            disk.seek(STAMP_SECTOR * 512)
            return disk.read(512).rstrip(b"\0").decode("ascii", "replace").strip()


def for_firmware(pattern, firmware, quote=False):
    """Replaces {nbp}, {loader}, {module}, {modules}, {disk} and {fault} in @pattern by what they
    are for @firmware, @quote-d for a regular expression."""
    values = {"nbp": firmware.nbp, "loader": firmware.loader_name,
              "module": firmware.module_name, "modules": str(firmware.module.parent),
              "disk": firmware.disk_line, "fault": f"fault {firmware.fault}"}
    return re.sub(r"\{(%s)\}" % "|".join(values),
                  lambda found: re.escape(values[found[1]]) if quote else values[found[1]],
                  pattern)


def tftp_files(firmware, z_auto=EXAMPLES / "z_auto.cfg"):
    """Returns what a TFTP server needs for @firmware, from the NBP to Linux: name to source."""
    menu = ("pxemenu.txt", "z_maint.cfg", "z_zpdis.cfg", "z_zpen.cfg")
    files = {
        **{name: EXAMPLES / name for name in menu},
        firmware.nbp: BUILD / firmware.nbp,
        firmware.loader_name: firmware.loader,
        firmware.module_name: firmware.module,
        "z_auto.cfg": z_auto,
        **dict(zip(("boot/kernel", "boot/initrd", "boot/root"), firmware.linux)),
    }
    if firmware.grub:
        files["grub/z_auto.cfg"] = z_auto.with_name(f"grub-{z_auto.name}")
    return files


def check_files(files):
    """Raises MachineError if one of a name-to-source table's sources is missing."""
    missing = [str(source) for source in files.values() if not Path(source).exists()]
    if missing:
        raise MachineError(f"missing: {', '.join(missing)}; run: make all machines")


def check_port():
    """Raises MachineError if the policy server's port on this host is taken."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.0.0.1", POLICY_PORT))
        except OSError as error:
            raise MachineError(
                f"cannot use UDP port {POLICY_PORT} of 127.0.0.1, where the NBP asks: "
                f"{error.strerror}. Another prebootd or virtual machine has it: stop that ("
                f"ss -lunp sport = :{POLICY_PORT} shows which), or use a network of your own, as "
                "in: unshare -r -n sh -c 'ip link set lo up && make vm'") from error


def lay_out(folder, files, links=False):
    """Fills @folder with copies, made of a name-to-source table; or with links, which cost no
    space, for those who change none of them."""
    for name, source in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if links:
            target.symlink_to(source)
        else:
            shutil.copy(source, target)


def prebootd(database, address, port=POLICY_PORT, root=False):
    """Returns the policy server's command line. @root: it will be root, of a namespace maybe."""
    # Root would become the user of an installed prebootd, which need not be there.
    user = ["--user", "root"] if root or os.geteuid() == 0 else []
    return [BUILD / "prebootd", "--database", database, "--listen", f"{address}:{port}", *user]


def prebootctl(database, *arguments):
    """Administers a policy server's database; returns what prebootctl printed."""
    command = [BUILD / "prebootctl", "--database", database, *arguments]
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True,
                            stdin=subprocess.DEVNULL, timeout=20, check=False)
    if result.returncode:
        raise MachineError(f"{' '.join(map(str, command))}: {result.stderr.strip()}")
    return result.stdout


def assign(database, device, firmware, config="z_auto.cfg", loader=None, prefix=None, details=None):
    """Assigns a job to a device, with the loader of its firmware or another one."""
    option = {"ia32": "uefi-ia32", "aa64": "uefi-arm64"}.get(firmware.processor, firmware.kind)
    options = [f"--loader-{option}", loader or firmware.loader_name, "--config", config]
    if prefix:
        options += ["--prefix", prefix]
    pairs = [f"{key}={value}" for key, value in (details or {}).items()]
    prebootctl(database, "job", "assign", device, *options, *pairs)


def bound(command):
    """Returns the command line that runs @command but not for longer than this program lives."""
    return ["setpriv", "--pdeathsig", "KILL", "--", *map(str, command)]


def start(command, **more):
    """Starts a program that is killed should this one die without stopping it."""
    return subprocess.Popen(bound(command), start_new_session=True,
                            **{"stdin": subprocess.DEVNULL, **more})


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
