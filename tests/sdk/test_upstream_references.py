"""What weir is tested with upstream, held against the providers' own clients: `google-genai` and `boto3` read the bytes that
our scripted providers send and understand them as weir does, and ask as weir asks.
"""

import datetime
import json
import re
from urllib.parse import unquote

import boto3
import botocore.config
import botocore.exceptions
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from google import genai
from google.genai import errors, types

from fakes import answers
from fakes.answers import dumps
from fakes.protocol_answers import Bedrock, Gemini, aws_event
from fakes.provider import ScriptedProvider, send
from fakes.raw_http import chat_body
from fakes.weir_process import Weir

GEMINI, CLAUDE = "gemini-2.5-flash", "anthropic.claude-3-5-sonnet-20240620-v1:0"
WORDS = [("text", "Hello "), ("text", "there.")]
CALLS = [("call", ("a", "weather", {"city": "Rome"})), ("call", ("b", "weather", {"city": "Oslo"}))]
CALLED = [("a", "weather", {"city": "Rome"}), ("b", "weather", {"city": "Oslo"})]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
PIXEL, PIXEL_BASE64 = b"\x89PNG\r\n\x1a\n", "iVBORw0KGgo="
# One conversation, in OpenAI's words: a system message, a picture, a call and its result, settings.
CHAT = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [
            {"type": "text", "text": "Where is it?"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64," + PIXEL_BASE64}}]},
        {"role": "assistant", "content": None, "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Rome"}'}}]},
        {"role": "tool", "tool_call_id": "a", "content": "sunny"},
        {"role": "user", "content": "And now?"},
    ],
    "tools": [{"type": "function", "function": {"name": "weather", "description": "Tells.", "parameters": SCHEMA}}],
    "tool_choice": "required",
    "temperature": 0.5,
    "top_p": 0.75,
    "max_tokens": 100,
    "stop": ["END"],
}


@pytest.fixture(scope="module")
def house(provider, tmp_path_factory):
    spoken = {"gemini": Gemini, "bedrock": Bedrock}
    settings = {"defaults": {"retry": {"attempts": 1}},
                "providers": {name: one.settings(provider.port) for name, one in spoken.items()}}
    with Weir(tmp_path_factory.mktemp("references"), settings) as process:
        yield process


@pytest.fixture(scope="module")
def google(provider):
    # weir asks v1beta, where all of this is documented; the client may also ask v1, its own default by now.
    options = types.HttpOptions(base_url=f"http://127.0.0.1:{provider.port}", api_version="v1beta", timeout=120_000,
                                retry_options=types.HttpRetryOptions(attempts=1), client_args={"trust_env": False})
    with genai.Client(api_key="k", vertexai=False, http_options=options) as client:
        yield client


@pytest.fixture(scope="module")
def aws(provider):
    own = Bedrock.settings(provider.port)
    session = boto3.Session(aws_access_key_id=own["access_key_id"], aws_secret_access_key=own["secret_access_key"],
                            region_name=own["region"])
    config = botocore.config.Config(retries={"total_max_attempts": 1}, proxies={}, read_timeout=120,
                                    ignore_configured_endpoint_urls=True)
    return session.client("bedrock-runtime", endpoint_url=own["base_url"], config=config)


def whole(spoken, blocks, stop="stop"):
    return send(answers.reply(spoken.whole(blocks, stop)))


def stream(spoken, blocks, stop="stop"):
    return send(answers.reply(spoken.stream(blocks, stop), content_type=spoken.stream_type))


def by_weir(house, provider, model, answer, **more):
    """weir's answer to the script that the provider's client had."""
    provider.answer_next(answer)
    return house.chat(chat_body(model, **more))


def weir_said(response):
    """(text, calls, finish reason, tokens in and out) of a whole chat completion."""
    body = response.json()
    choice = body["choices"][0]
    calls = [(one["id"], one["function"]["name"], json.loads(one["function"]["arguments"]))
             for one in choice["message"].get("tool_calls") or []]
    usage = body["usage"]["prompt_tokens"], body["usage"]["completion_tokens"]
    return choice["message"]["content"] or "", calls, choice["finish_reason"], usage


