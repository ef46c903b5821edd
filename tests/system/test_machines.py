# SPDX-License-Identifier: BSD-2-Clause
"""Machines as prebootd gets to know them, and as prebootctl shows them."""

import re
import time

import pytest

import policy

MAC1, MAC2, MAC9 = "52:54:00:12:34:01", "52:54:00:12:34:02", "52:54:00:12:34:09"
UUID1, UUID2 = "4c4c4544-0034-4d10-8052-b4c04f4a3201", "4c4c4544-0034-4d10-8052-b4c04f4a3202"
ISD1 = "0b007000-0000-4000-8000-0000000000d1"


def guid(text):
    return bytes.fromhex(text.replace("-", ""))


def request(daemon, mac=MAC1, uuid=None, isd=None, nonce=None, **more):
    fields = {policy.MAC: policy.mac(mac), policy.FIRMWARE: more.pop("firmware", policy.BIOS)}
    if uuid:
        fields[policy.UUID] = guid(uuid)
    if isd:
        fields |= {policy.ISD_STATE: 2, policy.ISD_DEVICE: guid(isd)}
    return policy.boot(daemon.port, fields | more.pop("fields", {}), nonce)


def eventually(look):
    """What is reported beside the answers is stored after them."""
    end = time.monotonic() + 5
    while not (found := look()) and time.monotonic() < end:
        time.sleep(0.01)
    assert found
    return found


# --- who is who ------------------------------------------------------------------


def test_isd_is_added_and_shown(ctl):
    ctl("device", "add", "web01", "--isd", ISD1)
    ctl("device", "add", "web02", MAC2, UUID2)
    assert ctl.json("device", "show", "web01")["isd"] == ISD1
    assert ctl.json("device", "show", ISD1)["name"] == "web01"
    assert re.search(f"image-safe data +{ISD1}", ctl("device", "show", "web01"))
    assert f"ISD {ISD1}" in ctl("device", "list")
    assert f"device id {ISD1} is that of device web01 already" in \
        ctl.fails(1, "device", "add", "web03", MAC9, "--isd", ISD1)
    assert "not a UUID" in ctl.fails(2, "device", "add", "web03", MAC9, "--isd", "1234")
    assert "placeholder" in ctl.fails(2, "device", "add", "web03", "--isd", "0" * 32)


def test_known_by_isd_alone(ctl, daemon):
    ctl("device", "add", "web01", "--isd", ISD1)
    ctl("job", "assign", "web01", "--config", "a.cfg", "--attempts", "9")
    assert request(daemon)[policy.DECISION] == policy.DECISION_LOCAL
    answer = request(daemon, isd=ISD1, uuid=UUID1)
    assert answer[policy.NAME] == b"web01" and answer[policy.DECISION] == policy.DECISION_JOB
    # Its agent reports no image-safe data.
    agent = {policy.MAC: policy.mac(MAC1), policy.UUID: guid(UUID1)}
    assert policy.ask(daemon.port, policy.QUERY, agent | {
        policy.TOKEN: answer[policy.TOKEN]})[policy.JOB] == answer[policy.JOB]
    # A copy of the disk in another machine gets nothing, and the administrator is warned.
    other = request(daemon, MAC9, isd=ISD1, uuid=UUID2)
    assert other[policy.DECISION] == policy.DECISION_LOCAL and policy.NAME not in other
    eventually(lambda: "conflict" in [e["step"] for e in ctl.json("event", "list", "web01")])
    assert "a disk moved or copied" in ctl("device", "show", "web01")
    assert 'anomaly="it has the image-safe data of web01, but the machine is not known: a disk ' \
        'moved or copied"' in daemon.log.read_text()
    assert f"bound to UUID       {UUID1}" in ctl("device", "show", "web01")
    assert request(daemon, isd=ISD1, uuid=UUID1)[policy.DECISION] == policy.DECISION_JOB


