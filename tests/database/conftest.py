from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.storage.database import Database
from tests import databases
from tests.databases import KINDS, Fill, drop_made, nothing, prepared

databases.in_memory = True


@pytest.fixture(autouse=True)
def _dropped() -> Iterator[None]:
    """So that those of a whole run need not be kept."""
    yield
    drop_made()


@pytest.fixture
def content() -> Fill:
    """What every test of a module begins with, where it says so."""
    return nothing


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path, content: Fill) -> str:
    return prepared(request.param, tmp_path, content)


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = Database(url)
    yield opened
    opened.close()
