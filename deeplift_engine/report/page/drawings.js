// Drawings without positions: words, pictures, bars, and the table of the largest contributions.

/** The twelve largest contributions as a table, for those who read numbers or hear them. */
function largestTable(order, values, columns) {
  const heading = ([name]) => element("th", { scope: "col" }, name);
  const top = order.sort((a, b) => Math.abs(values[b]) - Math.abs(values[a])).slice(0, 12);
  return element("details", { class: "largest" }, element("summary", {}, "Largest contributions"),
    tableOf([...columns, ["contribution"]].map(heading),
      top.map((n) => [columns.map(([, read]) => element("td", {}, read(n))), element("td", { class: "number" }, numeric(values[n]))])));
}

/** What the colours mean, from the largest below 0 to the largest above. */
function colourBar(most, label = "contribution to the target") {
  const cells = Array.from({ length: 41 }, (_, n) => drawn("rect",
      { x: n * 5, y: 0, width: 5.3, height: 12, fill: `rgb(${diverging((n - 20) / 20)})` }));
  return drawn("svg", { class: "colour-bar", width: 205, height: 44, viewBox: "0 0 205 44", role: "img",
      "aria-label": `Colours: blue is ${short(-most)}, orange is ${short(most)}` },
    cells, mark(0, 25, short(-most), "start"), mark(102, 25, "0"), mark(205, 25, short(most), "end"), axisName(102, 40, label));
}

/** Words coloured by their contributions, underlined by their sign; padding is left out. */
function drawText({ content: sample, own }) {
  const { values } = own.contributions;
  const most = largest(values) || 1;
  const shown = [...sample.tokens.keys()].filter((n) => sample.tokens[n] !== "" && n < values.length);
  const whole = new Set(["[PAD]", "<pad>", "<PAD>"]);
  const seen = shown.filter((n) => !(whole.has(sample.tokens[n]) && Math.abs(values[n]) < most * 1e-3));
  const word = (n, text) => {
    const share = values[n] / most;
    const token = element("span", { class: share < 0 ? "token down" : "token up", title: `${sample.tokens[n]} ${signed(values[n])}` }, text);
    token.style.setProperty("--share", `${Math.round(55 * Math.min(1, Math.abs(share)))}%`);
    return token;
  };
  const line = element("p", { class: "words" });
  if (sample.text !== undefined) {
    const characters = [...sample.text];
    let last = 0;
    for (const n of seen.filter((each) => sample.begin[each] >= last
        && sample.end[each] > sample.begin[each]).sort((a, b) => sample.begin[a] - sample.begin[b])) {
      if (sample.begin[n] < last) continue;
      line.append(characters.slice(last, sample.begin[n]).join(""), word(n, characters.slice(sample.begin[n], sample.end[n]).join("")));
      last = sample.end[n];
    }
    line.append(characters.slice(last).join(""));
  } else {
    for (const n of seen) line.append(word(n, sample.tokens[n]), " ");
  }
  const hidden = sample.tokens.length - seen.length;
  return [line, element("p", { class: "note" },
    `${seen.length} tokens${hidden ? `, ${hidden} of padding left out` : ""}; solid underline: above 0, dotted: below.`), colourBar(most),
    largestTable(seen, values, [["token", (n) => sample.tokens[n]], ["number", (n) => String(n)]])];
}

/** A picture, its contributions, or both one over the other. */
function drawImage({ content, own }) {
  const { values, shape: [height, width] } = own.contributions;
  const picture = content.picture?.values;
  const state = drawImage.state ??= { how: "over the picture", share: 99, strength: 70 };
  const canvas = element("canvas", { width, height, role: "img", "aria-label": "Contributions of pixels over the picture" });
  const bar = element("div", {});
  const sorted = Float64Array.from(values, Math.abs).sort();
  const paint = () => {
    const most = sorted[Math.min(sorted.length - 1, Math.floor((state.share / 100) * sorted.length))] || sorted.at(-1) || 1;
    const pixels = new ImageData(width, height);
    for (let n = 0; n < width * height; n++) {
      const share = values[n] / most;
      const grey = picture ? 0.3 * picture[3 * n] + 0.59 * picture[3 * n + 1] + 0.11 * picture[3 * n + 2] : 247;
      const colour = diverging(share);
      const weight = Math.min(1, Math.abs(share)) * (state.strength / 100);
      for (let c = 0; c < 3; c++) {
        const original = picture ? picture[3 * n + c] : 247;
        pixels.data[4 * n + c] = state.how === "picture" ? original : state.how === "contributions" ? colour[c] : state.how === "masked"
            ? original * Math.min(1, Math.max(0.08, share)) : grey * (1 - weight) + (share < 0 ? [0, 114, 178] : [213, 94, 0])[c] * weight;
      }
      pixels.data[4 * n + 3] = 255;
    }
    canvas.getContext("2d").putImageData(pixels, 0, 0);
    bar.replaceChildren(colourBar(most));
  };
  const ways = picture ? ["over the picture", "contributions", "masked", "picture"] : ["contributions"];
  if (!ways.includes(state.how)) state.how = ways[0];
  const choice = element("select", { change: (event) => { state.how = event.target.value; paint(); } },
      ways.map((way) => element("option", { selected: way === state.how ? "" : null }, way)));
  const slider = (name, least, key, text) => element("label", {}, `${text} `,
      element("input", { type: "range", name, min: least, max: 100, value: state[key],
      input: (event) => { state[key] = Number(event.target.value); paint(); } }));
  const readout = element("output", { class: "readout" });
  canvas.addEventListener("pointermove", (event) => {
    const box = canvas.getBoundingClientRect();
    const x = Math.min(width - 1, Math.floor(((event.clientX - box.left) / box.width) * width));
    const y = Math.min(height - 1, Math.floor(((event.clientY - box.top) / box.height) * height));
    if (x >= 0 && y >= 0) readout.textContent = `row ${y}, column ${x}: ${signed(values[y * width + x])}`;
  });
  paint();
  return [element("div", { class: "row controls" }, element("label", {}, "Show ", choice), slider("strength", 0, "strength", "Strength"),
      slider("share", 50, "share", "Full colour at the percentile"), readout),
    element("div", { class: "picture" }, canvas), bar,
    largestTable([...values.keys()], values, [["row", (n) => String(Math.floor(n / width))], ["column", (n) => String(n % width)]])];
}

