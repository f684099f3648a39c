import Posix
import Support
import Testing
import Units
import Wire

/// The main job, end to end: enroll, start, watch it arrive, stop.
@Suite(.serialized, .unlessStolen)
struct SkeletonTests {
    @Test(
        "the test picture of an enrolled board reaches the platform, started and stopped from a browser",
        .row("PRV-01", "SND-01", "SND-07", "SND-08", "CTL-01", "CTL-03", "CTL-04", "RCV-01", "RCV-03", "RCV-06", "CTL-09"))
    func pictureArrives() async throws {
        try await inStudio { studio in
            let sender = try await studio.sender()
            let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
            let id = try await studio.start(StartRequest(sender: sender.id, destinations: [platform]))
            let live = try await studio.owner.wait(id, for: ["live"])
            #expect(live.ingest?.width == 1280)
            try await expectClosed(studio)
            try await eventually(within: .seconds(20), "six seconds are recorded") {
                guard let file = try studio.nginx.recordings("show").last else { return false }
                return try await Probe(file).seconds > 6
            }
            try await studio.stop(id)
            let file = try #require(try studio.nginx.recordings("show").last)
            let probe = try await Probe(file)
            #expect(probe.video?.codecName == "h264")
            #expect(probe.video?.width == 1280)
            #expect(probe.audio?.codecName == "aac")
            #expect(probe.audio?.sampleRate == "48000")
            for delivery in try studio.deliveries(file) { #expect(delivery.isComplete, "\(delivery)") }
            try await eventually(within: .seconds(5), "no receiver is left") { studio.receivers.isEmpty }
        }
    }

    /// A sending board waits for nobody: it has no TCP listener, and what strangers send to the sockets of its links is neither
    /// answered nor of any effect.
    private func expectClosed(_ studio: Studio) async throws {
        let agent = try studio.installation.program("sender").pid
        let sockets = try OpenSocket.all(of: agent)
        #expect(!sockets.contains { $0.isListening }, "\(sockets)")
        #expect(sockets.contains { $0.transport == .tcp && $0.hasPeer }, "the connection to control: \(sockets)")
        let others = try OpenSocket.all(of: studio.installation.program("control").pid)
        #expect(others.contains { $0.isListening }, "listeners can be seen")

        let ports = Set(sockets.filter { $0.transport == .udp && !$0.hasPeer }.map(\.localPort)).subtracting([0])
        measured("UDP sockets of the agent", "\(sockets.filter { $0.transport == .udp })")
        let stranger = try UDPSocket(binding: try #require(SocketAddress(studio.network.cloudAddress(0), port: 0)))
        let before = try receivedDatagrams(in: agent)
        // Junk, a GRE packet in clear text, and one that claims to be encrypted.
        let heads: [[UInt8]] = [[], [0x00, 0x00, 0x88, 0xb6], [0x30, 0x48, 0x88, 0xb6, 1, 2, 3, 4]]
        let packets = heads.map { $0 + [UInt8](repeating: 0x80, count: 120) }
        for port in ports {
            let address = try #require(SocketAddress(studio.network.fieldAddress(0), port: port))
            for _ in 0..<20 { for packet in packets { _ = try stranger.send(packet, to: address) } }
        }
        // Only the sockets of the first link can hear it.
        try await eventually(within: .seconds(2), "it came") { try receivedDatagrams(in: agent) - before >= 60 }
        let answers = DatagramBatch()
        try await always(for: .milliseconds(500), "no stranger is answered") { try stranger.receive(answers) == 0 }
    }
}
