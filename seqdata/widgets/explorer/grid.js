// The table. It holds a few pages of rows; the kernel has them all.
const PAGE = 200; // rows that are asked for at once
const KEPT = 40; // pages on either side of the shown one
const TALLEST = 5e6; // pixels; browsers cannot scroll much more than 17 million

class Grid {
  constructor(ask, id, onPlace) {
    Object.assign(this, { ask, id, onPlace, pages: new Map(), pending: new Set(), pool: [] });
    Object.assign(this, { columns: [], view: { version: -1, count: 0 }, top: 0, active: -1, row: 30 });
    this.head = make("div", "head seqdata-explorer-row", { role: "row", "aria-rowindex": 1 });
    this.body = make("div", "body", { role: "rowgroup" });
    this.empty = make("div", "empty", { text: "Waiting for the kernel. If nothing appears, " +
      "run the cell again." });
    this.pane = make("div", "pane", { role: "presentation" }, 
      make("div", "headgroup", { role: "rowgroup" }, this.head),
      make("div", "window", { role: "presentation" }, this.body, this.empty));
    this.spacer = make("div", "spacer", { role: "presentation" });
    this.node = make("div", "grid", { role: "grid", tabindex: 0, "aria-readonly": "true",
      "aria-label": "Transfers. Arrow keys move, Enter shows details." }, this.pane, this.spacer);
    this.node.onscroll = () => this.scrolled();
    this.node.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.node.onkeydown = (event) => this.key(event);
    this.body.onclick = (event) => {
      const row = event.target.closest("[data-row]");
      if (row) this.open(Number(row.dataset.row));
    };
    this.sizes = new ResizeObserver(() => this.measure());
    this.sizes.observe(this.node);
  }

  setColumns(columns) {
    this.columns = columns;
    this.node.setAttribute("aria-colcount", columns.length);
    this.head.replaceChildren(...columns.map(({ key, label }) => {
      const button = make("button", `sort seqdata-explorer-sort-${key}`, { type: "button", text: label });
      button.onclick = () => this.sortBy(key);
      return make("div", `cell seqdata-explorer-cell-${key}`, { role: "columnheader",
        "aria-colindex": columns.findIndex((one) => one.key === key) + 1 }, button);
    }));
  }

  sortBy(key) {
    const { column, descending } = this.view.sort ?? {};
    const first = key === "created_at" || key === "amount"; // newest and largest come first
    this.ask({ do: "sort", column: key, descending: key === column ? !descending : first });
  }

  show(view) {
    if (view.version < this.view.version) return false;
    const same = this.view.sort && JSON.stringify([this.view.filters, this.view.sort]) ===
      JSON.stringify([view.filters, view.sort]);
    this.view = view;
    this.pages.clear();
    this.pending.clear();
    this.keep(0, view.rows);
    if (!same) { this.active = -1; this.top = 0; }
    this.active = Math.min(this.active, view.count - 1);
    this.node.setAttribute("aria-rowcount", view.count + 1);
    this.columns.forEach(({ key }, at) => {
      const way = key !== view.sort.column ? "none" : view.sort.descending ? "descending" : "ascending";
      this.head.children[at].setAttribute("aria-sort", way);
    });
    this.empty.textContent = view.empty;
    this.measure();
    return true;
  }

  keep(start, rows) {
    for (let at = 0; at < rows.length; at += PAGE)
      this.pages.set((start + at) / PAGE, rows.slice(at, at + PAGE));
  }

  receive({ version, start, rows }) {
    if (version !== this.view.version) return; // an answer that is no longer wanted
    this.pending.delete(start / PAGE);
    this.keep(start, rows);
    this.draw();
  }

  measure() {
    const height = this.node.clientHeight, head = this.head.offsetHeight;
    if (!height || !this.columns.length) return;
    const first = this.rowNode(0), was = first.hidden;
    first.hidden = false; // the stylesheet says how tall a row is, by the width and the font
    this.row = first.getBoundingClientRect().height || this.row;
    first.hidden = was;
    this.fits = Math.max(1, (height - head) / this.row);
    this.pane.style.height = `${height}px`;
    this.spacer.style.height = `${Math.max(0,
      Math.min(this.view.count * this.row, TALLEST) + head - height)}px`;
    this.goTo(this.top);
  }

  get last() { return Math.max(0, this.view.count - this.fits); }

  get range() { return this.node.scrollHeight - this.node.clientHeight; }

  goTo(top) {
    this.top = Math.min(Math.max(0, top), this.last);
    this.node.scrollTop = this.last ? (this.top / this.last) * this.range : 0;
    this.placed = this.node.scrollTop; // rounded by the browser
    this.draw();
  }

