# SPDX-License-Identifier: BSD-2-Clause
"""Boot media of openpreboot-medium, for machines that boot from them."""

import subprocess

import machine

TOOL = (machine.ROOT / "scripts/openpreboot-medium", "--nbps", machine.BUILD,
        "--parts", machine.ROOT / "scripts/medium")
FILES = {"floppy": "openpreboot-floppy.img", "disk": "openpreboot-disk.img",
         "iso": "openpreboot.iso"}
DISK_VOLUME = "@@1M"  # where its file system is, as mtools says it


def facts(medium, folder):
    """Returns the arguments of Machine() for a scenario's @medium, which is in @folder."""
    if not medium:
        return {}
    return {"medium": folder / FILES[medium["kind"]], "medium_drive": medium["drive"]}


def make(medium, image):
    """Makes the image of a scenario's @medium, and edits its settings as a person does."""
    subprocess.run([*TOOL, "--only", medium["kind"],
                    *[f"--set={line}" for line in medium.get("set", [])], image.parent],
                   check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=60)
    if "edit" in medium:
        edit(medium, image, medium["edit"])


def edit(medium, image, text):
    """Replaces the settings in the image of a scenario's @medium."""
    volume = f"{image}{DISK_VOLUME if medium['kind'] == 'disk' else ''}"
    subprocess.run(["mcopy", "-o", "-i", volume, "-", "::openpreboot.cfg"], input=text.encode(),
                   check=True, timeout=20)
