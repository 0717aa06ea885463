"""Kefu Manager (客服管家): reads the command and hands over. Imports nothing heavy.

Without a command, and for `demo`, the console opens; every other command runs headless.
"""

from __future__ import annotations

import sys


def main() -> int:
    if len(sys.argv) > 1:
        from app.cli import run

        return run(sys.argv[1:])
    from ui.application import Options
    from ui.application import run as console

    return console(Options())


if __name__ == "__main__":
    sys.exit(main())
