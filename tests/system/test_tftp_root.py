# SPDX-License-Identifier: BSD-2-Clause
"""Files that machines will ask for and that the TFTP server does not have are reported."""

import os

import pytest

from policy import Ctl


@pytest.fixture
def site(tmp_path):
    """A site whose TFTP root has what belongs there."""
    ctl = Ctl(tmp_path)
    root = tmp_path / "tftp"
    root.mkdir()
    for name in ("pxelinux.0", "syslinux.efi", "z_auto.cfg", "pxemenu.txt"):
        (root / name).write_text("x")
    ctl("settings", "set", f"tftp-root={root}")
    ctl("device", "add", "pc1", "--mac", "52:54:00:00:00:01")
    ctl.root = root
    return ctl


def warned(ctl, *words):
    """Runs what goes well with a warning; returns that."""
    result = ctl.run(*words)
    assert result.returncode == 0 and result.stdout, result
    for line in result.stderr.splitlines():
        assert line.startswith(("prebootctl: warning: ", "prebootctl: note: ")), result
    return result.stderr


def checked(ctl):
    result = ctl.run("check")
    assert result.stderr == "" and result.returncode == (": nothing wrong" not in result.stdout)
    return result.stdout


def test_all_is_there(site):
    site("bundle", "add", "ok", "image=x")
    site("assignment", "add", "ok", "--to", "/")
    site("rule", "add", "r", "--bundle", "ok", "memory > 1G")
    site("multicast", "add", "m", "--bundle", "ok", "--clients", "2")
    site("job", "assign", "pc1", "--bundle", "ok")
    site("settings", "set", "menu-mode=always", "loader-bios=pxelinux.0")
    assert "nothing wrong" in checked(site)


@pytest.mark.parametrize("file, options", [
    ("nosuch.cfg", ["--config", "nosuch.cfg"]), ("nosuch.0", ["--loader-bios", "nosuch.0"]),
    ("nosuch.efi", ["--loader-uefi", "nosuch.efi"]), ("a/z_auto.cfg", ["--config", "a/z_auto.cfg"]),
    ("boot/z_auto.cfg", ["--prefix", "boot/"]), ("x.cfg", ["--config", "/x.cfg"])])
def test_wherever_jobs_are_made(site, file, options):
    place = f"{site.root}/{file}"
    for words in (["bundle", "add", "bad", "image=x", *options],
                  ["bundle", "change", "bad", "image=y"],
                  ["assignment", "add", "bad", "--to", "pc1"],
                  ["rule", "add", "r", "--bundle", "bad", "memory > 1G"],
                  ["rule", "change", "r", "memory > 2G"],
                  ["multicast", "add", "m", "--bundle", "bad", "--clients", "2"],
                  ["job", "assign", "pc1", "--bundle", "bad"],
                  ["job", "assign", "pc1", "--replace", "--config", "z_auto.cfg", *options],
                  ["job", "retry", "--force", "pc1"]):
        if words[1] == "retry":
            site("job", "cancel", "pc1")
        text = warned(site, *words)
        assert f"{place} is not there" in text and text.count("warning") == 1, (words, text)
    shown = checked(site)
    assert "bundle bad: " in shown and shown.count(f"{place} is not there") == 2, shown
    os.makedirs(os.path.dirname(place), exist_ok=True)
    with open(place, "w", encoding="ascii"):
        pass
    assert "is empty, so machines take it for missing" in checked(site)
    with open(place, "w", encoding="ascii") as out:
        out.write("x")
    assert "nothing wrong" in checked(site)
    os.chmod(place, 0o600)
    shown = checked(site)
    assert "may not be read by all" in shown and f"chmod a+r {place}\n" in shown
    os.unlink(place)
    os.mkdir(place)
    assert "is no file" in checked(site)


def test_settings(site):
    text = warned_of_settings(site, "menu-mode=hotkey", "menu-file=nosuch.txt")
    assert "setting menu-file of /: nosuch.txt" in text
    site("folder", "add", "/site")
    text = warned_of_settings(site, "/site", "loader-uefi=no.efi")
    assert "setting loader-uefi of /site: no.efi" in text and "nosuch.txt" not in text
    shown = checked(site)
    for part in ("of /site: no.efi", "of /: nosuch.txt", "2 problems"):
        assert part in shown
    site("settings", "set", "menu-mode=never")
    site("settings", "set", "pc1", "menu-mode=never")
    assert "1 problem" in checked(site)


