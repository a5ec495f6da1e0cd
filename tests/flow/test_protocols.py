"""Calls of OpenAI's chat to providers of every other protocol, which answer with the bytes that their documentation shows."""

import base64
import json
import subprocess

import pytest

from fakes import answers
from fakes.answers import dumps
from fakes.protocol_answers import Anthropic, Azure, Bedrock, Gemini, Vertex, sse
from fakes.provider import Gate, ScriptedProvider, close, send
from fakes.raw_http import chat_body, chat_request, cut_off
from fakes.weir_process import Weir

PIXEL = "data:image/png;base64,iVBORw0KGgo="
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
SCHEMA = {
    "type": "json_schema",
    "json_schema": {"name": "city", "schema": {"type": "object", "properties": {"name": {"type": "string"}}}},
}

SPOKEN = {"anthropic": Anthropic, "gemini": Gemini, "bedrock": Bedrock, "azure": Azure, "vertex": Vertex}


@pytest.fixture(scope="module")
def upstream():
    with ScriptedProvider() as provider:
        yield provider


@pytest.fixture(scope="module")
def tokens(authority):
    """Google's token endpoint."""
    own = authority.issue("localhost", label="tokens", addresses=["127.0.0.1"])
    with ScriptedProvider(tls=own.server_context()) as provider:
        token = dumps({"access_token": "ya29.token", "expires_in": 3600, "token_type": "Bearer"})
        denied = dumps({"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
        good, bad = [send(answers.reply(token))], [send(answers.reply(denied, status=400))]
        provider.answer_by(lambda request: bad if request.target == "/denied" else good)
        yield provider


@pytest.fixture(scope="module")
def house(upstream, tokens, authority, tmp_path_factory):
    folder = tmp_path_factory.mktemp("protocols")
    key = subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
                         capture_output=True, check=True).stdout.decode()
    account = {"type": "service_account", "client_email": "w@p.iam", "private_key": key, "private_key_id": "1",
               "token_uri": tokens.base_url.removesuffix("/v1") + "/token", "project_id": "my-shop"}
    (folder / "account.json").write_text(json.dumps(account))
    (folder / "denied.json").write_text(json.dumps(account | {"token_uri": account["token_uri"][:-6] + "/denied"}))
    port = upstream.port
    settings = {
        "defaults": {"retry": {"attempts": 1}},
        "providers": {name: spoken.settings(port) for name, spoken in SPOKEN.items() if name != "vertex"},
        "models": {"picky": {"provider": "anthropic", "id": "claude-x", "abilities": ["streaming"]}},
        "routes": {
            "strict": {"model": "anthropic/claude-x", "strict": True},
            "two": {"model": "anthropic/claude-x", "fallback": ["gemini/g"], "retry": {"attempts": 2}},
        },
    }
    settings["providers"]["vertex"] = {
        "protocol": "vertex", "base_url": f"http://127.0.0.1:{port}", "project": "my-shop", "location": "europe-west4",
        "service_account": str(folder / "account.json"), "tls": {"ca": str(authority.certificate)}}
    settings["providers"]["denied"] = settings["providers"]["vertex"] | {"service_account": str(folder / "denied.json")}
    with Weir(folder, settings) as process:
        yield process


@pytest.fixture(params=SPOKEN)
def name(request, upstream):
    upstream.reset_scripts()
    return request.param


def ask(house, upstream, name, blocks, stop="stop", stream=False, **more):
    spoken = SPOKEN[name]
    if stream:
        upstream.answer_next(send(answers.reply(spoken.stream(blocks, stop), content_type=spoken.stream_type)))
        more |= {"stream": True, "stream_options": {"include_usage": True}}
    else:
        upstream.answer_next(send(answers.reply(spoken.whole(blocks, stop))))
    mark = upstream.mark()
    response = house.chat(chat_body(f"{name}/some-model", **more))
    assert response.status == 200, response.body
    (request,) = upstream.since(mark)
    return response, request


def chunks_of(response):
    lines = [line for line in response.body.split(b"\n\n") if line.startswith(b"data: ")]
    assert lines[-1] == b"data: [DONE]"
    return [json.loads(line[6:]) for line in lines[:-1]]


def test_text(house, upstream, name):
    response, request = ask(house, upstream, name, [("text", "Hello \u00fc there.")])
    body = response.json()
    assert body["choices"][0]["message"]["content"] == "Hello \u00fc there."
    assert body["choices"][0]["finish_reason"] == "stop"
    assert (body["usage"]["prompt_tokens"], body["usage"]["completion_tokens"]) == (11, 7)
    where = {"anthropic": "/v1/messages", "gemini": "/v1beta/models/some-model:generateContent",
             "bedrock": "/model/some-model/converse",
             "azure": "/openai/deployments/some-model/chat/completions?api-version=2024-10-21",
             "vertex": "/v1/projects/my-shop/locations/europe-west4/publishers/google/models/some-model:generateContent"}
    assert request.target == where[name]
    credential = {"anthropic": ("x-api-key", "k"), "gemini": ("x-goog-api-key", "k"), "azure": ("api-key", "k"),
                  "vertex": ("authorization", "Bearer ya29.token"),
                  "bedrock": ("authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE00000/")}[name]
    assert request.header(credential[0]).startswith(credential[1])


def test_a_stream(house, upstream, name):
    response, _ = ask(house, upstream, name, [("text", "Hello "), ("text", "there.")], stream=True)
    chunks = chunks_of(response)
    said = "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks if c["choices"])
    assert said == "Hello there."
    assert [c["choices"][0]["finish_reason"] for c in chunks if c["choices"]][-1] == "stop"
    assert chunks[-1]["usage"]["prompt_tokens"] == 11 and chunks[-1]["usage"]["completion_tokens"] == 7


@pytest.mark.parametrize("stream", [False, True])
def test_parallel_tools(house, upstream, name, stream):
    calls = [("call", ("a", "weather", {"city": "Rome"})), ("call", ("b", "weather", {"city": "Oslo"}))]
    response, request = ask(house, upstream, name, calls, "tool", stream, tools=[TOOL])
    if stream:
        found = {}
        for chunk in chunks_of(response):
            for choice in chunk["choices"]:
                for call in choice["delta"].get("tool_calls", []):
                    at = found.setdefault(call["index"], ["", ""])
                    at[0] += call["function"].get("name") or ""
                    at[1] += call["function"].get("arguments") or ""
        got = [tuple(found[i]) for i in sorted(found)]
    else:
        message = response.json()["choices"][0]
        assert message["finish_reason"] == "tool_calls"
        got = [(c["function"]["name"], c["function"]["arguments"]) for c in message["message"]["tool_calls"]]
    assert [(n, json.loads(a)) for n, a in got] == [("weather", {"city": "Rome"}), ("weather", {"city": "Oslo"})]
    assert b"weather" in request.body


def test_an_image(house, upstream, name):
    content = [{"type": "image_url", "image_url": {"url": PIXEL}}, {"type": "text", "text": "What is it?"}]
    _, request = ask(house, upstream, name, [("text", "a dot")], messages=[{"role": "user", "content": content}])
    assert base64.b64encode(b"\x89PNG\r\n\x1a\n") in request.body


def test_a_json_schema(house, upstream, name):
    forced = name in ("anthropic", "bedrock")
    blocks = [("call", ("j", "city", {"name": "Rome"}))] if forced else [("text", '{"name":"Rome"}')]
    response, request = ask(house, upstream, name, blocks, "tool" if forced else "stop", response_format=SCHEMA)
    message = response.json()["choices"][0]["message"]
    assert json.loads(message["content"]) == {"name": "Rome"} and not message.get("tool_calls")
    assert response.json()["choices"][0]["finish_reason"] == "stop"
    assert b'"properties":{"name"' in request.body


@pytest.mark.parametrize(
    "status, body, expected",
    [
        (429, {"error": {"type": "rate_limit_error", "message": "slow", "status": "RESOURCE_EXHAUSTED"}}, 429),
        (503, {"error": {"code": 503, "status": "UNAVAILABLE", "message": "x"}, "message": "x"}, 503),
        (403, {"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "x"}, "message": "x"}, 502),
    ],
)
def test_errors(house, upstream, name, status, body, expected):
    upstream.answer_next(send(answers.reply(dumps(body), status=status, fields=[("Retry-After", "9")])))
    response = house.chat(chat_body(f"{name}/some-model"))
    assert response.status == expected, response.body
    error = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    if status in (429, 503):
        assert response.header("retry-after") == "9"


def test_a_wait_in_the_body_reaches_the_client_as_retry_after(house, upstream):
    upstream.reset_scripts()
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "6.5s"}]
    error = {"code": 503, "status": "UNAVAILABLE", "message": "The model is overloaded.", "details": details}
    upstream.answer_next(send(answers.reply(dumps({"error": error}), status=503)))
    response = house.chat(chat_body("gemini/m"))
    assert (response.status, response.header("retry-after")) == (503, "7")
    assert response.header("x-should-retry") == "false", "weir has tried what may be tried"


def test_an_overloaded_anthropic(house, upstream):
    upstream.reset_scripts()
    body = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    upstream.answer_next(send(answers.reply(dumps(body), status=529)))
    assert house.chat(chat_body("anthropic/m")).status == 503


def test_wrong_credentials_name_the_setting(house, upstream):
    upstream.reset_scripts()
    denied = dumps({"message": "The security token included in the request is invalid."})
    upstream.answer_next(send(answers.reply(denied, status=403)))
    assert "secret_access_key" in house.chat(chat_body("bedrock/m")).json()["error"]["message"]
    missing = dumps({"error": {"code": "DeploymentNotFound", "message": "x"}})
    upstream.answer_next(send(answers.reply(missing, status=404)))
    assert "deployment" in house.chat(chat_body("azure/m")).json()["error"]["message"]


def test_thinking_of_anthropic(house, upstream):
    upstream.reset_scripts()
    content = [{"type": "thinking", "thinking": "Hmm.", "signature": "s"}, {"type": "text", "text": "42"}]
    upstream.answer_next(send(answers.reply(dumps({
        "id": "m", "type": "message", "role": "assistant", "model": "claude-x", "content": content,
        "stop_reason": "end_turn", "usage": {"input_tokens": 1, "output_tokens": 2}}))))
    response = house.chat(chat_body("anthropic/claude-x", reasoning_effort="high", max_tokens=9000))
    assert response.json()["choices"][0]["message"]["reasoning_content"] == "Hmm."
    assert upstream.requests[-1].json()["thinking"]["type"] == "enabled"


def test_what_a_model_lacks_and_what_is_left_out(house, upstream):
    upstream.reset_scripts()
    mark = upstream.mark()
    refused = house.chat(chat_body("picky", tools=[TOOL]))
    assert refused.status == 400 and refused.json()["error"]["param"] == "tools", refused.body
    refused = house.chat(chat_body("strict", seed=7))
    assert refused.status == 400 and "seed" in refused.json()["error"]["message"]
    assert not upstream.since(mark)
    before = house.metrics().value("weir_translation_dropped_total", field="seed", to="anthropic") or 0
    ask(house, upstream, "anthropic", [("text", "x")], seed=7)
    after = house.metrics().value("weir_translation_dropped_total", field="seed", to="anthropic", **{"from": "openai_chat"})
    assert after == before + 1


def test_one_token_serves_many_calls(house, upstream, tokens):
    upstream.reset_scripts()
    for _ in range(3):
        ask(house, upstream, "vertex", [("text", "x")])
    assert 1 <= len(tokens.requests) <= 2, "one per worker"
    assert b"grant_type=urn" in tokens.requests[0].body


def test_a_refused_service_account_names_the_setting(house, upstream):
    mark = upstream.mark()
    for _ in range(2):  # the second finds the pause after a failure, and the same answer
        response = house.chat(chat_body("denied/m"))
        assert response.status == 502 and "service_account" in response.json()["error"]["message"], response.body
    assert not upstream.since(mark)


def test_an_error_event_before_content_goes_to_the_fallback(house, upstream):
    upstream.reset_scripts()
    begun = Anthropic.stream([("text", "never seen")], "stop").split(b"event: content_block_start")[0]
    error = sse({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})
    upstream.answer_next(send(answers.reply(begun + error, content_type=Anthropic.stream_type)))
    stream = Gemini.stream([("text", "Hello.")], "stop")
    upstream.answer_next(send(answers.reply(stream, content_type=Gemini.stream_type)))
    response = house.chat(chat_body("two", stream=True))
    assert response.status == 200 and response.header("x-weir-provider") == "gemini"
    said = "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks_of(response) if c["choices"])
    assert said == "Hello."


@pytest.mark.parametrize("before", [True, False])
def test_a_stream_that_is_cut(house, upstream, before, name):
    stream = SPOKEN[name].stream([("text", "Hello "), ("text", "there.")], "stop")
    at = stream.index(b"Hello") - 30 if before else stream.index(b"there.") + 2
    if name == "azure" and not before:
        at = stream.index(b"finish_reason\":\"stop")
    whole = answers.reply(stream, content_type=SPOKEN[name].stream_type)
    gate = Gate()
    upstream.answer_next(send(whole[: len(whole) - len(stream) + at]), gate, close())
    request = chat_request(chat_body(f"{name}/some-model", stream=True))
    if before:
        gate.open()
        response = house.call(request)
        assert response.status == 502, response.body
    else:
        response = cut_off(house.connect(), request, gate, b"Hello")
        assert response.status == 200 and b"Hello" in response.body
        assert b'data: {"error":' in response.body and b"[DONE]" not in response.body
