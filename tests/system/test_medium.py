# SPDX-License-Identifier: BSD-2-Clause
"""openpreboot-medium: the media it makes, the settings it takes, the disks it refuses to write to."""

import json
import os
import re
import shutil
import subprocess
import time

import pytest

from policy import BUILD

ROOT = BUILD.parent
TOOL = ROOT / "scripts/openpreboot-medium"
SETTINGS = ROOT / "scripts/medium/openpreboot.cfg"
FILES = {"floppy": "openpreboot-floppy.img", "disk": "openpreboot-disk.img",
         "iso": "openpreboot.iso"}
MARK = int(re.search(r"MEDIUM_MARK 0x(\w+)u", (ROOT / "nbp/medium.h").read_text())[1], 16)

# Plays lsblk for a disk that is a plain file; DISK says what the facts are.
LSBLK = """#!/usr/bin/python3
import json, os, sys
facts = json.loads(os.environ["DISK"])
option, device = sys.argv[1], sys.argv[-1]
if device != os.environ["DEVICE"]:
    sys.exit(32)
columns = sys.argv[2]
if option == "-nro":
    print("\\n".join(facts.get("all " + columns, [""])))
else:
    print(" ".join(str(facts.get(column, column)) for column in columns.split(",")))
"""
# Plays blockdev: says what BLOCKDEV says for an option, or does what it says, as a shell command.
BLOCKDEV = """#!/usr/bin/python3
import json, os, subprocess, sys
sys.exit(subprocess.run(json.loads(os.environ["BLOCKDEV"]).get(sys.argv[1], "true"),
                        shell=True).returncode)
"""
STICK = {"TYPE": "disk", "RM": 1, "RO": 0, "TRAN": "usb", "SIZE": 32 << 20, "MODEL": "Flash",
         "all TYPE": ["disk", "part"]}


def run(*arguments, **more):
    return subprocess.run([TOOL, *map(str, arguments)], capture_output=True, text=True,
                          timeout=120, check=False,
                          stdin=None if "input" in more else subprocess.DEVNULL, **more)


