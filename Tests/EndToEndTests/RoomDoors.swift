import Foundation
import Support
import Testing

/// Runs a body with control, its workers for rooms, and the owner.
///
/// - Parameters:
///   - bind: where the workers listen.
///   - section: more of `[rooms]`.
///   - clock: by which control and its workers go; else this machine's.
func inRooms<Result>(
    bind: [String] = ["127.0.0.1"], workers: Int = 1, section: String = "", by clock: WallClock? = nil,
    _ body: (FrontDesk, Visitor) async throws -> Result
) async throws -> Result {
    let folder = try TemporaryFolder()
    // It goes with its last use.
    defer { _ = folder.path }
    let rooms = try RoomDoors.section(in: folder, bind: bind, workers: workers) + section
    return try await atFrontDesk({
        $0.sections = rooms
        $0.inside = clock?.command ?? []
    }) { desk in try await body(desk, try await desk.owner()) }
}

/// The doors of rooms, and what comes to them.
enum RoomDoors {
    static let sdp = "application/sdp"
    static let fragment = "application/trickle-ice-sdpfrag"

    /// - Parameter folder: of the workers' sockets.
    static func section(in folder: TemporaryFolder, bind: [String] = ["127.0.0.1"], workers: Int = 1) throws -> String {
        """
        [rooms]
        workers = \(workers)
        port = 0
        bind = [\(bind.map { "\"\($0)\"" }.joined(separator: ", "))]
        program = "\(try Places.program("strata-sfu"))"
        runtime = "\(folder.path)"

        """
    }

