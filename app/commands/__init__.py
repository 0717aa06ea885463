"""The commands that app/cli.py gathers, one file per noun; heavy modules are imported inside the commands."""
