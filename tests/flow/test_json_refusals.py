"""Bodies that are not what they should be: refused by us with 400 and a word on what to change, never forwarded."""

import pytest

from fakes import expect
from fakes.answers import dumps
from fakes.raw_http import chat_body, chat_request

DOM_BYTES = 256 * 1024  # up to here one parser, above another: both must judge alike (RULINGS 4)

NOT_JSON = {
    "empty": b"",
    "white-space": b" \r\n",
    "half": b'{"model":"m","messages":[',
    "two-closing-braces": b'{"model":"m","messages":[]}}',
    "two-documents": b'{"model":"m","messages":[]}{"model":"n","messages":[]}',
    "half-a-word": b'{"model":"m","messages":[],"stream":tru}',
    "mixed-brackets": b'{"model":"m","messages":[1,2}',
    "trailing-comma": b'{"model":"m","messages":[],}',
    "trailing-comma-in-a-list": b'{"model":"m","messages":[1,]}',
    "no-comma": b'{"model":"m" "messages":[]}',
    "no-colon": b'{"model" "m","messages":[]}',
    "single-quotes": b"{'model':'m','messages':[]}",
    "bare-key": b'{model:"m","messages":[]}',
    "comment": b'{"model":"m",/* x */"messages":[]}',
    "nan": b'{"model":"m","messages":[],"temperature":NaN}',
    "leading-zero": b'{"model":"m","messages":[],"n":01}',
    "leading-plus": b'{"model":"m","messages":[],"n":+1}',
    "bare-point": b'{"model":"m","messages":[],"temperature":1.}',
    "hexadecimal": b'{"model":"m","messages":[],"n":0x1}',
    "bad-escape": b'{"model":"m","messages":["\\x41"]}',
    "half-a-unicode-escape": b'{"model":"m","messages":["\\u00"]}',
    "control-character": b'{"model":"m","messages":["a\nb"]}',
    "nul": b'{"model":"m","messages":["a\0b"]}',
    "bad-utf-8": b'{"model":"m","messages":["\xff"]}',
    "overlong-utf-8": b'{"model":"m","messages":["\xc0\xaf"]}',
    "surrogate-in-utf-8": b'{"model":"m","messages":["\xed\xa0\x80"]}',
    "too-deep": b'{"model":"m","messages":' + b"[" * 200 + b"]" * 200 + b"}",
    "byte-order-mark": b'\xef\xbb\xbf{"model":"m","messages":[',
    "form": b"model=m&messages=x",
}

# name → (body, param)
WRONG = {
    "a-list": (b'[{"model":"m"}]', None),
    "a-string": (b'"model"', None),
    "null": (b"null", None),
    "no-model": (b'{"messages":[]}', "model"),
    "empty-model": (b'{"model":"","messages":[]}', "model"),
    "model-is-a-number": (b'{"model":5,"messages":[]}', "model"),
    "model-is-null": (b'{"model":null,"messages":[]}', "model"),
    "model-is-a-list": (b'{"model":["m"],"messages":[]}', "model"),
    "stream-is-a-string": (b'{"model":"m","messages":[],"stream":"true"}', "stream"),
    "stream-is-a-number": (b'{"model":"m","messages":[],"stream":1}', "stream"),
    "stream-options-is-a-list": (b'{"model":"m","messages":[],"stream":true,"stream_options":[]}', "stream_options"),
    "include-usage-is-a-string": (
        b'{"model":"m","messages":[],"stream":true,"stream_options":{"include_usage":"yes"}}',
        "stream_options.include_usage",
    ),
    "metadata-is-a-string": (b'{"model":"m","messages":[],"metadata":"t"}', "metadata"),
    "task-type-is-a-number": (b'{"model":"m","messages":[],"metadata":{"task_type":7}}', "metadata.task_type"),
    "task-type-is-a-list": (b'{"model":"m","messages":[],"metadata":{"task_type":["t"]}}', "metadata.task_type"),
    "task-type-is-null": (b'{"model":"m","messages":[],"metadata":{"task_type":null}}', "metadata.task_type"),
    "store-is-a-string": (b'{"model":"m","messages":[],"store":"true","metadata":{"a":"b"}}', "store"),
}