def test_copied_disk_in_a_machine_that_is_known(ctl, daemon):
    ctl("device", "add", "web01", MAC1, UUID1, "--isd", ISD1)
    ctl("device", "add", "web02", MAC2, UUID2)
    ctl("job", "assign", "web01", "--config", "wrong.cfg")
    nonce = bytes(range(16))
    for _ in range(3):
        answer = request(daemon, MAC2, UUID2, ISD1, nonce)
        assert answer[policy.NAME] == b"web02" and answer[policy.DECISION] == policy.DECISION_LOCAL
    for name in ("web01", "web02"):
        eventually(lambda name=name: "conflict" in
                   [e["step"] for e in ctl.json("event", "list", name)])
        # Once a boot, however often it asks.
        assert [e["step"] for e in ctl.json("event", "list", name)].count("conflict") == 1
    ctl("job", "assign", "web02", "--config", "right.cfg")
    assert request(daemon, MAC2, UUID2, ISD1)[policy.CONFIG] == b"right.cfg"
    assert request(daemon, MAC1, UUID1, ISD1)[policy.CONFIG] == b"wrong.cfg"


def test_new_main_board(ctl, daemon):
    ctl("device", "add", "web01", MAC1, UUID1, "--isd", ISD1)
    ctl("device", "add", "web02", MAC2)
    ctl("job", "assign", "web01", "--config", "a.cfg")
    assert request(daemon, MAC9, UUID2, ISD1)[policy.DECISION] == policy.DECISION_LOCAL
    assert ctl("device", "change", "web01", "--mac", MAC9, "--uuid", UUID2) == \
        "device web01 changed\n"
    assert request(daemon, MAC9, UUID2, ISD1)[policy.DECISION] == policy.DECISION_JOB
    assert request(daemon, MAC1, UUID1, ISD1)[policy.DECISION] == policy.DECISION_LOCAL
    shown = ctl.json("device", "change", "web01", "--mac", "", "--uuid", "")
    assert (shown["macs"], shown["uuid"], shown["isd"]) == ([], None, ISD1)
    assert request(daemon, MAC1, UUID1, ISD1)[policy.DECISION] == policy.DECISION_JOB
    assert request(daemon, MAC9, UUID2, ISD1)[policy.DECISION] == policy.DECISION_LOCAL
    # Anew: whoever comes first.
    ctl("device", "change", "web01", "--isd", ISD1)
    assert request(daemon, MAC9, UUID2, ISD1)[policy.DECISION] == policy.DECISION_JOB
    for status, arguments, expected in (
            (2, [], "expected --mac, --uuid or --isd"),
            (2, ["--isd", ""], "nothing would be left to know it by"),
            (2, ["--uuid", "1234"], "not a UUID"),
            (1, ["--mac", MAC2], f"MAC {MAC2} is that of device web02 already")):
        assert expected in ctl.fails(status, "device", "change", "web01", *arguments)


# --- hardware --------------------------------------------------------------------

TEXTS = {
    0x12: ("version", "nvlnbp.sys 0.1.0"), 0x06: ("isd_image", "web.img"),
    0x13: ("manufacturer", "Maker"), 0x14: ("product", "Model"), 0x15: ("serial", "S-1"),
    0x16: ("cpu", "Brand CPU"), 0x1a: ("system_version", "v2"), 0x1b: ("sku", "SKU1"),
    0x1c: ("family", "Family"), 0x1d: ("board_manufacturer", "BMaker"),
    0x1e: ("board_product", "Board"), 0x1f: ("board_serial", "B-1"), 0x21: ("asset_tag", "T-1"),
    0x22: ("bios_vendor", "Vendor"), 0x23: ("bios_version", "1.2"), 0x24: ("bios_date", "01/02/26"),
    0x25: ("firmware_version", "EDK 2"), 0x28: ("cpu_vendor", "GenuineTest")}
