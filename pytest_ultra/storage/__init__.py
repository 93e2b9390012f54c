"""What a run keeps on disk: journals, the store, cassettes, generated workflows, the JSON document."""
