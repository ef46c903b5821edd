# SPDX-License-Identifier: BSD-2-Clause
"""What bash and zsh offer next on the command lines of isdctl and prebootwork."""

import os
import pty
import select
import subprocess
import time

import pytest

from policy import BUILD

SERVER = BUILD.parent / "server"
SCRIPTS = {"isdctl": SERVER / "isdctl", "prebootwork": SERVER / "agent"}
COMMANDS = {"show", "create", "set", "clear", "save", "restore"}


def offered(line):
    """Returns what bash offers for the last word of @line, which may be empty."""
    words = line.split(" ")
    script = (f'source {SCRIPTS[words[0]]}/{words[0]}.bash; compopt() {{ :; }}; shift; '
              f'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _{words[0]}; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    output = subprocess.run(["bash", "-c", script, "sh", "--", *words], capture_output=True,
                            text=True, timeout=20, check=True)
    assert output.stderr == ""
    return set(output.stdout.split())


@pytest.mark.parametrize("line, expected", [
    ("isdctl disk.img ", COMMANDS), ("isdctl --force disk.img s", {"show", "set", "save"}),
    ("isdctl --sector-size ", {"512", "4096"}), ("isdctl --i", {"--in-use"}),
    ("isdctl --sector-size 512 disk.img c", {"create", "clear"}),
    ("isdctl disk.img set image-", {"image-time=", "image-size="}),
    ("isdctl disk.img show dns", {"dns", "dns-suffix"}), ("isdctl disk.img clear ", set()),
    ("prebootwork ", {"show", "run", "begun", "done", "failed"}), ("prebootwork --j", {"--job"}),
    ("prebootwork --mac run d", {"done"}), ("prebootwork --mac ", set()),
    ("prebootwork show --", {"--shell", "--lines", "--json"})])
def test_bash(line, expected):
    assert offered(line) == expected


@pytest.mark.parametrize("program", SCRIPTS)
def test_what_is_offered_is_known(program):
    """Completion, help and program have the same options and commands."""
    text = subprocess.run([BUILD / program, "--help"], capture_output=True, text=True, timeout=20,
                          check=True).stdout
    options = offered(f"{program} --")
    assert len(options) >= 6 and all(option in text for option in options)
    zsh = (SCRIPTS[program] / f"_{program}").read_text()
    for word in options | offered(program + (" disk " if program == "isdctl" else " ")):
        assert word in zsh


@pytest.mark.parametrize("line, expected", [
    ("isdctl disk.img cr\t", b"create "), ("isdctl disk.img set ga\t", b"gateway="),
    ("prebootwork beg\t", b"begun")])
def test_zsh(tmp_path, line, expected):
    """The other shell finds its functions by itself."""
    main, terminal = pty.openpty()
    shell = subprocess.Popen(["zsh", "-f", "-i"], stdin=terminal, stdout=terminal,
                             stderr=terminal, cwd=tmp_path, start_new_session=True,
                             env={**os.environ, "TERM": "dumb", "ZDOTDIR": str(tmp_path)})
    os.close(terminal)
    folders = " ".join(map(str, SCRIPTS.values()))
    # The word that is waited for is not in what is typed.
    os.write(main, f"fpath=({folders} $fpath); autoload -U compinit; compinit -u -D; "
                   "print rea''dy\n".encode())
    seen, end, typed = b"", time.monotonic() + 20, False
    while expected not in seen and time.monotonic() < end:
        if select.select([main], [], [], 0.2)[0]:
            seen += os.read(main, 65536)
        if not typed and b"ready\r" in seen:
            os.write(main, line.encode())
            typed = True
    shell.kill()
    shell.wait()
    os.close(main)
    assert expected in seen, seen
