"""Schema, engine set-up per dialect, the recorder, queries, change notices."""
