"""Endpoints of models: provider profiles, the wire format, the HTTP client, and the redaction of secrets."""
