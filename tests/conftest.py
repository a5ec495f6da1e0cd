"""What the flow and SDK tests stand on: a scripted provider and a weir in front of it, one of each per file.

Tests that share them keep apart by a model name of their own (`model`), so that each one's log line and metrics are its own.
"""

import re
import uuid

import pytest

from fakes import anthropic_answers as claude
from fakes.certificates import Authority
from fakes.provider import ScriptedProvider
from fakes.weir_process import Weir

# Where a limit is not the test's subject it must not fire, however long the machine stands still; where it is, it is the
# only short one, so that no other can come before it.
PATIENT = {"connect": "60s", "first_byte": "120s", "between_bytes": "120s", "total": "250s"}
HASTY = PATIENT | {"first_byte": "400ms"}
HASTY_BETWEEN = PATIENT | {"between_bytes": "400ms"}
HASTY_TOTAL = PATIENT | {"total": "3s"}  # long enough for content to have come before


def openai_provider(base_url, **more):
    return {"protocol": "openai", "base_url": base_url, "api_key": "sk-test-secret", "timeouts": PATIENT} | more


def plain_settings(base_url):
    """Entries for one provider, some with one short time limit; names of each kind."""
    return {
        "providers": {
            "up": openai_provider(base_url),
            "hasty": openai_provider(base_url, timeouts=HASTY),
            "hasty-between": openai_provider(base_url, timeouts=HASTY_BETWEEN),
            "hasty-total": openai_provider(base_url, timeouts=HASTY_TOTAL),
        },
        "default": "up",
        "models": {
            "gpt-4o-mini": {"provider": "up"},
            "renamed": {"provider": "up", "id": "upstream-name"},
        },
        "routes": {
            "support": {"model": "gpt-4o-mini", "task": "support_task"},
            "bare_route": {"model": "renamed"},
        },
    }


@pytest.fixture(scope="module")
def provider():
    with ScriptedProvider() as scripted:
        yield scripted
        assert not scripted.errors, scripted.errors


# Two places of one model.


@pytest.fixture(scope="module")
def a(provider):
    return provider


@pytest.fixture(scope="module")
def b():
    with ScriptedProvider() as scripted:
        yield scripted
        assert not scripted.errors, scripted.errors


@pytest.fixture(scope="module")
def weir(provider, tmp_path_factory):
    with Weir(tmp_path_factory.mktemp("weir"), plain_settings(provider.base_url)) as process:
        yield process


@pytest.fixture(autouse=True)
def plain_scripts(request):
    """No script of one test is left for the next."""
    if "provider" in request.fixturenames:
        request.getfixturevalue("provider").reset_scripts()


@pytest.fixture
def model(request):
    """A model name of this test's own; the default provider takes it as it is."""
    return re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[-60:] + "-" + uuid.uuid4().hex[:6]


@pytest.fixture
def weir_with(tmp_path):
    """Starts weirs with settings of the test's own; they are stopped, and must end well, when the test ends."""
    started = []

    def start(settings, **more):
        process = Weir(tmp_path / f"weir-{len(started)}", settings, **more)
        started.append(process)
        return process.start()

    yield start
    for process in started:
        process.end()


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


# Two upstreams of different protocols, for the SDKs of other dialects than OpenAI's chat.


@pytest.fixture(scope="module")
def anthropic_upstream():
    with ScriptedProvider() as scripted:
        yield scripted
        assert not scripted.errors, scripted.errors


@pytest.fixture(scope="module")
def two(provider, anthropic_upstream, tmp_path_factory):
    """`claude` goes to the Anthropic upstream, `gpt` to the OpenAI one."""
    settings = {
        "providers": {
            "openai": {"protocol": "openai", "base_url": provider.base_url, "api_key": "sk-test-secret"},
            "anthropic": {
                "protocol": "anthropic",
                "base_url": anthropic_upstream.base_url.removesuffix("/v1"),
                "api_key": "sk-test-secret",
            },
        },
        "models": {"claude": {"provider": "anthropic"}, "gpt": {"provider": "openai"}},
    }
    with Weir(tmp_path_factory.mktemp("two"), settings) as process:
        yield process


@pytest.fixture
def upstream(provider, anthropic_upstream):
    """The scripted upstream of a model of `two`, with plain good answers."""
    anthropic_upstream.reset_scripts()
    anthropic_upstream.answer_by(claude.answer())
    return {"gpt": provider, "claude": anthropic_upstream}
