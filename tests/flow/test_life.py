"""From start to stop: readiness, drain, exit codes, reload, and what is said when something is in the way."""

import json
import signal
import socket
import ssl
import subprocess

import pytest

from conftest import openai_provider, plain_settings
from fakes import answers
from fakes.provider import Gate, send, silence
from fakes.raw_http import RawClient, call, chat_request, request_bytes, wait_until
from fakes.weir_process import Weir, binary, clean_environment, free_port, run_weir


@pytest.fixture
def mortal(provider, tmp_path):
    """A weir whose end is the test's own business."""
    process = Weir(tmp_path / "mortal", plain_settings(provider.base_url)).start()
    yield process
    process.end(allowed=(0, 3))  # 3: calls were cut off


def begin_stream(client, provider, gate, events):
    provider.answer_next(
        send(answers.stream_head() + b"".join(answers.one_chunk(one) for one in events[:2])),
        gate,
        send(b"".join(answers.one_chunk(one) for one in events[2:]) + b"0\r\n\r\n"),
    )
    client.send(chat_request({"stream": True}))
    head = client.read_head()
    gate.wait_reached()
    return head


def refuses_connections(port):
    try:
        RawClient(port).close()
    except OSError:
        return True
    return False


# Stopping.


def test_sigterm_without_calls_ends_at_once_with_0(mortal):
    mortal.signal(signal.SIGTERM)
    assert mortal.wait_exit() == 0


def test_sigint_ends_with_0_too(mortal):
    mortal.signal(signal.SIGINT)
    assert mortal.wait_exit() == 0


def test_sigterm_lets_a_running_stream_finish(mortal, provider):
    events = answers.stream_events(["Hello", " there"])
    gate = Gate()
    with mortal.connect() as client:
        head = begin_stream(client, provider, gate, events)
        mortal.signal(signal.SIGTERM)
        wait_until(lambda: refuses_connections(mortal.port), "new connections to be refused")
        assert mortal.process.poll() is None
        gate.open()
        body = client.read_body(head).body
        assert body == b"".join(answers.without_usage(events))
        assert client.at_end()
    assert mortal.wait_exit() == 0
    assert mortal.calls()[-1]["outcome"] == "ok"


def test_the_last_answers_carry_connection_close(mortal, provider):
    gate = Gate()
    provider.answer_next(gate, send(answers.reply(answers.completion())))
    with mortal.connect() as client:
        client.send(chat_request())
        gate.wait_reached()
        mortal.signal(signal.SIGTERM)
        mortal.wait_for_message("draining: ")  # said when every worker has been told
        wait_until(lambda: refuses_connections(mortal.port), "new connections to be refused")
        gate.open()
        response = client.read_response()
        assert response.status == 200 and response.header("connection").lower() == "close"
        assert client.at_end()
    assert mortal.wait_exit() == 0


def test_not_ready_while_it_drains_but_alive(mortal, provider):
    gate = Gate()
    provider.answer_next(gate, send(answers.reply(answers.completion())))
    with mortal.connect() as client:
        client.send(chat_request())
        gate.wait_reached()
        mortal.signal(signal.SIGTERM)
        wait_until(lambda: mortal.admin("/readyz").status == 503, "readiness to turn false")
        assert mortal.admin("/healthz").status == 200
        assert mortal.admin("/metrics").status == 200
        gate.open()
        assert client.read_response().status == 200
    assert mortal.wait_exit() == 0


def test_idle_connections_are_closed_by_the_drain(mortal):
    with mortal.connect() as used, mortal.connect() as fresh:
        assert used.send(chat_request()).read_response().status == 200
        mortal.signal(signal.SIGTERM)
        assert used.at_end() and fresh.at_end()
    assert mortal.wait_exit() == 0


def test_a_second_sigterm_ends_at_once(mortal, provider):
    mortal.write_settings(drain="250s")
    mortal.signal(signal.SIGHUP)
    mortal.wait_for_message("reloaded")
    provider.answer_next(silence())
    with mortal.connect() as client:
        client.send(chat_request())
        wait_until(lambda: mortal.metrics().value("weir_inflight") == 1, "the call to be under way")
        mortal.signal(signal.SIGTERM)
        wait_until(lambda: refuses_connections(mortal.port), "the first signal to be taken")
        mortal.signal(signal.SIGTERM)
        mortal.wait_exit()


