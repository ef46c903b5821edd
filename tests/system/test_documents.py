# SPDX-License-Identifier: BSD-2-Clause
"""What the documents say of files and commands is so.

README.md's part for administrators and server/administering.md are run literally, line by line,
on a database of their own; machines that boot meanwhile are played by policy.py. Lines that need
another host, packages, or a person are left out: ELSEWHERE says which, and why."""

import re
import secrets
import shlex
import subprocess

import pytest

import policy
from policy import BUILD

ROOT = BUILD.parent
TOP = "nbp|bios|efi|server|scripts|tests"
FOREIGN = {"sqlite3.h"}  # files of others
EXAMPLES = ROOT / "scripts/packaging/examples"
CTL = BUILD / "prebootctl"
DOCUMENTS = sorted(file for file in ROOT.rglob("*.md")
                   if not {"build", ".git"} & set(file.relative_to(ROOT).parts))
FOLDERS = [ROOT, *(folder for top in TOP.split("|") for folder in (ROOT / top).glob("**/"))]
MANUALS = sorted([*ROOT.glob("server/*/*.8"), *ROOT.glob("scripts/*.8"), BUILD / "prebootctl.8"])
JOB = 0x43  # the field of the protocol with a job's number


def name(file):
    return str(file.relative_to(ROOT))


def output(*command):
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=20,
                          check=True).stdout


# --- files ---------------------------------------------------------------------

def spans(text):
    """Returns what stands in backticks, with line breaks as blanks; fenced blocks are left out."""
    text = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    return [re.sub(r"\s+", " ", span) for span in re.findall(r"`([^`]+)`", text)]


def named_files(document):
    """Yields the files of the project that a document names, as (name, folders it counts from)."""
    text = document.read_text()
    for link in re.findall(r"\]\(([^)#]+)", text):
        if "://" not in link:
            yield link, [document.parent]
    for span in spans(text):
        if "NAME" in span or span in FOREIGN:
            continue
        if re.fullmatch(rf"({TOP})/[\w./*\[\]-]+", span):
            yield span, [ROOT]
        elif re.fullmatch(r"[\w*\[\]-]+\.(md|c|h|\[ch\]|asm|py|yaml)", span):
            yield span, FOLDERS


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_named_files_exist(document):
    missing = [file for file, folders in named_files(document)
               if not any(list(folder.glob(file)) for folder in folders)]
    assert missing == []


# --- commands ------------------------------------------------------------------

def code_lines(text):
    """Yields the lines of a document's indented blocks."""
    for line in text.splitlines():
        if line.startswith("    "):
            yield line[4:]


def commands(text):
    """Yields each command line of prebootctl that a document shows, as a list of words."""
    lines = [line for line in code_lines(text)
             if re.match(r"(\$ |sudo )*prebootctl [a-z-]", line)]
    lines += [span for span in spans(text) if re.match(r"(sudo )?prebootctl [a-z-]", span)]
    for line in lines:
        line = re.sub(r"\s{2,}.*", "", re.sub(r"^(\$ |sudo )*", "", line))
        yield shlex.split(line)[1:]


def verbs():
    """Returns what prebootctl can do: noun to verb to the options its help names."""
    known = {}
    for noun in re.findall(r"^  ([a-z]+)  ", output(CTL, "--help"), re.M):
        known[noun] = {}
        # A noun's help has a paragraph for each verb, which begins with its usage.
        for usage in re.split(r"^(?=prebootctl )", output(CTL, "help", noun), flags=re.M):
            words = usage.split()[2:3]
            verb = words[0] if words and re.fullmatch("[a-z]+", words[0]) else ""
            known[noun].setdefault(verb, set()).update(re.findall(r"--[a-z-]+", usage))
    return known


@pytest.fixture(scope="module", name="known")
def fixture_known():
    return verbs()


