"""Azure's own library against the simulated Azure, and what the simulated Azure sends to a
running Tandem read by that library."""

import asyncio
import base64
import json
from unittest import mock

import aiohttp
import jwt
from azure.communication.callautomation import (
    CallAutomationClient,
    CallRejectReason,
    MediaStreamingOptions,
    PhoneNumberIdentifier,
    _content_downloader,
)
from azure.communication.callautomation._generated import models
from azure.core.exceptions import HttpResponseError
from azure.core.messaging import CloudEvent
from azure.core.pipeline.transport import RequestsTransport
from azure.eventgrid import EventGridEvent, SystemEventNames

from bench import Api, Desk, proved

RESTAURANT, HUMAN, BUSY = "+15550100", "+15550109", "+15550101"
SILENT, TASKS = "+15550105", "+15550110"
SECRET = "a-secret-that-nobody-guesses-4711"


class Plain(RequestsTransport):
    """The library speaks TLS only; on loopback the simulated Azure does not. The port of the
    storage's host has to be said, which a host on the usual port has no need of."""

    def send(self, request, **options):
        request.url = request.url.replace("https://", "http://", 1)
        if "x-ms-host" in request.headers:
            request.headers["x-ms-host"] = request.url.split("/")[2]
        return super().send(request, **options)


def client(connection_string):
    transport = Plain(use_env_settings=False)
    return CallAutomationClient.from_connection_string(
        connection_string, transport=transport, retry_total=0
    )


def phone(number):
    return PhoneNumberIdentifier(number)


def strict(name, data):
    """An event as the library's model of it, which must know every field."""
    event = getattr(models, name).from_dict(data)
    alike(name, data, event.serialize(keep_readonly=True))
    return event


def alike(where, given, known):
    """Everything that was given is known."""
    if isinstance(given, dict):
        for key, value in given.items():
            assert key in known, f"{where} has {key}, which the library does not know"
            alike(f"{where}.{key}", value, known[key])
    elif isinstance(given, list):
        assert len(given) == len(known), where
        for value, other in zip(given, known):
            alike(where, value, other)
    elif not isinstance(given, str):
        assert given == known, f"{where} is {given!r} and read as {known!r}"


class Callbacks:
    """What came to a callback address, read by the library and its tokens by PyJWT."""

    def __init__(self, card):
        self.card = card
        self.keys = jwt.PyJWKClient(card["keys_url"])
        self.names = set()

    def read(self, request):
        scheme, token = request.headers["Authorization"].split(" ")
        assert scheme == "Bearer"
        self.token(token)
        events = []
        for one in json.loads(request.body):
            event = CloudEvent.from_dict(one)
            prefix, name = event.type.rsplit(".", 1)
            assert prefix == "Microsoft.Communication" and event.specversion == "1.0"
            assert event.id and event.time
            self.names.add(name)
            events.append((name, strict(name, event.data)))
        return events

    def token(self, token):
        key = self.keys.get_signing_key_from_jwt(token).key
        jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            audience=self.card["audience"],
            issuer=self.card["issuer"],
            options={"require": ["exp", "nbf", "iss", "aud"]},
        )


class Customer:
    """One who has the library, and an address for events, media and Event Grid."""

    def __init__(self, world):
        self.world, self.card = world, world.card["azure"]
        self.number = phone(world.card["number"])
        self.client = client(self.card["connection_string"])
        self.callbacks = Callbacks(self.card)
        self.desk = Desk(serves=self._serve)

    def _serve(self, request):
        if request.headers.get("aeg-event-type") == "SubscriptionValidation":
            event = EventGridEvent.from_dict(json.loads(request.body)[0])
            code = event.data["validationCode"]
            return 200, "application/json", json.dumps({"validationResponse": code})
        return 200, "application/json", "{}"

    async def ask(self, order, *given, **more):
        return await asyncio.to_thread(order, *given, **more)

    async def refused(self, order, *given, **more):
        try:
            await self.ask(order, *given, **more)
        except HttpResponseError as error:
            return error
        raise AssertionError(f"{order} is not refused")

    def media(self):
        return MediaStreamingOptions(
            transport_type="websocket",
            transport_url=f"ws://{self.desk.address}/media",
            content_type="audio",
            audio_channel_type="mixed",
            start_media_streaming=True,
            enable_bidirectional=True,
            audio_format="pcm24KMono",
            enable_dtmf_tones=True,
        )

    async def create(self, to, path):
        """A call that has been placed."""
        properties = await self.ask(
            self.client.create_call,
            phone(to),
            f"http://{self.desk.address}{path}",
            source_caller_id_number=self.number,
            operation_context=path,
            media_streaming=self.media(),
        )
        assert properties.call_connection_state == "connecting"
        assert properties.targets[0].properties["value"] == to
        return self.client.get_call_connection(properties.call_connection_id)

    async def told(self, path, name):
        """The first event of this name that came to this path."""

        def has(request):
            return request.path == path and f'.{name}"' in request.body.decode()

        for one, event in self.callbacks.read(await self.desk.until(has)):
            if one == name:
                return event
        raise AssertionError(f"{name} is not what it said it was")

    async def rings(self, caller):
        """Somebody rings; what Event Grid says of them, in the library's words."""
        before = len(self.desk.seen)
        await self.world.order(f"ring-azure {caller}")
        for request in self.desk.seen[before:]:
            for one in json.loads(request.body) if request.path == "/grid" else []:
                event = EventGridEvent.from_dict(one)
                assert event.event_type == SystemEventNames.AcsIncomingCallEventName
                assert event.data["from"]["phoneNumber"]["value"] == caller
                return event.data["incomingCallContext"]
        raise AssertionError("Event Grid told of nobody")


