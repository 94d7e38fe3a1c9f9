// The activity explorer: filters, sums, table, export and details, over messages to the kernel.
// Joined behind filters.js, grid.js and details.js into one module, without a build.
const COUNT = new Intl.NumberFormat("en-US");
const QUIET = 15e3; // milliseconds without an answer until that is said

let made = 0;

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
    this.details = new Details(ask, id, () => this.closeDetails());
    this.stage = make("div", "stage", {}, this.grid.node, this.details.node);
    this.code = make("div", "code-lines");
    this.node = make("div", "", { role: "region", "aria-label": "Activity explorer" },
      this.filters.node, this.totals, this.error, this.stage, this.foot(), make("details", "code", {},
        make("summary", "", { text: "The same in Python and at a terminal" }), this.code));
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
    else if (message.say === "closed") this.node.replaceChildren(make("div", "", { role: "status", text: message.text }));
    else if (message.version !== this.grid.view.version) return;
    else if (message.say === "details") this.open(message);
    else if (message.say === "exported" || message.say === "noted") this.said.textContent = message.text;
  }

  offer({ columns, options }) {
    if (!this.grid.columns.length) this.grid.setColumns(columns);
    this.filters.offer(options);
  }

  open(details) {
    this.details.show(details);
    this.stage.classList.add("seqdata-explorer-open");
    // Over the table it takes the keyboard; beside it the arrows go on from row to row.
    if (getComputedStyle(this.details.node).position === "absolute") this.details.node.focus({ preventScroll: true });
    this.stage.scrollIntoView({ block: "nearest" });
  }

  show(view) {
    if (!this.grid.show(view)) return; // a newer one is here
    this.error.hidden = true;
    this.hideDetails();
    this.filters.show(view.filters, view.mark);
    this.totals.replaceChildren(...view.totals.map(({ name, label, text }) => {
      const figure = name !== "failed" ? make("dd", "", { text }) : make("dd", "", {},
        make("button", "only-failed", { type: "button", text, title: "Show only these" }));
      if (name === "failed") figure.firstChild.onclick = () => this.filters.ask({ do: "failed" });
      return make("div", `total seqdata-explorer-total-${name}`, {}, make("dt", "", { text: label }), figure);
    }));
    this.code.replaceChildren(...view.code.map(([label, text]) => this.codeLine(label, text)));
  }

  codeLine(label, text) {
    const line = make("code", "", { text }), button = make("button", `copy seqdata-explorer-copy-${label.toLowerCase()}`,
      { type: "button", text: "Copy", "aria-label": `Copy: ${label}` });
    button.onclick = async () => {
      try { await navigator.clipboard.writeText(text); this.said.textContent = `Copied: ${label}.`; }
      catch { getSelection().selectAllChildren(line); this.said.textContent = "Marked: copy it with the keyboard."; }
    };
    return make("div", "code-line", {}, make("span", "label", { text: label }), line, button);
  }

  refuse({ version, text, more, field }) {
    this.said.textContent = "";
    if (version < this.grid.view.version) return;
    const rest = [field && "The table still shows what passed before.", more && `There is: ${more}`];
    this.error.replaceChildren(make("strong", "", { text }),
      ...rest.filter(Boolean).map((line) => make("div", "", { text: line })));
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

  hideDetails() {
    this.details.hide();
    this.stage.classList.remove("seqdata-explorer-open");
  }

  closeDetails() {
    this.hideDetails();
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
