"""Streamed answers: server-sent events, and the chat completion that their deltas add up to."""
