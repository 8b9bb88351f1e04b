// Fields with data-suggest offer what the address there, with the typed text behind it, knows.
document.addEventListener("input", async ({ target }) => {
  if (!target.dataset.suggest) return;
  const typed = target.value;
  const answer = await fetch(target.dataset.suggest + encodeURIComponent(typed));
  if (!answer.ok || target.value !== typed) return;
  const found = (await answer.json()).results;
  target.list.replaceChildren(...found.map(({ text }) => new Option(text, text)));
});
