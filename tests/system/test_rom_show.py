# SPDX-License-Identifier: BSD-2-Clause
"""openpreboot-rom --show: finds what is damaged, and survives every file that it is given; --json
says the same to a program."""

import json
import random
import re
import sys
import zlib

from policy import BUILD
from rom_tool import IPXE, ROOT, SITE, load_tool, make, run

sys.path.insert(0, str(ROOT / "scripts/rom"))
import flash  # noqa: E402
import pci_rom  # noqa: E402


def test_show(tmp_path):
    make(tmp_path, "e1000")
    done = run("--show", tmp_path / "card.rom")
    assert done.returncode == 0 and done.stderr == ""
    assert len(re.findall("image for BIOS, card 8086:100e", done.stdout)) == 1
    assert len(re.findall("image for UEFI, card 8086:100e", done.stdout)) == 2
    assert re.search(r"iPXE \d", done.stdout) and "nvlnbp.sys" in done.stdout


def test_show_says_which_processor_each_image_is_for(tmp_path):
    for processors, names in (("x64,aa64", ["x64", "ARM64"]), ("aa64,ia32", ["ARM64", "IA32"])):
        done = run("-o", tmp_path / "card.rom", "--processor", processors, "virtio")
        shown = run("--show", tmp_path / "card.rom")
        for text in (done.stdout, shown.stdout):
            assert re.findall(r"OpenPreboot for (\w+), an NBP of (\d+)", text) == \
                [(name, str((BUILD / f"nvlnbp{file}.efi").stat().st_size))
                 for name, file in zip(names, processors.split(","))]


def test_show_of_no_rom(tmp_path):
    """As a chip is read that also has the card's settings; a ROM that was cut is one."""
    for data in (b"", bytes(4096), b"\x55\xaa" + bytes(4096)):
        (tmp_path / "old.rom").write_bytes(data)
        done = run("--show", tmp_path / "old.rom")
        assert done.returncode == 1 and done.stdout == ""
        assert done.stderr.endswith("; do not write to this chip: nbp/rom.md, step 2\n")
        done = run("--show", "--json", tmp_path / "old.rom")
        shown = json.loads(done.stdout)
        assert done.returncode == 1 and (shown["whole"], shown["images"]) == (False, [])
        assert shown["errors"][0] in done.stderr
    (tmp_path / "cut.rom").write_bytes(make(tmp_path, "virtio")[:2000])
    assert "do not write" not in run("--show", tmp_path / "cut.rom").stderr


def test_show_of_another_rom():
    done = run("--show", f"{IPXE}/qemu/efi-e1000.rom")
    assert done.returncode == 0 and "OpenPreboot is not in it" in done.stdout


def test_show_finds_each_flipped_bit(tmp_path):
    rom = make(tmp_path, "e1000")
    source = random.Random(1)
    for place in [0, 6, 0x20, 700, 1030, 200000, len(rom) - 1, len(rom) - 7, len(rom) - 12,
                  *(source.randrange(len(rom)) for _ in range(30))]:
        damaged = bytearray(rom)
        damaged[place] ^= 1 << source.randrange(8)
        (tmp_path / "damaged").write_bytes(damaged)
        done = run("--show", tmp_path / "damaged")
        assert done.returncode == 1, place
        assert "Traceback" not in done.stderr and f"{tmp_path}/damaged: " in done.stderr


def test_show_finds_cuts_and_noise(tmp_path):
    rom = make(tmp_path, "virtio")
    source = random.Random(2)
    pieces = [rom[:size] for size in (0, 1, 2, 25, 40, 600, 1024, 1500, 70000, len(rom) - 1)]
    pieces += [rom[512:], source.randbytes(5000), b"\x55\xaa" + source.randbytes(5000), bytes(4096)]
    for piece in pieces:
        (tmp_path / "damaged").write_bytes(piece)
        done = run("--show", tmp_path / "damaged")
        assert done.returncode == 1 and "Traceback" not in done.stderr, len(piece)


