import Foundation
import Posix
import Support
import Testing
import Units
import Wire

/// What somebody on the way, or with the receiver's address and without the key, can do to a broadcast.
@Suite(.serialized, .unlessStolen)
struct SealTests {
    @Test("who listens on a link reads nothing of the media, and who sends with another key is not heard", .row("BND-05"))
    func sealed() async throws {
        try await inStudio { studio in
            studio.network.tap(0)
            let sender = try await studio.sender()
            let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
            let id = try await studio.start(StartRequest(sender: sender.id, destinations: [platform], encoder: Studio.small()))
            try await studio.owner.wait(id, for: ["live"])
            try await studio.record(.seconds(2), of: "show", by: studio.nginx)
            let media = studio.network.tapped(0).compactMap(Datagram.init(frame:)).filter { $0.payload.count > 1000 }
            try #require(media.count > 20)
            #expect(media.allSatisfy { !$0.showsTransportStream })
            let share = try await compressed(media.flatMap(\.payload))
            measured("of \(media.count) datagrams on the way a compressor leaves", "\(Int((share * 1000).rounded())) per mille")
            #expect(share > 0.98)

            let strangers = try await intrude(studio, port: media[0].destination)
            let view = try #require(try studio.owner.broadcast(id))
            measured("the stranger", "\(strangers) datagrams; paths \(view.ingest?.paths.map(\.source) ?? [])")
            #expect(view.state == "live")
            #expect(view.ingest?.paths.filter { $0.packetsTotal > 0 && $0.rttMs != nil }.count == 3)
            let file = try #require(try studio.nginx.recordings("show").last)
            for kind in [AccessUnit.Kind.video, .audio] {
                let delivery = try studio.delivery(kind, from: studio.sent(), to: file)
                #expect(delivery.isComplete, "\(kind): \(delivery)")
            }
            try await studio.stopCleanly(id)
        }
    }

    @Test("the looks that find nothing in a sealed stream find it in one that is not")
    func looks() async throws {
        let packets = (0..<7).map { [0x47, 0x1f, UInt8($0), 0x10] + [UInt8](repeating: 0xff, count: 184) }.flatMap(\.self)
        let clear = Datagram(destination: 1, source: 2, payload: [UInt8](repeating: 3, count: 20) + packets)
        #expect(clear.showsTransportStream)
        #expect(try await compressed(clear.payload) < 0.5)
    }

    /// Sends a picture of its own with a key of its own to the receiver's port for some seconds.
    /// - Returns: how many datagrams of it were on their way.
    private func intrude(_ studio: Studio, port: Int) async throws -> Int {
        let known = Set(studio.network.tapped(0).compactMap(Datagram.init(frame:)).map(\.source))
        let entrance = try FreePorts.udp()
        let stranger = try studio.stage.start(
            "ristsender",
            [
                "-p", "1", "-i", "udp://@127.0.0.1:\(entrance)", "-o",
                "rist://\(studio.network.cloudAddress(0)):\(port)?secret=not-the-key-of-this-stream&aes-type=256&cname=strata",
            ], inside: studio.field)
        let picture = try studio.stage.start(
            "ffmpeg",
            [
                "-v", "error", "-re", "-stream_loop", "-1", "-i", Places.clip(), "-c", "copy", "-f", "mpegts",
                "udp://127.0.0.1:\(entrance)?pkt_size=1316",
            ],
            inside: studio.field)
        func datagrams() -> Int {
            studio.network.tapped(0).compactMap(Datagram.init(frame:)).filter { $0.destination == port && !known.contains($0.source) }.count
        }
        try await eventually(within: .seconds(10), "the stranger sends") { datagrams() > 20 }
        try await studio.record(.seconds(3), of: "show", by: studio.nginx)
        _ = try? await picture.stop(within: .seconds(2))
        _ = try? await stranger.stop(within: .seconds(2))
        return datagrams()
    }

    /// The size that zlib leaves of some bytes, as a share.
    private func compressed(_ bytes: [UInt8]) async throws -> Double {
        let folder = try TemporaryFolder()
        let path = folder["bytes"]
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        let answer = try await runTool("gzip", ["-9", "-c", path])
        return Double(answer.output.count) / Double(bytes.count)
    }
}

/// A UDP datagram over IPv4.
private struct Datagram {
    var destination: Int
    var source: Int
    var payload: [UInt8]

    init(destination: Int, source: Int, payload: [UInt8]) {
        self.destination = destination
        self.source = source
        self.payload = payload
    }

    /// nil for what is not one.
    init?(frame: [UInt8]) {
        guard frame.count >= 42, frame[12] == 0x08, frame[13] == 0, frame[14] == 0x45, frame[23] == 17 else { return nil }
        source = Int(frame[34]) << 8 | Int(frame[35])
        destination = Int(frame[36]) << 8 | Int(frame[37])
        payload = Array(frame[42...])
    }

    /// Whether anywhere in it three transport stream packets follow each other.
    var showsTransportStream: Bool {
        payload.indices.contains { start in
            (0..<3).allSatisfy { start + $0 * 188 < payload.count && payload[start + $0 * 188] == 0x47 } && start + 3 * 188 <= payload.count
        }
    }
}
