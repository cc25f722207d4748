"""A model of a table that is too good: what it looked at, and what is left without it.

    python leak.py [--out DIR]

It writes figures and ``report.html`` to DIR, and needs ``deeplift_engine[plot,tables,report]``.

4,000 simulated patients at admission: age, blood pressure, two values of the laboratory, the ward
(a column for each of six), and ``days_booked``, which somebody filled in afterwards: of those who
died, fewer days. A network of two dense layers learns who dies, once from all columns and once
without that one. Of 2,000 other patients, and DeepLIFT's scores of 300 of these against 100 of
the training, was found:

    =================================  ===========  ===================
    patients at admission              all columns  without days_booked
    =================================  ===========  ===================
    area under the ROC curve                 0.904                0.803
    the same at admission                    0.802                0.803
    share of the scores: days_booked          42 %
    ward, six columns added up                19 %                 35 %
    largest of its columns alone              10 %                 17 %
    age                                       17 %                 26 %
    =================================  ===========  ===================

- The logit that the patients were simulated with reaches 0.817, and 0.904 is more than can be
  known. The bars say why: of all scores 42 % are those of one column, which no doctor would put
  first. When it is not known yet, the network is no better than one that never saw it.
- Without it the ward is the first feature, and in bars of columns none of its columns is: added
  up, scores of one-hot columns are those of the feature (``groups=``, ``scores.summed()``).
- Over patients, scores of a feature correlate with what it was simulated to give by 0.97 to 0.99;
  of blood pressure, a step at 105, by 0.68: the network has smoothed it.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("MPLBACKEND", "Agg")

import keras
import numpy as np
import pandas as pd

import deeplift_engine as de

WARDS = ("cardiology", "geriatrics", "intensive", "medical", "surgery", "trauma")
GROUPS = {"ward": "ward_*"}
REFERENCES = 100
"""Rows of the training that every patient is compared with."""


def simulate(count: int, seed: int) -> tuple[pd.DataFrame, np.ndarray, pd.DataFrame]:
    """Patients at admission, who died, and what each feature gives to the logit of death.

    Of those who died fewer days were booked than of others: the column was filled in afterwards.
    """
    random = np.random.default_rng(seed)
    ward = random.choice(WARDS, size=count)
    age = random.normal(65, 13, count).clip(18, 99)
    pressure = random.normal(130, 20, count)
    crp = random.lognormal(3, 0.8, count)
    creatinine = random.lognormal(0, 0.35, count)
    of_ward = dict(zip(WARDS, (0.3, 0.6, 1.5, -0.3, -0.9, -1.2), strict=True))
    parts = pd.DataFrame(
        {
            "age": 0.06 * (age - 65),
            "pressure": -0.8 * (pressure < 105),
            "crp": 0.6 * (np.log(crp) - 3),
            "creatinine": 1.2 * np.log(creatinine),
            "days_booked": np.zeros(count),
            "ward": [of_ward[each] for each in ward],
        }
    )
    died = random.random(count) < 1 / (1 + np.exp(1 - parts.sum(axis=1)))
    days = random.gamma(4, 2, count) * np.where(died, 0.5, 1.0)
    frame = pd.DataFrame(
        {
            "age": age,
            "pressure": pressure,
            "crp": crp,
            "creatinine": creatinine,
            "days_booked": days,
            "ward": ward,
        },
        index=[f"patient {number}" for number in range(count)],
    )
    return frame, died.to_numpy().astype(int), parts


def encoded(frame: pd.DataFrame) -> pd.DataFrame:
    """Numbers as they are, a column for each ward."""
    return pd.get_dummies(frame, columns=["ward"], dtype=float)


def train(table: pd.DataFrame, died: np.ndarray) -> keras.Model:
    """Two dense layers behind a normalisation, some seconds."""
    keras.utils.set_random_seed(0)
    x = table.to_numpy("float32")
    scale = keras.layers.Normalization()
    scale.adapt(x)
    model = keras.Sequential(
        [
            keras.Input(x.shape[1:]),
            scale,
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(8, activation="relu"),
            keras.layers.Dense(1, name="death"),
        ]
    )
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(5e-3), loss)
    model.fit(x, died, epochs=12, batch_size=128, verbose=0)
    return model


def area(values: np.ndarray, died: np.ndarray) -> float:
    """Under the ROC curve: how often one who died is above one who did not."""
    ranks = values.argsort().argsort() + 1
    dead = int(died.sum())
    return float((ranks[died == 1].sum() - dead * (dead + 1) / 2) / (dead * (len(died) - dead)))


def explained(
    network: de.Network, rows: pd.DataFrame, background: pd.DataFrame
) -> tuple[Any, de.Attribution, de.tables.FeatureScores]:
    """Scores of the rows' columns, compared with other rows."""
    table = de.tables.read(rows, network, groups=GROUPS)
    result = network.explainer("deeplift").run(
        table.inputs, references=table.references(background), progress=False
    )
    return table, result, de.tables.scores(result, table)


