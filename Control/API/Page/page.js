"use strict";
// The one page of the first version: what is there, and Start and Stop. It shows what was observed, never what was asked.

const find = (selector, root = document) => root.querySelector(selector);
let access = null;          // the access token: in memory only
let rights = new Set();     // what the policy lets this user do
let sequence = null;        // the last change seen, to resume from; null within a whole picture
let redialMs = 1000;
let heardAt = 0;            // when the server spoke last
const senders = new Map(), broadcasts = new Map(), telemetry = new Map();
let destinations = [];

async function refresh() {
  const answer = await fetch("/api/v1/auth/refresh", { method: "POST", signal: AbortSignal.timeout(10000) });
  if (answer.ok) hold(await answer.json());
  // Only who is refused is signed out: a server that cannot answer now may still be asked to stop a broadcast.
  else if (answer.status < 500 && answer.status !== 429) access = null;
  else throw new Error("the server cannot renew the session now");
  return access !== null;
}

function hold(session) {
  access = session.accessToken;
  rights = new Set(session.may);
}

// A body is JSON unless it is a file, whose type is told.
async function call(method, path, body, type, limit = 10_000) {
  const send = () => fetch("/api/v1" + path, {
    method,
    signal: AbortSignal.timeout(limit),
    headers: { ...(access && { Authorization: "Bearer " + access }), ...(body && { "Content-Type": type || "application/json" }) },
    body: type ? body : body && JSON.stringify(body),
  });
  let answer = await send();
  if (answer.status === 401 && access && await refresh()) answer = await send();
  return answer;
}

async function api(method, path, body, limit) {
  const answer = await call(method, path, body, undefined, limit);
  if (answer.status === 204) return null;
  const value = await answer.json();
  if (!answer.ok) {
    const faults = (value.faults || []).map(fault => `${fault.field}: ${fault.expected}`).join("; ");
    throw new Error([value.detail || value.title, faults].filter(Boolean).join(" — "));
  }
  return value;
}

const megabits = bits => (bits / 1e6).toFixed(2) + " Mbit/s";
const percent = share => share != null ? (share * 100).toFixed(1) + " %" : "";
const milliseconds = ms => ms != null ? ms.toFixed(0) + " ms" : "";
const megabytes = bytes => (bytes / 1e6).toFixed(1) + " MB";
const pace = (frames, asked) => `makes ${frames.made.toFixed(0)} of ${asked} frames a second` + (frames.input < asked - 1 ? `, its input gives ${frames.input.toFixed(0)}` : "");
const newestFirst = (a, b) => a.createdAt < b.createdAt ? 1 : -1;
const clock = text => text ? new Date(text).toLocaleString() : "";

function cells(row, values) {
  while (row.cells.length > values.length) row.deleteCell(-1);
  values.forEach(([content, kind], index) => {
    const cell = row.cells[index] || row.insertCell();
    // A text, a drawing or a button; what is there already stays, as somebody may be about to press it.
    if (content instanceof Node ? cell.firstChild !== content : cell.firstElementChild || cell.textContent !== content) cell.replaceChildren(content);
    cell.className = kind || "";
  });
}

function fill(table, rows) {
  const body = find("tbody", table);
  while (body.rows.length > rows.length) body.deleteRow(-1);
  rows.forEach((values, index) => cells(body.rows[index] || body.insertRow(), values));
}

const tone = state => ({ live: "good", connected: "good", up: "good", degraded: "warn", interrupted: "bad", failed: "bad", dead: "bad", down: "bad", retrying: "warn", near: "warn", spent: "bad" })[state] || "";

