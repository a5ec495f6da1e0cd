"""Each client's dialect against upstreams of each protocol that can be scripted here: same-protocol calls byte for byte,
the others translated, errors and endings in the client's own words."""

import json

import pytest

from fakes import answers, anthropic_answers as claude, responses_answers as responses
from fakes.provider import Gate, close, send
from fakes.raw_http import cut_off, request_bytes, wait_until

JSON = [("Content-Type", "application/json")]
ANTHROPIC = [*JSON, ("anthropic-version", "2023-06-01"), ("anthropic-beta", "a-1,b-2"), ("x-api-key", "client-secret")]


@pytest.fixture(scope="module")
def weir(provider, anthropic_upstream, tmp_path_factory):
    from fakes.weir_process import Weir

    settings = {
        "providers": {
            "openai": {"protocol": "openai", "base_url": provider.base_url, "api_key": "sk-test-secret"},
            "anthropic": {
                "protocol": "anthropic",
                "base_url": anthropic_upstream.base_url.removesuffix("/v1"),
                "api_key": "sk-test-secret",
            },
        },
        "default": "openai",
        "models": {"claude": {"provider": "anthropic", "id": "claude-sonnet-4-5"}, "gpt": {"provider": "openai"}},
    }
    with Weir(tmp_path_factory.mktemp("weir"), settings) as process:
        yield process


@pytest.fixture(autouse=True)
def plain(anthropic_upstream):
    anthropic_upstream.reset_scripts()
    anthropic_upstream.answer_by(claude.answer())


def post(weir, path, body, fields=JSON):
    return weir.call(request_bytes("POST", path, body if isinstance(body, bytes) else answers.dumps(body), fields))


# Same protocol: the client's own bytes.


def test_messages_go_to_anthropic_as_they_are(weir, anthropic_upstream):
    body = b'{ "model" : "claude","max_tokens":9, "x":[1e2,1.0], "messages":[{"role":"user","content":"\\u0048i"}]}'
    response = post(weir, "/v1/messages?beta=true", body, ANTHROPIC)
    request = anthropic_upstream.requests[-1]
    assert request.body == body.replace(b'"claude"', b'"claude-sonnet-4-5"')
    assert request.target == "/v1/messages?beta=true"
    assert request.header("anthropic-beta") == "a-1,b-2" and request.header("anthropic-version") == "2023-06-01"
    assert request.header("x-api-key") == "sk-test-secret"
    assert response.body == claude.message()
    assert response.header("request-id") and response.header("x-weir-cost-usd")


def test_a_stream_of_messages_passes_as_it_is(weir, anthropic_upstream):
    events = claude.stream_events(claude.THINKING, claude.text(), claude.tool_use(city="Oslo"), stop="tool_use")
    anthropic_upstream.answer_next(send(answers.stream_reply(events)))
    body = {"model": "claude", "max_tokens": 9, "stream": True, "messages": [{"role": "user", "content": "x"}]}
    assert post(weir, "/v1/messages", body, ANTHROPIC).body == b"".join(events)


def test_responses_pass_as_they_are_with_the_state_that_openai_keeps(weir, provider):
    body = b'{"model":"gpt", "input":"x","previous_response_id":"resp_0","metadata":{"task_type":"t","a":"b"}}'
    answer = answers.dumps(responses.response())
    provider.answer_next(send(answers.reply(answer)))
    response = post(weir, "/v1/responses", body)
    request = provider.requests[-1]
    assert request.target == "/v1/responses" and request.body == body.replace(b'"task_type":"t",', b"")
    assert response.body == answer and response.header("x-weir-task") == "t"


def test_a_stream_of_responses_passes_as_it_is(weir, provider):
    events = responses.stream_events()
    provider.answer_next(send(answers.stream_reply(events)))
    assert post(weir, "/v1/responses", {"model": "gpt", "input": "x", "stream": True}).body == b"".join(events)


@pytest.mark.parametrize("stream", [False, True])
def test_responses_that_pass_are_metered(weir, provider, stream):
    whole = answers.reply(answers.dumps(responses.response()))
    provider.answer_next(send(answers.stream_reply(responses.stream_events()) if stream else whole))
    body = {"model": "gpt", "input": "x", "previous_response_id": "resp_0", "stream": stream}
    call = f"native-responses-{stream}"
    assert post(weir, "/v1/responses", body, [*JSON, ("x-request-id", call)]).status == 200
    entry = weir.wait_for_call(request_id=call)
    assert (entry["outcome"], entry["model"]) == ("ok", "gpt")
    kinds = {"uncached": 800, "cache_read": 200, "cache_write": 0, "output": 236, "reasoning": 64}
    assert entry["tokens"] == kinds | {"estimated": False}


