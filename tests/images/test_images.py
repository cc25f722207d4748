"""From a folder of pictures to scores, heat maps over them, and the same on the command line."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812
from PIL import Image

import deeplift_engine as de
from deeplift_engine import cli
from deeplift_engine.cli import image_kind
from deeplift_engine.errors import InputError
from deeplift_engine.jobs.scored_run import open_scored
from tests.helpers import off

SIZE, CAFFE_BLACK = (12, 16), [-103.939, -116.779, -123.68]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``photos/`` of three pictures, one of another size, and ``model.h5`` that reads them."""
    keras.utils.set_random_seed(0)
    where = tmp_path_factory.mktemp("images")
    (where / "photos").mkdir()
    random = np.random.default_rng(0)
    for number, size in enumerate([SIZE, SIZE, (20, 30)]):
        pixels = random.integers(0, 256, (*size, 3)).astype("uint8")
        Image.fromarray(pixels).save(where / "photos" / f"{number}.png")
    model = keras.Sequential(
        [
            keras.Input((*SIZE, 3), name="picture"),
            L.Rescaling(1 / 128),
            L.Conv2D(4, 3, activation="relu"),
            L.GlobalAveragePooling2D(),
            L.Dense(2, activation="softmax", name="classes"),
        ]
    )
    model.save(where / "model.h5")
    return where


@pytest.fixture(scope="module")
def network(folder: Path) -> de.Network:
    return de.load(folder / "model.h5")


@pytest.fixture(scope="module")
def explainer(network: de.Network) -> de.Explainer:
    return network.explainer(target=0)


def test_a_folder_is_an_input(folder: Path, network: de.Network, explainer: de.Explainer) -> None:
    photos = de.images.read(folder / "photos", network, preprocess="vgg16")
    assert photos.shape == (3, *SIZE, 3) == np.asarray(photos).shape
    assert photos.constants == {"sample": ["0.png", "1.png", "2.png"]}
    assert photos.notes == (
        "1 of 3 pictures are resized to 12 x 16: bilinear, without anti-aliasing, as "
        "tf.image.resize",
    )
    assert np.array_equal(photos[1:3], np.asarray(photos)[1:3])
    assert np.array_equal(photos[-1], np.asarray(photos)[2])
    loaded = keras.utils.img_to_array(keras.utils.load_img(folder / "photos" / "1.png"))
    assert np.array_equal(photos[1], keras.applications.vgg16.preprocess_input(loaded.copy()))
    assert np.array_equal(photos.picture(1), loaded)
    result = explainer.run(photos, references=photos.black())
    assert f"per_channel({', '.join(f'{v:g}' for v in CAFFE_BLACK)})" in str(result.settings)
    black = np.broadcast_to(np.float32(CAFFE_BLACK), photos.shape)
    same = explainer.run(np.asarray(photos), references=de.references.per_sample(black))
    assert off(result.scores, same.scores) < 1e-6
    blurred = explainer.run(photos, references=photos.blurred(2.0))
    assert blurred.relative_error.max() < 1e-4


def test_channels_first_pictures_are_the_same(folder: Path) -> None:
    last = de.images.read(folder / "photos", preprocess="caffe", size=SIZE)
    first = de.images.read(folder / "photos", preprocess="caffe", size=SIZE, channels_first=True)
    assert first.shape == (3, 3, *SIZE)
    assert np.array_equal(np.moveaxis(first[:], 1, -1), last[:])
    make = (first.black().make, last.black().make)
    ours, theirs = (each(np.zeros((0, *x.shape[1:])), np.arange(0)) for each, x in
                    zip(make, (first, last), strict=True))  # fmt: skip
    assert np.array_equal(np.moveaxis(ours, 1, -1), theirs)
    blurs = [each.blurred(1.5).make(each[:], np.arange(3)) for each in (first, last)]
    assert off(np.moveaxis(blurs[0], 2, -1), blurs[1]) < 1e-6
    scores = np.random.default_rng(0).normal(size=last.shape)
    assert np.array_equal(
        de.images.heat_maps(np.moveaxis(scores, -1, 1), first.channel_axis),
        de.images.heat_maps(scores),
    )


