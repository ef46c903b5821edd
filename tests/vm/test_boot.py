# SPDX-License-Identifier: BSD-2-Clause
"""Boots every scenario of scenarios.yaml on every firmware, in QEMU."""

from pathlib import Path

import pytest
import yaml

import capture
import machine
from lab import Lab

# In this order, since the long ones should come first.
FILES = ("scenarios.yaml", "menu.yaml", "policy.yaml", "local_boot.yaml", "machines.yaml",
         "uefi.yaml", "bios.yaml", "networks.yaml")
LONG_FILES = ("medium.yaml", "rom.yaml")  # their images take time


def read_scenarios():
    scenarios = {}
    for file in FILES + LONG_FILES:
        for name, facts in yaml.safe_load((Path(__file__).parent / file).read_text()).items():
            scenarios[name] = ({"quick": []} if file in LONG_FILES else {}) | facts
    return scenarios


SCENARIOS = read_scenarios()
# On the machine's own clock more may pass than on the NBP's, when all cores are busy.
CLOCK_SLACK_MS = 1500

# The NBP asks once more after 150 ms at the earliest (nbp/exchange.c), by a clock with steps of 55.
# The nonce is in each request.
REPEAT_SECONDS = 0.09
NONCE = slice(8, 24)

OTHERS = yaml.safe_load((Path(__file__).parent / "processors.yaml").read_text())


def firmwares(name, facts):
    """Returns the firmwares that a scenario is to run on, and those of them that are quick."""
    usual = [*facts.get("firmwares", machine.FIRMWARES)]
    # There Syslinux does not start a Linux, and GRUB is for nothing else.
    unfit = ["ovmf32" if "boot/kernel" in facts["tftp"] else "ovmf32-grub"]
    if name in OTHERS["not_by_grub"]:
        unfit += [other for other, its in machine.OTHER_FIRMWARES.items() if its.grub]
    others = [other for other in machine.OTHER_FIRMWARES if name in OTHERS[other] or
              "firmwares" not in facts and other not in unfit]
    quick = [*facts.get("quick", usual),
             *(other for other in others if name in OTHERS[other])]
    return dict.fromkeys([*usual, *others]), quick


def cases():
    for scenario, facts in SCENARIOS.items():
        names, quick = firmwares(scenario, facts)
        for firmware in names:
            yield pytest.param(scenario, firmware, id=f"{scenario}-{firmware}",
                               marks=[] if firmware in quick else pytest.mark.long)


@pytest.mark.parametrize("scenario, firmware", cases())
def test_boot(scenario, firmware, lab_folder):
    facts = SCENARIOS[scenario]
    name = f"{scenario}-{firmware}"
    folder = lab_folder(name)

    lab = Lab(name, machine.ALL_FIRMWARES[firmware], facts, folder)
    lab.prepare()
    lab.run()

    # As one text each, so that a failure shows them whole.
    assert " ".join(lab.files_asked_for()) == " ".join(lab.files_expected())
    check_decisions(lab, facts.get("asked"))
    if "ends" in facts:
        assert lab.job() == facts["ends"]
        assert lab.offers() == facts.get("offers", facts["ends"]["attempt"])
    if "stamp" in facts:
        assert facts["stamp"] in lab.machine.stamp()
    else:
        assert lab.machine.stamp() == ""
    if facts.get("in_time"):
        check_time(lab, facts["in_time"])
    if "seen" in facts:
        check_seen(lab, facts["seen"])
    if "trace" in facts:
        check_trace(lab, facts["trace"])


def check_decisions(lab, asked):
    """A decision is one request and one answer, unless the scenario says otherwise."""
    requests = capture.policy(lab.machine.packets, capture.REQUEST)
    answers = capture.policy(lab.machine.packets, capture.ANSWER)
    if asked is None:
        # Where many machines share a disk, what has to be on it before the answer may take longer.
        once = [request for i, request in enumerate(requests)
                if i == 0 or not is_repeated(request, requests[i - 1], answers)]
        assert len(once) == len(lab.boots) <= len(answers) <= len(requests)
        asked = {}
    if "requests" in asked:
        assert len(requests) == asked["requests"]
    if "answers" in asked:
        assert len(answers) == asked["answers"]
    if asked.get("alike"):
        assert len({answer.data for answer in answers}) == 1
    if asked.get("requests") == 0:
        return
    # No answer is larger than its question, so nobody is flooded through the server.
    assert requests and all(len(request.data) >= len(answer.data)
                            for request in requests for answer in answers)


def is_repeated(request, before, answers):
    """Says whether it is the one before once more, which had no answer when it was due."""
    return (request.data[NONCE] == before.data[NONCE] and
            request.time - before.time > REPEAT_SECONDS and
            not any(before.time < answer.time < request.time for answer in answers))


def check_time(lab, allowed):
    """@allowed: ms; or True, as long as a silent server may take"""
    lines = lab.boots[-1]
    local = next(line for line in lines if "local boot" in line.text)
    said_ms = int(local.text.split("]")[0].strip("[ "))
    seen_ms = (local.time - lines[0].time) * 1000
    allowed_ms = lab.firmware.silence_ms if allowed is True else allowed
    assert 1000 < said_ms <= allowed_ms
    assert seen_ms <= allowed_ms + CLOCK_SLACK_MS


def check_seen(lab, facts):
    """What the server says of the machine is what it is; @facts: under the firmware's kind and
    processor those that are so on such machines only."""
    seen = lab.show_device()["seen"]
    kinds = {known for firmware in machine.ALL_FIRMWARES.values()
             for known in (firmware.kind, firmware.processor)}
    wanted = {key: value for key, value in facts.items() if key not in kinds}
    wanted |= facts.get(lab.firmware.kind, {}) | facts.get(lab.firmware.processor, {})
    wanted |= {"mac": lab.machine.mac, "uuid": lab.machine.uuid}
    assert {key: seen.get(key) for key in wanted} == wanted


def check_trace(lab, boots):
    """Each boot's timeline has the steps of NBP and agent, in order, with times that never go back,
    and what the server did of it."""
    for number, wanted in enumerate(boots):
        events = lab.trace(len(boots) - 1 - number)["events"]
        reported = [event["step"] for event in events if event["from"] == "NBP"]
        # The loaders' LOCALBOOT comes back to the NBP on UEFI, never on BIOS.
        if "handover" in reported:
            del reported[reported.index("handover") + 1:]
        reported += [f"agent {event['step']}" for event in events if event["from"] == "agent"]
        assert " ".join(reported) == " ".join(wanted)
        assert "request" in [event["step"] for event in events if event["from"] == "server"]
        times = [event["ms"] for event in events]
        assert times == sorted(times) and times[0] >= 0
        # The clocks of machine and host differ, but not so much that Linux came before the NBP.
        steps = [event["from"] for event in events]
        assert steps == sorted(steps, key=lambda who: who == "agent")
