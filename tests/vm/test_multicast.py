# SPDX-License-Identifier: BSD-2-Clause
"""Multicast TFTP (RFC 2090): servers that fail at it, and what it saves where many read at once."""

import json

import pytest

import capture
import hosts
import machine
from multicast_tftp import Badly

ALL_WAYS = [how for how in vars(Badly) if not how.startswith("_")]
SERVER = "192.0.2.1"
BLOCK = 1432  # bytes, as the NBP asks for
CLIENT = machine.ROOT / "tests/vm/multicast_client.py"

hosts.PROGRAMS |= {how: (lambda _, how=how: [machine.ROOT / "tests/vm/multicast_tftp.py", how,
                                             "/srv/tftp"], None) for how in ALL_WAYS}


def scenario(server, **more):
    """Returns a scenario with one of the TFTP servers."""
    # tftpd-hpa has no settings for what it does not know.
    recipe = None if server == "tftpd" else ["Multicast TFTP"]
    return {"hosts": {SERVER: {"typed": ["Multicast TFTP 2"], "dhcpd": ["ISC dhcpd"],
                               server: recipe, "prebootd": None}}} | more


def boot(name, server, folder, setting="yes", before=()):
    """Boots a machine; returns how many of its loader's blocks came to the group, of how many.
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

CLIENTS = 8  # programs that do as the NBP does, at one time
LARGE = 600 * BLOCK + 7  # bytes, so that one has not read it before the others begin


class Crowd(hosts.Site):
    """Clients on a host of their own, which read one file."""

    def read(self, *how):
        """Returns how many packets, and bytes, the server sent."""
        folder = self.folder / "tftp"
        folder.mkdir()
        (folder / "large").write_bytes(bytes(LARGE))
        net = self._make_network()
        try:
            clients = net.add_host("192.0.2.2")
            clients.set_up("ip route add 239.255.0.0/16 dev eth0")
            self._start_servers(net)
            before = self._sent(net)
            run = clients.run([CLIENT, CLIENTS, SERVER, "large", *how], seconds=150)
            assert run.stdout.startswith(f"read{f' {LARGE}' * CLIENTS} again "), run.stdout
            return [after - past for past, after in zip(before, self._sent(net))]
        finally:
            for process in reversed(self._running):
                machine.stop(process)
            net.close()

    @staticmethod
    def _sent(net):
        show = net.hosts[SERVER].run(["ip", "-json", "-statistics", "link", "show", "eth0"])
        sent = json.loads(show.stdout)[0]["stats64"]["tx"]
        return sent["packets"], sent["bytes"]


def test_many_at_once(lab_folder):
    """Clients that read one file at the same time all get it, and multicast saves most of the bytes."""
    sent = {}
    for how in ("", "multicast"):
        name = f"crowd-{how or 'unicast'}"
        facts = {"hosts": {SERVER: {"typed": ["Multicast TFTP 2"], "atftpd": ["Multicast TFTP"]}}}
        site = Crowd(name, machine.FIRMWARES["ovmf"], facts, lab_folder(name))
        sent[how] = site.read(*how.split())
    print(f"packets and bytes: {sent}")
    assert sent[""][1] > CLIENTS * LARGE and LARGE < sent["multicast"][1] < sent[""][1] / 2


OTHERS = [f"m{number}" for number in range(2, CLIENTS + 1)]


class Machines(hosts.Site):
    """Machines that are switched on at once, and fetch one large loader."""

    step_seconds = 600  # all share few cores

    def prepare(self):
        super().prepare()
        # What follows a program in its file is no part of it.
        with open(self.folder / "tftp/large.efi", "ab") as file:
            file.truncate(4 << 20)

    def _make_network(self):
        self._net = super()._make_network()
        return self._net

    def _watch(self, stations, steps):
        for station in stations.values():
            if not station.is_on:
                station.switch_on()
        before = self.sent()
        lines = [line for station in stations.values() for step in steps
                 for line in station.go_through(step)]
        self.packets, self.bytes = (after - past for past, after in zip(before, self.sent()))
        return lines

    def sent(self):
        return Crowd._sent(self._net)


@pytest.mark.long
def test_machines_at_once(lab_folder):
    """Machines fetch one loader at the same time, and multicast saves most of the bytes."""
    sent = {}
    for setting in ("no", "yes"):
        name = f"machines-{setting}-ovmf"
        site = Machines(name, machine.FIRMWARES["ovmf"], scenario(
            "atftpd", machine={"options": ["-m", "256"]}, others=OTHERS,
            copies={"large.efi": "{loader}"},
            ctl=[f"settings set tftp-multicast={setting}", "device add m1 {mac}",
                 *(f"device add {name} {{{name}}}" for name in OTHERS),
                 *(f'job assign {name} --loader-uefi large.efi --config ""'
                   for name in ["m1", *OTHERS])],
            boots=[["OpenPreboot [0-9.]+, {nbp}", r"answer from .*: job \d+",
                    r"loaded large\.efi, 4194304 bytes", r"handing over to large\.efi"]]),
            lab_folder(name))
        site.prepare()
        site.run()
        sent[setting] = site.packets, site.bytes
    print(f"packets and bytes: {sent}")
    assert sent["no"][1] > CLIENTS * (4 << 20) and 4 << 20 < sent["yes"][1] < sent["no"][1] / 2
