"""How the command line ends on a failure: taken through ``plantain.main``, which makes the exit code and the words."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr

import pytest

from plantain import main
from plantain.errors import PlantainError


def told(error: PlantainError) -> tuple[int, str]:
    """Exit code of a command that ends with a failure, and what stands on standard error."""

    def fails(**_: str) -> None:
        raise error

    words = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stderr(words):
        patch.setattr(main, "app", fails)
        with pytest.raises(SystemExit) as caught:
            main.main()
    code = caught.value.code
    assert isinstance(code, int)
    return code, words.getvalue()


@contextmanager
def ends(code: int, words: str) -> Iterator[None]:
    """What runs here fails, and the command line ends with this exit code and says these words and the cure."""
    with pytest.raises(PlantainError) as caught:
        yield
    found, shown = told(caught.value)
    assert (found, words in shown) == (code, True), f"{found}: {shown}"
    assert "Traceback" not in shown
    if caught.value.cure:
        assert f"  cure: {caught.value.cure}\n" in shown
