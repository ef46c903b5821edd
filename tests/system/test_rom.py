# SPDX-License-Identifier: BSD-2-Clause
"""openpreboot-rom: what it makes is as PCI, Plug and Play and UEFI want it, and what cannot be made is
refused with a remedy. tests/vm/rom.yaml boots ROMs."""

import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import time

import pytest

from policy import BUILD
from rom_tool import IPXE, ROOT, SITE, TOOL, make, refused, run

sys.path.insert(0, str(ROOT / "scripts/rom"))
import flash  # noqa: E402
import pci_rom  # noqa: E402
import pe  # noqa: E402
import site_text  # noqa: E402

# --- what is made ---------------------------------------------------------------

@pytest.mark.parametrize("card, ids", [("virtio", (0x1af4, 0x1000)), ("8086:10D3", (0x8086, 0x10d3)),
                                       ("rtl8139", (0x10ec, 0x8139)), ("82579lm", (0x8086, 0x1502))])
def test_images(tmp_path, card, ids):
    """As a BIOS and a UEFI read them, by the specifications and not by our own module."""
    rom, at, types = make(tmp_path, card), 0, []
    while True:
        assert rom[at:at + 2] == b"\x55\xaa"
        pcir = at + struct.unpack_from("<H", rom, at + 0x18)[0]
        assert rom[pcir:pcir + 4] == b"PCIR" and pcir % 4 == 0
        assert struct.unpack_from("<HH", rom, pcir + 4) == ids
        length = struct.unpack_from("<H", rom, pcir + 0x10)[0] * 512
        types.append(rom[pcir + 0x14])
        if types[-1] == 0:
            assert rom[at + 2] * 512 == length == 1024 and sum(rom[at:at + length]) & 0xff == 0
            pnp = at + struct.unpack_from("<H", rom, at + 0x1a)[0]
            assert rom[pnp:pnp + 4] == b"$PnP" and pnp % 16 == 0
            assert sum(rom[pnp:pnp + rom[pnp + 5] * 16]) & 0xff == 0
        else:
            blocks, signature, subsystem, machine, packed = \
                struct.unpack_from("<HIHHH", rom, at + 2)
            assert (blocks * 512, signature, subsystem, machine, packed) == \
                (length, 0x0ef1, 11, 0x8664, 0)
            assert rom[at + struct.unpack_from("<H", rom, at + 0x16)[0]:][:2] == b"MZ"
        if rom[pcir + 0x15] & 0x80:
            break
        at += length
    assert types == ([0, 3] if card == "virtio" else [0, 3, 3])
    assert len(rom) % 512 == 0


def test_contents(tmp_path):
    """All that is in there is what was built or installed, byte for byte."""
    contents = flash.read(make(tmp_path, "e1000"))
    assert contents.kernel.startswith((ROOT / IPXE / "ipxe.lkrn").read_bytes())
    assert contents.nbp == (BUILD / "nvlnbp.sys").read_bytes()
    assert contents.efi_nbps == {"x64": (BUILD / "nvlnbpx64.efi").read_bytes()}
    assert contents.errors == [] and contents.site is None
    (driver, machine), = contents.drivers
    debian = pci_rom.read_images((ROOT / IPXE / "qemu/efi-e1000.rom").read_bytes())[1]
    assert machine == "x64" and driver.pe == debian.pe.rstrip(b"\0") + bytes(
        len(driver.pe) - len(debian.pe.rstrip(b"\0")))


def test_only_one_firmware(tmp_path):
    for option, types in (("--bios-only", [pci_rom.BIOS]), ("--uefi-only", [pci_rom.EFI])):
        contents = flash.read(make(tmp_path, option, "virtio"))
        assert [image.type for image in contents.images] == types
        assert (contents.kernel is None) == (option == "--uefi-only")
    rom = make(tmp_path, "--uefi-only", "--processor", "aa64,ia32", "virtio")
    assert set(flash.read(rom).efi_nbps) == {"ARM64", "IA32"}


def test_card_driver(tmp_path):
    assert len(flash.read(make(tmp_path, "--card-driver", "virtio")).drivers) == 1
    assert flash.read(make(tmp_path, "--no-card-driver", "e1000")).drivers == []
    # Debian has no driver for this one in a ROM; iPXE drives it.
    assert flash.read(make(tmp_path, "14e4:1644")).drivers == []
    assert "no UEFI driver" in refused(1, "-o", tmp_path / "no", "--card-driver", "14e4:1644")


def test_uefi_only_needs_no_ipxe(tmp_path):
    rom = make(tmp_path, "--ipxe", tmp_path, "--uefi-only", "--no-card-driver", "8086:15f3")
    assert flash.read(rom).errors == []


