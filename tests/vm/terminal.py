# SPDX-License-Identifier: BSD-2-Clause
"""A terminal of 25 rows and 80 columns as ECMA-48 has it: what a serial console's bytes show."""

import re

ROWS, COLUMNS = 25, 80
# Colours are numbered as enum colour of nbp/platform.h; ANSI's red and blue change places.
VGA = (0, 4, 2, 6, 1, 5, 3, 7)
PLAIN = 0x07  # background << 4 | text

_TOKEN = re.compile(r"\x1b\[([?=]?)([0-9;]*)([A-Za-z])|\x1b[()].|\x1b[^\[]|[^\x1b]", re.S)


class Terminal:
    def __init__(self):
        self._rest = ""
        self._bold = False
        self.attribute = PLAIN
        self.row = self.column = 0
        self._clear()

    def _clear(self):
        self.cells = [[(" ", self.attribute)] * COLUMNS for _ in range(ROWS)]

    def rows(self):
        """Returns the text of each row, without blanks at its end."""
        return ["".join(character for character, _ in row).rstrip() for row in self.cells]

    def feed(self, data):
        text = self._rest + data.decode("ascii", "replace")
        # An escape sequence that has not all come yet.
        cut = re.search(r"\x1b(\[[?=]?[0-9;]*)?$", text)
        self._rest = cut[0] if cut else ""
        for token in _TOKEN.finditer(text[:cut.start()] if cut else text):
            if token[3]:
                self._sequence(token[1], [int(n or 0) for n in token[2].split(";")], token[3])
            elif token[0][0] != "\x1b":
                self._character(token[0])

    def _character(self, character):
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self._line_feed()
        elif character == "\b":
            self.column = max(self.column - 1, 0)
        elif character >= " ":
            if self.column == COLUMNS:  # only now does it wrap
                self.column = 0
                self._line_feed()
            self.cells[self.row][self.column] = (character, self.attribute)
            self.column += 1

    def _line_feed(self):
        if self.row < ROWS - 1:
            self.row += 1
        else:
            self.cells = self.cells[1:] + [[(" ", self.attribute)] * COLUMNS]

    def _sequence(self, private, numbers, final):
        if private:
            return  # the cursor, the mode: nothing to be seen
        first = numbers[0]
        if final in "Hf":
            self.row = min(max(first, 1), ROWS) - 1
            self.column = min(max(numbers[1] if len(numbers) > 1 else 1, 1), COLUMNS) - 1
        elif final == "J" and first == 2:
            self._clear()
        elif final == "K":
            blank = (" ", self.attribute)
            self.cells[self.row][self.column:] = [blank] * (COLUMNS - self.column)
        elif final == "m":
            for number in numbers:
                self._colour(number)
        elif final in "ABCD":
            step = max(first, 1)
            self.row = min(max(self.row + {"A": -step, "B": step}.get(final, 0), 0), ROWS - 1)
            self.column = min(max(self.column + {"D": -step, "C": step}.get(final, 0), 0),
                              COLUMNS - 1)

    def _colour(self, number):
        text, background = self.attribute & 7, self.attribute >> 4
        if number == 0:
            text, background, self._bold = 7, 0, False
        elif number in (1, 22):
            self._bold = number == 1
        elif 30 <= number <= 37:
            text = VGA[number - 30]
        elif 40 <= number <= 47:
            background = VGA[number - 40]
        self.attribute = background << 4 | self._bold << 3 | text
