"""What waits for the broker: in order, bounded in number and age, and every loss is counted."""

from hypothesis import given
from hypothesis import strategies as st

from turbo_stream.serving.mqtt._outbox import Outbox


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@given(st.lists(st.tuples(st.sampled_from(["put", "send", "age"]), st.floats(0, 20)), max_size=60))
def test_every_letter_is_delivered_in_order_or_given_up(steps: list[tuple[str, float]]) -> None:
    clock = Clock()
    outbox = Outbox(max_waiting=5, max_wait_s=30.0, clock=clock)
    put, given_up, delivered, born = 0, 0, [], {}
    for step, seconds in steps:
        if step == "put":
            born[str(put)] = clock.now_s
            outbox.put(str(put))
            put += 1
            given_up += outbox.give_up()
        elif step == "age":
            clock.now_s += seconds
        else:
            given_up += outbox.give_up()
            if (letter := outbox.first()) is not None:
                assert outbox.first() is letter, "it stays until it is confirmed"
                assert clock.now_s - born[letter.payload] <= 30.0
                outbox.delivered(letter)
                delivered.append(int(letter.payload))
        assert len(outbox) <= 5
    assert delivered == sorted(delivered)
    assert put == given_up + len(delivered) + len(outbox)