def test_the_drain_ends_after_its_time(provider, tmp_path):
    weir = Weir(tmp_path / "weir", plain_settings(provider.base_url) | {"drain": "300ms"}).start()
    provider.answer_next(silence())
    with weir.connect() as client:
        client.send(chat_request())
        wait_until(lambda: weir.metrics().value("weir_inflight") == 1, "the call to be under way")
        weir.signal(signal.SIGTERM)
        weir.wait_exit()


def test_every_call_is_in_the_log_after_the_end(mortal):
    with mortal.connect() as client:
        client.send(chat_request() * 50)
        for _ in range(50):
            client.read_response()
    mortal.signal(signal.SIGTERM)
    assert mortal.wait_exit() == 0
    assert len(mortal.calls()) == 50


# Reload.


def models_of(weir):
    return {one["id"] for one in weir.get("/v1/models").json()["data"]}


def add_model(weir, name):
    weir.write_settings(models=weir.settings["models"] | {name: {"provider": "up", "id": f"id-of-{name}"}})


def test_sighup_takes_new_settings(mortal, provider):
    add_model(mortal, "brand-new")
    mortal.signal(signal.SIGHUP)
    wait_until(lambda: "brand-new" in models_of(mortal), "the new model")

    def asked_upstream():
        assert mortal.chat({"model": "brand-new"}).status == 200
        return provider.requests[-1].json()["model"]

    # Each worker moves into the new settings by itself, within moments of the first.
    wait_until(lambda: asked_upstream() == "id-of-brand-new", "the new model's name upstream")


def test_a_changed_file_is_taken_by_itself(mortal):
    add_model(mortal, "brand-new")
    wait_until(lambda: "brand-new" in models_of(mortal), "the new model", every=0.05)


def test_a_running_call_keeps_the_settings_it_began_with(mortal, provider):
    events = answers.stream_events(["Hello", " there"])
    gate = Gate()
    with mortal.connect() as client:
        head = begin_stream(client, provider, gate, events)
        mortal.write_settings(
            providers={"elsewhere": openai_provider(f"http://127.0.0.1:{free_port()}/v1")},
            default="elsewhere",
            models={},
            routes={},
        )
        mortal.signal(signal.SIGHUP)
        wait_until(lambda: mortal.chat().status == 502, "the new settings")
        gate.open()
        assert client.read_body(head).body == b"".join(answers.without_usage(events))


def test_a_broken_file_keeps_the_old_settings_and_says_where(mortal):
    mortal.write_settings_text(mortal.settings_file.read_text().replace("routes:", "ruotes:"))
    mortal.signal(signal.SIGHUP)
    mortal.wait_for_message(r"weir\.yaml:\d+:\d+.*ruotes")
    assert "routes" in mortal.messages()
    assert "gpt-4o-mini" in models_of(mortal)
    assert mortal.chat().status == 200
    mortal.write_settings()
    add_model(mortal, "after-the-repair")
    mortal.signal(signal.SIGHUP)
    wait_until(lambda: "after-the-repair" in models_of(mortal), "the repaired file")


def test_an_empty_or_missing_file_keeps_the_old_settings(mortal):
    mortal.settings_file.unlink()
    mortal.signal(signal.SIGHUP)
    mortal.wait_for_message(r"weir\.yaml")
    assert mortal.chat().status == 200


@pytest.mark.parametrize("key, value", [("listen", "127.0.0.1:1"), ("threads", 1)])
def test_a_changed_restart_only_key_refuses_the_reload_whole(mortal, key, value):
    """RULINGS 18."""
    changed = {"models": mortal.settings["models"] | {"brand-new": {"provider": "up"}}, key: value}
    mortal.write_settings(**changed)
    mortal.signal(signal.SIGHUP)
    mortal.wait_for_message(rf"refused.*{key}.*(weir upgrade|restart)")
    assert "brand-new" not in models_of(mortal)
    assert mortal.chat().status == 200


