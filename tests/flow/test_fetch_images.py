"""`fetch_images:`: an image by URL for a target that takes none, fetched from the hosts that the settings list and no others."""

import pytest

from fakes import answers
from fakes.dialect_matrix import answer_in_protocol
from fakes.protocol_answers import Bedrock, Gemini
from fakes.provider import ScriptedProvider, close, send, silence
from fakes.raw_http import request_bytes
from fakes.weir_process import Weir

PNG = b"\x89PNG\r\n\x1a\n"
AS_TEXT = b"iVBORw0KGgo="
JSON = [("Content-Type", "application/json")]


@pytest.fixture(scope="module")
def upstream():
    with ScriptedProvider() as provider:
        provider.answer_by(answer_in_protocol())
        yield provider


@pytest.fixture(scope="module")
def images(authority):
    """An image server on loopback: its address is listed, and only so may it be asked. A name never leads there."""
    own = authority.issue("localhost", label="images", addresses=["127.0.0.1"])
    with ScriptedProvider(tls=own.server_context()) as server:
        yield server


@pytest.fixture(scope="module")
def house(upstream, images, authority, tmp_path_factory):
    hosts = [f"127.0.0.1:{images.port}", f"localhost:{images.port}", "images.example.invalid"]
    openai = {"protocol": "openai", "base_url": upstream.base_url, "api_key": "k"}
    settings = {
        "defaults": {"retry": {"attempts": 1}, "fetch_images": {"hosts": hosts}},
        "providers": {
            "gemini": Gemini.settings(upstream.port) | {"quirks": ["no_image_urls"]},
            "bedrock": Bedrock.settings(upstream.port),
            "blind": openai | {"quirks": ["no_image_urls"]},
            "openai": openai,
        },
        "models": {"g": {"provider": "gemini"}},
        "routes": {"never": {"model": "g", "fetch_images": {"hosts": []}}},
    }
    environment = {"SSL_CERT_FILE": str(authority.certificate)}
    with Weir(tmp_path_factory.mktemp("images"), settings, environment=environment) as process:
        yield process


@pytest.fixture(autouse=True)
def plainly(images):
    images.reset_scripts()
    images.answer_always(send(answers.reply(PNG, content_type="application/octet-stream")))


def body_of(dialect, model, *urls):
    if dialect == "messages":
        content = [{"type": "image", "source": {"type": "url", "url": url}} for url in urls]
        return "/v1/messages", {"model": model, "max_tokens": 9, "messages": [{"role": "user", "content": content}]}
    if dialect == "responses":
        content = [{"type": "input_image", "image_url": url} for url in urls]
        return "/v1/responses", {"model": model, "input": [{"role": "user", "content": content}]}
    content = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    return "/v1/chat/completions", {"model": model, "messages": [{"role": "user", "content": content}]}


def ask(house, model, *urls, dialect="chat", **more):
    path, body = body_of(dialect, model, *urls)
    fields = [*JSON, ("Authorization", "Bearer client-secret"), ("Cookie", "a=b")]
    return house.call(request_bytes("POST", path, answers.dumps(body | more), fields))


@pytest.mark.parametrize("dialect", ["chat", "responses", "messages"])
@pytest.mark.parametrize("name", ["gemini", "bedrock"])
def test_a_listed_host_is_asked(house, upstream, images, name, dialect):
    mark, image_mark = upstream.mark(), images.mark()
    url = f"https://127.0.0.1:{images.port}/a.png?sig=s%2F1#x"
    response = ask(house, f"{name}/anthropic.claude-x", url, url, dialect=dialect)
    assert response.status == 200, response.body
    (sent,) = upstream.since(mark)
    assert sent.body.count(AS_TEXT) == 2 and (b"image/png" in sent.body or b'"png"' in sent.body)
    first, second = images.since(image_mark)
    assert (first.method, first.target) == ("GET", "/a.png?sig=s%2F1")
    assert first.header("host") == f"127.0.0.1:{images.port}"
    assert "client-secret" not in str(first.fields) and first.header("cookie") is None


