// The filters above the table. The kernel decides what they mean.
const TYPING = 250; // milliseconds without a key until a text is looked for

function make(tag, name, { text = "", ...attributes } = {}, ...children) {
  const node = document.createElement(tag);
  if (name) node.className = `seqdata-explorer-${name}`;
  if (text) node.textContent = text; // never as HTML: names are what somebody else wrote
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

const fillList = (list, choices) =>
  list.replaceChildren(...choices.map(([value]) => make("option", "", { value })));

class Filters {
  constructor(ask, id) {
    this.ask = (message) => ask({ ...message, mark: (this.mark = `${this.self}${(this.asked += 1)}`) });
    Object.assign(this, { controls: {}, asked: 0, self: `${id}-${Math.random()}-` });
    this.lists = { month: make("datalist", "", { id: `${id}-months` }),
                   account: make("datalist", "", { id: `${id}-accounts` }),
                   category: make("datalist", "", { id: `${id}-categories` }) };
    this.node = make("div", "filters", { role: "search", "aria-label": "Filters" });
    // No placeholders: what stands in a field could be taken for its value.
    const typed = (title, list) => make("input", "", { type: "text", title,
      autocomplete: "off", spellcheck: "false", ...(list && { list }) });
    this.add("text", "Search", typed("In names, notes, reasons and ids"));
    this.add("since", "Since (a day)", typed("Such as 2026-10-05, or 2026-10", `${id}-months`));
    this.add("until", "Before (a day)", typed("Not included, such as 2026-11-01", `${id}-months`));
    this.add("account", "Account", typed("Name or id, at either end", `${id}-accounts`));
    for (const name of ["direction", "state", "status", "category"])
      this.add(name, name[0].toUpperCase() + name.slice(1), make("select"));
    const clear = make("button", "clear", { type: "button", text: "Clear" });
    clear.onclick = () => { this.forget(); this.ask({ do: "clear" }); };
    this.node.append(clear, ...Object.values(this.lists));
  }

  add(name, label, control) {
    this.controls[name] = control;
    control.className = `seqdata-explorer-filter seqdata-explorer-filter-${name}`;
    control.onchange = () => this.send(name);
    control.onkeydown = (event) => { if (event.key === "Enter") this.send(name); };
    if (name === "text") control.oninput = () => {
      clearTimeout(this.typing);
      this.typing = setTimeout(() => this.send(name), 250);
    };
    this.node.append(make("label", `field seqdata-explorer-field-${name}`, {},
      make("span", "label", { text: label }), control));
  }

  send(name) {
    if (name === "text") this.forget();
    const value = this.controls[name].value;
    if (value.trim() === (this.sent?.[name] ?? "")) return;
    this.sent = { ...this.sent, [name]: value.trim() };
    this.ask({ do: "filter", changes: { [name]: value } });
  }

  forget() { clearTimeout(this.typing); this.typing = null; }

  flush() { if (this.typing) this.send("text"); }

  offer(options) {
    fillList(this.lists.month, options.month);
    fillList(this.lists.account, options.account);
    fillList(this.lists.category, options.category);
    for (const name of ["direction", "state", "status", "category"]) {
      const control = this.controls[name], chosen = control.value;
      control.replaceChildren(...[["", "All"], ...options[name]].map(
        ([value, text]) => make("option", "", { value, text })));
      this.set(name, chosen);
    }
  }

  set(name, value) {
    const control = this.controls[name];
    if (control.options && ![...control.options].some((option) => option.value === value))
      control.append(make("option", "", { value, text: value, disabled: "" })); // a program's
    control.value = value;
  }

  show(filters, mark) {
    if (mark.startsWith(this.self) && mark !== this.mark) return; // a newer answer is to come
    this.sent = filters;
    for (const [name, value] of Object.entries(filters)) {
      const control = this.controls[name];
      control.removeAttribute("aria-invalid");
      control.classList.toggle("seqdata-explorer-set", value !== "");
      // The service's own word is for programs: shown where one asked for it.
      if (name === "status") control.parentNode.hidden = value === "";
      if (name === "text" && this.typing) continue; // what is being typed is newer
      if (control.value.trim() !== value) this.set(name, value);
    }
  }
}
