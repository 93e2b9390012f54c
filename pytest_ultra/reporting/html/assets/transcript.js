// The transcript of an episode, turn by turn, and next to it that of its control, from the first difference on.

const eventView = (event, other) => {
  if (event.kind === "text") return make("p", { class: "message" }, event.text);
  if (event.kind === "attempt") return make("p", { class: "attempt" }, event.text);
  if (event.kind === "note") return make("p", { class: "remark" }, event.text);
  const kind = event.result_kind || "ok";
  const label = {
    ok: null,
    fault: make("span", { class: "label fault" }, "random fault, not charged"),
    error: make("span", { class: "label error" }, "error"),
  }[kind];
  return make(
    "div",
    {},
    event.kind === "search" ? make("span", { class: "label both" }, "searches for tools") : null,
    callView(event.call, other && other.call),
    make(
      "div",
      { class: "result" },
      make(
        "span",
        { class: "arrow" },
        make("span", { class: "unseen" }, "Result: "),
        make("span", { "aria-hidden": "true" }, "→"),
      ),
      make(
        "div",
        {},
        label,
        event.handle ? [make("span", { class: "handle" }, event.handle), " "] : null,
        event.result,
      ),
    ),
  );
};

const turnView = (turn, who, other) =>
  turn
    ? make(
        "div",
        { class: "turn", "data-who": who },
        make("span", { class: "ordinal" }, make("span", { class: "unseen" }, `${who}, turn `), turn.number || "·"),
        make(
          "div",
          { class: "events" },
          turn.events.map((event, at) => eventView(event, other && other.events[at])),
        ),
      )
    : make(
        "div",
        { class: "turn nothing", "data-who": who },
        make("span", { class: "ordinal" }, "–"),
        make("div", {}, "already ended"),
      );

const isSame = (one, other) => Boolean(one && other) && JSON.stringify(one.events) === JSON.stringify(other.events);

const divider = (text) => make("p", { class: "divider" }, text);

/** Return the index of the first turn whose calls or results differ, -1 if there is none. */
const findDifference = (turns, others) => {
  const length = Math.max(turns.length, others.length);
  for (let at = 0; at < length; at += 1) if ((turns[at] || {}).marker !== (others[at] || {}).marker) return at;
  return -1;
};

const transcriptView = (record, episode, control) => {
  const turns = episode.turns || [];
  const others = control ? control.turns || [] : [];
  const differsAt = control ? findDifference(turns, others) : -1;
  const rows = [];
  const length = Math.max(turns.length, others.length);
  for (let at = 0; at < length; at += 1) {
    const turn = turns[at];
    if (turn && record.divergence !== null && turn.number === record.divergence)
      rows.push(divider(`Turn ${turn.number}: here the model left the plan that it was shown`));
    if (at === differsAt) rows.push(divider("The two transcripts differ from here on"));
    if (!control) rows.push(make("div", { class: "pair" }, turnView(turn, "This case")));
    else if (isSame(turn, others[at])) rows.push(make("div", { class: "pair same" }, turnView(turn, "Both")));
    else
      rows.push(
        make("div", { class: "pair" }, turnView(turn, "This case", others[at]), turnView(others[at], "Control", turn)),
      );
  }
  const endView = (shown, who) =>
    make(
      "div",
      { "data-who": who },
      shown.left_out ? `${count(shown.left_out, "further event")} in the journal. ` : null,
      shown.end ? `End: ${shown.end}.` : "No transcript was kept.",
    );
  return make(
    "div",
    { class: control ? "transcript paired" : "transcript" },
    control
      ? make(
          "div",
          { class: "transcript-head" },
          make("span", {}, make("b", {}, "This case"), ` · ${promptWords(record)}`),
          make("span", {}, make("b", {}, "Control"), " · optimal plan, same task, same tool faults"),
        )
      : null,
    rows,
    make(
      "div",
      { class: "transcript-end" },
      control ? [endView(episode, "This case"), endView(control, "Control")] : endView(episode, "This case"),
    ),
  );
};
