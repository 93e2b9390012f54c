// Connects the parts: the address determines which view is shown.

const setup = JSON.parse(find("setup").textContent);
const home = document.querySelector('[data-view="overview"]') ? "overview" : "cases";
let cases = null;
let table = null;
let current = { view: "", row: -1, rows: [] };
let wantsSearch = false;

/** Return the address of a case; `withId` is that of the episode to show beside it, or "none". */
const hrefOf = (record, search, withId) => {
  const kept = new URLSearchParams(record.page ? "" : search);
  if (withId) kept.set("with", withId);
  else kept.delete("with");
  const page = record.page ? `${setup.pages}${String(record.page).padStart(3, "0")}.html` : "";
  return page + writeAddress("case", kept, record.id);
};

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

/** Add the run to the links of the overview, whose figures are those of the later one. */
const chooseRun = () => {
  for (const link of document.querySelectorAll('#overview-view a[href^="#cases?"]')) {
    const search = new URLSearchParams(link.getAttribute("href").slice("#cases?".length));
    if (!search.has("run")) link.setAttribute("href", writeAddress("cases", new URLSearchParams([["run", "B"], ...search])));
  }
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
  if (setup.version) followRun();
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
  listenToCopyButtons();
  if (cases.columns.run) chooseRun();
  await showAddress(true);
  document.documentElement.dataset.ready = "";
};

start();
