#include "page_style.h"

namespace ratnet::inline v1 {

const char* const kPageStyle = R"css(
:root {
  color-scheme: light dark;
  --overlay: 0.75;
  --ground: #f4f5f7; --card: #ffffff; --edge: #d9dde3;
  --ink: #1e2228; --faint: #59616c; --line: #2c5f8f; --band: #dbe7f1;
  --calm: #2c5f8f; --alert: #b2390a; --unclear: #75600c;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171b; --card: #1d2126; --edge: #363c45;
    --ink: #e7e9ec; --faint: #a6aeb9; --line: #83b6e3; --band: #2a3a4a;
    --calm: #83b6e3; --alert: #f59a68; --unclear: #dcc36a;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body {
  margin: 0 auto; padding: 28px 24px 48px; max-width: 1180px;
  background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
  overflow-wrap: anywhere;
}
h1 { margin: 0; font-size: 27px; line-height: 1.25; font-weight: 650; }
h2 { margin: 0 0 12px; font-size: 17px; font-weight: 650; }
p { margin: 0 0 8px; max-width: 88ch; }
p:last-child { margin-bottom: 0; }
a { color: var(--line); }
:focus-visible { outline: 3px solid var(--line); outline-offset: 2px; }
.kind { margin: 0 0 2px; color: var(--faint); font-size: 14px; }
.about { margin: 4px 0 0; color: var(--faint); max-width: none; }
section, details, .warnings, .verdict {
  margin-top: 18px; padding: 18px 20px;
  background: var(--card); border: 1px solid var(--edge); border-radius: 8px;
}
.verdict { border-left: 6px solid var(--tone); }
.verdict h2 { font-size: 21px; color: var(--tone); margin-bottom: 6px; }
.calm { --tone: var(--calm); } .alert { --tone: var(--alert); } .unclear { --tone: var(--unclear); }
.warnings { border-left: 6px solid var(--unclear); }
.warnings ul { margin: 0; padding-left: 20px; }
summary { font-size: 17px; font-weight: 650; cursor: pointer; }
details[open] summary { margin-bottom: 12px; }
.facts { display: flex; flex-wrap: wrap; gap: 10px 34px; margin: 0; }
.facts div { display: flex; flex-direction: column-reverse; }
.facts dt { color: var(--faint); font-size: 13px; }
.facts dd { margin: 0; font-size: 19px; font-variant-numeric: tabular-nums; }
.facts + .wide { margin-top: 16px; }
figcaption, .legend { color: var(--faint); font-size: 13px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--faint); font-size: 13px; padding-bottom: 6px; }
th, td {
  padding: 6px 20px 6px 0; text-align: left; border-bottom: 1px solid var(--edge);
  overflow-wrap: normal;
}
thead th { font-size: 13px; color: var(--faint); font-weight: 600; vertical-align: bottom; }
tbody th { font-weight: 500; }
th bdi { display: block; min-width: 120px; overflow-wrap: anywhere; }
.number { text-align: right; }
.tone { color: var(--tone); font-weight: 600; }

.chart { display: block; width: 100%; min-width: 560px; height: auto; }
.chart text { font-size: 12.5px; fill: var(--faint); }
.chart .axis { stroke: var(--edge); stroke-width: 1; }
.chart .band { fill: var(--band); }
.chart .level { stroke: var(--line); stroke-width: 1.5; }
.chart .dashed { stroke: var(--alert); stroke-width: 1.5; stroke-dasharray: 6 4; }
.chart circle { stroke: var(--card); stroke-width: 1; fill: var(--tone); }
.chart .hollow { stroke: var(--faint); stroke-width: 1.5; fill: none; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 20px; margin: 8px 0 0; padding: 0; }
.legend li { display: flex; align-items: center; gap: 7px; }
ul.legend, .pictures { list-style: none; }
.key { flex: none; width: 12px; height: 12px; border-radius: 50%; background: var(--tone); }
.key.hollow { background: none; border: 2px solid var(--faint); }
.key.band {
  border-radius: 2px; width: 20px; background: var(--band); border: 1px solid var(--edge);
}
.key.level { border-radius: 0; width: 20px; height: 2px; background: var(--line); }
.key.dashed { border-radius: 0; width: 20px; height: 0; border-top: 2px dashed var(--alert); }
.scale { width: 130px; height: 12px; border-radius: 2px; }