NUMBERS = {
    0x10: ("architecture", 2, 7), 0x18: ("memory_mib", 4, 4095), 0x2b: ("installed_mib", 4, 4096),
    0x29: ("cpu_family", 2, 6), 0x2a: ("cpu_cores", 2, 12), 0x20: ("chassis_type", 1, 3),
    0x2e: ("nic_type", 1, 1), 0x08: ("isd_image_size", 8, 5 << 30)}


def test_every_field_is_shown(ctl, daemon):
    ctl("device", "add", "web01", MAC1)
    fields = {number: value.encode() for number, (_, value) in TEXTS.items()}
    fields |= {number: value.to_bytes(size, "big") for number, (_, size, value) in NUMBERS.items()}
    fields |= {0x17: b"\1", 0x05: b"\1", 0x26: b"\1", 0x27: b"\2", 0x2c: b"\x80\x86",
               0x2d: b"\x10\x0e", 0x07: (1784560320).to_bytes(8, "big"),
               0x2f: b"\4" + (512).to_bytes(4, "big") + (4194304).to_bytes(8, "big")}
    request(daemon, MAC1, UUID1, ISD1, firmware=policy.UEFI, fields=fields)
    seen = eventually(lambda: ctl.json("device", "show", "web01")["seen"])
    for name, value in TEXTS.values():
        assert seen[name] == value
    for name, _, value in NUMBERS.values():
        assert seen[name] == value
    expected = {
        "mac": MAC1, "uuid": UUID1, "firmware": "UEFI", "cpu_64bit": True, "isd_state": "valid",
        "isd_device": ISD1, "isd_just_imaged": True, "isd_image_time": "2026-07-20T15:12:00Z",
        "secure_boot": False, "tpm": True, "nic_vendor": "8086", "nic_device": "100e",
        "disks": [{"kind": "NVMe", "sector_size": 512, "sectors": 4194304}]}
    assert {name: seen[name] for name in expected} == expected
    shown = ctl("device", "show", "web01")
    for name, value in TEXTS.values():
        assert value in shown
    for line in ("secure boot +no", "TPM +yes", "chassis +desktop", "NIC device +100e",
                 "disk 1 +NVMe, 2048 MiB, 4194304 sectors of 512 bytes", "just imaged +yes"):
        assert re.search(line, shown), line


def test_facts_that_were_not_reported(ctl, daemon):
    ctl("device", "add", "web01", MAC1)
    request(daemon, nonce=bytes(16))
    seen = eventually(lambda: ctl.json("device", "show", "web01")["seen"])
    assert seen["isd_state"] == "not read" and seen["disks"] == [] and seen["tpm"] is None
    assert seen["uuid"] is None and seen["manufacturer"] == ""
    assert "manufacturer" not in ctl("device", "show", "web01")


# --- settings --------------------------------------------------------------------


def test_settings_reach_the_machines(ctl, daemon):
    ctl("device", "add", "web01", MAC1)
    answer = request(daemon, MAC9)
    assert answer == {policy.DECISION: policy.DECISION_LOCAL, policy.HOT_KEY_WAIT: 3000,
                      policy.VALID_FOR: 60}
    assert ctl("settings", "set", "menu-mode=hotkey", "hot-key=f", "menu-file=global.txt",
               "local-boot-uefi=entry").startswith("settings of all devices: set ")
    ctl("settings", "set", "web01", "menu-mode=always", "hot-key-wait=0", "answer-validity=0",
        "local-boot-bios=mbr")
    unknown = request(daemon, MAC9)
    assert unknown == {policy.DECISION: policy.DECISION_LOCAL, policy.MENU_MODE: 2,
                        policy.HOT_KEY: ord("f"), policy.HOT_KEY_WAIT: 3000,
                        policy.MENU_FILE: b"global.txt", policy.VALID_FOR: 60}
    known = request(daemon)
    assert known == {policy.DECISION: policy.DECISION_LOCAL, policy.NAME: b"web01",
                     policy.MENU_MODE: 1,
                     policy.HOT_KEY: ord("f"), policy.MENU_FILE: b"global.txt",
                     policy.LOCAL_BOOT: 3}
    assert request(daemon, firmware=policy.UEFI)[policy.LOCAL_BOOT] == 5
    shown = ctl.json("settings", "show", "web01")
    assert shown["menu-mode"] == {"value": "always", "from": "device"}
    assert shown["hot-key"] == {"value": "f", "from": "global"}
    assert shown["local-boot-bios"] == {"value": "mbr", "from": "device"}
    assert ctl.json("settings", "show")["local-boot-bios"] == \
        {"value": "default", "from": "default"}
    assert re.search("menu-mode +always +device", ctl("settings", "show", "web01"))
    ctl("settings", "unset", "web01", "menu-mode", "hot-key-wait")
    ctl("settings", "unset", "hot-key")
    known = request(daemon)
    assert known[policy.MENU_MODE] == 2 and known[policy.HOT_KEY_WAIT] == 3000
    assert policy.HOT_KEY not in known


