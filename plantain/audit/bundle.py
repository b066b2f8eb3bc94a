"""A bundle of evidence: its folder, its files, how it is judged and sealed.

evidence/
ledger.ndjson
000001-20261121T143000Z/
manifest.json  manifest.dsse.json
inventory.json  controls.json  results.json  environment.json  exceptions.json  models.json
units/<stack>/  state.json  events.ndjson  plan.json  live.ndjson  settings.json  results.ndjson  drift.json
units/organization/  live.ndjson  settings.json  results.ndjson
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

from plantain.audit import chain, events, signature, summary
from plantain.audit import manifest as manifests
from plantain.audit import unit as units
from plantain.audit.canonical import canonical, line
from plantain.audit.evaluation import Row, evaluate
from plantain.audit.judgements import Judgements
from plantain.audit.manifest import ENVELOPE_FILE, MANIFEST_FILE, Manifest
from plantain.audit.signature import Signer
from plantain.audit.summary import Counts
from plantain.audit.unit import EVENTS_FILE, ORGANIZATION, RESULTS_FILE, Frame
from policies.catalogue import CONTROLS, Resource
from policies.catalogue.parameters import Parameters
from policies.catalogue.parameters import parse as parse_parameters

UNITS = "units"
INVENTORY_FILE = "inventory.json"
CONTROLS_FILE = "controls.json"
SUMMARY_FILE = "results.json"
ENVIRONMENT_FILE = "environment.json"
EXCEPTIONS_FILE = "exceptions.json"
MODELS_FILE = "models.json"
PLAN_FILE = "plan.json"
DRIFT_FILE = "drift.json"
Given = TypeVar("Given")
Made = TypeVar("Made")
#: Settings of policies that are no parameters of a control.
NOT_PARAMETERS = frozenset({"enforcement", "unknownValues"})
#: Rows that say how the cloud differs from what was declared; they stand in drift.json, too.
DRIFT = frozenset({"sources-agree", "declared-exists", "resource-declared", "grant-declared", "properties-held"})
#: Fewer units than this are judged in this process.
WORTH_PROCESSES = 8
PROCESSES = 2


def parameters(raw: Mapping[str, Any]) -> Parameters:
    """Parameters from what stands under ``policies:`` in a stack's settings.

    Raises:
        ParameterError: one is unknown or of the wrong kind.
    """
    return parse_parameters({key: value for key, value in raw.items() if key not in NOT_PARAMETERS})


def unit_folders(folder: Path) -> list[Path]:
    """The folders of a bundle's units, in order."""
    return sorted(path for path in (folder / UNITS).iterdir() if path.is_dir())


def frame(folder: Path) -> Frame:
    """What the units of a bundle are judged by."""
    environment = json.loads((folder / ENVIRONMENT_FILE).read_bytes())
    models = json.loads((folder / MODELS_FILE).read_bytes())
    judgements = Judgements.of(json.loads((folder / EXCEPTIONS_FILE).read_bytes()))
    return Frame(dt.date.fromisoformat(environment["date"]), models, CONTROLS, judgements)


@dataclass(frozen=True)
class Judged:
    """What judging one unit gave.

    Attributes:
        name: the unit's folder.
        counts: rows by control and status.
        files: what the judgement writes beside what was collected, by name.
    """

    name: str
    counts: Counts
    files: Mapping[str, bytes] = field(default_factory=dict)


def judge(folder: Path, advance: Callable[[], None] = lambda: None) -> Counts:
    """Judge every unit of a bundle and write its results; returns the counts."""
    counts = Counts()
    for done in _each(folder, partial(_write_results, folder)):
        counts.merge(done.counts)
        advance()
    return counts


def rejudge(folder: Path, advance: Callable[[], None] = lambda: None) -> Iterator[Judged]:
    """Judge every unit again, and write nothing."""
    for done in _each(folder, partial(_results_again, folder)):
        advance()
        yield done