async def prove(world):
    customer = Customer(world)
    async with customer.desk:
        await orders(customer)
        await recording(customer)
        await hand_over(customer)
        await incoming(customer)
        await refusals(customer)
    names = ", ".join(sorted(customer.callbacks.names))
    proved(f"Azure's library knows every field of these events of the simulated Azure: {names}")
    proved("PyJWT verifies the tokens that came with them")
    return await tandem(world)


async def orders(customer):
    call = await customer.create(SILENT, "/orders")
    assert (await customer.told("/orders", "CallConnected")).operation_context == "/orders"
    shown = await customer.ask(call.get_call_properties)
    assert shown.call_connection_state == "connected"
    assert shown.media_streaming_subscription.state == "active"
    twice = await customer.refused(call.start_media_streaming)
    assert (twice.status_code, twice.error.code) == (400, "8500"), twice
    people = await customer.ask(lambda: list(call.list_participants()))
    assert [one.identifier.raw_id for one in people] == [f"4:{SILENT}"]
    await customer.ask(
        call.send_dtmf_tones, ["one", "pound"], phone(SILENT), operation_context="keys"
    )
    await customer.told("/orders", "SendDtmfTonesCompleted")
    added = await customer.ask(
        call.add_participant, phone(HUMAN), source_caller_id_number=customer.number
    )
    assert added.invitation_id and added.participant.identifier.raw_id == f"4:{HUMAN}"
    await customer.told("/orders", "AddParticipantSucceeded")
    await customer.ask(call.remove_participant, phone(HUMAN))
    await customer.told("/orders", "RemoveParticipantSucceeded")
    await customer.ask(call.hang_up, is_for_everyone=True)
    await customer.told("/orders", "CallDisconnected")
    again = await customer.refused(call.hang_up, is_for_everyone=False)
    assert (again.status_code, again.error.code) == (404, "8522"), again
    leaves = await customer.create(SILENT, "/leaves")
    await customer.told("/leaves", "CallConnected")
    await customer.ask(leaves.hang_up, is_for_everyone=False)
    await customer.told("/leaves", "CallDisconnected")
    proved("Azure's library places a call, sees it, presses keys, invites, removes, hangs up")
    await customer.create(BUSY, "/busy")
    failed = await customer.told("/busy", "CreateCallFailed")
    information = failed.result_information
    assert (information.code, information.sub_code) == (486, 560486)
    assert information.sip_details.code == 486
    proved("Azure's library reads why a call was not answered")


async def recording(customer):
    call = await customer.create(SILENT, "/recorded")
    await customer.told("/recorded", "CallConnected")
    shown = await customer.ask(call.get_call_properties)
    await customer.world.order(f"subscribe http://{customer.desk.address}/grid")
    started = await customer.ask(
        customer.client.start_recording,
        call_connection_id=shown.call_connection_id,
        recording_content_type="audio",
        recording_channel_type="unmixed",
        recording_format_type="wav",
        recording_state_callback_url=f"http://{customer.desk.address}/recording",
    )
    assert started.recording_state == "active"
    assert (await customer.told("/recording", "RecordingStateChanged")).state == "active"
    again = await customer.refused(
        customer.client.start_recording,
        call_connection_id=shown.call_connection_id,
        recording_content_type="audio",
        recording_channel_type="unmixed",
        recording_format_type="wav",
    )
    assert again.status_code == 409, again
    looked = await customer.ask(
        customer.client.get_recording_properties, started.recording_id
    )
    assert looked.recording_state == "active"
    await customer.ask(customer.client.stop_recording, started.recording_id)
    told = await customer.desk.until(
        lambda request: b"RecordingFileStatusUpdated" in request.body
    )
    event = EventGridEvent.from_dict(json.loads(told.body)[0])
    assert event.event_type == SystemEventNames.AcsRecordingFileStatusUpdatedEventName
    chunk = event.data["recordingStorageInfo"]["recordingChunks"][0]
    # The library sends its signature to Azure's storage only.
    with mock.patch.object(_content_downloader, "validate_recording_url"):
        download = customer.client.download_recording
        file = await customer.ask(lambda: download(chunk["contentLocation"]).read())
        part = await customer.ask(
            lambda: download(chunk["contentLocation"], offset=8, length=4).read()
        )
        await customer.ask(customer.client.delete_recording, chunk["deleteLocation"])
    assert (file[:4], part) == (b"RIFF", b"WAVE")
    await customer.ask(call.hang_up, is_for_everyone=True)
    await customer.told("/recorded", "CallDisconnected")
    proved("Azure's library starts, sees, stops, downloads and deletes a recording")


