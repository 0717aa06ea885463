"""Colour roles, type scale, spacing, icons, chart pens: the one place where the look is decided."""
