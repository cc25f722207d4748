// Drawings along positions that are zoomed by dragging: logos of letters, traces of signals.

const LETTERS = {
  A: "M0 0L.36 1H.64L1 0H.76L.69 .2H.31L.24 0ZM.38 .39H.62L.5 .76Z",
  C: "M1 .04C.9 .01 .78 0 .66 0C.24 0 0 .2 0 .5C0 .8 .24 1 .66 1C.78 1 .9 .99 1 .96V.75C.9 .81 .8 .83 .7 .83"
    + "C.44 .83 .28 .72 .28 .5C.28 .28 .44 .17 .7 .17C.8 .17 .9 .19 1 .25Z",
  G: "M1 .07C.87 .02 .74 0 .6 0C.22 0 0 .2 0 .5C0 .8 .23 1 .62 1C.75 1 .87 .98 .97 .95V.74C.87 .8 .77 .83 .66 .83"
    + "C.41 .83 .26 .71 .26 .5C.26 .28 .41 .17 .63 .17C.68 .17 .72 .17 .76 .19V.39H.57V.56H1Z",
  T: "M0 1H1V.81H.63V0H.37V.81H0Z",
  U: "M0 1V.38C0 .12 .18 0 .5 0C.82 0 1 .12 1 .38V1H.74V.36C.74 .24 .66 .18 .5 .18C.34 .18 .26 .24 .26 .36V1Z",
};
const BLOCK = "M0 0V1H1V0Z";
const OUTLINES = new Map();

/** The steps of a letter's outline in the unit square, y upwards. */
function outline(letter, plain) {
  const text = plain ? BLOCK : (LETTERS[letter] ?? BLOCK);
  if (!OUTLINES.has(text)) {
    OUTLINES.set(text, [...text.matchAll(/([MLHVCZ])([^MLHVCZ]*)/g)].map(([, command, rest]) =>
        [command, rest.trim().split(/[ ,]+/).filter(Boolean).map(Number)]));
  }
  return OUTLINES.get(text);
}

/** The outline placed in a box from (x, foot), so wide and so high; both in pixels, y downwards. */
function placed(steps, x, foot, width, height) {
  let text = "";
  for (const [command, numbers] of steps) {
    text += command;
    numbers.forEach((value, n) => {
      const across = command === "H" || (command !== "V" && n % 2 === 0);
      text += `${n ? " " : ""}${(across ? x + value * width : foot - value * height).toFixed(1)}`;
    });
  }
  return text;
}

/** What part of some positions is seen, and who draws it. */
class Window {
  constructor(total, redraw) {
    Object.assign(this, { total, first: 0, last: total, redraw });
  }
  show(first, last) {
    const least = Math.min(this.total, 10);
    const size = Math.min(this.total, Math.max(least, Math.round(last - first)));
    this.first = Math.round(Math.min(Math.max(0, (first + last - size) / 2), this.total - size));
    this.last = this.first + size;
    this.redraw();
  }
  /** The positions that are seen. */
  get seen() { return Array.from({ length: this.last - this.first }, (_, n) => this.first + n); }
  zoom(factor) {
    const middle = (this.first + this.last) / 2;
    const half = ((this.last - this.first) / 2) * factor;
    this.show(middle - half, middle + half);
  }
  move(share) {
    const size = this.last - this.first;
    const step = Math.max(1, Math.round(size * Math.abs(share))) * Math.sign(share);
    const first = Math.min(Math.max(0, this.first + step), this.total - size);
    this.show(first, first + size);
  }
  /** See so many positions, those whose contributions are the largest together. */
  around(values, size) {
    if (size >= this.total) return;
    let [sum, best, at] = [0, -1, 0];
    for (let n = 0; n < this.total; n++) {
      sum += Math.abs(values[n]) - (n >= size ? Math.abs(values[n - size]) : 0);
      if (n >= size - 1 && sum > best) [best, at] = [sum, n - size + 1];
    }
    Object.assign(this, { first: at, last: at + size });
  }
  key(event) {
    const act = { "+": () => this.zoom(0.5), "=": () => this.zoom(0.5), "-": () => this.zoom(2), ArrowLeft: () => this.move(-0.25),
        ArrowRight: () => this.move(0.25), Home: () => this.show(0, this.total), "0": () => this.show(0, this.total) }[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  }
}

/** A frame with buttons, a readout and plots that share a window; `draw(window, width)` gives the plots.
 * The window is that of the same sample before, or so many positions where values are the largest. */
function zoomable(number, values, size, told, draw) {
  const total = values.length;
  const readout = element("output", { class: "readout" });
  const range = element("span", { class: "range", role: "status" });
  const plots = element("div", { class: "plots", tabindex: 0, role: "group",
      "aria-label": "Zoomable drawing: drag to zoom; keys plus, minus, arrows and Home", keydown: (event) => view.key(event),
    dblclick: () => view.show(0, total) });
  const view = new Window(total, () => {
    const width = Math.max(260, plots.clientWidth);
    zoomable.seen = { number, total, first: view.first, last: view.last };
    plots.replaceChildren(...draw(view, width));
    range.textContent = told(view.first, view.last);
  });
  const button = (text, label, act) => element("button", { type: "button", "aria-label": label, title: label, click: act }, text);
  const bar = element("div", { class: "row controls" },
    button("+", "Zoom in", () => view.zoom(0.5)), button("−", "Zoom out", () => view.zoom(2)),
    button("←", "Move left", () => view.move(-0.5)), button("→", "Move right", () => view.move(0.5)),
    button("all", "Show all positions", () => view.show(0, total)), range, readout);
  const { seen } = zoomable;
  if (seen?.number === number && seen.total === total) Object.assign(view, { first: seen.first, last: seen.last });
  else view.around(values, size);
  new ResizeObserver(() => {
    if (Math.abs(plots.clientWidth - (plots.seen ?? 0)) > 1) { plots.seen = plots.clientWidth; view.redraw(); }
  }).observe(plots);
  return { node: element("div", {}, bar, plots), view, readout };
}

const LEFT = 56;

/** An empty plot with its value axis; positions from the window, values from low to high. */
function plot(view, width, height, low, high, label, name) {
  const inner = width - LEFT - 6;
  const size = inner / (view.last - view.first);
  const x = (position) => LEFT + (position - view.first) * size;
  const y = (value) => 6 + ((high - value) / (high - low || 1)) * (height - 12);
  const svg = drawn("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": name });
  for (const tick of ticks(low, high, height > 120 ? 4 : 2)) {
    svg.append(drawn("path", { class: tick === 0 ? "zero" : "grid", d: `M${LEFT} ${y(tick).toFixed(1)}H${width - 6}` }));
    svg.append(mark(LEFT - 6, y(tick) + 4, short(tick), "end"));
  }
  svg.append(axisName(10, height / 2, label, true));
  return { svg, x, y, size };
}