  scrolled() {
    if (Math.abs(this.node.scrollTop - this.placed) < 1) return;
    this.placed = this.node.scrollTop;
    this.top = this.range > 0 ? (this.placed / this.range) * this.last : 0;
    this.draw();
  }

  wheel(event) { // of a table too tall for the browser, whose own steps would skip rows
    if (this.view.count * this.row <= TALLEST || event.shiftKey || event.ctrlKey) return;
    const step = event.deltaMode === 0 ? event.deltaY / this.row : event.deltaY;
    if ((step < 0 && this.top <= 0) || (step > 0 && this.top >= this.last)) return;
    event.preventDefault();
    this.goTo(this.top + step);
  }

  key(event) {
    if (event.target !== this.node || event.altKey || event.ctrlKey || event.metaKey) return;
    const many = Math.max(1, Math.floor(this.fits) - 1), here = this.active;
    const to = { ArrowDown: here + 1, ArrowUp: Math.max(0, here - 1), Home: 0, PageDown: here + many,
      PageUp: Math.max(0, here - many), End: this.view.count - 1 }[event.key];
    if (to !== undefined) this.activate(to);
    else if ((event.key === "Enter" || event.key === " ") && here >= 0) this.open(here);
    else return;
    event.preventDefault();
  }

  activate(row) {
    if (!this.view.count) return;
    this.active = Math.min(Math.max(0, row), this.view.count - 1);
    const lowest = this.active + 1 - Math.floor(this.fits);
    this.goTo(this.active < this.top ? this.active : Math.max(this.top, lowest));
  }

  open(row) {
    this.activate(row);
    this.ask({ do: "details", version: this.view.version, row: this.active });
  }

  rowNode(at) {
    while (this.pool.length <= at) {
      const cells = this.columns.map(({ key }, at) =>
        make("div", `cell seqdata-explorer-cell-${key}`, { role: "gridcell", "aria-colindex": at + 1 }));
      this.pool.push(make("div", "row", { role: "row" }, ...cells));
      this.body.append(this.pool.at(-1));
    }
    return this.pool[at];
  }

  draw() {
    if (!this.fits || !this.columns.length) return;
    const first = Math.floor(this.top), shown = Math.min(Math.ceil(this.fits) + 1, this.view.count - first);
    let missing = false;
    for (let at = 0; at < Math.max(shown, this.pool.length); at += 1) {
      const node = this.rowNode(at), row = first + at;
      node.hidden = at >= shown;
      if (node.hidden) { node.removeAttribute("id"); continue; }
      const cells = this.pages.get(Math.floor(row / PAGE))?.[row % PAGE];
      missing ||= !cells;
      node.id = `${this.id}-row-${row}`;
      node.dataset.row = row;
      node.setAttribute("aria-rowindex", row + 2);
      node.setAttribute("aria-selected", row === this.active);
      const marks = (cells?.at(-1) ?? "loading").split(" ").map((mark) => ` seqdata-explorer-${mark}`);
      node.className = `seqdata-explorer-row${marks.join("")}${row % 2 ? " seqdata-explorer-odd" : ""}`;
      [...node.children].forEach((cell, place) => {
        const text = cells ? cells[place] : "…";
        if (cell.textContent !== text) { cell.textContent = text; cell.title = text; }
      });
    }
    this.body.style.transform = `translateY(${-(this.top - first) * this.row}px)`;
    this.empty.hidden = this.view.count > 0;
    this.node.setAttribute("aria-busy", missing);
    if (this.active >= 0) this.node.setAttribute("aria-activedescendant", `${this.id}-row-${this.active}`);
    else this.node.removeAttribute("aria-activedescendant");
    this.onPlace(first + 1, Math.min(this.view.count, Math.floor(this.top + this.fits + 0.01)), missing);
    clearTimeout(this.waiting);
    if (missing) this.waiting = setTimeout(() => this.fetch(), 60); // not while it still scrolls
  }

  fetch() {
    const first = Math.floor(this.top / PAGE), last = Math.floor((this.top + this.fits) / PAGE);
    for (const page of this.pages.keys())
      if (page < first - KEPT || page > last + KEPT) this.pages.delete(page);
    for (let page = first; page <= last; page += 1) {
      if (this.pages.has(page) || this.pending.has(page)) continue;
      this.pending.add(page);
      setTimeout(() => { if (this.pending.delete(page)) this.draw(); }, 5000); // ask again
      this.ask({ do: "rows", version: this.view.version, start: page * PAGE, stop: (page + 1) * PAGE });
    }
  }
}
