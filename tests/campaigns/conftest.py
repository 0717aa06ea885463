from __future__ import annotations

from pathlib import Path

import pytest

from tests.databases import KINDS, fresh


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def url(kind: str, tmp_path: Path) -> str:
    return fresh(kind, tmp_path)
