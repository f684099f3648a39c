import Foundation
import Lab
import Support
import Testing

/// Encoders that are not browsers: what they send into a room a browser decodes.
///
/// Each is on a machine of its own: libnice looks for no path on a loopback address. Debian 12's simple-whip-client cannot be run: it is linked
/// with libsoup 2, and its libnice brings libsoup 3 by gupnp, whereupon it ends itself.
@Suite(.serialized, .enabled(if: NetworkNamespace.areAllowed, "namespaces are not allowed here"))
struct WHIPEncoderTests {
    enum Pictures: String, CaseIterable, Sendable { case vp8 = "VP8", h264 = "H264" }

    @Test("what GStreamer's webrtcbin sends by a small script, all in one offer, a browser decodes", arguments: Pictures.allCases)
    func webrtcbin(_ pictures: Pictures) async throws {
        try await unlessVoid { run in
            run.judgeByStolenTime()
            try await sending(number: pictures == .vp8 ? 0 : 1) { desk, address, pass, inside in
                let script = try desk.stage.folder.write(Self.script, to: "encoder.py")
                let words = [script, address, pass, Self.pictures(pictures), Self.sound]
                let encoder = try desk.stage.start("/usr/bin/python3", words, inside: inside)
                try await encoder.line(containing: "connected", within: .seconds(30))
                return encoder
            }
        }
    }

    // MARK: Parts

    /// A room into which an encoder sends from its own machine, and a browser that receives.
    ///
    /// - Parameters:
    ///   - number: of the encoder's machine.
    ///   - start: starts the encoder, with the address of WHIP, the pass, and what comes before its command; returns once it is connected.
    private func sending(
        number: Int, _ start: (FrontDesk, String, String, [String]) async throws -> RunningProgram
    ) async throws {
        let machine = NetworkNamespace("st-\(getpid())-encoder\(number)")
        let here = "198.18.200.\(4 * number + 1)"
        try await connect(machine, "wh\(number)x\(getpid())", here, "198.18.200.\(4 * number + 2)")
        do {
            try await inRooms(bind: ["127.0.0.1", here]) { desk, owner in
                try await watch(desk, owner, from: here, machine.command([]), start)
            }
        } catch {
            try await remove(machine)
            throw error
        }
        try await remove(machine)
    }

