"""Heads on frozen sounds know what other collections have taught; lengths and words stand apart."""

import json
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import soundfile

torch = pytest.importorskip("torch", reason="needs the train extra")
transformers = pytest.importorskip("transformers", reason="needs the train extra")
pytest.importorskip("sklearn", reason="needs the eval extra")

from click.testing import CliRunner

from models.sound_library import load_torchaudio
from models.turbo import Turbo
from tests.support.tiny_corpus import write_lines, write_start, write_tone
from tests.support.tiny_network import TINY
from tools.measurements.sound_teacher.__main__ import main
from tools.measurements.sound_teacher.channel import Channel, some_rows
from tools.measurements.sound_teacher.kept import kept_features
from tools.measurements.sound_teacher.listeners import Outside, WhisperStates
from tools.measurements.sound_teacher.report import mean_difference
from tools.measurements.sound_teacher.resampling import Pair, Worth, areas, errors
from tools.measurements.sound_teacher.verdict import SHARES, chosen_share
from training.data.augment import Surroundings
from training.data.clip import Clip
from training.data.row import Row
from training.folds.split import PAIRS


@pytest.fixture(scope="module")
def encoder(tmp_path_factory) -> Path:
    with suppress(ModuleNotFoundError):
        load_torchaudio()  # transformers wants it to be importable where it is installed
    found = tmp_path_factory.mktemp("sound") / "small"
    torch.manual_seed(0)
    config = transformers.WhisperConfig(
        d_model=32,
        encoder_layers=2,
        encoder_attention_heads=2,
        encoder_ffn_dim=48,
        decoder_layers=0,
        decoder_attention_heads=2,
        decoder_ffn_dim=1,
        vocab_size=1,
        max_target_positions=1,
        pad_token_id=0,
        bos_token_id=0,
        eos_token_id=0,
        decoder_start_token_id=0,
    )
    transformers.WhisperModel(config).save_pretrained(found)
    return found


def test_a_sound_is_heard_as_if_it_were_alone_and_is_kept(encoder, tmp_path) -> None:
    states = WhisperStates(encoder)
    rng = np.random.default_rng(0)
    waves = [rng.normal(0, 0.1, size).astype(np.float32) for size in (4_000, 16_000, 9_000)]
    together = states(waves)
    assert together.shape == (3, 3, 64)
    for wave, vector in zip(waves, together, strict=True):
        np.testing.assert_allclose(states([wave])[0], vector, atol=0.02)
    assert np.abs(together[0] - together[1]).max() > 0.05
    write_tone(tmp_path / "one.wav", 300.0)
    clip, channel = Clip(tmp_path / "one.wav"), Channel(Surroundings())
    kept = kept_features({"a": Outside()}, [clip], channel, 0, tmp_path / "kept")["a"]
    np.testing.assert_allclose(kept, Outside()([channel(clip, 0)]), rtol=2e-3, atol=1e-3)
    (tmp_path / "one.wav").unlink()  # whoever made it anew would miss it
    again = kept_features({"a": Outside()}, [clip], channel, 0, tmp_path / "kept")["a"]
    np.testing.assert_array_equal(kept, again)


def test_both_classes_have_one_band_and_draws_differ(tmp_path) -> None:
    write_tone(tmp_path / "high.wav", 6500.0)
    write_tone(tmp_path / "low.wav", 500.0)
    channel = Channel(Surroundings())
    shares = []
    for name in ("high.wav", "low.wav"):
        wave = channel(Clip(tmp_path / name), 1)
        power = np.square(np.abs(np.fft.rfft(wave)))
        shares.append(power[np.fft.rfftfreq(len(wave), 1 / 16_000) > 5500].sum() / power.sum())
    assert shares[0] < 0.2
    low = Clip(tmp_path / "low.wav")
    np.testing.assert_array_equal(channel(low, 1), channel(low, 1))
    assert (
        len(channel(low, 1)) != len(channel(low, 2)) or (channel(low, 1) != channel(low, 2)).any()
    )


def test_some_rows_are_as_many_of_each_class_of_a_collection() -> None:
    def row(collection: str, label: int, number: int) -> Row:
        return Row(Path(f"{number}.wav"), label, None, (), collection, "", ())

    rows = [row("a", n % 2, n) for n in range(20)] + [row("b", 0, n) for n in range(3)]
    kept = some_rows(rows, 4)
    counts = [sum((r.collection, r.label) == kind for r in kept) for kind in (("a", 0), ("a", 1))]
    assert counts == [4, 4] and sum(r.collection == "b" for r in kept) == 3
    assert kept == some_rows(rows, 4)


