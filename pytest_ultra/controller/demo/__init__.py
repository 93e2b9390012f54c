"""The embedded endpoint: serves the reference agents over real HTTP on loopback."""

BACKLOG = 1024
"""Most connections that may wait at the same time: several hundred episodes connect at once."""
