# SPDX-License-Identifier: BSD-2-Clause
"""A TPM for a machine, by swtpm."""

import socket


class Tpm:
    """A TPM 2.0 whose state is in @folder, as the @device of QEMU's. No name in a file system stands
    between it and QEMU, since that of a socket may be hardly longer than a hundred characters."""

    def __init__(self, folder, device):
        self._folder = folder
        self._device = device
        self._ours, self._qemus = socket.socketpair()

    @property
    def command(self):
        return ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self._folder}",
                "--ctrl", f"type=unixio,clientfd={self._ours.fileno()}"]

    @property
    def command_fds(self):
        return (self._ours.fileno(),)

    @property
    def options(self):
        """QEMU's options for it."""
        return ("-chardev", f"socket,id=tpm,fd={self._qemus.fileno()}",
                "-tpmdev", "emulator,id=tpm0,chardev=tpm", "-device", f"{self._device},tpmdev=tpm0")

    @property
    def pass_fds(self):
        return (self._qemus.fileno(),)

    def close(self):
        for end in (self._ours, self._qemus):
            end.close()
