# SPDX-License-Identifier: BSD-2-Clause
"""What the packets of a boot say of the time it took, and how many there were."""

import capture

SPANS = ("boot program asked for, to its question",
         "boot program there, to its question",
         "answer, to asking for the loader",
         "answer, to the loader's own first request",
         "boot program asked for, to the loader's own first request")


def _last_of_transfer(datagrams, file):
    """Returns the index of the last datagram of the TFTP transfer of @file."""
    client = last = None
    for i, datagram in enumerate(datagrams):
        if datagram.target_port == 69 and datagram.data[2:].startswith(file.encode() + b"\0"):
            client = datagram.source_port
        if client in (datagram.source_port, datagram.target_port):
            last = i
    return last


def packets_after(path, boot_file):
    """Counts what crosses the wire once @boot_file is there, events left out: they decide
    nothing, and nobody waits for them."""
    datagrams = list(capture.datagrams(path))
    last = _last_of_transfer(datagrams, boot_file)
    return sum(capture.message_type(datagram.data) != capture.EVENT
               for datagram in datagrams[last + 1:] if {67, 68}.isdisjoint(
                   {datagram.source_port, datagram.target_port}))


def _first_after(path, after, matches):
    """Returns the time of the first frame after time @after whose payload @matches."""
    for when, payload in capture.payloads(path):
        if when > after and matches(payload):
            return when
    raise SystemExit(f"bench: {path} has not the packet that was looked for")


def _arrival(path, boot_file):
    """Returns the time of the last packet of a boot program's transfer."""
    datagrams = list(capture.datagrams(path))
    return datagrams[_last_of_transfer(datagrams, boot_file)].time


def _milliseconds(start, end):
    return round(1000 * (end - start), 1)


def _asks_for(file):
    """Returns a function that knows a TFTP request for a file with @file in its name."""
    return lambda payload: payload[:2] == b"\0\1" and file.encode() in payload[2:].split(b"\0")[0]


def _of_type(message_type):
    return lambda payload: capture.message_type(payload) == message_type


def milestones(path, files, question=_of_type(capture.REQUEST), answer=_of_type(capture.ANSWER)):
    """Returns the milliseconds of each of SPANS.

    @files: the names of boot program, loader and what the loader asks for first, the latter two
    in part if you like
    @question, @answer: know those by their payload"""
    boot_file, loader_file, first_file = files
    begun = _first_after(path, 0, _asks_for(boot_file))
    there = _arrival(path, boot_file)
    asked = _first_after(path, there, question)
    answered = _first_after(path, asked, answer)
    loader = _first_after(path, answered, _asks_for(loader_file))
    first = _first_after(path, loader, _asks_for(first_file))
    return [_milliseconds(start, end) for start, end in
            ((begun, asked), (there, asked), (answered, loader), (answered, first), (begun, first))]


def _is_http_request(payload):
    return payload.startswith(b"GET /")


def rival_milestones(path, files):
    """Returns those of iPXE, which asks a web server."""
    return milestones(path, files, _is_http_request, lambda payload: payload.startswith(b"HTTP/1."))


def rival_dhcp(path, boot_file):
    """Returns the milliseconds from the first packet of iPXE, which asks DHCP, to its question."""
    there = _arrival(path, boot_file)
    first = next(datagram.time for datagram in capture.datagrams(path)
                 if datagram.time > there and datagram.source_port == 68)
    return _milliseconds(first, _first_after(path, first, _is_http_request))
