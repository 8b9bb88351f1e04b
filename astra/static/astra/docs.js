// What the pages of documentation do beside being read: copy code, remember the chosen language, fill in a key.

const LANGUAGE = "astra-docs-language";

function remembered() {
  try {
    return localStorage.getItem(LANGUAGE);
  } catch {
    return null; // storage may be forbidden
  }
}

function remember(language) {
  try {
    localStorage.setItem(LANGUAGE, language);
  } catch {
    // the choice holds for this page only
  }
}

function choose(language) {
  for (const pick of document.querySelectorAll(`.pick-${CSS.escape(language)}`)) {
    pick.checked = true;
  }
}

async function copy(button, code) {
  try {
    await navigator.clipboard.writeText(code.textContent);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(code); // the clipboard is for pages by https
    button.textContent = "Selected";
  }
  setTimeout(() => (button.textContent = "Copy"), 2000);
}

function addCopyButton(block) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.addEventListener("click", () => copy(button, block.querySelector("code")));
  block.append(button);
}

// The key stays in this page's memory: it is neither stored nor sent.
function fillIn(key) {
  for (const place of document.querySelectorAll(".key")) {
    place.dataset.placeholder ??= place.textContent;
    place.textContent = key || place.dataset.placeholder;
  }
}

document.querySelectorAll(".block").forEach(addCopyButton);

const language = remembered();
if (language) {
  choose(language);
}
document.addEventListener("change", ({ target }) => {
  if (target.matches(".pick")) {
    choose(target.value);
    remember(target.value);
  }
});

const form = document.querySelector(".your-key");
if (form && document.querySelector(".key")) {
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.querySelector("input").addEventListener("input", ({ target }) => fillIn(target.value.trim()));
}
