# SPDX-License-Identifier: BSD-2-Clause
"""Machines that share a UUID, and laptops that share a dock's MAC: none gets another one's job."""

import json
import re
import sqlite3

import policy
import pytest
from test_machines import UUID1, UUID2, eventually, request

A, B, C = "52:54:00:12:34:0a", "52:54:00:12:34:0b", "52:54:00:12:34:0c"
SERIAL, PRODUCT, BOARD = 0x15, 0x14, 0x1f


def ask(daemon, mac, uuid=UUID1, serial=None):
    answer = request(daemon, mac, uuid, fields={SERIAL: serial} if serial else {})
    return answer[policy.DECISION], answer.get(policy.NAME, b"").decode()


def test_two_boards_with_one_uuid(ctl, daemon):
    ctl("device", "add", "a", A, UUID1)
    ctl("job", "assign", "a", "--config", "wipe.cfg", "--attempts", "9")
    assert ask(daemon, B) == (policy.DECISION_LOCAL, "")  # the hostile one first
    assert ask(daemon, A) == (policy.DECISION_JOB, "a")  # its registered MAC confirms it
    assert ask(daemon, B) == (policy.DECISION_LOCAL, "")
    assert eventually(lambda: [e for e in ctl.json("event", "list", "a")
                               if e["step"] == "conflict"])
    assert ctl.json("uuid", "list")[0]["state"] == "shared"
    assert {row["mac"] for row in ctl.json("uuid", "show", UUID1)} == {A, B}
    assert f"UUID of device a, {UUID1}, came with MACs" in ctl.run("check").stdout
    ctl("device", "add", "b", B)
    assert ask(daemon, B) == (policy.DECISION_LOCAL, "b")
    assert "nothing is assigned" in ctl("explain", B)
    shown = ctl.run("uuid", "allow", UUID1).stderr
    assert f"warning: it was reported with {B}, which is device b's" in shown
    assert "device a" not in shown
    assert ask(daemon, C) == (policy.DECISION_JOB, "a")


def test_by_uuid_alone(ctl, daemon):
    """The first that comes is it; from the second on, nobody is."""
    ctl("device", "add", "a", "--uuid", UUID1)
    ctl("job", "assign", "a", "--config", "wipe.cfg", "--attempts", "9")
    assert ask(daemon, A) == (policy.DECISION_JOB, "a")
    assert ask(daemon, A) == (policy.DECISION_JOB, "a")
    assert ask(daemon, B) == (policy.DECISION_LOCAL, "")
    assert ask(daemon, A) == (policy.DECISION_LOCAL, "")


def test_cards_of_one_machine(ctl, daemon):
    ctl("device", "add", "a", "--uuid", UUID1)
    for mac in (A, B, C):
        assert ask(daemon, mac, serial=b"5CG0123") == (policy.DECISION_LOCAL, "a")
    assert ask(daemon, "52:54:00:12:34:0d", serial=b"5CG9999") == (policy.DECISION_LOCAL, "")
    assert ask(daemon, A, serial=b"5CG0123") == (policy.DECISION_LOCAL, "")


@pytest.mark.parametrize("serial", [None, b"To be filled by O.E.M.", b"Default string", b"0"])
def test_admitted_by_themselves(ctl, daemon, serial):
    """Two machines never become one device."""
    ctl("device", "add", "other", "52:54:00:00:00:01")
    ctl("settings", "set", "admit-unknown=yes")
    assert ask(daemon, A, serial=serial) == (policy.DECISION_LOCAL, "pc-52540012340a")
    assert ask(daemon, B, serial=serial) == (policy.DECISION_LOCAL, "pc-52540012340b")
    assert ask(daemon, A, serial=serial) == (policy.DECISION_LOCAL, "pc-52540012340a")


def test_dock(ctl, daemon):
    """A device known by a dock's MAC is the first laptop's; the second is admitted by its UUID."""
    ctl("device", "add", "lap-1", A)
    ctl("job", "assign", "lap-1", "--config", "wipe.cfg", "--attempts", "9")
    assert ask(daemon, A, UUID1) == (policy.DECISION_JOB, "lap-1")
    assert ask(daemon, A, UUID2) == (policy.DECISION_LOCAL, "")
    eventually(lambda: ctl.json("unknown", "list"))
    assert "known by its UUID alone" in ctl.run("device", "admit", UUID2, "lap-2").stderr
    assert ask(daemon, A, UUID2) == (policy.DECISION_LOCAL, "lap-2")
    assert ask(daemon, A, UUID1) == (policy.DECISION_JOB, "lap-1")
    ctl("settings", "set", "shared-macs=52:54:00")
    assert ask(daemon, A, UUID1) == (policy.DECISION_JOB, "lap-1")  # it is claimed by that UUID
    assert ask(daemon, A, None) == (policy.DECISION_LOCAL, "")