# RULINGS 15: of every key that we act on, a second, an escaped and a differently cased spelling.
ACTED_ON = {
    "model": '"m"',
    "stream": "false",
    "stream_options": "null",
    "metadata": "{}",
    "store": "false",
    "user": '"u"',
    "n": "1",
    "max_tokens": "5",
    "max_completion_tokens": "5",
}
INNER = {
    ("stream_options", "include_usage"): "true",
    ("metadata", "task_type"): '"t"',
    ("metadata", "user_id"): '"u"',
}


def other_spellings(key):
    return {
        "escaped": "\\u%04x" % ord(key[0]) + key[1:],
        "capital": key[0].upper() + key[1:],
        "upper": key.upper(),
    }


def misspelt_bodies():
    for key, value in ACTED_ON.items():
        base = "" if key == "model" else '"model":"m",'
        yield f"{key}-twice", f'{{{base}"messages":[],"{key}":{value},"{key}":{value}}}'
        for how, spelt in other_spellings(key).items():
            yield f"{key}-{how}-beside-it", f'{{{base}"messages":[],"{key}":{value},"{spelt}":{value}}}'
            if key != "model":
                yield f"{key}-{how}-alone", f'{{{base}"messages":[],"{spelt}":{value}}}'
    for (outer, key), value in INNER.items():
        head = '{"model":"m","messages":[],"stream":true,'
        yield f"{outer}.{key}-twice", f'{head}"{outer}":{{"{key}":{value},"{key}":{value}}}}}'
        for how, spelt in other_spellings(key).items():
            yield f"{outer}.{key}-{how}", f'{head}"{outer}":{{"{spelt}":{value}}}}}'


MISSPELT = {name: body.encode() for name, body in misspelt_bodies()}


def enlarged(body, size):
    """The same kind of body with a long text in front, `size` bytes in all."""
    assert body.startswith(b"{") and len(body) > 1
    pad = size - len(body) - len(b'"x":"",')
    return b'{"x":"' + b"y" * pad + b'",' + body[1:]


@pytest.fixture(params=["small", "just-below-256-KiB", "just-above-256-KiB"])
def sized(request):
    size = {"small": None, "just-below-256-KiB": DOM_BYTES, "just-above-256-KiB": DOM_BYTES + 1}[request.param]
    return lambda body: body if size is None else enlarged(body, size)


def check_refused(weir, provider, body, **more):
    mark = provider.mark()
    with weir.connect() as client:
        error = expect.refused(client.send(chat_request(body)).read_response(), 400, "client.malformed/none", **more)
        assert error["type"] == "invalid_request_error"
        # The head was well-formed: the connection goes on.
        assert client.send(chat_request()).read_response().status == 200
    assert len(provider.since(mark)) == 1
    return error


@pytest.mark.parametrize("name", NOT_JSON)
def test_what_is_not_json_is_refused(weir, provider, name):
    """SEMANTICS 30."""
    check_refused(weir, provider, NOT_JSON[name])


@pytest.mark.parametrize("name", [name for name, body in NOT_JSON.items() if body.startswith(b"{") and len(body) > 1])
@pytest.mark.parametrize("size", [DOM_BYTES, DOM_BYTES + 1], ids=["just-below-256-KiB", "just-above-256-KiB"])
def test_large_bodies_are_judged_alike(weir, provider, name, size):
    check_refused(weir, provider, enlarged(NOT_JSON[name], size))


@pytest.mark.parametrize("name", WRONG)
def test_what_has_a_wrong_type_is_refused(weir, provider, name):
    body, param = WRONG[name]
    error = check_refused(weir, provider, body)
    assert error["param"] == param


