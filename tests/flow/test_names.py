"""Which name goes where (RULINGS 6), what is listed, and what passes through as it is (RULINGS 16)."""

import pytest

from conftest import openai_provider
from fakes import answers, expect
from fakes.provider import Gate, ScriptedProvider, close, send
from fakes.raw_http import RawClient, chat_body, request_bytes

MULTIPART = (
    b'--xyz\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n'
    b'--xyz\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n\x00\xff\r\n\r\n--\r\n--xyz--\r\n'
)


@pytest.fixture(scope="module")
def other():
    with ScriptedProvider() as scripted:
        yield scripted


@pytest.fixture
def strict(weir_with, provider, other):
    """Two providers and no default: a name must be known."""
    other.reset_scripts()
    return weir_with(
        {
            "providers": {"up": openai_provider(provider.base_url), "other": openai_provider(other.base_url)},
            "models": {"gpt-4o-mini": {"provider": "up"}, "gpt-5.5": {"provider": "other", "id": "five-five"}},
            "routes": {"support": {"model": "gpt-5.5", "task": "help"}, "direct": {"model": "up/raw-id"}},
        }
    )


def went_to(response, name, model=None):
    assert response.status == 200, response
    assert response.header("x-weir-provider") == name
    if model:
        assert response.header("x-weir-model") == model


def test_the_route_header_comes_first(strict, other):
    went_to(strict.chat({"model": "gpt-4o-mini"}, fields=[("x-weir-route", "support")]), "other", "gpt-5.5")
    assert other.requests[-1].json()["model"] == "five-five"


def test_an_unknown_route_header_is_404_with_the_nearest_name(strict):
    response = strict.chat(fields=[("x-weir-route", "suport")])
    expect.refused(response, 404, "client.not_found/none", says=["suport", "support"])


def test_a_route_by_name(strict, provider, other):
    went_to(strict.chat({"model": "support"}), "other", "gpt-5.5")
    assert other.requests[-1].json()["model"] == "five-five"
    went_to(strict.chat({"model": "direct"}), "up")
    assert provider.requests[-1].json()["model"] == "raw-id"


def test_a_model_by_name(strict, provider):
    went_to(strict.chat({"model": "gpt-4o-mini"}), "up", "gpt-4o-mini")
    assert provider.requests[-1].json()["model"] == "gpt-4o-mini"


def test_provider_slash_model(strict, other):
    went_to(strict.chat({"model": "other/some/long:name"}), "other", "some/long:name")
    assert other.requests[-1].json()["model"] == "some/long:name"


@pytest.mark.parametrize(
    "name, nearest", [("gpt5.5", "gpt-5.5"), ("gpt-4o-minni", "gpt-4o-mini"), ("GPT-5.5", "gpt-5.5")]
)
def test_an_unknown_model_is_404_with_the_nearest_name(strict, name, nearest):
    error = expect.refused(strict.chat({"model": name}), 404, "client.not_found/none", "model_not_found", "model")
    assert nearest in error["message"] and "models:" in error["message"] and f"/{name}" in error["message"]


def test_an_unknown_provider_prefix_is_an_unknown_model(strict):
    expect.refused(strict.chat({"model": "nobody/gpt-4o"}), 404, "client.not_found/none", "model_not_found")


def test_the_default_takes_every_other_name(weir, provider):
    for name in ("anything", "nobody/gpt-4o", "up/"):
        went_to(weir.chat({"model": name}), "up", name)
        assert provider.requests[-1].json()["model"] == name


def test_the_only_provider_takes_every_name_and_demo_does_not_count(weir_with, provider):
    weir = weir_with({"providers": {"up": openai_provider(provider.base_url), "demo": {"protocol": "demo"}}})
    went_to(weir.chat({"model": "anything"}), "up")
    went_to(weir.chat({"model": "demo/anything"}), "demo")


def test_demo_alone_takes_every_name(weir_with):
    weir = weir_with({"providers": {"demo": {"protocol": "demo"}}})
    went_to(weir.chat({"model": "anything"}), "demo")


def test_a_default_that_is_off_answers_503_naming_its_variable(weir_with, provider):
    settings = {
        "providers": {
            "off": openai_provider(provider.base_url, api_key="${SOME_UNSET_KEY}"),
            "up": openai_provider(provider.base_url),
        },
        "default": "off",
    }
    weir = weir_with(settings)
    expect.refused(weir.chat({"model": "anything"}), 503, "gateway.busy/none", says="SOME_UNSET_KEY")
    went_to(weir.chat({"model": "up/anything"}), "up")


