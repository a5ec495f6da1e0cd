"""The real `openai` SDK for Node, driven through node/calls.mjs."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from fakes import answers
from fakes.provider import send, silence

FOLDER = Path(__file__).parent / "node"


@pytest.fixture(scope="module")
def installed():
    """Its packages are installed by the set-up (`npm ci`); without Node there is nothing to test, in CI there must be."""
    if not (shutil.which("node") and (FOLDER / "node_modules/openai").exists()):
        assert not os.environ.get("CI"), f"node, or its packages in {FOLDER}, are missing: run npm ci there"
        pytest.skip(f"node, or its packages in {FOLDER}, are missing: run npm ci there")


@pytest.fixture
def run(weir, installed):
    def call(what):
        done = subprocess.run(
            ["node", FOLDER / "calls.mjs", weir.url("/v1"), what], capture_output=True, text=True, timeout=150
        )
        assert done.returncode == 0, done.stderr
        printed = json.loads(done.stdout)
        print(f"node {printed['node']}")
        return printed["result"]

    return call


def test_chat(run):
    result = run("chat")
    assert result["text"] == "Hello there." and result["provider"] == "up"
    assert result["usage"]["completion_tokens"] == 300


def test_stream(run, provider):
    provider.answer_next(send(answers.stream_reply(answers.stream_events(["Hello", " there", " 😀"]))))
    result = run("stream")
    assert (result["text"], result["finish"]) == ("Hello there 😀", ["stop"])
    assert not any(result["usage"])


def test_stream_with_usage(run, provider):
    provider.answer_next(send(answers.stream_reply(answers.stream_events(["Hello"]))))
    result = run("stream_with_usage")
    assert result["text"] == "Hello"
    assert result["usage"][-1]["total_tokens"] == 1300 and not any(result["usage"][:-1])


def test_leaving_a_stream(run, provider):
    mark = provider.mark()
    provider.answer_next(
        send(answers.stream_head() + b"".join(map(answers.one_chunk, answers.stream_events()[:2]))), silence()
    )
    run("leave")
    upstream = provider.connections[provider.requests[mark].connection]
    provider.wait_until(upstream.closed.is_set, "weir to hang up")


@pytest.mark.parametrize(
    "status, name",
    [(400, "BadRequestError"), (404, "NotFoundError"), (429, "RateLimitError"), (500, "InternalServerError")],
)
def test_errors(run, provider, status, name):
    body = answers.error_body("It is so.", "some_type", "messages", "some_code")
    provider.answer_always(send(answers.reply(body, status)))
    result = run("error")
    assert result["name"] == name and "It is so." in result["message"]
    if status < 500:
        assert (result["status"], result["type"], result["param"], result["code"]) == (
            status,
            "some_type",
            "messages",
            "some_code",
        )


def test_an_error_inside_a_stream(run, provider):
    events = [*answers.stream_events(["Hello"])[:2], answers.event(answers.error_body("The model broke down."))]
    # Always: where it comes together with the content, weir asks again.
    provider.answer_always(send(answers.stream_reply(events)))
    assert run("error_in_stream")["name"].endswith("Error")


def test_the_sdk_does_not_ask_again_what_weir_gave_up(run, provider, weir):
    provider.answer_always(send(answers.reply(answers.error_body(), 500)))
    asked = lambda: weir.metrics().value("weir_requests_total", model="gpt-4o-mini")
    before = asked()
    assert run("retries")["status"] == 502
    assert asked() == before + 1  # however often weir asked


def test_models(run):
    result = run("models")
    assert {"gpt-4o-mini", "renamed", "support"} <= set(result["ids"]) and result["one"] == "renamed"


def test_many_at_once(run):
    assert run("many")["texts"] == ["Hello there."] * 20
