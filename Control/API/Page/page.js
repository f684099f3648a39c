"use strict";
// The one page of the first version: what is there, and Start and Stop. It shows what was observed, never what was asked.

const find = (selector, root = document) => root.querySelector(selector);
let access = null;          // the access token: in memory only
let sequence = null;        // the last change seen, to resume from
let redialMs = 1000;
const senders = new Map(), broadcasts = new Map(), telemetry = new Map();
let destinations = [];

async function refresh() {
  const answer = await fetch("/api/v1/auth/refresh", { method: "POST" });
  access = answer.ok ? (await answer.json()).accessToken : null;
  return access !== null;
}

async function api(method, path, body) {
  const send = () => fetch("/api/v1" + path, {
    method,
    headers: { ...(access && { Authorization: "Bearer " + access }), ...(body && { "Content-Type": "application/json" }) },
    body: body && JSON.stringify(body),
  });
  let answer = await send();
  if (answer.status === 401 && access && await refresh()) answer = await send();
  if (answer.status === 204) return null;
  const value = await answer.json();
  if (!answer.ok) {
    const faults = (value.faults || []).map(fault => `${fault.field}: ${fault.expected}`).join("; ");
    throw new Error([value.detail || value.title, faults].filter(Boolean).join(" — "));
  }
  return value;
}

const megabits = bits => (bits / 1e6).toFixed(2) + " Mbit/s";
const megabytes = bytes => (bytes / 1e6).toFixed(1) + " MB";
const clock = text => text ? new Date(text).toLocaleString() : "";

function cells(row, values) {
  row.replaceChildren(...values.map(([text, kind]) => {
    const cell = document.createElement("td");
    cell.textContent = text;
    if (kind) cell.className = kind;
    return cell;
  }));
}

function fill(table, rows) {
  const body = find("tbody", table);
  while (body.rows.length > rows.length) body.deleteRow(-1);
  rows.forEach((values, index) => cells(body.rows[index] || body.insertRow(), values));
}

const tone = state => ({ live: "good", connected: "good", up: "good", degraded: "warn", interrupted: "bad", failed: "bad", dead: "bad", down: "bad", retrying: "warn" })[state] || "";

function card(id) {
  let element = document.getElementById("sender-" + id);
  if (element) return element;
  element = find("#sender").content.firstElementChild.cloneNode(true);
  element.id = "sender-" + id;
  find("form", element).addEventListener("submit", event => { event.preventDefault(); start(id, element); });
  find(".stop", element).addEventListener("click", () => stop(id, element));
  find("#sender-list").append(element);
  return element;
}

const current = id => [...broadcasts.values()].find(one => one.sender === id && one.state !== "ended");

function show(id) {
  const sender = senders.get(id);
  if (!sender) return document.getElementById("sender-" + id)?.remove();
  const element = card(id), broadcast = current(id), sample = telemetry.get(id);
  find(".name", element).textContent = sender.name;
  const presence = find(".presence", element);
  presence.textContent = sender.online ? "online" : "offline";
  presence.className = "badge presence " + (sender.online ? "good" : "bad");
  const state = find(".state", element);
  state.textContent = broadcast ? broadcast.state + (broadcast.step ? ": " + broadcast.step : "") : "";
  state.className = "badge state " + tone(broadcast?.state);
  find(".reason", element).textContent = broadcast?.reason || "";
  find(".facts", element).textContent = [
    sender.agentVersion && "agent " + sender.agentVersion,
    !sender.online && sender.lastSeenAt && "last seen " + clock(sender.lastSeenAt),
    broadcast?.ingest && `receives ${megabits(broadcast.ingest.bitrate)}, lost ${broadcast.ingest.lostPacketsTotal}, recovered ${broadcast.ingest.recoveredPacketsTotal}`,
    broadcast?.ingest?.slateMs != null && `shows the slate for ${(broadcast.ingest.slateMs / 1000).toFixed(0)} s`,
    broadcast?.ingest?.width && `${broadcast.ingest.width}×${broadcast.ingest.height}`,
    sender.flaggedAt && "seen from two places at " + clock(sender.flaggedAt),
  ].filter(Boolean).join(" · ");
  showLinks(element, sender, sample);
  showPaths(element, broadcast);
  showOutputs(element, broadcast);
  showStart(element, sender, broadcast);
}

function showLinks(element, sender, sample) {
  const measured = new Map((sender.online && sample?.links || []).map(link => [link.name, link]));
  fill(find(".links", element), sender.inventory.links.map(link => {
    const now = measured.get(link.name);
    const state = now && now.state !== "unused" ? now.state : link.state;
    return [[link.name], [state, tone(state)], [link.addresses[0] || ""], [now ? megabits(now.sent) : "", "number"],
      [now?.rttMs != null ? now.rttMs.toFixed(0) + " ms" : "", "number"], [now ? String(now.weight) : "", "number"]];
  }));
}

// The same links as the receiver sees them: by the address that they come from, which a mobile network may have exchanged.
function showPaths(element, broadcast) {
  const table = find(".paths", element), paths = broadcast?.ingest?.paths || [];
  table.hidden = paths.length === 0;
  fill(table, paths.map(path => [[path.source], [megabits(path.bitrate), "number"], [path.rttMs != null ? path.rttMs.toFixed(0) + " ms" : "", "number"],
    [path.loss != null ? (path.loss * 100).toFixed(1) + " %" : "", "number"]]));
}

