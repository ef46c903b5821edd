# SPDX-License-Identifier: BSD-2-Clause
"""PE files, as UEFI's programs are: their sections and checksum."""

import struct
from dataclasses import dataclass

SECTION_HEADER = "<8sIIII12xI"
SECTION_SIZE = 40
READ_ONLY_DATA = 0x40000040
# Offsets from the PE signature.
COUNT, OPTIONAL_SIZE, OPTIONAL = 6, 20, 24
SECTION_ALIGNMENT, FILE_ALIGNMENT, IMAGE_SIZE, HEADERS_SIZE, CHECKSUM = \
    (OPTIONAL + offset for offset in (32, 36, 56, 60, 64))


class PeError(Exception):
    """What is wrong with a program."""


@dataclass
class Section:
    name: str
    length: int   # in memory
    address: int  # in memory
    size: int     # in the file
    at: int       # in the file


def _start(program):
    if program[:2] != b"MZ" or len(program) < 0x40:
        raise PeError("it does not begin as a PE file does (MZ)")
    start, = struct.unpack_from("<I", program, 0x3c)
    if program[start:start + 4] != b"PE\0\0" or start + 0x78 > len(program):
        raise PeError("it has no PE header")
    return start


def _headers(program):
    """Returns where the section headers are: from, to."""
    start = _start(program)
    size, = struct.unpack_from("<H", program, start + OPTIONAL_SIZE)
    count, = struct.unpack_from("<H", program, start + COUNT)
    first = start + OPTIONAL + size
    return first, first + count * SECTION_SIZE


def machine(program):
    """Returns the number of the processor that @program is for."""
    return struct.unpack_from("<H", program, _start(program) + 4)[0]


def sections(program):
    """Returns the sections of @program, one at least; PeError if it is no PE file or was cut."""
    first, end = _headers(program)
    if end > len(program) or end == first:
        raise PeError("it ends before its section headers do")
    found = []
    for at in range(first, end, SECTION_SIZE):
        name, length, address, size, place, _ = struct.unpack_from(SECTION_HEADER, program, at)
        found.append(Section(name.rstrip(b"\0").decode("latin-1"), length, address, size, place))
        if place + size > len(program):
            raise PeError(f"it ends before its section {found[-1].name} does")
    return found


def contents(program, name):
    """Returns what section @name holds, or None if there is none."""
    for section in sections(program):
        if section.name == name:
            return program[section.at:section.at + min(section.length, section.size)]
    return None


def size(program):
    """Returns how many bytes the program itself has; what follows is not its own."""
    return max(section.at + section.size for section in sections(program))


def _set_checksum(program):
    start = _start(program)
    struct.pack_into("<I", program, start + CHECKSUM, 0)
    total = sum(struct.unpack(f"<{len(program) // 2}H", program))
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    struct.pack_into("<I", program, start + CHECKSUM, total + len(program))


def _grow_headers(program, step):
    """Makes room for more section headers: what follows them moves on by @step bytes."""
    start = _start(program)
    headers, = struct.unpack_from("<I", program, start + HEADERS_SIZE)
    first, end = _headers(program)
    if headers + step > min(section.address for section in sections(bytes(program))):
        raise PeError("it has no room for another section header")
    for at in range(first, end, SECTION_SIZE):
        place, = struct.unpack_from("<I", program, at + 20)
        if place:
            struct.pack_into("<I", program, at + 20, place + step)
    struct.pack_into("<I", program, start + HEADERS_SIZE, headers + step)
    program[headers:headers] = bytes(step)


def add_sections(program, additions):
    """Returns @program with more sections, name: bytes, that it can read and not write."""
    program = bytearray(program)
    start = _start(program)
    alignment, = struct.unpack_from("<I", program, start + SECTION_ALIGNMENT)
    step, = struct.unpack_from("<I", program, start + FILE_ALIGNMENT)
    for name, data in additions.items():
        _, end = _headers(program)
        headers, = struct.unpack_from("<I", program, start + HEADERS_SIZE)
        if end + SECTION_SIZE > headers:
            _grow_headers(program, step)
        address, = struct.unpack_from("<I", program, start + IMAGE_SIZE)
        count, = struct.unpack_from("<H", program, start + COUNT)
        program += bytes(-len(program) % step)
        struct.pack_into(SECTION_HEADER, program, end, name.encode(), len(data), address,
                         -(-len(data) // step) * step, len(program), READ_ONLY_DATA)
        program += data + bytes(-len(data) % step)
        struct.pack_into("<H", program, start + COUNT, count + 1)
        struct.pack_into("<I", program, start + IMAGE_SIZE,
                         address + -(-len(data) // alignment) * alignment)
    _set_checksum(program)
    return bytes(program)
