"""Living episodes: many at once, in a background thread with its own event loop."""
