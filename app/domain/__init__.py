"""Pure rules: events, the fold of a session, counters, metrics, attribution, presence, permissions. Imports only itself."""
