"""Bytes of answers as Anthropic documents them: messages, events of streams, errors."""

from fakes.answers import dumps, reply, stream_reply
from fakes.provider import send

USAGE = {
    "input_tokens": 700,
    "cache_creation_input_tokens": 100,
    "cache_read_input_tokens": 200,
    "output_tokens": 300,
    "service_tier": "standard",
}
MODEL = "claude-sonnet-4-5-20250929"
THINKING = {"type": "thinking", "thinking": "Let me see.", "signature": "EqQBCgIYAhIM"}


def text(words="Hello there."):
    return {"type": "text", "text": words}


def tool_use(number=1, name="get_weather", **arguments):
    return {"type": "tool_use", "id": f"toolu_0{number}", "name": name, "input": arguments}


def message(*content, stop="end_turn", usage=USAGE, **more):
    body = {
        "id": "msg_01XFDUDYJgAACzvnptvVoYEL",
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": list(content) or [text()],
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": usage,
    }
    return dumps(body | more)


def event(kind, **fields):
    return b"event: " + kind.encode() + b"\ndata: " + dumps({"type": kind} | fields) + b"\n\n"


def _block(index, block):
    """One block as its events: begun empty, filled in two pieces, ended."""
    if block["type"] == "text":
        empty, deltas = block | {"text": ""}, [("text_delta", "text", block["text"])]
    elif block["type"] == "thinking":
        empty = {"type": "thinking", "thinking": "", "signature": ""}
        deltas = [("thinking_delta", "thinking", block["thinking"])]
    else:
        empty, deltas = block | {"input": {}}, [("input_json_delta", "partial_json", dumps(block["input"]).decode())]
    yield event("content_block_start", index=index, content_block=empty)
    for kind, key, value in deltas:
        for piece in (value[: len(value) // 2], value[len(value) // 2 :]):
            yield event("content_block_delta", index=index, delta={"type": kind, key: piece})
    if block["type"] == "thinking":
        delta = {"type": "signature_delta", "signature": block["signature"]}
        yield event("content_block_delta", index=index, delta=delta)
    yield event("content_block_stop", index=index)


def stream_events(*content, stop="end_turn", usage=USAGE):
    start = {
        "id": "msg_01XFDUDYJgAACzvnptvVoYEL",
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage | {"output_tokens": 1},
    }
    events = [event("message_start", message=start), event("ping")]
    for index, block in enumerate(content or [text()]):
        events += _block(index, block)
    events.append(event("message_delta", delta={"stop_reason": stop, "stop_sequence": None}, usage=usage))
    events.append(event("message_stop"))
    return events


def error_body(kind="invalid_request_error", says="It is so."):
    return dumps({"type": "error", "error": {"type": kind, "message": says}, "request_id": "req_011CSHoEeqs5C35K2UUqR7Fy"})


def answer(*content, stop="end_turn"):
    """For answer_by: a message, or its stream if the request asks for one."""

    def by(request):
        if request.json().get("stream"):
            return [send(stream_reply(stream_events(*content, stop=stop)))]
        return [send(reply(message(*content, stop=stop), fields=[("request-id", "req_1")]))]

    return by
