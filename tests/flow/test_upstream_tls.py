"""TLS towards the provider: its certificate and name are checked, its name is told (SNI)."""

import pytest

from conftest import openai_provider
from fakes import answers, expect
from fakes.certificates import Authority
from fakes.raw_http import wait_until
from fakes.provider import ScriptedProvider, send


@pytest.fixture
def secure(authority):
    issued = authority.issue("localhost", label="upstream")
    with ScriptedProvider(tls=issued.server_context()) as scripted:
        yield scripted


def weir_for(weir_with, secure, authority, host="localhost", **tls):
    url = secure.base_url.replace("127.0.0.1", host)
    tls = {"ca": str(authority.certificate)} | tls
    return weir_with({"providers": {"up": openai_provider(url, tls=tls)}, "default": "up"})


def test_an_own_authority_is_trusted_and_the_name_is_told(weir_with, secure, authority):
    weir = weir_for(weir_with, secure, authority)
    for _ in range(3):
        assert weir.chat().status == 200
    assert set(secure.server_names) == {"localhost"}
    assert secure.requests[0].header("host") == f"localhost:{secure.port}"


def test_a_wrong_name_is_refused(weir_with, secure, authority):
    """The certificate is for localhost, the address is another."""
    weir = weir_for(weir_with, secure, authority, host="127.0.0.1")
    expect.refused(weir.chat(), 502, "upstream.unreachable/tls")
    assert not secure.requests


def test_an_address_in_the_certificate_is_good(weir_with, authority):
    issued = authority.issue("localhost", label="upstream-address", addresses=["127.0.0.1"])
    with ScriptedProvider(tls=issued.server_context()) as scripted:
        assert weir_for(weir_with, scripted, authority, host="127.0.0.1").chat().status == 200
        assert scripted.server_names in ([None], [])  # an address is no server name (RFC 6066 section 3)


def test_an_unknown_authority_is_refused(weir_with, secure):
    weir = weir_with(
        {"providers": {"up": openai_provider(secure.base_url.replace("127.0.0.1", "localhost"))}, "default": "up"}
    )
    expect.refused(weir.chat(), 502, "upstream.unreachable/tls")
    assert not secure.requests


def test_verification_can_be_switched_off(weir_with, secure, authority):
    weir = weir_for(weir_with, secure, authority, host="127.0.0.1", verify=False)
    assert weir.chat().status == 200


def test_large_bodies_both_ways(weir_with, secure, authority):
    weir = weir_for(weir_with, secure, authority)
    body = answers.completion("y" * 3_000_000)
    secure.answer_next(send(answers.reply(body)))
    content = "x" * 3_000_000
    assert weir.chat({"content": content}).body == body
    assert secure.requests[-1].json()["messages"][0]["content"] == content


def test_a_changed_authority_file_is_taken_by_itself(weir_with, secure, authority, tmp_path):
    trusted = tmp_path / "authority.pem"
    (tmp_path / "other").mkdir()
    trusted.write_bytes(Authority(tmp_path / "other", name="another authority").certificate.read_bytes())
    weir = weir_for(weir_with, secure, authority, ca=str(trusted))
    expect.refused(weir.chat(), 502, "upstream.unreachable/tls")
    replacement = tmp_path / "new.pem"
    replacement.write_bytes(authority.certificate.read_bytes())
    replacement.replace(trusted)
    wait_until(lambda: weir.chat().status == 200, "the new authority", every=0.1)