@pytest.mark.parametrize("name", [name for name, (body, _) in WRONG.items() if body.startswith(b"{")])
def test_wrong_types_in_large_bodies(weir, provider, name):
    body, param = WRONG[name]
    for size in (DOM_BYTES, DOM_BYTES + 1):
        assert check_refused(weir, provider, enlarged(body, size))["param"] == param


@pytest.mark.parametrize("name", MISSPELT)
def test_a_key_we_act_on_is_spelt_once_and_plainly(weir, provider, name):
    check_refused(weir, provider, MISSPELT[name], says=name.split("-")[0].split(".")[-1])


def test_misspelt_keys_in_large_bodies(weir, provider):
    for name in ("model-twice", "model-escaped-beside-it", "stream-capital-alone", "metadata.task_type-twice"):
        for size in (DOM_BYTES, DOM_BYTES + 1):
            check_refused(weir, provider, enlarged(MISSPELT[name], size))


def test_other_keys_may_come_twice_and_in_any_case(weir, provider, sized, model):
    """We do not decide on them: they are the provider's business."""
    body = sized(
        b'{"model":"%s","messages":[{"model":1,"Model":2,"model":3}],"x":1,"x":2,"X":3,"Temperature":1}'
        % model.encode()
    )
    assert weir.chat(body).status == 200
    assert provider.requests[-1].body == body


def test_a_metadata_of_its_own_inside_messages_is_none_of_ours(weir, provider, sized, model):
    body = sized(b'{"model":"%s","messages":[{"metadata":{"task_type":1},"stream":"x"}]}' % model.encode())
    assert weir.chat(body).status == 200
    assert provider.requests[-1].body == body


def test_the_largest_depth_that_is_taken(weir, provider, sized, model):
    """ARCHITECTURE section 4: at most 128."""
    good = b'{"model":"%s","messages":' % model.encode() + b"[" * 120 + b"]" * 120 + b"}"
    assert weir.chat(sized(good)).status == 200
    bad = good.replace(b"[" * 120, b"[" * 130).replace(b"]" * 120, b"]" * 130)
    check_refused(weir, provider, sized(bad))


@pytest.mark.parametrize("task", ["", "has space", "ü", "a/b", "x" * 65, "weir:judge", 'q"'])
def test_a_task_type_with_other_characters_is_refused(weir, provider, task):
    """RULINGS 23."""
    check_refused(weir, provider, chat_body(metadata={"task_type": task}))


@pytest.mark.parametrize("task", ["has space", "a/b", "x" * 65, "weir:judge"])
def test_a_task_header_with_other_characters_is_refused(weir, provider, task):
    mark = provider.mark()
    expect.refused(weir.chat(fields=[("x-weir-task", task)]), 400, "client.malformed/none", says="x-weir-task")
    assert not provider.since(mark)


@pytest.mark.parametrize("task", ["a", "A.b_c:d-9", "x" * 64])
def test_good_task_names_pass(weir, task):
    assert weir.chat({"metadata": {"task_type": task}}).header("x-weir-task") == task
    assert weir.chat(fields=[("x-weir-task", task)]).header("x-weir-task") == task


def test_a_refusal_never_shows_the_prompt(weir):
    secret = "the patient is called Miller"
    response = weir.chat(dumps({"model": "m", "messages": [secret]})[:-1])
    assert response.status == 400 and b"Miller" not in response.body
    assert "Miller" not in weir.log_text() and "Miller" not in weir.messages()


def test_an_unknown_weir_header_is_ignored(weir):
    """RULINGS 23."""
    assert weir.chat(fields=[("x-weir-nonsense", "x")]).status == 200


def test_refusals_are_logged_and_counted(weir, model):
    before = weir.metrics().value("weir_requests_total", outcome="client_error")
    response = weir.chat(b"{", fields=[("x-request-id", model)])
    assert response.status == 400
    entry = weir.wait_for_call(request_id=model)
    assert (entry["status"], entry["outcome"], entry["failure"], entry["phase"]) == (
        400,
        "client_error",
        "client.malformed",
        "none",
    )
    assert weir.metrics().value("weir_requests_total", outcome="client_error") == before + 1
