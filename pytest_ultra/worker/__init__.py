"""The shard of one process: its client stack, its engine, and the results that its tests get."""
