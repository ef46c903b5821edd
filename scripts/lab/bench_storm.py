# SPDX-License-Identifier: BSD-2-Clause
"""Thousands of machines that are switched on at once: what their servers do then, and which of them
is the first that lets a machine wait for a second or more."""

import json
import os
import subprocess
import sys
import time

import bench_site
from bench_programs import BENCH, BUILD, LOAD_CORE, ROOT, SERVER_CORE, on_core, prebootd

sys.path.insert(0, str(ROOT / "tests/vm"))
import network  # noqa: E402, from there

MACHINES = 5000
WITHIN = (5, 2.5, 1.25)  # seconds; the first is what is promised
NBP = "nvlnbp.sys"


def _ask(site, realtime):
    """Has machines ask, each of which accepts a job that is on the disk before its receipt."""
    path, rows = BENCH / "storm.db", {}
    bench_site.copy(site, path)
    bench_site.pending_for_all(path)
    server = prebootd(path)
    try:
        for number, within in enumerate(WITHIN):
            said = subprocess.run(
                [*on_core(LOAD_CORE, realtime), BENCH / "load", "-o", "-a", "-s", "60",
                 "-n", str(MACHINES), "-f", str(number * MACHINES),
                 "-r", str(int(MACHINES / within)), f"127.0.0.1:{server.port}"],
                capture_output=True, text=True, check=True).stdout
            figures = json.loads(said)
            rows[within] = {"done": figures["accepted"], "late": figures["lost"],
                            "p50_ms": figures["p50_us"] / 1000,
                            "p99_ms": figures["p99_us"] / 1000, "max_ms": figures["max_us"] / 1000}
            time.sleep(1)  # until nobody waits any more
    finally:
        server.stop()
    return rows


def _fetch(command, realtime):
    """Has machines fetch the NBP from a TFTP server, which is in a network of its own."""
    rows = {}
    net = network.Namespace()
    net.set_up("ip link set lo up")
    try:
        server = net.start([*on_core(SERVER_CORE, realtime), *command],
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            net.wait_for([("127.0.0.1", 69)], [server])
            for within in WITHIN:
                said = net.run([*on_core(LOAD_CORE, realtime), BENCH / "fetch", "-n", MACHINES,
                                "-r", int(MACHINES / within), "127.0.0.1", NBP], seconds=300)
                if said.returncode:
                    raise SystemExit(f"bench-server: {said.stderr}")
                figures = json.loads(said.stdout)
                rows[within] = {"done": figures["done"],
                                "late": figures["slow"] + figures["given_up"] + figures["refused"],
                                **{key: figures[key] for key in ("p50_ms", "p99_ms", "max_ms")}}
        finally:
            network.machine.stop(server)
    finally:
        net.close()
    return rows


def measure(site, realtime):
    """Returns figures by server, then by the seconds in which all begin. @site: a database of
    devices that have nothing to do"""
    root = BENCH / "storm-files"
    root.mkdir(exist_ok=True)
    (root / NBP).write_bytes((BUILD / NBP).read_bytes())
    dnsmasq = ["dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--port=0", "--user=root",
               "--enable-tftp", f"--tftp-root={root}"]
    rows = {"prebootd, a job accepted": _ask(site, realtime),
            f"dnsmasq, {NBP}": _fetch(dnsmasq, realtime),
            "    with tftp-max=1000": _fetch([*dnsmasq, "--tftp-max=1000"], realtime)}
    if os.geteuid() == 0:  # it sets its groups
        rows[f"tftpd-hpa, {NBP}"] = _fetch(
            [BUILD / "servers/usr/sbin/in.tftpd", "--foreground", "--listen", "--user", "root",
             "--secure", root], realtime)
    return rows


def first_to_give(rows):
    """Returns the server, and the seconds, of the mildest storm in which somebody waited a second."""
    for within in WITHIN:
        late = {name: rows[name][within]["late"] for name in rows if rows[name][within]["late"]}
        if late:
            return max(late, key=late.get).strip(), within
    return None


def report(rows):
    """Returns the lines of a table, as texts, its head first, and a sentence about it."""
    table = [("", "within s", "done", "after 1 s or never", "p50 ms", "p99 ms", "max ms")]
    for name, figures in rows.items():
        for within, row in figures.items():
            table.append((name if within == WITHIN[0] else "", f"{within:g}", f"{row['done']:,}",
                          f"{row['late']:,}",
                          *(f"{row[key]:,.1f}" for key in ("p50_ms", "p99_ms", "max_ms"))))
    first = first_to_give(rows)
    return table, (f"The first that makes machines wait: {first[0]}, within {first[1]:g} s"
                   if first else "No machine had to wait for a second")
