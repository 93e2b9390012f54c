"""Flaws in plans of any tools, of which no more is known than their schemas."""
