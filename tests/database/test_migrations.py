"""Old databases become new ones: the same as if made new, once, whole, and never without a copy."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from app.domain.counters import IMPORTED, Key
from app.domain.language import T
from app.domain.permissions import local_owner
from app.services.workspace import Workspace
from app.storage import backup, migrate, schema
from app.storage import database as database_module
from app.storage.bulk import Bulk
from app.storage.database import HEAD, Database, url_of
from app.storage.faults import FaultError
from app.storage.recorder import Recorder, add_counters, lock_store, open_store
from app.storage.search import index_pending
from tests.database.compare import record, stored
from tests.database.routed_store import RoutedStore, group
from tests.database.shape import shape
from tests.databases import KINDS, fresh
from tests.oracle.streams import random_stream

FOLLOWING = f"{int(HEAD) + 1:04}"
NEXT = """
import time
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "{following}", "{head}", None, None


def upgrade() -> None:
    op.add_column("stores", sa.Column("motto", sa.Text, nullable=False, server_default="x"))
    with op.batch_alter_table("stores") as batch:
        batch.alter_column("motto", server_default="customers first")
    op.execute("UPDATE stores SET motto = 'ours'")
    {then}
"""


def scripts(folder: Path, then: str = "pass") -> Path:
    """A copy of the migrations with one more."""
    copy = folder / "migrations 100%"
    shutil.copytree(migrate._SCRIPTS, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "versions" / f"{FOLLOWING}_next.py").write_text(NEXT.format(then=then, head=HEAD, following=FOLLOWING))
    return copy


@pytest.fixture
def next_release(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(migrate, "_SCRIPTS", scripts(tmp_path))
    monkeypatch.setattr(database_module, "HEAD", FOLLOWING)


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of a database without any schema."""
    return fresh(request.param, tmp_path)


class Unprepared:
    """As much of a Database as the migrations need, of one that is still empty."""

    def __init__(self, url: str) -> None:
        prepared = Database.__new__(Database)
        prepared.url = url_of(url)
        prepared.is_sqlite = prepared.url.get_backend_name() == "sqlite"
        build = database_module._sqlite_engine(prepared.url, 15) if prepared.is_sqlite else database_module._postgres_engine(prepared.url)
        prepared.engine = build
        self.database = prepared


def migrated(url: str) -> Database:
    database = Unprepared(url).database
    command.upgrade(migrate.config(database), "head")
    return database


def test_migrating_and_making_new_give_the_same_schema(url: str, database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "second"
    folder.mkdir()
    second = migrated(fresh("sqlite" if database.is_sqlite else "postgresql", folder))
    try:
        assert shape(second.engine) == shape(database.engine)
        with second.engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"target_metadata": schema.metadata})
            assert compare_metadata(context, schema.metadata) == []
        assert second.schema_revision() == database.schema_revision() == HEAD
    finally:
        second.close()


def test_the_shape_sees_what_alembic_does_not(database: Database) -> None:
    """The comparison above is worth as much as what it can tell apart."""
    before = shape(database.engine)
    with database.write() as connection:
        connection.execute(text("DROP INDEX ix_sessions_open"))
        connection.execute(text("CREATE INDEX ix_sessions_open ON sessions (store_id, agent_id)"))
    assert shape(database.engine) != before


def test_head_is_the_newest_script(database: Database) -> None:
    found = ScriptDirectory.from_config(migrate.config(database))
    assert found.get_heads() == [HEAD]
    assert found.get_bases() == ["0001"]
    assert [script.revision for script in found.walk_revisions()] == [f"{n:04}" for n in range(int(HEAD), 0, -1)]


_HOURS = ("agent_hours", "group_halves")
_HISTORY = ("settings_revisions", "imported_days", "imported_gaps", "imported_orders", "import_columns", "imports", "search_pending",
            "search_segments", "search_blocks", "saved_reports", "agent_days", *_HOURS, "decisions", "commands")  # fmt: skip


