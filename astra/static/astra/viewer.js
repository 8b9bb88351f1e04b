// The map of one result: its picture, those of the scenes that it compares, and the value under the cursor.
// Everything it shows stands in the page's JSON. Leaflet is loaded before this module.

const L = window.L;
const data = JSON.parse(document.getElementById("viewer-data").textContent);
const opacity = document.getElementById("opacity");
const value = document.getElementById("value");
const swipe = document.getElementById("swipe");
const crosshair = document.getElementById("crosshair");
const hint = value.textContent;

// Nothing moves by itself.
const map = L.map("map", {
  zoomAnimation: false,
  fadeAnimation: false,
  inertia: false,
  zoomSnap: 0.25,
  attributionControl: Boolean(data.basemap),
});
map.fitBounds(data.bounds);
L.control.scale({ position: "bottomright", imperial: false }).addTo(map);
if (data.basemap) L.tileLayer(data.basemap.url, { attribution: data.basemap.attribution }).addTo(map);

const layers = [...data.scenes, "result"];
layers.forEach((name, index) => {
  map.createPane(name).style.zIndex = 300 + index;
});
for (const name of data.scenes) addPicture(name, data.pictures[name], `The scene ${name}`);

function addPicture(name, picture, alt) {
  const overlay = L.imageOverlay(picture, data.bounds, { pane: name }).addTo(map);
  overlay.getElement().alt = alt;
}

// --- The result's picture, and the values behind its colours --------------------------------------------------------

// A bucket that allows no page to read its files shows the picture all the same, but not its values.
let pixels = null;
loaded(data.pictures.preview, "anonymous")
  .then((image) => {
    pixels = pixelsOf(image);
    return image;
  })
  .catch(() => {
    value.textContent = "Values cannot be read: the storage allows it to no page";
    return loaded(data.pictures.preview, null);
  })
  .then((image) => addPicture("result", image, "The result"));

function loaded(url, crossOrigin) {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = reject;
    image.crossOrigin = crossOrigin;
    image.src = url;
  });
}

function pixelsOf(image) {
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth;
  canvas.height = image.naturalHeight;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

const colors = data.legend.colors.map((color) => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16)));

/** The index of the legend's colour that is nearest to this one. */
function nearestColor(red, green, blue) {
  const distances = colors.map(([r, g, b]) => (r - red) ** 2 + (g - green) ** 2 + (b - blue) ** 2);
  return distances.indexOf(Math.min(...distances));
}

/** What the picture shows at a place, in words; an empty text beside the picture. */
function reading(latlng) {
  const [southWest, northEast] = data.bounds.map((corner) => L.CRS.EPSG3857.project(L.latLng(corner)));
  const place = L.CRS.EPSG3857.project(latlng);
  const column = Math.floor(((place.x - southWest.x) / (northEast.x - southWest.x)) * pixels.width);
  const row = Math.floor(((northEast.y - place.y) / (northEast.y - southWest.y)) * pixels.height);
  if (column < 0 || row < 0 || column >= pixels.width || row >= pixels.height) return "";
  const [red, green, blue, alpha] = pixels.data.subarray(4 * (row * pixels.width + column));
  return alpha === 0 ? "no data" : described(nearestColor(red, green, blue));
}

function described(index) {
  const { names, title, low, high } = data.legend;
  if (names) return names[index];
  return `${title} ≈ ${(low + ((high - low) * index) / (colors.length - 1)).toFixed(2)}`;
}

function show(latlng) {
  if (pixels) value.textContent = reading(latlng) || hint;
}

function isByKeyboard() {
  return map.getContainer().matches(":focus-visible");
}

// By mouse or finger the value is that of the place; by keyboard that of the crosshair in the middle.
map.on("mousemove click", (event) => show(event.latlng));
map.on("mouseout", () => pixels && (value.textContent = hint));
map.on("move zoom focus", readMiddle);
map.getContainer().addEventListener("focus", readMiddle);
map.getContainer().addEventListener("blur", readMiddle);

function readMiddle() {
  crosshair.hidden = !isByKeyboard();
  value.setAttribute("aria-live", isByKeyboard() ? "polite" : "off");
  if (isByKeyboard()) show(map.getCenter());
}

// --- What is shown: the result, a scene, or both scenes on either side of the handle ---------------------------------

const modes = [...document.querySelectorAll("input[name=mode]")];
const latest = data.scenes.at(-1);
const opacities = { result: 100, swipe: 0, ...Object.fromEntries(data.scenes.map((name) => [name, 0])) };
let mode = "result";
let share = 0.5; // of the map's width, left of the handle

for (const input of modes) {
  input.addEventListener("change", () => {
    mode = input.value;
    update();
  });
}
opacity.addEventListener("input", () => {
  opacities[mode] = Number(opacity.value);
  update();
});

function update() {
  opacity.value = opacities[mode];
  map.getPane("result").style.opacity = opacities[mode] / 100;
  const beneath = opacities.result < 100 ? [latest] : []; // else there is no data where the result has none
  const shown = { result: beneath, swipe: data.scenes }[mode] ?? [mode];
  for (const name of data.scenes) map.getPane(name).style.display = shown.includes(name) ? "" : "none";
  swipe.hidden = mode !== "swipe";
  clip();
}

/** Cuts both scenes at the handle. Panes are clipped in the map's own pixels, which move with it. */
function clip() {
  const [left, right] = data.scenes;
  const size = map.getSize();
  const corners = [0, share * size.x, size.x].map((x) => map.containerPointToLayerPoint([x, 0]).x);
  const top = map.containerPointToLayerPoint([0, 0]).y;
  const box = (from, to) =>
    `polygon(${from}px ${top}px, ${to}px ${top}px, ${to}px ${top + size.y}px, ${from}px ${top + size.y}px)`;
  if (left) map.getPane(left).style.clipPath = mode === "swipe" ? box(corners[0], corners[1]) : "";
  if (right) map.getPane(right).style.clipPath = mode === "swipe" ? box(corners[1], corners[2]) : "";
  const percent = Math.round(100 * share);
  swipe.style.left = `${100 * share}%`;
  swipe.setAttribute("aria-valuenow", percent);
  swipe.setAttribute("aria-valuetext", `${percent} % before, ${100 - percent} % after`);
}

function moveHandle(to) {
  share = Math.min(1, Math.max(0, to));
  clip();
}

const steps = { ArrowLeft: -0.02, ArrowDown: -0.02, ArrowRight: 0.02, ArrowUp: 0.02, PageDown: -0.1, PageUp: 0.1 };
swipe.addEventListener("keydown", (event) => {
  const ends = { Home: 0, End: 1 };
  if (event.key in steps) moveHandle(share + steps[event.key]);
  else if (event.key in ends) moveHandle(ends[event.key]);
  else return;
  event.preventDefault();
});
swipe.addEventListener("pointerdown", (event) => swipe.setPointerCapture(event.pointerId));
swipe.addEventListener("pointermove", (event) => {
  if (!swipe.hasPointerCapture(event.pointerId)) return;
  const stage = map.getContainer().getBoundingClientRect();
  moveHandle((event.clientX - stage.left) / stage.width);
});

map.on("move zoom resize", clip);
update();
