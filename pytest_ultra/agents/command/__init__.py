"""Any program as an agent: its process, and the MCP server through which it calls the tools."""
