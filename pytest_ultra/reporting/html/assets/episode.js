// One episode: outcome, job, plan, transcript (beside its control's), and the world it left.

/** Show a call; what differs from `other`, where there is one, is set off. */
const callView = (call, other) => {
  const known = other && new Map(other.arguments || []);
  const parts = [make(known && other.tool !== call.tool ? "mark" : "span", { class: "tool" }, call.tool || "(no tool named)")];
  for (const [name, value] of call.arguments || []) {
    const isReference = /^"<output of step \d+>"$/.test(value);
    const shown = isReference ? value.slice(2, -2) : value;
    const isOther = known && other.tool === call.tool && known.get(name) !== value;
    parts.push(" ", make("span", { class: "argument" }, make("i", {}, `${name}: `), make(isOther ? "mark" : "span", { class: isReference ? "reference" : null }, shown)));
  }
  if (call.raw !== undefined) parts.push(" ", make("span", { class: "argument" }, call.raw));
  return make("div", { class: "call" }, parts);
};

const damageView = (damage, written) => make("div", { class: "damage" }, make("b", {}, "Damaged: "), damage.how,
  make("span", { class: "instead" }, damage.call ? [`The optimal plan says ${damage.number}.`, callView(damage.call, written)] : "The optimal plan has no such step."));

const stepView = (step) => make("li", { class: step.damage ? "damaged" : null }, make("span", { class: "ordinal" }, `${step.number}.`),
  make("div", {}, step.only_if_failed ? make("span", { class: "aside" }, `Only if step ${step.only_if_failed} failed:`) : null, callView(step.call, step.damage && step.damage.call),
    step.fallback ? make("div", { class: "aside" }, "On a fault, instead:", callView(step.fallback)) : null, step.damage ? damageView(step.damage, step.call) : null));

const planView = (plan) => make("ol", { class: "card steps" }, plan.steps.map(stepView),
  (plan.gone || []).map((damage) => make("li", { class: "damaged" }, make("span", { class: "ordinal" }, "–"), make("div", {}, make("span", { class: "aside" }, "A step is gone"), damageView(damage)))),
  plan.answer ? make("li", {}, make("span", { class: "ordinal" }, "→"), make("div", {}, `Answer with the output of step ${plan.answer}.`)) : null);

const planBlock = (episode) => {
  if (!episode.optimal) return null;
  const heading = (text, note) => [make("h3", {}, text), make("p", { class: "explain" }, note)];
  if (episode.plan) {
    const optimal = make("details", {}, make("summary", {}, "The optimal plan as a whole"), planView(episode.optimal));
    return block("Plan", "as the model saw it; damaged steps are marked", [planView(episode.plan), make("div", { class: "found" }, optimal)]);
  }
  if (episode.has_plan) return block("Plan", "as the model saw it: the optimal one", planView(episode.optimal));
  return block("Plan", "none was shown; the optimal one would have been", make("details", {}, make("summary", {}, count(episode.optimal.steps.length, "step")), planView(episode.optimal)));
};

const block = (title, note, ...content) => make("section", { class: "block" }, make("div", { class: "block-head" }, make("h2", {}, title, note ? [" ", make("span", { class: "note" }, note)] : null)), content);

const eventView = (event, other) => {
  if (event.kind === "says") return make("p", { class: "says" }, event.text);
  if (event.kind === "attempt") return make("p", { class: "attempt" }, event.text);
  if (event.kind === "note") return make("p", { class: "remark" }, event.text);
  const kind = event.result_kind || "ok";
  const label = { ok: null, fault: make("span", { class: "label fault" }, "random fault, not charged"), error: make("span", { class: "label error" }, "error") }[kind];
  return make("div", {}, event.kind === "search" ? make("span", { class: "label both" }, "looks for tools") : null, callView(event.call, other && other.call),
    make("div", { class: "result" }, make("span", { class: "arrow" }, make("span", { class: "unseen" }, "Result: "), make("span", { "aria-hidden": "true" }, "→")),
      make("div", {}, label, event.handle ? [make("span", { class: "handle" }, event.handle), " "] : null, event.result)));
};