def test_release(ctl, daemon):
    """The next machine may be the first one, until it is."""
    ctl("device", "add", "lap", A)
    assert "is bound to no machine" in ctl.fails(1, "device", "release", "lap")
    ctl("job", "assign", "lap", "--config", "wipe.cfg", "--attempts", "9")
    assert ask(daemon, A, UUID1) == (policy.DECISION_JOB, "lap")
    assert ask(daemon, A, UUID2) == (policy.DECISION_LOCAL, "")
    result = ctl.run("--json", "device", "release", "lap")
    assert (result.returncode, json.loads(result.stdout)) == (0, {"released": "lap"})
    assert result.stderr == (
        "prebootctl: warning: device lap has an open job, 1, which is offered: the next machine"
        " gets it; \"prebootctl job cancel 1\" if it should not\n")
    assert ctl.json("event", "list", "lap")[-1]["reason"] == f"it was bound to {UUID1}"
    assert ask(daemon, A, UUID2) == (policy.DECISION_JOB, "lap")
    assert ask(daemon, A, UUID1) == (policy.DECISION_LOCAL, "")
    assert UUID2 in ctl("device", "show", "lap")
    ctl("job", "cancel", "lap")
    assert ctl.json("device", "release", "lap") == {"released": "lap"}  # and nothing else


def test_uuid_that_tells_nothing(ctl):
    ctl("device", "add", "a", A, UUID1)
    swapped = "44454c4c-3400-104d-8052-b4c04f4a3201"
    assert "UUID of device a in the other byte order" in \
        ctl.run("device", "add", "b", B, "--uuid", swapped).stderr
    ctl("uuid", "ignore", UUID2)
    assert "prebootctl uuid allow" in ctl.fails(1, "device", "add", "c", "--uuid", UUID2)
    assert "prebootctl uuid allow" in ctl.fails(1, "device", "change", "a", "--uuid", UUID2)
    assert "placeholder" in ctl.fails(2, "device", "add", "c", "--uuid", "fe" * 16)


def test_swapped_is_not_admitted(ctl, daemon):
    """It looks like a device, so nothing is done to it by itself."""
    ctl("device", "add", "a", "--uuid", UUID1)
    ctl("settings", "set", "admit-unknown=yes")
    assert ask(daemon, A, "44454c4c-3400-104d-8052-b4c04f4a3201") == (policy.DECISION_LOCAL, "")


def test_ignored_uuid(ctl, daemon):
    ctl("device", "add", "a", "--uuid", UUID1)
    ctl("uuid", "ignore", UUID1)
    assert ask(daemon, A) == (policy.DECISION_LOCAL, "")


def notes_of_unknown(ctl, count):
    """The notes of unknown machines by MAC, once there are as many with one."""
    found = eventually(lambda: [row for rows in [ctl.json("unknown", "list")] for row in [
        {r["mac"]: r["note"] for r in rows if r["note"]}] if len(row) == count])
    return found[0]


def test_unknown_machines_share_a_uuid(ctl, daemon):
    """The second one that asks makes it a shared one, before anybody is admitted."""
    ctl("device", "add", "other", "52:54:00:00:00:01")
    assert ask(daemon, A, serial=b"S1") == (policy.DECISION_LOCAL, "")
    assert ask(daemon, C, serial=b"S1") == (policy.DECISION_LOCAL, "")  # another card of it
    assert ask(daemon, C, UUID2, serial=b"S1") == (policy.DECISION_LOCAL, "")
    eventually(lambda: len(ctl.json("unknown", "list")) == 3)
    assert ctl.json("uuid", "list") == []
    assert ask(daemon, B, serial=b"S2") == (policy.DECISION_LOCAL, "")
    assert set(notes_of_unknown(ctl, 3).values()) == {"shared UUID: other machines have it too"}
    assert set(notes_of_unknown(ctl, 3)) == {A, B, C}
    assert [(u["uuid"], u["state"]) for u in ctl.json("uuid", "list")] == [(UUID1, "shared")]
    assert {row["mac"] for row in ctl.json("uuid", "show", UUID1)} == {A, B, C}
    assert UUID1 in ctl.run("check").stdout
    assert "uuid allow" in ctl.fails(1, "device", "add", "a", "--uuid", UUID1)
    ctl("uuid", "allow", UUID1)
    assert ask(daemon, B, serial=b"S2") == (policy.DECISION_LOCAL, "")
    assert notes_of_unknown(ctl, 0) == {}
    assert ctl.json("uuid", "list")[0]["state"] == "allowed"


