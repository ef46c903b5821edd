# SPDX-License-Identifier: BSD-2-Clause
"""scripts/bench: what it takes out of a capture, whose packets have times that are known here, and
the ways in, each of which must be a scenario that can be booted."""

import sys

import dpkt
import pytest

from policy import BUILD

sys.path[:0] = [str(BUILD.parent / "scripts/lab"), str(BUILD.parent / "tests/vm")]
import bench_ways  # noqa: E402, from there
import bench_wire  # noqa: E402
import machine  # noqa: E402

MACHINE, SERVER = "0a4d0064", "0a4d0001"
QUESTION, ANSWER = (b"OPBP\1" + bytes([kind]) + bytes(8) for kind in (1, 2))
FILES = ("nbp.efi", "loader.efi", "grub/")


def request(name):
    return b"\0\1" + name + b"\0octet\0"


def frame(data, source, target, tcp=False):
    """Returns a frame of the machine's, or to it if its port is @target. @source: port"""
    ends = (SERVER, MACHINE) if source in (69, 70, 80, 13331) else (MACHINE, SERVER)
    layer = (dpkt.tcp.TCP(sport=source, dport=target, data=data) if tcp else
             dpkt.udp.UDP(sport=source, dport=target, ulen=8 + len(data), data=data))
    ip = dpkt.ip.IP(src=bytes.fromhex(ends[0]), dst=bytes.fromhex(ends[1]), data=layer,
                    p=dpkt.ip.IP_PROTO_TCP if tcp else dpkt.ip.IP_PROTO_UDP)
    ip.len = len(ip)
    return bytes(dpkt.ethernet.Ethernet(data=ip))


def write(path, frames):
    """@frames: milliseconds, then what frame() takes"""
    with open(path, "wb") as file:
        writer = dpkt.pcap.Writer(file)
        for when, *what in frames:
            writer.writepkt(frame(*what), 1000 + when / 1000)
    return path


BOOT_FILE = [(1, bytes(240), 68, 67),              # the firmware's DHCP
             (10, request(b"nbp.efi"), 1024, 69),  # for its size
             (12, request(b"nbp.efi"), 1025, 69),
             (20, b"\0\3\0\1", 70, 1025),
             (30, b"\0\4\0\1", 1025, 70)]
LOADER = [(500, request(b"/loader.efi"), 1030, 69),
          (700, request(b"/grub/x.lst"), 1031, 69)]


def test_times_are_the_packets(tmp_path):
    path = write(tmp_path / "pcap", [*BOOT_FILE, (130, QUESTION, 1026, 13331),
                                     (230, ANSWER, 13331, 1026), *LOADER])
    assert bench_wire.milestones(path, FILES) == pytest.approx([120, 100, 270, 470, 690], abs=0.2)


def test_times_of_the_rival_are_the_packets(tmp_path):
    path = write(tmp_path / "pcap", [
        *BOOT_FILE, (90, bytes(240), 68, 67), (130, b"GET /?mac=1 HTTP/1.1\r\n", 1026, 80, True),
        (230, b"HTTP/1.0 200 OK\r\n", 80, 1026, True), *LOADER])
    spans = bench_wire.rival_milestones(path, FILES)
    assert spans == pytest.approx([120, 100, 270, 470, 690], abs=0.2)
    assert bench_wire.rival_dhcp(path, "nbp.efi") == pytest.approx(40, abs=0.2)


def test_missing_packet_is_an_error(tmp_path):
    path = write(tmp_path / "pcap", [*BOOT_FILE, (130, QUESTION, 1026, 13331)])
    with pytest.raises(SystemExit, match="has not the packet"):
        bench_wire.milestones(path, FILES)


def test_ways_are_scenarios():
    """Those that are taken from a test by name exist; all processors have a way."""
    processors = set()
    for _, firmware, facts in bench_ways.boots():
        processors.add(machine.ALL_FIRMWARES[firmware].processor)
        assert not facts or "machine" in facts
    assert processors == {each.processor for each in machine.ALL_FIRMWARES.values()}
