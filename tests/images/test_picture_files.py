"""Files of pictures are read as Keras reads them, and what it leaves out is told."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

import deeplift_engine as de
from deeplift_engine.errors import InputError
from deeplift_engine.images.picture_files import PictureForm, read_header, read_pixels

RANDOM = np.random.default_rng(0)
COLOURS = RANDOM.integers(0, 256, (6, 8, 3)).astype("uint8")


def saved(folder: Path, name: str, array: np.ndarray, **options: object) -> Path:
    Image.fromarray(array).save(folder / name, **options)
    return folder / name


def keras_reads(path: Path, mode: str) -> np.ndarray:
    return np.asarray(keras.utils.img_to_array(keras.utils.load_img(path, color_mode=mode)))


def test_files_are_read_as_keras_reads_them(tmp_path: Path) -> None:
    rgba = np.concatenate([COLOURS, RANDOM.integers(0, 256, (6, 8, 1)).astype("uint8")], -1)
    palette = tmp_path / "palette.png"
    Image.fromarray(COLOURS).quantize(16).save(palette)
    paths = [
        saved(tmp_path, "plain.png", COLOURS),
        saved(tmp_path, "lossy.jpg", COLOURS),
        saved(tmp_path, "alpha.png", rgba),
        saved(tmp_path, "grey.tif", COLOURS[..., 0]),
        palette,
    ]
    for path in paths:
        for channels, mode in ((1, "grayscale"), (3, "rgb"), (4, "rgba")):
            ours = read_pixels(path, PictureForm(channels))
            assert np.array_equal(ours, keras_reads(path, mode)), (path, mode)
    # statement 40: alpha is dropped, not blended, and told
    assert read_header(paths[2], PictureForm(3)).notes[0].startswith("alpha is dropped")
    assert read_header(paths[2], PictureForm(4)).notes == ()


def test_statement_40_deep_greys_are_read_as_the_user_says(tmp_path: Path) -> None:
    deep = np.array([[0, 255, 300, 65535]], "uint16")
    path = saved(tmp_path, "deep.png", deep)
    floats = saved(tmp_path, "float.tif", np.array([[0.0, 0.5, 1.0]], "float32"))
    for each in (path, floats):
        with pytest.raises(InputError, match=r"more than 8 bits .* depth='raw'"):
            de.images.read(each, preprocess="identity")
    raw = read_pixels(path, PictureForm(1, "raw"))
    assert np.array_equal(raw, keras_reads(path, "grayscale"))
    clipped = read_pixels(path, PictureForm(3, "clipped"))
    assert np.array_equal(clipped, keras_reads(path, "rgb"))
    assert read_pixels(path, PictureForm(1, "eight_bits"))[0, :, 0].tolist() == [0, 0, 1, 255]
    assert read_pixels(floats, PictureForm(1, "raw"))[0, :, 0].tolist() == [0.0, 0.5, 1.0]


def test_statement_45_orientation_and_pages_are_told(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = saved(tmp_path, "turned.jpg", COLOURS, exif=exif)
    pages = tmp_path / "pages.tif"
    Image.fromarray(COLOURS).save(pages, save_all=True, append_images=[Image.new("RGB", (8, 6))])
    as_stored = de.images.read([turned, pages], preprocess="identity")
    assert [note.partition(", as in")[0] for note in as_stored.notes] == [
        f"1 of 2 pictures ({turned}): an orientation that the camera wrote is not applied",
        f"1 of 2 pictures ({pages}): the first page of several is read",
    ]
    assert as_stored.shape == (2, 6, 8, 3)
    assert np.array_equal(as_stored[1], COLOURS)
    upright = de.images.read(turned, preprocess="identity", upright=True)
    assert upright.shape == (1, 8, 6, 3)
    assert np.array_equal(upright[0], np.rot90(as_stored[0], -1))


def test_statement_45_white_is_light_in_every_tiff(tmp_path: Path) -> None:
    """Where tifffile, imageio and scikit-image give the numbers that are stored."""
    tifffile = pytest.importorskip("tifffile")
    grey = COLOURS[..., 0]
    tifffile.imwrite(tmp_path / "inverted.tif", 255 - grey, photometric="miniswhite")
    tifffile.imwrite(
        tmp_path / "planar.tif", np.moveaxis(COLOURS, -1, 0), photometric="rgb",
        planarconfig="separate",
    )  # fmt: skip
    few = Image.fromarray(COLOURS).quantize(16)
    few.save(tmp_path / "palette.tif")
    read = (read_pixels(tmp_path / f"{name}.tif", PictureForm(3)) for name in
            ("inverted", "planar", "palette"))  # fmt: skip
    for ours, shown in zip(read, (grey[..., None], COLOURS, few.convert("RGB")), strict=True):
        assert np.array_equal(ours, np.broadcast_to(np.asarray(shown), ours.shape))
    stored = tifffile.imread(tmp_path / "inverted.tif")
    assert np.array_equal(stored, 255 - grey)


def test_statement_46_folders_are_in_plain_order(tmp_path: Path) -> None:
    names = ["10_x/a.png", "2_x/a.png", "A/a.png", "b/a.png", "b/c.jpeg"]
    for name in reversed(names):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        saved(tmp_path, name, COLOURS)
    others = [f"b/{number}.webp" for number in range(5)]
    for name in ("notes.txt", "b/._c.jpeg", *others):
        (tmp_path / name).write_text("no picture")
    pictures = de.images.read(tmp_path, preprocess="tf")
    assert list(pictures.names) == names
    assert pictures.notes == (
        "5 of 10 pictures (b/0.webp, b/1.webp, b/2.webp and 2 more): left out, as .webp files are "
        "not read; save them as .png",
    )


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("no.png", None, "no such file or folder"),
        ("text.png", b"no picture", "cannot be read as a picture"),
        ("", b"", "has no pictures: files that end in .png"),
    ],
)
def test_what_is_no_picture_is_refused(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    if content:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        de.images.read(tmp_path / name if name else tmp_path, preprocess="tf")


def test_a_damaged_picture_is_refused_when_it_is_read(tmp_path: Path) -> None:
    noise = RANDOM.integers(0, 256, (64, 64, 3)).astype("uint8")
    saved(tmp_path, "a.jpg", noise)
    path = saved(tmp_path, "cut.jpg", noise)
    path.write_bytes(path.read_bytes()[:1500])
    pictures = de.images.read(tmp_path, preprocess="tf")
    refused = r"cut\.jpg \(record 1\) cannot be read as a picture: .*It is damaged, or no \.jpg"
    with pytest.raises(InputError, match=refused):
        pictures[:]
    path.write_bytes(path.read_bytes()[:10])
    with pytest.raises(InputError, match=refused):
        de.images.read(tmp_path, preprocess="tf")
