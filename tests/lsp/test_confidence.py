"""The setting over stdio: what a user has written, what a folder may add to it, and what is told."""

import math

URI = "file:///a.py"
TEXT = "def f(total):\n    \n\n\nx = 1\n"
WHOLE = "a = total\n    b = total\n    return a"


def guess(piece):
    """Half sure of a word, and certain of all else."""
    return {"tokens": [piece], "token_logprobs": [math.log(0.5) if "retu" in piece else 0.0]}


async def test_confidence_is_the_users_and_a_folder_makes_it_stricter(start, endpoint):
    """Off by default; a number of the user's own hides what is less sure; a folder may raise it, and not lower it."""
    endpoint.says = WHOLE + "\n"
    endpoint.logprobs = guess
    client = await start({"confidence": 0.4})
    client.open(URI, TEXT)
    assert await client.texts(URI, 1, 4) == [WHOLE]
    assert endpoint.bodies[0]["logprobs"] == 1
    client.push({"confidence": 0.6})
    assert await client.texts(URI, 1, 4) == ["a = total\n    b = total"]
    client.push({"confidence": "off"})
    assert await client.texts(URI, 1, 4) == [WHOLE]
    assert [body.get("logprobs") for body in endpoint.bodies] == [1, 1, 1]
    told = client.messages()
    assert len(told) == 1
    assert '"confidence"' in told[0]


async def test_it_is_off_until_it_is_set(start, endpoint):
    """A wrong value is named, and leaves it off; nothing is asked for."""
    endpoint.says = WHOLE + "\n"
    endpoint.logprobs = guess
    client = await start({"confidence": 7})
    client.open(URI, TEXT)
    assert await client.texts(URI, 1, 4) == [WHOLE]
    assert "logprobs" not in endpoint.bodies[0]
    assert ["confidence" in message for message in client.messages()] == [True]