def test_show_names_the_damage(tmp_path):
    """Where the CRC-32 is right the parts' own sums and lengths still count."""
    whole = make(tmp_path, "--bios-only", "virtio")
    for place, size, why in ((100000, len(whole), "on BIOS the card would say so"),
                             (800, len(whole), "so that no BIOS takes it"),
                             (0, len(whole) - 700, "before what the image for BIOS reads: it was cut")):
        rom = bytearray(whole[:size])
        rom[place] ^= place != 0
        end = len(rom) - flash.TRAILER.size
        rom[end:] = flash.TRAILER.pack(flash.TRAILER_MARK, end, zlib.crc32(rom[:end]))
        (tmp_path / "damaged").write_bytes(rom)
        done = run("--show", tmp_path / "damaged")
        assert done.returncode == 1 and done.stderr.count("\n") == 1 and why in done.stderr


def hostile(rom):
    """Yields ROMs with a wrong place or size in each structure that --show follows, and cut ones."""
    source = random.Random(3)
    starts = [image.at for image in pci_rom.read_images(rom)]
    hot = [place for start in starts for place in range(start, start + 0x200)]
    hot += range(rom.find(flash.PARTS_MARK), rom.find(flash.PARTS_MARK) + flash.PARTS.size)
    for _ in range(300):
        damaged = bytearray(rom)
        for _ in range(source.randrange(1, 6)):
            size = source.choice([1, 2, 4])
            value = source.choice([0, 1, 0xff, 0x7fff, 0xffff, 0xffffffff, 0x80000000])
            at = source.choice(hot)
            damaged[at:at + size] = (value & (1 << 8 * size) - 1).to_bytes(size, "little")
        yield bytes(damaged[:len(rom)])
    for _ in range(60):
        yield rom[:source.choice([source.randrange(len(rom)), source.choice(hot) + 900])]


def test_show_survives_each_hostile_rom(tmp_path):
    """In this process, as there are many. Each is shown, or refused for a reason."""
    rom = make(tmp_path, "virtio")
    tool = load_tool()
    ends = set()
    for number, data in enumerate(hostile(rom)):
        (tmp_path / "hostile").write_bytes(data)
        try:
            tool.main(["--show", str(tmp_path / "hostile")])
            ends.add("shown")
        except tool.Failure as failure:
            ends.add("refused")
            assert str(failure).startswith(f"{tmp_path}/hostile: "), number
    assert ends == {"shown", "refused"}


def test_show_prints_nothing_that_a_terminal_obeys(tmp_path):
    text = b"# a\x1b[2Jb\x07\nserver = 192.0.2.1 # \x9b1m\n"
    (tmp_path / "site.cfg").write_bytes(text)
    done = run("-o", tmp_path / "card.rom", "--site", tmp_path / "site.cfg", "virtio")
    shown = run("--show", tmp_path / "card.rom")
    assert shown.returncode == 0 and "# a[2Jb" in shown.stdout
    assert not set(done.stdout + shown.stdout + shown.stderr) & {"\x1b", "\x07", "\x9b"}


def test_json(tmp_path):
    (tmp_path / "site.cfg").write_text(SITE)
    made = json.loads(run("-o", tmp_path / "card.rom", "--json", "--site", tmp_path / "site.cfg",
                          "8086:100e").stdout)
    assert made == json.loads(run("--show", tmp_path / "card.rom", "--json").stdout)
    rom = (tmp_path / "card.rom").read_bytes()
    assert (made["bytes"], made["used"], made["whole"]) == (len(rom), len(rom), True)
    assert [image["type"] for image in made["images"]] == [0, 3, 3]
    assert made["nbps"] == {"bios": (BUILD / "nvlnbp.sys").stat().st_size,
                            "x64": (BUILD / "nvlnbpx64.efi").stat().st_size}
    assert made["site"] == SITE and made["errors"] == [] and made["ipxe"]
    (tmp_path / "cut").write_bytes(rom[:-100])
    done = run("--show", tmp_path / "cut", "--json")
    assert done.returncode == 1 and "the file was cut" in done.stderr
    assert json.loads(done.stdout)["errors"] and not json.loads(done.stdout)["whole"]
    card, = [card for card in json.loads(run("--list", "--json").stdout)
             if card["card"] == "8086:100e"]
    assert card == {"card": "8086:100e", "name": "82540em", "uefi_driver": True, "also": ["e1000"]}
