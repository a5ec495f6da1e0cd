"""The matrix of docs/dialects.md as data, and one upstream that speaks every protocol of it.

A cell says what becomes of a feature (dialect_features.json) on its way from a client's dialect to an upstream; `judge()`
holds against it what a client saw and what the upstream received.
"""

import json
import re
from pathlib import Path

from fakes import answers, responses_answers as responses
from fakes.answers import dumps
from fakes.protocol_answers import Anthropic, Azure, Bedrock, Gemini
from fakes.provider import send

DOCS = Path(__file__).resolve().parents[2] / "docs" / "dialects.md"
FEATURES = json.loads(Path(__file__).with_name("dialect_features.json").read_text())
DIALECTS = {"chat": "/v1/chat/completions", "responses": "/v1/responses", "messages": "/v1/messages", "completions": "/v1/completions"}
PLAIN = {
    "chat": {"messages": [{"role": "user", "content": "Hi"}]},
    "responses": {"input": [{"role": "user", "content": "Hi"}]},
    "messages": {"max_tokens": 4000, "messages": [{"role": "user", "content": "Hi"}]},
    "completions": {"prompt": "Hi"},
}
# Our upstream → its column, and the protocol that it is sent.
UPSTREAMS = {
    "openai": ("openai", "openai"),
    "chatonly": ("openai, chat only", "openai"),
    "azure": ("openai", "openai"),
    "anthropic": ("anthropic", "anthropic"),
    "gemini": ("gemini", "gemini"),
    "vertex": ("gemini", "gemini"),
    "bedrock": ("bedrock", "bedrock"),
}
MODELS = {name: f"{name}/{'anthropic.claude-sonnet-4' if name == 'bedrock' else 'm'}" for name in UPSTREAMS}
TEXT = "Hello \u00fc there."
CALLS = [("call", ("id_1", "get_weather", {"city": "Oslo"})), ("call", ("id_2", "get_weather", {"city": "Rome"}))]
SCHEMA_ANSWER = {"city": "Rome"}


def read_cells():
    """(dialect, feature, column) → (verdict, footnote's text)."""
    page = DOCS.read_text()
    notes = dict(re.findall(r"^\[\^(\d+)\]: (.*)$", page, re.M))
    cells = {}
    for dialect, path in DIALECTS.items():
        table = page.split(f"\n#### {path}\n\n", 1)[1].split("\n\n", 1)[0].splitlines()
        columns = [one.strip() for one in table[0].strip("|").split("|")][1:]
        for row in table[2:]:
            feature, *values = [one.strip() for one in row.strip("|").split("|")]
            for column, value in zip(columns, values, strict=True):
                verdict, _, note = value.partition(" [^")
                cells[dialect, feature, column] = (verdict, notes[note.rstrip("]")] if note else "")
    return cells


CELLS = read_cells()


def cases(dialect, upstream):
    """Each feature that the dialect has: itself, a body with it, its cell."""
    column = UPSTREAMS[upstream][0]
    if (dialect, "text", column) not in CELLS:
        column = "openai"
    for feature in FEATURES:
        if dialect in feature:
            body = {"model": MODELS[upstream]} | PLAIN[dialect] | feature[dialect]
            yield feature, body, CELLS[dialect, feature["name"], column]


# The upstream's side.

SPEAKS = {"openai": Azure, "anthropic": Anthropic, "gemini": Gemini, "bedrock": Bedrock}


def protocol_of(target):
    if ":generateContent" in target or ":streamGenerateContent" in target:
        return "gemini"
    if "/converse" in target:
        return "bedrock"
    return "anthropic" if "/messages" in target else "openai"


def is_streamed(request):
    return "streamGenerate" in request.target or "converse-stream" in request.target or bool(request.json().get("stream"))


def forced_tool(request):
    """Of a JSON Schema that goes as a tool which must be called: its name, which is not the caller's tool's."""
    body = request.json()
    choice = body.get("tool_choice") or (body.get("toolConfig") or {}).get("toolChoice") or {}
    name = choice.get("name") or (choice.get("tool") or {}).get("name") if isinstance(choice, dict) else None
    return name if name and name != "get_weather" else None


def asks_for_json(request):
    return any(word in request.body for word in (b'"json_schema"', b'"json_object"', b'"responseMimeType"'))


def answer_in_protocol(blocks=None, stop="stop"):
    """For answer_by: `blocks`, or the JSON that the request asks for, else a text."""

    def by(request):
        path, streamed = request.target.split("?")[0], is_streamed(request)
        if path.endswith("/responses"):
            items = [responses.call(i + 1, b[1], dumps(b[2]).decode()) for i, (k, b) in enumerate(blocks or []) if k == "call"]
            said = items or [responses.said(dumps(SCHEMA_ANSWER).decode() if asks_for_json(request) else TEXT)]
            if not streamed:
                return [send(answers.reply(dumps(responses.response(*said))))]
            return [send(answers.stream_reply(responses.stream_events([TEXT])))]
        if path.endswith("/completions") and "chat" not in path:
            whole = answers.reply(responses.completion(TEXT))
            return [send(answers.stream_reply(responses.completion_events([TEXT])) if streamed else whole)]
        protocol = protocol_of(request.target)
        spoken, said, how = SPEAKS[protocol], blocks, stop
        if said is None:
            forced = forced_tool(request) if protocol in ("anthropic", "bedrock") else None
            said, how = [("text", TEXT)], "stop"
            if forced:
                said, how = [("call", ("j", forced, SCHEMA_ANSWER))], "tool"
            elif asks_for_json(request):
                said = [("text", dumps(SCHEMA_ANSWER).decode())]
        if streamed:
            return [send(answers.reply(spoken.stream(said, how), content_type=spoken.stream_type))]
        return [send(answers.reply(spoken.whole(said, how)))]

    return by


# What came of it.


def judge(dialect, upstream, feature, body, cell, seen, sent):
    """`seen`: status, dropped, text and message of the client; `sent`: what the upstream received, or None."""
    verdict, note = cell
    where = f"{dialect} → {upstream}: {feature['name']} should be {verdict!r} {note}; seen {seen}, sent {sent and sent.body}"
    if verdict == "refused":
        assert seen["status"] == 400 and note.removeprefix("400: ") in seen["message"] and sent is None, where
        return
    assert seen["status"] == 200 and sent is not None, where
    dropped = note.split("`")[1].removeprefix("x-weir-dropped: ") if verdict == "dropped" else None
    assert seen["dropped"] == dropped, where
    if feature["name"].startswith("JSON"):
        assert json.loads(seen["text"]) == SCHEMA_ANSWER, where
    else:
        assert seen["text"] == TEXT, where
    if verdict == "as sent":
        # chat's and completions' streams are asked for their usage
        got = {key: value for key, value in sent.json().items() if key != "stream_options"}
        assert got == body | {"model": body["model"].split("/", 1)[1]}, where
    if verdict in ("yes", "as sent"):
        marks = feature.get("arrives", {})
        own = marks.get(UPSTREAMS[upstream][1], []) if verdict == "yes" else []
        for mark in [*marks.get("*", []), *own]:
            assert mark in sent.body.decode(), f"{mark} in {where}"
