"""Servers of the Model Context Protocol, by the official library, as tools of calls; the same
library as an agent that has somebody rung; and the library of Standard Webhooks, which checks what
our tools are asked with."""

import asyncio
import contextlib
import json
import sys
import tempfile

from mcp import Client, StdioServerParameters
from standardwebhooks.webhooks import Webhook

from bench import PATIENCE, Desk, free_port, proved, tandem

CUSTOMER = "+15550113"
BUSY, NOBODY = "+15550101", "+15550102"
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
    await agents(programs)
    await signed(programs)


async def rings(agent, task):
    """Calls every tool there is; the library holds what they give against their schemas."""
    told = []

    async def call(tool, **arguments):
        result = await agent.call_tool(tool, arguments, progress_callback=progress)
        if result.is_error:
            trouble = json.loads(result.content[0].text)
            assert trouble["code"] and trouble["what_to_do"], trouble
            return trouble
        return result.structured_content

    async def progress(*heard):
        told.append(heard)

    ringing = await call("make_voice_call", to=NOBODY, task=task)
    waited = await call("wait_for_call", id=ringing["id"], wait_s=2)
    assert waited["call"]["outcome"] is None and told, "it tells that it waits"
    assert "ended" in await call("hang_up", id=ringing["id"])
    placed = await call("make_voice_call", to=BUSY, task=task)
    waited = await call("wait_for_call", id=placed["id"], wait_s=100)
    assert waited["call"]["outcome"] == "busy", waited
    assert (await call("get_call", id=placed["id"]))["number"] == BUSY
    assert (await call("get_transcript", id=placed["id"]))["transcript"] == []
    assert (await call("list_calls", limit=1))["calls"][0]["id"] == placed["id"]
    assert (await call("hang_up", id=placed["id"]))["ended"]
    assert "Brief" in (await call("get_calling_guide", topic="briefing"))["text"]
    assert (await call("get_call", id="nobody"))["code"] == "call_not_found"
    # Of what a server may not have yet, that it answers in a way that can be read.
    both = [{"to": BUSY}, {"to": NOBODY}]
    search = await call("compare_options", question="When do you open?", targets=both)
    await call("get_search", id=search.get("id", "none"))
    await call("choose_option", id=search.get("id", "none"), number=1, token="none")
    later = await call("schedule_call", to=BUSY, task=task, at="2099-01-01T09:00:00Z")
    await call("list_schedules")
    await call("cancel_schedule", id=later.get("id", "none"))
    asked = await call("request_approval", operation="Pay invoice 4711 to Ann")
    await call("get_approval", id=asked.get("id", "none"), wait_s=0)
    kept = await call("campaign", purpose=task, targets=[{"to": BUSY}])
    assert (await call("call_campaign_target", id=kept["id"], target=1, task=task))["id"]
    read = await agent.read_resource(f"call://{placed['id']}")
    assert json.loads(read.contents[0].text)["outcome"] == "busy"


async def agents(programs):
    async with tandem(programs) as api:
        at_home = StdioServerParameters(
            command=f"{programs}/tandem", args=["mcp"], env={"TANDEM_SERVER": api.url}
        )
        ways = {
            "over Streamable HTTP": (f"{api.url}/mcp", "auto"),
            "over Streamable HTTP, as hosts did before": (f"{api.url}/mcp", "legacy"),
            "as a program": (at_home, "auto"),
        }
        for way, (server, mode) in ways.items():
            async with Client(server, mode=mode) as agent:
                tools = (await agent.list_tools()).tools
                assert len(tools) == 17 and all(tool.output_schema for tool in tools), tools
                await rings(agent, f"Ask when they open, {way}.")
            proved(f"MCP's own client, {way}: has all our tools and calls each")


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
