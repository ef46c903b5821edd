# SPDX-License-Identifier: BSD-2-Clause
"""isdctl on images with the partition tables that today's tools make."""

import fcntl
import json
import os
import subprocess
from pathlib import Path

import pytest

from policy import BUILD

FIRST, END = 0xfe000, 0x100000
SIZE = 8 << 20


def run(*arguments):
    return subprocess.run([BUILD / "isdctl", *arguments], capture_output=True, text=True,
                          timeout=20, check=False)


def well(*arguments):
    result = run(*arguments)
    assert result.returncode == 0 and result.stderr == "", result
    return result.stdout


def refused(*arguments, status=1):
    result = run(*arguments)
    assert result.returncode == status and result.stdout == "", result
    assert result.stderr.startswith("isdctl: ") and result.stderr.count("\n") == 1
    return result.stderr


def image(folder, script=None, size=SIZE, program=("/usr/sbin/sfdisk", "--quiet", "--force")):
    """Makes an image of noise behind its first MiB, with the partition table of a script."""
    path = folder / "disk.img"
    path.write_bytes(bytes(END) + os.urandom(size - END))
    if script is not None:
        with open(path, "r+b") as disk:
            disk.seek(size - (1 << 20))
            disk.write(bytes(1 << 20))  # no backup GPT by chance
        subprocess.run([*program, path], input=script, text=True, capture_output=True, check=True,
                       timeout=20)
    return path


def test_every_verb_touches_its_place_only(tmp_path):
    path = image(tmp_path, "label: gpt\nstart=2048, size=4096, type=L\n")
    before = path.read_bytes()
    inode = path.stat().st_ino
    for words in (["create", "name=web01"], ["set", "name=web02", "dns=1.2.3.4"], ["set", "dns="],
                  ["create", "--force"], ["clear"]):
        well(path, *words)
        after = path.read_bytes()
        assert len(after) == len(before) and path.stat().st_ino == inode
        assert after[:FIRST] == before[:FIRST] and after[END:] == before[END:]
        assert (after[FIRST:END] == before[FIRST:END]) == (words == ["clear"])
    assert path.read_bytes() == before


def test_show_and_json(tmp_path):
    path = image(tmp_path, "label: dos\n2048 4096 L\n")
    assert "no image-safe data (copies: absent, absent)" in refused(path, "show")
    assert '"create" writes some' in refused(path, "set", "name=web01")
    created = json.loads(well("--json", path, "create", "name=web01", "just-imaged=yes",
                              "image-size=5", "dns=1.2.3.4,5.6.7.8", "key=random"))
    assert created == json.loads(well(path, "--json"))
    assert created["copies"] == ["valid", "valid"] and created["sequence"] == 1
    assert created["name"] == "web01" and created["just_imaged"] is True
    assert created["dns"] == ["1.2.3.4", "5.6.7.8"] and created["image_size"] == 5
    assert created["address"] is None and "key" not in created
    assert "already" in refused(path, "create")
    assert well(path, "set", "name=", "network=dhcp") == ""
    lines = well(path).splitlines()
    assert lines[0] == "just-imaged=yes" and "network=dhcp" in lines
    assert not any(line.startswith("name=") for line in lines)
    assert "key=(secret; \"show key\" prints it)" in lines
    assert len(well(path, "show", "key").strip()) == 64
    assert well(path, "show", "network", "name") == "dhcp\n\n"
    # What show prints can be set again.
    other = json.loads(well(path, "-j"))
    well(path, "set", *[line for line in lines if not line.startswith("key=")])
    assert {**json.loads(well(path, "-j")), "sequence": 0} == {**other, "sequence": 0}


@pytest.mark.parametrize("arguments, expected", [
    (["set", "nonsense=1"], 'unknown field "nonsense"'),
    (["set", "name"], "expected FIELD=VALUE"),
    (["set", "address=1.2.3"], "address=1.2.3: expected an IPv4 address"),
    (["set", "name=" + 64 * "x"], "expected at most 63 printable ASCII characters"),
    (["set"], "set: missing argument FIELD=VALUE"),
    (["erase"], "expected show, set, create, clear, save or restore"),
    (["clear", "name"], '"set FIELD=" removes a field'),
    (["show", "nonsense"], 'unknown field "nonsense"'),
    (["--sector-size", "520"], "expected 512 or 4096")])
