from __future__ import annotations

from plantain.audit.join_controls import JOIN_CONTROLS
from plantain.audit.summary import documents
from policies.catalogue import CONTROLS
from policies.frameworks import frameworks

IDS = (
    "sources-agree", "declared-exists", "resource-declared", "grant-declared", "properties-held", "keys-usable",
    "alerts-reach-somebody", "project-inside-perimeter", "project-declared", "inventory-complete",
)  # fmt: skip


def test_ids_stay_what_they_are() -> None:
    assert tuple(control.id for control in JOIN_CONTROLS) == IDS


def test_no_id_is_the_catalogues_too() -> None:
    assert not set(IDS) & {control.id for control in CONTROLS}


def test_every_id_of_every_framework_exists() -> None:
    for control in JOIN_CONTROLS:
        for framework, ids in control.crosswalk.items():
            assert set(ids) <= set(frameworks()[framework].ids), control.id


def test_every_control_says_what_why_and_how_it_is_mended() -> None:
    for document in documents(CONTROLS):
        for name in ("title", "text", "why", "fix", "url", "severity"):
            assert document[name], (document["id"], name)
