"""Streams that are cut, in each pair of a client's dialect and an upstream's protocol: every cut is one honest error in the
client's words and one record. Every byte is tried by tests/unit/providers (broken_streams_test.cpp, protocol_rules_test.cpp);
here is what only the daemon shows."""

import json

import pytest

from fakes import answers, anthropic_answers as claude, responses_answers as responses
from fakes.every_protocol import providers
from fakes.protocol_answers import Azure, Bedrock, Gemini
from fakes.provider import ScriptedProvider, close, send
from fakes.raw_http import request_bytes
from fakes.weir_process import Weir

PATHS = {"chat": "/v1/chat/completions", "completions": "/v1/completions", "responses": "/v1/responses", "messages": "/v1/messages"}
ASKED = {
    "chat": {"messages": [{"role": "user", "content": "Hi"}], "stream_options": {"include_usage": True}},
    "completions": {"prompt": "Hi"},
    "responses": {"input": "Hi"},
    "messages": {"max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]},
}
WHOLE = {"chat": "[DONE]", "completions": "[DONE]", "responses": "response.completed", "messages": "message_stop"}
BLOCKS = [("text", "Hello "), ("text", "there.")]
SPOKEN = {"azure": Azure, "chatonly": Azure, "vertex": Gemini, "gemini": Gemini, "bedrock": Bedrock}
PAIRS = [
    ("chat", "openai"), ("chat", "azure"), ("chat", "vertex"), ("chat", "gemini"), ("chat", "bedrock"), ("chat", "anthropic"),
    ("completions", "openai"), ("completions", "anthropic"),
    ("responses", "openai"), ("responses", "chatonly"), ("responses", "anthropic"), ("responses", "vertex"), ("responses", "bedrock"),
    ("messages", "anthropic"), ("messages", "openai"), ("messages", "azure"), ("messages", "gemini"), ("messages", "bedrock"),
]  # fmt: skip
CUTS = 12
LAST = (b"[DONE]", b'"response.completed"', b'"message_stop"', b'"finishReason"', b"messageStop")


@pytest.fixture(scope="module")
def upstream():
    with ScriptedProvider() as provider:
        yield provider
        assert not provider.errors, provider.errors


@pytest.fixture(scope="module")
def house(upstream, authority, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cuts")
    with providers(upstream, authority, folder) as all_of_them:
        with Weir(folder, {"defaults": {"retry": {"attempts": 1}}, "providers": all_of_them}) as process:
            yield process


def stream_of(dialect, name):
    """Its bytes and their type."""
    if name in SPOKEN:
        return SPOKEN[name].stream(BLOCKS, "stop"), SPOKEN[name].stream_type
    if name == "anthropic":
        return b"".join(claude.stream_events()), "text/event-stream"
    own = {"responses": responses.stream_events, "completions": responses.completion_events}
    return b"".join(own.get(dialect, answers.stream_events)()), "text/event-stream"


def error_in(dialect, body):
    """The message of an error body or event, whose shape is the dialect's."""
    if dialect == "messages":
        assert body["type"] == "error" and set(body["error"]) == {"type", "message"}
        return body["error"]["message"]
    if body.get("type") == "error":  # an event of a response's stream
        assert {"code", "message", "param", "sequence_number"} <= set(body)
        return body["message"]
    assert set(body["error"]) == {"message", "type", "param", "code"}
    return body["error"]["message"]


@pytest.mark.parametrize("dialect, name", PAIRS)
def test_each_cut_is_one_error_and_one_record(house, upstream, dialect, name):
    upstream.reset_scripts()
    stream, kind = stream_of(dialect, name)
    reply = answers.reply(stream, content_type=kind)
    begin = len(reply) - len(stream)
    last = max(stream.rfind(mark) for mark in LAST)  # from there on some of them are whole
    seen = {}
    for number in range(CUTS):
        cut = last * number // CUTS + number % 3
        upstream.answer_next(send(reply[: begin + cut]), close())
        call = f"{dialect}-{name}-{number}"
        body = ASKED[dialect] | {"model": f"{name}/m", "stream": True}
        fields = [("Content-Type", "application/json"), ("x-request-id", call)]
        response = house.call(request_bytes("POST", PATHS[dialect], answers.dumps(body), fields))
        text = response.body.decode()
        assert WHOLE[dialect] not in text, (cut, text)
        if response.status == 200:
            events = [json.loads(one) for one in response.events()]
            errors = [one for one in events if one.get("type") == "error" or one.get("error")]
            assert errors == [events[-1]], (cut, text)
            assert name in error_in(dialect, errors[0])
            if dialect == "responses":
                assert [one["sequence_number"] for one in events] == list(range(len(events))), text
        else:
            assert response.status == 502 and name in error_in(dialect, response.json()), (cut, text)
        seen[call] = response.status
    for call, status in seen.items():
        record = house.wait_for_call(request_id=call)  # and no second one
        assert record["outcome"] == ("cut" if status == 200 else "upstream_error"), record
        assert record["status"] == status
    assert set(seen.values()) == {200, 502}, "before its content, and after it"
