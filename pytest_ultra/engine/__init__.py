"""The engine: runs many episodes at once, in a background thread with its own event loop."""
