/**
 * What a connection was doing when it was closed is never settled (W3C WebRTC 1.0, section 4.4.1.2): whoever waits for it would wait for ever, and with them
 * all that comes after it.
 */
const ends = new WeakMap<RTCPeerConnection, { closed: Promise<void>; close: () => void }>();

function end(peer: RTCPeerConnection) {
  const known = ends.get(peer);
  if (known) return known;
  let close = () => {};
  const made = { closed: new Promise<void>(done => { close = done; }), close: () => close() };
  ends.set(peer, made);
  return made;
}

export function close(peer: RTCPeerConnection): void {
  peer.close();
  end(peer).close();
}

/** Waits for what a connection does. @returns whether it has done it; false where it was closed before. @throws what the work throws. */
export function settled(peer: RTCPeerConnection, work: Promise<unknown>): Promise<boolean> {
  return Promise.race([work.then(() => true), end(peer).closed.then(() => false)]);
}
