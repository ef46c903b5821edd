# SPDX-License-Identifier: BSD-2-Clause
"""openpreboot.cfg is read by four programs, which have to agree on every file: the NBP on UEFI
(nbp/site.c), a BIOS medium's start script, openpreboot-medium and openpreboot-rom."""

import ipaddress
import random
import re
import subprocess
import sys

import pytest

from policy import BUILD

ROOT = BUILD.parent
sys.path.insert(0, str(ROOT / "scripts/rom"))
import site_text  # noqa: E402

# Prints what nbp/site.c makes of each file: its settings, and whether a line is wrong.
READER = r"""
#include <stdio.h>
#include "nbp/site.h"
static char text[1 << 16];
static void print(const char *name, const uint8_t *a)
{
	if (a[0])
		printf(" %s=%u.%u.%u.%u", name, a[0], a[1], a[2], a[3]);
}
int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		FILE *file = fopen(argv[i], "r");
		size_t length = fread(text, 1, sizeof(text), file);
		struct site site;
		struct site_error error;
		fclose(file);
		printf("%s", site_parse(text, length, &site, &error) ? "wrong" : "right");
		for (size_t k = 0; k < site.server_count; k++)
			print("server", site.servers[k]);
		print("address", site.address);
		print("netmask", site.address[0] ? site.netmask : site.address);
		print("gateway", site.gateway);
		print("tftp-server", site.tftp_server);
		if (site.vlan)
			printf(" vlan=%u", site.vlan);
		printf("\n");
	}
}
"""

# Plays Syslinux for start.lua: prints its messages and the line that it starts iPXE by.
SYSLINUX = r"""
package.loaded.syslinux = { msleep = function() end, run_command = function(line)
	if line ~= "serial" then print("RUN " .. line) end
end }
local open = io.open
local name = arg[2]
io.open = function() return open(name, "rb") end
local script = arg[1]
arg = {}
dofile(script)
"""

CASES = {
    "": "right",
    "server = 192.0.2.1\nserver = 192.0.2.2": "right server=192.0.2.2",
    "server = 1.1.1.1 1.1.1.2 1.1.1.3 1.1.1.4\n" * 3:
        "right server=1.1.1.1 server=1.1.1.2 server=1.1.1.3 server=1.1.1.4",
    "server = 192.0.2.1 192.0.2.2\nserver = 192.0.2.3 192.0.2.300":
        "wrong server=192.0.2.1 server=192.0.2.2",
    "server = 1.1.1.1 1.1.1.2 1.1.1.3 1.1.1.4 1.1.1.5": "wrong",
    "server =": "wrong", "server = ,": "wrong", "server": "wrong", "=": "wrong", "a b": "wrong",
    "server == 192.0.2.1": "wrong", "server = 192.0.2.1 =": "wrong", "server 1 = 192.0.2.1": "wrong",
    "server = 255.255.255.255": "wrong", "server = 0.0.0.0": "wrong", "server = 127.0.0.1": "wrong",
    "server = 224.0.0.1": "wrong", "server = 010.0.0.1": "right server=10.0.0.1",
    "gateway = 192.0.2.1\ngateway = 192.0.2.2": "right gateway=192.0.2.2",
    "gateway = 192.0.2.1\ngateway = 192.0.2.2 192.0.2.3": "wrong gateway=192.0.2.1",
    "gateway = 192.0.2.0001": "wrong", "gateway = 0.0.0.0": "wrong",
    "tftp-server = 255.255.255.255": "wrong", "tftp-server = 239.1.1.1": "wrong",
    "address = 192.0.2.9/24\naddress = 192.0.2.300/8": "wrong address=192.0.2.9 netmask=255.255.255.0",
    "address = 192.0.2.9/0": "wrong", "address = 192.0.2.9/31": "wrong",
    "address = 192.0.2.9/33": "wrong", "address = 192.0.2.9/": "wrong",
    "address = 192.0.2.9/-1": "wrong", "address = 0.0.0.0/24": "wrong",
    "address = 127.0.0.1/8": "wrong", "address = 192.0.2.9/24/24": "wrong",
    "address = 192.0.2.9/0000000024": "wrong",
    "address = 192.0.2.9/000000024": "right address=192.0.2.9 netmask=255.255.255.0",
    "vlan = 0": "wrong", "vlan = 4094": "right vlan=4094", "vlan = 4095": "wrong",
    "vlan = 99999999999999999999999999": "wrong", "vlan = 00000000000000000012": "wrong",
    "vlan = 0000000000000000012": "right vlan=12", "vlan = 12 13": "wrong", "vlan = 0x12": "wrong",
    "vlan = 1e2": "wrong", "vlan = +1": "wrong",
    "console = serial": "right", "console = serial screen": "wrong",
    "\ufeffserver=192.0.2.1\r\nvlan\t=\t7\r\n": "right server=192.0.2.1 vlan=7",
    "server = 192.0.2.1 # = 192.0.2.2\n#vlan = 3\nvlan = 4#5": "right server=192.0.2.1 vlan=4",
    "vlan\0=\1 5\x1f": "right vlan=5", "gateway = 192.0\r.2.1": "wrong",
    "vlan\xa0= 5": "wrong", "vlan =\x7f5": "wrong", "vlan = 5\x85": "wrong", "vlan =\u20035": "wrong",
    "vlan = 5\r": "right vlan=5", "#" * 4095 + "\n": "right",
    # What would be cut in the middle is not read: 192.0.2.10 is not 192.0.2.1.
    "#" * 4075 + "\nserver = 192.0.2.10\n": "right server=192.0.2.10",
    "#" * 4076 + "\nserver = 192.0.2.10\n": "wrong",
    "#" * 4076 + "\nserver = 192.0.2.10": "right server=192.0.2.10",
    "vlan = 9\n" + "#" * 4070 + "\nserver = 192.0.2.10\n": "wrong vlan=9",
}


