// A line above each table that is wider than the page, since not all systems show a scroll bar.

const watchScrolling = (root = document) => {
  const update = (area) => {
    area.previousElementSibling.hidden = area.scrollWidth <= area.clientWidth + 1;
  };
  const observer = new ResizeObserver((entries) => entries.forEach((entry) => update(entry.target.closest(".scroll"))));
  for (const area of root.querySelectorAll(".scroll")) {
    area.before(make("p", { class: "cue", hidden: true }, "Scroll sideways for more columns →"));
    update(area);
    observer.observe(area);
    observer.observe(area.firstElementChild); // the table of cases gets other rows
  }
};