def ranking(scores: de.tables.FeatureScores) -> pd.Series:
    """Shares of the sizes of all scores, the largest first."""
    sizes = pd.Series(np.abs(scores.values).mean(axis=0), scores.features)
    return (sizes / sizes.sum()).sort_values(ascending=False)


def agreement(scores: de.tables.FeatureScores, truth: pd.DataFrame) -> pd.Series:
    """Correlation over patients between scores of features and what they were simulated with."""
    summed = scores.summed()
    values = pd.DataFrame(summed.values, columns=list(summed.features))
    return pd.Series(
        {
            name: np.corrcoef(values[name], truth[name])[0, 1]
            for name in values
            if truth[name].std() > 0
        }
    )


def find(count: int = 4000, scored: int = 300) -> dict[str, Any]:
    """Everything that is told: of the model with all columns, and of one without the leak."""
    frame, died, _ = simulate(count, 0)
    test, test_died, truth = simulate(2000, 1)
    found: dict[str, Any] = {}
    for label, left_out in (("all columns", ()), ("without days_booked", ("days_booked",))):
        table, rows = (encoded(each).drop(columns=list(left_out)) for each in (frame, test))
        network = de.convert(train(table, died))
        logits = network.predict(rows.to_numpy("float32"))[:, 0]
        read, result, scores = explained(network, rows[:scored], table[:REFERENCES])
        found[label] = {
            "area": area(logits, test_died),
            "at admission": at_admission(network, rows, table, test_died),
            "read": read,
            "result": result,
            "scores": scores,
            "columns": ranking(scores),
            "groups": ranking(scores.summed()),
            "agreement": agreement(scores, truth[:scored]),
            "network": network,
        }
    best = truth.sum(axis=1).to_numpy()
    return {"models": found, "best": area(best, test_died)}


def at_admission(
    network: de.Network, rows: pd.DataFrame, table: pd.DataFrame, died: np.ndarray
) -> float:
    """The area where nobody knows yet how many days will be booked: all have the usual number."""
    known = rows.copy()
    if "days_booked" in known:
        known["days_booked"] = table["days_booked"].mean()
    return area(network.predict(known.to_numpy("float32"))[:, 0], died)


def tell(found: dict[str, Any]) -> None:
    print(f"area under the ROC curve of what was simulated, the best there is: {found['best']:.3f}")
    for label, each in found["models"].items():
        print(f"\n{label}: area {each['area']:.3f}, at admission {each['at admission']:.3f}")
        print(f"  columns: {listed(each['columns'])}")
        print(f"  features: {listed(each['groups'])}")
        rs = ", ".join(f"{name} {r:.2f}" for name, r in each["agreement"].items())
        print(f"  correlation with what was simulated: {rs}")


def listed(shares: pd.Series, most: int = 6) -> str:
    return ", ".join(f"{name} {share:.0%}" for name, share in shares[:most].items())


def draw(found: dict[str, Any], out: Path) -> None:
    """Bars of the model that has all columns; a swarm and a waterfall of the other."""
    all_columns, honest = found["models"].values()
    all_columns["scores"].draw_bar().savefig(out / "columns.png", dpi=110)
    all_columns["scores"].summed().draw_bar().savefig(out / "features.png", dpi=110)
    honest["scores"].summed().draw_beeswarm().savefig(out / "swarm.png", dpi=110)
    riskiest = int(honest["scores"].values.sum(axis=1).argmax())
    honest["scores"].summed().draw_waterfall(riskiest).savefig(out / "waterfall.png", dpi=110)


def report(found: dict[str, Any], path: Path) -> None:
    """A page of the model without the leak, with the names of columns and patients."""
    honest = found["models"]["without days_booked"]
    de.report.write(
        honest["result"], path, inputs=honest["read"], model=honest["network"], overwrite=True
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("table-output"))
    options = parser.parse_args(arguments)
    start = time.perf_counter()
    found = find()
    tell(found)
    options.out.mkdir(parents=True, exist_ok=True)
    draw(found, options.out)
    report(found, options.out / "report.html")
    print(f"\n{time.perf_counter() - start:.0f} s; figures and a report are in {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
