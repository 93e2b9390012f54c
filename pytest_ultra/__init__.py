"""Measure how well LLM agents do multi-step tool work when plans are flawed and tools are unreliable."""

__version__ = "0.1.0"
