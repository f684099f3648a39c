/** As the server tells it. */
export type ICEServer = { url: string; username?: string | null; credential?: string | null };

/** As a PeerConnection takes it. */
export const peerServers = (servers: readonly ICEServer[]): RTCIceServer[] =>
  servers.map(({ url, username, credential }) => ({ urls: url, ...(username && credential && { username, credential }) }));
