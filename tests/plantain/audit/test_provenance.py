from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from generation.record import Record
from plantain.audit.errors import SourceError
from plantain.audit.provenance import run as runs
from plantain.audit.provenance.run import Summary, run, sampled
from plantain.audit.provenance.source import Bucket, Folder, source
from plantain.errors import GoogleCloudError

from .images import picture, record, write, write_images


def traced(folder: Path) -> dict[str, Any]:
    [line] = [json.loads(row) for row in (folder / "results.ndjson").read_text().splitlines()]
    found: dict[str, Any] = line
    return found


def look(folder: Path, **options: Any) -> Summary:
    return run(Folder(folder), folder / "results.ndjson", **options)


@pytest.fixture
def image(tmp_path: Path) -> tuple[Path, Record]:
    data = picture(1000)
    made = record("a plantain", data)
    return write(tmp_path, made, data), made


def test_an_image_as_the_function_stored_it_is_traced(tmp_path: Path, image: tuple[Path, Record]) -> None:
    summary = look(tmp_path)
    assert summary.document()["status"] == "pass"
    assert traced(tmp_path)["contentCredentials"] == {"state": "absent", "reason": "the model returned none"}
    assert image[1].id == traced(tmp_path)["id"]


def test_content_credentials_are_found_and_their_loss_too(tmp_path: Path) -> None:
    data = picture(1000, credentials=True)
    place = write(tmp_path, record("signed", data, credentials=True), data)
    look(tmp_path)
    assert traced(tmp_path)["contentCredentials"] == {"state": "present"}
    stripped = picture(1000)
    (place / "0.png").write_bytes(stripped)
    (tmp_path / "results.ndjson").unlink()
    look(tmp_path)
    kinds = {problem["kind"] for problem in traced(tmp_path)["problems"]}
    assert kinds == {"bytes-changed", "credentials-stripped"}


Break = Callable[[Path, Record], None]


def edit(place: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    path = place / "record.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("kind", "broken"),
    [
        ("record-missing", lambda place, _: (place / "record.json").unlink()),
        ("record-incomplete", lambda place, _: edit(place, lambda d: d.pop("provenance"))),
        ("record-incomplete", lambda place, _: edit(place, lambda d: d.update(images=[]))),
        ("record-incomplete", lambda place, _: edit(place, lambda d: d.update(prompt=""))),
        ("record-misplaced", lambda place, _: place.rename(place.with_name("0" * 64))),
        ("request-changed", lambda place, _: edit(place, lambda d: d["canonical"].update(prompt="other"))),
        ("mark-missing", lambda place, _: edit(place, lambda d: d.pop("disclosure"))),
        ("mark-missing", lambda place, _: edit(place, lambda d: d["disclosure"].update(aiGenerated=False))),
        ("image-missing", lambda place, _: (place / "0.png").unlink()),
        ("bytes-changed", lambda place, _: (place / "0.png").write_bytes((place / "0.png").read_bytes() + b"x")),
        ("not-an-image", lambda place, _: (place / "0.png").write_bytes(b"x" * 1000)),
        ("format-changed", lambda place, _: edit(place, lambda d: d["images"][0].update(mimeType="image/jpeg"))),
        ("image-unrecorded", lambda place, _: (place / "1.png").write_bytes(picture(100))),
    ],
)
def test_whatever_breaks_the_trace_is_named(
    kind: str, broken: Break, tmp_path: Path, image: tuple[Path, Record]
) -> None:
    broken(*image)
    summary = look(tmp_path)
    assert kind in {problem["kind"] for problem in traced(tmp_path)["problems"]}
    assert summary.document()["status"] == "fail"
    assert summary.problems[kind] == 1


def test_a_run_that_was_interrupted_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_images(tmp_path, 12, 500)
    results = tmp_path / "results.ndjson"
    look(tmp_path)
    whole = results.read_bytes()
    results.write_bytes(whole[: whole.index(b"\n") * 5 + 30])
    looked: list[str] = []
    trace = runs.trace

    def watched(*given: Any) -> dict[str, Any]:
        looked.append(given[1])
        return trace(*given)

    monkeypatch.setattr(runs, "trace", watched)
    summary = look(tmp_path, resume=True)
    assert 0 < len(looked) < 12
    assert (summary.population, summary.judged, summary.passed) == (12, 12, 12)
    assert sorted(results.read_bytes().splitlines()) == sorted(whole.splitlines())


def test_results_are_never_overwritten(tmp_path: Path) -> None:
    write_images(tmp_path, 1, 500)
    look(tmp_path)
    with pytest.raises(SourceError, match="is there already") as raised:
        look(tmp_path)
    assert "--resume" in str(raised.value.cure)


def test_a_file_that_holds_no_results_cannot_be_gone_on_with(tmp_path: Path) -> None:
    write_images(tmp_path, 1, 500)
    (tmp_path / "results.ndjson").write_text("{}\n")
    with pytest.raises(SourceError, match="Line 1"):
        look(tmp_path, resume=True)


def test_a_sample_is_repeatable_and_of_the_size_that_was_asked_for() -> None:
    ids = [f"{number:064x}" for number in range(4000)]
    taken = [id_ for id_ in ids if sampled(id_, 0.25, "a")]
    assert taken == [id_ for id_ in ids if sampled(id_, 0.25, "a")]
    assert taken != [id_ for id_ in ids if sampled(id_, 0.25, "b")]
    assert 850 < len(taken) < 1150


def test_no_image_is_no_pass(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    assert look(tmp_path).document()["status"] == "not_evaluated"


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="holds no folder images/"):
        source(str(tmp_path), None)
    with pytest.raises(SourceError, match="cannot be read offline"):
        source("gs://bucket", None)


class Storage:
    """Cloud Storage with one image, as its API answers."""

    def __init__(self, objects: dict[str, bytes], metadata: dict[str, str]) -> None:
        self.objects, self.metadata = objects, metadata

    def pages(self, *_: Any, **__: Any) -> Any:
        for name in sorted(self.objects):
            yield {"name": name, "size": str(len(self.objects[name])), "metadata": self.metadata}

    def download(self, service: str, path: str, **_: Any) -> bytes:
        if "record.json" in path and self.metadata.get("locked"):
            raise GoogleCloudError(403, "PERMISSION_DENIED", "key disabled", service, path)
        return self.objects[path.rpartition("/o/")[2].replace("%2F", "/")]


@pytest.mark.parametrize(("metadata", "status"), [({"ai-generated": "true"}, "pass"), ({}, "fail")])
def test_the_mark_on_a_buckets_object_is_looked_at(metadata: dict[str, str], status: str, tmp_path: Path) -> None:
    data = picture(500)
    made = record("a plantain", data)
    objects = {
        f"images/{made.id}/0.png": data,
        f"images/{made.id}/record.json": made.model_dump_json(by_alias=True).encode(),
    }
    bucket = Bucket(Storage(objects, metadata), "b")  # type: ignore[arg-type] # a stand-in for the client
    assert run(bucket, tmp_path / "r.ndjson").document()["status"] == status


def test_an_object_that_may_not_be_read_ends_the_run_in_googles_words(tmp_path: Path) -> None:
    bucket = Bucket(Storage({"images/a/record.json": b"{}"}, {"locked": "yes"}), "b")  # type: ignore[arg-type] # as above
    with pytest.raises(GoogleCloudError, match="key disabled"):
        run(bucket, tmp_path / "r.ndjson")
