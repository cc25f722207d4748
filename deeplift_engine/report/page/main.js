// The page: what is chosen, and what is drawn of it.

const chosen = { view: 0, sample: 0 };

/** The view whose labels are those of the facets, or the nearest: the facet that changed counts first. */
function viewLike(labels, changed) {
  const fits = (view) => Object.entries(labels).filter(([facet, label]) =>
      view.labels[facet] === label).length + (view.labels[changed] === labels[changed] ? 100 : 0);
  return data.views.reduce((best, view, n) => (fits(view) > fits(data.views[best]) ? n : best), 0);
}

function drawFacets() {
  const names = { run: "Run", head: "Head", target: "Target", reference: "Reference", input: "Input" };
  const form = byId("facets");
  form.hidden = !Object.keys(data.facets).length;
  form.replaceChildren(...Object.entries(data.facets).map(([facet, labels]) => element("label", {}, `${names[facet]} `,
    element("select", { name: facet, change: (event) => {
      chosen.view = viewLike({ ...data.views[chosen.view].labels, [facet]: event.target.value }, facet);
      refresh();
      form.elements[facet].focus();
    } }, labels.map((label) => element("option", { value: label, selected: label === data.views[chosen.view].labels[facet] ? "" : null },
      label || "–"))))));
}

const fact = (name, value) => element("div", {}, element("dt", {}, name), element("dd", {}, value));

async function openSample(number, focus) {
  chosen.sample = number;
  const at = chosen.view;
  const view = data.views[at];
  byId("sample-title").textContent = data.names[number];
  byId("sample-facts").replaceChildren(...columnsOf(view).slice(1).filter(({ name }) => name !== "text").map(
    ({ name, values, numeric: isNumber }) => fact(name, isNumber ? numeric(values[number]) : String(values[number]))));
  for (const row of byId("table").tBodies[0].rows) row.toggleAttribute("aria-current", false);
  byId("table").querySelector(`tr[data-sample="${number}"]`)?.setAttribute("aria-current", "true");
  history.replaceState(null, "", `#sample=${number}`);
  chosen.values = null;
  const failed = data.failed[data.rows[number]];
  const kind = data.kinds[view.kind];
  let parts;
  try {
    if (failed) throw Error(`This sample has no scores: ${failed}`);
    const values = await sampleValues(number);
    if (chosen.sample !== number || chosen.view !== at) return;
    chosen.values = values;
    const shown = { content: values[`input${view.kind}`] ?? {}, own: values[`view${at}`], kind, number };
    parts = DRAWINGS[kind.name]({ ...shown, again: () => openSample(number) });
  } catch (error) {
    parts = [element("p", { class: "problem" }, error.message)];
  }
  byId("drawing").replaceChildren(...parts);
  drawLayer();
  Object.assign(byId("drawing").dataset, { sample: number, view: at });
  if (focus) byId("sample").focus({ preventScroll: matchMedia("(min-width: 900px)").matches });
}

/** Open a sample, and the page of the table that has it. */
function show(number) {
  list.page = Math.max(0, Math.floor(list.shown.indexOf(number) / PER_PAGE));
  chosen.sample = number;
  refreshTable();
  return openSample(number);
}

const step = (by) => show(list.shown[Math.min(Math.max(0, list.shown.indexOf(chosen.sample) + by), list.shown.length - 1)]
    ?? chosen.sample);