def test_agent_days_are_filled_from_the_counters_of_a_first_release(url: str, database: Database) -> None:
    record(database, [random_stream(5, 60)], "Asia/Shanghai")
    days = _rows(database, "agent_days", len(schema.agent_days.primary_key))
    hours = _hours(database)
    talked = _rows(database, "transcripts", 1).keys()
    with database.write() as connection:
        for table in _HISTORY:
            connection.execute(text(f"DROP TABLE {table}"))
        connection.execute(text("ALTER TABLE stores DROP COLUMN assessed_rule"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    second = Database(url)
    try:
        assert any(key[-1] for key in days), "none of the sessions is assessed: the test shows nothing"
        assert _rows(second, "agent_days", len(schema.agent_days.primary_key)) == days
        assert _hours(second) == hours
        assert _rows(second, "search_pending", 1).keys() == talked
    finally:
        second.close()


def test_hours_are_filled_from_the_counters_of_a_second_release(url: str, database: Database) -> None:
    """Imported days among them, which have no hours."""
    record(database, [random_stream(6, 60)], "Asia/Shanghai")
    store = open_store(database, "shop")
    with database.write() as connection:
        bulk = Bulk(connection)
        lock_store(bulk, store)
        add_counters(bulk, store, {Key(20_000, -1, 1, 0, 0, IMPORTED): {"consults": 70, "received": 60}})
        bulk.close()
    hours = _hours(database)
    agents, groups = hours
    assert {key[3] for key in agents} >= {-1, 12}
    assert any(key[2] % 2 for key in groups)
    _back_to_the_second_release(database)
    second = Database(url)
    try:
        assert _hours(second) == hours
        stored(second)
    finally:
        second.close()


def _back_to_the_second_release(database: Database) -> None:
    with database.write() as connection:
        for table in _HOURS:
            connection.execute(text(f"DROP TABLE {table}"))
        connection.execute(text("ALTER TABLE decisions DROP COLUMN leave_rule_revision"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0002'"))


def _hours(database: Database) -> list[dict[tuple[object, ...], tuple[object, ...]]]:
    return [_rows(database, table, len(schema.metadata.tables[table].primary_key)) for table in _HOURS]


def test_decisions_of_a_third_release_are_kept_and_go_on(url: str, database: Database) -> None:
    """Of theirs the revision of the leave rule is not known; of those that follow it is."""
    store = RoutedStore(database, group("g", {"a": 6}), here="a")
    store.opens("s1")
    store.database.close()
    with database.write() as connection:
        connection.execute(text("ALTER TABLE decisions DROP COLUMN leave_rule_revision"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0003'"))
    second = Database(url)
    try:
        assert second.schema_revision() == HEAD
        store.database, store.workspace, store.recorder = second, Workspace(second, local_owner()), Recorder(second, store.store)
        store.restart()
        store.workspace.settings.save(store.info, "leave_rule", {"on": True, "agents": ["a"]})
        store.opens("s2")
        assert [store.last(session).revisions for session in ("s1", "s2")] == [(1, 1, None), (1, 1, 1)]
        assert store.has("s1", "s2") == "a a"
    finally:
        second.close()


def test_transcripts_of_a_second_release_are_indexed_anew(url: str, database: Database) -> None:
    record(database, [random_stream(7, 30)], "Asia/Shanghai")
    store = open_store(database, "shop")
    talked = _rows(database, "transcripts", 1).keys()
    index_pending(database, store, 2**42, threading.Event())
    assert talked > _rows(database, "search_pending", 1).keys()  # some have never been heard to open
    _back_to_the_second_release(database)
    second = Database(url)
    try:
        assert _rows(second, "search_pending", 1).keys() == talked
        assert not _rows(second, "search_segments", 1)
        assert not _rows(second, "search_blocks", 1)
        assert index_pending(second, store, 2**42, threading.Event())
    finally:
        second.close()


def _rows(database: Database, table: str, keys: int) -> dict[tuple[object, ...], tuple[object, ...]]:
    """{key: what is not 0}, without rows of nothing but zeros."""
    with database.read() as connection:
        rows = connection.execute(text(f"SELECT * FROM {table}")).all()
    return {tuple(row[:keys]): held for row in rows if any(held := tuple(value or 0 for value in row[keys:])) or len(row) == keys}


def test_a_new_script_starts_with_the_policy(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "migrations"
    shutil.copytree(migrate._SCRIPTS, copy)
    monkeypatch.setattr(migrate, "_SCRIPTS", copy)
    with database.write() as connection:
        connection.execute(text("CREATE TABLE leftover (id INTEGER)"))
    command.revision(migrate.config(database), "next", autogenerate=True, rev_id="0099")
    written = (copy / "versions" / "0099_next.py").read_text(encoding="utf-8")
    compile(written, "0099_next.py", "exec")
    assert "Forward only" in written
    assert "leftover" in written
    assert f"down_revision = '{HEAD}'" in written


def test_a_database_of_a_newer_program_is_refused_and_left_alone(url: str, database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0999'"))
    before = shape(database.engine)
    with pytest.raises(FaultError) as caught:
        Database(url)
    assert caught.value.kind == "newer"
    assert shape(database.engine) == before
    assert database.schema_revision() == "0999"


@pytest.mark.usefixtures("next_release")
class TestUpgrade:
    @pytest.fixture
    def old(self, url: str, monkeypatch: pytest.MonkeyPatch) -> str:
        """The URL of a database of the release before, with data in it."""
        with monkeypatch.context() as patch:
            patch.setattr(database_module, "HEAD", HEAD)
            database = Database(url)
            open_store(database, "shop")
            record(database, [random_stream(3, 10)], "Asia/Shanghai")
            database.close()
        return url

    def test_upgraded_on_opening_with_everything_in_it(self, old: str, url: str) -> None:
        engine = create_engine(url_of(old))
        with engine.connect() as connection:
            people = connection.execute(text("SELECT count(*) FROM agents")).scalar()
        engine.dispose()
        database = Database(old)
        assert database.schema_revision() == FOLLOWING
        assert "motto" in str(shape(database.engine))
        with database.read() as connection:
            assert connection.execute(text("SELECT motto FROM stores")).scalar() == "ours"
            assert connection.execute(text("SELECT count(*) FROM agents")).scalar() == people  # their parent was copied under them
        record(database, [random_stream(4, 10)], "Asia/Shanghai")
        assert stored(database)[0]
        database.close()
        Database(old).close()
        if database.path is not None:
            (copy,) = backup.copies(database)  # opening a second time made none
            held = create_engine(f"sqlite:///{copy}")
            with held.connect() as connection:
                assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == HEAD
            held.dispose()

    def test_several_at_once_upgrade_it_once(self, old: str) -> None:
        failed: list[BaseException] = []

        def open_it() -> None:
            try:
                Database(old).close()
            except BaseException as error:
                failed.append(error)

        threads = [threading.Thread(target=open_it) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failed
        database = Database(old)
        assert database.schema_revision() == FOLLOWING
        database.close()

    def test_a_failing_migration_changes_nothing(self, old: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        before = _shape(old)
        (tmp_path / "failing").mkdir()
        monkeypatch.setattr(migrate, "_SCRIPTS", scripts(tmp_path / "failing", "raise ZeroDivisionError"))
        with pytest.raises(ZeroDivisionError):
            Database(old)
        assert _shape(old) == before

    def test_a_migration_that_orphans_rows_is_refused(self, old: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        (tmp_path / "orphaning").mkdir()
        monkeypatch.setattr(migrate, "_SCRIPTS", scripts(tmp_path / "orphaning", "op.execute('DELETE FROM stores')"))
        with pytest.raises(Exception, match=r"without their parents|foreign key"):
            Database(old)
        monkeypatch.setattr(database_module, "HEAD", HEAD)
        database = Database(old)
        assert database.stores()
        database.close()

    def test_killed_half_way(self, old: str, tmp_path: Path) -> None:
        """SIGKILL between two statements of a migration: the old database is there, opens, and can be upgraded."""
        before = _shape(old)
        (tmp_path / "slow").mkdir()
        mark = tmp_path / "half-way"
        slow = scripts(tmp_path / "slow", f"open({str(mark)!r}, 'w').close(); time.sleep(600)")
        child = subprocess.Popen(
            [
                sys.executable, "-c",
                "import sys; from pathlib import Path; from app.storage import database, migrate; "
                f"database.HEAD = '{FOLLOWING}'; migrate._SCRIPTS = Path(sys.argv[2]); database.Database(sys.argv[1])",
                old, str(slow),
            ],
            cwd=Path(__file__).resolve().parents[2],
        )  # fmt: skip
        try:
            end = time.monotonic() + 60
            while not mark.exists() and child.poll() is None and time.monotonic() < end:
                time.sleep(0.01)
            assert mark.exists()
        finally:
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
        assert _shape(old) == before
        database = Database(old)
        assert database.schema_revision() == FOLLOWING
        assert stored(database)[0]
        database.close()


def _shape(url: str) -> dict[str, list[str]]:
    database = Unprepared(url).database
    try:
        return shape(database.engine)
    finally:
        database.close()


class TestBackup:
    @pytest.fixture
    def database(self, tmp_path: Path) -> Database:
        return Database(str(tmp_path / "my store [1].db"))

    def test_seven_are_kept_and_others_left_alone(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        assert database.path is not None
        folder = database.path.parent / "backups"
        folder.mkdir()
        strangers = {folder / "my store [1]-2-20200101-000000.db", folder / "notes.db", folder / "other-20200101-000000.db"}
        for stranger in strangers:
            stranger.touch()
        for day in range(1, 10):
            monkeypatch.setattr(backup.time, "strftime", lambda _, day=day: f"2026010{day}-120000")
            backup.back_up(database)
        kept = set(folder.iterdir()) - strangers
        assert sorted(path.name for path in kept) == [f"my store [1]-2026010{day}-120000.db" for day in range(3, 10)]
        assert strangers < set(folder.iterdir())

    def test_a_clock_set_back_never_costs_the_new_copy(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        for year in range(2030, 2037):
            monkeypatch.setattr(backup.time, "strftime", lambda _, year=year: f"{year}0101-120000")
            backup.back_up(database)
        monkeypatch.setattr(backup.time, "strftime", lambda _: "20260101-120000")
        assert backup.back_up(database).exists()

    def test_once_a_day(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        assert backup.backup_if_due(database) is not None
        assert backup.backup_if_due(database) is None
        (copy,) = backup.copies(database)
        os.utime(copy, (time.time() - 90_000,) * 2)
        monkeypatch.setattr(backup.time, "strftime", lambda _: "20990101-120000")
        assert backup.backup_if_due(database) is not None

    def test_a_copy_while_others_write_opens_and_is_whole(self, database: Database) -> None:
        record(database, [random_stream(3, 10)], "Asia/Shanghai")
        with database.engine.connect() as reading:
            reading.execute(text("SELECT count(*) FROM sessions")).scalar()
            copy = Database(str(backup.back_up(database)))
        assert stored(copy) == stored(database)
        copy.close()

    def test_no_place_for_a_copy(self, database: Database) -> None:
        assert database.path is not None
        (database.path.parent / "backups").write_text("a file where the folder should be")
        with pytest.raises(FaultError) as caught:
            backup.back_up(database)
        assert isinstance(caught.value.sentence, T)

    @pytest.mark.skipif(sys.platform == "win32", reason="no limit on file sizes to be had")
    def test_a_copy_that_failed_leaves_nothing(self, database: Database) -> None:
        import resource

        assert database.path is not None
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
        try:
            with pytest.raises(FaultError):
                backup.back_up(database)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert list((database.path.parent / "backups").iterdir()) == []

    def test_a_server_is_backed_up_by_its_administrator(self, tmp_path: Path) -> None:
        database = Database(fresh("postgresql", tmp_path))
        assert backup.backup_if_due(database) is None
        database.close()
