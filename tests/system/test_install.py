# SPDX-License-Identifier: BSD-2-Clause
"""What "make install" puts in place works from there, and "make uninstall" takes it back."""

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

import policy

ROOT = policy.BUILD.parent
MAC = "52:54:00:12:34:56"


def install(folder, *options, **variables):
    subprocess.run([ROOT / "scripts" / "packaging" / "install", *options], check=True, timeout=60,
                   env={**os.environ, "DESTDIR": str(folder), "B": str(policy.BUILD),
                        **variables})


def files_of(folder):
    return {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module", name="place")
def fixture_place(tmp_path_factory):
    place = tmp_path_factory.mktemp("installed")
    install(place, prefix="/usr")
    return place


def run(*command, **more):
    return subprocess.run([str(part) for part in command], check=True, timeout=60,
                          capture_output=True, text=True, **more).stdout


def test_programs_run(place, tmp_path):
    for name in ("sbin/prebootd", "bin/prebootctl", "bin/prebootwork", "bin/isdctl"):
        assert run(place / "usr" / name, "--version").startswith(Path(name).name + " ")
        page = place / f"usr/share/man/man8/{Path(name).name}.8"
        assert page.read_text().splitlines()[1].startswith(f".TH {Path(name).name.upper()} 8")
    ctl = [place / "usr/bin/prebootctl", "--database", tmp_path / "test.db"]
    run(*ctl, "device", "add", "web01", MAC)
    run(*ctl, "job", "assign", "web01", "--config", "z_auto.cfg")
    daemon = policy.Daemon(tmp_path / "test.db", tmp_path / "log",
                           program=place / "usr/sbin/prebootd")
    try:
        answer = policy.boot(daemon.port,
                             {policy.MAC: policy.mac(MAC), policy.FIRMWARE: policy.BIOS})
        assert answer[policy.DECISION] == policy.DECISION_JOB
        assert run(place / "usr/bin/prebootwork", "show", "--server", daemon.server, "--mac", MAC,
                   "--token", answer[policy.TOKEN].hex())
    finally:
        assert daemon.stop() == 0


def test_unit_names_the_program(place, tmp_path):
    assert "ExecStart=/usr/sbin/prebootd " in \
        (place / "usr/lib/systemd/system/prebootd.service").read_text()
    install(tmp_path)  # to /usr/local
    text = (tmp_path / "usr/local/lib/systemd/system/prebootd.service").read_text()
    assert "ExecStart=/usr/local/sbin/prebootd " in text and "/usr/sbin" not in text
    assert "/usr/local/lib/openpreboot" in \
        (tmp_path / "usr/local/share/doc/openpreboot/examples/fill-tftp").read_text()


def test_user_and_folder(place):
    """The names that unit, sysusers and tmpfiles give must be one."""
    unit = (place / "usr/lib/systemd/system/prebootd.service").read_text()
    user = re.search(r"^User=(.*)$", unit, re.M)[1]
    assert f"\nu {user} " in (place / "usr/lib/sysusers.d/openpreboot.conf").read_text()
    assert f"\nd /var/lib/openpreboot 0700 {user} {user}\n" in \
        (place / "usr/lib/tmpfiles.d/openpreboot.conf").read_text()
    assert f'CONFINE_USER "{user}"' in (ROOT / "server" / "daemon" / "confine.h").read_text()


def test_example_fills_a_tftp_root(place, tmp_path):
    root = tmp_path / "tftp"
    fill = place / "usr/share/doc/openpreboot/examples/fill-tftp"
    environment = {**os.environ, "NBPS": str(place / "usr/lib/openpreboot")}
    run(fill, root, env=environment)
    assert {"nvlnbp.sys", "nvlnbpx64.efi", "nvlnbpia32.efi", "nvlnbpaa64.efi",
            "pxelinux.0", "ldlinux.c32", "syslinux.efi", "ldlinux.e64", "syslinux32.efi",
            "ldlinux.e32", "grub/grub.cfg", "grub/z_auto.cfg", "pxemenu.txt", "z_auto.cfg", "z_maint.cfg", "z_zpdis.cfg",
            "z_zpen.cfg", "winpe.cfg"} == set(files_of(root))
    # Once more: what was changed by hand stays, the programs are brought up to date.
    (root / "pxemenu.txt").write_text("mine")
    (root / "nvlnbp.sys").write_bytes(b"old")
    run(fill, root, env=environment)
    assert (root / "pxemenu.txt").read_text() == "mine"
    assert (root / "nvlnbp.sys").read_bytes() == (policy.BUILD / "nvlnbp.sys").read_bytes()
    assert not list(root.glob("*.new"))
    run(place / "usr/bin/prebootctl", "menu", "check",
        place / "usr/share/doc/openpreboot/examples/pxemenu.txt")


def test_example_sets_up_a_site(place, tmp_path):
    ctl = [place / "usr/bin/prebootctl", "--database", tmp_path / "test.db"]
    run(place / "usr/share/doc/openpreboot/examples/set-up-site",
        env={**os.environ, "PREBOOTCTL": " ".join(map(str, ctl)),
             "TFTP_ROOT": str(tmp_path / "none")})
    assert "assigned to folder /site/lab" in run(*ctl, "explain", "lab01")
    daemon = policy.Daemon(tmp_path / "test.db", tmp_path / "log")
    try:
        lab, desk, other = (policy.ask(daemon.port, policy.REQUEST, {
            policy.MAC: policy.mac("52:54:00:12:34:" + end), policy.FIRMWARE: policy.BIOS})
            for end in ("01", "11", "99"))
    finally:
        daemon.kill()
    assert (lab[policy.NAME], lab[policy.DECISION]) == (b"lab01", policy.DECISION_JOB)
    assert (desk[policy.NAME], desk[policy.DECISION]) == (b"desk01", policy.DECISION_LOCAL)
    assert policy.NAME not in other and other[policy.DECISION] == policy.DECISION_LOCAL


@pytest.mark.skipif(not shutil.which("dnsmasq", path="/usr/sbin:/usr/bin"), reason="no dnsmasq")
def test_example_is_dnsmasqs(place, tmp_path):
    example = place / "usr/share/doc/openpreboot/examples/dnsmasq.conf"
    proxy = tmp_path / "proxy.conf"
    proxy.write_text(re.sub(r"^#(?=dhcp|pxe)", "", example.read_text(), flags=re.M))
    for conf in (example, proxy):
        subprocess.run(["/usr/sbin/dnsmasq", "--test", "-C", conf], check=True, timeout=10)


def test_package():
    """scripts/packaging/debian and the rest must agree."""
    version = re.search(r"^VERSION := (.*)$", (ROOT / "Makefile").read_text(), re.M)[1]
    debian = ROOT / "scripts" / "packaging" / "debian"
    assert (debian / "changelog").read_text().startswith(f"openpreboot ({version}-")
    # All that is there for the programs and the NBPs is wanted for the package as well.
    needed = (debian / "control").read_text().split("Build-Depends:")[1].split("Standards")[0]
    known = (ROOT / "scripts" / "install-dependencies").read_text()
    for package in re.findall(r"^ ([a-z0-9-]+)", needed.replace(" dh-sequence-", "#"), re.M):
        assert re.search(rf"^{package.removesuffix('-compat')} ", known, re.M), package
    always = known.split("--all ]")[0]
    for package in re.findall(r"^([a-z0-9-]+-dev) ", always, re.M):
        assert f" {package}," in needed or package in ("libc6-dev", "libcmocka-dev"), package


def would_install(folder, *options):
    """Returns what scripts/install-dependencies asks apt-get for where nothing is installed."""
    for name, text in (("dpkg-query", "exit 1"), ("apt-cache", "exit 0"), ("apt-get", "exit 0"),
                       ("id", "echo 0")):
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    output = subprocess.run([ROOT / "scripts" / "install-dependencies", *options], text=True,
                            env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"},
                            timeout=60, capture_output=True, check=False).stdout
    return set(output.splitlines()[0].split(" -y ")[1].split())


def test_dependencies(tmp_path):
    """A Debian without a compiler can build the package, and the Linux, by one command each. The
    server gets no virtual machine by them."""
    control = (ROOT / "scripts" / "packaging" / "debian" / "control").read_text()
    needed = control.split("Build-Depends:")[1].split("Standards")[0]
    needed = set(re.findall(r"^ (?!dh-sequence)([a-z0-9-]+)", needed.replace("-compat", ""), re.M))
    package, linux, everything = (would_install(tmp_path, *options)
                                  for options in (["--deb"], ["--linux"], []))
    # dpkg-buildpackage refuses to go on without build-essential, whatever Build-Depends says.
    assert package >= needed | {"build-essential", "dpkg-dev"}
    assert linux >= {"busybox-static", "cpio", "kmod", "gcc"}
    assert everything >= linux
    assert not {name for name in package | linux if "qemu" in name or "pytest" in name}


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="a release is made from a repository")
def test_release(tmp_path):
    """A release has always the same bytes, and all that its programs are built from; the user's
    flags count."""
    archives = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        archives.append(Path(run("make", "--no-print-directory", "-C", ROOT, "dist",
                                 f"B={folder}").split()[-1]))
        time.sleep(1.1)  # a time stamp of its own would differ
    assert archives[0].read_bytes() == archives[1].read_bytes()
    run("tar", "-xzf", archives[0], "-C", tmp_path)
    tree = tmp_path / archives[0].name.removesuffix(".tar.gz")
    built = subprocess.run(
        ["make", "-C", tree, "V=1", "WERROR=1", "CFLAGS=-O0", "CPPFLAGS=-DOF_THE_USER",
         "build/isdctl", "build/prebootwork"], check=True, timeout=300, capture_output=True,
        text=True).stdout
    for line in built.splitlines():
        if "/host/server/" in line and " -c " in line:
            assert " -O0" in line and "-O2" not in line and "-DOF_THE_USER" in line
    for name in ("isdctl", "prebootwork"):
        assert run(tree / "build" / name, "--version").startswith(name)


