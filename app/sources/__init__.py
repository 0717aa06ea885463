"""Where events come from; one interface for all of them."""
