# SPDX-License-Identifier: BSD-2-Clause
"""openpreboot-winpe: a TFTP root made of each kind of source, what is in it, and what is wrong."""

import json
import os
import re
import shlex
import shutil
import subprocess
import time

import pytest

from policy import BUILD

ROOT = BUILD.parent
TOOL = ROOT / "scripts/openpreboot-winpe"
EXAMPLES = ROOT / "scripts/packaging/examples"
PROGRAMS = {"Boot/PXE/pxeboot.n12": b"pxeboot", "Boot/PXE/bootmgr.exe": b"bootmgr",
            "Boot/EFI/bootmgfw.efi": b"bootmgfw", "Boot/Fonts/WGL4_Boot.TTF": b"font",
            "System32/startnet.cmd": b"wpeinit\r\n"}
BOTH = {"pxeboot.0", "bootmgr.exe", "bootmgfw.efi", "winpe.cfg", "boot/bcd", "boot/boot.sdi",
        "efi/microsoft/boot/bcd", "boot/fonts/wgl4_boot.ttf", "sources/boot.wim"}


def bcd(loader, wim=r"\sources\boot.wim"):
    names = [r"\Boot\boot.sdi", wim, rf"\windows\system32\boot\{loader}"]
    return b"regf" + bytes(4092) + b"".join(f"{name}\0".encode("utf-16-le") for name in names)


def make_wim(file, folder, without=(), **more):
    """Makes a WIM whose image has PROGRAMS; returns @file."""
    shutil.rmtree(folder, ignore_errors=True)
    for name, data in (PROGRAMS | more).items():
        if name not in without:
            (folder / "Windows" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "Windows" / name).write_bytes(data)
    file.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["wimcapture", folder, file, "PE"], check=True, capture_output=True, timeout=60)
    return file


def make_media(folder, wim="sources/boot.wim"):
    """Makes what a DVD has, in the letters that Microsoft has there; returns @folder."""
    for name, data in {"Boot/BCD": bcd("winload.exe"), "Boot/boot.sdi": b"sdi",
                       "EFI/Microsoft/Boot/BCD": bcd("winload.efi")}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    make_wim(folder / wim, folder.parent / "image")
    return folder


def run(*arguments):
    return subprocess.run([TOOL, *map(str, arguments)], capture_output=True, text=True,
                          timeout=60, check=False)


def lay_out(*arguments):
    return run(*arguments)


def not_ok(root, *options):
    """Returns what --check finds to be otherwise than it should be, as (state, file)."""
    result = run("--check", "--json", *options, root)
    shown = json.loads(result.stdout)
    found = [(entry["state"], entry["file"]) for entry in shown["files"] if entry["state"] != "ok"]
    assert result.returncode == any(state in ("missing", "wrong") for state, _ in found), result
    assert shown["complete"] == (result.returncode == 0) and result.stderr == ""
    assert all(bool(entry["remedy"]) == (entry["state"] != "ok") for entry in shown["files"])
    lines = run("--check", *options, root).stdout.splitlines()
    assert [line.split()[0] for line in lines] == [entry["state"] for entry in shown["files"]]
    return found


def files(root):
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def in_wim(wim, name):
    """Returns a file of the WIM's image; names there have no case."""
    result = subprocess.run(["wimextract", wim, "1", name, "--to-stdout"], capture_output=True,
                            env={"WIMLIB_IMAGEX_IGNORE_CASE": "1", "PATH": "/usr/bin:/bin"},
                            timeout=60, check=False)
    return result.stdout if result.returncode == 0 else None


@pytest.fixture(params=["iso", "folder", "copype", "adk", "wim"])
def source(request, tmp_path):
    """The options and the source of each kind."""
    if request.param == "copype":
        make_media(tmp_path / "winpe/media")
        return [tmp_path / "winpe"]
    if request.param == "adk":
        kit = tmp_path / "Windows Preinstallation Environment"
        for processor in ("amd64", "arm64", "x86"):
            media = make_media(kit / processor / "Media", "../en-us/winpe.wim")
            (media / "Boot/boot.sdi").write_bytes(b"sdi" if processor == "amd64" else b"other")
        return [kit]
    media = make_media(tmp_path / "dvd")
    if request.param == "wim":
        return ["--bcd", media / "Boot/BCD", "--sdi", media / "Boot/boot.sdi",
                media / "sources/boot.wim"]
    if request.param == "iso":
        # Windows' own images have their files in UDF alone; this has them there, too.
        subprocess.run(["genisoimage", "-quiet", "-udf", "-o", tmp_path / "pe.iso", media],
                       check=True, timeout=60)
        return [tmp_path / "pe.iso"]
    return [media]