def test_arrays_of_pixels_are_read_too(network: de.Network) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (2, 5, 5, 3)).astype("uint8")
    pictures = de.images.read(pixels, network, preprocess="tf", names=["a", "b"])
    assert pictures.shape == (2, *SIZE, 3)
    assert list(pictures.names) == ["a", "b"]
    grey = de.images.read(pixels[..., 0], preprocess="unit")
    assert np.array_equal(grey[:], pixels[..., :1] / np.float32(255))
    with pytest.raises(InputError, match="expected 0 to 255, not prepared yet"):
        de.images.read(pixels - 128.0, network, preprocess="tf")
    with pytest.raises(InputError, match=r"picture 0 are .* to 0\.9.*: expected 0 to 255"):
        de.images.read(pixels / 256, network, preprocess="tf")
    with pytest.raises(InputError, match=r"picture 1 are 30\d to 5\d\d"):
        de.images.read(np.stack([pixels[0], pixels[1] + 300.0]), preprocess="tf")[:]
    with pytest.raises(InputError, match="expected numbers, of one picture or more"):
        de.images.read(pixels[:0], network, preprocess="tf")
    with pytest.raises(InputError, match="3 names for 2 pictures"):
        de.images.read(pixels, network, preprocess="tf", names=["a", "b", "c"])
    with pytest.raises(InputError, match=r"expected \(pictures, height, width, 3"):
        de.images.read(pixels[..., :2], network, preprocess="tf")


def test_arguments_that_do_not_fit_are_refused(folder: Path, network: de.Network) -> None:
    photos = folder / "photos"
    cases: list[tuple[dict[str, Any], str]] = [
        ({"preprocess": "tf", "size": (3, 3)}, "size=3: the network reads 12"),
        ({"preprocess": "tf", "size": "12x16"}, "size is a list of 2, each a whole number"),
        ({"preprocess": "tf", "channels": 1}, "channels=1: the network reads 3"),
        ({"preprocess": "tf", "input": "no"}, "the network's inputs are picture"),
        ({"preprocess": "tf", "resize": "bicubic"}, "bilinear or nearest"),
        ({"preprocess": "none"}, "preprocess='none' is not known"),
    ]
    for options, message in cases:
        with pytest.raises(InputError, match=message):
            de.images.read(photos, network, **options)
    for wrong in ([], 3, [np.zeros((12, 16, 3)), photos]):
        with pytest.raises(InputError, match="expected files or folders, one or a list"):
            de.images.read(wrong, network, preprocess="tf")
    with pytest.raises(InputError, match="takes any size: say in which"):
        de.images.read(photos, preprocess="tf")
    vector = keras.Sequential([keras.Input((4,)), L.Dense(1)])
    with pytest.raises(InputError, match="expected one of height, width and channels"):
        de.images.read(photos, de.convert(vector), preprocess="tf")


def test_several_methods_are_drawn_side_by_side(
    folder: Path, network: de.Network, explainer: de.Explainer
) -> None:
    photos = de.images.read(folder / "photos", network, preprocess="tf")
    gradient = network.explainer("gradient", target=0)
    results = {"deeplift": explainer.run(photos), "gradient": gradient.run(photos)}
    cells = np.arange(SIZE[0])[:, None] // 4 * 2 + np.arange(SIZE[1]) // 8
    for style in ("heat", "blend", "alpha", "mask"):
        figure = de.images.draw(results, photos, samples=[2, 0], style=style, segments=cells)
        titles = [axes.get_title(loc="left") for axes in figure.axes]
        assert {"2.png", "0.png", "deeplift", "gradient"} <= set(titles)
    alone = de.images.draw(results["deeplift"], photos, samples=[1], style="heat")
    scale = alone.axes[1].images[0]
    assert scale.get_clim()[0] == -scale.get_clim()[1] < 0
    heat = results["deeplift"].scores[1].sum(-1)
    assert np.allclose(scale.get_array(), heat)
    assert scale.get_clim()[1] == pytest.approx(np.percentile(np.abs(heat), 99.5))
    assert alone.axes[2].get_ylabel() == "contribution\n(units of the logit of classes)"
    assert "99.5th percentile" in alone.get_supxlabel()
    for colours, at_zero in (("seismic", (1, 1, 1)), ("coldnhot", (0, 0, 0))):
        other = de.images.draw(results["deeplift"], photos, samples=[1], colours=colours)
        scale = other.axes[1].images[-1]
        assert scale.get_clim() == pytest.approx((-np.abs(heat).max(), np.abs(heat).max()))
        assert np.allclose(scale.cmap(0.5)[:3], at_zero, atol=0.02)
    with pytest.raises(InputError, match="choose one of default, seismic"):
        de.images.draw(results["deeplift"], photos, colours="viridis")
    with pytest.raises(InputError, match=r"samples is a list .* from 0 to 2, not \[0, 3\]"):
        de.images.draw(results, photos, samples=[0, 3])
    with pytest.raises(InputError, match="target is a whole number from 0 to 0, not 1"):
        de.images.draw(results, photos, target=1)
    with pytest.raises(InputError, match=r"segments of shape \(5, 5\): expected .* \(12, 16\)"):
        de.images.draw(results, photos, segments=np.zeros((5, 5)))
    for wrong, message in (
        ((results, photos[:]), "images is what images.read gives, not an arr"),
        (([*results.values()], photos), "results is what Explainer.run gives"),
        (({"a": photos[:]}, photos), "results is what Explainer.run gives"),
    ):
        with pytest.raises(InputError, match=message):
            de.images.draw(*wrong)  # fmt: skip
    otherwise = de.images.read(folder / "photos", network, preprocess="torch")
    with pytest.raises(InputError, match=r"not those that were scored: .* prepared otherwise"):
        de.images.draw(results, otherwise)
    # what is drawn is the picture before it was prepared
    shown = alone.axes[0].images[0].get_array()
    assert np.allclose(shown, photos.picture(1) / 255)
    with pytest.raises(InputError, match="scores of 3 samples, and there are 1"):
        de.images.draw(results, de.images.read(folder / "photos" / "0.png", network,
                                               preprocess="tf"))  # fmt: skip


