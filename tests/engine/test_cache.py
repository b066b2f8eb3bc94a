"""An engine in the cache is complete and undamaged, or it is not there."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from plantain.engine.cache import UNFINISHED, Cache
from plantain.engine.errors import CacheError
from plantain.engine.manifest import NAME, Manifest

NAME_OF_ENGINE = "built-0123"


def publish(cache: Cache, content: str = "binary") -> Path:
    """Make an engine of one file and return the file."""
    with cache.making(NAME_OF_ENGINE, lambda _: None), cache.unfinished(NAME_OF_ENGINE) as folder:
        (folder / "bin").mkdir()
        (folder / "bin/pulumi").write_text(content)
        cache.publish(folder, NAME_OF_ENGINE, Manifest.of(folder, [Path("bin/pulumi")], {"pulumi": "1.0.0"}))
    return cache.folder(NAME_OF_ENGINE) / "bin/pulumi"


def test_a_published_engine_is_found_with_its_versions(cache: Cache) -> None:
    publish(cache)
    found = cache.find(NAME_OF_ENGINE, thorough=True)
    assert found
    assert found.versions == {"pulumi": "1.0.0"}


def test_nothing_is_found_before_anything_is_published(cache: Cache) -> None:
    assert cache.find(NAME_OF_ENGINE) is None


def test_a_missing_file_is_damage(cache: Cache) -> None:
    publish(cache).unlink()
    assert cache.find(NAME_OF_ENGINE) is None


def test_a_file_that_was_cut_off_is_damage(cache: Cache) -> None:
    publish(cache).write_text("bin")
    assert cache.find(NAME_OF_ENGINE) is None


def test_a_file_of_the_same_size_with_other_contents_is_damage(cache: Cache) -> None:
    publish(cache).write_text("bimary")
    assert cache.find(NAME_OF_ENGINE) is None


def test_damage_that_hides_behind_the_old_time_is_found_by_the_thorough_look(cache: Cache) -> None:
    file = publish(cache)
    times = file.stat()
    file.write_text("bimary")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert cache.find(NAME_OF_ENGINE) is not None
    assert cache.find(NAME_OF_ENGINE, thorough=True) is None


def test_an_engine_restored_from_a_backup_is_undamaged_though_its_times_differ(cache: Cache) -> None:
    os.utime(publish(cache), (1, 1))
    assert cache.find(NAME_OF_ENGINE) is not None


@pytest.mark.parametrize("content", ["", "{", '{"versions": {}}', '{"versions": {}, "files": {"a": {}}}'])
def test_a_manifest_that_makes_no_sense_is_damage(cache: Cache, content: str) -> None:
    publish(cache)
    (cache.folder(NAME_OF_ENGINE) / NAME).write_text(content)
    assert cache.find(NAME_OF_ENGINE) is None


def test_a_damaged_engine_gives_way_to_the_new_one(cache: Cache) -> None:
    publish(cache).write_text("x")
    publish(cache, "better")
    assert cache.find(NAME_OF_ENGINE, thorough=True)
    assert (cache.folder(NAME_OF_ENGINE) / "bin/pulumi").read_text() == "better"
    assert list(cache.root.glob(f"{UNFINISHED}*")) == []


def test_an_engine_that_nothing_has_used_for_a_month_goes_when_another_is_made(cache: Cache) -> None:
    old, used = (cache.folder(f"built-{n}") for n in ("old", "used"))
    for folder in (old, used):
        folder.mkdir(parents=True)
        Manifest(versions={}, files={}).write(folder)
        os.utime(folder / NAME, (0, 0))
    assert cache.find("built-used")
    publish(cache)
    assert not old.exists()
    assert used.exists()


def test_a_failure_leaves_nothing_half_made(cache: Cache) -> None:
    made: list[Path] = []

    def break_off() -> None:
        with cache.making(NAME_OF_ENGINE, lambda _: None), cache.unfinished(NAME_OF_ENGINE) as folder:
            (folder / "half").write_text("")
            made.append(folder)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert cache.find(NAME_OF_ENGINE) is None
    assert [folder for folder in made if folder.exists()] == []


def test_what_a_killed_run_left_is_removed_by_the_next(cache: Cache) -> None:
    left = cache.root / f"{UNFINISHED}{NAME_OF_ENGINE}-dead"
    left.mkdir(parents=True)
    with cache.making(NAME_OF_ENGINE, lambda _: None), cache.unfinished(NAME_OF_ENGINE):
        assert not left.exists()


def test_a_second_run_says_who_holds_the_lock_and_waits(cache: Cache) -> None:
    told: list[str] = []
    waiting, entered = threading.Event(), threading.Event()

    def say(text: str) -> None:
        told.append(text)
        waiting.set()

    def second() -> None:
        with cache.making(NAME_OF_ENGINE, say):
            entered.set()

    thread = threading.Thread(target=second)
    with cache.making(NAME_OF_ENGINE, lambda _: None):
        thread.start()
        assert waiting.wait(30)
        assert not entered.is_set()
    assert entered.wait(30)
    thread.join(30)
    assert f"Process {os.getpid()} (" in told[0]
    assert "is making the same engine: waiting for it" in told[0]


def test_a_holder_that_cannot_be_named_is_another_process(cache: Cache) -> None:
    told: list[str] = []
    waiting = threading.Event()

    def say(text: str) -> None:
        told.append(text)
        waiting.set()

    def second() -> None:
        with cache.making(NAME_OF_ENGINE, say):
            pass

    thread = threading.Thread(target=second)
    with cache.making(NAME_OF_ENGINE, lambda _: None):
        (cache.root / f"{NAME_OF_ENGINE}.holder.json").write_text("half a li")
        thread.start()
        assert waiting.wait(30)
    thread.join(30)
    assert told[0].startswith("Another process is making the same engine")


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = Cache(tmp_path / "file" / "engine")
    with pytest.raises(CacheError) as caught, cache.making(NAME_OF_ENGINE, lambda _: None):
        pytest.fail("the lock was given")
    assert caught.value.exit_code == 46
    assert "cannot be used (Not a directory), so no engine can be made" in caught.value.message
    assert "XDG_CACHE_HOME" in (caught.value.cure or "")
