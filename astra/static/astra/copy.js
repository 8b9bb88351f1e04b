// Buttons with data-copy="#id" copy the text of that element, and say so.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  const text = document.querySelector(button.dataset.copy).textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without https browsers have no clipboard for scripts: select the text, and let the browser copy it.
    getSelection().selectAllChildren(document.querySelector(button.dataset.copy));
    document.execCommand("copy");
  }
  const said = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = said; }, 2000);
});
