"use strict";
// The one page of the first version: what is there, and Start and Stop. It shows what was observed, never what was asked.

const find = (selector, root = document) => root.querySelector(selector);
let access = null;          // the access token: in memory only
let rights = new Set();     // what the policy lets this user do
let sequence = null;        // the last change seen, to resume from; null within a whole picture
let redialMs = 1000;
const senders = new Map(), broadcasts = new Map(), telemetry = new Map();
let destinations = [];

async function refresh() {
  const answer = await fetch("/api/v1/auth/refresh", { method: "POST" });
  if (answer.ok) hold(await answer.json()); else access = null;
  return access !== null;
}

function hold(session) {
  access = session.accessToken;
  rights = new Set(session.may);
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
const newestFirst = (a, b) => a.createdAt < b.createdAt ? 1 : -1;
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
    // Nobody knows how the links of one that is away are.
    return [[link.name], sender.online ? [state, tone(state)] : [""], [link.addresses[0] || ""], [now ? megabits(now.sent) : "", "number"],
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
  fill(table, (broadcast?.outputs || []).map((output, index) => {
    // Not everybody may see the destinations.
    const name = destinations.find(one => one.id === output.destination)?.name || `output ${index + 1}`;
    const report = output.report;
    return [[name], [report?.state || "", tone(report?.state)], [report ? megabytes(report.sentBytesTotal) : "", "number"], [report?.reason || ""]];
  }));
}

function showStart(element, sender, broadcast) {
  const form = find("form", element), stopButton = find(".stop", element), mayRun = rights.has("broadcasts.run");
  form.hidden = !mayRun || Boolean(broadcast);
  stopButton.hidden = !mayRun || !broadcast;
  stopButton.disabled = broadcast?.state === "stopping";
  find("button", form).disabled = !sender.online;
  if (form.hidden) return;
  showInputs(form.input, sender);
  const bitrate = sender.defaults ? String(sender.defaults.encoder.bitrate / 1e6) : "";
  if (form.bitrate.value === (form.bitrate.dataset.preset || "")) form.bitrate.value = bitrate;
  form.bitrate.dataset.preset = bitrate;
  form.bitrate.disabled = !sender.defaults;
  showDestinations(find(".destinations", form), sender.id);
}

// The form starts from what the sender is configured to be; what somebody has chosen in it stays.
function showInputs(select, sender) {
  const preset = sender.defaults?.input.video || "", before = select.dataset.preset || "", chosen = select.value;
  const offered = sender.inventory.inputs.filter(input => input.media !== "audio").map(input => [input.name, input.id]);
  const has = id => offered.some(one => one[1] === id);
  if (preset && !has(preset)) offered.unshift([preset + " (not there now)", preset]);
  if (select.dataset.shown !== JSON.stringify(offered)) {
    select.dataset.shown = JSON.stringify(offered);
    select.replaceChildren(...offered.map(([name, id]) => new Option(name, id)));
  }
  const wanted = chosen !== before && has(chosen) ? chosen : preset || select.options[0]?.value || "";
  if (select.value !== wanted) select.value = wanted;
  select.dataset.preset = preset;
}

// Destinations of one address. Whether their keys are one as well nobody is told; a platform takes one publisher for a key.
const address = destination => JSON.stringify([destination.url, destination.streamID]);
const shared = destination => destinations.filter(one => address(one) === address(destination));

// Until somebody has ticked for themselves: where the sender's last broadcast went, one of each address, or the only one there is.
function showDestinations(set, id) {
  const last = [...broadcasts.values()].filter(one => one.sender === id).sort(newestFirst)[0];
  const went = last ? destinations.filter(one => last.outputs.some(output => output.destination === one.id)) : destinations.length === 1 ? destinations : [];
  const usual = went.filter(one => went.find(other => address(other) === address(one)) === one).map(one => one.id);
  const shown = JSON.stringify([destinations, usual]);
  if (set.dataset.shown === shown) return;
  set.dataset.shown = shown;
  const ticked = set.dataset.touched ? [...set.querySelectorAll("input:checked")].map(box => box.value) : usual;
  set.querySelectorAll("label").forEach(label => label.remove());
  const hint = find(".hint", set);
  for (const destination of destinations) {
    const label = document.createElement("label"), box = document.createElement("input");
    box.type = "checkbox"; box.value = destination.id; box.checked = ticked.includes(destination.id);
    box.addEventListener("change", () => { set.dataset.touched = "yes"; });
    label.append(box, destination.name);
    hint.before(label);
  }
  const alike = destinations.filter(one => shared(one).length > 1).map(one => one.name);
  hint.textContent = alike.length ? `Of one address, so together only if their keys differ: ${alike.join(", ")}` : "";
}

function say(text, kind = "") {
  find("#connection").textContent = text;
  find("#connection").className = kind;
  find("main").classList.toggle("stale", kind === "bad");
}

async function act(element, work) {
  find(":scope > .error", element).textContent = "";
  try { await work(); } catch (error) { find(":scope > .error", element).textContent = error.message; }
}

const start = (id, element) => act(element, () => {
  const form = find("form", element), chosen = [...form.querySelectorAll("input:checked")].map(box => box.value);
  if (chosen.length === 0) throw new Error(destinations.length ? "choose at least one destination" : "there is no destination yet: add one first");
  // What is not changed is not sent: control takes it from the configuration in force.
  const { input, encoder } = senders.get(id).defaults || {}, { value: bitrate, dataset: { preset } } = form.bitrate;
  return api("POST", "/broadcasts", {
    sender: id,
    destinations: chosen,
    ...(form.input.value !== input?.video && { input: { ...input, video: form.input.value } }),
    ...(encoder && bitrate !== preset && { encoder: { ...encoder, bitrate: Math.round(bitrate * 1e6) } }),
  });
});

const stop = (id, element) => act(element, () => api("POST", `/broadcasts/${current(id).id}/stop`));

function showPast() {
  const ended = [...broadcasts.values()].filter(one => one.state === "ended").sort(newestFirst).slice(0, 20);
  find("#past").hidden = ended.length === 0;
  fill(find("#past table"), ended.map(one => [[clock(one.createdAt)], [senders.get(one.sender)?.name || "a sender that was removed"], [clock(one.endedAt)], [one.reason || ""]]));
}

function update({ seq, topic, body }) {
  sequence = seq;
  if (topic === "all") { forget(); readDestinations(); return; }
  if (topic === "destinations") { readDestinations(); return; }
  const [kind, id] = topic.split("/");
  const table = { sender: senders, broadcast: broadcasts, telemetry }[kind];
  if (!table) return;
  const before = table.get(id);
  if (body === null) table.delete(id); else table.set(id, body);
  show(kind === "broadcast" ? (body || before)?.sender : id);
  if (kind !== "telemetry") showPast();
  find("#no-senders").hidden = senders.size > 0;
}

async function readDestinations() {
  if (!rights.has("destinations.view")) return;
  try {
    destinations = (await api("GET", "/destinations")).items;
  } catch (error) {
    say("the destinations could not be read: " + error.message, "warn");
  }
  for (const id of senders.keys()) show(id);
}

// What was known is over: the whole picture follows, or nobody is signed in.
function forget() {
  sequence = null;
  for (const table of [senders, broadcasts, telemetry]) table.clear();
  destinations = [];
  find("#sender-list").replaceChildren();
  find("#no-senders").hidden = false;
  showPast();
}

async function watch() {
  try {
    const { ticket } = await api("POST", "/auth/ticket");
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/api/v1/live?ticket=${ticket}` + (sequence === null ? "" : `&since=${sequence}`));
    socket.onopen = () => { redialMs = 1000; say("connected"); };
    socket.onmessage = event => update(JSON.parse(event.data));
    socket.onclose = retry;
  } catch (error) { retry(); }
}

function retry() {
  say("connection lost, trying again", "bad");
  setTimeout(async () => { if (await refresh().catch(() => true)) watch(); else signedOut(); }, redialMs);
  redialMs = Math.min(redialMs * 2, 15000);
}

function signedIn() {
  for (const id of ["login", "register"]) find("#" + id).hidden = true;
  find("#senders").hidden = find("#logout").hidden = false;
  find("#how-to-enroll").hidden = !rights.has("senders.manage");
  watch();
}

async function signedOut() {
  forget();
  find("#senders").hidden = find("#logout").hidden = true;
  say("not signed in");
  const { ownerExists } = await api("GET", "/setup");
  find("#login").hidden = !ownerExists;
  find("#register").hidden = ownerExists;
}

function enter(form, path) {
  form.addEventListener("submit", event => {
    event.preventDefault();
    act(form, async () => {
      const fields = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
      hold(await api("POST", path, fields));
      form.reset();
      signedIn();
    });
  });
}

enter(find("#login"), "/auth/login");
enter(find("#register"), "/auth/register");
find("#logout").addEventListener("click", async () => { await api("POST", "/auth/logout").catch(() => null); location.reload(); });
refresh().then(ok => ok ? signedIn() : signedOut());
