"""Talking to endpoints: providers, the wire format, HTTP, and the embedded demo endpoint."""