@pytest.mark.parametrize("status, arguments, expected", [
    (2, ["set", "menu-mode=sometimes"], "menu-mode=sometimes: expected never, always or hotkey"),
    (2, ["set", "web01", "menu-mode=always", "hot-key-wait=1m"], "milliseconds, from 0 to 60000"),
    (2, ["set", "web01", "menu=always"], 'unknown setting "menu"'),
    (2, ["set", "web01", "menu-mode"], "menu-mode: expected menu-mode=VALUE"),
    (2, ["set", "web01"], "missing argument KEY=VALUE"),
    (1, ["set", "web09", "menu-mode=always"], 'unknown device "web09"'),
    (1, ["unset", "web01", "menu-mode"], "menu-mode is not set for web01"),
    (1, ["unset", "menu-mode"], "menu-mode is not set for all devices"),
    (2, ["unset", "web01", "nonsense"], 'unknown setting "nonsense"')])
def test_bad_settings(ctl, status, arguments, expected):
    ctl("device", "add", "web01", MAC1)
    assert expected in ctl.fails(status, "settings", *arguments)
    assert {value["from"] for value in ctl.json("settings", "show", "web01").values()} == \
        {"default"}


# --- a boot as a timeline --------------------------------------------------------


def boot(daemon, nonce, events):
    identity = {policy.MAC: policy.mac(MAC1)}
    answer = request(daemon, nonce=nonce)
    for code, milliseconds, reason in events:
        policy.send_event(daemon.port, nonce, identity | {
            policy.CODE: code, policy.MILLISECONDS: milliseconds,
            policy.REASON: reason.encode()})
    return answer


