"""The headless engine: takes events from a source and records them, in a process of its own."""
