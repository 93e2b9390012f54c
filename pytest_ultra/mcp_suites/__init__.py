"""Suites of tasks over the tools of MCP servers, written in TOML."""
