// The table of cases with its filters, search, sort order and pages, all of which are in the address.

const COLUMNS = [
  { name: "prompt_type", head: "Case", cell: (record, href) => caseCell(record, href) },
  {
    name: "model",
    head: "Model",
    cell: (record) => make("div", { class: "name" }, breakable(record.model)),
    wrap: true,
    only: (cases) => cases.choices("model").length > 0,
  },
  { name: "run", head: "Run", cell: (record) => record.run, label: true, only: (cases) => Boolean(cases.columns.run) },
  { name: "outcome", head: "Outcome", cell: (record) => [glyph(record.outcome), " ", record.outcome] },
  {
    name: "failure_class",
    head: "Failure class",
    cell: (record) => (record.failure_class ? asWords(record.failure_class) : ""),
    sub: true,
  },
  { name: "coverage", head: "Milestones", number: true, label: true, cell: (record) => percentage(record.coverage) },
  { name: "turns", head: "Turns", number: true, label: true, cell: (record) => record.turns },
  { name: "calls", head: "Calls", number: true, label: true, cell: (record) => record.calls },
  { name: "tokens", head: "Tokens", number: true, label: true, cell: (record) => record.tokens === null ? "\u2013" : grouped.format(record.tokens) },
  {
    name: "cost",
    head: "Cost",
    number: true,
    label: true,
    cell: (record) => dollars(record.cost),
    only: (cases) => cases.columns.cost.some((cost) => cost !== null),
  },
  { name: "duration", head: "Time", number: true, label: true, cell: (record) => seconds(record.duration) },
];

const shortPrompt = (record) => asWords(record.prompt_type.replace(/^flawed_/, ""));

const promptWords = (record) => {
  const words = record.prompt_type.startsWith("flawed_") ? `flawed: ${shortPrompt(record)}` : shortPrompt(record);
  return record.severity ? `${words}, ${record.severity}` : words;
};

const taskWords = (record) => {
  const repeat = record.repeat ? `, repeat\u00a0${record.repeat}` : "";
  return `${asWords(record.task_type)}, ${asWords(record.difficulty)}, instance\u00a0${record.instance}${repeat}`;
};

const caseCell = (record, href) => [
  make("a", { href, "data-row": record.row }, promptWords(record)),
  make(
    "div",
    { class: "sub" },
    taskWords(record),
    record.reused ? [" ", make("span", { class: "tag" }, "reused")] : null,
  ),
];

const SHOWN_VALUES = {
  tool_success_rate: (value) => `${Math.round(1000 * value) / 10}%`,
  reused: (value) => (value === "true" ? "yes" : "no"),
};

class Table {
  constructor(cases, hrefOf) {
    this.cases = cases;
    this.hrefOf = hrefOf;
    this.columns = COLUMNS.filter((column) => !column.only || column.only(cases));
    this.search = new URLSearchParams();
    this.rows = [];
    this.hasFilters = false; // made when they are first shown, since they count all cases
    find("filters").addEventListener("submit", (event) => event.preventDefault());
    find("search").addEventListener("input", () => this.later());
    find("selects").addEventListener("change", () => this.change());
    find("clear").addEventListener("click", () => this.go(new URLSearchParams()));
    find("cases-body").addEventListener("click", (event) => this.open(event));
    if (matchMedia("(max-width: 40rem)").matches) find("filter-fold").open = false;
  }

  makeFilters() {
    this.hasFilters = true;
    for (const [name, label] of Object.entries(FILTERS)) {
      const options = name === "against" ? this.rivalOptions() : this.options(name);
      if (options.length)
        find("selects").append(
          make("label", {}, label, make("select", { name }, make("option", { value: "*" }, "all"), options)),
        );
    }
  }

  options(name) {
    const show = SHOWN_VALUES[name] || asWords;
    return this.cases
      .choices(name)
      .map(([value, n]) =>
        make("option", { value }, `${value === "" ? "none" : show(value)} (${grouped.format(n)})`),
      );
  }

