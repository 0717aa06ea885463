"""Exports of the original tool and its neighbours, xlsx or CSV, into typed rows; nothing here knows a database."""

from app.sources.jd_export.counting import counts
from app.sources.jd_export.fields import FIELDS, normal
from app.sources.jd_export.reading import MOST_PROBLEMS, Column, Export, Problem, Record, Totals, read
from app.sources.jd_export.tables import UnreadableError

__all__ = ["FIELDS", "MOST_PROBLEMS", "Column", "Export", "Problem", "Record", "Totals", "UnreadableError", "counts", "normal", "read"]
