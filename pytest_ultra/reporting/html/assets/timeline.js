// The timeline of an episode: when each turn's requests ran, the waits between them, its tools, tokens and cost.

const MARKS = { ok: ["•", "call"], fault: ["◐", "random fault"], error: ["×", "error"] };

const toolMarks = (turn) =>
  turn.events
    .filter((event) => event.call)
    .map((event) => {
      const [sign, words] = MARKS[event.result_kind || "ok"];
      return make("span", { class: `mark-${event.result_kind || "ok"}`, title: `${event.call.tool}: ${words}` }, sign);
    });

const toolWords = (turn) => {
  const kinds = turn.events.filter((event) => event.call).map((event) => event.result_kind || "ok");
  const number = (kind) => kinds.filter((other) => other === kind).length;
  return [
    count(kinds.length, "call"),
    number("fault") ? count(number("fault"), "random fault") : null,
    number("error") ? count(number("error"), "error") : null,
  ]
    .filter(Boolean)
    .join(", ");
};

const svg = (tag, attributes, ...children) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};

/** Draw a turn on the scale of the whole episode: its requests, then its waits. */
const turnBar = (start, turn, total) => {
  const at = (value) => `${((100 * value) / total).toFixed(2)}%`;
  const part = (kind, from, length) => svg("rect", { class: kind, x: at(from), width: at(length), height: "100%" });
  const spent = turn.model_s || 0;
  const waited = turn.wait_s || 0;
  return svg(
    "svg",
    { class: "span-bar", "aria-hidden": "true", focusable: "false" },
    part("model", start, Math.max(spent, total / 250)),
    ...(waited ? [part("wait", start + spent, waited)] : []),
  );
};

const sum = (values) => values.reduce((total, value) => total + value, 0);

const timelineBlock = (episode) => {
  const turns = episode.turns || [];
  const total = sum(turns.map((turn) => (turn.model_s || 0) + (turn.wait_s || 0)));
  const hasTokens = turns.some((turn) => turn.tokens);
  if (!turns.length || (!total && !hasTokens)) return null;
  const hasCost = turns.some((turn) => turn.cost !== undefined && turn.cost !== null);
  const hasWaits = turns.some((turn) => turn.wait_s || turn.retries);
  const waits = (turn) =>
    [turn.retries ? count(turn.retries, "failed request") : null, turn.wait_s ? seconds(turn.wait_s) : null]
      .filter(Boolean)
      .join(", ");
  let start = 0;
  const line = (turn) => {
    const bar = total ? turnBar(start, turn, total) : null;
    start += (turn.model_s || 0) + (turn.wait_s || 0);
    const [prompt, completion] = turn.tokens || [null, null];
    const cell = (text) => make("td", { class: "number" }, text);
    return make(
      "tr",
      {},
      make(
        "th",
        { scope: "row" },
        make("button", { type: "button", class: "link", onclick: () => goToTurn(turn.number) }, `Turn ${turn.number}`),
      ),
      total ? make("td", { class: "chart" }, bar) : null,
      total ? cell(seconds(turn.model_s || 0)) : null,
      hasWaits ? make("td", { class: "wait-words" }, waits(turn)) : null,
      make(
        "td",
        { class: "marks" },
        make("span", { "aria-hidden": "true" }, toolMarks(turn)),
        make("span", { class: "unseen" }, toolWords(turn)),
      ),
      hasTokens ? cell(prompt === null ? "-" : grouped.format(prompt)) : null,
      hasTokens ? cell(completion === null ? "-" : grouped.format(completion)) : null,
      hasCost ? cell(turn.cost === undefined ? "-" : dollars(turn.cost)) : null,
    );
  };
  const head = (text, kind) => make("th", { scope: "col", class: kind }, text);
  const table = make(
    "table",
    { class: "figures timeline" },
    make("caption", { class: "unseen" }, "Turns of this case with their time, tools and tokens"),
    make(
      "thead",
      {},
      make(
        "tr",
        {},
        head("Turn"),
        total ? head(make("span", { class: "unseen" }, "Chart"), "chart") : null,
        total ? head("Model", "number") : null,
        hasWaits ? head("Retries, waits") : null,
        head("Tools"),
        hasTokens ? head("Prompt", "number") : null,
        hasTokens ? head("Reply", "number") : null,
        hasCost ? head("Cost", "number") : null,
      ),
    ),
    make("tbody", {}, turns.map(line)),
  );
  return block(
    "Timeline",
    "time, tools, tokens and cost per turn",
    make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Timeline" }, table),
    make(
      "p",
      { class: "footnote" },
      "• a tool call, ◐ with a random fault, × with an error. Prompt and reply are in tokens.",
      hasWaits ? " The yellow part of a bar is the wait before the next request." : "",
    ),
  );
};

const goToTurn = (number) => {
  const turn = document.querySelector(`.transcript [data-turn="${number}"]`);
  if (turn) turn.scrollIntoView({ block: "center" });
};
