# SPDX-License-Identifier: BSD-2-Clause
"""Boots files nvlnbp.sys that were cut short or damaged on their way: the local disk boots."""

import os
import random

import pytest

import machine
from lab import Lab

BLOCK = 512  # the first block's code checks that the rest is whole
MESSAGE = "nvlnbp.sys: cut short or damaged; local boot"


class DamagedLab(Lab):
    """Of a machine whose NBP says nothing of its own."""

    def _watch(self, stations, steps):
        return [line for step in steps for line in stations[None].go_through(step)]


def damaged(flips):
    """Returns such files: name to content. In @flips of them one bit is wrong."""
    whole = (machine.BUILD / "nvlnbp.sys").read_bytes()
    cuts = [BLOCK, len(whole) // 2 // BLOCK * BLOCK, len(whole) - 1]
    files = {f"cut-{size}": whole[:size] for size in cuts[:1 + flips]}
    seed = random.Random(int(os.environ.get("SEED", "1")))
    for _ in range(flips):
        bit = seed.randrange(BLOCK * 8, len(whole) * 8)
        file = bytearray(whole)
        file[bit // 8] ^= 1 << bit % 8
        files[f"bit-{bit}"] = bytes(file)
    return files


@pytest.mark.parametrize("flips", [1, pytest.param(20, marks=pytest.mark.long)])
def test_damaged(flips, lab_folder):
    folder = lab_folder(f"damaged-{flips}")

    steps = []
    for name, content in damaged(flips).items():
        (folder / name).write_bytes(content)
        steps += [{"serve": {"nvlnbp.sys": folder / name}}, {"reset": True},
                  "{disk}", {"screen": {"has": [MESSAGE]}}]
    # The first boot is of the file as it is.
    steps = ["^OpenPreboot ", "{disk}", *steps]
    lab = DamagedLab(f"damaged-{flips}", machine.FIRMWARES["seabios"], {"boots": [steps]}, folder)
    lab.prepare()
    lab.run()
    assert lab.files_asked_for() == ["nvlnbp.sys"]