def test_bad_usage(tmp_path, arguments, expected):
    path = image(tmp_path, "label: dos\n")
    well(path, "create", "name=web01")
    before = path.read_bytes()
    assert expected in refused(path, *arguments, status=2)
    assert path.read_bytes() == before


FDISK_4096 = ("/usr/sbin/fdisk", "-b", "4096")


@pytest.mark.parametrize("script, program, expected", [
    ("label: dos\nstart=2048, size=4096\n", None, ""),
    ("label: dos\nstart=63, size=1969\n", None, ""),
    ("label: dos\nstart=63, size=4096\n", None,
     "primary partition 1 begins at sector 63 and covers it"),
    ("label: dos\nstart=2048, size=4096, type=5\nstart=4096, size=100\n", None, ""),
    ("label: dos\nstart=100, size=12000, type=5\n", None,
     "extended partition 1 begins at sector 100 and covers it"),
    ("label: gpt\nstart=2048, size=4096\n", None, ""),
    ("label: gpt\nfirst-lba: 34\nstart=34, size=1998\n", None, ""),
    ("label: gpt\nfirst-lba: 34\nstart=34, size=4096\n", None,
     "GPT partition 1 begins at sector 34 and covers it"),
    ("label: gpt\nfirst-lba: 34\nstart=4096, size=100\nstart=2047, size=1\n", None,
     "GPT partition 2 begins at sector 2047 and covers it"),
    ("g\nn\n1\n256\n\nw\n", FDISK_4096, ""),
    (None, None, "no partitions but is not empty")])
def test_tables(tmp_path, script, program, expected):
    arguments = {"program": program} if program else {}
    path = image(tmp_path, script, **arguments)
    if script is None:
        path.write_bytes(b"\0" * 1024 + b"S" + path.read_bytes()[1025:])
    before = path.read_bytes()
    if expected:
        reason = refused(path, "create")
        assert expected in reason and str(path) in reason
        refused(path, "create", "--force")
        refused(path, "clear", "--force")
        assert path.read_bytes() == before
    else:
        well(path, "create", "name=web01")
        assert well(path, "show", "name") == "web01\n"


def test_hybrid(tmp_path):
    sgdisk = Path("/usr/sbin/sgdisk")
    if not sgdisk.exists():
        pytest.skip("needs sgdisk")
    path = image(tmp_path, "label: gpt\nfirst-lba: 34\nstart=2048, size=100\nstart=34, size=10\n")
    subprocess.run([sgdisk, "--hybrid=1:2", path], check=True, capture_output=True, timeout=20)
    well(path, "create")
    well(path, "clear")
    # The MBR alone has a partition in the place, and no GPT knows of it.
    data = bytearray(path.read_bytes())
    entry = next(at for at in range(446, 510, 16) if data[at + 4] not in (0, 0xee))
    data[entry + 8:entry + 12] = (2040).to_bytes(4, "little")
    path.write_bytes(data)
    assert "covers it" in refused(path, "create")


def test_what_is_no_disk(tmp_path):
    small = tmp_path / "small"
    small.write_bytes(bytes(END - 1))
    assert "too small: 1048575 bytes" in refused(small, "create")
    assert "too small" in refused(small, "show")
    assert "No such file" in refused(tmp_path / "none", "create")
    assert not (tmp_path / "none").exists()
    assert "neither a disk nor an image" in refused("/dev/null", "show")
    assert "irectory" in refused(tmp_path, "create")
    packed = tmp_path / "disk.qcow2"
    packed.write_bytes(b"QFI\xfb" + bytes(SIZE))
    assert "not a raw image" in refused(packed, "create")


