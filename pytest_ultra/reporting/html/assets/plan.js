// The plan of an episode: its steps, what is damaged in them, and what the optimal plan says instead.

/** Show a call; what differs from `other`, where there is one, is set off. */
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
        ? [`The optimal plan says ${damage.number}.`, callView(damage.call, written)]
        : "The optimal plan has no such step.",
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
      step.fallback ? make("div", { class: "aside" }, "On a fault, instead:", callView(step.fallback)) : null,
      step.damage ? damageView(step.damage, step.call) : null,
    ),
  );

const planView = (plan) =>
  make(
    "ol",
    { class: "card steps" },
    plan.steps.map(stepView),
    (plan.gone || []).map((damage) =>
      make(
        "li",
        { class: "damaged" },
        make("span", { class: "ordinal" }, "–"),
        make("div", {}, make("span", { class: "aside" }, "A step is gone"), damageView(damage)),
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
    const optimal = make("details", {}, make("summary", {}, "The optimal plan as a whole"), planView(episode.optimal));
    return block("Plan", "as the model saw it; damaged steps are marked", [
      planView(episode.plan),
      make("div", { class: "found" }, optimal),
    ]);
  }
  if (episode.has_plan) return block("Plan", "as the model saw it: the optimal one", planView(episode.optimal));
  return block(
    "Plan",
    "none was shown; the optimal one would have been",
    make("details", {}, make("summary", {}, count(episode.optimal.steps.length, "step")), planView(episode.optimal)),
  );
};
