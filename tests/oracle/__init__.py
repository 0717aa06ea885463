"""An oracle that shares no code with the program, and the streams to try both with.

Nothing in here imports `app`: events are plain dicts as in the event contract, and every number is computed a second time,
slowly, straight from its definition.
"""