def test_trace(ctl, daemon):
    ctl("device", "add", "web01", MAC1)
    assert "no boot is known" in ctl.fails(1, "device", "trace", "web01")
    ctl("job", "assign", "web01", "--config", "a.cfg")
    first, second = b"\x11" * 16, b"\x22" * 16
    job = boot(daemon, first, [
        (1, 3, ""), (2, 12, "QEMU Standard PC"), (3, 13, "valid"), (4, 15, "127.0.0.1"),
        (5, 18, "job"), (6, 20, ""), (7, 25, "Start imaging"), (8, 60, "pxelinux.0"),
        (9, 61, "pxelinux.0")])[policy.JOB]
    for state in (policy.BEGUN, policy.DONE):
        policy.report(daemon.port, {policy.MAC: policy.mac(MAC1)}, job, state)
    boot(daemon, second, [(11, 30, "no answer"), (10, 31, "no job")])
    last = eventually(lambda: (t := ctl.json("device", "trace", "web01"))["boots"] == 2 and
                      len(t["events"]) == 3 and t)
    assert last["nonce"] == second.hex() and last["boot"] == 1
    assert [(e["step"], e["from"]) for e in last["events"] if e["from"] == "NBP"] == \
        [("error", "NBP"), ("local-boot", "NBP")]
    request_event = next(e for e in last["events"] if e["step"] == "request")
    assert request_event["reason"] == "local boot: no job: the last one is done"
    trace = ctl.json("device", "trace", "web01", "--boot", "2")
    assert trace["nonce"] == first.hex() and trace["device"] == "web01"
    steps = [e["step"] for e in trace["events"]]
    assert [s for s in steps if s not in ("offered", "request", "begun", "done")] == [
        "started", "hardware", "identity", "asked", "answered", "menu", "chosen", "loaded",
        "handover"]
    assert {"offered", "request", "begun", "done"} <= set(steps) and steps[-1] == "done"
    assert [e["ms"] for e in trace["events"]] == sorted(e["ms"] for e in trace["events"])
    assert next(e for e in trace["events"] if e["step"] == "begun")["from"] == "agent"
    text = ctl("device", "trace", "web01", "--boot", "2").splitlines()
    assert re.fullmatch(f"web01, boot 2 of 2, .*, nonce {first.hex()}", text[0])
    assert re.fullmatch(" +61 +handover +NBP +- +pxelinux.0", text[[
        i for i, line in enumerate(text) if "handover" in line][0]])
    assert "only 2 boots" in ctl.fails(1, "device", "trace", "web01", "--boot", "3")
    assert "from 1 to" in ctl.fails(2, "device", "trace", "web01", "--boot", "0")


def test_trace_of_another_machine_with_its_uuid(ctl, daemon):
    """The conflict is among the device's events, but the boot is not its own."""
    ctl("device", "add", "web01", MAC1, UUID1)
    request(daemon, uuid=UUID1, nonce=b"\x11" * 16)
    request(daemon, MAC2, UUID1, nonce=b"\x22" * 16, fields={0x15: b"another"})
    eventually(lambda: "conflict" in ctl("event", "list", "web01"))
    trace = eventually(lambda: ctl.json("device", "trace", "web01"))
    assert (trace["nonce"], trace["boots"]) == ("11" * 16, 1)


@pytest.mark.parametrize("completes, reports, expected", [
    ("agent", [policy.BEGUN, policy.DONE], [("begun", "agent"), ("done", "agent")]),
    ("agent", [policy.BEGUN, policy.FAILED], [("begun", "agent"), ("failed", "agent")]),
    ("handover", [policy.DONE], [("done", "NBP")])])
def test_trace_tells_who_ended_it(ctl, daemon, completes, reports, expected):
    ctl("device", "add", "web01", MAC1)
    ctl("bundle", "add", "b", "--completes", completes)
    ctl("job", "assign", "web01", "--bundle", "b")
    job = request(daemon)[policy.JOB]
    for state in reports:
        policy.report(daemon.port, {policy.MAC: policy.mac(MAC1)}, job, state)
    events = ctl.json("device", "trace", "web01")["events"]
    assert [(e["step"], e["from"]) for e in events if e["step"] in ("begun", "done", "failed")] \
        == expected


@pytest.mark.parametrize("completes, step", [("agent", "failed"), ("next-boot", "done")])
def test_trace_tells_what_the_server_ended(ctl, daemon, completes, step):
    ctl("device", "add", "web01", MAC1)
    ctl("bundle", "add", "b", "--completes", completes, "--attempts", "1")
    ctl("job", "assign", "web01", "--bundle", "b")
    request(daemon)
    assert request(daemon)[policy.DECISION] == policy.DECISION_LOCAL
    event = next(e for e in ctl.json("device", "trace", "web01")["events"] if e["step"] == step)
    assert event["from"] == "server"


def test_repeated_questions_are_one_event(ctl, daemon):
    ctl("device", "add", "web01", MAC1)
    nonce = b"\x33" * 16
    for _ in range(5):
        request(daemon, nonce=nonce)
    eventually(lambda: ctl.json("event", "list", "web01"))
    daemon.stop()
    assert [e["step"] for e in ctl.json("event", "list", "web01")] == ["request"]
