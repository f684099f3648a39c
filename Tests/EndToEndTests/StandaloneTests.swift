import Foundation
import Lab
import Posix
import Support
import Testing
import Units

/// A bonded link between two machines by two files, and the doors to stock RIST at both its ends.
@Suite(.serialized, .unlessStolen, .enabled(if: NetworkNamespace.areAllowed, "namespaces are not allowed here"))
struct StandaloneTests {
    private static let links = [25.0, 35, 50].map { LinkShape(LinkProfile(rateKbit: 2500, delayMs: $0, jitterMs: 5, queueMs: 300)) }
    private static let key = "0123456789abcdefABCDEF-_"

    @Test("two files carry any pipeline's transport stream over three links, one of which is cut, without a gap", .row("BND-07", "BND-09"))
    func ours() async throws {
        try await carry { stage, network, ports in
            try listen(stage, ports, carrier: "bond", bind: "0.0.0.0:\(ports.media)")
            try send(stage, network, ports, carrier: "bond")
        }
    }

    @Test("a board sends to a stock RIST receiver, and one of its links is cut", .row("BND-01"))
    func toStock() async throws {
        try await carry { stage, network, ports in
            // At one address: from a wildcard socket librist answers with the address of the route, which is another one here.
            try stage.start(
                "ristreceiver",
                [
                    "-p", "1", "-S", "0", "-i",
                    "rist://@\(network.cloudAddress):\(ports.media)?secret=\(Self.key)&aes-type=256&buffer=1000&reorder-buffer=100", "-o",
                    "udp://127.0.0.1:\(ports.output)",
                ])
            try send(stage, network, ports, carrier: "rist")
        }
    }

    @Test("a stock RIST sender reaches a receiver of ours, and one of its links is cut", .row("BND-01"))
    func fromStock() async throws {
        try await carry { stage, network, ports in
            try listen(stage, ports, carrier: "rist", bind: "0.0.0.0:\(ports.media)")
            let peers = (0...2).map {
                "rist://\(network.cloudAddress($0)):\(ports.media)?secret=\(Self.key)&aes-type=256&buffer=1000&weight=5"
            }
            try stage.start(
                "ristsender", ["-p", "1", "-S", "0", "-i", "udp://@127.0.0.1:\(ports.input)", "-o", peers.joined(separator: ",")],
                inside: network.field.command([]))
        }
    }

    @Test("more than the links carry is told at both ends, and the stream is taken in the datagrams that ffmpeg makes by itself")
    func tooMuch() async throws {
        try await unlessVoid { run in
            try await onStage { stage in
                let link = LinkShape(LinkProfile(rateKbit: 2000, delayMs: 25, jitterMs: 5, queueMs: 300))
                let network = try FieldNetwork(links: [link], number: 30)
                defer { network.remove() }
                run.judge { network.lateness }
                let ports = try Ports(media: FreePorts.udp(), input: FreePorts.udp(), output: FreePorts.udp())
                let listener = try listen(stage, ports, carrier: "bond", bind: "0.0.0.0:\(ports.media)")
                let sender = try send(stage, network, ports, carrier: "bond")
                try stage.start(
                    "ffmpeg",
                    [
                        "-nostdin", "-v", "error", "-re", "-f", "lavfi", "-i", "nullsrc=size=320x180:rate=25,noise=alls=80:allf=t", "-c:v",
                        "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-b:v", "3500k", "-maxrate", "3500k", "-bufsize", "700k",
                        "-g", "25", "-muxrate", "4000k", "-f", "mpegts", "udp://127.0.0.1:\(ports.input)",
                    ], inside: network.field.command([]))
                let dropped = try await sender.line(containing: "the links carry less than the input", within: .seconds(30))
                let missing = try await listener.line(containing: "packets are missing", within: .seconds(10))
                measured("4 Mbit/s over 2, at the sender", dropped)
                measured("4 Mbit/s over 2, at the receiver", missing)
                try need(!sender.lines.contains { $0.contains("is not MPEG-TS") })
            }
        }
    }

    @Test("a file that leads nowhere is refused by its key, before anything is called sent")
    func nowhere() async throws {
        try await onStage { stage in
            let cases = [
                ("[\"192.0.2.10:7000\"]", "[]", "bond.receivers"), ("192.0.2.10:7000", "192.0.2.10:0", "bond.receivers"),
                ("# links = [\"wwan0\", \"wwan1\"]", "links = []", "bond.links"), ("127.0.0.1:5001", "127.0.0.1:0", "telemetry.to"),
            ]
            for (old, new, key) in cases {
                let file = try configuration("bond-send.toml", stage, [(old, new)])
                try await refused(try stage.start("strata-agent", ["send", file]), key)
            }
            let file = try configuration("bond-listen.toml", stage, [("127.0.0.1:6000", "127.0.0.1:0")])
            try await refused(try stage.start("strata-receiver", ["listen", file]), "output.to")
        }
    }