function showOutputs(element, broadcast) {
  const table = find(".outputs", element);
  table.hidden = !broadcast;
  fill(table, (broadcast?.outputs || []).map(output => {
    const name = destinations.find(one => one.id === output.destination)?.name || output.destination;
    const report = output.report;
    return [[name], [report?.state || "", tone(report?.state)], [report ? megabytes(report.sentBytesTotal) : "", "number"], [report?.reason || ""]];
  }));
}

function showStart(element, sender, broadcast) {
  const form = find("form", element), stopButton = find(".stop", element);
  form.hidden = Boolean(broadcast);
  stopButton.hidden = !broadcast;
  stopButton.disabled = broadcast?.state === "stopping";
  find("button", form).disabled = !sender.online;
  const select = find("select", form), wanted = sender.inventory.inputs.filter(input => input.media !== "audio");
  if (select.dataset.shown !== JSON.stringify(wanted)) {
    select.dataset.shown = JSON.stringify(wanted);
    select.replaceChildren(...wanted.map(input => new Option(input.name, input.id)));
  }
  const set = find(".destinations", form);
  if (set.dataset.shown !== JSON.stringify(destinations)) {
    set.dataset.shown = JSON.stringify(destinations);
    set.querySelectorAll("label").forEach(label => label.remove());
    for (const destination of destinations) {
      const label = document.createElement("label"), box = document.createElement("input");
      box.type = "checkbox"; box.value = destination.id; box.checked = true;
      label.append(box, destination.name);
      set.append(label);
    }
  }
}

async function act(element, work) {
  find(":scope > .error", element).textContent = "";
  try { await work(); } catch (error) { find(":scope > .error", element).textContent = error.message; }
}

const start = (id, element) => act(element, () => {
  const form = find("form", element), chosen = [...form.querySelectorAll("input:checked")].map(box => box.value);
  if (chosen.length === 0) throw new Error(destinations.length ? "choose at least one destination" : "there is no destination yet: add one first");
  return api("POST", "/broadcasts", {
    sender: id,
    destinations: chosen,
    input: { video: form.input.value },
    encoder: { id: "automatic", codec: "h264", bitrate: Math.round(form.bitrate.value * 1e6), audioBitrate: 128000, width: 1280, height: 720, frameRate: 30 },
  });
});

const stop = (id, element) => act(element, () => api("POST", `/broadcasts/${current(id).id}/stop`));

function showPast() {
  const ended = [...broadcasts.values()].filter(one => one.state === "ended").sort((a, b) => a.createdAt < b.createdAt ? 1 : -1).slice(0, 20);
  find("#past").hidden = ended.length === 0;
  fill(find("#past table"), ended.map(one => [[clock(one.createdAt)], [senders.get(one.sender)?.name || one.sender], [clock(one.endedAt)], [one.reason || ""]]));
}

function update({ seq, topic, body }) {
  sequence = seq;
  const [kind, id] = topic.split("/");
  const table = { sender: senders, broadcast: broadcasts, telemetry }[kind];
  if (!table) return;
  const before = table.get(id);
  if (body === null) table.delete(id); else table.set(id, body);
  show(kind === "broadcast" ? (body || before)?.sender : id);
  if (kind === "broadcast") showPast();
  find("#no-senders").hidden = senders.size > 0;
}

async function watch() {
  try {
    const { ticket } = await api("POST", "/auth/ticket");
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/api/v1/live?ticket=${ticket}` + (sequence === null ? "" : `&since=${sequence}`));
    socket.onopen = () => { redialMs = 1000; find("#connection").textContent = "connected"; };
    socket.onmessage = event => update(JSON.parse(event.data));
    socket.onclose = retry;
  } catch (error) { retry(); }
}

function retry() {
  find("#connection").textContent = "connection lost, trying again";
  setTimeout(async () => { if (await refresh().catch(() => true)) watch(); else signedOut(); }, redialMs);
  redialMs = Math.min(redialMs * 2, 15000);
}

async function signedIn() {
  for (const id of ["login", "register"]) find("#" + id).hidden = true;
  find("#senders").hidden = find("#logout").hidden = false;
  destinations = (await api("GET", "/destinations")).items;
  watch();
}

async function signedOut() {
  find("#senders").hidden = find("#logout").hidden = true;
  find("#connection").textContent = "not signed in";
  const { ownerExists } = await api("GET", "/setup");
  find("#login").hidden = !ownerExists;
  find("#register").hidden = ownerExists;
}

function enter(form, path) {
  form.addEventListener("submit", event => {
    event.preventDefault();
    act(form, async () => {
      const fields = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
      access = (await api("POST", path, fields)).accessToken;
      form.reset();
      await signedIn();
    });
  });
}

enter(find("#login"), "/auth/login");
enter(find("#register"), "/auth/register");
find("#logout").addEventListener("click", async () => { await api("POST", "/auth/logout").catch(() => null); location.reload(); });
refresh().then(ok => ok ? signedIn() : signedOut());