def weir_streamed(response):
    """The same of a stream."""
    lines = [line[6:] for line in response.body.split(b"\n\n") if line.startswith(b"data: ")]
    assert lines.pop() == b"[DONE]"
    text, found, finish, usage = "", {}, None, None
    for chunk in map(json.loads, lines):
        if chunk.get("usage"):
            usage = chunk["usage"]["prompt_tokens"], chunk["usage"]["completion_tokens"]
        for choice in chunk["choices"]:
            text += choice["delta"].get("content") or ""
            finish = choice["finish_reason"] or finish
            for call in choice["delta"].get("tool_calls", []):
                at = found.setdefault(call["index"], ["", "", ""])
                at[0] += call.get("id") or ""
                at[1] += call["function"].get("name") or ""
                at[2] += call["function"].get("arguments") or ""
    return text, [(at[0], at[1], json.loads(at[2])) for _, at in sorted(found.items())], finish, usage


# Google.


def google_said(parts, finish, usage):
    calls = [(p.function_call.id, p.function_call.name, p.function_call.args) for p in parts if p.function_call]
    # Gemini says STOP after calls too; OpenAI's clients look for a reason of its own.
    assert finish == types.FinishReason.STOP
    return ("".join(p.text for p in parts if p.text), calls, "tool_calls" if calls else "stop",
            (usage.prompt_token_count, usage.candidates_token_count))


