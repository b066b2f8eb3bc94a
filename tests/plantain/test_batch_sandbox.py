"""A batch as an operator types it, against the local Google Cloud: tables in and out, several jobs, killed anywhere."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from plantain import main
from plantain.batch import preparation, submission
from plantain.batch.plan import Plan
from plantain.google_cloud import GoogleCloud
from plantain.sandbox_process import Sandbox
from plantain.stack import Stack

PROJECT = "spring-1"
OUTPUTS = {
    "projectId": PROJECT,
    "bucket": "spring-1-images",
    "labels": {"campaign": "spring-launch"},
    "model": "gemini-3-pro-image",
    "location": "global",
}
Line = Callable[..., int]


class Mortal(GoogleCloud):
    """Dies at a call: before it is sent, or after it was answered."""

    calls = 0
    dies_at: int | None = None
    answered = False

    def _send(self, *arguments: Any, **options: Any) -> httpx.Response:
        self.calls += 1
        if self.calls == self.dies_at and not self.answered:
            raise KeyboardInterrupt
        reply = super()._send(*arguments, **options)
        if self.calls == self.dies_at:
            raise KeyboardInterrupt
        return reply

    def sentence(self, call: int | None, *, answered: bool) -> None:
        """Count anew; die at this call, if at any."""
        self.calls, self.dies_at, self.answered = 0, call, answered


@pytest.fixture(scope="module")
def vertex(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mortal]:
    """A project in which batches can run, with a dataset."""
    started = Sandbox.start(tmp_path_factory.mktemp("batch") / "sandbox", 0)
    with Mortal(lambda _: "sandbox", sandbox=started.url) as cloud:
        parent = {"type": "organization", "id": "123456789012"}
        cloud.call("POST", "cloudresourcemanager", "v1/projects", body={"projectId": PROJECT, "parent": parent})
        billing = {"billingAccountName": "billingAccounts/010101-010101-010101"}
        cloud.call("PUT", "cloudbilling", f"v1/projects/{PROJECT}/billingInfo", body=billing)
        for api in ("aiplatform", "bigquery", "storage"):
            cloud.call("POST", "serviceusage", f"v1/projects/{PROJECT}/services/{api}.googleapis.com:enable", body={})
        bucket = {"name": OUTPUTS["bucket"], "location": "EUROPE-WEST4"}
        cloud.call("POST", "storage", "storage/v1/b", params={"project": PROJECT}, body=bucket)
        dataset = {"datasetReference": {"projectId": PROJECT, "datasetId": "d"}, "location": "europe-west4"}
        cloud.call("POST", "bigquery", f"bigquery/v2/projects/{PROJECT}/datasets", body=dataset)
        yield cloud
    started.stop()


@pytest.fixture
def line(project: Path, vertex: Mortal, monkeypatch: pytest.MonkeyPatch) -> Line:
    """Types a command line, and gives its exit code; jobs hold two rows."""
    assert project
    vertex.sentence(None, answered=False)
    monkeypatch.setattr(GoogleCloud, "from_environment", lambda *_, **__: vertex)
    monkeypatch.setattr(Stack, "outputs", lambda _: {"campaigns": {"spring-launch": OUTPUTS}})
    split = preparation.Writer.__init__

    def small(self: preparation.Writer, folder: Path, _: int, most_bytes: int) -> None:
        split(self, folder, 2, most_bytes)

    monkeypatch.setattr(preparation.Writer, "__init__", small)

    def type_in(*words: str) -> int:
        monkeypatch.setattr(sys, "argv", ["plantain", "batch", *words])
        with pytest.raises(SystemExit) as caught:
            main.main()
        return int(caught.value.code or 0)

    return type_in


def query(cloud: GoogleCloud, text: str) -> list[list[Any]]:
    body = {"query": text, "useLegacySql": False}
    answer = cloud.call("POST", "bigquery", f"bigquery/v2/projects/{PROJECT}/queries", body=body)
    return [[cell["v"] for cell in row["f"]] for row in answer.get("rows", [])]


def jobs_of(cloud: GoogleCloud, name: str) -> list[str]:
    """Display names of the jobs of a batch."""
    path = f"v1/projects/{PROJECT}/locations/global/batchPredictionJobs"
    found = cloud.pages(submission.host("global"), path, "batchPredictionJobs", pageSize=100)
    return sorted(job["displayName"] for job in found if name in job["displayName"])


def test_rows_of_a_table_become_several_jobs_and_their_results_rows_of_another(
    line: Line, vertex: Mortal, project: Path
) -> None:
    tables = f"bigquery/v2/projects/{PROJECT}/datasets/d/tables"
    fields = [{"name": name, "type": "STRING"} for name in ("prompt", "aspectRatio")]
    body = {"tableReference": {"projectId": PROJECT, "datasetId": "d", "tableId": "rows"}, "schema": {"fields": fields}}
    vertex.call("POST", "bigquery", tables, body=body)
    wanted = [{"json": {"prompt": f"bag {number}", "aspectRatio": "4:5"}} for number in range(5)]
    assert "insertErrors" not in vertex.call("POST", "bigquery", f"{tables}/rows/insertAll", body={"rows": wanted})
    assert line("prepare", f"bq://{PROJECT}.d.rows", "--name", "table") == 0
    assert [part.lines for part in Plan.load(Path("batch/table")).parts] == [2, 2, 1]
    assert line("submit", "batch/table") == 0
    assert line("watch", "batch/table", "--every", "0.05") == 0
    assert line("fetch", "batch/table", "--to-table", f"{PROJECT}.d.results") == 0
    assert len(jobs_of(vertex, "table")) == 3
    found = query(vertex, "SELECT COUNT(DISTINCT fingerprint), COUNT(image) FROM `spring-1.d.results`")
    assert found == [["5", "5"]]
    assert len(list((project / "batch" / "table" / "images").iterdir())) == 5


@pytest.mark.parametrize("answered", [False, True], ids=["before it is sent", "after it was answered"])
def test_a_batch_that_is_killed_at_any_call_goes_on_and_makes_nothing_twice(
    line: Line, vertex: Mortal, project: Path, answered: bool
) -> None:
    (project / "rows.jsonl").write_text("".join(f'{{"prompt": "kill {answered} {n}"}}\n' for n in range(3)))
    killed: list[str] = []
    for call in range(1, 30):
        name = f"killed-{'after' if answered else 'before'}-{call}"
        folder = f"batch/{name}"
        assert line("prepare", "rows.jsonl", "--name", name) == 0
        before = len(killed)
        for words in (("submit", folder), ("watch", folder, "--every", "0.05"), ("fetch", folder)):
            vertex.sentence(call, answered=answered)
            code = line(*words)
            vertex.sentence(None, answered=False)
            if code == 130:
                killed.append(f"{words[0]} {call}")
                code = line(*words)
            assert code == 0, words
        plan = Plan.load(Path(folder))
        assert (plan.made, plan.failed, len(plan.parts)) == (3, 0, 2)
        made = [json.loads(text) for text in (project / folder / "results.jsonl").read_text().splitlines()]
        assert len({one["fingerprint"] for one in made}) == len(made) == 3
        assert len(jobs_of(vertex, f"{name}-") or jobs_of(vertex, name)) == 2
        if len(killed) == before:
            break
    assert {kill.split()[0] for kill in killed} == {"submit", "watch", "fetch"}
    assert call < 29, "every call was a last one"


def test_a_preparation_that_is_killed_while_it_reads_starts_again_and_gives_the_same_parts(
    line: Line, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "rows.jsonl").write_text("".join(f'{{"prompt": "row {number}"}}\n' for number in range(7)))
    assert line("prepare", "rows.jsonl", "--name", "whole") == 0
    wanted = [(part.sha256, part.lines) for part in Plan.load(Path("batch/whole")).parts]
    write, lines = preparation.Writer.write, []

    def dies(self: preparation.Writer, *arguments: Any) -> Any:
        lines.append(1)
        if len(lines) == 4:
            raise KeyboardInterrupt
        return write(self, *arguments)

    monkeypatch.setattr(preparation.Writer, "write", dies)
    assert line("prepare", "rows.jsonl", "--name", "cut") == 130
    assert line("submit", "batch/cut") == 2
    assert line("prepare", "rows.jsonl", "--name", "cut") == 0
    assert [(part.sha256, part.lines) for part in Plan.load(Path("batch/cut")).parts] == wanted
