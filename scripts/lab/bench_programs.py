# SPDX-License-Identifier: BSD-2-Clause
"""The servers that scripts/bench-server measures, each on the first core."""

import os
import re
import socket
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build"
BENCH = BUILD / "bench"
SERVER_CORE, LOAD_CORE = "0", "1"
SCRIPT = "#!ipxe\nset 209:string z_auto.cfg\nchain tftp://10.0.2.2/pxelinux.0 || exit\n"
NGINX = """daemon off; master_process off; worker_processes 1; pid nginx.pid; error_log stderr crit;
events {{ worker_connections 1024; }}
http {{
    access_log off; tcp_nodelay on; open_file_cache max=100; keepalive_timeout 0;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    server {{ listen 127.0.0.1:{port} backlog=4096; root .; }}
}}
"""


def on_core(core, realtime):
    """Returns what a command line begins with to have a core for itself."""
    return ["taskset", "-c", core, *(["chrt", "--rr", "10"] if realtime else [])]


class Server:
    """A program on the server's core."""

    realtime = False  # nothing else runs while one of them could

    def __init__(self, command, ready, port, cwd=ROOT):
        self.port = port
        begun = time.monotonic()
        self.process = subprocess.Popen(
            [*on_core(SERVER_CORE, self.realtime), *map(str, command)], cwd=cwd, bufsize=0,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.said = b""
        while ready not in self.said:
            more = os.read(self.process.stdout.fileno(), 4096)
            if not more:
                raise SystemExit(f"bench-server: {command[0]}: {self.said.decode()}")
            self.said += more
        self.start_ms = (time.monotonic() - begun) * 1000
        self.start_core_ms = self.cpu_seconds() * 1000
        # What it logs from now on is of no use, but must go somewhere.
        subprocess.Popen(["cat"], stdin=self.process.stdout, stdout=subprocess.DEVNULL)
        self.process.stdout.close()

    def cpu_seconds(self):
        """Returns the processor time that it has used."""
        total = 0
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
        return total / 1e9

    def memory(self):
        """Returns the bytes of memory it has to itself."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return 1024 * int(re.search(r"RssAnon:\s*(\d+)", status)[1])

    def stop(self):
        self.process.terminate()
        self.process.wait()


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def prebootd(database):
    """Starts one with a thread for the one core, and no limit on how much a network may ask."""
    port = free_port()
    user = ("--user", "root") if os.geteuid() == 0 else ()
    return Server([BUILD / "prebootd", "--database", database, "--listen", f"127.0.0.1:{port}",
                   "--threads", "1", "--rate", "0", *user], b"ready", port)


def echo(answer_bytes):
    port = free_port()
    return Server([BENCH / "echo", f"127.0.0.1:{port}", answer_bytes], b"ready", port)


def nginx(package):
    """Starts the nginx that is in the folder @package."""
    folder = BENCH / "nginx-site"
    folder.mkdir(exist_ok=True)
    (folder / "boot.ipxe").write_text(SCRIPT.ljust(199, "#") + "\n")
    port = free_port()
    (folder / "nginx.conf").write_text(NGINX.format(port=port))
    process = Server(["sh", "-c", "echo ready; exec \"$0\" \"$@\"", package / "usr/sbin/nginx",
                      "-p", f"{folder}/", "-c", "nginx.conf", "-e", "stderr"], b"ready", port)
    deadline = time.monotonic() + 10
    while socket.socket().connect_ex(("127.0.0.1", port)):
        if time.monotonic() > deadline:
            raise SystemExit("bench-server: nginx does not answer")
        time.sleep(0.02)
    return process
