"""From settings to pytest items: the planned cases, their ids, and the built-in suite."""
