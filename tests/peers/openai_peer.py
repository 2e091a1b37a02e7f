"""OpenAI's own library against the simulated model, and its types against every event that
passes between a running Tandem and that model."""

import base64
import json
import typing

from openai import AsyncOpenAI
from openai._models import BaseModel
from openai.types.realtime import (
    RealtimeClientEvent,
    RealtimeServerEvent,
    RealtimeSessionCreateResponse,
)
from pydantic import ValidationError

from bench import Desk, proved, tandem

# A conversation; one that is interrupted; a menu; a voicemail; a hold.
NUMBERS = ["+15550100", "+15550106", "+15550107", "+15550104", "+15550108"]


def by_name(union):
    """The models of a union, by the `type` that each is for."""
    models = typing.get_args(typing.get_args(union)[0])
    return {typing.get_args(model.model_fields["type"].annotation)[0]: model for model in models}


# The library's events have the session as it is asked for; the session as it is has these too.
OF_A_SESSION = {"id", "object", "expires_at"} & RealtimeSessionCreateResponse.model_fields.keys()
CLIENT, SERVER = by_name(RealtimeClientEvent), by_name(RealtimeServerEvent)


def unknown(model, where):
    """The fields that the library does not know of."""
    found = []
    for name in model.model_extra or {}:
        if not (where.endswith("d.session") and name in OF_A_SESSION):
            found.append(f"{where}.{name}")
    for name in model.model_fields_set & type(model).model_fields.keys():
        value = getattr(model, name)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, BaseModel):
                found.extend(unknown(one, f"{where}.{name}"))
    return found


def check(text, models):
    event = json.loads(text)
    model = models.get(event.get("type"))
    assert model, f"there is no event {event.get('type')}"
    try:
        read = model.model_validate(event)
    except ValidationError as error:
        raise AssertionError(f"{event['type']}: {error}") from error
    assert not unknown(read, event["type"]), unknown(read, event["type"])
    return event["type"]


def events(sockets):
    """The names of all events that passed, each of which the library's types take."""
    sent, told = set(), set()
    for socket in sockets:
        sent |= {check(text, CLIENT) for text in socket.received}
        told |= {check(text, SERVER) for text in socket.sent}
    return sent, told


async def prove(world, programs, sockets):
    """`sockets`: what has passed to the model already."""
    card = world.card["model"]
    await library(card)
    async with Desk(card["url"].split("/")[2]) as relay:
        running = tandem(
            programs,
            TANDEM__MODEL__URL=f"ws://{relay.address}/v1/realtime",
            TANDEM__MODEL__KEY=card["key"],
        )
        async with running as server:
            cut = await server.place(NUMBERS[0])
            placed = [await server.place(number) for number in NUMBERS]
            await server.loses_its_model(cut)
            for call in [cut, *placed]:
                shown = await server.ended(call)
                assert shown["outcome"] == "answered", shown
        sent, told = events(sockets + relay.seen)
    proved(f"OpenAI's types take every event of Tandem: {', '.join(sorted(sent))}")
    proved(f"OpenAI's types take every event of the simulated model: {', '.join(sorted(told))}")


async def library(card):
    """A session that the library opens by itself."""
    host = card["url"].split("/")[2]
    client = AsyncOpenAI(api_key=card["key"], websocket_base_url=f"ws://{host}/v1")
    async with client.realtime.connect(model="gpt-realtime-2.1") as session:
        assert (await session.recv()).type == "session.created"
        await session.session.update(
            session={
                "type": "realtime",
                "instructions": "Say hello.",
                "output_modalities": ["audio"],
                "audio": {
                    "input": {
                        "format": {"type": "audio/pcm", "rate": 24000},
                        "transcription": {"model": "gpt-live-transcribe"},
                        "turn_detection": {"type": "server_vad"},
                    },
                    "output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "marin"},
                },
            }
        )
        assert (await session.recv()).type == "session.updated"
        silence = base64.b64encode(bytes(960)).decode()
        await session.input_audio_buffer.append(audio=silence)
        hello = {"type": "input_text", "text": "Hello?"}
        await session.conversation.item.create(
            item={"type": "message", "role": "user", "content": [hello]}
        )
        await session.response.create()
        audio = 0
        async for event in session:
            assert event.type != "error", event
            if event.type == "response.output_audio.delta":
                audio += len(base64.b64decode(event.delta))
            if event.type == "response.done":
                assert event.response.status == "completed", event
                break
        assert audio > 0
    proved("OpenAI's library opens a session, configures it and hears a response")
    stranger = AsyncOpenAI(api_key="sk-wrong", websocket_base_url=f"ws://{host}/v1")
    try:
        async with stranger.realtime.connect(model="gpt-realtime-2.1") as session:
            event = await session.recv()
            assert event.type == "error", event
    except Exception as error:  # noqa: BLE001 - the handshake, or a close: either is a refusal
        assert not isinstance(error, AssertionError), error
    proved("OpenAI's library learns that a wrong key opens no session")
