// The result of an episode: its outcome and the reason, its figures, and the final world compared with the goal.

const goalView = (goal) =>
  make(
    "li",
    {},
    make(
      "span",
      { class: `state ${goal.is_reached ? "reached" : "missed"}` },
      goal.is_reached ? "✓ Reached" : "✗ Missed",
    ),
    make(
      "div",
      {},
      make("span", { class: "call" }, make("span", { class: "tool" }, goal.place)),
      goal.is_reached
        ? valueView(goal.expected)
        : [
            valueView(goal.expected, "Expected"),
            (goal.found || []).length
              ? goal.found.map((found, number) => [
                  valueView(found, "Found"),
                  (goal.differences || [])[number]
                    ? make("div", { class: "found" }, `Difference: ${goal.differences[number]}`)
                    : null,
                ])
              : make("div", { class: "found" }, "Found: nothing."),
          ],
    ),
  );

const valueView = (text, label) =>
  make("div", { class: "found" }, label ? `${label}: ` : null, make("pre", { class: "value" }, text));

const worldBlock = (episode) => {
  if (!episode.goals || !episode.goals.length) return null;
  const reached = episode.goals.filter((goal) => goal.is_reached).length;
  const milestones = episode.goals.filter((goal) => !goal.is_deliverable);
  const missed = milestones.filter((goal) => !goal.is_reached).map((goal) => goal.place);
  return block(
    "The world at the end",
    `${reached} of ${count(episode.goals.length, "milestone")} reached`,
    make(
      "div",
      { class: "card" },
      make(
        "ul",
        { class: "goals" },
        episode.goals.filter((goal) => goal.is_deliverable).map(goalView),
        (episode.harms || []).map((harm) =>
          make("li", {}, make("span", { class: "state harm" }, "! Harm"), make("div", { class: "value" }, harm)),
        ),
      ),
      milestones.length
        ? make(
            "p",
            { class: "milestones" },
            `Intermediate results: ${milestones.length - missed.length} of ${milestones.length} reached.`,
          )
        : null,
    ),
  );
};

/** Make scrolling elements reachable by keyboard; call this when they are in the page and have a size. */
const markScrolling = (root) => {
  for (const element of root.querySelectorAll(".result > div, pre.value")) {
    if (element.scrollHeight <= element.clientHeight + 1) continue;
    for (const [name, value] of [
      ["tabindex", "0"],
      ["role", "group"],
      ["aria-label", "Long text, scrolls"],
    ])
      element.setAttribute(name, value);
  }
};

const metaView = (record) => {
  const facts = [
    ["Model", record.model],
    ["Task", taskWords(record)],
    ["Tool success rate", `${Math.round(1000 * record.tool_success_rate) / 10}%`],
    ["Faults", record.fault_kind === "transient" ? null : record.fault_kind.replaceAll("+", ", ")],
    ["Milestones", percentage(record.coverage)],
    ["Calls", `${record.calls} (optimal plan: ${record.reference_calls})`],
    ["Random faults", record.faults ? `${record.faults}, ${record.recovered} recovered` : "none"],
    ["Obedience", record.obedience === null ? null : percentage(record.obedience)],
    ["Turns", record.turns],
    ["Tokens", record.tokens === null ? "unknown" : grouped.format(record.tokens)],
    ["Cost", record.cost === null ? null : dollars(record.cost)],
    ["Time", seconds(record.duration)],
    ["Waiting", record.waiting >= 0.05 ? seconds(record.waiting) : null],
    [
      "Variant and protocol",
      [record.prompt_variant === "standard" ? null : record.prompt_variant, record.protocol]
        .filter(Boolean)
        .join(", ") || null,
    ],
  ];
  return make(
    "dl",
    { class: "meta" },
    facts
      .filter(([, value]) => value !== null)
      .map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))),
  );
};

const verdictView = (record, episode) =>
  make(
    "div",
    { class: "verdict" },
    glyph(record.outcome),
    make("span", {}, make("b", {}, record.outcome), `: ${setup.outcomes[record.outcome]}`),
    record.failure_class
      ? make(
          "span",
          { class: "why" },
          make("b", {}, `${asWords(record.failure_class)}: `),
          setup.failure_classes[record.failure_class],
          record.unrecovered ? `: ${record.unrecovered}` : "",
        )
      : null,
    record.cause
      ? make(
          "span",
          { class: "why" },
          make("b", {}, `Cause, ${asWords(record.cause)}: `),
          setup.failure_classes[record.cause],
        )
      : null,
    episode && episode.error ? make("span", { class: "why value" }, `Reason: ${episode.error}`) : null,
    record.reused
      ? make(
          "span",
          { class: "why" },
          `Reused: this episode ran in an earlier run, on ${new Date(1000 * record.started).toISOString().slice(0, 16).replace("T", " at ")} UTC`,
        )
      : null,
  );