# Lists.


def test_models_lists_models_and_routes(strict):
    response = strict.get("/v1/models")
    assert response.status == 200 and response.header("content-type").startswith("application/json")
    listed = response.json()
    assert listed["object"] == "list"
    assert {"gpt-4o-mini", "gpt-5.5", "support", "direct"} <= {one["id"] for one in listed["data"]}
    for one in listed["data"]:
        assert one["object"] == "model" and isinstance(one["created"], int) and isinstance(one["owned_by"], str)


def test_one_model(strict):
    response = strict.get("/v1/models/gpt-5.5")
    assert response.status == 200
    assert response.json()["id"] == "gpt-5.5" and response.json()["object"] == "model"


def test_an_unknown_model_in_the_path_is_404(strict):
    expect.refused(strict.get("/v1/models/gpt5.5"), 404, "client.not_found/none", "model_not_found", says="gpt5.5")


# Paths.


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/chat/completions"])
def test_chat_with_and_without_v1(weir, provider, path):
    """SEMANTICS 33."""
    assert weir.chat(path=path).status == 200
    assert provider.requests[-1].target == "/v1/chat/completions"


def test_models_without_v1(strict):
    assert strict.get("/models").json() == strict.get("/v1/models").json()
    assert strict.get("/models/gpt-5.5").json()["id"] == "gpt-5.5"


def test_the_query_of_a_chat_call_is_no_obstacle(weir, provider):
    assert weir.chat(path="/v1/chat/completions?api-version=1").status == 200
    assert provider.requests[-1].json()["model"] == "gpt-4o-mini"


PASSED = {
    "get-with-a-query": ("GET", "/v1/files?purpose=a%20b&after[]=x%2Fy&c=%E2%82%AC", b"", None),
    "get-deep": ("GET", "/v1/some/new/endpoint/x%2Fy", b"", None),
    "delete": ("DELETE", "/v1/files/file-1", b"", None),
    "multipart": ("POST", "/v1/files", MULTIPART, "multipart/form-data; boundary=xyz"),
    "audio": ("POST", "/v1/audio/transcriptions", MULTIPART, "multipart/form-data; boundary=xyz"),
    "binary": ("PUT", "/v1/uploads/1", bytes(range(256)) * 300, "application/octet-stream"),
    "patch": ("PATCH", "/v1/things/1", b'{ "a" : 1.0 }', "application/json"),
    "embeddings": (
        "POST",
        "/v1/embeddings",
        b'{ "model":"text-embedding-3-small","input":"x" , "n":1.0}',
        "application/json",
    ),
    "responses-by-id": ("POST", "/v1/responses/resp_1/cancel", b'{"metadata":{"task_type":"t"}}', "application/json"),
    "messages-batches": ("POST", "/v1/messages/batches", b'{"requests":[]}', "application/json"),
    "empty-post": ("POST", "/v1/batches/b1/cancel", b"", None),
    "get-of-chat-completions": ("GET", "/v1/chat/completions?limit=2", b"", None),
}


@pytest.mark.parametrize("name", PASSED)
def test_other_endpoints_pass_through_raw(weir, provider, name):
    method, target, body, kind = PASSED[name]
    answer = b"\x00raw \xff answer\r\n" * 10
    provider.answer_next(send(answers.reply(answer, 201, "application/x-thing", fields=[("Set-Cookie", "a=b")])))
    fields = [("Content-Type", kind)] if kind else []
    response = weir.call(request_bytes(method, target, body, fields), method)
    request = provider.requests[-1]
    assert (request.method, request.target, request.body) == (method, target, body)
    assert request.header("content-type") == kind
    assert request.headers("authorization") == ["Bearer sk-test-secret"]
    assert (response.status, response.body) == (201, answer)
    assert response.header("content-type") == "application/x-thing"
    assert response.header("set-cookie") is None
    assert response.header("x-weir-cost-usd") is None


def test_a_large_raw_answer_is_relayed_as_it_arrives(weir, provider):
    gate = Gate()
    first, second = b"a" * 100_000, b"b" * 100_000
    head = answers.head(200, "application/octet-stream", [("Content-Length", 200_000)])
    provider.answer_next(send(head + first), gate, send(second))
    with weir.connect() as client:
        client.send(request_bytes("GET", "/v1/files/f/content"))
        response = client.read_head()
        seen = 0
        while len(client.buffer) + seen < 90_000:
            assert client.receive_some()
        gate.open()
        assert client.read_body(response, "GET").body == first + second


