"""After a failure automatic requests rest, and one of them tries again; a person who asks is never kept waiting."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from fim_lsp.endpoint import breaker
from fim_lsp.endpoint.breaker import Breaker
from fim_lsp.endpoint.request import Refused, Unavailable

DOWN = Unavailable("down.", "down")
BUSY = Unavailable("busy.", "busy")
ALONE = Unavailable("one.", "garbage", alone=True)
KEYLESS = Refused("key.", "key")
MODEL = Refused("model.", "model")


def asks(it, now):
    return it.allows(now, explicit=False)


def test_while_all_is_well_everything_goes_out():
    """Any number at once."""
    it = Breaker(lambda: 1.0)
    assert all(asks(it, 0.0) for _ in range(10))


@pytest.mark.parametrize(
    ("error", "rests"),
    [
        (DOWN, [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]),
        (MODEL, [2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 300.0, 300.0]),
    ],
)
def test_each_rest_is_twice_as_long_up_to_a_limit(error, rests):
    """Longer where the reader must act; one request tries after each."""
    it, now = Breaker(lambda: 1.0), 100.0
    for rest in rests:
        it.failed(error, now)
        assert not asks(it, now + rest - 0.01)
        now += rest
        assert asks(it, now)
        assert not asks(it, now)


@pytest.mark.parametrize("luck", [0.0, 0.25, 0.9])
def test_a_rest_is_anything_up_to_its_length(luck):
    """So that a thousand servers do not come back at once."""
    it = Breaker(lambda: luck)
    it.failed(DOWN, 0.0)
    assert it.until == breaker.FIRST * luck


@pytest.mark.parametrize("asked", [0.0, 3.0, 600.0])
@pytest.mark.parametrize("luck", [0.0, 1.0])
def test_never_less_than_the_service_asks_for(asked, luck):
    """However short the rest would have been."""
    it = Breaker(lambda: luck)
    it.failed(Unavailable("down.", "down", retry_after=asked), 10.0)
    assert it.until == 10.0 + max(asked, breaker.FIRST * luck)


@pytest.mark.parametrize("asked", [None, 0.0, 0.2])
def test_a_service_with_too_many_requests_has_at_most_one_a_second(asked):
    """Whatever the luck, and whatever it asks for."""
    it, now = Breaker(lambda: 0.0), 0.0
    for _ in range(10):
        it.failed(Unavailable("busy.", "busy", retry_after=asked), now)
        assert not asks(it, now + 0.99)
        now += 1.0
        assert asks(it, now)


def test_what_fails_beside_the_first_makes_no_rest_shorter():
    """Requests of several documents, under way at once: one was told to wait, the others were not."""
    it = Breaker(lambda: 0.0)
    it.failed(Unavailable("busy.", "busy", retry_after=7.0), 0.0)
    it.failed(BUSY, 0.1)
    assert it.until == 7.0


def test_what_left_together_fails_as_one():
    """The rest is that of one failure; what left after it was known is another."""
    it = Breaker(lambda: 1.0)
    for number in range(5):
        it.failed(DOWN, 1.0 + number / 10, left=0.5)
    assert it.until == 1.0 + breaker.FIRST
    it.failed(DOWN, 2.0, left=1.6)
    assert it.until == 2.0 + 2 * breaker.FIRST


def test_an_answer_to_what_left_before_takes_no_limit_back():
    """It tells nothing of a limit that was reached since; of a network that is there again it does."""
    it = Breaker(lambda: 0.0)
    it.failed(BUSY, 1.0, left=0.5)
    assert not it.succeeded(0.9)
    assert not asks(it, 1.9)
    assert it.succeeded(1.1)
    assert asks(it, 1.2)
    it.failed(DOWN, 2.0, left=1.5)
    assert it.succeeded(1.9)


def test_trials_of_a_busy_service_are_a_second_apart():
    """Also where each was cut before its answer came."""
    it = Breaker(lambda: 0.0)
    it.failed(BUSY, 0.0)
    for second in range(1, 5):
        assert asks(it, second)
        it.given_up()
        assert not asks(it, second + 0.99)


@pytest.mark.parametrize("cause", ["key", "balance"])
def test_what_time_does_not_mend_shuts_it_until_something_changes(cause):
    """Whatever the luck; one trial in five minutes sees whether something has changed at the service."""
    it = Breaker(lambda: 0.0)
    it.failed(Refused("said.", cause), 0.0)
    assert it.state(1.0) == "resting"
    assert not any(asks(it, now) for now in (0.1, 60.0, 299.9))
    assert it.state(300.0) == "open"
    assert asks(it, 300.0)
    assert it.state(300.0) == "trial"
    it.reset()
    assert it.state(300.0) == "ready"


def test_a_person_who_asks_goes_first():
    """At any time, and the next automatic request still waits."""
    it = Breaker(lambda: 1.0)
    it.failed(KEYLESS, 0.0)
    assert it.allows(0.1, explicit=True)
    assert not asks(it, 0.1)


@pytest.mark.parametrize("end", [Breaker.succeeded, Breaker.reset], ids=["success", "change"])
def test_a_success_and_a_change_of_settings_end_every_rest(end):
    """And the next failure is again a first one."""
    it = Breaker(lambda: 1.0)
    for _ in range(6):
        it.failed(KEYLESS, 0.0)
    end(it)
    assert all(asks(it, 0.0) for _ in range(3))
    it.failed(DOWN, 0.0)
    assert it.until == breaker.FIRST


def test_what_failed_alone_gives_no_rest():
    """It says nothing about the next request."""
    it = Breaker(lambda: 1.0)
    it.failed(ALONE, 0.0)
    assert all(asks(it, 0.0) for _ in range(3))


def test_a_trial_that_was_cut_leaves_its_turn_to_the_next():
    """A person who types on does not keep the service shut for ever."""
    it = Breaker(lambda: 1.0)
    it.failed(DOWN, 0.0)
    assert asks(it, 1.0)
    assert not asks(it, 1.0)
    it.given_up()
    assert asks(it, 1.0)


def test_a_trial_that_is_never_heard_of_does_not_shut_the_service_for_ever():
    """Whatever became of it, another takes its turn."""
    it = Breaker(lambda: 1.0)
    it.failed(DOWN, 0.0)
    assert asks(it, 1.0)
    assert not asks(it, 0.9 + breaker.TRIAL)
    assert asks(it, 1.0 + breaker.TRIAL)
    assert not asks(it, 1.0 + breaker.TRIAL)


class Life(RuleBasedStateMachine):
    """Requests go out and end in every way and order, against what is true of each state."""

    def __init__(self):
        super().__init__()
        self.now, self.luck, self.under_way = 0.0, 0.5, 0
        self.it = Breaker(lambda: self.luck)
        self.failures = 0
        self.earliest = float("-inf")  # nothing automatic goes out sooner
        self.latest = float("-inf")  # from here on something may
        self.tried = float("-inf")  # when an automatic request last went out

    @rule(seconds=st.floats(0, 400), luck=st.floats(0, 1))
    def wait(self, seconds, luck):
        self.now += seconds
        self.luck = luck

    @rule()
    def automatic(self):
        before = self.under_way
        allowed = asks(self.it, self.now)
        if not self.failures:
            assert allowed
        elif self.now < self.earliest:
            assert not allowed
        elif self.now >= max(self.latest, self.tried + breaker.BUSY_LEAST) and (
            not before or self.now >= self.tried + breaker.TRIAL
        ):
            assert allowed
        if allowed:
            self.tried = self.now
        self.under_way += allowed

    @rule()
    def explicit(self):
        assert self.it.allows(self.now, explicit=True)
        self.under_way += 1

    @precondition(lambda self: self.under_way)
    @rule()
    def answered(self):
        self.under_way -= 1
        self.it.succeeded()
        self.failures, self.earliest, self.latest = 0, float("-inf"), float("-inf")

    @precondition(lambda self: self.under_way)
    @rule()
    def cut(self):
        self.under_way -= 1
        self.it.given_up()

    @precondition(lambda self: self.under_way)
    @rule(asked=st.none() | st.floats(0, 600), refused=st.booleans())
    def failed(self, asked, refused):
        self.under_way -= 1
        self.it.failed(KEYLESS if refused else Unavailable("busy.", "busy", retry_after=asked), self.now)
        self.failures += 1
        self.earliest = self.now + (0.0 if refused else asked or 0.0)
        longest = breaker.REFUSED_LONGEST if refused else breaker.LONGEST
        # What was under way beside the first failure makes no rest shorter.
        self.latest = max(self.latest, self.now + max(longest, 0.0 if refused else asked or 0.0))

    @precondition(lambda self: self.under_way)
    @rule()
    def failed_alone(self):
        self.under_way -= 1
        self.it.failed(ALONE, self.now)

    @rule()
    def changed(self):
        self.it.reset()
        self.failures, self.earliest, self.latest = 0, float("-inf"), float("-inf")

    @invariant()
    def every_rest_has_an_end(self):
        assert self.it.until <= max(self.latest, self.now + 600)


Life.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestLife = Life.TestCase
