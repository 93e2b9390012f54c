// The transcript of an episode, turn by turn, and beside it its control's from where the two part.

const eventView = (event, other) => {
  if (event.kind === "says") return make("p", { class: "says" }, event.text);
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
    event.kind === "search" ? make("span", { class: "label both" }, "looks for tools") : null,
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
        make("div", {}, "had ended"),
      );

const isSame = (one, other) => Boolean(one && other) && JSON.stringify(one.events) === JSON.stringify(other.events);

const parting = (text) => make("p", { class: "parting" }, text);

/** Return the number of the first pair of turns in which the two called something else, or got something else. */
const findParting = (turns, others) => {
  const length = Math.max(turns.length, others.length);
  for (let at = 0; at < length; at += 1) if ((turns[at] || {}).marker !== (others[at] || {}).marker) return at;
  return -1;
};

const talkView = (record, episode, control) => {
  const turns = episode.turns || [];
  const others = control ? control.turns || [] : [];
  const partsAt = control ? findParting(turns, others) : -1;
  const rows = [];
  const length = Math.max(turns.length, others.length);
  for (let at = 0; at < length; at += 1) {
    const turn = turns[at];
    if (turn && record.divergence !== null && turn.number === record.divergence)
      rows.push(parting(`Turn ${turn.number}: here the model left the plan it was shown`));
    if (at === partsAt) rows.push(parting("From here on, the two went different ways"));
    if (!control) rows.push(make("div", { class: "pair" }, turnView(turn, "This case")));
    else if (isSame(turn, others[at])) rows.push(make("div", { class: "pair same" }, turnView(turn, "Both")));
    else
      rows.push(
        make("div", { class: "pair" }, turnView(turn, "This case", others[at]), turnView(others[at], "Control", turn)),
      );
  }
  const ending = (whole, who) =>
    make(
      "div",
      { "data-who": who },
      whole.left_out ? `${count(whole.left_out, "further event")} in the journal. ` : null,
      whole.end ? `End: ${whole.end}.` : "No transcript was kept.",
    );
  return make(
    "div",
    { class: control ? "talk paired" : "talk" },
    control
      ? make(
          "div",
          { class: "talk-head" },
          make("span", {}, make("b", {}, "This case"), ` · ${promptWords(record)}`),
          make("span", {}, make("b", {}, "Control"), " · optimal plan, same task, same faults of tools"),
        )
      : null,
    rows,
    make(
      "div",
      { class: "ending" },
      control ? [ending(episode, "This case"), ending(control, "Control")] : ending(episode, "This case"),
    ),
  );
};
