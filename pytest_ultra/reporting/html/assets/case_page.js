// The page of a case: what happened, the same task elsewhere, and its transcript beside that of another episode.

let isPaired = matchMedia("(min-width: 52rem)").matches; // a phone has room for one transcript

const showCase = async (address) => {
  const row = cases.find(address.id);
  if (row === undefined) return showMissing(address.id);
  const record = cases.get(row);
  const withId = address.search.get("with");
  if (record.page) {
    location.replace(hrefOf(record, null, withId));
    return;
  }
  address.search.delete("with");
  const rows = cases.search(address.search);
  current = {
    view: "case",
    row,
    rows: rows.includes(row) ? rows : cases.search(new URLSearchParams()),
    search: address.search,
  };
  drawSteppers(record);
  const other = chooseOther(record, withId);
  const [episode, otherEpisode] = await Promise.all([row, other && other.row].map(readEpisode));
  if (current.row === row) drawCase(record, episode, other && { record: other, episode: otherEpisode });
};

/** Return the record of the episode to show beside a case: the one that the address names, else its control. */
const chooseOther = (record, withId) => {
  if (withId === "none") return null;
  const named = withId ? cases.find(withId) : undefined;
  if (named !== undefined && cases.rivals.rows("task", record.row).includes(named)) return cases.get(named);
  const control = cases.control(record.row);
  return isPaired && control !== undefined ? cases.get(control) : null;
};

const readEpisode = async (row) => {
  if (row === undefined || row === null) return null;
  const { chunk, at } = cases.get(row);
  return (await unpackChunk(chunk))[at];
};

const showMissing = (id) =>
  find("case").replaceChildren(
    make("h1", { id: "case-title", tabindex: "-1" }, "No such case"),
    make("p", { class: "lede" }, `This report has no case ${id}.`),
  );

const drawSteppers = (record) => {
  const at = current.rows.indexOf(record.row);
  const link = (element, row) => {
    if (row === undefined) element.setAttribute("aria-disabled", "true");
    else element.removeAttribute("aria-disabled");
    element.setAttribute("href", row === undefined ? "#" : hrefOf(cases.get(row), current.search));
    element.hidden = row === undefined;
  };
  link(find("case-previous"), current.rows[at - 1]);
  link(find("case-next"), current.rows[at + 1]);
  find("case-back").setAttribute("href", writeAddress("cases", table.pageOf(at, current.search)));
  find("case-place").textContent = `${grouped.format(at + 1)} of ${grouped.format(current.rows.length)}`;
};

/** Show another episode beside the case, or none, and keep the focus on the control with this id. */
const compareWith = async (record, withId, focused) => {
  isPaired = withId !== "none";
  history.replaceState(null, "", hrefOf(record, current.search, withId));
  await showCase(readAddress());
  if (find(focused)) find(focused).focus({ preventScroll: true });
};

const compareSelect = (record, others, other) => {
  const option = (one) =>
    make("option", { value: one.id, selected: Boolean(other) && one.row === other.record.row }, `${episodeWords(one)}: ${one.outcome}`);
  const select = make(
    "select",
    { id: "compare", onchange: () => compareWith(record, select.value, "compare") },
    make("option", { value: "none", selected: !other }, "no other episode"),
    others.filter((one) => one.row !== record.row).map(option),
  );
  return make("label", { class: "compare" }, "Compare with ", select);
};

const pairingButton = (record, other) => {
  const control = cases.control(record.row);
  if (control === undefined) return null;
  const isShown = Boolean(other) && other.record.row === control;
  return make(
    "button",
    {
      type: "button",
      class: "button toggle",
      id: "pairing",
      "aria-pressed": String(isShown),
      onclick: () => compareWith(record, isShown ? "none" : cases.get(control).id, "pairing"),
    },
    isShown ? "Hide the control" : "Show the control",
  );
};

const transcriptBlock = (record, episode, others, other) => {
  const isControl = Boolean(other) && other.record.row === cases.control(record.row);
  const beside = other && {
    episode: other.episode,
    name: isControl ? "Control" : "Other",
    words: isControl ? "optimal plan, same task, same tool faults" : `${episodeWords(other.record)}: ${other.record.outcome}`,
  };
  const view = transcriptView(record, episode, beside);
  const made = block("Transcript", beside ? `next to ${isControl ? "its control" : "another episode"}, aligned` : null, view);
  const difference = view.querySelector("#difference");
  made.firstChild.append(
    make(
      "div",
      { class: "compare-tools" },
      others.length > 1 ? compareSelect(record, others, other) : null,
      pairingButton(record, other),
      difference
        ? make(
            "button",
            {
              type: "button",
              class: "button toggle",
              onclick: () => {
                difference.scrollIntoView({ block: "center" });
                difference.focus({ preventScroll: true });
              },
            },
            "Go to the first difference",
          )
        : null,
    ),
  );
  return made;
};

const jobBlock = (record, episode) =>
  episode.words
    ? block(
        "Job",
        record.prompt_variant === "canary"
          ? "with the benchmark's own names; the model saw other names"
          : "as the model saw it",
        make("p", { class: "words" }, episode.words),
      )
    : null;

const drawCase = (record, episode, other) => {
  const others = cases.rivals.rows("task", record.row).map((row) => cases.get(row));
  const parts = [
    make("h1", { id: "case-title", tabindex: "-1" }, promptWords(record)),
    verdictView(record, episode),
    metaView(record),
    gridView(record, others, (one) => hrefOf(one, current.search)),
    episode.note ? make("p", { class: "explain" }, episode.note) : null,
    jobBlock(record, episode),
    planBlock(episode),
    worldBlock(episode),
    transcriptBlock(record, episode, others, other),
    timelineBlock(episode),
    rerunBlock(record),
  ];
  find("case").replaceChildren(...parts.filter(Boolean));
  markScrolling(find("case"));
  watchScrolling(find("case"));
  document.title = `${promptWords(record)}, ${record.outcome} · pytest-ultra`;
};

const rerunBlock = (record) =>
  block(
    "This case on the command line",
    null,
    make("p", { class: "explain" }, "The test to pass to pytest, and the id to pass to pytest-ultra show:"),
    make("p", { class: "identifier" }, record.nodeid),
    make("p", { class: "identifier" }, record.id.replace(/@A$/, "")),
  );
