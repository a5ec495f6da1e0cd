"""The real `anthropic` SDK for Python, with nothing changed but its base_url, before an upstream of its own protocol and
before OpenAI's."""

import json

import anthropic
import pytest

from fakes import answers, anthropic_answers as claude
from fakes.provider import Gate, close, send

MESSAGES = [{"role": "user", "content": "Hi"}]
BOTH = pytest.mark.parametrize("model", ["claude", "gpt"])
TOOLS = [
    {
        "name": "get_weather",
        "description": "Of a city.",
        "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    }
]


@pytest.fixture
def client(two):
    with anthropic.Anthropic(base_url=two.url(), api_key="any key", max_retries=0, timeout=120) as sdk:
        yield sdk


def create(client, model, **more):
    return client.messages.create(**({"model": model, "max_tokens": 100, "messages": MESSAGES} | more))


def openai_calls():
    calls = [
        {"id": f"call_{n}", "type": "function", "function": {"name": "get_weather", "arguments": f'{{"city":"{city}"}}'}}
        for n, city in enumerate(["Oslo", "Rome"])
    ]
    message = {"role": "assistant", "content": None, "refusal": None, "tool_calls": calls}
    return [{"index": 0, "message": message, "logprobs": None, "finish_reason": "tool_calls"}]


def openai_stream_of_calls():
    deltas = []
    for number, (name, *pieces) in enumerate([("get_weather", '{"city":', '"Oslo"}'), ("get_weather", '{"city":"Rome"}')]):
        start = {"index": number, "id": f"call_{number}", "type": "function", "function": {"name": name, "arguments": ""}}
        deltas.append({"tool_calls": [start]})
        deltas += [{"tool_calls": [{"index": number, "function": {"arguments": piece}}]} for piece in pieces]
    events = [answers.event(answers.chunk({"role": "assistant", "content": None}))]
    events += [answers.event(answers.chunk(delta)) for delta in deltas]
    events += [answers.event(answers.chunk({}, "tool_calls")), answers.event(answers.chunk(choices=[], usage=answers.USAGE))]
    return [*events, answers.SSE_DONE]


def test_versions():
    print(f"anthropic for Python {anthropic.__version__}")


@BOTH
def test_text(client, upstream, model):
    reply = create(client, model, system="Be kind.")
    assert reply.content[0].text == "Hello there." and reply.stop_reason == "end_turn"
    assert reply.usage.output_tokens == 300 and reply.usage.cache_read_input_tokens == 200
    assert reply._request_id


@BOTH
def test_stream(client, upstream, model):
    if model == "gpt":
        upstream["gpt"].answer_next(send(answers.stream_reply(answers.stream_events(["Hello", " there", " 😀"]))))
    else:
        upstream["claude"].answer_by(claude.answer(claude.text("Hello there 😀")))
    with client.messages.stream(model=model, max_tokens=100, messages=MESSAGES) as stream:
        assert "".join(stream.text_stream) == "Hello there 😀"
        message = stream.get_final_message()
    assert message.stop_reason == "end_turn" and message.usage.output_tokens == 300


@BOTH
@pytest.mark.parametrize("streamed", [False, True])
def test_parallel_tools(client, upstream, model, streamed):
    if model == "claude":
        both = claude.tool_use(1, city="Oslo"), claude.tool_use(2, city="Rome")
        upstream["claude"].answer_by(claude.answer(*both, stop="tool_use"))
    elif streamed:
        upstream["gpt"].answer_next(send(answers.stream_reply(openai_stream_of_calls())))
    else:
        upstream["gpt"].answer_next(send(answers.reply(answers.completion(choices=openai_calls()))))
    if streamed:
        with client.messages.stream(model=model, max_tokens=100, messages=MESSAGES, tools=TOOLS) as stream:
            message = stream.get_final_message()
    else:
        message = create(client, model, tools=TOOLS)
    assert message.stop_reason == "tool_use"
    assert [one.input for one in message.content if one.type == "tool_use"] == [{"city": "Oslo"}, {"city": "Rome"}]
    assert len({one.id for one in message.content}) == 2


@BOTH
def test_results_of_tools_go_back(client, upstream, model):
    uses = [claude.tool_use(1, city="Oslo"), claude.tool_use(2, city="Rome")]
    results = [{"type": "tool_result", "tool_use_id": f"toolu_0{n}", "content": f"{n} degrees"} for n in (1, 2)]
    turns = [*MESSAGES, {"role": "assistant", "content": uses}, {"role": "user", "content": results}]
    assert create(client, model, tools=TOOLS, messages=turns).content[0].text == "Hello there."
    asked = upstream[model].requests[-1].json()["messages"]
    if model == "gpt":
        assert [one["role"] for one in asked] == ["user", "assistant", "tool", "tool"]
        assert [one["tool_call_id"] for one in asked[2:]] == [one["id"] for one in asked[1]["tool_calls"]]
    else:
        assert asked == turns


@BOTH
def test_images(client, upstream, model):
    source = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
    content = [{"type": "image", "source": source}, {"type": "text", "text": "What is it?"}]
    create(client, model, messages=[{"role": "user", "content": content}])
    asked = upstream[model].requests[-1].json()["messages"][-1]["content"]
    if model == "gpt":
        assert asked[0]["image_url"]["url"] == "data:image/png;base64,iVBORw0KGgo="
    else:
        assert asked == content


@pytest.mark.parametrize("streamed", [False, True])
def test_thinking(client, upstream, streamed):
    upstream["claude"].answer_by(claude.answer(claude.THINKING, claude.text()))
    more = {"max_tokens": 4000, "thinking": {"type": "enabled", "budget_tokens": 2000}}
    if streamed:
        with client.messages.stream(model="claude", messages=MESSAGES, **more) as stream:
            message = stream.get_final_message()
    else:
        message = create(client, "claude", **more)
    assert (message.content[0].thinking, message.content[0].signature) == ("Let me see.", "EqQBCgIYAhIM")
    assert message.content[1].text == "Hello there."


def test_a_field_that_openai_has_not_is_said(client, upstream):
    response = client.messages.with_raw_response.create(
        model="gpt", max_tokens=9, messages=MESSAGES, extra_body={"top_k": 5}
    )
    assert "top_k" in response.headers["x-weir-dropped"]


ERRORS = {
    400: anthropic.BadRequestError,
    404: anthropic.NotFoundError,
    429: anthropic.RateLimitError,
    500: anthropic.InternalServerError,
}


@BOTH
@pytest.mark.parametrize("status", ERRORS)
def test_errors(client, upstream, model, status):
    body = claude.error_body() if model == "claude" else answers.error_body("It is so.")
    upstream[model].answer_always(send(answers.reply(body, status)))
    with pytest.raises(ERRORS[status]) as raised:
        create(client, model)
    assert "It is so." in raised.value.message
    assert raised.value.body["type"] == "error"


@BOTH
def test_an_error_inside_a_stream(client, upstream, model):
    if model == "claude":
        events = [*claude.stream_events()[:4], claude.event("error", error={"type": "overloaded_error", "message": "Full."})]
    else:
        events = [*answers.stream_events(["Hello"])[:2], answers.event(answers.error_body("The model broke down."))]
    # Always: before content has left weir asks again.
    upstream[model].answer_always(send(answers.stream_reply(events)))
    with pytest.raises(anthropic.APIStatusError):
        with client.messages.stream(model=model, max_tokens=100, messages=MESSAGES) as stream:
            stream.get_final_message()


@BOTH
def test_an_error_after_content_has_left(client, upstream, model):
    if model == "claude":
        events = claude.stream_events()[:4]
        error = claude.event("error", error={"type": "overloaded_error", "message": "Full."})
    else:
        events = answers.stream_events(["Hello"])[:2]
        error = answers.event(answers.error_body("The model broke down."))
    gate = Gate()
    one = lambda parts: send(b"".join(map(answers.one_chunk, parts)))
    upstream[model].answer_next(send(answers.stream_head()), one(events), gate, one([error]), send(b"0\r\n\r\n"))
    with pytest.raises(anthropic.APIStatusError):
        with client.messages.stream(model=model, max_tokens=100, messages=MESSAGES) as stream:
            for event in stream:
                if event.type == "text":
                    gate.open()


@BOTH
def test_a_cut_stream_is_an_error(client, upstream, model):
    events = claude.stream_events()[:4] if model == "claude" else answers.stream_events(["Hello"])[:2]
    # Always: where its end comes together with its content, weir asks again.
    upstream[model].answer_always(send(answers.stream_head("close") + b"".join(events)), close())
    with pytest.raises(anthropic.APIStatusError):
        with client.messages.stream(model=model, max_tokens=100, messages=MESSAGES) as stream:
            stream.get_final_message()


def test_tokens_are_counted(client, upstream):
    upstream["claude"].answer_next(send(answers.reply(b'{"input_tokens":14}')))
    assert client.messages.count_tokens(model="claude", messages=MESSAGES).input_tokens == 14
    estimated = client.messages.with_raw_response.count_tokens(model="gpt", messages=MESSAGES)
    assert estimated.headers["x-weir-estimated"] == "true" and estimated.parse().input_tokens > 0


def test_models(client):
    assert {"claude", "gpt"} <= {one.id for one in client.models.list()}
    assert client.models.retrieve("gpt").display_name == "gpt"
    with pytest.raises(anthropic.NotFoundError):
        client.models.retrieve("nope")


def test_betas(client, upstream):
    client.beta.messages.create(model="claude", max_tokens=9, messages=MESSAGES, betas=["interleaved-thinking-2025-05-14"])
    request = upstream["claude"].requests[-1]
    assert request.target.startswith("/v1/messages")
    assert request.header("anthropic-beta") == "interleaved-thinking-2025-05-14"


def test_a_schema(client, upstream):
    schema = TOOLS[0]["input_schema"] | {"additionalProperties": False}
    upstream["gpt"].answer_next(send(answers.reply(answers.completion('{"city":"Oslo"}'))))
    reply = create(client, "gpt", output_config={"format": {"type": "json_schema", "schema": schema}})
    assert json.loads(reply.content[0].text) == {"city": "Oslo"}
    assert upstream["gpt"].requests[-1].json()["response_format"]["type"] == "json_schema"
