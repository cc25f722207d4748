"""What a report holds is what the run holds; what files say in it is text and never markup."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.cli import main, parse
from deeplift_engine.errors import DeepliftEngineError, InputError, OutputError
from deeplift_engine.images.pixel_scaling import PREPROCESSINGS
from deeplift_engine.jobs.scored_run import ScoredRun, open_scored
from deeplift_engine.report.model_drawing import draw_model
from deeplift_engine.report.page import FOLDER, TOGETHER
from deeplift_engine.report.reproducing import command_of
from deeplift_engine.text import highlighting
from tests.report import made_runs

MOST_LINES = 1200


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_runs.sequences(tmp_path_factory.mktemp("report") / "run.zarr")


@pytest.fixture(scope="module")
def page(run: Path) -> Path:
    path = run.parent / "run.html"
    de.report.write(run, path)
    return path


def test_the_table_has_the_numbers_of_the_run(run: Path, page: Path) -> None:
    store, data = de.open_store(run), made_runs.data_of(page)
    assert data["kinds"][0]["name"] == "sequence"
    assert data["facets"] == {"head": list(made_runs.HEADS)}
    assert data["names"] == list(store["sample"])
    columns = {column["name"]: column["values"] for column in data["columns"]}
    assert columns["start"] == store["start"].tolist()
    predictions = np.float32(columns["prediction 1"])
    np.testing.assert_array_equal(predictions, store["predictions"][:][:, 1])
    for view, head in zip(data["views"], made_runs.HEADS, strict=True):
        for name in ("convergence_delta", "target_delta", "relative_error"):
            np.testing.assert_array_equal(
                np.float32(view["sums"][name]), store[f"{head}/{name}"][:]
            )
        assert view["completeness"]["samples"] == len(store)
        largest = np.abs(store[f"{head}/convergence_delta"][:]).max()
        assert np.float32(view["completeness"]["largest"]) == largest
        assert sum(view["completeness"]["counts"]) == len(store)
    assert data["failed"] == {"3": "scores are not finite"}
    assert data["views"][0]["sums"]["total"][3] is None


def test_samples_are_held_in_steps(run: Path, page: Path) -> None:
    store = de.open_store(run)
    for number in (0, 1, 39):
        values = made_runs.values_of(page, number)
        letters = np.array(list("ACGT"))[store["inputs"][number].argmax(axis=1)]
        assert values["input0/letters"] == "".join(letters)
        for view, head in enumerate(made_runs.HEADS):
            exact = store[f"{head}/scores"][number].sum(axis=1)
            half_a_step = np.abs(exact).max() / 32_767 / 2
            np.testing.assert_allclose(
                values[f"view{view}/contributions"], exact, rtol=0, atol=1.01 * half_a_step
            )
            exact = store[f"{head}/hypothetical"][number]
            half_a_step = np.abs(exact).max() / 127 / 2
            np.testing.assert_allclose(
                values[f"view{view}/hypothetical"], exact, rtol=0, atol=1.01 * half_a_step
            )


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_text_of_files_is_no_markup_and_only_the_pages_own_program_may_run(
    run: Path, tmp_path: Path
) -> None:
    """Statement 61 of what libraries do: jinja2 escapes nothing unless it is told to."""
    path = tmp_path / "evil.html"
    de.report.write({made_runs.EVIL: run}, path, title=made_runs.EVIL, samples=[1])
    text = path.read_text("utf-8")
    elements = Elements()
    elements.feed(text)
    assert not {"img", "b"} & {tag for tag, _ in elements.found}
    assert not any(name.startswith("on") for _, attributes in elements.found for name in attributes)
    assert made_runs.data_of(path)["names"] == [made_runs.EVIL]
    policy = next(a["content"] for t, a in elements.found if t == "meta" and "http-equiv" in a)
    program = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    assert len(program) == 1
    digest = base64.b64encode(hashlib.sha256(program[0].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in str(policy)
    assert str(policy).startswith("default-src 'none'")


@pytest.mark.parametrize("kind", made_runs.KINDS)
def test_every_kind_is_found_and_held(kind: str, tmp_path: Path) -> None:
    store = made_runs.KINDS[kind](tmp_path / "run.zarr")
    de.report.write(store, tmp_path / "page.html")
    data, values = (
        made_runs.data_of(tmp_path / "page.html"),
        made_runs.values_of(tmp_path / "page.html", 1),
    )
    assert data["kinds"][0]["name"] == kind
    opened = de.open_store(store)
    held, scores = values["view0/contributions"], opened["scores"][1].astype(float)
    if kind == "image":  # sums of cells of 2 x 2 pixels, at the lower edge of 1 x 2
        assert held.shape == (151, 20)
        expected = np.add.reduceat(
            np.add.reduceat(scores.sum(axis=-1), range(0, 301, 2), 0), range(0, 40, 2), 1
        )
        assert values["input0/picture"].shape == (151, 20, 3)
        last = opened["inputs"][1][300, :2].mean(axis=0)
        np.testing.assert_allclose(values["input0/picture"][150, 0], last, atol=0.5)
    else:
        expected = scores.T if kind == "signal" else scores
    np.testing.assert_allclose(held, expected, rtol=0, atol=np.abs(expected).max() / 65_000)
    if kind == "signal":
        assert data["kinds"][0]["channel"] == ["I", "V1 <b>"]
        assert (data["kinds"][0]["rate"], data["kinds"][0]["unit"]) == (100, "mV")
        np.testing.assert_allclose(values["input0/trace1"], opened["inputs"][1][:, 1], atol=1e-4)
    if kind == "table":
        assert data["kinds"][0]["feature"][:2] == ["age", "age"]
        assert data["columns"] == []  # as many features as samples, and none is of a sample
        np.testing.assert_array_equal(np.float32(values["input0/values"]), opened["inputs"][1])


def test_a_folder_holds_the_same_samples_in_files(run: Path, page: Path, tmp_path: Path) -> None:
    de.report.write(run, tmp_path / "folder", samples=None)
    files = sorted(path.name for path in (tmp_path / "folder").iterdir())
    assert files == ["index.html", *(f"samples-{n:04d}.js" for n in range(40 // TOGETHER))]
    text = (tmp_path / "folder" / files[2]).read_text("utf-8")
    number, texts = re.fullmatch(r"deliverSamples\((\d+),(.*)\);\n", text).groups()  # type: ignore[union-attr]
    unpacked = made_runs.unpacked(json.loads(texts)[1])
    first = made_runs.values_of(page, int(number) * TOGETHER + 1)
    np.testing.assert_array_equal(unpacked["view0/contributions"], first["view0/contributions"])
    with pytest.raises(OutputError, match="new folder"):
        de.report.write(run, tmp_path / "folder")


def test_views_of_several_runs_agree_as_numpy_says(run: Path, tmp_path: Path) -> None:
    de.report.write({"one": run, "two": run}, tmp_path / "page.html", samples=[0, 1, 2, 3, 9])
    data = made_runs.data_of(tmp_path / "page.html")
    assert data["facets"] == {"run": ["one", "two"], "head": list(made_runs.HEADS)}
    assert data["rows"] == [0, 1, 2, 3, 9]
    store = de.open_store(run)
    first, second = (store[f"{h}/scores"][[0, 1, 2, 9]].sum(axis=-1) for h in made_runs.HEADS)
    each = [np.corrcoef(a, b)[0, 1] for a, b in zip(first, second, strict=True)]
    assert data["agreement"]["pearson"][0][1] == pytest.approx(np.mean(each), abs=1e-4)
    assert data["agreement"]["spearman"][0][2] == 1
    short = made_runs.sequences(tmp_path / "short.zarr", count=4)
    with pytest.raises(InputError, match="different samples"):
        de.report.write([run, short], tmp_path / "none.html")


def test_a_result_with_targets_and_references_apart_has_a_view_of_each(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    scores = random.normal(size=(2, 5, 3, 6)).astype(np.float32)
    sums = scores.sum(axis=-1)
    result = de.Attribution(
        scores, None, np.zeros_like(sums), sums, np.zeros_like(sums), sums[0, :, 0],
        random.normal(size=(5, 6)).astype(np.float32),
        {"method": "deeplift", "target": "[4, 7]", "target_layer": "d",
         "references_averaged": False},
        ("target", "sample", "reference"),
    )  # fmt: skip
    file = tmp_path / "scores.h5"
    result.save(file, constants={"sample": [f"row {n}" for n in range(5)]})
    for source, names in (
        (result, [f"sample {n}" for n in range(5)]),
        (file, [f"row {n}" for n in range(5)]),
    ):
        path = tmp_path / f"{names[0]}.html"
        de.report.write(source, path)
        data = made_runs.data_of(path)
        assert data["facets"] == {
            "target": ["unit 4", "unit 7"],
            "reference": ["mean", "0", "1", "2"],
        }
        assert data["names"] == names
        last = made_runs.values_of(path, 2)
        np.testing.assert_allclose(last["view7/contributions"], scores[1, 2, 2], atol=1e-4)
        np.testing.assert_allclose(
            last["view4/contributions"], scores[1, 2].mean(axis=0), atol=1e-4
        )
        np.testing.assert_array_equal(
            np.float32(data["views"][7]["sums"]["target_delta"]), sums[1, :, 2]
        )


def test_each_of_several_inputs_is_drawn_as_what_it_is(tmp_path: Path) -> None:
    random = np.random.default_rng(6)
    dna = np.eye(4, dtype=np.int8)[random.integers(0, 4, (3, 30))]
    control = random.normal(size=(3, 30, 2)).astype(np.float32)
    arrays = {
        "scores/dna": random.normal(size=dna.shape).astype(np.float32),
        "scores/control": control**2,
        "inputs/dna": dna,
        "inputs/control": control,
    }
    letter = np.array(list("ACGT"), object)
    store = made_runs.store(tmp_path / "run.zarr", arrays, {"letter": letter})
    de.report.write(store, tmp_path / "page.html")
    data, values = (read(tmp_path / "page.html") for read in (made_runs.data_of, first_sample))
    assert data["facets"] == {"input": ["dna", "control"]}
    assert [kind["name"] for kind in data["kinds"]] == ["sequence", "signal"]
    assert [view["kind"] for view in data["views"]] == [0, 1]
    assert len(values["input0/letters"]) == 30
    np.testing.assert_allclose(values["input1/trace1"], control[0, :, 1], atol=1e-3)
    np.testing.assert_allclose(values["view1/contributions"], (control[0] ** 2).T, atol=1e-3)


def first_sample(page: Path) -> dict[str, Any]:
    return made_runs.values_of(page, 0)


def test_prepared_pictures_are_drawn_in_their_own_colours(tmp_path: Path) -> None:
    random = np.random.default_rng(7)
    pixels = random.integers(0, 256, (2, 9, 8, 3))
    x = np.moveaxis(PREPROCESSINGS["caffe"].apply(pixels), -1, 1)
    arrays = {"scores": x, "inputs": x}
    told = {"kind": "image", "preprocess": "caffe", "channel_axis": "1"}
    de.report.write(made_runs.store(tmp_path / "run.zarr", arrays, {}, **told), tmp_path / "p.html")
    picture = made_runs.values_of(tmp_path / "p.html", 1)["input0/picture"]
    np.testing.assert_array_equal(picture, pixels[1])


def test_a_table_that_several_inputs_read_is_one_table(tmp_path: Path) -> None:
    age = np.array([[30.0], [40.0]], np.float32)
    city = np.eye(2, dtype=np.float32)
    arrays = {"scores/age": age / 10, "scores/city": city - 2, "inputs/age": age}
    arrays["inputs/city"] = city
    known = {"feature": np.array(["age", "city_A", "city_B"], object)}
    store = made_runs.store(tmp_path / "run.zarr", arrays, known, kind="table")
    de.report.write(store, tmp_path / "page.html")
    data, values = (read(tmp_path / "page.html") for read in (made_runs.data_of, first_sample))
    assert data["facets"] == {}
    assert data["kinds"] == [{"name": "table", "feature": ["age", "city_A", "city_B"]}]
    assert values["input0/values"] == [30, 1, 0]
    np.testing.assert_allclose(values["view0/contributions"], [3, -1, -2], atol=1e-4)


def test_motifs_lie_where_their_seqlets_are(run: Path, tmp_path: Path) -> None:
    sites = {0: 20, 2: 100, 7: 55}
    file = made_runs.motifs(tmp_path / "motifs.h5", run, sites)
    de.report.write(run, tmp_path / "page.html", motifs=file, samples=[0, 7])
    told = made_runs.data_of(tmp_path / "page.html")["motifs"]
    assert told["sites"] == {"0": [[0, 20, 28, "+"]], "1": [[0, 55, 63, "+"]]}
    motif = told["motifs"][0]
    assert (motif["name"], motif["seqlets"], motif["contribution"]) == (
        "pos_patterns.pattern_0",
        3,
        4,
    )
    letters = np.stack([de.open_store(run)["inputs"][n][at : at + 8] for n, at in sites.items()])
    shares = letters.mean(axis=0)
    bits = 2 + (shares * np.log2(np.where(shares, shares, 1))).sum(axis=1)
    np.testing.assert_allclose(motif["heights"], shares * bits[:, None], atol=1e-3)
    wrong = made_runs.motifs(tmp_path / "wrong.h5", run, sites)
    with h5py.File(wrong, "a") as opened:
        opened["pos_patterns/pattern_0/seqlets/start"][0] += 1
    with pytest.raises(InputError, match="other letters than row 0"):
        de.report.write(run, tmp_path / "none.html", motifs=wrong)


def test_the_command_does_the_run_again(run: Path) -> None:
    read = open_scored(run)
    words = command_of(read)
    options = parse(tuple(words.split()[1:]))
    assert [str(model) for model in options.model] == ["absent.h5"]
    assert str(options.inputs) == "peaks.bed"
    assert dict(options.option)["rules"]() == "genomics_default"
    assert [name for name, _ in options.target] == list(made_runs.HEADS)
    assert options.target[0][1]() == "counts:0"
    assert options.references[0][1](3).name == read.settings["references"]
    assert options.seed == 3
    others = {"kind": "text", "tokenizer": "Tokenizer", "references": "replaced(1, keep=(0,))"}
    words = command_of(ScoredRun("x", "x", others, {}, {}))
    assert "--tokenizer TOKENIZER" in words
    assert "--references REFERENCES" in words
    profile = {
        "length": 500,
        "target_layer": {"p": "logits"},
        "target": {"p": str(de.targets.profile("pair"))},
    }
    words = command_of(ScoredRun("x", "x", profile, {}, {}))
    assert "--length 500" in words
    assert "--target p=logits:profile:pair" in words
    given = ScoredRun("x", "x", {"command_line": "deeplift-engine score a b"}, {}, {})
    assert command_of(given) == "deeplift-engine score a b"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "dance"}, "expected one of sequence, text"),
        ({"kind": "text"}, "no array 'token'"),
        ({"samples": 0}, "whole number of 1 or more"),
        ({"samples": [40]}, "no sample 40"),
        ({"motifs": __file__}, "modisco"),
    ],
)
def test_what_does_not_fit_is_refused(
    run: Path, tmp_path: Path, arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        de.report.write(run, tmp_path / "page.html", **arguments)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_a_report_is_one_of_a_run(tmp_path: Path) -> None:
    for nothing in ([], {}):
        with pytest.raises(InputError, match="there is no run to report"):
            de.report.write(nothing, tmp_path / "page.html")


def test_without_jinja2_the_extra_is_named_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(DeepliftEngineError, match=r"deeplift_engine\[report\]"):
        de.report.write(tmp_path / "absent.zarr", tmp_path / "page.html")


def test_what_is_written_by_hand_is_little() -> None:
    """HTML, CSS and JavaScript of the package, with the page of texts."""
    files = [path.read_text("utf-8") for path in FOLDER.iterdir()]
    assert sum(len(text.splitlines()) for text in [*files, highlighting.PAGE]) < MOST_LINES


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> de.Network:
    return made_runs.branched(tmp_path_factory.mktemp("network") / "model.keras")


def test_the_model_is_drawn_by_depth(network: de.Network) -> None:
    drawing = draw_model(network, {"options": {"rules": "gradient"}})
    boxes = {box.name: box for box in drawing.boxes}
    assert [*boxes] == [row.layer for row in network.coverage("gradient").rows]
    assert boxes["left"].y == boxes["right"].y > boxes["dna"].y
    assert boxes["left"].x != boxes["right"].x
    assert boxes["both"].y < boxes["out"].y
    assert len(drawing.lines) == 6
    assert boxes["left"].status == "not complete"
    assert boxes["left"].rule.endswith("gradient")
    assert dict(boxes["out"].facts)["weights"] == "kernel 36 × 2, bias 2"


def test_a_run_of_the_command_line_becomes_a_page_that_draws_its_model(
    network: de.Network, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    x = np.eye(4, dtype=np.float32)[np.random.default_rng(5).integers(0, 4, (6, 12))]
    result = network.explainer().run(x, target=1)
    result.save(tmp_path / "scores.h5")
    path = tmp_path / "page.html"
    words = ["report", str(tmp_path / "scores.h5"), "-o", str(path), "--samples", "0-1,4", "--json"]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out) == {"written": str(path)}
    text = path.read_text("utf-8")
    assert text.count('class="layer exact"') == len(network.spec.layers)
    assert made_runs.data_of(path)["rows"] == [0, 1, 4]
    assert made_runs.data_of(path)["kinds"][0]["name"] == "sequence"
    held = made_runs.values_of(path, 2)
    row = [row.layer for row in network.coverage().rows].index("left")
    exact = network.activations(x[4:5], "left")["left"][0]
    np.testing.assert_allclose(held[f"layer{row}/map"], exact.T, rtol=0, atol=exact.max() / 250)
    assert np.float32(held[f"layer{row}/about"]["numbers"][2]) == exact.max()
    assert main([*words, "--overwrite", "--no-model"]) == 0
    assert 'class="layer' not in path.read_text("utf-8")
    made = made_runs.table(tmp_path / "table.zarr")
    settings = {"model": "m.h5", "model_sha256": "0" * 64}
    with pytest.raises(InputError, match="not the model"):
        de.report.write(replace(result, settings=settings), path, model=network, overwrite=True)
    assert main(["report", str(made), str(made), "-o", str(path)]) == 5


@pytest.fixture(scope="module")
def scored(network: de.Network) -> de.Attribution:
    x = np.eye(4, dtype=np.float32)[np.random.default_rng(8).integers(0, 4, (3, 12))]
    references = de.references.dinucleotide_shuffle(4, seed=1)
    return network.explainer(rules="reveal_cancel").run(x, target=1, references=references)


def test_a_layer_opens_to_its_part_of_the_contributions(
    network: de.Network, scored: de.Attribution, tmp_path: Path
) -> None:
    """Sums over channels are the engine's at these layers; those of a cut, the difference."""
    result, path = scored, tmp_path / "page.html"
    references = de.references.dinucleotide_shuffle(4, seed=1)
    inside = network.explainer(layers=["left", "both"], rules="reveal_cancel")
    expected = inside.run(scored.inputs, target=1, references=references).scores
    expected = {**expected, "dna": scored.scores}
    de.report.write(result, path, model=network)
    assert made_runs.data_of(path)["parts"] == "unit 1 of out"
    rows = [row.layer for row in network.coverage().rows]
    for name, is_cut in (("left", False), ("both", True), ("dna", True)):
        scores = expected[name]
        for sample in range(3):
            part = made_runs.values_of(path, sample)[f"layer{rows.index(name)}/part"]
            by_channel = scores[sample].reshape(-1, scores.shape[-1]).sum(axis=0, dtype=float)
            assert part["cut"] == is_cut
            assert part["count"] == len(by_channel)
            assert part["total"] == pytest.approx(by_channel.sum(), abs=1e-5)
            for channel, value in part["units"]:
                assert value == pytest.approx(by_channel[channel], abs=1e-5)
            if is_cut:
                assert part["total"] == pytest.approx(result.target_delta[sample], abs=1e-5)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"references": "array of shape (3, 12, 4)"}, "cannot be made again from these words"),
        ({"references": "constant(0.25)"}, "cannot be made again from its settings"),
        ({"target": "array of shape (2,)"}, "the target array"),
    ],
)
def test_why_layers_open_to_no_contributions_is_told(
    settings: dict[str, str],
    reason: str,
    network: de.Network,
    scored: de.Attribution,
    tmp_path: Path,
) -> None:
    result = replace(scored, settings={**scored.settings, **settings})
    de.report.write(result, tmp_path / "page.html", model=network, activations=1)
    assert reason in made_runs.data_of(tmp_path / "page.html")["parts"]
    held = made_runs.values_of(tmp_path / "page.html", 0)
    assert not any(name.endswith("/part") for name in held)