function card(id) {
  let element = document.getElementById("sender-" + id);
  if (element) return element;
  element = find("#sender").content.firstElementChild.cloneNode(true);
  element.id = "sender-" + id;
  find("form", element).addEventListener("submit", event => { event.preventDefault(); start(id, element); });
  find(".stop", element).addEventListener("click", () => stop(id, element));
  find(".recorder", element).addEventListener("click", event => act(element, event.currentTarget, () => download(current(id).id)));
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
  find(".notes", element).textContent = (broadcast?.notes || []).join("; ");
  find(".facts", element).textContent = [
    sender.agentVersion && "agent " + sender.agentVersion,
    !sender.online && sender.lastSeenAt && "last seen " + clock(sender.lastSeenAt),
    broadcast?.ingest && `receives ${megabits(broadcast.ingest.bitrate)}, lost ${broadcast.ingest.lostPacketsTotal}, recovered ${broadcast.ingest.recoveredPacketsTotal}`,
    broadcast?.ingest?.slateMs != null && `shows the slate for ${(broadcast.ingest.slateMs / 1000).toFixed(0)} s`,
    broadcast?.ingest?.latencyMs && `latency ${milliseconds(broadcast.ingest.latencyMs)} of ${broadcast.bufferMs}`,
    broadcast?.ingest?.width && `${broadcast.ingest.width}×${broadcast.ingest.height}`,
    broadcast && sample?.pipeline?.frames && pace(sample.pipeline.frames, broadcast.encoder.frameRate),
    broadcast && sample?.bond && `links carry ${megabits(sample.bond.capacity)}, lost at the deadline ${sample.bond.lostPackets} of ${sample.bond.offeredPackets} packets`,
    place(sender, sample),
    sender.configuration.reason && `configuration ${sender.configuration.wanted} is refused: ${sender.configuration.reason}`,
    sender.flaggedAt && "seen from two places at " + clock(sender.flaggedAt),
  ].filter(Boolean).join(" · ");
  thumbnails.show(element, broadcast, sender.name);
  showLinks(element, sender, sample);
  showPaths(element, sender, broadcast);
  showOutputs(element, broadcast);
  showStart(element, sender, broadcast);
}

function showLinks(element, sender, sample) {
  const measured = new Map((sender.online && sample?.links || []).map(link => [link.name, link]));
  const present = sender.online && sample?.modems || [];
  modems.keep(sender.id, present);
  keepMeters(sender.id, sender.inventory.links);
  const carried = new Map((sample?.usage || []).map(usage => [usage.link, usage]));
  fill(find(".links", element), sender.inventory.links.map(link => {
    const now = measured.get(link.name);
    const state = now && now.state !== "unused" ? now.state : link.state;
    // Nobody knows how the links of one that is away are.
    const reason = now?.reason || link.reason;
    return [[link.name], sender.online ? [reason ? `${state}: ${reason}` : state, link.reason ? "warn" : tone(state)] : [""], [link.addresses[0] || ""], [now ? megabits(now.sent) : "", "number"],
      [now ? graphs.draw(`${sender.id} ${link.name}`, "sent, and what the link carries as a line") : ""],
      [milliseconds(now?.rttMs), "number"], [percent(now?.loss), "number"], [now?.bond ? now.weight + " %" : "", "number"],
      modems.cell(sender.id, present.find(modem => modem.link === link.name)), plan(carried.get(link.name)), speedCell(sender, link)];
  }).concat(present.filter(modem => !modem.link).map(modem => [[modem.model || modem.id], [modem.reason || modem.state, tone(modem.state)],
    [""], [""], [""], [""], [""], [""], modems.cell(sender.id, modem), [""], [""]])));
}

// Where it is: in its owner's words, and as a modem's satellite receiver sees it.
function place(sender, sample) {
  const position = (sample?.modems || []).find(modem => modem.position)?.position || sender.location?.position;
  return [sender.location?.text, position && `${position.latitude.toFixed(5)}, ${position.longitude.toFixed(5)}`].filter(Boolean).join(", ");
}

// What a link has carried in its billing cycle, of what it may.
function plan(usage) {
  if (!usage) return [""];
  // A cap is told in MiB, and may be one.
  const size = bytes => bytes < 2 ** 30 ? `${(bytes / 2 ** 20).toFixed(1)} MiB` : `${(bytes / 2 ** 30).toFixed(2)} GiB`;
  const used = size(usage.sentBytes + usage.receivedBytes);
  return [used + (usage.capBytes ? ` of ${size(usage.capBytes)}` : "") + (usage.since ? ` since ${usage.since}` : "")
    + (usage.state === "spent" ? ": last resort" : ""), tone(usage.state)];
}

