from __future__ import annotations

from collections.abc import Iterator

import pytest

from .deployment import Deployment


@pytest.fixture(scope="session")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The example campaign, deployed once by the real engine and shared by the tests of one worker."""
    made = Deployment.make(tmp_path_factory.mktemp("deployment"))
    try:
        made.stack.up()
        made.admit_artist()
        yield made
    finally:
        made.close()