.controls {
  position: sticky; top: 0; z-index: 2; display: flex; flex-wrap: wrap; gap: 8px 28px;
  align-items: center; margin: 0 -20px 14px; padding: 10px 20px;
  background: var(--card); border-bottom: 1px solid var(--edge);
}
.controls label, .controls fieldset { display: flex; align-items: center; gap: 8px; }
.controls fieldset { border: 0; margin: 0; padding: 0; gap: 14px; }
.controls input { accent-color: var(--line); }
.controls output { min-width: 4ch; font-variant-numeric: tabular-nums; color: var(--faint); }
.pictures {
  display: grid; gap: 14px; margin: 0; padding: 0;
  grid-template-columns: repeat(auto-fill, minmax(164px, 1fr));
}
.with-companions .pictures.gallery { grid-template-columns: repeat(auto-fill, minmax(320px, 1fr)); }
.pictures.small { grid-template-columns: repeat(auto-fill, minmax(112px, 1fr)); }
.pictures li { scroll-margin-top: 70px; }
.pictures figure, .enlarged figure { margin: 0; }
.pictures li:target figure { outline: 3px solid var(--line); outline-offset: 3px; }
.pictures button {
  display: flex; gap: 3px; width: 100%; padding: 0; border: 0; border-radius: 4px;
  background: #000; overflow: hidden; cursor: zoom-in;
}
.marked button { box-shadow: 0 0 0 2px var(--alert); }
figcaption { margin-top: 5px; line-height: 1.4; font-variant-numeric: tabular-nums; }
figcaption strong { display: block; color: var(--ink); font-weight: 600; }
.layers { position: relative; display: block; flex: 1 1 0; min-width: 0; background: #000; }
.layers img, img.companion { display: block; width: 100%; height: auto; }
.layers .overlay { position: absolute; inset: 0; height: 100%; opacity: var(--overlay); }
.pictures img.companion { display: none; flex: 1 1 0; min-width: 0; }
.with-companions .pictures img.companion { display: block; }
.thumbnail { width: 72px; border-radius: 3px; overflow: hidden; }

.enlarged {
  width: min(1180px, 96vw); padding: 16px 20px 20px; color: var(--ink); background: var(--card);
  border: 1px solid var(--edge); border-radius: 8px;
}
.enlarged::backdrop { background: rgb(0 0 0 / 60%); }
.enlarged header { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; }
.enlarged header div { flex: 1; }
.enlarged header button {
  padding: 5px 14px; font: inherit; color: var(--ink); background: var(--ground);
  border: 1px solid var(--edge); border-radius: 6px; cursor: pointer;
}
.panes {
  display: grid; grid-auto-flow: column; grid-auto-columns: 1fr; gap: 14px; margin-top: 12px;
}
@media (max-width: 640px) { .panes { grid-auto-flow: row; } body { padding: 18px 12px; } }
@media print {
  :root {
    color-scheme: light;
    --ground: #ffffff; --card: #ffffff; --edge: #c4c9d0;
    --ink: #000000; --faint: #444a53; --line: #2c5f8f; --band: #dbe7f1;
    --calm: #2c5f8f; --alert: #b2390a; --unclear: #75600c;
  }
  body { padding: 0; max-width: none; font-size: 12px; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  .controls { display: none; }
  .pictures { grid-template-columns: repeat(5, 1fr); }
  .chart { min-width: 0; }
  li, tr, .verdict, .chart { break-inside: avoid; }
}
)css";

const char* const kPageScript = R"js(
"use strict";
const all = (what, where = document) => Array.from(where.querySelectorAll(what));
const on = (what, event, action) => {
  for (const node of all(what)) node.addEventListener(event, () => action(node));
};

for (const controls of all(".controls")) controls.hidden = false;
on("[data-variable]", "input", slider => {
  document.documentElement.style.setProperty("--" + slider.dataset.variable, slider.value / 100);
  slider.nextElementSibling.value = slider.value + " %";
});
on("[data-toggle]", "change", box =>
  document.body.classList.toggle(box.dataset.toggle, box.checked));
on("[data-order]", "change", radio => {
  const gallery = document.querySelector(".gallery"), key = radio.dataset.order;
  gallery.append(...Array.from(gallery.children).sort((a, b) => a.dataset[key] - b.dataset[key]));
});

const enlarged = document.querySelector(".enlarged");
if (enlarged) {
  let shown = null;
  const show = item => {
    shown = item;
    const [image, overlay, companion] =
      ["img.image", "img.overlay", "img.companion"].map(what => item.querySelector(what));
    enlarged.querySelector(".words").replaceChildren(
      item.querySelector("figcaption").cloneNode(true));
    const fill = (what, images) => {
      const pane = enlarged.querySelector(what);
      pane.parentElement.hidden = images.includes(null);
      pane.replaceChildren(...images.filter(Boolean).map(node => node.cloneNode()));
    };
    fill(".plain", [image]);
    fill(".overlaid", [image, overlay]);
    fill(".reference", [companion]);
    if (!enlarged.open) enlarged.showModal();
  };
  const step = by => {
    const items = Array.from(shown.parentElement.children);
    show(items.at((items.indexOf(shown) + by) % items.length));
  };
  on(".gallery li button", "click", button => show(button.closest("li")));
  on(".close", "click", () => enlarged.close());
  on(".previous", "click", () => step(-1));
  on(".next", "click", () => step(1));
  enlarged.addEventListener("keydown", event => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by) step(by);
  });
}
addEventListener("beforeprint", () => { for (const part of all("details")) part.open = true; });
)js";

}  // namespace ratnet::inline v1
