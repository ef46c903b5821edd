# SPDX-License-Identifier: BSD-2-Clause
"""What the server must decide, by its rules (server/rules.md) and as plainly as can be: whole
tables, gone through row by row. Shares nothing with the server's code."""

import sqlite3
from dataclasses import dataclass, field

import reference_filter
from reference_filter import BIOS, UEFI, VALID, Request

TABLES = ("device", "mac", "seen", "job", "offer", "setting", "folder", "device_group", "member",
          "bundle", "assignment", "rule", "multicast", "multicast_member", "unknown_machine",
          "uuid", "card")
OPEN = ("pending", "offered", "begun")
NO_UUIDS = (bytes.fromhex("03000200040005000006000700080009"),)
BUILT_IN = {"menu-mode": "never", "loader-bios": "pxelinux.0", "loader-uefi": "syslinux.efi",
            "attempts": "3", "deadline": "4h", "job-by-mac": "no",
            "admit-unknown": "no", "shared-macs": ""}


@dataclass
class Candidate:
    """What was looked at, in order, and what came of it."""
    source: str
    id: int
    bundle: dict
    taken: bool
    why: str


@dataclass
class Decision:
    device: dict = None      # None: an unknown machine
    claims: bool = False
    admits: bool = False     # the unknown machine becomes a device
    job: dict = None       # what is open
    candidates: list = field(default_factory=list)
    chosen: Candidate = None # where nothing is open
    loader: str = ""         # empty: it boots its disk
    config: str = ""


def uuid_ok(uuid):
    return bool(uuid) and len(set(uuid)) > 1 and uuid not in NO_UUIDS


def swap(uuid):
    """Returns it in the other byte order."""
    return uuid[3::-1] + uuid[5:3:-1] + uuid[7:5:-1] + uuid[8:]


def serials_of(request):
    """Returns what tells machines with one UUID apart: model, and the numbers that are some."""
    numbers = ["" if text in ("Default string", "0") else text for text in (request.serial, "")]
    return (f"{request.manufacturer} {request.product}", *numbers)


def likeness(one, other):
    alike = [a == b for a, b in zip(one[1:], other[1:]) if a and b]
    if not all(alike):
        return "different"
    return "same" if alike and one[0] == other[0] else "unknown"


