"""Everything that is true without a screen. Never imports PySide6 or ui."""
