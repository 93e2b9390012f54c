// All episodes of a task as a grid of outcomes: a line for each prompt type, a column for each model and run.

const columnName = (record) => (record.run ? `${record.model} (run ${record.run})` : record.model);

/** Describe an episode beside others of its task. */
const episodeWords = (record) =>
  [
    promptWords(record),
    cases.choices("model").length ? record.model : null,
    record.repeat ? `repeat ${record.repeat}` : null,
    record.run ? `run ${record.run}` : null,
  ]
    .filter(Boolean)
    .join(", ");

const gridView = (record, others, href) => {
  if (others.length < 2) return null;
  const columns = [...new Set(others.map(columnName))];
  const lines = [...new Set(others.map(promptWords))];
  const link = (other) =>
    make(
      "a",
      { href: href(other), "aria-current": other.row === record.row ? "page" : null },
      glyph(other.outcome),
      " ",
      other.outcome,
      other.repeat ? make("span", { class: "quiet-text" }, ` ${other.repeat}`) : null,
    );
  const cell = (line, column) =>
    make("td", {}, others.filter((o) => promptWords(o) === line && columnName(o) === column).map(link));
  return block(
    "The same task",
    "every prompt type and model; select an outcome to open its case",
    make(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": "Outcomes of the same task" },
      make(
        "table",
        { class: "figures outcome-grid" },
        make("caption", { class: "unseen" }, "Outcomes of the same task by prompt type and model"),
        make(
          "thead",
          {},
          make(
            "tr",
            {},
            make("th", { scope: "col" }, "Prompt type"),
            columns.map((name) => make("th", { scope: "col", class: "model" }, name)),
          ),
        ),
        make(
          "tbody",
          {},
          lines.map((line) =>
            make(
              "tr",
              {},
              make("th", { scope: "row" }, line),
              columns.map((column) => cell(line, column)),
            ),
          ),
        ),
      ),
    ),
  );
};