def test_stored_answers_are_refused_where_nobody_keeps_them(weir, anthropic_upstream):
    mark = anthropic_upstream.mark()
    for key, value in (("previous_response_id", "resp_0"), ("conversation", "conv_1")):
        response = post(weir, "/v1/responses", {"model": "claude", "input": "x", key: value})
        assert response.status == 400
        error = response.json()["error"]
        assert error["param"] == key and "stores no answers" in error["message"]
    assert not anthropic_upstream.since(mark)


def test_completions_pass_as_they_are(weir, provider):
    provider.answer_next(send(answers.reply(responses.completion())))
    response = post(weir, "/v1/completions", {"model": "gpt", "prompt": "Hi"})
    assert provider.requests[-1].target == "/v1/completions" and response.body == responses.completion()
    events = responses.completion_events()
    provider.answer_next(send(answers.stream_reply(events)))
    response = post(weir, "/v1/completions", {"model": "gpt", "prompt": "Hi", "stream": True})
    assert b'"include_usage":true' in provider.requests[-1].body
    assert b'"usage"' not in response.body and response.body.endswith(b"[DONE]\n\n")


# Translated.


def test_messages_are_translated_for_openai(weir, provider):
    body = {"model": "gpt", "max_tokens": 9, "system": "Be kind.", "messages": [{"role": "user", "content": "Hi"}]}
    response = post(weir, "/v1/messages", body, ANTHROPIC)
    asked = provider.requests[-1]
    assert asked.target == "/v1/chat/completions"
    assert [one["role"] for one in asked.json()["messages"]][-1] == "user"
    assert asked.header("x-api-key") is None and "client-secret" not in str(asked.fields)
    reply = response.json()
    assert reply["type"] == "message" and reply["content"] == [{"type": "text", "text": "Hello there."}]
    assert reply["usage"]["input_tokens"] == 800 and reply["usage"]["cache_read_input_tokens"] == 200


def test_what_is_dropped_is_said(weir, provider):
    body = {"model": "gpt", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 9, "top_k": 5}
    for stream in (False, True):
        if stream:
            provider.answer_next(send(answers.stream_reply(answers.stream_events())))
        response = post(weir, "/v1/messages", body | {"stream": stream}, ANTHROPIC)
        assert response.status == 200 and "top_k" in response.header("x-weir-dropped")


def test_tokens_are_counted_by_anthropic_itself_and_cost_nothing(weir, anthropic_upstream):
    anthropic_upstream.answer_next(send(answers.reply(b'{"input_tokens":14}')))
    body = {"model": "claude", "messages": [{"role": "user", "content": "Hi"}]}
    response = post(weir, "/v1/messages/count_tokens?beta=true", body, ANTHROPIC)
    assert anthropic_upstream.requests[-1].target == "/v1/messages/count_tokens?beta=true"
    assert anthropic_upstream.requests[-1].json()["model"] == "claude-sonnet-4-5"
    assert response.json() == {"input_tokens": 14} and response.header("x-weir-estimated") is None


def test_tokens_are_estimated_for_an_openai_target(weir, provider):
    mark = provider.mark()
    body = {"model": "gpt", "messages": [{"role": "user", "content": "Hi"}]}
    response = post(weir, "/v1/messages/count_tokens", body, ANTHROPIC)
    assert response.status == 200 and response.header("x-weir-estimated") == "true"
    assert not provider.since(mark)


@pytest.mark.parametrize("dialect", ["messages", "chat"])
def test_events_of_an_unknown_type_are_no_errors_and_are_counted(weir, anthropic_upstream, dialect):
    shiny = b'event: shiny\ndata: {"type":"shiny","text":"new"}\n\n'
    start, *rest = claude.stream_events()
    anthropic_upstream.answer_next(send(answers.stream_reply([start, shiny, *rest[:2], shiny, *rest[2:]])))
    before = weir.metrics()
    path, body = CUT[dialect]
    response = post(weir, path, body | {"model": "claude", "stream": True}, ANTHROPIC if dialect == "messages" else JSON)
    assert response.status == 200 and b'"error"' not in response.body
    assert response.body.count(shiny) == (2 if dialect == "messages" else 0)
    wait_until(
        lambda: weir.metrics().value("weir_unknown_events_total", provider="anthropic")
        - before.value("weir_unknown_events_total", provider="anthropic")
        == 2,
        "both to be counted",
    )


