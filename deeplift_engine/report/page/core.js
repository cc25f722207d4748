"use strict";
// Elements, numbers and the values of samples.

const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId("data").textContent);
const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes (functions become listeners) and children; text stays text. */
function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

function drawn(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(node, attributes, children = []) {
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(key, value);
    else if (value !== undefined && value !== null && value !== false) node.setAttribute(key, value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

/** Four digits of a number, as people read them. */
function short(value) {
  if (value === null || value === undefined) return "–";
  if (typeof value !== "number") return String(value);
  if (Number.isInteger(value)) return value.toLocaleString("en");
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-3) return value.toExponential(2).replace(/\.?0+e/, "e");
  return String(Number(value.toPrecision(4)));
}

/** A number with all its digits behind the four that are shown. */
function numeric(value) {
  return element("data", { value: value ?? "" }, short(value));
}

/** A table of headings, and of rows of cells. */
const tableOf = (headings, rows) => element("table", {}, element("thead", {}, element("tr", {}, headings)),
    element("tbody", {}, rows.map((cells) => element("tr", {}, cells))));

const signed = (value) => (value > 0 ? "+" : "") + short(value);

// ------------------------------------------------------------ values of samples

const TYPES = { i2: Int16Array, i1: Int8Array, u1: Uint8Array };
const opened = new Map();
const waiting = new Map();

/** Called by the files of a folder with the samples that they hold. */
function deliverSamples(file, texts) {
  waiting.get(file)?.(texts);
}

/** The packed text of a sample: in the page, or in a file beside it. */
async function packedText(number) {
  if (!data.together) return byId(`packed-${number}`).textContent;
  const file = Math.floor(number / data.together);
  if (!opened.has(`file ${file}`)) {
    opened.set(`file ${file}`, new Promise((resolve, reject) => {
      waiting.set(file, resolve);
      const name = `samples-${String(file).padStart(4, "0")}.js`;
      document.head.append(element("script", { src: name, error: () => reject(Error(`${name} cannot be read`)) }));
    }));
  }
  return (await opened.get(`file ${file}`))[number % data.together];
}

/** The values of a sample by what they belong to, "input0" or "view0": arrays as numbers, the rest as it is. */
async function sampleValues(number) {
  const bytes = Uint8Array.from(atob(await packedText(number)), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const buffer = await new Response(stream).arrayBuffer();
  const size = new DataView(buffer).getUint32(0, true);
  const { arrays, ...plain } = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, size)));
  const values = {};
  const put = (name, value) => { const [owner, own] = name.split("/"); (values[owner] ??= {})[own] = value; };
  for (const each of Object.entries(plain)) put(...each);
  for (const [name, { type, step, shape, at }] of Object.entries(arrays)) {
    const count = shape.reduce((product, each) => product * each, 1);
    const steps = new TYPES[type](buffer, 4 + size + at, count);
    put(name, { shape, values: type === "u1" ? steps : Float64Array.from(steps, (each) => each * step) });
  }
  return values;
}

// ------------------------------------------------------------ scales

/** The least and the largest of numbers and 0, or of what is said in place of it. */
const extent = (values, start = [0, 0]) => values.reduce(([low, high], each) => [Math.min(low, each), Math.max(high, each)], start);

/** Text of a drawing at a place; the name of an axis, which may stand upright. */
const mark = (x, y, text, anchor = "middle") => drawn("text", { x, y, "text-anchor": anchor }, text);
const axisName = (x, y, text, turned) => drawn("text",
    { x, y, class: "label", "text-anchor": "middle", transform: turned ? `rotate(-90 ${x} ${y})` : null }, text);

const largest = (values) => values.reduce((most, each) => Math.max(most, Math.abs(each)), 0);

/** Round numbers from low to high, about so many. */
function ticks(low, high, about) {
  const span = high - low || 1;
  const power = 10 ** Math.floor(Math.log10(span / about));
  const step = power * [1, 2, 5, 10].find((each) => span / (power * each) <= about);
  const found = [];
  for (let each = Math.ceil(low / step) * step; each <= high + step * 1e-9; each += step) found.push(Number(each.toPrecision(12)));
  return found;
}

/** A share of -1 to 1 as red, green and blue: blue below 0, orange above. */
function diverging(share) {
  const end = share < 0 ? [0, 114, 178] : [213, 94, 0];
  const weight = Math.min(1, Math.abs(share));
  return end.map((each) => Math.round(247 + (each - 247) * weight));
}

/** A bar chart of counts between edges, with axes. */
function histogram({ edges, counts }, label) {
  const [width, height, left, bottom] = [360, 150, 44, 34];
  if (!counts.length) return element("p", {}, "No finite values.");
  const [low, high] = [edges[0], edges.at(-1)];
  const most = Math.max(...counts);
  const span = high - low || 1;
  const x = (value) => left + ((value - low) / span) * (width - left - 8);
  const y = (count) => 8 + (1 - count / most) * (height - bottom - 8);
  const svg = drawn("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", class: "histogram",
      "aria-label": `Histogram of ${label}: ${low} to ${high}, at most ${most} samples in a bar` });
  counts.forEach((count, n) => {
    if (!count) return;
    const wide = Math.max(1, x(edges[n + 1]) - x(edges[n]) - 1);
    svg.append(drawn("rect", { class: "bar", x: x(edges[n]), y: Math.min(y(count), height - bottom - 1), width: wide,
        height: Math.max(1, height - bottom - y(count)) }));
  });
  svg.append(drawn("path", { class: "axis", d: `M${left} 8V${height - bottom}H${width - 8}` }));
  svg.append(...ticks(low, high, 4).map((each) => mark(Math.min(x(each), width - 20), height - bottom + 13, short(each))),
    ...[0, most].map((each) => mark(left - 5, y(each) + 4, short(each), "end")),
    axisName((left + width) / 2, height - 4, label), axisName(11, (height - bottom) / 2, "samples", true));
  return svg;
}
