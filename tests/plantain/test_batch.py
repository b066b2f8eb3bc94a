from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from generation.models import Model, table
from plantain.batch import preparation, retrieval, submission
from plantain.batch.instance import fingerprint, instance
from plantain.batch.plan import ENDED, Part, Plan
from plantain.batch.rows import rows, table_rows
from plantain.batch.table import insert
from plantain.commands import batch as command
from plantain.errors import ErrorFound, GoogleCloudError, InputError
from plantain.google_cloud import GoogleCloud
from plantain.sandbox_process import Sandbox
from plantain.stack import Stack
from tests.plantain.conftest import FakeCloud
from tests.plantain.ending import ends

LABELS = {"campaign": "spring-launch"}
OUTPUTS = {"projectId": "spring-1", "bucket": "spring-1-images", "labels": LABELS}


def model(name: str = "gemini-3-pro-image") -> Model:
    found = table().get(name)
    assert found
    return found


def source(folder: Path, *requests: Any) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in requests))
    return path


def prepared(folder: Path, *requests: Any, **limits: Any) -> preparation.Preparation:
    return preparation.prepare(rows(str(source(folder, *requests))), folder / "b", model(), LABELS, **limits)


def plan_of(found: preparation.Preparation, **changes: Any) -> Plan:
    facts = {
        "name": "test",
        "model": "gemini-3-pro-image",
        "location": "global",
        "project": "spring-1",
        "bucket": "spring-1-images",
        "labels": LABELS,
        "source": "rows.jsonl",
        "rows": found.rows,
        "repeated": found.repeated,
        "known": found.known,
        "wrong": found.wrong,
        "expected_cost": found.cost(model()),
        "currency": "USD",
        "parts": found.parts,
        **changes,
    }
    return Plan(**facts)


