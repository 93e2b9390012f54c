"""Flaw injectors: damage a workflow on purpose, and prove that the damage is visible and matters."""
