# SPDX-License-Identifier: BSD-2-Clause
"""Compares a machine's screen with what a terminal shows at the same time."""

ROWS, COLUMNS = 25, 80
GLYPH_WIDTH, GLYPH_HEIGHT = 8, 19  # EDK2's


def same_cell(cell, character, attribute):
    """@cell: of the BIOS's text screen, character and attribute; a blank's colour does not show."""
    seen = 0x70 if character == " " else 0x7f
    return chr(cell[0] or 0x20) == character and cell[1] & seen == attribute & seen


class _Picture:
    """A PPM file as QEMU writes it."""

    def __init__(self, file):
        _, size, _, self._pixels = file.read_bytes().split(b"\n", 3)
        self.width, self.height = map(int, size.split())

    def pixel(self, x, y):
        at = 3 * (y * self.width + x)
        return self._pixels[at:at + 3]


def compare(file, cells):
    """Returns in words how a UEFI screen differs from a terminal's cells: in the colour behind a
    character, or in that there is one at all."""
    picture = _Picture(file)
    # EDK2 centres its rows and columns.
    left = (picture.width - COLUMNS * GLYPH_WIDTH) // 2
    top = (picture.height - ROWS * GLYPH_HEIGHT) // 2
    differences = []
    for row in range(ROWS):
        for column in range(COLUMNS):
            character, attribute = cells[row][column]
            x, y = left + column * GLYPH_WIDTH, top + row * GLYPH_HEIGHT
            red, green, blue = picture.pixel(x, y)
            background = (red > 64) << 2 | (green > 64) << 1 | (blue > 64)
            blank = len({picture.pixel(x + i, y + j) for j in range(GLYPH_HEIGHT)
                         for i in range(GLYPH_WIDTH)}) == 1
            if background != attribute >> 4 & 7 or blank != (character == " "):
                differences.append(f"row {row}, column {column}: {'no ' if blank else ''}character "
                                   f"on {background}, not {character!r} on {attribute >> 4 & 7}")
    return differences
