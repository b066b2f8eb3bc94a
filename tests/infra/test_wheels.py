"""The function's dependencies travel with it, locked by hash, so that a build asks no index."""

from __future__ import annotations

import hashlib
import sys
import zipfile
from io import BytesIO
from typing import TYPE_CHECKING

import platformdirs
import pytest

from infra import source, wheels
from infra.errors import SourceError
from tests.infra.stacks import make_campaign, record

if TYPE_CHECKING:
    from pathlib import Path

FUNCTION = "cloudfunctionsv2/function:Function"


@pytest.fixture
def function(tmp_path: Path) -> Path:
    folder = tmp_path / "functions"
    folder.mkdir()
    (folder / "main.py").write_text("def images(request): ...\n")
    (folder / "requirements.txt").write_text("six==1.17.0 --hash=sha256:" + "0" * 64 + "\n")
    return folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda _: tmp_path / "cache")
    return tmp_path / "cache"


def test_wheels_lie_in_a_folder_of_the_archive(root: Path) -> None:
    archive = source.pack(root / "functions", wheels=root / "wheels")
    with zipfile.ZipFile(BytesIO(archive.content)) as opened:
        assert "wheels/functions_framework-3.10.0-py3-none-any.whl" in opened.namelist()


def test_another_wheel_is_another_archive(root: Path, tmp_path: Path) -> None:
    (tmp_path / "functions_framework-3.10.0-py3-none-any.whl").write_bytes(b"an other wheel")
    first = source.pack(root / "functions", wheels=root / "wheels")
    assert source.pack(root / "functions", wheels=tmp_path).digest != first.digest
    assert source.pack(root / "functions", wheels=root / "wheels").digest == first.digest


def test_by_default_a_build_takes_them_from_there(root: Path) -> None:
    build = record(root).only(FUNCTION).inputs["buildConfig"]
    assert build["environmentVariables"] == {"GOOGLE_VENDOR_PIP_DEPENDENCIES": "wheels"}


def test_on_request_a_build_takes_packages_through_the_registry(root: Path) -> None:
    stack = record(root, [make_campaign(build={"dependencies": "registry"})])
    function = stack.only(FUNCTION)
    index = "https://europe-west4-python.pkg.dev/spring-launch-0a1b2c3/packages/simple/"
    assert function.inputs["buildConfig"]["environmentVariables"] == {"PIP_INDEX_URL": index}
    packages = stack.named("artifactregistry/repository:Repository", "spring-launch-packages").inputs
    assert (packages["mode"], packages["format"]) == ("REMOTE_REPOSITORY", "PYTHON")
    assert stack.only("artifactregistry/vpcscConfig:VpcscConfig").inputs["vpcscPolicy"] == "ALLOW"
    before = {resource.name for resource in stack.comes_after(function)}
    assert "spring-launch-build-packages-reader" in before


def test_builds_run_on_a_private_pool_without_a_way_to_the_internet(root: Path) -> None:
    stack = record(root)
    pool = stack.only("cloudbuild/workerPool:WorkerPool")
    assert pool.inputs["workerConfig"]["noExternalIp"] is True
    assert stack.only(FUNCTION).inputs["buildConfig"]["workerPool"].endswith("spring-launch-builds")


def test_on_request_they_run_on_cloud_builds_own_machines(root: Path) -> None:
    stack = record(root, [make_campaign(build={"privatePool": False})])
    assert stack.of_type("cloudbuild/workerPool:WorkerPool") == []
    assert "workerPool" not in stack.only(FUNCTION).inputs["buildConfig"]


def test_wheels_that_are_there_are_not_fetched_again(function: Path, cache: Path, tmp_path: Path) -> None:
    digest = hashlib.sha256((function / "requirements.txt").read_bytes()).hexdigest()[:16]
    kept = cache / "wheels" / f"local-{sys.implementation.cache_tag}-{sys.platform}-{digest}"
    kept.mkdir(parents=True)
    assert wheels.folder(function, root=tmp_path, wheels="local") == kept


def test_wheels_that_do_not_match_their_hash_are_refused_and_leave_nothing(
    function: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(SourceError) as caught:
        wheels.folder(function, root=tmp_path, wheels="cloud")
    assert "they cannot be fetched: ERROR" in str(caught.value)
    assert "python -m infra.wheels cloud" in str(caught.value)
    assert list((cache / "wheels").iterdir()) == []


def test_a_folder_without_wheels_is_refused(function: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no wheel lies there"):
        wheels.folder(function, root=tmp_path, wheels="nowhere")


def test_a_function_without_a_lock_file_is_refused(function: Path, tmp_path: Path) -> None:
    (function / "requirements.txt").unlink()
    with pytest.raises(SourceError, match=r"requirements\.txt is missing"):
        wheels.folder(function, root=tmp_path, wheels="local")