  rivalOptions() {
    return this.cases.rivals.choices().map(({ rival, counts }) =>
      make(
        "optgroup",
        { label: `With ${rivalWords(rival)}` },
        counts.map(([result, n]) =>
          make(
            "option",
            { value: `${result}:${rival}` },
            `${RESULTS[result](rivalWords(rival))} (${grouped.format(n)})`,
          ),
        ),
      ),
    );
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.change(), 120);
  }

  /** Write the state of the controls to the address, and show that view. */
  change() {
    clearTimeout(this.timer);
    const search = new URLSearchParams();
    const words = find("search").value.trim();
    if (words) search.set("q", words);
    for (const select of find("selects").querySelectorAll("select"))
      if (select.value !== "*") search.set(select.name, select.value);
    if (this.search.has("sort")) search.set("sort", this.search.get("sort"));
    this.go(search, true);
  }

  go(search, replace = false) {
    const address = writeAddress("cases", search);
    if (replace) {
      history.replaceState(null, "", address);
      this.show(search);
    } else location.hash = address;
  }

  with(name, value) {
    const search = new URLSearchParams(this.search);
    if (value === null) search.delete(name);
    else search.set(name, value);
    return search;
  }

  open(event) {
    const row = event.target.closest("tr");
    if (row && !event.target.closest("a") && !getSelection().toString()) row.querySelector("a").click();
  }

  /** Show the cases that match a search. */
  show(search) {
    if (!this.hasFilters) this.makeFilters();
    this.search = search;
    this.rows = this.cases.search(search);
    if (find("search").value.trim() !== (search.get("q") || "")) find("search").value = search.get("q") || "";
    for (const select of find("selects").querySelectorAll("select")) {
      select.value = search.has(select.name) ? search.get(select.name) : "*";
      select.classList.toggle("chosen", search.has(select.name));
    }
    this.pages = Math.max(1, Math.ceil(this.rows.length / PAGE_LENGTH));
    this.page = Math.min(Math.max(1, Number.parseInt(search.get("page") || "1", 10) || 1), this.pages);
    this.drawHead();
    this.drawBody();
    this.drawPages();
  }

  drawHead() {
    const sort = this.search.get("sort") || "";
    const heads = this.columns.map((column) => {
      const isSorted = sort.replace(/^-/, "") === column.name;
      const isDescending = isSorted && sort.startsWith("-");
      const next = isSorted ? (isDescending ? null : `-${column.name}`) : column.name;
      const order = isSorted ? (isDescending ? "descending" : "ascending") : null;
      const click = () => {
        this.go(this.with("page", null) && this.sorted(next), true);
        find("cases-head").querySelector(`[data-column="${column.name}"]`).focus();
      };
      return make(
        "th",
        { scope: "col", class: column.number ? "number" : null, "aria-sort": order },
        make("button", { type: "button", "data-column": column.name, onclick: click }, column.head),
      );
    });
    find("cases-head").replaceChildren(...heads);
  }

  sorted(sort) {
    const search = this.with("sort", sort);
    search.delete("page");
    return search;
  }

  drawBody() {
    const shown = this.rows.slice((this.page - 1) * PAGE_LENGTH, this.page * PAGE_LENGTH);
    find("cases-body").replaceChildren(...shown.map((row) => this.drawRow(this.cases.get(row))));
    const all = this.cases.length;
    const summary =
      this.rows.length === all ? count(all, "case") : `${grouped.format(this.rows.length)} of ${count(all, "case")}`;
    if (find("cases-count").textContent !== summary) find("cases-count").textContent = summary;
    find("cases-empty").hidden = this.rows.length > 0;
    find("cases").parentElement.hidden = this.rows.length === 0;
  }

  drawRow(record) {
    const cells = this.columns.map((column, number) => {
      const kinds = [column.number && "number", column.wrap && "wrap", column.sub && "sub"].filter(Boolean).join(" ");
      const content = column.cell(record, number === 0 ? this.hrefOf(record, this.search) : null);
      return make(
        number === 0 ? "th" : "td",
        {
          scope: number === 0 ? "row" : null,
          class: kinds || null,
          title: column.wrap ? record[column.name] : null,
          "data-label": column.label ? column.head.toLowerCase() : null,
        },
        content,
      );
    });
    return make("tr", {}, cells);
  }

  drawPages() {
    const turn = (text, page, rel) =>
      make(
        "button",
        {
          type: "button",
          class: "quiet",
          rel,
          disabled: page < 1 || page > this.pages,
          onclick: () => {
            this.go(this.with("page", page === 1 ? null : page));
          },
        },
        text,
      );
    const place = make("span", {}, `Page ${grouped.format(this.page)} of ${grouped.format(this.pages)}`);
    find("pages").replaceChildren(
      ...(this.pages > 1
        ? [turn("← Previous", this.page - 1, "prev"), place, turn("Next →", this.page + 1, "next")]
        : []),
    );
  }

  /** Return the search with the number of the page that contains its row at position `at`. */
  pageOf(at, search) {
    const paged = new URLSearchParams(search);
    const page = Math.floor(at / PAGE_LENGTH) + 1;
    if (page > 1) paged.set("page", page);
    else paged.delete("page");
    return paged;
  }

  links() {
    return [...find("cases-body").querySelectorAll("a[data-row]")];
  }

  /** Move the focus by a number of rows, or from outside the rows to the first or last one. */
  step(by) {
    const links = this.links();
    const now = links.findIndex((link) => link.closest("tr").contains(document.activeElement));
    const next = now < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(Math.max(now + by, 0), links.length - 1);
    if (links[next]) {
      links[next].focus({ preventScroll: true });
      links[next].closest("tr").scrollIntoView({ block: "nearest" });
    }
  }
}
