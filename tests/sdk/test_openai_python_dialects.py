"""The real `openai` SDK for Python: responses, completions, embeddings; and its chat before an Anthropic upstream."""

import json

import openai
import pytest

from fakes import answers, anthropic_answers as claude, responses_answers as responses
from fakes.provider import close, send

MESSAGES = [{"role": "user", "content": "Hi"}]
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}}


@pytest.fixture
def client(two):
    with openai.OpenAI(base_url=two.url("/v1"), api_key="any key", max_retries=0, timeout=120) as sdk:
        yield sdk


def test_responses(client, upstream):
    upstream["gpt"].answer_next(send(answers.reply(answers.dumps(responses.response()))))
    assert client.responses.create(model="gpt", input="Hi").output_text == "Hello there."
    reply = client.responses.create(model="claude", input="Hi", instructions="Be kind.")
    assert reply.output_text == "Hello there." and reply.usage.output_tokens == 300
    assert upstream["claude"].requests[-1].json()["system"]


@pytest.mark.parametrize("model", ["gpt", "claude"])
def test_a_stream_of_responses(client, upstream, model):
    upstream["gpt"].answer_next(send(answers.stream_reply(responses.stream_events())))
    with client.responses.stream(model=model, input="Hi") as stream:
        text = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
        assert stream.get_final_response().output_text == text == "Hello there."


def test_a_stored_response_goes_to_who_keeps_it(client, upstream):
    upstream["gpt"].answer_next(send(answers.reply(answers.dumps(responses.response(previous_response_id="resp_0")))))
    reply = client.responses.create(model="gpt", input="And then?", previous_response_id="resp_0", store=True)
    assert reply.previous_response_id == "resp_0" and reply.usage.input_tokens_details.cached_tokens == 200
    upstream["gpt"].answer_next(send(answers.stream_reply(responses.stream_events())))
    with client.responses.stream(model="gpt", input="And then?", previous_response_id="resp_0") as stream:
        assert stream.get_final_response().output_text == "Hello there."
    for request in upstream["gpt"].requests[-2:]:
        assert request.target == "/v1/responses" and request.json()["previous_response_id"] == "resp_0"


def test_responses_with_parallel_tools(client, upstream):
    both = claude.tool_use(1, city="Oslo"), claude.tool_use(2, city="Rome")
    upstream["claude"].answer_by(claude.answer(*both, stop="tool_use"))
    tool = {"type": "function", "name": "get_weather", "parameters": SCHEMA, "strict": True}
    reply = client.responses.create(model="claude", input="Hi", tools=[tool])
    calls = [one for one in reply.output if one.type == "function_call"]
    assert [json.loads(one.arguments) for one in calls] == [{"city": "Oslo"}, {"city": "Rome"}]
    results = [{"type": "function_call_output", "call_id": one.call_id, "output": "1"} for one in calls]
    upstream["claude"].answer_by(claude.answer())
    client.responses.create(model="claude", input=[*MESSAGES, *[one.to_dict() for one in reply.output], *results], tools=[tool])
    sent = upstream["claude"].requests[-1].json()["messages"]
    assert [one["type"] for one in sent[-1]["content"]] == ["tool_result", "tool_result"]


def test_a_stored_response_is_refused_where_nobody_keeps_it(client, upstream):
    with pytest.raises(openai.BadRequestError) as raised:
        client.responses.create(model="claude", input="Hi", previous_response_id="resp_1")
    assert raised.value.param == "previous_response_id"


def test_errors_of_responses(client, upstream):
    upstream["claude"].answer_always(send(answers.reply(claude.error_body("overloaded_error"), 529)))
    with pytest.raises(openai.InternalServerError) as raised:
        client.responses.create(model="claude", input="Hi")
    assert raised.value.status_code == 503


def test_completions(client, upstream):
    upstream["gpt"].answer_next(send(answers.reply(responses.completion())))
    assert client.completions.create(model="gpt", prompt="Hi").choices[0].text == " there"
    upstream["gpt"].answer_next(send(answers.stream_reply(responses.completion_events())))
    stream = client.completions.create(model="gpt", prompt="Hi", stream=True)
    assert "".join(one.choices[0].text for one in stream) == " there."
    assert client.completions.create(model="claude", prompt="Hi").choices[0].text == "Hello there."


@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_embeddings(client, upstream, encoding):
    vector = [0.5, 0.25] if encoding == "float" else "AAAAPwAAgD4="
    body = {
        "object": "list",
        "model": "e",
        "data": [{"object": "embedding", "index": 0, "embedding": vector}],
        "usage": {"prompt_tokens": 3, "total_tokens": 3},
    }
    upstream["gpt"].answer_next(send(answers.reply(answers.dumps(body))))
    reply = client.embeddings.create(model="gpt", input="x", dimensions=2, encoding_format=encoding)
    assert reply.data[0].embedding == vector and reply.usage.prompt_tokens == 3
    assert upstream["gpt"].requests[-1].json()["dimensions"] == 2


# Chat before Anthropic.


def test_chat(client, upstream):
    messages = [{"role": "developer", "content": "Be kind."}, *MESSAGES]
    reply = client.chat.completions.create(model="claude", messages=messages)
    assert reply.choices[0].message.content == "Hello there." and reply.usage.prompt_tokens == 1000
    asked = upstream["claude"].requests[-1].json()
    assert asked["system"] and asked["max_tokens"] > 0


def test_chat_streams_with_parallel_tools(client, upstream):
    both = claude.tool_use(1, city="Oslo"), claude.tool_use(2, city="Rome")
    upstream["claude"].answer_by(claude.answer(claude.text("Wait."), *both, stop="tool_use"))
    calls, finish = {}, None
    for chunk in client.chat.completions.create(model="claude", messages=MESSAGES, tools=[TOOL], stream=True):
        for call in chunk.choices[0].delta.tool_calls or []:
            calls[call.index] = calls.get(call.index, "") + (call.function.arguments or "")
        finish = chunk.choices[0].finish_reason or finish
    assert {index: json.loads(text) for index, text in calls.items()} == {0: {"city": "Oslo"}, 1: {"city": "Rome"}}
    assert finish == "tool_calls"


def test_chat_with_a_schema(client, upstream):
    def by(request):
        forced = request.json().get("tool_choice")
        assert forced, "a JSON Schema is a forced tool"
        return [send(answers.reply(claude.message(claude.tool_use(1, forced["name"], city="Oslo"), stop="tool_use")))]

    upstream["claude"].answer_by(by)
    schema = {"type": "json_schema", "json_schema": {"name": "city", "schema": SCHEMA, "strict": True}}
    reply = client.chat.completions.create(model="claude", messages=MESSAGES, response_format=schema)
    assert json.loads(reply.choices[0].message.content) == {"city": "Oslo"}
    assert reply.choices[0].finish_reason == "stop" and not reply.choices[0].message.tool_calls


def test_chat_with_an_image(client, upstream):
    url = "data:image/png;base64,iVBORw0KGgo="
    content = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": url}}]
    client.chat.completions.create(model="claude", messages=[{"role": "user", "content": content}])
    image = upstream["claude"].requests[-1].json()["messages"][-1]["content"][1]
    assert image["source"] == {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}


def test_a_cut_stream_is_an_error(client, upstream):
    events = claude.stream_events()[:5]
    # Always: where its end comes together with its content, weir asks again.
    upstream["claude"].answer_always(send(answers.stream_head("close") + b"".join(events)), close())
    with pytest.raises(openai.APIError):
        list(client.chat.completions.create(model="claude", messages=MESSAGES, stream=True))
