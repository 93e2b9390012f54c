// The cases of a run, searched and sorted. This file does not touch the page.

const FILTERS = {
  run: "Run",
  outcome: "Outcome",
  model: "Model",
  prompt_type: "Prompt type",
  severity: "Severity",
  visibility: "Visibility",
  failure_class: "Failure class",
  cause: "Cause",
  task_type: "Task type",
  difficulty: "Difficulty",
  tool_success_rate: "Tool success rate",
  fault_kind: "Faults",
  met: "Met a fault",
  against: "Compared",
  prompt_variant: "Prompt variant",
  protocol: "Protocol",
  versions: "Versions",
  reused: "Reused",
  worker: "Worker",
};
const SEARCHED = ["nodeid", "id", "model", "prompt_type", "task_type", "outcome", "failure_class", "error"];
const OUTCOME_ORDER = ["full", "partial", "failed", "error", "skipped"];
const PAGE_LENGTH = 100;

/** Decode the columns that are encoded as distinct values and codes. */
const decodeColumns = (columns) => {
  const decoded = {};
  for (const [name, { values, codes }] of Object.entries(columns))
    decoded[name] = codes ? codes.map((code) => values[code]) : values;
  return decoded;
};

class Cases {
  constructor(columns) {
    this.columns = decodeColumns(columns);
    this.length = this.columns.id.length;
    this.byId = new Map(this.columns.id.map((id, row) => [id, row]));
    this.texts = new Array(this.length);
    this.rivals = new Rivals(this.columns);
  }

  get(row) {
    const record = { row };
    for (const name in this.columns) record[name] = this.columns[name][row];
    return record;
  }

  find(id) {
    return this.byId.get(id);
  }

  /** Return the row of a case's control, undefined if there is none or the case is a control. */
  control(row) {
    return this.rivals.find(row, "control");
  }

  /** Return whether a row has one of the values of a filter. */
  matches(row, name, values) {
    if (name === "against") return values.some((value) => this.rivals.matches(row, value));
    const value = String(this.columns[name][row] ?? "");
    if (name === "met") return values.some((kind) => (kind ? value.split("+").includes(kind) : value === ""));
    return values.includes(value);
  }

  /** Return the rows that match a search, in its sort order. */
  search(search) {
    const filters = Object.keys(FILTERS)
      .filter((name) => search.has(name) && (name === "against" || this.columns[name]))
      .map((name) => [name, search.getAll(name)]);
    const terms = (search.get("q") || "").toLowerCase().split(/\s+/).filter(Boolean);
    const rows = [];
    for (let row = 0; row < this.length; row += 1) {
      if (
        filters.every(([name, values]) => this.matches(row, name, values)) &&
        terms.every((term) => this.text(row).includes(term))
      )
        rows.push(row);
    }
    return this.sort(rows, search.get("sort"));
  }

  text(row) {
    if (this.texts[row] === undefined)
      this.texts[row] =
        SEARCHED.map((name) => this.columns[name][row] ?? "")
          .join("\n")
          .toLowerCase() +
        `\n${asWords(this.columns.prompt_type[row])}\n${(this.columns.words || [])[row] || ""}`.toLowerCase();
    return this.texts[row];
  }

  sort(rows, sort) {
    if (!sort) return rows;
    const isDescending = sort.startsWith("-");
    const name = sort.replace(/^-/, "");
    const column = this.columns[name];
    if (!column) return rows;
    const rank = name === "outcome" ? (value) => OUTCOME_ORDER.indexOf(value) : (value) => value;
    const compare = (first, second) => {
      const [one, other] = [rank(column[first]), rank(column[second])];
      if (one === other) return first - second;
      if (one === null) return 1; // not measured: last in either direction
      if (other === null) return -1;
      return one < other === isDescending ? 1 : -1;
    };
    return rows.sort(compare);
  }

  /** Return the values of a filter with their numbers of cases, empty if all cases have one value or none. */
  choices(name) {
    if (!this.columns[name]) return [];
    const counts = new Map();
    for (const value of this.columns[name])
      for (const text of name === "met" ? value.split("+") : [String(value ?? "")])
        counts.set(text, (counts.get(text) || 0) + 1);
    const isUseful = ["failure_class", "met", "visibility"].includes(name) || counts.size > 2 || !counts.has("");
    return counts.size > 1 && isUseful ? [...counts].sort(([one], [other]) => (one < other ? -1 : 1)) : [];
  }
}
