"""The real `openai` SDK for Python, with nothing changed but its base_url."""

import asyncio

import openai
import pytest

from fakes import answers
from fakes.provider import Gate, send, silence

MESSAGES = [{"role": "user", "content": "Hi"}]


@pytest.fixture
def client(weir):
    with openai.OpenAI(base_url=weir.url("/v1"), api_key="any key", max_retries=0, timeout=120) as sdk:
        yield sdk


def failing(provider, status, body=None, **fields):
    body = body or answers.error_body("It is so.", "some_type", "messages", "some_code")
    provider.answer_always(send(answers.reply(body, status, fields=list(fields.items()))))


def test_versions():
    print(f"openai for Python {openai.__version__}")


def test_chat(client):
    reply = client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES)
    assert reply.choices[0].message.content == "Hello there."
    assert reply.choices[0].finish_reason == "stop"
    assert reply.usage.prompt_tokens == 1000 and reply.usage.prompt_tokens_details.cached_tokens == 200
    assert reply._request_id


def test_chat_with_a_task_in_metadata(client, provider, weir):
    client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, metadata={"task_type": "sdk_task"})
    assert "metadata" not in provider.requests[-1].json()
    assert weir.metrics().value("weir_requests_total", task="sdk_task") == 1


def test_base_url_without_v1(weir):
    with openai.OpenAI(base_url=weir.url(), api_key="k", max_retries=0) as sdk:
        assert sdk.chat.completions.create(model="m", messages=MESSAGES).choices


def test_stream(client, provider):
    provider.answer_next(send(answers.stream_reply(answers.stream_events(["Hello", " there", " 😀"]))))
    chunks = list(client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, stream=True))
    assert "".join(one.choices[0].delta.content or "" for one in chunks) == "Hello there 😀"
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert all(one.usage is None and one.choices for one in chunks)


def test_stream_with_usage(client, provider):
    provider.answer_next(send(answers.stream_reply(answers.stream_events())))
    options = {"include_usage": True}
    chunks = list(
        client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, stream=True, stream_options=options)
    )
    assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens == 300
    assert all(one.usage is None for one in chunks[:-1])


def test_the_first_chunk_is_there_before_the_last(client, provider):
    events = answers.stream_events(["one", "two"])
    gate = Gate()
    first, rest = events[:2], events[2:]
    provider.answer_next(
        send(answers.stream_head() + b"".join(map(answers.one_chunk, first))),
        gate,
        send(b"".join(map(answers.one_chunk, rest)) + b"0\r\n\r\n"),
    )
    stream = client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, stream=True)
    next(stream)
    assert next(stream).choices[0].delta.content == "one"
    gate.open()
    assert next(stream).choices[0].delta.content == "two"


def test_leaving_a_stream_half_way(client, provider, weir, model):
    provider.answer_next(
        send(answers.stream_head() + b"".join(map(answers.one_chunk, answers.stream_events()[:2]))), silence()
    )
    mark = provider.mark()
    with client.chat.completions.create(
        model=model, messages=MESSAGES, stream=True, extra_headers={"x-request-id": model}
    ) as stream:
        next(stream)
    upstream = provider.connections[provider.requests[mark].connection]
    provider.wait_until(upstream.closed.is_set, "weir to hang up")
    assert weir.wait_for_call(request_id=model)["outcome"] == "client_left"


@pytest.mark.parametrize(
    "status, error",
    [
        (400, openai.BadRequestError),
        (404, openai.NotFoundError),
        (413, openai.APIStatusError),
        (422, openai.UnprocessableEntityError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
        (503, openai.InternalServerError),
    ],
)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_errors_have_the_right_class(client, provider, status, error, stream):
    failing(provider, status)
    with pytest.raises(error) as caught:
        client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, stream=stream)
    assert "It is so." in str(caught.value)
    assert caught.value.request_id
    if status in (400, 404, 413, 422, 429):
        assert caught.value.status_code == status
        assert (caught.value.type, caught.value.param, caught.value.code) == ("some_type", "messages", "some_code")


def test_a_providers_401_is_not_the_callers(client, provider):
    failing(provider, 401)
    with pytest.raises(openai.InternalServerError) as caught:
        client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES)
    assert caught.value.status_code == 502


def test_our_own_refusals_are_bad_requests(client):
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, metadata={"task_type": "not a task"})
    assert caught.value.type == "invalid_request_error"


def test_an_error_inside_a_stream_is_raised(client, provider):
    gate = Gate()
    error = answers.event(answers.error_body("The model broke down.", "server_error"))
    content = b"".join(map(answers.one_chunk, answers.stream_events(["Hello"])[:2]))
    provider.answer_next(send(answers.stream_head() + content), gate, send(answers.one_chunk(error) + b"0\r\n\r\n"))
    stream = client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, stream=True)
    seen = []
    with pytest.raises(openai.APIError):
        for one in stream:
            seen.append(one.choices[0].delta.content)
            if "Hello" in seen:
                gate.open()
    assert "Hello" in seen


