"""The embedded endpoint: plays the reference agents over real HTTP on loopback."""

BACKLOG = 1024
"""Connections that may wait at once: those of several hundred episodes come all together."""
