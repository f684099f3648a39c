"use strict";
// The organisation's picture for the time that a sender is silent: shown, exchanged and taken away by those who may.

const slate = (() => {
  const section = document.querySelector("#slate"), form = section.querySelector("form"), canvas = section.querySelector("canvas");

  // Drawn and not linked: the picture is read with the access token.
  async function draw() {
    const { slate: own } = await api("GET", "/organization");
    canvas.hidden = true;
    section.querySelector(".which").textContent = own ? "the organisation's picture" : "a picture of ours";
    form.querySelector(".remove").hidden = !own;
    if (!own) return;
    const answer = await call("GET", "/organization/slate");
    if (!answer.ok) throw new Error("the picture cannot be read now");
    const picture = await createImageBitmap(await answer.blob());
    canvas.width = 320; canvas.height = Math.max(1, Math.round(320 * picture.height / picture.width));
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    canvas.hidden = false;
  }

  form.addEventListener("submit", event => {
    event.preventDefault();
    act(section, form.querySelector("[type=submit]"), async () => {
      const file = form.picture.files[0];
      const answer = await call("PUT", "/organization/slate", file, file.type);
      if (!answer.ok) { const problem = await answer.json(); throw new Error(problem.detail || problem.title); }
      form.reset();
      await draw();
    });
  });
  form.querySelector(".remove").addEventListener("click", event => act(section, event.currentTarget, async () => {
    await api("DELETE", "/organization/slate");
    await draw();
  }));

  return {
    show() {
      section.hidden = !rights.has("organization.change");
      if (!section.hidden) draw().catch(error => { section.querySelector(".error").textContent = error.message; });
    },
    hide() { section.hidden = true; },
  };
})();