def make(*arguments):
    done = run(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def mark(image):
    return int.from_bytes(image.read_bytes()[440:444], "little")


def volume(image):
    return f"{image}@@1M" if image.name == FILES["disk"] else str(image)


def edit(image, settings):
    """Replaces openpreboot.cfg, as a person's editor does, by bytes."""
    subprocess.run(["mcopy", "-o", "-i", volume(image), "-", "::openpreboot.cfg"],
                   input=settings, check=True, timeout=20)


@pytest.fixture(scope="module")
def media(tmp_path_factory):
    folder = tmp_path_factory.mktemp("media")
    assert make(folder).split() == [str(folder / name) for name in FILES.values()]
    return folder


def test_media(media):
    sizes = {kind: (media / name).stat().st_size for kind, name in FILES.items()}
    assert sizes["floppy"] == 1440 << 10 and sizes["disk"] == 16 << 20
    assert sizes["iso"] <= 4 << 20
    assert mark(media / FILES["disk"]) == mark(media / FILES["iso"]) == MARK


@pytest.mark.parametrize("kind", ["floppy", "disk"])
def test_files(media, kind, tmp_path):
    """Both NBPs are on it, whole, and the settings, with lines that Windows' editors show."""
    for name, source in {"EFI/BOOT/BOOTX64.EFI": BUILD / "nvlnbpx64.efi",
                         "EFI/BOOT/BOOTIA32.EFI": BUILD / "nvlnbpia32.efi",
                         "EFI/BOOT/BOOTAA64.EFI": BUILD / "nvlnbpaa64.efi",
                         "syslinux/nvlnbp.sys": BUILD / "nvlnbp.sys"}.items():
        subprocess.run(["mcopy", "-n", "-o", "-i", volume(media / FILES[kind]), f"::{name}",
                        tmp_path / "file"], check=True, timeout=20)
        assert (tmp_path / "file").read_bytes() == source.read_bytes(), name
    text = subprocess.run(["mtype", "-i", volume(media / FILES[kind]), "::openpreboot.cfg"],
                          check=True, capture_output=True, timeout=20).stdout
    assert text.replace(b"\r\n", b"\n") == SETTINGS.read_bytes()
    assert text.count(b"\r\n") == text.count(b"\n")


def test_reproducible(media, tmp_path):
    make(tmp_path)
    for name in FILES.values():
        assert (tmp_path / name).read_bytes() == (media / name).read_bytes(), name


@pytest.mark.parametrize("kind", FILES)
def test_show(tmp_path, kind):
    made = json.loads(make("--only", kind, "--json", "--set", "server=192.0.2.7", tmp_path))
    image = tmp_path / FILES[kind]
    assert made == {"kind": kind, "file": str(image), "bytes": image.stat().st_size}
    shown = run("--show", image)
    assert shown.returncode == 0
    assert shown.stdout.splitlines()[-1] == "server=192.0.2.7"
    assert json.loads(run("--show", image, "--json").stdout) == made
    assert json.loads(run("--show", "--json", image).stdout) == made


def test_show_says_what_a_person_got_wrong(tmp_path):
    make("--only", "disk", tmp_path)
    image = tmp_path / FILES["disk"]
    edit(image, b"# mine\nsever = 1.2.3.4\n")
    shown = run("--show", image)
    assert shown.returncode == 1
    assert 'openpreboot.cfg:2: unknown setting "sever"; there are server' in shown.stderr


def test_show_of_something_else(tmp_path):
    (tmp_path / "other").write_bytes(bytes(100000))
    assert "no medium of openpreboot-medium" in run("--show", tmp_path / "other").stderr
    assert "no file or device" in run("--show", tmp_path / "none").stderr


def test_one_firmware(tmp_path):
    for firmware, there, not_there in (("bios", "::syslinux", "::EFI"),
                                       ("uefi", "::EFI", "::syslinux")):
        make("--firmware", firmware, tmp_path)
        image = volume(tmp_path / FILES["disk"])
        for name, status in ((there, 0), (not_there, 1)):
            assert subprocess.run(["mdir", "-i", image, name], capture_output=True, timeout=20,
                                  check=False).returncode == status


WRONG = [
    ("sever = 192.0.2.1", 'unknown setting "sever"; there are server'),
    ("server", "expected server = VALUE"),
    ("server = 192.0.2.300", "server: expected up to four addresses"),
    ("server = 1.1.1.1 1.1.1.2 1.1.1.3 1.1.1.4 1.1.1.5", "server: expected up to four"),
    ("address = 192.0.2.1", "address: expected an address and the bits of its netmask"),
    ("address = 192.0.2.1/31", "address: expected"),
    ("gateway = 192.0.2.1 192.0.2.2", "gateway: expected an address"),
    ("tftp-server = here", "tftp-server: expected an address"),
    ("vlan = 4095", "vlan: expected a number from 1 to 4094"),
    ("console = com1", "console: expected serial or screen"),
    ("server = 255.255.255.255", "server: expected up to four addresses"),
    ("server =", "server: expected up to four addresses"),
    ("address = 192.0.2.1/0", "address: expected"),
    ("address = 192.0.2.50/24", "address: without DHCP nobody says where loaders are: set tftp-server"),
]


@pytest.mark.parametrize("line, message", WRONG)
def test_wrong_settings(tmp_path, line, message):
    (tmp_path / "cfg").write_text(f"# a comment\n\n{line}\n")
    done = run("--settings", tmp_path / "cfg", tmp_path / "out")
    assert done.returncode == 1
    assert f"{tmp_path}/cfg:3: {message}" in done.stderr
    assert not list(tmp_path.glob("out/*"))


@pytest.mark.parametrize("setting, message", [
    ("sever=192.0.2.1", '--set: unknown setting "sever"; there are server'),
    ("server", "--set: expected server = VALUE"),
    ("server=here", "--set server: expected up to four addresses"),
    ("address=192.0.2.50/24", "--set address: without DHCP nobody says where loaders are: add --set "
                              "tftp-server=ADDRESS")])
def test_wrong_settings_of_the_command_line(tmp_path, setting, message):
    """They are in no file that has lines, whatever file there is."""
    (tmp_path / "cfg").write_text("# ours\nserver = 192.0.2.1")
    for settings in ([], ["--settings", tmp_path / "cfg"]):
        done = run(*settings, "--set", setting, tmp_path / "out")
        assert done.returncode == 1 and not list(tmp_path.glob("out/*"))
        assert done.stderr.startswith(f"openpreboot-medium: {message}") and done.stderr.count("\n") == 1


ODD = [
    ("both", "vlan = 12", "vlan: a BIOS goes on without it, in the untagged network; --firmware uefi "
                          "makes media for UEFI alone"),
    ("uefi", "vlan = 12", None), ("uefi", "console = serial", "console: it is for a BIOS"),
    ("bios", "console = serial", None),
    ("both", "gateway = 192.0.2.254", "gateway: without effect, as DHCP names the router"),
    ("both", "tftp-server=192.0.2.1\naddress=192.0.2.50/24\ngateway=192.0.3.254",
     "gateway: 192.0.3.254 is outside the network of 192.0.2.50/24"),
    ("both", "tftp-server=192.0.2.1\naddress=192.0.2.50/26\ngateway=192.0.2.64", "gateway: 192.0.2.64"),
    ("both", "tftp-server=192.0.2.1\naddress=192.0.2.50/26\ngateway=192.0.2.63", None),
    ("both", "tftp-server=10.0.0.1\naddress=10.200.0.9/8\ngateway=10.1.2.3", None)]


@pytest.mark.parametrize("firmware, text, message", ODD)
def test_settings_that_are_hardly_meant(tmp_path, firmware, text, message):
    (tmp_path / "cfg").write_text("# a comment\n" + text)
    where = f"openpreboot-medium: warning: {tmp_path}/cfg:{2 + text.count(chr(10))}: "
    done = run("--settings", tmp_path / "cfg", "--firmware", firmware, "--only", "floppy", tmp_path)
    assert done.returncode == 0 and (tmp_path / FILES["floppy"]).exists()
    assert done.stderr.startswith(where + message) if message else done.stderr == ""
    assert done.stderr.count("\n") == bool(message)
    shown = run("--show", tmp_path / FILES["floppy"])
    assert shown.returncode == 0 and ("warning" in shown.stderr) == \
        (message is not None and message.startswith("gateway"))


def test_vlan_of_a_bios_alone(tmp_path):
    """No machine of these media would be in it, so they are not made; as openpreboot-rom has it."""
    (tmp_path / "cfg").write_text("\nvlan = 12\n")
    for arguments, where in ((["--set", "vlan=12"], "--set vlan"),
                             (["--settings", tmp_path / "cfg"], f"{tmp_path}/cfg:2: vlan")):
        done = run("--firmware", "bios", *arguments, tmp_path / "out")
        assert done.returncode == 1 and not list(tmp_path.glob("out/*"))
        assert done.stderr.startswith(f"openpreboot-medium: {where}: iPXE, which starts")
        assert "--firmware uefi" in done.stderr


def test_settings_that_are_right(tmp_path):
    """What Notepad writes: a mark, and lines that end as on DOS."""
    (tmp_path / "cfg").write_bytes("\ufeffserver=192.0.2.1,192.0.2.2 # two\r\nvlan = 12\r\n"
                                   "address\t=\t192.0.2.50/24\r\nconsole = serial\r\n"
                                   "tftp-server = 192.0.2.1\r\n".encode())
    assert run("--settings", tmp_path / "cfg", "--only", "disk", tmp_path).returncode == 0


def test_set_goes_over_the_file(tmp_path):
    """Also where the file's last line has no end: --set is a line of its own."""
    (tmp_path / "cfg").write_bytes(b"server = 192.0.2.1\nvlan = 12")
    make("--settings", tmp_path / "cfg", "--only", "disk", "--set", "server=192.0.2.2",
         "--set", "console=serial", tmp_path)
    shown = run("--show", tmp_path / FILES["disk"])
    assert shown.returncode == 0
    assert shown.stdout.splitlines()[1:] == ["server = 192.0.2.1", "vlan = 12", "server=192.0.2.2",
                                             "console=serial"]
    (tmp_path / "cfg").write_bytes(b"#" * 4090)
    done = run("--settings", tmp_path / "cfg", "--set", "vlan=12", tmp_path / "out")
    assert done.returncode == 1 and "longer than the 4096 bytes" in done.stderr


def test_missing_files(tmp_path):
    done = run("--nbps", tmp_path, tmp_path / "out")
    assert done.returncode == 1 and "install the package openpreboot" in done.stderr
    # In a source that is not built yet.
    shutil.copytree(ROOT / "scripts/medium", tmp_path / "source/scripts/medium")
    shutil.copy(TOOL, tmp_path / "source/scripts")
    for firmware, name in (("both", "nvlnbp.sys"), ("uefi", "nvlnbpx64.efi")):
        done = subprocess.run([tmp_path / "source/scripts" / TOOL.name, "--firmware", firmware,
                               tmp_path / "out"], capture_output=True, text=True, timeout=60,
                              check=False)
        assert done.returncode == 1
        assert f'/build/{name}; run "make", or give --nbps FOLDER' in done.stderr
    done = run("--settings", tmp_path / "none", tmp_path / "out")
    assert done.returncode == 1 and "give another one by --settings" in done.stderr


@pytest.mark.parametrize("arguments, message", [
    ([], "missing argument FOLDER"), (["a", "b"], "b: unexpected argument"),
    (["--only", "tape", "a"], "--only tape: expected floppy, disk or iso"),
    (["--firmware", "x", "a"], "--firmware x: expected bios, uefi or both"),
    (["--only", "iso", "--write", "/dev/x"], "--only iso: a stick gets the disk image"),
    (["--wrong"], "unrecognized option"), ([""], "missing argument FOLDER"),
    (["--write", ""], "missing argument DEVICE"), (["--show", ""], "missing argument FILE"),
    (["--write", "--yes", "/dev/x"],
     "--write: expected a device, not --yes; write --yes --write /dev/sdX"),
    (["--write", "--json"], "--write: expected a device, not --json"),
    (["--show", "--json"], "--show: expected a file, not --json"),
    (["--show", "--yes", "x"], "--show: expected a file, not --yes"),
    (["--show", "x", "--set", "vlan=1"], "--set: without effect on --show"),
    (["--yes", "x"], "only with --write"), (["--show", "x", "--force"], "only with --write"),
    (["--show", "x", "--write", "y"], "only one of --write and --show"), (["--write", "/dev/x", "a"], "a: unexpected argument")])
def test_usage_errors(arguments, message):
    done = run(*arguments)
    assert done.returncode == 2
    assert message in done.stderr and "--help" in done.stderr
    assert done.stderr.count("\n") == 2 and "wrong option" not in done.stderr


def test_help_and_man_page_have_the_same_options():
    text = run("--help").stdout
    page = (ROOT / "scripts/openpreboot-medium.8").read_text().replace("\\-", "-")
    options = set(re.findall(r"--[a-z]+", text))
    assert options == set(re.findall(r"--[a-z]+", page))


def test_document_is_run(write, tmp_path):
    """The commands of nbp/medium.md, as they stand there but for the names of folder and stick."""
    lines = [line.split() for line in (ROOT / "nbp/medium.md").read_text().splitlines()
             if line.startswith("    openpreboot-medium ")]
    text = (ROOT / "nbp/medium.md").read_text()
    lines += [found.split() for found in re.findall(r"`(openpreboot-medium [^`]*)`", text)]
    assert len(lines) == 4
    for _, *words in lines:
        words = [word.replace("/srv/media", str(tmp_path / "media")) for word in words]
        if "--write" in words:
            done, changed = write({}, typed="DEVICE\n")
            assert words == ["--write", "/dev/sdX"] and changed
        else:
            done = run(*words)
        assert done.returncode == 0, done.stderr
    assert "tftp-server=192.0.2.1" in done.stdout


# --- writing a stick --------------------------------------------------------------


@pytest.fixture
def write(tmp_path):
    """Returns a function that has the tool write to a disk with some facts; it is a file here."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/lsblk").write_text(LSBLK)
    (tmp_path / "bin/lsblk").chmod(0o755)
    (tmp_path / "bin/blockdev").write_text(BLOCKDEV)
    (tmp_path / "bin/blockdev").chmod(0o755)
    device = tmp_path / "sdx"
    device.write_bytes(b"old" * 11184811)

    def write(facts, *arguments, typed="", **blockdev):
        environment = {**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}",
                       "DEVICE": str(device), "DISK": json.dumps(STICK | facts),
                       "BLOCKDEV": json.dumps({f"--{name}": do for name, do in blockdev.items()})}
        before = device.read_bytes()
        done = run("--write", device, *arguments, env=environment,
                   input=typed.replace("DEVICE", str(device)))
        return done, device.read_bytes() != before
    write.device = device
    return write


def test_write(write, media):
    done, changed = write({}, typed="DEVICE\n")
    assert done.returncode == 0, done.stderr
    assert changed and "Flash" in done.stderr and "will be lost" in done.stderr
    image = (media / FILES["disk"]).read_bytes()
    assert write.device.read_bytes()[:len(image)] == image
    assert write.device.stat().st_size == 3 * 11184811


@pytest.mark.parametrize("typed", ["", "y\n", "yes\n", "/dev/sdb\n"])
def test_write_not_confirmed(write, typed):
    done, changed = write({}, typed=typed)
    assert done.returncode == 1 and not changed
    assert "nothing was written" in done.stderr


def test_write_with_yes(write):
    done, changed = write({}, "--yes")
    assert done.returncode == 0 and changed


@pytest.mark.parametrize("facts, message", [
    ({"all MOUNTPOINTS": ["", "/media/me"]}, "mounted at /media/me; unmount it"),
    ({"TYPE": "part", "PKNAME": "sdx"}, "a partition; give the whole disk, /dev/sdx"),
    ({"TYPE": "rom"}, "no disk but a device of type rom"),
    ({"TYPE": ""}, "no disk; \"lsblk\" lists them"),
    ({"all TYPE": ["disk", "part", "lvm"]}, "in use by a device of type lvm"),
    ({"RM": 0, "TRAN": "sata"}, "no removable disk"),
    ({"RO": 1}, "cannot be written"),
    ({"SIZE": 1 << 20}, "smaller than 16 MiB")])
def test_write_refused(write, facts, message):
    done, changed = write(facts, "--yes")
    assert done.returncode == 1 and not changed
    assert message in done.stderr


def test_write_forced(write):
    """That is for fixed disks, never for mounted ones."""
    fixed = {"RM": 0, "TRAN": "sata"}
    done, changed = write(fixed | {"all MOUNTPOINTS": ["/"]}, "--yes", "--force")
    assert done.returncode == 1 and not changed
    done, changed = write(fixed, "--yes", "--force")
    assert done.returncode == 0 and changed


def test_write_reads_back_from_the_stick(write):
    """A stick that loses what it is given says so only once the system's memory of it is gone."""
    done, _ = write({}, "--yes", flushbufs='printf x | dd of="$DEVICE" bs=1 seek=1000000 conv=notrunc')
    assert done.returncode == 1 and "reads back other than was written" in done.stderr
    done, _ = write({}, "--yes", flushbufs="echo no >&2; exit 1")
    assert done.returncode == 1 and "blockdev failed" in done.stderr


def test_write_to_a_disk_that_the_kernel_holds(write):
    """lsblk shows no mount point of a disk that is but a part of what is mounted."""
    busy = "echo blockdev: ioctl error on BLKRRPART: Device or resource busy >&2; exit 1"
    done, changed = write({}, "--yes", "--force", rereadpt=busy)
    assert done.returncode == 1 and not changed and "in use, as the kernel says" in done.stderr
    # A disk that cannot have partitions is none that is in use.
    done, changed = write({}, "--yes", rereadpt="echo Invalid argument >&2; exit 1")
    assert done.returncode == 0 and changed


def test_write_looks_again_after_the_question(write, tmp_path):
    """While somebody reads what is on the disk, a desktop mounts it, or another one is put in."""
    lsblk = (tmp_path / "bin/lsblk").read_text()
    for then, why in (({"all MOUNTPOINTS": ["/media/me"]}, "mounted at /media/me"),
                      ({"FSTYPE": "ext4"}, "has changed; nothing was written")):
        (tmp_path / "bin/lsblk").write_text(lsblk.replace('option, device', f"""
seen = os.environ["DEVICE"] + ".seen"
if "-o" in sys.argv:
    open(seen, "a").write("x")
if os.path.exists(seen) and "-o" not in sys.argv or os.path.exists(seen) and \
        os.path.getsize(seen) > 1:
    facts |= {then!r}
option, device"""))
        done, changed = write({}, typed="DEVICE\n")
        assert done.returncode == 1 and not changed
        assert why in done.stderr
        (tmp_path / "sdx.seen").unlink()


def test_write_says_early_that_it_may_not(tmp_path):
    """Nobody answers a question in vain. Root may write to anything, so here it has lost that right."""
    command = ["setpriv", "--bounding-set", "-dac_override"] if os.geteuid() == 0 else []
    (tmp_path / "lsblk").write_text(LSBLK)
    (tmp_path / "lsblk").chmod(0o755)
    device = tmp_path / "sdx"
    device.write_bytes(bytes(1 << 20))
    device.chmod(0o444)
    done = subprocess.run([*command, TOOL, "--write", device], capture_output=True, text=True,
                          timeout=60, check=False, input="",
                          env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}",
                               "DEVICE": str(device), "DISK": json.dumps(STICK), "TMPDIR": "/tmp"})
    assert done.returncode == 1
    assert "run this as root" in done.stderr and "To go on" not in done.stderr


