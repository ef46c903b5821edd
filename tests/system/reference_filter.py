# SPDX-License-Identifier: BSD-2-Clause
"""What a request reports of its machine, and what filters say of that: as server/rules.md and
"prebootctl rule facts" have it, with three truth values, as what is not reported is unknown."""

import ipaddress
import re
import struct
from dataclasses import dataclass

BIOS, UEFI = 1, 2
VALID = 2
NUMBERS = {"isd_state": 0x03, "just_imaged": 0x05, "firmware": 0x11, "memory_mib": 0x18,
           "secure_boot": 0x26, "tpm": 0x27, "cores": 0x2a, "installed_mib": 0x2b}
TEXTS = {"isd_image": 0x06, "manufacturer": 0x13, "product": 0x14, "serial": 0x15,
         "asset_tag": 0x21, "bios_version": 0x23}
WIDTHS = {"isd_state": 1, "just_imaged": 1, "firmware": 1, "memory_mib": 4, "secure_boot": 1,
          "tpm": 1, "cores": 2, "installed_mib": 4}
MAC, UUID, ISD_DEVICE, DISK = 0x01, 0x02, 0x04, 0x2f


@dataclass
class Request:
    """What a machine reports; zeros and empty texts are not sent."""
    mac: bytes = bytes(6)
    uuid: bytes = bytes(16)
    isd_device: bytes = bytes(16)
    isd_state: int = 0
    just_imaged: int = 0
    firmware: int = 0
    memory_mib: int = 0
    installed_mib: int = 0
    secure_boot: int = 0
    tpm: int = 0
    cores: int = 0
    isd_image: str = ""
    manufacturer: str = ""
    product: str = ""
    serial: str = ""
    asset_tag: str = ""
    bios_version: str = ""
    disk: tuple = None  # sector size, sectors

    def fields(self):
        """Returns the protocol's fields."""
        fields = {MAC: self.mac, UUID: self.uuid, ISD_DEVICE: self.isd_device}
        fields = {number: value for number, value in fields.items() if any(value)}
        for name, number in TEXTS.items():
            fields[number] = getattr(self, name).encode()
        for name, number in NUMBERS.items():
            value = getattr(self, name)
            fields[number] = value.to_bytes(WIDTHS[name], "big") if value else b""
        if self.disk:
            fields[DISK] = (b"\1" + self.disk[0].to_bytes(4, "big") +
                            self.disk[1].to_bytes(8, "big"))
        return {number: value for number, value in fields.items() if value}

    def datagram(self, nonce):
        """Returns it as the database keeps it, without padding."""
        return struct.pack(">4sBBH16sI", b"OPBP", 1, 1, 0, nonce, 1) + b"".join(
            struct.pack(">HH", number, len(value)) + value
            for number, value in self.fields().items())

    @staticmethod
    def parse(datagram):
        """Reads what the database has."""
        r, at = Request(), 28
        names = {number: name for name, number in (TEXTS | NUMBERS).items()}
        names |= {MAC: "mac", UUID: "uuid", ISD_DEVICE: "isd_device"}
        while at < len(datagram):
            number, length = struct.unpack_from(">HH", datagram, at)
            value = datagram[at + 4:at + 4 + length]
            at += 4 + length
            if number == DISK:
                r.disk = struct.unpack(">xIQ", value)
            elif number in names:
                name = names[number]
                setattr(r, name, value.decode() if name in TEXTS else
                        int.from_bytes(value, "big") if name in NUMBERS else value)
        return r


# --- facts ---------------------------------------------------------------------------

