# SPDX-License-Identifier: BSD-2-Clause
"""Finds the project's modules, and says where the logs of a failed test are."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "scripts"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    report = (yield).get_result()
    folder = getattr(item, "lab_folder", None)
    if report.failed and folder:
        report.sections.append(("logs", f"{folder}: serial.log, packets.pcap, prebootd.log, "
                                        "dnsmasq.log, firmware.log, qemu.log, command"))
