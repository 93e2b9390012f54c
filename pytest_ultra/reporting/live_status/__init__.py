"""The live status of a run: progress, forecast and display."""
