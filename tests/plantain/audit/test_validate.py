from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from plantain.audit.reports import validate


class Strict:
    @staticmethod
    def model_validate(document: Any) -> None:
        if document != {"good": 1}:
            raise ValueError("not good")


@pytest.fixture
def libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    for _, name, attribute, _ in validate.JUDGES:
        module = ModuleType(name)
        setattr(module, attribute, Strict)
        monkeypatch.setitem(sys.modules, name, module)


@pytest.mark.usefixtures("libraries")
def test_each_line_and_each_document_is_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "assessment-results.json").write_text('{"good": 1}')
    (tmp_path / "findings.ocsf.ndjson").write_text('{"good": 1}\n{"good": 1}\n')
    assert validate.main(tmp_path) == 0
    assert capsys.readouterr().out == "assessment-results.json: valid\nfindings.ocsf.ndjson: valid\n"
    (tmp_path / "findings.ocsf.ndjson").write_text('{"good": 1}\n{"bad": 1}\n{')
    assert validate.main(tmp_path) == validate.INVALID
    shown = capsys.readouterr()
    assert "findings.ocsf.ndjson: 2 problems" in shown.out
    assert "findings.ocsf.ndjson:2: not good" in shown.err


def test_without_the_libraries_it_says_what_to_install(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "trestle", None)
    (tmp_path / "assessment-results.json").write_text("{}")
    assert validate.main(tmp_path) == validate.MISSING
    assert "pip install compliance-trestle" in capsys.readouterr().err
