"""What a database's own catalogue says of its schema, as text that can be compared."""

from __future__ import annotations

import re

from sqlalchemy import Engine, text

_POSTGRES = {
    "columns": "SELECT table_name, column_name, data_type, character_maximum_length, is_nullable, column_default "
    "FROM information_schema.columns WHERE table_schema = 'public'",
    "indexes": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "constraints": "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE connamespace = 'public'::regnamespace",
    "sequences": "SELECT sequencename, data_type::text, start_value, increment_by FROM pg_sequences WHERE schemaname = 'public'",
    "triggers": "SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "functions": "SELECT proname, pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'",
    "policies": "SELECT tablename, policyname, cmd, qual, with_check FROM pg_policies WHERE schemaname = 'public'",
}


def shape(engine: Engine) -> dict[str, list[str]]:
    """{what: sorted descriptions} of everything in the schema. The order of a table's columns is left out."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            rows = connection.execute(text("SELECT type, name, coalesce(sql, '') FROM sqlite_master")).all()
            return {"sqlite": sorted(f"{kind} {name}: {_parts(sql)}" for kind, name, sql in rows)}
        return {what: sorted(str(tuple(row)) for row in connection.execute(text(query))) for what, query in _POSTGRES.items()}


def _parts(sql: str) -> list[str]:
    """The definitions of a CREATE statement, cut at the outermost commas."""
    flat = re.sub(r"\s+", " ", sql.replace('"', "")).strip()
    depth, start, found = 0, 0, []
    for position, letter in enumerate(flat):
        depth += (letter == "(") - (letter == ")")
        if (letter == "," and depth == 1) or (letter == "(" and depth == 1) or (letter == ")" and depth == 0):
            found.append(flat[start:position].strip())
            start = position + 1
    return sorted([*found, flat[start:].strip()])
