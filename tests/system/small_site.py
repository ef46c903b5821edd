# SPDX-License-Identifier: BSD-2-Clause
"""A small site as "prebootctl export" writes it, and helpers for exports and imports of it."""

import json
import sqlite3

from dataset import run

UUIDS = [f"4c4c4544-0034-4d10-8052-b4c04f4a324{i}" for i in range(3)]
SMALL = {
    "format": "openpreboot", "version": 4,
    "settings": {"menu-mode": "always"},
    "folders": [{"path": "/site"}, {"path": "/site/lab", "settings": {"menu-mode": "never"}}],
    "groups": [{"name": "kiosks"}],
    "devices": [
        {"name": "web01", "macs": ["52:54:00:12:34:56"], "folder": "/site/lab",
         "groups": ["kiosks"]},
        {"name": "db01", "uuid": "4c4c4544-0034-4d10-8052-b4c04f4a3232"}],
    "bundles": [{"name": "win", "kind": "imaging", "loader_bios": "*", "config": "z_auto.cfg",
                 "details": {"image": "win.img"}}],
    "assignments": [{"bundle": "win", "to": "/site", "mode": "once"}],
    "rules": [{"name": "big", "bundle": "win", "applies": "unknown", "filter": "memory >= 8G",
               "repeat": False, "enabled": True}],
    "multicast": [{"name": "monday", "bundle": "win", "clients": 2, "state": "waiting",
                   "members": [{"device": "web01"}]}],
    "jobs": [{"job": 7, "device": "web01", "state": "pending", "attempts": 3, "deadline": 60,
              "loader_bios": "pxelinux.0", "config": "a.cfg",
              "source": "assignment win to /site",
              "offers": []}],
    "last_job": 9,
}


def exported(database):
    result = run(database, "export")
    assert result.returncode == 0 and result.stderr == "", result.stderr
    return result.stdout


def changed(path, value):
    """Returns SMALL as text with another value, or without one, where a path leads."""
    data = json.loads(json.dumps(SMALL))
    inner = data
    for step in path[:-1]:
        inner = inner[step]
    if value is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return json.dumps(data, indent=2)


def contents(database):
    with sqlite3.connect(database) as db:
        dump = list(db.iterdump())
    db.close()
    return dump