/** The sample that the address names; else the one that is open. */
const addressed = () => Math.min(data.names.length - 1, Number(/^#sample=(\d+)$/.exec(location.hash)?.[1] ?? chosen.sample));

function drawCompleteness() {
  const told = data.views[chosen.view].completeness;
  const figure = byId("completeness");
  if (!told) return figure.replaceChildren(element("figcaption", {},
    "Completeness: the run keeps no sums, of which a method may have none (score with --arrays convergence)."));
  return figure.replaceChildren(element("figcaption", {}, element("strong", {}, "Completeness"),
      ` of ${told.samples.toLocaleString("en")} samples: sum of contributions minus the target's difference`),
    histogram(told, "delta, in the target's units"),
    element("dl", { class: "facts" }, fact("largest delta", numeric(told.largest)), fact("median delta", numeric(told.median)),
        told.relative === null ? null : fact("largest relative error", numeric(told.relative))));
}

function drawPredictions() {
  byId("predictions").replaceChildren(...data.predictions.map((each) => element("figure", { class: "card" },
    element("figcaption", {}, element("strong", {}, each.name), ` of ${each.samples.toLocaleString("en")} samples`),
      histogram(each, each.name))));
}

function drawAgreement() {
  if (!data.agreement?.labels) return;
  const { labels, pearson, spearman } = data.agreement;
  const cell = (value) => {
    const td = element("td", { class: "number share" }, numeric(value));
    td.style.setProperty("--share", `${Math.round(55 * Math.abs(value))}%`);
    td.classList.add(value < 0 ? "down" : "up");
    return td;
  };
  const row = (label, n) => [element("th", { scope: "row" }, label),
    labels.map((_, m) => cell(m >= n ? pearson[n][m] : spearman[n][m]))];
  byId("agreement-table").replaceChildren(tableOf(
    [element("td", {}), labels.map((label) => element("th", { scope: "col" }, label))], labels.map(row)));
}

function drawMotifs() {
  for (const motif of data.motifs?.motifs ?? []) {
    const size = 16;
    const frame = { size, x: (n) => 36 + n * size, y: (value) => 8 + (1 - value / 2) * 70, svg: null };
    const width = 40 + motif.heights.length * size;
    frame.svg = drawn("svg", { viewBox: `0 0 ${width} 84`, width, height: 84, role: "img",
        "aria-label": `Motif ${motif.name}, 0 to 2 bits: ${motif.heights.map((row) => "ACGT"[row.indexOf(Math.max(...row))]).join("")}` });
    frame.svg.append(drawn("path", { class: "axis", d: `M32 8V78H${width}` }),
        ...[0, 1, 2].map((bits) => mark(28, frame.y(bits) + 4, String(bits), "end")), axisName(10, 43, "bits", true));
    letters(frame, { first: 0, last: motif.heights.length }, (n) => motif.heights[n].map((value, letter) => ["ACGT"[letter], value]));
    const samples = Object.entries(data.motifs.sites).filter(([, sites]) =>
        sites.some(([number]) => data.motifs.motifs[number] === motif)).map(([sample]) => Number(sample));
    byId("motif-list").append(element("figure", { class: "card" },
        element("figcaption", {}, element("strong", {}, motif.name), ` ${motif.seqlets} seqlets, mean contribution `,
        numeric(motif.contribution)), frame.svg,
      element("p", { class: "note" }, samples.length ? "In " : "In none of the samples that are shown.",
          samples.slice(0, 8).map((n) => [element("button", { type: "button", class: "open", click: () => openSample(n, true) },
          data.names[n]), " "]), samples.length > 8 ? `and ${samples.length - 8} more` : "")));
  }
}

/** How much of the contributions passes through a layer, and through its units. */
function partOf({ total, cut, axis, count, units }) {
  const values = Object.fromEntries(units);
  return [element("p", {}, "Contributions through this layer to ", element("strong", {}, data.parts)),
    bars(units.map(([unit, value]) => ({ name: `${axis} ${unit}`, value })), "contribution to the target"),
    element("dl", { class: "facts part" }, fact("sum", numeric(total)), fact(`${axis}s`, numeric(count)),
      fact("what passes here", cut ? "all of the target's difference" : "a part: there are ways around, or several times through")),
    largestTable(Object.keys(values), values, [[axis, (unit) => unit]])];
}

/** What the layer that is open has of the sample that is open: activations, and its part of the contributions. */
function drawLayer() {
  const layer = document.querySelector("g.layer[aria-pressed=true]")?.dataset.layer;
  if (layer === undefined) return null;
  const place = byId(`layer-${layer}`).querySelector(".activations");
  const held = chosen.values?.[`layer${layer}`];
  if (!held) return place.replaceChildren(element("p", { class: "note" },
    "Activations are kept of the first samples alone, where the run keeps its inputs."));
  return place.replaceChildren(...(held.map ? activationsOf(held) : []),
    ...(held.part ? partOf(held.part) : [element("p", { class: "note" }, data.parts)]));
}

function activationsOf({ about: { axes, numbers, zeros }, map: { values, shape: [height, width] } }) {
  const most = largest(values) || 1;
  const canvas = element("canvas", { width, height, role: "img",
      "aria-label": `Activations: ${axes.join(" by ")}, from ${short(numbers[0])} to ${short(numbers[2])}` });
  const pixels = new ImageData(width, height);
  values.forEach((value, n) => pixels.data.set([...diverging(value / most), 255], 4 * n));
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  return [element("p", {}, "Activations on ", element("strong", {}, data.names[chosen.sample])), canvas,
    element("p", { class: "note" }, axes[0] ? `down: ${axes[0]}, across: ${axes[1]}` : axes[1]), colourBar(most, "activation"),
    element("dl", { class: "facts" }, ["smallest", "mean", "largest"].map((name, n) => fact(name, numeric(numbers[n]))),
        fact("share of zeros", numeric(zeros)))];
}

function openLayer(node) {
  for (const each of document.querySelectorAll(".facts-of-layer")) each.hidden = each.id !== `layer-${node.dataset.layer}`;
  for (const each of document.querySelectorAll("g.layer")) each.setAttribute("aria-pressed", String(each === node));
  drawLayer();
}

function refresh() {
  drawFacets();
  drawCompleteness();
  refreshTable();
  return openSample(chosen.sample);
}

byId("search").addEventListener("input", () => { list.page = 0; refreshTable(); });
for (const [by, end] of [[-1, "previous"], [1, "next"]]) {
  byId(end).addEventListener("click", () => step(by));
  byId(`${end}-page`).addEventListener("click", () => { list.page += by; refreshTable(); });
}
byId("facets").addEventListener("submit", (event) => event.preventDefault());
byId("theme").addEventListener("change", (event) => document.documentElement.style.setProperty("color-scheme",
    event.target.value || "light dark"));
for (const layer of document.querySelectorAll("g.layer")) {
  layer.addEventListener("click", () => openLayer(layer));
  layer.addEventListener("keydown", (event) => {
    if (["Enter", " "].includes(event.key)) { event.preventDefault(); openLayer(layer); }
  });
}
addEventListener("hashchange", () => { if (addressed() !== chosen.sample) show(addressed()); });
chosen.sample = addressed();
list.page = Math.floor(chosen.sample / PER_PAGE);
drawPredictions();
drawAgreement();
drawMotifs();
refresh().then(() => { document.documentElement.dataset.ready = "yes"; });
