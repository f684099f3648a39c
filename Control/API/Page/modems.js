"use strict";
// What a modem says of itself, beside the link that it carries, and the button that restarts one that is stuck.

const modems = (() => {
  const cells = new Map();    // by sender and modem: made once, so that a press and the keyboard's place outlive the next sample
  const dialog = document.querySelector("#reset-modem"), form = dialog.querySelector("form");
  // The order is answered within 10 s.
  const patience = 15_000;

  // The network that a modem is in, how well it hears it (the daemon's per cent where it does not tell more), and what is wrong with it.
  function words(modem) {
    const signal = modem.rsrpDbm != null ? `${modem.rsrpDbm} dBm` : modem.signalPercent != null ? `${modem.signalPercent} %` : "";
    return [modem.network, [modem.technology, modem.band].filter(Boolean).join(" "), modem.registration === "roaming" && "roaming", signal,
      modem.sinrDb != null && `SINR ${modem.sinrDb} dB`, modem.link && modem.reason].filter(Boolean).join(", ");
  }

  const isWeak = modem => modem.rsrpDbm != null ? modem.rsrpDbm < -110 : modem.signalPercent != null && modem.signalPercent < 25;
  const named = modem => [modem.link, modem.model || modem.id].filter(Boolean).join(", ");

  function make(sender, modem) {
    const cell = document.createElement("div"), figures = document.createElement("span"), button = document.createElement("button");
    cell.className = "modem";
    button.type = "button"; button.className = "plain small"; button.textContent = "Reset";
    button.addEventListener("click", () => reset(sender, modem.id, button));
    cell.append(figures, button);
    return { cell, figures, button };
  }

  // A text and a tone, as every cell of a table.
  function cell(sender, modem) {
    if (!modem) return [""];
    const key = `${sender} ${modem.id}`, made = cells.get(key) || make(sender, modem);
    cells.set(key, made);
    made.modem = modem;
    made.figures.textContent = words(modem);
    made.button.hidden = !rights.has("senders.operate");
    made.button.setAttribute("aria-label", `Reset the modem ${named(modem)}`);
    return [made.cell, isWeak(modem) || modem.reason ? "warn" : ""];
  }

  // What is left of those that the sender has.
  function keep(sender, present) {
    const wanted = new Set(present.map(modem => `${sender} ${modem.id}`));
    for (const key of cells.keys()) if (key.startsWith(sender + " ") && !wanted.has(key)) cells.delete(key);
  }

  // A person's word, or nothing.
  async function confirmed(sender, modem) {
    const broadcast = current(sender);
    dialog.querySelector(".what").textContent = `${named(modem)} of ${senders.get(sender)?.name}. ` +
      "It leaves its network and registers again, which takes up to a minute; its link carries nothing meanwhile.";
    form.force.checked = false;
    form.force.closest("label").hidden = !broadcast;
    dialog.returnValue = "";
    dialog.showModal();
    await new Promise(done => dialog.addEventListener("close", done, { once: true }));
    return dialog.returnValue === "reset" ? { force: Boolean(broadcast) && form.force.checked } : null;
  }

  async function reset(sender, id, button) {
    const modem = cells.get(`${sender} ${id}`)?.modem;
    if (!modem || button.dataset.busy || dialog.open) return;
    const word = await confirmed(sender, modem), element = document.getElementById("sender-" + sender);
    if (!word || !element) return;
    const told = find(":scope > .told", element);
    told.textContent = `${named(modem)}: it is being reset`;
    await act(element, button, async () => {
      try {
        const answer = await api("POST", `/senders/${sender}/modem-reset`, { modem: id, ...word }, patience);
        told.textContent = `${named(modem)}: ` + (answer.reason || "it was reset");
      } catch (error) {
        told.textContent = "";
        throw new Error(`${named(modem)}: ${error.message}`);
      }
    });
    // On a telephone it lies below what was pressed.
    (told.textContent ? told : find(":scope > .error", element)).scrollIntoView({ block: "nearest" });
  }

  return { cell, keep, forget: () => cells.clear() };
})();