def wrong(known, words):
    """Returns what is wrong with a command line, or None."""
    words = list(words)
    while words and words[0].startswith("--"):
        del words[0:2 if words[0] == "--database" else 1]
    if not words or words[0] == "help" or words == ["--help"]:
        return None if all(word in known for word in words[1:2]) else "no such noun"
    nouns = [noun for noun in known if noun.startswith(words[0])]
    if words[0] not in known and len(nouns) != 1:
        return f"no noun {words[0]}"
    options = set().union(*known[words[0] if words[0] in known else nouns[0]].values())
    shown = subprocess.run([CTL, *words[:1 if "" in known.get(words[0], ()) else 2], "--help"],
                           capture_output=True, text=True, timeout=20, check=False)
    if shown.returncode != 0:
        return shown.stderr
    unknown = {word.split("=")[0] for word in words if re.match("--[a-z]", word)} - options
    return f"no option {unknown}" if unknown - {"--json", "--database", "--help"} else None


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_commands_exist(document, known):
    text = document.read_text()
    faults = {" ".join(words): wrong(known, words) for words in commands(text)}
    assert {line: fault for line, fault in faults.items() if fault} == {}
    # In running text a command is often named by noun and verb alone.
    named = [span.split()[:2] for span in spans(text)
             if re.match(rf"({'|'.join(known)}) [a-z]+\b", span)]
    assert [pair for pair in named if wrong(known, pair)] == []


def test_there_are_commands():
    assert len(list(commands((ROOT / "README.md").read_text()))) > 20


# --- version and words ----------------------------------------------------------

def test_package_is_named():
    version = re.search(r"^VERSION := (.*)$", (ROOT / "Makefile").read_text(), re.M)[1]
    assert f"openpreboot_{version}-1_amd64.deb" in (ROOT / "README.md").read_text()
    assert f"\n## {version}" in (ROOT / "CHANGELOG.md").read_text()


def test_glossary_is_sorted():
    text = (ROOT / "README.md").read_text().split("\n## Words\n")[1].split("\n## ")[0]
    words = re.findall(r"^\| ([^|]+?) \|", text, re.M)[2:]
    assert len(words) > 20 and words == sorted(words, key=str.lower)


# --- what an administrator types --------------------------------------------------

# Lines that are not run, by how they begin, and why.
ELSEWHERE = {
    "make ": "builds a package, or a virtual machine's Linux",
    "apt ": "installs packages on this host",
    "systemctl ": "needs a systemd that is this host's",
    "editor ": "needs a person",
    "cp build/": "copies what make linux has made",
    "prebootctl watch": "ends with Ctrl-C",
    "isdctl /dev/": "reads and writes a disk of this host",
}


class Site:
    """An administrator's host in a folder: database, TFTP root, /etc; and machines that boot."""

    def __init__(self, folder):
        self.folder = folder
        self.database = folder / "openpreboot.db"
        for part in ("bin", "tftp", "dnsmasq.d"):
            (folder / part).mkdir()
        self.places = {
            "/usr/share/doc/openpreboot/examples": EXAMPLES, "/usr/lib/openpreboot": BUILD,
            "/srv/tftp": folder / "tftp", "/etc/dnsmasq.d": folder / "dnsmasq.d"}
        (folder / "bin/isdctl").symlink_to(BUILD / "isdctl")
        wrapper = folder / "bin/prebootctl"
        wrapper.write_text(f'#!/bin/sh\nexec {CTL} --database {self.database} "$@"\n')
        wrapper.chmod(0o755)
        self.daemon = policy.Daemon(self.database, folder / "log")

    def type(self, line):
        """Runs a line of a document as it stands there, but for the folders of this host."""
        for place, here in self.places.items():
            line = line.replace(place, str(here))
        return subprocess.run(
            ["sh", "-ec", line], capture_output=True, text=True, timeout=60, cwd=self.folder,
            env={"PATH": f"{self.folder}/bin:/usr/bin:/bin:/usr/sbin:/sbin", "NBPS": str(BUILD)},
            check=False)

    def boot(self, mac):
        """Has a machine ask once; returns who it is, its nonce and the answer's fields."""
        who = {policy.MAC: policy.mac(mac)}
        nonce = secrets.token_bytes(16)
        answer = policy.ask(self.daemon.port, policy.REQUEST, {**who, policy.FIRMWARE: policy.BIOS},
                            nonce)
        return who, nonce, answer

    def fail(self, mac):
        """Has a machine accept its job and report that it failed."""
        who, nonce, answer = self.boot(mac)
        report = {**who, JOB: answer[JOB], policy.TOKEN: answer[policy.TOKEN]}
        for state in policy.ACCEPTED, policy.FAILED:
            receipt = policy.ask(self.daemon.port, policy.REPORT, {**report, policy.STATE: state},
                                 nonce, 0)
            assert receipt[policy.STATE] == state


@pytest.fixture(name="site")
def fixture_site(tmp_path):
    site = Site(tmp_path)
    yield site
    assert site.daemon.stop() == 0


