"""The page in a real Chromium: what it shows, how it is used, and that nothing leaves it.

Skipped where there is no playwright or no Chromium (`DEEPLIFT_ENGINE_CHROMIUM` names one). axe-core
comes from npm when the tests run, or is the file that `DEEPLIFT_ENGINE_AXE` names.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deeplift_engine as de
from tests.report import made_runs

CHROMIUM = os.environ.get("DEEPLIFT_ENGINE_CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
api = pytest.importorskip("playwright.sync_api", reason="pages are looked at by playwright")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
READY = "html[data-ready=yes]"
Open = Callable[..., AbstractContextManager[Any]]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def opened(browser: Any) -> Open:
    """Open a page; at the end only its own files were asked for, and nothing went wrong."""

    @contextmanager
    def open_page(path: Path, **context: Any) -> Iterator[Any]:
        own = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **context})
        page = own.new_page()
        requests: list[str] = []
        problems: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(path.as_uri())
        page.wait_for_selector(READY)
        yield page
        folder = path.parent.as_uri()
        beside = [url for url in requests if url != path.as_uri()]
        assert all(url.startswith(f"{folder}/samples-") for url in beside)
        assert problems == []
        own.close()

    return open_page


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_runs.sequences(tmp_path_factory.mktemp("report") / "run.zarr")


@pytest.fixture(scope="module")
def page_file(run: Path) -> Path:
    de.report.write(run, run.parent / "page.html")
    return run.parent / "page.html"


def settled(page: Any, sample: int, view: int) -> None:
    page.wait_for_selector(f'#drawing[data-sample="{sample}"][data-view="{view}"]')


def row_of(page: Any, sample: int) -> dict[str, str]:
    """The numbers of a row of the table, with all their digits, by the headings."""
    return dict(
        page.evaluate(
            """n => {
                const names = [...document.querySelectorAll("#table thead th")];
                const cells = document.querySelector(`#table tr[data-sample="${n}"]`).cells;
                return names.map((name, at) => [name.textContent,
                    cells[at].querySelector("data")?.value ?? cells[at].textContent]);
            }""",
            sample,
        )
    )


def test_numbers_of_the_page_are_those_of_the_run(opened: Open, run: Path, page_file: Path) -> None:
    store = de.open_store(run)
    with opened(page_file) as page:
        for view, head in enumerate(made_runs.HEADS):
            page.select_option("#facets select", head)
            settled(page, 0, view)
            for sample in (0, 7):
                shown = row_of(page, sample)
                assert shown["sample"] == store["sample"][sample]
                assert int(shown["start"]) == store["start"][sample]
                for column, array in (
                    ("target's difference", f"{head}/target_delta"),
                    ("delta", f"{head}/convergence_delta"),
                    ("relative error", f"{head}/relative_error"),
                ):
                    assert np.float32(shown[column]) == store[array][sample]
                assert np.float32(shown["prediction 1"]) == store["predictions"][sample][1]
                total = store[f"{head}/scores"][sample].sum(dtype=float)
                assert float(shown["sum of contributions"]) == pytest.approx(total, rel=1e-6)
        page.click("summary:has-text('Largest')")
        cells = page.eval_on_selector_all(
            ".largest tbody tr",
            "rows => rows.map(r => [r.cells[0].textContent, r.cells[1].textContent, "
            "r.cells[2].querySelector('data').value])",
        )
        exact = store["profile/scores"][0].sum(axis=1)
        at = [int(place.replace(",", "").split(":")[1]) - store["start"][0] for place, *_ in cells]
        assert at[0] == np.abs(exact).argmax()
        assert len({*at}) == 12
        letters = np.array(list("ACGT"))[store["inputs"][0].argmax(axis=1)]
        assert [letter for _, letter, _ in cells] == [letters[place] for place in at]
        np.testing.assert_allclose(
            [float(value) for *_, value in cells],
            exact[at],
            rtol=0,
            atol=np.abs(exact).max() / 65e3,
        )


def test_a_logo_is_zoomed_by_dragging_and_by_keys(opened: Open, page_file: Path) -> None:
    with opened(page_file) as page:

        def positions() -> int:
            return int(page.text_content(".range").split(", ")[-1].split()[0].replace(",", ""))

        page.keyboard.press("Tab")  # the link that skips the table
        assert page.evaluate("document.activeElement.textContent") == "Skip to the samples"
        page.click("button[aria-label='Show all positions']")
        assert positions() == made_runs.LENGTH
        box = page.locator(".plots svg").first.bounding_box()
        page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 50)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 60, steps=4)
        page.mouse.up()
        dragged = positions()
        assert dragged == pytest.approx(0.21 * made_runs.LENGTH, abs=3)
        assert page.locator(".plots svg").first.locator("path.letter").count() == 4
        page.focus(".plots")
        page.keyboard.press("+")
        assert positions() == pytest.approx(dragged / 2, abs=1)
        before = page.text_content(".range")
        page.keyboard.press("ArrowRight")
        assert page.text_content(".range") != before
        page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 50)
        assert "chr1:" in page.text_content(".readout")
        seen = page.text_content(".range")
        page.select_option("#facets select", "profile")
        settled(page, 0, 1)
        assert page.text_content(".range") == seen
        page.focus(".plots")
        page.keyboard.press("Home")
        assert positions() == made_runs.LENGTH


def test_samples_are_searched_sorted_and_opened(opened: Open, run: Path, page_file: Path) -> None:
    store = de.open_store(run)
    with opened(page_file) as page:

        def names() -> list[str]:
            found: list[str] = page.eval_on_selector_all(
                "#table tbody button", "all => all.map(each => each.textContent)"
            )
            return found

        page.fill("#search", "chr2 start>500000")
        expected = [
            name
            for name, chrom, start in zip(
                *(store[each] for each in ("sample", "chrom", "start")), strict=True
            )
            if chrom == "chr2" and start > 500_000
        ]
        assert names() == expected
        assert page.text_content("#matches") == f"{len(expected)} of 40 samples"
        page.fill("#search", "")
        page.click("#table th button:has-text('prediction 0')")
        page.click("#table th button:has-text('prediction 0')")
        assert page.get_attribute("#table th[aria-sort=descending]", "scope") == "col"
        order = np.argsort(-store["predictions"][:][:, 0], kind="stable")
        assert names() == [store["sample"][row] for row in order[:25]]
        page.click("#next-page")
        assert names() == [store["sample"][row] for row in order[25:]]
        page.fill("#search", "bold")
        page.click("#table tbody button")
        settled(page, 1, 0)
        assert page.text_content("#sample-title") == made_runs.EVIL
        assert page.evaluate("document.querySelectorAll('img, td b, th b, h3 b').length") == 0
        assert page.title() != "run"
        page.fill("#search", "peak3")
        page.click("tr[data-sample='3'] button")
        page.wait_for_selector("#drawing .problem")
        assert "scores are not finite" in page.text_content("#drawing")
        page.fill("#search", "")
        page.evaluate("location.hash = '#sample=38'")  # as a link to a sample does
        settled(page, 38, 0)
        assert page.get_attribute("tr[data-sample='38']", "aria-current") == "true"


def test_the_keyboard_alone_opens_a_sample_and_switches_the_target(
    opened: Open, tmp_path: Path
) -> None:
    random = np.random.default_rng(4)
    scores = random.normal(size=(2, 5, 6)).astype(np.float32)
    sums = scores.sum(axis=-1)
    result = de.Attribution(
        scores, None, np.zeros_like(sums), sums, np.zeros_like(sums), sums.T,
        random.normal(size=(5, 6)).astype(np.float32),
        {"method": "deeplift", "target": "[4, 7]", "target_layer": "d"}, ("target", "sample"),
    )  # fmt: skip
    de.report.write(result, tmp_path / "page.html")
    with opened(tmp_path / "page.html") as page:

        def tab_to(selector: str) -> None:
            for _ in range(40):
                page.keyboard.press("Tab")
                if page.evaluate("what => document.activeElement.matches(what)", selector):
                    return
            raise AssertionError(f"Tab does not reach {selector}")

        tab_to("#facets select")
        page.keyboard.press("ArrowDown")
        settled(page, 0, 1)
        assert page.evaluate("document.activeElement.value") == "unit 7"
        tab_to("tr[data-sample='3'] button")
        page.keyboard.press("Enter")
        settled(page, 3, 1)
        assert page.evaluate("document.activeElement.id") == "sample"
        assert page.text_content("#sample-title") == "sample 3"
        total = float(row_of(page, 3)["sum of contributions"])
        assert total == pytest.approx(float(sums[1, 3]), rel=1e-5)
        tab_to("#drawing summary")
        page.keyboard.press("Enter")
        assert page.locator(".largest tbody tr:visible").count() == 6


def test_print_has_the_table_and_the_sample_and_no_controls(opened: Open, page_file: Path) -> None:
    with opened(page_file, color_scheme="dark") as page:
        page.select_option("#theme", "dark")
        page.emulate_media(media="print")
        for shown in ("#table tbody tr >> nth=24", "#sample-title", ".plots svg >> nth=0"):
            assert page.locator(shown).is_visible(), shown
        for hidden in ("nav", "#search", "#next", "#next-page", ".plots .overview", ".skip"):
            assert not page.locator(hidden).is_visible(), hidden
        look = page.locator("#facets select").evaluate("e => getComputedStyle(e).appearance")
        assert look == "none"  # its words alone
        grid = page.locator(".list .scroll").evaluate("e => [e.clientHeight, e.scrollHeight]")
        assert grid[0] >= grid[1]  # all rows of the page of the table
        ink = page.evaluate("getComputedStyle(document.body).color")
        assert max(int(each) for each in ink[4:-1].split(",")) < 64  # dark on white


def test_motifs_are_drawn_and_mark_their_seqlets(
    opened: Open, run: Path, page_file: Path, tmp_path: Path
) -> None:
    result = made_runs.motifs(tmp_path / "motifs.h5", run, {0: 170, 2: 175, 7: 190})
    de.report.write(run, tmp_path / "page.html", motifs=result)
    with opened(tmp_path / "page.html") as page:
        assert page.locator("#motif-list figure").count() == 1
        assert page.locator("#motif-list button").all_text_contents() == ["peak0", "peak2", "peak7"]
        page.click("#motif-list button >> nth=2")
        settled(page, 7, 0)
        assert page.text_content(".site title") == "pos_patterns.pattern_0 +"
        wide = page.locator(".plots svg").first.bounding_box()["width"]
        site = page.locator(".site").bounding_box()["width"]
        seen = int(page.text_content(".range").split(", ")[-1].split()[0])
        assert site == pytest.approx(8 * (wide - 62) / seen, abs=1)


@pytest.mark.slow
def test_a_layer_opens_to_what_the_engine_computes_there(opened: Open, tmp_path: Path) -> None:
    network = made_runs.branched(tmp_path / "model.keras")
    x = np.eye(4, dtype=np.float32)[np.random.default_rng(9).integers(0, 4, (2, 12))]
    result = network.explainer(layers=["left", "both"]).run(x, target=0)
    at_inputs = network.explainer().run(x, target=0)
    at_inputs.save(tmp_path / "scores.h5")
    de.report.write(tmp_path / "scores.h5", tmp_path / "page.html")
    with opened(tmp_path / "page.html") as page:
        for layer, passes in (("left", "a part"), ("both", "all of the target's difference")):
            page.focus(f"g.layer[aria-label^='{layer} ']")
            page.keyboard.press("Enter")
            for sample in (0, 1):
                page.click(f"tr[data-sample='{sample}'] button")
                settled(page, sample, 0)
                part = page.locator(".facts-of-layer:visible .activations")
                exact = result.scores[layer][sample].sum(axis=0, dtype=float)
                shown = part.locator(".largest td data").evaluate_all(
                    "all => all.map(each => [each.closest('tr').cells[0].textContent, each.value])"
                )
                assert len(shown) == 3
                for channel, value in shown:
                    assert float(value) == pytest.approx(exact[int(channel)], abs=1e-5)
                facts = part.locator(".part").text_content()
                assert passes in facts
                total = part.locator(".part data").first.get_attribute("value")
                assert float(total) == pytest.approx(exact.sum(), abs=1e-5)
                if layer == "both":
                    assert float(total) == pytest.approx(at_inputs.target_delta[sample], abs=1e-5)
            assert part.locator(".bars rect").count() == 3
            assert part.locator("canvas").count() == 1


@pytest.mark.slow
def test_a_folder_reads_samples_when_they_are_opened(
    opened: Open, run: Path, page_file: Path
) -> None:
    folder = page_file.parent / "folder"
    de.report.write(run, folder, samples=None)
    with opened(folder / "index.html") as page:
        page.fill("#search", "peak39")
        page.click("#table tbody button")
        settled(page, 39, 0)
        assert page.locator("path.letter").count() >= 4


@pytest.mark.parametrize(
    "kind",
    [
        kind if kind == "text" else pytest.param(kind, marks=pytest.mark.slow)
        for kind in made_runs.KINDS
    ],
)
def test_every_kind_is_drawn(kind: str, opened: Open, tmp_path: Path) -> None:
    store = made_runs.KINDS[kind](tmp_path / "run.zarr")
    de.report.write(store, tmp_path / "page.html")
    with opened(tmp_path / "page.html", viewport={"width": 390, "height": 800}) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        if kind == "text":
            assert page.text_content(".words") == "not <i>bad</i> 😀 at all"
            page.fill("#search", "😀")
            assert page.text_content("#matches") == "4 of 4 samples"
            assert page.locator(".token").all_text_contents()[1:3] == ["<i>bad</i>", "😀"]
        elif kind == "image":
            page.select_option("#drawing select", "picture")
            pixel = page.evaluate(
                "[...document.querySelector('canvas').getContext('2d')"
                ".getImageData(3, 5, 1, 1).data]"
            )
            cell = de.open_store(store)["inputs"][0][10:12, 6:8].mean(axis=(0, 1))
            np.testing.assert_allclose(pixel[:3], cell, atol=0.51)
        elif kind == "signal":
            assert page.locator(".trace").count() == 2
            assert page.locator(".channel").all_text_contents() == ["I", "V1 <b>"]
            assert "0 – 2.49 s" in page.text_content(".range")
        else:
            assert page.locator(".bars rect").count() == 3  # features, of five columns
            page.uncheck("#drawing input[type=checkbox]")
            settled(page, 0, 0)
            page.wait_for_function("document.querySelectorAll('.bars rect').length === 5")
            labels = page.locator(".bars text").all_text_contents()
            assert sum(label.startswith("age = ") for label in labels) == 2


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    if named := os.environ.get("DEEPLIFT_ENGINE_AXE"):
        return Path(named).read_text()
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("axe-core comes from npm, which is not there")
    folder = tmp_path_factory.mktemp("axe")
    fetched = subprocess.run(
        [npm, "pack", "axe-core@4", "--silent"], cwd=folder, capture_output=True, text=True
    )
    if fetched.returncode:
        pytest.skip("axe-core cannot be fetched from npm")
    with tarfile.open(folder / fetched.stdout.strip()) as archive:
        member = archive.extractfile("package/axe.min.js")
        assert member is not None
        return member.read().decode()


EVERY = [(kind, scheme) for kind in ("sequence", *made_runs.KINDS) for scheme in ("light", "dark")]
SLOW = (("sequence", "light"), ("text", "dark"))


@pytest.mark.parametrize(
    ("kind", "scheme"),
    [
        pytest.param(*each, marks=pytest.mark.slow if each in SLOW else pytest.mark.thorough)
        for each in EVERY
    ],
)
def test_axe_finds_nothing_serious(
    kind: str, scheme: str, axe: str, opened: Open, page_file: Path, tmp_path: Path
) -> None:
    path = page_file
    if kind != "sequence":
        path = tmp_path / "page.html"
        de.report.write(made_runs.KINDS[kind](tmp_path / "run.zarr"), path)
    with opened(path, color_scheme=scheme) as page:
        page.evaluate(axe)
        report = page.evaluate("axe.run()")
        assert len(report["passes"]) > 20
        assert [
            (each["id"], each["nodes"][0]["target"])
            for each in report["violations"]
            if each["impact"] in ("serious", "critical")
        ] == []
