"""Reports of results: terminal, Markdown, HTML, charts, live status."""
