// The peer of the web and the control bench, and the load of the first and of ours: WebSockets over TLS by the `ws` module.
//
//   node sockets.js serve CHAIN KEY              a server that sends back what it gets; prints its port
//   node sockets.js trips PORT COUNT SECONDS     so many clients, each with one message on its way; prints the round trips
//   node sockets.js idle PORT COUNT              so many clients that say nothing; prints "open" when all are
//   node sockets.js fan-out CHAIN KEY [deflate]  a server that tells pages (/pages?organization=N) the telemetry of the boards of their
//                                                organisation (/boards?organization=N&device=ID), as control words it; prints its port
const https = require('https');
const fs = require('fs');
const WebSocket = require('ws');

const MESSAGE = 'x'.repeat(200);
const connect = port => new WebSocket(`wss://127.0.0.1:${port}/echo`, {rejectUnauthorized: false, perMessageDeflate: false});

function serve(chain, key) {
  const server = https.createServer({cert: fs.readFileSync(chain), key: fs.readFileSync(key)});
  new WebSocket.Server({server, perMessageDeflate: false}).on('connection', socket => {
    socket.on('message', data => socket.send(data.toString()));
  });
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));
}

function trips(port, count, seconds) {
  let done = 0;
  for (let i = 0; i < count; i++) {
    const socket = connect(port);
    socket.on('open', () => socket.send(MESSAGE));
    socket.on('message', () => { done++; socket.send(MESSAGE); });
    socket.on('error', fault => { console.error(fault.message); process.exit(1); });
  }
  setTimeout(() => { console.log(done); process.exit(0); }, seconds * 1000);
}

function idle(port, count) {
  let opened = 0, begun = 0;
  const one = () => {
    if (begun === count) return;
    begun++;
    const socket = connect(port);
    socket.on('open', () => { if (++opened === count) console.log('open'); one(); });
    socket.on('error', fault => { console.error(fault.message); process.exit(1); });
  };
  for (let i = 0; i < 32; i++) one();
}

// Reads what a board says and writes what pages are told, each once, as control does. Nobody is asked who they are, and nothing is checked or kept.
function fanOut(chain, key, deflate) {
  const server = https.createServer({cert: fs.readFileSync(chain), key: fs.readFileSync(key)});
  // As our server compresses: no message depends on another, and short ones are left as they are.
  const perMessageDeflate = deflate ? {serverNoContextTakeover: true, clientNoContextTakeover: true, threshold: 256} : false;
  const organizations = new Map();
  new WebSocket.Server({server, perMessageDeflate}).on('connection', (socket, request) => {
    const url = new URL(request.url, 'https://localhost');
    const name = url.searchParams.get('organization');
    if (!organizations.has(name)) organizations.set(name, {pages: new Set(), sequence: 0});
    const organization = organizations.get(name);
    if (url.pathname === '/pages') {
      organization.pages.add(socket);
      socket.on('close', () => organization.pages.delete(socket));
      return;
    }
    const topic = `telemetry/${url.searchParams.get('device')}`;
    socket.on('message', data => {
      const {type, body} = JSON.parse(data.toString());
      if (type !== 'telemetry') return;
      const text = JSON.stringify({seq: ++organization.sequence, topic, body});
      for (const page of organization.pages) page.send(text);
    });
  });
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));
}

const [what, ...rest] = process.argv.slice(2);
if (what === 'serve') serve(...rest);
else if (what === 'fan-out') fanOut(...rest);
else if (what === 'trips') trips(...rest.map(Number));
else idle(...rest.map(Number));
