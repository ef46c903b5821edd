# SPDX-License-Identifier: BSD-2-Clause
"""An empty database and a prebootd that serves it, for the tests that make no site of their own."""

import pytest

from policy import Ctl, Daemon


@pytest.fixture
def ctl(tmp_path):
    return Ctl(tmp_path)


@pytest.fixture
def daemon(ctl):
    daemon = Daemon(ctl.database, ctl.folder / "log")
    yield daemon
    daemon.kill()
