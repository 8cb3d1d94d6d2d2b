"""Engines for the tests of this room."""

import pytest


@pytest.fixture
async def served():
    """Starts engines, and ends them."""
    started = []

    async def start(engine):
        started.append(engine)
        return await engine.start()

    yield start
    for engine in started:
        await engine.stop()