def _each(folder: Path, work: Callable[[str], Judged]) -> Iterator[Judged]:
    # A folder may have changed since this process read it the last time.
    _above.cache_clear()
    _shared_frame.cache_clear()
    return spread(work, [path.name for path in unit_folders(folder)])


def spread(work: Callable[[Given], Made], given: Sequence[Given]) -> Iterator[Made]:
    """Do the same to many things, in their order, in several processes where that is worth starting them."""
    if len(given) < WORTH_PROCESSES:
        yield from map(work, given)
        return
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        yield from pool.map(work, given, chunksize=WORTH_PROCESSES)


def _write_results(folder: Path, name: str) -> Judged:
    judged = _results_again(folder, name)
    for file, data in judged.files.items():
        (folder / UNITS / name / file).write_bytes(data)
    return Judged(name, judged.counts)


def _results_again(folder: Path, name: str) -> Judged:
    rows = rows_of(folder, name)
    drift = [row for row in rows if row["control"] in DRIFT and row["status"] != summary.PASS]
    files = {RESULTS_FILE: b"".join(map(line, rows)), DRIFT_FILE: canonical(drift)}
    preview = folder / UNITS / name / EVENTS_FILE
    if preview.exists():
        files[PLAN_FILE] = canonical(events.plan(events.parse(preview.read_text(encoding="utf-8"))))
    return Judged(name, _counted(rows), files)


def rows_of(folder: Path, name: str) -> list[Row]:
    """The rows of one unit, judged from the bundle's own files."""
    above = () if name == ORGANIZATION else _above(folder)
    return evaluate(units.read(folder / UNITS / name, above, parameters), _shared_frame(folder))


@lru_cache(maxsize=1)
def _above(folder: Path) -> tuple[Resource, ...]:
    return tuple(units.read_live(folder / UNITS / ORGANIZATION))


@lru_cache(maxsize=1)
def _shared_frame(folder: Path) -> Frame:
    return frame(folder)


def _counted(rows: Sequence[Row]) -> Counts:
    counts = Counts()
    counts.add(rows)
    return counts


def results(folder: Path) -> Iterator[Row]:
    """Every row of a sealed bundle, one at a time."""
    for place in unit_folders(folder):
        with (place / RESULTS_FILE).open("rb") as file:
            for row in file:
                found: Row = json.loads(row)
                yield found


def document(folder: Path, name: str) -> Any:
    """One of a bundle's JSON files."""
    return json.loads((folder / name).read_bytes())


def seal(root: Path, folder: Path, scope: str, created: dt.datetime, by: Signer | None) -> Manifest:
    """Write the manifest of the chain's next bundle, and sign it.

    Args:
        root: folder of the bundles.
        folder: the bundle, complete but for its manifest.
        scope: what is audited.
        created: UTC time.
        by: who signs; None leaves it unsigned.
    """
    links = chain.ledger(root)
    previous = links[-1].manifest if links else None
    made = Manifest(scope, len(links) + 1, previous, created.isoformat(), manifests.describe(folder))
    (folder / MANIFEST_FILE).write_bytes(made.data)
    if by is not None:
        listed = document(folder, SUMMARY_FILE)["controls"]
        tests = {
            "passedTests": [name for name, entry in listed.items() if entry["status"] == summary.PASS],
            "warnedTests": [
                name for name, entry in listed.items() if entry["status"] in {summary.INDETERMINATE, summary.MANUAL}
            ],
            "failedTests": [name for name, entry in listed.items() if entry["status"] == summary.FAIL],
        }
        result = "FAILED" if tests["failedTests"] else "WARNED" if tests["warnedTests"] else "PASSED"
        configuration = (folder / CONTROLS_FILE).read_bytes()
        statement = signature.statement(made.data, result, tests, configuration)
        (folder / ENVELOPE_FILE).write_bytes(signature.envelope(statement, by))
    return made
