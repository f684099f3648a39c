"use strict";
// The newest picture of each running broadcast. Read with the access token and drawn, as the slate is; one after the other and with a pause,
// since a user has so many requests a minute, and only the newest of what is waited for.

const thumbnails = (() => {
  const pause = 1500, old = 10_000;
  const waiting = new Map();  // by figure, the broadcast and its name
  let isReading = false;

  // How old it is by the server's clock: this machine's may be wrong.
  const age = figure => Number(figure.dataset.age) + performance.now() - Number(figure.dataset.since);

  function caption(figure) {
    const ms = age(figure);
    figure.classList.toggle("old", ms > old);
    figure.querySelector("figcaption").textContent = ms > old ? `${Math.round(ms / 1000)} s old` : "";
  }

  function show(element, broadcast, name) {
    const figure = element.querySelector(".thumbnail");
    if (figure.dataset.broadcast !== broadcast?.id || !broadcast?.thumbnailAt) {
      figure.hidden = true;
      waiting.delete(figure);
      for (const key of ["broadcast", "asked"]) delete figure.dataset[key];
    }
    if (!broadcast?.thumbnailAt) return;
    figure.dataset.broadcast = broadcast.id;
    figure.querySelector("canvas").setAttribute("aria-label", `The picture of ${name}`);
    if (!figure.hidden) caption(figure);
    if (figure.dataset.asked === broadcast.thumbnailAt) return;
    waiting.set(figure, broadcast);
    readAll();
  }

  async function readAll() {
    if (isReading) return;
    isReading = true;
    while (waiting.size > 0) {
      const [figure, broadcast] = waiting.entries().next().value;
      waiting.delete(figure);
      figure.dataset.asked = broadcast.thumbnailAt;
      await read(figure, broadcast).catch(() => null);  // The next one comes within seconds.
      // Nobody sees those of a page in the background.
      do await new Promise(resolve => setTimeout(resolve, pause)); while (document.hidden);
    }
    isReading = false;
  }

  async function read(figure, broadcast) {
    const answer = await call("GET", `/broadcasts/${broadcast.id}/thumbnail`);
    if (!answer.ok) return;
    const now = Date.parse(answer.headers.get("Date") || "") || Date.now();
    const picture = await createImageBitmap(await answer.blob()), canvas = figure.querySelector("canvas");
    // It may have ended meanwhile.
    if (figure.dataset.broadcast !== broadcast.id) return;
    [canvas.width, canvas.height] = [picture.width, picture.height];
    canvas.getContext("2d").drawImage(picture, 0, 0);
    figure.dataset.age = Math.max(0, now - Date.parse(broadcast.thumbnailAt));
    figure.dataset.since = performance.now();
    figure.hidden = false;
    caption(figure);
  }

  return { show };
})();
