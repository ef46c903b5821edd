# SPDX-License-Identifier: BSD-2-Clause
"""The images of a PCI expansion ROM (PCI Firmware Specification 3.0, 5.1; UEFI 2.10, 14.4.2), as
bytes."""

import struct
from dataclasses import dataclass

BIOS, EFI = 0, 3  # the code types of the images that we make
BLOCK = 512
LAST = 0x80       # in an image's indicator: no other follows
EFI_SIGNATURE = 0x0ef1
EFI_HEADER = 0x38  # bytes of an EFI image's header and its PCI data structure
MACHINES = {0x8664: "x64", 0x14c: "IA32", 0xaa64: "ARM64"}

PCIR_ID, PCIR_LENGTH, PCIR_TYPE, PCIR_INDICATOR = 4, 0x10, 0x14, 0x15


class RomError(Exception):
    """What is wrong with a ROM."""


class NoRomError(RomError):
    """Why something is no ROM at all, from its first byte on."""


@dataclass
class Image:
    """One image, at offset @at of its ROM."""

    at: int
    data: bytes
    pcir: int         # the offset of its PCI data structure

    @property
    def ids(self):
        """The card that it is for: (vendor, device)."""
        return struct.unpack_from("<HH", self.data, self.pcir + PCIR_ID)

    @property
    def type(self):
        return self.data[self.pcir + PCIR_TYPE]

    @property
    def is_last(self):
        return bool(self.data[self.pcir + PCIR_INDICATOR] & LAST)

    @property
    def pe(self):
        """The program in an EFI image, with what follows it; None: it is packed."""
        signature, _, _, packed = struct.unpack_from("<IHHH", self.data, 4)
        start, = struct.unpack_from("<H", self.data, 0x16)
        if signature != EFI_SIGNATURE:
            raise RomError(f"the image at {self.at} is no EFI image: it has no EFI signature")
        return None if packed else self.data[start:]


def read_images(rom):
    """Returns the images of @rom; RomError says what is wrong with it."""
    images, at = [], 0
    while True:
        kind = RomError if images else NoRomError
        if rom[at:at + 2] != b"\x55\xaa":
            raise kind(f"no image of an expansion ROM (55 AA) at offset {at}")
        pointer, = struct.unpack_from("<H", rom.ljust(at + 0x1a, b"\0"), at + 0x18)
        pcir = at + pointer
        if rom[pcir:pcir + 4] != b"PCIR" or pcir + 0x18 > len(rom):
            raise kind(f"the image at {at} has no PCI data structure")
        length = struct.unpack_from("<H", rom, pcir + PCIR_LENGTH)[0] * BLOCK
        if length == 0 or at + length > len(rom) or pointer + 0x18 > length:
            raise RomError(f"the image at {at} says that it has {length} bytes, but the file has "
                           f"only {len(rom) - at} from there")
        images.append(Image(at, rom[at:at + length], pointer))
        if images[-1].is_last:
            return images
        at += length


def efi_image(program, card):
    """Returns @program, a PE file, as an image for the card (vendor, device)."""
    pe, = struct.unpack_from("<I", program, 0x3c)
    machine, = struct.unpack_from("<H", program, pe + 4)
    subsystem, = struct.unpack_from("<H", program, pe + 24 + 68)
    blocks = -(-(EFI_HEADER + len(program)) // BLOCK)
    # The program ends where the image does: zeros behind it would count for its signature.
    start = blocks * BLOCK - len(program)
    if blocks > 0xffff:
        raise RomError(f"a program of {len(program)} bytes is too large for an image")
    header = struct.pack("<HHIHHH8xHHxx", 0xaa55, blocks, EFI_SIGNATURE, subsystem, machine, 0,
                         start, 0x1c)
    # Class 2, network controller; the revision of the structure is PCI Firmware 3.0's.
    pcir = struct.pack("<4sHHHHB3sHHBBHHH", b"PCIR", *card, 0, 0x1c, 3, b"\0\0\2", blocks, 1, EFI,
                       0, blocks, 0, 0)
    return (header + pcir).ljust(start, b"\0") + program


def set_byte_sum(image, place, start=0, end=None):
    """Has the bytes of @image from @start to @end sum up to 0, by the one at @place."""
    image[place] = 0
    image[place] = -sum(image[start:end]) & 0xff


def join(images, card):
    """Returns one ROM of @images for the card (vendor, device), whose byte sums it mends."""
    rom = b""
    for number, image in enumerate(images):
        image = bytearray(image)
        pcir, = struct.unpack_from("<H", image, 0x18)
        struct.pack_into("<HH", image, pcir + PCIR_ID, *card)
        image[pcir + PCIR_INDICATOR] &= ~LAST & 0xff
        if number == len(images) - 1:
            image[pcir + PCIR_INDICATOR] |= LAST
        if image[pcir + PCIR_TYPE] == BIOS:
            set_byte_sum(image, 6)
        rom += bytes(image)
    return rom