def section(text, title):
    return text.split(f"\n## {title}\n")[1].split("\n## ")[0]


def typed(text):
    """Returns the command lines of a document's blocks without the remarks beside them, each with
    the error that the next line shows, or ""."""
    lines = [*code_lines(text), ""]
    programs = "prebootctl|isdctl|cp|make|apt|systemctl|editor|openssl|sbsign|/usr/share/doc"
    return [(re.sub(r"\s{2,}.*", "", line), after if after.startswith("prebootctl: ") else "")
            for line, after in zip(lines, lines[1:]) if re.match(rf"({programs})[ /]", line)]


def masked(text):
    return re.sub(r"\d+", "N", text)


def run(site, lines, before=()):
    """Types @lines; @before: what machines do before some of them. Returns what was run."""
    before = dict(before)
    ran = []
    for line, error in lines:
        if line.startswith(tuple(ELSEWHERE)):
            continue
        before.pop(line, lambda: None)()
        done = site.type(line)
        for place, here in site.places.items():
            done.stderr = done.stderr.replace(str(here), place)
        shown = [masked(text) for text in done.stderr.splitlines()
                 if text.startswith("prebootctl: ") and ": note: " not in text]
        assert shown[:1] == [masked(error)] * bool(error), (line, done)
        assert (done.returncode == 0) == (not error or ": warning: " in error), (line, done)
        ran.append(line)
    assert not before, f"lines that are not in the document any more: {list(before)}"
    return ran


def test_readme_is_run(site):
    """From the installed package to a job, and what to do when that fails."""
    text = (ROOT / "README.md").read_text()
    lines = typed(section(text, "From an installed package to the first machine imaged")
                  + section(text, "When it fails"))
    ran = run(site, lines, {
        "prebootctl unknown list": lambda: site.boot("52:54:00:12:34:02"),
        "prebootctl job list --failed": lambda: site.fail("52:54:00:12:34:01")})
    assert len(ran) > 20
    assert "lab02" in site.type("prebootctl device list").stdout
    assert (site.folder / "dnsmasq.d/openpreboot.conf").stat().st_size > 0


def test_signing_is_run(site):
    lines = typed(section((ROOT / "README.md").read_text(), "Secure Boot"))
    assert len(run(site, lines)) == 3
    assert "our network boot" in output("sbverify", "--list", site.folder / "tftp/nvlnbpx64.efi")


def test_manual_is_run(site):
    """server/administering.md, from top to bottom."""
    with open(site.folder / "disk.img", "wb") as disk:
        disk.truncate(16 << 20)
    ran = run(site, typed((ROOT / "server/administering.md").read_text()), {
        "prebootctl device trace web01": lambda: site.boot("52:54:00:12:34:56"),
        "prebootctl job retry web01": lambda: site.fail("52:54:00:12:34:56"),
        "prebootctl unknown list": lambda: site.boot("52:54:00:12:34:99"),
        "prebootctl settings set tftp-root=/srv/tftp":
            lambda: site.type(f"{EXAMPLES}/fill-tftp /srv/tftp")})
    assert len(ran) > 40


def test_data_is_moved(site):
    """server/data.md, with the spreadsheet that it shows."""
    text = (ROOT / "server/data.md").read_text()
    table = re.search(r"^    name,mac,.*?\n\n", text, re.M | re.S)[0]
    (site.folder / "devices.csv").write_text(re.sub("^    ", "", table, flags=re.M).strip() + "\n")
    run(site, [*typed(section(text, "Devices from a spreadsheet")),
               *typed(section(text, "Export and import"))])
    assert "web02" in site.type("prebootctl --database new.db device list").stdout


def test_job_is_packed(site):
    """server/linux.md: the archive that the loader hands to the kernel has the site's program."""
    text = section((ROOT / "server/linux.md").read_text(), "A program of your own")
    program, pack = re.findall(r"(?:^    .*\n|^\n(?=    ))+", text, re.M)[:2]
    (site.folder / "run").write_text(re.sub("^    ", "", program, flags=re.M).lstrip("\n"))
    (site.folder / "tftp/boot").mkdir()
    done = site.type(re.sub("^    ", "", pack, flags=re.M))
    assert done.returncode == 0, done
    listed = output("sh", "-c", f"gzip -dc {site.folder}/tftp/boot/site | cpio -tv --quiet")
    assert re.search(r"^-rwxr-xr-x .* jobs/run$", listed, re.M), listed
    output("busybox", "sh", "-n", site.folder / "run")