def test_hardening():
    """Each program of a host is at no fixed address, and binds its symbols before it runs."""
    for name in ("prebootd", "prebootctl", "isdctl", "prebootwork"):
        headers = run("readelf", "--file-header", "--program-headers", "--dynamic", "--wide",
                      policy.BUILD / name)
        assert re.search(r"Type: +DYN", headers) and "GNU_RELRO" in headers
        assert "BIND_NOW" in headers or "INTERP" not in headers


def test_manual_pages_are_found(place, tmp_path):
    """man -k looks for words in what a page says after its name."""
    pages = {page.stem: page for page in (place / "usr/share/man/man8").iterdir()}
    assert set(pages) == {"prebootd", "prebootctl", "prebootwork", "isdctl", "openpreboot-winpe",
                          "openpreboot-medium", "openpreboot-rom"}
    for name, page in pages.items():
        words = re.search(r"^\.SH NAME\n(.*)$", page.read_text(), re.M)[1]
        assert words.startswith(f"{name} \\- ") and "OpenPreboot" in words
    if shutil.which("mandb"):
        shutil.copytree(place / "usr/share/man", tmp_path / "man")
        run("mandb", "--create", "--quiet", "--user-db", tmp_path / "man")
        found = run("man", "-M", tmp_path / "man", "-k", "openpreboot")
        assert {line.split()[0] for line in found.splitlines()} == set(pages)


def test_uninstall(tmp_path):
    install(tmp_path, prefix="/usr")
    mine = tmp_path / "usr/lib/openpreboot/mine"
    mine.write_text("")
    options = tmp_path / "etc/default/prebootd"
    options.write_text("PREBOOTD_OPTIONS=--verbose\n")
    install(tmp_path, prefix="/usr")  # over the old one, as an update does
    assert "--verbose" in options.read_text()
    install(tmp_path, "--uninstall", prefix="/usr")
    assert set(files_of(tmp_path)) == {"usr/lib/openpreboot/mine", "etc/default/prebootd"}
    mine.unlink()
    options.unlink()
    install(tmp_path, prefix="/usr")
    install(tmp_path, "--uninstall", prefix="/usr")
    assert not files_of(tmp_path)
    assert not (tmp_path / "usr/share/doc/openpreboot").exists()
