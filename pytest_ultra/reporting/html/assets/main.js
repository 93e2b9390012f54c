// Joins the parts: the address decides what is shown.

const setup = JSON.parse(find("setup").textContent);
const home = document.querySelector('[data-view="overview"]') ? "overview" : "cases";
let cases = null;
let table = null;
let current = { view: "", row: -1, rows: [] };
let wantsSearch = false;
let isPaired = matchMedia("(min-width: 52rem)").matches; // on a phone there is room for one

const hrefOf = (record, search) =>
  (record.page ? `${setup.pages}${String(record.page).padStart(3, "0")}.html` : "") +
  writeAddress("case", record.page ? null : search, record.id);

const showView = (view) => {
  for (const section of document.querySelectorAll("[data-view]")) section.hidden = section.dataset.view !== view;
  for (const link of document.querySelectorAll("[data-view-link]")) {
    const isCurrent = link.dataset.viewLink === (view === "case" ? "cases" : view);
    if (isCurrent) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
};

const focusTitle = (view) => {
  const title = document.querySelector(`[data-view="${view}"] h1`);
  if (title) title.focus({ preventScroll: true });
};

const showCase = async (address) => {
  const row = cases.find(address.id);
  if (row === undefined) return showMissing(address.id);
  const record = cases.get(row);
  if (record.page) {
    location.replace(hrefOf(record));
    return;
  }
  const rows = cases.search(address.search);
  current = {
    view: "case",
    row,
    rows: rows.includes(row) ? rows : cases.search(new URLSearchParams()),
    search: address.search,
  };
  drawSteppers(record);
  const control = cases.control(row);
  const [episode, other] = await Promise.all([row, control].map(readEpisode));
  if (current.row === row) drawCase(record, episode, other);
};

const readEpisode = async (row) => {
  if (row === undefined) return null;
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

const drawCase = (record, episode, control) => {
  const siblings = cases.group(record.row).map((row) => cases.get(row));
  const hasSeverities = new Set(siblings.map((other) => other.severity).filter(Boolean)).size > 1;
  const toggle = control
    ? make(
        "button",
        {
          type: "button",
          class: "button toggle",
          id: "pairing",
          "aria-pressed": String(isPaired),
          onclick: () => {
            isPaired = !isPaired;
            drawCase(record, episode, control);
            find("pairing").focus();
          },
        },
        isPaired ? "Hide the control" : "Show the control beside it",
      )
    : null;
  const transcript = block(
    "Transcript",
    control && isPaired ? "beside its control, turn by turn" : null,
    talkView(record, episode, isPaired ? control : null),
  );
  if (toggle) transcript.firstChild.append(toggle);
  find("case").replaceChildren(
    make("h1", { id: "case-title", tabindex: "-1" }, promptWords(record)),
    verdictView(record, episode),
    metaView(record),
    siblings.length > 1
      ? make(
          "nav",
          { class: "siblings", "aria-label": "The same task" },
          make("span", {}, "Same task:"),
          siblings.map((other) =>
            make(
              "a",
              { href: hrefOf(other, current.search), "aria-current": other.row === record.row ? "page" : null },
              glyph(other.outcome),
              " ",
              hasSeverities ? promptWords(other) : shortPrompt(other),
              make("span", { class: "unseen" }, `, ${other.outcome}`),
            ),
          ),
        )
      : "",
    episode.note ? make("p", { class: "explain" }, episode.note) : "",
    ...[
      episode.words
        ? block(
            "Job",
            record.prompt_variant === "canary"
              ? "in the benchmark's own names; the model read others"
              : "as the model read it",
            make("p", { class: "words" }, episode.words),
          )
        : null,
      planBlock(episode),
      worldBlock(episode),
      transcript,
      againBlock(record),
    ].filter(Boolean),
  );
  markScrolling(find("case"));
  document.title = `${promptWords(record)}, ${record.outcome} · pytest-ultra`;
};

const againBlock = (record) =>
  block(
    "This case alone",
    null,
    make("p", { class: "explain" }, "Its test, for pytest's command line, and its id, for pytest-ultra show:"),
    make("p", { class: "again" }, record.nodeid),
    make("p", { class: "again" }, record.id),
  );

const pageTitle = document.title;

/** Show what the address asks for, and put the focus there; at the first time the browser has put it already. */
const follow = async (isFirst) => {
  const address = readAddress();
  const before = current;
  const view = address.view || home;
  if (view === "overview" && home !== "overview") return;
  showView(view);
  if (view !== "case") {
    current = { view, row: -1, rows: [] };
    document.title = pageTitle;
  }
  if (view === "cases") table.show(address.search);
  if (view === "case") await showCase(address);
  if (view === "cases" && wantsSearch) find("search").focus();
  else if (view === "cases" && before.row >= 0) returnTo(before.row);
  else if (address.anchor) focusAnchor(address.anchor);
  else if (!isFirst || view === "case") {
    focusTitle(view);
    if (view !== "cases" || before.view !== "cases") scrollTo(0, 0);
  }
  wantsSearch = false;
};

const focusAnchor = (anchor) => {
  const target = document.getElementById(anchor);
  if (target) target.scrollIntoView();
};

/** Go back to the row that was left for its case. */
const returnTo = (row) => {
  const link = find("cases-body").querySelector(`a[data-row="${row}"]`);
  if (!link) return focusTitle("cases");
  link.focus({ preventScroll: true });
  link.closest("tr").scrollIntoView({ block: "center" });
};

const stepCase = (by) => {
  const link = find(by > 0 ? "case-next" : "case-previous");
  if (!link.hidden) link.click();
  return true;
};

const act = (key, target) => {
  const view = current.view;
  if (key === "?") return openKeys();
  if (key === "o" && home === "overview") return goTo("#overview");
  if (key === "/") {
    if (view === "cases") return (find("search").focus(), true);
    wantsSearch = true;
    return goTo(view === "case" ? find("case-back").getAttribute("href") : "#cases");
  }
  const by = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[key];
  if (view === "cases") {
    if (key === "Escape") return target === find("search") && (table.step(1), true);
    const isArrow = key.startsWith("Arrow");
    if (by && !(isArrow && !target.closest("#cases-body"))) return (table.step(by), true);
  }
  if (view === "case") {
    if (key === "Escape") return goTo(find("case-back").getAttribute("href"));
    if (key === "c" && find("pairing")) return (find("pairing").click(), true);
    if (by && !key.startsWith("Arrow")) return stepCase(by);
  }
  return false;
};

const goTo = (address) => {
  location.hash = address;
  return true;
};

const openKeys = () => {
  find("keys").showModal();
  return true;
};

const start = async () => {
  if (!canUnpack) {
    find("main").prepend(
      make(
        "p",
        { class: "notices" },
        "This browser cannot unpack the cases and transcripts in this page (it lacks DecompressionStream); any of 2023 or later can.",
      ),
    );
    return;
  }
  cases = new Cases(await unpack(find("columns").textContent));
  table = new Table(cases, hrefOf);
  for (const element of document.querySelectorAll(".views, .keys-button")) element.hidden = false;
  document.querySelector("[data-open-keys]").addEventListener("click", openKeys);
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    focusTitle(current.view);
  });
  addEventListener("hashchange", () => follow(false));
  listenToKeys(act);
  await follow(true);
  document.documentElement.dataset.ready = "";
};

start();
