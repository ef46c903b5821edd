#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Stands before the policy server and misbehaves: relay.py MODE ADDRESS SERVER-PORT

silent   takes every datagram and answers none
twice    passes each request on twice, as a network that duplicates packets does
hostile  passes on none of the server's answers, but damaged or forged copies of each
"""

import socket
import sys

PORT = 13331
NONCE = slice(8, 24)  # where it is in a message, nbp/README.md


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


def main(mode, address, server_port):
    server = ("127.0.0.1", int(server_port))
    front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    front.bind((address, PORT))
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    stranger.bind((address, 0))
    print("ready", flush=True)
    while True:
        data, client = front.recvfrom(2048)
        print(f"{len(data)} bytes from {client}", flush=True)
        if mode == "silent":
            continue
        answers = [ask(server, data) for _ in range(2 if mode == "twice" else 1)]
        for answer in filter(None, answers):
            if mode == "twice":
                front.sendto(answer, client)
                continue
            for forged in forgeries(answer):
                front.sendto(forged, client)
            stranger.sendto(answer, client)  # a good one, from a port that was not asked


if __name__ == "__main__":
    main(*sys.argv[1:])
