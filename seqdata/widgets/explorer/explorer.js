// The activity explorer: filters, sums, table, export and details, over messages to the kernel.
// Joined behind explorer_filters.js and explorer_grid.js into one module, without a build.
const COUNT = new Intl.NumberFormat("en-US");
const QUIET = 15e3; // milliseconds without an answer until that is said

let made = 0;

class Details {
  constructor(onClose) {
    this.title = make("h3", "details-title");
    this.amount = make("span", "details-amount");
    const close = make("button", "details-close", { type: "button", text: "Close" });
    close.onclick = onClose;
    this.lines = make("dl", "lines");
    this.tables = make("div", "tables");
    this.node = make("section", "details", { "aria-label": "Details of the transfer" },
      make("div", "details-head", { "aria-live": "polite" }, this.title, this.amount, close),
      this.lines, this.tables);
    this.node.hidden = true;
  }

  show({ title, amount, lines, tables }) {
    this.title.textContent = title;
    this.amount.textContent = amount;
    this.lines.replaceChildren(...lines.map(([label, text]) => make("div", "line", {},
      make("dt", "", { text: label }), make("dd", "", { text }))));
    this.tables.replaceChildren(...tables.map((table) => this.table(table)));
    this.node.hidden = false;
  }

  table({ title, columns, rows, note }) {
    const row = (cells, tag) => make("tr", "", {}, ...cells.map((text) => make(tag, "", { text })));
    const part = make("div", "part", {}, make("h4", "", { text: title }));
    if (note) part.append(make("p", "quiet", { text: note }));
    else part.append(make("table", "", { "aria-label": title },
      make("thead", "", {}, row(columns, "th")),
      make("tbody", "", {}, ...rows.map((cells) => row(cells, "td")))));
    return part;
  }

  hide() { this.node.hidden = true; }
}

class Explorer {
  constructor(model, el) {
    this.model = model;
    const id = `seqdata-explorer-${(made += 1)}`;
    const ask = (message) => this.ask(message);
    this.filters = new Filters(ask, id);
    this.totals = make("dl", "totals", { "aria-live": "polite" });
    this.error = make("div", "error", { role: "alert" });
    this.error.hidden = true;
    this.grid = new Grid(ask, id, (first, last, missing) => this.place(first, last, missing));
    this.status = make("span", "status", { text: "Loading…" });
    this.said = make("span", "said", { role: "status" });
    this.details = new Details(() => this.closeDetails());
    this.node = make("div", "", { role: "region", "aria-label": "Activity explorer" },
      this.filters.node, this.totals, this.error, this.grid.node, this.foot(), this.details.node);
    this.node.className = "seqdata-explorer";
    this.node.addEventListener("keydown", (event) => this.key(event));
    el.append(this.node);
    this.receive = (message) => this.answer(message);
    model.on("msg:custom", this.receive);
    this.ask({ do: "open" });
  }

  foot() {
    this.name = make("input", "export-name", { type: "text", "aria-label": "File to export to",
      title: "Ends in .csv or .parquet; in the notebook's folder, unless it says another",
      spellcheck: "false" });
    this.name.value = "activity.csv";
    const button = make("button", "export", { type: "button", text: "Export",
      title: "Write all rows that pass the filters, in this order, to the file" });
    const again = make("button", "refresh", { type: "button", text: "Read again",
      title: "Read the tables again, such as after a sync" });
    button.onclick = () => {
      this.filters.flush();
      this.ask({ do: "export", name: this.name.value });
      this.said.textContent = "Writing…";
    };
    again.onclick = () => { this.status.textContent = "Reading…"; this.ask({ do: "refresh" }); };
    return make("div", "foot", {}, this.status, this.said, again, this.name, button);
  }

  key(event) {
    if (event.key === "Escape" && !this.details.node.hidden) this.closeDetails();
    if (event.key === "Enter" && event.target === this.name)
      this.node.querySelector(".seqdata-explorer-export").click();
    // JupyterLab takes Enter and the arrows for its own, even in a text field; saving it may have.
    if (!((event.ctrlKey || event.metaKey) && event.key === "s")) event.stopPropagation();
  }

  ask(message) {
    this.said.textContent = "";
    clearTimeout(this.quiet);
    this.quiet = setTimeout(() => {
      this.status.textContent = "The kernel is busy or gone: no answer yet.";
    }, QUIET);
    this.model.send(message);
  }

  answer(message) {
    clearTimeout(this.quiet);
    if (message.say === "options") this.offer(message);
    else if (message.say === "view") this.show(message);
    else if (message.say === "rows") this.grid.receive(message);
    else if (message.say === "error") this.refuse(message);
    else if (message.version !== this.grid.view.version) return;
    else if (message.say === "details") this.details.show(message);
    else if (message.say === "exported") this.said.textContent = message.text;
  }

  offer({ columns, options }) {
    if (!this.grid.columns.length) this.grid.setColumns(columns);
    this.filters.offer(options);
  }

  show(view) {
    if (!this.grid.show(view)) return; // a newer one is here
    this.error.hidden = true;
    this.details.hide();
    this.filters.show(view.filters, view.mark);
    this.totals.replaceChildren(...view.totals.map(({ name, label, text }) =>
      make("div", `total seqdata-explorer-total-${name}`, {},
        make("dt", "", { text: label }), make("dd", "", { text }))));
  }

  refuse({ version, text, field }) {
    this.said.textContent = "";
    if (version < this.grid.view.version) return;
    this.error.textContent = field ? `${text} The table still shows what passed before.` : text;
    this.error.hidden = false;
    this.filters.controls[field]?.setAttribute("aria-invalid", "true");
    this.grid.draw();
  }

  place(first, last, missing) {
    const { count, all } = this.grid.view;
    const rows = `${COUNT.format(first)}–${COUNT.format(last)} of ${COUNT.format(count)}`;
    const more = count < all ? ` (${COUNT.format(all)} in all)` : "";
    this.status.textContent = count ? `Showing rows ${rows}${more}${missing ? ", loading…" : ""}`
      : `No rows${more}`;
  }

  closeDetails() {
    this.details.hide();
    this.grid.node.focus({ preventScroll: true });
  }

  close() {
    clearTimeout(this.quiet);
    clearTimeout(this.grid.waiting);
    this.filters.forget();
    this.grid.sizes.disconnect();
    this.model.off("msg:custom", this.receive);
  }
}

export default {
  render({ model, el }) {
    const explorer = new Explorer(model, el);
    return () => explorer.close();
  },
};
