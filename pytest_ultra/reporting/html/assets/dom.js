// Functions that make elements. Text is always set as text, never as markup, so that model output cannot inject markup.

const find = (id) => document.getElementById(id);

/** Make an element. Null and false attributes are omitted; children are nodes, texts, arrays of these, or null. */
const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "onclick" || name === "onchange") element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
};

const glyph = (outcome) => make("i", { class: `glyph ${outcome}`, "aria-hidden": "true" });

/** Return a name as nodes between which a line may be broken: after its signs, and not within its words. */
const breakable = (name) =>
  String(name)
    .split(/(?<=[/_:@-])(?=[^/_:@-])/)
    .flatMap((part, number) => (number === 0 ? [part] : [make("wbr"), part]));

const asWords = (name) => String(name).replaceAll("_", " ");

const grouped = new Intl.NumberFormat("en-US");
const count = (n, noun) => `${grouped.format(n)} ${noun}${n === 1 ? "" : "s"}`;
const percentage = (value) => (value === null ? "-" : `${Math.round(100 * value)}%`);
const seconds = (value) =>
  value < 60 ? `${value.toFixed(1)} s` : `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`;
const dollars = (value) =>
  value === null ? "-" : value === 0 || value >= 1 ? `$${value.toFixed(2)}` : `$${value.toPrecision(2)}`;

/** Make a section of a view with a title. */
const block = (title, note, ...content) =>
  make(
    "section",
    { class: "block" },
    make(
      "div",
      { class: "block-head" },
      make("h2", {}, title, note ? [" ", make("span", { class: "note" }, note)] : null),
    ),
    content,
  );
