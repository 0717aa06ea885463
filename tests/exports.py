"""Exported files as supervisors have them, made in the test that needs them."""

from __future__ import annotations

import csv
import io
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

_FREE, _END = 0xFFFF_FFFF, 0xFFFF_FFFE
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


def locked(path: Path) -> Path:
    """A workbook as Excel keeps it under a password: a compound file with the encrypted package as a stream."""

    def entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
        text = name.encode("utf-16-le")
        told = struct.pack("<64sHBBIII", text, len(text) + 2 if text else 0, kind, 1, _FREE, _FREE, child)
        return told + bytes(36) + struct.pack("<IQ", start, size)

    sectors = 8
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<9I", 0, 1, 1, 0, 4096, _END, 0, _END, 0) + struct.pack("<109I", 0, *[_FREE] * 108)
    chain = [_FREE - 2, _END, *range(3, 2 + sectors), _END]
    table = struct.pack("<128I", *chain, *[_FREE] * (128 - len(chain)))
    folder = entry("Root Entry", 5, 1, _END, 0) + entry("EncryptedPackage", 2, _FREE, 2, 512 * sectors) + entry("", 0, _FREE, 0, 0) * 2
    path.write_bytes(header + table + folder + bytes(range(256)) * 2 * sectors)
    return path