def test_odd_unknown_machines(ctl, daemon):
    ctl("device", "add", "a", "--uuid", UUID1)
    ctl("device", "add", "dock", A)
    assert ask(daemon, A, UUID2) == (policy.DECISION_LOCAL, "dock")
    swapped = "44454c4c-3400-104d-8052-b4c04f4a3201"
    assert ask(daemon, B, swapped) == (policy.DECISION_LOCAL, "")
    assert ask(daemon, A, "4c4c4544-0034-4d10-8052-b4c04f4a3277") == (policy.DECISION_LOCAL, "")
    assert notes_of_unknown(ctl, 2) == {B: "UUID of device a in the other byte order",
                             A: "MAC of device dock, which another UUID has claimed"}
    shown = ctl.run("check").stdout
    assert f"unknown machine {B}, UUID {swapped}: UUID of device a in the other" in shown
    assert f"unknown machine {A}, " in shown
    assert "which another UUID has claimed" in ctl("unknown", "show", A)


def test_unknown_machines_that_only_look_alike(ctl, daemon):
    """No serial number, or that of another model, makes no one machine of two."""
    ctl("device", "add", "other", "52:54:00:00:00:01")
    assert ask(daemon, A) == ask(daemon, B) == (policy.DECISION_LOCAL, "")
    for mac, product in ((A, b"OptiPlex"), (C, b"ProDesk")):
        request(daemon, mac, UUID2, fields={SERIAL: b"0042", PRODUCT: product})
    assert eventually(lambda: {u["uuid"] for u in ctl.json("uuid", "list")} == {UUID1, UUID2})


def test_one_number_that_differs(ctl, daemon):
    """It counts more than another one that is equal."""
    ctl("device", "add", "a", "--uuid", UUID1)
    with sqlite3.connect(ctl.database) as db:
        db.execute("INSERT INTO card VALUES (1, x'52540012340b', ' ', 'S1', '', 1),"
                   " (1, x'52540012340c', ' ', '', 'B1', 1)")
    db.close()
    answer = request(daemon, A, UUID1, fields={SERIAL: b"S1", BOARD: b"B2"})
    assert policy.NAME not in answer or not answer[policy.NAME]


def test_first_with_the_mac_of_another_device(ctl, daemon):
    """Who comes first with a UUID is not its device where the MAC is another one's."""
    ctl("device", "add", "a", "--uuid", UUID1)
    ctl("device", "add", "m", A)
    assert ask(daemon, A) == (policy.DECISION_LOCAL, "m")
    assert ctl.json("uuid", "list")[0]["state"] == "shared"


# --- what is said ----------------------------------------------------------------

SWAPPED1 = "44454c4c-3400-104d-8052-b4c04f4a3201"
PLACEHOLDER = "ff" * 16


def remedies(ctl):
    """The commands that check prints, run as they stand there."""
    text = ctl.run("check").stdout
    return re.findall(r'"prebootctl ([^"]+)"', text)


def test_check_prints_commands_that_can_be_run(ctl, daemon):
    """Of a UUID that is shared, and of one in the other byte order."""
    ctl("device", "add", "a", A, UUID1)
    ctl("device", "add", "rev", "--uuid", UUID2)
    ask(daemon, A, UUID1, serial=b"one")
    ask(daemon, B, UUID1, serial=b"two")
    swapped = "44454c4c-3400-104d-8052-" + UUID2[24:]
    ask(daemon, C, swapped)
    eventually(lambda: len(ctl.json("unknown", "list")) == 2)
    commands = remedies(ctl)
    for command in (f"uuid show {UUID1}", f"uuid allow {UUID1}", f"uuid ignore {UUID1}",
                    f"unknown show {swapped}", f"device admit {swapped}",
                    f"unknown remove {swapped}"):
        assert command in commands
    assert C in ctl("unknown", "show", swapped)
    ctl("uuid", "ignore", UUID1)
    admitted = ctl.run("device", "admit", swapped, "other")
    assert admitted.returncode == 0
    assert "UUID of device rev in the other byte order" in admitted.stderr
    ctl("device", "admit", B, "b")
    assert "nothing wrong" in ctl("check")
    assert "that is device b" in ctl.fails(1, "device", "admit", B)


