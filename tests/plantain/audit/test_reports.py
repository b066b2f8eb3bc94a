from __future__ import annotations

import csv
import html
import importlib
import json
import re
import shlex
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from plantain.audit import bundle
from plantain.audit.coverage import coverage
from plantain.audit.diff import diff
from plantain.audit.reports import FORMATS
from plantain.audit.reports.junit import clean
from plantain.audit.reports.markdown import cell
from plantain.audit.reports.spreadsheet import harmless
from plantain.audit.reports.view import View
from policies.frameworks import frameworks

from .conftest import Chain


@pytest.fixture(scope="module")
def written(made: Chain, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("reports")
    view = View(made.bundle(2))
    texts: dict[str, str] = {}
    for name, (file, module) in FORMATS.items():
        importlib.import_module(module).write(view, folder / file)
        texts[name] = (folder / file).read_text(encoding="utf-8-sig")
    return texts


@pytest.fixture(scope="module")
def rows(made: Chain) -> list[dict[str, Any]]:
    return list(bundle.results(made.bundle(2)))


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.controls = 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        self.addresses += [str(given[name]) for name in ("src", "href", "srcset", "action") if given.get(name)]
        self.controls += tag == "details" and given.get("class") == "control"


def test_the_page_shows_every_control_and_asks_no_network_for_anything(written: dict[str, str], made: Chain) -> None:
    page = Page()
    page.feed(written["html"])
    assert page.addresses == []
    assert page.controls == len(View(made.bundle(2)).controls)
    assert "default-src 'none'" in written["html"]
    assert not re.search(r"url\(|@import|fetch\(", written["html"])
    assert "plantain audit show" in written["html"]


def test_the_page_escapes_what_it_shows(chain: Chain, tmp_path: Path) -> None:
    path = chain.bundle(2) / "units" / "campaign-0000" / "results.ndjson"
    text = path.read_text()
    path.write_text(text.replace('"reason":"', '"reason":"<script>alert(1)</script>', 1))
    assert path.read_text() != text
    importlib.import_module(FORMATS["html"][1]).write(View(chain.bundle(2)), tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text()
    assert "<script>alert(1)" not in page


def test_a_command_that_is_copied_from_the_page_is_one_command(chain: Chain, tmp_path: Path) -> None:
    """Names are chosen by whoever makes a resource."""
    path = chain.bundle(2) / "units" / "campaign-0000" / "results.ndjson"
    rows = [json.loads(row) for row in path.read_bytes().splitlines()]
    evil = "urn:x'; touch /tmp/owned; echo '"
    next(row for row in rows if row["status"] == "fail" and row["resource"])["resource"] = evil
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    importlib.import_module(FORMATS["html"][1]).write(View(chain.bundle(2)), tmp_path / "r.html")
    commands = re.findall(r"<code>(plantain audit show .*?)</code>", (tmp_path / "r.html").read_text())
    [hostile] = [found for found in map(html.unescape, commands) if "owned" in found]
    assert shlex.split(hostile)[-1] == evil


def test_the_spreadsheet_has_one_row_for_each_control_and_resource(
    written: dict[str, str], rows: list[dict[str, Any]]
) -> None:
    table = list(csv.DictReader(written["csv"].splitlines()))
    assert len(table) == len(rows)
    assert [row["status"] for row in table] == [row["status"] for row in rows]
    assert set(frameworks()) <= set(table[0])


@pytest.mark.parametrize("text", ["=cmd()", "+1", "-1", "@x", "\tx"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert harmless(text) == f"'{text}"
    assert harmless("plain") == "plain"


def test_sarif_has_a_rule_for_each_control_and_a_result_for_each_row(
    written: dict[str, str], rows: list[dict[str, Any]]
) -> None:
    log = json.loads(written["sarif"])
    [run] = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert log["version"] == "2.1.0"
    assert len(run["results"]) == len(rows)
    for result, row in zip(run["results"], rows, strict=True):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == row["control"]
        assert (result["kind"] == "fail") is (row["status"] in {"fail", "exception"})
        assert (result["level"] == "none") is (result["kind"] != "fail")
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    fingerprints = [result["partialFingerprints"]["controlAndResource/v1"] for result in run["results"]]
    assert len(set(fingerprints)) > 0.9 * len(fingerprints)


def test_junit_counts_what_it_lists(written: dict[str, str], rows: list[dict[str, Any]]) -> None:
    root = ET.fromstring(written["junit"])  # noqa: S314 -- written by this test
    assert sum(int(suite.attrib["tests"]) for suite in root) == len(rows) == len(list(root.iter("testcase")))
    failing = sum(row["status"] == "fail" for row in rows)
    assert sum(int(suite.attrib["failures"]) for suite in root) == failing == len(list(root.iter("failure"))) > 0
    assert sum(int(suite.attrib["skipped"]) for suite in root) == len(list(root.iter("skipped")))
    assert clean("a\x00b\ud800") == "a\ufffdb\ufffd"


def test_oscal_gives_findings_only_to_controls_with_a_verdict(written: dict[str, str], made: Chain) -> None:
    found = json.loads(written["oscal"])["assessment-results"]
    [result] = found["results"]
    view = View(made.bundle(2))
    states = {entry["target"]["target-id"]: entry["target"]["status"]["state"] for entry in result["findings"]}
    for name, control in view.controls.items():
        expected = {"pass": "satisfied", "fail": "not-satisfied", "exception": "not-satisfied"}
        assert states.get(name) == expected.get(control["status"])
    uuids = [entry["uuid"] for entry in (*result["observations"], *result["findings"])]
    assert len(uuids) == len(set(uuids))
    known = {entry["uuid"] for entry in result["observations"]}
    for finding in result["findings"]:
        assert {entry["observation-uuid"] for entry in finding.get("related-observations", ())} <= known


def test_oscal_components_name_nists_controls_as_nist_does(written: dict[str, str]) -> None:
    [component] = json.loads(written["oscal-components"])["component-definition"]["components"]
    [nist] = [one for one in component["control-implementations"] if "800-53" in one["source"]]
    ids = {one["control-id"] for one in nist["implemented-requirements"]}
    assert "sc-28" in ids
    assert all(re.fullmatch(r"[a-z]{2}-\d+(\.\d+)?", one) for one in ids)


def test_ocsf_has_a_compliance_finding_for_each_row_that_applies(
    written: dict[str, str], rows: list[dict[str, Any]]
) -> None:
    findings = [json.loads(line) for line in written["ocsf"].splitlines()]
    applying = [row for row in rows if row["status"] != "not_applicable"]
    assert len(findings) == len(applying)
    for finding, row in zip(findings, applying, strict=True):
        assert (finding["class_uid"], finding["type_uid"]) == (2003, 200301)
        assert (finding["compliance"]["status_id"] == 1) is (row["status"] == "pass")
        assert (finding["severity_id"] > 1) is (row["status"] == "fail")


def test_markdown_lists_what_fails(written: dict[str, str], rows: list[dict[str, Any]]) -> None:
    failing = [row for row in rows if row["status"] == "fail"]
    assert written["markdown"].count("\n- **") == min(len(failing), 200)
    assert cell("a|b\n<x>") == "a\\|b \\<x\\>"


def test_coverage_lists_every_id_of_a_framework_once(made: Chain) -> None:
    for framework in coverage(made.bundle(2)):
        listed = [item.id for item in framework.items] + list(framework.without_control)
        assert sorted(listed) == sorted(frameworks()[framework.name].ids)
        assert framework.passed <= framework.judged <= len(framework.items)
        for item in framework.items:
            if "fail" in item.controls.values():
                assert item.status == "fail"
            if item.status == "pass":
                assert set(item.controls.values()) == {"pass"}


def test_two_equal_audits_differ_in_nothing(made: Chain) -> None:
    found = diff(made.bundle(0), made.bundle(1))
    assert (found.controls, found.changes, found.population, found.catalogue_changed) == ({}, (), {}, False)
