const root = document.documentElement;
const grid = document.querySelector("[role=grid]");
const rows = [...grid.querySelectorAll("tr[data-slug]")];
const filters = document.getElementById("filters");
const dialog = document.querySelector("dialog");
const detail = dialog.querySelector(".detail");
const byId = (id) => document.getElementById(id);

/* Light or dark: as the system has it, until somebody wants the other. */

const theme = byId("theme");
const systemIsDark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (root.dataset.theme ?? (systemIsDark.matches ? "dark" : "light")) === "dark";

function showTheme() {
  theme.textContent = isDark() ? "☀ Light" : "☾ Dark";
  theme.setAttribute("aria-label", isDark() ? "Use light colours" : "Use dark colours");
}

function kept(key, value) {
  try { // a browser may refuse to keep anything for a file
    if (value !== undefined) localStorage.setItem(key, value);
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

const chosen = kept("podproof-theme");
if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;
theme.hidden = false;
theme.addEventListener("click", () => {
  root.dataset.theme = isDark() ? "light" : "dark";
  kept("podproof-theme", root.dataset.theme);
  showTheme();
});
systemIsDark.addEventListener("change", showTheme);
showTheme();

/* What is shown is kept behind the # of the address, so that a link shows the same. */

let open = ""; // the cell that is open, "slug@target"

function writeAddress() {
  const state = new URLSearchParams();
  const { subject, q, changed } = filters.elements;
  if (subject.value) state.set("subject", subject.value);
  if (q.value.trim()) state.set("q", q.value.trim());
  if (changed.checked) state.set("changed", "1");
  if (open) state.set("cell", open);
  const hash = state.size ? `#${state}` : " "; // a blank, or the old one would stay
  history.replaceState(null, "", hash === " " ? location.href.split("#")[0] : hash);
}

function readAddress() {
  const state = new URLSearchParams(location.hash.slice(1));
  const { subject, q, changed } = filters.elements;
  subject.value = state.get("subject") ?? "";
  if (subject.selectedIndex < 0) subject.value = "";
  q.value = state.get("q") ?? "";
  changed.checked = state.get("changed") === "1";
  filter();
  const cell = state.get("cell") ?? "";
  if (cell !== open) cell ? show(cell, buttonOf(cell)) : dialog.close();
}

/* Filters. */

function filter() {
  const { subject, q, changed } = filters.elements;
  const words = q.value.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = new Set();
  for (const row of rows) {
    const body = row.parentElement;
    const text = `${row.cells[0].textContent} ${body.dataset.subject} ${row.dataset.also}`.toLowerCase();
    const fits = (!subject.value || body.dataset.subject === subject.value)
      && (!changed.checked || row.hasAttribute("data-changed"))
      && words.every((word) => text.includes(word));
    row.hidden = !fits;
    if (fits) shown.add(row.dataset.slug);
  }
  for (const body of grid.tBodies) {
    body.hidden = [...body.querySelectorAll("tr[data-slug]")].every((row) => row.hidden);
  }
  for (const card of document.querySelectorAll(".cards [data-slug]")) card.hidden = !shown.has(card.dataset.slug);
  byId("shown").textContent = `${shown.size} of ${rows.length} claims shown`;
  byId("all").disabled = shown.size === rows.length;
  keepOneStop();
}

filters.hidden = false;
byId("scriptless").hidden = true;
filters.addEventListener("input", () => { filter(); writeAddress(); });
filters.addEventListener("submit", (event) => event.preventDefault());
byId("all").addEventListener("click", () => {
  filters.reset();
  filter();
  writeAddress();
  filters.elements.subject.focus(); // the button itself cannot be pressed any more
});

/* The grid is one stop for the Tab key; arrows move within it. */

const stopOf = (cell) => cell.querySelector("button") ?? cell;
const stopsOf = (row) => [...row.querySelectorAll("td")].map(stopOf);
const shownRows = () => rows.filter((row) => !row.hidden);

function keepOneStop(wanted) {
  const old = grid.querySelector("td[tabindex='0'], button[tabindex='0']");
  const first = shownRows()[0];
  const stop = wanted ?? (old && !old.closest("tr").hidden ? old : first && stopsOf(first)[0]);
  if (old && old !== stop) old.tabIndex = -1;
  if (stop) stop.tabIndex = 0;
}

grid.addEventListener("focusin", (event) => keepOneStop(stopOf(event.target.closest("td"))));
grid.addEventListener("keydown", (event) => {
  const row = event.target.closest("tr");
  const column = stopsOf(row).indexOf(event.target);
  if (column < 0 || event.altKey || event.metaKey) return;
  const all = shownRows();
  const line = all.indexOf(row);
  const last = stopsOf(row).length - 1;
  const whole = event.ctrlKey;
  const [y, x] = {
    ArrowUp: [line - 1, column],
    ArrowDown: [line + 1, column],
    ArrowLeft: [line, column - 1],
    ArrowRight: [line, column + 1],
    Home: [whole ? 0 : line, 0],
    End: [whole ? all.length - 1 : line, last],
    PageUp: [Math.max(line - 5, 0), column],
    PageDown: [Math.min(line + 5, all.length - 1), column],
  }[event.key] ?? [];
  if (y === undefined) return;
  event.preventDefault();
  const stop = all[y] && stopsOf(all[y])[x];
  if (stop) stop.focus();
});

/* What opens from a cell. It is unpacked once, when the first one is opened. */

let unpacked;

function unpack() {
  unpacked ??= (async () => {
    const bytes = Uint8Array.from(atob(byId("details").textContent), (each) => each.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return JSON.parse(await new Response(stream).text());
  })();
  return unpacked;
}

const cells = [...grid.querySelectorAll("button[data-cell]")];
const targetOf = (button) => button.dataset.cell.slice(button.closest("tr").dataset.slug.length + 1);
const buttonOf = (cell) => cells.find((each) => each.dataset.cell === cell);
let opener; // where the focus goes back to

async function show(cell, from) {
  const button = buttonOf(cell);
  if (!button) return;
  open = cell;
  opener = from;
  const row = button.closest("tr");
  byId("opened").textContent = row.querySelector(".sentence").textContent;
  byId("place").textContent = `${row.parentElement.dataset.subject} · ${targetOf(button)}`;
  for (const [id, step] of [["before", -1], ["after", 1]]) {
    const next = neighbour(step);
    const name = next ? targetOf(next) : "";
    byId(id).disabled = !next;
    byId(id).textContent = step < 0 ? `← ${name}` : `${name} →`;
  }
  detail.textContent = "…";
  if (!dialog.open) dialog.showModal();
  writeAddress();
  let all;
  try {
    all = await unpack();
  } catch (error) {
    detail.textContent = `This browser cannot unpack the details: ${error}`;
    return;
  }
  if (open !== cell) return; // another one was opened meanwhile
  detail.innerHTML = all.cells[cell]; // written and escaped by podproof
  for (const figure of detail.querySelectorAll("[data-timeline]")) {
    const image = new Image();
    image.alt = `Timeline of: ${figure.dataset.title}`;
    // As an image it keeps its style to itself, and runs nothing.
    image.src = `data:image/svg+xml,${encodeURIComponent(all.timelines[figure.dataset.timeline])}`;
    figure.append(image);
  }
  detail.scrollTop = 0;
}

function neighbour(step) {
  const row = cells.filter((each) => each.closest("tr") === buttonOf(open).closest("tr"));
  return row[row.indexOf(buttonOf(open)) + step];
}

function move(step) {
  const next = neighbour(step);
  if (next) show(next.dataset.cell, opener?.dataset.cell ? next : opener);
}

byId("before").addEventListener("click", () => move(-1));
byId("after").addEventListener("click", () => move(1));
byId("close").addEventListener("click", () => dialog.close());
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
dialog.addEventListener("close", () => {
  open = "";
  writeAddress();
  opener?.focus();
});
document.addEventListener("click", (event) => {
  const from = event.target.closest("[data-cell], [data-open]");
  if (!from) return;
  event.preventDefault();
  show(from.dataset.cell ?? from.dataset.open, from);
});

/* Links to sections do not touch the address, which the filters have. */

for (const link of document.querySelectorAll("nav a, .skip")) {
  link.addEventListener("click", (event) => {
    const heading = byId(link.hash.slice(1));
    event.preventDefault();
    heading.scrollIntoView();
    heading.focus({ preventScroll: true });
  });
}

/* Commands to copy. */

for (const button of document.querySelectorAll(".copy")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const commands = button.parentElement.querySelector("pre");
    try {
      await navigator.clipboard.writeText(commands.textContent);
      button.textContent = "Copied";
    } catch { // not allowed: leave it selected
      getSelection().selectAllChildren(commands);
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
}

addEventListener("hashchange", readAddress);
readAddress();
