# SPDX-License-Identifier: BSD-2-Clause
"""The site's settings, openpreboot.cfg: reads them as nbp/site.c does, and says them to iPXE."""

import ipaddress
import re
from dataclasses import dataclass, field

SIZE_MAX = 4096
WORD_MAX = 19
SERVERS_MAX = 4
VLAN_MAX = 4094
POLICY_SERVERS = 224  # the DHCP option
NAMES = ("server", "address", "gateway", "tftp-server", "vlan", "console")
CARDS = 16            # iPXE counts those of a machine from net0


class SiteError(Exception):
    """What is wrong with the settings: LINE: what."""


@dataclass
class Site:
    servers: list = field(default_factory=list)
    address: ipaddress.IPv4Interface = None
    gateway: ipaddress.IPv4Address = None
    tftp_server: ipaddress.IPv4Address = None
    vlan: int = 0
    console: str = None
    lines: dict = field(default_factory=dict)  # setting: the number of its line


def _ipv4(name, word):
    found = re.fullmatch(r"([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})", word)
    octets = [int(octet) for octet in found.groups()] if found else []
    if not octets or max(octets) > 255:
        raise SiteError(f'{name}: "{word}" is no IPv4 address, as 192.0.2.1 is')
    if octets[0] in (0, 127) or octets[0] >= 224:
        raise SiteError(f'{name}: "{word}" is no address of a host, as 192.0.2.1 is')
    return ipaddress.IPv4Address(bytes(octets))


def _interface(word):
    address, _, bits = word.partition("/")
    if not re.fullmatch(r"[0-9]+", bits) or not 1 <= int(bits) <= 30:
        raise SiteError(f'address: "{word}" is no address with its network, as 192.0.2.50/24 is')
    return ipaddress.IPv4Interface(f"{_ipv4('address', address)}/{int(bits)}")


def _vlan(word):
    if not re.fullmatch(r"[0-9]+", word) or not 1 <= int(word) <= VLAN_MAX:
        raise SiteError(f'vlan: "{word}" is no number from 1 to {VLAN_MAX}')
    return int(word)


def _set(site, name, values):
    if name == "server":
        site.servers = [_ipv4(name, word) for word in values]
    elif name == "address":
        site.address = _interface(values[0])
    elif name == "gateway":
        site.gateway = _ipv4(name, values[0])
    elif name == "tftp-server":
        site.tftp_server = _ipv4(name, values[0])
    elif name == "vlan":
        site.vlan = _vlan(values[0])
    elif values[0] not in ("serial", "screen"):
        raise SiteError(f'console: "{values[0]}" is neither serial nor screen')
    else:
        site.console = values[0]


def _read_line(site, line):
    # What separates words is a control character, a blank or a comma, and nothing that Unicode has.
    words = re.findall(r"=|[^\x00-\x20,=]+", line)
    if not words:
        return None
    name, *rest = words
    if name not in NAMES:
        raise SiteError(f'unknown setting "{name}"; there are: {", ".join(NAMES)}')
    if rest[:1] != ["="] or len(rest) < 2:
        raise SiteError(f"expected {name} = VALUE")
    values = rest[1:]
    limit = SERVERS_MAX if name == "server" else 1
    if len(values) > limit:
        raise SiteError(f"{name}: {len(values)} values; at most {limit}")
    if max(map(len, values)) > WORD_MAX:
        raise SiteError(f"{name}: a value of more than {WORD_MAX} characters")
    _set(site, name, values)
    return name


def parse(text):
    """Returns the settings in @text, bytes; SiteError names the first line that is wrong."""
    if len(text) > SIZE_MAX:
        lines = text[:SIZE_MAX].count(b"\n") + 1
        raise SiteError(f"{lines}: beyond {SIZE_MAX} bytes, which is all that is read; shorten it")
    site = Site()
    lines = text.removeprefix(b"\xef\xbb\xbf").decode("latin-1").split("\n")
    for number, line in enumerate(lines, 1):
        try:
            name = _read_line(site, line.split("#")[0])
        except SiteError as error:
            raise SiteError(f"{number}: {error}") from None
        if name:
            site.lines[name] = number
    if site.address and not site.tftp_server:
        raise SiteError(f"{site.lines['address']}: address: without DHCP nobody says where loaders "
                        "are: set tftp-server, too")
    return site


def warnings(site):
    """Returns what is allowed in @site, but hardly what is meant: texts LINE: what."""
    found = []
    if site.gateway and not site.address:
        found.append("gateway: without effect, as DHCP names the router where no address is set; "
                     "set address and tftp-server, too, or leave it out")
    elif site.gateway and site.gateway not in site.address.network:
        found.append(f"gateway: {site.gateway} is outside {site.address.network}, the network of "
                     "address, and cannot be reached from there; see whether one of the two is wrong")
    if site.console:
        found.append("console: it is for boot media alone; a ROM goes on without it")
    return [f"{site.lines[text.split(':')[0]]}: {text}" for text in found]


def ipxe_script(site):
    """Returns the script that gets iPXE an address on our card and starts the NBP, bytes. The line
    before it, which the ROM's BIOS part writes, sets ${card}: bus, device and function."""
    if site.vlan:
        raise SiteError(f"{site.lines['vlan']}: vlan: Debian's iPXE, which starts the NBP on BIOS, "
                        "has no VLANs; leave it out, or make a ROM for UEFI alone: --uefi-only")
    lines = ["set n none"]
    lines += [f"iseq x${{net{number}/busloc}} x${{card}} && set n net{number} ||"
              for number in range(CARDS)]
    lines += ["iseq ${n} none && goto unknown ||"]
    if site.address:
        lines += [f"set ${{n}}/ip {site.address.ip}",
                  f"set ${{n}}/netmask {site.address.netmask}",
                  *([f"set ${{n}}/gateway {site.gateway}"] if site.gateway else []),
                  "ifopen ${n} || goto local", "iflinkwait -t 10000 ${n} ||"]
    else:
        # "dhcp" would also look for an IPv6 router, for 13 s.
        lines += ["ifconf -c dhcp ${n} || goto local"]
    if site.servers:
        octets = ":".join(f"{octet:02x}" for server in site.servers for octet in server.packed)
        lines += [f"set ${{n}}/{POLICY_SERVERS}:hex {octets}"]
    if site.tftp_server:
        lines += [f"set ${{n}}/next-server {site.tftp_server}"]
    lines += ["boot <INITRD> ||", "goto local", ":unknown",
              "echo OpenPreboot: iPXE does not drive the card of this ROM", ":local", "exit", ""]
    return "\n".join(lines).encode()
