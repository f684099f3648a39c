import Foundation
import Posix
import Support
import Testing
import Units
import Wire

/// The field in the room: what a board sends is seen and heard by whoever is there.
@Suite(.serialized, .unlessStolen)
struct FieldRoomTests {
    /// Of this machine's, where a room's worker listens for GStreamer, which looks for no path to 127.0.0.1.
    private static let address = "198.18.201.1"

    @Test("a live broadcast joins a room by its sender's name: a browser there sees and hears it, until it is taken out again")
    func joins() async throws {
        try await withAddress {
            let folder = try TemporaryFolder()
            // It goes with its last use.
            defer { _ = folder.path }
            var settings = Installation.Settings()
            settings.sections = try RoomDoors.section(in: folder, bind: ["127.0.0.1", Self.address])
            try await inStudio(settings) { studio in
                let sender = try await studio.sender()
                let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
                let id = try await studio.start(StartRequest(sender: sender.id, destinations: [platform], encoder: Studio.small))
                try await studio.owner.wait(id, for: ["live"])
                let room: RoomView = try await studio.owner.call(.post, "/rooms", CreateRoomRequest(name: "Studio"))
                let page = try await guest(of: room.id, in: studio)
                let path = "/broadcasts/\(id)/rooms"
                let asked = Instant.now
                let brought: BroadcastView = try await studio.owner.call(.post, path, BringIntoRoomRequest(room: room.id))
                let output = try #require(brought.outputs.first { $0.room == room.id })
                #expect(output.name == "Studio")
                do {
                    try await page.wait(for: "seat.decoded().then(all => all.frames > 0)", "it is seen", within: .seconds(30))
                } catch {
                    let report = try studio.owner.broadcast(id)?.outputs.first { $0.id == output.id }?.report
                    throw SupportFailure("\(error)\nits output: \(report.map { "\($0)" } ?? "says nothing")")
                }
                measured("from the order to the first picture in the browser", Instant.now - asked)
                try await page.wait(for: "seat.decoded().then(all => all.frames > 40 && all.energy > 0)", "it is seen and heard")
                #expect(try await page.value("seat.names()") as? String == "\(sender.name) field")
                try await moves(page)
                try await again(page, studio, id, output.id)
                try await leaves(page, studio, id, output.id)
                let twice = try await studio.owner.refusal(.post, path, BringIntoRoomRequest(room: RoomID("01ARZ3NDEKTSV4RRFFQ69G5FAV")!))
                #expect(twice.status == 404)
                try await studio.stop(id)
                try await studio.expectNothingLeft(sender.id)
            }
        }
    }

