# SPDX-License-Identifier: BSD-2-Clause
"""One of a lab's machines while it runs, and who stands at it."""

import re
import subprocess

import machine
import network
from monitor import Monitor
from person import Person

BOOT_SECONDS = 90    # until the NBP's first line
BANNER = re.compile(r"UEFI firmware \(version|$")  # AAVMF's, after a reset


class Station:
    def __init__(self, lab, device, net, number, helpers=()):
        """@device: the machine; @number: of its tap; @helpers: what else its QEMU is linked to,
        closed with this"""
        self._lab = lab
        self._machine = device
        self._net = net
        # With vnet_hdr QEMU would write that header into the capture, too.
        self._netdev = network.trunk() if "vlan" in lab.scenario else (
            f"tap,id=net,ifname={network.tap(number)},script=no,downscript=no,vnet_hdr=off")
        self._monitor = Monitor()
        self._helpers = [self._monitor, *helpers]
        self._qemu = self._person = None
        self._after = -1  # the number of the console's line awaited last

    @property
    def is_on(self):
        return self._qemu is not None

    def switch_on(self):
        self._qemu, self._console = self._machine.switch_on(
            self._netdev, self._net.start, more=sum((helper.options for helper in self._helpers), ()),
            pass_fds=sum((helper.pass_fds for helper in self._helpers), ()),
            stdin=subprocess.PIPE)
        self._monitor.connect()
        self._person = Person(self._lab, self._machine.folder, self._qemu, self._monitor,
                              self._lab.step_seconds)

    def await_boot(self):
        """Waits for the first line of the NBP, or of what the scenario has, and returns it."""
        first = self._lab.scenario.get("first", r"^OpenPreboot ")
        line = self._console.wait(first, BOOT_SECONDS, self._after)
        self._after = line.number - 1
        return line

    def go_through(self, step):
        """Waits for what a step says, or does it; returns the lines that were awaited."""
        if isinstance(step, dict) and "next" not in step:
            self._person.act(step)
            if "reset" in step:  # what came before is of the boot before
                self._after = len(self._console.lines) - 1
            return []
        pattern = self._lab.text(step["next"] if isinstance(step, dict) else step, quote=True)
        line = self._console.wait(pattern, self._lab.step_seconds, self._after)
        between = self._console.lines[self._after + 1:line.number]
        if isinstance(step, dict) and not all(BANNER.match(other.text) for other in between):
            raise machine.MachineError(f"other lines came before '{pattern}'")
        self._after = line.number
        return [line]

    def close(self):
        """Switches it off, if it is on."""
        if self._qemu:
            machine.stop(self._qemu)
        if self._person:
            self._person.close()
        for helper in self._helpers:
            helper.close()