def generated():
    """Yields files that are nearly right."""
    source = random.Random(11)
    names = ["server", "address", "gateway", "tftp-server", "vlan"]
    pieces = ["192.0.2.1", "10.0.0.255", "0.0.0.0", "300.1.1.1", "1.2.3", "1.2.3.4.5", "192.0.2.9/24",
              "1.2.3.4/30", "7", "4094", "5000", "x", "=", "#", ",", " ", "\t", "\r", "\0", "\x7f", "/"]
    for _ in range(150):
        lines = []
        for _ in range(source.randrange(1, 5)):
            name = source.choice(names)
            value = {"address": "192.0.2.5/20", "vlan": "12"}.get(name, "192.0.2.7")
            line = f"{name} = {value}"
            for _ in range(source.choice([0, 0, 1, 2])):
                at = source.randrange(len(line) + 1)
                line = line[:at] + source.choice(pieces) + line[at + source.choice([0, 1, 3]):]
            lines.append(line)
        yield "\n".join(lines) + source.choice(["", "\n", "\r\n"])


def files(folder, texts):
    for number, text in enumerate(texts):
        file = folder / f"{number:03}.cfg"
        try:
            file.write_bytes(text.encode("latin-1"))
        except UnicodeEncodeError:
            file.write_bytes(text.encode())
    return sorted(folder.glob("*.cfg"))


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reader")
    (folder / "reader.c").write_text(READER)
    subprocess.run(["gcc", "-std=gnu11", f"-I{ROOT}", "-fsanitize=address,undefined",
                    "-fno-sanitize-recover=all", "-o", folder / "reader", folder / "reader.c",
                    *(ROOT / f"nbp/{name}.c" for name in ("site", "dhcp", "dhcp_client")),
                    *(ROOT / f"nbp/proto/{name}.c" for name in ("text", "wire", "error"))],
                   check=True, timeout=120)
    return folder / "reader"


def by_nbp(reader, paths):
    return subprocess.run([reader, *paths], check=True, capture_output=True, text=True,
                          timeout=60).stdout.splitlines()


def dotted(octets):
    return ".".join(str(int(octet, 16)) for octet in octets.split(":"))


def by_start_script(folder, path, vlan):
    """start.lua says what it read by the commands for iPXE; a VLAN and, without an address, a
    gateway are not among them."""
    driver = folder / "driver.lua"
    driver.write_text(SYSLINUX)
    said = subprocess.run(["lua5.4", driver, ROOT / "scripts/medium/start.lua", path], check=True,
                          capture_output=True, timeout=60).stdout.decode("latin-1")
    *messages, line = said.splitlines()
    assert line.startswith("RUN ipxe.lkrn initrd=nvlnbp.sys "), said
    messages = [message for message in messages if "a BIOS cannot" not in message]
    found = re.search(r"/224:hex (\S+)", line)
    words = [f"server={dotted(octets)}" for octets in
             re.findall("..:..:..:..", found[1] if found else "")]
    for name, key in (("address", "ip"), ("netmask", "netmask"), ("gateway", "gateway"),
                      ("tftp-server", "next-server")):
        words += [f"{name}={value}" for value in re.findall(rf"/{key} (\S+)", line)]
    return " ".join(["wrong" if messages else "right", *words, *vlan])


def by_medium_tool(path):
    """Returns whether openpreboot-medium finds nothing wrong."""
    function = re.search(r"^check_settings\(\)\n.*?^}\n", (ROOT / "scripts/openpreboot-medium")
                         .read_text(), re.M | re.S)[0]
    done = subprocess.run(["sh", "-c", f'{function}\ncheck_settings "$1" cfg', "sh", path], check=True,
                          capture_output=True, timeout=60)
    assert done.stderr == b""
    return done.stdout == b"" and path.stat().st_size <= 4096


def by_rom_tool(path):
    try:
        site = site_text.parse(path.read_bytes())
    except site_text.SiteError as error:
        if "set tftp-server, too" not in str(error):
            return "wrong"
        site = site_text.parse(path.read_bytes() + b"\ntftp-server = 192.0.2.99\n")
        site.tftp_server = None
    words = [f"server={server}" for server in site.servers]
    if site.address:
        words += [f"address={site.address.ip}", f"netmask={site.address.netmask}"]
    for name, value in (("gateway", site.gateway), ("tftp-server", site.tftp_server),
                        ("vlan", site.vlan)):
        words += [f"{name}={value}"] if value else []
    return " ".join(["right", *words])


def assert_all_agree(folder, paths, answers):
    for path, answer in zip(paths, answers):
        text = path.read_bytes()
        vlan = re.findall("vlan=.*", answer)
        bios = answer if "address=" in answer else re.sub(" gateway=[^ ]*", "", answer)
        assert by_start_script(folder, path, vlan) == bios, text
        assert by_medium_tool(path) == answer.startswith("right"), text
        assert by_rom_tool(path) == (answer if answer.startswith("right") else "wrong"), text


def test_cases(reader, tmp_path):
    paths = files(tmp_path, CASES)
    answers = by_nbp(reader, paths)
    for text, answer, wanted in zip(CASES, answers, CASES.values()):
        assert answer == wanted, text[-200:]
    assert_all_agree(tmp_path, paths, answers)


def test_generated(reader, tmp_path):
    paths = files(tmp_path, generated())
    answers = by_nbp(reader, paths)
    assert len({answer.split()[0] for answer in answers}) == 2
    assert_all_agree(tmp_path, paths, answers)
    for answer in answers:
        for address in re.findall(r"(?:server|gateway|address)=([0-9.]+)", answer):
            assert not ipaddress.ip_address(address).is_multicast
