"""The page of covered methods claims nothing that is not so."""

from __future__ import annotations

import re
from pathlib import Path

from sandbox.services.catalog import SERVICES
from sandbox.services.registry import Services
from tests.conformance import causes
from tests.conformance.coverage import PAGE, causes_table, figures_table, methods
from tests.conformance.replay import TOTAL, kept

ROOT = PAGE.parents[1]
LEVELS = {"501": 0, "generic": 1, "enforced": 2}


def claims() -> dict[str, str]:
    """Claimed level by method id."""
    found, service = {}, ""
    for line in PAGE.read_text().splitlines():
        if line.startswith("### "):
            service = line.removeprefix("### ")
        elif row := re.fullmatch(r"\| ([\w.]+) \| (enforced|generic|501) \|.*", line):
            found[f"{service}.{row[1]}"] = row[2]
    return found


def test_no_method_is_claimed_to_be_better_known_than_it_is() -> None:
    services, claimed = Services(SERVICES), claims()
    real = {identity: method for service in services.names() for identity, method in methods(service).items()}
    assert len(claimed) > 500
    overdone = [
        identity
        for identity, level in claimed.items()
        if identity in real and LEVELS[level] > LEVELS[services.backing(real[identity])]
    ]
    assert overdone == []


def test_whatever_backs_a_line_exists() -> None:
    links = set(re.findall(r"\]\(\.\./([^)#]+)\)", PAGE.read_text()))
    assert len(links) > 50
    assert [link for link in sorted(links) if not Path(ROOT / link).exists()] == []


def test_the_figures_of_the_page_are_those_on_record() -> None:
    assert figures_table(kept()) in PAGE.read_text()
    assert causes_table() in PAGE.read_text()


def test_every_disagreement_has_its_cause_on_record() -> None:
    for reading, figures in kept().items():
        disagreeing = figures[TOTAL].exchanges - figures[TOTAL].agree
        assert sum(counts[reading] for counts in causes.kept().values()) == disagreeing, reading
