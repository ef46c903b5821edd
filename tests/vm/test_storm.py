# SPDX-License-Identifier: BSD-2-Clause
"""Many machines that are switched on at once, each with a job, at one server."""

import json

import pytest

import machine
from lab import Lab

MACHINES = 8
OTHERS = [f"m{number}" for number in range(2, MACHINES + 1)]
# A loader that boots the disk stands for what a job does; the handover completes it.
SCENARIO = {
    "machine": {"options": ["-m", "256"]},
    "others": OTHERS,
    # dnsmasq with no-ping can offer one address to two machines at once, and the ROM's iPXE goes on
    # asking for an address that was refused, until it gives up.
    "dhcp": ["dhcp-host={mac},10.77.0.101",
             *(f"dhcp-host={{{name}}},10.77.0.{100 + number}"
               for number, name in enumerate(OTHERS, 2))],
    "z_auto": "local.cfg",
    "ctl": ["bundle add small --loader-bios {loader} --config z_auto.cfg --completes handover",
            "device add m1 {mac}", *(f"device add {name} {{{name}}}" for name in OTHERS),
            *(f"job assign {name} --bundle small" for name in ["m1", *OTHERS])],
    "boots": [["OpenPreboot [0-9.]+, {nbp}", r"job \d+, attempt 1", "handing over to {loader}",
               "{disk}"]],
}


class Storm(Lab):
    step_seconds = 600  # all machines share few cores

    def _watch(self, stations, steps):
        for station in stations.values():
            if not station.is_on:
                station.switch_on()
        return [line for station in stations.values() for step in steps
                for line in station.go_through(step)]


@pytest.mark.long
def test_storm(lab_folder):
    lab = Storm("storm-seabios", machine.FIRMWARES["seabios"], SCENARIO,
                lab_folder("storm-seabios"))
    lab.prepare()
    lab.run()
    jobs = json.loads(lab.ctl("--json job list"))
    assert [job["state"] for job in jobs] == ["done"] * MACHINES
