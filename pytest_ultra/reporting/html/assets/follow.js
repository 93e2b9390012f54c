// A served report asks its own server whether the run has gone on, and then loads the page again, at the same address.

const POLL_MS = 2000;

const isBusy = () =>
  document.hidden ||
  document.querySelector("dialog[open]") ||
  document.activeElement.matches("input, textarea") ||
  getSelection().toString() !== "";

const followRun = () => {
  const status = find("run-status");
  const ask = async () => {
    try {
      const answer = await fetch("/state", { cache: "no-store" });
      const state = await answer.json();
      status.textContent = state.text;
      if (state.version !== setup.version && !isBusy()) {
        sessionStorage.setItem("scroll", scrollY);
        location.reload();
      }
    } catch {
      status.textContent = "The server has stopped; this is what it showed last.";
    }
  };
  scrollTo(0, Number(sessionStorage.getItem("scroll")));
  sessionStorage.removeItem("scroll");
  setInterval(ask, POLL_MS);
  ask();
};
