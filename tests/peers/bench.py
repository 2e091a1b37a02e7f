"""What the proofs stand on: the simulated services, a running Tandem, and relays that write down
what passes through them."""

import asyncio
import contextlib
import json
import os
import socket
import tempfile
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

# No call of a rehearsal takes longer.
PATIENCE = 120
# Of the one connection that a request came over, not of the request.
HOP = {"host", "connection", "upgrade", "content-length", "transfer-encoding", "keep-alive"}
HANDSHAKE = "sec-websocket-"


def proved(what):
    print(f"✓ {what}", flush=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Request:
    """A request that passed, and what was answered; of a socket also its messages."""

    method: str
    path: str
    headers: CIMultiDict
    body: bytes
    status: int = 0
    answer: str = ""
    received: list = field(default_factory=list)
    sent: list = field(default_factory=list)


class Desk:
    """A door on loopback. What `serves` does not answer goes on to `leads_to`."""

    def __init__(self, leads_to=None, serves=None):
        self.leads_to, self.serves = leads_to, serves
        self.seen = []
        self._changed = asyncio.Condition()

    async def __aenter__(self):
        self._client = aiohttp.ClientSession(auto_decompress=False)
        app = web.Application(client_max_size=2**20)
        app.router.add_route("*", "/{rest:.*}", self._take)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, shutdown_timeout=1)
        await site.start()
        host, port = self._runner.addresses[0]
        self.address = f"{host}:{port}"
        return self

    async def __aexit__(self, *_):
        await self._client.close()
        await self._runner.cleanup()

    async def until(self, wanted):
        """The first request that is wanted, once there is one."""

        def found():
            return next((request for request in self.seen if wanted(request)), None)

        async with asyncio.timeout(PATIENCE), self._changed:
            await self._changed.wait_for(lambda: found() is not None)
            return found()

    async def _note(self):
        async with self._changed:
            self._changed.notify_all()

    async def _take(self, request):
        body = await request.read()
        seen = Request(request.method, request.path_qs, request.headers.copy(), body)
        self.seen.append(seen)
        if request.headers.get("upgrade", "").lower() == "websocket":
            return await self._socket(request, seen)
        status, kind, answer = await self._answered(seen)
        seen.status, seen.answer = status, answer
        await self._note()
        headers = {"content-type": kind} if kind else {}
        return web.Response(status=status, headers=headers, text=answer)

    async def _answered(self, seen):
        ours = self.serves and self.serves(seen)
        if ours:
            return ours
        url = f"http://{self.leads_to}{seen.path}"
        request = self._client.request(seen.method, url, headers=kept(seen), data=seen.body)
        async with request as answer:
            return answer.status, answer.headers.get("content-type"), await answer.text()

    async def _socket(self, request, seen):
        if self.serves and self.serves(seen):
            return await self._listen(request, seen)
        url = f"ws://{self.leads_to}{seen.path}"
        try:
            there = await self._client.ws_connect(url, headers=kept(seen), max_msg_size=0)
        except aiohttp.WSServerHandshakeError as error:
            seen.status = error.status
            await self._note()
            return web.Response(status=error.status)
        here = web.WebSocketResponse(max_msg_size=0)
        await here.prepare(request)
        seen.status = 101
        await self._note()
        ways = [
            asyncio.create_task(self._pass(here, there, seen.received)),
            asyncio.create_task(self._pass(there, here, seen.sent)),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        code = here.close_code or there.close_code or 1000
        for end in (here, there):
            await end.close(code=code if code != 1006 else 1000)
        await asyncio.wait(ways)
        return here

    async def _listen(self, request, seen):
        here = web.WebSocketResponse(max_msg_size=0)
        await here.prepare(request)
        seen.status = 101
        async for message in here:
            seen.received.append(message.data)
            await self._note()
        return here

    async def _pass(self, source, to, written):
        async for message in source:
            if message.type != aiohttp.WSMsgType.TEXT:
                continue
            written.append(message.data)
            with contextlib.suppress(ConnectionError):
                await to.send_str(message.data)
            await self._note()


def kept(seen):
    return {
        name: value
        for name, value in seen.headers.items()
        if name.lower() not in HOP and not name.lower().startswith(HANDSHAKE)
    }


class Child:
    """A program of ours that says in its first line where it is."""

    def __init__(self, *command, **settings):
        self.command = command
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith("TANDEM")
        } | settings

    async def __aenter__(self):
        self.process = await asyncio.create_subprocess_exec(
            *self.command,
            env=self.environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        self.card = await self._line()
        return self

    async def __aexit__(self, *_):
        self.process.stdin.close()
        if self.process.returncode is None:
            self.process.terminate()
        await self.process.wait()

    async def order(self, line):
        self.process.stdin.write(f"{line}\n".encode())
        answer = await self._line()
        assert "error" not in answer, f"{line}: {answer['error']}"
        return answer["ok"]

    async def _line(self):
        async with asyncio.timeout(PATIENCE):
            line = await self.process.stdout.readline()
        assert line, f"{self.command[0]} has ended"
        return json.loads(line)


class Api:
    """The interface of a running Tandem."""

    def __init__(self, client, url, door):
        self.client, self.url, self.door = client, url, door

    async def place(self, to):
        order = {"to": to, "task": "Ask for a table for four at seven tonight."}
        async with self.client.post(f"{self.url}/v1/calls", json=order) as answer:
            assert answer.status == 202, await answer.text()
            return (await answer.json())["id"]

    async def inbound(self):
        """The one call that came in."""
        calls = [one for one in await self.calls() if one["direction"] == "inbound"]
        assert len(calls) == 1, calls
        return calls[0]["id"]

    async def calls(self):
        async with self.client.get(f"{self.url}/v1/calls") as answer:
            return (await answer.json())["calls"]

    async def ended(self, call):
        """A call that is over."""
        return await self._until(call, lambda shown: shown["lifecycle"] == "finalized")

    async def loses_its_model(self, call):
        """In a rehearsal: a session is cut off in a conversation that has begun."""
        await self._until(f"{call}/transcript", lambda shown: shown["transcript"])
        fault = {"call_id": call, "part": "model", "how": "error"}
        async with self.client.post(f"{self.url}/rehearsal/faults", json=fault) as answer:
            assert answer.status == 202, await answer.text()

    async def _until(self, what, wanted):
        async with asyncio.timeout(PATIENCE):
            while True:
                async with self.client.get(f"{self.url}/v1/calls/{what}") as answer:
                    shown = await answer.json()
                if wanted(shown):
                    return shown
                await asyncio.sleep(0.2)


@contextlib.asynccontextmanager
async def tandem(programs, **settings):
    """The program, with a data directory of its own."""
    door = f"127.0.0.1:{free_port()}"
    with tempfile.TemporaryDirectory() as data:
        settings |= {
            "TANDEM__HTTP__LISTEN": "127.0.0.1:0",
            "TANDEM__HTTP__CARRIERS": door,
            "TANDEM__STORE__DIR": data,
            "TANDEM__LIMITS__DRAIN_S": "0",
            "TANDEM__LOG__FILTER": "error",
        }
        async with (
            Child(f"{programs}/tandem", "serve", "--json", **settings) as child,
            aiohttp.ClientSession() as client,
        ):
            yield Api(client, child.card["listening"], door)
