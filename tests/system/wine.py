# SPDX-License-Identifier: BSD-2-Clause
"""Windows' programs on this system: Wine, in a network of its own."""

import fcntl
import os
import subprocess
import tempfile

from policy import BUILD

PLACE = BUILD / "wine"
WINE, SERVER = "/usr/lib/wine/wine64", "/usr/lib/wine/wineserver64"


class Wine:
    """A Windows whose only network cards are @macs; at 192.0.2.1 it reaches itself.

    Each folder of Wine's is large and takes long to make, so there is one, which the tests use one
    after the other."""

    def __init__(self, macs=()):
        PLACE.mkdir(parents=True, exist_ok=True)
        self._lock = open(PLACE / "lock", "w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self._user = [] if os.geteuid() == 0 else ["--user"]
        cards = "".join(f"ip link add eth{i} address {mac} type bridge\nip link set eth{i} up\n"
                        for i, mac in enumerate(macs))
        self._holder = subprocess.Popen(
            ["unshare", "--net", *(["--map-root-user"] if self._user else []), "sh", "-ec",
             "ip link set lo up\nip address add 192.0.2.1/32 dev lo\n" + cards +
             "echo ready\nexec cat"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        assert self._holder.stdout.readline() == b"ready\n"
        self._environment = {"WINEPREFIX": str(PLACE / "prefix"), "WINEDEBUG": "-all",
                             "WINEDLLOVERRIDES": "mscoree,mshtml=", "PATH": "/usr/bin:/bin",
                             "HOME": str(PLACE)}
        # Else Wine's services would end and start again between two programs.
        (PLACE / "prefix").mkdir(exist_ok=True)
        subprocess.run(self.inside(SERVER, "-p"), env=self._environment, check=True, timeout=60)
        if not (PLACE / "prefix/made").exists():
            self.run("wineboot", "--init", seconds=300)
            (PLACE / "prefix/made").touch()

    def inside(self, *command):
        """Returns the command line that runs a program of this system in Wine's network."""
        preserve = ["--preserve-credentials"] if self._user else []
        return ["nsenter", "--target", str(self._holder.pid), "--net", *self._user, *preserve,
                "--", *map(str, command)]

    def run(self, *command, seconds=60):
        """Runs a program of Windows.

        What it prints goes to files: Wine's services would keep pipes open after its end."""
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            result = subprocess.run(self.inside(WINE, *command), env=self._environment,
                                    check=False, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                    timeout=seconds)
            out.seek(0)
            err.seek(0)
            result.stdout, result.stderr = out.read(), err.read()
        return result

    def work(self, *arguments):
        return self.run(BUILD / "prebootwork.exe", "--timeout", "5", *arguments)

    def close(self):
        """Ends all of Windows' programs, which live in the network that is going."""
        subprocess.run(self.inside(SERVER, "-k"), env=self._environment,
                       check=False, timeout=60)
        self._holder.stdin.close()
        self._holder.wait(20)
        self._lock.close()
