# SPDX-License-Identifier: BSD-2-Clause
"""Random data of an administrator, put into a database row by row."""

import functools
import random
import sqlite3
import subprocess
import tempfile
import uuid
from pathlib import Path

from policy import BUILD

BEGUN = 1_760_000_000  # a time that others are near to


def run(database, *arguments, **more):
    return subprocess.run([BUILD / "prebootctl", "--database", database, *map(str, arguments)],
                          capture_output=True, text=True, timeout=60, check=False, **more)


@functools.cache
def empty():
    """Returns the bytes of an empty database."""
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "empty.db"
        run(database, "settings", "set", "menu-mode=never")
        run(database, "settings", "unset", "menu-mode")
        return database.read_bytes()


def create(database, sql=""):
    """Makes an empty database, and fills it by @sql; returns its path."""
    Path(database).write_bytes(empty())
    Path(database).chmod(0o600)
    with sqlite3.connect(database) as db:
        db.executescript(sql)
    db.close()
    return database


class Dataset:
    """Fills a database; the same seed gives the same data. With shared UUIDs it is not sound."""

    def __init__(self, database, seed, devices=30, shared=False):
        self.shared = shared
        self.random = random.Random(seed)
        create(database)
        with sqlite3.connect(database) as self.db:
            self.db.execute("PRAGMA foreign_keys=ON")
            self.fill(devices)
        self.db.close()

    def time(self, absent=0.3):
        return 0 if self.random.random() < absent else BEGUN + self.random.randrange(10**7)

    def some(self, things, most=3):
        return self.random.sample(things, self.random.randrange(min(most, len(things)) + 1))

    def name(self, what, number):
        middle = "".join(self.random.choices("abcxyz0189._-", k=self.random.randrange(6)))
        return f"{what}{middle}Z{number}"

    def add(self, table, **columns):
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        return self.db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})",
                               list(columns.values())).lastrowid

    def details(self):
        keys = self.random.sample(["image", "note", "disk", "_x", "Part2"],
                                  self.random.randrange(5))
        return b"".join(f"{key}={self.value()}".encode() + b"\0" for key in keys)

    def value(self):
        return "".join(self.random.choices(' !"#\\/=abc<>&\x7e', k=self.random.randrange(20)))

    def settings(self, level, owner):
        values = {"menu-mode": ["never", "always", "hotkey"],
                  "hot-key": ["ctrl+alt", "x", '"', "\\"],
                  "menu-file": ["a/b.txt"], "attempts": ["1", "100"],
                  "local-boot-uefi": ["exit", "bootnext"], "answer-validity": ["0", "65535"]}
        for key in self.some(sorted(values), 6):
            self.add("setting", level=level, owner=owner, key=key,
                     value=self.random.choice(values[key]))
        if level == "global" and self.random.random() < 0.5:
            self.add("setting", level=level, owner=owner, key="admit-unknown", value="yes")

    def fill(self, count):
        choose = self.random.choice
        self.settings("global", 0)
        folders = []
        for i in range(self.random.randrange(8)):
            folders.append(self.add("folder", parent=choose([None, *folders]),
                                    name=self.name("f", i)))
            self.settings("folder", folders[-1])
        groups = [self.add("device_group", name=self.name("g", i))
                  for i in range(self.random.randrange(5))]
        bundles = [self.bundle(i) for i in range(1 + self.random.randrange(5))]
        devices = [self.device(i, folders, groups) for i in range(count)]
        self.uuids()
        gone = self.some(devices, 3)
        assignments = self.assignments(bundles, folders, groups, devices)
        rules = [self.add("rule", position=10 - i, name=self.name("r", i), bundle=choose(bundles),
                          applies=choose(["known", "unknown", "both"]),
                          filter=choose(["", "memory >= 8G", 'maker = "Dell Inc."']),
                          repeat=choose([0, 1]), enabled=choose([0, 1]))
                 for i in range(self.random.randrange(5))]
        sessions = [self.session(i, bundles, devices) for i in range(self.random.randrange(3))]
        for device in devices:
            self.add_jobs(device, bundles, assignments, rules, sessions)
        # Numbers with holes between them, and things that jobs came from which are gone.
        for device in gone:
            self.db.execute("DELETE FROM device WHERE id = ?", [device])
        for rule in self.some(rules, 1):
            self.db.execute("DELETE FROM rule WHERE id = ?", [rule])
        for assignment in self.some(assignments, 2):
            self.db.execute("DELETE FROM assignment WHERE id = ?", [assignment])

    def uuids(self):
        listed = [row[0] for row in self.db.execute(
            "SELECT uuid FROM device WHERE uuid IS NOT NULL ORDER BY id LIMIT 2")]
        for uuid_of in [*listed, self.random.randbytes(16)] if self.shared else []:
            self.add("uuid", uuid=uuid_of, state="shared", time=self.time(0))
            for number in range(self.random.randrange(4)):
                self.add("witness", uuid=uuid_of, mac=bytes([number, 1, 2, 3, 4, 5]),
                         model=self.random.choice(["", "Dell Inc. XPS"]), first=self.time(0),
                         serial=self.random.choice(["", "5CG1"]), board="", last=self.time(0))
        for state in ("ignored", "allowed"):
            self.add("uuid", uuid=self.random.randbytes(16), state=state, time=self.time(0))
        self.add("uuid", uuid=bytes([254] * 16), state="ignored", time=self.time(0))

    def bundle(self, i):
        return self.add(
            "bundle", name=self.name("b", i), added=self.time(),
            kind=self.random.choice(["imaging", "third-party", "kickstart", "script", "multicast"]),
            loader_bios=self.random.choice(["*", "pxelinux.0"]),
            loader_uefi=self.random.choice(["*", "", "efi/x.efi"]), config="z_auto.cfg",
            prefix=self.random.choice(["", "boot/"]), details=self.details(),
            attempts=self.random.choice([0, 3, 100]), deadline=self.random.choice([0, 60, 86400]))

    def device(self, i, folders, groups):
        isd_only = self.random.random() < 0.2
        guid = lambda: uuid.UUID(int=self.random.getrandbits(128)).bytes
        mac = lambda: bytes([2, *self.random.randbytes(5)])
        device = self.add(
            "device", name=self.name("d", i), folder=self.random.choice([None, *folders]),
            added=self.time(0), isd=guid() if isd_only or self.random.random() < 0.3 else None,
            uuid=guid() if not isd_only and self.random.random() < 0.5 else None,
            claim_uuid=guid() if isd_only and self.random.random() < 0.5 else None,
            claim_mac=mac() if isd_only and self.random.random() < 0.5 else None)
        for _ in range(0 if isd_only else 1 + self.random.randrange(3)):
            self.add("mac", mac=mac(), device=device)
        for card in range(self.random.randrange(3)):
            self.add("card", device=device, mac=mac() if card else bytes(6), model="Dell Inc. XPS",
                     serial=self.random.choice(["", "5CG1"]), board=self.random.choice(["", "B 2"]),
                     time=self.time())
        for group in self.some(groups):
            self.add("member", device_group=group, device=device)
        if self.random.random() < 0.3:
            self.settings("device", device)
        return device

    def assignments(self, bundles, folders, groups, devices):
        added = []
        for level, owners in (("global", [0]), ("folder", folders), ("group", groups),
                              ("device", devices)):
            for owner in self.some(owners, 5):
                for bundle in self.some(bundles, 2):
                    mode = self.random.choice(["once", "always", "until"])
                    added.append(self.add("assignment", bundle=bundle, level=level, owner=owner,
                                          mode=mode, added=self.time(),
                                          until=self.time(0) if mode == "until" else 0))
        return added

    def session(self, i, bundles, devices):
        session = self.add(
            "multicast", name=self.name("m", i), bundle=self.random.choice(bundles),
            clients=self.random.choice([0, 2]), wait=600, added=self.time(),
            state=self.random.choice(["waiting", "started", "ended"]), last_joined=self.time(),
            started=self.time(), ended=self.time())
        for device in self.some(devices, 5):
            self.add("multicast_member", multicast=session, device=device, joined=self.time())
        return session

    def add_jobs(self, device, bundles, assignments, rules, sessions):
        for last in [False] * self.random.randrange(3) + [True]:
            state = self.random.choice(["done", "failed", "cancelled"] +
                                       (["pending", "offered", "begun"] if last else []))
            source, of = self.random.choice(
                [("hand", 0)] + [("rule", r) for r in rules] +
                [("multicast", s) for s in sessions] + [("assignment", a) for a in assignments])
            attempt = 0 if state == "pending" else self.random.randrange(1, 4)
            job = self.add(
                "job", device=device, state=state, attempt=attempt, attempts=3, deadline=14400,
                assigned=self.time(0), offered=self.time(), begun=self.time(0),
                ended=0 if state in ("pending", "offered", "begun") else self.time(0),
                loader_bios="pxelinux.0", loader_uefi="", config="z.cfg", prefix="",
                details=self.details(), reason=self.value(), source=source, source_id=of,
                bundle=self.random.choice([None, *bundles]))
            for number in range(1, attempt + 1):
                self.add("offer", job=job, attempt=number, time=self.time(0),
                         nonce=self.random.randbytes(16))
