"""Damaging a workflow on purpose, with proof that the damage shows and hurts."""