# --- hostile surroundings ---------------------------------------------------------


def test_odd_names(tmp_path):
    """Blanks, quotes and what mtools, sed or JSON take for something else."""
    folder = tmp_path / 'a b@@1&,"q"\\\n'
    (folder / "nbps").mkdir(parents=True)
    for name in ("nvlnbp.sys", "nvlnbpx64.efi"):
        (folder / "nbps" / name).write_bytes((BUILD / name).read_bytes())
    (folder / "parts").symlink_to(ROOT / "scripts/medium")
    done = subprocess.run([TOOL, "--nbps", folder / "nbps", "--parts", folder / "parts", "--json",
                           folder / "out"], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    made = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["file"] for each in made] == [str(folder / "out" / name) for name in FILES.values()]
    assert sorted(os.listdir(folder / "out")) == sorted(FILES.values())
    for each in made:
        assert json.loads(run("--show", each["file"], "--json").stdout) == each
    done = run("--only", "disk", "-o", cwd=tmp_path)
    assert done.returncode == 2
    done = run("--only", "disk", "--", "-o", cwd=tmp_path)
    assert done.returncode == 0 and (tmp_path / "-o" / FILES["disk"]).exists()


def test_what_is_in_the_way(tmp_path):
    (tmp_path / "file").write_text("")
    done = run("--only", "disk", tmp_path / "file")
    assert done.returncode == 1 and f"{tmp_path}/file is a file; give a folder" in done.stderr
    done = run("--only", "disk", tmp_path / "file/below")
    assert done.returncode == 1 and "cannot make the folder" in done.stderr
    (tmp_path / "out" / FILES["disk"]).mkdir(parents=True)
    done = run("--only", "disk", tmp_path / "out")
    assert done.returncode == 1 and "is there, and no file; move it away" in done.stderr
    assert list((tmp_path / "out" / FILES["disk"]).iterdir()) == []
    done = run("--only", "disk", tmp_path, env={**os.environ, "TMPDIR": str(tmp_path / "none")})
    assert done.returncode == 1 and "set TMPDIR" in done.stderr