class TestPrepare:
    def test_equal_rows_are_made_once_and_the_same_source_gives_the_same_bytes(self, tmp_path: Path) -> None:
        requests = [{"prompt": "a"}, {"prompt": "b"}, {"prompt": "a"}]
        first = prepared(tmp_path, *requests)
        again = prepared(tmp_path, *requests)
        assert (first.rows, first.repeated, first.parts[0].lines) == (3, 1, 2)
        assert first.parts == again.parts

    def test_rows_are_split_by_lines_and_by_bytes(self, tmp_path: Path) -> None:
        requests = [{"prompt": f"plantain {number}"} for number in range(5)]
        assert [part.lines for part in prepared(tmp_path, *requests, most_lines=2).parts] == [2, 2, 1]
        small = prepared(tmp_path, *requests, most_bytes=500)
        assert len(small.parts) > 1
        assert all(part.bytes <= 500 for part in small.parts)
        for part in small.parts:
            assert (tmp_path / "b" / part.file).stat().st_size == part.bytes

    @pytest.mark.parametrize(
        ("row", "words"),
        [
            ("nonsense", "no JSON"),
            ("[]", "no JSON object"),
            ({"aspectRatio": "1:1"}, "prompt"),
            ({"prompt": "a", "imageSize": "4K"}, "batch makes 1K"),
            ({"prompt": "a", "aspectRatio": "1:7"}, "makes no 1:7"),
            ({"prompt": "a", "count": 2}, "one image"),
            ({"prompt": "a", "previous": "ab" * 32}, "go on from"),
            ({"prompt": "a", "grounding": "GOOGLE_SEARCH"}, "not for batch"),
            ({"prompt": "a", "model": "gemini-3.1-flash-image"}, "this batch is for"),
            ({"prompt": "a", "references": [{"uri": "gs://bucket/file"}]}, "give mimeType"),
            ({"prompt": "a", "promt": "b"}, "promt"),
            ({"prompt": "a", "async": True}, "async: the function's own, not for batch"),
            ({"prompt": "a", "references": [{"data": "iVBORw0KGgo=", "mimeType": "image/png"}]}, "no inline data"),
            ({"prompt": "a", "references": [{"uri": f"gs://b/{n}.png"} for n in range(15)]}, "references"),
        ],
    )
    def test_a_row_that_batch_cannot_do_is_put_aside_with_its_reason(
        self, tmp_path: Path, row: Any, words: str
    ) -> None:
        found = prepared(tmp_path, {"prompt": "fine"}, row)
        assert (found.wrong, found.parts[0].lines) == (1, 1)
        kept = json.loads((tmp_path / "b" / "wrong.jsonl").read_text())
        assert kept["line"] == 2
        assert words in kept["problem"]

    def test_images_of_an_earlier_batch_are_not_made_again(self, tmp_path: Path) -> None:
        first = prepared(tmp_path, {"prompt": "a"}, {"prompt": "b"})
        [key, _] = [
            json.loads(line)["fingerprint"] for line in (tmp_path / "b" / "index.jsonl").read_text().splitlines()
        ]
        assert first.parts[0].lines == 2
        (tmp_path / "b" / "results.jsonl").write_text(
            json.dumps({"fingerprint": key, "file": "x"})
            + "\n"
            + json.dumps({"fingerprint": "00", "problem": "no"})
            + "\n{"
        )
        done = preparation.fingerprints(tmp_path / "b")
        assert done == {key}
        assert prepared(tmp_path, {"prompt": "a"}, {"prompt": "b"}, done=done).known == 1

    def test_the_expected_cost_is_half_of_the_online_one(self, tmp_path: Path) -> None:
        found = prepared(tmp_path, *[{"prompt": f"p{number}"} for number in range(100)])
        assert Decimal("6.7") < found.cost(model()) < Decimal("7.1")

    def test_a_line_is_what_the_function_would_ask_the_model(self) -> None:
        made = instance(
            {"prompt": "a", "negativePrompt": "people", "references": [{"uri": "gs://bucket/a.png"}]}, model(), LABELS
        )
        assert made.document["labels"] == LABELS
        parts = made.document["contents"][0]["parts"]
        assert any(part.get("fileData", {}).get("fileUri") == "gs://bucket/a.png" for part in parts)
        assert made.document["generationConfig"]["seed"] >= 0

    def test_a_model_that_refuses_seeds_gets_none(self) -> None:
        made = instance({"prompt": "a"}, model("gemini-nano-banana-2.1"), LABELS)
        assert "seed" not in made.document["generationConfig"]

    def test_a_request_is_known_again_whatever_the_service_adds_or_reorders(self) -> None:
        made = instance({"prompt": "a", "aspectRatio": "4:5"}, model(), LABELS)
        echoed = json.loads(json.dumps(made.document, sort_keys=True))
        echoed["generationConfig"]["temperature"] = 1.0
        echoed["safetySettings"] = []
        assert fingerprint(echoed) == made.fingerprint
        echoed["generationConfig"]["seed"] += 1
        assert fingerprint(echoed) != made.fingerprint

    def test_csv_and_text_are_sources_too(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_text("prompt,seed\na,1\nb,x\n")
        (tmp_path / "a.txt").write_text("a\n# no\n\nb\n")
        assert [row for _, row in rows(str(tmp_path / "a.csv"))] == [{"prompt": "a", "seed": 1}, "seed is no number"]
        assert [row for _, row in rows(str(tmp_path / "a.txt"))] == [{"prompt": "a"}, {"prompt": "b"}]

    def test_a_table_is_read_page_by_page(self, cloud: FakeCloud) -> None:
        path = "GET bigquery/bigquery/v2/projects/p/datasets/d/tables/t"
        cloud.answers[path] = {"schema": {"fields": [{"name": "prompt"}, {"name": "seed"}]}}
        pages: Iterator[dict[str, Any]] = iter(
            [
                {"rows": [{"f": [{"v": "a"}, {"v": "4"}]}], "pageToken": "2"},
                {"rows": [{"f": [{"v": "b"}, {"v": None}]}]},
            ]
        )
        cloud.answers[f"{path}/data"] = lambda _: next(pages)
        assert list(table_rows(cloud, "p.d.t")) == [(1, {"prompt": "a", "seed": 4}), (2, {"prompt": "b"})]  # type: ignore[arg-type]  # a fake

    @pytest.mark.parametrize("name", ["missing.jsonl", "latin.jsonl"])
    def test_a_source_that_cannot_be_read_says_why(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "latin.jsonl").write_bytes(b"\xff\xfe")
        with pytest.raises(InputError, match=r"cannot be read|not UTF-8"):
            list(rows(str(tmp_path / name)))


class TestSubmit:
    @pytest.fixture
    def plan(self, tmp_path: Path) -> Plan:
        return plan_of(prepared(tmp_path, {"prompt": "a"}, {"prompt": "b"}, most_lines=1))

    @pytest.fixture
    def vertex(self, cloud: FakeCloud) -> list[dict[str, Any]]:
        jobs: list[dict[str, Any]] = []

        def create(body: dict[str, Any] | None) -> dict[str, Any]:
            jobs.append({**(body or {}), "name": f"jobs/{len(jobs)}", "state": "JOB_STATE_PENDING"})
            return jobs[-1]

        cloud.answers["GET aiplatform/"] = lambda _: {"batchPredictionJobs": jobs}
        cloud.answers["POST aiplatform/"] = create
        cloud.answers["UPLOAD storage/"] = {}
        return jobs

    def test_each_part_becomes_one_job_however_often_it_is_submitted(
        self, plan: Plan, cloud: FakeCloud, vertex: list[dict[str, Any]], tmp_path: Path
    ) -> None:
        submission.submit(cloud, plan, tmp_path / "b")  # type: ignore[arg-type]  # a fake
        submission.submit(cloud, Plan.load(tmp_path / "b"), tmp_path / "b")  # type: ignore[arg-type]  # a fake
        for part in plan.parts:
            part.job = ""  # as if the run had been killed before it saved the answer
        submission.submit(cloud, plan, tmp_path / "b")  # type: ignore[arg-type]  # a fake
        assert len(vertex) == 2
        assert vertex[0]["labels"] == LABELS
        assert [part.job for part in plan.parts] == ["jobs/0", "jobs/1"]

    def test_an_input_that_was_changed_is_not_uploaded(self, plan: Plan, cloud: FakeCloud, tmp_path: Path) -> None:
        cloud.answers["GET aiplatform/"] = {}
        (tmp_path / "b" / plan.parts[0].file).write_text("other")
        with pytest.raises(InputError, match="was changed after it was prepared") as caught:
            submission.submit(cloud, plan, tmp_path / "b")  # type: ignore[arg-type]  # a fake
        assert caught.value.exit_code == 2

    def test_an_input_that_is_gone_is_not_uploaded(self, plan: Plan, cloud: FakeCloud, tmp_path: Path) -> None:
        cloud.answers["GET aiplatform/"] = {}
        (tmp_path / "b" / plan.parts[0].file).unlink()
        with ends(2, f"{plan.parts[0].file} cannot be read: No such file or directory."):
            submission.submit(cloud, plan, tmp_path / "b")  # type: ignore[arg-type]  # a fake

    @pytest.mark.usefixtures("vertex")
    @pytest.mark.parametrize(("digest", "refused"), [("equal", False), ("b3RoZXI=", True)])
    def test_an_object_that_is_there_is_taken_only_when_it_is_equal(
        self, plan: Plan, cloud: FakeCloud, tmp_path: Path, digest: str, refused: bool
    ) -> None:
        cloud.answers["UPLOAD storage/"] = GoogleCloudError(412, "conditionNotMet", "exists", "storage", "o")
        cloud.answers["GET storage/"] = {} if digest == "equal" else {"md5Hash": digest}
        if not refused:
            submission.submit(cloud, plan, tmp_path / "b")  # type: ignore[arg-type]  # a fake
            return
        with pytest.raises(InputError, match="holds something else"):
            submission.submit(cloud, plan, tmp_path / "b")  # type: ignore[arg-type]  # a fake


def answer(made: Any, *, status: str = "", image: bytes | None = b"png") -> dict[str, Any]:
    parts = [{"inlineData": {"mimeType": "image/png", "data": base64.b64encode(image).decode()}}] if image else []
    usage = {
        "promptTokenCount": 10,
        "candidatesTokenCount": 1120,
        "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 1120}],
    }
    response = {"candidates": [{"content": {"parts": parts}, "finishReason": "IMAGE_SAFETY"}], "usageMetadata": usage}
    return {"status": status, "request": made.document, "response": {} if status else response}


def job_answers(cloud: FakeCloud, states: dict[str, str]) -> None:
    """Each job's state, and cancelling that sets it."""

    def cancelled(name: str) -> Any:
        def answer(_: Any) -> dict[str, Any]:
            states[name] = "JOB_STATE_CANCELLING"
            return {}

        return answer

    for name in tuple(states):
        cloud.answers[f"GET aiplatform/v1/{name}"] = partial(state_of, states, name)
        cloud.answers[f"POST aiplatform/v1/{name}:cancel"] = cancelled(name)


def state_of(states: dict[str, str], name: str, _: Any) -> dict[str, Any]:
    return {"state": states[name]}


class TestCancel:
    @pytest.fixture
    def folder(self, project: Path) -> Path:
        plan = plan_of(prepared(project, *[{"prompt": text} for text in "abc"], most_lines=1))
        plan.parts[0].job, plan.parts[1].job = "jobs/0", "jobs/1"
        plan.save(project / "b")
        return project / "b"

    def test_only_jobs_that_still_run_are_cancelled_and_a_second_time_changes_nothing(
        self, folder: Path, cloud: FakeCloud, capsys: pytest.CaptureFixture[str]
    ) -> None:
        job_answers(cloud, {"jobs/0": "JOB_STATE_SUCCEEDED", "jobs/1": "JOB_STATE_RUNNING"})
        command.cancel(folder)
        shown = capsys.readouterr().out
        assert "1 parts were never submitted" in shown
        assert "end of 1 jobs" in shown
        assert [part.state for part in Plan.load(folder).parts] == ["JOB_STATE_SUCCEEDED", "JOB_STATE_CANCELLING", ""]
        cloud.answers["GET aiplatform/v1/jobs/1"] = {"state": "JOB_STATE_CANCELLED"}
        command.cancel(folder)
        assert "ended already" in capsys.readouterr().out
        assert sum(key.endswith(":cancel") for key, _, _ in cloud.asked) == 1

    def test_a_job_that_ends_while_it_is_cancelled_keeps_its_result(self, folder: Path, cloud: FakeCloud) -> None:
        job_answers(cloud, {"jobs/0": "JOB_STATE_RUNNING", "jobs/1": "JOB_STATE_RUNNING"})
        cloud.answers["POST aiplatform/v1/jobs/0:cancel"] = GoogleCloudError(
            400, "FAILED_PRECONDITION", "has ended", "aiplatform", "jobs/0"
        )
        command.cancel(folder, json=True)
        assert [part.state for part in Plan.load(folder).parts][1] == "JOB_STATE_CANCELLING"

    def test_a_refusal_ends_with_7_and_what_was_cancelled_before_it_is_kept(
        self, folder: Path, cloud: FakeCloud
    ) -> None:
        job_answers(cloud, {"jobs/0": "JOB_STATE_RUNNING", "jobs/1": "JOB_STATE_RUNNING"})
        cloud.answers["POST aiplatform/v1/jobs/1:cancel"] = GoogleCloudError(
            403, "IAM_PERMISSION_DENIED", "batchPredictionJobs.cancel denied", "aiplatform", "jobs/1"
        )
        with pytest.raises(GoogleCloudError, match="cancel denied") as caught:
            command.cancel(folder)
        assert caught.value.exit_code == 7
        assert Plan.load(folder).parts[0].state == "JOB_STATE_CANCELLING"

    @pytest.mark.usefixtures("cloud")
    def test_a_batch_without_jobs_has_nothing_to_cancel(self, folder: Path) -> None:
        plan = Plan.load(folder)
        plan.parts = [part.model_copy(update={"job": ""}) for part in plan.parts]
        plan.save(folder)
        with ends(2, "has no jobs, so there is nothing to cancel."):
            command.cancel(folder)

    @pytest.mark.usefixtures("project")
    def test_after_a_cancelled_batch_every_row_without_an_image_can_be_made_by_another(
        self, folder: Path, cloud: FakeCloud, capsys: pytest.CaptureFixture[str]
    ) -> None:
        plan = Plan.load(folder)
        plan.parts = plan.parts[:2]
        plan.parts[0].state, plan.parts[0].output = "JOB_STATE_SUCCEEDED", "gs://bucket/out"
        plan.parts[1].state = "JOB_STATE_CANCELLING"
        plan.save(folder)
        cloud.answers["GET aiplatform/v1/jobs/1"] = {"state": "JOB_STATE_CANCELLED"}
        with ends(10, "1 of 2 jobs ended before their time: cancelled"):
            command.watch(folder, every=0.05)
        cloud.answers["GET storage/"] = {"items": [{"name": "out/predictions.jsonl"}]}
        cloud.stored = [json.dumps(answer(instance({"prompt": "a"}, model(), LABELS)))]
        with ends(10, "2 rows have no image"):
            command.fetch(folder)
        left = [json.loads(line)["prompt"] for line in (folder / "retry.jsonl").read_text().splitlines()]
        assert left == ["b", "c"]
        assert "1 in" in capsys.readouterr().out

    def test_input_whose_job_was_cancelled_or_failed_becomes_a_new_job(self, folder: Path, cloud: FakeCloud) -> None:
        plan = Plan.load(folder)
        names = [submission.display_name(plan, part) for part in plan.parts]
        states = ["JOB_STATE_CANCELLED", "JOB_STATE_RUNNING", "JOB_STATE_FAILED"]
        existing = [
            {"displayName": name, "name": f"old/{number}", "state": state}
            for number, (name, state) in enumerate(zip(names, states, strict=True))
        ]
        cloud.answers["GET aiplatform/"] = {"batchPredictionJobs": existing}
        cloud.answers["POST aiplatform/"] = {"name": "new"}
        cloud.answers["UPLOAD storage/"] = {}
        for part in plan.parts:
            part.job = ""
        submission.submit(cloud, plan, folder)  # type: ignore[arg-type]  # a fake
        assert [part.job for part in plan.parts] == ["new", "old/1", "new"]


class TestFetch:
    def test_answers_in_any_order_find_their_rows_and_failures_can_be_tried_again(
        self, cloud: FakeCloud, tmp_path: Path
    ) -> None:
        requests = [{"prompt": text} for text in "abc"]
        plan = plan_of(prepared(tmp_path, *requests))
        a, b, c = (instance(row, model(), LABELS) for row in requests)
        stranger = instance({"prompt": "z"}, model(), LABELS)
        cloud.answers["GET storage/"] = {"items": [{"name": "out/predictions.jsonl"}, {"name": "out/notes.txt"}]}
        lines = [answer(c, image=None), answer(a), answer(stranger), answer(b, status="INTERNAL: try later")]
        cloud.stored = [json.dumps(line) for line in lines]
        plan.parts[0].state, plan.parts[0].output, plan.parts[0].job = "JOB_STATE_SUCCEEDED", "gs://bucket/out", "j"
        retrieval.fetch(cloud, plan, tmp_path / "b", model())  # type: ignore[arg-type]  # a fake
        assert (plan.made, plan.failed) == (1, 2)
        entries = {entry["line"]: entry for entry in retrieval.results(tmp_path / "b")}
        assert (tmp_path / "b" / entries[1]["file"]).read_bytes() == b"png"
        assert entries[2]["problem"] == "INTERNAL: try later"
        assert entries[3]["problem"] == "IMAGE_SAFETY"
        assert [json.loads(line) for line in (tmp_path / "b" / "retry.jsonl").read_text().splitlines()] == requests[1:]
        assert Decimal("0.13") < plan.cost < Decimal("0.14")

    def test_a_fetch_that_was_killed_goes_on(self, cloud: FakeCloud, tmp_path: Path) -> None:
        requests = [{"prompt": "a"}, {"prompt": "b"}]
        plan = plan_of(prepared(tmp_path, *requests))
        plan.parts[0].state, plan.parts[0].output, plan.parts[0].job = "JOB_STATE_SUCCEEDED", "gs://bucket/out", "j"
        cloud.answers["GET storage/"] = {"items": [{"name": "out/predictions.jsonl"}]}
        cloud.stored = [json.dumps(answer(instance(row, model(), LABELS))) for row in requests]
        kept, cloud.stored = cloud.stored, [*cloud.stored[:1], "{broken"]
        with pytest.raises(GoogleCloudError, match="line 2 is no JSON") as caught:
            retrieval.fetch(cloud, plan, tmp_path / "b", model())  # type: ignore[arg-type]  # a fake
        assert caught.value.exit_code == 7
        assert not plan.parts[0].fetched
        with (tmp_path / "b" / "results.jsonl").open("ab") as file:
            file.write('{"fingerprint": "é'.encode()[:-1])  # killed within a line, and within a character
        cloud.stored = kept
        retrieval.fetch(cloud, plan, tmp_path / "b", model())  # type: ignore[arg-type]  # a fake
        assert plan.made == 2
        assert len(list(retrieval.results(tmp_path / "b"))) == 2

    def test_results_go_into_a_table_that_is_made_when_it_is_missing(self, cloud: FakeCloud) -> None:
        cloud.answers["POST bigquery/"] = {}
        entries = [
            {"fingerprint": f"{number}", "line": number, "file": "images/x.png", "cost": "0.1"} for number in range(501)
        ]
        assert insert(cloud, "p.d.t", entries) == 501  # type: ignore[arg-type]  # a fake
        made, first, second = (body for key, _, body in cloud.asked if key.startswith("POST"))
        assert made["tableReference"]["tableId"] == "t"
        assert (len(first["rows"]), len(second["rows"])) == (500, 1)
        assert first["rows"][0]["json"]["image"] == "images/x.png"

    def test_rows_that_bigquery_refuses_are_not_called_added(self, cloud: FakeCloud) -> None:
        cloud.answers["GET bigquery/"] = {}
        cloud.answers["POST bigquery/"] = {"insertErrors": [{"errors": [{"message": "no such field"}]}]}
        with pytest.raises(InputError, match="no such field"):
            insert(cloud, "p.d.t", [{"fingerprint": "1"}])  # type: ignore[arg-type]  # a fake


@pytest.fixture
def deployed(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(Stack, "outputs", lambda _: {"campaigns": {"spring-launch": OUTPUTS}})
    return project


class TestCommands:
    def test_wrong_rows_stop_the_preparation_unless_they_are_left_out(self, deployed: Path) -> None:
        path = source(deployed, {"prompt": "a"}, "nonsense")
        with pytest.raises(InputError, match="1 of 2 rows are wrong") as caught:
            command.prepare(str(path), folder=deployed / "b")
        assert caught.value.exit_code == 2
        command.prepare(str(path), folder=deployed / "b", skip_wrong=True)
        plan = Plan.load(deployed / "b")
        assert (plan.wrong, plan.lines, plan.location, plan.project) == (1, 1, "global", "spring-1")

    def test_a_batch_with_jobs_is_not_prepared_again(self, deployed: Path) -> None:
        path = source(deployed, {"prompt": "a"})
        command.prepare(str(path), folder=deployed / "b")
        plan = Plan.load(deployed / "b")
        plan.parts[0].job = "j"
        plan.save(deployed / "b")
        with ends(2, "has jobs already, so it is not prepared again."):
            command.prepare(str(path), folder=deployed / "b")

    @pytest.mark.parametrize("options", [{"name": "Ä"}, {"model": "dall-e"}])
    def test_a_wrong_name_or_model_is_refused(self, deployed: Path, options: Any) -> None:
        with pytest.raises(InputError):
            command.prepare(str(source(deployed, {"prompt": "a"})), folder=deployed / "b", **options)

    @pytest.mark.usefixtures("deployed", "cloud")
    def test_a_folder_without_a_batch_says_how_to_prepare_one(self, tmp_path: Path) -> None:
        for run in (command.submit, command.watch, command.cancel, command.fetch, command.show_batch):
            with pytest.raises(InputError, match="holds no prepared batch"):
                run(tmp_path / "none")

    def test_a_damaged_plan_is_said_to_be(self, tmp_path: Path) -> None:
        (tmp_path / "plan.json").write_text("{}")
        with pytest.raises(InputError, match="is damaged"):
            Plan.load(tmp_path)

    def saved(self, folder: Path, **part: Any) -> Path:
        plan = plan_of(prepared(folder, {"prompt": "a"}))
        plan.parts = [Part(**{**plan.parts[0].model_dump(), **part})]
        plan.save(folder / "b")
        return folder / "b"

    def test_watching_before_submitting_is_refused(self, deployed: Path, cloud: FakeCloud) -> None:
        assert cloud
        with ends(2, "has parts without a job."):
            command.watch(self.saved(deployed))

    def test_a_job_that_failed_ends_with_exit_code_11_and_its_reason(self, deployed: Path, cloud: FakeCloud) -> None:
        cloud.answers["GET aiplatform/"] = {"state": "JOB_STATE_FAILED", "error": {"message": "no such bucket"}}
        with pytest.raises(ErrorFound, match="no such bucket") as caught:
            command.watch(self.saved(deployed, job="j", state="JOB_STATE_RUNNING"), every=0.05)
        assert caught.value.exit_code == 11

    def test_fetching_a_failed_job_ends_with_11_and_leaves_its_rows_to_try_again(
        self, deployed: Path, cloud: FakeCloud
    ) -> None:
        cloud.answers["GET aiplatform/"] = {"state": "JOB_STATE_FAILED", "error": {"message": "no such bucket"}}
        with pytest.raises(ErrorFound, match="no such bucket") as caught:
            command.fetch(self.saved(deployed, job="j", state="JOB_STATE_RUNNING"))
        assert caught.value.exit_code == 11
        assert json.loads((deployed / "b" / "retry.jsonl").read_text()) == {"prompt": "a"}

    @pytest.mark.parametrize("content", [None, "{", "{}\n"])
    def test_a_batch_whose_index_is_lost_or_damaged_says_how_to_get_it_back(
        self, deployed: Path, cloud: FakeCloud, content: str | None
    ) -> None:
        folder = self.saved(deployed, job="j", state="JOB_STATE_SUCCEEDED", output="gs://bucket/out")
        index = folder / "index.jsonl"
        index.unlink() if content is None else index.write_text(content)
        assert cloud
        with pytest.raises(InputError, match=r"index\.jsonl cannot be read") as caught:
            command.fetch(folder)
        assert caught.value.exit_code == 2

    def test_fetching_too_early_ends_with_exit_code_10(self, deployed: Path, cloud: FakeCloud) -> None:
        cloud.answers["GET aiplatform/"] = {"state": "JOB_STATE_RUNNING"}
        with ends(10, "1 of 1 jobs have no results yet: running"):
            command.fetch(self.saved(deployed, job="j", state="JOB_STATE_PENDING"))


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    started = Sandbox.start(tmp_path_factory.mktemp("batch") / "sandbox", 0)
    yield started
    started.stop()


@pytest.fixture(scope="module")
def vertex(sandbox: Sandbox) -> Iterator[GoogleCloud]:
    """A project of the sandbox in which batches can run."""
    with GoogleCloud(lambda _: "sandbox", sandbox=sandbox.url) as cloud:
        parent = {"type": "organization", "id": "123456789012"}
        cloud.call("POST", "cloudresourcemanager", "v1/projects", body={"projectId": "spring-1", "parent": parent})
        billing = {"billingAccountName": "billingAccounts/010101-010101-010101"}
        cloud.call("PUT", "cloudbilling", "v1/projects/spring-1/billingInfo", body=billing)
        for api in ("aiplatform", "storage"):
            cloud.call("POST", "serviceusage", f"v1/projects/spring-1/services/{api}.googleapis.com:enable", body={})
        bucket = {"name": "spring-1-images", "location": "EUROPE-WEST4"}
        cloud.call("POST", "storage", "storage/v1/b", params={"project": "spring-1"}, body=bucket)
        yield cloud


def wait_for_end(cloud: GoogleCloud, plan: Plan) -> set[str]:
    """States of the jobs once all have ended."""
    deadline = time.monotonic() + 60
    while not all(part.state in ENDED for part in plan.parts) and time.monotonic() < deadline:
        submission.refresh(cloud, plan)
        time.sleep(0.1)
    return {part.state for part in plan.parts}


def test_a_batch_goes_through_the_sandbox_from_rows_to_images(vertex: GoogleCloud, tmp_path: Path) -> None:
    folder = tmp_path / "b"
    plan = plan_of(prepared(tmp_path, *[{"prompt": f"plantain {number}"} for number in range(4)], most_lines=2))
    submission.submit(vertex, plan, folder)
    assert len(submission.jobs(vertex, plan)) == 2
    assert wait_for_end(vertex, plan) == {"JOB_STATE_SUCCEEDED"}, plan.parts
    retrieval.fetch(vertex, plan, folder, model())
    assert (plan.made, plan.failed) == (4, 0)
    assert plan.cost > 0
    images = list((folder / "images").iterdir())
    assert len(images) == 4
    assert all(image.read_bytes().startswith(b"\x89PNG") for image in images)


def test_a_batch_that_was_cancelled_in_the_sandbox_is_finished_by_the_next(vertex: GoogleCloud, tmp_path: Path) -> None:
    folder = tmp_path / "b"
    plan = plan_of(prepared(tmp_path, *[{"prompt": f"banana {number}"} for number in range(12)]), name="stopped")
    submission.submit(vertex, plan, folder)
    submission.cancel(vertex, plan, folder)
    # Which of the two comes first is the service's matter; either way no row is lost.
    assert wait_for_end(vertex, plan) <= {"JOB_STATE_CANCELLED", "JOB_STATE_SUCCEEDED"}
    retrieval.fetch(vertex, plan, folder, model())
    assert plan.made + plan.failed == 12
    assert len((folder / "retry.jsonl").read_text().splitlines()) == plan.failed
    submission.submit(vertex, again := plan_of(prepared(tmp_path, {"prompt": "banana 0"}), name="stopped"), folder)
    assert wait_for_end(vertex, again) == {"JOB_STATE_SUCCEEDED"}