def test_same_bytes(tmp_path):
    assert make(tmp_path, "e1000") == make(tmp_path, "8086:100e")


def test_flash_is_filled(tmp_path):
    small = make(tmp_path, "virtio")
    rom = make(tmp_path, "--flash", "512k", "virtio")
    assert len(rom) == 512 << 10 and rom == small.ljust(512 << 10, b"\xff")
    done = run("--show", tmp_path / "card.rom")
    assert done.returncode == 0 and "it is whole" in done.stdout


def test_flash_is_too_small(tmp_path):
    said = refused(1, "-o", tmp_path / "card.rom", "--flash", "512K", "e1000")
    size = len(make(tmp_path, "e1000"))
    assert f"{size} bytes do not fit into a flash part of 524288" in said
    assert "--no-card-driver" in said
    (tmp_path / "card.rom").unlink()
    refused(1, "-o", tmp_path / "card.rom", "--flash", "64K", "--bios-only", "e1000")
    assert list(tmp_path.iterdir()) == []
    make(tmp_path, "--flash", "64K", "--uefi-only", "--no-card-driver", "e1000")
    # What would be left out is in it: here no driver of the card's.
    said = refused(1, "-o", tmp_path / "no", "--flash", "64K", "--uefi-only", "--processor",
                   "x64,aa64", "virtio")
    assert "--no-card-driver" not in said and "--processor with fewer" in said


@pytest.mark.skipif(not shutil.which("sbsign"), reason="no sbsign")
def test_signed(tmp_path):
    key, certificate = tmp_path / "key", tmp_path / "certificate"
    subprocess.run(["openssl", "req", "-new", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj",
                    "/CN=test/", "-keyout", key, "-out", certificate], check=True,
                   capture_output=True, timeout=60)
    contents = flash.read(make(tmp_path, "--sign", key, certificate, "e1000"))
    assert contents.errors == []
    programs = [contents.efi_nbps["x64"]] + [image.pe for image in contents.images
                                             if image.type == pci_rom.EFI]
    assert len(programs) == 3
    for number, program in enumerate(programs):
        (tmp_path / str(number)).write_bytes(program)
        subprocess.run(["sbverify", "--cert", certificate, tmp_path / str(number)], check=True,
                       capture_output=True, timeout=60)


def test_sign_names_the_file_that_is_wrong(tmp_path):
    """Missing, empty, exchanged, damaged, or made at another time: none of OpenSSL's words."""
    for name in ("boot", "other"):
        subprocess.run(["openssl", "req", "-new", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj",
                        "/CN=test/", "-keyout", tmp_path / f"{name}.key", "-out",
                        tmp_path / f"{name}.crt"], check=True, capture_output=True, timeout=60)
    (tmp_path / "empty").write_text("")
    for name in ("boot.key", "boot.crt"):
        lines = (tmp_path / name).read_text().splitlines()
        (tmp_path / f"damaged.{name}").write_text("\n".join([*lines[:4], "AAAA", *lines[5:]]) + "\n")
    both = "--sign takes two files in PEM: KEY, then CERTIFICATE"
    for key, certificate, why in (
            ("none", "boot.crt", f"none: No such file or directory; {both}"),
            ("boot.key", "none", f"none: No such file or directory; {both}"),
            ("empty", "boot.crt", f"empty: no private key in PEM; {both}"),
            ("boot.key", "empty", f"empty: no certificate in PEM; {both}"),
            ("boot.crt", "boot.key", f"boot.crt: no private key in PEM; {both}"),
            ("damaged.boot.key", "boot.crt", "damaged.boot.key: a damaged private key"),
            ("boot.key", "damaged.boot.crt", "damaged.boot.crt: a damaged certificate"),
            ("other.key", "boot.crt", f"other.key: not the key of {tmp_path}/boot.crt")):
        if "PEM" in why or "such" in why or shutil.which("sbsign"):
            said = refused(1, "--sign", tmp_path / key, tmp_path / certificate, "-o", tmp_path / "no",
                           "--uefi-only", "virtio")
            assert said.startswith(f"openpreboot-rom: --sign: {tmp_path}/{why}"), said
            assert said.count("\n") == 1
    assert not (tmp_path / "no").exists()


def test_pe_sections():
    program = (BUILD / "rom/x64.efi").read_bytes()
    added = pe.add_sections(program, {".one": b"1" * 513, ".two": b"2"})
    assert pe.contents(added, ".one") == b"1" * 513 and pe.contents(added, ".two") == b"2"
    addresses = [(section.address, section.length) for section in pe.sections(added)]
    assert all(a + size <= b and b % 4096 == 0
               for (a, size), (b, _) in zip(addresses, addresses[1:]))
    with pytest.raises(pe.PeError):
        pe.add_sections(program, {f".{number}": b"x" for number in range(100)})


