"use strict";
// The last minute of a figure, drawn small: what is measured as an area, what would be possible as a line.

const graphs = (() => {
  const span = 60_000, width = 120, height = 28;
  const series = new Map();   // by name, [time, value, limit] each

  function note(name, value, limit = null, now = performance.now()) {
    const points = series.get(name) || [];
    points.push([now, value, limit]);
    while (points.length > 1 && points[1][0] < now - span) points.shift();
    series.set(name, points);
  }

  const element = (name, attributes) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };

  // A new drawing of it. `label` says what it shows, with its unit.
  function draw(name, label, now = performance.now()) {
    const points = series.get(name) || [], known = points.filter(point => point[1] !== null);
    const top = Math.max(1e-9, ...known.map(point => Math.max(point[1], point[2] ?? 0)));
    const x = time => width * (1 - Math.min(span, now - time) / span), y = value => height - 1 - (height - 2) * Math.min(1, value / top);
    const place = (time, value) => `${x(time).toFixed(1)},${y(value).toFixed(1)}`;
    const picture = element("svg", { class: "graph", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label });
    const title = element("title", {});
    title.textContent = label;
    picture.append(title);
    if (known.length > 1) {
      const line = known.map(([time, value]) => place(time, value)).join(" ");
      picture.append(element("polygon", { class: "area", points: `${place(known[0][0], 0)} ${line} ${place(known.at(-1)[0], 0)}` }));
      const limits = known.filter(point => point[2] !== null);
      if (limits.length > 1) picture.append(element("polyline", { class: "limit", points: limits.map(([time, , limit]) => place(time, limit)).join(" ") }));
    }
    return picture;
  }

  return { note, draw, forget: () => series.clear() };
})();