def test_lays_out(source, tmp_path):
    root = tmp_path / "root"
    job = tmp_path / "it's a job.cmd"
    job.write_text("exit 0\r\n")
    result = lay_out("--job", job, *source, root)
    assert result.returncode == 0, result
    bare = source[0] == "--bcd"
    assert files(root) == BOTH - ({"efi/microsoft/boot/bcd"} if bare else set())
    assert set(result.stdout.splitlines()) == files(root)
    assert (root / "boot/bcd").read_bytes() == bcd("winload.exe")
    assert (root / "boot/boot.sdi").read_bytes() == b"sdi"
    for name, program in {"pxeboot.0": b"pxeboot", "bootmgr.exe": b"bootmgr",
                          "bootmgfw.efi": b"bootmgfw"}.items():
        assert (root / name).read_bytes() == program
    wim = root / "sources/boot.wim"
    assert in_wim(wim, "/windows/system32/prebootwork.exe") == \
        (BUILD / "prebootwork.exe").read_bytes()
    assert in_wim(wim, "/windows/system32/startnet.cmd") == \
        (EXAMPLES / "startnet.cmd").read_bytes()
    assert in_wim(wim, "/jobs/run.cmd") == job.read_bytes()
    assert (wim.stat().st_mode & 0o777) == 0o644
    # All is there, but for what the source has not; once more changes nothing but what is new.
    assert not_ok(root) == ([("missing", "efi/microsoft/boot/bcd")] if bare else [])
    assert ("has no BCD for UEFI" in result.stderr) == bare
    (root / "winpe.cfg").write_text("mine")
    assert lay_out("--firmware", "bios", *source, root).returncode == 0
    assert in_wim(wim, "/jobs/run.cmd") is None
    assert (root / "winpe.cfg").read_text() == "mine"


def test_each_firmware_alone(tmp_path):
    media = make_media(tmp_path / "dvd")
    for firmware, loader, without in (("bios", "winload.exe", "bootmgfw.efi"),
                                      ("uefi", "winload.efi", "pxeboot.0")):
        root = tmp_path / firmware
        assert lay_out("--firmware", firmware, media, root).returncode == 0
        assert (root / "boot/bcd").read_bytes() == bcd(loader)
        assert without not in files(root) and run("--check", root).returncode == 0


def test_the_wim_is_where_the_bcd_says(tmp_path):
    media = make_media(tmp_path / "dvd")
    (media / "Boot/BCD").write_bytes(bcd("winload.exe", r"\Boot\WinPE.wim"))
    assert lay_out(media, tmp_path / "root").returncode == 0
    assert "boot/winpe.wim" in files(tmp_path / "root")
    assert "sources/boot.wim" not in files(tmp_path / "root")


def test_a_program_is_missing_in_the_image(tmp_path):
    media = make_media(tmp_path / "dvd")
    make_wim(media / "sources/boot.wim", tmp_path / "image", without=["Boot/PXE/pxeboot.n12"])
    result = lay_out(media, tmp_path / "root")
    assert result.returncode == 0 and "a BIOS cannot boot it" in result.stderr
    assert (tmp_path / "root/boot/bcd").read_bytes() == bcd("winload.efi")
    result = lay_out("--firmware", "bios", media, tmp_path / "root")
    assert result.returncode == 1 and "a BIOS cannot boot it" in result.stderr
    make_wim(media / "sources/boot.wim", tmp_path / "image",
             **{"System32/winpeshl.ini": b"[LaunchApps]"})
    assert "winpeshl.ini" in lay_out(media, tmp_path / "root").stderr


def test_it_says_where_no_program_would_be_run(tmp_path):
    """With the startnet.cmd of the package, whose place "make install" writes into the tool."""
    tool = tmp_path / "openpreboot-winpe"
    tool.write_text(TOOL.read_text().replace("/usr/share/doc/openpreboot/examples", str(EXAMPLES)))
    tool.chmod(0o755)
    media = make_media(tmp_path / "dvd")
    for options, noted in ((), True), (("--job", EXAMPLES / "startnet.cmd"), False):
        result = subprocess.run([tool, "--agent", BUILD / "prebootwork.exe", *options, media,
                                 tmp_path / "root"], capture_output=True, text=True, timeout=60,
                                check=False)
        assert (result.returncode, "each job would fail" in result.stderr) == (0, noted), result


