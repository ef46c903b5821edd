# SPDX-License-Identifier: BSD-2-Clause
"""Every way in that a machine has, each booted once: how long from power-on until its NBP starts
and until it asks the policy server, and how large what it starts from is."""

import shutil
import sys

import yaml

import machine

TESTS = machine.ROOT / "tests/vm"
sys.path.insert(0, str(TESTS))
from lab import Lab  # noqa: E402, from there

FOLDER = machine.BUILD / "bench/ways"


def _rom(card, nic):
    return {"machine": {"nic": nic, "rom": {"card": card}, "boot_order": ["rom", "disk"]}}


def _medium(kind, drive):
    return {"medium": {"kind": kind, "drive": drive}, "machine": {"boot_order": ["medium", "disk"]}}


# What a way is called; its scenario, or the name of a test's in tests/vm/uefi.yaml that boots
# so; and the firmwares. OVMF has no driver for a floppy drive.
WAYS = (
    ("PXE", {}, ("seabios", "ovmf", "ovmf32", "aavmf")),
    ("HTTP Boot", "http_boot", ("ovmf",)),
    ("PXE over IPv6", "ipv6_boot", ("ovmf",)),
    ("ROM of virtio", _rom("virtio", "virtio-net-pci"), ("seabios", "ovmf")),
    ("ROM of e1000", _rom("e1000", "e1000"), ("seabios", "ovmf")),
    ("floppy", _medium("floppy", "floppy"), ("seabios",)),
    ("floppy's image on a stick", _medium("floppy", "stick"), ("ovmf",)),
    ("stick", _medium("disk", "stick"), ("seabios", "ovmf")),
    ("ISO image on a CD", _medium("iso", "cd"), ("seabios", "ovmf")),
    ("ISO image on a stick", _medium("iso", "stick"), ("seabios", "ovmf")),
)
BOOT = [r"\] asking ", "answer from "]


def _boot(name, firmware, facts):
    """Boots a machine until it has an answer; returns its row."""
    shutil.rmtree(FOLDER / name, ignore_errors=True)
    (FOLDER / name).mkdir(parents=True)
    lab = Lab(name, machine.ALL_FIRMWARES[firmware], {**facts, "boots": [BOOT]}, FOLDER / name)
    lab.prepare()
    lab.run()
    start, question, _ = lab.boots[0]
    source = lab.machine.rom_file or lab.machine.medium or machine.BUILD / lab.firmware.nbp
    return {"firmware": firmware, "bytes": source.stat().st_size,
            "start_s": round(start.time, 1), "question_s": round(question.time, 1)}


def boots():
    """Yields the way, the firmware and the scenario of each boot."""
    scenarios = yaml.safe_load((TESTS / "uefi.yaml").read_text())
    for way, facts, firmwares in WAYS:
        for firmware in firmwares:
            yield way, firmware, scenarios[facts] if isinstance(facts, str) else facts


def measure():
    """Yields a row of each boot, once it is over."""
    for way, firmware, facts in boots():
        name = f"{way}-{firmware}".replace(" ", "_").replace("'", "")
        yield {"way": way, **_boot(name, firmware, facts)}


def report(rows):
    """Returns the lines of a table, as texts, its head first."""
    return [("", "firmware", "bytes", "NBP starts", "it asks"),
            *((row["way"], row["firmware"], f"{row['bytes']:,}", f"{row['start_s']:.1f}",
               f"{row['question_s']:.1f}") for row in rows)]
