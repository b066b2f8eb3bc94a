"""A chain of three small bundles, made once, and copies of it for tests that break something."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from plantain.audit import run, signature
from plantain.audit.collection import Request
from plantain.audit.judgements import Judgements

from .synthetic import write_units

ROOT = Path(__file__).parents[3]
DAY = dt.date(2026, 11, 21)


@dataclass(frozen=True)
class Chain:
    """Three bundles of the same units.

    Attributes:
        root: folder of the bundles.
        public_key: PEM.
    """

    root: Path
    public_key: bytes

    def bundle(self, number: int) -> Path:
        return sorted(self.root.glob("0*"))[number]


def request(day: dt.date = DAY, judgements: Judgements | None = None, hour: int = 0) -> Request:
    created = dt.datetime(2026, 11, 21, hour, tzinfo=dt.UTC)
    return Request(ROOT, [], judgements or Judgements(), created, day, None)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    folder = tmp_path_factory.mktemp("chain")
    write_units(folder / "units", 1)
    public = signature.create_key(folder / "audit.pem")
    by = signature.FileSigner(folder / "audit.pem")
    for hour in range(3):
        run.run(request(hour=hour), folder / "evidence", by=by, units=folder / "units")
    return Chain(folder / "evidence", public.read_bytes())


@pytest.fixture
def chain(made: Chain, tmp_path: Path) -> Chain:
    """A copy that may be changed."""
    shutil.copytree(made.root, tmp_path / "evidence")
    return Chain(tmp_path / "evidence", made.public_key)


@pytest.fixture
def copy_of(tmp_path: Path, made: Chain) -> Callable[[], Path]:
    """A fresh copy each time."""

    def make() -> Path:
        target = tmp_path / "copy"
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(made.root, target)
        return target

    return make
