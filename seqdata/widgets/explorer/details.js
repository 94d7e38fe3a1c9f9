// All about one transfer, beside the table or over it, and its category to set.
class Details {
  constructor(ask, id, onClose) {
    Object.assign(this, { ask, id });
    this.title = make("h3", "details-title");
    this.amount = make("span", "details-amount");
    const close = make("button", "details-close", { type: "button", text: "Close" });
    close.onclick = onClose;
    this.own = make("div", "own");
    this.lines = make("dl", "lines");
    this.tables = make("div", "tables");
    this.node = make("section", "details", { "aria-label": "Details of the transfer", tabindex: -1 },
      make("div", "details-head", { "aria-live": "polite" }, this.title, this.amount, close),
      this.own, this.lines, this.tables);
    this.node.hidden = true;
  }

  show({ version, row, title, amount, lines, tables, own }) {
    this.at = { version, row };
    this.title.textContent = title;
    this.amount.textContent = amount;
    this.own.replaceChildren(...(own ? this.form(own) : []));
    this.lines.replaceChildren(...lines.map(([label, text]) => make("div", "line", {},
      make("dt", "", { text: label }), make("dd", "", { text }))));
    this.tables.replaceChildren(...tables.map((table) => this.table(table)));
    this.node.hidden = false;
    this.node.scrollTop = 0;
  }

  form({ category, is_own, whole }) {
    const name = this.input("Category", category), save = this.button("Save", "own-save");
    save.onclick = () => this.note({ category: name.control.value });
    name.control.onkeydown = (event) => { if (event.key === "Enter") save.click(); };
    const split = this.button("Split…", "own-split"), row = make("div", "own-row", {}, name, save);
    const parts = make("div", "own-parts");
    parts.hidden = true;
    split.onclick = () => { parts.hidden = false; split.hidden = true; this.split(parts, category, whole); };
    if (whole !== null) row.append(split);
    if (is_own) {
      const away = this.button("Take mine away", "own-away");
      away.onclick = () => this.note({ category: "" });
      row.append(away);
    }
    return [row, parts];
  }

  split(parts, category, whole) {
    const left = make("span", "own-left", { role: "status" }), rows = [];
    const count = () => {
      const cents = rows.map(({ amount }) => Math.round(Number(amount.control.value.replace(/[$,]/g, "")) * 100));
      const rest = cents.some(Number.isNaN) ? NaN : Math.abs(whole) - cents.reduce((a, b) => a + b, 0);
      left.textContent = Number.isNaN(rest) ? "Amounts such as 12.34" :
        rest === 0 ? "The parts add up" : `${rest > 0 ? "Left" : "Too much"}: $${(Math.abs(rest) / 100).toFixed(2)}`;
    };
    const list = make("div", "own-list"), add = (value, cents) => {
      const amount = this.input("Amount", cents), name = this.input("Category", value);
      amount.control.oninput = count;
      rows.push({ name, amount });
      list.append(make("div", "own-row", {}, name, amount));
      count();
    };
    add(category, (Math.abs(whole) / 100).toFixed(2));
    add("", "0.00");
    const more = this.button("Another part", "own-more"), save = this.button("Save the split", "own-split-save");
    const whole_again = this.button("In one piece again", "own-whole");
    more.onclick = () => add("", "0.00");
    save.onclick = () => this.note({ split: rows.map(({ name, amount }) => [name.control.value, amount.control.value]) });
    whole_again.onclick = () => this.note({ split: [] });
    parts.append(list, left, make("div", "own-row", {}, more, save, whole_again));
    rows[1].name.control.focus();
  }

  input(label, value) {
    const control = make("input", "", { type: "text", autocomplete: "off", spellcheck: "false",
      ...(label === "Category" && { list: `${this.id}-categories` }) });
    control.value = value;
    return make("label", "field", {}, make("span", "label", { text: label }), control);
  }

  button(text, name) { return make("button", name, { type: "button", text }); }

  note(what) { this.ask({ do: "annotate", ...this.at, ...what }); }

  table({ title, columns, rows, note }) {
    const row = (cells, tag) => make("tr", "", {}, ...cells.map((text, at) =>
      make(tag, "", { text, "data-label": columns[at] })));
    const part = make("div", "part", {}, make("h4", "", { text: title }));
    if (note) part.append(make("p", "quiet", { text: note }));
    else part.append(make("table", "", { "aria-label": title },
      make("thead", "", {}, row(columns, "th")),
      make("tbody", "", {}, ...rows.map((cells) => row(cells, "td")))));
    return part;
  }

  hide() { this.node.hidden = true; }
}
