"""A small MCP server: `python shop_server.py ORDERS`, which appends orders to the file; or `make_server` in a test."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcp.server.mcpserver import MCPServer


@dataclass
class Price:
    """A result with a schema."""

    article: str
    cents: int
    pieces: int


def make_server(orders: Path) -> MCPServer:
    server = MCPServer("shop", instructions="Sells tea.")

    def order(article: str, pieces: int = 1) -> dict[str, Any]:
        """Order an article."""
        if pieces < 1:
            raise ValueError("order at least one piece")
        with orders.open("a") as file:
            file.write(f"{article}\n")
        return {"article": article, "number": len(orders.read_text().splitlines())}

    def price(article: str) -> Price:
        return Price(article=article, cents=1250, pieces=3)

    def articles() -> list[str]:
        return ["tea", "milk", "rice", "salt", "soap", "oil"]

    def report() -> str:
        return "article,pieces\n" + "".join(f"A{n},{n * 7}\n" for n in range(1, 9))

    def hours() -> str:
        return "9 to 5"

    def greet(name: str) -> str:
        return f"Greet {name}."

    for tool in (order, price, articles):
        server.add_tool(tool)
    server.add_tool(report, structured_output=False)
    server.resource("shop://hours")(hours)
    server.prompt()(greet)
    return server


if __name__ == "__main__":
    make_server(Path(sys.argv[1])).run()
