// Keys: few, the same everywhere, and out of the way of whoever types into a field or uses the browser's own.

const isTyping = (target) => target.matches("input, select, textarea, [contenteditable]");

const listenToKeys = (act) => {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (isTyping(event.target) && event.key !== "Escape") return;
    const isScrolling =
      ["ArrowDown", "ArrowUp"].includes(event.key) && event.target.closest(".result, pre, .scroll[tabindex]");
    if (!isScrolling && act(event.key, event.target)) event.preventDefault();
  });
};