@pytest.mark.parametrize("framing", ["chunked", "close"])
def test_raw_answers_in_other_framings(weir, provider, framing):
    provider.answer_next(
        send(answers.reply(b"x" * 5000, framing=framing, chunk_size=700)), *([close()] if framing == "close" else [])
    )
    assert weir.get("/v1/files/f/content").body == b"x" * 5000


def test_raw_errors_pass_with_their_status(weir, provider):
    body = answers.error_body("No such file.", code="file_missing")
    provider.answer_next(send(answers.reply(body, 404)))
    response = weir.get("/v1/files/nope")
    assert response.status == 404 and response.body == body


def test_a_raw_204_has_no_body(weir, provider):
    provider.answer_next(send(answers.head(204, None)))
    assert weir.call(request_bytes("DELETE", "/v1/files/f"), "DELETE").status == 204


def test_a_raw_stream_passes_through(weir, provider):
    """`/v1/threads/runs` streams with events of its own."""
    stream = b'event: thread.created\ndata: {"id":"t"}\n\nevent: x\ndata: {}\n\n'
    provider.answer_next(send(answers.stream_head() + answers.chunked(stream, 17)))
    body = b'{"model":"gpt-5","input":"x","stream":true}'
    response = weir.call(request_bytes("POST", "/v1/threads/runs", body, [("Content-Type", "application/json")]))
    assert response.body == stream
    assert response.header("content-type").startswith("text/event-stream")
    assert provider.requests[-1].body == body


def test_a_pass_through_with_a_model_goes_to_its_provider(strict, other):
    """RULINGS 16: with the name patched and nothing else."""
    body = b'{ "input":"x", "model" : "gpt-5.5","n":1.0 }'
    went_to(strict.call(request_bytes("POST", "/v1/embeddings", body, [("Content-Type", "application/json")])), "other")
    assert other.requests[-1].body == b'{ "input":"x", "model" : "five-five","n":1.0 }'
    assert other.requests[-1].target == "/v1/embeddings"


def test_a_pass_through_without_a_default_is_404_that_says_so(strict):
    expect.refused(strict.get("/v1/files"), 404, "client.not_found/none", says="set default:")


@pytest.mark.parametrize("endpoint", ["embeddings", "responses/r/cancel", "batches", "files"])
def test_named_endpoints_work_without_v1(weir, provider, endpoint):
    assert weir.call(request_bytes("POST", f"/{endpoint}", b"{}", [("Content-Type", "application/json")])).status == 200
    assert provider.requests[-1].target == f"/v1/{endpoint}"


def test_other_endpoints_do_not_work_without_v1(weir, provider):
    mark = provider.mark()
    expect.refused(weir.get("/some/new/endpoint"), 404, "client.not_found/none")
    assert not provider.since(mark)


def test_a_pass_through_is_booked_once_with_its_price_unknown(weir, model):
    fields = [("Content-Type", "application/json"), ("x-request-id", model)]
    weir.call(request_bytes("POST", "/v1/moderations", answers.dumps({"model": model, "input": "x"}), fields))
    entry = weir.wait_for_call(request_id=model)
    assert (entry["provider"], entry["status"], entry["outcome"], entry["attempts"]) == ("up", 200, "ok", 1)
    assert weir.metrics().value("weir_price_unknown_total", model=model) == 1


def test_a_pass_through_of_a_request_past_one_megabyte(weir, provider):
    body = bytes(range(256)) * 8192
    fields = [("Content-Type", "application/octet-stream")]
    assert weir.call(request_bytes("POST", "/v1/uploads", body, fields)).status == 200
    assert provider.requests[-1].body == body


def test_names_are_never_taken_from_inside_the_messages(strict):
    body = b'{"messages":[{"model":"gpt-5.5"}],"model":"gpt-4o-mini"}'
    went_to(strict.chat(body), "up")


def test_calls_to_two_providers_over_one_client_connection(strict, provider, other):
    with RawClient(strict.port) as client:
        for name, scripted in [("gpt-4o-mini", provider), ("gpt-5.5", other)] * 3:
            mark = scripted.mark()
            client.send(request_bytes(body=chat_body(name)))
            assert client.read_response().status == 200
            assert len(scripted.since(mark)) == 1