@pytest.mark.parametrize("status", [429, 500, 503])
def test_the_sdk_does_not_ask_again_what_weir_gave_up(weir, provider, status, model):
    """`x-should-retry: false` wins over max_retries (SEMANTICS 9)."""
    failing(provider, status)
    with (
        openai.OpenAI(base_url=weir.url("/v1"), api_key="k", max_retries=2) as sdk,
        pytest.raises(openai.APIStatusError),
    ):
        sdk.chat.completions.create(model=model, messages=MESSAGES)
    assert weir.metrics().value("weir_requests_total", model=model) == 1  # however often weir asked


def test_raw_headers(client):
    raw = client.chat.completions.with_raw_response.create(model="renamed", messages=MESSAGES)
    assert raw.headers["x-weir-model"] == "renamed"
    assert raw.headers["x-weir-provider"] == "up"
    assert float(raw.headers["x-weir-cost-usd"]) > 0
    assert raw.headers["x-request-id"] == raw.parse()._request_id


def test_models(client):
    assert {"gpt-4o-mini", "renamed", "support"} <= {one.id for one in client.models.list()}
    assert client.models.retrieve("renamed").id == "renamed"


def test_embeddings_pass_through(client, provider):
    body = answers.dumps(
        {
            "object": "list",
            "model": "e",
            "data": [{"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}],
            "usage": {"prompt_tokens": 3, "total_tokens": 3},
        }
    )
    provider.answer_next(send(answers.reply(body)))
    reply = client.embeddings.create(model="e", input="x", encoding_format="float")
    assert reply.data[0].embedding == [0.5, 0.25]


def test_files_pass_through_as_multipart(client, provider):
    body = answers.dumps(
        {
            "id": "file-1",
            "object": "file",
            "bytes": 3,
            "created_at": 1,
            "filename": "a",
            "purpose": "batch",
            "status": "processed",
        }
    )
    provider.answer_next(send(answers.reply(body)))
    assert client.files.create(file=("a.jsonl", b"\x00\xff\r\n"), purpose="batch").id == "file-1"
    assert b"\x00\xff\r\n" in provider.requests[-1].body
    assert provider.requests[-1].header("content-type").startswith("multipart/form-data; boundary=")


def test_many_calls_over_one_client(client, weir):
    before = weir.metrics().value("weir_requests_total", outcome="ok")
    for _ in range(30):
        client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES)
    assert weir.metrics().value("weir_requests_total", outcome="ok") == before + 30


def test_tool_calls_in_a_stream(client, provider):
    def delta(index, **function):
        return {"tool_calls": [{"index": index, "function": function}]}

    start = {
        "tool_calls": [
            {"index": i, "id": f"call_{i}", "type": "function", "function": {"name": f"f{i}", "arguments": ""}}
            for i in (0, 1)
        ]
    }
    deltas = [
        start,
        delta(0, arguments='{"a":'),
        delta(1, arguments='{"b":'),
        delta(0, arguments="1.0}"),
        delta(1, arguments="2}"),
    ]
    events = [answers.event(answers.chunk(one)) for one in deltas]
    events += [answers.event(answers.chunk({}, "tool_calls")), answers.SSE_DONE]
    provider.answer_next(send(answers.stream_reply(events)))
    arguments = {0: "", 1: ""}
    for one in client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, stream=True):
        for call in one.choices[0].delta.tool_calls or []:
            arguments[call.index] += call.function.arguments or ""
    assert arguments == {0: '{"a":1.0}', 1: '{"b":2}'}


def test_the_asynchronous_client(weir, provider):
    def script(request):
        if request.json().get("stream"):
            return [send(answers.stream_reply(answers.stream_events(["a", "b"])))]
        return [send(answers.reply(answers.completion(request.json()["messages"][0]["content"])))]

    provider.answer_by(script)

    async def run():
        async with openai.AsyncOpenAI(base_url=weir.url("/v1"), api_key="k", max_retries=0) as sdk:

            async def whole(i):
                messages = [{"role": "user", "content": f"n{i}"}]
                reply = await sdk.chat.completions.create(model="gpt-4o-mini", messages=messages)
                return reply.choices[0].message.content

            async def streamed():
                stream = await sdk.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, stream=True)
                return "".join([one.choices[0].delta.content or "" async for one in stream])

            return await asyncio.gather(*(whole(i) for i in range(20)), *(streamed() for _ in range(20)))

    assert asyncio.run(run()) == [f"n{i}" for i in range(20)] + ["ab"] * 20
