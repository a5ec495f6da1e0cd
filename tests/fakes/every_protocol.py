"""One scripted upstream as a provider of every protocol: for tests that go through all of them."""

import json
import subprocess
from contextlib import contextmanager

from fakes import answers
from fakes.answers import dumps
from fakes.protocol_answers import Anthropic, Azure, Bedrock, Gemini
from fakes.provider import ScriptedProvider, send


@contextmanager
def providers(upstream, authority, folder):
    """`providers:` of the settings; the token endpoint that Vertex needs lives as long."""
    own = authority.issue("localhost", label="tokens", addresses=["127.0.0.1"])
    key = subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
                         capture_output=True, check=True).stdout.decode()
    with ScriptedProvider(tls=own.server_context()) as tokens:
        tokens.answer_always(send(answers.reply(dumps(
            {"access_token": "ya29.token", "expires_in": 3600, "token_type": "Bearer"}))))
        account = {"type": "service_account", "client_email": "w@p.iam", "private_key": key, "private_key_id": "1",
                   "token_uri": tokens.base_url.removesuffix("/v1") + "/token", "project_id": "my-shop"}
        (folder / "account.json").write_text(json.dumps(account))
        openai = {"protocol": "openai", "base_url": upstream.base_url, "api_key": "k"}
        yield {
            "openai": openai,
            "chatonly": openai | {"quirks": ["no_responses", "no_completions"]},
            "azure": Azure.settings(upstream.port) | {"api_version": "v1"},
            "anthropic": Anthropic.settings(upstream.port),
            # At their own addresses Google's have this quirk by themselves (config/providers.yaml).
            "gemini": Gemini.settings(upstream.port) | {"quirks": ["no_image_urls"]},
            "bedrock": Bedrock.settings(upstream.port),
            "vertex": {"protocol": "vertex", "base_url": f"http://127.0.0.1:{upstream.port}", "project": "my-shop",
                       "location": "europe-west4", "service_account": str(folder / "account.json"),
                       "tls": {"ca": str(authority.certificate)}, "quirks": ["no_image_urls"]},
        }