def test_check_says_what_is_missing(tmp_path):
    root = tmp_path / "root"
    assert lay_out(make_media(tmp_path / "dvd"), root).returncode == 0
    (root / "README").write_text("x")
    result = run("--check", root)
    assert result.returncode == 0 and "note     README:" in result.stdout
    for name in ("boot/bcd", "boot/boot.sdi", "bootmgr.exe", "winpe.cfg", "sources/boot.wim"):
        data = (root / name).read_bytes()
        (root / name).unlink()
        result = run("--check", root)
        lines = [line for line in result.stdout.splitlines() if line.startswith("missing")]
        assert result.returncode == 1
        assert [line.split()[1].rstrip(":") for line in lines] == [name]
        assert all("openpreboot-winpe" in line for line in lines)
        (root / name).write_bytes(data)
    (root / "sources/boot.wim").unlink()
    make_wim(root / "sources/boot.wim", tmp_path / "image")
    result = run("--check", root)
    assert result.returncode == 1
    assert "missing  prebootwork.exe in sources/boot.wim: run openpreboot-winpe SOURCE" in \
        result.stdout


JOB = ("note", "jobs/run.cmd in sources/boot.wim")


def test_check_of_the_bcds(tmp_path):
    """Each firmware needs a BCD of its own, and the report goes on whatever a BCD is."""
    root = tmp_path / "root"
    media = make_media(tmp_path / "dvd")
    assert lay_out("--job", EXAMPLES / "startnet.cmd", media, root).returncode == 0
    bios, uefi = root / "boot/bcd", root / "efi/microsoft/boot/bcd"
    assert not_ok(root) == not_ok(root, "--firmware", "both") == []
    uefi.unlink()
    assert not_ok(root) == [("missing", "efi/microsoft/boot/bcd")]
    assert not_ok(root, "--firmware", "bios") == []
    assert not_ok(root, "--firmware", "uefi") == [("wrong", "boot/bcd")]
    uefi.write_bytes(bcd("winload.exe"))
    assert not_ok(root) == [("wrong", "efi/microsoft/boot/bcd")]
    uefi.write_bytes(bcd("winload.efi"))
    assert not_ok(root, "--firmware", "uefi") == [("note", "boot/bcd")]
    bios.write_bytes(bcd("winload.efi"))
    assert not_ok(root) == [("wrong", "boot/bcd")]
    assert "it starts winload.efi, for UEFI: a BIOS cannot boot by it; run openpreboot-winpe SOURCE" \
        in run("--check", root).stdout
    assert not_ok(root, "--firmware", "uefi") == []
    for data in (b"no BCD", bcd("winload.exe", r"\..\x.wim")):
        bios.write_bytes(data)
        assert not_ok(root) == [("wrong", "boot/bcd")]
        assert "wrong    boot/bcd: it names no file .wim below the TFTP root" in \
            run("--check", root).stdout
    uefi.write_bytes(bcd("winload.efi", r"\other.wim"))
    bios.write_bytes(bcd("winload.exe"))
    assert not_ok(root) == [("missing", "other.wim")]


def test_check_of_each_firmware_s_programs(tmp_path):
    root = tmp_path / "root"
    assert lay_out("--job", EXAMPLES / "startnet.cmd", "--firmware", "bios",
                   make_media(tmp_path / "dvd"), root).returncode == 0
    assert not_ok(root) == not_ok(root, "--firmware", "bios") == []
    assert ("missing", "bootmgfw.efi") in not_ok(root, "--firmware", "both")
    assert not_ok(root, "--firmware", "uefi") == [("wrong", "boot/bcd"), ("missing", "bootmgfw.efi")]
    (root / "pxeboot.0").unlink()
    assert not_ok(root, "--firmware", "bios") == [("missing", "pxeboot.0")]


def test_check_of_what_runs_in_the_image(tmp_path):
    """As laying out notes it."""
    root, media = tmp_path / "root", make_media(tmp_path / "dvd")
    result = lay_out(media, root)
    assert result.returncode == 0 and "each job would fail" in result.stderr
    assert not_ok(root) == [JOB]
    (tmp_path / "mine.cmd").write_text("prebootwork run X:\\mine.cmd\r\n")
    result = lay_out("--startnet", tmp_path / "mine.cmd", media, root)
    assert result.returncode == 0 and "each job would fail" not in result.stderr
    assert not_ok(root) == []
    make_wim(media / "sources/boot.wim", tmp_path / "image",
             **{"System32/winpeshl.ini": b"[LaunchApps]"})
    assert lay_out("--startnet", tmp_path / "mine.cmd", media, root).returncode == 0
    assert not_ok(root) == [("note", "winpeshl.ini in sources/boot.wim")]