# --- the site's settings ----------------------------------------------------------

def test_site(tmp_path):
    (tmp_path / "site.cfg").write_text(SITE)
    contents = flash.read(make(tmp_path, "--site", tmp_path / "site.cfg", "virtio"))
    assert contents.site == SITE.encode()
    for line in ("set ${n}/ip 192.0.2.50", "set ${n}/netmask 255.255.255.0",
                 "set ${n}/gateway 192.0.2.254", "set ${n}/next-server 192.0.2.1",
                 "set ${n}/224:hex c0:00:02:01:c0:00:02:02"):
        assert line in contents.script.splitlines()
    assert "dhcp" not in contents.script
    assert SITE.splitlines()[1] in run("--show", tmp_path / "card.rom").stdout


@pytest.mark.parametrize("text, line, why", [
    ("server = 192.0.2.1\nsever = 192.0.2.2", 2, 'unknown setting "sever"'),
    ("server 192.0.2.1", 1, "expected server = VALUE"),
    ("\n\nserver =", 3, "expected server = VALUE"),
    ("server = 192.0.2.300", 1, "no IPv4 address"),
    ("server = 1.1.1.1 1.1.1.2 1.1.1.3 1.1.1.4 1.1.1.5", 1, "at most 4"),
    ("tftp-server = 192.0.2.1\naddress = 192.0.2.50", 2, "192.0.2.50/24"),
    ("tftp-server = 192.0.2.1\naddress = 192.0.2.50/31", 2, "192.0.2.50/24"),
    ("address = 192.0.2.50/24", 1, "set tftp-server"),
    ("vlan = 4095", 1, "from 1 to 4094"),
    ("server = 255.255.255.255", 1, "no address of a host"),
    ("console = com1", 1, "neither serial nor screen"),
    ("vlan = 00000000000000000012", 1, "more than 19 characters"),
    ("vlan = 12", 1, "--uefi-only"),
    ("#\n" + "#" * 5000, 2, "beyond 4096 bytes"),
])
def test_site_is_wrong(tmp_path, text, line, why):
    (tmp_path / "site.cfg").write_text(text)
    said = refused(1, "--site", tmp_path / "site.cfg", "-o", tmp_path / "card.rom", "virtio")
    assert f"site.cfg:{line}: " in said and why in said
    assert not (tmp_path / "card.rom").exists()


@pytest.mark.parametrize("text, line, why", [
    ("tftp-server = 192.0.2.1\naddress = 192.0.2.50/24\ngateway = 192.0.3.1", 3,
     "gateway: 192.0.3.1 is outside 192.0.2.0/24"),
    ("tftp-server = 192.0.2.1\naddress = 192.0.2.50/26\ngateway = 192.0.2.64", 3, "192.0.2.0/26"),
    ("gateway = 192.0.2.254", 1, "gateway: without effect, as DHCP names the router"),
    ("\nconsole = serial", 2, "console: it is for boot media alone"),
    (SITE, 0, ""),
])
def test_site_that_is_hardly_meant(tmp_path, text, line, why):
    (tmp_path / "site.cfg").write_text(text)
    for option in ("--bios-only", "--uefi-only"):
        done = run(option, "--site", tmp_path / "site.cfg", "-o", tmp_path / "card.rom", "virtio")
        assert done.returncode == 0 and done.stdout
        wanted = f"openpreboot-rom: warning: {tmp_path}/site.cfg:{line}: "
        assert done.stderr.startswith(wanted) and why in done.stderr if why else done.stderr == ""
        assert done.stderr.count("\n") == bool(why)


def test_site_vlan_on_uefi(tmp_path):
    (tmp_path / "site.cfg").write_text("vlan = 12")
    assert flash.read(make(tmp_path, "--uefi-only", "--site", tmp_path / "site.cfg",
                           "virtio")).site == b"vlan = 12"


def test_site_is_read_as_the_nbp_does():
    """nbp/site.h's own example, with the mark that Notepad writes, and other ends of lines."""
    example = re.search(r"^ \*\n((?: \*     .*\n)+)", (ROOT / "nbp/site.h").read_text(), re.M)[1]
    lines = [line.removeprefix(" *     ") for line in example.splitlines()]
    text = "\r\n".join(re.sub(r"\s{3,}\S.*", "", line) for line in lines)
    site = site_text.parse(b"\xef\xbb\xbf" + text.encode())
    assert [str(server) for server in site.servers] == ["192.0.2.1", "192.0.2.2"]
    assert (str(site.address), site.vlan) == ("192.0.2.50/24", 12)
    assert set(site.lines) == set(site_text.NAMES) - {"console"}


