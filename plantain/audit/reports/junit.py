"""JUnit XML: a suite for each control, a case for each resource, as pipelines show it.

Valid by the strictest schema of the format, https://github.com/windyroad/JUnit-Schema (read 2026-11).
"""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement

from plantain.audit.reports.view import View

#: Characters that XML 1.0 cannot hold.
FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
SKIPPED = frozenset({"not_applicable", "manual", "not_evaluated", "exception"})


def write(view: View, path: Path) -> None:
    """Write the report."""
    root = Element("testsuites")
    suites: dict[str, Element] = {}
    created = view.environment["created"].partition("+")[0].partition(".")[0]
    for number, name in enumerate(sorted(view.controls)):
        suites[name] = SubElement(
            root, "testsuite", id=str(number), package="audit", name=name, timestamp=created, hostname="audit", time="0"
        )
        properties = SubElement(suites[name], "properties")
        for key, value in (("severity", view.controls[name]["severity"]), ("manifest", view.manifest.digest)):
            SubElement(properties, "property", name=key, value=value)
    for row in view.rows():
        case = SubElement(
            suites[row["control"]],
            "testcase",
            classname=row["control"],
            name=clean(row["resource"] or row["unit"]) + (f" ({row['about']})" if row.get("about") else ""),
            time="0",
        )
        reason = clean(row["reason"])
        if row["status"] == "fail":
            control = view.controls[row["control"]]
            failure = SubElement(case, "failure", message=reason, type=control["severity"])
            failure.text = clean(f"{control['why']}\nCure: {control['fix']}\n{control['url']}")
        elif row["status"] == "indeterminate":
            SubElement(case, "error", message=reason, type="indeterminate").text = reason
        elif row["status"] in SKIPPED:
            SubElement(case, "skipped", message=f"{row['status']}: {reason}")
    for suite in suites.values():
        cases = suite.findall("testcase")
        suite.set("tests", str(len(cases)))
        for outcome, attribute in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            suite.set(attribute, str(sum(case.find(outcome) is not None for case in cases)))
        SubElement(suite, "system-out")
        SubElement(suite, "system-err")
    ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def clean(text: str) -> str:
    """Text without what XML cannot hold."""
    return FORBIDDEN.sub("\ufffd", text)
