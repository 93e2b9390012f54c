"""The built-in benchmark: tasks, tools, optimal workflows, prompts and scoring. Pure, seeded, immutable values."""
