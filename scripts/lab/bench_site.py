# SPDX-License-Identifier: BSD-2-Clause
"""Databases of large sites for scripts/bench-server, with what real ones have: folders, groups,
bundles, rules, exceptions, and a history."""

import shutil
import sqlite3
import struct
import subprocess
import time

SITES = 10
ROOM = 500         # devices of a room, from a hundred thousand devices on
GROUPS = 20
LOADERS = ("*", "*")
HOUR = 3600

# A global bundle that all have done, one that a group has done, past ones, one for a room.
BUNDLES = ("base-2026.1", "office", "exam-2025", "cad", "firmware", "memory-test", "winpe",
           "kiosk", "server", "new-image")
RULES = (
    ("cad-workstations", 'product contains "Precision" and memory >= 32G', "known", "cad"),
    ("small-disks", "disk-size < 60G", "known", "kiosk"),
    ("old-firmware", 'bios-version starts-with "0."', "known", "firmware"),
    ("new-machines", 'manufacturer = "Dell Inc." and memory >= 64G', "unknown", "server"),
)


def mac(number):
    """A device's MAC address, as tests/bench/load.c has it."""
    return b"\x52\x54" + struct.pack(">I", number)


def uuid(number):
    return bytes.fromhex("6f70656e7072456280000000") + struct.pack(">I", number)


def name(number):
    return f"pc-{number:07}"


