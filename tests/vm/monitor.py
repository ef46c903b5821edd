# SPDX-License-Identifier: BSD-2-Clause
"""QEMU's monitor: what a person at the machine has at hand, its keys, its screen and its reset."""

import json
import socket

import machine

TAP_MS = 60  # how long a key is down


class Monitor:
    """A QMP connection to a machine's QEMU."""

    def __init__(self):
        self._ours, self._theirs = socket.socketpair()
        self._ours.settimeout(20)

    @property
    def options(self):
        """QEMU's options for it."""
        return ("-chardev", f"socket,id=monitor,fd={self._theirs.fileno()}",
                "-mon", "chardev=monitor,mode=control")

    @property
    def pass_fds(self):
        return (self._theirs.fileno(),)

    def connect(self):
        """To be called once QEMU has been started."""
        self._theirs.close()
        self._stream = self._ours.makefile("rw")
        self._read()  # its greeting
        self.run("qmp_capabilities")

    def _read(self):
        line = self._stream.readline()
        if not line:
            raise machine.MachineError("QEMU has gone")
        return json.loads(line)

    def run(self, command, **arguments):
        self._stream.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self._stream.flush()
        while True:
            answer = self._read()
            if "error" in answer:
                raise machine.MachineError(f"QEMU's {command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def tap(self, key):
        """Presses a key, as QEMU's QKeyCode names it, or several joined by "-", and lets go."""
        self.run("send-key", keys=[{"type": "qcode", "data": one} for one in key.split("-")],
                 **{"hold-time": TAP_MS})

    def hold(self, keys, down=True):
        """Holds keys down, or lets go of them."""
        for key in keys:
            self.run("input-send-event", events=[
                {"type": "key", "data": {"down": down, "key": {"type": "qcode", "data": key}}}])

    def reset(self):
        self.run("system_reset")

    def picture(self, file):
        """Writes what the screen shows to @file, a PNG or PPM by its name."""
        self.run("screendump", filename=str(file), format=file.suffix[1:])

    def save_memory(self, address, size, file):
        """Writes @size bytes of the machine's memory to @file."""
        self.run("pmemsave", val=address, size=size, filename=str(file))

    def memory(self, address, size, file):
        """Returns @size bytes of the machine's memory; @file: where to put them meanwhile."""
        self.save_memory(address, size, file)
        return file.read_bytes()

    def command(self, line):
        """Gives a command as a person types it."""
        answer = self.run("human-monitor-command", **{"command-line": line})
        if answer.strip() and "Waiting for gdb" not in answer:
            raise machine.MachineError(f"QEMU's {line}: {answer}")

    def close(self):
        for end in (self._ours, self._theirs):
            end.close()
