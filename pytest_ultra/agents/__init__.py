"""Agents drive the tools: so far, the text protocol of the built-in chat loop."""
