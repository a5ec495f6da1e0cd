"""Assertions on the contract that many tests share."""

import json
import re

FAILURE = re.compile(r"(client|limit|upstream|gateway)\.[a-z_.]+/(none|resolve|connect|tls|send|await_headers|body)")
SECRET = "sk-test-secret"


def error_of(body):
    """The error object of OpenAI's body, checked for its four fields."""
    parsed = json.loads(body)
    assert list(parsed) == ["error"], parsed
    error = parsed["error"]
    assert set(error) >= {"message", "type", "param", "code"}, error
    assert isinstance(error["message"], str) and error["message"], error
    assert isinstance(error["type"], str), error
    assert error["param"] is None or isinstance(error["param"], str), error
    assert error["code"] is None or isinstance(error["code"], str), error
    return error


def refused(response, status, failure=None, code=None, param=None, says=()):
    """Our own error answer: OpenAI's shape, the failure's name, what is to be changed. Returns the error object.

    `status` and `failure` may be tuples where the contract leaves a choice.
    """
    statuses = status if isinstance(status, tuple) else (status,)
    assert response.status in statuses, response
    assert (response.header("content-type") or "").startswith("application/json"), response
    error = error_of(response.body)
    named = response.header("x-weir-failure")
    assert named and FAILURE.fullmatch(named), response
    if failure:
        assert named in (failure if isinstance(failure, tuple) else (failure,)), response
    if code:
        assert error["code"] == code, error
    if param:
        assert error["param"] == param, error
    for text in [says] if isinstance(says, str) else says:
        assert text in error["message"], error
    assert SECRET not in response.body.decode("utf-8", "replace")
    return error


def gave_up(response):
    """The client's SDK must not ask again: weir has given up already (SEMANTICS 9)."""
    assert response.header("x-should-retry") == "false", response


def only_changed(original, patched, *kept):
    """`kept` are the original's parts outside the patched ranges: whole, in order, nothing lost between them.

    Returns what stands between the kept parts in `patched`.
    """
    at = 0
    for part in kept:
        at = original.index(part, at) + len(part)
    pattern = b"(.*?)".join(re.escape(part) for part in kept)
    match = re.fullmatch(pattern, patched, re.DOTALL)
    assert match, f"not only the named ranges changed:\n{original!r}\n{patched!r}"
    return list(match.groups())


def inserted(original, patched):
    """What was put into `original` at one place, all else being the same bytes."""
    prefix = 0
    while prefix < len(original) and original[prefix] == patched[prefix]:
        prefix += 1
    rest = original[prefix:]
    assert patched.endswith(rest) and len(patched) >= len(original), f"{original!r}\n{patched!r}"
    return patched[prefix : len(patched) - len(rest)]
