// Connects the parts: the address determines which view is shown.

const setup = JSON.parse(find("setup").textContent);
const home = document.querySelector('[data-view="overview"]') ? "overview" : "cases";
let cases = null;
let table = null;
let current = { view: "", row: -1, rows: [] };
let wantsSearch = false;
let isPaired = matchMedia("(min-width: 52rem)").matches; // a phone has room for one transcript

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
        isPaired ? "Hide the control" : "Show the control",
      )
    : null;
  const transcript = block(
    "Transcript",
    control && isPaired ? "next to its control, turn by turn" : null,
    transcriptView(record, episode, isPaired ? control : null),
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
              ? "with the benchmark's own names; the model saw other names"
              : "as the model saw it",
            make("p", { class: "words" }, episode.words),
          )
        : null,
      planBlock(episode),
      worldBlock(episode),
      transcript,
      rerunBlock(record),
    ].filter(Boolean),
  );
  markScrolling(find("case"));
  document.title = `${promptWords(record)}, ${record.outcome} · pytest-ultra`;
};

const rerunBlock = (record) =>
  block(
    "This case on the command line",
    null,
    make("p", { class: "explain" }, "The test to pass to pytest, and the id to pass to pytest-ultra show:"),
    make("p", { class: "identifier" }, record.nodeid),
    make("p", { class: "identifier" }, record.id),
  );

const pageTitle = document.title;

/** Show the view of the address and move the focus there, except on page load, when the browser has set the focus. */
const showAddress = async (isFirst) => {
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
  else if (view === "cases" && before.row >= 0) focusRow(before.row);
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

/** Move the focus back to the row of the case that was open. */
const focusRow = (row) => {
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

const handleKey = (key, target) => {
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
  watchScrolling();
  if (!canUnpack) {
    find("main").prepend(
      make(
        "p",
        { class: "notices" },
        "This browser cannot unpack the cases and transcripts in this page, because it lacks DecompressionStream. Use a browser from 2023 or later.",
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
  addEventListener("hashchange", () => showAddress(false));
  listenToKeys(handleKey);
  await showAddress(true);
  document.documentElement.dataset.ready = "";
};

start();
