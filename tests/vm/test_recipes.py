# SPDX-License-Identifier: BSD-2-Clause
"""Runs the recipes of server/networks.md literally, each on its hosts, with a machine that boots there."""

import re
from pathlib import Path

import pytest
import yaml

import hosts
import machine

RECIPES = yaml.safe_load((Path(__file__).parent / "recipes.yaml").read_text())
SITE = ("hosts", "router", "machine", "settings")  # of a recipe, as of a scenario
# The whole story: a job is begun and done, and no other one follows.
BOOTS = [[r"OpenPreboot [0-9.]+, {nbp}", r"answer from {server}: job \d+, attempt 1: {loader}",
          "handing over to {loader}", "linux: up, kernel", "linux: job reported done"],
         [r"OpenPreboot [0-9.]+, {nbp}", "answer from {server}: .*no job", "{disk}"]]

CASES = [pytest.param(recipe, firmware, id=f"{recipe}-{firmware}",
                      marks=[] if firmware in facts["quick"] else pytest.mark.long)
         for recipe, facts in RECIPES.items()
         for firmware in dict.fromkeys([*facts.get("firmwares", machine.FIRMWARES), *facts["quick"]])
         if firmware not in facts.get("not", {})]


@pytest.mark.parametrize("recipe, firmware", CASES)
def test_recipe(recipe, firmware, lab_folder):
    facts = RECIPES[recipe]
    name = f"{recipe}-{firmware}"
    folder = lab_folder(name)
    boots = [[line.replace("{server}", re.escape(facts["answers"])) for line in boot]
             for boot in BOOTS]
    site = hosts.Site(name, machine.ALL_FIRMWARES[firmware],
                      {"job": {}, "boots": boots} | {key: facts[key] for key in SITE if key in facts},
                      folder)
    site.prepare()
    site.run()
    assert site.job() == {"state": "done", "attempt": 1}


def test_every_recipe_is_run():
    """Each block of server/networks.md is part of a recipe that is run."""
    used = {source for facts in RECIPES.values() for servers in facts["hosts"].values()
            for sources in servers.values() for source in sources or ()}
    whole = (machine.ROOT / hosts.RECIPES).read_text()
    for title in re.findall(r"^\*\*(.*?)\*\*", whole, re.M):
        for number, _ in enumerate(hosts.recipe(hosts.RECIPES, title), 1):
            assert (title if number == 1 else f"{title} {number}") in used
