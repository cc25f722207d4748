"""Recordings by the names of their channels, their rate on the axis, scores as colours."""

from __future__ import annotations

import wave
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from keras import layers as L  # noqa: N812
from scipy.io import wavfile

import deeplift_engine as de
from deeplift_engine import cli
from deeplift_engine.errors import InputError
from deeplift_engine.tables.sound_files import read_sound
from tests.helpers import off

LEADS, RATE = ["I", "II", "V1"], 250.0
ECG = np.random.default_rng(0).normal(size=(2, 40, 3)).astype("float32")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``ecg.h5``, and ``records/`` of two tables whose columns are in another order."""
    keras.utils.set_random_seed(0)
    where = tmp_path_factory.mktemp("signals")
    model = keras.Sequential(
        [
            keras.Input((40, 3)),
            L.Conv1D(4, 5, activation="relu"),
            L.GlobalMaxPooling1D(),
            L.Dense(2, name="rhythms"),
        ]
    )
    model.save(where / "ecg.h5")
    (where / "records").mkdir()
    for number, record in enumerate(ECG):
        table = pd.DataFrame(record, columns=LEADS)[["V1", "I", "II"]]
        table.to_csv(where / "records" / f"beat{number}.csv", index=False)
    return where


def test_channels_are_matched_by_name(folder: Path) -> None:
    network = de.load(folder / "ecg.h5")
    read = de.tables.read_signals(folder / "records", network, rate=RATE, channels=LEADS, unit="mV")
    assert off(read[:], ECG) < 1e-6
    assert list(read.names) == ["beat0", "beat1"]
    assert read.constants["channel"] == LEADS
    result = network.explainer().run(read, target=1)
    same = network.explainer().run(ECG, target=1)
    assert off(result.scores, same.scores) < 1e-6
    with pytest.raises(InputError, match="sample is a whole number from 0 to 1, not 2"):
        de.tables.draw_signal(result, read, 2)
    other = de.tables.read_signals(ECG[::-1], network, rate=RATE)
    with pytest.raises(InputError, match="not those that were scored"):
        de.tables.draw_signal(result, other, 1)
    figure = de.tables.draw_signal(result, read, 1)
    panels = figure.axes[:3]
    assert [panel.get_ylabel() for panel in panels] == [f"{lead}\n(mV)" for lead in LEADS]
    assert panels[-1].get_xlabel() == "time (s)"
    assert panels[0].get_xlim() == pytest.approx((0, 39 / RATE))
    for number, panel in enumerate(panels):
        (lines,) = panel.collections
        assert np.allclose(lines.get_array(), result.scores[1, :, number])
        assert np.allclose([path.vertices[1, 1] for path in lines.get_paths()],
                           ECG[1, :, number], atol=1e-6)  # fmt: skip
        assert lines.get_clim()[0] == -lines.get_clim()[1]


def test_arrays_in_other_axes(folder: Path) -> None:
    one = keras.Sequential([keras.Input((40,)), L.Dense(1)])
    single = de.tables.read_signals(ECG[..., 0], de.convert(one), rate=100)
    assert single.shape == (2, 40)
    assert np.array_equal(single[:], ECG[..., 0])
    assert single.dimensions == ("time",)
    drawn = de.tables.draw_signal(de.convert(one).explainer().run(single), single)
    assert drawn.axes[0].get_ylabel() == "channel 0"


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32"])
def test_statement_49_whole_numbers_are_scaled_by_their_range(tmp_path: Path, dtype: str) -> None:
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    values = np.array([[low, high], [(low + high + 1) // 2, low + 1]], dtype)
    wavfile.write(tmp_path / "a.wav", 8000, values)
    half = 2.0 ** (8 * values.itemsize - 1)
    expected = (values.astype(float) - (half if dtype == "uint8" else 0)) / half
    assert np.array_equal(read_sound(tmp_path / "a.wav"), expected.astype("float32"))


def test_sounds_of_24_bits_and_their_rate(tmp_path: Path) -> None:
    whole = np.array([0, 1, -1, 2**23 - 1, -(2**23)])
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(3)
        file.setframerate(44100)
        file.writeframes(b"".join(int(v).to_bytes(3, "little", signed=True) for v in whole))
    read = de.tables.read_signals(tmp_path / "a.wav")
    assert read.rate == 44100
    assert np.array_equal(read[0][:, 0], (whole / 2**23).astype("float32"))
    with pytest.raises(InputError, match="the files say 44100 Hz"):
        de.tables.read_signals(tmp_path / "a.wav", rate=22050)
    wavfile.write(tmp_path / "b.wav", 8000, np.zeros(5, "int16"))
    with pytest.raises(InputError, match="resample as for the training"):
        de.tables.read_signals(tmp_path)
    wavfile.write(tmp_path / "b.wav", 8000, np.zeros(5, "float32"))
    with pytest.raises(InputError, match="cannot be read as a WAV file of whole numbers"):
        de.tables.read_signals(tmp_path / "b.wav")
    (tmp_path / "b.wav").write_bytes((tmp_path / "a.wav").read_bytes()[:-3])
    with pytest.raises(InputError, match=r"b\.wav is cut off"):
        np.asarray(de.tables.read_signals(tmp_path / "b.wav"))
    (tmp_path / "b.wav").write_bytes(b"RIFF")
    with pytest.raises(InputError, match="whole numbers: it is cut off"):
        de.tables.read_signals(tmp_path / "b.wav")


def test_folders_within_a_folder_are_read_and_what_is_left_out_is_told(tmp_path: Path) -> None:
    for name in ("b/1.wav", "a/1.wav", "a/._1.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        wavfile.write(tmp_path / name, 8000, np.arange(6, dtype="int16"))
    for name in ("a/2.flac", "b/3.mp3", "notes.txt"):
        (tmp_path / name).write_text("another kind")
    read = de.tables.read_signals(tmp_path)
    assert list(read.names) == ["a/1", "b/1"]
    assert read.notes[0].startswith("2 of 4 recordings (2.flac, 3.mp3): left out; read are .csv")


def test_what_does_not_fit_is_refused(folder: Path, tmp_path: Path) -> None:
    network = de.load(folder / "ecg.h5")
    read = de.tables.read_signals
    with pytest.raises(InputError, match="how many steps a second"):
        read(ECG, network)
    with pytest.raises(InputError, match=r"reads samples of shape \(40, 3\)"):
        read(ECG[:, :30], network, rate=RATE)
    with pytest.raises(InputError, match="no column 'V2'"):
        read(folder / "records", network, rate=RATE, channels=["I", "II", "V2"])
    for wrong, message in (("abc", "channels is a list"), (["a", "b", "a"], "'a' is there twice")):
        with pytest.raises(InputError, match=message):
            read(ECG, network, rate=RATE, channels=wrong)
    with pytest.raises(InputError, match=r"rate='250': say how many"):
        read(ECG, network, rate="250")
    with pytest.raises(InputError, match="of several shapes: cut or resample"):
        read([ECG[0], ECG[1, :30]], network, rate=RATE)
    with pytest.raises(InputError, match="dtype <U1: expected numbers"):
        read(np.full((2, 40, 3), "a"), network, rate=RATE)
    (tmp_path / "bare.csv").write_text("0.1,0.2,-1\n0.3,0.4,2\n")
    with pytest.raises(InputError, match=r"line 1: 0.1, 0.2, -1 are numbers, where the names"):
        read(tmp_path / "bare.csv", network, rate=RATE)
    with pytest.raises(InputError, match="2 names for 3 channels"):
        read(ECG, network, rate=RATE, channels=["I", "II"])
    long, short = (pd.DataFrame(record, columns=LEADS) for record in (ECG[0], ECG[1, :30]))
    uneven = read([long, short], network, rate=RATE)
    with pytest.raises(InputError, match="recording '1' has 30 steps of 3 channels"):
        uneven[:]


def test_the_command_line_goes_the_same_way(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "a.zarr")
    score = ["score", str(folder / "ecg.h5"), str(folder / "records"), "--kind", "signal",
             "--channels", ",".join(LEADS), "--unit", "mV", "--target", "0", "--target", "1",
             "--arrays", "scores,inputs,predictions"]  # fmt: skip
    assert cli.main([*score, "-o", out]) == 4
    assert "say how many steps a second" in capsys.readouterr().err
    assert cli.main([*score, "-o", out, "--rate", "250"]) == 0
    draw = ["draw", out, "--sample", "beat1", "--target-number"]
    assert cli.main([*draw, "1", "-o", str(tmp_path / "a.png")]) == 0
    assert (tmp_path / "a.png").stat().st_size > 10_000
    assert cli.main([*draw, "2", "-o", str(tmp_path / "b.png")]) == 4
    assert "there are 2 targets" in capsys.readouterr().err