const turnView = (turn, who, other) => turn
  ? make("div", { class: "turn", "data-who": who }, make("span", { class: "ordinal" }, make("span", { class: "unseen" }, `${who}, turn `), turn.number || "·"), make("div", { class: "events" }, turn.events.map((event, at) => eventView(event, other && other.events[at]))))
  : make("div", { class: "turn nothing", "data-who": who }, make("span", { class: "ordinal" }, "–"), make("div", {}, "had ended"));

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
    if (turn && record.divergence !== null && turn.number === record.divergence) rows.push(parting(`Turn ${turn.number}: here the model left the plan it was shown`));
    if (at === partsAt) rows.push(parting("From here on, the two went different ways"));
    if (!control) rows.push(make("div", { class: "pair" }, turnView(turn, "This case")));
    else if (isSame(turn, others[at])) rows.push(make("div", { class: "pair same" }, turnView(turn, "Both")));
    else rows.push(make("div", { class: "pair" }, turnView(turn, "This case", others[at]), turnView(others[at], "Control", turn)));
  }
  const ending = (whole, who) => make("div", { "data-who": who }, whole.left_out ? `${count(whole.left_out, "further event")} in the journal. ` : null, whole.end ? `End: ${whole.end}.` : "No transcript was kept.");
  return make("div", { class: control ? "talk paired" : "talk" },
    control ? make("div", { class: "talk-head" }, make("span", {}, make("b", {}, "This case"), ` · ${promptWords(record)}`), make("span", {}, make("b", {}, "Control"), " · optimal plan, same task, same faults of tools")) : null,
    rows, make("div", { class: "ending" }, control ? [ending(episode, "This case"), ending(control, "Control")] : ending(episode, "This case")));
};

const goalView = (goal) => make("li", {}, make("span", { class: `state ${goal.is_reached ? "reached" : "missed"}` }, goal.is_reached ? "✓ Reached" : "✗ Missed"),
  make("div", {}, make("span", { class: "call" }, make("span", { class: "tool" }, goal.place)),
    goal.is_reached ? valueView(goal.expected) : [valueView(goal.expected, "Wanted"), (goal.found || []).length ? goal.found.map((found) => valueView(found, "Found")) : make("div", { class: "found" }, "Found: nothing at this place.")]));

const valueView = (text, label) => make("div", { class: "found" }, label ? `${label}: ` : null, make("pre", { class: "value" }, text));

const worldBlock = (episode) => {
  if (!episode.goals || !episode.goals.length) return null;
  const reached = episode.goals.filter((goal) => goal.is_reached).length;
  const milestones = episode.goals.filter((goal) => !goal.is_deliverable);
  const missed = milestones.filter((goal) => !goal.is_reached).map((goal) => goal.place);
  return block("The world at the end", `${reached} of ${count(episode.goals.length, "milestone")} reached`,
    make("div", { class: "card" },
      make("ul", { class: "goals" }, episode.goals.filter((goal) => goal.is_deliverable).map(goalView),
        (episode.harms || []).map((harm) => make("li", {}, make("span", { class: "state harm" }, "! Harm"), make("div", { class: "value" }, harm)))),
      milestones.length ? make("p", { class: "milestones" }, `On the way there: ${milestones.length - missed.length} of ${count(milestones.length, "intermediate result")} made.`) : null));
};

/** Let the keyboard reach what scrolls; how much does shows only once it stands in the page. */
const markScrolling = (root) => {
  for (const element of root.querySelectorAll(".result > div, pre.value")) {
    if (element.scrollHeight <= element.clientHeight + 1) continue;
    for (const [name, value] of [["tabindex", "0"], ["role", "group"], ["aria-label", "Long text, scrolls"]]) element.setAttribute(name, value);
  }
};

const metaView = (record) => {
  const facts = [
    ["Model", record.model], ["Task", taskWords(record)], ["Tools succeed", `${Math.round(1000 * record.tool_success_rate) / 10}%`], ["Milestones", percentage(record.coverage)],
    ["Calls", `${record.calls} (plan: ${record.reference_calls})`], ["Random faults", record.faults ? `${record.faults}, ${record.recovered} recovered` : "none"],
    ["Obedience", record.obedience === null ? null : percentage(record.obedience)], ["Turns", record.turns], ["Tokens", grouped.format(record.tokens)],
    ["Cost", record.cost === null ? null : dollars(record.cost)], ["Time", seconds(record.duration)], ["Waited", record.waiting >= 0.05 ? seconds(record.waiting) : null],
    ["Asked by", [record.prompt_variant === "standard" ? null : record.prompt_variant, record.protocol].filter(Boolean).join(", ") || null],
  ];
  return make("dl", { class: "meta" }, facts.filter(([, value]) => value !== null).map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
};

const verdictView = (record, episode) => make("div", { class: "verdict" }, glyph(record.outcome), make("span", {}, make("b", {}, record.outcome), `: ${setup.outcomes[record.outcome]}`),
  record.failure_class ? make("span", { class: "why" }, make("b", {}, `${asWords(record.failure_class)}: `), setup.failure_classes[record.failure_class]) : null,
  episode && episode.error ? make("span", { class: "why value" }, `Reason: ${episode.error}`) : null,
  record.reused ? make("span", { class: "why" }, `Reused: lived in an earlier run, on ${new Date(1000 * record.started).toISOString().slice(0, 16).replace("T", " at ")} UTC`) : null);
