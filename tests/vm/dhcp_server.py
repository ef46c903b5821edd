#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A DHCP server that is not as it should be: dhcp_server.py MODE INTERFACE ADDRESS

slow       an offer without an address, as a proxyDHCP server's, comes at once, and the real one's
           after 2.5 s, as of a server that looks first whether somebody has the address
mixed      before each good offer come bad ones, of other servers: see bad_offers()
bad        these come alone
refused    each request is answered by a NAK
other      the acknowledgement has an address that no host can have
"""

import select
import socket
import struct
import sys
import time

DISCOVER, OFFER, REQUEST, ACK, NAK = 1, 2, 3, 5, 6
SLOW_SECONDS = 2.5
YIADDR, SIADDR, FILE, OPTIONS = 16, 20, 108, 240


def options_of(data):
    """Returns the options of a packet, as code: value."""
    found, at = {}, OPTIONS
    while at + 1 < len(data) and data[at] != 255:
        if data[at] == 0:
            at += 1
            continue
        found[data[at]] = data[at + 2:at + 2 + data[at + 1]]
        at += 2 + data[at + 1]
    return found


class Server:
    def __init__(self, mode, interface, address):
        self.mode = mode
        self.own = socket.inet_aton(address)
        self.machine = self.own[:3] + b"\x65"
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        self.socket.bind(("0.0.0.0", 67))
        self.later = []  # (when, packet)

    def reply(self, question, kind, address, more=(), server=None, end=b"\xff"):
        """Returns the answer to @question, with an @address for the machine."""
        packet = bytearray(OPTIONS)
        packet[0:3] = 2, 1, 6
        packet[4:8] = question[4:8]
        packet[10:12] = question[10:12]
        packet[YIADDR:YIADDR + 4] = address
        packet[SIADDR:SIADDR + 4] = self.own
        packet[28:44] = question[28:44]
        packet[FILE:FILE + 5] = b"x.efi"
        packet[236:240] = bytes.fromhex("63825363")
        values = {53: bytes([kind]), 54: server or self.own, 51: struct.pack(">I", 3600),
                  1: b"\xff\xff\xff\0", 3: self.own} | dict(more)
        for code, value in values.items():
            packet += bytes([code, len(value)]) + value
        return bytes(packet + end)

    def bad_offers(self, question):
        """Returns what other hosts send: of other exchanges, for other machines, cut, too long, of
        BOOTP, with addresses that no host can have."""
        def offer(address, **more):
            return self.reply(question, OFFER, address, server=b"\x0a\x4d\x00\x42", **more)
        good = offer(self.machine)
        padding = [(254 - number, bytes(255)) for number in range(6)]
        yield from (offer(bytes(address)) for address in
                    ((0, 0, 0, 0), (255, 255, 255, 255), (127, 0, 0, 1), (224, 0, 0, 1), (0, 0, 0, 9)))
        yield good[:4] + bytes(byte ^ 0x55 for byte in good[4:8]) + good[8:]
        yield good[:28] + b"\x02\x99\x99\x99\x99\x99" + good[34:]
        yield b"\x01" + good[1:]
        yield from (good[:size] for size in (0, 1, 100, 236, 240, 245))
        yield offer(self.machine, end=b"\x03\xff\x0a")
        yield offer(bytes(4), more=[(52, b"\x03"), (51, bytes(4)), (60, b"HTTPClient")])
        yield offer(self.machine, more=padding + [(224, self.own)])

    def answer(self, question):
        kind = options_of(question).get(53, b"\0")[0]
        now = time.monotonic()
        if kind == DISCOVER:
            if self.mode == "slow":
                self.send(self.reply(question, OFFER, bytes(4), [(60, b"PXEClient")]))
            if self.mode in ("mixed", "bad"):
                for packet in self.bad_offers(question):
                    self.send(packet)
            if self.mode != "bad":
                wait = {"slow": SLOW_SECONDS, "mixed": 0.1}.get(self.mode, 0)
                self.later.append((now + wait, self.reply(question, OFFER, self.machine)))
        elif kind == REQUEST and options_of(question).get(54) == self.own:
            address = b"\xff\xff\xff\xff" if self.mode == "other" else self.machine
            answer = NAK if self.mode == "refused" else ACK
            self.send(self.reply(question, answer, address))

    def send(self, packet):
        self.socket.sendto(packet, ("255.255.255.255", 68))

    def run(self):
        while True:
            wait = min([when for when, _ in self.later], default=0) - time.monotonic()
            if select.select([self.socket], [], [], max(wait, 0) if self.later else None)[0]:
                question = self.socket.recv(2048)
                if len(question) > OPTIONS and question[0] == 1:
                    print("asked:", options_of(question).get(53), flush=True)
                    self.answer(question)
            due = [each for each in self.later if each[0] <= time.monotonic()]
            self.later = [each for each in self.later if each not in due]
            for _, packet in due:
                self.send(packet)


if __name__ == "__main__":
    Server(*sys.argv[1:]).run()
