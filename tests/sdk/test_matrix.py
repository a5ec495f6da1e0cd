"""The matrix of docs/dialects.md, driven by the real SDKs: every client's dialect × every upstream's protocol × every feature.

What an SDK saw and what the upstream received must be what the page's cell says. Python's SDKs take one test for each pair;
Node's make the same calls in one process, and the Vercel AI SDK the main ones.
"""

import inspect
import json
import os
import shutil
import subprocess
from pathlib import Path

import anthropic
import openai
import pytest

from fakes import answers
from fakes.answers import dumps
from fakes.dialect_matrix import CALLS, DIALECTS, MODELS, PLAIN, SCHEMA_ANSWER, TEXT, UPSTREAMS, answer_in_protocol, cases, judge, protocol_of
from fakes.every_protocol import providers
from fakes.provider import ScriptedProvider, send
from fakes.weir_process import Weir

NODE = Path(__file__).parent / "node"
PAIRS = pytest.mark.parametrize("dialect, name", [(d, u) for d in DIALECTS for u in UPSTREAMS])


@pytest.fixture(scope="module")
def upstream():
    with ScriptedProvider() as provider:
        yield provider
        assert not provider.errors, provider.errors


@pytest.fixture(autouse=True)
def plainly(upstream):
    upstream.reset_scripts()
    upstream.answer_by(answer_in_protocol())


@pytest.fixture(scope="module")
def house(upstream, authority, tmp_path_factory):
    folder = tmp_path_factory.mktemp("matrix")
    with providers(upstream, authority, folder) as all_of_them:
        with Weir(folder, {"defaults": {"retry": {"attempts": 1}}, "providers": all_of_them}) as process:
            yield process


# What each SDK says of an answer: its text, and the arguments of its calls.


def chat(reply):
    message = reply.choices[0].message
    return message.content, [call.function.arguments for call in message.tool_calls or []]


def chat_stream(stream):
    text, calls = "", {}
    for chunk in stream:
        for choice in chunk.choices[:1]:
            text += choice.delta.content or ""
            for call in choice.delta.tool_calls or []:
                calls[call.index] = calls.get(call.index, "") + (call.function.arguments or "")
    return text, list(calls.values())


def response(reply):
    return reply.output_text, [one.arguments for one in reply.output if one.type == "function_call"]


def response_stream(stream):
    events = list(stream)
    assert [one.sequence_number for one in events] == list(range(len(events)))
    text = "".join(one.delta for one in events if one.type == "response.output_text.delta")
    final_text, calls = response(events[-1].response)
    assert final_text == text
    return text, calls


def message(reply):
    calls = [dumps(one.input).decode() for one in reply.content if one.type == "tool_use"]
    return "".join(one.text for one in reply.content if one.type == "text"), calls


def message_stream(stream):
    text, calls = "", {}
    for event in stream:
        if event.type == "content_block_start" and event.content_block.type == "tool_use":
            calls[event.index] = ""
        if event.type == "content_block_delta" and event.delta.type == "text_delta":
            text += event.delta.text
        if event.type == "content_block_delta" and event.delta.type == "input_json_delta":
            calls[event.index] += event.delta.partial_json
    return text, list(calls.values())


def completion(reply):
    return reply.choices[0].text, []


def completion_stream(stream):
    return "".join(choice.text for chunk in stream for choice in chunk.choices[:1]), []


READERS = {"chat": (chat, chat_stream), "responses": (response, response_stream), "messages": (message, message_stream),
           "completions": (completion, completion_stream)}


@pytest.fixture(scope="module")
def python(house):
    """call(dialect, body) → what the SDK for Python saw."""
    with (openai.OpenAI(base_url=house.url("/v1"), api_key="any", max_retries=0, timeout=20) as one,
          anthropic.Anthropic(base_url=house.url(), api_key="any", max_retries=0, timeout=20) as other):
        verbs = {"chat": one.chat.completions, "responses": one.responses, "completions": one.completions,
                 "messages": other.messages}

        def call(dialect, body):
            known = inspect.signature(verbs[dialect].create).parameters
            arguments = {key: value for key, value in body.items() if key in known}
            extra = {key: value for key, value in body.items() if key not in known}
            try:
                raw = verbs[dialect].with_raw_response.create(**arguments, extra_body=extra or None)
                text, calls = READERS[dialect][bool(body.get("stream"))](raw.parse())
            except (openai.APIStatusError, anthropic.APIStatusError) as error:
                return {"status": error.status_code, "message": error.message, "dropped": None, "text": None, "calls": []}
            return {"status": 200, "message": None, "dropped": raw.headers.get("x-weir-dropped"), "text": text, "calls": calls}

        yield call


