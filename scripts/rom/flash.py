# SPDX-License-Identifier: BSD-2-Clause
"""What a card's flash holds with OpenPreboot in it: puts it together and takes it apart.

    images of the expansion ROM: for a BIOS (bios/rom/stub.asm), the card's UEFI driver (iPXE's),
        ours (efi/rom/driver.c, with the NBP in it)
    what the image for a BIOS reads: iPXE, nvlnbp.sys, a script
    TRAILER, with the CRC-32 of all before it
    FF, up to the size of the flash
"""

import struct
import zlib
from dataclasses import dataclass, field

import pci_rom
import pe

PARTS_MARK = b"OPBROM1\0"  # as in bios/rom/stub.asm, with what follows it:
PARTS = struct.Struct("<8s10I")
PNP_POINTER, PNP_CHECKSUM, PNP_SIZE = 0x1a, 9, 0x20
TRAILER = struct.Struct("<8sII")  # mark, bytes before it, their CRC-32
TRAILER_MARK = b"OPBROMCK"
NBP_SECTION, SITE_SECTION = ".nbp", ".site"


def word_sum(data):
    return sum(struct.unpack(f"<{len(data) // 4}I", data)) & 0xffffffff


def build_data(start, kernel, setup, nbp, script):
    """Returns what the image for a BIOS reads, which is to lie from offset @start of the flash,
    and what says so in that image.

    @kernel: iPXE, of which the first @setup bytes are the setup"""
    contents = [kernel[:setup], kernel[setup:], nbp, script + b"\0"]
    data, places = b"", []
    for content in contents:
        content += bytes(-len(content) % 4)
        places += [start + len(data), len(content)]
        data += content
    table = PARTS.pack(PARTS_MARK, -word_sum(data) & 0xffffffff, *places[:6], len(nbp), *places[6:])
    return data, table


def fill_stub(stub, table):
    """Returns the image for a BIOS, @stub, with @table in it."""
    image = bytearray(stub)
    at = image.find(PARTS_MARK)
    if at < 0 or at + PARTS.size > len(image):
        raise pci_rom.RomError("it is no image for a BIOS")
    image[at:at + PARTS.size] = table
    pnp, = struct.unpack_from("<H", image, PNP_POINTER)
    pci_rom.set_byte_sum(image, pnp + PNP_CHECKSUM, pnp, pnp + PNP_SIZE)
    return bytes(image)


def build(card, stub, efi_images, bios_parts):
    """Returns the contents of the flash for the card (vendor, device).

    @stub: the image for a BIOS, or None
    @efi_images: the others
    @bios_parts: kernel, setup, nbp and script, as build_data() has them"""
    images = list(efi_images)
    data = b""
    if stub is not None:
        start = len(stub) + sum(map(len, images))
        data, table = build_data(start, *bios_parts)
        images.insert(0, fill_stub(stub, table))
    whole = pci_rom.join(images, card) + data
    whole += bytes(-(len(whole) + TRAILER.size) % pci_rom.BLOCK)
    return whole + TRAILER.pack(TRAILER_MARK, len(whole), zlib.crc32(whole))


@dataclass
class Contents:
    """What a flash's contents were found to be."""

    images: list
    size: int = 0              # bytes up to the padding; 0: it has no trailer of ours
    kernel: bytes = None       # iPXE, for a BIOS
    nbp: bytes = None          # nvlnbp.sys
    script: str = ""
    ours: list = field(default_factory=list)      # images with an NBP: image, machine, NBP
    site: bytes = None         # the settings for UEFI
    drivers: list = field(default_factory=list)   # other UEFI drivers: image, machine
    errors: list = field(default_factory=list)

    @property
    def efi_nbps(self):
        """The NBPs for UEFI, by their machine."""
        return {machine: nbp for _, machine, nbp in self.ours}

    @property
    def is_ours(self):
        return self.nbp is not None or bool(self.ours)


def _check_trailer(flash, contents):
    at = flash.rfind(TRAILER_MARK)
    if at < 0 or at + TRAILER.size > len(flash):
        if contents.is_ours:
            contents.errors.append("its end is missing: the file was cut")
        return
    _, before, crc = TRAILER.unpack_from(flash, at)
    contents.size = at + TRAILER.size
    if before != at or crc != zlib.crc32(flash[:at]):
        contents.errors.append("damaged: the CRC-32 over all of it is wrong")


def _read_bios(flash, image, contents):
    if sum(image.data) & 0xff:
        contents.errors.append(f"the sum of the bytes of the image at {image.at} is not 0, so that "
                               "no BIOS takes it")
    at = image.data.find(PARTS_MARK)
    if at < 0 or at + PARTS.size > len(image.data):
        return
    _, check, *words = PARTS.unpack_from(image.data, at)
    length = words.pop(6)
    places = [flash[words[i]:words[i] + words[i + 1]] for i in range(0, 8, 2)]
    if [len(place) for place in places] != words[1::2] or length > len(places[2]):
        contents.errors.append("the file ends before what the image for BIOS reads: it was cut")
    elif (sum(map(word_sum, places)) + check) & 0xffffffff:
        contents.errors.append("iPXE, nvlnbp.sys or the script for it is damaged: on BIOS the card "
                               "would say so and not boot")
    contents.kernel, contents.nbp = places[0] + places[1], places[2][:length]
    contents.script = places[3].rstrip(b"\0").decode("latin-1")


def _read_efi(image, contents):
    machine, = struct.unpack_from("<H", image.data, 0x0a)
    machine = pci_rom.MACHINES.get(machine, f"machine {machine:04x}")
    try:
        program = image.pe
        nbp = pe.contents(program, NBP_SECTION) if program else None
    except (pci_rom.RomError, pe.PeError) as error:
        contents.errors.append(f"the UEFI image at {image.at}: {error}")
        return
    if nbp is None:
        contents.drivers.append((image, machine))
        return
    contents.ours.append((image, machine, nbp))
    contents.site = pe.contents(program, SITE_SECTION)


def read(flash):
    """Returns what @flash holds; RomError if it is no expansion ROM."""
    contents = Contents(pci_rom.read_images(flash))
    for image in contents.images:
        if image.type == pci_rom.BIOS:
            _read_bios(flash, image, contents)
        elif image.type == pci_rom.EFI:
            _read_efi(image, contents)
    if len({image.ids for image in contents.images}) > 1:
        contents.errors.append("its images are for different cards")
    _check_trailer(flash, contents)
    return contents
