"""Twilio's own library against the simulated Twilio, and what the simulated Twilio and a running
Tandem sign and answer checked by that library."""

import asyncio
from urllib.parse import parse_qsl, urlencode
from xml.etree import ElementTree

import aiohttp
from multidict import MultiDict
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from twilio.twiml.voice_response import Connect, VoiceResponse

from bench import PATIENCE, Desk, proved, tandem

RESTAURANT, BUSY, SILENT, TASKS = "+15550100", "+15550101", "+15550105", "+15550110"
SIGNATURE = "X-Twilio-Signature"
OWN = "/sdk/"
FORM = "application/x-www-form-urlencoded"


class Account:
    def __init__(self, world):
        self.world, self.card = world, world.card["twilio"]
        self.public = self.card["public_url"]
        self.validator = RequestValidator(self.card["auth_token"])
        self.client = self.opened(self.card["auth_token"])

    def opened(self, password):
        client = Client(self.card["account"], password)
        client.api.base_url = self.card["api_url"]
        client.http_client.session.trust_env = False
        return client

    def is_signed(self, request):
        """Whether a request that came through the tunnel carries Twilio's signature."""
        url, form = f"{self.public}{request.path}", MultiDict()
        if request.headers.get("Upgrade", "").lower() == "websocket":
            url = url.replace("https://", "wss://", 1)
        else:
            assert request.headers["Content-Type"].split(";")[0] == FORM
            form = MultiDict(parse_qsl(request.body.decode(), keep_blank_values=True))
        return self.validator.validate(url, form, request.headers[SIGNATURE])

    def form(self, request):
        return dict(parse_qsl(request.body.decode(), keep_blank_values=True))

    async def place(self, to):
        """A call whose TwiML the library wrote."""
        twiml = VoiceResponse()
        connect = Connect()
        connect.stream(url=f"{self.public.replace('https', 'wss')}{OWN}media").parameter(
            name="call", value="c-1"
        )
        twiml.append(connect)
        return await asyncio.to_thread(
            self.client.calls.create,
            to=to,
            from_=self.world.card["number"],
            twiml=twiml,
            status_callback=f"{self.public}{OWN}events",
            status_callback_event=["initiated", "ringing", "answered", "completed"],
            timeout=30,
            machine_detection="DetectMessageEnd",
            async_amd="true",
            async_amd_status_callback=f"{self.public}{OWN}amd",
        )

    async def comes_to(self, call, status):
        async with asyncio.timeout(PATIENCE):
            while True:
                shown = await asyncio.to_thread(self.client.calls(call).fetch)
                assert shown.sid == call and shown._from and shown.to
                if shown.status == status:
                    return shown
                await asyncio.sleep(0.1)


def serves(request):
    return (200, "text/xml", "<Response/>") if request.path.startswith(OWN) else None


async def prove(world, programs):
    account = Account(world)
    tunnel = Desk(serves=serves)
    async with tunnel, Desk(world.card["model"]["url"].split("/")[2]) as model:
        await world.order(f"lead-twilio-to {tunnel.address}")
        await orders(account, tunnel)
        await refusals(account)
        running = tandem(
            programs,
            TANDEM__HTTP__PUBLIC_URL=account.public,
            TANDEM__CARRIER__KIND="twilio",
            TANDEM__POLICY__HOURS="always",
            TANDEM__CARRIER__NUMBER=world.card["number"],
            TANDEM__TWILIO__ACCOUNT_SID=account.card["account"],
            TANDEM__TWILIO__AUTH_TOKEN=account.card["auth_token"],
            TANDEM__TWILIO__API_URL=account.card["api_url"],
            TANDEM__MODEL__URL=f"ws://{model.address}/v1/realtime",
            TANDEM__MODEL__KEY=world.card["model"]["key"],
        )
        async with running as server:
            tunnel.leads_to = server.door
            await calls(account, tunnel, server)
            await forged(account, server)
        return model.seen


async def orders(account, tunnel):
    call = await account.place(SILENT)
    assert call.sid.startswith("CA") and call.status in ("queued", "initiated"), call.status
    await account.comes_to(call.sid, "in-progress")
    listed = await asyncio.to_thread(account.client.calls.list, limit=20)
    assert call.sid in [one.sid for one in listed]
    hang_up = VoiceResponse()
    hang_up.hangup()
    await asyncio.to_thread(account.client.calls(call.sid).update, twiml=hang_up)
    await account.comes_to(call.sid, "completed")
    call = await account.place(SILENT)
    await account.comes_to(call.sid, "in-progress")
    recording = await asyncio.to_thread(
        account.client.calls(call.sid).recordings.create,
        recording_channels="dual",
        recording_status_callback=f"{account.public}{OWN}recording",
        recording_status_callback_method="POST",
        recording_status_callback_event=["completed"],
    )
    assert recording.sid.startswith("RE") and recording.status == "in-progress"
    updated = await asyncio.to_thread(account.client.calls(call.sid).update, status="completed")
    assert updated.sid == call.sid
    await account.comes_to(call.sid, "completed")
    call = await account.place(BUSY)
    await account.comes_to(call.sid, "busy")
    proved("Twilio's library places, fetches, lists, redirects, records and ends calls")
    await tunnel.until(lambda request: b"CallStatus=busy" in request.body)
    own = [request for request in tunnel.seen if request.path.startswith(OWN)]
    media = [request for request in own if request.path == f"{OWN}media"]
    assert len(media) == 2 and all(map(account.is_signed, own))
    for request in own:
        request.headers[SIGNATURE] = request.headers[SIGNATURE][::-1]
    assert not any(map(account.is_signed, own))
    proved("Twilio's library validates the webhooks and media sockets of its own calls")