# --- hostile surroundings ----------------------------------------------------------

@pytest.mark.parametrize("card", ["[8086:100e]", "0x8086:0x100E", "8086:100E", "E1000", "82540EM"])
def test_spellings_of_a_card(tmp_path, card):
    contents = flash.read(make(tmp_path, "--bios-only", card))
    assert {image.ids for image in contents.images} == {(0x8086, 0x100e)}


def test_default_names(tmp_path):
    """The same card has the same file, however it was spelled."""
    for card in ("8086:100E", "[8086:100e]"):
        assert run("--uefi-only", "--no-card-driver", card, cwd=tmp_path).returncode == 0
        assert [file.name for file in tmp_path.iterdir()] == ["openpreboot-8086-100e.rom"]


def test_what_is_no_file_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    for place in (tmp_path / "fifo", tmp_path):
        said = refused(1, "--uefi-only", "--no-card-driver", "-o", place, "virtio")
        assert "is there, and no file; give another one by --output" in said
    assert [file.name for file in tmp_path.iterdir()] == ["fifo"]
    (tmp_path / "fifo").unlink()
    (tmp_path / "link").symlink_to(tmp_path / "card.rom")
    assert run("--uefi-only", "--no-card-driver", "-o", tmp_path / "link", "virtio").returncode == 0
    assert (tmp_path / "link").is_symlink() and (tmp_path / "card.rom").is_file()
    # Linux makes no file here, whoever asks.
    assert "give another file by --output" in refused(1, "--uefi-only", "-o", "/proc/card.rom", "virtio")


def test_inputs_without_an_end():
    """They have a limit, and are no reason to run out of memory."""
    assert "larger than the 16 MiB" in refused(1, "--show", "/dev/zero")
    assert "larger than the 16 MiB" in refused(1, "--site", "/dev/zero", "-o", "/dev/null", "virtio")
    assert "the largest is 16M" in refused(2, "--flash", "99999999M", "virtio")


