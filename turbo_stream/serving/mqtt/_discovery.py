"""What Home Assistant is told so that the device appears there by itself.

One retained message an entity, at `<prefix>/<component>/<node>/<entity>/config`:
https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery
"""

from collections.abc import Sequence
from typing import Any

import turbo_stream
from turbo_stream.serving.mqtt._choice_command import Choice, ChoiceName
from turbo_stream.serving.mqtt._config import MqttConfig
from turbo_stream.serving.mqtt._correct_command import CORRECT

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


CHOICES: dict[ChoiceName, tuple[str, dict[str, Any]]] = {
    "address": (
        "select",
        {"name": "Addressed", "icon": "mdi:account-question", "entity_category": "config"},
    ),
    "mute": ("switch", {"name": "Mute", "icon": "mdi:microphone-off"}),
    "sensitivity": (
        "number",
        {"name": "Sensitivity", "icon": "mdi:tune-vertical", "entity_category": "config"},
    ),
}
"""The entity of each choice: its component, and how it looks."""


def discovery_messages(
    config: MqttConfig, choices: Sequence[Choice] = (), *, learns: bool = False
) -> dict[str, dict[str, Any] | None]:
    """Return topic and JSON-ready payload of each entity; empty where none are announced.

    `choices` are what others may set of the device; `learns`: it can be corrected. What an earlier
    server of this name may have announced, and this one does not have, is None.
    """
    if config.discovery_prefix is None:
        return {}
    entities = [
        *_entities(config),
        *(_choice(config, choice) for choice in choices),
        *(_learning(config) if learns else []),
    ]
    missing = [
        *((component, name) for name, (component, _) in CHOICES.items()),
        *((component, entity) for component, entity, _ in _learning(config)),
    ]
    return {_topic(config, *one): None for one in missing} | {
        _topic(config, component, entity): {
            "unique_id": f"{_identity(config)}_{entity}",
            "availability_topic": config.topic("state"),
            "availability_template": _AVAILABILITY,
            "device": _device(config),
            "origin": {"name": "turbo_stream", "sw_version": turbo_stream.__version__},
            **body,
        }
        for component, entity, body in entities
    }


def _entities(config: MqttConfig) -> list[tuple[str, str, dict[str, Any]]]:
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


def _choice(config: MqttConfig, choice: Choice) -> tuple[str, str, dict[str, Any]]:
    component, looks = CHOICES[choice.name]
    body = {
        **looks,
        "state_topic": config.topic(choice.name),
        "command_topic": config.topic(f"{choice.name}/set"),
        "qos": 1,
    }
    match component:
        case "select":
            body["options"] = list(choice.words)
        case "number":
            body |= {"min": int(choice.words[0]), "max": int(choice.words[-1]), "step": 1}
    return component, choice.name, body


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