def test_a_compatible_server_that_takes_no_urls(house, upstream, images):
    mark = upstream.mark()
    assert ask(house, "blind/m", f"https://127.0.0.1:{images.port}/a.png", dialect="messages").status == 200
    assert b"data:image/png;base64," + AS_TEXT in upstream.since(mark)[0].body


def test_a_stream_waits_for_its_image(house, images):
    response = ask(house, "gemini/m", f"https://127.0.0.1:{images.port}/a.png", stream=True)
    assert response.status == 200 and response.body.endswith(b"[DONE]\n\n")


def test_a_target_that_takes_urls_fetches_itself(house, upstream, images):
    mark, image_mark = upstream.mark(), images.mark()
    url = f"https://127.0.0.1:{images.port}/a.png"
    assert ask(house, "openai/m", url, dialect="messages").status == 200
    assert url.encode() in upstream.since(mark)[0].body and not images.since(image_mark)


def refused(house, images, url, says, model="gemini/m"):
    connections, mark = len(images.connections), images.mark()
    response = ask(house, model, url)
    assert response.status == 400, response.body
    message = response.json()["error"]["message"]
    assert says in message and "sig=" not in message, message
    return len(images.connections) - connections, images.since(mark)


NOBODY = [
    ("https://127.0.0.2:{port}/a.png?sig=1", "takes no URLs"),
    ("https://127.0.0.1/a.png?sig=1", "takes no URLs"),
    ("http://127.0.0.1:{port}/a.png?sig=1", "takes no URLs"),
    ("https://x@127.0.0.1:{port}/a.png?sig=1", "takes no URLs"),
    ("https://localhost:{port}/a.png?sig=1", "no public address"),
]


@pytest.mark.parametrize("url, says", NOBODY)
def test_nobody_else_is_asked(house, upstream, images, url, says):
    mark = upstream.mark()
    connections, _ = refused(house, images, url.format(port=images.port), says)
    assert connections == 0 and not upstream.since(mark)


def test_a_route_may_switch_it_off(house, images):
    connections, _ = refused(house, images, f"https://127.0.0.1:{images.port}/a.png", "takes no URLs", model="never")
    assert connections == 0


BAD = {
    "redirect": (answers.reply(b"", status=302, fields=[("Location", "https://127.0.0.1/x")]), "redirects are not followed"),
    "missing": (answers.reply(b"", status=404), "answered 404"),
    "page": (answers.reply(b"<html>secret</html>", content_type="image/png"), "no PNG, JPEG, GIF or WebP"),
    "announced": (answers.head(200, "image/png", [("Content-Length", 1 << 30)]) + PNG, "more than"),
    "endless": (answers.head(200, "image/png", [("Connection", "close")]) + PNG + bytes(17 << 20), "more than"),
    "cut": (answers.head(200, "image/png", [("Content-Length", 99)]) + PNG, "cut off"),
    "no-http": (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "no HTTP"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_had_is_said(house, upstream, images, name):
    answer, says = BAD[name]
    images.answer_next(send(answer), close())
    mark = upstream.mark()
    _, asked = refused(house, images, f"https://127.0.0.1:{images.port}/a.png?sig=1", says)
    assert len(asked) == 1 and not upstream.since(mark)


def test_no_more_than_eight(house, images):
    response = ask(house, "gemini/m", *[f"https://127.0.0.1:{images.port}/{i}.png" for i in range(9)])
    assert response.status == 400 and "at most 8 images" in response.json()["error"]["message"]


def test_a_client_that_leaves_ends_the_fetch(house, images):
    path, body = body_of("chat", "gemini/m", f"https://127.0.0.1:{images.port}/slow.png")
    images.answer_next(silence())
    mark = images.mark()
    with house.connect() as client:
        client.send(request_bytes("POST", path, answers.dumps(body), JSON))
        images.wait_for_requests(mark + 1)
    images.wait_closed()
