"""A real Home Assistant, without a screen, asks a running turbo-serve; to be run by hand.

Home Assistant pins hundreds of packages, so it needs an environment of its own:

    python3.13 -m venv ha && ha/bin/pip install homeassistant
    ha/bin/python tests/serving/home_assistant.py --requirements | xargs ha/bin/pip install
    mosquitto -p 1884 &
    turbo-serve --asr tests/assets/whisper-kitchen --wyoming tcp://0.0.0.0:10300 --zeroconf \
        --mqtt mqtt://127.0.0.1:1884 --mqtt-node kitchen 2> serve.log &
    ffmpeg -i examples/kitchen.flac -f s16le kitchen.pcm
    ha/bin/python tests/serving/home_assistant.py kitchen.pcm 10300 1884 $!

It confirms the Wyoming service that Home Assistant has discovered, adds another and the broker by
their forms, speaks an accepted and a rejected utterance into an Assist pipeline, reads the
entities, kills turbo-serve (the last number) and reads them again.
"""

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import homeassistant
from homeassistant import bootstrap, const, runner
from homeassistant.core import Context, HomeAssistant

COMPONENTS = ("assist_pipeline", "backup", "frontend", "mqtt", "recorder", "wyoming", "zeroconf")
CONFIGURATION = "homeassistant:\nassist_pipeline:\nfrontend:\nzeroconf:\n"
BYTES_PER_S = 32_000


def requirements() -> list[str]:
    """Return what pip has to install for `COMPONENTS`, as Home Assistant would while it starts."""
    folder = Path(homeassistant.__file__).parent / "components"
    found: set[str] = set()
    seen: set[str] = set()
    waiting = [*COMPONENTS]
    while waiting:
        if (name := waiting.pop()) in seen:
            continue
        seen.add(name)
        manifest = json.loads((folder / name / "manifest.json").read_text())
        found.update(manifest.get("requirements", ()))
        waiting += manifest.get("dependencies", ())
    return sorted(found | {"numpy"})


async def confirm_discovered(hass: HomeAssistant, domain: str) -> None:
    """Confirm what Home Assistant itself has found on the network."""
    for _ in range(300):
        if flows := hass.config_entries.flow.async_progress_by_handler(domain):
            break
        await asyncio.sleep(0.1)
    assert flows and flows[0]["context"]["source"] == "zeroconf", flows
    done = await hass.config_entries.flow.async_configure(flows[0]["flow_id"], {})
    assert done["type"] == "create_entry", done
    await hass.async_block_till_done()


async def add(hass: HomeAssistant, domain: str, form: dict[str, object]) -> None:
    """Fill in the form of an integration."""
    flow = await hass.config_entries.flow.async_init(domain, context={"source": "user"})
    if flow["type"] == "menu":
        flow = await hass.config_entries.flow.async_configure(
            flow["flow_id"], {"next_step_id": flow["menu_options"][-1]}
        )
    done = await hass.config_entries.flow.async_configure(flow["flow_id"], form)
    assert done["type"] == "create_entry", done
    await hass.async_block_till_done()


async def played(pcm: bytes, start_s: int, stop_s: int) -> AsyncIterator[bytes]:
    for at in range(start_s * BYTES_PER_S, stop_s * BYTES_PER_S, 2048):
        yield pcm[at : at + 2048]
        await asyncio.sleep(0.005)


async def said(hass: HomeAssistant, engine: str, sound: AsyncIterator[bytes]) -> list[dict]:
    """Run an Assist pipeline from speech to intent; return its events."""
    from homeassistant.components import assist_pipeline, stt
    from homeassistant.components.assist_pipeline.pipeline import (
        async_get_pipeline,
        async_update_pipeline,
    )

    pipeline = async_get_pipeline(hass)
    await async_update_pipeline(hass, pipeline, stt_engine=engine, stt_language="en")
    seen: list[dict] = []
    await assist_pipeline.async_pipeline_from_audio_stream(
        hass,
        context=Context(),
        event_callback=lambda event: seen.append({"type": str(event.type), **(event.data or {})}),
        stt_metadata=stt.SpeechMetadata(
            language="en",
            format=stt.AudioFormats.WAV,
            codec=stt.AudioCodecs.PCM,
            bit_rate=stt.AudioBitRates.BITRATE_16,
            sample_rate=stt.AudioSampleRates.SAMPLERATE_16000,
            channel=stt.AudioChannels.CHANNEL_MONO,
        ),
        stt_stream=sound,
        pipeline_id=pipeline.id,
        start_stage=assist_pipeline.PipelineStage.STT,
        end_stage=assist_pipeline.PipelineStage.INTENT,
    )
    return seen


def entities(hass: HomeAssistant) -> dict[str, str]:
    return {
        state.entity_id: state.state
        for state in hass.states.async_all()
        if "turbo_stream" in state.entity_id
    }


async def check(pcm: bytes, wyoming_port: int, mqtt_port: int, serve_pid: int, folder: str) -> None:
    config = runner.RuntimeConfig(config_dir=folder, skip_pip=True)
    hass = await bootstrap.async_setup_hass(config)
    assert hass is not None
    await hass.async_start()
    await confirm_discovered(hass, "wyoming")
    await add(hass, "wyoming", {"host": "127.0.0.1", "port": wyoming_port})
    await add(hass, "mqtt", {"broker": "127.0.0.1", "port": mqtt_port})
    await asyncio.sleep(3)
    engine = next(name for name in entities(hass) if name.startswith("stt."))

    accepted = await said(hass, engine, played(pcm, 0, 4))
    (end,) = [event for event in accepted if event["type"] == "stt-end"]
    assert end["stt_output"]["text"] == "Turn on the kitchen lights.", accepted
    rejected = await said(hass, engine, played(pcm, 4, 8))
    (error,) = [event for event in rejected if event["type"] == "error"]
    assert error["code"] == "stt-no-text-recognized", rejected

    await asyncio.sleep(1)
    seen = entities(hass)
    assert seen["sensor.turbo_stream_kitchen_last_command"] == "Turn on the kitchen lights.", seen
    assert seen["sensor.turbo_stream_kitchen_accepted"] == "1", seen
    assert seen["sensor.turbo_stream_kitchen_rejected"] == "1", seen
    assert seen["binary_sensor.turbo_stream_kitchen_speech"] == "off", seen

    os.kill(serve_pid, signal.SIGKILL)
    await asyncio.sleep(2)
    gone = {name: state for name, state in entities(hass).items() if not name.startswith("stt.")}
    assert set(gone.values()) == {"unavailable"}, gone
    print(f"Home Assistant {const.__version__}: {len(gone)} entities, all as they should be")
    await hass.async_stop(force=True)


def main() -> None:
    if sys.argv[1:] == ["--requirements"]:
        print("\n".join(requirements()))
        return
    sound, *numbers = sys.argv[1:]
    pcm = Path(sound).read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "configuration.yaml").write_text(CONFIGURATION)
        asyncio.run(check(pcm, *map(int, numbers), folder))


if __name__ == "__main__":
    main()
