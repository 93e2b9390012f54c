"""Making tasks from seeds: a small grammar of sources, processing and deliveries over varied data."""
