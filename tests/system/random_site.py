# SPDX-License-Identifier: BSD-2-Clause
"""Small random sites and machines that ask there, for the comparison with reference.py: of few
things each, so that they meet."""

import random
import sqlite3

import reference
from dataset import create
from reference_filter import BIOS, UEFI, Request

NOW_SLACK = 1000  # seconds that a time is away from now, at least, so that none passes meanwhile
ADDRESSES = ("127.0.0.1", "10.0.2.15", "192.168.7.9")
MAKERS = ("Dell Inc.", "QEMU", "")
PRODUCTS = ("OptiPlex 7090", "Latitude 5420", "Standard PC", "")
BUNDLES = ("win", "linux", "kiosk", "cad")
SETTINGS = {"menu-mode": ("never", "always", "hotkey"), "loader-bios": ("b1.0", "b2.0"),
            "loader-uefi": ("u1.efi", "u2.efi"), "attempts": ("1", "5"),
            "deadline": ("90s", "1d"), "job-by-mac": ("yes", "no"), "tftp-multicast": ("yes", "no")}
SECONDS = {"90s": 90, "1d": 86400, "4h": 14400}


def mac(number):
    return bytes([2, 0, 0, 0, 0, number])


def uuid(number):
    return bytes([0x6f, 0x70] + [0x6f] * 13 + [number])


def isd(number):
    return bytes([0x15] * 15 + [number])


