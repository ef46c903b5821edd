# SPDX-License-Identifier: BSD-2-Clause
"""Windows PE over the network: each file that its programs ask for arrives whole, also from each TFTP
server of server/winpe.md."""

import re
import shlex
import zlib

import pytest

import hosts
import machine
import network
import windows
from lab import Lab

MAP = "scripts/packaging/examples/tftpd.map"
DOCUMENT = "server/winpe.md"
PROGRAM = {"bios": "pxeboot.0", "uefi": "bootmgfw.efi"}
# The machine boots twice: Windows PE would do the job, and restart it.
BOOTS = [
    [r"answer from {server}: job 1, attempt 1: {loader} with winpe\.cfg", r"loaded winpe\.cfg",
     "handing over to {loader}", "winpe: record 4f5002", "winpe: all is here"],
    ["no receipt: job done: the machine booted again", r"\] local boot", "{disk}"]]
CTL = ["device add lab {mac}",
       "bundle add winpe --kind third-party --config winpe.cfg --loader-uefi bootmgfw.efi",
       "job assign lab --bundle winpe"]


def recipe(title):
    """Returns the lines of a recipe."""
    return hosts.recipe(DOCUMENT, title)[0].splitlines()


def boots(kind, server):
    loader = "{loader}" if kind == "bios" else re.escape(PROGRAM["uefi"])
    return [[line.replace("{server}", re.escape(server)).replace("{loader}", loader)
             for line in boot] for boot in BOOTS]


def check_arrived(lab, names, files):
    """What the programs printed is so: of each file the number of bytes and the sum."""
    seen = re.findall(r"winpe: (\S+): ([0-9a-f]{8}) bytes, crc ([0-9a-f]{8})",
                      (lab.folder / "serial.log").read_text(errors="replace"))
    assert [name for name, _, _ in seen] == names
    for name, size, crc in seen:
        data = files[name.lstrip("\\").replace("\\", "/").lower()].read_bytes()
        assert (int(size, 16), int(crc, 16)) == (len(data), zlib.crc32(data)), name


def check_record(lab):
    """The NBP's record reached the program: server, and the token of the job."""
    found = re.search(r"winpe: record ([0-9a-f]{32})",
                      (lab.folder / "serial.log").read_text(errors="replace"))
    record = bytes.fromhex(found[1])
    assert record[:3] == b"OP\2" and sum(record) % 256 == 0 and any(record[8:])
    return ".".join(map(str, record[4:8]))


def names_asked(kind):
    return ["bootmgr.exe", *windows.ASKED] if kind == "bios" else windows.ASKED


@pytest.mark.parametrize("firmware", ["seabios", "ovmf"])
def test_winpe(firmware, lab_folder):
    kind = machine.FIRMWARES[firmware].kind
    folder = lab_folder(f"winpe-{firmware}")
    files = windows.lay_out(windows.make_image(folder), folder / "root", "--firmware", kind)
    lab = Lab(f"winpe-{firmware}", machine.FIRMWARES[firmware], {
        "copies": {name: str(path) for name, path in files.items()},
        "dhcp": recipe("dnsmasq"), "ctl": CTL, "boots": boots(kind, "10.77.0.1")}, folder)
    lab.prepare()
    lab.run()
    check_arrived(lab, names_asked(kind), files)
    assert check_record(lab) == "10.77.0.1"
    assert lab.job() == {"state": "done", "attempt": 1}


def test_winpe_bcd_of_uefi(lab_folder):
    """One root for BIOS and UEFI: DHCP tells UEFI machines another name of the BCD."""
    folder = lab_folder("winpe_bcd-ovmf")
    files = windows.lay_out(windows.make_image(folder), folder / "root")
    assert b"\0.\0e\0x\0e" in files["boot/bcd"].read_bytes()
    lab = Lab("winpe_bcd-ovmf", machine.FIRMWARES["ovmf"], {
        "copies": {name: str(path) for name, path in files.items()},
        "dhcp": [*recipe("dnsmasq"), *recipe("UEFI beside BIOS"),
                 "dhcp-match=set:efi64,option:client-arch,7"],  # as server/networks.md has it
        "ctl": CTL, "boots": boots("uefi", "10.77.0.1")}, folder)
    lab.prepare()
    lab.run()
    check_arrived(lab, [r"\EFI\Microsoft\Boot\BCD", *windows.ASKED[1:]], files)