def test_many_reloads_under_load_lose_no_call(mortal):
    with mortal.connect() as client:
        for i in range(20):
            add_model(mortal, f"model-{i}")
            mortal.signal(signal.SIGHUP)
            client.send(chat_request() * 20)
            assert [client.read_response().status for _ in range(20)] == [200] * 20
    wait_until(lambda: "model-19" in models_of(mortal), "the last settings")


# Commands and messages.


def write(folder, text):
    file = folder / "weir.yaml"
    file.write_text(text)
    return file


GOOD = """\
listen: 127.0.0.1:8080
providers:
  up: {protocol: openai, base_url: "http://127.0.0.1:1/v1", api_key: sk-test-secret}
  demo: {protocol: demo}
default: up
models:
  gpt-4o-mini: {provider: up}
routes:
  support: {model: gpt-4o-mini, task: support}
"""

# name → (text, line:column of the fault, words that must be said)
BROKEN = {
    "unknown-key": (GOOD + "drian: 1s\n", "10:1", ["drian", "drain"]),
    "unknown-inner-key": (GOOD.replace("task: support", "tsak: support"), "9:33", ["tsak", "task"]),
    "unknown-provider-key": (GOOD.replace("base_url", "bas_url"), "3:26", ["bas_url", "base_url"]),
    "wrong-type": (GOOD + "threads: many\n", "10:10", ["threads"]),
    "wrong-duration": (GOOD + "drain: soon\n", "10:8", ["drain"]),
    "wrong-protocol": (GOOD.replace("protocol: demo", "protocol: dmeo"), "4:20", ["dmeo", "demo"]),
    "a-model-of-an-unknown-provider": (GOOD.replace("{provider: up}", "{provider: upp}"), "7:27", ["upp", "up"]),
    "a-route-to-an-unknown-model": (
        GOOD.replace("{model: gpt-4o-mini,", "{model: gpt-4o-mimi,"),
        "9:20",
        ["gpt-4o-mimi", "gpt-4o-mini"],
    ),
    "an-unknown-default": (GOOD.replace("default: up", "default: pu"), "5:10", ["pu"]),
    "a-name-twice": (GOOD.replace("  support:", "  gpt-4o-mini:"), "9:", ["gpt-4o-mini"]),
    "a-key-twice": (GOOD + "default: demo\n", "10:1", ["default"]),
    "not-yaml": (GOOD + "x: [1, 2\n", "", []),
    "not-a-map": ("- a\n- b\n", "1:1", []),
}


@pytest.mark.parametrize("name", BROKEN)
def test_check_names_file_line_and_column(tmp_path, name):
    text, place, words = BROKEN[name]
    file = write(tmp_path, text)
    done = run_weir("check", file)
    said = done.stdout + done.stderr
    assert done.returncode != 0, said
    assert f"weir.yaml:{place}" in said, said
    for word in words:
        assert word in said, said
    assert "sk-test-secret" not in said
    if name.startswith("unknown"):
        assert "did you mean" in said.lower()


@pytest.mark.parametrize("name", ["unknown-key", "not-yaml"])
def test_serve_refuses_what_check_refuses(tmp_path, name):
    file = write(tmp_path, BROKEN[name][0])
    done = run_weir("serve", "--config", file)
    assert done.returncode != 0
    assert "weir.yaml:" in done.stdout + done.stderr


def test_several_faults_are_told_at_once(tmp_path):
    file = write(tmp_path, GOOD.replace("default: up", "defualt: up") + "drian: 1s\n")
    done = run_weir("check", file)
    said = done.stdout + done.stderr
    assert done.returncode != 0 and "defualt" in said and "drian" in said


def test_check_of_a_good_file(tmp_path):
    done = run_weir("check", write(tmp_path, GOOD))
    assert done.returncode == 0, done.stdout + done.stderr


def test_check_of_a_file_that_is_not_there(tmp_path):
    done = run_weir("check", tmp_path / "nowhere.yaml")
    assert done.returncode != 0 and "nowhere.yaml" in done.stdout + done.stderr


