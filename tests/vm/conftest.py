# SPDX-License-Identifier: BSD-2-Clause
"""Finds the project's modules, makes the folder of a test's files, and says where the logs of a
failed test are."""

import os
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts/lab"))


def pytest_configure(config):
    config.addinivalue_line("markers", "long: a test that make test leaves to make test-long")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """Leaves out the long tests unless LONG is set."""
    if os.environ.get("LONG"):
        return
    left = [item for item in items if item.get_closest_marker("long")]
    config.hook.pytest_deselected(items=left)
    items[:] = [item for item in items if item not in left]


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
