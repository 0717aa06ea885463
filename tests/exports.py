"""Exported files as supervisors have them, made in the test that needs them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

Rows = Sequence[Sequence[Any]]


def csv_file(path: Path, rows: Rows, encoding: str = "utf-8-sig", separator: str = ",") -> Path:
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator="\r\n").writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def workbook(path: Path, sheets: dict[str, Rows], merged: Sequence[tuple[str, int, int, int, int, str]] = ()) -> Path:
    """merged: (sheet, first row, first column, last row, last column, text), from 0. Ready formats are cells given as (value, format)."""
    book = xlsxwriter.Workbook(str(path))
    made = {name: book.add_worksheet(name) for name in sheets}
    formats = {}
    for name, rows in sheets.items():
        for r, row in enumerate(rows):
            for c, cell in enumerate(row):
                if isinstance(cell, tuple):
                    value, shape = cell
                    if shape not in formats:
                        formats[shape] = book.add_format({"num_format": shape})
                    made[name].write(r, c, value, formats[shape])
                elif cell is not None:
                    made[name].write(r, c, cell)
    for name, top, left, bottom, right, text in merged:
        made[name].merge_range(top, left, bottom, right, text)
    book.close()
    return path
