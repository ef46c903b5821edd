# SPDX-License-Identifier: BSD-2-Clause
"""Servers as an administrator has them: each on its host, with the recipes of the documents."""

import os
import re
import shlex
import shutil
import time

import machine
import network
from lab import Lab

SERVERS = machine.BUILD / "servers"  # what fetch-servers left
RECIPES = "server/networks.md"
# The folders of an installed server are there, empty, and the TFTP root is the test's. Nobody else
# sees that: the mounts are the server's own. The checkout might have been in one of the folders.
_FURNISH = """
for folder in /srv /run /var/lib; do mount -t tmpfs tmpfs "$folder"; done
mkdir -p "$1" /srv/tftp /run/kea /var/lib/nginx /var/lib/kea /var/lib/dhcp /var/lib/misc
mount --bind . "$1"
mount --bind "$2" /srv/tftp
: >/var/lib/dhcp/dhcpd.leases
shift 2
exec "$@"
"""


def recipe(document, title):
    """Returns the fenced blocks that follow "**@title**" in one of the project's documents, up to
    the next such title; of a file that is no Markdown, all of it."""
    text = (machine.ROOT / document).read_text()
    if not document.endswith(".md"):
        return [text]
    found = re.search(rf"^\*\*{re.escape(title)}\*\*(.*?)(?=^\*\*|^#|\Z)", text, re.M | re.S)
    blocks = re.findall(r"^```\w+\n(.*?)^```$", found[1], re.M | re.S) if found else []
    if not blocks:
        raise machine.MachineError(f"{document} has no recipe '{title}'")
    return blocks


def configuration(sources):
    """Returns the text that an administrator makes of recipes: each of @sources is "TITLE", a
    recipe's first block, "TITLE 2" its second, and so on, or the name of a file."""
    whole = ""
    for source in sources:
        if "/" in source:
            block = recipe(source, None)[0]
        else:
            title, number = re.fullmatch(r"(.*?) ?(\d*)", source).groups()
            block = recipe(RECIPES, title)[int(number or 1) - 1]
        if whole.startswith("{"):  # JSON: where the recipe says
            line = '"client-classes": [' if block.lstrip().startswith("{") else "{"
            first, line, rest = re.split(rf"({re.escape(line)}.*\n)", whole, maxsplit=1)
            whole = f"{first}{line}{block}{rest}"
        else:
            whole += block
    return whole


def _dnsmasq(file):
    return ["dnsmasq", "--no-daemon", "--log-dhcp", f"--conf-file={file}"]


def _dhcpd(file):
    return [SERVERS / "usr/sbin/dhcpd", "-4", "-f", "-d", "-cf", file, "eth0"]


def _kea(file):
    libraries = SERVERS / "usr/lib/x86_64-linux-gnu"
    return ["env", f"LD_LIBRARY_PATH={libraries}", "KEA_LOGGER_DESTINATION=stdout",
            SERVERS / "usr/sbin/kea-dhcp4", "-c", file]


def _tftpd(file):
    rules = ["--map-file", file] if file.stat().st_size else []
    # It sets its groups, which a user namespace that an ordinary user made forbids.
    if os.geteuid() != 0:
        return ["dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--port=0", "--enable-tftp",
                "--tftp-root=/srv/tftp", *(["--tftp-lowercase"] if rules else [])]
    return [SERVERS / "usr/sbin/in.tftpd", "--foreground", "--listen", "--user", "root",
            *rules, "--secure", "/srv/tftp"]


def _atftpd(file):
    options = re.search(r'^OPTIONS="(.*)"$', file.read_text(), re.M)
    return [SERVERS / "usr/sbin/atftpd", "--no-fork", "--user", "root", "--group", "root",
            *shlex.split(options[1] if options else "--daemon /srv/tftp")]


def _nginx(file):
    whole = file.with_suffix(".nginx")
    whole.write_text("daemon off; user root; error_log stderr notice;\nevents {}\n"
                     f"http {{ access_log off; include {file}; }}\n")
    return [SERVERS / "usr/sbin/nginx", "-e", "stderr", "-c", whole]


def _relay(file):
    return [SERVERS / "usr/sbin/dhcrelay", "-d", *shlex.split(file.read_text())[1:]]


# By name: the command line, and what the server says when it serves.
PROGRAMS = {"dnsmasq": (_dnsmasq, r"DHCP, (IP range|proxy)"),
            "dhcpd": (_dhcpd, "Server starting service"),
            "kea": (_kea, "DHCP4_STARTED"), "tftpd": (_tftpd, None),
            "atftpd": (_atftpd, None), "nginx": (_nginx, "start worker process"), "relay": (_relay, r"Sending on +Socket/")}


def _same_network(address, other):
    return address.rsplit(".", 1)[0] == other.rsplit(".", 1)[0]


class Site(Lab):
    """A lab whose servers are on hosts of their own, set up by recipes. Its scenario's "router" has
    the addresses of the host that connects the machine's network with another one, in each."""

    step_seconds = 180  # a kernel takes long to fetch where many machines share the cores

    def prepare(self):
        super().prepare()
        folder = self.folder / "tftp"
        whole = folder.with_name("whole")
        # A server that changes its root cannot follow links that lead out of it.
        shutil.copytree(folder, whole)
        shutil.rmtree(folder)
        whole.rename(folder)

    def _make_network(self):
        net = network.Network(1 + len(self.others), addresses=())
        router = self.scenario.get("router")
        if router:
            net.add_bridge("bridge1")
        for address in self.scenario["hosts"]:
            near = not router or _same_network(address, router[0])
            host = net.add_host(address, "bridge0" if near else "bridge1")
            if router and address == router[0]:
                net.add_wire(host, "eth1", router[1], "bridge1")
                host.set_up("echo 1 >/proc/sys/net/ipv4/ip_forward")
            elif router:
                host.set_up(f"ip route add default via {router[0] if near else router[1]}")
        return net

    def _start_servers(self, net):
        self._start(net, network.router(self.folder), "router")
        for address, servers in self.scenario["hosts"].items():
            for name, sources in servers.items():
                self._start_server(net.hosts[address], f"{name}-{address}", name, sources)

    def _start_server(self, host, label, name, sources):
        if name == "prebootd":
            self._start(host, [machine.BUILD / "prebootd", "--database", self.database,
                               "--user", "root"], label)
            host.wait_for([("0.0.0.0", machine.POLICY_PORT)], self._running)
            return
        file = self.folder / f"{label}.conf"
        file.write_text(configuration(sources or []))
        if name == "typed":
            host.set_up(file.read_text())
            return
        program, ready = PROGRAMS[name]
        furnished = ["unshare", "--mount", "sh", "-ec", _FURNISH, "sh", machine.ROOT,
                     self.folder / "tftp", *program(file)]
        self._start(host, furnished, label, cwd=machine.ROOT)
        if ready:
            self._wait_for_log(label, ready)
        else:
            host.wait_for([("0.0.0.0", 69)], self._running)

    def _wait_for_log(self, label, pattern, seconds=20):
        log = self.folder / f"{label}.log"
        deadline = time.monotonic() + seconds
        while not re.search(pattern, log.read_text(errors="replace")):
            if self._running[-1].poll() is not None or time.monotonic() > deadline:
                raise machine.MachineError(f"{label} does not serve: {log.read_text()[-800:]}")
            time.sleep(0.05)
