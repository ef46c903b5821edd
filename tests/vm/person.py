# SPDX-License-Identifier: BSD-2-Clause
"""Somebody at the machine, who presses keys and looks at the screen and at a serial terminal."""

import re
import time

import debugger
import machine
import medium
import picture
from console import SilentError
from terminal import Terminal

TEXT_MEMORY, TEXT_SIZE = 0xb8000, 80 * 25 * 2
BIOS_MEMORY = 1 << 20  # bytes that a BIOS, and our NBP, use
LOOK_SECONDS = 0.05


class Person:
    def __init__(self, lab, folder, qemu, monitor, seconds):
        """@folder: the machine's files; @seconds: how long to wait for what must come"""
        self._lab = lab
        self._folder = folder
        self._qemu = qemu
        self._monitor = monitor
        self._seconds = seconds
        self._terminal = Terminal()
        self._serial = open(lab.folder / "serial.log", "rb")
        self._firmware_read = 0

    def close(self):
        self._serial.close()

    def act(self, step):
        """Does one step of a scenario, {what: with what}."""
        for what, value in step.items():
            getattr(self, f"do_{what}")(value)

    def _wait(self, what, look):
        """Waits until look() returns something, and returns that."""
        deadline = time.monotonic() + self._seconds
        while not (found := look()):
            if time.monotonic() > deadline:
                rows = "\n    ".join(filter(None, self._terminal.rows()))
                raise SilentError(f"{what}: not in {self._seconds} s; the terminal shows:\n"
                                  f"    {rows}")
            time.sleep(LOOK_SECONDS)
        return found

    # --- hands -----------------------------------------------------------------

    def do_tap(self, keys):
        """Presses keys of the keyboard, one after the other."""
        for key in [keys] if isinstance(keys, str) else keys:
            self._monitor.tap(key)
            time.sleep(LOOK_SECONDS)

    def do_hold(self, keys):
        self._monitor.hold(keys)

    def do_release(self, keys):
        self._monitor.hold(keys, down=False)

    def do_type(self, text):
        """Types at the serial terminal."""
        self._qemu.stdin.write(text.encode())
        self._qemu.stdin.flush()

    def do_spoil(self, functions):
        """Makes functions of the NBP's faulty, where they stand in memory; the machine stands
        still meanwhile."""
        firmware = self._lab.firmware
        program = (machine.BUILD / firmware.nbp).with_suffix(".elf")
        # Or its clock would go on, and the NBP with it, while all memory is looked through.
        self._monitor.run("stop")
        places = debugger.find([debugger.code_of(name, program) for name in functions],
                               self._monitor, self._folder, *firmware.memory)
        with debugger.Debugger(self._monitor) as at:
            for place in places:
                at.write(place, firmware.invalid)

    def do_nothing(self, seconds):
        """Stays away so long."""
        time.sleep(seconds)

    def do_reset(self, _):
        self._monitor.reset()

    def do_unplug(self, _):
        """Switches the machine off, whatever it does."""
        self._monitor.run("quit")
        self.do_powered_off(True)

    def do_ctl(self, command):
        """Changes something at the policy server."""
        self._lab.ctl(command)

    def do_serve(self, files):
        """Replaces files of the TFTP server."""
        self._lab.serve(files)

    def do_plug(self, in_place):
        """Plugs the network's cable in, or pulls it out."""
        self._monitor.run("set_link", name="net", up=in_place)

    def do_edit(self, text):
        """Replaces the settings on the medium."""
        medium.edit(self._lab.scenario["medium"], self._lab.machine.medium, text)

    # --- eyes ------------------------------------------------------------------

    def _look(self):
        self._terminal.feed(self._serial.read())
        return self._terminal

    def do_shows(self, pattern):
        """Waits for a row of the terminal."""
        pattern = self._lab.text(pattern, quote=True)
        self._wait(f"a row like '{pattern}'",
                   lambda: any(re.search(pattern, row) for row in self._look().rows()))

    def do_printed(self, patterns):
        """Looks for what the serial console has had in this test so far."""
        text = (self._lab.folder / "serial.log").read_text(errors="replace")
        missing = [pattern for pattern in patterns if not re.search(pattern, text)]
        if missing:
            raise machine.MachineError(f"not on the serial console: {missing}")

    def do_prints(self, commands):
        """Waits until each of these prebootctl commands prints a line like this."""
        for command, pattern in commands.items():
            pattern = self._lab.text(pattern, quote=True)
            printed = []

            def look():
                printed[:] = [self._lab.ctl(command)]
                return re.search(pattern, printed[0], re.M)
            try:
                self._wait(f"a line like '{pattern}'", look)
            except SilentError as error:
                raise SilentError(f"{error}\n    and prebootctl {command} prints:\n"
                                  f"{printed[0]}") from None

    def do_screen(self, texts):
        """Looks at the BIOS's text screen. @texts: what "has" and what "lacks" lists"""
        cells = self._monitor.memory(TEXT_MEMORY, TEXT_SIZE, self._folder / "text.bin")
        screen = cells[::2].decode("cp437")
        wrong = [text for text in texts.get("has", []) if text not in screen]
        wrong += [text for text in texts.get("lacks", []) if text in screen]
        if wrong:
            rows = "\n    ".join(screen[i:i + 80] for i in range(0, len(screen), 80))
            raise machine.MachineError(f"wrong on the screen: {wrong}\n    {rows}")

    def do_forgotten(self, password):
        """Looks through the machine's memory for a password, in each form that it takes there."""
        word = password[:8].encode()
        swapped = word[3::-1] + word[:3:-1]  # the words of a big-endian hash
        forms = {f"{name}, xor {pad:02x}": bytes(byte ^ pad for byte in form)
                 for name, form in (("text", word), ("words", swapped))
                 for pad in (0, 0x36, 0x5c)}  # HMAC's
        forms["UTF-16"] = password[:8].encode("utf-16-le")
        kind = self._lab.firmware.kind
        self._monitor.run("stop")
        start, size = self._lab.firmware.memory if kind == "uefi" else (0, BIOS_MEMORY)
        memory = self._monitor.memory(start, size, self._folder / "memory.bin")
        self._monitor.run("cont")
        (self._folder / "memory.bin").unlink()
        found = {name: hex(memory.find(form)) for name, form in forms.items() if form in memory}
        # In the BIOS's keyboard buffer, each with its scan code.
        if kind == "bios" and (at := re.search(b".".join(re.escape(password[i:i + 1].encode())
                                               for i in range(4)), memory, re.S)):
            found["keys"] = hex(at.start())
        if found:
            raise machine.MachineError(f"the password is in memory: {found}")

    def do_firmware(self, pattern):
        """Waits for a line of the firmware's own debug output, after the last one waited for."""
        def look():
            text = (self._folder / "firmware.log").read_bytes().decode("ascii", "replace")
            found = re.compile(pattern, re.M).search(text, self._firmware_read)
            if found:
                self._firmware_read = found.end()
            return found
        self._wait(f"the firmware's line '{pattern}'", look)

    def do_powered_off(self, _):
        """Waits for the machine to switch itself off."""
        self._wait("power off", lambda: self._qemu.poll() is not None)
        if self._qemu.returncode != 0:
            raise machine.MachineError(f"QEMU ended with {self._qemu.returncode}: "
                                       f"{(self._folder / 'qemu.log').read_text()}")

    def do_picture(self, name):
        """Keeps what screen and terminal show, and waits until both show the same."""
        file = self._folder / f"{name}.png"
        compare = self._bios_differs if self._lab.firmware.kind == "bios" else self._uefi_differs
        why = []

        def look():
            self._monitor.picture(file)
            (self._folder / f"{name}.txt").write_text("\n".join(self._look().rows()) + "\n")
            why[:] = compare()
            return not why
        try:
            self._wait(f"a screen that shows what the terminal does, {name}", look)
        except SilentError as error:
            raise SilentError(f"{error}\n    but the screen differs: {'; '.join(why[:5])}") from None

    def _bios_differs(self):
        """Compares the text screen's memory, characters and colours, with the terminal."""
        cells = self._monitor.memory(TEXT_MEMORY, TEXT_SIZE, self._folder / "text.bin")
        return [f"row {i // 80}, column {i % 80}: {chr(cells[2 * i])!r} in {cells[2 * i + 1]:02x}, "
                f"not {character!r} in {attribute:02x}"
                for i, (character, attribute) in enumerate(sum(self._terminal.cells, []))
                if not picture.same_cell(cells[2 * i:2 * i + 2], character, attribute)]

    def _uefi_differs(self):
        """Compares the colours behind each character with the terminal's."""
        file = self._folder / "screen.ppm"
        self._monitor.picture(file)
        return picture.compare(file, self._terminal.cells)