def test_place_with_something_else(tmp_path):
    path = image(tmp_path, "label: dos\n")
    data = bytearray(path.read_bytes())
    data[FIRST + 100] = 1
    path.write_bytes(data)
    assert "make partitions first" in refused(path, "create", "--force")
    assert path.read_bytes() == data
    path = image(tmp_path, "label: dos\n2048 4096 L\n")
    data = bytearray(path.read_bytes())
    data[FIRST + 100] = 1
    path.write_bytes(data)
    assert "perhaps a boot loader's" in refused(path, "create")
    assert "perhaps a boot loader's" in refused(path, "clear")
    well(path, "create", "--force", "name=web01")
    # One copy is damaged: the other one counts, and set writes both.
    data = bytearray(path.read_bytes())
    data[FIRST + 100] ^= 1
    path.write_bytes(data)
    result = run(path, "show", "name")
    assert result.stdout == "web01\n" and "copy 1 is damaged" in result.stderr
    well(path, "set", "name=web02")
    assert json.loads(well(path, "-j"))["copies"] == ["valid", "valid"]
    # Both are: nothing is guessed.
    data = bytearray(path.read_bytes())
    data[FIRST + 100] ^= 1
    data[FIRST + 5000] ^= 1
    path.write_bytes(data)
    assert "copies: damaged, damaged" in refused(path, "show")
    assert "copies: damaged, damaged" in refused(path, "set", "name=web03")
    well(path, "create", "name=web03")


# --- what fills a whole disk ------------------------------------------------

def tool(*words, into=None):
    """Runs one of the tools that fill disks."""
    env = {**os.environ, "PATH": os.environ["PATH"] + ":/sbin:/usr/sbin"}
    subprocess.run(words, check=True, capture_output=True, timeout=60, env=env, input=into)


def put(path, at, data):
    with open(path, "r+b") as disk:
        disk.seek(at)
        disk.write(data)


def ext4(path):
    tool("mkfs.ext4", "-qF", "-b4096", "-m0", "-O^has_journal,^resize_inode", "-N64", path)


def xfs(path):
    put(path, 0, b"XFSB" + bytes(508))
    put(path, 512, b"XAGF" + bytes(508) + b"XAGI" + bytes(508) + b"XAFL" + bytes(508))


def lvm(path):
    """As pvcreate leaves it: the label in the second sector, its area behind it."""
    put(path, 512, b"LABELONE" + bytes(16) + b"LVM2 001" + b"a" * 32)
    put(path, 4096, bytes(4) + b" LVM2 x[5A%r0N*>")


FILLED = {
    "ext4": ext4,
    "fat": lambda path: tool("mkfs.fat", "-F16", "-R2100", path),
    "swap": lambda path: tool("mkswap", path),
    "xfs": xfs,
    "lvm": lvm,
    "raid 1.2": lambda path: put(path, 4096, b"\xfc\x4e\x2b\xa9\1" + bytes(60)),
    "raid 1.0": lambda path: put(path, 48 << 20, b"\xfc\x4e\x2b\xa9\1" + bytes(8187)),
    "luks2": lambda path: put(path, 0x4000, b"SKUL\xba\xbe\0\2"),
    "zfs": lambda path: put(path, 0x21000, b"\x0c\xb1\xba\0\0\0\0\0"),
    "btrfs": lambda path: put(path, 0x10040, b"_BHRfS_M"),
    "bcachefs": lambda path: put(path, 4096 + 24, bytes.fromhex(
        "c68573f666ce90a9d96a60cf803df7ef")),
    "what nobody knows": lambda path: put(path, 700_000, b"\1"),
}


@pytest.mark.parametrize("table", ["empty", "partition"])
@pytest.mark.parametrize("name", FILLED)
def test_disk_that_something_fills(tmp_path, name, table):
    """The place is zeros, or a file's that is zeros, and the first sector is a boot loader's with
    a table: not even by force is it written to. With partitions nothing may be known to fill it."""
    path = tmp_path / "disk.img"
    with open(path, "wb") as disk:
        disk.truncate(48 << 20)
    FILLED[name](path)
    put(path, FIRST, bytes(END - FIRST))
    if name not in ("xfs", "fat"):
        put(path, 0, b"\xeb\x63\x90" + b"GRUB" * 100)
    put(path, 440, bytes(70) + b"\x55\xaa")
    if table == "partition":
        put(path, 446, bytes.fromhex("00 000000 83 000000 00080000 00400000"))
    before = path.read_bytes()
    known = name not in ("what nobody knows", "raid 1.0", "fat")
    if table == "partition" and name in ("raid 1.0", "fat"):
        return  # the partition says what the disk is
    reason = refused(path, "create", "name=web01")
    for words in (["create", "--force"], ["clear", "--force"], ["set", "--force", "name=x"]):
        if known or table == "empty":
            refused(path, *words)
    assert path.read_bytes() == before
    if not known and table == "partition":
        assert "say --force" in reason
        well(path, "create", "--force", "name=web01")
        after = path.read_bytes()
        assert after[:FIRST] == before[:FIRST] and after[END:] == before[END:]


