# SPDX-License-Identifier: BSD-2-Clause
"""A network of a test's own: a namespace with a bridge, a tap for each machine, and servers."""

import os
import re
import subprocess
import time

import machine

SERVER = "10.77.0.1"   # DHCP, TFTP and, unless a test says otherwise, policy server
SECOND = "10.77.0.2"   # another address of the same host
OTHER = "10.77.0.3"    # another host

_SETUP = """
ip link set lo up
ip link add bridge0 type bridge
ip link set bridge0 addrgenmode none
ip address add fe80::1/64 dev bridge0 nodad
ip address add fd00:77::1/64 dev bridge0 nodad
ip link set bridge0 up
"""


def tap(number):
    """Returns the name of a machine's tap, counted from 0."""
    return f"tap{number}"


# The machine's end of a port with one VLAN alone, at addresses that switch.py knows.
TRUNK_PORT = 9000


def trunk():
    """Returns the value of QEMU's -netdev for a machine behind switch.py."""
    return f"socket,id=net,udp=127.0.0.1:{TRUNK_PORT + 1},localaddr=127.0.0.1:{TRUNK_PORT}"


def _add_tap(name):
    return (f"ip tuntap add {name} mode tap\n"
            f"ip link set {name} addrgenmode none master bridge0 up\n")


class NetworkError(Exception):
    pass


class Namespace:
    """A network namespace. It lives as long as a process that waits for the end of its input: so
    nothing is left of it however this program ends."""

    def __init__(self, near=None):
        """@near: the namespace that this one will have a link to"""
        # Root needs no user namespace, which some systems forbid.
        root = os.geteuid() == 0
        self._options = ["--net"] if root else ["--net", "--user"]
        unshare = ["unshare", "--net"] + ([] if root or near else ["--map-root-user"])
        hold = [*unshare, "sh", "-c", "echo ready; exec cat"]
        self._holder = subprocess.Popen(
            near.inside(hold) if near else hold, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        if self._holder.stdout.readline() != b"ready\n":
            why = self._holder.stderr.read().decode().strip()
            self.close()
            raise NetworkError(f"cannot make a network namespace: {why}; "
                               "run the VM tests as root: sudo make test-vm")

    @property
    def pid(self):
        return self._holder.pid

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
        return subprocess.Popen(self.inside(machine.bound(command)), start_new_session=True,
                                **{"stdin": subprocess.DEVNULL, **more})

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
            dead = [" ".join(process.args[-2:]) for process in processes if process.poll() is not None]
            if dead or time.monotonic() > deadline:
                raise NetworkError(f"nobody listens on {', '.join(missing)}; "
                                   f"of the servers, {dead or 'none'} ended")
            time.sleep(0.05)

    def set_up(self, script):
        result = self.run(["sh", "-c", "set -e\n" + script])
        if result.returncode:
            self.close()
            raise NetworkError(f"cannot set up the network: {result.stderr.strip()}")

    def close(self):
        self._holder.stdin.close()
        machine.stop(self._holder)
        self._holder.stdout.close()
        self._holder.stderr.close()


class Network(Namespace):
    """A host that serves, and a bridge with the taps of the machines."""

    def __init__(self, machines=1, addresses=(SERVER, SECOND)):
        """@addresses: the host's own; with none it is but the wire between others"""
        if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
            raise NetworkError("/dev/net/tun is missing or not writable for this user; "
                               "run the VM tests as root: sudo make test-vm")
        super().__init__()
        self.hosts = {}  # by address, the namespaces of other hosts
        self._wires = 0
        self.set_up(_SETUP + "".join(
            [f"ip address add {address}/24 dev bridge0\n" for address in addresses] +
            [_add_tap(tap(number)) for number in range(machines)]))

    def add_bridge(self, name):
        """Adds another network, which has a bridge of its own."""
        self.set_up(f"ip link add {name} type bridge\n"
                    f"ip link set {name} addrgenmode none up")

    def add_host(self, address, bridge="bridge0"):
        """Returns the namespace of another host on a bridge; its interface is eth0."""
        host = self.hosts[address] = Namespace(near=self)
        host.set_up("ip link set lo up")
        self.add_wire(host, "eth0", address, bridge)
        return host

    def add_wire(self, host, interface, address, bridge):
        """Gives a host an interface on a bridge."""
        self._wires += 1
        wire = f"wire{self._wires}"
        self.set_up(f"ip link add {wire} type veth peer name {interface} netns {host.pid}\n"
                    f"ip link set {wire} addrgenmode none master {bridge} up")
        host.set_up(f"ip link set {interface} addrgenmode none\n"
                    f"ip address add {address}/24 dev {interface}\nip link set {interface} up")

    def close(self):
        for host in self.hosts.values():
            host.close()
        super().close()


# Without an IPv6 router iPXE looks for one for 13 s before it boots.
_ROUTER = ("enable-ra", "dhcp-range=fd00:77::,ra-only")
RANGE = "dhcp-range=10.77.0.100,10.77.0.199,255.255.255.0,1h"


def _dnsmasq(folder, name, interface, lines):
    configuration = folder / f"{name}.conf"
    configuration.write_text("\n".join([
        "port=0",  # no DNS
        f"interface={interface}",
        "bind-interfaces",
        "dhcp-authoritative",
        "no-ping",
        f"dhcp-leasefile={folder}/{name}.leases",
        "log-dhcp",
        *lines, ""]))
    # --no-daemon also keeps it from changing its user, which it could not in a user namespace.
    return ["dnsmasq", "--no-daemon", f"--conf-file={configuration}"]


# What dnsmasq calls a processor, DHCP option 93 (RFC 4578 2.1, where 7 and 9 are both in use for
# x64 UEFI), and what we call it.
ARCHITECTURES = (("x86PC", 0, "bios"), ("X86-64_EFI", 9, "x64"), ("BC_EFI", 7, "x64"),
                 ("IA32_EFI", 6, "ia32"), ("ARM64_EFI", 11, "aa64"))


def boot_server(folder, tftp, boot_files, proxy=False, lines=()):
    """Returns the command line of a DHCP and TFTP server whose own files are in @folder.

    @boot_files: by processor, as scripts/lab/machine.py names them
    @proxy: addresses come from another DHCP server, boot file and TFTP server from this one
    @lines: more configuration; None: it serves TFTP alone"""
    if lines is None:
        return _dnsmasq(folder, "dnsmasq", "bridge0", ["enable-tftp", f"tftp-root={tftp}"])
    if proxy:
        dhcp = ["dhcp-range=10.77.0.0,proxy",
                *(f'pxe-service={name},"NBP",{boot_files[processor]}'
                  for name, _, processor in ARCHITECTURES)]
    else:
        dhcp = [RANGE,
                *(f"dhcp-match=set:{processor},option:client-arch,{number}"
                  for _, number, processor in ARCHITECTURES),
                *(f"dhcp-boot=tag:{processor},{file},,{SERVER}"
                  for processor, file in boot_files.items())]
    return _dnsmasq(folder, "dnsmasq", "bridge0",
                    [*dhcp, *_ROUTER, "enable-tftp", f"tftp-root={tftp}", *lines])


def address_server(folder):
    """Returns the command line of a DHCP server, on the other host, that knows of no boot file."""
    return _dnsmasq(folder, "dhcp", "eth0", [RANGE])


def router(folder):
    """Returns the command line of an IPv6 router that does nothing else."""
    return _dnsmasq(folder, "router", "bridge0", _ROUTER)
