"""Answers of providers that do not speak OpenAI's chat, spelled as their documentation shows them.

Each class writes `blocks`, a list of ("text", words) or ("call", (id, name, arguments)), as one whole answer or a stream.
tests/sdk/test_upstream_references.py lets the providers' own clients read the same bytes.
"""

import binascii
import struct

from fakes import answers
from fakes.answers import dumps


def sse(*events):
    return b"".join(b"event: %s\ndata: %s\n\n" % (e["type"].encode(), dumps(e)) for e in events)


def data_only(*events):
    return b"".join(b"data: %s\r\n\r\n" % dumps(event) for event in events)


def aws_event(kind, payload, message_type="event"):
    headers = b""
    for name, value in ((":%s-type" % message_type, kind), (":message-type", message_type)):
        headers += bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
    body = dumps(payload)
    prelude = struct.pack(">II", 16 + len(headers) + len(body), len(headers))
    message = prelude + struct.pack(">I", binascii.crc32(prelude)) + headers + body
    return message + struct.pack(">I", binascii.crc32(message))


class Anthropic:
    stream_type = "text/event-stream; charset=utf-8"

    @staticmethod
    def settings(port):
        return {"protocol": "anthropic", "base_url": f"http://127.0.0.1:{port}", "api_key": "k"}

    @staticmethod
    def whole(blocks, stop):
        shown = {"text": lambda b: {"type": "text", "text": b}, "call": None}
        content = []
        for kind, block in blocks:
            if kind == "text":
                content.append(shown["text"](block))
            else:
                content.append({"type": "tool_use", "id": block[0], "name": block[1], "input": block[2]})
        usage = {"input_tokens": 11, "output_tokens": 7}
        return dumps({"id": "m", "type": "message", "role": "assistant", "model": "claude-x", "content": content,
                      "stop_reason": {"stop": "end_turn", "tool": "tool_use"}[stop], "stop_sequence": None,
                      "usage": usage})

    @staticmethod
    def stream(blocks, stop):
        events = [{"type": "message_start", "message": {"id": "m", "type": "message", "role": "assistant",
                   "model": "claude-x", "content": [], "usage": {"input_tokens": 11, "output_tokens": 1}}}]
        for index, (kind, block) in enumerate(blocks):
            if kind == "text":
                start, delta = {"type": "text", "text": ""}, {"type": "text_delta", "text": block}
            else:
                start = {"type": "tool_use", "id": block[0], "name": block[1], "input": {}}
                delta = {"type": "input_json_delta", "partial_json": dumps(block[2]).decode()}
            events += [{"type": "content_block_start", "index": index, "content_block": start},
                       {"type": "content_block_delta", "index": index, "delta": delta},
                       {"type": "content_block_stop", "index": index}]
        reason = {"stop": "end_turn", "tool": "tool_use"}[stop]
        events += [{"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 7}},
                   {"type": "message_stop"}]
        return sse(*events)


class Gemini:
    stream_type = "text/event-stream"

    @staticmethod
    def settings(port):
        return {"protocol": "gemini", "base_url": f"http://127.0.0.1:{port}", "api_key": "k"}

    @staticmethod
    def body(blocks, finish=True):
        parts = [{"text": b} if kind == "text" else {"functionCall": {"id": b[0], "name": b[1], "args": b[2]}}
                 for kind, b in blocks]
        candidate = {"content": {"parts": parts, "role": "model"}, "index": 0}
        if finish:
            candidate["finishReason"] = "STOP"
        usage = {"promptTokenCount": 11, "candidatesTokenCount": 7, "totalTokenCount": 18}
        return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "gemini-x"}

    @classmethod
    def whole(cls, blocks, stop):
        return dumps(cls.body(blocks))

    @classmethod
    def stream(cls, blocks, stop):
        last = len(blocks) - 1
        return data_only(*[cls.body([block], finish=i == last) for i, block in enumerate(blocks)])


class Bedrock:
    stream_type = "application/vnd.amazon.eventstream"

    @staticmethod
    def settings(port):
        return {"protocol": "bedrock", "base_url": f"http://127.0.0.1:{port}", "region": "eu-central-1",
                "access_key_id": "AKIDEXAMPLE00000", "secret_access_key": "s" * 40}

    @staticmethod
    def whole(blocks, stop):
        content = [{"text": b} if kind == "text" else {"toolUse": {"toolUseId": b[0], "name": b[1], "input": b[2]}}
                   for kind, b in blocks]
        return dumps({"output": {"message": {"role": "assistant", "content": content}},
                      "stopReason": {"stop": "end_turn", "tool": "tool_use"}[stop],
                      "usage": {"inputTokens": 11, "outputTokens": 7, "totalTokens": 18}})

    @staticmethod
    def stream(blocks, stop):
        out = aws_event("messageStart", {"role": "assistant"})
        for index, (kind, block) in enumerate(blocks):
            if kind == "text":
                out += aws_event("contentBlockDelta", {"contentBlockIndex": index, "delta": {"text": block}})
            else:
                tool = {"toolUse": {"toolUseId": block[0], "name": block[1]}}
                out += aws_event("contentBlockStart", {"contentBlockIndex": index, "start": tool})
                piece = {"toolUse": {"input": dumps(block[2]).decode()}}
                out += aws_event("contentBlockDelta", {"contentBlockIndex": index, "delta": piece})
            out += aws_event("contentBlockStop", {"contentBlockIndex": index})
        out += aws_event("messageStop", {"stopReason": {"stop": "end_turn", "tool": "tool_use"}[stop]})
        return out + aws_event("metadata", {"usage": {"inputTokens": 11, "outputTokens": 7, "totalTokens": 18}})


class Azure:
    stream_type = "text/event-stream"

    @staticmethod
    def settings(port):
        return {"protocol": "azure", "base_url": f"http://127.0.0.1:{port}", "api_key": "k",
                "api_version": "2024-10-21"}

    @staticmethod
    def message(blocks):
        calls = [{"id": b[0], "type": "function", "function": {"name": b[1], "arguments": dumps(b[2]).decode()}}
                 for kind, b in blocks if kind == "call"]
        text = "".join(b for kind, b in blocks if kind == "text") or None
        return {"role": "assistant", "content": text} | ({"tool_calls": calls} if calls else {})

    @classmethod
    def whole(cls, blocks, stop):
        finish = {"stop": "stop", "tool": "tool_calls"}[stop]
        usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
        return dumps({"id": "c", "object": "chat.completion", "created": 1, "model": "gpt-x", "usage": usage,
                      "choices": [{"index": 0, "message": cls.message(blocks), "finish_reason": finish}]})

    @classmethod
    def stream(cls, blocks, stop):
        delta = cls.message(blocks)
        for index, made in enumerate(delta.get("tool_calls", [])):
            made["index"] = index
        finish = {"stop": "stop", "tool": "tool_calls"}[stop]
        usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
        chunks = [{"id": "c", "model": "gpt-x", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]},
                  {"id": "c", "model": "gpt-x", "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]},
                  {"id": "c", "model": "gpt-x", "choices": [], "usage": usage}]
        return b"".join(b"data: %s\n\n" % dumps(c) for c in chunks) + answers.SSE_DONE


class Vertex(Gemini):
    pass