@PAIRS
def test_requests(python, upstream, dialect, name):
    for feature, body, cell in cases(dialect, name):
        mark = upstream.mark()
        seen = python(dialect, body)
        sent = upstream.since(mark)
        assert len(sent) <= 1
        judge(dialect, name, feature, body, cell, seen, sent[0] if sent else None)


@pytest.mark.parametrize("dialect, name", [(d, u) for d in DIALECTS for u in UPSTREAMS if d != "completions"])
def test_parallel_calls_come_back(python, upstream, dialect, name):
    upstream.answer_by(answer_in_protocol(CALLS, "tool"))
    for stream in (False, True):
        if stream and (dialect, name) in {("responses", "openai"), ("responses", "azure")}:
            continue  # their bytes pass: there is nothing to translate
        seen = python(dialect, {"model": MODELS[name], "stream": stream} | PLAIN[dialect])
        assert [json.loads(one) for one in seen["calls"]] == [{"city": "Oslo"}, {"city": "Rome"}], (stream, seen)


ERRORS = {400: 400, 403: 502, 404: 404, 429: 429, 500: 502, 503: 503}


@PAIRS
def test_errors(python, upstream, dialect, name):
    """One error body that is read in every protocol."""
    body = dumps({"type": "error", "error": {"type": "some_error", "code": None, "param": None, "message": "It is so."},
                  "message": "It is so."})
    for status, expected in ERRORS.items():
        upstream.answer_always(send(answers.reply(body, status=status, fields=[("Retry-After", "1")])))
        seen = python(dialect, {"model": MODELS[name]} | PLAIN[dialect])
        assert seen["status"] == expected, (status, seen)
        if status in (400, 404, 429):  # a 404 of Azure's is its address, which is a setting
            says = "deployment" if (status, name) == (404, "azure") else "It is so."
            assert says in seen["message"], (status, seen)


# Node, in one process each.


def run_node(script, house, calls):
    missing = f"node, or its packages in {NODE}, are missing: run npm ci there"
    if not (shutil.which("node") and (NODE / "node_modules/ai").exists()):
        assert not os.environ.get("CI"), missing
        pytest.skip(missing)
    done = subprocess.run(["node", NODE / script, house.url()], input=json.dumps(calls), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_requests_of_nodes_sdks(house, upstream):
    asked = [(d, u, *case) for d in DIALECTS for u in UPSTREAMS for case in cases(d, u)]
    mark = upstream.mark()
    # Each named by its idempotency key, which goes up as it is: so that what arrived can be told apart.
    seen = run_node("matrix.mjs", house, [{"dialect": d, "body": body, "id": str(i)} for i, (d, _, _, body, _) in enumerate(asked)])
    received = {}
    for request in upstream.since(mark):
        received.setdefault(request.header("idempotency-key"), []).append(request)
    for i, (dialect, name, feature, body, cell) in enumerate(asked):
        sent = received.get(str(i), [None])
        assert len(sent) == 1
        judge(dialect, name, feature, body, cell, seen[i], sent[0])


def test_the_vercel_ai_sdk(house, upstream):
    """Its own bodies, so what is checked is what it got, and what of each call arrived."""
    calls = [{"speaks": s, "model": MODELS[u], "what": what, "id": f"{s} {u} {what}", "upstream": u}
             for s in ("chat", "responses", "messages") for u in UPSTREAMS for what in ("text", "stream", "image", "schema", "tools")]

    def by(request):
        if b'"get_weather"' in request.body:
            return answer_in_protocol(CALLS, "tool")(request)
        if b'"name":"json"' in request.body:  # how its Anthropic dialect asks for a schema
            return answer_in_protocol([("call", ("j", "json", SCHEMA_ANSWER))], "tool")(request)
        return answer_in_protocol()(request)

    upstream.answer_by(by)
    mark = upstream.mark()
    seen = run_node("vercel_matrix.mjs", house, calls)
    received = {request.header("idempotency-key"): request for request in upstream.since(mark)}
    for call, got in zip(calls, seen, strict=True):
        request = received[call["id"]]
        assert protocol_of(request.target) == UPSTREAMS[call["upstream"]][1]
        if call["what"] == "schema":
            assert got.get("object") == SCHEMA_ANSWER, (call, got, request.body)
        elif call["what"] == "tools":
            assert got.get("calls") == [{"city": "Oslo"}, {"city": "Rome"}], (call, got)
        else:
            assert got.get("text") == TEXT, (call, got)
        if call["what"] == "image":
            assert b"iVBORw0KGgo=" in request.body
