"""Operations off the UI thread, live feed, preferences, owner-bound subscriptions, error reporter."""