    private func refused(_ program: RunningProgram, _ key: String) async throws {
        // EX_CONFIG of sysexits.h.
        #expect(try await program.end(within: .seconds(10)) == 78)
        // Its last words may be read a little later than its end is known.
        try await eventually(within: .seconds(2), "it names \(key)") { program.tail.contains(key) }
    }

    private struct Ports {
        var media: Int
        var input: Int
        var output: Int
    }

    /// Starts both ends by `start`, feeds them a live picture, cuts a link for 3 s, and requires that what comes out is whole.
    private func carry(_ start: (Stage, FieldNetwork, Ports) async throws -> Void) async throws {
        try await unlessVoid { run in
            try await onStage { stage in
                let network = try FieldNetwork(links: Self.links, number: 30)
                defer { network.remove() }
                run.judge { network.lateness }
                let ports = try Ports(media: FreePorts.udp(), input: FreePorts.udp(), output: FreePorts.udp())
                try await start(stage, network, ports)
                try await record(stage, network, ports)
            }
        }
    }

    private func record(_ stage: Stage, _ network: FieldNetwork, _ ports: Ports) async throws {
        let file = stage.folder["out.ts"]
        let recorder = try stage.start(
            "ffmpeg",
            [
                "-nostdin", "-v", "error", "-i", "udp://127.0.0.1:\(ports.output)?fifo_size=50000&timeout=15000000", "-t", "8", "-c",
                "copy", "-y",
                file,
            ])
        try stage.start(
            "gst-launch-1.0",
            [
                "-q", "videotestsrc", "is-live=true", "pattern=snow", "!", "video/x-raw,width=640,height=360,framerate=25/1", "!",
                "x264enc",
                "tune=zerolatency", "bitrate=1500", "key-int-max=25", "!", "mpegtsmux", "alignment=7", "!", "udpsink", "host=127.0.0.1",
                "port=\(ports.input)",
            ], inside: network.field.command([]))
        try await eventually(within: .seconds(15), "media comes out") {
            (try? FileManager.default.attributesOfItem(atPath: file)[.size] as? Int).flatMap { $0 }.map { $0 > 100_000 } ?? false
        }
        try network.setCarrier(1, isUp: false)
        try await Task.sleep(for: .seconds(3))
        try network.setCarrier(1, isUp: true)
        _ = try await recorder.end(within: .seconds(20))
        let times = try await pictureTimes(file)
        let widest = zip(times, times.dropFirst()).map { $1 - $0 }.max() ?? .infinity
        measured("pictures that came out", "\(times.count), widest step \(widest) s")
        try need(times.count >= 180)
        try need(widest < 0.05, "a picture is missing")
        for link in 0...2 { measured("modem\(link)", "\(network.count(link, .up))") }
    }

    private func pictureTimes(_ file: String) async throws -> [Double] {
        let answer = try await runTool(
            "ffprobe", ["-v", "error", "-select_streams", "v", "-show_entries", "packet=pts_time", "-of", "csv=p=0", file])
        return answer.text.split(whereSeparator: { $0 == "\n" || $0 == "," }).compactMap { Double($0) }.sorted()
    }

    /// The examples that are shipped, with this test's addresses.
    private func configuration(_ example: String, _ stage: Stage, _ changes: [(String, String)]) throws -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        var text = try String(contentsOf: root.appendingPathComponent("systemd/\(example)"), encoding: .utf8)
        let key = try stage.folder.write(Self.key + "\n", to: "bond.key")
        chmod(key, 0o600)
        for (old, new) in [("\"bond.key\"", "\"\(key)\"")] + changes {
            try need(text.contains(old), "\(example) says \(old)")
            text = text.replacingOccurrences(of: old, with: new)
        }
        return try stage.folder.write(text, to: example)
    }

    @discardableResult
    private func listen(_ stage: Stage, _ ports: Ports, carrier: String, bind: String) throws -> RunningProgram {
        let file = try configuration(
            "bond-listen.toml", stage,
            [
                ("[\"0.0.0.0:7000\", \"[::]:7000\"]", "[\"\(bind)\"]"), ("\"127.0.0.1:6000\"", "\"127.0.0.1:\(ports.output)\""),
                ("carrier = \"bond\"", "carrier = \"\(carrier)\""), ("to = \"127.0.0.1:6001\"", ""),
            ])
        return try stage.start("strata-receiver", ["listen", file])
    }

    @discardableResult
    private func send(_ stage: Stage, _ network: FieldNetwork, _ ports: Ports, carrier: String) throws -> RunningProgram {
        let file = try configuration(
            "bond-send.toml", stage,
            [
                ("192.0.2.10:7000", "\(network.cloudAddress):\(ports.media)"),
                ("listen = \"127.0.0.1:5000\"", "listen = \"127.0.0.1:\(ports.input)\""),
                ("carrier = \"bond\"", "carrier = \"\(carrier)\""), ("to = \"127.0.0.1:5001\"", ""),
            ])
        return try stage.start("strata-agent", ["send", file], inside: network.field.command([]))
    }
}
