"use strict";
const announce = text => { document.getElementById("announce").textContent = text; };

// Sorting of tables. Without it they keep the order that they were written in.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const headers = [...table.tHead.rows[0].cells];
  if (body.rows.length < 2) continue;
  const key = (row, i) => row.cells[i].dataset.value ?? row.cells[i].textContent.replace(/\*$/, "");
  const compare = (a, b) => {
    const x = Number(a), y = Number(b);
    return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b, "en", {numeric: true}) : x - y;
  };
  headers.forEach((header, i) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = header.textContent;
    header.replaceChildren(button);
    header.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const up = header.getAttribute("aria-sort") !== "ascending";
      for (const h of headers) h.setAttribute("aria-sort", "none");
      header.setAttribute("aria-sort", up ? "ascending" : "descending");
      const rows = [...body.rows].sort((r, s) => {
        const a = key(r, i), b = key(s, i);
        if (a === "" || b === "") return (a === "") - (b === ""); // cells without a value stay last
        return up ? compare(a, b) : compare(b, a);
      });
      body.append(...rows);
      announce(table.caption.textContent + ": sorted by " + button.textContent + ", " + (up ? "ascending" : "descending"));
    });
  });
}

// Values of figures: the one nearest to the pointer, or by arrow keys the next.
// Without it browsers show them as titles.
const tip = document.getElementById("tip");
let shown = null;
const hide = () => {
  if (shown) shown.element.classList.remove("on");
  shown = null;
  tip.hidden = true;
};
const place = () => {
  if (!shown) return;
  const at = shown.element.getBoundingClientRect(), size = tip.getBoundingClientRect();
  const left = Math.min((at.left + at.right - size.width) / 2, document.documentElement.clientWidth - size.width - 4);
  const above = at.top - size.height - 6;
  tip.style.left = Math.max(4, left) + "px";
  tip.style.top = (above >= 4 ? above : Math.min(at.bottom + 6, innerHeight - size.height - 4)) + "px";
};
const show = spot => {
  if (shown === spot) return;
  hide();
  shown = spot;
  spot.element.classList.add("on");
  tip.textContent = spot.text;
  tip.hidden = false;
  place();
};
for (const picture of document.querySelectorAll(".picture")) {
  const spots = [...picture.querySelectorAll(".spots > *")].map(element => {
    const title = element.querySelector("title"), text = title.textContent;
    title.remove(); // or there would be two tips
    const of = name => Number(element.getAttribute(name));
    const point = element.localName === "circle";
    return {element, text, x: of(point ? "cx" : "x"), y: of(point ? "cy" : "y"), width: of("width"), height: of("height")};
  });
  if (!spots.length) continue;
  const svg = picture.querySelector("svg");
  const near = event => {
    const scale = svg.getScreenCTM();
    const p = new DOMPoint(event.clientX, event.clientY).matrixTransform(scale.inverse());
    let best = null, least = 24 / scale.a;
    for (const s of spots) {
      const d = Math.hypot(Math.max(s.x - p.x, 0, p.x - s.x - s.width), Math.max(s.y - p.y, 0, p.y - s.y - s.height));
      if (d < least || d === least && best && s.width * s.height < best.width * best.height) [best, least] = [s, d];
    }
    if (best) show(best); else hide();
  };
  picture.addEventListener("pointermove", near);
  picture.addEventListener("pointerdown", near);
  picture.addEventListener("pointerleave", event => { if (event.pointerType === "mouse") hide(); });
  picture.addEventListener("blur", hide);
  picture.addEventListener("scroll", place);
  picture.addEventListener("keydown", event => {
    const step = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1}[event.key];
    if (!step || event.target !== picture) return;
    event.preventDefault();
    const from = spots.indexOf(shown), next = from < 0 ? (step > 0 ? 0 : spots.length - 1) : (from + step + spots.length) % spots.length;
    hide();
    spots[next].element.scrollIntoView({block: "nearest", inline: "nearest"});
    show(spots[next]);
    announce(spots[next].text);
  });
}
document.addEventListener("keydown", event => { if (event.key === "Escape") hide(); });
addEventListener("scroll", place);
