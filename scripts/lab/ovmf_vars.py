# SPDX-License-Identifier: BSD-2-Clause
"""Writes boot options, and keys for Secure Boot, into an empty variable store of OVMF.

QEMU's bootindex of a network card stands for all its boot options: after PXE over IPv4
OVMF would try HTTP, for minutes, before the disk. A real machine has a BootOrder that an
administrator chose, and so have ours: the card, then the disk.
"""

import ssl
import struct
import uuid

GLOBAL_VARIABLE = uuid.UUID("8be4df61-93ca-11d2-aa0d-00e098032b8c").bytes_le
VARIABLE_STORE = uuid.UUID("aaf32c78-947b-439a-a180-2e144ec37792").bytes_le  # authenticated
SECURITY_DATABASE = uuid.UUID("d719b2cb-3d3a-4596-a3bc-dad00e67656f").bytes_le
SECURE_BOOT_ENABLE = uuid.UUID("f0a30bc7-af08-4556-99c4-001009c93a44").bytes_le  # EDK2's own
X509 = uuid.UUID("a5c059a1-94e4-4aa7-87b5-ab155c2bf072").bytes_le
NON_VOLATILE, BOOT, RUNTIME, TIME_BASED_AUTHENTICATED = 1, 2, 4, 0x20
LOAD_OPTION_ACTIVE = 1


def device_path(*nodes):
    """Joins device path nodes (UEFI 2.10, 10.3): (type, subtype, bytes)."""
    whole = b"".join(struct.pack("<BBH", kind, subtype, 4 + len(data)) + data
                     for kind, subtype, data in nodes)
    return whole + b"\x7f\xff\x04\x00"


def pci(slot):
    """The nodes of a device in @slot of the first PCI bus."""
    return ((2, 1, struct.pack("<II", 0x0a0341d0, 0)),  # PciRoot(0)
            (1, 1, bytes([0, slot])))


def mac(address):
    return (3, 11, bytes.fromhex(address.replace(":", "")).ljust(32, b"\0") + b"\1")


IPV4 = (3, 12, bytes(23))
IPV6 = (3, 13, bytes(39) + b"\x40" + bytes(16))
URI = (3, 24, b"")


def gpt(number, start, sectors, guid):
    """The node of a GPT partition; alone it is a short form, found on whichever disk."""
    return (4, 1, struct.pack("<IQQ", number, start, sectors) + uuid.UUID(guid).bytes_le + b"\2\2")


def file(name):
    return (4, 4, (name + "\0").encode("utf-16-le"))


def load_option(description, path):
    """An EFI_LOAD_OPTION (UEFI 2.10, 3.1.3)."""
    return (struct.pack("<IH", LOAD_OPTION_ACTIVE, len(path))
            + (description + "\0").encode("utf-16-le") + path)


def variable(name, data, vendor=GLOBAL_VARIABLE, attributes=NON_VOLATILE | BOOT | RUNTIME):
    """An AUTHENTICATED_VARIABLE_HEADER of EDK2 with what follows it."""
    name = (name + "\0").encode("utf-16-le")
    head = struct.pack("<HBBIQ16sIII16s", 0x55aa, 0x3f, 0, attributes, 0,
                       bytes(16), 0, len(name), len(data), vendor)
    whole = head + name + data
    return whole + b"\xff" * (-len(whole) % 4)


def boot_order(options):
    """The variables that make @options, (description, device path) each, the BootOrder."""
    variables = b"".join(variable(f"Boot{number:04X}", load_option(*option))
                         for number, option in enumerate(options))
    return variables + variable("BootOrder", struct.pack(f"<{len(options)}H", *range(len(options))))


def secure_boot(certificate):
    """The variables of Secure Boot in force, with the certificate of a PEM file as its only key."""
    der = ssl.PEM_cert_to_DER_cert(certificate.read_text())
    # An EFI_SIGNATURE_LIST (UEFI 2.10, 32.4.1) of one EFI_SIGNATURE_DATA; its owner is nobody.
    keys = X509 + struct.pack("<III", 28 + 16 + len(der), 0, 16 + len(der)) + bytes(16) + der
    guarded = NON_VOLATILE | BOOT | RUNTIME | TIME_BASED_AUTHENTICATED
    return (variable("PK", keys, attributes=guarded) + variable("KEK", keys, attributes=guarded)
            + variable("db", keys, SECURITY_DATABASE, guarded)
            + variable("SecureBootEnable", b"\1", SECURE_BOOT_ENABLE, NON_VOLATILE | BOOT))


def empty(store):
    """Returns a store without the variables that its package put in."""
    start = store.find(VARIABLE_STORE) + 28  # VARIABLE_STORE_HEADER
    size, = struct.unpack_from("<I", store, start - 12)
    return store[:start] + b"\xff" * (size - 28) + store[start - 28 + size:]


def fill(store, variables):
    """Returns @store with @variables in it.

    ValueError: it is not an empty variable store."""
    head = store.find(VARIABLE_STORE)
    start = head + 28  # VARIABLE_STORE_HEADER
    if head < 0 or store[start:start + 2] != b"\xff\xff":
        raise ValueError("not an empty OVMF variable store")
    return store[:start] + variables + store[start + len(variables):]
