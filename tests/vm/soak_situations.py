# SPDX-License-Identifier: BSD-2-Clause
"""What a boot of a soak may meet, and what it must come to: always the local disk, by some way."""

import random
import signal
from dataclasses import dataclass

import machine
from lab import DEVICE

ALL = tuple(machine.FIRMWARES)
# A BIOS program that comes back at once: RETF.
COMES_BACK = b"\xcb" + bytes(511)


@dataclass(frozen=True)
class Situation:
    name: str
    steps: tuple           # as a scenario's
    firmwares: tuple = ALL
    job: dict = None       # the job assigned, as a scenario has it
    menu: bool = False     # it always shows
    silent: bool = False   # the policy server takes what comes, and says nothing
    damage: str = ""       # what is done to the NBP's file: cut, flip


_STARTS = "^OpenPreboot "
SITUATIONS = (
    Situation("no job", (_STARTS, "no job", r"\] local boot", "{disk}")),
    Situation("job", (_STARTS, "handing over to {loader}", "{disk}"), job={}),
    Situation("menu, exit", (_STARTS, "Esc: local boot", {"tap": "esc"}, r"\] local boot", "{disk}"),
              job={}, menu=True),
    Situation("server silent", (_STARTS, "no answer in", r"\] local boot", "{disk}"),
              job={}, silent=True),
    Situation("no loader", (_STARTS, r"missing\.0: not found", r"\] local boot", "{disk}"),
              job={"loader": "missing.0"}),
    Situation("no configuration", (_STARTS, r"missing\.cfg: not found", r"\] local boot", "{disk}"),
              job={"config": "missing.cfg"}),
    Situation("NBP cut", ("{disk}",), damage="cut", job={}),
    Situation("NBP damaged", ("{disk}",), damage="flip", job={}, firmwares=("seabios",)),
    # It comes back to the firmware, as it has the NBP's memory.
    Situation("loader comes back", (_STARTS, r"handing over to back\.0", "{disk}"),
              job={"loader": "back.0"}, firmwares=("seabios",)),
    # It has taken the network card from the firmware.
    Situation("loader comes back", (_STARTS, r"handing over to snponly\.efi", "gives up",
                                    r"\] local boot", "{disk}"),
              job={"loader": "snponly.efi"}, firmwares=("ovmf",)),
    # That a ROM which is iPXE itself would be given iPXE's script; so it is the NBP once more.
    Situation("loader comes back", (_STARTS, r"handing over to back\.efi", _STARTS, r"\] local boot",
                                    "{disk}"),
              job={"loader": "back.efi"}, firmwares=("ovmf-ipxe",)),
)


class Served:
    """What a lab's servers have ready for a machine, changed from boot to boot."""

    def __init__(self, lab):
        self._lab = lab
        self._random = random.Random(lab.folder.name)
        self._nbp = lab.folder / "tftp" / lab.firmware.nbp
        self._whole = self._nbp.resolve()
        (lab.folder / "tftp" / "back.0").write_bytes(COMES_BACK)
        (lab.folder / "tftp" / "back.efi").symlink_to(self._whole)

    def arrange(self, situation):
        lab = self._lab
        if situation.job is not None:
            job = {"config": "z_auto.cfg", **situation.job}
            machine.assign(lab.database, DEVICE, lab.firmware,
                           loader=lab.text(job.get("loader", "{loader}")), config=job["config"])
        lab.ctl(["settings", "set", DEVICE, f"menu-mode={'always' if situation.menu else 'never'}"])
        if situation.damage:
            self._serve(self._damaged(situation.damage))
        if situation.silent:
            lab.server.send_signal(signal.SIGSTOP)

    def undo(self, situation):
        lab = self._lab
        if situation.silent:
            lab.server.send_signal(signal.SIGCONT)
        if situation.damage:
            self._serve(None)
        if situation.job is not None:
            lab.ctl(["job", "cancel", DEVICE])

    def _serve(self, content):
        self._nbp.unlink()
        if content is None:
            self._nbp.symlink_to(self._whole)
        else:
            self._nbp.write_bytes(content)

    def _damaged(self, how):
        whole = bytearray(self._whole.read_bytes())
        if how == "cut":
            return bytes(whole[:self._random.randrange(512, len(whole) - 1)])
        bit = self._random.randrange(512 * 8, len(whole) * 8)
        whole[bit // 8] ^= 1 << bit % 8
        return bytes(whole)
