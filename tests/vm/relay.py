#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Stands before the policy server and misbehaves: relay.py MODE ADDRESS SERVER-PORT

silent   takes every datagram and answers none
twice    passes each request on twice, as a network that duplicates packets does
hostile  passes on none of the server's answers, but damaged or forged copies of each
delayed  does that, and passes each answer on, too: after a second, twice, overtaken by the next
lossy    loses 30 % of the requests and of the answers
"""

import random
import select
import socket
import sys
import time

PORT = 13331
# Where they are in a message, nbp/protocol.md.
TYPE, NONCE = 5, slice(8, 24)
EVENT = 3  # a type
LATE_SECONDS = (1.0, 0.6)  # in turn; the NBP asks again after a fifth of a second
LOSS = 0.3
SEED = 49  # by which the first request is lost, then the answer to the second, then none


def forgeries(answer):
    """Yields what could be done to an answer; none of it may be believed."""
    yield b""
    yield b"OPBP"
    yield bytes(range(256)) * 4
    yield answer[:len(answer) // 2]
    yield answer[:-1]
    yield answer + b"\0"
    yield b"XXXX" + answer[4:]
    yield answer[:4] + bytes([answer[4] + 1]) + answer[5:]
    yield answer[:5] + bytes([answer[5] + 1]) + answer[6:]
    yield answer[:NONCE.start] + bytes(16) + answer[NONCE.stop:]
    # The first field's length leads past the end.
    yield answer[:30] + b"\xff\xff" + answer[32:]
    # A critical field that no client knows; nothing else is wrong with it.
    yield answer + b"\xff\xfe\0\0"


def ask(server, data):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.settimeout(1)
        out.sendto(data, server)
        try:
            return out.recv(2048)
        except TimeoutError:
            return None


class Relay:
    def __init__(self, mode, address, server_port):
        self._mode = mode
        self._server = ("127.0.0.1", int(server_port))
        self._front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._front.bind((address, PORT))
        self._other_port = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._other_port.bind((address, 0))
        self._random = random.Random(SEED)
        self._pending = []  # (when, data, client), to be sent
        self._answers = 0

    def run(self):
        print("ready", flush=True)
        while True:
            self._send_pending()
            wait = min((when for when, _, _ in self._pending), default=time.monotonic() + 60)
            if select.select([self._front], [], [], max(wait - time.monotonic(), 0))[0]:
                data, client = self._front.recvfrom(2048)
                print(f"{len(data)} bytes from {client}", flush=True)
                if data[TYPE:TYPE + 1] == bytes([EVENT]):  # which nobody answers
                    self._front.sendto(data, self._server)
                else:
                    getattr(self, f"_{self._mode}")(data, client)

    def _send_pending(self):
        now = time.monotonic()
        for when, data, client in sorted(self._pending):
            if when <= now:
                self._front.sendto(data, client)
        self._pending = [item for item in self._pending if item[0] > now]

    def _lost(self, what):
        lost = self._random.random() < LOSS
        if lost:
            print(f"lost: {what}", flush=True)
        return lost

    def _silent(self, data, client):
        pass

    def _twice(self, data, client):
        for answer in [ask(self._server, data) for _ in range(2)]:
            if answer:
                self._front.sendto(answer, client)

    def _hostile(self, data, client):
        answer = ask(self._server, data)
        if answer:
            for forged in forgeries(answer):
                self._front.sendto(forged, client)
            self._other_port.sendto(answer, client)  # a good one, from a port that was not asked
        return answer

    def _delayed(self, data, client):
        answer = self._hostile(data, client)
        if answer:
            when = time.monotonic() + LATE_SECONDS[self._answers % len(LATE_SECONDS)]
            self._pending += [(when, answer, client)] * 2
            self._answers += 1

    def _lossy(self, data, client):
        if not self._lost("request"):
            answer = ask(self._server, data)
            if answer and not self._lost("answer"):
                self._front.sendto(answer, client)


if __name__ == "__main__":
    Relay(*sys.argv[1:]).run()
