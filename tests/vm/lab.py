# SPDX-License-Identifier: BSD-2-Clause
"""Runs a scenario of scenarios.yaml on one firmware and gathers the evidence."""

import gzip
import json
import shlex
import sqlite3
import subprocess
import zlib
from pathlib import Path

import capture
import machine
import medium
import network
import signing
from station import Station
from tpm import Tpm

CONFIGS = Path(__file__).resolve().parent / "configs"
DEVICE = "lab"


class Lab:
    """All that one test needs, and the outcome. Files stay in @folder."""

    step_seconds = 120  # from one awaited line to the next

    def __init__(self, name, firmware, scenario, folder):
        self.firmware = firmware
        self.scenario = scenario
        self.folder = folder
        self.boots = []  # for each boot the console lines that were awaited
        self._second_card = scenario.get("machine", {}).get("second_card", False)
        self.machine = self._machine(name, folder)
        self.others = {other: self._machine(f"{name}-{other}", folder / other)
                       for other in scenario.get("others", [])}
        self._tpm = Tpm(folder, firmware.tpm) if scenario.get("machine", {}).get("tpm") else None
        self.database = folder / "preboot.db"
        self._running = []

    def _machine(self, name, folder):
        number = zlib.crc32(name.encode())
        facts = self.scenario.get("machine", {})
        rom = self._make_rom(folder, **facts["rom"]) if "rom" in facts else None
        return machine.Machine(
            self.firmware, folder,
            mac="52:54:00:%02x:%02x:%02x" % tuple(number.to_bytes(4, "big")[1:]),
            uuid=f"0b007000-0000-4000-8000-0000{number:08x}",
            nic=facts.get("nic", "virtio-net-pci"),
            rom_file=rom,
            disks=tuple(machine.Disk(**disk) for disk in facts.get("disks", [{}])),
            boot_order=tuple(facts.get("boot_order", ("network", "disk"))),
            **medium.facts(self.scenario.get("medium"), folder),
            connects_all=facts.get("connects_all", True),
            secure_boot_key=signing.CERTIFICATE if facts.get("secure_boot") else None,
            options=(*facts.get("options", ()), *self._second_card_options(number)))

    @staticmethod
    def _make_rom(folder, card, options=(), site=None):
        """Makes what is in the card's flash; returns the file."""
        rom = folder / "card.rom"
        if site:
            (folder / "openpreboot.cfg").write_text(site)
            options = [*options, "--site", folder / "openpreboot.cfg"]
        subprocess.run([machine.ROOT / "scripts/openpreboot-rom", "-o", rom, *options, card],
                       check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=60)
        return rom

    def _second_card_options(self, number):
        """Returns QEMU's for another card in the same network, with a ROM, next in the boot order."""
        if not self._second_card:
            return ()
        tap = network.tap(1 + len(self.scenario.get("others", [])))
        return ("-netdev", f"tap,id=net2,ifname={tap},script=no,downscript=no,vnet_hdr=off",
                "-device", "virtio-net-pci,netdev=net2,addr=8,bootindex=2,"
                f"mac=52:54:01:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}")

    # --- preparation -----------------------------------------------------------

    def prepare(self):
        for each in (self.machine, *self.others.values()):
            each.prepare()
        if "medium" in self.scenario:
            medium.make(self.scenario["medium"], self.machine.medium)
        if self.machine.secure_boot_key:
            signing.sign_disk(self.machine.disk, self.folder)
        self._fill_tftp()
        if "isd" in self.scenario:
            self._write_isd(self.scenario["isd"])
        if "ctl" in self.scenario:
            for command in self.scenario["ctl"]:
                self.ctl(command)
        elif self.listen:
            self._add_device()

    @property
    def listen(self):
        return self.scenario.get("listen", network.SERVER)

    def text(self, pattern, quote=False):
        """Returns @pattern with what {loader}, {mac} and so on stand for."""
        pattern = machine.for_firmware(pattern, self.firmware, quote)
        macs = {"mac": self.machine.mac, "device": "pc-" + self.machine.mac.replace(":", "")}
        macs |= {name: other.mac for name, other in self.others.items()}
        macs |= {"build": str(machine.BUILD), "examples": str(machine.EXAMPLES)}
        for name, value in macs.items():
            pattern = pattern.replace(f"{{{name}}}", value)
        return pattern

    def ctl(self, command):
        """Runs prebootctl. @command: a line as typed at a shell, or a list of words"""
        words = shlex.split(self.text(command)) if isinstance(command, str) else map(str, command)
        return machine.prebootctl(self.database, *words)

    def _fill_tftp(self):
        scenario = self.scenario
        z_auto = scenario.get("z_auto")
        files = machine.tftp_files(self.firmware, *([CONFIGS / z_auto] if z_auto else []))
        for name, source in scenario.get("files", {}).items():
            files[name] = CONFIGS / source
            if self.firmware.grub and (CONFIGS / f"grub-{source}").exists():
                files[f"grub/{name}"] = CONFIGS / f"grub-{source}"
        for name, source in scenario.get("copies", {}).items():
            source = self.text(source)
            files[self.text(name)] = files.get(source, source)
        for name in map(self.text, scenario.get("signed", [])):
            signing.sign(files[name], self.folder / name)
            files[name] = self.folder / name
        if "jobs" in scenario:
            files["boot/root"] = self._add_jobs(files["boot/root"], scenario["jobs"])
        for name in scenario.get("missing", []):
            del files[self.text(name)]
        machine.lay_out(self.folder / "tftp" / scenario.get("folder", ""), files, links=True)

    def serve(self, files):
        """Replaces files of the TFTP server. @files: name: file in configs/"""
        for name, source in files.items():
            file = self.folder / "tftp" / self.scenario.get("folder", "") / name
            file.unlink()
            file.symlink_to(CONFIGS / source)

    def _add_jobs(self, root, jobs):
        """Returns an initramfs like @root with more programs, name: text, in /jobs."""
        folder = self.folder / "jobs"
        folder.mkdir()
        for name, text in jobs.items():
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        names = "".join(f"jobs/{name}\n" for name in jobs)
        archive = subprocess.run(["cpio", "--quiet", "-o", "-H", "newc"], input=names.encode(),
                                 cwd=self.folder, check=True, capture_output=True, timeout=20)
        # The kernel unpacks one archive after the other.
        whole = self.folder / "root"
        whole.write_bytes(Path(root).read_bytes() + gzip.compress(archive.stdout))
        return whole

    def _write_isd(self, fields):
        """Writes image-safe data as an administrator does: creates it, then sets all else."""
        sector_size = f"--sector-size={self.machine.disks[0].sector}"
        pairs = [f"{key}={value}" for key, value in fields.items()]
        for verb, words in (("create", pairs[:1]), ("set", pairs[1:])):
            subprocess.run([machine.BUILD / "isdctl", sector_size, self.machine.disk, verb, *words],
                           check=True, stdin=subprocess.DEVNULL, timeout=20)

    def _add_device(self):
        job = self.scenario.get("job")
        known_by = self.scenario.get("known_by", [self.machine.mac])
        machine.prebootctl(self.database, "device", "add", DEVICE, *known_by)
        for key, value in self.scenario.get("settings", {}).items():
            machine.prebootctl(self.database, "settings", "set", DEVICE, f"{key}={value}")
        if job is not None:
            machine.assign(self.database, DEVICE, self.firmware,
                           loader=self.text(job.get("loader", "{loader}")),
                           config=job.get("config", "z_auto.cfg"), prefix=job.get("prefix"),
                           details=job.get("details", {}))

    # --- the run ---------------------------------------------------------------

    def run(self):
        """Boots the machine as often as the scenario says; SilentError if a line is missing."""
        net = self._make_network()
        tpm = [self._tpm] if self._tpm else []
        stations = {None: Station(self, self.machine, net, 0, tpm)}
        for name, other in self.others.items():
            stations[name] = Station(self, other, net, len(stations))
        try:
            self._start_servers(net)
            if self._tpm:
                self._start(net, self._tpm.command, "swtpm", pass_fds=self._tpm.command_fds)
            stations[None].switch_on()
            for steps in self.scenario["boots"]:
                self.boots.append(self._watch(stations, steps))
        finally:
            for station in stations.values():
                station.close()
            for process in reversed(self._running):
                machine.stop(process)
            net.close()

    def _make_network(self):
        return network.Network(1 + len(self.others) + self._second_card)

    def _start(self, net, command, name, **more):
        with open(self.folder / f"{name}.log", "wb") as log:
            self._running.append(net.start(command, stdout=log, stderr=log, **more))

    def _start_servers(self, net):
        folder = self.scenario.get("folder")
        separator = self.scenario.get("separator", "/")
        boot_files = {each.processor: f"{folder}{separator}{each.nbp}" if folder else each.nbp
                      for each in machine.ALL_FIRMWARES.values()}
        proxy = self.scenario.get("proxy", False)
        lines = self.scenario.get("dhcp", ())
        if lines:
            lines = [self.text(line) for line in lines]
        self._start(net, network.boot_server(self.folder, self.folder / "tftp", boot_files, proxy,
                                             lines), "dnsmasq")
        if proxy:
            other = net.add_host(network.OTHER)
            self._start(other, network.address_server(self.folder), "dhcp")
            other.wait_for([("0.0.0.0", 67)], self._running)
        listeners = [(network.SERVER, 69)]
        odd_dhcp = self.scenario.get("odd_dhcp")
        if odd_dhcp:
            self._start(net, [CONFIGS.parent / "dhcp_server.py", odd_dhcp, "bridge0",
                              network.SERVER], "dhcp_server")
        if lines is not None or odd_dhcp:
            listeners.append((network.SERVER, 67))
        if self.scenario.get("http"):
            self._start(net, ["/usr/bin/python3", "-m", "http.server", "80", "--bind",
                              network.SERVER, "-d", self.folder / "tftp"], "http")
        if "vlan" in self.scenario:
            self._start(net, [CONFIGS.parent / "switch.py", self.scenario["vlan"], network.tap(0),
                              network.TRUNK_PORT], "switch")
            listeners.append(("127.0.0.1", network.TRUNK_PORT + 1))
        relay = self.scenario.get("relay")
        if relay:
            behind = machine.POLICY_PORT + 1
            self._start(net, machine.prebootd(self.database, "127.0.0.1", behind, root=True),
                        "prebootd")
            self._start(net, [CONFIGS.parent / "relay.py", relay, self.listen, behind], "relay")
            listeners += [("127.0.0.1", behind), (self.listen, machine.POLICY_PORT)]
        elif self.listen:
            self._start(net, machine.prebootd(self.database, self.listen, machine.POLICY_PORT,
                                              root=True), "prebootd")
            listeners += [(self.listen, machine.POLICY_PORT)]
        net.wait_for(listeners, self._running)

    def _watch(self, stations, steps):
        """Goes through a boot of the first machine, and what others do meanwhile; returns the
        first one's lines that were awaited."""
        lines = [stations[None].await_boot()]
        for step in steps:
            name = next(iter(step)) if isinstance(step, dict) else None
            if name not in self.others:
                lines += stations[None].go_through(step)
                continue
            if not stations[name].is_on:
                stations[name].switch_on()
                if name not in self.scenario.get("plain", ()):
                    stations[name].await_boot()
            for its in step[name]:
                stations[name].go_through(its)
        return lines

    # --- the evidence ----------------------------------------------------------

    def files_asked_for(self):
        """Returns the names asked for by TFTP, each once where asked twice in a row."""
        names = [self._file(name) for _, name in capture.tftp_requests(self.machine.packets)]
        # GRUB looks for lists of modules, which one that has all in it does without.
        names = [name for name in names if not (self.firmware.grub and name.endswith(".lst"))]
        return [name for i, name in enumerate(names) if i == 0 or names[i - 1] != name]

    def files_expected(self):
        return [self._file(self.text(name)) for name in self.scenario["tftp"]]

    def _file(self, name):
        """Returns a file's name on the TFTP server, for GRUB without the folder of its own."""
        return name.removeprefix("/").removeprefix("grub/") if self.firmware.grub else name

    def job(self):
        """Returns state and attempt of the newest job, as the database has them."""
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as database:
            row = database.execute("SELECT state, attempt FROM job ORDER BY id DESC").fetchone()
        return {"state": row[0], "attempt": row[1]} if row else None

    def show_device(self):
        """Returns what "prebootctl device show" knows of the machine."""
        return json.loads(machine.prebootctl(self.database, "--json", "device", "show", DEVICE))

    def trace(self, boots_ago):
        """Returns the timeline of a boot, 0 boots before the last."""
        return json.loads(machine.prebootctl(self.database, "--json", "device", "trace", DEVICE,
                                             "--boot", boots_ago + 1))

    def offers(self):
        """Returns how many offers the database has."""
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as database:
            return database.execute("SELECT count(*) FROM offer").fetchone()[0]