UNITS = {"": 1 << 20, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
FLAGS = {"secure-boot": "secure_boot", "tpm": "tpm"}
ALIASES = {"maker": "manufacturer"}
PLAIN = {"manufacturer", "product", "serial", "asset-tag", "bios-version", "isd-image"}


def reported(fact, r, address, name):
    """Returns the value of a fact, in the form of a filter's values; None: it is not reported."""
    fact = ALIASES.get(fact, fact)
    if fact == "isd-image" and r.isd_state and not r.isd_image:
        return ""  # that there is none is reported, too
    if fact in PLAIN:
        return getattr(r, fact.replace("-", "_")).lower() or None
    if fact == "name":
        return name.lower()
    if fact == "cores":
        return r.cores or None
    if fact == "memory":
        return (r.installed_mib or r.memory_mib) << 20 or None
    if fact == "disk-size":
        return r.disk[0] * r.disk[1] if r.disk else None
    if fact == "disks":
        return 1 if r.disk else 0
    if fact == "firmware":
        return {BIOS: "bios", UEFI: "uefi"}.get(r.firmware)
    if fact in FLAGS:
        return {1: "no", 2: "yes"}.get(getattr(r, FLAGS[fact]))
    if fact == "isd-state":
        return {0: "not-read", 1: "absent", 2: "valid"}[r.isd_state]
    if fact == "just-imaged":
        return ("yes" if r.just_imaged else "no") if r.isd_state == VALID else None
    if fact == "mac":
        return r.mac.hex() if any(r.mac) else None
    if fact == "address":
        return ipaddress.ip_address(address) if address else None
    raise ValueError(fact)


def value_of(fact, operator, text):
    if fact in ("cores", "disks"):
        return int(text)
    if fact in ("memory", "disk-size"):
        number, unit = re.fullmatch(r"(\d+) ?([MGT]?)", text).groups()
        return int(number) * UNITS[unit]
    if fact == "mac":
        return text.replace(":", "").replace("-", "").lower()
    if fact == "address":
        return ipaddress.ip_network(text) if operator == "in" else ipaddress.ip_address(text)
    return text.lower()


COMPARE = {
    "=": lambda a, b: a == b, "<>": lambda a, b: a != b, "<": lambda a, b: a < b,
    ">": lambda a, b: a > b, "<=": lambda a, b: a <= b, ">=": lambda a, b: a >= b,
    "contains": lambda a, b: b in a, "starts-with": lambda a, b: a.startswith(b),
    "in": lambda a, b: a in b,
}


def compare(fact, operator, text, about):
    """Returns True, False, or None where it is not reported."""
    value = reported(fact, *about)
    about_presence = text == "" and operator in ("=", "<>")
    if value is None and about_presence and ALIASES.get(fact, fact) in PLAIN:
        return operator == "="  # this asks whether it is reported
    if value is None:
        return None
    return COMPARE[operator](value, value_of(fact, operator, text))


# --- filters -------------------------------------------------------------------------

TOKEN = re.compile(r"""\s*("[^"]*"|'[^']*'|[()]|<>|<=|>=|[=<>]|[^\s()"'=<>]+)""")


def matches(text, request, address, name):
    """Says whether a filter matches; an empty one does."""
    tokens = TOKEN.findall(text)
    if not tokens:
        return True
    value, rest = _any(tokens, (request, address, name))
    assert not rest
    return value is True


def _any(tokens, about):
    values = []
    while True:
        value, tokens = _all(tokens, about)
        values.append(value)
        if not tokens or tokens[0] != "or":
            break
        tokens = tokens[1:]
    if any(value is True for value in values):
        return True, tokens
    return (None if None in values else False), tokens


def _all(tokens, about):
    values = []
    while True:
        value, tokens = _one(tokens, about)
        values.append(value)
        if not tokens or tokens[0] != "and":
            break
        tokens = tokens[1:]
    if any(value is False for value in values):
        return False, tokens
    return (None if None in values else True), tokens


def _one(tokens, about):
    if tokens[0] == "not":
        value, tokens = _one(tokens[1:], about)
        return (None if value is None else not value), tokens
    if tokens[0] == "(":
        value, tokens = _any(tokens[1:], about)
        assert tokens[0] == ")"
        return value, tokens[1:]
    fact, operator, text = tokens[:3]
    if fact in ("memory", "disk-size") and tokens[3:4] and tokens[3] in UNITS:
        tokens = [fact, operator, text + tokens[3], *tokens[4:]]
        text = tokens[2]
    if text[0] in "\"'":
        text = text[1:-1]
    return compare(fact, operator, text, about), tokens[3:]
