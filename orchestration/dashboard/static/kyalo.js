"use strict";

// Figures are told in the page; colours in them are names of the stylesheet's, so that they follow light and dark.
const STYLE = { displayModeBar: false, responsive: true, doubleClick: false, showTips: false };

function withColours(value, style) {
  if (typeof value === "string") {
    const name = value.match(/^var\((--[a-z]+)\)$/);
    return name ? style.getPropertyValue(name[1]).trim() : value;
  }
  if (Array.isArray(value)) return value.map((item) => withColours(item, style));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withColours(item, style)]));
}

function draw() {
  const style = getComputedStyle(document.documentElement);
  for (const place of document.querySelectorAll(".plot")) {
    const told = JSON.parse(document.getElementById(place.dataset.figure).textContent);
    const { data, layout } = withColours(told, style);
    layout.font.family = getComputedStyle(document.body).fontFamily;
    Plotly.react(place, data, layout, STYLE);
  }
}

draw();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
