# SPDX-License-Identifier: BSD-2-Clause
"""Whatever the verbs and prebootd do: check finds nothing, and an export makes the same data."""

import time

import policy
from dataset import create, run

WEB, DB, UNKNOWN, OTHER = ("52:54:00:12:34:56", "02:00:00:00:00:02", "02:00:00:00:00:98",
                           "02:00:00:00:00:99")

# Lines for prebootctl, or MACs that ask; a blank line lets prebootd write what it keeps.
STORY = f"""
folder add /site
folder add /site/lab
group add kiosks
device add web01 {WEB} --folder /site/lab
device add db01 {DB}
group join kiosks db01
bundle add win --kind imaging image=win.img
bundle add session --kind multicast
assignment add win /site --once
rule add big --bundle win --for both memory>=0
{WEB}
{WEB}
{WEB}
{WEB}

job retry web01
{WEB}
job release web01
{WEB}
multicast add monday --bundle session --clients 2 db01
{DB}
multicast start monday
{DB}
multicast end monday

{OTHER}

device admit {OTHER}
settings set admit-unknown=yes
{UNKNOWN}

job assign db01 --config z.cfg --replace note=x
job cancel db01
settings set /site menu-mode=always
device move web01 /
folder move /site/lab /
rule disable big
device remove web01 --force
rule remove big
"""


def check(database, line):
    result = run(database, "check")
    assert result.returncode == 0, (line, result.stdout, result.stderr)
    text = run(database, "export").stdout
    copy = database.parent / "copy.db"
    create(copy)
    result = run(copy, "import", "-", input=text)
    assert result.returncode == 0, (line, result.stderr)
    assert run(copy, "export").stdout == text, line


def test_story(tmp_path):
    database = tmp_path / "test.db"
    create(database)
    daemon = policy.Daemon(database, tmp_path / "log")
    try:
        for line in STORY.strip().splitlines():
            if not line:
                time.sleep(0.3)
            elif line in (WEB, DB, UNKNOWN, OTHER):
                policy.boot(daemon.port,
                            {policy.MAC: policy.mac(line), policy.FIRMWARE: policy.BIOS})
            else:
                result = run(database, *line.split())
                assert result.returncode == 0, (line, result.stderr)
            check(database, line)
    finally:
        daemon.kill()