def warned_of_settings(ctl, *words):
    result = ctl.run("settings", "set", *words)
    assert result.returncode == 0 and "warning" in result.stderr, result
    return result.stderr


def test_loaders_of_settings_count_where_jobs_leave_it_to_them(site):
    (site.root / "syslinux.efi").unlink()
    site("bundle", "add", "bios", "--loader-uefi", "", "image=x")
    assert "nothing wrong" in checked(site)
    assert "syslinux.efi is not there" in warned(site, "bundle", "add", "both", "image=x")
    assert "setting loader-uefi of /: syslinux.efi" in checked(site)


def test_path_of_this_host(site):
    name = f"{site.root}/z_auto.cfg"
    text = warned(site, "job", "assign", "pc1", "--config", name)
    assert f"{site.root}{name} is not there; names count from the TFTP server's root: say " \
           "z_auto.cfg" in text
    site("settings", "unset", "tftp-root")
    text = warned(site, "job", "assign", "pc1", "--replace", "--config", name)
    assert "counts from the TFTP server's root" in text


def test_nbps_in_a_folder(site):
    (site.root / "boot").mkdir()
    for name in ("pxelinux.0", "syslinux.efi", "mine.cfg"):
        (site.root / "boot" / name).write_text("x")
    result = site.run("settings", "set", "tftp-folder=boot")
    assert result.returncode == 0
    site("bundle", "add", "b", "--config", "mine.cfg", "image=x")
    assert "boot/z_auto.cfg is not there" in warned(site, "bundle", "add", "c", "image=x")
    site("bundle", "change", "c", "--config", "/z_auto.cfg")
    assert "nothing wrong" in checked(site)


def test_folder_that_is_not_there(site):
    assert f"tftp-folder: {site.root}/nosuch is no folder" in \
        warned_of_settings(site, "tftp-folder=nosuch")
    assert f"tftp-folder: {site.root}/nosuch is no folder" in checked(site)
    assert f"tftp-folder: {site.root}/nosuch is no folder" in \
        warned_of_settings(site, "tftp-folder=/nosuch")


def test_folder_that_not_all_may_enter(site):
    site("settings", "set", "tftp-root=" + str(site.root))
    site("bundle", "add", "fine")
    os.chmod(site.root, 0o700)
    shown = checked(site)
    assert "may not be entered by all" in shown and f"chmod a+rx {site.root}\n" in shown
    os.chmod(site.root, 0o755)
    assert "nothing wrong" in checked(site)


def test_root_that_is_not_there(site):
    result = site.run("settings", "set", "tftp-root=/no/such/folder")
    assert result.returncode == 0 and "is no folder of this host" in result.stderr
    assert "is no folder of this host" in warned(site, "bundle", "add", "b", "image=x")
    assert "is no folder of this host" in checked(site)


@pytest.mark.parametrize("value", ["srv", "/a\x1b", "/" + "a" * 127])
def test_bad_values(site, value):
    assert "expected the TFTP server's root" in site.fails(2, "settings", "set",
                                                           f"tftp-root={value}")
    assert "is global: name no device or folder" in site.fails(2, "settings", "set", "pc1",
                                                          "tftp-root=/srv")


@pytest.mark.parametrize("kind, file",
                         [("kickstart", "kickstart.cfg"), ("third-party", "winpe.cfg")])
def test_kinds_whose_file_nobody_made(site, kind, file):
    assert f"{file} is not there" in warned(site, "bundle", "add", "a", "--kind", kind)
    site("settings", "set", "tftp-root=")
    text = warned(site, "bundle", "add", "b", "--kind", kind)
    assert file in text and "write it, and put it into the TFTP server's root" in text
    for words in (["c", "--kind", kind, "--config", "mine.cfg"], ["d", "--kind", "script"]):
        result = site.run("bundle", "add", *words)
        assert result.returncode == 0 and result.stderr == "", result
    assert "nothing wrong" in checked(site)