def test_variables_and_files_and_defaults(tmp_path, provider):
    (tmp_path / "key").write_text("sk-from-a-file\n")
    settings = plain_settings(provider.base_url)
    settings["providers"] = {
        "from-file": openai_provider(provider.base_url, api_key="${file:" + str(tmp_path / "key") + "}"),
        "from-variable": openai_provider(provider.base_url, api_key="${OWN_KEY}"),
        "from-default": openai_provider("${OWN_URL:-" + provider.base_url + "}", api_key="${NO_SUCH_KEY:-sk-default}"),
        "up": openai_provider(provider.base_url),
    }
    with Weir(tmp_path / "weir", settings, environment={"OWN_KEY": "sk-own"}) as weir:
        for name, key in [("from-file", "sk-from-a-file"), ("from-variable", "sk-own"), ("from-default", "sk-default")]:
            assert weir.chat({"model": f"{name}/m"}).status == 200
            assert provider.requests[-1].header("authorization") == f"Bearer {key}"
        assert "sk-own" not in weir.messages() and "sk-from-a-file" not in weir.messages()


def test_strict_check_refuses_a_provider_that_is_off(tmp_path):
    file = write(tmp_path, GOOD.replace("api_key: sk-test-secret", 'api_key: "${SOME_UNSET_KEY}"'))
    relaxed, strict = run_weir("check", file), run_weir("check", "--strict", file)
    assert relaxed.returncode == 0 and "SOME_UNSET_KEY" in relaxed.stdout + relaxed.stderr
    assert strict.returncode != 0 and "SOME_UNSET_KEY" in strict.stdout + strict.stderr


