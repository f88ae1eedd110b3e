"""The promises of a house, as laws over networks, deaths and clocks (hypothesis)."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.house.simulation import Network, Settled, Simulation
from turbo_stream.house.agreement import Timing
from turbo_stream.house.claim import SAME_SPEECH_S, STEP_DB

LEG_S = 0.15
"""The longest way to the broker for which one answers: three of them are shorter than `answer_s`,
and two with what rooms differ in the end of speech shorter than `SAME_SPEECH_S`."""

DIFFER_S = 0.09
APART_S = SAME_SPEECH_S + 2 * LEG_S + DIFFER_S + 0.01

TIMING = Timing()
laws = settings(max_examples=80, deadline=None)
randoms = st.integers(0, 2**32).map(Random)
rooms = st.integers(2, 5)


def house(count: int, network: Network, random: Random) -> Simulation:
    simulation = Simulation(count, network, random)
    for room in simulation.rooms:
        room.clock_ahead_s = random.uniform(-1e5, 1e5)
    return simulation


def speak(
    simulation: Simulation,
    speech: int,
    at_s: float,
    by: list[int],
    within_s: float,
    differ_s: float = DIFFER_S,
) -> list[str]:
    """Have the rooms `by` accept speech that ends `at_s`, each within `within_s` after it."""
    random, ids = simulation.random, []
    for number in by:
        id = f"{speech}-{number}"
        ids.append(id)
        ended_s = at_s + random.uniform(0, differ_s)
        heard = {"over_noise_db": random.uniform(0, 40), "score": random.random()}

        def claims(room=simulation.rooms[number], id=id, ended_s=ended_s, heard=heard) -> None:
            room.claims(id, ended_s=ended_s, **heard)

        simulation.at(ended_s + random.uniform(0.3, 0.3 + within_s), claims)
    return ids


def some(simulation: Simulation) -> list[int]:
    """Return the numbers of some rooms, at least one."""
    everyone = range(len(simulation.rooms))
    return sorted(simulation.random.sample(everyone, simulation.random.randint(1, len(everyone))))


def told(simulation: Simulation, ids: list[str]) -> list[Settled]:
    return [simulation.settled[id] for id in ids if id in simulation.settled]


@laws
@given(count=rooms, random=randoms, repeated=st.sampled_from([0.0, 0.3]))
def test_exactly_one_acts_however_long_messages_take_and_rooms_think(
    count, random, repeated
) -> None:
    simulation = house(count, Network(LEG_S, repeated=repeated), random)
    speeches = [
        speak(simulation, number, 1.0 + APART_S * number, some(simulation), within_s=3.0)
        for number in range(3)
    ]
    simulation.run()
    for ids in speeches:
        found = told(simulation, ids)
        (actor,) = [one for one in found if one.acted]
        for one in found:
            assert one.acted or one.yielded_to == f"room-{actor.room}", found


@laws
@given(count=rooms, random=randoms)
def test_who_heard_best_answers_within_100_ms_of_the_first_claim(count, random) -> None:
    leg_s = 0.005
    simulation = house(count, Network(leg_s, longest_act_s=0.0), random)
    ids = speak(
        simulation, 0, 1.0, list(range(count)), within_s=0.0, differ_s=TIMING.window_s - 4 * leg_s
    )
    simulation.run()
    found = {id: simulation.settled[id] for id in ids}
    claims = [simulation.rooms[0].agreement.heard[id].claim for id in ids]
    best = min(claims, key=lambda claim: claim.order)
    assert [id for id, one in found.items() if one.acted] == [best.id]
    waited_s = found[best.id].at_s - min(one.made_s for one in found.values())
    assert waited_s <= TIMING.window_s + 4 * leg_s < 0.1


@laws
@given(count=rooms, random=randoms, deaths=st.integers(1, 4))
def test_one_acts_though_others_die_at_any_moment(count, random, deaths) -> None:
    simulation = house(count, Network(LEG_S), random)
    everyone = list(range(count))
    ids = speak(simulation, 0, 1.0, everyone, within_s=random.choice([0.02, 1.0]))
    dying = random.sample(everyone, min(deaths, count - 1))
    for number in dying:
        simulation.at(random.uniform(1.2, 3.5), simulation.rooms[number].dies)
    simulation.run()
    found = told(simulation, ids)
    alive = [one for one in found if simulation.rooms[one.room].alive]
    assert all(one.at_s is not None for one in alive), "none waits for ever"
    acted = [one for one in found if one.acted]
    assert acted
    # One that acts and dies before it has said so is the one case in which another acts, too.
    unsaid = [one for one in acted if not one.told]
    assert all(not simulation.rooms[one.room].alive for one in unsaid)
    assert len(acted) - len(unsaid) <= 1
    longest_s = len(dying) * (TIMING.answer_s + LEG_S) + TIMING.answer_s + 5 * TIMING.step_s + 1
    assert all(one.at_s - one.made_s <= longest_s for one in alive)


@laws
@given(
    count=rooms,
    random=randoms,
    lost=st.sampled_from([0.0, 0.2, 1.0]),
    broker=st.sampled_from(["stays", "breaks", "hangs"]),
    in_order=st.booleans(),
)
def test_no_network_makes_a_house_deaf(count, random, lost, broker, in_order) -> None:
    network = Network(random.choice([LEG_S, 5.0]), lost=lost, repeated=0.2, in_order=in_order)
    simulation = house(count, network, random)
    ids = speak(simulation, 0, 1.0, some(simulation), within_s=1.0)
    if broker != "stays":
        lose = random.uniform(1.2, 2.5)
        simulation.at(lose, lambda: simulation.lose_broker(seen=broker == "breaks"))
    simulation.run()
    found = told(simulation, ids)
    assert any(one.acted for one in found)
    longest_s = len(ids) * (TIMING.answer_s + 2 * 5.0)
    assert all(one.at_s is not None and one.at_s - one.made_s < longest_s for one in found)


@laws
@given(random=randoms)
def test_two_utterances_at_a_distance_in_time_are_two(random) -> None:
    simulation = house(2, Network(LEG_S), random)
    apart_s = random.uniform(APART_S, 2.0)
    first = speak(simulation, 0, 1.0, [0], within_s=2.0)
    second = speak(simulation, 1, 1.0 + apart_s, [1], within_s=2.0)
    simulation.run()
    assert all(one.acted for one in told(simulation, [*first, *second]))


def test_levels_that_differ_by_less_than_a_step_leave_it_to_the_score() -> None:
    simulation = Simulation(2, Network(0.001), Random(1))
    near, sure = simulation.rooms
    simulation.at(1.3, lambda: near.claims("a", ended_s=1, over_noise_db=20.4, score=0.6))
    simulation.at(1.3, lambda: sure.claims("b", ended_s=1, over_noise_db=20.0, score=0.9))
    loud_s, by = 5.0, 2 * STEP_DB
    simulation.at(5.3, lambda: near.claims("c", ended_s=loud_s, over_noise_db=20 + by, score=0.6))
    simulation.at(5.3, lambda: sure.claims("d", ended_s=loud_s, over_noise_db=20, score=0.9))
    simulation.run()
    assert [id for id, one in simulation.settled.items() if one.acted] == ["b", "c"]