def test_statement_47_segments_are_of_pictures_from_0_to_1(explainer: de.Explainer) -> None:
    """Quickshift takes 0 to 255 for other colours; labels may begin anywhere."""
    pixels = np.random.default_rng(3).integers(0, 256, (2, *SIZE, 3)).astype("uint8")
    photos = de.images.read(pixels, preprocess="identity")
    seen: list[np.ndarray] = []

    def halves(picture: np.ndarray) -> np.ndarray:
        seen.append(picture)
        return np.full(SIZE, -1) + 2 * (np.arange(SIZE[1]) >= 5)

    figure = de.images.draw(explainer.run(photos), photos, segments=halves)
    assert np.allclose(np.stack(seen), pixels / 255)
    (border,) = figure.axes[0].collections
    assert {tuple(end[:, 0]) for end in border.get_segments()} == {(4.5, 4.5)}


def test_the_command_line_goes_the_same_way(
    folder: Path,
    network: de.Network,
    explainer: de.Explainer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    score = ["score", str(folder / "model.h5"), str(folder / "photos"), "--target", "0"]
    assert cli.main([*score, "-o", str(tmp_path / "a.h5")]) == 4
    assert "say what the model was trained with" in capsys.readouterr().err
    black = "per_channel:-1,-1,-1"
    ways = [["-o", str(tmp_path / "a.h5")],
            ["-o", str(tmp_path / "a.zarr"), "--arrays", "scores,inputs,predictions,convergence"],
            ["-o", str(tmp_path / "b.h5"), "--method", "gradient"]]  # fmt: skip
    for way in ways:
        more = [] if "gradient" in way else ["--references", black]
        assert cli.main([*score, *way, *more, "--preprocess", "xception"]) == 0, way
    assert "1 of 3 pictures are resized" in capsys.readouterr().err
    photos = de.images.read(folder / "photos", network, preprocess="tf")
    expected = explainer.run(photos, references=photos.black())
    for name in ("a.h5", "a.zarr"):
        run = open_scored(tmp_path / name)
        assert run.kind == "image"
        assert run.names == ["0.png", "1.png", "2.png"]
        assert run.settings["preprocess"] == "tf"
        assert off(run.array("scores")[:], expected.scores) < 1e-5
        drawing = ["draw", str(tmp_path / name), "--sample", "1.png", "--sample", "0",
                   "--beside", str(tmp_path / "b.h5"), "--sign", "absolute"]  # fmt: skip
        assert cli.main([*drawing, "-o", str(tmp_path / f"{name}.png")]) == 0
        with Image.open(tmp_path / f"{name}.png") as picture:
            assert picture.size[0] > 500
    arrays = ["score", str(folder / "model.h5"), str(tmp_path / "x.npy"), "-o",
              str(tmp_path / "x.h5"), "--target", "0", "--preprocess", "tf"]  # fmt: skip
    np.save(tmp_path / "x.npy", np.full((1, *SIZE, 3), 7, "uint8"))
    assert cli.main(arrays) == 4
    assert "--preprocess is for inputs of the kind image" in capsys.readouterr().err
    assert cli.main([*arrays, "--kind", "image"]) == 0
    for wrong, code, message in (
        (["no.png", "--beside", str(tmp_path / "x.h5")], 4, "x.h5 and .* have different samples"),
        (["no.png", "--target-number", "1"], 4, "target=1: there is one target, number 0"),
        (["no.bmp"], 5, r"scores are written as figures \(.png"),
    ):
        assert cli.main(["draw", str(tmp_path / "a.h5"), "-o", *wrong]) == code
        assert re.search(message, capsys.readouterr().err)
    saved = de.Attribution.load(tmp_path / "x.h5")
    assert np.allclose(saved.inputs, 7 / 127.5 - 1)


def test_options_of_pictures_are_those_of_the_library() -> None:
    parser = argparse.ArgumentParser()
    image_kind.OPTIONS.add_to(parser)
    chosen = parser.parse_args(["--size", "20x30"])
    assert chosen.size == (20, 30)
