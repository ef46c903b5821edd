# SPDX-License-Identifier: BSD-2-Clause
"""The command "make vm": it boots, what it serves may be changed, and it says why it cannot start."""

import signal
import socket
import subprocess
from pathlib import Path

import machine
from network import Namespace

COMMAND = machine.ROOT / "scripts/vm"
SECONDS = 120  # until a machine has come that far, even on a slow host


def test_vm_command(lab_folder):
    folder = lab_folder("vm-command")
    net = Namespace()
    try:
        # There the policy server's port is free.
        net.set_up("ip link set lo up\n")
        vm = net.start([COMMAND, "--folder", folder / "vm", "bios"], stdin=subprocess.PIPE,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        console = machine.Console(vm.stdout, folder / "serial.log")
        line = console.wait(r"build/prebootctl --database (\S+) job assign (\S+)", SECONDS)
        assert Path(line.match[1]).resolve() == folder / "vm/preboot.db"
        assert line.match[2] in machine.prebootctl(folder / "vm/preboot.db", "device", "list")
        console.wait("^linux: rebooting", SECONDS)
        # Nothing of it is the source's own file.
        served = [path for path in (folder / "vm/tftp").rglob("*") if not path.is_dir()]
        assert {"pxemenu.txt", "z_auto.cfg", "nvlnbp.sys", "kernel"} <= {p.name for p in served}
        assert not [path for path in served if path.is_symlink()]
        vm.send_signal(signal.SIGTERM)
        assert vm.wait(20) in (128 + signal.SIGTERM, -signal.SIGTERM)
    finally:
        net.close()


def test_vm_command_without_its_port(lab_folder):
    folder = lab_folder("vm-command-port")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        try:
            other.bind(("127.0.0.1", machine.POLICY_PORT))
        except OSError:
            pass  # somebody has it already
        result = subprocess.run([COMMAND, "--folder", folder, "bios"],
                                capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 1
    assert "cannot use UDP port 13331 of 127.0.0.1" in result.stderr
    assert "unshare -r -n" in result.stderr
    assert not list(folder.iterdir())