def test_a_profile_is_laid_over(tmp_path, provider):
    file = write(
        tmp_path,
        f"""\
listen: 127.0.0.1:{(port := free_port())}
admin: {{listen: 127.0.0.1:{free_port()}}}
providers: {{up: {{base_url: "{provider.base_url}"}}, demo: {{protocol: demo}}}}
default: up
routes: {{support: {{model: up/m}}}}
profiles: {{dev: {{routes: {{support: {{model: demo/m}}}}}}}}
""",
    )
    process = subprocess.Popen(
        [binary(), "serve", "--config", file, "--profile", "dev"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=clean_environment(),
    )
    try:
        wait_until(lambda: not refuses_connections(port), "the port")
        assert call(port, chat_request({"model": "support"})).header("x-weir-provider") == "demo"
    finally:
        process.terminate()
        assert process.wait(60) == 0


def test_schema_is_json_and_knows_the_keys():
    done = run_weir("schema")
    assert done.returncode == 0
    text = json.dumps(json.loads(done.stdout))
    for key in ("listen", "providers", "base_url", "routes", "drain"):
        assert f'"{key}"' in text


def test_version():
    done = run_weir("version")
    assert done.returncode == 0 and any(digit.isdigit() for digit in done.stdout)


def test_help_and_unknown_commands():
    assert run_weir("--help").returncode == 0
    assert run_weir("no-such-command").returncode != 0


@pytest.mark.parametrize("which", ["listen", "admin"])
def test_a_port_in_use_is_told(tmp_path, provider, which):
    """By whom, and what to set."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        address = f"127.0.0.1:{port}"
        settings = plain_settings(provider.base_url)
        weir = Weir(tmp_path / "weir", settings)
        weir.write_settings(**({"listen": address} if which == "listen" else {"admin": {"listen": address}}))
        weir.launch()
        assert weir.wait_exit() != 0
        said = weir.messages()
        assert str(port) in said and ("listen" if which == "listen" else "admin.listen") in said, said
        assert "in use" in said.lower(), said


def test_an_unwritable_log_is_told(tmp_path, provider):
    weir = Weir(tmp_path / "weir", plain_settings(provider.base_url))
    weir.write_settings(log={"to": str(tmp_path / "no-such-folder" / "calls.log")})
    weir.launch()
    assert weir.wait_exit() != 0
    assert "log.to" in weir.messages() and "no-such-folder" in weir.messages()


def test_an_open_address_without_keys_is_refused_unless_open(tmp_path):
    file = write(tmp_path, GOOD.replace("listen: 127.0.0.1:8080", "listen: 0.0.0.0:8080"))
    done = run_weir("check", file)
    assert done.returncode != 0 and "open: true" in done.stdout + done.stderr
    assert run_weir("check", write(tmp_path, file.read_text() + "open: true\n")).returncode == 0


def test_the_banner_names_urls_providers_and_no_secret(mortal):
    mortal.wait_for_message(rf"127\.0\.0\.1:{mortal.port}")
    mortal.wait_for_message(rf"127\.0\.0\.1:{mortal.admin_port}")
    mortal.wait_for_message(r"\bup\b")
    mortal.stop()
    assert "sk-test-secret" not in mortal.messages()


def test_without_providers_they_come_from_the_environment(tmp_path):
    """As without a file: a provider for each known key, `demo` without any."""
    with Weir(tmp_path / "none", {}) as weir:
        assert weir.chat().json()["choices"][0]["message"]["content"].startswith("[demo]")
        weir.wait_for_message("demo")
    keys = {"OPENAI_API_KEY": "sk-of-the-environment", "DEEPSEEK_API_KEY": "sk-another"}
    with Weir(tmp_path / "keys", {}, environment=keys) as weir:
        weir.wait_for_message("openai")
        weir.wait_for_message("deepseek")
        assert "sk-of-the-environment" not in weir.messages()
        assert weir.chat({"model": "unlisted"}).status == 404  # two providers and no default: which one?


def test_check_without_a_file_looks_at_the_environment(tmp_path):
    assert run_weir("check", cwd=tmp_path).returncode == 0


# The admin port.


def test_admin_endpoints(mortal):
    assert mortal.admin("/healthz").status == 200
    assert mortal.admin("/readyz").status == 200
    page = mortal.admin("/metrics")
    assert page.status == 200 and page.header("content-type").startswith("text/plain")
    assert mortal.admin("/no-such-page").status == 404


@pytest.mark.parametrize("header", [("Origin", "https://evil.test"), ("Host", "evil.test")])
def test_the_admin_api_refuses_foreign_origins_and_hosts(mortal, header):
    response = mortal.admin("/api/calls/x", fields=[header])
    assert response.status == 403, response


def test_the_admin_api_needs_its_token(tmp_path, provider):
    weir = Weir(tmp_path / "weir", plain_settings(provider.base_url))
    weir.settings["admin"] = weir.settings["admin"] | {"token": "tok-secret"}
    with weir:
        weir.chat(fields=[("x-request-id", "mine")])
        assert weir.admin("/api/calls/mine").status == 401
        assert weir.admin("/api/calls/mine", fields=[("Authorization", "Bearer wrong")]).status == 401
        assert weir.admin("/api/calls/mine", fields=[("Authorization", "Bearer tok-secret")]).status == 200
        assert weir.admin("/metrics").status == 200
        assert "tok-secret" not in weir.messages() + weir.log_text()


# TLS at the front door.


def test_tls_front_door(weir_with, provider, authority):
    issued = authority.issue("localhost", label="front", addresses=["127.0.0.1"])
    settings = plain_settings(provider.base_url) | {"tls": {"cert": str(issued.certificate), "key": str(issued.key)}}
    weir = weir_with(settings, tls=authority.client_context())
    events = answers.stream_events(["Hello"])
    with weir.connect() as client:
        assert client.sock.version() in ("TLSv1.2", "TLSv1.3")
        assert client.send(chat_request()).read_response().status == 200
        provider.answer_next(send(answers.stream_reply(events)))
        assert client.send(chat_request({"stream": True})).read_response().body == b"".join(
            answers.without_usage(events)
        )
        big = chat_request({"content": "x" * 2_000_000})
        assert client.send(big).read_response().status == 200


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_tls_versions_that_are_taken(weir_with, provider, authority, version):
    issued = authority.issue("localhost", label=f"front-{version}")
    settings = plain_settings(provider.base_url) | {"tls": {"cert": str(issued.certificate), "key": str(issued.key)}}
    context = authority.client_context()
    context.minimum_version = context.maximum_version = getattr(ssl.TLSVersion, version)
    weir = weir_with(settings, tls=context)
    assert weir.chat().status == 200


@pytest.mark.parametrize("cipher", ["AES128-SHA", "AES256-GCM-SHA384"])
def test_tls_1_2_without_forward_secrecy_is_refused(weir_with, provider, authority, cipher):
    issued = authority.issue("localhost", label=f"front-{cipher}")
    settings = plain_settings(provider.base_url) | {"tls": {"cert": str(issued.certificate), "key": str(issued.key)}}
    weir = weir_with(settings, tls=authority.client_context())
    weak = authority.client_context()
    weak.maximum_version = ssl.TLSVersion.TLSv1_2
    weak.set_ciphers(f"{cipher}:@SECLEVEL=0")
    with socket.create_connection(("127.0.0.1", weir.port), timeout=60) as plain, pytest.raises(ssl.SSLError):
        weak.wrap_socket(plain, server_hostname="localhost")


def test_tls_1_1_and_plain_text_are_refused(weir_with, provider, authority):
    issued = authority.issue("localhost", label="front-old")
    settings = plain_settings(provider.base_url) | {"tls": {"cert": str(issued.certificate), "key": str(issued.key)}}
    weir = weir_with(settings, tls=authority.client_context())
    old = authority.client_context()
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        RawClient(weir.port, tls=old)
    mark = provider.mark()
    with RawClient(weir.port) as plain:
        plain.send_as_far_as_it_goes(chat_request())
        assert b"HTTP/1.1 200" not in plain.read_to_end()
    assert not provider.since(mark)


def test_a_changed_certificate_is_taken_by_new_connections(weir_with, provider, authority, tmp_path):
    first = authority.issue("localhost", label="reload")
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    certificate.write_bytes(first.certificate.read_bytes())
    key.write_bytes(first.key.read_bytes())
    settings = plain_settings(provider.base_url) | {"tls": {"cert": str(certificate), "key": str(key)}}
    weir = weir_with(settings, tls=authority.client_context())

    def serial():
        with weir.connect() as client:
            return client.sock.getpeercert()["serialNumber"]

    before = serial()
    with weir.connect() as kept:
        assert kept.send(chat_request()).read_response().status == 200
        second = authority.issue("localhost", label="reload-2")
        key.write_bytes(second.key.read_bytes())
        certificate.write_bytes(second.certificate.read_bytes())
        weir.signal(signal.SIGHUP)
        wait_until(lambda: serial() != before, "the new certificate", every=0.05)
        assert kept.send(chat_request()).read_response().status == 200


def test_a_connection_that_never_shakes_hands_is_closed(weir_with, provider, authority):
    issued = authority.issue("localhost", label="front-silent")
    settings = plain_settings(provider.base_url) | {"tls": {"cert": str(issued.certificate), "key": str(issued.key)}}
    weir = weir_with(settings | {"limits": {"head_time": "300ms"}}, tls=authority.client_context())
    with RawClient(weir.port) as silent:
        assert silent.at_end()


def test_a_missing_certificate_is_told(tmp_path, provider):
    weir = Weir(tmp_path / "weir", plain_settings(provider.base_url))
    weir.write_settings(tls={"cert": str(tmp_path / "no.pem"), "key": str(tmp_path / "no.key")})
    weir.launch()
    assert weir.wait_exit() != 0 and "no.pem" in weir.messages()


def test_options_that_a_browser_asks_first_never_reach_the_provider_as_chat(mortal, provider):
    mark = provider.mark()
    mortal.call(request_bytes("OPTIONS", "/v1/chat/completions"), "OPTIONS")
    assert not [request for request in provider.since(mark) if request.method == "POST"]


def test_a_refusal_while_draining_has_its_shape(mortal, provider):
    """A request that comes on a kept connection after SIGTERM is answered or closed, never half of it."""
    gate = Gate()
    provider.answer_next(gate, send(answers.reply(answers.completion())))
    with mortal.connect() as client:
        client.send(chat_request() + chat_request())
        gate.wait_reached()
        mortal.signal(signal.SIGTERM)
        wait_until(lambda: refuses_connections(mortal.port), "new connections to be refused")
        gate.open()
        assert client.read_response().status == 200
        rest = client.read_to_end()
        assert rest == b"" or rest.startswith((b"HTTP/1.1 200", b"HTTP/1.1 503"))
    assert mortal.wait_exit() == 0
