# SPDX-License-Identifier: BSD-2-Clause
"""One thing has one word, that of README.md's glossary: in sources, documents and tests."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Words that were replaced, and the word to use.
REPLACED = {
    r"leases?": "job",
    r"(new|open|pending) work": "job",
    r"strangers?": "unknown machine",
    r"zones?": "global",
    r"verdicts?|rulings?": "decision",
    r"judge[ds]?|judging": "evaluate",
    r"keepers?": "writer",
    r"happenings?": "event, or history",
    r"told": "reported",
    r"vouch(es|ed)?": "match",
    r"askers?": "sender",
    r"oddit(y|ies)": "anomaly",
    r"chores?": "periodic tasks",
    r"passed over": "skipped",
}

# Files that have such words, and why.
DHCP = ["tests/fuzz/fuzz_dhcp.c", "tests/unit/test_dhcp.c", "tests/unit/test_flow_time.c",
        "tests/unit/test_site.c",
        "tests/vm/hosts.py", "tests/vm/network.py"]
NBP = ("bios/", "efi/", "nbp/")  # whose leases are DHCP's
ALLOWED = {
    # The words' history, and this table.
    "CHANGELOG.md": set(REPLACED),
    "tests/system/test_words.py": set(REPLACED),
    # A DHCP server gives leases.
    **{name: {r"leases?"} for name in DHCP},
    # Older databases, and their upgrade.
    "server/store/store_past.c": {r"leases?"},
    "server/store/store_schema.c": {r"leases?", r"strangers?", r"zones?"},
    "tests/system/database-1.sql": {r"leases?"},
    "tests/system/database-4.sql": {r"leases?", r"strangers?", r"zones?"},
    # Verbs, keys, options and variables that old scripts and files have still work.
    "server/agent/agent_job.c": {r"leases?"},
    "server/agent/prebootwork.c": {r"leases?"},
    "server/ctl/noun_unknown.c": {r"strangers?"},
    "server/model/owner.c": {r"zones?"},
    "server/transfer/data.h": {r"leases?"},
    "server/transfer/import.c": {r"leases?"},
    "server/transfer/tables.c": {r"leases?"},
    "tests/system/test_data_export.py": {r"leases?"},
    "tests/system/test_prebootctl.py": {r"strangers?"},
    "tests/system/test_prebootwork.py": {r"leases?"},
    # An option of the compiler, about something else.
    "Makefile": {r"zones?"},
    "tests/vm/windows.py": {r"zones?"},
}
BINARY = ("tests/fuzz/corpus/",)


def pattern_of(word):
    """Returns what finds a word, also as a part of an identifier."""
    return re.compile(rf"(?<![a-z])({word})(?![a-z])".replace(" ", r"\s+"), re.I)


def texts():
    """Yields name and content of each file of the project that is text."""
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, stdout=subprocess.PIPE, text=True,
                           check=True).stdout.split("\n")[:-1]
    for name in names:
        if not name.startswith(BINARY) and (ROOT / name).is_file():
            yield name, (ROOT / name).read_bytes().decode("utf-8", "replace")


TEXTS = dict(texts())


def allowed(name):
    """Returns those of the words that a file may have."""
    return ALLOWED.get(name, {r"leases?"} if name.startswith(NBP) else ())


def uses(name, word):
    """Returns the lines of a file that have a word, its name first."""
    pattern = pattern_of(word)
    found = [name] if pattern.search(name) else []
    text = TEXTS[name]
    return found + [f"{name}:{text.count(chr(10), 0, match.start()) + 1}: {match[0]}"
                    for match in pattern.finditer(text)]


@pytest.mark.parametrize("word", REPLACED)
def test_replaced_words_are_gone(word):
    found = [use for name in TEXTS if word not in allowed(name) for use in uses(name, word)]
    assert not found, f'say "{REPLACED[word]}"'


def test_exceptions_are_needed():
    """A file that has no such word any more is taken out of the table."""
    assert len(TEXTS) > 400
    spare = [(name, word) for name, words in ALLOWED.items() for word in words
             if words != set(REPLACED) and not uses(name, word)]
    assert not spare