// What a link uploaded when it was measured last, and the button that measures it.
const meters = new Map();
function speedCell(sender, link) {
  const key = `${sender.id} ${link.name}`;
  if (!meters.has(key)) {
    const box = document.createElement("span"), words = document.createElement("span"), button = document.createElement("button");
    button.type = "button";
    button.className = "measure";
    button.textContent = "Measure";
    button.addEventListener("click", () => measure(sender.id, link.name, meters.get(key)));
    box.append(words, " ", button);
    meters.set(key, { box, words, button });
  }
  const meter = meters.get(key), last = (sender.speedTests || []).find(test => test.link === link.name);
  const at = last && new Date(last.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const result = last && (last.upload != null ? `${(last.upload / 1e6).toFixed(1)} Mbit/s up, ${milliseconds(last.rttMs)}` : last.reason) + `, at ${at}`;
  if (last?.at !== meter.at) meter.refusal = "";    // somebody has measured since
  meter.at = last?.at;
  meter.words.textContent = meter.isRunning ? "measuring…" : meter.refusal || result || "";
  meter.button.hidden = !rights.has("senders.operate");
  meter.button.disabled = Boolean(meter.isRunning || !sender.online || current(sender.id) || link.state !== "up");
  return [meter.box];
}

function keepMeters(sender, links) {
  const wanted = new Set(links.map(link => `${sender} ${link.name}`));
  for (const key of meters.keys()) if (key.startsWith(sender + " ") && !wanted.has(key)) meters.delete(key);
}

async function measure(id, link, meter) {
  meter.isRunning = true;
  meter.refusal = "";
  show(id);
  try {
    await api("POST", `/senders/${id}/speed-test`, { link }, 20000);
  } catch (error) { meter.refusal = error.message; }
  meter.isRunning = false;
  show(id);
}

// The same links as the receiver sees them: by the address that they come from, which a mobile network may have exchanged. Where it has
// not, and no two links have it, it is told which one it is.
function showPaths(element, sender, broadcast) {
  const named = source => {
    const address = source.replace(/:[0-9]+$/, "").replace(/^\[(.*)\]$/, "$1");
    const links = sender.inventory.links.filter(link => link.addresses.includes(address));
    return links.length === 1 ? `${links[0].name}, ${source}` : source;
  };
  const table = find(".paths", element), paths = broadcast?.ingest?.paths || [];
  table.hidden = paths.length === 0;
  fill(table, paths.map(path => [[named(path.source)], [megabits(path.bitrate), "number"], [graphs.draw(`${broadcast.id} ${path.source}`, "received")],
    [milliseconds(path.rttMs), "number"], [percent(path.loss), "number"]]));
}

function showOutputs(element, broadcast) {
  const table = find(".outputs", element);
  table.hidden = !broadcast;
  fill(table, (broadcast?.outputs || []).map(({ name, report }) => {
    return [[name], [report?.state || "", report?.state === "connected" && report.reason ? "warn" : tone(report?.state)], [report ? megabytes(report.sentBytesTotal) : "", "number"], [report?.reason || ""]];
  }));
}

function showStart(element, sender, broadcast) {
  const form = find("form", element), stopButton = find(".stop", element), mayRun = rights.has("broadcasts.run");
  form.hidden = !mayRun || Boolean(broadcast);
  stopButton.hidden = !mayRun || !broadcast;
  stopButton.disabled = broadcast?.state === "stopping" || Boolean(stopButton.dataset.busy);
  find(".recorder", element).hidden = !broadcast;
  const startButton = find("button", form);
  startButton.disabled = !sender.online || Boolean(startButton.dataset.busy);
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

// What a button began is its only wish until it is answered: a second click is the same one.
async function act(element, button, work) {
  if (button.dataset.busy) return;
  button.dataset.busy = "yes";
  button.disabled = true;
  find(":scope > .error", element).textContent = "";
  try { await work(); } catch (error) { find(":scope > .error", element).textContent = error.message; }
  delete button.dataset.busy;
  button.disabled = false;
}

const start = async (id, element) => {
  await act(element, find("form button", element), () => begun(id, element));
  show(id);
};

async function begun(id, element) {
  const form = find("form", element), chosen = [...form.querySelectorAll("input:checked")].map(box => box.value);
  if (chosen.length === 0) throw new Error(destinations.length ? "choose at least one destination" : "there is no destination yet: add one first");
  // What is not changed is not sent: control takes it from the configuration in force.
  const { input, encoder } = senders.get(id).defaults || {}, { value: bitrate, dataset: { preset } } = form.bitrate;
  const view = await api("POST", "/broadcasts", {
    sender: id,
    destinations: chosen,
    ...(form.input.value !== input?.video && { input: { ...input, video: form.input.value } }),
    ...(encoder && bitrate !== preset && { encoder: { ...encoder, bitrate: Math.round(bitrate * 1e6) } }),
  });
  // The feed may have told more of it by now, or tells it next.
  if (!broadcasts.has(view.id)) broadcasts.set(view.id, view);
}

const stop = async (id, element) => {
  const broadcast = current(id);
  if (broadcast) await act(element, find(".stop", element), () => api("POST", `/broadcasts/${broadcast.id}/stop`));
  show(id);
};

// What happened to the broadcast's links and rates, and why: a file of JSON lines.
async function download(broadcast) {
  const answer = await call("GET", `/broadcasts/${broadcast}/recorder`);
  if (!answer.ok) throw new Error("the flight recorder cannot be read");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = `strata-${broadcast}.ndjson`;
  link.click();
  URL.revokeObjectURL(link.href);
}

function recorder(broadcast) {
  const button = document.createElement("button");
  button.type = "button"; button.className = "plain"; button.textContent = "Flight recorder";
  button.addEventListener("click", () => download(broadcast).catch(error => say(error.message, "warn")));
  return button;
}

function showPast() {
  const ended = [...broadcasts.values()].filter(one => one.state === "ended").sort(newestFirst).slice(0, 20);
  find("#past").hidden = ended.length === 0;
  // Drawn anew only where it differs: somebody may be about to press a button in it.
  const table = find("#past table"), shown = JSON.stringify(ended.map(one => [one.id, one.endedAt, senders.get(one.sender)?.name]));
  if (table.dataset.shown === shown) return;
  table.dataset.shown = shown;
  fill(table, ended.map(one => [[clock(one.createdAt)], [senders.get(one.sender)?.name || "a sender that was removed"], [clock(one.endedAt)], [one.reason || ""], [recorder(one.id)]]));
}

function update({ seq, topic, body }) {
  if (topic === "alive") return;
  sequence = seq;
  if (topic === "all") { forget(); readDestinations(); return; }
  if (topic === "destinations") { readDestinations(); return; }
  const [kind, id] = topic.split("/");
  const table = { sender: senders, broadcast: broadcasts, telemetry }[kind];
  if (!table) return;
  const before = table.get(id);
  if (body === null) table.delete(id); else table.set(id, body);
  if (kind === "telemetry") for (const link of body?.links || []) graphs.note(`${id} ${link.name}`, link.sent, link.bond?.capacity);
  if (kind === "broadcast") for (const path of body?.ingest?.paths || []) graphs.note(`${id} ${path.source}`, path.bitrate);
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
  graphs.forget();
  modems.forget();
  meters.clear();
  find("#sender-list").replaceChildren();
  find("#no-senders").hidden = false;
  showPast();
}

async function watch() {
  try {
    const { ticket } = await api("POST", "/auth/ticket");
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/api/v1/live?ticket=${ticket}` + (sequence === null ? "" : `&since=${sequence}`));
    heardAt = performance.now();
    // The server speaks each second at least. Without a word for 3 s, or 10 s before the first, what is shown is not how it is.
    const watchdog = setInterval(() => {
      if (performance.now() - heardAt > (socket.readyState === WebSocket.OPEN ? 3000 : 10000)) lose();
    }, 250);
    const lose = () => {
      clearInterval(watchdog);
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
      retry();
    };
    socket.onopen = () => { heardAt = performance.now(); redialMs = 1000; say("connected"); };
    socket.onmessage = event => { heardAt = performance.now(); update(JSON.parse(event.data)); };
    socket.onclose = lose;
  } catch (error) { retry(); }
}

function retry() {
  say("connection lost, trying again", "bad");
  setTimeout(async () => { if (await refresh().catch(() => true)) watch(); else signedOut(); }, redialMs);
  redialMs = Math.min(redialMs * 2, 15000);
}

// What the server itself lacks, for those who may see it: a certificate that ends, a disk that fills.
async function diagnose() {
  if (!access || !rights.has("diagnostics.view")) return;
  const { probes } = await api("GET", "/diagnostics/health");
  find("#notice").textContent = probes.filter(probe => probe.status !== "healthy").map(probe => probe.detail || `${probe.name}: ${probe.status}`).join(" · ");
}

const diagnoseQuietly = () => diagnose().catch(() => null); // Without an answer the connection's state is said.
setInterval(diagnoseQuietly, 30000);

function signedIn() {
  for (const id of ["login", "register"]) find("#" + id).hidden = true;
  find("#senders").hidden = find("#logout").hidden = false;
  find("#how-to-enroll").hidden = !rights.has("senders.manage");
  slate.show();
  diagnoseQuietly();
  watch();
}

async function signedOut() {
  forget();
  find("#notice").textContent = "";
  find("#senders").hidden = find("#logout").hidden = true;
  slate.hide();
  say("not signed in");
  const { ownerExists } = await api("GET", "/setup");
  find("#login").hidden = !ownerExists;
  find("#register").hidden = ownerExists;
}

function enter(form, path) {
  form.addEventListener("submit", event => {
    event.preventDefault();
    act(form, find("button", form), async () => {
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
function begin() {
  refresh().then(ok => ok ? signedIn() : signedOut()).catch(() => {
    say("the server does not answer, trying again", "bad");
    setTimeout(begin, 2000);
  });
}

begin();
