// The address of a view: #overview, #cases?outcome=failed&q=..., or #case/ID?..., which has the search of the table, so
// that "next" means the next case found. Views can be linked, and the browser's back button works.

const readAddress = () => {
  const [path, query = ""] = location.hash.slice(1).split(/\?(.*)/s);
  const [view, id = ""] = path.split("/");
  const known = ["overview", "cases", "case"].includes(view);
  return { view: known ? view : "", id: safeDecode(id), search: new URLSearchParams(query), anchor: known ? "" : path };
};

const safeDecode = (text) => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

const writeAddress = (view, search, id = "") => {
  const query = search ? search.toString() : "";
  return `#${view}${id ? `/${encodeURIComponent(id)}` : ""}${query ? `?${query}` : ""}`;
};
