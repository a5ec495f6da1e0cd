"""The provider's connections: their cap holds for the process and starves nobody, and none is reused out of step."""

import threading

import pytest

from conftest import openai_provider
from fakes import answers, expect
from fakes.provider import Gate, close, reset, send
from fakes.raw_http import chat_request, wait_until


def capped(weir_with, provider, most):
    entry = openai_provider(provider.base_url, connections={"max": most})
    return weir_with({"threads": 2, "providers": {"up": entry}, "default": "up"})


def test_one_workers_idle_connection_does_not_starve_the_other(weir_with, provider):
    weir = capped(weir_with, provider, 1)
    assert [weir.chat().status for _ in range(8)] == [200] * 8


def test_places_of_closed_connections_are_taken_at_once(weir_with, provider):
    """Answers that close their connection free its place for the calls that wait."""
    weir = capped(weir_with, provider, 2)
    closing = answers.reply(answers.completion(), fields=[("Connection", "close")])
    provider.answer_always(send(closing), close())
    statuses = []

    def ask():
        statuses.append(weir.chat().status)

    threads = [threading.Thread(target=ask) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert statuses == [200] * 40


def test_a_stray_line_behind_a_request_does_not_hide_that_its_client_left(weir, provider, model):
    mark = provider.mark()
    provider.answer_next(Gate())
    with weir.connect() as client:
        client.send(chat_request({"model": f"up/{model}"}) + b"\r\n")
        wait_until(lambda: provider.since(mark), "the call at the provider")
    assert weir.wait_for_call(model=model)["outcome"] == "client_left"


@pytest.mark.parametrize("head", [b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"])
def test_bytes_behind_an_answer_without_a_body_are_no_answer(weir, provider, head):
    provider.answer_next(send(head + answers.completion()))
    response = weir.chat()
    expect.refused(response, 502, "upstream.protocol/body")
    assert weir.chat().status == 200


def test_a_reset_is_not_the_end_of_a_raw_answer(weir, provider, model):
    gate = Gate()
    provider.answer_next(send(b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\r\nhalf"), gate, reset())
    with weir.connect() as client:
        client.send(b"GET /v1/files/one HTTP/1.1\r\nHost: weir.test\r\nx-request-id: " + model.encode() + b"\r\n\r\n")
        client.read_head()
        client.read_body_until(b"half")
        gate.open()
        assert not client.read_to_end().endswith(b"0\r\n\r\n")
    assert weir.wait_for_call(request_id=model)["outcome"] == "cut"
