"""Random faults of tools: when they happen, and how they change a result. A library over any tool and JSON value."""
