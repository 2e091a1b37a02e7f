"""Proves Tandem and its simulated services against the official libraries of Azure, Twilio,
OpenAI and MCP, and against our own document of the API, over loopback sockets. One line for each thing that is proved; the exit status is the
verdict."""

import asyncio
import json
import sys

import api_peer
import azure_peer
import mcp_peer
import openai_peer
import twilio_peer
from bench import Child, proved


async def javascript(modules, brought, sockets):
    """The same library in another language, which reads media too."""
    process = await asyncio.create_subprocess_exec(
        "node",
        f"{sys.path[0]}/azure.mjs",
        modules,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    lines = [json.dumps(json.loads(request.body)) for request in brought]
    lines += [message for socket in sockets for message in socket.received]
    out, _ = await process.communicate("\n".join(lines).encode())
    assert process.returncode == 0, "it says above what it cannot read"
    kinds = sorted(set(out.decode().split()))
    assert {"AudioMetadata", "AudioData", "CallConnected"} <= set(kinds), kinds
    proved(f"Azure's library for JavaScript reads them too, and the media: {', '.join(kinds)}")


async def main(programs, modules):
    await api_peer.prove(programs)
    await mcp_peer.prove(programs)
    async with Child(f"{programs}/examples/world") as world:
        brought, sockets, model = await azure_peer.prove(world)
        if modules:
            await javascript(modules, brought, sockets)
        else:
            print("- not proved: Azure's library for JavaScript, for there is no npm")
        model += await twilio_peer.prove(world, programs)
        await openai_peer.prove(world, programs, model)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
