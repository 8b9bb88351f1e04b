// Fields with data-suggest offer what the address there, with the typed text behind it, knows.
for (const field of document.querySelectorAll("input[data-suggest]")) {
  field.addEventListener("input", async () => {
    const typed = field.value;
    const answer = await fetch(field.dataset.suggest + encodeURIComponent(typed));
    if (!answer.ok || field.value !== typed) return;
    const found = (await answer.json()).results;
    field.list.replaceChildren(...found.map(({ text }) => new Option(text, text)));
  });
}
