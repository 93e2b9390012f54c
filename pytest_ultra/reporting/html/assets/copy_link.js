// A button that copies the address of the view: of a case with its comparison, or of the table with its filters.

const copyLink = async (button) => {
  const text = button.textContent;
  try {
    await navigator.clipboard.writeText(location.href);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Copy it from the address bar";
  }
  setTimeout(() => {
    button.textContent = text;
  }, 2000);
};

const listenToCopyButtons = () => {
  for (const button of document.querySelectorAll("[data-copy-link]")) {
    button.hidden = false;
    button.addEventListener("click", () => copyLink(button));
  }
};
