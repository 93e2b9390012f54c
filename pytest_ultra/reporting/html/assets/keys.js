// Keyboard shortcuts. They are inactive while the user types into a field, and leave the browser's own shortcuts alone.

const isTyping = (target) => target.matches("input, select, textarea, [contenteditable]");

const listenToKeys = (handleKey) => {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (isTyping(event.target) && event.key !== "Escape") return;
    const isScrolling =
      ["ArrowDown", "ArrowUp"].includes(event.key) && event.target.closest(".result, pre, .scroll[tabindex]");
    if (!isScrolling && handleKey(event.key, event.target)) event.preventDefault();
  });
};