def test_areas_of_one_length_do_not_see_the_length() -> None:
    rng = np.random.default_rng(0)
    hits = np.arange(200) % 2 == 1
    lengths = np.where(hits, 1.0, 2.0) * rng.uniform(0.5, 2.0, 200)
    pair = Pair(hits, np.array([str(n // 4) for n in range(200)]), lengths)
    scores = -np.log(lengths)[None]
    assert areas(pair, scores).found[0] > 0.75
    alike = areas(pair, scores, as_long=True)
    assert abs(alike.found[0] - 0.5) < 0.1
    low, high = alike.described()["ci95"]
    assert low < 0.5 < high and high - low < 0.4
    right = np.where(hits, 1.0, -1.0)[None]
    assert errors(pair, right).found[0] == 0.0
    assert mean_difference([errors(pair, right)] * 2, [errors(pair, scores)] * 2)["ci95"][0] > 0
    same = errors(pair, scores)
    assert mean_difference([same], [same])["ci95"] == [0.0, 0.0]
    assert isinstance(same, Worth)


def test_the_share_of_the_sound_is_the_one_with_which_the_development_pairs_err_least() -> None:
    labels = np.arange(40) % 2
    words = np.random.default_rng(0).normal(0.0, 0.3, 40)
    sound = np.where(labels == 1, 1.0, -1.0)[None]
    dev = [np.arange(0, 20), np.arange(20, 30)]  # the last ten are asked
    sound[0, 30:] *= -1
    share = chosen_share(words, sound, labels, dev)
    assert share > 0
    assert chosen_share(words, -sound, labels, dev) == SHARES[0] == 0.0


def test_heads_know_a_pair_by_the_sound_of_others(encoder, tmp_path) -> None:
    rows = []
    for pair in PAIRS:
        for name, label in zip(pair.split(","), ("directed", "not_directed"), strict=True):
            for n in range(6):
                file = f"{name}_{label}_{n}.wav"
                if not (tmp_path / file).exists():
                    if label == "directed":
                        write_tone(tmp_path / file, 300.0 + 7 * n + len(rows))
                    else:
                        hiss = np.random.default_rng(len(rows)).normal(0.0, 0.2, 6400)
                        soundfile.write(tmp_path / file, hiss, 16_000)
                    row = {"audio_filepath": file, "label": label, "set": name}
                    rows.append({**row, "group": f"{name}{n}", "text": "so"})
    manifest = write_lines(tmp_path / "manifest.jsonl", rows)
    heard = write_lines(
        tmp_path / "heard.jsonl",
        [
            {"audio_filepath": row["audio_filepath"], "text": "so well", "avg_logprob": -0.3}
            for row in rows[1:]
        ],
    )
    start = write_start(tmp_path / "start", Turbo(TINY))
    runs = tmp_path / "runs"
    runs.mkdir()
    for pair in PAIRS:
        (runs / f"without_{pair.replace(',', '_')}").symlink_to(start)
    given = [str(encoder), "--manifest", str(manifest), "--out", str(tmp_path / "kept")]
    given += ["--heard", str(heard), "--runs", str(runs)]
    result = CliRunner().invoke(main, [*given, "--most", "5", "--draws", "1"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert set(found) == {*PAIRS, "mean"}
    rates = []
    for pair in PAIRS:
        one = found[pair]
        assert (one["n"], one["n_directed"]) == (10, 5)
        # All say the same, so that words alone are a coin.
        assert one["words"]["error"]["mean"] == 0.5 and one["words"]["share"] == 0.0
        assert one["words and small"]["error"]["mean"] <= 0.5
        rates.append(one["small"]["error"]["mean"])
        assert len(one["small"]["by_layer"]) == 3
    assert np.mean(rates) < 0.25, rates  # a coin has 0.5, classes turned round 0.8
    compared = found["mean"]["differences"]["small, content-free: error"]
    assert len(compared["by_pair"]) == len(PAIRS)
    means = found["mean"]["means"]
    assert compared["mean"] == pytest.approx(means["content-free error"] - means["small error"])
    wider = found["mean"]["differences"]["small, content-free: area"]
    assert wider["mean"] == pytest.approx(means["small area"] - means["content-free area"])
