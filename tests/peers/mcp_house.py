"""A server of the Model Context Protocol by the official library: bookings that can be cancelled.
It writes down each cancellation as a line of a file."""

import os
import sys

from mcp.server.mcpserver import MCPServer
from mcp.types import ToolAnnotations

server = MCPServer("house")
written = sys.argv[1]


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def opening_hours() -> str:
    """Tells when the house is open."""
    return "From nine to five."


@server.tool()
def cancel_booking(booking: str) -> dict:
    """Cancels a booking for good."""
    with open(written, "a", encoding="utf-8") as lines:
        ours = [name for name in os.environ if name.startswith("TANDEM__") and "KEY" in name]
        lines.write(f"{booking} {len(ours)}\n")
    return {"spoken_message": f"The booking {booking} is cancelled."}


if len(sys.argv) > 2:
    server.run("streamable-http", port=int(sys.argv[2]))
else:
    server.run()
