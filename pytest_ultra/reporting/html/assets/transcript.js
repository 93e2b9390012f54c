// The transcript of an episode, turn by turn, and beside it that of another episode of the task.

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

/** Return the number of a turn; if both transcripts have it at different places, both numbers. */
const turnNumber = (turn, other) => {
  if (!turn.number) return "·";
  return other && other.number !== turn.number ? `${turn.number}/${other.number}` : turn.number;
};

const turnView = (turn, who, other, twin) =>
  turn
    ? make(
        "div",
        { class: "turn", "data-who": who, "data-turn": turn.number },
        make("span", { class: "ordinal" }, make("span", { class: "unseen" }, `${who}, turn `), turnNumber(turn, twin)),
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
        make("div", {}, "nothing here"),
      );

const isSame = (one, other) => Boolean(one && other) && JSON.stringify(one.events) === JSON.stringify(other.events);

const divider = (text, id) => make("p", { class: "divider", id, tabindex: id ? "-1" : null }, text);

const endView = (shown, who) =>
  make(
    "div",
    { "data-who": who },
    shown.left_out ? `${count(shown.left_out, "further event")} in the journal. ` : null,
    shown.end ? `End: ${shown.end}.` : "No transcript was kept.",
  );

/** Show a transcript alone, or beside that of another episode, which has a name and a description. */
const transcriptView = (record, episode, other) => {
  const turns = episode.turns || [];
  const pairs = other ? pairTurns(turns, other.episode.turns || []) : turns.map((turn) => [turn]);
  const differsAt = other ? findDifference(pairs) : -1;
  const rows = pairs.flatMap(([one, two], at) => [
    ...(one && record.divergence !== null && one.number === record.divergence
      ? [divider(`Turn ${one.number}: here the model left the plan that it was shown`)]
      : []),
    ...(at === differsAt ? [divider("The two transcripts differ from here on", "difference")] : []),
    pairView(one, two, other),
  ]);
  return make(
    "div",
    { class: other ? "transcript paired" : "transcript" },
    other
      ? make(
          "div",
          { class: "transcript-head" },
          make("span", {}, make("b", {}, "This case"), ` · ${promptWords(record)}`),
          make("span", {}, make("b", {}, other.name), ` · ${other.words}`),
        )
      : null,
    rows,
    make(
      "div",
      { class: "transcript-end" },
      endView(episode, "This case"),
      other ? endView(other.episode, other.name) : null,
    ),
  );
};

const pairView = (one, two, other) => {
  if (!other) return make("div", { class: "pair" }, turnView(one, "This case"));
  if (isSame(one, two)) return make("div", { class: "pair same" }, turnView(one, "Both", undefined, two));
  return make("div", { class: "pair" }, turnView(one, "This case", two), turnView(two, other.name, one));
};
