#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""TFTP clients that read one file at the same time and do as the NBP does (efi/tftp.c):
multicast_client.py COUNT SERVER FILE [multicast]. Prints how many bytes each has read, and how many
clients went back to unicast."""

import select
import socket
import struct
import sys
import threading
import time

BLOCK = 1432
RRQ, DATA, ACK, ERROR, OACK = 1, 3, 4, 5, 6
WAIT = 2      # seconds until a packet is sent again
SILENCE = 5   # seconds without another block than the one before, until it goes on by unicast


class Client:
    def __init__(self, server, name, multicast):
        options = ["blksize", str(BLOCK), *(["multicast", ""] if multicast else [])]
        self._to = (server, 69)
        self._sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM)]
        self._blocks = {}
        self._missing = 1      # the first block that has not come
        self._newest = None    # the number of the block that came last
        self._last = None      # the number of the last block, once that has come
        self._master = True
        self.length = None     # of the file, once it is complete
        self._send(RRQ, "".join(f"{word}\0" for word in (name, "octet", *options)).encode())

    def _send(self, opcode, rest):
        self._sent = struct.pack("!H", opcode) + rest
        self._sockets[0].sendto(self._sent, self._to)

    def _acknowledge(self):
        self._send(ACK, struct.pack("!H", self._missing - 1))

    def _join(self, address, port):
        group = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        group.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        group.bind((address, int(port)))
        group.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                         socket.inet_aton(address) + bytes(4))
        self._sockets.append(group)

    def _accept(self, rest):
        words = rest.decode().split("\0")[:-1]
        options = dict(zip(words[::2], words[1::2]))
        if "multicast" in options:
            address, port, master = options["multicast"].split(",")
            if len(self._sockets) == 1:
                self._join(address, port)
            self._master = master == "1"
        self._sent = None  # a client that only listens says nothing
        if self._master:
            self._acknowledge()

    def _take(self, number, data):
        before = self._missing
        self._newest = number
        self._blocks.setdefault(number, data)
        if len(data) < BLOCK:
            self._last = number
        while self._missing in self._blocks:
            self._missing += 1
        if self._last and self._missing > self._last:
            self.length = sum(map(len, self._blocks.values()))
            if not self._master:
                self._stop()
        if self._master and self._missing != before:
            self._acknowledge()

    def _stop(self):
        self._send(ERROR, b"\0\0\0")

    def run(self):
        progress = sent = time.monotonic()
        while self.length is None and time.monotonic() - progress < SILENCE:
            for each in select.select(self._sockets, [], [], 0.1)[0]:
                packet, self._to = each.recvfrom(2048)
                opcode, number = struct.unpack("!HH", packet[:4])
                if opcode == OACK:
                    self._accept(packet[2:])
                elif opcode == DATA and self.length is None:
                    if number != self._newest:
                        progress = sent = time.monotonic()
                    self._take(number, packet[4:])
                elif opcode == ERROR:
                    return
            if self._sent and time.monotonic() - sent > WAIT:
                sent = time.monotonic()
                self._sockets[0].sendto(self._sent, self._to)
        if self.length is None:
            self._stop()


def run_all(clients):
    threads = [threading.Thread(target=client.run) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main():
    count, server, name, *multicast = sys.argv[1:]
    clients = [Client(server, name, bool(multicast)) for _ in range(int(count))]
    run_all(clients)
    again = [Client(server, name, False) for client in clients if client.length is None]
    run_all(again)
    lengths = [client.length for client in clients + again if client.length is not None]
    print("read", *lengths, "again", len(again), flush=True)


if __name__ == "__main__":
    main()
