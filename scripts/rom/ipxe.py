# SPDX-License-Identifier: BSD-2-Clause
"""What Debian's packages ipxe and ipxe-qemu have: iPXE itself, and its UEFI drivers of some cards.

Which cards iPXE drives is in its EFI programs, where each driver has a list of them."""

import re
import struct
from dataclasses import dataclass
from pathlib import Path

import pe
import pci_rom

FOLDER = Path("/usr/lib/ipxe")
# QEMU's names of its cards.
ALIASES = {"virtio": (0x1af4, 0x1000), "virtio-modern": (0x1af4, 0x1041),
           "e1000": (0x8086, 0x100e), "e1000e": (0x8086, 0x10d3), "eepro100": (0x8086, 0x1229),
           "ne2k": (0x10ec, 0x8029), "pcnet": (0x1022, 0x2000), "rtl8139": (0x10ec, 0x8139),
           "vmxnet3": (0x15ad, 0x07b0)}
# Each firmware of a virtual machine that has such cards drives them itself.
VIRTIO = 0x1af4

SETUP_SECTORS, BOOT_MARK, SIGNATURE, PROTOCOL, KERNEL_VERSION = 0x1f1, 0x1fe, 0x202, 0x206, 0x20e
# iPXE's struct pci_driver: ids and their count, class and mask, two functions.
DRIVER = struct.Struct("<QIIIIQQ")
# Its struct pci_device_id: name, vendor, device, data.
DEVICE_ID = struct.Struct("<QHHIQ")
IDS_MAX = 2000


class IpxeError(Exception):
    """What is missing or not as expected, and what to do about it."""


@dataclass
class Card:
    vendor: int
    device: int
    name: str     # as iPXE calls it


def _read(folder, name, package):
    try:
        return (folder / name).read_bytes()
    except FileNotFoundError as error:
        raise IpxeError(f"{folder / name}: not found; it is in Debian's package {package}: "
                        f"apt install {package}") from error
    except OSError as error:
        raise IpxeError(f"{folder / name}: {error.strerror}") from error


class _Loaded:
    """An EFI program's bytes by their address in memory."""

    def __init__(self, program):
        self.program = program
        self.sections = pe.sections(program)

    def offset(self, address):
        """Returns where in the file the byte at @address is, or None."""
        for section in self.sections:
            if section.address <= address < section.address + section.size:
                return section.at + address - section.address
        return None

    def is_code(self, address):
        first = self.sections[0]
        return first.address <= address < first.address + first.length

    def text(self, address):
        """Returns the text at @address; empty: there is none."""
        at = self.offset(address)
        return "" if at is None else \
            self.program[at:self.program.find(b"\0", at)].decode("latin-1")


def _read_ids(loaded, address, count):
    """Returns the cards in a driver's list, or none if it is no such list."""
    cards, at = [], loaded.offset(address)
    if at is None or at + count * DEVICE_ID.size > len(loaded.program):
        return []
    for number in range(count):
        name, vendor, device, padding, _ = \
            DEVICE_ID.unpack_from(loaded.program, at + number * DEVICE_ID.size)
        name = loaded.text(name)
        if padding or not re.fullmatch(r"[ -~]{1,60}", name):
            return []
        cards.append(Card(vendor, device, name))
    return cards


def driven_by(program):
    """Returns the cards that an EFI program of iPXE's drives."""
    loaded, found = _Loaded(program), []
    for section in loaded.sections:
        for at in range(section.at, section.at + section.size - DRIVER.size, 8):
            ids, count, _, _, padding, probe, remove = DRIVER.unpack_from(program, at)
            if 0 < count < IDS_MAX and not padding and loaded.is_code(probe) and \
                    loaded.is_code(remove):
                found += _read_ids(loaded, ids, count)
    return found


class Ipxe:
    """The files of the packages in @folder."""

    def __init__(self, folder=FOLDER):
        self.folder = folder
        self._cards = None

    def kernel(self):
        """Returns iPXE for a BIOS as a Linux kernel, and the length of its setup."""
        name = "ipxe.lkrn"
        data = _read(self.folder, name, "ipxe")
        if len(data) < 0x10000 or data[SIGNATURE:SIGNATURE + 4] != b"HdrS" or \
                data[BOOT_MARK:BOOT_MARK + 2] != b"\x55\xaa" or \
                struct.unpack_from("<H", data, PROTOCOL)[0] < 0x203:
            raise IpxeError(f"{self.folder / name}: it is not iPXE as a Linux kernel; install "
                            "Debian's package ipxe anew")
        return data, (data[SETUP_SECTORS] + 1) * 512

    def cards(self):
        """Returns the cards that iPXE drives, each once."""
        if self._cards is None:
            try:
                driven = driven_by(_read(self.folder, "ipxe.efi", "ipxe"))
            except pe.PeError as error:
                raise IpxeError(f"{self.folder / 'ipxe.efi'}: {error}; install Debian's package "
                                "ipxe anew") from error
            self._cards = {(card.vendor, card.device): card for card in reversed(driven)}
        return sorted(self._cards.values(), key=lambda card: (card.vendor, card.device))

    def drivers(self):
        """Returns for each UEFI driver the name of its ROM file, its image, and the cards that it
        drives."""
        files = sorted((self.folder / "qemu").glob("efi-*.rom"))
        if not files:
            raise IpxeError(f"{self.folder / 'qemu'}: no UEFI drivers there; they are in Debian's "
                            "package ipxe-qemu: apt install ipxe-qemu, or give --no-card-driver")
        found = []
        for file in files:
            try:
                images = [image for image in pci_rom.read_images(file.read_bytes())
                          if image.type == pci_rom.EFI]
                found += [(file.name, image, driven_by(image.pe)) for image in images if image.pe]
            except (OSError, pci_rom.RomError, pe.PeError) as error:
                raise IpxeError(f"{file}: {error}; install Debian's package ipxe-qemu "
                                "anew") from error
        return found

    def driver(self, card):
        """Returns name and image of the UEFI driver of the card (vendor, device), or None. One
        that is made for this card comes before one that drives it, too."""
        fits = [(image.ids != card, name, image) for name, image, driven in self.drivers()
                if card in {(each.vendor, each.device) for each in driven}]
        return min(fits, key=lambda fit: fit[:2])[1:] if fits else None


def kernel_version(setup):
    """Returns the version that a Linux kernel's setup says; empty: none."""
    if len(setup) < KERNEL_VERSION + 2:
        return ""
    at = struct.unpack_from("<H", setup, KERNEL_VERSION)[0] + 0x200
    return setup[at:setup.find(b"\0", at)].decode("latin-1") if at < len(setup) else ""
