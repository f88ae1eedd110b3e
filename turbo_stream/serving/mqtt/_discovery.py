"""What Home Assistant is told so that the device appears there by itself.

One retained message an entity, at `<prefix>/<component>/<node>/<entity>/config`:
https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery
"""

from collections.abc import Sequence
from typing import Any

import turbo_stream
from turbo_stream.addressing.address import Address
from turbo_stream.serving.mqtt._config import MqttConfig
from turbo_stream.serving.mqtt._correct_command import CORRECT

SET_ADDRESS = "address/set"
"""The topic on which others say how the device is to be addressed."""

LEARNING = "learning"
"""The topic of what was learned so far."""

_AVAILABILITY = "{{ 'offline' if value_json.state == 'unavailable' else 'online' }}"

# A state of Home Assistant holds 255 characters at most; the attributes hold the whole text.
_LAST_TEXT = "{{ (value_json.text or '')[:255] }}"

_COUNTERS = {
    "accepted": ("Accepted", "mdi:check"),
    "rejected": ("Rejected", "mdi:close"),
    "dropped": ("Dropped", "mdi:help"),
    "undelivered": ("Undelivered", "mdi:email-off"),
}


def discovery_messages(
    config: MqttConfig, addresses: Sequence[Address] = (), *, learns: bool = False
) -> dict[str, dict[str, Any] | None]:
    """Return topic and JSON-ready payload of each entity; empty where none are announced.

    `addresses` are the ways to address the device between which others may choose; `learns`: it
    can be corrected. What an earlier server of this name may have announced, and this one does not
    have, is None.
    """
    if config.discovery_prefix is None:
        return {}
    return {
        _topic(config, component, entity): {
            "unique_id": f"{_identity(config)}_{entity}",
            "availability_topic": config.topic("state"),
            "availability_template": _AVAILABILITY,
            "device": _device(config),
            "origin": {"name": "turbo_stream", "sw_version": turbo_stream.__version__},
            **body,
        }
        for component, entity, body in [
            *_entities(config, addresses),
            *(_learning(config) if learns else []),
        ]
    } | ({} if learns else {_topic(config, *one[:2]): None for one in _learning(config)})


def _entities(
    config: MqttConfig, addresses: Sequence[Address]
) -> list[tuple[str, str, dict[str, Any]]]:
    speech = {
        "name": "Speech",
        "device_class": "sound",
        "state_topic": config.topic("state"),
        "value_template": "{{ 'ON' if value_json.state == 'speech' else 'OFF' }}",
    }
    last_command = {
        "name": "Last command",
        "icon": "mdi:account-voice",
        "state_topic": config.topic("utterance"),
        "value_template": _LAST_TEXT,
        "json_attributes_topic": config.topic("utterance"),
        # The same command twice is two commands.
        "force_update": True,
    }
    counters = [
        (
            "sensor",
            key,
            {
                "name": name,
                "icon": icon,
                "state_topic": config.topic("counters"),
                "value_template": f"{{{{ value_json.{key} }}}}",
                "state_class": "total_increasing",
                "entity_category": "diagnostic",
            },
        )
        for key, (name, icon) in _COUNTERS.items()
    ]
    return [
        ("binary_sensor", "speech", speech),
        ("sensor", "last_command", last_command),
        *counters,
        *([("select", "address", _address(config, addresses))] if addresses else []),
    ]


def _learning(config: MqttConfig) -> list[tuple[str, str, dict[str, Any]]]:
    buttons: list[tuple[str, str, dict[str, Any]]] = [
        (
            "button",
            entity,
            {
                "name": name,
                "icon": icon,
                "command_topic": config.topic(CORRECT),
                "payload_press": payload,
                "qos": 1,
            },
        )
        for entity, name, icon, payload in (
            ("was_for_me", "Last one was for me", "mdi:account-check", '{"directed": true}'),
            ("was_not_for_me", "Last one was not for me", "mdi:account-off", '{"directed": false}'),
        )
    ]
    learning = {
        "name": "Learning",
        "icon": "mdi:school",
        "state_topic": config.topic(LEARNING),
        "value_template": "{{ value_json.state }}",
        "json_attributes_topic": config.topic(LEARNING),
        "entity_category": "diagnostic",
    }
    return [*buttons, ("sensor", "learning", learning)]


def _topic(config: MqttConfig, component: str, entity: str) -> str:
    return f"{config.discovery_prefix}/{component}/{_identity(config)}/{entity}/config"


def _address(config: MqttConfig, addresses: Sequence[Address]) -> dict[str, Any]:
    return {
        "name": "Addressed",
        "icon": "mdi:account-question",
        "state_topic": config.topic("address"),
        "command_topic": config.topic(SET_ADDRESS),
        "options": list(addresses),
        "qos": 1,
        "entity_category": "config",
    }


def _identity(config: MqttConfig) -> str:
    return f"turbo_stream_{config.node}"


def _device(config: MqttConfig) -> dict[str, Any]:
    return {
        "identifiers": [_identity(config)],
        "name": f"turbo_stream {config.node}",
        "manufacturer": "turbo_stream",
        "model": "turbo-serve",
        "sw_version": turbo_stream.__version__,
    }
