# SPDX-License-Identifier: BSD-2-Clause
"""A machine's serial console as a list of lines, and the wait for one of them."""

import os
import re
import threading
import time
from dataclasses import dataclass


class MachineError(Exception):
    """Something is not as it must be for a machine to run; the text says what to do."""


class SilentError(MachineError):
    """An awaited line of a console did not come."""


@dataclass
class Line:
    number: int
    time: float   # seconds since the machine was switched on
    text: str
    match: re.Match = None


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
