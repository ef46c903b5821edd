#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A TFTP server that treats requests for multicast (RFC 2090) badly: multicast_tftp.py HOW FOLDER.
All other requests get their file. HOW is a function of "Badly"."""

import socket
import struct
import sys
import threading
import time
from pathlib import Path

GROUP = ("239.255.0.1", 1758)
RRQ, DATA, ACK, ERROR, OACK = 1, 3, 4, 5, 6
SECONDS = 90  # longer than any client waits


class Transfer:
    """One request, answered from a port of its own."""

    def __init__(self, client, options, content):
        self._client = client
        self._content = content
        self._size = int(options.get("blksize", 512))
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(client)
            own = socket.inet_aton(probe.getsockname()[0])
        self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, own)
        self.blocks = len(content) // self._size + 1

    def send(self, opcode, rest, to=None):
        self._socket.sendto(struct.pack("!H", opcode) + rest, to or self._client)

    def accept(self, **options):
        self.send(OACK, "".join(f"{name}\0{value}\0" for name, value in options.items()).encode())

    def join(self, master):
        self.accept(blksize=self._size, multicast="%s,%u,%u" % (*GROUP, master))

    def block(self, number, to=None):
        self.send(DATA, struct.pack("!H", number) +
                  self._content[(number - 1) * self._size:number * self._size], to)

    def packet(self, seconds):
        """Returns opcode and first number of the client's next packet; zeros if none comes."""
        self._socket.settimeout(seconds)
        try:
            return struct.unpack("!HH", self._socket.recv(2048)[:4])
        except TimeoutError:
            return 0, 0

    def times(self, seconds):
        """Yields every so many seconds, or earlier if a packet comes, until the client ends it."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            opcode, number = self.packet(seconds)
            if opcode == ERROR:
                return
            yield opcode, number

    def well(self, tsize):
        """Sends the file as everybody does."""
        self.accept(blksize=self._size, **({"tsize": len(self._content)} if tsize else {}))
        sent = None
        for opcode, number in self.times(1):
            if opcode == ACK:
                sent = number + 1
                if sent > self.blocks:
                    return
            if sent:
                self.block(sent & 0xffff)


class Badly:
    """What a server does that does not do what it should."""

    @staticmethod
    def silent(transfer):
        """It says nothing at all."""

    @staticmethod
    def refuses(transfer):
        transfer.send(ERROR, b"\0\x08no multicast\0")

    @staticmethod
    def nowhere(transfer):
        """It names no group."""
        transfer.accept(multicast=",,1")

    @staticmethod
    def forgets(transfer):
        """It serves others first, for ever."""
        transfer.join(master=0)
        for _ in transfer.times(1):
            pass

    @staticmethod
    def chatters(transfer):
        """It does, and answers each acknowledgement, as atftpd does while it serves others."""
        transfer.join(master=0)
        for opcode, _ in transfer.times(1):
            if opcode:
                transfer.join(master=0)

    @staticmethod
    def repeats(transfer):
        """The group gets but the first block."""
        transfer.join(master=0)
        for _ in transfer.times(0.2):
            transfer.block(1, GROUP)

    @staticmethod
    def trickles(transfer):
        """The group gets a block from time to time."""
        transfer.join(master=0)
        for number in range(1, SECONDS):
            time.sleep(1)
            transfer.block(number, GROUP)

    @staticmethod
    def dies(transfer):
        """It stops in the midst of the file."""
        transfer.join(master=1)
        for opcode, number in transfer.times(1):
            if opcode == ACK and number < transfer.blocks // 2:
                transfer.block(number + 1, GROUP)


def main():
    how, folder = getattr(Badly, sys.argv[1]), Path(sys.argv[2])
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind(("0.0.0.0", 69))
    while True:
        request, client = listener.recvfrom(2048)
        name, _, *pairs = request[2:].decode().split("\0")[:-1]
        options = dict(zip(map(str.lower, pairs[::2]), pairs[1::2]))
        try:
            transfer = Transfer(client, options, (folder / name.lstrip("/")).read_bytes())
        except OSError:
            listener.sendto(struct.pack("!HH", ERROR, 1) + b"not found\0", client)
            continue
        multicast = "multicast" in options
        threading.Thread(target=how if multicast else Transfer.well, daemon=True,
                         args=(transfer,) if multicast else (transfer, "tsize" in options)).start()


if __name__ == "__main__":
    main()