def test_twice_at_once_and_killed(tmp_path):
    """A file is there whole or not at all; and who is ended leaves nothing behind."""
    make("--only", "disk", tmp_path / "wanted")
    wanted = (tmp_path / "wanted" / FILES["disk"]).read_bytes()
    command = [TOOL, "--nbps", BUILD, "--parts", ROOT / "scripts/medium", "--only", "disk",
               tmp_path / "out"]
    environment = {**os.environ, "TMPDIR": str(tmp_path / "temporary")}
    (tmp_path / "temporary").mkdir()
    processes = [subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
                 for _ in range(4)]
    for process in processes[1:]:
        assert process.wait(timeout=120) == 0
    assert processes[0].wait(timeout=120) == 0
    assert (tmp_path / "out" / FILES["disk"]).read_bytes() == wanted
    for delay in (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8):
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        time.sleep(delay)
        process.terminate()
        process.wait(timeout=60)
        assert os.listdir(tmp_path / "out") == [FILES["disk"]]
        assert (tmp_path / "out" / FILES["disk"]).read_bytes() == wanted
    assert os.listdir(tmp_path / "temporary") == []


def test_show_prints_nothing_that_a_terminal_obeys(tmp_path):
    make("--only", "disk", tmp_path)
    image = tmp_path / FILES["disk"]
    edit(image, b"# a\x1b[2Jb\x07\x00\r\n\x1b]0;x\x07 = 1\n")
    shown = run("--show", image)
    assert shown.returncode == 1 and "# a[2Jb\n" in shown.stdout
    assert not set(shown.stdout + shown.stderr) & {"\x1b", "\x07", "\0", "\r"}


@pytest.mark.parametrize("kind", FILES)
def test_show_of_what_is_cut_or_damaged(media, tmp_path, kind):
    image = (media / FILES[kind]).read_bytes()
    for size in (0, 1, 440, 444, 512, 32769, 40000, 1 << 20, (1 << 20) + 600):
        (tmp_path / "cut").write_bytes(image[:size])
        done = run("--show", tmp_path / "cut")
        assert done.stderr.startswith("openpreboot-medium: ") or done.returncode == 0, size
        assert done.returncode in (0, 1) and done.stderr.count("\n") <= 1, done.stderr
    assert "no file or device" in run("--show", tmp_path).stderr
