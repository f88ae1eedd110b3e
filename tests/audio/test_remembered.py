"""A microphone that comes back, among others that look like it: the same one, or it is said."""

from dataclasses import replace
from pathlib import Path

import pytest

from turbo_stream.audio import _remembered, microphone
from turbo_stream.audio._remembered import Remembered
from turbo_stream.audio.devices import Device
from turbo_stream.audio.microphone import Microphone


def mac(index: int, name: str = "USB Mic", channels: int = 1) -> Device:
    return Device(index, name, "Core Audio", channels, 48_000, False)


def alsa(index: int, card: int, name: str = "USB Mic: Audio") -> Device:
    return Device(index, f"{name} (hw:{card},0)", "ALSA", 1, 48_000, False)


def found(before: list[Device], ours: Device, now: list[Device]) -> Device | None:
    return Remembered.among(ours, before).find(now)


def test_the_same_list_finds_the_same_device() -> None:
    for devices in ([mac(0), mac(1), mac(2)], [alsa(0, 1), alsa(1, 2)], [mac(0), alsa(1, 1)]):
        for device in devices:
            assert found(devices, device, devices) == device


def test_other_numbers_of_portaudio_change_nothing() -> None:
    before, now = [mac(0, "Built-in"), mac(1)], [mac(0), mac(1, "Built-in")]
    assert found(before, before[1], now) == now[0]


def test_of_two_that_nothing_tells_apart_the_one_that_is_left_is_not_taken() -> None:
    before = [mac(3), mac(5)]
    for device in before:
        assert found(before, device, [mac(3)]) is None
        assert found(before, device, [mac(3), mac(4), mac(5)]) is None
    # With both there again their order says which is which, as far as anybody knows.
    now = [mac(2), mac(4)]
    assert found(before, before[1], now) == now[1]
    assert not Remembered.among(before[1], before).surely(now[1])


@pytest.mark.parametrize(
    "now", [mac(0, "USB Mic 2"), mac(0, channels=2), replace(mac(0), host_api="ASIO")]
)
def test_another_name_interface_or_number_of_channels_is_another_device(now: Device) -> None:
    assert found([mac(0)], mac(0), [now]) is None


def test_a_card_that_comes_back_under_another_number_is_found() -> None:
    before, now = [alsa(0, 1)], [alsa(4, 3)]
    remembered = Remembered.among(before[0], before)
    assert remembered.find(now) == now[0]
    assert not remembered.surely(now[0]), "it may be another one of its kind"
    assert remembered.surely(before[0])


def test_a_card_beside_it_is_not_taken_for_it() -> None:
    before = [alsa(0, 1), alsa(1, 2)]
    assert found(before, before[0], [alsa(0, 2)]) is None
    assert found(before, before[0], [alsa(0, 2), alsa(1, 3)]) == alsa(1, 3)
    assert found(before, before[0], [alsa(0, 3), alsa(1, 4)]) is None
    other_input = replace(before[0], name="USB Mic: Audio (hw:1,1)")
    assert found([before[0]], before[0], [other_input]) is None


def test_the_port_counts_and_not_the_number(monkeypatch) -> None:
    """Two of a kind, unplugged and plugged in again the other way round."""
    ports = {1: "usb1/1-1", 2: "usb1/1-2"}
    monkeypatch.setattr(
        _remembered, "_port", lambda card: Path(ports[card]) if card in ports else None
    )
    before = [alsa(0, 1), alsa(1, 2)]
    remembered = Remembered.among(before[0], before)
    ports.update({1: "usb1/1-2", 2: "usb1/1-1"})
    assert remembered.find(before) == before[1] and remembered.surely(before[1])
    del ports[2]
    assert remembered.find([alsa(0, 1)]) is None, "only the other one is there"


@pytest.fixture
def listed(monkeypatch) -> list[Device]:
    """The devices that a microphone finds; the test changes them."""
    devices = [alsa(0, 1), alsa(1, 2), mac(2, "Built-in")]

    def find(wanted: int | str | None) -> Device:
        return devices[-1] if wanted is None else devices[int(wanted)]

    monkeypatch.setattr(microphone, "list_devices", lambda: list(devices))
    monkeypatch.setattr(microphone, "find_device", find)
    return devices


def test_another_microphone_is_never_taken_without_a_word(listed: list[Device]) -> None:
    source = Microphone(0)
    mine, other, built_in = listed
    listed[:] = [other, built_in]
    assert list(source._candidates(patient=True)) == []
    assert list(source._candidates(patient=False)) == [built_in]
    assert source._returned(built_in) == f"Built-in in place of {mine.name}"
    # It is still the one that was asked for that is looked for, and found under another number.
    back = alsa(7, 5)
    listed[:] = [other, back, built_in]
    assert list(source._candidates(patient=True)) == [back]
    assert source._returned(back) == f"{back.name}, taken for the one before"
    assert source._returned(back) == back.name


def test_another_default_is_named_with_the_one_before(listed: list[Device]) -> None:
    source = Microphone(None)
    assert source._returned(listed[2]) == "Built-in"
    assert source._returned(listed[0]) == f"{listed[0].name} in place of Built-in"
    assert source._returned(listed[0]) == listed[0].name