    /// Who shows a room's pass at a door.
    static func program(_ use: String, in room: String, of owner: Visitor, at desk: FrontDesk) async throws -> Visitor {
        let program = desk.visitor()
        program.token = try await owner.post("/rooms/\(room)/passes", #"{"use":"\#(use)"}"#).text("token")
        return program
    }

    /// An offer of sound and pictures that nobody stands behind: its session is opened, and nothing comes of it.
    ///
    /// - Parameters:
    ///   - direction: `sendonly` to a door of WHIP, `recvonly` to one of WHEP.
    ///   - change: spoils a line, or leaves it out by nil.
    static func offer(_ direction: String, ufrag: String = "abcd", _ change: (String) -> String? = { $0 }) -> String {
        let digest = (0..<32).map { _ in "AB" }.joined(separator: ":")
        let transport = """
            c=IN IP4 0.0.0.0
            a=rtcp-mux
            a=\(direction)
            a=ice-ufrag:\(ufrag)
            a=ice-pwd:0123456789abcdefghijkl
            a=fingerprint:sha-256 \(digest)
            a=setup:actpass
            """
        let text = """
            v=0
            o=- 4962303333179871722 2 IN IP4 127.0.0.1
            s=-
            t=0 0
            a=group:BUNDLE 0 1
            m=audio 9 UDP/TLS/RTP/SAVPF 111
            \(transport)
            a=mid:0
            a=rtpmap:111 opus/48000/2
            a=fmtp:111 minptime=10;useinbandfec=1
            m=video 9 UDP/TLS/RTP/SAVPF 96
            \(transport)
            a=mid:1
            a=rtpmap:96 VP8/90000
            a=rtcp-fb:96 nack
            a=rtcp-fb:96 nack pli
            """
        return text.split(separator: "\n").compactMap { change(String($0)) }.map { $0 + "\r\n" }.joined()
    }

    /// Candidates, or with another `ufrag` a restart.
    static func candidates(ufrag: String = "abcd") -> String {
        [
            "a=ice-ufrag:\(ufrag)", "a=ice-pwd:0123456789abcdefghijkl", "m=audio 9 UDP/TLS/RTP/SAVPF 0", "a=mid:0",
            "a=candidate:1 1 udp 2130706431 192.0.2.7 40000 typ host", "a=end-of-candidates",
        ].map { $0 + "\r\n" }.joined()
    }

    /// What an encoder and a player do, in as little script as it takes.
    static let script = """
        window.rooms = {
            peers: [],
            async negotiate(peer, url, token, address = '127.0.0.1') {
                await peer.setLocalDescription(await peer.createOffer());
                const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/sdp' };
                const answer = await fetch(url, { method: 'POST', headers, body: peer.localDescription.sdp });
                if (answer.status !== 201) throw Error(`${answer.status} ${await answer.text()}`);
                const place = new URL(answer.headers.get('location'), url).href;
                const sdp = (await answer.text()).replaceAll(' 127.0.0.1 ', ` ${address} `);
                await peer.setRemoteDescription({ type: 'answer', sdp });
                this.peers.push({ peer, place, token });
            },
            // With scales: a simulcast of so many layers, the least first.
            async publish(url, token, scales) {
                const size = scales ? { width: 1280, height: 720 } : { width: 640, height: 360 };
                const media = await navigator.mediaDevices.getUserMedia({ video: size });
                // A tone: of the camera's own sound echo cancellation and noise suppression leave nothing.
                const sound = new AudioContext(), tone = sound.createOscillator(), heard = sound.createMediaStreamDestination();
                tone.connect(heard);
                tone.start();
                media.addTrack(heard.stream.getAudioTracks()[0]);
                const peer = new RTCPeerConnection();
                for (const track of media.getTracks()) {
                    if (track.kind === 'audio' || !scales) peer.addTrack(track, media);
                    else {
                        const sendEncodings = scales.map((scaleResolutionDownBy, index) => ({ rid: 'qhf'[index], scaleResolutionDownBy }));
                        peer.addTransceiver(track, { direction: 'sendonly', streams: [media], sendEncodings });
                    }
                }
                await this.negotiate(peer, url, token);
            },
            async play(url, token, address) {
                const peer = new RTCPeerConnection();
                for (const kind of ['audio', 'video']) peer.addTransceiver(kind, { direction: 'recvonly' });
                const media = new MediaStream();
                peer.ontrack = event => media.addTrack(event.track);
                const video = document.body.appendChild(document.createElement('video'));
                video.autoplay = true;
                video.srcObject = media;
                await this.negotiate(peer, url, token, address);
            },
            port() { return this.peers[0].peer.remoteDescription.sdp.match(/ 127\\.0\\.0\\.1 (\\d+) typ host/)[1]; },
            async concealed() {
                for (const report of (await this.peers.at(-1).peer.getStats()).values()) {
                    if (report.type !== 'inbound-rtp' || report.kind !== 'audio') continue;
                    return (100 * report.concealedSamples / report.totalSamplesReceived).toFixed(2);
                }
                return 'no sound';
            },
            sender() { return this.peers[0].peer.getSenders().find(one => one.track.kind === 'video'); },
            async leaveOut(layer) {
                const parameters = this.sender().getParameters();
                parameters.encodings[layer].active = false;
                await this.sender().setParameters(parameters);
            },
            async layers() {
                const all = [...(await this.sender().getStats()).values()].filter(one => one.type === 'outbound-rtp');
                return all.map(one => `${one.rid} ${one.frameWidth}x${one.frameHeight} ${one.framesSent}`).join(', ');
            },
            async decoded() {
                const states = this.peers.map(one => one.peer.connectionState).join();
                const all = { frames: 0, energy: 0, freezes: 0, frozen: 0, height: 0, states };
                for (const report of (await this.peers.at(-1).peer.getStats()).values()) {
                    if (report.type !== 'inbound-rtp') continue;
                    all.frames += report.framesDecoded ?? 0;
                    all.height = Math.max(all.height, report.frameHeight ?? 0);
                    all.energy += report.totalAudioEnergy ?? 0;
                    all.freezes += report.freezeCount ?? 0;
                    all.frozen += report.totalFreezesDuration ?? 0;
                }
                return all;
            },
            async leave() {
                return Promise.all(this.peers.map(async ({ peer, place, token }) => {
                    const { status } = await fetch(place, { method: 'DELETE', headers: { Authorization: `Bearer ${token}` } });
                    peer.close();
                    return status;
                }));
            },
        };
        """
}
