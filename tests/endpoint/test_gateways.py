"""What stands between: gateways with rules of their own, headers of the user's, and keys that a header takes the place of."""

import json

import httpx
import pytest

from fim_lsp.endpoint.request import Refused, Request, ServiceError, Unavailable
from fim_lsp.endpoint.service import Service

ASK = Request("def f(", "\n", "deepseek-flash", 64, 0.0, ("\n\n", "\n#"))
DONE = b'data: {"choices": [{"index": 0, "text": "x", "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
SSE = {"content-type": "text/event-stream"}


class Body(httpx.AsyncByteStream):
    """A body that is not there before it is read."""

    def __init__(self, data):
        self.data = data

    async def __aiter__(self):
        yield self.data


def answered(status, body, **headers):
    head = {"content-type": "application/json", **headers}
    return httpx.Response(status, headers=head, stream=Body(json.dumps(body).encode()))


def streamed():
    return httpx.Response(200, headers=SSE, stream=Body(DONE))


class Gateway:
    """A gateway as smg 1.13 is: it lists models as its own, knows no other, and takes four stops."""

    def __init__(self):
        self.sent = []

    def __call__(self, request):
        self.sent.append(request)
        if request.url.path == "/v1/models":
            return answered(200, {"data": [{"id": "team/qwen2.5-coder-7b", "owned_by": "self_hosted"}]})
        if request.url.path != "/v1/completions":
            return answered(404, {"error": {"code": "unknown_url", "message": "Invalid URL", "param": None}})
        body = json.loads(request.content)
        if len(body.get("stop", ())) > 4:
            error = {"message": "stop: array too long", "param": "stop", "code": "array_above_max_length"}
            return answered(400, {"error": error})
        if body["model"] != "team/qwen2.5-coder-7b":
            return answered(404, {"error": {"code": "model_not_found", "message": "no", "param": None}})
        return streamed()


def service(answer, key=None, url="http://10.0.0.5:8000", **how):
    return Service(url, key, transport=httpx.MockTransport(answer), **how)


async def text(client):
    async with client.complete(ASK, seconds=5.0) as reply:
        return "".join([piece async for piece in reply])


async def test_a_gateway_is_asked_by_its_rules():
    """Its address alone is set; the model is the one that it lists, the template that of the model's name."""
    gateway = Gateway()
    assert await text(service(gateway, engine="auto")) == "x"
    body = json.loads(gateway.sent[-1].content)
    assert body["prompt"] == "<|fim_prefix|>def f(<|fim_suffix|>\n<|fim_middle|>"
    assert len(body["stop"]) == 4


async def test_headers_go_along_with_everything():
    """Also with a look; ours of the same name give way, whatever their case is."""
    gateway = Gateway()
    more = {"X-Team": "blue", "user-agent": "team", "AUTHORIZATION": "Basic abc"}
    assert await text(service(gateway, "sk-own", engine="auto", headers=more)) == "x"
    for request in gateway.sent:
        assert request.headers["x-team"] == "blue"
        assert request.headers.get_list("user-agent") == ["team"]
        assert request.headers.get_list("authorization") == ["Basic abc"]
    assert len(gateway.sent) > 1


async def test_a_header_takes_the_keys_place():
    """The service itself is asked without a key where the user's header authorizes."""
    sent = []

    def answer(request):
        sent.append(request.headers["authorization"])
        return streamed()

    client = service(answer, None, "https://api.deepseek.com", headers={"Authorization": "Basic abc"})
    assert await text(client) == "x"
    assert sent == ["Basic abc"]
    with pytest.raises(Refused, match=r"put it into TEAM_KEY\."):
        await text(service(answer, None, "https://api.deepseek.com", key_named="TEAM_KEY"))


async def test_one_that_cannot_be_reached_is_not_said_to_lack_a_key():
    """A company's gateway without a key, when the way to it is down: another endpoint may answer."""

    def answer(request):
        raise httpx.ConnectError("down")

    with pytest.raises(Unavailable):
        await text(service(answer, None, "https://models.company.example", engine="auto"))


async def test_no_value_of_a_header_is_in_an_error():
    """Whatever status comes, and wherever a redirect leads."""
    more = {"X-Team": "team-secret", "X-Other": "other-secret"}
    for status in (301, 302, 400, 401, 402, 403, 404, 422, 429, 500, 503):

        def answer(request, status=status):
            where = {"location": "https://team-secret.example/other-secret"}
            return answered(status, {"error": {"message": "team-secret", "param": "other-secret"}}, **where)

        with pytest.raises(ServiceError) as caught:
            await text(service(answer, "sk-own", headers=more))
        assert "secret" not in caught.value.message
