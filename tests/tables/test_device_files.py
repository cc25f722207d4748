"""Files of devices beside what the packages that read them give."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812

import deeplift_engine as de
from deeplift_engine import cli
from deeplift_engine.errors import InputError

has_edfio, has_wfdb, has_mne = (
    pytest.mark.skipif(importlib.util.find_spec(name) is None, reason=f"{name} is not installed")
    for name in ("edfio", "wfdb", "mne")
)
SIGNAL = np.random.default_rng(0).normal(size=(200, 3))
LEADS = ["I", "II", "V1"]


def edf(path: Path) -> Path:
    """Three leads in uV at 100 Hz, and one in mV at another rate."""
    import edfio

    leads = [
        edfio.EdfSignal(SIGNAL[:, n], 100, label=lead, physical_dimension="uV")
        for n, lead in enumerate(LEADS)
    ]
    other = edfio.EdfSignal(SIGNAL[::4, 0], 25, label="resp", physical_dimension="mV")
    edfio.Edf([*leads, other]).write(path)
    return path


@has_edfio
def test_edf_s_channels_rate_and_units(tmp_path: Path) -> None:
    import edfio

    path = edf(tmp_path / "a.edf")
    read = de.tables.read_signals(path, channels=["V1", "I"])
    expected = edfio.read_edf(path)
    own = [expected.get_signal(label).data for label in ("V1", "I")]
    assert np.array_equal(read[0], np.stack(own, axis=1).astype("float32"))
    assert np.abs(read[0] - SIGNAL[:, [2, 0]]).max() < 1e-4
    assert (read.rate, read.unit, read.names) == (100, "µV", ("a",))
    with pytest.raises(InputError, match=r"several rates: I 100 Hz, .* resp 25 Hz"):
        de.tables.read_signals(path)
    with pytest.raises(InputError, match=r"no channel 'V2'\. It has I, II, V1, resp"):
        de.tables.read_signals(path, channels=["V2"])
    mixed = de.tables.read_signals(path, channels=["resp"])
    assert (mixed.rate, mixed.unit, mixed.shape) == (25, "mV", (1, 50, 1))
    (tmp_path / "b.edf").write_bytes(path.read_bytes()[:300])
    with pytest.raises(InputError, match=r"b\.edf cannot be read as EDF"):
        de.tables.read_signals(tmp_path / "b.edf")


@pytest.mark.slow
@has_edfio
def test_a_folder_of_edf_goes_to_traces_and_a_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "records").mkdir()
    for name in ("x", "y"):
        edf(tmp_path / "records" / f"{name}.edf")
    model = keras.Sequential([keras.Input((200, 2)), L.Flatten(), L.Dense(1, name="beat")])
    model.save(tmp_path / "m.h5")
    out = tmp_path / "a.h5"
    score = ["score", str(tmp_path / "m.h5"), str(tmp_path / "records"), "-o", str(out)]
    assert cli.main([*score, "--channels", "II,V1"]) == 0
    draw = ["draw", str(out), "--sample", "y", "-o", str(tmp_path / "a.png")]
    assert cli.main(draw) == 0
    assert cli.main(["report", str(out), "-o", str(tmp_path / "a.html")]) == 0
    assert cli.main([*score[:2], str(tmp_path / "records" / "x.edf"), *score[3:], "--channels",
                     "II,V1", "--rate", "50", "--overwrite"]) == 4  # fmt: skip
    assert "the files say 100 Hz" in capsys.readouterr().err
    page = (tmp_path / "a.html").read_text()
    assert '"µV"' in page or "\\u00b5V" in page


@has_wfdb
@pytest.mark.filterwarnings("ignore")  # of wfdb's own calls
def test_statement_50_wfdb_s_units_orders_gaps_and_frames(tmp_path: Path) -> None:
    import wfdb

    units, leads = ["mV", "mV", "uV"], LEADS
    wfdb.wrsamp("a", 250, units, leads, p_signal=SIGNAL, fmt=["16"] * 3, write_dir=str(tmp_path))
    read = de.tables.read_signals(tmp_path / "a.hea", channels=["V1", "I"])
    expected = wfdb.rdrecord(str(tmp_path / "a"), channels=[2, 0]).p_signal
    assert np.array_equal(read[0], expected.astype("float32"))
    assert (read.rate, read.units, read.unit) == (250, ("µV", "mV"), "")  # as they are
    assert read.constants["unit"] == ["µV", "mV"]
    nothing = np.zeros(1)
    result = de.Attribution(read[:], None, nothing, nothing, nothing, nothing, read[:], {})
    panels = de.tables.draw_signal(result, read).axes
    assert [panel.get_ylabel() for panel in panels[:2]] == ["V1\n(µV)", "I\n(mV)"]
    gap = SIGNAL.copy()
    gap[50, 1] = np.nan
    wfdb.wrsamp("b", 250, units, leads, p_signal=gap, fmt=["16"] * 3, write_dir=str(tmp_path))
    with pytest.raises(InputError, match=r"'b' has nan in channel 'II' at 0\.2 s"):
        de.tables.read_signals(tmp_path / "b.hea")[:]
    frames = [np.round(SIGNAL[:100, 0], 3), np.round(SIGNAL[:, 1], 3)]  # 1 and 2 samples a frame
    wfdb.wrsamp("c", 125, units[:2], leads[:2], e_p_signal=frames, fmt=["16", "16"],
                samps_per_frame=[1, 2], write_dir=str(tmp_path))  # fmt: skip
    fast = de.tables.read_signals(tmp_path / "c.hea", channels=["II"])
    assert (fast.rate, fast.shape) == (250, (1, 200, 1))
    assert np.allclose(fast[0][:, 0], frames[1], atol=1e-3)
    with pytest.raises(InputError, match="several rates: I 125 Hz, II 250 Hz"):
        de.tables.read_signals(tmp_path / "c.hea")


@has_mne
@pytest.mark.filterwarnings("ignore")
def test_statement_51_mne_gives_volts() -> None:
    import mne

    info = mne.create_info(LEADS, 100, ["ecg", "ecg", "misc"])
    raw = mne.io.RawArray(SIGNAL.T * 1e-6, info, verbose="error")
    read = de.tables.read_signals(raw, channels=["V1", "I"])
    assert np.allclose(read[0], SIGNAL[:, [2, 0]] * 1e-6)
    assert (read.rate, read.units) == (100, ("", "V"))
    events = np.array([[0, 0, 1], [100, 0, 1]])
    epochs = mne.Epochs(raw, events, tmin=0, tmax=0.5, baseline=None, picks="all",
                        verbose="error")  # fmt: skip
    parts = de.tables.read_signals(epochs, channels=LEADS)
    assert parts.shape == (2, 51, 3)
    assert np.allclose(parts[1], SIGNAL[100:151] * 1e-6)


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "edfio", None)
    with pytest.raises(de.errors.DeepliftEngineError, match=r'"deeplift_engine\[signals\]"'):
        de.tables.read_signals(tmp_path / "a.edf")