/** Dragging over a plot zooms to what was dragged over, and the pointer reads values. */
function listen(svg, view, width, read) {
  const at = (event) => {
    const box = svg.getBoundingClientRect();
    const share = ((event.clientX - box.left) * (width / box.width) - LEFT) / (width - LEFT - 6);
    return view.first + Math.min(1, Math.max(0, share)) * (view.last - view.first);
  };
  let start = null;
  const chosen = drawn("rect", { class: "chosen", y: 0, height: "100%", visibility: "hidden" });
  svg.append(chosen);
  svg.addEventListener("pointerdown", (event) => {
    if (event.button === 0) { start = at(event); svg.setPointerCapture(event.pointerId); }
  });
  svg.addEventListener("pointermove", (event) => {
    const now = at(event);
    read(Math.min(view.last - 1, Math.floor(now)));
    if (start === null) return;
    const inner = (width - LEFT - 6) / (view.last - view.first);
    filled(chosen, { x: LEFT + (Math.min(start, now) - view.first) * inner, width: Math.abs(now - start) * inner, visibility: "visible" });
  });
  svg.addEventListener("pointerup", (event) => {
    const [low, high] = [Math.min(start, at(event)), Math.max(start, at(event))];
    const dragged = start !== null && high - low > (view.last - view.first) / 100;
    start = null;
    if (dragged) view.show(Math.floor(low), Math.ceil(high));
    else chosen.setAttribute("visibility", "hidden");
  });
  svg.addEventListener("pointercancel", () => { start = null; chosen.setAttribute("visibility", "hidden"); });
}

/** The axis of positions below the plots. */
function positions(view, width, label, coordinate) {
  const svg = drawn("svg", { width, height: 40, viewBox: `0 0 ${width} 40`, role: "img",
      "aria-label": `${label}: ${short(coordinate(view.first))} to ${short(coordinate(view.last - 1))}` });
  const size = (width - LEFT - 6) / (view.last - view.first);
  const [low, high] = [coordinate(view.first), coordinate(view.last - 1)].sort((a, b) => a - b);
  for (const tick of ticks(low, high, Math.max(3, width / 110))) {
    const offset = Math.abs(tick - coordinate(view.first)) * Math.abs((view.last - 1 - view.first) / (high - low || 1));
    const x = LEFT + (offset + 0.5) * size;
    svg.append(drawn("path", { class: "axis", d: `M${x.toFixed(1)} 0v4` }));
    if (x > LEFT + 10 && x < width - 30) svg.append(mark(x, 16, tick.toLocaleString("en")));
  }
  svg.append(axisName((LEFT + width) / 2, 34, label));
  return svg;
}

