"""Rules of the house that a machine can check."""

from __future__ import annotations

import re
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest

from app.services import reference

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("app", "ui", "migrations", "benchmarks")
CODE = [*sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")), ROOT / "main.py"]


def test_the_core_loads_no_qt() -> None:
    """Every module of app, imported in a process of its own, leaves PySide6 and pyqtgraph unloaded."""
    modules = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in (ROOT / "app").rglob("*.py")]
    script = (
        f"import importlib, sys\nfor name in {modules!r}: importlib.import_module(name.removesuffix('.__init__'))\n"
        "loaded = {'PySide6', 'shiboken6', 'pyqtgraph', 'ui'} & {name.split('.')[0] for name in sys.modules}\n"
        "sys.exit(repr(loaded) if loaded else 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_main_imports_nothing_heavy() -> None:
    heavy = {"sqlalchemy", "PySide6", "click", "rich", "numpy", "msgspec"}
    script = f"import sys, main; print(*({heavy!r} & {{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("metrics.md", reference.metrics()), ("events.md", reference.event_contract()), ("imports.md", reference.imports()),
        ("settings.md", reference.settings()),
    ],
)  # fmt: skip
def test_derived_documents_are_up_to_date(name: str, text: str) -> None:
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == text, "run: python main.py reference"


def test_no_promises_instead_of_code() -> None:
    promise = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    found = [
        f"{path.relative_to(ROOT)}:{token.start[0]}"
        for path in CODE
        for token in _tokens(path)
        if token.string == "NotImplementedError" or (token.type == tokenize.COMMENT and promise.search(token.string))
    ]
    assert found == []


def test_only_storage_and_services_know_sql() -> None:
    """import-linter guards packages; this guards the drivers' names anywhere else."""
    allowed = (ROOT / "app/storage", ROOT / "app/services", ROOT / "migrations", ROOT / "benchmarks")
    found = [
        str(path.relative_to(ROOT))
        for path in CODE
        if not any(folder in path.parents for folder in allowed)
        and any(re.match(r"\s*(from|import) (sqlalchemy|psycopg|sqlite3)\b", line) for line in _lines(path))
    ]
    assert found == []


def test_keyring_is_imported_in_one_file() -> None:
    found = [str(path.relative_to(ROOT)) for path in CODE if any(re.match(r"\s*(from|import) keyring\b", line) for line in _lines(path))]
    assert found in ([], ["app/secrets.py"])


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def _tokens(path: Path) -> list[tokenize.TokenInfo]:
    with path.open("rb") as file:
        return list(tokenize.tokenize(file.readline))