def test_a_bcd_of_the_other_firmware_is_noted(tmp_path):
    media = make_media(tmp_path / "dvd")
    for firmware, name, note in (("both", "EFI/Microsoft/Boot/BCD", "a BIOS cannot boot by it"),
                                 ("uefi", "Boot/BCD", "UEFI cannot boot by it"),
                                 ("bios", "Boot/BCD", None), ("uefi", "EFI/Microsoft/Boot/BCD", None)):
        result = lay_out("--firmware", firmware, "--bcd", media / name, media, tmp_path / "root")
        assert result.returncode == 0
        assert note in result.stderr if note else "cannot boot by it" not in result.stderr


def test_check_as_json(tmp_path):
    """It says what the lines for people say, and names of files do no harm to it."""
    root = tmp_path / 'a "root"'
    assert lay_out("--job", EXAMPLES / "startnet.cmd", make_media(tmp_path / "dvd"),
                   root).returncode == 0
    (root / 'A "\\\x1bb').write_text("x")
    for missing in ((), ("boot/boot.sdi",)):
        for name in missing:
            (root / name).unlink()
        result = run("--check", "--json", root)
        said = json.loads(result.stdout)
        assert (result.returncode, said["complete"]) == (bool(missing), not missing)
        assert [entry["file"] for entry in said["files"] if entry["state"] == "missing"] == [*missing]
        assert [entry["file"] for entry in said["files"] if entry["state"] == "note"] == ['A "\\?b']
        assert all((entry["remedy"] is None) == (entry["state"] == "ok") for entry in said["files"])
        lines = run("--check", root).stdout.splitlines()
        assert [(entry["state"], entry["file"][:3]) for entry in said["files"]] == \
            [(line.split()[0], line[9:12]) for line in lines]


@pytest.mark.parametrize("wim", [r"\..\..\escaped\x.wim", r"\boot\..\..\x.wim", r"\\server\x.wim"])
def test_a_bcd_that_leads_out_of_the_root(tmp_path, wim):
    """A BCD comes with an image of somebody else's; all of what is written is below FOLDER."""
    media = make_media(tmp_path / "dvd")
    (media / "Boot/BCD").write_bytes(bcd("winload.exe", wim))
    root = tmp_path / "tftp/root"
    result = lay_out(media, root)
    assert result.returncode == 1 and "names no file .wim below the TFTP root" in result.stderr
    assert not list(tmp_path.rglob("x.wim*")) and not (tmp_path / "escaped").exists()
    assert result.stderr.count("\n") == 1
    (root / "boot").mkdir(parents=True, exist_ok=True)
    (root / "boot/bcd").write_bytes(bcd("winload.exe", wim))
    assert run("--check", root).returncode == 1