def in_camels(value):
    """The client spells some keys with underscores; Google reads both spellings of each (ProtoJSON)."""
    if isinstance(value, dict):
        return {re.sub(r"_([a-z])", lambda m: m[1].upper(), key): in_camels(one) for key, one in value.items()}
    return [in_camels(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("blocks", [[("text", "Hello \u00fc there.")], CALLS], ids=["text", "calls"])
def test_a_reply_of_gemini(house, provider, google, blocks):
    provider.answer_next(whole(Gemini, blocks))
    reply = google.models.generate_content(model=GEMINI, contents="Hi")
    own = google_said(reply.candidates[0].content.parts, reply.candidates[0].finish_reason, reply.usage_metadata)
    assert own[0] == ("" if blocks is CALLS else "Hello \u00fc there.") and own[1] == (CALLED if blocks is CALLS else [])
    assert weir_said(by_weir(house, provider, f"gemini/{GEMINI}", whole(Gemini, blocks))) == own


@pytest.mark.parametrize("blocks", [WORDS, CALLS], ids=["text", "calls"])
def test_a_stream_of_gemini(house, provider, google, blocks):
    provider.answer_next(stream(Gemini, blocks))
    chunks = list(google.models.generate_content_stream(model=GEMINI, contents="Hi"))
    assert len(chunks) == 2
    parts = [part for chunk in chunks for part in chunk.candidates[0].content.parts]
    own = google_said(parts, chunks[-1].candidates[0].finish_reason, chunks[-1].usage_metadata)
    assert own[:2] == (("", CALLED) if blocks is CALLS else ("Hello there.", []))
    asked = {"stream": True, "stream_options": {"include_usage": True}}
    assert weir_streamed(by_weir(house, provider, f"gemini/{GEMINI}", stream(Gemini, blocks), **asked)) == own


@pytest.mark.parametrize("status, name", [(429, "RESOURCE_EXHAUSTED"), (503, "UNAVAILABLE")])
def test_errors_of_gemini(house, provider, google, status, name):
    wait = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "9s"}
    error = {"error": {"code": status, "message": "slow", "status": name, "details": [wait]}}
    answer = send(answers.reply(dumps(error), status=status))
    provider.answer_next(answer)
    with pytest.raises(errors.APIError) as raised:
        google.models.generate_content(model=GEMINI, contents="Hi")
    assert (raised.value.code, raised.value.status) == (status, name)
    response = by_weir(house, provider, f"gemini/{GEMINI}", answer)
    assert response.status == status
    assert response.header("retry-after") == "9"


@pytest.mark.parametrize("streamed", [False, True])
def test_the_request_to_gemini(house, provider, google, streamed):
    contents = [
        types.Content(role="user", parts=[types.Part.from_text(text="Where is it?"),
                                          types.Part.from_bytes(data=PIXEL, mime_type="image/png")]),
        types.Content(role="model", parts=[
            types.Part(function_call=types.FunctionCall(id="a", name="weather", args={"city": "Rome"}))]),
        types.Content(role="user", parts=[types.Part(
            function_response=types.FunctionResponse(id="a", name="weather", response={"output": "sunny"}))]),
        types.Content(role="user", parts=[types.Part.from_text(text="And now?")]),
    ]
    function = types.FunctionDeclaration(name="weather", description="Tells.", parameters_json_schema=SCHEMA)
    config = types.GenerateContentConfig(
        system_instruction="Be brief.", temperature=0.5, top_p=0.75, max_output_tokens=100, stop_sequences=["END"],
        tools=[types.Tool(function_declarations=[function])],
        tool_config=types.ToolConfig(function_calling_config=types.FunctionCallingConfig(mode="ANY")))
    mark = provider.mark()
    if streamed:
        provider.answer_next(stream(Gemini, WORDS))
        list(google.models.generate_content_stream(model=GEMINI, contents=contents, config=config))
        by_weir(house, provider, f"gemini/{GEMINI}", stream(Gemini, WORDS), **CHAT, stream=True)
    else:
        provider.answer_next(whole(Gemini, WORDS))
        google.models.generate_content(model=GEMINI, contents=contents, config=config)
        by_weir(house, provider, f"gemini/{GEMINI}", whole(Gemini, WORDS), **CHAT)
    reference, ours = provider.since(mark)
    assert (ours.method, ours.target) == (reference.method, reference.target)
    for name in ("x-goog-api-key", "content-type"):
        assert ours.header(name) == reference.header(name)
    wanted, sent = in_camels(reference.json()), ours.json()
    wanted["systemInstruction"].pop("role", None)  # the client says "user" there; Google's reference calls it optional
    assert sent == wanted


# AWS.


def aws_said(blocks, stop, usage):
    calls = [(b["toolUse"]["toolUseId"], b["toolUse"]["name"], b["toolUse"]["input"]) for b in blocks if "toolUse" in b]
    finish = {"end_turn": "stop", "tool_use": "tool_calls"}[stop]
    return "".join(b.get("text", "") for b in blocks), calls, finish, (usage["inputTokens"], usage["outputTokens"])


ASK = {"modelId": CLAUDE, "messages": [{"role": "user", "content": [{"text": "Hi"}]}]}


@pytest.mark.parametrize("blocks, stop", [([("text", "Hello \u00fc there.")], "stop"), (CALLS, "tool")], ids=["text", "calls"])
def test_a_reply_of_bedrock(house, provider, aws, blocks, stop):
    provider.answer_next(whole(Bedrock, blocks, stop))
    reply = aws.converse(**ASK)
    own = aws_said(reply["output"]["message"]["content"], reply["stopReason"], reply["usage"])
    assert own[:2] == (("", CALLED) if blocks is CALLS else ("Hello \u00fc there.", []))
    assert weir_said(by_weir(house, provider, f"bedrock/{CLAUDE}", whole(Bedrock, blocks, stop))) == own


@pytest.mark.parametrize("blocks, stop", [(WORDS, "stop"), (CALLS, "tool")], ids=["text", "calls"])
def test_a_stream_of_bedrock(house, provider, aws, blocks, stop):
    provider.answer_next(stream(Bedrock, blocks, stop))
    said, reason, usage = {}, None, None
    for event in aws.converse_stream(**ASK)["stream"]:  # botocore checks both checksums of each message
        if "contentBlockStart" in event:
            tool = event["contentBlockStart"]["start"]["toolUse"]
            said[event["contentBlockStart"]["contentBlockIndex"]] = {"toolUse": tool | {"input": ""}}
        elif "contentBlockDelta" in event:
            delta, index = event["contentBlockDelta"]["delta"], event["contentBlockDelta"]["contentBlockIndex"]
            if "text" in delta:
                said[index] = {"text": said.get(index, {}).get("text", "") + delta["text"]}
            else:
                said[index]["toolUse"]["input"] += delta["toolUse"]["input"]
        reason = event.get("messageStop", {}).get("stopReason", reason)
        usage = event.get("metadata", {}).get("usage", usage)
    for block in said.values():
        if "toolUse" in block:
            block["toolUse"]["input"] = json.loads(block["toolUse"]["input"])
    own = aws_said(said.values(), reason, usage)
    assert own[:2] == (("", CALLED) if blocks is CALLS else ("Hello there.", []))
    asked = {"stream": True, "stream_options": {"include_usage": True}}
    assert weir_streamed(by_weir(house, provider, f"bedrock/{CLAUDE}", stream(Bedrock, blocks, stop), **asked)) == own


@pytest.mark.parametrize("status, name", [(429, "ThrottlingException"), (503, "ServiceUnavailableException")])
def test_errors_of_bedrock(house, provider, aws, status, name):
    answer = send(answers.reply(dumps({"message": "slow"}), status=status, fields=[("x-amzn-ErrorType", name)]))
    provider.answer_next(answer)
    with pytest.raises(botocore.exceptions.ClientError) as raised:
        aws.converse(**ASK)
    assert raised.value.response["Error"] == {"Code": name, "Message": "slow"}
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert by_weir(house, provider, f"bedrock/{CLAUDE}", answer).status == status


def test_an_exception_within_a_stream_of_bedrock(house, provider, aws):
    begun = aws_event("messageStart", {"role": "assistant"})
    begun += aws_event("throttlingException", {"message": "slow"}, "exception")
    answer = send(answers.reply(begun, content_type=Bedrock.stream_type))
    provider.answer_next(answer)
    with pytest.raises(botocore.exceptions.EventStreamError) as raised:
        list(aws.converse_stream(**ASK)["stream"])
    assert raised.value.response["Error"] == {"Code": "throttlingException", "Message": "slow"}
    # Nothing had been said yet, so weir's client gets the status.
    assert by_weir(house, provider, f"bedrock/{CLAUDE}", answer, stream=True).status == 429


def signed_names(request):
    return re.search(r"SignedHeaders=([^,]+)", request.header("authorization"))[1].split(";")


def signature_by_botocore(request, own):
    """What AWS's own signer makes of a request that weir sent."""
    scope = re.search(r"Credential=[^/]+/\d{8}/([^/]+)/([^/]+)/aws4_request", request.header("authorization"))
    signer = SigV4Auth(Credentials(own["access_key_id"], own["secret_access_key"]), scope[2], scope[1])
    url = f"http://{request.header('host')}{request.target}"
    same = AWSRequest(request.method, url, data=request.body, headers={n: request.header(n) for n in signed_names(request)})
    same.context["timestamp"] = request.header("x-amz-date")
    return signer.signature(signer.string_to_sign(same, signer.canonical_request(same)), same)


@pytest.mark.parametrize("streamed", [False, True])
def test_the_request_to_bedrock(house, provider, aws, streamed):
    asked = {
        "modelId": CLAUDE,
        "system": [{"text": "Be brief."}],
        "messages": [
            {"role": "user", "content": [{"text": "Where is it?"}, {"image": {"format": "png", "source": {"bytes": PIXEL}}}]},
            {"role": "assistant", "content": [{"toolUse": {"toolUseId": "a", "name": "weather", "input": {"city": "Rome"}}}]},
            {"role": "user", "content": [
                {"toolResult": {"toolUseId": "a", "content": [{"text": "sunny"}]}}, {"text": "And now?"}]},
        ],
        "inferenceConfig": {"temperature": 0.5, "topP": 0.75, "maxTokens": 100, "stopSequences": ["END"]},
        "toolConfig": {
            "tools": [{"toolSpec": {"name": "weather", "description": "Tells.", "inputSchema": {"json": SCHEMA}}}],
            "toolChoice": {"any": {}},
        },
    }
    mark = provider.mark()
    if streamed:
        provider.answer_next(stream(Bedrock, WORDS))
        list(aws.converse_stream(**asked)["stream"])
        by_weir(house, provider, f"bedrock/{CLAUDE}", stream(Bedrock, WORDS), **CHAT, stream=True)
    else:
        provider.answer_next(whole(Bedrock, WORDS))
        aws.converse(**asked)
        by_weir(house, provider, f"bedrock/{CLAUDE}", whole(Bedrock, WORDS), **CHAT)
    reference, ours = provider.since(mark)
    assert (ours.method, ours.target) == (reference.method, reference.target)
    assert unquote(ours.target).startswith(f"/model/{CLAUDE}/converse")
    assert ours.json() == reference.json()

    assert ours.header("content-type") == reference.header("content-type")
    scope = r"AWS4-HMAC-SHA256 (Credential=[^/]+)/\d{8}/([^,]+)"
    assert [re.match(scope, r.header("authorization")).groups() for r in (ours, reference)] == [
        ("Credential=AKIDEXAMPLE00000", "eu-central-1/bedrock/aws4_request")] * 2
    assert {"host", "x-amz-date"} <= set(signed_names(ours)) <= set(signed_names(reference))
    datetime.datetime.strptime(ours.header("x-amz-date"), "%Y%m%dT%H%M%SZ")
    own = Bedrock.settings(provider.port)
    for request in (reference, ours):  # the first proves the way of checking
        assert request.header("authorization").endswith("Signature=" + signature_by_botocore(request, own))
