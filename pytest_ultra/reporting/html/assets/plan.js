// The plan of an episode: its steps, the damaged ones with their damage, and the steps of the optimal plan instead.

/** Show a call; mark what differs from `other`, if given. */
const callView = (call, other) => {
  const known = other && new Map(other.arguments || []);
  const parts = [
    make(known && other.tool !== call.tool ? "mark" : "span", { class: "tool" }, call.tool || "(no tool named)"),
  ];
  for (const [name, value] of call.arguments || []) {
    const isReference = /^"<output of step \d+>"$/.test(value);
    const shown = isReference ? value.slice(2, -2) : value;
    const isOther = known && other.tool === call.tool && known.get(name) !== value;
    parts.push(
      " ",
      make(
        "span",
        { class: "argument" },
        make("i", {}, `${name}: `),
        make(isOther ? "mark" : "span", { class: isReference ? "reference" : null }, shown),
      ),
    );
  }
  if (call.raw !== undefined) parts.push(" ", make("span", { class: "argument" }, call.raw));
  return make("div", { class: "call" }, parts);
};

const damageView = (damage, written) =>
  make(
    "div",
    { class: "damage" },
    make("b", {}, "Damaged: "),
    damage.how,
    make(
      "span",
      { class: "instead" },
      damage.call
        ? [`Step ${damage.number} of the optimal plan: `, callView(damage.call, written)]
        : "The optimal plan does not have this step.",
    ),
  );

const stepView = (step) =>
  make(
    "li",
    { class: step.damage ? "damaged" : null },
    make("span", { class: "ordinal" }, `${step.number}.`),
    make(
      "div",
      {},
      step.only_if_failed ? make("span", { class: "aside" }, `Only if step ${step.only_if_failed} failed:`) : null,
      callView(step.call, step.damage && step.damage.call),
      step.fallback ? make("div", { class: "aside" }, "If it is down, instead:", callView(step.fallback)) : null,
      step.damage ? damageView(step.damage, step.call) : null,
    ),
  );

const planView = (plan) =>
  make(
    "ol",
    { class: "card steps" },
    plan.steps.map(stepView),
    (plan.removed || []).map((damage) =>
      make(
        "li",
        { class: "damaged" },
        make("span", { class: "ordinal" }, "–"),
        make("div", {}, make("span", { class: "aside" }, "A step was removed"), damageView(damage)),
      ),
    ),
    plan.answer
      ? make(
          "li",
          {},
          make("span", { class: "ordinal" }, "→"),
          make("div", {}, `Answer with the output of step ${plan.answer}.`),
        )
      : null,
  );

const planBlock = (episode) => {
  if (!episode.optimal) return null;
  const heading = (text, note) => [make("h3", {}, text), make("p", { class: "explain" }, note)];
  if (episode.plan) {
    const optimal = make("details", {}, make("summary", {}, "The whole optimal plan"), planView(episode.optimal));
    return block("Plan", "as the model saw it, with damaged steps marked", [
      planView(episode.plan),
      make("div", { class: "found" }, optimal),
    ]);
  }
  if (episode.has_plan) return block("Plan", "as the model saw it: the optimal plan", planView(episode.optimal));
  return block(
    "Plan",
    "the model saw none; this is the optimal plan",
    make("details", {}, make("summary", {}, count(episode.optimal.steps.length, "step")), planView(episode.optimal)),
  );
};
