# SPDX-License-Identifier: BSD-2-Clause
"""A network of a test's own: a namespace with a bridge, a tap for the machine, and servers."""

import os
import re
import subprocess
import time

import machine

SERVER = "10.77.0.1"   # DHCP, TFTP and, unless a test says otherwise, policy server
SECOND = "10.77.0.2"   # another address of the same host
TAP = "tap0"

_SETUP = f"""
set -e
ip link set lo up
ip link add bridge0 type bridge
ip link set bridge0 addrgenmode none
ip address add {SERVER}/24 dev bridge0
ip address add {SECOND}/24 dev bridge0
ip address add fe80::1/64 dev bridge0 nodad
ip address add fd00:77::1/64 dev bridge0 nodad
ip link set bridge0 up
ip tuntap add {TAP} mode tap
ip link set {TAP} addrgenmode none master bridge0 up
"""


class NetworkError(Exception):
    pass


class Network:
    """The namespace lives as long as a process that waits for the end of its input: so
    nothing is left of it however this program ends."""

    def __init__(self):
        if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
            raise NetworkError("/dev/net/tun is missing or not writable for this user; "
                               "run the VM tests as root: sudo make test-vm")
        # Root needs no user namespace, which some systems forbid.
        self._options = ["--net"] if os.geteuid() == 0 else ["--net", "--user"]
        unshare = ["unshare", "--net"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
        self._holder = subprocess.Popen(
            [*unshare, "sh", "-c", "echo ready; exec cat"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        if self._holder.stdout.readline() != b"ready\n":
            why = self._holder.stderr.read().decode().strip()
            self.close()
            raise NetworkError(f"cannot make a network namespace: {why}; "
                               "run the VM tests as root: sudo make test-vm")
        result = self.run(["sh", "-c", _SETUP])
        if result.returncode:
            self.close()
            raise NetworkError(f"cannot set up the network: {result.stderr.strip()}")

    def inside(self, command):
        """Returns the command line that runs @command in the namespace."""
        credentials = ["--preserve-credentials"] if "--user" in self._options else []
        return ["nsenter", "--target", str(self._holder.pid), *self._options, *credentials,
                "--", *map(str, command)]

    def run(self, command, seconds=20):
        return subprocess.run(self.inside(command), capture_output=True, text=True,
                              timeout=seconds, stdin=subprocess.DEVNULL, check=False)

    def start(self, command, **more):
        """Starts a program in the namespace; it dies with this one."""
        # Entering a user namespace undoes the death signal, so it is set inside.
        return subprocess.Popen(self.inside(machine.bound(command)),
                                stdin=subprocess.DEVNULL, start_new_session=True, **more)

    def wait_for(self, listeners, processes, seconds=10):
        """Waits until each (address, UDP port) has somebody who listens on it."""
        deadline = time.monotonic() + seconds
        while True:
            # Lines like "UNCONN 0 0 10.77.0.1:69 0.0.0.0:*"
            bound = {line.split()[3] for line in self.run(["ss", "-Hlnu"]).stdout.splitlines()}
            bound = {re.sub(r"%\w+", "", name) for name in bound}
            missing = [f"{address}:{port}" for address, port in listeners
                       if not {f"{address}:{port}", f"0.0.0.0:{port}", f"*:{port}"} & bound]
            if not missing:
                return
            dead = [process.args[-1] for process in processes if process.poll() is not None]
            if dead or time.monotonic() > deadline:
                raise NetworkError(f"nobody listens on {', '.join(missing)}; "
                                   f"of the servers, {dead or 'none'} ended")
            time.sleep(0.05)

    def close(self):
        self._holder.stdin.close()
        machine.stop(self._holder)
        self._holder.stdout.close()
        self._holder.stderr.close()


def dnsmasq(folder, tftp, boot_files, lines=()):
    """Returns the command line of a DHCP and TFTP server whose files are in @folder.

    @boot_files: by DHCP option 93, "bios" and "uefi"; @lines: more configuration."""
    configuration = folder / "dnsmasq.conf"
    configuration.write_text("\n".join([
        "port=0",                     # no DNS
        "interface=bridge0",
        "bind-interfaces",
        "dhcp-range=10.77.0.100,10.77.0.199,255.255.255.0,1h",
        "dhcp-authoritative",
        "no-ping",
        f"dhcp-leasefile={folder}/dhcp.leases",
        "log-dhcp",
        f"log-facility={folder}/dnsmasq.log",
        # Without an IPv6 router iPXE looks for one for 13 s before it boots.
        "enable-ra",
        "dhcp-range=fd00:77::,ra-only",
        "enable-tftp",
        f"tftp-root={tftp}",
        # RFC 4578 2.1: 0 is BIOS, 7 and 9 are both in use for x64 UEFI.
        "dhcp-match=set:uefi,option:client-arch,7",
        "dhcp-match=set:uefi,option:client-arch,9",
        f"dhcp-boot=tag:uefi,{boot_files['uefi']},,{SERVER}",
        f"dhcp-boot=tag:!uefi,{boot_files['bios']},,{SERVER}",
        *lines, ""]))
    return ["dnsmasq", "--keep-in-foreground", f"--conf-file={configuration}", "--user=root",
            "--group=root", "--pid-file="]
