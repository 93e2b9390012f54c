"""Faults on the user's own tools: functions, toolkits and MCP servers, in any pytest test."""
