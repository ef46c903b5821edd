# SPDX-License-Identifier: BSD-2-Clause
"""A debugger at a machine, by QEMU's stub for GDB's remote protocol."""

import mmap
import re
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import machine


def code_of(symbol, program):
    """Returns the bytes of a function of the NBP, as they are in its ELF file."""
    text = subprocess.run(["nm", "-S", program], check=True, capture_output=True, text=True,
                          timeout=20).stdout
    start, size = (int(number, 16) for number in
                   re.search(rf"^(\w+) (\w+) [Tt] {symbol}$", text, re.M).groups())
    text = subprocess.run(["readelf", "-SW", program], check=True, capture_output=True, text=True,
                          timeout=20).stdout
    for found in re.finditer(r"PROGBITS +(\w+) (\w+) (\w+)", text):
        address, offset, length = (int(number, 16) for number in found.groups())
        if address <= start < address + length:
            return Path(program).read_bytes()[offset + start - address:][:size]
    raise machine.MachineError(f"{program} has no code of {symbol}")


def find(codes, monitor, folder, start, size):
    """Returns the addresses of @codes in the machine's memory. Of each there may be several: the
    file as it came, and what runs.

    @start, @size: where its memory is, bytes"""
    file = folder / "memory.bin"
    try:
        monitor.save_memory(start, size, file)
        with open(file, "rb") as memory, \
                mmap.mmap(memory.fileno(), 0, access=mmap.ACCESS_READ) as bytes_:
            return [start + found.start() for code in codes
                    for found in re.finditer(re.escape(code), bytes_)]
    finally:
        file.unlink(missing_ok=True)


class Debugger:
    """Stops the machine for as long as it is there."""

    def __init__(self, monitor):
        # A path of a socket must be short.
        self._folder = Path(tempfile.mkdtemp())
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(20)
        path = self._folder / "gdb"
        monitor.command(f"gdbserver unix:{path},server=on,wait=off")
        self._socket.connect(str(path))
        self._stream = self._socket.makefile("rwb", buffering=0)

    def __enter__(self):
        self._ask("Qqemu.PhyMemMode:1")
        return self

    def __exit__(self, *_):
        self._ask("D")
        self._stream.close()
        self._socket.close()
        shutil.rmtree(self._folder)

    def _ask(self, text):
        """Sends a packet and waits until it is done."""
        data = text.encode()
        self._stream.write(b"$%s#%02x" % (data, sum(data) & 0xff))
        answer = b""
        # Before it may come a packet that the machine has been stopped.
        while not re.search(rb"\$(OK|E\d\d|)#..", answer):
            more = self._stream.read(4096)
            if not more:
                raise machine.MachineError("QEMU's debugger has gone")
            answer += more
        self._stream.write(b"+")
        if b"$OK#" not in answer:
            raise machine.MachineError(f"QEMU's debugger: {text}: {answer}")

    def write(self, address, data):
        self._ask(f"M{address:x},{len(data):x}:{data.hex()}")