async def refusals(account):
    async def refused(code, order, **given):
        try:
            await asyncio.to_thread(order, **given)
        except TwilioRestException as error:
            assert error.code == code, error
        else:
            raise AssertionError(f"not refused with {code}")

    number = account.world.card["number"]
    twiml = "<Response><Hangup/></Response>"
    create = account.client.calls.create
    await refused(21211, create, to="15550100", from_=number, twiml=twiml)
    await refused(21210, create, to=RESTAURANT, from_="+15550198", twiml=twiml)
    await refused(20404, account.client.calls("CA" + "0" * 32).fetch)
    await refused(20404, account.client.calls("CA" + "0" * 32).update, status="completed")
    stranger = account.opened("0" * 32)
    await refused(20003, stranger.calls.create, to=RESTAURANT, from_=number, twiml=twiml)
    await refused(20003, stranger.calls("CA" + "0" * 32).fetch)
    proved("Twilio's library reads why the simulated Twilio refuses, a wrong token among it")


async def calls(account, tunnel, server):
    """A call each way. Everything that Twilio brings passes the tunnel."""
    before = len(tunnel.seen)
    call = await server.ended(await server.place(RESTAURANT))
    assert (call["outcome"], call["reason"]) == ("answered", "goodbye"), call
    name = await account.world.order(f"ring-twilio {TASKS}")
    rung = await tunnel.until(lambda request: request.path == "/twilio/incoming")
    assert account.form(rung)["CallSid"] == name
    is_twiml(rung.answer)
    call = await server.ended(await server.inbound())
    assert call["outcome"] == "answered", call
    brought = tunnel.seen[before:]
    assert all(map(account.is_signed, brought))
    assert all(request.status < 300 for request in brought), [one.status for one in brought]
    sockets = [request for request in brought if request.status == 101]
    assert len(sockets) == 2
    proved(f"Tandem calls and answers over Twilio; the library validates all {len(brought)} "
           "webhooks and media sockets that Tandem accepted")


def is_twiml(text):
    """`<Connect><Stream>` to a media socket, with the call among its parameters."""
    response = ElementTree.fromstring(text)
    stream = response.find("Connect/Stream")
    assert response.tag == "Response" and stream is not None, text
    url = stream.attrib["url"]
    assert url.startswith("wss://bridge.example.com/") and "?" not in url, url
    assert {one.tag for one in stream} == {"Parameter"}, text


async def forged(account, server):
    """Requests that the library signs are taken; changed ones are not."""
    url = f"{account.public}/twilio/incoming"
    form = {
        "CallSid": "CA" + "7" * 32,
        "AccountSid": account.card["account"],
        "From": "+15550110",
        "To": account.world.card["number"],
        "CallStatus": "ringing",
        "Direction": "inbound",
        "ApiVersion": "2010-04-01",
        "CallerName": "Zoë & Sons",
    }
    good = account.validator.compute_signature(url, form)

    async def post(form, signature):
        headers = {SIGNATURE: signature, "content-type": FORM}
        at = f"http://{server.door}/twilio/incoming"
        async with server.client.post(at, data=urlencode(form), headers=headers) as answer:
            return answer.status, await answer.text()

    other = RequestValidator("0" * 32).compute_signature(url, form)
    elsewhere = account.validator.compute_signature(url.replace("bridge", "fridge"), form)
    changed = form | {"From": "+15550111"}
    for sent, signature in [(changed, good), (form, other), (form, elsewhere), (form, "")]:
        status, _ = await post(sent, signature)
        assert status == 403, status
    before = len(await server.calls())
    status, answer = await post(form, good)
    assert status == 200, answer
    is_twiml(answer)
    assert len(await server.calls()) == before + 1
    media = ElementTree.fromstring(answer).find("Connect/Stream").attrib["url"]
    path = media.removeprefix("wss://bridge.example.com")
    signed = account.validator.compute_signature(media, {})
    # The scheme is part of what is signed.
    plain = account.validator.compute_signature(media.replace("wss", "https"), {})

    async def dial(signature):
        at = f"ws://{server.door}{path}"
        try:
            async with server.client.ws_connect(at, headers={SIGNATURE: signature}):
                return 101
        except aiohttp.WSServerHandshakeError as error:
            return error.status

    assert [await dial(plain), await dial(signed[::-1])] == [403, 403]
    assert await dial(signed) == 101
    proved("Tandem takes what the library signs, in TwiML and on the socket, and refuses the rest")
