"""Servers of the Model Context Protocol, by the official library, as tools of calls; and the
library of Standard Webhooks, which checks what our tools are asked with."""

import asyncio
import contextlib
import json
import sys
import tempfile

from standardwebhooks.webhooks import Webhook

from bench import PATIENCE, Desk, free_port, proved, tandem

CUSTOMER = "+15550113"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
HOUSE = f"{sys.path[0]}/mcp_house.py"


async def cancels(api):
    """Somebody in the rehearsal cancels a booking: is asked, says yes, and is told."""
    order = {"to": CUSTOMER, "task": "Keep the task list."}
    async with api.client.post(f"{api.url}/v1/calls", json=order) as answer:
        assert answer.status == 202, await answer.text()
        call = (await answer.json())["id"]
    await api.ended(call)
    async with api.client.get(f"{api.url}/v1/calls/{call}/transcript") as answer:
        turns = (await answer.json())["transcript"]
    return " ".join(turn["text"] for turn in turns)


async def through(programs, written, settings):
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as config:
        config.write(settings)
        config.flush()
        async with tandem(programs, TANDEM_CONFIG=config.name, TANDEM__MODEL__KEY="k") as api:
            said = await cancels(api)
    assert "Shall I do this: cancel booking, with booking A7?" in said, said
    assert "The booking A7 is cancelled." in said, said
    with open(written, encoding="utf-8") as lines:
        assert lines.read() == "A7 0\n", "once, and without our secrets"


@contextlib.asynccontextmanager
async def over_http(written):
    port = free_port()
    house = await asyncio.create_subprocess_exec(
        sys.executable,
        HOUSE,
        written,
        str(port),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                await asyncio.sleep(0.1)
        yield port
    finally:
        house.terminate()
        await house.wait()


async def prove(programs):
    with tempfile.TemporaryDirectory() as folder:
        written = f"{folder}/stdio"
        command = json.dumps([sys.executable, HOUSE, written])
        await through(programs, written, f'[[mcp]]\nname = "house"\ncommand = {command}\n')
        proved("MCP's own server, as a program: a booking is cancelled once, after a yes")
        written = f"{folder}/http"
        async with over_http(written) as port:
            url = f"http://127.0.0.1:{port}/mcp"
            await through(programs, written, f'[[mcp]]\nname = "house"\nurl = "{url}"\n')
        proved("MCP's own server, over Streamable HTTP: the same")
    await signed(programs)


async def signed(programs):
    said = '{"spoken_message":"The booking A7 is cancelled."}'
    async with Desk(serves=lambda _: (200, "application/json", said)) as desk:
        settings = (
            '[[tools]]\nname = "cancel_booking"\ndescription = "Cancels a booking."\n'
            f'url = "http://{desk.address}/"\nrisk = "destructive"\n'
            'parameters = { type = "object", properties = { booking = { type = "string" } } }\n'
        )
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as config:
            config.write(settings)
            config.flush()
            secret = {"TANDEM__TOOLS__CANCEL_BOOKING__SECRET": SECRET}
            async with tandem(programs, TANDEM_CONFIG=config.name, **secret) as api:
                await cancels(api)
        [asked] = desk.seen
        body = Webhook(SECRET).verify(asked.body.decode(), dict(asked.headers))
        assert json.loads(asked.body)["arguments"] == {"booking": "A7"}, body
    proved("the library of Standard Webhooks takes the signature of a tool's request")