class Site:
    """A database, read whole."""

    def __init__(self, database):
        db = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
        db.row_factory = sqlite3.Row
        try:
            db.execute("BEGIN")
            self.tables = {table: [dict(row) for row in db.execute(f"SELECT * FROM {table}")]
                           for table in TABLES}
        finally:
            db.close()

    def rows(self, table, **columns):
        """Returns the rows of which all these columns have these values."""
        return [row for row in self.tables[table]
                if all(row[name] == value for name, value in columns.items())]

    def one(self, table, **columns):
        found = self.rows(table, **columns)
        assert len(found) <= 1
        return found[0] if found else None

    # --- who is who -------------------------------------------------------------------

    def _uuid_of(self, device):
        return device["uuid"] or device["claim_uuid"]

    def _by_uuid(self, uuid):
        return self.one("device", uuid=uuid) or self.one("device", claim_uuid=uuid)

    def _by_mac(self, mac):
        row = self.one("mac", mac=mac)
        return self.one("device", id=row["device"]) if row else self.one("device", claim_mac=mac)

    def uuid_counts(self, uuid):
        word = self.one("uuid", uuid=uuid)
        return uuid_ok(uuid) and (not word or word["state"] == "allowed")

    def mac_counts(self, mac):
        prefixes = [bytes.fromhex(text.replace(":", ""))
                    for text in self.setting(None, "shared-macs").split(",")]
        return any(mac) and not any(p and mac.startswith(p) for p in prefixes)

    def _knows_mac(self, device, mac, request):
        """Says whether a MAC is known to be of the machine of a device's UUID."""
        if mac and (self.one("mac", mac=mac, device=device["id"]) or device["claim_mac"] == mac):
            return True
        card = self.one("card", device=device["id"], mac=mac or bytes(6))
        serials = serials_of(request)[1:]
        return card is not None and (not any(serials) or
                                     serials == (card["serial"], card["board"]))

    def is_another(self, device, mac, request):
        """Says whether a machine with a device's UUID is another one, or may be."""
        known = [(card["mac"], (card["model"], card["serial"], card["board"]))
                 for card in self.rows("card", device=device["id"])]
        macs = {row["mac"] for row in self.rows("mac", device=device["id"])}
        macs |= {device["claim_mac"]} - {None}
        seen = self.one("seen", device=device["id"])
        last = Request.parse(seen["request"]) if seen else None
        if last and last.uuid == request.uuid and (
                last.mac in macs | {mac for mac, _ in known} or not (macs or known)):
            known.append((None if macs or known else last.mac, serials_of(last)))
        likenesses = {likeness(serials_of(request), serials) for _, serials in known}
        if "different" in likenesses or "same" in likenesses:
            return "different" in likenesses
        if not mac or mac in {mac for mac, _ in known}:
            return False
        other = self._by_mac(mac)
        if other and other is not device and self._uuid_of(other):
            return False
        return bool(other or macs or known)

    def _reported_uuid(self, request):
        """Returns the UUID that a machine tells, or None where it tells nothing."""
        uuid = request.uuid if self.uuid_counts(request.uuid) else None
        mac = request.mac if self.mac_counts(request.mac) else None
        of_uuid = self._by_uuid(uuid) if uuid else None
        if of_uuid and not self.one("uuid", uuid=uuid) and \
                not self._knows_mac(of_uuid, mac, request) and \
                (mac or any(serials_of(request)[1:])) and self.is_another(of_uuid, mac, request):
            return None
        return uuid

    def identify(self, request):
        """Returns the device, or None; whether the machine claims it; and, of one that is nobody,
        whether it looks like a device, or tells nothing, so that it is not admitted."""
        uuid = self._reported_uuid(request)
        mac = request.mac if self.mac_counts(request.mac) else None
        of_uuid = self._by_uuid(uuid) if uuid else None
        of_mac = self._by_mac(mac) if mac else None
        of_isd = self.one("device", isd=request.isd_device) if uuid_ok(request.isd_device) else None
        if of_uuid:
            return of_uuid, False, False
        if of_isd and not (uuid and self._uuid_of(of_isd)):
            # Its hardware must confirm it.
            if of_mac is of_isd:
                return of_isd, bool(uuid), False
            alone = not (self._uuid_of(of_isd) or of_isd["claim_mac"] or
                         self.rows("mac", device=of_isd["id"]))
            # The first machine with it, if there is something to know that one by.
            if alone and (uuid or (mac and not of_mac)):
                return of_isd, True, False
        swapped = uuid and self._by_uuid(swap(uuid))
        if of_mac and not (uuid and self._uuid_of(of_mac)):
            return of_mac, bool(uuid and not swapped), False
        return None, False, bool(of_isd or swapped or not (uuid or mac))

    def admission(self, request):
        """Returns the name of the device that an unknown machine becomes, or None."""
        mac = self.mac_counts(request.mac) and not self._by_mac(request.mac)
        uuid = self.uuid_counts(request.uuid) and not self._by_uuid(request.uuid)
        for other in self.rows("unknown_machine", uuid=request.uuid) if uuid else ():
            how = likeness(serials_of(request), serials_of(Request.parse(other["request"])))
            if other["mac"] != request.mac and not self.one("uuid", uuid=request.uuid):
                uuid = uuid and how != "different" and (
                    how == "same" or not self.mac_counts(other["mac"]))
        if not mac and not uuid:
            return None
        return "pc-" + (request.mac if mac else request.uuid).hex()

    def unproven(self, device, request):
        """Says whether all that speaks for who it is is the MAC, and that is not enough."""
        reported = self._reported_uuid(request)
        own = device and self._uuid_of(device)
        # A UUID that is not simply one machine's is as good as none, on either side.
        if reported or not own or not self.uuid_counts(own) or own == request.uuid:
            return False
        of_mac = self._by_mac(request.mac) if any(request.mac) else None
        if not of_mac or of_mac["id"] != device["id"]:
            return False
        if uuid_ok(request.isd_device) and device is self.one("device", isd=request.isd_device):
            return False
        return self.setting(device, "job-by-mac") != "yes"

    # --- settings ---------------------------------------------------------------------

    def folders(self, device):
        """Returns the folder of a device, and those around it."""
        found, at = [], device["folder"] if device else None
        while at:
            found.append(self.one("folder", id=at))
            at = found[-1]["parent"]
        return found

    def setting(self, device, key):
        levels = [("device", device["id"])] if device else []
        levels += [("folder", folder["id"]) for folder in self.folders(device)] + [("global", 0)]
        for level, owner in levels:
            row = self.one("setting", level=level, owner=owner, key=key)
            if row:
                return row["value"]
        return BUILT_IN[key]

    def loader(self, row, firmware, device):
        """Returns the loader that a bundle or a job has for a firmware; empty: none."""
        kind = {BIOS: "bios", UEFI: "uefi"}.get(firmware)
        loader = row["loader_" + kind] if kind else ""
        return self.setting(device, "loader-" + kind) if loader == "*" else loader

    def _is_due(self, session, now):
        """Says whether a session that waits is to start."""
        joined = self.joined(session)
        return joined and (0 < session["clients"] <= joined or (
            session["wait"] and session["last_joined"] + session["wait"] <= now))

    def sweep(self, now):
        """Does to its rows what the server does each second, without being asked."""
        due = [session["id"] for session in self.tables["multicast"]
               if self._is_due(session, now)]
        for row in self.tables["job"]:
            if row["state"] == "begun" and row["begun"] + row["deadline"] <= now:
                row["state"] = "failed"
        for session in self.tables["multicast"]:
            if session["state"] == "waiting" and session["id"] in due:
                session["state"] = "started"
            if session["state"] == "started" and not any(
                    row["state"] in OPEN and row["source"] == "multicast" and
                    row["source_id"] == session["id"] and
                    self.one("multicast_member", multicast=session["id"], device=row["device"])
                    for row in self.tables["job"]):
                session["state"] = "ended"

    def settled(self, now):
        """Says whether the server has done all that it does without being asked."""
        open_jobs = [row for row in self.tables["job"] if row["state"] in OPEN]
        overdue = any(row["state"] == "begun" and row["begun"] + row["deadline"] <= now
                      for row in open_jobs)
        over = any(session["state"] == "started" and not any(
            row["source"] == "multicast" and row["source_id"] == session["id"] and
            self.one("multicast_member", multicast=session["id"], device=row["device"])
            for row in open_jobs) for session in self.tables["multicast"])
        due = any(session["state"] == "waiting" and self._is_due(session, now)
                  for session in self.tables["multicast"])
        return not overdue and not over and not due

    # --- jobs -------------------------------------------------------------------------

    def joined(self, session):
        """Returns how many of a session's members count as having joined it."""
        return sum(1 for member in self.rows("multicast_member", multicast=session["id"])
                   if member["joined"] and (session["state"] == "ended" or any(
                       row["state"] in OPEN or (session["state"] == "started" and (
                           row["state"] == "done" or row["ended"] > session["started"]))
                       for row in self.rows("job", device=member["device"], source="multicast",
                                            source_id=session["id"]))))

    def _last(self, device, **columns):
        """Returns how the last job of a source or a bundle ended; None: none has, or one is
        under way."""
        jobs = sorted(self.rows("job", device=device["id"], **columns),
                        key=lambda row: row["id"])
        if not jobs or jobs[-1]["state"] in OPEN:
            return None
        return jobs[-1]["state"]

    def _session(self, device, member, request):
        """Returns why a session is skipped, or None to take it."""
        session = self.one("multicast", id=member["multicast"])
        past = self._last(device, source="multicast", source_id=session["id"])
        if session["state"] == "ended":
            return "ended"
        if past:
            return past
        if session["state"] == "started" and not member["joined"]:
            return "late"
        return self._no_loader(session["bundle"], device, request)

    def _no_loader(self, bundle, device, request):
        if request is None or self.loader(self.one("bundle", id=bundle), request.firmware, device):
            return None
        return "loader"

    def _assignment(self, device, assignment, request, now, had):
        """Returns why an assignment is skipped, or None; and whether it is one at all."""
        past = self._last(device, source="assignment", source_id=assignment["id"])
        if assignment["mode"] == "until" and assignment["until"] <= now:
            return "over", False
        if self._no_loader(assignment["bundle"], device, request):
            return "loader", False
        if past == "failed" or (past and assignment["mode"] == "once"):
            return past, True
        return ("nearer" if assignment["bundle"] in had else None), True

    def _rule(self, device, rule, request, address):
        """Returns why a rule is skipped, or None; and whether it ends the search."""
        if rule["applies"] not in ("both", "known" if device else "unknown"):
            return "not for it", False
        if request is None or not reference_filter.matches(
                rule["filter"], request, address, device["name"] if device else ""):
            return "no match", False
        if self._no_loader(rule["bundle"], device, request):
            return "loader", False
        past = device and self._last(device, bundle=rule["bundle"])
        if past == "failed" or (past and not rule["repeat"]):
            return past, True
        if rule["repeat"]:
            return None, True
        bundle = self.one("bundle", id=rule["bundle"])
        images = [text[6:] for text in bundle["details"].split(b"\0") if
                  text.startswith(b"image=")] + [bundle["name"].encode()]
        if request.isd_state == VALID and request.isd_image and \
                request.isd_image.lower() == images[0].decode().lower():
            return "image", True
        return None, True

    def _assignments(self, device):
        """Returns those that are for a device, in order."""
        groups = sorted(row["device_group"] for row in self.rows("member", device=device["id"]))
        owners = [("device", device["id"])] + [("group", group) for group in groups]
        owners += [("folder", folder["id"]) for folder in self.folders(device)] + [("global", 0)]
        return [row for level, owner in owners
                for row in sorted(self.rows("assignment", level=level, owner=owner),
                                  key=lambda row: row["id"])]

    def candidates(self, device, request, address, now):
        """Returns all that could be a job for a machine, in order."""
        found = []

        def add(source, row, why):
            taken = why is None and not any(other.taken for other in found)
            found.append(Candidate(source, row["id"], self.one("bundle", id=row["bundle"]), taken,
                                   why or ("taken" if taken else "behind")))

        had = set()
        if device:
            for member in sorted(self.rows("multicast_member", device=device["id"]),
                                 key=lambda row: row["multicast"]):
                add("multicast", self.one("multicast", id=member["multicast"]),
                    self._session(device, member, request))
            for assignment in self._assignments(device):
                why, counts = self._assignment(device, assignment, request, now, had)
                if counts:
                    had.add(assignment["bundle"])
                add("assignment", assignment, why)
        ended = bool(had)
        for rule in sorted(self.tables["rule"], key=lambda row: (row["position"], row["id"])):
            why, ends = ("disabled", False) if not rule["enabled"] else \
                ("ended", False) if ended else \
                self._rule(device, rule, request, address)
            ended = ended or ends
            add("rule", rule, why)
        return found

    def decide(self, request, address, now, device=None):
        """Decides on what a machine asks. @device: who it is, where that is known."""
        d = Decision(device)
        if device is None:
            d.device, d.claims, pretends = self.identify(request)
            name = None if d.device or pretends else self.admission(request)
            if not d.device and not name:
                return d
        d.job = next((row for row in self.tables["job"] if d.device and
                        row["device"] == d.device["id"] and row["state"] in OPEN), None)
        self._choose(d, d.device, request, address, now)
        who = d.device
        if not who and not d.chosen and self.setting(None, "admit-unknown") == "yes":
            # It becomes a device, and as such may have a job at once.
            d.admits = True
            who = {"id": None, "folder": None, "name": name}
            self._choose(d, who, request, address, now)
        job = d.job or (d.chosen and d.chosen.bundle)
        if d.job and (d.job["attempt"] >= d.job["attempts"] or (
                d.job["state"] == "begun" and d.job["begun"] + d.job["deadline"] <= now)):
            job = None
        if job and request and self.unproven(d.device, request):
            job = None
        if job and request:
            d.loader = self.loader(job, request.firmware, who)
            d.config = job["config"] if d.loader else ""
        d.admits = d.admits or bool(who is None and d.chosen)
        return d

    def _choose(self, d, device, request, address, now):
        d.candidates = self.candidates(device, request, address, now)
        if not d.job:
            d.chosen = next((candidate for candidate in d.candidates if candidate.taken), None)