/** All positions small, the window marked; clicking moves it. */
function overview(view, width, values) {
  const height = 34;
  const inner = width - LEFT - 6;
  const most = largest(values) || 1;
  let path = "";
  for (let pixel = 0; pixel < inner; pixel++) {
    const from = Math.floor((pixel * view.total) / inner);
    const to = Math.max(from + 1, Math.floor(((pixel + 1) * view.total) / inner));
    const [low, high] = extent(values.slice(from, to));
    const y = (value) => ((1 - value / most) * (height / 2)).toFixed(1);
    path += `M${LEFT + pixel + 0.5} ${y(high)}V${y(low)}`;
  }
  const x = LEFT + (view.first / view.total) * inner;
  const svg = drawn("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", class: "overview",
      "aria-label": "All positions; the frame marks what is seen" },
    drawn("path", { class: "spikes", d: path }),
    drawn("rect", { class: "frame", x, y: 0.5, width: Math.max(2, ((view.last - view.first) / view.total) * inner), height: height - 1 }));
  svg.addEventListener("pointerdown", (event) => {
    const box = svg.getBoundingClientRect();
    const middle = (((event.clientX - box.left) * (width / box.width) - LEFT) / inner) * view.total;
    const half = (view.last - view.first) / 2;
    const first = Math.min(Math.max(0, middle - half), view.total - 2 * half);
    view.show(first, first + 2 * half);
  });
  return svg;
}

/** Letters stacked by size at each position that is seen, one path for each letter. */
function letters(frame, view, heights) {
  const paths = {};
  const plain = frame.size < 3.2;
  for (let position = view.first; position < view.last; position++) {
    const stack = heights(position).filter(([, value]) => value).sort((a, b) => Math.abs(a[1]) - Math.abs(b[1]));
    const top = { 1: 0, "-1": 0 };
    for (const [letter, value] of stack) {
      const sign = Math.sign(value);
      const foot = frame.y(top[sign]);
      top[sign] += value;
      const gap = plain ? 0 : frame.size * 0.04;
      paths[letter] = (paths[letter] ?? "") + placed(outline(letter, plain), frame.x(position) + gap, foot,
          Math.max(0.6, frame.size - 2 * gap), foot - frame.y(top[sign]));
    }
  }
  for (const [letter, d] of Object.entries(paths)) frame.svg.append(drawn("path",
      { class: `letter ${letter in LETTERS ? letter : "other"}`, d }));
}

/** A sequence: contributions as a logo, what every letter would have, and where motifs lie. */
function drawSequence({ content, own, kind, number }) {
  const contributions = own.contributions.values;
  const { hypothetical, spread } = own;
  const text = content.letters ?? "N".repeat(contributions.length);
  const place = data.place?.[number];
  const backwards = place?.[3] === "-";
  const coordinate = (n) => (place ? (backwards ? place[2] - 1 - n : place[1] + n) : n);
  const label = place ? `position on ${place[0]}, from 0${backwards ? ", strand −" : ""}` : "position, from 0";
  const sites = data.motifs?.sites[number] ?? [];
  const told = (n) => `${place ? `${place[0]}:` : ""}${coordinate(n).toLocaleString("en")}`;
  const alphabet = [...kind.alphabet];
  const { node, view, readout } = zoomable(number, contributions, Math.round((byId("drawing").clientWidth || 900) / 7),
    (first, last) => `${told(first)} – ${told(last - 1)}, ${last - first} positions`,
    (view, width) => {
      const ends = (sign) => view.seen.map((n) => contributions[n] + sign * (spread?.values[n] ?? 0));
      const [low, high] = [extent(ends(-1))[0], extent(ends(1))[1]];
      const range = (n) => (spread ? ` ± ${short(spread.values[n])}` : "");
      const read = (n) => { readout.textContent = `${told(n)} ${text[n]} ${signed(contributions[n])}${range(n)}`; };
      const main = plot(view, width, 200, low, low === high ? 1 : high, "contribution",
          `Logo of contributions, ${told(view.first)} to ${told(view.last - 1)}`);
      for (const [motif, start, end, strand] of sites) {
        if (end <= view.first || start >= view.last) continue;
        const name = data.motifs.motifs[motif].name;
        main.svg.append(drawn("rect", { class: "site", x: main.x(Math.max(start, view.first)), y: 0,
            width: (Math.min(end, view.last) - Math.max(start, view.first)) * main.size, height: 200 },
          drawn("title", {}, `${name} ${strand}`)));
        if ((end - start) * main.size > 50) main.svg.append(drawn("text",
            { x: main.x(Math.max(start, view.first)) + 3, y: 12, class: "site-name" },
          `${name.replace("_patterns.pattern_", " ")} ${strand}`));
      }
      letters(main, view, (n) => [[text[n], contributions[n]]]);
      if (spread) {
        const end = (n, sign) => main.y(contributions[n] + sign * spread.values[n]).toFixed(1);
        const bar = (n) => `M${(main.x(n) + main.size / 2).toFixed(1)} ${end(n, -1)}V${end(n, 1)}`;
        main.svg.append(drawn("path", { class: "whisker", d: view.seen.map(bar).join("") }));
      }
      listen(main.svg, view, width, read);
      const plots = [main.svg];
      if (hypothetical) {
        const column = (n) => alphabet.map((letter, channel) => [letter, hypothetical.values[n * alphabet.length + channel]]);
        const stacked = (sign) => view.seen.map((n) =>
            column(n).reduce((sum, [, value]) => sum + (value * sign > 0 ? value : 0), 0));
        const [least, most] = [extent(stacked(-1))[0], extent(stacked(1))[1]];
        const under = plot(view, width, 150, least, most || 1, "hypothetical",
            "Logo of hypothetical contributions: what each letter would have at each position");
        letters(under, view, column);
        const each = (n) => column(n).map(([letter, value]) => `${letter} ${signed(value)}`).join("  ");
        listen(under.svg, view, width, (n) => { readout.textContent = `${told(n)} ${each(n)}`; });
        plots.push(under.svg);
      }
      plots.push(positions(view, width, label, coordinate), overview(view, width, contributions));
      return plots;
    });
  return [node, largestTable([...contributions.keys()], contributions, [["position", (n) => told(n)], ["letter", (n) => text[n]]])];
}