# Errors.


@pytest.mark.parametrize("status", [400, 404, 413, 429])
def test_anthropics_own_error_passes_byte_for_byte(weir, anthropic_upstream, status):
    body = claude.error_body("some_error")
    anthropic_upstream.answer_always(send(answers.reply(body, status)))
    asked = {"model": "claude", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}
    response = post(weir, "/v1/messages", asked, ANTHROPIC)
    assert (response.status, response.body) == (status, body)


def test_an_overloaded_anthropic_is_a_503(weir, anthropic_upstream):
    anthropic_upstream.answer_always(send(answers.reply(claude.error_body("overloaded_error", "Overloaded"), 529)))
    asked = {"model": "claude", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}
    response = post(weir, "/v1/messages", asked, ANTHROPIC)
    assert response.status == 503 and response.json()["error"]["type"] == "overloaded_error"
    assert response.header("x-weir-failure").startswith("upstream.overloaded/")


def test_an_openai_error_is_said_again_to_an_anthropic_client(weir, provider):
    provider.answer_always(send(answers.reply(answers.error_body("No such field.", param="x"), 400)))
    asked = {"model": "gpt", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}
    response = post(weir, "/v1/messages", asked, ANTHROPIC)
    body = response.json()
    assert response.status == 400 and body["type"] == "error"
    assert body["error"] == {"type": "invalid_request_error", "message": "No such field."}


def test_an_anthropic_error_is_said_again_to_openais_clients(weir, anthropic_upstream):
    anthropic_upstream.answer_always(send(answers.reply(claude.error_body(), 400)))
    response = weir.chat({"model": "claude"})
    assert response.status == 400 and set(response.json()["error"]) == {"message", "type", "param", "code"}