    private func watch(
        _ desk: FrontDesk, _ owner: Visitor, from here: String, _ inside: [String],
        _ start: (FrontDesk, String, String, [String]) async throws -> RunningProgram
    ) async throws {
        let room = try await owner.post("/rooms", #"{"name":"Studio"}"#).text("id")
        func pass(_ use: String) async throws -> String {
            try #require(try await RoomDoors.program(use, in: room, of: owner, at: desk).token)
        }
        // Control listens on this machine's loopback.
        let (port, own) = (try FreePorts.tcp(), try #require(desk.server.split(separator: ":").last))
        try desk.stage.start("socat", ["TCP-LISTEN:\(port),bind=\(here),fork,reuseaddr", "TCP:127.0.0.1:\(own)"])
        try await eventually(within: .seconds(5), "control can be reached from there") {
            try await runTool("curl", ["-s", "-o", "/dev/null", "http://\(here):\(port)/health"], mayFail: true).status == 0
        }
        let browser = try await Chromium(on: desk.stage, hasCamera: true)
        try await browser.open(desk.server + "/")
        _ = try await browser.value(RoomDoors.script)
        let encoder = try await start(desk, "http://\(here):\(port)/whip/\(room)", try await pass("publish"), inside)
        let play = "rooms.play('\(desk.server)/whep/\(room)', '\(try await pass("play"))')"
        _ = try await browser.value(play)
        try await browser.wait(for: "rooms.decoded().then(all => all.frames > 40 && all.energy > 0)", "it is seen and heard")
        let before = try await browser.value("rooms.decoded().then(all => all.frames)") as? Double ?? 0
        try await Task.sleep(for: .seconds(3))
        let after = try await browser.value("rooms.decoded().then(all => all.frames)") as? Double ?? 0
        measured("frames decoded in three seconds", "\(after - before) of 90")
        try need(after - before > 60, "\(after - before) pictures in three seconds")
        try await encoder.stop()
        try await eventually(within: .seconds(10), "the room is empty: it has left by itself") {
            (try await browser.value("\(play).catch(error => error.message)") as? String)?.hasPrefix("409 ") == true
        }
    }

    /// A machine with one way to this one.
    private func connect(_ machine: NetworkNamespace, _ link: String, _ here: String, _ there: String) async throws {
        let folder = try TemporaryFolder()
        let script = """
            netns add \(machine.name)
            link add \(link) type veth peer name uplink netns \(machine.name)
            address add \(here)/30 dev \(link)
            link set \(link) up
            """
        let inside = """
            address add \(there)/30 dev uplink
            link set lo up
            link set uplink up
            """
        _ = try await runTool("ip", ["-batch", try folder.write(script, to: "here")])
        _ = try await runTool("ip", ["-n", machine.name, "-batch", try folder.write(inside, to: "there")])
    }

    /// Its link goes with it.
    private func remove(_ machine: NetworkNamespace) async throws {
        _ = try await runTool("ip", ["netns", "delete", machine.name])
    }

    // MARK: Pipelines

    private static func pictures(_ pictures: Pictures) -> String {
        let encoder =
            switch pictures {
            case .vp8: "vp8enc deadline=1 cpu-used=8 keyframe-max-dist=90 target-bitrate=800000 ! rtpvp8pay pt=96"
            case .h264:
                "x264enc tune=zerolatency speed-preset=ultrafast bitrate=800 key-int-max=90 ! video/x-h264,profile=constrained-baseline"
                    + " ! rtph264pay pt=96 config-interval=-1 aggregate-mode=zero-latency"
            }
        return "videotestsrc is-live=true pattern=ball ! video/x-raw,width=640,height=360,framerate=30/1 ! videoconvert ! queue"
            + " ! \(encoder)"
            + " ! application/x-rtp,media=video,encoding-name=\(pictures.rawValue),payload=96 ! queue"
    }

    private static let sound =
        "audiotestsrc is-live=true wave=sine ! audioconvert ! audioresample ! audio/x-raw,rate=48000,channels=2 ! queue ! opusenc"
        + " ! rtpopuspay pt=97 ! application/x-rtp,media=audio,encoding-name=OPUS,payload=97 ! queue"

    /// An encoder in as little as it takes: an offer, its answer, and the end by DELETE. It waits for no candidates of its own: who
    /// answers as a lite agent learns them from its checks.
    private static let script = """
        import re, signal, sys, urllib.parse, urllib.request
        import gi
        for name in ("Gst", "GstSdp", "GstWebRTC"): gi.require_version(name, "1.0")
        from gi.repository import GLib, Gst, GstSdp, GstWebRTC

        address, token, pictures, sound = sys.argv[1:]
        Gst.init(None)
        pipeline = Gst.parse_launch(f"webrtcbin name=peer bundle-policy=max-bundle {pictures} ! peer. {sound} ! peer.")
        peer, loop, session, begun = pipeline.get_by_name("peer"), GLib.MainLoop(), [], []

        def describe(end, description):
            promise = Gst.Promise.new()
            peer.emit(f"set-{end}-description", description, promise)
            promise.interrupt()

        def ask(method, url, body=None):
            headers = {"Authorization": f"Bearer {token}"}
            if body: headers["Content-Type"] = "application/sdp"
            return urllib.request.urlopen(urllib.request.Request(url, body, headers, method=method), timeout=10)

        def offered(promise, _):
            reply = promise.get_reply()  # Kept: the offer is its.
            offer = reply.get_value("offer")
            describe("local", offer)
            answer = ask("POST", address, offer.sdp.as_text().encode())
            session.append(urllib.parse.urljoin(address, answer.headers["Location"]))
            text = answer.read().decode()
            _, sdp = GstSdp.SDPMessage.new()
            GstSdp.sdp_message_parse_buffer(text.encode(), sdp)
            describe("remote", GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, sdp))
            for candidate in re.findall("a=(candidate:[^\\r\\n]*)", text): peer.emit("add-ice-candidate", 0, candidate)

        def wanted(_):
            if begun: return
            begun.append(True)
            direction = GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY
            for place in range(2): peer.emit("get-transceiver", place).set_property("direction", direction)
            peer.emit("create-offer", None, Gst.Promise.new_with_change_func(offered, None))

        def changed(_, __):
            if peer.get_property("connection-state") == GstWebRTC.WebRTCPeerConnectionState.CONNECTED: print("connected", flush=True)

        def leave():
            for url in session: print("left with", ask("DELETE", url).status, flush=True)
            loop.quit()

        peer.connect("on-negotiation-needed", wanted)
        peer.connect("notify::connection-state", changed)
        GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGTERM, leave)
        pipeline.set_state(Gst.State.PLAYING)
        loop.run()
        pipeline.set_state(Gst.State.NULL)
        """
}