/** Traces of a signal, each above its own zero, coloured by contributions. */
function drawSignal({ content, own, kind, number }) {
  const { values, shape: [channels, total] } = own.contributions;
  const { rate, unit } = kind;
  const strongest = largest(values) || 1;
  const at = (channel, n) => values[channel * total + n];
  const time = (n) => (rate ? n / rate : n);
  const totals = new Float64Array(total);
  values.forEach((value, n) => { totals[n % total] += value; });
  const { node, view, readout } = zoomable(number, totals, total,
    (first, last) => `${short(time(first))} – ${short(time(last - 1))}${rate ? " s" : ""}, ${last - first} points`,
    (view, width) => {
      const plots = [];
      for (let channel = 0; channel < channels; channel++) {
        const trace = content[`trace${channel}`]?.values;
        const shown = trace ?? values.slice(channel * total, (channel + 1) * total);
        const [least, most] = extent(view.seen.map((n) => shown[n]), [Infinity, -Infinity]);
        const room = least === most ? 1 : 0;
        const frame = plot(view, width, channels > 6 ? 72 : 110, least - room, most + room, trace ? unit || "value" : "contribution",
            `${kind.channel[channel]}: contributions as colour behind the trace`);
        const wide = Math.max(1, Math.round(1 / frame.size));
        for (let n = view.first; n < view.last; n += wide) {
          const here = values.slice(channel * total + n, channel * total + Math.min(n + wide, view.last));
          const share = here.reduce((best, each) => (Math.abs(each) > Math.abs(best) ? each : best), 0) / strongest;
          if (Math.abs(share) > 0.02) frame.svg.append(drawn("rect",
              { class: share > 0 ? "up" : "down", "fill-opacity": (0.75 * Math.abs(share)).toFixed(2), x: frame.x(n).toFixed(1), y: 0,
              width: (frame.size * wide + 0.3).toFixed(1), height: "100%" }));
        }
        const points = view.seen.map((n) => `${(frame.x(n) + frame.size / 2).toFixed(1)} ${frame.y(shown[n]).toFixed(1)}`);
        frame.svg.append(drawn("path", { class: "trace", d: `M${points.join("L")}` }),
            drawn("text", { class: "channel", x: LEFT + 6, y: 15 }, kind.channel[channel]));
        listen(frame.svg, view, width, (n) => {
          const value = trace ? `${short(trace[n])} ${unit}, ` : "";
          const where = `${kind.channel[channel]} at ${short(time(n))}${rate ? " s" : ""}`;
          readout.textContent = `${where}: ${value}contribution ${signed(at(channel, n))}`;
        });
        plots.push(frame.svg);
      }
      plots.push(positions(view, width, rate ? "time in s" : "point, from 0", time), overview(view, width, totals));
      return plots;
    });
  return [node, colourBar(strongest), largestTable([...values.keys()], values,
      [["channel", (n) => kind.channel[Math.floor(n / total)]], [rate ? "time in s" : "point", (n) => short(time(n % total))]])];
}
