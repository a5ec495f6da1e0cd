"""Bytes of answers of OpenAI's /v1/responses and /v1/completions as documented."""

from fakes.answers import SSE_DONE, dumps, event as chat_event

USAGE = {
    "input_tokens": 1000,
    "input_tokens_details": {"cached_tokens": 200},
    "output_tokens": 300,
    "output_tokens_details": {"reasoning_tokens": 64},
    "total_tokens": 1300,
}
MODEL = "gpt-5-2025-08-07"


def said(words="Hello there."):
    return {
        "type": "message",
        "id": "msg_1",
        "status": "completed",
        "role": "assistant",
        "content": [{"type": "output_text", "text": words, "annotations": []}],
    }


def call(number=1, name="get_weather", arguments='{"city":"Oslo"}'):
    return {
        "type": "function_call",
        "id": f"fc_{number}",
        "call_id": f"call_{number}",
        "name": name,
        "arguments": arguments,
        "status": "completed",
    }


def response(*output, status="completed", **more):
    body = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1700000000,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "model": MODEL,
        "output": list(output) or [said()],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "tool_choice": "auto",
        "tools": [],
        "usage": USAGE,
    }
    return body | more


def event(kind, number, **fields):
    return b"event: " + kind.encode() + b"\ndata: " + dumps({"type": kind, "sequence_number": number} | fields) + b"\n\n"


def stream_events(words=("Hello", " there", ".")):
    text = "".join(words)
    item = said(text)
    begun = response(status="in_progress", output=[], usage=None)
    part = {"type": "output_text", "text": "", "annotations": []}
    where = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    steps = [
        ("response.created", {"response": begun}),
        ("response.in_progress", {"response": begun}),
        ("response.output_item.added", {"output_index": 0, "item": item | {"status": "in_progress", "content": []}}),
        ("response.content_part.added", where | {"part": part}),
        *[("response.output_text.delta", where | {"delta": word, "logprobs": []}) for word in words],
        ("response.output_text.done", where | {"text": text, "logprobs": []}),
        ("response.content_part.done", where | {"part": part | {"text": text}}),
        ("response.output_item.done", {"output_index": 0, "item": item}),
        ("response.completed", {"response": response(item)}),
    ]
    return [event(kind, number, **fields) for number, (kind, fields) in enumerate(steps)]


def completion(text=" there", **more):
    body = {
        "id": "cmpl-1",
        "object": "text_completion",
        "created": 1700000000,
        "model": "gpt-3.5-turbo-instruct",
        "choices": [{"text": text, "index": 0, "logprobs": None, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12},
    }
    return dumps(body | more)


def completion_events(words=(" there", ".")):
    def chunk(**more):
        body = {"id": "cmpl-1", "object": "text_completion", "created": 1700000000, "model": "gpt-3.5-turbo-instruct"}
        return chat_event(body | more)

    choice = lambda text, finish=None: [{"text": text, "index": 0, "logprobs": None, "finish_reason": finish}]
    events = [chunk(choices=choice(word), usage=None) for word in words]
    events.append(chunk(choices=choice("", "stop"), usage=None))
    events.append(chunk(choices=[], usage={"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}))
    return [*events, SSE_DONE]
