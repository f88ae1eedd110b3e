import json
from time import sleep

import pytest
import soundfile
from click.testing import CliRunner

from tests.support.paths import ROOT
from tools.measurements.recognition.decoding_stall import longest_stall_ms, main

KITCHEN = ROOT / "examples" / "kitchen.flac"


@pytest.mark.slow
def test_both_ways_are_measured():
    run = CliRunner().invoke(main, [str(KITCHEN), "--seconds", "1.5", "--runs", "1"])
    assert run.exit_code == 0, run.output
    report = json.loads(run.output)
    for way in ("own_process", "this_process"):
        assert report[way]["cpu_ms"]["median"] > 10
        assert report[way]["stall_ms"]["max"] >= 5


def test_the_longest_pause_of_the_other_thread_is_found():
    """It wakes every 5 ms at best."""
    assert longest_stall_ms(lambda: sleep(0.05)) >= 5


def test_sound_at_another_rate_is_refused_in_one_line(tmp_path):
    soundfile.write(tmp_path / "a.wav", [0.0] * 800, 8_000)
    run = CliRunner().invoke(main, [str(tmp_path / "a.wav")])
    assert run.exit_code == 2
    assert "must be mono at 16000 Hz" in run.output