def test_copy_cut_short_beside_a_good_one(tmp_path):
    """Whatever a writing that was cut short left of one copy, the other says that it is ours."""
    path = image(tmp_path, "label: dos\n")
    well(path, "create", "name=web01")
    for at in (FIRST, FIRST + 4096):
        put(path, at, bytes(512) + b"half")
        well(path, "set", "name=web02")
        assert json.loads(well(path, "-j"))["copies"] == ["valid", "valid"]


def test_save_and_restore(tmp_path):
    """A tool that writes the gap, too, brings another machine's data; one's own come back."""
    path = image(tmp_path, "label: dos\n2048 4096 L\n")
    kept = tmp_path / "kept"
    assert "nothing was saved" in refused(path, "save", kept)
    assert not kept.exists()
    well(path, "create", "name=web01", "key=random", "address=192.0.2.7")
    mine = well(path, "show"), well(path, "show", "key")
    well(path, "save", kept)
    assert kept.stat().st_mode & 0o777 == 0o600
    assert "exists" in refused(path, "save", kept)
    well(path, "create", "--force", "name=golden")
    well(path, "set", "name=golden2")
    assert (well(path, "show"), well(path, "show", "key")) != mine
    well(path, "restore", kept)
    assert (well(path, "show"), well(path, "show", "key")) == mine
    assert json.loads(well(path, "-j"))["copies"] == ["valid", "valid"]
    before = path.read_bytes()
    put(kept, 100, b"\xff")
    assert "damaged" in refused(path, "restore", kept)
    kept.write_bytes(bytes(5000))
    assert "damaged" in refused(path, "restore", kept)
    assert "No such file" in refused(path, "restore", tmp_path / "none")
    assert "restore: expected one argument, FILE" in refused(path, "restore", status=2)
    assert path.read_bytes() == before


def test_image_in_use(tmp_path):
    path = image(tmp_path, "label: dos\n")
    well(path, "create", "name=web01")
    lock = fcntl.F_WRLCK.to_bytes(2, "little") + bytes(30)
    with open(path, "r+b") as other:
        fcntl.fcntl(other, 37, lock)  # F_OFD_SETLK, as QEMU does it
        assert "in use by another program" in refused(path, "set", "name=web02")
        assert well(path, "show", "name") == "web01\n"
    well(path, "set", "name=web02")


@pytest.fixture
def loop(tmp_path):
    """Returns a function that makes block devices, where that is allowed here."""
    devices = []

    def make(path, *options):
        result = subprocess.run(["/usr/sbin/losetup", "--find", "--show", *options, path],
                                capture_output=True, text=True, timeout=20, check=False)
        if result.returncode:
            pytest.skip("no loop devices here")
        devices.append(result.stdout.strip())
        return devices[-1]

    yield make
    for device in devices:
        subprocess.run(["/usr/sbin/losetup", "--detach", device], timeout=20, check=False)


@pytest.mark.parametrize("sector_size", ["512", "4096"])
def test_block_device(tmp_path, loop, sector_size):
    path = image(tmp_path, "label: dos\n")
    device = loop(path, "--sector-size", sector_size)
    well(device, "create", "name=web01")
    assert well(device, "show", "name") == "web01\n"
    other = "4096" if sector_size == "512" else "512"
    assert "do not give --sector-size" in refused(device, "--sector-size", other, "set", "name=a")
    busy = os.open(device, os.O_RDWR | os.O_EXCL)
    assert "in use" in refused(device, "set", "name=web02")
    well(device, "--in-use", "set", "name=web02")
    os.close(busy)
    well(device, "set", "name=web03")
    subprocess.run(["sync", path], check=True, timeout=20)
    assert b"web03" in path.read_bytes()[FIRST:END]
