"""One house for the tests of a module: it takes a second to open."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.house import Inn, inn


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inn]:
    with inn(tmp_path_factory.mktemp("house")) as opened:
        yield opened