CUT = {
    "messages": ("/v1/messages", {"max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}),
    "responses": ("/v1/responses", {"input": "x"}),
    "chat": ("/v1/chat/completions", {"messages": [{"role": "user", "content": "x"}]}),
}


@pytest.mark.parametrize("upstream", ["gpt", "claude"])
@pytest.mark.parametrize("dialect", CUT)
def test_a_cut_stream_ends_in_an_error_of_the_dialect(weir, provider, anthropic_upstream, dialect, upstream):
    native = {"messages": "claude", "responses": "gpt", "chat": "gpt"}[dialect] == upstream
    if upstream == "claude":
        events = claude.stream_events()[:4]
    else:
        events = responses.stream_events()[:6] if dialect == "responses" else answers.stream_events()[:3]
    source = anthropic_upstream if upstream == "claude" else provider
    gate = Gate()
    source.answer_next(send(answers.stream_head("close") + b"".join(events)), gate, close())
    path, body = CUT[dialect]
    body = answers.dumps(body | {"model": upstream, "stream": True})
    request = request_bytes("POST", path, body, ANTHROPIC if "mess" in path else JSON)
    response = cut_off(weir.connect(), request, gate, b"Hello")
    text = response.body.decode()
    assert response.status == 200, native
    assert "[DONE]" not in text and "message_stop" not in text and "response.completed" not in text
    last = json.loads(response.events()[-1])
    if dialect == "messages":
        assert "event: error\n" in text and last["type"] == "error" and last["error"]["type"] == "api_error"
    elif dialect == "responses":
        assert last["type"] == "error" and last["message"]
        numbers = [json.loads(one)["sequence_number"] for one in response.events()]
        assert numbers == list(range(len(numbers))) and len(numbers) > 3
    else:
        assert last["error"]["message"]


# Coding agents: sessions replayed from the documented formats.

CLAUDE_CODE = [
    *JSON,
    ("accept", "application/json"),
    ("anthropic-beta", "claude-code-20250219,interleaved-thinking-2025-05-14,fine-grained-tool-streaming-2025-05-14"),
    ("anthropic-dangerous-direct-browser-access", "true"),
    ("anthropic-version", "2023-06-01"),
    ("authorization", "Bearer client-secret"),
    ("user-agent", "claude-cli/2.0.1 (external, cli)"),
    ("x-app", "cli"),
    ("x-stainless-lang", "js"),
    ("x-stainless-retry-count", "0"),
    ("x-stainless-timeout", "600"),
]


def agent_turns():
    tools = [{"name": "Bash", "description": "Runs.", "input_schema": {"type": "object", "properties": {"command": {}}}}]
    system = [{"type": "text", "text": "You are an agent.", "cache_control": {"type": "ephemeral"}}]
    call = claude.tool_use(1, "Bash", command="ls")
    first = {"role": "user", "content": [{"type": "text", "text": "List the files."}]}
    result = {"type": "tool_result", "tool_use_id": "toolu_01", "content": "a.txt", "is_error": False}
    plain = {"model": "claude", "max_tokens": 32000, "system": system, "tools": tools, "stream": True}
    plain["metadata"] = {"user_id": "user_abc_account__session_1"}
    plain["thinking"] = {"type": "enabled", "budget_tokens": 10000}
    yield plain | {"messages": [first]}
    answered = [first, {"role": "assistant", "content": [claude.THINKING, call]}, {"role": "user", "content": [result]}]
    yield plain | {"messages": answered}


@pytest.mark.parametrize("upstream", ["claude", "gpt"])
def test_a_session_of_claude_code(weir, provider, anthropic_upstream, upstream):
    anthropic_upstream.answer_by(claude.answer(claude.THINKING, claude.tool_use(1, "Bash", command="ls"), stop="tool_use"))
    provider.answer_by(lambda _: [send(answers.stream_reply(answers.stream_events()))])
    for turn in agent_turns():
        response = post(weir, "/v1/messages?beta=true", turn | {"model": upstream}, CLAUDE_CODE)
        assert response.status == 200, response.body
        kinds = [json.loads(one)["type"] for one in response.events()]
        assert kinds[0] == "message_start" and kinds[-1] == "message_stop"
        if upstream == "claude":
            request = anthropic_upstream.requests[-1]
            assert request.target == "/v1/messages?beta=true"
            assert request.json() == turn | {"model": "claude-sonnet-4-5"}
            assert request.header("anthropic-beta") == dict(CLAUDE_CODE)["anthropic-beta"]
            assert "client-secret" not in str(request.fields)


CODEX = [
    *JSON,
    ("accept", "text/event-stream"),
    ("authorization", "Bearer client-secret"),
    ("openai-beta", "responses=experimental"),
    ("originator", "codex_cli_rs"),
    ("session_id", "0199a213-81c0-7800-8aa1-bbab2a035a53"),
    ("user-agent", "codex_cli_rs/0.50.0 (Debian 12; x86_64)"),
]


def codex_turns():
    said = lambda role, kind, text: {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}
    plain = {
        "instructions": "You are a coding agent.",
        "tools": [
            {
                "type": "function",
                "name": "shell",
                "description": "Runs.",
                "strict": False,
                "parameters": {"type": "object", "properties": {"command": {"type": "array"}}},
            }
        ],
        "tool_choice": "auto",
        "parallel_tool_calls": False,
        "reasoning": {"effort": "medium", "summary": "auto"},
        "store": False,
        "stream": True,
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": "0199a213",
    }
    first = said("user", "input_text", "List the files.")
    yield plain | {"input": [first]}
    call = {"type": "function_call", "name": "shell", "arguments": '{"command":["ls"]}', "call_id": "call_1"}
    yield plain | {"input": [first, call, {"type": "function_call_output", "call_id": "call_1", "output": "a.txt"}]}


@pytest.mark.parametrize("upstream", ["claude", "gpt"])
def test_a_session_of_codex(weir, provider, anthropic_upstream, upstream):
    provider.answer_by(lambda _: [send(answers.stream_reply(responses.stream_events()))])
    for turn in codex_turns():
        response = post(weir, "/v1/responses", turn | {"model": upstream}, CODEX)
        assert response.status == 200, response.body
        kinds = [json.loads(one)["type"] for one in response.events()]
        assert kinds[0] == "response.created" and kinds[-1] == "response.completed"
        if upstream == "gpt":
            request = provider.requests[-1]
            assert request.json() == turn | {"model": "gpt"}
            assert request.header("openai-beta") == "responses=experimental"
            assert "client-secret" not in str(request.fields)
