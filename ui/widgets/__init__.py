"""Tiles, tables, charts, drawers, forms: they take data and know no services."""