    @Test("an encoder whose pass has a name is in the room while it sends; sent away by a host, it does not come again")
    func encoder() async throws {
        try await inRooms { desk, owner in
            let room = try await owner.post("/rooms", #"{"name":"Studio"}"#).text("id")
            let host = try await SeatedPage(at: desk, try await owner.post("/rooms/\(room)/tickets").text("token"))
            let encoder = desk.visitor()
            encoder.token = try await owner.post("/rooms/\(room)/passes", #"{"use":"publish","name":"Mixer"}"#).text("token")
            func enter(_ ufrag: String) async throws -> Reply {
                try await encoder.send("POST", "/whip/\(room)", RoomDoors.offer("sendonly", ufrag: ufrag), type: RoomDoors.sdp)
            }
            func mixer(_ page: SeatedPage) -> RoomParticipant? { page.people.values.first { $0.kind == .encoder } }
            let place = try #require(try await enter("abcd").headers["location"])
            try await host.until("it is there with what it sends") { mixer($0)?.tracks.count == 2 }
            #expect(mixer(host)?.name == "Mixer" && mixer(host)?.isAway == false)
            let seat = mixer(host)?.id
            let again = try #require(try await enter("efgh").headers["location"])
            #expect(again != place, "the same one, by another session")
            #expect(try await encoder.send("DELETE", again).status == 200)
            try await host.until("it has left") { mixer($0) == nil }
            #expect(try await enter("ijkl").status == 201)
            try await host.until("it is back, in a seat of its own") { mixer($0).map { $0.id != seat } == true }
            let back = try #require(mixer(host)?.id)
            #expect(try await host.refusal(.remove(RoomRemoval(participant: back))) == nil)
            try await host.until("it is gone") { mixer($0) == nil }
            let refused = try await enter("mnop")
            #expect(refused.status == 409 && String(decoding: refused.body, as: UTF8.self).contains("sent away"), "\(refused)")
        }
    }

    /// Pictures at their rate, sound with them, nothing that stands still.
    private func moves(_ page: Chromium) async throws {
        func figures() async throws -> [String: Double] {
            let text = try await page.value("seat.decoded().then(all => JSON.stringify(all))") as? String ?? "{}"
            return try JSONDecoder().decode([String: Double].self, from: Data(text.utf8))
        }
        let before = try await figures()
        try await Task.sleep(for: .seconds(4))
        let after = try await figures()
        let frames = (after["frames"] ?? 0) - (before["frames"] ?? 0)
        measured("frames decoded in four seconds", "\(frames) of 100; \(after)")
        #expect(frames > 70)
        #expect((after["energy"] ?? 0) > (before["energy"] ?? 0))
        // By the sender's reports, as the browser plays them: it brings the two together in small steps. Source: ITU-R BT.1359, from which delay
        // on a viewer notices that sound is late (125 ms).
        let began = Instant.now
        try await page.wait(
            for: "seat.decoded().then(all => all.apartMs !== 0 && Math.abs(all.apartMs) < 125)", "sound and picture belong together",
            within: .seconds(20))
        measured("and sound and picture are together after another", Instant.now - began)
    }

    /// Who comes later waits for no regular key frame: its worker has kept the newest, or the room asks the board for one.
    private func again(_ page: Chromium, _ studio: Studio, _ id: BroadcastID, _ output: OutputID) async throws {
        func wanted() throws -> Int {
            try studio.owner.broadcast(id)?.outputs.first { $0.id == output }?.report?.keyFramesWantedTotal ?? 0
        }
        let before = try wanted()
        #expect(before > 0)
        // A key frame comes each two seconds, and whoever comes within one and a half begins with that: each comes 350 ms later in its turn than
        // the one before, so one of them finds none.
        for _ in 0..<8 {
            if try wanted() > before { break }
            let began = Instant.now
            _ = try await page.value("seat.subscribe()")
            try await page.wait(for: "seat.decoded().then(all => all.frames > 0)", "it is seen again")
            measured("from another subscription to its first picture", Instant.now - began)
            try await Task.sleep(for: max(.zero, .milliseconds(2350) - (Instant.now - began)))
        }
        try await eventually(within: .seconds(5), "the board was asked") { try wanted() > before }
    }

    private func leaves(_ page: Chromium, _ studio: Studio, _ id: BroadcastID, _ output: OutputID) async throws {
        let left: BroadcastView = try await studio.owner.call(.delete, "/broadcasts/\(id)/outputs/\(output)")
        #expect(!left.outputs.contains { $0.id == output })
        try await page.wait(for: "seat.names() === ''", "it is in the room no more", within: .seconds(5))
        try await eventually(within: .seconds(10), "its process is gone") { studio.receivers.count == 1 }
        try await studio.owner.wait(id, for: ["live"])
    }

    /// A page of somebody in the room, in as little script as it takes.
    private func guest(of room: RoomID, in studio: Studio) async throws -> Chromium {
        let pass: RoomPassView = try await studio.owner.call(.post, "/rooms/\(room)/passes", RoomPassRequest(use: .join, name: "Gina"))
        let browser = try await Chromium(on: studio.stage, hasCamera: true)
        try await browser.open("http://127.0.0.1:\(studio.installation.pagePort)/")
        _ = try await browser.value(Self.script)
        _ = try await browser.value("seat.enter('\(pass.token)')")
        _ = try await browser.value("seat.subscribe()")
        return browser
    }

    /// On an interface of its own: libnice sends from each interface's address by that interface alone (IP_UNICAST_IF), and passes over the loopback.
    private func withAddress(_ body: () async throws -> Void) async throws {
        let link = "fr\(getpid())"
        _ = try await runTool("ip", ["link", "add", link, "type", "veth", "peer", "name", "\(link)p"])
        do {
            _ = try await runTool("ip", ["address", "add", "\(Self.address)/32", "dev", link])
            for end in [link, "\(link)p"] { _ = try await runTool("ip", ["link", "set", end, "up"]) }
            try await body()
        } catch {
            _ = try await runTool("ip", ["link", "delete", link], mayFail: true)
            throw error
        }
        _ = try await runTool("ip", ["link", "delete", link], mayFail: true)
    }

    private static let script = """
        window.seat = {
            people: new Map(), waiting: new Map(), last: 0, me: '', peer: null,
            ask(type, body) {
                const id = ++this.last;
                this.socket.send(JSON.stringify({ id, order: body ? { type, body } : { type } }));
                return new Promise((done, failed) => this.waiting.set(id, { done, failed }));
            },
            async enter(token) {
                this.socket = new WebSocket(`ws://${location.host}/api/v1/join`);
                await new Promise(done => this.socket.onopen = done);
                this.socket.onmessage = event => this.hear(JSON.parse(event.data));
                this.me = (await this.ask('join', { token })).entry.participant;
            },
            subscribe() {
                this.peer?.close();
                this.peer = null;
                return this.ask('subscribe').then(() => true);
            },
            async hear({ type, body }) {
                if (type === 'done') this.waiting.get(body.id)?.done(body);
                if (type === 'refused') this.waiting.get(body.id)?.failed(Error(`${body.reason} ${body.text}`));
                if (type === 'snapshot') this.people = new Map(body.participants.map(one => [one.id, one]));
                if (type === 'participant') this.people.set(body.participant.id, body.participant);
                if (type === 'left') this.people.delete(body.participant);
                if (type === 'offer') await this.answer(body);
            },
            async answer({ number, isFirst, offer }) {
                if (isFirst || !this.peer) {
                    this.peer?.close();
                    const peer = this.peer = new RTCPeerConnection(), media = new MediaStream();
                    const video = document.body.appendChild(document.createElement('video'));
                    video.autoplay = true;
                    video.srcObject = media;
                    peer.ontrack = event => media.addTrack(event.track);
                }
                await this.peer.setRemoteDescription({ type: 'offer', sdp: offer });
                await this.peer.setLocalDescription(await this.peer.createAnswer());
                await this.ask('answer', { number, answer: this.peer.localDescription.sdp });
            },
            names() {
                return [...this.people.values()].filter(one => one.id !== this.me).map(one => `${one.name} ${one.kind}`).join();
            },
            async decoded() {
                const all = { frames: 0, energy: 0, apartMs: 0 }, shown = {};
                for (const report of (await this.peer?.getStats() ?? new Map()).values()) {
                    if (report.type !== 'inbound-rtp') continue;
                    all.frames += report.framesDecoded ?? 0;
                    all.energy += report.totalAudioEnergy ?? 0;
                    shown[report.kind] = report.estimatedPlayoutTimestamp;
                }
                if (shown.audio && shown.video) all.apartMs = shown.audio - shown.video;
                return all;
            },
        };
        """
}
