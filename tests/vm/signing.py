# SPDX-License-Identifier: BSD-2-Clause
"""Signs programs for machines with Secure Boot, by the key that OVMF's package has for tests."""

import subprocess
from pathlib import Path

_FOLDER = Path("/usr/share/ovmf")
CERTIFICATE = _FOLDER / "PkKek-1-snakeoil.pem"
_KEY, _PASSWORD = _FOLDER / "PkKek-1-snakeoil.key", "snakeoil"
_PROGRAM = "::EFI/BOOT/BOOTX64.EFI"
_PARTITION = "@@1M"  # as scripts/lab/make-disk places it


def _run(command):
    subprocess.run(list(map(str, command)), check=True, stdin=subprocess.DEVNULL, timeout=20)


def sign(source, target):
    """Writes @source with a signature to @target."""
    key = target.with_suffix(".key")
    # sbsign asks for a password at a terminal only.
    _run(["openssl", "pkey", "-in", _KEY, "-passin", f"pass:{_PASSWORD}", "-out", key])
    _run(["sbsign", "--key", key, "--cert", CERTIFICATE, "--output", target, source])


def sign_disk(disk, folder):
    """Signs the program on a local disk's image; @folder: for the files of it."""
    plain, signed = folder / "disk.efi", folder / "disk-signed.efi"
    _run(["mcopy", "-n", "-i", f"{disk}{_PARTITION}", _PROGRAM, plain])
    sign(plain, signed)
    _run(["mcopy", "-o", "-i", f"{disk}{_PARTITION}", signed, _PROGRAM])
