// What a case is compared with: its control, the same case of another model, or the same case of another run.

const SCORED = new Set(["full", "partial", "failed"]);
const RESULTS = {
  lost: (rival) => `lost to ${rival}`,
  won: (rival) => `won against ${rival}`,
  both: (rival) => `as ${rival}: passed`,
  neither: (rival) => `as ${rival}: missed`,
};

class Rivals {
  constructor(columns) {
    this.columns = columns;
    this.indexes = {};
  }

  /** Return the rows with the same number as a row in a column of numbers. */
  rows(name, row) {
    const column = this.columns[name];
    if (!this.indexes[name]) {
      this.indexes[name] = new Map();
      column.forEach((number, at) => {
        if (!this.indexes[name].has(number)) this.indexes[name].set(number, []);
        this.indexes[name].get(number).push(at);
      });
    }
    return this.indexes[name].get(column[row]);
  }

  /** Return the names of all rivals: "control", "model:NAME", "run:NAME". */
  names() {
    const { prompt_type, model, run, same } = this.columns;
    const models = [...new Set(model)];
    const hasControls = prompt_type.includes("optimal") && prompt_type.some((type) => type !== "optimal");
    return [
      ...(hasControls ? ["control"] : []),
      ...(models.length > 1 ? models.map((name) => `model:${name}`) : []),
      ...(same ? [...new Set(run)].map((name) => `run:${name}`) : []),
    ];
  }

  /** Return the row of a rival, undefined if the case has none. */
  find(row, rival) {
    const { prompt_type, model, run } = this.columns;
    if (rival === "control")
      return prompt_type[row] === "optimal"
        ? undefined
        : this.rows("control", row).find((other) => prompt_type[other] === "optimal");
    const name = rival.slice(rival.indexOf(":") + 1);
    const [column, link] = rival.startsWith("run:") ? [run, "same"] : [model, "peer"];
    if (!column || column[row] === name) return undefined;
    return this.rows(link, row).find((other) => column[other] === name);
  }

  /** Return "won", "lost", "both" or "neither"; null if there is no rival, or either was not scored. */
  result(row, rival) {
    const { outcome } = this.columns;
    const other = this.find(row, rival);
    if (other === undefined || !SCORED.has(outcome[row]) || !SCORED.has(outcome[other])) return null;
    const [isFull, isOtherFull] = [outcome[row] === "full", outcome[other] === "full"];
    if (isFull === isOtherFull) return isFull ? "both" : "neither";
    return isFull ? "won" : "lost";
  }

  /** Return whether a case has the result that a filter such as "lost:control" names. */
  matches(row, filter) {
    const [result, rival] = filter.split(/:(.*)/s);
    return this.result(row, rival || "") === result;
  }

  /** Return the groups of choices of the filter, each with the numbers of cases; only those that occur. */
  choices() {
    return this.names()
      .map((rival) => {
        const counts = new Map(Object.keys(RESULTS).map((result) => [result, 0]));
        for (let row = 0; row < this.columns.id.length; row += 1) {
          const result = this.result(row, rival);
          if (result) counts.set(result, counts.get(result) + 1);
        }
        return { rival, counts: [...counts].filter(([, n]) => n > 0) };
      })
      .filter((group) => group.counts.length > 0);
  }
}

const rivalWords = (rival) =>
  rival === "control" ? "its control" : rival.startsWith("run:") ? `run ${rival.slice(4)}` : rival.slice(6);