def test_placeholder_uuid_is_named(ctl, daemon):
    for mac in (A, B):
        ask(daemon, mac, PLACEHOLDER)
    eventually(lambda: len(ctl.json("unknown", "list")) == 2)
    assert "placeholder that many machines have as their UUID; name one by its MAC" in \
        ctl.fails(1, "unknown", "show", PLACEHOLDER)
    assert "a placeholder" in ctl("unknown", "show", A)
    assert "it identifies no machine" in ctl.run("uuid", "show", PLACEHOLDER).stderr
    assert "no doubtful MACs were reported" in ctl.run("uuid", "show", UUID1).stderr


def test_explain_tells_of_others_at_the_dock(ctl, daemon):
    for uuid in (UUID1, UUID2):
        ask(daemon, A, uuid)
    eventually(lambda: len(ctl.json("unknown", "list")) == 2)
    assert f"the one that asked last has UUID {UUID2}" in ctl.run("explain", A).stderr
    assert ctl.run("explain", UUID1).stderr == ""


def test_devices_known_by_a_dock_alone(ctl):
    ctl("device", "add", "a", A)
    ctl("device", "add", "b", B, C)
    ctl("device", "add", "c", "52:54:00:12:34:0d", UUID1)
    ctl("settings", "set", f"shared-macs={A},{B},52:54:00:12:34:0d")
    shown = ctl.run("check")
    assert shown.returncode == 1 and shown.stdout.count("so no machine is it") == 1
    assert "device a is known by nothing but what shared-macs names" in shown.stdout
    ctl("settings", "set", "shared-macs=52:54:00")
    assert ctl.run("check").stdout.count("so no machine is it") == 2
    assert "it identifies no machine" in ctl.run("device", "add", "d", "52:54:00:12:34:0e").stderr
    ctl("settings", "unset", "shared-macs")
    assert "nothing wrong" in ctl("check")


# --- admitting one of several -----------------------------------------------------------


def test_cards_are_admitted_with_their_machine(ctl, daemon):
    """Beside another machine that has its UUID, which nobody had noticed."""
    ctl("device", "add", "other", "52:54:00:00:00:01")
    for mac, serial in ((A, b"S1"), (C, b"S1"), (B, b"S2")):
        ask(daemon, mac, serial=serial)
    assert eventually(lambda: len(ctl.json("unknown", "list")) == 3 and ctl.json("uuid", "list"))
    ctl("uuid", "forget", UUID1)
    ctl("device", "admit", A, "one")
    assert [row["mac"] for row in ctl.json("unknown", "list")] == [B]
    assert ctl.json("uuid", "list")[0]["state"] == "shared"


def test_a_dock_s_mac_is_no_card(ctl, daemon):
    """Of a device admitted by its UUID: what it is kept with has no MAC."""
    ctl("device", "add", "other", "52:54:00:00:00:01")
    ctl("settings", "set", f"shared-macs={A}")
    ask(daemon, A)
    eventually(lambda: ctl.json("unknown", "list"))
    ctl("device", "admit", UUID1, "lap")
    with sqlite3.connect(ctl.database) as db:
        assert db.execute("SELECT mac FROM card").fetchall() == [(bytes(6),)]
    db.close()


def test_shared_uuids_have_a_bound(ctl, daemon):
    """From there on, what machines that anybody may invent share is reported with them alone."""
    ctl("device", "add", "other", "52:54:00:00:00:01")
    with sqlite3.connect(ctl.database) as db:
        db.executemany("INSERT INTO uuid VALUES (?, 'shared', 1)",
                       [(b"shared" + number.to_bytes(10, "big"),) for number in range(4096)])
    db.close()
    for mac, serial in ((A, b"S1"), (B, b"S2")):
        ask(daemon, mac, serial=serial)
    assert set(notes_of_unknown(ctl, 2).values()) == {
        "shared UUID: other unknown machines have it too"}
    assert len(ctl.json("uuid", "list")) == 4096
