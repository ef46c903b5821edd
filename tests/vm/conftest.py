# SPDX-License-Identifier: BSD-2-Clause
"""Finds the project's modules, makes the folder of a test's files, and says where the logs of a
failed test are."""

import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts/lab"))


@pytest.fixture
def lab_folder(request):
    """Returns a function that makes the folder, empty, of the test's name that it is given."""
    def make(name):
        folder = ROOT / "build" / "vm" / "tests" / name
        request.node.lab_folder = folder.relative_to(ROOT)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder
    return make


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    report = (yield).get_result()
    folder = getattr(item, "lab_folder", None)
    if report.failed and folder:
        report.sections.append(("logs", f"{folder}: serial.log, packets.pcap, prebootd.log, "
                                        "dnsmasq.log, firmware.log, qemu.log, command"))
