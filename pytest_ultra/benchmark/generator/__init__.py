"""The task generator: a small grammar of sources, processing and deliveries over varied data, drawn from a seed."""