class RandomSite:
    """Fills a database; the same seed gives the same, but for the time.

    One that is wild has, too, what reference.py knows nothing of."""

    def __init__(self, database, seed, now, wild=False):
        self.random = random.Random(seed)
        self.now = now
        create(database)
        with sqlite3.connect(database) as self.db:
            self.db.execute("PRAGMA foreign_keys=ON")
            self._fill()
            if wild:
                self._grow_wild()
        self.db.close()

    # --- pieces -----------------------------------------------------------------------

    def chance(self, part):
        return self.random.random() < part

    def some(self, things, most=2):
        return self.random.sample(things, min(len(things), self.random.randint(0, most)))

    def add(self, table, **columns):
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        return self.db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})",
                               list(columns.values())).lastrowid

    def time(self):
        """Returns a time that is clearly before or after now."""
        away = self.random.randint(NOW_SLACK, 10 * NOW_SLACK)
        return self.now + self.random.choice((-away, away))

    def request(self):
        """Makes a machine of the pools, whoever that is."""
        choose, usual = self.random.choice, self.random.randint(1, 7)

        def number():
            return self.random.randint(1, 9) if self.chance(0.4) else usual

        r = Request(
            mac=mac(number()), firmware=choose((BIOS, UEFI, UEFI)),
            memory_mib=choose((0, 4000, 8000, 16000)), installed_mib=choose((0, 8192, 16384)),
            secure_boot=choose((0, 1, 2)), tpm=choose((0, 1, 2)), cores=choose((0, 2, 4, 8)),
            manufacturer=choose(MAKERS), product=choose(PRODUCTS),
            serial=choose(("", "S1", "S1", "S2", "Default string")),
            asset_tag=choose(("", "A7")), bios_version=choose(("", "1.2")),
            disk=choose((None, (512, 1 << 21), (4096, 1 << 28))))
        if self.chance(0.6):
            r.uuid = choose((uuid(number()), uuid(number()), uuid(99), bytes([0xff] * 16)))
            if self.chance(0.1):
                r.uuid = reference.swap(r.uuid)
        if self.chance(0.15) and any(r.uuid):
            r.mac = bytes(6)
        if self.chance(0.4):
            r.isd_state, r.just_imaged = 2, choose((0, 1))
            r.isd_image = choose(("", "win", "LINUX.img", "other"))
            if self.chance(0.6):
                r.isd_device = isd(number())
        return r

    def comparison(self):
        choose = self.random.choice
        fact, operators, values = choose((
            (choose(("manufacturer", "maker")), ("=", "<>", "contains", "starts-with"),
             ('"Dell Inc."', "qemu", "''", "e")),
            ("product", ("=", "<>", "contains", "starts-with"),
             ("plex", "Latitude", '"Standard PC"')),
            ("asset-tag", ("=", "<>", "contains"), ("A7", "a", "''")),
            ("isd-image", ("=", "<>"), ("win", "other", "''")),
            ("name", ("=", "<>", "starts-with"), ("d1", "d", "D2")),
            ("cores", ("=", "<>", "<", ">", "<=", ">="), ("2", "4", "5")),
            ("memory", ("=", "<>", "<", ">", "<=", ">="), ("8G", "4000", "8192M", "16 G")),
            ("disk-size", ("<", ">", "<=", ">="), ("1G", "1T", "500G")),
            ("disks", ("=", ">"), ("0", "1")),
            ("firmware", ("=", "<>"), ("bios", "uefi")),
            ("secure-boot", ("=", "<>"), ("yes", "no")), ("tpm", ("=", "<>"), ("yes", "no")),
            ("isd-state", ("=", "<>"), ("valid", "not-read")),
            ("just-imaged", ("=", "<>"), ("yes", "no")),
            ("mac", ("=", "<>"), ("02:00:00:00:00:03", "02-00-00-00-00-07")),
            ("mac", ("starts-with", "contains"), ("020000", "07", "0:0")),
            ("address", ("=", "<>", "in", "<"), ("10.0.2.15", "127.0.0.1"))))
        operator, value = choose(operators), choose(values)
        if operator == "in":
            value = choose(("10.0.0.0/8", "127.0.0.0/8", "192.168.7.8/30"))
        elif operator in ("contains", "starts-with") and value == "''":
            value = "x"
        return f"{fact} {operator} {value}"

    def filter(self, depth=0):
        if depth == 0 and self.chance(0.3):
            return ""
        if depth > 2 or self.chance(0.4):
            return self.comparison()
        how = self.random.choice(("and", "or", "not", "()"))
        if how == "not":
            return f"not ({self.filter(depth + 1)})"
        if how == "()":
            return f"({self.filter(depth + 1)})"
        return f"{self.filter(depth + 1)} {how} {self.filter(depth + 1)}"

    # --- a site -----------------------------------------------------------------------

    def _settings(self, level, owner):
        for key in self.some(sorted(SETTINGS), 3):
            self.add("setting", level=level, owner=owner, key=key,
                     value=self.random.choice(SETTINGS[key]))

    def _device(self, i):
        choose = self.random.choice
        by = choose(("mac", "uuid", "isd", "all", "all"))
        device = self.add(
            "device", name=f"d{i}", added=1, folder=self.random.choice([None, *self.folders]),
            uuid=uuid(i) if by in ("uuid", "all") else None,
            isd=isd(i) if by in ("isd", "all") else None)
        if by in ("mac", "all"):
            self.add("mac", mac=mac(i), device=device)
        if by == "isd" and self.chance(0.4):
            self.db.execute("UPDATE device SET claim_uuid = ?, claim_mac = ? WHERE id = ?",
                            (uuid(i + 4), mac(i + 4) if self.chance(0.5) else None, device))
        for group in self.some(self.groups):
            self.add("member", device_group=group, device=device)
        if by != "isd" and self.chance(0.3):
            self.add("card", device=device, mac=choose((mac(i + 1), bytes(6))),
                     model="QEMU Standard PC",
                     serial=choose(("", "S1", "S2")), board="", time=1)
        if self.chance(0.3):
            self._settings("device", device)
        if self.chance(0.8):
            self.add("seen", device=device, time=self.now,
                     request=self.request().datagram(self.random.randbytes(16)),
                     address=self.random.choice(ADDRESSES))
        return device

    def _assignments(self):
        found = []
        if self.chance(0.4):
            return found  # rules are for those without
        for level, owners in (("global", [0]), ("folder", self.folders), ("group", self.groups),
                              ("device", self.devices)):
            for owner in self.some(owners, 2 if self.chance(0.7) else 0):
                for bundle in self.some(self.bundles):
                    mode = self.random.choice(("once", "always", "until"))
                    found.append(self.add(
                        "assignment", bundle=bundle, level=level, owner=owner, mode=mode,
                        until=self.time() if mode == "until" else 0, added=1))
        return found

    def _session(self, i):
        session = self.add("multicast", name=f"m{i}", bundle=self.random.choice(self.bundles),
                           clients=0, wait=10**6, added=1, last_joined=self.now,
                           state=self.random.choice(("waiting", "started", "ended")))
        for device in self.some(self.devices, 4):
            self.add("multicast_member", multicast=session, device=device,
                     joined=self.random.choice((0, self.now)))
        return session

    def _add_job(self, device, sources):
        for last in [False] * self.random.randint(0, 3) + [True]:
            open_state = last and self.chance(0.2)
            state = self.random.choice(("pending", "offered", "begun") if open_state
                                       else ("done", "failed", "cancelled"))
            source, of, bundle = self.random.choice(sources)
            attempts = self.random.choice((1, 3))
            job = self.add(
                "job", device=device, state=state, attempts=attempts, deadline=NOW_SLACK,
                attempt=0 if state == "pending" else self.random.randint(1, attempts),
                assigned=1, offered=1, begun=self.time() if state == "begun" else 0,
                ended=0 if open_state else 1, loader_bios=self.random.choice(("", "w.0")),
                loader_uefi=self.random.choice(("", "w.efi", "w.efi")), config="w.cfg", prefix="",
                details=b"", bundle=bundle, source=source, source_id=of)
            if state != "pending":
                self.add("offer", job=job, attempt=1, nonce=self.random.randbytes(16), time=1)

    def _fill(self):
        add, choose = self.add, self.random.choice
        self._settings("global", 0)
        if self.chance(0.2):
            add("setting", level="global", owner=0, key="admit-unknown", value="yes")
        if self.chance(0.2):
            add("setting", level="global", owner=0, key="shared-macs",
                value="02:00:00:00:00:03,020000000005")
        for number in self.some(range(1, 9)):
            add("uuid", uuid=uuid(number), state=choose(("shared", "ignored", "allowed")), time=1)
        self.folders = []
        for i in range(self.random.randint(0, 4)):
            self.folders.append(add("folder", parent=choose([None, *self.folders]), name=f"f{i}"))
            self._settings("folder", self.folders[-1])
        self.groups = [add("device_group", name=f"g{i}") for i in range(self.random.randint(0, 3))]
        self.bundles = [add(
            "bundle", name=name, kind="imaging", loader_bios=choose(("*", "", f"{name}.0")),
            loader_uefi=choose(("*", "*", "", f"{name}.efi")), config=f"{name}.cfg", prefix="",
            details=choose((b"", b"note=x\0image=linux.img\0")), attempts=choose((0, 2)),
            deadline=choose((0, 600)), added=1)
            for name in self.random.sample(BUNDLES, self.random.randint(1, len(BUNDLES)))]
        self.devices = [self._device(i) for i in range(1, 1 + self.random.randint(2, 7))]
        assignments = self._assignments()
        rules = [add("rule", position=9 - i // 2, name=f"r{i}", bundle=choose(self.bundles),
                     applies=choose(("known", "unknown", "both")), filter=self.filter(),
                     repeat=choose((0, 0, 1)), enabled=choose((0, 1, 1, 1)))
                 for i in range(self.random.randint(0, 6))]
        sessions = [self._session(i) for i in range(self.random.choice((0, 0, 1, 2)))]
        sources = [("hand", 0, None)] + [
            (source, row[0], row[1]) for source, table in
            (("assignment", "assignment"), ("rule", "rule"), ("multicast", "multicast"))
            for row in self.db.execute(f"SELECT id, bundle FROM {table}")]
        for device in self.devices:
            if self.chance(0.7):
                self._add_job(device, sources)
        return assignments, rules, sessions

    # --- what is seldom -------------------------------------------------------------------

    def _complete(self):
        """What ends jobs, and boots that came back to their disks."""
        for table, key in (("bundle", "id"), ("job", "id")):
            for row in self.db.execute(f"SELECT {key} FROM {table}").fetchall():
                self.db.execute(f"UPDATE {table} SET completes = ? WHERE {key} = ?",
                                (self.random.choice(("agent", "handover", "next-boot")), row[0]))
        offers = self.db.execute("SELECT device, nonce, job.id FROM offer"
                                 " JOIN job ON job.id = offer.job").fetchall()
        for device, nonce, job in offers:
            self.db.execute("UPDATE offer SET attempt = (SELECT attempt FROM job WHERE"
                            " id = ?1) WHERE job = ?1", (job,))
            if self.chance(0.5):
                self.add("event", device=device, time=self.now, step="local-boot", job=job,
                         milliseconds=1, reason="no job", boot=nonce)

    def _crowd_of_jobs(self, device):
        """Jobs of one bundle that were had many times within the hour, or nearly."""
        bundle = self.random.choice(self.bundles)
        self.db.execute("DELETE FROM job WHERE device = ?", (device,))
        assignment = self.db.execute(
            "INSERT INTO assignment (bundle, level, owner, mode, added) VALUES (?, 'device', ?,"
            " 'always', 1) ON CONFLICT (level, owner, bundle) DO UPDATE SET mode = 'always',"
            " until = 0 RETURNING id", (bundle, device)).fetchone()[0]
        early = self.random.choice((60, 60, 5000))
        for number in range(self.random.choice((11, 12, 12, 13))):
            self.add("job", device=device, state="done", attempts=1, deadline=60, attempt=1,
                     assigned=self.now - (early if number == 0 else 60), ended=self.now,
                     loader_bios="", loader_uefi="", config="", prefix="", details=b"",
                     bundle=bundle, source="assignment", source_id=assignment)

    def _unknown_machines(self):
        for _ in range(self.random.randint(2, 7)):
            request = self.request()
            self.db.execute(
                "INSERT OR IGNORE INTO unknown_machine (mac, uuid, first, last, boots, address,"
                " request, outcome) VALUES (?, ?, 1, ?, 1, '127.0.0.1', ?, '')",
                (request.mac, request.uuid, self.now - self.random.randint(1, 99),
                 request.datagram(self.random.randbytes(16))))

    def _limit_admissions(self):
        set_global = "INSERT OR REPLACE INTO setting VALUES ('global', 0, ?, ?)"
        if self.chance(0.4):
            self.db.execute(set_global, ("admit-unknown", "yes"))
        if self.chance(0.4):
            self.db.execute(set_global, ("admit-limit", str(self.random.randint(0, 3))))
            for device in self.some(self.devices, 3):
                self.add("admission", device=device, time=1)

    def _grow_wild(self):
        self._complete()
        for device in self.devices:
            if self.chance(0.25):
                self._crowd_of_jobs(device)
        self._unknown_machines()
        self._limit_admissions()
        for session in self.db.execute("SELECT id FROM multicast").fetchall():
            self.db.execute("UPDATE multicast SET wait = ?, last_joined = ?, clients = ?"
                            " WHERE id = ?", (NOW_SLACK, self.time() - NOW_SLACK,
                                              self.random.choice((0, 0, 1, 3)), session[0]))