def test_winpe_tftpd(lab_folder):
    """tftpd-hpa with the map that the package has, ISC dhcpd, and prebootd on a host of its own."""
    folder = lab_folder("winpe_tftpd-seabios")
    files = windows.lay_out(windows.make_image(folder), folder / "root", "--firmware", "bios")
    site = hosts.Site("winpe_tftpd-seabios", machine.FIRMWARES["seabios"], {
        "copies": {name: str(path) for name, path in files.items()},
        "hosts": {"192.0.2.2": {"dhcpd": ["ISC dhcpd", "ISC dhcpd 2"]},
                  "192.0.2.1": {"tftpd": [MAP]}, "192.0.2.3": {"prebootd": None}},
        "ctl": CTL, "boots": boots("bios", "192.0.2.3")}, folder)
    site.prepare()
    site.run()
    check_arrived(site, names_asked("bios"), files)
    assert check_record(site) == "192.0.2.3"


# Asks a TFTP server (RFC 1350, RFC 2348) for files; prints of each how many bytes came and their sum.
CLIENT = r"""
import socket, sys, zlib
for name in sys.argv[1:]:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(10)
    s.sendto(b"\0\1" + name.encode() + b"\0octet\0blksize\0" b"16384\0", ("127.0.0.1", 69))
    data, block, size = b"", 1, 512
    while True:
        packet, server = s.recvfrom(20000)
        if packet[:2] == b"\0\6":
            size = int(packet[2:].split(b"\0")[1])
            s.sendto(b"\0\4\0\0", server)
            continue
        if packet[:2] != b"\0\3":
            print(name, "refused")
            break
        if int.from_bytes(packet[2:4], "big") == block & 0xffff:
            data, block = data + packet[4:], block + 1
        s.sendto(b"\0\4" + packet[2:4], server)
        if len(packet) < 4 + size:
            print(name, len(data), zlib.crc32(data))
            break
"""


def tftp_server(name, root, conf):
    """Returns the command line of a TFTP server with the recipe's options; its root is /srv/tftp."""
    lines = recipe(name)
    if name == "dnsmasq":
        conf.write_text("\n".join(["port=0", "enable-tftp", f"tftp-root={root}", "tftp-no-fail",
                                   "user=root", *lines, ""]))
        return ["dnsmasq", "--no-daemon", f"--conf-file={conf}"]
    options = shlex.split(lines[0].split("=", 1)[1].strip('"'))
    options = [option.replace("/usr/share/doc/openpreboot/examples", str(windows.EXAMPLES))
               .replace("/srv/tftp", str(root)) for option in options]
    if name == "tftpd-hpa":
        return [hosts.SERVERS / "usr/sbin/in.tftpd", "--foreground", "--listen", "--user", "root",
                *options, root]
    return [hosts.SERVERS / "usr/sbin/atftpd", "--no-fork", "--user", "root", "--group", "root",
            *options]


@pytest.mark.skipif(machine.os.geteuid() != 0, reason="these servers change their user")
@pytest.mark.parametrize("name", ["dnsmasq", "tftpd-hpa", "atftpd"])
def test_winpe_tftp_server(name, lab_folder):
    """Each takes a name in any case, with backslashes, and knows what is not there."""
    folder = lab_folder(f"winpe_server-{name}")
    files = windows.lay_out(windows.make_image(folder), folder / "root")
    asked = ["bootmgr.exe", *windows.ASKED, r"\EFI\Microsoft\Boot\BCD", r"\BOOT\BCD", "boot/bcd",
             "pxeboot.0"]
    host = network.Namespace()
    try:
        host.set_up("ip link set lo up")
        with open(folder / "server.log", "wb") as log:
            server = host.start(tftp_server(name, folder / "root", folder / "conf"),
                                stdout=log, stderr=log)
        try:
            host.wait_for([("0.0.0.0", 69)], [server])
            result = host.run(["/usr/bin/python3", "-c", CLIENT, *asked, r"\Boot\no.wim"], 60)
        finally:
            machine.stop(server)
    finally:
        host.close()
    wanted = []
    for one in asked:
        data = files[one.lstrip("\\").replace("\\", "/").lower()].read_bytes()
        wanted.append(f"{one} {len(data)} {zlib.crc32(data)}")
    assert result.stdout.splitlines() == [*wanted, r"\Boot\no.wim refused"], result
