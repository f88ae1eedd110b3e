"""The MQTT options: what they mean, and that what is wrong is told without the password."""

import pytest

from turbo_stream.errors import InputError
from turbo_stream.serving.mqtt._config import MqttAddress, mqtt_config, parse_mqtt_uri


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("mqtt://pi", MqttAddress("pi", 1883, tls=False)),
        ("mqtts://pi", MqttAddress("pi", 8883, tls=True)),
        ("mqtt://pi:99/house/ears/", MqttAddress("pi", 99, tls=False, prefix="house/ears")),
        ("mqtt://[::1]:99", MqttAddress("::1", 99, tls=False)),
        ("mqtt://me:p%40ss@pi", MqttAddress("pi", 1883, False, username="me", password="p@ss")),
        ("mqtt://me@pi", MqttAddress("pi", 1883, False, username="me")),
    ],
)
def test_a_uri_is_taken_apart(uri: str, address: MqttAddress) -> None:
    assert parse_mqtt_uri(uri) == address


@pytest.mark.parametrize(
    ("uri", "named"),
    [
        ("http://me:secret@pi", "'http'"),
        ("pi:1883", "'pi'"),
        ("mqtt://", "no host"),
        ("mqtt://me:secret@pi:high", "apart"),
        ("mqtt://me:secret@pi:99999", "apart"),
        ("mqtt://me:secret@pi:0", "port 0"),
        ("mqtt://me:secret@pi..local", "apart"),
        ("mqtt://:secret@pi", "no user"),
        ("mqtt://me:secret@pi/a?b", "%3F"),
        ("mqtt://me:secret@pi/%23", "prefix"),
        ("mqtt://me:secret@pi/$SYS", "prefix"),
        ("mqtt://me:secret@[::1", "apart"),
        ("mqtt://me:secret/word@pi", "%2F"),
        ("mqtt://me:1234/secret@pi", "%2F"),
    ],
)
def test_what_is_wrong_with_a_uri_is_said_in_one_line_without_its_password(uri, named) -> None:
    with pytest.raises(InputError) as caught:
        parse_mqtt_uri(uri)
    message = str(caught.value)
    assert named in message and "\n" not in message and "secret" not in message
    assert "mqtt[s]://" in message or "prefix" in message


def test_a_password_is_neither_shown_nor_printed() -> None:
    address = parse_mqtt_uri("mqtts://me:secret@pi")
    assert "secret" not in f"{address} {address!r}" and str(address) == "mqtts://pi:8883"


def test_the_password_comes_from_the_uri_a_file_or_the_environment(tmp_path, monkeypatch) -> None:
    file = tmp_path / "password"
    file.write_text("from file\n")
    monkeypatch.setenv("TURBO_MQTT_PASSWORD", "from environment")
    assert mqtt_config("mqtt://me:own@pi").address.password == "own"
    assert mqtt_config("mqtt://me@pi").address.password == "from environment"
    assert mqtt_config("mqtt://me@pi", password_file=file).address.password == "from file"
    assert mqtt_config("mqtt://pi").address.password is None
    for encoding in ("utf-8-sig", "utf-16"):
        file.write_text("pässword \r\nof 2026\r\n", encoding)
        assert mqtt_config("mqtt://me@pi", password_file=file).address.password == "pässword "
    monkeypatch.setenv("TURBO_MQTT_PASSWORD", "\ufeffpässword \r")
    assert mqtt_config("mqtt://me@pi").address.password == "pässword "


def test_options_that_do_not_fit_are_named(tmp_path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    for uri, options, named in [
        ("mqtt://me:own@pi", {"password_file": empty}, "twice"),
        ("mqtt://pi", {"password_file": empty}, "USER"),
        ("mqtt://me@pi", {"password_file": empty}, "empty"),
        ("mqtt://me@pi", {"password_file": tmp_path / "none"}, "none"),
        ("mqtt://pi", {"ca_file": empty}, "mqtts://"),
        ("mqtts://pi", {"ca_file": tmp_path / "none"}, "none"),
        ("mqtt://pi", {"node": "a/b"}, "a/b"),
        ("mqtt://pi", {"discovery_prefix": "a/#"}, "a/#"),
    ]:
        with pytest.raises(InputError) as caught:
            mqtt_config(uri, **options)
        assert named in str(caught.value)


def test_the_node_is_the_host_unless_it_is_named(monkeypatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "kitchen pi.local")
    assert mqtt_config("mqtt://pi").topic("state") == "turbo_stream/kitchen_pi/state"
    assert mqtt_config("mqtt://pi/ears", node="hall").topic("state") == "ears/hall/state"
