# SPDX-License-Identifier: BSD-2-Clause
"""The agent for Windows, in Wine, against the real server."""

import json
import re
import subprocess
import time

import pytest

import policy
from policy import BUILD
from wine import Wine

PROGRAM = BUILD / "prebootwork.exe"
OTHER_MAC, MAC = "02:00:00:00:00:07", "52:54:00:12:34:56"
DETAILS = {"image": "a b.img", "odd": "it's 100% \"y\" \\ ;&|<>^!", "empty": ""}
SERVER = "192.0.2.1:13331"
KEY = r"HKLM\SYSTEM\CurrentControlSet\Control"
# What every Windows has, Windows PE, too.
LIBRARIES = {"ADVAPI32.dll", "bcrypt.dll", "IPHLPAPI.DLL", "KERNEL32.dll", "msvcrt.dll",
             "WS2_32.dll"}

# Prints its arguments, a line each, and an image's name from the environment; exits with the last.
ARGUMENTS = r"""
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		printf("%s\n", argv[i]);
	printf("%s %s\n", getenv("PREBOOT_DEVICE"), getenv("WORK_image"));
	return argc > 1 ? atoi(argv[argc - 1]) : 0;
}
"""


def test_it_needs_no_library_but_windows_own():
    text = subprocess.run(["x86_64-w64-mingw32-objdump", "-p", PROGRAM], check=True, text=True,
                          capture_output=True, timeout=60).stdout
    imported = re.findall(r"DLL Name: (\S+)", text)
    assert imported and set(imported) <= LIBRARIES
    assert "(Windows CUI)" in text


@pytest.fixture
def wine():
    wine = Wine([OTHER_MAC, MAC])
    yield wine
    wine.close()