async def hand_over(customer):
    for to, word in [(HUMAN, "CallTransferAccepted"), (BUSY, "CallTransferFailed")]:
        path = f"/to{to}"
        call = await customer.create(SILENT, path)
        await customer.told(path, "CallConnected")
        answer = await customer.ask(
            call.transfer_call_to_participant,
            phone(to),
            operation_context="over",
            source_caller_id_number=customer.number,
        )
        assert answer.operation_context == "over"
        assert (await customer.told(path, word)).operation_context == "over"
        if to == BUSY:
            await customer.ask(call.hang_up, is_for_everyone=True)
        await customer.told(path, "CallDisconnected")
    proved("Azure's library hands a call over, and learns when nobody takes it")


async def incoming(customer):
    context = await customer.rings(SILENT)
    properties = await customer.ask(
        customer.client.answer_call,
        context,
        f"http://{customer.desk.address}/answered",
        operation_context="answered",
        media_streaming=customer.media(),
    )
    call = customer.client.get_call_connection(properties.call_connection_id)
    await customer.told("/answered", "CallConnected")
    await customer.ask(call.hang_up, is_for_everyone=True)
    await customer.told("/answered", "CallDisconnected")
    context = await customer.rings(SILENT)
    await customer.ask(
        customer.client.reject_call, context, call_reject_reason=CallRejectReason.BUSY
    )
    again = await customer.refused(customer.client.reject_call, context)
    assert again.status_code == 400, again
    context = await customer.rings(SILENT)
    await customer.ask(customer.client.redirect_call, context, phone(HUMAN))
    proved("Azure's library answers, rejects and redirects calls that Event Grid tells of")


async def refusals(customer):
    endpoint = customer.card["connection_string"].split(";")[0]
    wrong = base64.b64encode(b"another key, that opens nothing.").decode()
    stranger = client(f"{endpoint};accesskey={wrong}")
    refused = await customer.refused(
        stranger.create_call,
        phone(SILENT),
        f"http://{customer.desk.address}/wrong",
        source_caller_id_number=customer.number,
    )
    assert refused.status_code in (401, 403), refused
    proved("the simulated Azure refuses a signature made with a wrong key")


async def tandem(world):
    """Two calls of a running Tandem. Everything that Azure brings it passes a relay."""
    card = world.card["azure"]
    async with (
        Desk() as relay,
        Desk(world.card["model"]["url"].split("/")[2]) as model,
        aiohttp.ClientSession() as client,
    ):
        served = await world.order(f"serve-azure {relay.address} {model.address} {SECRET}")
        server, relay.leads_to = Api(client, served["api"], served["door"]), served["door"]
        await world.order(f"subscribe http://{relay.address}/acs/incoming/{SECRET}")
        call = await server.ended(await server.place(RESTAURANT))
        assert (call["outcome"], call["reason"]) == ("answered", "goodbye"), call
        await world.order(f"ring-azure {TASKS}")
        call = await server.ended(await server.inbound())
        assert call["outcome"] == "answered", call
        call = await server.ended(await server.place(BUSY))
        assert (call["outcome"], call["reason"]) == (
            "busy",
            "busy (code 486, subcode 560486, sip 486)",
        ), call
    callbacks = Callbacks(card)
    brought = [request for request in relay.seen if "/acs/events/" in request.path]
    for request in brought:
        callbacks.read(request)
    assert {request.status for request in brought} == {200}
    sockets = [request for request in relay.seen if "/acs/media/" in request.path]
    assert [socket.status for socket in sockets] == [101, 101]
    for socket in sockets:
        callbacks.token(socket.headers["Authorization"].split(" ")[1])
    names = ", ".join(sorted(callbacks.names))
    proved(f"Tandem places and answers over Azure; the library reads what it was told: {names}")
    return brought, sockets, model.seen
