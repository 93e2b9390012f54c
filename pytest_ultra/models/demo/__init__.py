"""The embedded endpoint: plays the reference agents over real HTTP on loopback."""
