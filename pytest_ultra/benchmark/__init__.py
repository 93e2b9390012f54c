"""What is measured: tasks, tools, workflows, flaws, prompts, scoring; pure, frozen and seeded."""
