from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import settings

from app.domain.language import set_language

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

# The same examples in every run, however busy the machine; the campaigns are where chance has its place.
settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")

_failed = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    item.stash[_failed] = item.stash.get(_failed, False) or report.failed
    return report


_homes = count()


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Nothing of the person's own is read or written, and every test begins in Chinese. The folder does not exist yet."""
    home = tmp_path_factory.getbasetemp() / f"home-{next(_homes)}"
    monkeypatch.setenv("KEFU_HOME", str(home))
    set_language("zh")
    yield home
    set_language("zh")


@pytest.fixture(autouse=True)
def leak_net(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a test of the window that leaves a widget, timer or thread behind; a test that failed anyway has an excuse."""
    if not {"qapp", "qtbot"} & set(request.fixturenames):
        yield
        return
    from tests.leaks import assert_nothing_left, running

    before = running()
    gc.freeze()  # what is there already is not collected again: a million objects, which no test has made
    with pytest.MonkeyPatch.context() as patch:
        for name in ("freeze", "unfreeze"):  # the window that closes would thaw it
            patch.setattr(gc, name, lambda: None)
        yield
        if not request.node.stash.get(_failed, False):
            assert_nothing_left(before)