/** Horizontal bars, the largest first; a bar belongs to its place, so that equal names stay apart. */
function bars(entries, label) {
  const width = Math.min(640, Math.max(280, byId("drawing").clientWidth || 640));
  const [high, left, letters] = [24, Math.round(width * 0.36), Math.round(width * 0.052)];
  const most = largest(entries.map(({ value }) => value)) || 1;
  const below = entries.some(({ value }) => value < 0);
  const zero = below ? left + (width - left) / 2 : left;
  const scale = (below ? (width - left) / 2 - 56 : width - left - 60) / most;
  const svg = drawn("svg", { class: "bars", width, height: entries.length * high + 40,
      viewBox: `0 0 ${width} ${entries.length * high + 40}`, role: "img",
    "aria-label": `${label}: ${entries.slice(0, 5).map(({ name, value }) => `${name} ${short(value)}`).join(", ")}` });
  entries.forEach(({ name, value }, n) => {
    const long = Math.abs(value) * scale;
    const y = n * high + 4;
    svg.append(
      drawn("text", { x: left - 8, y: y + 12, "text-anchor": "end" }, name.length > letters ? `${name.slice(0, letters - 1)}…` : name,
          drawn("title", {}, name)),
      drawn("rect", { class: value < 0 ? "down" : "up", x: value < 0 ? zero - long : zero, y, width: Math.max(0.5, long), height: high - 8,
          rx: 2 }),
      value < 0 ? mark(zero - long - 5, y + 12, short(value), "end")
        : mark(zero + long + 5, y + 12, below ? signed(value) : short(value), "start"));
  });
  const foot = entries.length * high + 4;
  svg.append(drawn("path", { class: "axis", d: `M${zero} 0V${foot}` }), axisName((left + width) / 2, foot + 20, label));
  return svg;
}

/** Features of a row of a table: one-hot columns of a feature added on wish. */
function drawTable({ content: sample, own, kind, again }) {
  const { values } = own.contributions;
  const state = drawTable.state ??= { grouped: Boolean(kind.group), all: false };
  let entries = [...values].map((value, n) => ({ name: sample.values ? `${kind.feature[n]} = ${short(sample.values[n])}` : kind.feature[n],
      value, n }));
  if (state.grouped && kind.group) {
    const groups = new Map();
    for (const { value, n } of entries) groups.set(kind.group[n], [...(groups.get(kind.group[n]) ?? []), { value, n }]);
    entries = [...groups].map(([name, own]) => {
      const active = own.length > 1 ? own.filter(({ n }) => sample.values?.[n]).map(({ n }) => kind.feature[n])
          : own.map(({ n }) => short(sample.values?.[n]));
      return { name: sample.values ? `${name}: ${active.join(", ") || "none"}` : name,
          value: own.reduce((sum, each) => sum + each.value, 0), n: own[0].n };
    });
  }
  const order = [...entries.keys()];
  const sorted = [...entries].sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  const shown = state.all ? sorted : sorted.slice(0, 20);
  const box = (key, text) => element("label", {}, element("input",
      { type: "checkbox", checked: state[key] ? "" : null, change: (event) => { state[key] = event.target.checked; again(); } }),
    ` ${text}`);
  return [element("div", { class: "row controls" }, kind.group ? box("grouped", "add columns of one feature") : null,
      sorted.length > 20 ? box("all", `all ${sorted.length}, not 20 alone`) : null),
    bars(shown, "contribution to the target"),
    largestTable(order, entries.map(({ value }) => value), [["feature", (n) => entries[n].name]])];
}

const DRAWINGS = { sequence: drawSequence, text: drawText, image: drawImage, signal: drawSignal, table: drawTable };
