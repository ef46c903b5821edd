#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A switch's port to a machine that has one VLAN alone, with tags: switch.py NUMBER TAP PORT

Frames to the machine get the VLAN's tag, and the machine's lose it; what comes with another tag or
with none is dropped. The kernel need not know VLANs for that. TAP leads to the network, and QEMU's
-netdev socket, which has each frame in a datagram, sends from PORT to PORT + 1."""

import fcntl
import os
import select
import socket
import struct
import sys

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 2, 0x1000
TAG = b"\x81\x00"
ADDRESSES = 12  # bytes before the tag
FRAME_MAX = 2048


def open_tap(name):
    tap = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    return tap


def with_tag(frame, number):
    return frame[:ADDRESSES] + TAG + struct.pack(">H", number) + frame[ADDRESSES:]


def without_tag(frame, number):
    """Returns the frame without the VLAN's tag; None if it has another one, or none."""
    tag = frame[ADDRESSES:ADDRESSES + 4]
    if len(tag) < 4 or tag[:2] != TAG or struct.unpack(">H", tag[2:])[0] & 0xfff != number:
        return None
    return frame[:ADDRESSES] + frame[ADDRESSES + 4:]


def main():
    number, port = int(sys.argv[1]), int(sys.argv[3])
    tap = open_tap(sys.argv[2])
    machine = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    machine.bind(("127.0.0.1", port + 1))
    while True:
        for ready in select.select([tap, machine], [], [])[0]:
            if ready is machine:
                frame = without_tag(machine.recv(FRAME_MAX), number)
                if frame:
                    os.write(tap, frame)
            else:
                machine.sendto(with_tag(os.read(tap, FRAME_MAX), number), ("127.0.0.1", port))


if __name__ == "__main__":
    main()