def test_output_that_is_full():
    done = subprocess.run(["sh", "-c", f"{TOOL} --list > /dev/full"], capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr == "openpreboot-rom: cannot write the output: No space left on device\n"


def test_ended_at_any_moment(tmp_path):
    """The file is there whole or not at all; nothing else is left, and no traceback."""
    make(tmp_path, "e1000")
    wanted = (tmp_path / "card.rom").read_bytes()
    for number, delay in enumerate((0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6)):
        process = subprocess.Popen([TOOL, "-o", tmp_path / "card.rom", "e1000"], text=True,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        time.sleep(delay)
        process.send_signal(signal.SIGINT if number % 2 else signal.SIGTERM)
        said = process.communicate(timeout=60)[1]
        # While Python loads its modules our handlers are not there yet.
        assert "Traceback" not in said or "import" in said, said
        assert [file.name for file in tmp_path.iterdir()] == ["card.rom"]
        assert (tmp_path / "card.rom").read_bytes() == wanted


def test_programs_that_are_none(tmp_path):
    """A file of another kind under an NBP's name makes no ROM."""
    shutil.copytree(BUILD / "rom", tmp_path / "rom")
    for name in ("nvlnbp.sys", "nvlnbpx64.efi"):
        shutil.copy(BUILD / name, tmp_path)
    aa64 = (BUILD / "nvlnbpaa64.efi").read_bytes()
    for name, contents in (("nvlnbp.sys", b""), ("nvlnbp.sys", bytes(70000)),
                           ("nvlnbpx64.efi", b"text"), ("nvlnbpx64.efi", aa64),
                           ("nvlnbpx64.efi", (BUILD / "nvlnbpx64.efi").read_bytes()[:3000]),
                           ("rom/x64.efi", b"MZ"), ("rom/bios.bin", bytes(1024)), ("rom/bios.bin", b"")):
        kept = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(contents)
        said = refused(1, "--nbps", tmp_path, "-o", tmp_path / "card.rom", "virtio")
        assert f"{tmp_path}/{name}: " in said and "install it anew" in said
        assert not (tmp_path / "card.rom").exists()
        (tmp_path / name).write_bytes(kept)
    make(tmp_path, "--nbps", tmp_path, "virtio")


# --- cards, and the command line -----------------------------------------------------

def test_list():
    lines = run("--list").stdout.splitlines()
    assert len(lines) > 500 and lines == sorted(lines)
    assert run("--list", "e1000").stdout.splitlines() == \
        [line for line in lines if "e1000" in line] != []
    assert "UEFI driver" in run("--list", "8086:100e").stdout
    assert run("--list", "--json", "8086:100e").stdout == run("--json", "--list", "8086:100e").stdout
    assert "nosuchcard" in refused(1, "--list", "nosuchcard")


def test_list_into_a_closed_pipe():
    done = subprocess.run(["bash", "-c", f"{TOOL} --list | head -1; echo ${{PIPESTATUS[0]}}"],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == "" and done.stdout.count("\n") == 2


@pytest.mark.parametrize("arguments, why", [
    ([], "missing argument CARD"),
    (["--sho", "x"], "unrecognized arguments: --sho"),
    (["--flash", "12Q", "virtio"], '"12Q" is no size'),
    (["--flash", "1000", "virtio"], '"1000" is no size'),
    (["--flash", "0", "virtio"], '"0" is no size'),
    (["--flash", "-1K", "virtio"], "--flash"),
    (["ffff:1234"], 'unknown card "ffff:1234"'),
    (["0000:1234"], 'unknown card "0000:1234"'),
    ([""], 'unknown card ""'),
    (["--bios-only", "--sign", "a", "b", "virtio"], "--bios-only leaves nothing"),
    (["--bios-only", "--card-driver", "virtio"], "--bios-only leaves nothing"),
    (["--bios-only", "--processor", "aa64", "virtio"], "--bios-only leaves nothing"),
    (["--card-driver", "--processor", "aa64,ia32", "virtio"], "add x64 to --processor"),
    (["--show", "x", "--flash", "1M"], "--flash: without effect on --show"),
    (["--list", "--no-card-driver"], "--no-card-driver: without effect on --list"),
    (["--bios-only", "--uefi-only", "virtio"], "not allowed with"),
    (["--processor", "m68k", "virtio"], 'unknown processor "m68k"'),
    (["virtio", "--list"], "exclude each other"),
    (["nosuchcard"], 'unknown card "nosuchcard"'),
    (["8086:10"], 'unknown card "8086:10"'),
    (["virtio", "e1000"], "unrecognized arguments: e1000"),
])
def test_usage_errors(tmp_path, arguments, why):
    assert why in refused(2, *arguments, cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_several_cards_of_a_name():
    said = refused(2, "virtio-net")
    assert "1af4:1000" in said and "1af4:1041" in said


def test_errors_name_the_remedy(tmp_path):
    out = ["-o", tmp_path / "card.rom"]
    assert "--uefi-only" in refused(1, *out, "8086:15f3")  # iPXE does not drive it
    assert "apt install ipxe" in refused(1, *out, "--ipxe", tmp_path, "--bios-only", "virtio")
    assert "apt install ipxe-qemu" in refused(1, *out, "--ipxe", tmp_path, "e1000")
    assert "--nbps" in refused(1, *out, "--nbps", tmp_path, "virtio")
    assert "No such file" in refused(1, "--show", tmp_path / "none")
    assert "No such file" in refused(1, *out, "--site", tmp_path / "none", "virtio")
    assert "No such file" in refused(1, "-o", tmp_path / "none/card.rom", "virtio")
    (tmp_path / "ipxe.efi").symlink_to(f"{IPXE}/ipxe.efi")
    (tmp_path / "ipxe.lkrn").write_bytes(b"no kernel")
    assert "install Debian's package ipxe anew" in \
        refused(1, *out, "--ipxe", tmp_path, "--bios-only", "virtio")
    assert not (tmp_path / "card.rom").exists()


def test_default_name(tmp_path):
    assert run("8086:100e", cwd=tmp_path).returncode == 0
    assert [file.name for file in tmp_path.iterdir()] == ["openpreboot-8086-100e.rom"]


def test_make_rom():
    done = subprocess.run(["make", "--no-print-directory", "-C", ROOT, "rom"], capture_output=True,
                          text=True, timeout=600, check=False)
    assert done.returncode == 2 and "NIC=8086:100e" in done.stderr


def test_help_and_manual_have_the_same_options():
    shown = run("--help").stdout
    page = (ROOT / "scripts/openpreboot-rom.8").read_text().replace("\\-", "-")
    options = set(re.findall(r"^  (?:-\w.*, )?(--[a-z-]+)", shown, re.M))
    assert options == set(re.findall(r"^\.BR? .*?(--[a-z-]+)", page.split(".SH OPTIONS")[1], re.M))
    assert len(options) > 10
    assert run("--version").stdout == "openpreboot-rom 0.1.0\n"
