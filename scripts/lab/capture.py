# SPDX-License-Identifier: BSD-2-Clause
"""What was on the wire, from the capture files that QEMU's filter-dump writes."""

from dataclasses import dataclass

import dpkt

POLICY_PORT = 13331
MESSAGE_MAGIC = b"OPBP"
# The message types, as nbp/proto/message_types.h numbers them.
REQUEST, ANSWER, EVENT, QUERY, DETAILS, REPORT, RECEIPT = range(1, 8)


@dataclass(frozen=True)
class Datagram:
    time: float
    source: str
    source_port: int
    target: str
    target_port: int
    data: bytes


def packets(path):
    """Yields the IPv4 packets in a capture file, each with its time. A packet that is not
    complete yet is left out."""
    with open(path, "rb") as file:
        try:
            for when, frame in dpkt.pcap.Reader(file):
                packet = dpkt.ethernet.Ethernet(frame).data
                if isinstance(packet, dpkt.ip.IP):
                    yield when, packet
        except (dpkt.NeedData, ValueError):
            return


def datagrams(path):
    """Yields the UDP datagrams in a capture file."""
    for when, packet in packets(path):
        udp = packet.data
        if isinstance(udp, dpkt.udp.UDP):
            yield Datagram(when, address(packet.src), udp.sport, address(packet.dst), udp.dport,
                           bytes(udp.data))


def payloads(path):
    """Yields what UDP and TCP carry in a capture file, each piece with its time."""
    for when, packet in packets(path):
        if isinstance(packet.data, (dpkt.udp.UDP, dpkt.tcp.TCP)):
            yield when, bytes(packet.data.data)


def address(packed):
    return ".".join(map(str, packed))


def tftp_requests(path):
    """Returns the names asked for by TFTP, in order, with their times.

    A request sent again at once, since nobody answered, counts as one."""
    names, last = [], None
    for datagram in datagrams(path):
        if datagram.target_port != 69 or datagram.data[:2] != b"\0\1":
            continue
        # From another port it is another request for the same file.
        request = (datagram.source_port, datagram.data)
        if request != last:
            name = datagram.data[2:].split(b"\0")[0].decode("ascii", "replace")
            names.append((datagram.time, name))
        last = request
    return names


def policy(path, *types):
    """Returns the policy protocol's datagrams of these message types; all if none is named."""
    return [datagram for datagram in datagrams(path)
            if POLICY_PORT in (datagram.source_port, datagram.target_port)
            and (not types or message_type(datagram.data) in types)]


def message_type(data):
    """Returns the type in a message's header (nbp/protocol.md); None if it is none of ours."""
    return data[5] if data[:4] == MESSAGE_MAGIC and len(data) > 5 else None
