"""Tables by the names of their columns: from a data frame to scores, figures, CSV and SHAP."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from keras import layers as L  # noqa: N812

import deeplift_engine as de
from deeplift_engine import cli
from deeplift_engine.errors import InputError, ReferencesError
from deeplift_engine.jobs.scored_run import open_scored
from deeplift_engine.tables.table_columns import distinct, table_columns
from tests.helpers import off

COLUMNS = ["age", "dose", "colour_blue", "colour_red"]
GROUPS = {"colour": "colour_*"}


def frame(rows: int = 8) -> pd.DataFrame:
    """Columns in another order than the model's, names of rows, a column that is no input."""
    random = np.random.default_rng(0)
    red = random.integers(0, 2, rows).astype(bool)
    return pd.DataFrame(
        {
            "colour_red": red,
            "label": random.integers(0, 2, rows),
            "dose": random.normal(size=rows),
            "colour_blue": ~red,
            "age": random.integers(20, 80, rows),
        },
        index=[f"patient {number}" for number in range(rows)],
    )


@pytest.fixture(scope="module")
def network(folder: Path) -> de.Network:
    return de.load(folder / "one.h5")


@pytest.fixture(scope="module")
def explainer(network: de.Network) -> de.Explainer:
    return network.explainer()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``one.h5`` reads four columns at once, ``each.h5`` two inputs of one and one of two."""
    keras.utils.set_random_seed(0)
    where = tmp_path_factory.mktemp("tables")
    one = keras.Sequential([keras.Input((4,)), L.Dense(6, activation="relu"), L.Dense(1)])
    one.save(where / "one.h5")
    age, dose = (keras.Input((1,), name=name) for name in ("age", "dose"))
    colour = keras.Input((2,), name="colour")
    hidden = L.Dense(5, activation="relu")(L.Concatenate()([dose, colour, age]))
    keras.Model([dose, colour, age], L.Dense(1)(hidden)).save(where / "each.h5")
    table = frame().rename_axis("who").reset_index()
    table.to_csv(where / "table.csv", index=False)
    return where


def test_columns_are_matched_by_name(network: de.Network, explainer: de.Explainer) -> None:
    table = de.tables.read(frame(), network, columns=COLUMNS, groups=GROUPS)
    expected = frame()[COLUMNS].to_numpy(float)
    assert np.array_equal(np.asarray(table.inputs), expected)
    assert table.features == COLUMNS
    assert table.constants["group"] == ["age", "dose", "colour", "colour"]
    assert table.samples[3] == "patient 3"
    other = frame(12)[["dose", "colour_red", "age", "colour_blue"]].iloc[8:]
    result = explainer.run(table.inputs, references=table.references(other))
    same = explainer.run(expected, references=de.references.shared(other[COLUMNS].to_numpy(float)))
    assert off(result.scores, same.scores) < 1e-6
    assert np.array_equal(explainer.run(table).inputs, result.inputs)
    numbers = frame()[COLUMNS].astype(float)
    for inputs in (table, table.inputs, numbers):
        with pytest.raises(ReferencesError, match=r"columns dose, .*: columns are compared by pos"):
            explainer.run(inputs, references=numbers[other.columns])
        assert np.any(explainer.run(inputs, references=numbers[::-1]).scores)
    exact = de.tables.read(frame()[COLUMNS], network)
    assert np.array_equal(np.asarray(exact.inputs), expected)
    assert exact.notes == (f"the model reads the columns in the table's order: "
                           f"{', '.join(COLUMNS)}",)  # fmt: skip


def test_several_inputs_take_the_columns_of_their_names(folder: Path) -> None:
    network = de.load(folder / "each.h5")
    columns = {"colour": ["colour_blue", "colour_red"]}
    table = de.tables.read(folder / "table.csv", network, columns=columns, names="who",
                           groups=GROUPS)  # fmt: skip
    inputs = table.inputs
    assert list(inputs) == [info.name for info in network.inputs]
    assert inputs["age"].shape == (8, 1)
    result = network.explainer().run(inputs, references=table.references(frame(40).iloc[20:]))
    scores = de.tables.scores(result, table)
    assert scores.features == ("dose", "colour_blue", "colour_red", "age")
    assert off(scores.values.sum(1), np.ravel(result.target_delta)) < 1e-5
    # a column (N,) is an input (None, 1), as Keras takes it
    plain = {name: frame()[name].to_numpy() for name in ("age", "dose")}
    plain["colour"] = frame()[columns["colour"]].to_numpy()
    assert off(network.predict(plain), network.predict(inputs)) < 1e-6
    with pytest.raises(InputError, match=r"no column of that name for input 'colour'"):
        de.tables.read(folder / "table.csv", network)


def test_statement_54_names_that_two_columns_share_are_told_apart(network: de.Network) -> None:
    assert distinct(["a", "b", "a", "a (2)", "a"]) == ["a", "b", "a (3)", "a (2)", "a (4)"]
    twice = pd.DataFrame(np.arange(8.0).reshape(2, 4), columns=["a", "a", "b", "a"])
    table = de.tables.read(twice, network)
    assert table.features == ["a", "a (2)", "b", "a (3)"]
    assert np.array_equal(np.asarray(table.inputs), twice.to_numpy())
    # a mixed frame is of objects as a whole, its columns are numbers
    mixed = pd.DataFrame({"a": [True, False], "b": [1, 2], "c": [0.5, 1.5]})
    assert table_columns(mixed).numbers(["b", "a"]).tolist() == [[1, 1], [2, 0]]


def test_statements_53_to_55_scikit_learn_s_columns_have_their_origin() -> None:
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    data = pd.DataFrame(
        {"n": [1.0, 2.0, 3.0], "a": ["b_c", "x", "x"], "a_b": ["c", "d", "c"], "m": [0.0, 1.0, 1.0]}
    )
    transformer = ColumnTransformer(
        [
            ("hot", OneHotEncoder(), ["a", "a_b"]),
            ("drop", "drop", ["m"]),
            ("scaled", make_pipeline(StandardScaler()), ["n"]),
        ],
        verbose_feature_names_out=False,
    )
    transformer.fit(data)
    names, groups = de.tables.encoded_columns(transformer)
    assert names == ["a_b_c", "a_x", "a_b_c (2)", "a_b_d", "n"]
    assert groups == ["a", "a", "a_b", "a_b", "n"]
    assert transformer.transform(data).shape[1] == len(names)
    table = de.tables.read(transformer.transform(data), columns=names, groups=groups)
    scores = de.tables.scores(attribution(np.asarray(table.inputs)), table).summed()
    assert scores.features == ("a", "a_b", "n")
    assert scores.data[:, 0].tolist() == ["a_b_c", "a_x", "a_x"]
    with pytest.raises(InputError, match="fit it on a data frame"):
        de.tables.encoded_columns(StandardScaler().fit(data[["n"]].to_numpy()))


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (
            {"dose": "much"},
            {"columns": COLUMNS},
            r"\(row 'patient 0'\): column 'dose' holds 'much'",
        ),
        (
            {"dose": ["0.5", "1", None, "much", *"1234"]},
            {"columns": COLUMNS},
            r"\(row 'patient 3'\): column 'dose' holds 'much'",
        ),
        ({"dose": np.nan}, {"columns": COLUMNS}, r"\(row 'patient 0'\): column 'dose' has nan"),
        ({}, {}, "has 5 columns for input .*, which reads 4"),
        ({}, {"columns": ["agee", *COLUMNS[1:]]}, "no column 'agee'. Near it: age"),
        ({}, {"columns": COLUMNS[1:]}, "name as many as it reads"),
        ({}, {"columns": ",".join(COLUMNS)}, r"give a list of names, such as \['age', 'dose'"),
        ({}, {"columns": {"tabel": COLUMNS}}, "no input is called 'tabel'"),
        ({}, {"columns": {}}, "those of 0 inputs, and there is one"),
        (
            {},
            {"columns": COLUMNS, "groups": {"age": "colour_*"}},
            "'age' is a column that is not",
        ),
        ({}, {"columns": COLUMNS, "groups": {"colour": ["color_red"]}}, "no column is called"),
        ({}, {"columns": COLUMNS, "groups": {"a": ["age"], "b": ["age"]}}, "is in 'a' and in 'b'"),
        ({}, {"columns": COLUMNS, "groups": ["a"]}, "1 names for 4 columns"),
        ({}, {"columns": COLUMNS, "names": "no"}, "no column 'no'"),
    ],
)
def test_what_does_not_fit_is_refused(
    network: de.Network, change: dict[str, Any], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        de.tables.read(frame().assign(**change), network, **options)


def attribution(values: np.ndarray) -> de.Attribution:
    """Scores that are the values themselves."""
    return de.Attribution(
        scores=values,
        multipliers=None,
        convergence_delta=np.zeros(len(values)),
        target_delta=values.sum(1),
        relative_error=np.zeros(len(values)),
        predictions=values.sum(1),
        inputs=values,
        settings={"method": "deeplift", "target": "0", "target_layer": "risk"},
    )


def test_one_hot_columns_are_added_up(network: de.Network, explainer: de.Explainer) -> None:
    table = de.tables.read(frame(), network, columns=COLUMNS, groups=GROUPS)
    result = explainer.run(table.inputs)
    scores = de.tables.scores(result, table)
    summed = scores.summed()
    assert summed.features == ("age", "dose", "colour")
    assert np.allclose(summed.values[:, 2], scores.values[:, 2:].sum(1))
    assert set(summed.data[:, 2]) == {"colour_red", "colour_blue"}
    assert np.allclose(summed.values.sum(1), np.ravel(result.target_delta), atol=1e-4)


def test_figures_show_the_numbers(network: de.Network, explainer: de.Explainer) -> None:
    table = de.tables.read(frame(), network, columns=COLUMNS, groups=GROUPS)
    scores = de.tables.scores(explainer.run(table.inputs), table)
    sizes = np.abs(scores.values).mean(0)
    order = np.argsort(-sizes, kind="stable")
    bar = scores.draw_bar().axes[0]
    assert [patch.get_width() for patch in bar.patches] == pytest.approx(sizes[order])
    assert [tick.get_text() for tick in bar.get_yticklabels()] == [COLUMNS[i] for i in order]
    assert "units of" in bar.get_xlabel()
    few = scores.draw_bar(most=2).axes[0]
    assert few.get_yticklabels()[-1].get_text() == "2 others together"
    assert few.patches[-1].get_width() == pytest.approx(sizes[order[2:]].sum())
    swarm = scores.draw_beeswarm().axes[0]
    dots = [np.asarray(each.get_offsets()) for each in swarm.collections]
    assert np.allclose(dots[0][:, 0], scores.values[:, order[0]])
    assert np.abs(dots[0][:, 1]).max() < 0.5
    fall = scores.summed().draw_waterfall("patient 2").axes[0]
    ends = [patch.get_x() + patch.get_width() for patch in fall.patches]
    assert ends[0] == pytest.approx(scores.values[2].sum(), rel=1e-5)
    assert any("age = " in tick.get_text() for tick in fall.get_yticklabels())
    image = scores.draw_heat_map().axes[1].images[0]
    by_sum = np.argsort(scores.values.sum(1), kind="stable")
    assert np.allclose(image.get_array(), scores.values[by_sum][:, order].T)
    assert image.get_clim()[0] == -image.get_clim()[1]
    result, turned = explainer.run(table.inputs), de.tables.read(frame(), columns=COLUMNS[::-1])
    with pytest.raises(InputError, match=r"not those that were scored: .* or columns"):
        de.tables.scores(result, turned)
    with pytest.raises(InputError, match="not those that were scored"):
        de.report.write(result, "no.html", inputs=turned, model=False)
    with pytest.raises(InputError, match=r"target is a whole number .*, not -2"):
        de.tables.scores(result, table, target=-2)
    with pytest.raises(InputError, match=r"base of shape \(3,\): expected a number, or 8"):
        de.tables.scores(result, table, base=np.zeros(3))
    with pytest.raises(InputError, match="most is a whole number of 1 or more, not 0"):
        scores.draw_bar(most=0)
    with pytest.raises(InputError, match=r"result is what Explainer\.run gives, not an array"):
        de.tables.scores(result.scores, table)
    with pytest.raises(InputError, match="0 samples are called 'nobody'"):
        scores.draw_waterfall("nobody")


def test_statement_60_names_that_repeat_and_dollars_are_shown_as_they_are() -> None:
    from deeplift_engine.figures import draw_feature_bar

    figure = draw_feature_bar(np.array([[3.0, -2.0]]), ["$5 and $6", "$5 and $6"])
    panel = figure.axes[0]
    assert [patch.get_width() for patch in panel.patches] == [3, 2]
    assert [patch.get_y() + patch.get_height() / 2 for patch in panel.patches] == [0, 1]
    assert panel.get_yticklabels()[0].get_text() == r"\$5 and \$6"


@pytest.mark.filterwarnings("ignore")  # of SHAP's own calls
@pytest.mark.skipif(importlib.util.find_spec("shap") is None, reason="shap is not installed")
def test_statements_57_and_58_shap_s_own_plots_take_the_scores(
    network: de.Network, explainer: de.Explainer
) -> None:
    import matplotlib.pyplot as plt
    import shap

    table = de.tables.read(frame(), network, columns=COLUMNS, groups=GROUPS)
    scores = de.tables.scores(explainer.run(table.inputs), table, base=0.5)
    for each in (scores, scores.summed()):
        explanation = each.to_shap()
        assert explanation.shape == each.values.shape
        assert np.shape(explanation[0].base_values) == ()
        shap.plots.bar(explanation, show=False)
        shap.plots.beeswarm(explanation, show=False) if each is scores else None
        shap.plots.waterfall(explanation[0], show=False)
        shap.plots.heatmap(explanation, show=False)
        plt.close("all")


def test_the_command_line_goes_the_same_way(
    folder: Path,
    network: de.Network,
    explainer: de.Explainer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    score = ["score", str(folder / "one.h5"), str(folder / "table.csv"), "--columns",
             ",".join(COLUMNS), "--names", "who", "--group", "colour=colour_*"]  # fmt: skip
    keep = ["--arrays", "scores,inputs,predictions,convergence"]
    table = de.tables.read(frame(), network, columns=COLUMNS, groups=GROUPS)
    expected = explainer.run(table.inputs)
    for name, more in (("a.h5", []), ("a.zarr", keep)):
        assert cli.main([*score, "-o", str(tmp_path / name), *more]) == 0
        scores = de.tables.open_scores(open_scored(tmp_path / name))
        assert off(scores.values, expected.scores) < 1e-6
        assert scores.features == tuple(COLUMNS)
        assert scores.samples == table.samples
        assert scores.groups == table.groups
        draw = ["draw", str(tmp_path / name), "-o"]
        assert cli.main([*draw, str(tmp_path / f"{name}.png")]) == 0
        waterfall = ["--sample", "patient 1", "--most", "2"]
        assert cli.main([*draw, str(tmp_path / f"{name}.svg"), *waterfall]) == 0
        out = str(tmp_path / f"{name}.csv")
        assert cli.main(["export", str(tmp_path / name), "-o", out]) == 0
        written = pd.read_csv(out)
        assert list(written.columns) == ["sample", *COLUMNS]
        assert np.allclose(written[COLUMNS], expected.scores)
        assert (tmp_path / f"{name}.png").stat().st_size > 10_000
    capsys.readouterr()
    assert cli.main([*draw, str(tmp_path / "no.png"), "--figure", "waterfall"]) == 4
    assert "go together" in capsys.readouterr().err


def assert_columns(path: Path, table: de.tables.Table, expected: np.ndarray) -> None:
    """A file of scores has the columns of a table in its order, each with its own."""
    saved = de.tables.open_scores(open_scored(path))
    assert saved.features == tuple(table.features)
    assert off(saved.values, expected) < 1e-6
    assert np.allclose(saved.data.astype(float), frame()[table.features].to_numpy(float))


def test_references_of_a_table_are_read_as_the_inputs_are(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    people = frame(20).iloc[8:].sample(frac=1, axis="columns", random_state=1)
    people.to_csv(tmp_path / "people.csv", index=False)
    people.to_parquet(tmp_path / "people.parquet")
    out = tmp_path / "a.h5"
    columns = {"one.h5": [",".join(COLUMNS)], "each.h5": ["colour=colour_blue,colour_red"]}
    for name, told in columns.items():
        network = de.load(folder / name)
        by_name = COLUMNS if name == "one.h5" else {"colour": COLUMNS[2:]}
        table = de.tables.read(frame(), network, columns=by_name)
        expected = network.explainer().run(table.inputs, references=table.references(people))
        expected = de.tables.scores(expected, table).values
        score = ["score", str(folder / name), str(folder / "table.csv"), "-o", str(out), "-q",
                 "--overwrite", "--names", "who", "--columns", *told]  # fmt: skip
        for file in ("people.csv", "people.parquet"):
            assert cli.main([*score, "--references", str(tmp_path / file)]) == 0
            assert_columns(out, table, expected)
    # inputs that are in no order of names: columns keep theirs in every file
    store = [each for each in score if each != "--overwrite"]
    store += ["-o", str(tmp_path / "a.zarr"), "--arrays", "scores,inputs,predictions,convergence"]
    assert cli.main([*store, "--references", str(tmp_path / "people.csv")]) == 0
    assert cli.main(["export", str(tmp_path / "a.zarr"), "-o", str(out), "--overwrite"]) == 0
    for file in ("a.zarr", "a.h5"):
        assert_columns(tmp_path / file, table, expected)
    mean = f"age=mean:{tmp_path / 'people.csv'}"
    assert cli.main([*score, "--references", mean]) == 0
    np.save(tmp_path / "x.npy", frame()[COLUMNS].to_numpy(float))
    arrays = ["score", str(folder / "one.h5"), str(tmp_path / "x.npy"), "-o", str(out)]
    capsys.readouterr()
    given = ["--overwrite", "--references", str(tmp_path / "people.csv")]
    assert cli.main([*arrays, *given]) == 4
    assert "expected inputs of a table too" in capsys.readouterr().err
    people.drop(columns="age").to_csv(tmp_path / "people.csv", index=False)
    assert cli.main([*score, *given[1:]]) == 4
    assert "people.csv has no column 'age'" in capsys.readouterr().err


def test_statements_23_and_56_a_feature_space_s_columns_are_sorted(tmp_path: Path) -> None:
    """Given town, colour, age: the columns are those of age, colour, town, then of the cross."""
    space_of = keras.utils.FeatureSpace
    data = {
        "town": np.array(["a", "b", "c"]),
        "colour": np.array(["red", "blue", "red"]),
        "age": np.array([20.0, 40.0, 60.0]),
        "dose": np.array([1.0, 2.0, 7.0]),
        "rooms": np.array([3, 1, 3]),
    }
    space = space_of(
        features={
            "town": space_of.string_hashed(num_bins=2),
            "rooms": "integer_categorical",
            "colour": "string_categorical",
            "age": "float_normalized",
            "dose": space_of.float_discretized(num_bins=2),
        },
        crosses=[("rooms", "colour")],
        crossing_dim=3,
        output_mode="concat",
    )
    space.adapt(tf.data.Dataset.from_tensor_slices(data))  # dictionaries from Keras 3.14 on
    encoded = np.asarray(space(data))
    space.save(tmp_path / "space.keras")
    names, groups = de.tables.encoded_columns(tmp_path / "space.keras")
    assert (names, groups) == de.tables.encoded_columns(space)
    assert len(names) == encoded.shape[1]
    counts = {"age": 1, "colour": 3, "dose": 2, "rooms": 3, "town": 2, "rooms_X_colour": 3}
    assert groups == [name for name, count in counts.items() for _ in range(count)]
    table = dict(zip(names, encoded.T, strict=True))
    assert table["colour = red"].tolist() == [1, 0, 1]
    assert table["colour = [UNK]"].tolist() == [0, 0, 0]
    assert table["rooms = 3"].tolist() == [1, 0, 1]
    low = next(name for name in names if name.startswith("dose <"))
    assert np.array_equal(table[low], data["dose"] < float(low.partition("<")[2]))
    # 22: a value on a boundary is in the upper bin, NaN in the last one
    edge = space.preprocessors["dose"].bin_boundaries[0]
    on_edge = np.asarray(space({**data, "dose": np.array([edge, np.nan, edge])}))
    assert on_edge[:, names.index(low)].tolist() == [0, 0, 0]
    assert on_edge[:, names.index(low) + 1].tolist() == [1, 1, 1]
    read = de.tables.read(encoded, columns=names, groups=groups)
    scores = de.tables.scores(attribution(np.asarray(read.inputs)), read).summed()
    assert scores.features == tuple(counts)
    assert scores.data[0, 1] == "colour = red"
    model = keras.Model(space.get_inputs(), L.Dense(1)(space.get_encoded_features()))
    model.save(tmp_path / "inside.keras")
    inside = de.load(tmp_path / "inside.keras")  # behind its lookups and what crosses them
    given = {key: value[:, np.newaxis] for key, value in data.items()}
    lookups = {key: each for key, each in space.preprocessors.items() if key != "age"}
    ids = {key: each(given[key]) for key, each in lookups.items()}
    x = {lookups[key].name: np.asarray(each) for key, each in ids.items()} | {"age": given["age"]}
    x["rooms_X_colour"] = np.asarray(
        space.crossers["rooms_X_colour"]([ids["rooms"], ids["colour"]])
    )
    expected = encoded @ model.layers[-1].kernel.numpy() + model.layers[-1].bias.numpy()
    assert off(inside.predict(x), expected) < 1e-5
    assert {row.status for row in inside.coverage().rows} == {"exact"}
    keras.Sequential([keras.Input((1,)), L.Dense(1)]).save(tmp_path / "m.keras")
    with pytest.raises(InputError, match="holds 'Sequential': expected a FeatureSpace"):
        de.tables.encoded_columns(tmp_path / "m.keras")
    with pytest.raises(InputError, match="gives its features apart"):
        de.tables.encoded_columns(space_of(features={"age": "float"}, output_mode="dict"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"age,dose\n1,2\n3,4,5\n", r"line 3 \(record 1\) has 3 columns, and the header has 2"),
        (b"age,dose\n1,\xe9\n", "line 2 is not UTF-8 text"),
        ("age,dose\n1,2\n".encode("utf-16"), "line 1 is not UTF-8 text"),
        (b"age;dose\n1,5;2\n", "line 1: the columns have ';' between them"),
        (b"age,dose\n", "has no rows"),
        (b"age,dose\n1,2\n\n,4\n", r"line 4 \(row '1'\): column 'age' has nan"),
        (b"", "cannot be read as a table"),
    ],
)
def test_files_that_are_no_tables_are_refused(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(InputError, match=rf"t\.csv,? {message}"):
        de.tables.read(tmp_path / "t.csv")
    (tmp_path / "t.csv").write_bytes(b"age,dose\n1,2,\n3,4,\n")
    assert de.tables.read(tmp_path / "t.csv").features == ["age", "dose"]
