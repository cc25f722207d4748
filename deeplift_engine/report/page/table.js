// The table of samples: search, order and pages.

const PER_PAGE = 25;
const list = { order: data.names.map((_, n) => n), shown: [], page: 0, by: null, down: false };

/** The columns of the view that is chosen: names, what is known, and sums. */
function columnsOf(view) {
  const sums = { total: "sum of contributions", target_delta: "target's difference", convergence_delta: "delta",
      relative_error: "relative error" };
  return [{ name: "sample", values: data.names, numeric: false }, ...data.columns,
    ...Object.entries(sums).filter(([key]) => view.sums[key]).map(([key, name]) => ({ name, values: view.sums[key], numeric: true }))];
}

const COMPARE = { ">": (a, b) => a > b, "<": (a, b) => a < b, ">=": (a, b) => a >= b, "<=": (a, b) => a <= b, "=": (a, b) => a === b };

/** What a search means: words in any text, or a column compared with a number. */
function matcher(text, columns) {
  const terms = text.trim().toLowerCase().match(/\S+\s*(?:>=|<=|>|<|=)\s*-?[\d.e+-]+|\S+/g) ?? [];
  const tests = terms.map((term) => {
    const parts = term.match(/^(.+?)\s*(>=|<=|>|<|=)\s*(-?[\d.e+-]+)$/);
    const column = parts && columns.find(({ name, numeric }) => numeric && name.toLowerCase().includes(parts[1]));
    if (column) return (n) => column.values[n] !== null && COMPARE[parts[2]](column.values[n], Number(parts[3]));
    return (n) => columns.some(({ values, numeric }) => !numeric && String(values[n]).toLowerCase().includes(term));
  });
  return (n) => tests.every((test) => test(n));
}

function compared(column) {
  const { values, numeric } = column;
  if (!numeric) return (a, b) => String(values[a]).localeCompare(String(values[b]), "en", { numeric: true });
  return (a, b) => (values[a] ?? -Infinity) - (values[b] ?? -Infinity);
}

/** Search and order anew, and show the page. */
function refreshTable() {
  const columns = columnsOf(data.views[chosen.view]);
  list.shown = list.order.filter(matcher(byId("search").value, columns));
  const by = columns.find(({ name }) => name === list.by);
  if (by) list.shown.sort((a, b) => compared(by)(a, b) * (list.down ? -1 : 1) || a - b);
  const pages = Math.max(1, Math.ceil(list.shown.length / PER_PAGE));
  list.page = Math.min(list.page, pages - 1);
  const sortBy = (name, place) => {
    list.down = list.by === name && !list.down;
    list.by = name;
    refreshTable();
    byId("table").querySelectorAll("th button")[place].focus();
  };
  const order = (name) => (name !== list.by ? "none" : list.down ? "descending" : "ascending");
  const heading = ({ name, about, numeric: isNumber }, place) => element("th",
    { scope: "col", "aria-sort": order(name), class: isNumber ? "number" : null },
    element("button", { type: "button", title: about || null, click: () => sortBy(name, place) }, name));
  const cell = (column, n) => (column.numeric ? element("td", { class: "number" }, numeric(column.values[n]))
      : element("td", {}, String(column.values[n])));
  const seen = list.shown.slice(list.page * PER_PAGE, (list.page + 1) * PER_PAGE);
  const rows = seen.map((n) => element("tr", { "data-sample": n, "aria-current": n === chosen.sample ? "true" : null },
    element("th", { scope: "row" }, element("button", { type: "button", class: "open", click: () => openSample(n, true) }, data.names[n])),
    columns.slice(1).map((column) => cell(column, n))));
  byId("table").tHead.replaceChildren(element("tr", {}, columns.map(heading)));
  byId("table").tBodies[0].replaceChildren(...rows);
  byId("matches").textContent = `${list.shown.length.toLocaleString("en")} of ${list.order.length.toLocaleString("en")} samples`;
  byId("page-number").textContent = `page ${list.page + 1} of ${pages}`;
  byId("previous-page").disabled = list.page === 0;
  byId("next-page").disabled = list.page >= pages - 1;
  byId("pager").hidden = pages === 1;
}
