"""Bytes of answers: bodies as a provider of OpenAI's dialect spells them, and the heads and framings around them."""

import json

SSE_DONE = b"data: [DONE]\n\n"
USAGE = {
    "prompt_tokens": 1000,
    "completion_tokens": 300,
    "total_tokens": 1300,
    "prompt_tokens_details": {"cached_tokens": 200, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 64, "rejected_prediction_tokens": 0},
}


def dumps(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def completion(text="Hello there.", model="gpt-4o-mini-2024-07-18", usage=USAGE, **more):
    """A whole chat completion; usage=None leaves it out."""
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1700000000,
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text, "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
    }
    if usage is not None:
        body["usage"] = usage
    body.update(more)
    return dumps(body)


def event(value):
    return b"data: " + (value if isinstance(value, bytes) else dumps(value)) + b"\n\n"


def chunk(delta=None, finish=None, model="gpt-4o-mini-2024-07-18", choices=None, **more):
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": model,
        "choices": [{"index": 0, "delta": delta or {}, "finish_reason": finish}] if choices is None else choices,
    }
    body.update(more)
    return body


def stream_events(words=("Hello", " there", "."), usage=USAGE, with_usage=True, model="gpt-4o-mini-2024-07-18"):
    """The events of a stream as OpenAI sends them: `usage: null` in each chunk and the figures in one of their own when
    include_usage was asked for."""
    null = {"usage": None} if with_usage else {}
    events = [event(chunk({"role": "assistant", "content": "", "refusal": None}, model=model, **null))]
    events += [event(chunk({"content": word}, model=model, **null)) for word in words]
    events.append(event(chunk({}, "stop", model=model, **null)))
    if with_usage:
        events.append(event(chunk(choices=[], model=model, usage=usage)))
    events.append(SSE_DONE)
    return events


def without_usage(events):
    """The same stream as a client sees it that did not ask for usage."""
    kept = [one for one in events if b'"choices":[],' not in one]
    return [one.replace(b',"usage":null', b"") for one in kept]


def error_body(message="It broke.", type="invalid_request_error", param=None, code=None):
    return dumps({"error": {"message": message, "type": type, "param": param, "code": code}})


def head(status=200, content_type="application/json", fields=(), reason=None):
    lines = [f"HTTP/1.1 {status} {reason if reason is not None else 'Whatever'}"]
    if content_type:
        lines.append(f"Content-Type: {content_type}")
    lines += [f"{name}: {value}" for name, value in fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def chunked(body, size=None):
    """A body in chunks of `size` bytes (all in one without), with the last one."""
    size = size or max(len(body), 1)
    parts = [body[i : i + size] for i in range(0, len(body), size)]
    return b"".join(one_chunk(part) for part in parts) + b"0\r\n\r\n"


def one_chunk(part):
    return b"%x\r\n%s\r\n" % (len(part), part)


def reply(body, status=200, content_type="application/json", framing="length", fields=(), chunk_size=None):
    """A whole answer. A close-delimited one must be followed by close()."""
    fields = list(fields)
    if framing == "length":
        return head(status, content_type, [*fields, ("Content-Length", len(body))]) + body
    if framing == "chunked":
        return head(status, content_type, [*fields, ("Transfer-Encoding", "chunked")]) + chunked(body, chunk_size)
    assert framing == "close"
    return head(status, content_type, [*fields, ("Connection", "close")]) + body


def stream_head(framing="chunked", fields=()):
    framed = {"chunked": [("Transfer-Encoding", "chunked")], "close": [("Connection", "close")]}[framing]
    return head(200, "text/event-stream; charset=utf-8", [*fields, *framed])


def stream_reply(events, framing="chunked", fields=()):
    """A whole stream, each event in a chunk of its own."""
    if framing == "close":
        return stream_head("close", fields) + b"".join(events)
    return stream_head("chunked", fields) + b"".join(one_chunk(one) for one in events) + b"0\r\n\r\n"


def dechunk(buffer, start=0):
    """(body, end) of a chunked body that begins at `start`; None while it is not whole."""
    body = bytearray()
    at = start
    while True:
        line_end = buffer.find(b"\r\n", at)
        if line_end < 0:
            return None
        size = int(bytes(buffer[at:line_end]).split(b";")[0], 16)
        if size == 0:
            end = buffer.find(b"\r\n\r\n", line_end)
            return None if end < 0 else (bytes(body), end + 4)
        if len(buffer) < line_end + 2 + size + 2:
            return None
        body += buffer[line_end + 2 : line_end + 2 + size]
        assert buffer[line_end + 2 + size : line_end + 4 + size] == b"\r\n", "a chunk without its CR LF"
        at = line_end + 4 + size
