# SPDX-License-Identifier: BSD-2-Clause
"""Runs a scenario of scenarios.yaml on one firmware and gathers the evidence."""

import gzip
import json
import sqlite3
import subprocess
import zlib
from pathlib import Path

import capture
import machine
import network
import signing
from monitor import Monitor
from person import Person
from tpm import Tpm

CONFIGS = Path(__file__).resolve().parent / "configs"
BOOT_SECONDS = 90    # until the NBP's first line
STEP_SECONDS = 60    # from one awaited line to the next
DEVICE = "lab"


class Lab:
    """All that one test needs, and the outcome. Files stay in @folder."""

    def __init__(self, name, firmware, scenario, folder):
        self.firmware = firmware
        self.scenario = scenario
        self.folder = folder
        self.boots = []  # for each boot the console lines that were awaited
        number = zlib.crc32(name.encode())
        facts = scenario.get("machine", {})
        self.machine = machine.Machine(
            firmware, folder, mac="52:54:00:%02x:%02x:%02x" % tuple(number.to_bytes(4, "big")[1:]),
            uuid=f"0b007000-0000-4000-8000-0000{number:08x}",
            nic=facts.get("nic", "virtio-net-pci"),
            disks=tuple(machine.Disk(**disk) for disk in facts.get("disks", [{}])),
            boot_order=tuple(facts.get("boot_order", ("network", "disk"))),
            connects_all=facts.get("connects_all", True),
            secure_boot_key=signing.CERTIFICATE if facts.get("secure_boot") else None,
            options=tuple(facts.get("options", ())))
        self._tpm = Tpm(folder) if facts.get("tpm") else None
        self.database = folder / "preboot.db"
        self._running = []

    # --- preparation -----------------------------------------------------------

    def prepare(self):
        self.machine.prepare()
        if self.machine.secure_boot_key:
            signing.sign_disk(self.machine.disk, self.folder)
        self._fill_tftp()
        if "isd" in self.scenario:
            self._write_isd(self.scenario["isd"])
        if self.listen:
            self._add_device()

    @property
    def listen(self):
        return self.scenario.get("listen", network.SERVER)

    def text(self, pattern, quote=False):
        return machine.for_firmware(pattern, self.firmware, quote)

    def _fill_tftp(self):
        scenario = self.scenario
        z_auto = scenario.get("z_auto")
        files = machine.tftp_files(self.firmware, *([CONFIGS / z_auto] if z_auto else []))
        for name, source in scenario.get("files", {}).items():
            files[name] = CONFIGS / source
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
        machine.lay_out(self.folder / "tftp" / scenario.get("folder", ""), files)

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
        work = self.scenario.get("work")
        known_by = self.scenario.get("known_by", [self.machine.mac])
        machine.prebootctl(self.database, "device", "add", DEVICE, *known_by)
        for key, value in self.scenario.get("settings", {}).items():
            machine.prebootctl(self.database, "settings", "set", DEVICE, f"{key}={value}")
        if work is not None:
            machine.assign(self.database, DEVICE, self.firmware,
                           loader=self.text(work.get("loader", "{loader}")),
                           config=work.get("config", "z_auto.cfg"), prefix=work.get("prefix"),
                           details=work.get("details", {}))

    # --- the run ---------------------------------------------------------------

    def run(self):
        """Boots the machine as often as the scenario says; SilentError if a line is missing."""
        net = network.Network()
        monitor = Monitor()
        helpers = [monitor, *([self._tpm] if self._tpm else [])]
        try:
            self._start_servers(net)
            if self._tpm:
                self._start(net, self._tpm.command, "swtpm", pass_fds=self._tpm.command_fds)
            # With vnet_hdr QEMU would write that header into the capture, too.
            qemu, console = self.machine.switch_on(
                f"tap,id=net,ifname={network.TAP},script=no,downscript=no,vnet_hdr=off", net.start,
                more=sum((helper.options for helper in helpers), ()),
                pass_fds=sum((helper.pass_fds for helper in helpers), ()), stdin=subprocess.PIPE)
            self._running.append(qemu)
            monitor.connect()
            self._watch(console, Person(self, qemu, monitor, STEP_SECONDS))
        finally:
            for process in reversed(self._running):
                machine.stop(process)
            for helper in helpers:
                helper.close()
            net.close()

    def _start(self, net, command, name, **more):
        with open(self.folder / f"{name}.log", "wb") as log:
            self._running.append(net.start(command, stdout=log, stderr=log, **more))

    def _start_servers(self, net):
        folder = self.scenario.get("folder")
        boot_files = {kind: f"{folder}/{nbp}" if folder else nbp
                      for kind, nbp in (("bios", "nvlnbp.sys"), ("uefi", "nvlnbpx64.efi"))}
        proxy = self.scenario.get("proxy", False)
        self._start(net, network.boot_server(self.folder, self.folder / "tftp", boot_files, proxy,
                                             self.scenario.get("dhcp", ())), "dnsmasq")
        if proxy:
            other = net.other_host()
            self._start(other, network.address_server(self.folder), "dhcp")
            other.wait_for([("0.0.0.0", 67)], self._running)
        listeners = [(network.SERVER, 67), (network.SERVER, 69)]
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

    def _watch(self, console, person):
        after = -1
        for steps in self.scenario["boots"]:
            lines = [console.wait(r"^OpenPreboot ", BOOT_SECONDS, after)]
            after = lines[0].number - 1
            for step in steps:
                if isinstance(step, dict) and "next" not in step:
                    person.act(step)
                    if "reset" in step:  # what came before is of the boot before
                        after = len(console.lines) - 1
                    continue
                pattern = self.text(step["next"] if isinstance(step, dict) else step, quote=True)
                lines.append(console.wait(pattern, STEP_SECONDS, after))
                if isinstance(step, dict) and lines[-1].number != after + 1:
                    raise machine.MachineError(f"other lines came before '{pattern}'")
                after = lines[-1].number
            self.boots.append(lines)
        person.close()

    # --- the evidence ----------------------------------------------------------

    def files_asked_for(self):
        """Returns the names asked for by TFTP, each once where asked twice in a row."""
        names = [name for _, name in capture.tftp_requests(self.machine.packets)]
        return [name for i, name in enumerate(names) if i == 0 or names[i - 1] != name]

    def files_expected(self):
        return [self.text(name) for name in self.scenario["tftp"]]

    def lease(self):
        """Returns state and attempt of the newest work, as the database has them."""
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as database:
            row = database.execute("SELECT state, attempt FROM work ORDER BY lease DESC").fetchone()
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
