// The address of a view: #overview, #cases?outcome=failed&q=..., #case/ID?... with the same search, so that "next" knows
// of which cases. A view can be linked, and the browser's own back button works.

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
