"""What is nearly right breaks nothing: a short run of `benchmarks/fuzz.py` and `benchmarks/soak.py`, and what they found."""

import asyncio
import logging

import faults
import pytest
from benchmarks import soak
from benchmarks.fuzz import messages, streams


@pytest.fixture(autouse=True)
def _silence():
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


async def test_messages_that_are_nearly_right():
    """None raises, each request is answered once, and an untouched document stays what it is."""
    wrong, _ = await messages(3000, seed=7)
    assert wrong == []


async def test_streams_that_are_nearly_right():
    """Each gives text or one of the two errors, and ends."""
    wrong, _ = await streams(1000, seed=7)
    assert wrong == []


async def test_much_work_with_faults_leaves_nothing_behind():
    """Every ask is answered, every document right, no task or stream left."""
    with pytest.raises(SystemExit) as ended:
        await soak.main(4000, 400)
    assert ended.value.code == 0


def test_every_fault_at_random_leaves_nothing_behind():
    """Over real connections every ask ends, and no task, file or socket is left."""
    with asyncio.Runner(loop_factory=faults.Loop) as runner, pytest.raises(SystemExit) as ended:
        runner.run(soak.over_sockets(200))
    assert ended.value.code == 0


@pytest.mark.parametrize("number", [[], {}, [[]], None, True, 1.5])
async def test_a_cancel_of_what_has_no_id_is_passed_over(start, number):
    """The server lives on."""
    client = await start()
    client.notify("$/cancelRequest", {"id": number})
    client.notify("$/cancelRequest", number)
    assert (await client.call("workspace/executeCommand", {"command": "fimLsp.status"}))["state"] == "ready"
