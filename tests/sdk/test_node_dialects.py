"""The real `@anthropic-ai/sdk` and the Vercel AI SDK for Node, driven through node/dialects.mjs."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from fakes import answers, anthropic_answers as claude, responses_answers as responses
from fakes.provider import close, send

FOLDER = Path(__file__).parent / "node"
BOTH = pytest.mark.parametrize("model", ["claude", "gpt"])


@pytest.fixture
def run(two, upstream):
    missing = f"node, or its packages in {FOLDER}, are missing: run npm ci there"
    if not (shutil.which("node") and (FOLDER / "node_modules/ai").exists()):
        assert not os.environ.get("CI"), missing
        pytest.skip(missing)

    def call(what, model="claude"):
        done = subprocess.run(
            ["node", FOLDER / "dialects.mjs", two.url(), what, model], capture_output=True, text=True, timeout=150
        )
        assert done.returncode == 0, done.stderr
        printed = json.loads(done.stdout)
        print(f"node {printed['node']}")
        return printed["result"]

    return call


@BOTH
def test_messages(run, model):
    result = run("messages", model)
    assert result["text"] == "Hello there." and result["stop"] == "end_turn" and result["id"]
    assert result["usage"]["output_tokens"] == 300


@BOTH
def test_a_stream_of_messages(run, upstream, model):
    if model == "claude":
        upstream["claude"].answer_by(claude.answer(claude.THINKING, claude.text(), claude.tool_use(city="Oslo"), stop="tool_use"))
        content = run("messages_stream", model)["content"]
        assert [one["type"] for one in content] == ["thinking", "text", "tool_use"]
        assert content[2]["input"] == {"city": "Oslo"} and content[0]["signature"] == "EqQBCgIYAhIM"
    else:
        upstream["gpt"].answer_next(send(answers.stream_reply(answers.stream_events())))
        assert run("messages_stream", model)["content"][0]["text"] == "Hello there."


@pytest.mark.parametrize("status, name", [(400, "BadRequestError"), (429, "RateLimitError"), (500, "InternalServerError")])
@BOTH
def test_errors(run, upstream, model, status, name):
    body = claude.error_body() if model == "claude" else answers.error_body("It is so.")
    upstream[model].answer_always(send(answers.reply(body, status)))
    result = run("messages_error", model)
    assert result["name"] == name and "It is so." in result["message"]


@BOTH
def test_a_cut_stream_is_an_error(run, upstream, model):
    events = claude.stream_events()[:4] if model == "claude" else answers.stream_events()[:2]
    # Always: where its end comes together with its content, weir asks again.
    upstream[model].answer_always(send(answers.stream_head("close") + b"".join(events)), close())
    assert run("messages_error_in_stream", model)["name"].endswith("Error")


def test_models(run):
    assert {"claude", "gpt"} <= set(run("models")["ids"])


def scripted(upstream, model, name, streamed):
    """The OpenAI upstream answers in the dialect that reaches it."""
    if model == "claude":
        return
    if name == "responses":
        body = answers.dumps(responses.response())
        reply = answers.stream_reply(responses.stream_events()) if streamed else answers.reply(body)
    else:
        reply = answers.stream_reply(answers.stream_events()) if streamed else answers.reply(answers.completion())
    upstream["gpt"].answer_next(send(reply))


@BOTH
@pytest.mark.parametrize("name", ["anthropic", "chat", "responses"])
def test_vercel(run, upstream, name, model):
    scripted(upstream, model, name, False)
    result = run(f"vercel_{name}", model)
    assert result["text"] == "Hello there." and result["finish"] == "stop"
    scripted(upstream, model, name, True)
    assert run(f"vercel_{name}_stream", model) == {"text": "Hello there.", "errors": 0}


@pytest.mark.parametrize("name", ["anthropic", "chat", "responses"])
def test_vercel_with_parallel_tools(run, upstream, name):
    both = claude.tool_use(1, city="Oslo"), claude.tool_use(2, city="Rome")
    upstream["claude"].answer_by(claude.answer(*both, stop="tool_use"))
    result = run(f"vercel_{name}_tools")
    assert result == {"calls": [{"city": "Oslo"}, {"city": "Rome"}], "finish": "tool-calls"}


@pytest.mark.parametrize("name", ["anthropic", "chat", "responses"])
def test_vercel_sees_a_cut_stream(run, upstream, name):
    upstream["claude"].answer_always(send(answers.stream_head("close") + b"".join(claude.stream_events()[:4])), close())
    assert run(f"vercel_{name}_stream")["errors"] >= 1
