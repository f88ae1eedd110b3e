"""What is said of a broker that comes and goes, and how long is waited."""

from dataclasses import dataclass, field

from turbo_stream.serving.mqtt._config import MqttConfig, parse_mqtt_uri
from turbo_stream.serving.mqtt._link import Link


@dataclass
class Story:
    """A link whose time a test decides."""

    now_s: float = 0.0
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        config = MqttConfig(parse_mqtt_uri("mqtt://broker"), "kitchen")
        self.link = Link(config, self.said.append, lambda: self.now_s)

    def holds(self, lasts_s: float, trouble="away") -> float:
        self.link.made()
        self.now_s += lasts_s
        return self.fails(trouble)

    def fails(self, trouble="away") -> float:
        wait_s = self.link.broken(trouble, "gone")
        self.now_s += wait_s
        return wait_s


def test_waits_grow_and_begin_anew_after_a_connection_that_lasted() -> None:
    story = Story()
    assert [story.fails() for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert story.holds(3600) == 1
    assert len(story.said) == 2 and "not there yet" in story.said[0] and "away" in story.said[1]


def test_a_broker_that_is_restarted_twice_is_no_other_server() -> None:
    story = Story()
    for _ in range(5):
        story.holds(5)
        story.fails()
    assert not any("mqtt_node" in line for line in story.said)


def test_a_name_that_is_taken_is_said_once_however_long_it_goes_on() -> None:
    story = Story()
    assert [story.holds(3600, "taken"), *(story.holds(61, "taken") for _ in range(9))] == [60] * 10
    assert [story.holds(61) for _ in range(3)] == [60] * 3, "also where a broker says it once only"
    (line,) = story.said
    assert "`mqtt_node`" in line and "every 60 s" in line
    # The other one has gone, and the broker with it some day.
    assert story.holds(3600) == 1 and "away" in story.said[-1]
    assert story.link.made()


def test_short_connections_in_a_row_are_the_same_without_a_word_of_the_broker() -> None:
    story = Story()
    assert [story.holds(2), story.holds(2), story.holds(2)] == [1, 60, 60]
    assert ["mqtt_node" in line for line in story.said] == [False, True]


def test_a_refusal_later_is_told_besides_the_absence() -> None:
    story = Story()
    story.holds(60)
    for trouble in ("away", "refused", "refused"):
        story.fails(trouble)
    assert ["refuses (gone)" in line for line in story.said] == [False, True]