class Site:
    """A job that was offered to the machine, and the server in Wine's network."""

    def __init__(self, wine, folder):
        self.ctl = policy.Ctl(folder)
        self.ctl("device", "add", "web01", MAC)
        self.ctl("job", "assign", "web01", "--config", "", "--loader-uefi", "bootmgfw.efi",
                 *(f"{key}={value}" for key, value in DETAILS.items()))
        daemon = policy.Daemon(self.ctl.database, folder / "log")
        try:
            self.job = policy.boot(daemon.port, {policy.MAC: policy.mac(MAC),
                                                 policy.FIRMWARE: policy.UEFI})[policy.JOB]
        finally:
            daemon.stop()
        self.token = policy.TOKENS[self.job].hex()
        self.wine = wine
        with open(folder / "log", "ab") as log:
            self._server = subprocess.Popen(
                wine.inside(*policy.prebootd(self.ctl.database, SERVER)), stderr=log,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        end = time.monotonic() + 20
        while f"listening on {SERVER}" not in (folder / "log").read_text():
            assert time.monotonic() < end and self._server.poll() is None
            time.sleep(0.01)

    def close(self):
        self._server.kill()
        self._server.wait()

    def work(self, *arguments):
        return self.wine.work("--server", SERVER, "--token", self.token, *arguments)

    def state(self):
        shown = self.ctl.json("job", "show", str(self.job))
        return shown["state"], shown["reason"]


@pytest.fixture
def site(wine, tmp_path):
    site = Site(wine, tmp_path)
    yield site
    site.close()


def test_show_and_report(site, tmp_path):
    """The MAC is none of the options: it is that of the second card."""
    result = site.work("show", "--json")
    assert result.returncode == 0, result
    assert json.loads(result.stdout) == {"job": site.job, "attempt": 1, "device": "web01",
                                         "config": "", "server": SERVER, "details": DETAILS}
    line = next(line.strip() for line in (BUILD.parent / "server/winpe.md").read_text().splitlines()
                if line.startswith("    for /f "))
    line = line.replace("prebootwork", f"{PROGRAM.as_posix()} --server {SERVER} --token {site.token}")
    script = tmp_path / "show.cmd"
    script.write_text(f"@echo off\r\n{line}\r\nset WORK_\r\nset PREBOOT_\r\n")
    shown = dict(line.split("=", 1) for line in
                 site.wine.run("cmd", "/c", script).stdout.splitlines() if "=" in line)
    assert shown["PREBOOT_DEVICE"] == "web01" and shown["WORK_image"] == "a b.img"
    assert shown["WORK_odd"] == DETAILS["odd"]
    assert site.work("begun").returncode == 0
    assert site.state() == ("begun", "")
    assert site.work("failed", "the disk is too small").returncode == 0
    assert site.state() == ("failed", "the disk is too small")
    result = site.work("done", "--job", str(site.job))
    assert result.returncode == 5 and "the job has failed: the disk is too small" in result.stderr
    assert site.work("show").returncode == 3


def test_run(site, tmp_path):
    source, program = tmp_path / "arguments.c", tmp_path / "arguments.exe"
    source.write_text(ARGUMENTS)
    subprocess.run(["x86_64-w64-mingw32-gcc", "-o", program, source], check=True, timeout=60)
    odd = ["a b", "", 'say "hi"', "back\\slash\\", 'both\\" ', "end \\"]
    result = site.work("run", "--", program, *odd, "0")
    assert result.returncode == 0, result
    assert result.stdout.splitlines() == [*odd, "0", "web01 a b.img"]
    assert site.state() == ("done", "")


@pytest.mark.parametrize("command, status, reason", [
    (["cmd", "/c", "exit 7"], 7, "the command's exit status was 7"),
    (["no-such-program.exe"], 127, "the command could not be started")])
def test_run_that_fails(site, command, status, reason):
    result = site.work("run", *command)
    assert result.returncode == status, result
    assert site.state() == ("failed", reason)


def record(server, token):
    """Returns what the NBP leaves for a system that it starts for a job (nbp/boot.md)."""
    data = b"OP\2\0" + bytes(map(int, server.split("."))) + token
    return data[:3] + bytes([-sum(data) & 255]) + data[4:]


def packet(server, mac, options):
    """Returns a boot server's reply."""
    data = bytearray(236)
    data[0:3] = 2, 1, 6
    data[16:20] = 192, 0, 2, 100
    data[20:24] = map(int, server.split("."))
    data[28:34] = policy.mac(mac)
    data += bytes.fromhex("63825363")
    for code, value in options.items():
        data += bytes([code, len(value)]) + value
    return bytes(data) + b"\xff"


def test_all_is_found_in_windows(site):
    """Server, token and MAC, in the packet that Windows keeps of the network boot; then in the
    options of its boot entry."""
    def put(name, value, kind="REG_SZ", key=KEY):
        result = site.wine.run("reg", "add", key, "/v", name, "/t", kind, "/d", value, "/f")
        assert result.returncode == 0, result

    left = record("192.0.2.1", bytes.fromhex(site.token))
    put("BootServerReply", packet("192.0.2.9", MAC, {209: b"z", 225: left}).hex(), "REG_BINARY",
        KEY + r"\PXE")
    try:
        result = site.wine.work("show", "--json")
        assert result.returncode == 0, result
        assert json.loads(result.stdout)["server"] == SERVER
        assert site.wine.work("begun").returncode == 0
        assert site.state() == ("begun", "")
        put("BootServerReply", packet("192.0.2.1", OTHER_MAC, {}).hex(), "REG_BINARY",
            KEY + r"\PXE")
        result = site.wine.work("show")
        assert (result.returncode, result.stdout) == (3, "") and "token" in result.stderr
        put("SystemStartOptions", f" MININT  PREBOOTWORK.TOKEN={site.token} BOOTIF=01-" +
            MAC.replace(":", "-"))
        # The packet's BOOTIF= is the last, and that one counts.
        assert site.wine.work("show").returncode == 3
        assert site.wine.work("--mac", MAC, "done").returncode == 0
        assert site.state() == ("done", "")
    finally:
        site.wine.run("reg", "delete", KEY + r"\PXE", "/f")
        site.wine.run("reg", "delete", KEY, "/v", "SystemStartOptions", "/f")


def test_usage(wine):
    assert wine.work("--version").stdout.startswith("prebootwork ")
    for arguments in (["fly"], ["run"], ["show", "--mac", "12"], []):
        result = wine.work("--server", SERVER, *arguments)
        assert (result.returncode, result.stdout) == (2, "")
    result = wine.work("show")
    assert result.returncode == 1 and "the policy server is unknown" in result.stderr