def test_twice_at_once_and_ended(tmp_path):
    """Each file is there whole or not at all, and nothing else is left."""
    media, root = make_media(tmp_path / "dvd"), tmp_path / "root"
    assert lay_out(media, root).returncode == 0
    wanted = files(root)
    command = [TOOL, "--agent", BUILD / "prebootwork.exe", "--startnet", EXAMPLES / "startnet.cmd",
               "--config", EXAMPLES / "winpe.cfg", media, root]
    (tmp_path / "temporary").mkdir()
    more = {"env": {**os.environ, "TMPDIR": str(tmp_path / "temporary")},
            "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    processes = [subprocess.Popen(command, **more) for _ in range(3)]
    assert [process.wait(timeout=120) for process in processes] == [0, 0, 0]
    assert files(root) == wanted and run("--check", root).returncode == 0
    for delay in (0.03, 0.1, 0.2, 0.3, 0.5, 0.7):
        process = subprocess.Popen(command, **more)
        time.sleep(delay)
        process.terminate()
        process.wait(timeout=60)
        assert files(root) == wanted and run("--check", root).returncode == 0
    assert list((tmp_path / "temporary").iterdir()) == []


def test_in_a_source_that_is_not_built(tmp_path):
    shutil.copytree(EXAMPLES, tmp_path / "scripts/packaging/examples")
    shutil.copy(TOOL, tmp_path / "scripts")
    result = subprocess.run([tmp_path / "scripts" / TOOL.name, "a", "b"], capture_output=True,
                            text=True, timeout=60, check=False, cwd=tmp_path)
    assert result.returncode == 1 and '/build/prebootwork.exe; run "make" with ' in result.stderr


def test_what_is_in_the_way(tmp_path):
    media = make_media(tmp_path / "dvd")
    (tmp_path / "root/boot/bcd").mkdir(parents=True)
    result = lay_out(media, tmp_path / "root")
    assert result.returncode == 1 and "boot/bcd: is there, and no file" in result.stderr
    (tmp_path / "file").write_text("")
    result = lay_out(media, tmp_path / "file")
    assert result.returncode == 1 and f"{tmp_path}/file is a file; give a folder" in result.stderr
    assert f"{tmp_path}/file is a file" in run("--check", tmp_path / "file").stderr
    result = lay_out(media, tmp_path / "file/below")
    assert result.returncode == 1 and "give another one" in result.stderr


def test_help_and_manual_have_the_same_options():
    page = (ROOT / "scripts/openpreboot-winpe.8").read_text().replace("\\-", "-")
    options = set(re.findall(r"--[a-z-]+", run("--help").stdout))
    assert options == set(re.findall(r"--[a-z-]+", page))


def test_without_a_bcd(tmp_path):
    """It says which command makes one; and that command is there."""
    media = make_media(tmp_path / "dvd")
    result = lay_out("--sdi", media / "Boot/boot.sdi", media / "sources/boot.wim",
                     tmp_path / "root")
    assert result.returncode == 0 and "--bcd-commands" in result.stderr
    assert "boot/winpe.wim" in files(tmp_path / "root")
    assert run("--check", tmp_path / "root").returncode == 1
    commands = run("--bcd-commands").stdout
    assert r"ramdisk=[boot]\boot\winpe.wim,{ramdiskoptions}" in commands
    assert r"ramdisksdipath \boot\boot.sdi" in commands


@pytest.mark.parametrize("arguments, status, why", [
    ([], 2, "missing argument SOURCE"), (["a"], 2, "missing argument FOLDER"),
    (["a", "b", "c"], 2, "c: unexpected argument"), (["--fly"], 2, "--fly"),
    (["--firmware", "pc", "a", "b"], 2, "expected bios, uefi or both"),
    (["--image", "x", "a", "b"], 2, "expected a number"), (["--check"], 2, "FOLDER"),
    (["--json", "a", "b"], 2, "needs --check"), (["--bcd-commands", "x"], 2, "x: unexpected argument"),
    (["--bcd-commands", "--check"], 2, "only one of --check and --bcd-commands"),
    (["--bcd-commands", "--firmware", "uefi"], 2, "--firmware: without effect on --bcd-commands"),
    (["--check", "--image", "2", "a"], 2, "--image: without effect on --check"),
    (["", "b"], 2, "missing argument SOURCE"), (["a", ""], 2, "missing argument FOLDER"),
    (["--check", ""], 2, "missing argument FOLDER"),
    (["--check", "/nowhere"], 1, "no folder /nowhere"),
    (["/nowhere", "b"], 1, "no file or folder /nowhere"),
    (["--agent", "/nowhere", "a", "b"], 1, "no file /nowhere"),
    (["--image", "7", "{wim}", "b"], 1, "no image 7"), (["{text}", "b"], 1, "as an ISO image"),
    (["{wim}", "b"], 1, "no boot.sdi"), (["{folder}", "b"], 1, "no boot/boot.sdi"),
    (["--bcd", "{text}", "--sdi", "{text}", "{wim}", "b"], 1, "names no file .wim")])
def test_errors(tmp_path, arguments, status, why):
    wim = make_wim(tmp_path / "pe.wim", tmp_path / "image")
    (tmp_path / "text").write_text("no image")
    (tmp_path / "empty").mkdir()
    places = {"{wim}": wim, "{text}": tmp_path / "text", "{folder}": tmp_path / "empty",
              "b": tmp_path / "root"}
    result = lay_out(*(places.get(word, word) for word in arguments))
    assert (result.returncode, why in result.stderr) == (status, True), result
    assert not (tmp_path / "root").exists()
    assert status == 1 or result.stderr.count("\n") == 2 and "wrong option" not in result.stderr


def test_the_document(ctl):
    """The commands of prebootctl in server/winpe.md do what it says, on a machine of that name."""
    ctl("device", "add", "lab01", "--mac", "52:54:00:12:34:01")
    lines = [line.strip() for line in (ROOT / "server/winpe.md").read_text().splitlines()
             if line.startswith("    prebootctl ")]
    assert len(lines) == 3
    for line in lines:
        shown = ctl(*shlex.split(line)[1:])
    assert "bootmgfw.efi" in shown or "winpe.cfg" in shown
    assert ctl.json("job", "show", "lab01")["details"] == {"image": "w11.ffu"}


def test_help():
    assert run("--help").stdout.startswith("Usage: openpreboot-winpe")
    version = (BUILD.parent / "Makefile").read_text().split("VERSION := ")[1].split()[0]
    assert run("--version").stdout == f"openpreboot-winpe {version}\n"