def prebootctl(build, database, *arguments):
    subprocess.run([build / "prebootctl", "--database", database, *arguments], check=True,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def _policy(db, rooms, now):
    """Adds folders, groups, bundles, and what all devices share; returns the rooms' ids."""
    for i in range(SITES):
        db.execute("INSERT INTO folder (name) VALUES (?)", (f"site-{i}",))
    sites = [row[0] for row in db.execute("SELECT id FROM folder ORDER BY id")]
    db.executemany("INSERT INTO folder (parent, name) VALUES (?, ?)",
                   ((sites[i % SITES], f"room-{i:04}") for i in range(rooms)))
    ids = [row[0] for row in db.execute(
        "SELECT id FROM folder WHERE parent IS NOT NULL ORDER BY id")]
    db.executemany("INSERT INTO device_group (name) VALUES (?)",
                   ((f"group-{i}",) for i in range(GROUPS)))
    db.executemany(
        "INSERT INTO bundle (name, kind, loader_bios, loader_uefi, config, prefix, details,"
        " attempts, deadline, added) VALUES (?, 'imaging', ?, ?, 'z_auto.cfg', '', ?, 0, 0, ?)",
        ((bundle, *LOADERS, b"image=%s.img\0" % bundle.encode(), now - 900 * HOUR)
         for bundle in BUNDLES))
    bundle = dict(db.execute("SELECT name, id FROM bundle"))
    add = ("INSERT INTO assignment (bundle, level, owner, mode, until, added)"
           " VALUES (?, ?, ?, ?, ?, ?)")
    db.execute(add, (bundle["base-2026.1"], "global", 0, "once", 0, now - 800 * HOUR))
    db.execute(add, (bundle["office"], "group", 1, "once", 0, now - 700 * HOUR))
    for site in sites:
        db.execute(add, (bundle["exam-2025"], "folder", site, "until", now - 600 * HOUR,
                         now - 700 * HOUR))
    db.executemany("INSERT INTO rule (position, name, bundle, applies, filter)"
                   " VALUES (?, ?, ?, ?, ?)",
                   ((i, title, bundle[what], applies, text)
                    for i, (title, text, applies, what) in enumerate(RULES, 1)))
    db.executemany("INSERT INTO setting VALUES ('folder', ?, 'menu-mode', 'hotkey')",
                   ((site,) for site in sites[::2]))
    return ids


def _devices(db, count, rooms, now):
    """Adds devices, their addresses, groups and exceptions; id 1 is machine 0."""
    numbers = range(count)
    db.executemany(
        "INSERT INTO device (id, name, uuid, isd, folder, added) VALUES (?, ?, ?, ?, ?, ?)",
        ((i + 1, name(i), uuid(i) if i % 20 else None,
          b"isd-" + struct.pack(">Q", i) + b"\x80\0\0\1" if i % 5 == 0 else None,
          rooms[i % len(rooms)], now - 850 * HOUR) for i in numbers))
    db.executemany("INSERT INTO mac VALUES (?, ?)", ((mac(i), i + 1) for i in numbers))
    # A second adapter.
    db.executemany("INSERT INTO mac VALUES (?, ?)",
                   ((b"\x52\x55" + struct.pack(">I", i), i + 1) for i in range(0, count, 10)))
    db.executemany("INSERT INTO member VALUES (?, ?)",
                   ((1 + i % GROUPS, i + 1) for i in numbers if i % 3 == 0))
    db.executemany("INSERT INTO setting VALUES ('device', ?, 'menu-mode', 'always')",
                   ((i + 1,) for i in range(0, count, 100)))


def _past(db, count, now):
    """Adds the jobs that the devices have done."""
    done = ("INSERT INTO job (device, state, attempt, attempts, deadline, assigned, offered,"
            " begun, ended, loader_bios, loader_uefi, config, prefix, details, bundle, source,"
            " source_id) VALUES (?, 'done', 1, 3, 14400, ?1, ?1, ?1, ?1, 'pxelinux.0',"
            " 'syslinux.efi', 'z_auto.cfg', '', x'', ?, 'assignment', ?)").replace("?1", str(now))
    assignments = dict(db.execute("SELECT level, id FROM assignment WHERE level <> 'folder'"))
    bundle = dict(db.execute("SELECT name, id FROM bundle"))
    db.executemany(done, ((i + 1, bundle["base-2026.1"], assignments["global"])
                          for i in range(count)))
    db.executemany(done, ((device, bundle["office"], assignments["group"]) for (device,) in
                          list(db.execute("SELECT device FROM member WHERE device_group = 1"))))


def make(build, path, count):
    """Makes a database of @count devices that have nothing to do; does nothing where it is
    there and of today's schema."""
    fresh = path.with_suffix(".new")
    for suffix in ("", "-wal", "-shm"):
        fresh.with_name(fresh.name + suffix).unlink(missing_ok=True)
    prebootctl(build, fresh, "settings", "set", "menu-mode=never")
    if path.exists() and _schema(path) == _schema(fresh):
        fresh.unlink()
        return
    now = int(time.time())
    db = sqlite3.connect(fresh)
    db.execute("PRAGMA synchronous=OFF")
    db.execute("PRAGMA cache_size=-400000")
    with db:
        # Nobody follows what changes here, and it would take twice as long.
        triggers = list(db.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"
                                   " AND sql LIKE '%INTO change%'"))
        for trigger, _ in triggers:
            db.execute(f"DROP TRIGGER {trigger}")
        rooms = _policy(db, max(2 * SITES, min(2000, count // ROOM)), now)
        _devices(db, count, rooms, now)
        _past(db, count, now)
        for _, sql in triggers:
            db.execute(sql)
        db.execute("DELETE FROM change")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    if count <= 1000:  # the others are alike, and it takes long
        prebootctl(build, fresh, "check")
    fresh.rename(path)


def _schema(path):
    db = sqlite3.connect(path)
    try:
        return sorted(str(row[0]) for row in db.execute("SELECT sql FROM sqlite_schema"))
    finally:
        db.close()


def copy(path, target):
    """Copies a database that nobody has open."""
    for suffix in ("-wal", "-shm", ".lock"):
        target.with_name(target.name + suffix).unlink(missing_ok=True)
    shutil.copyfile(path, target)
    target.chmod(0o600)


def assign_to_all(path, bundle):
    """Gives each device of a database a job: all are assigned a bundle that none has done."""
    with sqlite3.connect(path) as db:
        db.execute("INSERT INTO assignment (bundle, level, owner, mode, added)"
                   " SELECT id, 'global', 0, 'once', 0 FROM bundle WHERE name = ?", (bundle,))
    db.close()


def pending_for_all(path):
    """The same by hand: each device has a job that waits."""
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA synchronous=OFF")
        db.execute("INSERT INTO job (device, state, attempts, deadline, assigned, loader_bios,"
                   " loader_uefi, config, prefix, details) SELECT id, 'pending', 3, 14400, 0,"
                   " 'pxelinux.0', 'syslinux.efi', 'z_auto.cfg', '', x'' FROM device")
        db.execute("DELETE FROM change")
    db.close()
