# SPDX-License-Identifier: BSD-2-Clause
"""Multicast TFTP (RFC 2090): servers that fail at it, and how much many machines at once save."""

import re

import pytest

import capture
import hosts
import machine
from multicast_tftp import Badly

ALL_WAYS = [how for how in vars(Badly) if not how.startswith("_")]
SERVER = "192.0.2.1"
BLOCK = 1432  # bytes, as the NBP asks for

hosts.PROGRAMS |= {how: (lambda _, how=how: [machine.ROOT / "tests/vm/multicast_tftp.py", how,
                                             "/srv/tftp"], None) for how in ALL_WAYS}


def scenario(server, **more):
    """Returns a scenario with one of the TFTP servers."""
    return {"hosts": {SERVER: {"typed": ["Multicast TFTP 2"], "dhcpd": ["ISC dhcpd"],
                               server: ["Multicast TFTP"], "prebootd": None}}} | more


def boot(name, server, folder, setting="yes", before=()):
    """Boots a machine; returns how many of its loader's blocks came to the group, and how many there are.
    @before: what it says before the loader has come"""
    site = hosts.Site(name, machine.FIRMWARES["ovmf"], scenario(
        server, z_auto="local.cfg", job={}, settings={"tftp-multicast": setting},
        boots=[["OpenPreboot [0-9.]+, {nbp}", r"answer from .*: job \d+", *before,
                r"loaded {loader}, \d+ bytes", "handing over to {loader}", "{disk}"]]), folder)
    site.prepare()
    site.run()
    assert site.job() == {"state": "offered", "attempt": 1}
    size = (site.folder / "tftp" / site.firmware.loader_name).stat().st_size
    blocks = [packet.data[2:4] for packet in capture.datagrams(site.machine.packets)
              if packet.target.startswith("239.255.") and packet.data[:2] == b"\0\3"]
    return len(set(blocks)), size // BLOCK + 1


def test_atftpd(lab_folder):
    """The loader comes by multicast, all of it."""
    name = "multicast-atftpd-ovmf"
    seen, whole = boot(name, "atftpd", lab_folder(name))
    assert seen == whole


@pytest.mark.long
@pytest.mark.parametrize("server, setting", [("atftpd", "no"), ("tftpd", "yes")])
def test_unicast(server, setting, lab_folder):
    """The site has not set it, or the server does not know the option and leaves it out."""
    name = f"multicast-{server}-{setting}-ovmf"
    assert boot(name, server, lab_folder(name), setting)[0] == 0


@pytest.mark.parametrize("how", [
    pytest.param(how, marks=[] if how == "chatters" else pytest.mark.long) for how in ALL_WAYS])
def test_bad_server(how, lab_folder):
    """The loader comes nevertheless, by unicast, however the server fails."""
    name = f"multicast-{how}-ovmf"
    boot(name, how, lab_folder(name), before=[r"\] {loader} by multicast: "])


# --- many at once --------------------------------------------------------------

MACHINES = 8
OTHERS = [f"m{number}" for number in range(2, MACHINES + 1)]
LOADER = "large.efi"
LARGE = 600 * BLOCK  # bytes, so that machines do not read one after the other


class Crowd(hosts.Site):
    """Machines that all wait at the menu until the last one does."""

    step_seconds = 900  # they share few cores

    def prepare(self):
        super().prepare()
        folder = self.folder / "tftp"
        # What follows a program in its file does no harm.
        program = (folder / self.firmware.loader).read_bytes()
        (folder / LOADER).write_bytes(program + bytes(LARGE - len(program)))

    def _watch(self, stations, steps):
        for station in stations.values():
            if not station.is_on:
                station.switch_on()
        for step in steps:
            for station in stations.values():
                station.go_through(step)
        return []


def transfer_of(folder, loader):
    """Returns what a machine's loader was on the wire: datagrams to and from it alone, and those to
    the group."""
    packets = list(capture.datagrams(folder / "packets.pcap"))
    own = {(packet.source, packet.source_port) for packet in packets
           if packet.target_port == 69 and packet.data[2:].startswith(loader.encode() + b"\0")}
    alone = [packet.data for packet in packets
             if own & {(packet.source, packet.source_port), (packet.target, packet.target_port)}]
    group = [packet.data for packet in packets if packet.target.startswith("239.255.")]
    return alone, group


def on_the_wire(site):
    """Returns datagrams and bytes of all machines' loaders, those to the group counted once."""
    folders = [site.folder, *(site.folder / name for name in OTHERS)]
    whole = [transfer_of(folder, LOADER) for folder in folders]
    sent = [data for alone, _ in whole for data in alone]
    sent += max((group for _, group in whole), key=len)
    return len(sent), sum(map(len, sent))


def boot_crowd(name, folder, server, multicast):
    site = Crowd(name, machine.FIRMWARES["ovmf"], scenario(
        server, machine={"options": ["-m", "192"]}, others=OTHERS,
        files={"local.cfg": "local.cfg", "pxemenu.txt": "multicast.txt"},
        ctl=["settings set menu-mode=always", f"settings set tftp-multicast={multicast}"],
        boots=[["OpenPreboot [0-9.]+, {nbp}", {"shows": "Large"}],
               [{"type": "1\r"}], [rf"\] loaded {re.escape(LOADER)}, {LARGE} bytes"],
               ["{disk}"]]), folder)
    site.prepare()
    site.run()
    return on_the_wire(site)


@pytest.mark.long
def test_many_at_once(lab_folder):
    """Eight machines that read one file put less than half of it on the wire by multicast."""
    results = {}
    for multicast in ("no", "yes"):
        name = f"multicast-crowd-{multicast}"
        results[multicast] = boot_crowd(name, lab_folder(name), "atftpd", multicast)
    print(f"{MACHINES} machines, {LARGE} bytes each; datagrams and bytes: {results}")
    assert results["no"][1] > MACHINES * LARGE
    assert results["yes"][1] < results["no"][1] / 2
